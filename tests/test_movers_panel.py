"""The panel that says what moved most. Values are worked out by hand; it is Friday 15 May 2099, 12:00 UTC.

Each of three countries has about 100 visitors a day on phones and on desktops. In the last whole week, from the 8th to
the 14th, phones in the US lost 40 of them each day, and everybody in Germany won 50:

|             | before | now   | change |
|-------------|--------|-------|--------|
| US, phone   | 700    | 420   | -40%   |
| US          | 1,400  | 1,120 |        |
| DE          | 1,400  | 2,100 | +50%   |
| phone       | 2,100  | 2,170 |        |
| desktop     | 2,100  | 2,450 | +16.7% |
| all         | 4,200  | 4,620 |        |
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.test import Client, override_settings
from django.utils import translation

from hailwhale_django import Whale, documents
from hailwhale_django.access_models import SharedLink
from hailwhale_django.alerts import reporting
from hailwhale_django.connection import pod
from hailwhale_django.dashboards.asking import Rights
from hailwhale_django.dashboards.board import Sources, board_page
from hailwhale_django.dashboards.boardstate import BoardState
from hailwhale_django.dashboards.column import Column
from hailwhale_django.dashboards.moverspanel import MoversPanel, answer_of, looked_at, rows_of, title_of
from hailwhale_django.dashboards.narrowing import narrow_beneath
from hailwhale_django.dashboards.spec import BoardSpec, PanelSpec
from hailwhale_django.engine.domain.crossing import Crossings
from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.engine.explain.explanation import Mover, Movers, Part
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store.store import Options, Store
from hailwhale_django.models import Dashboard, Panel, Report
from tests.engine.conftest import Watched, trips
from tests.test_admin import Page

NOW = datetime(2099, 5, 15, 12, tzinfo=UTC)
CROSSINGS = {"shop": [["country", "device"]]}
SCATTER = (2, -2, 1, -1, 3, -3, 0)
"""Around what a child has on each day of a week."""

ALL = ("view_dashboard", "change_dashboard", "view_counter")
SHOP = {
    "slug": "shop",
    "title": "The shop",
    "period": "2099-05-08..2099-05-14",
    "compare": "previous",
    "panels": [{"kind": "movers", "title": "Moved", "counter": "shop", "formulas": ["visitors as Visitors"]}],
}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(redis_url: str) -> Iterator[None]:
    settings = {"REDIS": redis_url, "CROSSINGS": CROSSINGS}
    with override_settings(HAILWHALE=settings), time_machine.travel(NOW, tick=False):
        yield


def events(weeks: int = 8) -> Iterator[Any]:
    """Visitors, and 2 of revenue for each, in the weeks that are over."""
    for week in range(weeks):
        for day in range(7):
            at = (NOW - timedelta(days=7 * week + day + 1)).timestamp()
            for place, (country, device) in enumerate((c, d) for c in ("US", "DE", "FR") for d in ("phone", "desktop")):
                visitors = 100 + SCATTER[(day + place) % 7]
                if week > 1 and day == 0:
                    visitors += 4 if week % 2 else -4
                if week == 0:
                    visitors += {("US", "phone"): -40, ("DE", "phone"): 50, ("DE", "desktop"): 50}.get(
                        (country, device), 0
                    )
                metrics = {"visitors": visitors, "revenue": 2 * visitors}
                yield "shop", {"country": country, "device": device}, metrics, at


@pytest.fixture
def sold() -> None:
    Whale.count_many(list(events()))


@pytest.fixture
def ada() -> User:
    found = User.objects.create_user("ada", password="x", is_staff=True)
    found.user_permissions.set(Permission.objects.filter(codename__in=ALL))
    return found


@pytest.fixture
def board(ada: User) -> Dashboard:
    return documents.load(SHOP, ada)[0]


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def look(user: User, query: str = "") -> str:
    response = client_of(user).get(f"/admin/hailwhale_django/dashboard/shop/{query}")
    assert response.status_code == 200
    return str(response.content.decode())


def rows(text: str) -> list[list[str]]:
    """The texts of the table of movers as a wide screen shows it, row by row, without its headings."""
    wide = re.sub(r'<span class="(hw-of )?hw-narrowly">[^<]*</span>', "", text)
    return [[" ".join(cell.split()) for cell in row] for row in Page(wide).table("hw-movers")[1:]]


def shown(**panel: Any) -> Any:
    """A panel of this kind as it is read, of `SHOP`'s period."""
    spec = BoardSpec.parse(SHOP | {"panels": [SHOP["panels"][0] | panel]})  # type: ignore[index, operator]
    (found,) = board_page(spec, BoardState(), pod(), Rights(), Sources()).panels
    return found


