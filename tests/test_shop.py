"""The shop of the example project: what its pages count, and the visitors who come to it."""

from __future__ import annotations

import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from django.conf import settings
from django.core import signing
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from example_project.ports import free_port
from example_project.shop import crowd, history, views, visitors
from example_project.shop.crowd import Crowd
from example_project.shop.goods import BANNERS, BY_SLUG, CATEGORIES, COUNTRIES, PRODUCTS, shelves
from hailwhale_django import Hail, Whale, buffer, crediting, decisions
from tests.patience import WAIT_SECONDS, until

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
PAGES = ("/", "/shop/", "/shop/numbers/", "/shop/cart/", "/shop/gale/")


@pytest.fixture(autouse=True)
def shop(redis_url: str) -> Iterator[None]:
    """The shop within these tests' settings, with the middleware first as in the example project's own."""
    with override_settings(
        INSTALLED_APPS=[*settings.INSTALLED_APPS, "example_project.shop"],
        MIDDLEWARE=["hailwhale_django.middleware.HailWhaleMiddleware", *settings.MIDDLEWARE],
        ROOT_URLCONF="example_project.urls",
        HAILWHALE={
            "REDIS": redis_url,
            "CAPTURE": ["bot", "country", "device"],
            "COUNTRY_HEADER": "X-Visitor-Country",
            "ADDRESS_HEADER": "X-Forwarded-For",
        },
    ):
        yield
    decisions.unregister("decisions/banner", "default")


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"user-agent": AGENT, "x-visitor-country": "DE"})


def total(metric: str, dimension: str | None = None, pk: Any = "shop") -> float:
    crediting.flush()
    buffer.flush()
    Hail.drain()
    return Whale.total(pk, metric, dimension, period="today")


class TestGoods:
    def test_there_are_a_dozen_in_three_categories(self) -> None:
        assert len(BY_SLUG) == len(PRODUCTS) == 12
        assert {category: len(shelf) for category, shelf in shelves().items()} == dict.fromkeys(CATEGORIES, 4)


class TestPages:
    @pytest.mark.parametrize("path", PAGES)
    def test_nothing_is_inline(self, path: str, visitor: Client) -> None:
        page = visitor.get(path).content.decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
        assert all("src=" in tag or 'type="application/json"' in tag for tag in re.findall(r"<script[^>]*>", page))

    def test_a_product_that_is_not_there(self, visitor: Client) -> None:
        assert visitor.get("/shop/anvil/").status_code == 404

    def test_the_pixel_of_a_product(self, visitor: Client) -> None:
        look_at(visitor, "gale")
        look_at(visitor, "mint")
        assert total("views") == 2
        assert total("views", "category/Umbrellas/Gale") == 1
        assert total("views", "country/DE") == 2
        assert total("views", pk=["shop", "mint"]) == 1
        assert "Looked at 1 times today" in visitor.get("/shop/gale/").content.decode()

    def test_the_script_of_every_page(self, visitor: Client) -> None:
        page = visitor.get("/shop/").content.decode()
        found = re.search(r'data-url="([^"]+)" data-token="([^"]+)"', page)
        assert found
        props, metrics = {"category": "Tea", "product": "Mint"}, {"carts": 1}
        hit = {"token": found[2], "name": "cart", "page": "/shop/mint/", "props": props, "metrics": metrics}
        assert visitor.post(found[1], json.dumps(hit), content_type="text/plain").status_code == 202
        assert total("carts", "category/Tea") == 1
        assert total("hits", "event/cart") == 1

    def test_requests_are_counted_but_those_of_the_numbers(self, visitor: Client) -> None:
        visitor.get("/shop/")
        visitor.get("/shop/numbers/")
        assert total("hits", pk="requests") == 1
        assert total("hits", ["route", "/shop/"], pk="requests") == 1


def look_at(visitor: Client, slug: str) -> None:
    page = visitor.get(f"/shop/{slug}/").content.decode()
    pixel = re.search(r'<img src="([^"]+/pixel/[^"]+)"', page)
    assert pixel
    assert visitor.get(pixel[1]).status_code == 200


