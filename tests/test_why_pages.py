"""The pages that answer why a number changed, and the links that lead there. All numbers are worked out by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.test import Client, override_settings

from example_project.ports import HOST, free_port
from hailwhale_django import Whale
from hailwhale_django.access_models import SharedLink
from hailwhale_django.dashboards.column import Column
from hailwhale_django.dashboards.differences import Differences
from hailwhale_django.dashboards.waterfall import End, Step, Waterfall
from hailwhale_django.documents import load
from hailwhale_django.engine.domain.paths import Path
from tests.test_admin import HOSTILE, LIST, NOW, SHOP, Element, Page, assert_clean, logged_in, opened

WHY = f"{LIST}shop/why"
EACH = f"{WHY}?f=revenue/visitors+as+Each&p=7d"
VISITORS = f"{WHY}?f=visitors&p=7d"

BOARD = {
    "slug": "shop",
    "title": "The shop",
    "period": "7d",
    "compare": "previous",
    "panels": [
        {"kind": "number", "counter": "shop", "formulas": ["revenue/visitors as Each [$#; less is better]", "revenue"]},
        {"kind": "table", "title": "Countries", "counter": "shop", "dimension": "country", "formulas": ["visitors"]},
        {"kind": "top", "title": "Shops", "counter": "shop", "counters": True, "formulas": ["visitors"]},
    ],
}


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def store(redis_url: str) -> Iterator[None]:
    with override_settings(HAILWHALE={"REDIS": redis_url, "CROSSINGS": {"shop": [["country", "device"]]}}):
        yield


@pytest.fixture
def staff(user: Callable[..., User]) -> Client:
    """Logged in as one who may look at counters, and may do nothing else."""
    return logged_in(user("looker", "view_counter"))


@pytest.fixture
def user(db: Any) -> Callable[..., User]:
    def made(name: str, *permissions: str) -> User:
        found = User.objects.create_user(name, password="x", is_staff=True)
        found.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        return found

    return made


@pytest.fixture
def shop(store: None) -> None:
    """Two countries, each with a shop and a device of its own; this week, and the one before:

    |       | visitors | revenue  | each   | visitors before | revenue before | each before |
    |-------|----------|----------|--------|-----------------|----------------|-------------|
    | US    | 30       | 120      | 4      | 10              | 40             | 4           |
    | DE    | 10       | 100      | 10     | 10              | 80             | 8           |
    | total | 40       | 220      | 5.5    | 20              | 120            | 6           |

    Of the change of -0.5, with R = (5.5 + 6) / 2 = 5.75, US carries 120/40 - 40/20 - R (30/40 - 10/20) = -0.4375, all
    by its weight; DE 100/40 - 80/20 - R (10/40 - 10/20) = -0.0625, of it (10 - 8) (1/4 + 1/2) / 2 = 0.75 by itself.
    """
    count("US", "phone", "north", "2099-05-06", visitors=10, revenue=40)
    count("DE", "desktop", "south", "2099-05-06", visitors=10, revenue=80)
    count("US", "phone", "north", "2099-05-13", visitors=30, revenue=120)
    count("DE", "desktop", "south", "2099-05-13", visitors=10, revenue=100)


def count(country: Any, device: str, shop: str, day: str, **metrics: float) -> None:
    Whale.count_now(["shop", shop], {"country": country, "device": device}, metrics, f"{day}T10:00:00Z")


def sections(page: Page) -> dict[str, Element]:
    """Dimensions by name, in the order of the page."""
    return {one.found("h2")[0].text: one for one in page.found("details", class_="hw-by")}


def cells(table: Element) -> list[list[str]]:
    return [[cell.text for cell in row if cell.tag in ("td", "th")] for row in table.found("tr")]


def parts(section: Element) -> list[list[str]]:
    """The table of a dimension."""
    return cells(section.found("table")[0])


def bars(section: Element) -> dict[str, Any]:
    (script,) = section.found("script", type="application/json")
    found: dict[str, Any] = json.loads(script.raw)
    return found


def doubts(page: Page | Element) -> dict[str, str]:
    """Addresses of what explains changes, by what is asked."""
    links = page.found("a", class_="hw-why")
    assert {link.text for link in links} <= {"why?"}
    return {link["aria-label"]: link["href"] for link in links}


def asked(address: str) -> tuple[str, dict[str, str]]:
    """The counter and the question of an address."""
    split = urlsplit(address)
    return split.path.removeprefix(LIST).removesuffix("/why"), {k: v for k, (v,) in parse_qs(split.query).items()}


class TestAccess:
    def test_strangers_are_sent_to_the_login(self, client: Client, db: Any) -> None:
        assert urlsplit(client.get(EACH)["Location"]).path == "/admin/login/"

    def test_staff_without_the_permission_may_not_look(self, user: Callable[..., User], shop: None) -> None:
        assert logged_in(user("other", "view_dashboard")).get(EACH).status_code == 403

    def test_there_is_nothing_to_post(self, staff: Client, shop: None) -> None:
        assert staff.post(EACH).status_code == 405
        assert staff.head(EACH).status_code == 200


class TestNumbers:
    def test_what_is_asked_and_when(self, staff: Client, shop: None) -> None:
        page = opened(staff, EACH)

        assert page.found("h1")[0].text == "Why did Each change?"
        assert "May 8, 2099 – May 14, 2099" in page.text
        assert "compared with May 1, 2099 – May 7, 2099" in page.text
        assert "Each fell from 6 to 5.500 (-8.3%)." in page.text
        assert_clean(page)

    def test_parts_of_a_ratio(self, staff: Client, shop: None) -> None:
        section = sections(opened(staff, EACH))["country"]

        heading, us, de, total = (row[:7] for row in parts(section))
        assert heading == ["Name", "Before", "Now", "Part", "Share of the change", "Itself", "Mix"]
        # -0.4375 and -0.0625 of -0.5
        assert us == ["US", "4", "4", "▼ -0.438", "87.5%", "0.000", "-0.438"]
        assert de == ["DE", "8", "10", "▼ -0.062", "12.5%", "+0.750", "-0.812"]
        assert total == ["total", "6", "5.500", "▼ -0.500", "100.0%", "", ""]

    def test_parts_of_a_sum_have_no_mix(self, staff: Client, shop: None) -> None:
        section = sections(opened(staff, VISITORS))["country"]

        heading, us, de, total = (row[:5] for row in parts(section))
        assert "Mix" not in parts(section)[0]
        assert us == ["US", "10", "30", "▲ +20", "100.0%"]
        assert de == ["DE", "10", "10", "0", "0%"]
        assert total == ["total", "20", "40", "▲ +20", "100.0%"]

    @pytest.mark.parametrize("address", [EACH, VISITORS, f"{EACH}&d=country/US", f"{WHY}?f=revenue*2-visitors&p=7d"])
    def test_bars_lead_from_before_to_now(self, staff: Client, shop: None, address: str) -> None:
        found = sections(opened(staff, address))

        for section in found.values():
            first, *steps, last = bars(section)["bars"]
            ends = [first["end"], *(one["end"] for one in steps)]
            assert [one["begin"] for one in steps] == ends[:-1]
            assert math.isclose(ends[-1], last["end"])
            assert first["text"] == parts(section)[-1][1] and last["text"] == parts(section)[-1][2]

    def test_what_is_counted_without_a_dimension_is_a_row(self, staff: Client, shop: None) -> None:
        Whale.count_now("shop", {"country": "FR"}, {"visitors": 7}, "2099-05-12T10:00:00Z")

        found = sections(opened(staff, VISITORS))

        assert ["in none of these", "", "", "▲ +7", "25.9%"] in [row[:5] for row in parts(found["device"])]
        assert ["FR", "–", "7", "▲ +7", "25.9%"] in [row[:5] for row in parts(found["country"])]
        assert parts(found["device"])[-1][3] == parts(found["country"])[-1][3] == "▲ +27"

    def test_many_children_are_summed_up(self, staff: Client, store: None) -> None:
        for number in range(1, 12):
            Whale.count_now("shop", {"page": f"p{number:02}"}, {"hits": number}, "2099-05-12T10:00:00Z")
        Whale.count_now("shop", {"page": "p00"}, {"hits": 1}, "2099-05-05T10:00:00Z")

        rows = parts(sections(opened(staff, f"{WHY}?f=hits&p=7d"))["page"])

        # 1 to 11 are 66, less 1; the eight largest, 4 to 11, are 60; of 3, 2, 1 and -1 are left 5.
        assert [row[3] for row in rows[1:9]] == [f"▲ +{number}" for number in range(11, 3, -1)]
        assert rows[9][:4] == ["4 further", "", "", "▲ +5"]
        assert rows[10][:4] == ["total", "1", "66", "▲ +65"]

    def test_what_had_no_room_is_a_row_that_cannot_be_asked(self, staff: Client, redis_url: str) -> None:
        with override_settings(HAILWHALE={"REDIS": redis_url, "MAX_CHILDREN": 2}):
            for number, name in enumerate("abcd", 1):
                Whale.count_now("shop", {"page": name}, {"hits": number}, "2099-05-12T10:00:00Z")
            Whale.count_now("shop", {"page": "a"}, {"hits": 1}, "2099-05-05T10:00:00Z")
            section = sections(opened(staff, f"{WHY}?f=hits&p=7d"))["page"]

        rows = {row[0]: row[3] for row in parts(section)[1:]}
        assert rows["(other)"] != "" and rows["total"] == "▲ +9"
        assert "(other)" not in [link.text for link in section.found("a")]

    def test_good_and_bad_are_as_the_column_says(self, staff: Client, shop: None) -> None:
        def tones(address: str) -> list[str]:
            return [one["tone"] for one in bars(sections(opened(staff, address))["country"])["bars"]]

        assert tones(EACH) == ["end", "bad", "bad", "end"]
        assert tones(f"{WHY}?f=revenue/visitors+[less+is+better]&p=7d") == ["end", "good", "good", "end"]

    def test_formats(self, staff: Client, shop: None) -> None:
        money = parts(sections(opened(staff, f"{WHY}?f=revenue/visitors+[$%23]&p=7d"))["country"])
        share = parts(sections(opened(staff, f"{WHY}?f=visitors/revenue+as+Share+[%25]&p=7d"))["country"])

        assert money[1][1:4] == ["$4", "$4", "▼ -$0.44"]
        # 20/120 before, 40/220 now: 1.5 points
        assert share[0][3] == "Part, in points"
        assert share[-1][1:4] == ["16.7%", "18.2%", "▲ +1.52"]

    def test_the_dimension_that_explains_best_comes_first_and_is_open(self, staff: Client, store: None) -> None:
        for device, visitors, day in (
            ("phone", 10, "06"),
            ("desktop", 10, "06"),
            ("phone", 90, "13"),
            ("desktop", 10, "13"),
        ):
            for country in ("US", "DE"):
                count(country, device, "one", f"2099-05-{day}", visitors=visitors)

        first, *others = sections(opened(staff, VISITORS)).values()

        # Of the phones all of it is, of each country the half; the one shop says no less than the phones.
        assert first.found("h2")[0].text in ("device", "child counters")
        assert "open" in first.attributes
        assert not any("open" in one.attributes for one in others)
        assert others[-1].found("h2")[0].text == "country"

    def test_a_dimension_that_all_events_have_is_the_whole(self, staff: Client, shop: None) -> None:
        assert list(sections(opened(staff, f"{EACH}&d=country"))) == list(sections(opened(staff, EACH)))

        Whale.count_now("shop", {"device": "tv"}, {"visitors": 1, "revenue": 5}, "2099-05-12T10:00:00Z")
        page = opened(staff, f"{EACH}&d=country")
        assert list(sections(page)) == ["country"]
        assert page.found("h1")[0].text == "Why did Each of country change?"
        assert parts(sections(page)["country"])[-1][1:3] == ["6", "5.500"]

    def test_a_value_by_what_was_counted_with_it(self, staff: Client, shop: None) -> None:
        count("US", "desktop", "north", "2099-05-12", visitors=10, revenue=100)

        page = opened(staff, f"{EACH}&d=country/US")

        # 4 before; now (120 + 100) / 40.
        assert page.found("h1")[0].text == "Why did Each of US change?"
        assert parts(sections(page)["device"])[-1][1:4] == ["4", "5.500", "▲ +1.50"]
        assert {row[0] for row in parts(sections(page)["device"])[1:]} == {"phone", "desktop", "total"}

    def test_causes_further_down(self, staff: Client, store: None) -> None:
        for day in range(1, 15):
            at = f"2099-05-{day:02}T10:00:00Z"
            for region in ("CA", "NY"):
                visitors = 400 if region == "CA" and day > 7 else 100 + day % 3
                Whale.count_now("shop", {"country": {"US": region}}, {"visitors": visitors}, at)
            Whale.count_now("shop", {"country": {"DE": "BE"}}, {"visitors": 100 + day % 2}, at)

        page = opened(staff, VISITORS)

        # From some 101 a day to 400: 7 x 299 or so of the change, which is of the US, too.
        assert "US / CA" in page.text
        (further,) = sections(page)["country"].found("details", class_="hw-inner")
        assert "within US" in [one.text for one in further.found("h3")]
        first = cells(further.found("table")[0])[1]
        assert first[0] == "CA" and first[2] == "2,800"

    def test_in_german(self, staff: Client, shop: None) -> None:
        with override_settings(LANGUAGE_CODE="de"):
            page = opened(staff, EACH)

        assert page.found("html")[0]["lang"] == "de"
        assert parts(sections(page)["country"])[1][3:5] == ["▼ -0,438", "87,5 %"]


class TestLinks:
    def test_a_child_leads_to_the_same_question_of_it(self, staff: Client, shop: None) -> None:
        found = sections(opened(staff, f"{EACH}&c=2099-05-01..2099-05-07"))
        (us,) = found["country"].found("a", **{"href": found["country"].found("a")[0]["href"]})

        assert us.text == "US"
        assert asked(us["href"]) == (
            "shop",
            {"f": "revenue/visitors as Each", "d": "country/US", "p": "7d", "c": "2099-05-01..2099-05-07"},
        )
        assert [one["link"] for one in bars(found["country"])["bars"]][1] == us["href"]
        north = next(link for link in found["child counters"].found("a") if link.text == "north")
        assert asked(north["href"])[0] == "shop/north"
        assert opened(staff, north["href"]).found("h1")[0].text == "Why did Each of shop / north change?"

    def test_a_dimension_leads_to_its_table_by_change(self, staff: Client, shop: None) -> None:
        section = sections(opened(staff, EACH))["country"]
        link = section.found("p", class_="hw-sheet")[0].found("a")[0]

        page = opened(staff, link["href"])

        # It fell, so what fell most comes first: US stayed, DE rose.
        assert page.names == ["US", "DE"]
        assert parse_qs(urlsplit(link["href"]).query)["o"] == ["+change:revenue/visitors"]
        assert "compared with" in page.text

    def test_the_way_back_keeps_the_question(self, staff: Client, shop: None) -> None:
        (crumbs,) = opened(staff, f"{EACH}&d=country/US").found("ol", class_="breadcrumbs")
        links = {link.text: link["href"] for link in crumbs.found("a")}

        assert list(links) == ["Home", "Hailwhale", "Counters", "shop", "country", "US"]
        split = urlsplit(links["country"])
        assert split.path == SHOP
        assert parse_qs(split.query) == {"d": ["country"], "p": ["7d"], "c": ["previous"], "m": ["revenue/visitors"]}
        assert opened(staff, links["US"])

    def test_the_form_chooses_the_period(self, staff: Client, shop: None) -> None:
        form = opened(staff, f"{EACH}&d=country/US").form()
        assert form["c"] == ["previous"]

        response = staff.get(WHY, form | {"period_text": ["2099-05-13"], "c": ["weekdays"]})

        assert asked(response["Location"]) == (
            "shop",
            {"f": "revenue/visitors as Each", "d": "country/US", "p": "2099-05-13", "c": "weekdays"},
        )
        page = opened(staff, response["Location"])
        assert "May 13, 2099 compared with May 6, 2099" in page.text

    def test_a_counter_may_be_called_why(self, staff: Client, store: None) -> None:
        for day, hits in (("06", 1), ("13", 3)):
            Whale.count_now(["why", "why"], metrics={"hits": hits}, at=f"2099-05-{day}T10:00:00Z")

        assert opened(staff, f"{LIST}why/why/").found("h1")[0].text == "why › why"
        assert opened(staff, f"{LIST}why/why?f=hits&p=7d").found("h1")[0].text == "Why did hits change?"
        page = opened(staff, f"{LIST}why/why/why?f=hits&p=7d")
        assert page.found("h1")[0].text == "Why did hits of why / why change?"
        assert "There is nothing beneath this by which it could be told." in page.text
        assert staff.get(f"{LIST}why")["Location"] == f"{LIST}why/"

    def test_other_stores(self, staff: Client, redis_url: str) -> None:
        with override_settings(HAILWHALE={"REDIS": redis_url, "STORES": {"other": {"PREFIX": "other"}}}):
            Whale.using("other").count_now("shop", {"country": "US"}, {"hits": 3}, "2099-05-12T10:00:00Z")

            Whale.using("other").count_now("shop", {"country": "US"}, {"hits": 1}, "2099-05-05T10:00:00Z")

            page = opened(staff, f"{WHY}?f=hits&p=7d&store=other")

            (link,) = (one for one in sections(page)["country"].found("a") if one.text == "US")
            assert asked(link["href"])[1]["store"] == "other"
            assert page.form()["store"] == ["other"]
            assert opened(staff, WHY, 404)


class TestBadInput:
    @pytest.mark.parametrize(
        "question",
        ["f=revenue/", "f=top10:sum:page", "f=pct95:ms", "f=2", "f=revenue+[%23;%23]", "f=hits&d=a/b/c/d/e/f/g/h/i"],
    )
    def test_what_cannot_be_explained(self, staff: Client, shop: None, question: str) -> None:
        page = opened(staff, f"{WHY}?{question}", 400)

        assert "This cannot be answered" in page.text
        assert_clean(page)

    @pytest.mark.parametrize("name", ["none", "a%2F%2Fb", "x" * 300])
    def test_nothing_counted(self, staff: Client, shop: None, name: str) -> None:
        assert "Nothing was ever counted as" in opened(staff, f"{LIST}{name}/why?f=hits", 404).text

    def test_nothing_counted_beneath(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{EACH}&d=country/XX")

        assert "Nothing was ever counted under country / XX." in page.text
        assert not sections(page)

    def test_nothing_in_one_of_the_periods(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{WHY}?f=revenue/visitors&p=2099-05-13&c=2099-04-01")

        assert "so there is nothing to compare" in page.text

    def test_a_metric_that_was_never_counted(self, staff: Client, shop: None) -> None:
        assert "Nothing was ever counted as tips" in opened(staff, f"{WHY}?f=tips&p=7d").text

    @pytest.mark.parametrize("field", ["p", "c"])
    def test_a_period_that_is_none_is_told_beside_its_field(self, staff: Client, shop: None, field: str) -> None:
        count("US", "phone", "north", "2099-04-01", visitors=5)  # in the 30 days before the last

        page = opened(staff, f"{WHY}?f=visitors&{field}=no+such")

        (problem,) = page.found("ul", class_="errorlist")
        assert "'no such' will not do" in problem.text
        assert sections(page)

    def test_a_store_that_is_away(self, staff: Client) -> None:
        with override_settings(HAILWHALE={"REDIS": f"redis://{HOST}:{free_port()}"}):
            page = opened(staff, EACH, 503)

        assert "cannot be read now" in page.text
        assert page.found("a", class_="button")[0]["href"] == EACH

    @pytest.mark.parametrize("name", HOSTILE)
    def test_hostile_names(self, staff: Client, store: None, name: str) -> None:
        Whale.count_now([name, name], {name: name}, {"hits": 3}, "2099-05-12T10:00:00Z")
        Whale.count_now([name, name], {name: name}, {"hits": 1}, "2099-05-05T10:00:00Z")

        (link,) = (one for one in opened(staff, LIST).row_links)
        counter = opened(staff, f"{link}?c=previous&p=7d")
        page = opened(staff, next(iter(doubts(counter).values())))

        assert_clean(page)
        assert page.found("h1")
        for section in sections(page).values():
            for one in section.found("table")[0].found("a"):
                assert_clean(opened(staff, one["href"]))


class TestBesideChanges:
    def test_a_counters_page(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?d=country&m=revenue/visitors,revenue&p=7d&c=previous")

        found = doubts(page)
        assert list(found) == [
            "Why did revenue/visitors change?",
            "Why did revenue change?",
            "Why did revenue/visitors of DE change?",
            "Why did revenue of DE change?",
            # Its ratio stayed, so of that nothing is asked.
            "Why did revenue of US change?",
        ]
        assert asked(found["Why did revenue change?"]) == ("shop", {"f": "revenue", "d": "country", "p": "7d"})
        assert asked(found["Why did revenue of DE change?"])[1]["d"] == "country/DE"
        (tile, _) = page.root.of_class("hw-tiles")[0].found("a", class_="hw-why")
        assert tile["href"] == found["Why did revenue/visitors change?"]
        assert not page.found("a", class_="hw-why", href="")
        opened(staff, found["Why did revenue of DE change?"])

    def test_child_counters_are_asked_themselves(self, staff: Client, shop: None) -> None:
        found = doubts(opened(staff, f"{SHOP}?counters=1&m=visitors&p=7d&c=previous"))

        assert asked(found["Why did visitors of north change?"]) == ("shop/north", {"f": "visitors", "p": "7d"})
        assert asked(found["Why did visitors change?"]) == ("shop", {"f": "visitors", "p": "7d"})

    def test_nothing_is_asked_where_nothing_is_compared_or_could_be_said(self, staff: Client, shop: None) -> None:
        Whale.count_now("shop", {"country": "US"}, {"pct95:ms": 3}, "2099-05-12T10:00:00Z")
        Whale.count_now("shop", {"country": "US"}, {"pct95:ms": 2}, "2099-05-05T10:00:00Z")

        assert not doubts(opened(staff, f"{SHOP}?d=country&m=visitors&p=7d"))
        assert not doubts(opened(staff, f"{SHOP}?d=country&m=pct95:ms&p=7d&c=previous"))

    def test_panels(self, user: Callable[..., User], shop: None) -> None:
        ada = user("ada", "view_dashboard", "view_counter")
        load(BOARD, ada)

        found = doubts(opened(logged_in(ada), "/admin/hailwhale_django/dashboard/shop/"))

        column = "revenue/visitors as Each [$#; less is better]"
        assert asked(found["Why did Each change?"]) == ("shop", {"f": column, "p": "7d"})
        assert asked(found["Why did visitors of US change?"]) == (
            "shop",
            {"f": "visitors", "d": "country/US", "p": "7d"},
        )
        assert asked(found["Why did visitors of north change?"]) == ("shop/north", {"f": "visitors", "p": "7d"})
        assert "Why did visitors of DE change?" not in found

    def test_filters_are_part_of_what_is_asked(self, user: Callable[..., User], shop: None) -> None:
        ada = user("ada", "view_dashboard", "view_counter")
        load(BOARD, ada)
        client = logged_in(ada)

        found = doubts(opened(client, "/admin/hailwhale_django/dashboard/shop/?f=device/phone"))

        assert asked(found["Why did revenue of phone change?"])[1]["d"] == "device/phone"
        within = asked(found["Why did visitors of US change?"])[1]["d"]
        assert Path.parse(within) in (
            Path(("country", "US", "×device", "phone")),
            Path(("device", "phone", "×country", "US")),
        )
        page = opened(client, found["Why did visitors of US change?"])
        assert "visitors rose from 10 to 30" in page.text
        assert page.found("h1")[0].text == "Why did visitors of device phone, country US change?"

    def test_who_may_not_look_at_counters_is_not_sent_there(self, user: Callable[..., User], shop: None) -> None:
        bob = user("bob", "view_dashboard")
        board = load(BOARD, bob)[0]
        link = SharedLink.objects.create(dashboard=board, interactive=True, created_by=bob)

        assert not doubts(opened(logged_in(bob), "/admin/hailwhale_django/dashboard/shop/"))
        assert not doubts(opened(Client(), f"/hailwhale/shared/{link.token}/"))
        assert "/why" not in Client().get(f"/hailwhale/shared/{link.token}/").content.decode()
        assert not mail.outbox


class TestWaterfall:
    @pytest.mark.parametrize(
        ("before", "sizes", "base"),
        [
            (10, [5], 0),
            (100, [5], 99),  # from 100 to 105, a tenth of 5 below
            (1000, [30, -20], 990),  # from 1000 to 1030, by tens
            (0.5, [-0.01], 0.48),
            (-100, [-5], -99),
            (5, [-10], 0),
            (7, [], 0),
        ],
    )
    def test_the_axis_begins_near_what_happens_if_that_is_far_from_zero(
        self, before: float, sizes: list[float], base: float
    ) -> None:
        steps = [Step(str(size), size, str(size)) for size in sizes]
        found = Waterfall(End("before", before, ""), steps, End("now", before + sum(sizes), ""), ("", 1, ""))

        assert found.base == pytest.approx(base)

    @pytest.mark.parametrize(
        ("column", "values", "texts"),
        [
            ("hits", [12, -3, 0], ["+12", "-3", "0"]),
            ("hits", [12345], ["+12,345"]),
            ("revenue", [12.5, 0.25], ["+12.5", "+0.2"]),
            ("a/b", [0.52134, -0.0004], ["+0.521", "0.000"]),
            ("a/b [%]", [0.0213, -0.2], ["+2.1", "-20.0"]),
            ("revenue [$#]", [12.5, -0.25], ["+$12.50", "-$0.25"]),
            ("revenue [$#]", [1234.5, -200], ["+$1,234", "-$200"]),
            ("ms/n [ms]", [1500, -0.5], ["+1.5 s", "-0.5 ms"]),
            ("n [bytes]", [2_000_000], ["+2 MB"]),
        ],
    )
    def test_differences(self, column: str, values: list[float], texts: list[str]) -> None:
        write = Differences.of(Column.parse(column), values)

        assert [write.signed(value) for value in values] == texts