def moved(**panel: Any) -> list[tuple[str, str, str, str]]:
    found = shown(**panel)
    assert isinstance(found, MoversPanel), found
    return [(row.name, row.before, row.cell.text, row.carried) for row in found.rows]


class TestPage:
    def test_what_moved_against_its_own_past(self, sold: None, ada: User, board: Dashboard) -> None:
        german, american, desktop = rows(look(ada))
        assert german[:3] == ["DE country", "1,400", "2,100"]
        assert german[3] == "▲ +50.0%, more than before: 1,400 why? better"
        assert german[5] == "+700"
        assert american[:3] == ["country US, device phone", "700", "420"]
        assert american[3] == "▼ -40.0%, less than before: 700 why? worse"
        assert american[5] == "-280"
        assert desktop[:3] == ["desktop device", "2,100", "2,450"]
        assert (desktop[3], desktop[5]) == ("▲ +16.7%, more than before: 2,100 why? better", "+350")
        assert all(re.fullmatch(r"[\d.]+ times the usual", row[4]) for row in (german, american, desktop))

    def test_it_says_how_many_were_looked_at_and_what_it_takes(self, sold: None, ada: User, board: Dashboard) -> None:
        text = look(ada)
        assert re.search(r"\d+ children were looked at\.", text)
        assert "Shown is what changed at least 3 times as much as it usually does." in text

    def test_nothing_moved_is_an_answer(self, sold: None, ada: User, board: Dashboard) -> None:
        text = look(ada, "?p=2099-04-17..2099-04-23")
        assert "Nothing moved by more than is usual for it." in text
        assert re.search(r"\d+ children were looked at\.", text)
        assert "hw-movers" not in text

    def test_where_there_is_nothing(self, ada: User, board: Dashboard) -> None:
        text = look(ada)
        assert "There is nothing here to tell apart." in text
        assert "looked at" not in text

    def test_without_a_comparison_it_is_the_period_before(self, sold: None, ada: User, board: Dashboard) -> None:
        note = "Compared with the period before: May 1, 2099 – May 7, 2099."
        assert note not in look(ada)
        text = look(ada, "?c=nothing")
        assert note in text
        assert rows(text)[0][:3] == ["DE country", "1,400", "2,100"]

    def test_with_the_comparison_that_is_chosen(self, sold: None, ada: User, board: Dashboard) -> None:
        """From 24 to 30 April each child had 4 less."""
        assert rows(look(ada, "?c=2099-04-24..2099-04-30"))[0][:3] == ["DE country", "1,392", "2,100"]

    def test_less_may_be_better(self, sold: None, ada: User) -> None:
        documents.load(SHOP | {"panels": [
            {"kind": "movers", "counter": "shop", "formulas": ["visitors as Complaints [less is better]"]}
        ]}, ada)  # fmt: skip
        text = look(ada)
        assert [row[3].split()[-1] for row in rows(text)] == ["worse", "better", "worse"]
        assert (text.count("hw-change hw-bad"), text.count("hw-change hw-good")) == (2, 1)
        assert "What moved most: Complaints" in text

    def test_a_limit_of_rows(self, sold: None) -> None:
        assert [name for name, *_ in moved(limit=1)] == ["DE"]

    def test_beneath_a_path(self, sold: None) -> None:
        assert moved(dimension="country/US") == [("phone", "700", "420", "-280")]
        assert moved(dimension="country/FR") == []

    def test_a_ratio(self, sold: None) -> None:
        """What a visitor is worth stayed at 2 everywhere until phones in France bring 686 more."""
        assert moved(formulas=["revenue/visitors as Each [$#]"]) == []
        at = [(NOW - timedelta(days=day + 1)).timestamp() for day in range(7)]
        Whale.count_many([("shop", {"country": "FR", "device": "phone"}, {"revenue": 95 + day}, one)
                          for day, one in enumerate(at)])  # fmt: skip
        found = moved(formulas=["revenue/visitors as Each [$#]"])
        assert found[0][:3] == ("FR", "$2", "$2.49")  # 686 more of revenue for 1,400 visitors