def press(chrome: Any, selector: str) -> None:
    """Press a button as soon as its page is there."""
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(chrome, WAIT_SECONDS).until(lambda page: page.find_elements("css selector", selector))[0].click()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestInTheBrowser:
    @pytest.fixture
    def chrome(self, chromium: Any) -> Iterator[Any]:
        chromium.get_log("browser")
        yield chromium
        chromium.get("about:blank")
        assert chromium.get_log("browser") == []

    def test_a_view_a_cart_and_an_order(self, chrome: Any, live_server: Any) -> None:
        chrome.get(f"{live_server.url}/shop/gale/")
        press(chrome, "form[data-product] button")
        press(chrome, "form.buy button")
        assert until(lambda: "Thank you" in chrome.page_source)
        assert until(lambda: total("hits", "event/cart") == 1)
        assert [total(name) for name in ("views", "carts", "sales", "revenue")] == [1, 1, 1, 59]
        assert total("carts", "category/Umbrellas") == 1

    def test_the_numbers_of_the_first_page_move(self, chrome: Any, live_server: Any) -> None:
        chrome.get(f"{live_server.url}/shop/")
        assert until(lambda: "Nothing counted yet" in chrome.page_source)
        Whale.count_now("shop", {"product": "Gale"}, {"views": 1234})
        assert until(lambda: "1,234" in chrome.page_source)


class TestCart:
    def test_what_is_put_in_and_taken_out(self, visitor: Client) -> None:
        for slug in ("gale", "gale", "mint"):
            visitor.post(f"/shop/cart/{slug}/add/")
        assert "€126" in visitor.get("/shop/cart/").content.decode()
        visitor.post("/shop/cart/gale/remove/")
        assert "€8" in visitor.get("/shop/cart/").content.decode()

    @pytest.mark.parametrize("cookie", ["[]", "forged:1xV:abc", "signed for another"])
    def test_a_cart_that_is_not_ours_is_empty(self, cookie: str, visitor: Client) -> None:
        visitor.cookies["cart"] = signing.get_cookie_signer("other").sign("[]") if "signed" in cookie else cookie
        assert "It is empty" in visitor.get("/shop/cart/").content.decode()

    def test_a_form_of_another_site_is_refused(self) -> None:
        assert Client(enforce_csrf_checks=True).post("/shop/cart/gale/add/").status_code == 403


class TestBuying:
    @pytest.fixture
    def full(self, visitor: Client) -> Client:
        for slug in ("gale", "gale", "mint"):
            visitor.post(f"/shop/cart/{slug}/add/")
        return visitor

    def test_each_line_is_counted(self, full: Client) -> None:
        assert "Thank you" in full.post("/shop/cart/buy/", {"country": "NO"}).content.decode()
        assert [total(name) for name in ("sales", "items", "revenue")] == [2, 3, 2 * 59 + 8]
        assert total("revenue", "category/Umbrellas/Gale") == 118
        assert total("revenue", "country/NO") == 126
        assert total("items", pk=["shop", "gale"]) == 2
        assert "It is empty" in full.get("/shop/cart/").content.decode()

    def test_an_order_that_is_sent_twice_is_counted_once(self, full: Client) -> None:
        cart = full.cookies["cart"].value
        for _ in range(2):
            full.cookies["cart"] = cart
            full.post("/shop/cart/buy/", {"country": "NO"})
        assert total("sales") == 2

    @pytest.mark.parametrize("country", ["", "XX"])
    def test_a_country_that_is_none(self, country: str, full: Client) -> None:
        assert full.post("/shop/cart/buy/", {"country": country}).status_code == 302
        assert total("sales") == 0

    def test_nobody_counts_and_the_shop_sells(self, full: Client) -> None:
        with override_settings(HAILWHALE={"REDIS": f"redis://127.0.0.1:{free_port()}"}):
            assert "Thank you" in full.post("/shop/cart/buy/", {"country": "NO"}).content.decode()


