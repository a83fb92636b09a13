"""What the address of a "why?" says: whose change is to be explained. And the links to such addresses, beside changes.

The parameters are those of a counter's page, with `f` for the column; what is empty is left to the page to choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext

from ..conf import DEFAULT_STORE
from ..engine.domain.answer import Cell
from ..engine.domain.crossing import is_crossed
from ..engine.domain.formula import Formula
from ..engine.domain.paths import Path
from ..engine.errors import InvalidInput
from ..engine.explain.region import Region
from ..engine.explain.why import explainable
from .column import Column
from .explained import region_name
from .state import MAX_CHARACTERS, PARAMETERS, State

DEFAULT_COMPARE = "previous"

REMEMBERED_FORMULAS = 1024  # a page asks of each of its cells


@dataclass(frozen=True, slots=True)
class WhyState:
    """The question what made a number move: `column`, as somebody wrote it down, at a path of the counter `pk`."""

    pk: Path
    column: str = ""
    dimension: str = ""
    period: str = ""
    compare: str = ""
    store: str = DEFAULT_STORE

    @classmethod
    def of_link(cls, pk: Path, given: QueryDict) -> WhyState:
        """Read a query string as `query` writes it."""
        return cls._of(State.of_link(pk, given), given)

    @classmethod
    def of_form(cls, pk: Path, given: QueryDict) -> WhyState:
        """Read what the page's form sends, in which a period can be typed, too."""
        return cls._of(State.of_form(pk, given), given)

    @classmethod
    def _of(cls, state: State, given: QueryDict) -> WhyState:
        column = given.get("f", "").strip()[:MAX_CHARACTERS]
        return cls(state.pk, column, state.dimension, state.period, state.compare, state.store)

    def changed(self, **changes: Any) -> WhyState:
        return replace(self, **changes)

    def query(self) -> str:
        return "?" + urlencode(list(self.pairs()))

    def pairs(self, *left_out: str) -> Iterator[tuple[str, str]]:
        """Names and values of the query string, without some fields."""
        usual = {"store": DEFAULT_STORE, "compare": DEFAULT_COMPARE}
        names = {"column": "f"} | {name: PARAMETERS[name] for name in ("dimension", "period", "compare", "store")}
        for field, name in names.items():
            value = getattr(self, field)
            if field not in left_out and value and value != usual.get(field):
                yield name, value


WhyAddress = Callable[[WhyState], str]
"""The address of the page that explains; "" where there is none for who looks."""


@dataclass(frozen=True, slots=True)
class WhyLink:
    """The link beside a change; `words` say of what."""

    address: str
    words: str


def why_of(cell: Cell, column: Column, name: str, state: WhyState, address: WhyAddress) -> WhyLink | None:
    """The link that explains a cell's change; `None` where it did not change, or nothing could be said.

    `name` is whose value it is, "" that of all there is.
    """
    if cell.value is None or cell.before is None or cell.value == cell.before or not is_explainable(column.formula):
        return None
    found = address(state.changed(column=str(column)))
    return WhyLink(found, asked(column.title, name)) if found else None


def whole_name(path: Path) -> str:
    """What has the total of a path's table: "" for all there is, of which a dimension is a table, too."""
    above = path.parent if is_crossed(path) else path
    return region_name(Region(above)) if len(above) > 1 else ""


def asked(title: str, name: str) -> str:
    """The question in words."""
    if not name:
        return gettext("Why did %(formula)s change?") % {"formula": title}
    return gettext("Why did %(formula)s of %(name)s change?") % {"formula": title, "name": name}


@lru_cache(maxsize=REMEMBERED_FORMULAS)
def is_explainable(formula: Formula) -> bool:
    try:
        explainable(formula)
    except InvalidInput:
        return False
    return True
