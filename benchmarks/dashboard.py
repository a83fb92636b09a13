"""A dashboard of twelve panels over the flights: reading, laying out, rendering; and each kind of panel alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

from benchmarks import middleware, servers
from benchmarks.effort import Effort
from benchmarks.report import Column, Result, Table, Target
from benchmarks.timing import Contestant, race
from example_project.flights.events import PK, events
from example_project.flights.load import FLIGHTS, rows

MOST_MILLISECONDS = 150
PERIOD = {"period": "30d", "compare": "previous"}

NUMBERS = ["flights", "late/arrived [%]", "arr_delay/arrived [# min]", "cancelled/flights [%]"]
RANKED = ["arr_delay/arrived as Delay [# min]", "late/arrived as Late [%]", "cancelled/flights", "flights"]

KINDS: dict[str, dict[str, Any]] = {
    "number": {"kind": "number", "formulas": NUMBERS[1:2]},
    "graph of the whole": {"kind": "graph", "formulas": NUMBERS[2:3]},
    "graph of 8 children": {"kind": "graph", "dimension": "carrier", "formulas": ["flights"], "style": "area"},
    "table, 16 carriers": {"kind": "table", "dimension": "carrier", "formulas": RANKED, "limit": 16},
    "table, 20 of 224 routes": {"kind": "table", "dimension": "route", "formulas": RANKED, "limit": 20},
    "top list": {"kind": "top", "dimension": "hour", "formulas": NUMBERS[1:2], "limit": 10},
    "text": {"kind": "text", "text": "See the handbook."},
}
TWELVE = [
    *({"kind": "number", "formulas": [one]} for one in NUMBERS),
    KINDS["graph of the whole"],
    KINDS["graph of 8 children"],
    {"kind": "graph", "formulas": ["cancelled"], "style": "bar"},
    KINDS["table, 16 carriers"],
    KINDS["table, 20 of 224 routes"],
    {"kind": "table", "dimension": "origin", "formulas": RANKED, "limit": 10},
    KINDS["top list"],
    {"kind": "top", "dimension": "carrier", "formulas": ["cancelled/flights [%]"], "limit": 10},
]
PAGE = "twelve panels"

TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]


def run(effort: Effort) -> Result:
    """The same page, over and over, in a process that has seen it before."""
    table = Table(
        "A dashboard over the flights: server time, milliseconds",
        [
            Column("what"),
            Column("ms", ",.1f"),
            Column("reading ms", ",.1f"),
            Column("round trips", ",.0f"),
            Column("KB", ",.0f"),
        ],
        notes=[
            "30 days, compared with the 30 before, with small lines and intervals; rendered as behind a shared link.",
            "Reading is all but the HTML: what was counted, ranked and laid out.",
        ],
    )
    with ExitStack() as stack:
        stack.enter_context(_counted(effort))
        pages = {name: _rendering(spec) for name, spec in _specs().items()}
        contestants = [Contestant(name, page) for name, page in pages.items()]
        contestants += [Contestant(f"{name}, read", _reading(spec)) for name, spec in _specs().items()]
        found = race(contestants, effort)
        for name, page in pages.items():
            trips, html = _trips(page)
            read = found[f"{name}, read"].median
            table.rows.append([name, found[name].median * 1e3, read * 1e3, trips, len(html) / 1000])
        trips, _ = _trips(pages[PAGE])
        milliseconds = found[PAGE].median * 1e3
    return Result(
        [table],
        [
            Target("milliseconds for twelve panels", milliseconds, MOST_MILLISECONDS, at_most=True),
            Target("round trips for twelve panels", trips, len(TWELVE), at_most=True),
        ],
    )


@contextmanager
def _counted(effort: Effort) -> Iterator[None]:
    """The flights, counted so that they end today, and a project that can render."""
    middleware.configure()
    from django.test import override_settings

    flights = effort.size(FLIGHTS, least=1_000)
    with (
        servers.running() as url,
        override_settings(HAILWHALE={"REDIS": url}, TEMPLATES=TEMPLATES, STATIC_URL="/static/"),
    ):
        from hailwhale_django import Whale, connection

        Whale.count_many(events(rows(flights), datetime.now(UTC).date()))
        yield
        connection.pod().store.server.close()


def _specs() -> dict[str, Any]:
    """The page, and one of each kind."""
    from hailwhale_django.dashboards.spec import BoardSpec, PanelSpec

    def spec(panels: list[dict[str, Any]]) -> BoardSpec:
        given = [{"counter": PK, **panel} if panel["kind"] != "text" else panel for panel in panels]
        found = [PanelSpec.of(panel, key=str(number)) for number, panel in enumerate(given, 1)]
        return BoardSpec.of({"slug": "flights", **PERIOD}, found)

    return {PAGE: spec(TWELVE)} | {name: spec([panel]) for name, panel in KINDS.items()}


def _reading(spec: Any) -> Callable[[], Any]:
    """What the page says, without HTML."""
    from hailwhale_django.connection import pod
    from hailwhale_django.dashboards.asking import Rights
    from hailwhale_django.dashboards.board import Sources, board_page
    from hailwhale_django.dashboards.boardstate import BoardState

    return lambda: board_page(spec, BoardState(), pod(), Rights(), Sources())


def _rendering(spec: Any) -> Callable[[], str]:
    from django.template.loader import render_to_string

    read = _reading(spec)
    return lambda: render_to_string("hailwhale_django/shared/dashboard.html", {"page": read(), "title": "Flights"})


def _trips(page: Callable[[], str]) -> tuple[int, str]:
    """How often a page goes to the server, and what comes of it."""
    from hailwhale_django.connection import pod

    server = pod().store.server
    trips, run = [], server.run
    server.run = lambda calls: trips.append(calls) or run(calls)  # type: ignore[method-assign]
    try:
        html = page()
        return len(trips), html
    finally:
        del server.run