class TestLinks:
    def test_a_name_filters_by_it(self, sold: None, ada: User, board: Dashboard) -> None:
        text = look(ada)
        assert 'href="?f=country%2FDE"' in text
        assert 'href="?f=country%2FUS&amp;f=device%2Fphone"' in text

    def test_under_a_filter(self, sold: None, ada: User, board: Dashboard) -> None:
        text = look(ada, "?f=country/US")
        assert [row[:3] for row in rows(text)] == [["phone device", "700", "420"]]
        assert 'href="?f=country%2FUS&amp;f=device%2Fphone" class="hw-narrow" title="Only phone"' in text

    def test_a_filter_that_was_not_counted_together(self, sold: None, ada: User, board: Dashboard) -> None:
        text = look(ada, "?f=colour/red&f=country/DE")
        assert "Not filtered by colour: red, country: DE: it was not counted together with this." in text
        german, *_ = rows(text)
        assert german[0] == "DE country"
        assert 'href="?f=colour%2Fred" class="hw-narrow" title="Without the filter DE"' in text

    def test_a_child_counter_has_a_page_of_its_own(self, ada: User, board: Dashboard) -> None:
        for day in range(1, 57):
            at = (NOW - timedelta(days=day)).timestamp()
            lost = 60 if day <= 7 else 0
            Whale.count_now(["shop", "tea"], {}, {"visitors": 100 + SCATTER[day % 7] - lost}, at)
            Whale.count_now(["shop", "ink"], {}, {"visitors": 100 + SCATTER[(day + 1) % 7]}, at)
        text = look(ada)
        assert [row[:3] for row in rows(text)] == [["tea shop", "700", "280"]]
        assert "/admin/hailwhale_django/counter/shop/tea/?" in text
        ada.user_permissions.remove(Permission.objects.get(codename="view_counter"))
        text = look(User.objects.get(pk=ada.pk))
        assert rows(text)[0][0] == "tea shop" and "/counter/shop/" not in text

    def test_its_change_can_be_explained(self, sold: None, ada: User, board: Dashboard) -> None:
        text = look(ada)
        assert 'aria-label="Why did Visitors of country US, device phone change?"' in text
        assert "/admin/hailwhale_django/counter/shop/why?f=visitors+as+Visitors&amp;d=country%2FUS%2F" in text
        ada.user_permissions.remove(Permission.objects.get(codename="view_counter"))
        assert "Why did" not in look(User.objects.get(pk=ada.pk))

    def test_its_title_leads_to_the_counter(self, sold: None, ada: User, board: Dashboard) -> None:
        assert "/admin/hailwhale_django/counter/shop/?" in look(ada)

    def test_as_a_file(self, sold: None, ada: User, board: Dashboard) -> None:
        key = board.panels.get().pk
        assert f"sheet={key}" in look(ada)
        response = client_of(ada).get(f"/admin/hailwhale_django/dashboard/shop/?sheet={key}")
        lines = list(csv.reader(response.getvalue().decode("utf-8-sig").splitlines()))
        assert lines[0][:5] == ["dimension", "name", "visitors", "visitors, before", "moved the whole by"]
        assert lines[1][:5] == ["country", "DE", "2100", "1400", "700"]
        assert lines[2][:5] == ["", "country US, device phone", "420", "700", "-280"]
        assert float(lines[1][5]) > 3


def link_of(board: Dashboard, *filters: str, **given: Any) -> SharedLink:
    return SharedLink.objects.create(dashboard=board, filters=list(filters), **given)


def opened(link: SharedLink, query: str = "") -> str:
    response = Client().get(f"/hailwhale/shared/{link.token}/{query}")
    assert response.status_code == 200
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", str(response.getvalue().decode()))


