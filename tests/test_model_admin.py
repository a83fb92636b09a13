"""Counts in an admin of one's own: columns that sort the list, and a page of numbers for each object.

The numbers are worked out by hand from the few events of `wares`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from example_project.ports import HOST, free_port
from hailwhale_django import HailWhaleAdminMixin, Whale
from hailwhale_django.engine.store.server import Server
from hailwhale_django.model_admin.changelist import LOOKED_UP
from tests.models import BoxedWare, Crate, Lot, Ware
from tests.test_admin import HOSTILE, NOW, Page, assert_clean, logged_in, opened

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.wares")]

LIST = "/admin/tests/ware/"
CRATES = "/admin/tests/crate/"
EDITED = "/other/tests/ware/"
STOCK = "/other/tests/crate/"
DOC = Path(__file__).parent.parent / "docs" / "model-admin.md"
BY_RATIO, BY_VISITORS, BY_PRICE = "4", "3", "2"
"""Numbers of columns; the first is the box to tick, the second the name."""


@pytest.fixture(autouse=True)
def store(redis_url: str) -> Iterator[None]:
    with time_machine.travel(NOW, tick=False), override_settings(HAILWHALE={"REDIS": redis_url}):
        yield


@pytest.fixture
def staff(db: Any) -> Client:
    """Who may look at counters, and change wares and crates."""
    return logged_in(user("view_counter", "view_ware", "change_ware", "delete_ware", "view_crate", "delete_crate"))


def user(*permissions: str) -> User:
    made = User.objects.create_user("looker", password="x", is_staff=True)
    made.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return made


@pytest.fixture
def wares() -> dict[str, Ware]:
    """Seven wares, two of which were never counted, and the counter of one that is no more.

    |        | price | kind | visitors | revenue | revenue/visitors |
    |--------|-------|------|----------|---------|------------------|
    | anchor | 3     | iron | 10       | 20      | 2                |
    | buoy   | 1     | cork | 4        | 20      | 5                |
    | chart  | 2     |      | 8        | 8       | 1                |
    | dinghy | 3     | cork |          |         |                  |
    | ebb    | 1     |      | 5        | 15      | 3                |
    | flag   | 2     | iron |          |         |                  |
    | gull   | 2     | cork | 2        | 8       | 4                |
    | 999    |       |      | 1        | 100     | 100              |

    Eight days ago the chart had 1 visitor and a revenue of 700.
    """
    told = [
        ("anchor", 3, "iron", 10, 20),
        ("buoy", 1, "cork", 4, 20),
        ("chart", 2, "", 8, 8),
        ("dinghy", 3, "cork", 0, 0),
        ("ebb", 1, "", 5, 15),
        ("flag", 2, "iron", 0, 0),
        ("gull", 2, "cork", 2, 8),
    ]
    made = {}
    for name, price, kind, visitors, revenue in told:
        ware = made[name] = Ware.objects.create(name=name, price=price, kind=kind, made=date(2099, 1, 1))
        if visitors:
            ware.count_now({"country": {"US": "CA"}}, {"visitors": visitors, "revenue": revenue})
    Whale.count_now(["Ware", "999"], metrics={"visitors": 1, "revenue": 100})
    made["chart"].count_now({"country": {"US": "CA"}}, {"visitors": 1, "revenue": 700}, "2099-05-06T12:00Z")
    return made


def names(page: Page) -> list[str]:
    return [one.text for one in page.root.of_class("field-name")]


def values(page: Page, column: str = "hailwhale_visitors") -> list[str]:
    return [one.text for one in page.root.of_class(f"field-{column}")]


def heading(page: Page, column: str = "hailwhale_revenue_visitors") -> Any:
    (found,) = page.found("th", class_=f"column-{column}")
    return found


class TestOrder:
    @pytest.mark.parametrize(
        ("order", "pages"),
        [
            (f"-{BY_RATIO}", [["buoy", "gull", "ebb"], ["anchor", "chart", "dinghy"], ["flag"]]),
            (BY_RATIO, [["chart", "anchor", "ebb"], ["gull", "buoy", "dinghy"], ["flag"]]),
            (f"-{BY_VISITORS}", [["anchor", "chart", "ebb"], ["buoy", "gull", "dinghy"], ["flag"]]),
        ],
    )
    def test_pages_are_of_all_objects_uncounted_ones_last(
        self, order: str, pages: list[list[str]], staff: Client, wares: Any
    ) -> None:
        found = [names(opened(staff, f"{LIST}?o={order}&p={number}")) for number in (1, 2, 3)]

        assert found == pages

    def test_a_heading_sorts_and_sorts_the_other_way_round(self, staff: Client, wares: Any) -> None:
        page = opened(staff, LIST)
        assert names(page) == ["anchor", "buoy", "chart"]
        assert "sorted" not in heading(page).get("class").split()

        once = opened(staff, LIST + heading(page).found("a")[0]["href"])
        twice = opened(staff, LIST + heading(once).of_class("text")[0].found("a")[0]["href"])

        assert (names(once), names(twice)) == (["chart", "anchor", "ebb"], ["buoy", "gull", "ebb"])
        assert [one for one in ("ascending", "descending") if one in heading(once).get("class")] == ["ascending"]
        assert [one for one in ("ascending", "descending") if one in heading(twice).get("class")] == ["descending"]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("kind=cork", ["buoy", "gull", "dinghy"]),
            ("q=g", ["gull", "dinghy", "flag"]),
            ("kind=iron&q=a", ["anchor", "flag"]),
            ("made__year=2099&kind=iron", ["anchor", "flag"]),
            ("made__year=2098", []),
            ("_facets=True&kind=iron", ["anchor", "flag"]),
            ("all=", ["buoy", "gull", "ebb", "anchor", "chart", "dinghy", "flag"]),
        ],
    )
    def test_filters_leave_the_order(self, query: str, expected: list[str], staff: Client, wares: Any) -> None:
        assert names(opened(staff, f"{LIST}?o=-{BY_RATIO}&{query}")) == expected

    def test_other_columns_decide_among_equals(self, staff: Client, wares: Any) -> None:
        wares["gull"].count_now(metrics={"revenue": 2})  # 10 / 2 = 5, as the buoy's

        by_price = names(opened(staff, f"{LIST}?o=-{BY_RATIO}.{BY_PRICE}&all="))
        dearest = names(opened(staff, f"{LIST}?o=-{BY_RATIO}.-{BY_PRICE}&all="))

        assert by_price == ["buoy", "gull", "ebb", "anchor", "chart", "flag", "dinghy"]
        assert dearest == ["gull", "buoy", "ebb", "anchor", "chart", "dinghy", "flag"]

    def test_behind_another_column_a_formula_says_nothing(self, staff: Client, wares: Any) -> None:
        page = opened(staff, f"{LIST}?o={BY_PRICE}.-{BY_RATIO}&all=")

        assert [one.text for one in page.root.of_class("field-price")] == ["1", "1", "2", "2", "2", "3", "3"]
        assert "sorted" not in heading(page).get("class").split()
        assert "sorted" in heading(page, "price").get("class").split()

    def test_two_formulas(self, staff: Client, wares: Any) -> None:
        wares["gull"].count_now(metrics={"revenue": 2})

        page = opened(staff, f"{LIST}?o=-{BY_RATIO}.{BY_VISITORS}")

        assert names(page) == ["gull", "buoy", "ebb"]

    @pytest.mark.parametrize("order", ["99", "x", "-", "", "--4", "0.-4", "-4.99", "1e9", "4.4"])
    def test_no_order_breaks_the_list(self, order: str, staff: Client, wares: Any) -> None:
        assert len(names(opened(staff, f"{LIST}?o={order}"))) == 3

    def test_a_list_can_begin_by_a_formula(self, staff: Client, wares: Any) -> None:
        page = opened(staff, EDITED)

        assert [one.get("value") for one in page.found("input") if one.get("name").endswith("-price")] == [
            "1",
            "2",
            "1",
        ]
        assert names(page) == ["buoy", "gull", "ebb"]
        assert "descending" in heading(page).get("class").split()

    @pytest.mark.parametrize("filters", ["", "&kind=iron"])
    @pytest.mark.parametrize("descending", [True, False])
    def test_pages_together_are_the_whole_list(self, descending: bool, filters: str, staff: Client) -> None:
        """Against the order that plain Python makes of the events."""
        chance = random.Random(9)
        made = [Ware(pk=pk, name=f"{pk:02}", kind=chance.choice(["iron", ""])) for pk in range(1, 61)]
        Ware.objects.bulk_create(made)
        counts = {str(pk): (chance.randint(1, 9), chance.randint(0, 9)) for pk in chance.sample(range(1, 90), 60)}
        Whale.count_many(
            {"pk": ["Ware", name], "metrics": {"visitors": visitors, "revenue": revenue}}
            for name, (visitors, revenue) in counts.items()
        )
        passing = [ware for ware in made if not filters or ware.kind == "iron"]
        counted = {ware: counts[str(ware.pk)] for ware in passing if str(ware.pk) in counts}
        sign = -1 if descending else 1
        expected = sorted(counted, key=lambda ware: (sign * counted[ware][1] / counted[ware][0], str(ware.pk)))
        expected += [ware for ware in passing if ware not in counted]

        order = f"{'-' if descending else ''}{BY_RATIO}"
        pages = [opened(staff, f"{LIST}?o={order}{filters}&p={1 + at // 3}") for at in range(0, len(passing), 3)]

        assert [name for page in pages for name in names(page)] == [ware.name for ware in expected]

    def test_many_names_of_objects_that_are_no_more(self, staff: Client) -> None:
        Ware.objects.bulk_create([Ware(pk=pk, name=f"{pk:02}") for pk in range(1, 21)])
        numbers = [*range(1, 11), *range(1000, 1000 + LOOKED_UP + 50)]
        Whale.count_many({"pk": ["Ware", str(pk)], "metrics": {"visitors": pk}} for pk in numbers)

        pages = [names(opened(staff, f"{LIST}?o=-{BY_VISITORS}&p={number}")) for number in (1, 4)]

        assert pages == [["10", "09", "08"], ["01", "11", "12"]]


class TestKeys:
    def test_keys_that_are_no_numbers(self, staff: Client) -> None:
        first, second, third = (Lot.objects.create() for _ in range(3))
        for lot, hits in ((second, 1), (third, 2)):
            Whale.count_now(["Lot", str(lot.pk)], metrics={"hits": hits})
        Whale.count_now(["Lot", "no-uuid"], metrics={"hits": 9})
        Lot.objects.bulk_create([Lot() for _ in range(400)])

        page = opened(logged_in(admin_user()), "/admin/tests/lot/")

        assert [one.text for one in page.root.of_class("field-__str__")][:2] == [str(third.pk), str(second.pk)]
        assert values(page, "hailwhale_hits")[:3] == ["2", "1", "–"]
        assert first.pk

    def test_keys_that_are_of_another_model(self, staff: Client) -> None:
        for number in range(401):
            BoxedWare.objects.create(name=f"box {number}")
        best = BoxedWare.objects.get(name="box 7")
        best.count_now(metrics={"hits": 3})

        page = opened(logged_in(admin_user()), "/admin/tests/boxedware/")

        assert [one.text for one in page.root.of_class("field-__str__")][0] == "box 7"
        assert opened(
            logged_in(User.objects.get(username="root")), f"/admin/tests/boxedware/{best.pk}/stats/"
        ).tiles == {"hits": "3"}


class TestPeriod:
    def test_the_period_is_kept_and_chosen(self, staff: Client, wares: Any) -> None:
        page = opened(staff, f"{LIST}?o=-{BY_RATIO}")
        (periods,) = page.found("nav", class_="hw-periods")
        links = {link.text: link["href"] for link in periods.found("a")}
        (current,) = periods.found("a", **{"aria-current": "true"})
        assert current.text == "Last 7 days"

        month = opened(staff, LIST + links["Last 30 days"])

        assert names(month) == ["chart", "buoy", "gull"]  # 708 / 9
        assert parse_qs(urlsplit(heading(month).of_class("text")[0].found("a")[0]["href"]).query)["hw_period"] == [
            "30d"
        ]
        assert [one["value"] for one in month.found("input", name="hw_period")] == ["30d"]  # the search keeps it

    def test_headings_say_which(self, staff: Client, wares: Any) -> None:
        (title,) = heading(opened(staff, LIST)).found("bdi")

        assert title["title"] == "revenue/visitors, May 8, 2099 – May 14, 2099"
        assert title.text == "worth <of> one"

    def test_what_is_no_period_is_said(self, staff: Client, wares: Any) -> None:
        page = opened(staff, f"{LIST}?hw_period=<b>soon")

        assert "'<b>soon'" in page.text and values(page) == ["10", "4", "8"]


class TestCells:
    def test_values_are_those_of_the_counter_s_page(self, staff: Client, wares: Any) -> None:
        page = opened(staff, f"{LIST}?o=-{BY_RATIO}&all=")
        counters = opened(staff, "/admin/hailwhale_django/counter/Ware/?counters=1&m=revenue/visitors&p=7d")

        assert values(page) == ["4", "2", "5", "10", "8", "–", "–"]
        shown = {row[1]: row[3] for row in counters.rows[2:]}
        ratios = values(page, "hailwhale_revenue_visitors")
        assert [one.rpartition(": ")[2] for one in ratios] == [
            *(shown[str(wares[name].pk)].rpartition(": ")[2] for name in names(page)[:5]),
            *("–", "–"),
        ]
        assert ratios[4] == "◆Stands out: 82.5% below the whole's 5.700: 1 ± 2.3"

    def test_a_number_of_few_is_marked(self, staff: Client, wares: Any) -> None:
        ratios = values(opened(staff, f"{LIST}?all="), "hailwhale_revenue_visitors")

        assert ratios[2] == "◌Too few to tell: the interval is as wide as the number: 1 ± 2.3"
        assert "Too few" not in ratios[1]

    def test_a_sketch_that_is_no_number_is_shown_and_not_sorted_by(self, staff: Client) -> None:
        Crate.objects.create(code="<b>&amp;")
        metrics = {"visitors": 2, "uv:visitor": "ada", "top:sum:page": {"<i>": 3, "/b": 1}}
        Whale.count_now(["stock", "<b>&amp;"], metrics=metrics)

        page = opened(staff, f"{CRATES}?o=-4.-3")

        assert values(page, "hailwhale_topsumpage") == ["<i> 3/b 1"]
        assert values(page, "hailwhale_uvvisitor") == ["1"]
        assert "sortable" not in heading(page, "hailwhale_topsumpage").get("class").split()
        assert "sortable" in heading(page, "hailwhale_uvvisitor").get("class").split()

    def test_names_are_escaped(self, staff: Client, wares: Any) -> None:
        for name in HOSTILE:
            Ware.objects.create(name=name[:100])
            Whale.count_now(["Ware", name], metrics={"visitors": 5, "revenue": 5})

        page = opened(staff, f"{LIST}?o=-{BY_RATIO}&all=")

        assert names(page)[:3] == ["buoy", "gull", "ebb"]
        assert not page.found("img", src="x") and not page.found("svg", onload="alert(1)")

    @pytest.mark.parametrize("name", ["9" * 30, "-1", "1.0", " 1", "١", "(other)", "1e3", "0x1"])
    def test_names_that_are_no_keys_are_passed_over(self, name: str, staff: Client, wares: Any) -> None:
        Whale.count_now(["Ware", name], metrics={"visitors": 1, "revenue": 50})

        assert names(opened(staff, f"{LIST}?o=-{BY_RATIO}")) == ["buoy", "gull", "ebb"]


class TestEditing:
    def test_a_list_that_is_edited_is_saved(self, staff: Client, wares: Any) -> None:
        page = opened(staff, EDITED)
        sent = {one["name"]: one.get("value") for one in page.found("input") if one.get("name").startswith("form-")}
        sent |= {"form-1-price": "77", "_save": "Save"}

        response = staff.post(EDITED, sent)

        assert response.status_code == 302
        wares["gull"].refresh_from_db()
        assert wares["gull"].price == 77

    def test_a_mistake_is_shown_beside_the_object_it_was_made_at(self, staff: Client, wares: Any) -> None:
        page = opened(staff, EDITED)
        sent = {one["name"]: one.get("value") for one in page.found("input") if one.get("name").startswith("form-")}
        wares["chart"].count_now(metrics={"revenue": 8000})  # comes first meanwhile

        response = staff.post(EDITED, sent | {"form-1-price": "much", "_save": "Save"})

        again = Page(response.content.decode())
        assert names(again) == ["buoy", "gull", "ebb"]
        assert [one.get("value") for one in again.found("input") if one.get("name").endswith("-price")][1] == "much"

    def test_actions_are_of_the_objects_that_were_ticked(self, staff: Client, wares: Any) -> None:
        sent = {"action": "delete_selected", "_selected_action": [wares["gull"].pk], "index": "0", "post": "yes"}

        assert staff.post(f"{LIST}?o=-{BY_RATIO}&p=2", sent).status_code == 302

        assert sorted(Ware.objects.values_list("name", flat=True)) == [
            "anchor",
            "buoy",
            "chart",
            "dinghy",
            "ebb",
            "flag",
        ]
        assert names(opened(staff, f"{LIST}?o=-{BY_RATIO}")) == ["buoy", "ebb", "anchor"]


class TestCost:
    """10,000 objects, each of which was counted; the keys of the database begin at 1."""

    COUNT = 10_000

    @pytest.fixture
    def many(self, store: None) -> None:
        Crate.objects.bulk_create([Crate(pk=number, code=str(number)) for number in range(1, self.COUNT + 1)])
        Whale.count_many(
            {"pk": ["stock", str(number)], "metrics": {"visitors": number}} for number in range(1, self.COUNT + 1)
        )

    @pytest.mark.parametrize(
        ("query", "first", "looked_up"),
        [
            ("o=-2", 10_000, 1),
            ("o=-2&p=25", 7_600, 5),
            ("o=-2&p=26", 7_500, 0),
            ("o=-2&p=100", 100, 0),
            ("o=2&p=100", 9_901, 0),
        ],
    )
    def test_what_is_read(
        self, query: str, first: int, looked_up: int, staff: Client, many: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rounds: list[int] = []
        run = Server.run

        def counted(self: Server, calls: Sequence[Any], *args: Any, **kwargs: Any) -> Any:
            rounds.extend([1] * bool(calls))
            return run(self, calls, *args, **kwargs)

        monkeypatch.setattr(Server, "run", counted)
        opened(staff, f"{STOCK}?{query}")
        rounds.clear()
        with CaptureQueriesContext(connection) as captured:
            page = opened(staff, f"{STOCK}?{query}")

        codes = [one.text for one in page.root.of_class("field-code")]
        step = 1 if query.startswith("o=2") else -1
        assert codes == [str(first + step * at) for at in range(100)]
        asked = [one["sql"] for one in captured if 'FROM "tests_crate"' in one["sql"]]
        counts = [sql for sql in asked if "COUNT" in sql]
        full = [sql for sql in asked if " IN (" in sql]
        assert len(counts) == 2  # Django's own: of those that pass, and of all
        assert len(asked) == 2 + (looked_up or 1) + 1
        assert len(full) == looked_up + 1  # each of no more than LOOKED_UP keys
        assert max(sql.count(",") for sql in full) <= LOOKED_UP + 2
        assert len(rounds) <= 4  # names in order, then values, each in as many steps as a large table takes


class TestAway:
    def test_the_list_works_without_counts(self, staff: Client, wares: Any) -> None:
        with override_settings(HAILWHALE={"REDIS": f"redis://{HOST}:{free_port()}"}):
            page = opened(staff, f"{LIST}?o=-{BY_RATIO}")
            begins = opened(staff, EDITED)
            stats = opened(staff, f"{LIST}{wares['buoy'].pk}/stats/", 503)

        assert names(page) == ["anchor", "buoy", "chart"]
        assert values(page) == ["–", "–", "–"]
        assert "The counts cannot be read now" in page.text
        assert "sorted" not in heading(page).get("class").split()
        assert names(begins) == ["anchor", "buoy", "chart"]
        assert "Try again" in stats.text and "buoy" in stats.text

    def test_it_is_asked_once(self, staff: Client, wares: Any) -> None:
        away = override_settings(HAILWHALE={"REDIS": f"redis://{HOST}:{free_port()}"})
        with away, patch.object(Server, "run", autospec=True, side_effect=Server.run) as run:
            opened(staff, f"{LIST}?o=-{BY_RATIO}")

        assert run.call_count == 1


class TestPermissions:
    def test_without_it_there_is_no_sign_of_counts(self, wares: Any) -> None:
        client = logged_in(user("view_ware", "change_ware"))
        page = opened(client, f"{LIST}?o=-{BY_RATIO}&hw_period=30d&kind=cork")
        form = opened(client, f"{LIST}{wares['buoy'].pk}/change/")

        assert not values(page) and not page.found("nav", class_="hw-periods")
        assert names(page) == ["buoy", "dinghy", "gull"]
        assert not form.found("a", class_="hw-stats-link")
        assert client.get(f"{LIST}{wares['buoy'].pk}/stats/").status_code == 403

    def test_who_may_not_see_the_object_does_not_see_its_numbers(self, wares: Any) -> None:
        client = logged_in(user("view_counter"))

        assert client.get(f"{LIST}{wares['buoy'].pk}/stats/").status_code == 403

    def test_strangers_log_in(self, client: Client, wares: Any) -> None:
        assert client.get(f"{LIST}{wares['buoy'].pk}/stats/").status_code == 302


class TestStats:
    def test_the_form_links_to_it(self, staff: Client, wares: Any) -> None:
        form = opened(staff, f"{LIST}{wares['buoy'].pk}/change/")
        (link,) = form.found("a", class_="hw-stats-link")

        assert (link.text, link["href"]) == ("Stats", f"{LIST}{wares['buoy'].pk}/stats/")
        assert form.found("a", class_="historylink")
        assert not opened(logged_in(admin_user()), f"{LIST}add/").found("a", class_="hw-stats-link")

    def test_totals_graph_and_tables(self, staff: Client, wares: Any) -> None:
        page = opened(staff, f"{LIST}{wares['chart'].pk}/stats/")

        assert page.tiles == {"visitors": "8", "revenue/visitors": "1"}
        assert [one.text for one in page.root.of_class("hw-tile-more")][0].startswith("▲ +700.0%")
        assert page.names == ["US"]
        assert page.graph["lines"][0]["points"][-1] == 1.0
        crumbs = [one.text for one in page.found("ol", class_="breadcrumbs")[0].found("li")]
        assert crumbs == ["Home", "Tests", "Wares", "chart", "Stats", "country"]
        assert_clean(page)

    def test_a_change_can_be_explained(self, staff: Client, wares: Any) -> None:
        page = opened(staff, f"{LIST}{wares['chart'].pk}/stats/")

        (visitors, *_) = page.found("a", class_="hw-why")
        split = urlsplit(visitors["href"])
        assert visitors["aria-label"] == "Why did visitors change?"
        assert split.path == f"/admin/hailwhale_django/counter/Ware/{wares['chart'].pk}/why"
        assert parse_qs(split.query) == {"f": ["visitors"], "d": ["country"], "p": ["7d"]}
        assert "visitors rose from 1 to 8" in opened(staff, visitors["href"]).text

    def test_links_stay(self, staff: Client, wares: Any) -> None:
        address = f"{LIST}{wares['chart'].pk}/stats/"
        page = opened(staff, address)

        down = opened(staff, address + page.row_links[0])

        crumbs = [one.text for one in down.found("ol", class_="breadcrumbs")[0].found("li")]
        assert crumbs[3:] == ["chart", "Stats", "country", "US"] and down.names == ["CA"]
        links = {one.text: one["href"] for one in down.found("ol", class_="breadcrumbs")[0].found("a")}
        assert urlsplit(links["country"]).path == urlsplit(links["Stats"]).path == address

    def test_the_form_keeps_what_it_shows(self, staff: Client, wares: Any) -> None:
        address = f"{LIST}{wares['chart'].pk}/stats/"
        sent = opened(staff, address).form() | {"c": [""], "p": ["30d"]}

        response = staff.get(address, sent)
        page = opened(staff, response["Location"])

        assert urlsplit(response["Location"]).path == address
        assert page.form()["c"] == [""] and page.form()["p"] == ["30d"]
        assert page.tiles["visitors"] == "9"
        assert not page.root.of_class("hw-change")
        drawn = opened(staff, address + page.found("ul", class_="hw-tiles")[0].found("a")[0]["href"])
        assert not drawn.root.of_class("hw-change") and drawn.tiles["visitors"] == "9"

    def test_as_a_file(self, staff: Client, wares: Any) -> None:
        response = staff.get(f"{LIST}{wares['buoy'].pk}/stats/?d=country&m=visitors&c=&format=csv")

        assert response.getvalue().decode("utf-8-sig").splitlines() == ["name,visitors", "US,4", "total,4"]

    def test_what_was_never_counted_is_told_how_to(self, staff: Client, wares: Any) -> None:
        address = f"{LIST}{wares['flag'].pk}/stats/"
        code = opened(staff, address).found("code")[0].text
        assert code == f"Whale.count_now(['Ware', '{wares['flag'].pk}'], metrics={{'visitors': 1}})"

        exec(code, {"Whale": Whale})

        assert opened(staff, address).tiles["visitors"] == "1"

    def test_no_such_object(self, staff: Client, wares: Any) -> None:
        response = staff.get(f"{LIST}12345/stats/")

        assert (response.status_code, response["Location"]) == (302, "/admin/")

    def test_there_is_nothing_to_post(self, staff: Client, wares: Any) -> None:
        assert staff.post(f"{LIST}{wares['buoy'].pk}/stats/").status_code == 405

    def test_another_site_keeps_to_itself(self, staff: Client, wares: Any) -> None:
        Whale.count_now(["Ware", str(wares["buoy"].pk), "part"], metrics={"visitors": 1})
        page = opened(staff, f"{EDITED}{wares['buoy'].pk}/stats/?counters=1")

        assert page.names == ["part"] and not page.row_links
        assert all(not link["href"].startswith("/admin/") for link in page.found("a"))
        assert (
            opened(staff, f"{LIST}{wares['buoy'].pk}/stats/?counters=1")
            .row_links[0]
            .startswith(f"/admin/hailwhale_django/counter/Ware/{wares['buoy'].pk}/part/")
        )

    def test_hostile_keys(self, staff: Client) -> None:
        for name in HOSTILE:
            crate = Crate.objects.create(code=name[:20])
            Whale.count_now(["stock", name[:20]], {"country": name}, {"visitors": 1})
            assert_clean(opened(staff, f"{CRATES}{crate.pk}/stats/"))


class TestChecks:
    @pytest.mark.parametrize(
        ("said", "word"),
        [
            ({"hailwhale_columns": ["revenue/"]}, "revenue/"),
            ({"hailwhale_columns": [7]}, "7"),
            ({"hailwhale_period": "soon"}, "soon"),
            ({"hailwhale_columns": ["hits"], "hailwhale_ordering": "-visitors"}, "-visitors"),
            ({"hailwhale_columns": ["a/b"], "hailwhale_ordering": "-low:a/b"}, "low"),
        ],
    )
    def test_what_will_not_do_is_said_at_start(self, said: dict[str, Any], word: str) -> None:
        made: Any = type("MadeAdmin", (HailWhaleAdminMixin, admin.ModelAdmin), said)

        (problem,) = made(Ware, admin.site).check()

        assert problem.id == "hailwhale.A001" and word in problem.msg and "MadeAdmin" in problem.msg

    def test_nothing_is_said_of_what_will(self) -> None:
        from tests import wares

        for one in wares.default._registry.values():
            assert one.check() == []


def admin_user() -> User:
    return User.objects.create_superuser("root", password="x")


class Odd(HailWhaleAdminMixin, admin.ModelAdmin):
    hailwhale_columns: ClassVar[Any] = ["hits"]
    hailwhale_attribute = "upside_down"


def test_what_the_database_does_not_know_cannot_sort() -> None:
    (column,) = Odd(Ware, admin.site)._columns(None)  # type: ignore[arg-type]
    assert column.admin_order_field is None


@pytest.mark.parametrize(
    "name", [name for name in vars(HailWhaleAdminMixin) if "hailwhale_" in name and name[0] != "_"]
)
def test_what_can_be_said_otherwise_is_told(name: str) -> None:
    inner = ("hailwhale_counted", "hailwhale_view", "get_hailwhale_ordering")
    assert name in inner or f"`{name}" in DOC.read_text(encoding="utf-8")


def test_the_check_is_told() -> None:
    assert "`hailwhale.A001`" in DOC.read_text(encoding="utf-8")
