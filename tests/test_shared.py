"""Shared links: who gets in, and that nothing more can be seen than the link says, whatever stands in the address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client, override_settings
from django.utils import timezone

from example_project.ports import free_port
from example_project.valkey import Valkey
from hailwhale_django import Whale, shared
from hailwhale_django.decisions import register
from hailwhale_django.models import Dashboard, Panel, SharedLink

pytestmark = pytest.mark.django_db

SECRET = 7001
CROSSINGS = {"shop": [["country", "device"]]}
HOSTILE = "<script>alert(1)</script>&\"'=1+1"


@pytest.fixture(autouse=True)
def store(redis_url: str, no_decisions: None) -> Iterator[None]:
    cache.clear()
    register("shop", "banner", options=["b", "c"])
    with override_settings(HAILWHALE={"REDIS": redis_url, "CROSSINGS": CROSSINGS}):
        yield


def counted(country: dict[str, Any] | str, device: str, visitors: int, revenue: int) -> None:
    Whale.count_now("shop", {"country": country, "device": device}, {"visitors": visitors, "revenue": revenue})


@pytest.fixture
def sold() -> None:
    """In the US 5 visitors brought 40; elsewhere many more brought less each."""
    counted({"US": "CA"}, "mobile", 3, 30)
    counted({"US": "NY"}, "desktop", 2, 10)
    counted("DE", "mobile", SECRET, 3 * SECRET)
    Whale.count_now(["shop", "blog"], {"country": "DE"}, {"visitors": SECRET})
    Whale.count_decision("shop", {"banner": "b"}, {"visitors": SECRET}, {"country": "DE"})


@pytest.fixture
def board() -> Dashboard:
    return Dashboard.objects.create(title="Shop", slug="shop", period="7d")


def panel(board: Dashboard, kind: str = "table", **given: Any) -> Panel:
    formulas = ["visitors"] if kind == "graph" else ["revenue/visitors", "visitors"]
    fields = {"counter": "shop", "formulas": formulas, **given}
    return Panel.objects.create(dashboard=board, kind=kind, **fields)


@pytest.fixture
def panels(board: Dashboard) -> list[Panel]:
    """One of every kind and way."""
    return [
        panel(board, "number", title="whole"),
        panel(board, "number", title="of the US", dimension="country/US"),
        panel(board, "number", title="of DE", dimension="country/DE"),
        panel(board, "graph", title="line"),
        panel(board, "graph", title="lines", dimension="country"),
        panel(board, "graph", title="those that matter", dimension="country", limit=0),
        panel(board, "graph", title="states", dimension="country/US"),
        panel(board, "graph", title="devices", dimension="device", style="area"),
        panel(board, title="names", order="-share:visitors"),
        panel(board, title="countries", dimension="country"),
        panel(board, title="by name", dimension="country", order="+name"),
        panel(board, title="states", dimension="country/US"),
        panel(board, title="devices", dimension="device", limit=1),
        panel(board, "top", title="best", dimension="country", formulas=["visitors"]),
        panel(board, title="counters", counters=True),
        panel(board, "decision", title="banner", counter="shop/banner"),
        panel(board, "text", title="text", text="words"),
        panel(board, "movers", title="moved", formulas=["visitors"]),
        panel(board, "movers", title="moved in the US", formulas=["revenue/visitors"], dimension="country/US"),
    ]


def link(board: Dashboard, **given: Any) -> SharedLink:
    """Made by somebody who may see everything."""
    maker, _ = User.objects.get_or_create(username="maker", defaults={"is_superuser": True})
    return SharedLink.objects.create(dashboard=board, **{"created_by": maker, **given})


def address(link: SharedLink, query: str = "") -> str:
    return f"/hailwhale/shared/{link.token}/{query}"


def get(link: SharedLink, query: str = "", **headers: Any) -> Any:
    return Client().get(address(link, query), **headers)


def text_of(answer: Any) -> str:
    text = str(answer.getvalue().decode())
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)


class TestWhoGetsIn:
    def test_whoever_has_the_address(self, board: Dashboard, panels: list[Panel]) -> None:
        assert get(link(board)).status_code == 200
        assert Client().get("/hailwhale/shared/guessed/").status_code == 404
        assert Client().put(address(link(board))).status_code == 405

    def test_until_it_is_over(self, board: Dashboard) -> None:
        soon, past = timezone.now() + timedelta(hours=1), timezone.now() - timedelta(seconds=1)
        assert get(link(board, expires_at=soon)).status_code == 200
        assert get(link(board, expires_at=past)).status_code == 404

    def test_while_it_is_there(self, board: Dashboard, panels: list[Panel]) -> None:
        whole, one = link(board), link(board, panel=panels[0])
        panels[0].delete()
        assert (get(whole).status_code, get(one).status_code) == (200, 404)
        board.delete()
        assert get(whole).status_code == 404

    def test_with_the_password(self, board: Dashboard, panels: list[Panel]) -> None:
        one = link(board)
        one.set_password("sesame")
        one.save()
        client = Client(enforce_csrf_checks=True)
        for query in ("", "?sheet=" + str(panels[9].pk)):
            asked = client.get(address(one, query))
            assert asked.status_code == 200
            assert 'type="password"' in text_of(asked)
            assert "countries" not in text_of(asked) and "Shop" not in text_of(asked)
        wrong = client.post(address(one), {"password": "Sesame"})
        assert (wrong.status_code, wrong.cookies) == (403, {})
        assert client.post(address(one), {"password": ""}).status_code == 403
        right = client.post(address(one, "?p=today"), {"password": "sesame"})
        assert (right.status_code, right["Location"]) == (302, address(one, "?p=today"))
        (cookie,) = right.cookies.values()
        assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (address(one), True, "Lax")
        assert "countries" in text_of(client.get(address(one)))
        assert "countries" not in text_of(get(one))

    def test_another_password_closes_it(self, board: Dashboard, panels: list[Panel]) -> None:
        one, client = link(board), Client()
        other = link(board)
        for row, password in ((one, "sesame"), (other, "sesame")):
            row.set_password(password)
            row.save()
        client.post(address(one), {"password": "sesame"})
        assert "countries" in text_of(client.get(address(one)))
        seal = client.cookies[f"hailwhale_shared_{one.pk}"].value
        client.cookies[f"hailwhale_shared_{other.pk}"] = seal
        assert "countries" not in text_of(client.get(address(other)))
        one.set_password("sesame")  # the same, but set anew
        one.save()
        assert "countries" not in text_of(client.get(address(one)))

    def test_who_guesses_is_slowed_down(self, board: Dashboard) -> None:
        one = link(board)
        one.set_password("sesame")
        one.save()
        guesses = [Client().post(address(one), {"password": str(at)}).status_code for at in range(shared.MOST_TRIES)]
        assert guesses == [403] * shared.MOST_TRIES
        stopped = Client().post(address(one), {"password": "sesame"})
        assert (stopped.status_code, stopped["Retry-After"]) == (429, "60")
        cache.clear()  # as a minute does
        assert Client().post(address(one), {"password": "sesame"}).status_code == 302

    def test_nobody_gets_in_uncounted(self, board: Dashboard) -> None:
        """While the cache is away, guesses cannot be counted."""
        one = link(board)
        one.set_password("sesame")
        one.save()
        away = {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{free_port()}",
        }
        with override_settings(CACHES={"default": away}):
            answer = Client().post(address(one), {"password": "sesame"})
        assert (answer.status_code, answer["Retry-After"]) == (503, "60")
        assert Client().post(address(one), {"password": "sesame"}).status_code == 302

    def test_headers(self, board: Dashboard) -> None:
        answer = get(link(board))
        assert answer["X-Robots-Tag"] == "noindex"
        assert answer["Referrer-Policy"] == "same-origin"
        assert set(answer["Cache-Control"].split(", ")) == {"private", "no-cache"}
        assert '<meta name="robots" content="noindex">' in text_of(answer)

    @pytest.mark.parametrize("embeddable", [True, False])
    def test_frames(self, board: Dashboard, embeddable: bool) -> None:
        with override_settings(MIDDLEWARE=["django.middleware.clickjacking.XFrameOptionsMiddleware"]):
            answer = get(link(board, embeddable=embeddable))
        assert ("X-Frame-Options" in answer) == (not embeddable)
        assert ("X-Frame-Options" in get(link(board, embeddable=embeddable))) == (not embeddable)


ADDRESSES = [
    "",
    "?f=country/DE",
    "?f=-",
    "?f=country/DE&f=device/mobile",
    "?f=device/mobile",
    "?f=country/US/NY",
    "?f=other/x",
    "?f=<b>",
    "?d{key}=country",
    "?d{key}=country/DE",
    "?d{key}=country/US",
    "?d{key}=country/US/CA",
    "?d{key}=device",
    "?d{key}=device/mobile",
    "?d{key}=device/mobile/×country",
    "?d{key}=country/DE/×device",
    "?d{key}=/",
    "?o{key}=-visitors",
    "?o{key}=%2Bname",
    "?o{key}=-share:visitors",
    "?o{key}=-low:revenue/visitors",
    "?o{key}=-change:visitors&c=previous",
    "?o{key}=-revenue",
    "?o{key}=-hits",
    "?m{key}=hits&i{key}=1h",
    "?page{key}=2",
    "?s{key}=area&log{key}=1",
    "?sheet={key}",
    "?sheet={key}&f=country/DE",
    "?sheet={key}&d{key}=country/DE",
    "?sheet={key}&d{key}=device",
    "?sheet={key}&c=previous",
    "?p=12mo&c=year",
    "?p=nonsense&c=nonsense",
]


def everywhere(panels: list[Panel]) -> list[str]:
    """Each address, with what it says of a panel said of all that have rows; a sheet is of one."""
    keys = [str(row.pk) for row in panels[3:14]]
    found = []
    for query in ADDRESSES:
        if "sheet" in query:
            found += [query.format(key=key) for key in (keys[6], keys[9])]
        else:
            parts = query[1:].split("&")
            found.append("?" + "&".join(part.format(key=key) for key in keys for part in parts))
    return found


@pytest.mark.usefixtures("sold")
class TestWhatIsSeen:
    """What lies outside the filters of a link changes nothing behind it: that is what cannot be seen."""

    @pytest.mark.parametrize("filters", ["country/US", "country/US/CA", "country/ZZ", "country/US device/tv"])
    def test_filters_cannot_be_widened(self, board: Dashboard, panels: list[Panel], filters: str) -> None:
        one = link(board, filters=filters.split())
        before = {query: text_of(get(one, query)) for query in everywhere(panels)}
        for name in ("DE", {"US": "NY"} if filters == "country/US/CA" else "FR"):
            counted(name, "mobile", SECRET, SECRET)
            counted(name, "desktop", 10 * SECRET, 7)
        Whale.count_now(["shop", "blog"], {"country": "DE"}, {"visitors": SECRET})
        Whale.count_decision("shop", {"banner": "c"}, {"visitors": SECRET}, {"country": "DE"})
        for query, text in before.items():
            assert text_of(get(one, query)) == text, query

    @pytest.mark.parametrize("formula", ["revenue/revenue@_", "visitors - visitors@parent", "hits/hits@parent*100"])
    def test_formulas_read_nothing_beyond(self, board: Dashboard, formula: str) -> None:
        """A share of the whole tells the whole."""
        places: list[dict[str, Any]] = [
            {},
            {"dimension": "country"},
            {"dimension": "country/US"},
            {"dimension": "device"},
        ]
        for kind in ("number", "graph", "table", "top"):
            for place in places:
                panel(board, kind, formulas=[formula], **place)
        one = link(board, filters=["country/US"])
        before = text_of(get(one))
        assert before.count("this panel cannot be shown here") == 16
        assert "Its formula reads more than the filters leave" in before
        counted("DE", "mobile", SECRET, SECRET)
        assert text_of(get(one)) == before

    def test_what_is_inside_is_shown(self, board: Dashboard, panels: list[Panel]) -> None:
        text = text_of(get(link(board, filters=["country/US"]), f"?d{panels[8].pk}=country"))
        values = re.findall(r'hw-(?:figure-)?value"><bdi dir="ltr">([^<]+)|class="hw-value">([^<]+)', text)
        assert {first or second for first, second in values} == {"8", "5", "10", "3", "2"}
        assert text.count("this panel cannot be shown here") >= 3  # of DE, counters, the decision
        assert "A decision is not told apart by filters; this panel cannot be shown here" in text

    def test_decisions_are_shown_by_those_who_may_see_them(self, board: Dashboard, panels: list[Panel]) -> None:
        Whale.count_decision("shop", {"banner": "tea"}, {"visitors": 1})
        nobody = User.objects.create(username="nobody")
        seen = [text_of(get(link(board, **by))) for by in ({}, {"created_by": nobody}, {"created_by": None})]
        assert ["Chance to be best" in text for text in seen] == [True, False, False]

    def test_a_name_is_that_name_alone(self, board: Dashboard) -> None:
        """`us` is another value than `US`, whoever counted it."""
        rows, lines = panel(board, dimension="country"), panel(board, "graph", dimension="country")
        counted("us", "mobile", SECRET, SECRET)
        one = link(board, filters=["country/US"])
        assert [line.split(",")[0] for line in text_of(get(one, f"?sheet={rows.pk}")).splitlines()][1:] == ["US"]
        assert ">us<" not in text_of(get(one))
        assert str(lines.pk) in text_of(get(one))

    def test_a_sheet_has_what_the_panel_has(self, board: Dashboard, panels: list[Panel]) -> None:
        row = panels[9]
        sheet = text_of(get(link(board, filters=["country/US"]), f"?sheet={row.pk}"))
        assert [line.split(",")[0] for line in sheet.splitlines()] == ["\ufeffname", "US"]
        whole = text_of(get(link(board), f"?sheet={row.pk}"))
        assert [line.split(",")[0] for line in whole.splitlines()] == ["\ufeffname", "US", "DE", "total"]

    def test_one_panel_alone(self, board: Dashboard, panels: list[Panel]) -> None:
        one, other = panels[9], panels[12]
        only = link(board, panel=one)
        for query in ("", f"?d{other.pk}=device", f"?o{other.pk}=-visitors", "?p=today"):
            text = text_of(get(only, query))
            assert re.findall(r'data-panel="(\d+)"', text) == [str(one.pk)]
        assert get(only, f"?sheet={one.pk}").status_code == 200
        for key in (other.pk, panels[0].pk, "0", "x", "999999"):
            assert get(only, f"?sheet={key}").status_code == 404

    def test_who_may_not_choose_chooses_nothing(self, board: Dashboard, panels: list[Panel]) -> None:
        fixed = link(board, interactive=False)
        text = text_of(get(fixed))
        for query in everywhere(panels):
            assert text_of(get(fixed, query)) == text
        assert 'href="?' not in text and "sheet=" not in text and "<form" not in text and "data-zoom=" not in text

    def test_no_links_to_the_admin(self, board: Dashboard, panels: list[Panel]) -> None:
        client = Client()
        client.force_login(User.objects.create_superuser("root"))
        for one in (link(board), link(board, filters=["country/US"]), link(board, panel=panels[9])):
            assert "/admin/" not in text_of(client.get(address(one)))

    def test_open_links_show_all(self, board: Dashboard, panels: list[Panel]) -> None:
        text = text_of(get(link(board)))
        assert "7,006" in text and "banner" in text and "blog" in text


def test_hostile_names_are_text(board: Dashboard) -> None:
    board.title = board.description = HOSTILE
    board.save()
    counted({HOSTILE: HOSTILE}, "=cmd()", 3, 9)
    rows = [panel(board, title=HOSTILE, dimension=name) for name in ("country", "device")]
    for kind in ("number", "graph", "top"):
        panel(board, kind, title=HOSTILE, dimension="" if kind == "number" else "country", formulas=["visitors"])
    panel(board, "text", title=HOSTILE, text=HOSTILE)
    hostile = quote(f"country/{HOSTILE}", safe="/")
    for one in (link(board, note=HOSTILE), link(board, filters=[f"country/{HOSTILE}"])):
        for query in ("", f"?f={hostile}", f"?d{rows[0].pk}={hostile}", f"?p={hostile}", f"?c={hostile}"):
            text = text_of(get(one, query))
            assert "<script>alert" not in text
            assert "alert(1)" in text
    sheet = text_of(get(link(board), f"?sheet={rows[1].pk}"))
    assert sheet.splitlines()[1].startswith("'=cmd()")


def test_the_store_is_away(board: Dashboard, panels: list[Panel], tmp_path: Path) -> None:
    one, key = link(board), panels[9].pk
    with Valkey(tmp_path, free_port()) as server, override_settings(HAILWHALE={"REDIS": server.url}):
        counted("US", "mobile", 1, 1)
        assert "US" in text_of(get(one))
        server.stop()
        away = get(one)
        assert away.status_code == 503
        assert "The counts cannot be read now" in text_of(away)
        assert "127.0.0.1" not in text_of(away) and "redis://" not in text_of(away)
        assert get(one, f"?sheet={key}").status_code == 503
        server.start()
        assert get(one).status_code == 200