@pytest.mark.usefixtures("sold")
class TestSharedLinks:
    @pytest.mark.parametrize("filters", [["country/US"], ["device/phone"], ["country/US", "device/phone"], ["x/y"]])
    @pytest.mark.parametrize("dimension", ["", "country", "country/US", "device", "device/phone", "country/DE", "x"])
    def test_what_lies_outside_changes_nothing(self, board: Dashboard, filters: list[str], dimension: str) -> None:
        """Whatever is counted elsewhere, before and now: not a byte of what is shown."""
        panel = board.panels.get()
        panel.dimension = dimension
        panel.save()
        link = link_of(board, *filters)
        queries = ["", "?c=nothing", "?f=country/DE", "?f=-", f"?d{panel.pk}=country/DE", f"?sheet={panel.pk}"]
        if dimension in ("country/DE", "x") or filters == ["x/y"]:
            queries = queries[:-1]  # a sheet that cannot be shown is refused
        before = {query: opened(link, query) for query in queries}
        for day in range(1, 60):
            at = (NOW - timedelta(days=day)).timestamp()
            for country, device in (("DE", "desktop"), ("AT", "tablet"), ("FR", "watch")):
                Whale.count_now("shop", {"country": country, "device": device}, {"visitors": day * 97 % 89 + 1}, at)
            Whale.count_now(["shop", "blog"], {"country": "DE"}, {"visitors": day}, at)
        for query, text in before.items():
            assert opened(link, query) == text, query

    def test_what_lies_within_is_shown(self, board: Dashboard) -> None:
        link = link_of(board, "country/US")
        text = opened(link)
        assert [row[:3] for row in rows(text)] == [["phone device", "700", "420"]]
        assert 'href="?f=device%2Fphone"' in text
        assert "/admin/" not in text
        sheet = opened(link, f"?sheet={board.panels.get().pk}")
        assert sheet.splitlines()[1].startswith("device,phone,420,700,-280,")

    def test_of_a_path_within_the_filter(self, board: Dashboard) -> None:
        Panel.objects.update(dimension="country")
        assert [row[0] for row in rows(opened(link_of(board, "country/US")))] == ["phone device"]

    def test_who_may_not_choose(self, board: Dashboard) -> None:
        text = opened(link_of(board, interactive=False))
        assert [row[0] for row in rows(text)] == ["DE country", "country US, device phone", "desktop device"]
        assert 'href="?' not in text and "sheet=" not in text

    @pytest.mark.parametrize("dimension", ["country/DE", "colour"])
    def test_what_cannot_be_bounded_is_not_shown(self, board: Dashboard, dimension: str) -> None:
        Panel.objects.update(dimension=dimension)
        text = opened(link_of(board, "country/US"))
        assert "this panel cannot be shown here" in text and "hw-movers" not in text

    def test_a_formula_that_reads_more_is_not_shown(self, board: Dashboard) -> None:
        Panel.objects.update(formulas=["visitors/visitors@_"])
        text = opened(link_of(board, "country/US"))
        assert "Its formula reads more than the filters leave; this panel cannot be shown here" in text
        assert "cannot be shown here" not in opened(link_of(board))


class TestTogether:
    """Many panels in the round trips of one."""

    @pytest.fixture
    def watched(self, redis_url: str, sold: None) -> Iterator[Pod]:
        from hailwhale_django.engine.store.server import connect

        server = connect(redis_url)
        options = Options(crossings=Crossings.parse(CROSSINGS))
        yield Pod(Store(Watched(server.client), options), NOW.timestamp)
        server.close()

    def read(self, watched: Pod, *panels: dict[str, Any]) -> tuple[int, list[Any]]:
        spec = BoardSpec.parse(SHOP | {"panels": [{"counter": "shop", **panel} for panel in panels]})
        found: list[Any] = []
        count = trips(
            watched,
            lambda: found.extend(board_page(spec, BoardState(), watched, Rights(), Sources()).panels),
        )
        return count, found

    def test_as_many_round_trips_as_the_longest(self, watched: Pod) -> None:
        movers = {"kind": "movers", "formulas": ["visitors"]}
        self.read(watched, movers)  # what a process learns once
        alone, (one,) = self.read(watched, movers)
        others = [
            {"kind": "number", "formulas": ["visitors"]},
            {"kind": "table", "dimension": "country", "formulas": ["revenue/visitors"]},
            {"kind": "graph", "dimension": "device", "formulas": ["visitors"]},
            {"kind": "movers", "dimension": "country/US", "formulas": ["revenue"]},
            {"kind": "movers", "formulas": ["revenue/visitors"]},
        ]
        self.read(watched, movers, *others)
        together, panels = self.read(watched, movers, *others)
        assert together == alone == 5
        assert [panel.kind for panel in panels] == ["movers", "number", "table", "graph", "movers", "movers"]
        assert [row.name for row in panels[0].rows] == [row.name for row in one.rows]