class TestBanner:
    def test_each_visitor_keeps_their_banner(self, visitor: Client) -> None:
        seen = {shown(visitor) for _ in range(5)}
        assert len(seen) == 1 and seen < set(BANNERS)
        assert total("visitors", pk=["decisions", "banner", seen.pop()]) == 1

    def test_an_order_is_credited_to_the_banner(self, visitor: Client) -> None:
        banner = shown(visitor)
        visitor.post("/shop/cart/gale/add/")
        cart = visitor.cookies["cart"].value
        for _ in range(2):
            visitor.cookies["cart"] = cart
            visitor.post("/shop/cart/buy/", {"country": "NO"})
        assert total("orders/visitors", pk=["decisions", "banner", banner]) == 1
        assert total("orders", "country/DE", pk=["decisions", "banner"]) == 1

    def test_each_country_gets_what_it_likes(self) -> None:
        """What the shop is told by some hundred visitors of each country is enough for it."""
        rng = Random(3)
        pod = Whale.pod()
        pod.decider.chooser.later = lambda work: work()
        for seed in range(1_500):
            who = visitors.visitor(rng)
            if who.is_bot:
                continue
            banner = Whale.decide("decisions", "banner", known_data={"country": who.country}, seed=seed)
            orders = int((who.follows(banner) or bool(who.wants)) and who.buys)
            metrics = {"visitors": 1, "orders": orders}
            Whale.count_decided_now("decisions", "banner", banner, {"country": who.country}, metrics)
        for country in visitors.COUNTRIES_BY_SIZE[:4]:
            told = Whale.decide("decisions", "banner", known_data={"country": country}, choice=True, window=0)
            assert max(told.standings, key=lambda one: one.mean).option == visitors.LIKES[country]


def shown(visitor: Client) -> str:
    found = re.search(r'data-banner="(\w+)"', visitor.get("/shop/").content.decode())
    assert found
    return found[1]


class TestVisitors:
    def test_the_same_seed_the_same_visitors(self) -> None:
        assert visitors.visitor(Random(7)) == visitors.visitor(Random(7))

    def test_all_that_they_may_want_is_there(self) -> None:
        assert set(visitors.COUNTRIES_BY_SIZE) == set(visitors.LANGUAGES) == set(COUNTRIES)
        assert set(visitors.CONVERSION) == set(CATEGORIES)
        assert set(visitors.LIKES) == set(COUNTRIES)
        assert set(visitors.LIKES.values()) == set(BANNERS)

    def test_the_first_is_twice_as_likely_as_the_second(self) -> None:
        rng = Random(1)
        found = Counter(visitors.zipf(rng, "abc") for _ in range(11_000))
        # 1 : 1/2 : 1/3 of 11,000 is 6,000 : 3,000 : 2,000, each give or take some 50.
        assert found["a"] == pytest.approx(6_000, abs=250)
        assert found["b"] == pytest.approx(3_000, abs=250)

    def test_bots_look_and_do_not_buy(self) -> None:
        rng = Random(1)
        bots = [one for one in (visitors.visitor(rng) for _ in range(500)) if one.is_bot]
        assert bots
        assert all(one.looks and not one.wants for one in bots)

    def test_umbrellas_are_bought_more_often_than_tea(self) -> None:
        rng = Random(1)
        looked: Counter[str] = Counter()
        wanted: Counter[str] = Counter()
        for one in (visitors.visitor(rng) for _ in range(2_000)):
            looked.update(product.category for product in one.looks)
            wanted.update(product.category for product in one.wants)
        shares = {category: wanted[category] / looked[category] for category in CATEGORIES}
        assert shares["Umbrellas"] > shares["Boots"] > shares["Tea"]


