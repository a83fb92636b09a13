"""The admin's pages without a browser: who may look, what they say, and that no address or name breaks them.

The numbers are worked out by hand from the few events of `shop`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.http import QueryDict
from django.test import Client, override_settings
from django.urls import reverse

from example_project.ports import HOST, free_port
from hailwhale_django import Whale
from hailwhale_django.dashboards import offers, pages, writing
from hailwhale_django.dashboards.state import State
from hailwhale_django.engine import measures
from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.store.server import Server

# A Thursday so far ahead that no server's own clock lets anything expire.
NOW = datetime(2099, 5, 14, 12, tzinfo=UTC)

LIST = "/admin/hailwhale_django/counter/"
SHOP = f"{LIST}shop/"

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>",
    "{{ 7|add:7 }}",
    "</title>",
    "a/b",
    "100%",
    "%2F",
    "..",
    ".",
    "?x=1&y=2#z",
    "ünï 日本 🐳",
    "\u202ertl \u05e9\u05dc\u05d5\u05dd",
    "x" * 255,
    "=1+2",
    "+1",
    "-1",
    "@sum",
    "\ttab",
    "a\nb",
    "_",
    "/",
]


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def store(redis_url: str) -> Iterator[None]:
    """An empty store, which nothing remembers from before; days are those of UTC."""
    with override_settings(HAILWHALE={"REDIS": redis_url}):
        yield


@pytest.fixture
def staff(db: Any) -> Client:
    """Logged in as one who may look at counters, and may do nothing else."""
    user = User.objects.create_user("looker", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_counter"))
    return logged_in(user)


@pytest.fixture
def shop(store: None) -> None:
    """Visitors and revenue of three countries, on two days of this week and one of the week before.

    |              | visitors | revenue | revenue/visitors |
    |--------------|----------|---------|------------------|
    | US           | 10 + 10  | 50 + 70 | 6                |
    | DE           | 5        | 50      | 10               |
    | FR           | 4        | 10      | 2.5              |
    | total        | 29       | 180     | 6.2069           |
    | week before: | US 10    | 30      | 3                |
    """
    count("US", "CA", "2099-05-12", visitors=10, revenue=50)
    count("US", "NY", "2099-05-13", visitors=10, revenue=70)
    count("DE", "BE", "2099-05-13", visitors=5, revenue=50)
    count("FR", "75", "2099-05-12", visitors=4, revenue=10)
    count("US", "CA", "2099-05-06", visitors=10, revenue=30)


def count(country: str, region: str, day: str, **metrics: float) -> None:
    Whale.count_now("shop", {"country": {country: region}, "device": "phone"}, metrics, f"{day}T10:00:00Z")


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@dataclass(eq=False)
class Element:
    """An element of a page, as far as these tests look at one."""

    tag: str
    attributes: dict[str, str]
    inside: list[Element | str] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def get(self, name: str, otherwise: str = "") -> str:
        return self.attributes.get(name, otherwise)

    def __iter__(self) -> Iterator[Element]:
        """All elements within, in the order of the page."""
        for one in self.inside:
            if isinstance(one, Element):
                yield one
                yield from one

    @property
    def raw(self) -> str:
        return "".join(one if isinstance(one, str) else one.raw for one in self.inside)

    @property
    def text(self) -> str:
        """What a person reads, spaces made one; scripts and data are not read."""
        return " ".join(self._words().split())

    def _words(self) -> str:
        if self.tag in ("script", "datalist"):
            return ""
        return "".join(one if isinstance(one, str) else one._words() for one in self.inside)

    def found(self, tag: str, **wanted: str) -> list[Element]:
        """Elements with these attributes; `class_` is one of the classes."""
        name = wanted.pop("class_", None)
        return [
            one
            for one in self
            if one.tag == tag
            and (name is None or name in one.get("class").split())
            and all(one.attributes.get(key) == value for key, value in wanted.items())
        ]

    def of_class(self, name: str) -> list[Element]:
        return [one for one in self if name in one.get("class").split()]


class Parser(HTMLParser):
    """A page as a tree; fails where tags do not close each other."""

    VOID = frozenset(("input", "link", "meta", "br", "hr", "img"))

    def __init__(self, html: str) -> None:
        super().__init__()
        self.root = Element("page", {})
        self.open = [self.root]
        self.feed(html)
        assert self.open == [self.root], [one.tag for one in self.open]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attributes})
        self.open[-1].inside.append(element)
        if tag not in self.VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, (self.open[-1].tag, tag, self.getpos())
        self.open.pop()

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Element(tag, {name: value or "" for name, value in attributes}))

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


class Page:
    """A page that was answered."""

    def __init__(self, html: str) -> None:
        self.root = Parser(html).root
        self.text = self.root.text

    def found(self, tag: str, **wanted: str) -> list[Element]:
        return self.root.found(tag, **wanted)

    def table(self, name: str) -> list[list[str]]:
        """The cells of the table of this class, headings first."""
        (table,) = self.found("table", class_=name)
        return [[cell.text for cell in row if cell.tag in ("td", "th")] for row in table.found("tr")]

    @property
    def counters(self) -> list[list[str]]:
        return self.table("hw-list")

    @property
    def rows(self) -> list[list[str]]:
        """The ranked table: its headings, totals, and rows; in each a tick, the name, a bar, then the values."""
        return self.table("hw-ranked")

    @property
    def numbers(self) -> list[list[str]]:
        """The table beneath the graph."""
        (graph,) = self.found("figure", class_="hw-graph")
        (table,) = graph.found("table")
        return [[cell.text for cell in row if cell.tag in ("td", "th")] for row in table.found("tr")]

    @property
    def names(self) -> list[str]:
        """The names of the ranked rows, in order, without the totals."""
        (table,) = self.found("table", class_="hw-ranked")
        return [one.found("bdi")[0].text for one in table.found("th", scope="row", class_="hw-name")][1:]

    @property
    def values(self) -> list[list[str]]:
        """Of each ranked row, the totals first, the bare values."""
        (table,) = self.found("table", class_="hw-ranked")
        return [[one.text for one in row.of_class("hw-value")] for row in table.found("tr")[1:]]

    @property
    def tiles(self) -> dict[str, str]:
        """The totals above the graph: value by formula."""
        names, values = self.root.of_class("hw-tile-name"), self.root.of_class("hw-tile-value")
        return {name.text: value.text for name, value in zip(names, values, strict=True)}

    @property
    def graph(self) -> dict[str, Any]:
        (script,) = self.found("script", type="application/json")
        found: dict[str, Any] = json.loads(script.raw)
        return found

    @property
    def plotted(self) -> list[list[float | None]]:
        return [line["points"] for line in self.graph["lines"]]

    @property
    def row_links(self) -> list[str]:
        return [
            link["href"]
            for name in self.root.of_class("hw-name")
            if name.get("scope") == "row"
            for link in name.found("a")
        ]

    @property
    def tabs(self) -> dict[str, str]:
        return {link.text: link["href"] for tabs in self.found("nav", class_="hw-tabs") for link in tabs.found("a")}

    @property
    def tab(self) -> str:
        """The tab that is open."""
        (tabs,) = self.found("nav", class_="hw-tabs")
        (link,) = tabs.found("a", **{"aria-current": "page"})
        return link.text

    def form(self) -> dict[str, Any]:
        """What a browser would send of the form as it stands."""
        fields: dict[str, list[str]] = {}
        for one in self.root:
            name = one.get("name")
            if one.tag == "select":
                chosen = [option["value"] for option in one.found("option") if "selected" in option.attributes]
                fields[name] = chosen[-1:]
            elif one.tag == "input" and name and (one.get("type") != "checkbox" or "checked" in one.attributes):
                fields.setdefault(name, []).append(one.get("value"))
        fields.pop("csrfmiddlewaretoken", None)
        return fields


def opened(client: Client, address: str, status: int = 200) -> Page:
    response = client.get(address)
    assert response.status_code == status, (address, response.status_code)
    return Page(response.content.decode())


def assert_clean(page: Page) -> None:
    """Nothing that a strict Content-Security-Policy would stop, and no tag that somebody smuggled in."""
    for one in page.root:
        assert "style" not in one.attributes, one
        assert not [name for name in one.attributes if name.startswith("on")], one
        assert not one.get("href").lower().startswith("javascript:"), one
        assert one.tag not in ("style", "img", "iframe"), one
        assert one.tag != "script" or "src" in one.attributes or one.get("type") == "application/json", one


class TestAccess:
    def test_strangers_are_sent_to_the_login_with_the_view_they_wanted(self, client: Client, db: Any) -> None:
        response = client.get(f"{SHOP}?d=country&p=7d")

        assert response.status_code == 302
        location = urlsplit(response["Location"])
        assert location.path == "/admin/login/"
        assert parse_qs(location.query)["next"] == [f"{SHOP}?d=country&p=7d"]

    @pytest.mark.parametrize("address", [LIST, SHOP, f"{SHOP}?format=csv", f"{SHOP}?apply=1"])
    def test_staff_without_the_permission_may_not_look(self, address: str, shop: None, db: Any) -> None:
        client = logged_in(User.objects.create_user("other", password="x", is_staff=True))

        assert client.get(address).status_code == 403

    def test_who_may_look_finds_counters_in_the_index_and_nothing_to_change(self, staff: Client, shop: None) -> None:
        index = opened(staff, "/admin/")

        assert "Counters" in [link.text for link in index.found("a", href=LIST)]
        assert not [link for link in index.found("a") if "/add/" in link.get("href")]
        assert opened(staff, LIST) and opened(staff, SHOP)

    def test_there_is_nothing_to_post(self, staff: Client, shop: None) -> None:
        assert staff.post(LIST).status_code == 405
        assert staff.post(SHOP, {"d": "country"}).status_code == 405
        assert staff.head(SHOP).status_code == 200

    def test_the_database_is_never_asked_for_counters(
        self, staff: Client, shop: None, django_assert_max_num_queries: Any
    ) -> None:
        with django_assert_max_num_queries(6) as queries:  # session, user, permissions
            staff.get(SHOP)

        assert not [query for query in queries if "hailwhale_django_counter" in query["sql"]]


class TestList:
    def test_when_nothing_is_counted_it_says_how_to_begin(self, staff: Client, store: None) -> None:
        page = opened(staff, LIST)

        assert "Nothing is counted yet" in page.text
        assert 'Whale.count_now( "shop", {"country": "US", "device": "phone"}' in page.text
        assert not page.found("input", name="q")

    def test_todays_hits_and_those_of_thirty_days(self, staff: Client, shop: None) -> None:
        Whale.count_now("shop")
        Whale.count_now("shop", at="2099-04-20T00:00:00Z")  # the 25th day back
        Whale.count_now("shop", at="2099-04-10T00:00:00Z")  # in the 30 days before
        Whale.count_now("blog", metrics={"hits": 1234})

        heading, *rows = opened(staff, LIST).counters

        assert heading == ["Counter", "Hits today", "Hits in 30 days", "30 days"]
        # Of the shop five of the fixture, one of today and one of April; there was one before: 600 percent more.
        assert rows == [
            ["blog", "1,234", "1,234 ▲ new, before: 0", ""],
            ["shop", "1", "7 ▲ +600.0%, more than before: 1", ""],
        ]

    def test_a_sparkline_is_drawn_by_the_server(self, staff: Client, shop: None) -> None:
        page = opened(staff, LIST)

        (line,) = page.found("polyline")
        corners = [tuple(map(float, corner.split(","))) for corner in line["points"].split()]
        assert len(corners) == 30
        # The most, 2 hits on 12 and 13 May, is at the top; days without hits are at the bottom.
        assert corners[-2][1] == corners[-3][1] == min(y for _, y in corners) == 2
        assert corners[0] == (0, 26)

    def test_pages_of_25(self, staff: Client, store: None) -> None:
        Whale.count_many([{"pk": f"counter {number:02}"} for number in range(27)])

        first = opened(staff, LIST)
        assert [row[0] for row in first.counters[1:]] == [f"counter {number:02}" for number in range(25)]
        (following,) = first.found("a", rel="next")
        second = opened(staff, LIST + following["href"])
        assert [row[0] for row in second.counters[1:]] == ["counter 25", "counter 26"]
        assert not second.found("a", rel="next")
        assert "last counter" in opened(staff, f"{LIST}?after=zzz").text

    def test_search_by_the_beginning_of_the_name(self, staff: Client, store: None) -> None:
        Whale.count_many([{"pk": [pk]} for pk in ("shop", "shopping", "sho", "blog", "a/b", "a/c", "日本", "日米")])

        def found(text: str, after: str = "") -> list[str]:
            page = pages.list_page(Whale.pod(), text, after, lambda state: "", "default")
            return [counter.name for counter in page.counters]

        assert found("shop") == ["shop", "shopping"]
        assert found("shop", after="shop") == ["shopping"]
        assert found("a/") == ["a/b", "a/c"]
        assert found("日") == ["日本", "日米"]
        assert found("x") == []
        assert [row[0] for row in opened(staff, f"{LIST}?q=shop").counters[1:]] == ["shop", "shopping"]
        assert "No counter begins with" in opened(staff, f"{LIST}?q=x").text

    def test_each_configured_store_has_a_tab(self, staff: Client, redis_url: str) -> None:
        with override_settings(HAILWHALE={"REDIS": redis_url, "STORES": {"other": {"PREFIX": "other"}}}):
            Whale.count_now("here")
            Whale.using("other").count_now("there")

            default, other = opened(staff, LIST), opened(staff, f"{LIST}?store=other")
            (there,) = other.row_links

            assert default.counters[1][0] == "here"
            assert other.counters[1][0] == "there"
            assert there == f"{LIST}there/?store=other"
            assert opened(staff, there)
            assert opened(staff, f"{LIST}there/", status=404)
            assert opened(staff, f"{LIST}?store=nonsense").counters[1][0] == "here"


class TestTable:
    COLUMNS = "m=revenue/visitors,visitors,revenue&p=7d"

    def test_values_are_those_worked_out_by_hand_best_ratio_first(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?{self.COLUMNS}")

        assert page.rows[0] == ["", "Name", "", "revenue/visitors ▼", "visitors", "revenue"]
        assert page.names == ["DE", "US", "FR"]
        assert page.values == [["6.207", "29", "180"], ["10", "5", "50"], ["6", "20", "120"], ["2.500", "4", "10"]]
        assert page.tiles == {"revenue/visitors": "6.207", "visitors": "29", "revenue": "180"}

    def test_shares_and_what_stands_out(self, staff: Client, shop: None) -> None:
        rows = opened(staff, f"{SHOP}?{self.COLUMNS}&o=-visitors").rows

        # Of the visitors the US are 20 of 29; HailWhale calls important more than 10 and more than a tenth.
        assert rows[2][4] == "◆Stands out: 69.0% of the whole: 20 69.0%"
        assert rows[3][4] == "5 17.2%"

    @pytest.mark.parametrize(
        ("scatter", "said"),
        [
            (1, "◆Stands out: 66.7% above the whole's 6: 10 ± 0."),
            (100, "◇66.7% above the whole's 6, which may be chance: 10 ± 7.2"),
        ],
    )
    def test_a_ratio_stands_out_or_may_be_chance(self, scatter: int, said: str, staff: Client, store: None) -> None:
        """Ten days of ten visitors: 10 from each at one place, 2 at the other.

        When every other day is 100 more or less, n/(n-1) * sum(e^2) / B^2 = 10/9 * 10 * 100^2 / 100^2 = 11.1 for each
        of the two, and the interval is t(13) = 2.16 times its root: 7.2.
        """
        for day in range(1, 11):
            for place, revenue in (("good", 100), ("bad", 20)):
                spent = revenue + scatter * (-1) ** day
                Whale.count_now("shop", {"at": place}, {"visitors": 10, "revenue": spent}, f"2099-05-{day:02}")

        assert opened(staff, f"{SHOP}?m=revenue/visitors").rows[2][3].startswith(said)

    def test_headings_order_and_say_how(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?{self.COLUMNS}&o=%2Bvisitors")

        assert page.names == ["FR", "DE", "US"]
        (heading,) = page.found("th", **{"aria-sort": "ascending"})
        assert heading["scope"] == "col"
        assert "by visitors, lowest first" in page.text
        (again,) = heading.found("a")
        assert parse_qs(urlsplit(again["href"]).query)["o"] == ["-visitors"]
        assert opened(staff, f"{SHOP}?{self.COLUMNS}&o=-name").names == ["US", "FR", "DE"]

    def test_ordering_by_what_is_certain(self, staff: Client, store: None) -> None:
        """One visitor spent 6; of a thousand each spent 4 or 6 on a day."""
        for day in range(1, 11):
            Whale.count_now(
                "shop", {"who": "steady"}, {"visitors": 100, "revenue": 400 + day % 2 * 200}, f"2099-05-{day:02}"
            )
        Whale.count_now("shop", {"who": "lucky"}, {"visitors": 1, "revenue": 6}, "2099-05-01")
        asked = f"{SHOP}?m=revenue/visitors&p=30d"

        page = opened(staff, asked)
        assert page.names == ["lucky", "steady"]
        (certain,) = [link["href"] for link in page.root.of_class("hw-certain")[0].found("a") if "certain" in link.text]
        assert opened(staff, SHOP + certain).names == ["steady", "lucky"]
        assert opened(staff, f"{asked}&o=%2Bhigh:revenue/visitors").names == ["steady", "lucky"]

    def test_the_first_dimension_is_open_and_others_are_tabs(self, staff: Client, shop: None) -> None:
        page = opened(staff, SHOP)

        assert page.names == ["US", "DE", "FR"]
        assert page.tabs == {"country": "?d=country", "device": "?d=device", "all dimensions": "?d=_"}
        assert page.tab == "country"
        assert opened(staff, f"{SHOP}?d=device").names == ["phone"]
        assert opened(staff, f"{SHOP}?d=_").names == ["country", "device"]

    def test_going_down_keeps_the_view_and_leads_back(self, staff: Client, shop: None) -> None:
        top = opened(staff, f"{SHOP}?{self.COLUMNS}&q=U")
        assert top.names == ["US"]
        (down,) = top.row_links

        below = opened(staff, SHOP + down)

        assert below.names == ["NY", "CA"]  # 7 and 5
        assert below.values[0] == ["6", "20", "120"]
        (crumbs,) = below.root.of_class("breadcrumbs")
        assert [one.text for one in crumbs.found("li")] == ["Home", "Hailwhale", "Counters", "shop", "country", "US"]
        back = [parse_qs(urlsplit(link["href"]).query) for link in crumbs.found("a")[-2:]]
        assert [(query.get("d"), query["p"]) for query in back] == [(None, ["7d"]), (["country"], ["7d"])]

    def test_a_row_with_nothing_below_shows_itself(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?{self.COLUMNS}&d=country/FR/75")

        assert "nothing further below" in page.text
        assert page.tiles == {"revenue/visitors": "2.500", "visitors": "4", "revenue": "10"}

    def test_a_counter_without_dimensions(self, staff: Client, store: None) -> None:
        Whale.count_now("plain")

        page = opened(staff, f"{LIST}plain/")

        assert page.tiles == {"hits": "1"}
        assert "without dimensions" in page.text

    def test_names_that_are_values_are_one_table(self, staff: Client, store: None) -> None:
        """`count_now("visits", "US")` has no dimensions to choose from, only rows."""
        Whale.count_now("visits", "US")
        Whale.count_now("visits", "DE")

        page = opened(staff, f"{LIST}visits/")

        assert page.names == ["DE", "US"]
        assert not page.tabs

    def test_child_counters_have_a_tab_and_pages_of_their_own(self, staff: Client, store: None) -> None:
        Whale.count_now(["Product", "a/b"], {"vendor": "x"}, {"sales": 3})
        Whale.count_now(["Product", "7"], {"vendor": "x"}, {"sales": 1})

        page = opened(staff, f"{LIST}Product/?counters=1&m=sales")

        assert page.names == ["a/b", "7"]
        assert page.tab == "child counters"
        assert page.plotted == [[0] * 29 + [3], [0] * 29 + [1]]
        child = opened(staff, page.row_links[0])
        assert child.tiles == {"sales": "3"}
        (crumbs,) = child.root.of_class("breadcrumbs")
        assert [(link.text, link["href"]) for link in crumbs.found("a")][3:] == [
            ("Product", f"{LIST}Product/?m=sales"),
            ("a/b", f"{LIST}Product/a%252Fb/?m=sales"),
        ]

    def test_compared_with_the_week_before(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?{self.COLUMNS}&c=previous&o=-visitors")
        changes = [[one.text for one in row.of_class("hw-change")] for row in page.found("tr")[-4:]]

        assert changes == [
            ["▲ +106.9%, more than before: 3", "▲ +190.0%, more than before: 10", "▲ +500.0%, more than before: 30"],
            ["▲ +100.0%, more than before: 3", "▲ +100.0%, more than before: 10", "▲ +300.0%, more than before: 30"],
            ["▲ new, before: 0"] * 3,
            ["▲ new, before: 0"] * 3,
        ]
        assert "compared with May 1, 2099 – May 7, 2099" in page.text

    def test_what_had_no_room_is_a_row_and_totals_have_it(self, staff: Client, redis_url: str) -> None:
        with override_settings(HAILWHALE={"REDIS": redis_url, "MAX_CHILDREN": 3}):
            for number, name in enumerate("abcdef", 1):
                Whale.count_now("shop", {"page": name}, {"views": number})
            page = opened(staff, f"{SHOP}?m=views")

            assert page.names == ["c", "b", "a", "(other)"]
            assert page.values == [["21"], ["3"], ["2"], ["1"], ["15"]]
            assert "This table is full" in page.text
            assert "1–3 of 3" in page.text

    def test_fifty_rows_on_a_page(self, staff: Client, store: None) -> None:
        Whale.count_many([("shop", {"page": f"{n:03}"}, {"views": n}) for n in range(1, 121)])
        asked = f"{SHOP}?m=views"

        first = opened(staff, asked)
        assert first.names == [f"{n:03}" for n in range(120, 70, -1)]
        assert "1–50 of 120" in first.text
        (following,) = first.found("a", rel="next")
        second = opened(staff, SHOP + following["href"])
        assert second.names == [f"{n:03}" for n in range(70, 20, -1)]
        assert "51–100 of 120" in second.text
        third = opened(staff, f"{asked}&page=3")
        assert len(third.names) == 20 and not third.found("a", rel="next")
        assert parse_qs(urlsplit(third.found("a", rel="prev")[0]["href"]).query)["page"] == ["2"]
        assert "No rows" in opened(staff, f"{asked}&page=9").text

    def test_numbers_are_written_as_the_language_does(self, staff: Client, store: None, settings: Any) -> None:
        Whale.count_now("shop", {"page": "a"}, {"views": 1234567.5, "clicks": 4})
        address = f"{SHOP}?m=views,clicks/views"

        assert opened(staff, address).values[0] == ["1,234,567.50", "0.000003240"]
        settings.LANGUAGE_CODE = "de"
        page = opened(staff, address)
        assert page.values[0] == ["1.234.567,50", "0,000003240"]
        assert_clean(page)


class TestGraph:
    def test_the_upper_rows_are_drawn_from_the_tables_data(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?m=revenue/visitors&p=7d")

        data = page.graph
        # DE, US, FR on 12 and 13 May; a day without visitors is a gap.
        gap = [None]
        assert page.plotted == [
            gap * 5 + [10] + gap,
            gap * 4 + [5, 7] + gap,
            gap * 4 + [2.5] + gap * 2,
        ]
        assert data["ticks"] == ["May 8", "May 9", "May 10", "May 11", "May 12", "May 13", "May 14"]
        assert data["unfinished"] is True
        numbers = page.numbers
        assert numbers[0] == ["Time", "DE", "US", "FR"]
        assert numbers[5] == ["May 12, 2099", "–", "5", "2.500"]
        (canvas,) = page.found("canvas")
        assert canvas["role"] == "img" and "revenue/visitors by day" in canvas["aria-label"]

    def test_chosen_rows_another_formula_and_the_whole(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?m=revenue/visitors,visitors&p=7d&g=visitors&rows=FR&rows=/")

        assert page.plotted == [[0, 0, 0, 0, 4, 0, 0], [0, 0, 0, 0, 14, 15, 0]]
        boxes = page.found("input", name="rows", type="checkbox")
        ticked = [box["value"] for box in boxes if "checked" in box.attributes]
        assert sorted(ticked) == ["/", "FR"]

    def test_a_single_line_has_what_it_was_beside_it(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?m=visitors&p=7d&c=previous&rows=US")

        assert page.plotted == [[0, 0, 0, 0, 10, 10, 0], [0, 0, 0, 0, 0, 10, 0]]
        assert [line["before"] for line in page.graph["lines"]] == [False, True]

    def test_by_another_interval(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?m=visitors&p=7d&i=1w&rows=/")

        # 8 to 14 May lie in the weeks of Monday 4 May and of Monday 11 May; the 6th of May is not asked for.
        assert page.plotted == [[0, 29]]
        assert page.tiles == {"visitors": "29"}

    def test_a_long_period_is_drawn_by_a_coarser_interval(self, staff: Client, shop: None) -> None:
        assert len(opened(staff, f"{SHOP}?p=year").graph["ticks"]) in (53, 54)
        assert len(opened(staff, f"{SHOP}?p=1d:1y").graph["ticks"]) in (366, 367)
        assert len(opened(staff, f"{SHOP}?p=1d:1y&i=1mo").graph["ticks"]) == 13

    def test_style_and_scale_are_in_the_address(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?m=visitors&p=7d&s=bar&log=1")

        (graph,) = page.found("figure", class_="hw-graph")
        assert graph["data-style"] == "bar" and "data-log" in graph.attributes
        assert "s=bar" in page.row_links[0] and "log=1" in page.row_links[0]
        # Without scripts the tools send the form.
        buttons = [button for button in page.found("button", form="hw-controls") if button.get("data-does")]
        assert [(button["name"], button["value"], button["aria-pressed"]) for button in buttons] == [
            ("s", "line", "false"),
            ("s", "area", "false"),
            ("s", "bar", "true"),
            ("log", "", "true"),
        ]

    def test_another_style_is_refused_and_lines_are_drawn(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?m=visitors&p=7d&s=pie")

        assert "Style of the graph: 'pie' will not do; use line, area or bar" in page.text
        (graph,) = page.found("figure", class_="hw-graph")
        assert graph["data-style"] == "line"

    def test_a_stack_is_made_whole_by_all_others(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?m=visitors&p=7d&rows=FR&rows=US&s=area")

        # Of 14 and 15 visitors FR has 4 and 0, US 10 and 10.
        assert [(line["other"], line["points"][4:6]) for line in page.graph["lines"]] == [
            (False, [4, 0]),
            (False, [10, 10]),
            (True, [0, 5]),
        ]
        assert page.numbers[0] == ["Time", "FR", "US", "(other)"]
        (legend,) = page.found("ul", class_="hw-legend")
        assert not any("hidden" in one.attributes for one in legend.found("li"))
        # Of the dimensions themselves an event has several.
        assert opened(staff, f"{SHOP}?m=visitors&p=7d&d=_&s=area").graph["stacks"] is False

    def test_a_part_of_it_has_an_address(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?m=visitors&p=7d|Europe/Paris&i=1w&s=bar")

        (graph,) = page.found("figure", class_="hw-graph")
        assert parse_qs(urlsplit(graph["data-zoom"]).query) == {
            "m": ["visitors"],
            "p": ["__FROM__..__TO__|Europe/Paris"],
            "s": ["bar"],
        }

    def test_rows_that_are_not_there_are_said(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?rows=XX")

        assert "Not in this table: XX" in page.text
        assert len(page.plotted) == 1

    def test_no_more_lines_than_can_be_told_apart(self, staff: Client, store: None) -> None:
        Whale.count_many([("shop", {"page": str(n)}, {"views": n}) for n in range(12)])
        page = opened(staff, f"{SHOP}?" + "&".join(f"rows={n}" for n in range(12)))

        assert [line["number"] for line in page.graph["lines"]] == [*range(1, 9), 0]
        assert page.plotted[-1][-1] == 4  # hits of the other four
        assert "at most 8 lines" in page.text


NONSENSE = [
    "",
    "((",
    "7x",
    "-1",
    "0",
    "99999999999999999999",
    "é",
    "a" * 600,
    '"',
    "\\",
    "%00",
    "'; DROP--",
    "1/0",
    "_",
]


class TestAddresses:
    @pytest.mark.parametrize("parameter", ["p", "c", "d", "m", "o", "q", "page", "g", "i", "rows", "store", "counters"])
    @pytest.mark.parametrize("value", NONSENSE)
    def test_nonsense_is_answered_with_a_page(self, parameter: str, value: str, staff: Client, shop: None) -> None:
        response = staff.get(SHOP, {parameter: value})
        assert response.status_code == 200
        assert Page(response.content.decode()).text
        assert staff.get(SHOP, {parameter: value, "format": "csv"}).status_code == 200
        assert staff.get(SHOP, {parameter: value, "apply": "1"}).status_code == 302

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("p=xyz", "'xyz' will not do; use e.g. today"),
            ("c=xyz", "'xyz' will not do; use previous, weekdays, month, year, or a period"),
            ("i=7x", "'7x' will not do; use a number and a unit"),
            ("p=year&i=1m", "'1m' will not do; that makes more than 3000 points"),
            ("o=-zz", "Order: 'zz' will not do; order by one of the columns"),
            ("g=((", "Graph: '((' will not do;"),
            ("page=0", "Page: '0' will not do; use a whole number"),
            ("m=nope", "Nothing was ever counted as nope on this counter."),
            ("d=nope", "Nothing was ever counted under nope."),
            ("d=" + "/".join("abcdefghij"), "a path has at most 8 names"),
            ("q=nope", "No name here has"),
        ],
    )
    def test_and_says_what_was_not_understood(self, query: str, said: str, staff: Client, shop: None) -> None:
        assert said in opened(staff, f"{SHOP}?{query}").text

    def test_a_formula_with_an_error_stays_beside_the_others(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?m=revenue/visitors,revenue/,visitors&p=7d")

        fields = page.found("input", name="m")
        assert [field["value"] for field in fields] == ["revenue/visitors", "revenue/", "visitors", ""]
        assert [field.get("aria-invalid") for field in fields] == ["", "true", "", ""]
        assert "'revenue/' will not do; it ends where a metric, a number" in page.text
        assert page.found("details", **{"class": "hw-columns", "open": ""})
        assert page.tiles == {"revenue/visitors": "6.207", "visitors": "29"}

    def test_quotes_keep_a_comma_in_a_name(self, staff: Client, store: None) -> None:
        Whale.count_now("shop", {"page": "a"}, {"a,b": 3, "c": 1})

        page = opened(staff, f'{SHOP}?m="a,b"/c,c')

        assert page.tiles == {'"a,b"/c': "3", "c": "1"}

    @pytest.mark.parametrize("name", ["nothing", "shop/nothing", "a" * 300, "%00", "x/" * 20 + "x"])
    def test_what_was_never_counted_is_not_found(self, name: str, staff: Client, shop: None) -> None:
        page = opened(staff, f"{LIST}{name}/", status=404)

        assert "Nothing was ever counted as" in page.text
        assert staff.get(f"{LIST}{name}/?format=csv").status_code == 404

    @pytest.mark.parametrize("name", HOSTILE)
    def test_any_name_is_listed_opened_and_escaped(self, name: str, staff: Client, store: None) -> None:
        Whale.count_now([name], {"page": {name: {name: 1}}, name: "x"}, {"hits": 3})
        Whale.count_now(["parent", name], {name: "x"})

        listed = opened(staff, LIST)
        link = next(link for link in listed.row_links if "parent" not in link)

        page = opened(staff, link)

        assert page.tiles["hits"] == "3"
        assert page.found("h1")[0].found("bdi")[0].text == " ".join(name.split())
        assert_clean(listed)
        assert_clean(page)
        (down,) = opened(staff, f"{link}?d=page").row_links
        assert opened(staff, link + down).names == [" ".join(name.split())]
        children = opened(staff, f"{LIST}parent/?counters=1")
        assert_clean(children)
        assert opened(staff, children.row_links[0]).tiles["hits"] == "1"
        assert staff.get(f"{link}?format=csv&d=page").status_code == 200


class TestForm:
    """The form sends all its fields; the address it leads to has only what was chosen."""

    def target(self, staff: Client, fields: dict[str, Any]) -> dict[str, list[str]]:
        response = staff.get(SHOP, {"apply": "1"} | fields)
        assert response.status_code == 302
        assert urlsplit(response["Location"]).path == SHOP
        return parse_qs(urlsplit(response["Location"]).query)

    def test_what_was_not_changed_is_left_to_the_page(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?p=7d")

        assert self.target(staff, page.form()) == {"p": ["7d"]}

    def test_what_was_chosen_stays_chosen(self, staff: Client, shop: None) -> None:
        address = "d=country&p=7d&c=year&m=visitors&m=revenue&o=%2Brevenue&q=U&g=revenue&i=1w&rows=US&rows=%2F"

        assert self.target(staff, opened(staff, f"{SHOP}?{address}").form()) == parse_qs(address)

    def test_a_typed_period_wins_until_a_preset_is_picked(self, staff: Client, shop: None) -> None:
        typed = opened(staff, SHOP).form() | {"period_text": "3d"}
        assert self.target(staff, typed) == {"p": ["3d"]}
        shown = opened(staff, f"{SHOP}?p=3d").form()
        assert (shown["period_text"], shown["p"]) == (["3d"], [""])
        assert self.target(staff, shown) == {"p": ["3d"]}
        assert self.target(staff, shown | {"p": "mtd"}) == {"p": ["mtd"]}

    def test_columns_that_go_take_their_order_with_them(self, staff: Client, shop: None) -> None:
        fields = opened(staff, f"{SHOP}?m=visitors,revenue&o=-revenue&g=revenue").form()

        assert self.target(staff, fields | {"m": ["visitors", "", ""]}) == {"m": ["visitors"]}

    def test_rows_on_other_pages_stay_on_the_graph(self, staff: Client, store: None) -> None:
        Whale.count_many([("shop", {"page": f"{n:03}"}, {"views": n}) for n in range(1, 61)])
        fields = opened(staff, f"{SHOP}?m=views&rows=001&rows=060").form()

        assert sorted(self.target(staff, fields)["rows"]) == ["001", "060"]


class TestSpreadsheet:
    def sheet(self, staff: Client, query: str) -> list[list[str]]:
        response = staff.get(f"{SHOP}?{query}&format=csv")
        assert response.status_code == 200 and response.streaming
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        text = b"".join(response.streaming_content).decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text, newline="")))

    def test_has_exactly_what_the_page_asks_for(self, staff: Client, shop: None) -> None:
        rows = self.sheet(staff, "m=revenue/visitors,visitors&p=7d&o=-visitors&c=previous")

        assert rows[0] == [
            "name",
            "revenue/visitors",
            "revenue/visitors, low",
            "revenue/visitors, high",
            "revenue/visitors, before",
            "visitors",
            "visitors, before",
        ]
        values = [[row[0], row[1], *row[4:]] for row in rows[1:]]
        assert values[:3] == [["US", "6", "3", "20", "10"], ["DE", "10", "0", "5", "0"], ["FR", "2.5", "0", "4", "0"]]
        assert values[3][0] == "total" and float(values[3][1]) == pytest.approx(180 / 29)
        assert values[3][2:] == ["3", "29", "10"]
        assert float(rows[1][2]) < 6 < float(rows[1][3])

    def test_all_pages_search_and_other(self, staff: Client, redis_url: str) -> None:
        with override_settings(HAILWHALE={"REDIS": redis_url, "MAX_CHILDREN": 70}):
            Whale.count_many([("shop", {"page": f"{n:03}"}, {"views": n}) for n in range(100)])

            rows = self.sheet(staff, "m=views&o=name&page=2")
            assert len(rows) == 1 + 70 + 2 and rows[1][0] == "000"
            assert [row[0] for row in rows[-2:]] == ["(other)", "total"]
            assert float(rows[-1][1]) == 99 * 50
            assert [row[0] for row in self.sheet(staff, "m=views&o=name&q=6")[1:3]] == ["006", "016"]

    def test_no_cell_is_a_formula(self, staff: Client, store: None) -> None:
        bad = ["=1+2", "+1", "-1", "@x", "\tx", "\rx"]
        for name in [*bad, "fine"]:
            Whale.count_now("shop", {"page": name}, {"loss": -2.5})

        rows = self.sheet(staff, "m=-loss,loss&o=name")

        assert {row[0] for row in rows[1:-1]} == {*(f"'{name}" for name in bad), "fine"}
        assert rows[0] == ["name", "'-loss", "loss"]
        assert {row[2] for row in rows[1:-1]} == {"-2.5"}  # a number is a number

    def test_the_file_has_a_name(self, staff: Client, shop: None) -> None:
        response = staff.get(f"{SHOP}?p=7d&d=country/US&format=csv")
        assert response["Content-Disposition"] == 'attachment; filename="shop-country-us-7d.csv"'
        response = staff.get(f"{SHOP}?p=2026-11-08..2026-11-12&format=csv")
        assert response["Content-Disposition"] == 'attachment; filename="shop-country-2026-11-08-to-2026-11-12.csv"'

        Whale.count_now(["日本"], {"色": {"赤": 1}})
        response = staff.get(f"{LIST}日本/?format=csv&p=7d")
        assert response["Content-Disposition"] == 'attachment; filename="7d.csv"'


class TestSketches:
    """|       | visitors              | ms         | pages              |
    |-------|-----------------------|------------|--------------------|
    | US    | a, and a day later a, b | 10, 20, 30 | /a 5, /b 4, /c 3, /d 2 |
    | AT    | a, b                  | 100        | /a 1               |
    | DE    | a                     | 7          | =<b> 1             |
    | FR    |                       |            |                    |
    """

    COLUMNS = "uv:visitor,hits/uv:visitor,pct50:ms,hist5:ms,top4:sum:page,mh:visitor"
    ADDRESS = f"{SHOP}?d=country&p=7d&o=-uv:visitor&m={COLUMNS}"

    @pytest.fixture(autouse=True)
    def counted(self, store: None) -> None:
        pages = {"/a": 5, "/b": 4, "/c": 3, "/d": 2}
        self.count("US", "2099-05-12", ["a"], [10, 20], pages)
        self.count("US", "2099-05-13", ["a", "b"], [30], {})
        self.count("AT", "2099-05-14", ["b", "a"], [100], {"/a": 1})
        self.count("DE", "2099-05-14", ["a"], [7], {"=<b>": 1})
        Whale.count_now("shop", {"country": "FR"}, {"revenue": 5}, "2099-05-14T10:00:00Z")

    def count(self, country: str, day: str, visitors: list[str], ms: list[int], pages: dict[str, int]) -> None:
        sketches = {"uv:visitor": visitors, "mh:visitor": visitors, "pct50:ms": ms, "top4:sum:page": pages}
        Whale.count_now("shop", {"country": country}, sketches, f"{day}T10:00:00Z")

    def row(self, page: Page, name: str) -> Element:
        (table,) = page.found("table", class_="hw-ranked")
        (found,) = [row for row in table.found("tr") for one in row.found("th", scope="row") if one.text == name]
        return found

    def test_numbers_are_columns_like_any_other(self, staff: Client) -> None:
        page = opened(staff, self.ADDRESS)

        assert page.names == ["AT", "US", "DE", "FR"]
        values = {name: [one.text for one in self.row(page, name).of_class("hw-value")] for name in ("US", "FR")}
        assert (values["US"][:3], values["FR"]) == (["2", "1", "20"], ["0", "0", "–"])
        assert self.row(page, "US").found("span", class_="hw-value", title="100.0% of the whole")

    def test_a_ranking_is_a_short_list_that_opens(self, staff: Client) -> None:
        page = opened(staff, self.ADDRESS)

        first, more = self.row(page, "US").found("ol")
        assert [item.text for item in first.found("li")] == ["/a 5", "/b 4", "/c 3"]
        assert ([item.text for item in more.found("li")], more["start"]) == (["/d 2"], "4")
        assert "1 more" in [one.text for one in self.row(page, "US").found("summary")]
        assert [item.text for item in self.row(page, "DE").found("li")] == ["=<b> 1"]
        assert [one.text for one in self.row(page, "FR").of_class("hw-told")] == ["–"] * 3

    def test_a_histogram_is_a_chart_and_a_table(self, staff: Client) -> None:
        row = self.row(opened(staff, self.ADDRESS), "US")

        (chart,) = row.found("svg", class_="hw-histogram")
        assert chart["aria-hidden"] == "true"
        assert [bar["height"] for bar in chart.found("rect")] == ["24.00", "0.00", "24.00", "0.00", "24.00"]
        assert [float(bar["x"]) // 20 for bar in chart.found("rect")] == [0, 1, 2, 3, 4]
        (table,) = row.found("table")
        assert [one.text for one in table.found("tr")] == [
            "ValuesNumber",
            *("5 – 101", "10 – 150", "15 – 201", "20 – 250", "25 – 301"),
        ]
        assert "5 to 30" in [one.text for one in row.found("summary")]

    def test_a_code_is_short_and_whole_when_opened(self, staff: Client) -> None:
        short, whole = self.row(opened(staff, self.ADDRESS), "US").found("code")

        assert len(whole.text.split(":")) == 64
        assert whole.text.startswith(short.text.removesuffix("…")) and len(short.text) == 14

    def test_what_is_no_number_is_not_ordered_by_nor_drawn(self, staff: Client) -> None:
        page = opened(staff, self.ADDRESS)

        linked = {heading.text: bool(heading.found("a")) for heading in page.found("th", scope="col")}
        assert (linked["pct50:ms"], linked["hist5:ms"], linked["top4:sum:page"]) == (True, False, False)
        page = opened(staff, f"{SHOP}?d=country&p=7d&m=uv:visitor,hist5:ms&o=-hist5:ms")
        assert "Order: 'hist5:ms' will not do" in page.text
        assert page.names == ["AT", "US", "DE", "FR"]
        page = opened(staff, f"{self.ADDRESS}&g=hist5:ms")
        assert "Graph: 'hist5:ms' will not do; draw something that tells a number" in page.text
        assert page.plotted[0] == [0, 0, 0, 0, 0, 0, 2]

    def test_columns_of_lists_alone(self, staff: Client) -> None:
        page = opened(staff, f"{SHOP}?d=country&p=7d&m=top4:sum:page")

        assert page.names == ["US", "AT", "DE", "FR"]  # by their hits
        assert "by hits, highest first" in page.text
        assert page.plotted[0] == [0, 0, 0, 0, 1, 1, 0]

    def test_levels_stand_out_against_the_whole(self, staff: Client) -> None:
        page = opened(staff, f"{SHOP}?d=country&p=7d&m=pct50:ms&o=-pct50:ms")

        said = [one.get("title") for one in page.root.of_class("hw-mark")]
        # Of 7, 10, 20, 30, 100 the median is 20. FR had nothing to tell from.
        assert page.names == ["AT", "US", "DE", "FR"]
        assert said == ["Stands out: 400.0% above the whole's 20", "Stands out: 65.0% below the whole's 20"]
        assert not page.found("span", class_="hw-value", title="100.0% of the whole")
        assert len(page.root.of_class("hw-whole")) == 3

    def test_compared_with_the_period_before(self, staff: Client) -> None:
        page = opened(staff, f"{SHOP}?d=country&p=2099-05-13..2099-05-13&c=previous&m=pct50:ms,top4:sum:page")

        words = [one.get("title") for one in self.row(page, "US").of_class("hw-change")]
        assert words == ["more than before: 10"]

    def test_a_note_where_points_do_not_add_up(self, staff: Client) -> None:
        def note(formula: str) -> str:
            found = opened(staff, f"{SHOP}?d=country&p=7d&m={formula}").root.of_class("hw-note")
            return " ".join(one.text for one in found if "hidden" not in one.attributes)

        assert note("uv:visitor").endswith("so the points do not add up to the total.")
        assert note("pct50:ms") == note("hits/uv:visitor")
        assert note("pct50:ms").endswith("neither their sum nor their mean.")
        assert note("revenue") == note("count:x") == ""

    def test_what_is_shown_and_offered_unasked(self, staff: Client) -> None:
        page = opened(staff, f"{SHOP}?d=country&p=7d")

        assert list(page.tiles) == ["hits", "revenue", "revenue/hits", "pct50:ms", "uv:visitor"]
        (offered,) = page.found("datalist", id="hw-metrics")
        assert [one["value"] for one in offered.found("option")] == [
            *("hits", "mh:visitor", "pct50:ms", "pct95:ms", "hist:ms", "revenue", "top4:sum:page"),
            *("uv:visitor", "hits/uv:visitor"),
        ]
        assert "Nothing was ever counted" not in opened(staff, f"{SHOP}?m=pct95:ms,hist3:ms,mh:visitor").text
        assert "Nothing was ever counted as mh9:visitor" in opened(staff, f"{SHOP}?m=mh9:visitor").text

    def test_what_was_named_like_a_sketch_and_is_none_is_not_offered(self) -> None:
        metrics = ["fh:x", "hits", "mh9:x", "top:page", "uv14:a-b", "var:x"]
        assert [str(one) for one in offers.default_columns(metrics)] == ["hits", '"uv14:a-b"', "std:x"]
        assert offers.offered(metrics) == [
            *("fh:x", "hits", "mh9:x", '"uv14:a-b"', 'hits/"uv14:a-b"', "std:x", "var:x"),
        ]

    def test_the_overlap_of_rows(self, staff: Client) -> None:
        page = opened(staff, self.ADDRESS)

        header, *rows = page.table("hw-matrix")
        assert header == ["", "AT", "US", "DE", "FR"]
        percentages = {name: cells for name, *cells in rows}
        assert percentages["US"][:2] == ["100%", "100%"]  # the same two visitors
        assert percentages["FR"] == ["–"] * 4
        assert percentages["DE"][0] == percentages["US"][2] != "100%"
        (table,) = page.found("table", class_="hw-matrix")
        assert len(table.of_class("hw-same")) == 4
        assert len(table.of_class("hw-step-5")) == 2
        assert "a standard error of at most 6.3%" in page.text
        assert not opened(staff, f"{self.ADDRESS}&q=US").found("table", class_="hw-matrix")
        assert not opened(staff, f"{SHOP}?d=country&m=uv:visitor").found("table", class_="hw-matrix")

    def test_the_overlap_of_child_counters(self, staff: Client) -> None:
        for name in ("7", "8"):
            Whale.count_now(["Product", name], metrics={"mh:visitor": "a"})

        page = opened(staff, f"{LIST}Product/?m=mh:visitor,hits&counters=1")
        assert page.table("hw-matrix") == [["", "7", "8"], ["7", "100%", "100%"], ["8", "100%", "100%"]]

    def test_a_spreadsheet_has_what_simmer_would_write(self, staff: Client) -> None:
        response = staff.get(f"{SHOP}?d=country&p=7d&c=previous&m=pct50:ms,hist5:ms,top4:sum:page&format=csv")
        found = list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))  # type: ignore[attr-defined]

        assert found[0] == ["name", "pct50:ms", "pct50:ms, before", "hist5:ms", "top4:sum:page"]
        told = {row[0]: row[-2:] for row in found}
        assert told["US"] == ["10:1,15:0,20:1,25:0,30:1", "/a:5,/b:4,/c:3,/d:2"]
        assert told["DE"] == ["7:1", "'=<b>:1"]
        assert told["FR"] == ["", ""]

    def test_nothing_is_inline_and_every_id_is_one(self, staff: Client) -> None:
        page = opened(staff, f"{self.ADDRESS}&c=previous")

        assert_clean(page)
        ids = [one["id"] for one in page.root if one.get("id")]
        assert len(ids) == len(set(ids))
        for one in page.root:
            for name in ("aria-labelledby", "aria-describedby"):
                assert set(one.get(name).split()) <= set(ids), one


class TestMarkup:
    ADDRESSES = [
        LIST,
        f"{LIST}?q=x",
        SHOP,
        f"{SHOP}?m=revenue/visitors,visitors,revenue/&p=7d&c=previous&page=0&i=x",
        f"{SHOP}?d=country/FR/75",
        f"{LIST}nothing/",
    ]

    @pytest.mark.parametrize("address", ADDRESSES)
    def test_nothing_is_inline(self, address: str, staff: Client, shop: None) -> None:
        assert_clean(Page(staff.get(address).content.decode()))

    @pytest.mark.parametrize("address", ADDRESSES)
    def test_every_id_is_one_and_every_reference_leads_somewhere(self, address: str, staff: Client, shop: None) -> None:
        page = Page(staff.get(address).content.decode())

        ids = [one["id"] for one in page.root if one.get("id")]
        assert len(ids) == len(set(ids))
        for one in page.root:
            for name in ("for", "aria-labelledby", "aria-describedby", "list", "form"):
                assert set(one.get(name).split()) <= set(ids), one

    def test_tables_say_what_they_are(self, staff: Client, shop: None) -> None:
        page = opened(staff, SHOP)

        for table in page.root.of_class("hw-table"):
            assert len(table.found("caption")) == 1
            assert all(heading.get("scope") in ("col", "row") for heading in table.found("th"))
        (content,) = page.root.of_class("hw-page")
        labels = {label["for"] for label in content.found("label")}
        for one in content.found("input") + content.found("select"):
            assert one.get("type") == "hidden" or one.get("aria-label") or one["id"] in labels, one


class TestUnavailable:
    def test_a_store_that_is_away_is_said_and_forgotten(self, staff: Client, shop: None, redis_url: str) -> None:
        away = f"redis://{HOST}:{free_port()}"
        with override_settings(HAILWHALE={"REDIS": away}):
            for address in (LIST, SHOP, f"{SHOP}?d=country&format=csv"):
                page = opened(staff, address, status=503)
                assert "cannot be read now" in page.text
                assert_clean(page)
            (again,) = opened(staff, f"{SHOP}?d=country", 503).found("a", class_="button")
            assert opened(staff, "/admin/")

        with override_settings(HAILWHALE={"REDIS": redis_url}):
            assert opened(staff, again["href"]).names == ["US", "DE", "FR"]

    def test_counts_that_mean_something_else_are_an_error(self, staff: Client, shop: None, redis_url: str) -> None:
        with override_settings(HAILWHALE={"REDIS": redis_url, "TIME_ZONE": "Asia/Tokyo"}):
            assert "was counted with" in opened(staff, SHOP, status=500).text


class TestBounds:
    """What would take too much is left out, and that is said."""

    def test_intervals_that_would_read_too_many_cells(
        self, staff: Client, shop: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(measures, "MAX_CELLS", 200)
        address = f"{SHOP}?m=revenue/visitors&p=30d&o=-low:revenue/visitors&rows=US"

        page = opened(staff, address)

        assert "No intervals are shown" in page.text
        assert page.names == ["DE", "US", "FR"]
        assert not page.root.of_class("hw-certain")
        rows = list(csv.reader(io.StringIO(staff.get(f"{address}&format=csv").getvalue().decode("utf-8-sig"))))
        assert rows[1] == ["DE", "10", "", ""]

    def test_a_question_that_cannot_be_answered_at_all(
        self, staff: Client, shop: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(measures, "MAX_CELLS", 5)

        page = opened(staff, f"{SHOP}?m=visitors:last&p=30d", status=400)

        assert "use a coarser interval" in page.text
        assert_clean(page)

    def test_a_period_too_long_to_draw(self, staff: Client, shop: None) -> None:
        page = opened(staff, f"{SHOP}?p=1970-01-01..2240-01-01")

        assert "too long to be drawn" in page.text
        assert not page.found("canvas")
        assert page.values[0][0] == "5"


class TestCost:
    """Round trips, where tiles are small; tiles that filled up after a while make one more of each reading of cells."""

    @pytest.fixture
    def trips(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        sent: list[int] = []
        send = Server._send

        def counted(server: Server, commands: Any) -> Any:
            sent.append(len(commands))
            return send(server, commands)

        monkeypatch.setattr(Server, "_send", counted)
        return sent

    def test_the_list(self, staff: Client, shop: None, trips: list[int]) -> None:
        Whale.count_many([{"pk": f"counter {number:02}"} for number in range(30)])
        staff.get(LIST)
        trips.clear()
        staff.get(LIST)

        assert len(trips) == 3

    def test_a_counter(self, staff: Client, shop: None, trips: list[int]) -> None:
        address = f"{SHOP}?m=revenue/visitors,visitors&c=previous&p=7d"
        staff.get(address)
        trips.clear()
        staff.get(address)

        # What there is, what of it has children; rows with cells, children of rows; rows and cells of the graph.
        assert len(trips) == 6

    def test_an_overlap_takes_two_more(self, staff: Client, shop: None, trips: list[int]) -> None:
        for country in ("US", "DE"):
            Whale.count_now("shop", {"country": country}, {"mh:visitor": "a", "fh:visitor": "a"})
        cost = {}
        for signature in ("fh:visitor", "mh:visitor"):
            staff.get(f"{SHOP}?m=hits,{signature}")
            trips.clear()
            staff.get(f"{SHOP}?m=hits,{signature}")
            cost[signature] = len(trips)

        assert cost["mh:visitor"] == cost["fh:visitor"] + 2


class TestEveryServer:
    def test_counters_on_several_nodes_are_one_list(self, staff: Client, any_redis_url: str) -> None:
        with override_settings(HAILWHALE={"REDIS": any_redis_url}):
            Whale.count_many([(f"counter {n}", {"page": {"a": "b"}}, {"hits": n}) for n in range(12)])

            listed = opened(staff, LIST).counters[1:]
            assert sorted((row[0], row[1]) for row in listed) == sorted((f"counter {n}", str(n)) for n in range(12))
            page = opened(staff, f"{LIST}counter 7/?c=previous")
            assert (page.names, page.tiles, page.plotted) == (["a"], {"hits": "7"}, [[0] * 29 + [7], [0] * 30])


class TestLinks:
    def test_the_admins_own_names_lead_here(self, db: Any) -> None:
        assert reverse("admin:hailwhale_django_counter_changelist") == LIST
        assert reverse("admin:hailwhale_django_counter_change", args=["shop"]) == SHOP

    def test_a_state_is_its_link_and_back(self) -> None:
        state = State(
            Path(("shop",)),
            dimension="country/US",
            period="2099-01-01..2099-02-01",
            compare="year",
            metrics=("a/b", '"x,y"'),
            order="+low:a/b",
            find="ü&=",
            graph="a",
            interval="1w",
            rows=("/", "a%2Fb"),
        )

        assert State.of_link(state.pk, QueryDict(state.link().removeprefix("?"))) == state
        assert State(Path(("shop",))).link() == "?"


class TestWriting:
    @pytest.mark.parametrize(
        ("value", "ratio", "text"),
        [
            (336776, False, "336,776"),
            (1234.5, False, "1,234.50"),
            (1234.567, False, "1,234.57"),
            (0.00125, False, "0.001250"),
            (-0.0, False, "0"),
            (21.9212, True, "21.92"),
            (0.37298, True, "0.3730"),
            (1234567.8, True, "1,234,568"),
            (2, True, "2"),
            (-9.93, True, "-9.930"),
            (1e-12, True, "1.0e-12"),
            (float("nan"), True, "–"),
            (None, False, "–"),
        ],
    )
    def test_numbers(self, value: float | None, ratio: bool, text: str) -> None:
        assert writing.number(value, ratio=ratio) == text

    @pytest.mark.parametrize(
        ("low", "high", "text"), [(16.88, 26.97, "5.0"), (0.33, 0.41, "0.040"), (-15, 39, "27"), (1, 1, "0")]
    )
    def test_intervals(self, low: float, high: float, text: str) -> None:
        assert writing.plus_minus(low, high) == text

    def test_levels_have_none_of_what_a_sketch_adds(self) -> None:
        assert [writing.level(value + 2**-16) for value in (20, 1234.5, 0)] == ["20", "1,234.50", "0.00001526"]
        assert writing.level(None) == "–"

    def test_percentages(self) -> None:
        assert writing.percent(0.1234) == "12.3%"
        assert writing.percent(0.1234, signed=True) == "+12.3%"
        assert writing.percent(-1, signed=True) == "-100.0%"
        assert writing.percent(0) == "0%"
        assert writing.percent(0.00029, signed=True) == "+0.03%"
        assert writing.percent(-0.000046, signed=True) == "-0.005%"
        assert writing.change(99, 10, 8.9, ratio=False).text == "+890.0%"
        assert writing.change(15.47, 0.035, 441.0, ratio=True).text == "×442"
        assert writing.percent(None) == "–"

    def test_changes(self) -> None:
        assert writing.change(1, None, None, ratio=False) is None
        assert writing.change(2, 2, 0, ratio=False) == writing.Change("", "=", "as before: %(before)s", "2")
        assert writing.change(2, 0, None, ratio=False) == writing.Change("▲", "new", "before: %(before)s", "0")
        assert writing.change(1, 2, -0.5, ratio=False) == writing.Change(
            "▼", "-50.0%", "less than before: %(before)s", "2"
        )

    def test_hours_that_clocks_show_twice_are_told_apart(self, store: None) -> None:
        period = Whale.pod().period("1h:2098-10-26..2098-10-26|Europe/Paris")

        labels = writing.labels(period)

        assert len(labels) == 25 == len(set(labels))
        assert labels[2:4] == ["Oct 26, 2098, 02:00", "Oct 26, 2098, 02:00 +0100"]