def test_a_mail_shows_it(sold: None, board: Dashboard, ada: User) -> None:
    Report.objects.create(
        dashboard=board, owner=ada, recipients=["bob@shop.example"], every="week", due_at=NOW - timedelta(minutes=1)
    )
    Panel.objects.update(period="2099-05-08..2099-05-14")
    assert [one.problem for one in reporting.send_due()] == [""]
    (sent,) = mail.outbox
    lines = [line.strip() for line in sent.body.splitlines() if line.strip()]
    at = lines.index("DE (country)")
    assert lines[at - 1] == "* Moved (May 8, 2099 – May 14, 2099)"
    assert lines[at + 1] == "Visitors: 2,100  ▲ +50.0% (more than before: 1,400)"
    assert re.fullmatch(r"how unusual: [\d.]+ times the usual", lines[at + 2])
    assert lines[at + 3 : at + 5] == [
        "country US, device phone",
        "Visitors: 420  ▼ -40.0% (less than before: 700)",
    ]
    assert any(line.startswith("Shown is what changed at least 3 times as much") for line in lines[-2:])
    ((html, _),) = sent.alternatives  # type: ignore[attr-defined]
    assert "DE (country)" in html and "how unusual" in html


class TestSpec:
    @pytest.mark.parametrize(
        ("formulas", "told"),
        [
            (["visitors", "hits"], "formulas: 2 will not do; what moved most is told of one formula"),
            (["pct95:ms"], "formulas: 'pct95:ms' will not do; pct95:ms tells how large values are"),
            (["hist:ms"], "formulas: 'hist:ms' will not do; it tells a list"),
            (["visitors@_"], "formulas: 'visitors@_' will not do; it reads nothing of its own"),
        ],
    )
    def test_what_cannot_be_told_is_refused(self, formulas: list[str], told: str) -> None:
        with pytest.raises(InvalidInput) as raised:
            PanelSpec.of({"kind": "movers", "counter": "shop", "formulas": formulas})
        assert str(raised.value).startswith(told)
        assert raised.value.field == "formulas"

    def test_a_row_needs_a_limit(self) -> None:
        with pytest.raises(InvalidInput):
            PanelSpec.of({"kind": "movers", "counter": "shop", "limit": 0})

    @pytest.mark.parametrize("form", ["yaml", "json"])
    def test_a_document_is_written_as_it_was_read(self, form: documents.Format) -> None:
        formulas = ["late/arrived as Late [%; less is better]"]
        panel = {"kind": "movers", "counter": "shop", "dimension": "country", "formulas": formulas, "limit": 5}
        given = {
            "slug": "x",
            "title": "X",
            "panels": [panel, {"kind": "movers", "counter": "shop", "formulas": ["hits"]}],
        }
        board, _ = documents.load(given)
        assert documents.dump(board) == given
        (read,) = documents.read(documents.write([given], form).encode(), f"x.{form}")
        assert read.given == given
        assert documents.load(read.given)[1] == "unchanged"

    def test_the_form_tells_what_is_wrong_at_its_field(self, board: Dashboard, ada: User) -> None:
        panel = board.panels.get()
        address = f"/admin/hailwhale_django/panel/{panel.pk}/change/"
        assert "what moved most" in client_of(ada).get(address).content.decode()
        fields = {"dashboard": board.pk, "kind": "movers", "counter": "shop", "limit": "10", "style": "line",
                  "width": "6", "place": "10"}  # fmt: skip
        text = client_of(ada).post(address, fields | {"formulas": "pct95:ms"}).content.decode()
        assert "no child has a part of that" in text
        assert client_of(ada).post(address, fields | {"formulas": "revenue"}).status_code == 302
        assert board.panels.get().formulas == ["revenue"]


COUNTRY = {"shop": [["country", "device"]]}


@pytest.mark.parametrize(
    ("path", "filters", "found", "problem"),
    [
        ("", [], "", False),
        ("country", [], "country", False),
        ("", ["country/US"], "country/US", False),
        ("", ["country/US", "device/phone"], "country/US/×device/phone", False),
        ("country", ["country/US"], "country/US", False),
        ("country", ["country/US/CA"], "country/US/CA", False),
        ("country/US", ["country/US/CA"], "country/US/CA", False),
        ("country/US/CA", ["country/US"], "country/US/CA", False),
        ("country/US", ["country/DE"], "country/US", True),
        ("device", ["country/US"], "country/US/×device", False),
        ("device", ["device/phone", "country/US"], "country/US/×device/phone", False),
        ("colour", ["country/US"], "colour", True),
        ("", ["country/US", "colour/red"], "", True),
        ("device", ["country/US/CA"], "device", True),
    ],
)
def test_where_it_looks_under_filters(path: str, filters: list[str], found: str, problem: bool) -> None:
    given = [Path.parse(one) for one in filters]
    narrowed = narrow_beneath(Crossings.parse(COUNTRY), Path(("shop",)), given, Path.parse(path) if path else Path())
    assert (str(narrowed.path) if narrowed.path else "", bool(narrowed.problem)) == (found, problem)