@pytest.mark.django_db(transaction=True)
class TestCrowd:
    def test_what_they_did_is_counted(self, live_server: Any) -> None:
        come = Crowd(live_server.url, Random(3))
        come.come(rate=1_000, visitors=40)
        done = come.done
        assert come.problems == {}
        assert done["visitors"] == 40
        assert done["orders"] > 0
        # Whoever is a bot is counted as one.
        assert total("views") + total("bot_views") == done["pixels"]
        assert total("bot_views") > 0
        assert total("carts") == done["carts"]
        assert total("hits", "event/pageview") == done["beacons"] - done["carts"]
        assert total("revenue") > 0
        assert {path[1] for path in Whale.get_subdimensions("shop", "country")} <= set(COUNTRIES)

    def test_countries_are_sorted_by_what_a_visitor_brings(self, live_server: Any) -> None:
        Crowd(live_server.url, Random(5)).come(rate=1_000, visitors=60)
        again = Random(5)
        came: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for who in (visitors.visitor(again) for _ in range(60)):
            if not who.is_bot:
                came[who.country].add((who.address, who.agent))
        total("hits")  # so that all is counted
        answer = Whale.query("shop", dimension="country", metrics=["revenue/uv:visitor", "revenue"], period="today")
        assert {row.name: row.cells[0].denominator for row in answer.rows} == {
            country: len(people) for country, people in came.items()
        }
        each = [(row.cells[1].value / len(came[row.name]), row.cells[0].value) for row in answer.rows]
        assert all(mine == told for mine, told in each)
        assert each == sorted(each, reverse=True)
        assert each[0][0] > each[-1][0]

    def test_the_command_says_what_they_did(self, live_server: Any) -> None:
        said = io.StringIO()
        call_command("visit", site=live_server.url, rate=50, seconds=0.1, seed=3, stdout=said)
        assert re.match(r"5 visitors in [\d.]+ s: [\d,]+ pages, [\d,]+ pixels", said.getvalue())
        assert re.search(r"[\d.]+ visitors a second \(wanted 50\), \d+ requests$", said.getvalue(), re.MULTILINE)
        assert total("views") + total("bot_views") >= 5

    def test_a_site_that_breaks_down_is_told(self, live_server: Any) -> None:
        nobody = Crowd(f"http://127.0.0.1:{free_port()}", Random(3))
        nobody.come(rate=1_000, visitors=2)
        assert nobody.done["visitors"] == 0
        assert nobody.problems.total() == 2


class TestCommand:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"rate": 0}, "--rate is 0; use a number above 0"),
            ({"seconds": float("nan")}, "--seconds is nan; use"),
            ({"site": "127.0.0.1:8000"}, "--site is '127.0.0.1:8000'; use an address such as http://127.0.0.1:8000"),
        ],
    )
    def test_what_will_not_do_is_named(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(CommandError, match=re.escape(message)):
            call_command("visit", **options)

    def test_where_no_shop_is(self) -> None:
        with pytest.raises(CommandError, match="No shop at .* make demo"):
            call_command("visit", site=f"http://127.0.0.1:{free_port()}")


@pytest.mark.django_db(transaction=True)
class TestButton:
    def test_in_a_demo_anybody_may(self, live_server: Any, visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(views, "CROWDS", (20,))
        site = {"SERVER_NAME": live_server.thread.host, "SERVER_PORT": str(live_server.thread.port)}
        with override_settings(DEBUG=True):
            assert "Send visitors" in visitor.get("/shop/", **site).content.decode()
            page = visitor.post(
                "/shop/visitors/", {"rate": "20", "visitors": "20"}, follow=True, **site
            ).content.decode()
            assert "20 visitors are on their way, 20 a second" in page
            page = visitor.post(
                "/shop/visitors/", {"rate": "20", "visitors": "20"}, follow=True, **site
            ).content.decode()
            assert "The visitors of before are still here" in page
            assert until(lambda: not crowd.is_coming())
        assert total("hits", ["page", "/shop/"]) >= 1
        assert total("views") + total("bot_views") >= 20

    def test_elsewhere_staff_may(self, visitor: Client, admin_client: Client) -> None:
        assert "Send visitors" not in visitor.get("/shop/").content.decode()
        assert "Send visitors" in admin_client.get("/shop/").content.decode()
        assert visitor.post("/shop/visitors/", {"rate": "20", "visitors": "500"}).status_code == 403
        assert not crowd.is_coming()

    @pytest.mark.parametrize("rate", ["", "0", "1e9"])
    def test_other_rates_send_nobody(self, rate: str, admin_client: Client) -> None:
        assert admin_client.post("/shop/visitors/", {"rate": rate, "visitors": "500"}).status_code == 302
        assert not crowd.is_coming()


def test_who_comes_again_is_the_same_visitor() -> None:
    """Else the visitors of all countries would be more than all visitors, and each worth less than all are."""
    known, came = defaultdict(set), defaultdict(set)
    for event in history.events(datetime(2026, 11, 22, tzinfo=UTC), 7):
        if visitor := event["metrics"].get("uv:visitor"):
            known[visitor].add((event["dimensions"]["country"], str(event["dimensions"]["device"])))
            came[visitor].add(event["at"].date())
    assert max(len(days) for days in came.values()) > 1
    assert {len(kinds) for kinds in known.values()} == {1}
