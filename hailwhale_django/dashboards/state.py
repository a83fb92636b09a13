"""What a counter page's query string says: which table, which columns, which period. Texts as they were given.

Every link on the page is this state with something changed, so that any view can be bookmarked, sent and gone back to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from ..conf import DEFAULT_STORE
from ..engine.domain.paths import Path

PARAMETERS = {
    "store": "store",
    "dimension": "d",
    "counters": "counters",
    "period": "p",
    "compare": "c",
    "metrics": "m",
    "order": "o",
    "find": "q",
    "page": "page",
    "graph": "g",
    "interval": "i",
    "style": "s",
    "log": "log",
    "rows": "rows",
}
"""What each field is called in the query string."""

# A formula may hold commas only inside quotes.
_FORMULAS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,"]|")+')

DEFAULT_PERIOD = "30d"

# What no page shows need not be read; an address of a few thousand characters can name many more.
MAX_GIVEN = 50
MAX_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class State:
    """A view of the counter `pk`. What is empty is left to the page to choose."""

    pk: Path
    store: str = DEFAULT_STORE
    dimension: str = ""
    counters: bool = False
    period: str = ""
    compare: str = ""
    metrics: tuple[str, ...] = ()
    order: str = ""
    find: str = ""
    page: str = ""
    graph: str = ""
    interval: str = ""
    style: str = ""
    log: bool = False
    rows: tuple[str, ...] = ()

    @classmethod
    def of_link(cls, pk: Path, given: QueryDict) -> State:
        """Read a query string as this module's links write it."""
        return cls(
            pk,
            store=given.get("store") or DEFAULT_STORE,
            counters=bool(given.get("counters")),
            log=bool(given.get("log")),
            metrics=formulas_of(given.getlist("m")),
            rows=tuple(filter(None, given.getlist("rows")[:MAX_GIVEN])),
            **{
                field: given.get(PARAMETERS[field], "").strip()
                for field in ("dimension", "period", "compare", "order", "find", "page", "graph", "interval", "style")
            },
        )

    @classmethod
    def of_form(cls, pk: Path, given: QueryDict) -> State:
        """Read what the page's form sends: all of its fields, changed or not.

        A field `was_X` says what X showed; where that is what X still says, the page had chosen it, and goes on to.
        """
        state = cls.of_link(pk, given)
        typed = given.get("period_text", "").strip()
        if typed and (typed != given.get("was_period_text", "").strip() or not state.period):
            state = replace(state, period=typed)
        if state.metrics and state.metrics == formulas_of(given.getlist("was_m")):
            state = replace(state, metrics=())
        elif state.metrics:
            kept = {*state.metrics, "name", ""}
            graph = state.graph if state.graph in kept else ""
            state = replace(state, graph=graph, order=state.order if ordered_by(state.order) in kept else "")
        drawn = given.getlist("was_rows")
        if set(state.rows) == set(drawn) and not given.get("rows_chosen"):
            state = replace(state, rows=())
        # Lines keep their places, and so their colours; new ones come last.
        rows = sorted(state.rows, key=lambda row: drawn.index(row) if row in drawn else len(drawn))
        period = "" if state.period == DEFAULT_PERIOD else state.period
        return replace(state, page="", rows=tuple(rows), period=period)

    def changed(self, **changes: Any) -> State:
        return replace(self, **changes)

    def link(self, **changes: Any) -> str:
        """The query string of this state with some fields changed, on the table's first page unless it is named."""
        return "?" + urlencode(list(replace(self, **{"page": "", **changes}).pairs()))

    def pairs(self, *left_out: str) -> Iterator[tuple[str, str]]:
        """Names and values of the query string, without some fields."""
        for field in PARAMETERS:
            value = getattr(self, field)
            if field in left_out or not value or value == DEFAULTS[field]:
                continue
            if isinstance(value, tuple):
                yield from ((PARAMETERS[field], one) for one in value)
            else:
                yield PARAMETERS[field], "1" if value is True else value

    def elsewhere(self, **changes: Any) -> State:
        """The same view of another table: nothing of which rows, as those are others."""
        return replace(self, **{"page": "", "find": "", "rows": (), "counters": False, "dimension": "", **changes})


DEFAULTS = {field.name: field.default for field in fields(State)}


def ordered_by(order: str) -> str:
    """The formula that an order such as `-low:revenue/visitors` is about, as text."""
    text = order[1:] if order[:1] in ("+", "-") else order
    return re.sub(r"^(low|high|share|difference|effect|change):", "", text)


def formulas_of(given: list[str]) -> tuple[str, ...]:
    found = (one.strip() for text in given for one in _FORMULAS.findall(text[:MAX_CHARACTERS]))
    return tuple(dict.fromkeys(filter(None, found)))[:MAX_GIVEN]