# What a row says, of movers that are made up


def a_row(part: Part, column: str = "visitors", score: float = 5.2, within: str = "") -> Any:
    read = Column.parse(column)
    period = pod().period("7d")
    path = Path.parse(within) if within else Path()
    movers = Movers(Path(("shop",)), path, read.formula, period, period.previous(), (Mover(part, score),), 7)
    return rows_of(movers, read)[0]


def part(path: str, before: float | None, now: float | None, carried: float = 0.0) -> Part:
    return Part(Path.parse(path), before, now, carried, 0.0, 0.0)


class TestRows:
    @pytest.mark.parametrize(
        ("before", "now", "column", "texts", "tone"),
        [
            (None, 50.0, "visitors", ("0", "50", "▲", "new"), "better"),
            (40.0, None, "visitors", ("40", "0", "▼", "-100.0%"), "worse"),
            (40.0, None, "visitors [less is better]", ("40", "0", "▼", "-100.0%"), "better"),
            (None, 0.5, "a/b [%]", ("–", "50.0%", "", "new"), ""),
            (0.5, None, "a/b [%]", ("50.0%", "–", "", "–"), ""),
            (0.5, 0.6, "a/b [%]", ("50.0%", "60.0%", "▲", "+20.0%"), "better"),
            (-4.0, -2.0, "delay/b", ("-4", "-2", "▲", "+50.0%"), "better"),
            (100.0, 1500.0, "visitors [$#]", ("$100", "$1,500", "▲", "×15"), "better"),
        ],
    )
    def test_before_and_now(self, before: Any, now: Any, column: str, texts: tuple[str, ...], tone: str) -> None:
        row = a_row(part("country/US", before, now), column)
        assert (row.before, row.cell.text, row.cell.change.arrow, row.cell.change.text) == texts
        assert row.tone == tone

    @pytest.mark.parametrize(
        ("carried", "column", "text"),
        [
            (700.0, "visitors", "+700"),
            (-280.0, "visitors [$#]", "-$280"),
            (0.0, "visitors", "0"),
            (0.0123, "a/b [%]", "+1.23 points"),
            (-0.2, "a/b [%]", "-20 points"),
        ],
    )
    def test_what_it_carries(self, carried: float, column: str, text: str) -> None:
        assert a_row(part("country/US", 1, 2, carried), column).carried == text

    def test_how_unusual(self) -> None:
        row = a_row(part("country/US", 1, 2), score=-5.2)
        assert (row.times, row.times_shortly) == ("5.2 times the usual", "5.2 times")
        assert row.times_words == "It changed 5.2 times as much as it usually does from one period to the next."
        assert row.bar == "100.0"

    @pytest.mark.parametrize(
        ("path", "within", "name", "dimension"),
        [
            ("country/US", "", "US", "country"),
            ("country/US/CA", "", "US / CA", "country"),
            ("country/US/×device/phone", "", "country US, device phone", ""),
            ("country/US/×device/phone", "country/US", "phone", "device"),
            ("country/US/×device/phone", "country/US/×device", "phone", "device"),
            ("country/US/CA", "country/US", "US / CA", "country"),
            ("country/US/CA/×device/phone", "country/US", "country US / CA, device phone", ""),
            ("country/US/×device/phone/×colour/red", "country/US", "device phone, colour red", ""),
        ],
    )
    def test_names(self, path: str, within: str, name: str, dimension: str) -> None:
        row = a_row(part(path, 1, 2), within=within)
        assert (row.name, row.dimension) == (name, dimension)


def test_texts() -> None:
    assert looked_at(1) == "1 child was looked at."
    assert looked_at(1234) == "1,234 children were looked at."
    assert looked_at(0) == ""
    assert title_of(PanelSpec.of({"kind": "movers", "counter": "shop"})) == "What moved most: hits"
    period = pod().period("7d")
    none = Movers(Path(("shop",)), Path(), Column.parse("hits").formula, period, period, (), 0)
    assert answer_of(none) == "There is nothing here to tell apart."
    with translation.override("de"):
        assert answer_of(none)
