"""What a dashboard is made of, in plain values: as the database keeps it, and as a document spells it.

    {"slug": "shop", "title": "Shop", "period": "mtd", "compare": "previous", "panels": [
        {"kind": "number", "counter": "shop", "formulas": ["revenue as Revenue [$#]"], "width": 4},
        {"kind": "table", "counter": "shop", "dimension": "country", "formulas": ["revenue/uv:visitor", "revenue"]}]}

What is not said has a default, and what will not do is an `InvalidInput` that names the field and, of a panel, which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..conf import DEFAULT_STORE
from ..engine.domain.paths import ROOT, Path, path_of, pk_of
from ..engine.domain.period import parse_period
from ..engine.domain.query import Order, whole_number
from ..engine.errors import InvalidInput
from ..engine.explain.why import explainable
from .column import Column

KINDS = (
    ("number", pgettext_lazy("a panel", "number")),
    ("graph", pgettext_lazy("a panel", "graph")),
    ("table", pgettext_lazy("a panel", "table")),
    ("top", pgettext_lazy("a panel", "top list")),
    ("movers", pgettext_lazy("a panel", "what moved most")),
    ("decision", pgettext_lazy("a panel", "decision")),
    ("text", pgettext_lazy("a panel", "text")),
)
STYLES = (("line", _("lines")), ("area", _("areas")), ("bar", _("bars")))
WIDTHS = (
    (3, _("a quarter")),
    (4, _("a third")),
    (6, _("half")),
    (8, _("two thirds")),
    (12, pgettext_lazy("a width", "all")),
)

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
MAX_PANELS = 50
MAX_FILTERS = 5
MAX_COLUMNS = 12
MAX_TEXT = 20_000

COMPARED = ("previous", "weekdays", "month", "year")

# Whether a text means a period does not depend on when it is asked.
ANY_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)

# A number, "add", "first" and "import" are addresses of the admin's own.
_SLUG = re.compile(r"(?!(?:[0-9]+|add|first|import)\Z)[-\w]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PanelSpec:
    """One panel.

    `counter` is what it reads, `dimension` the path of its row (a number), or whose children are its rows and lines
    (all others; of a graph and of movers none means the whole); with `counters` its rows are child counters. `formulas`
    are columns (see `column`), of a graph and a top list the first counts, of movers there is one. A `limit` of 0 draws
    the children that matter. `order` is as in the address of a counter's page, e.g. `-low:revenue/visitors`. A
    `decision` names its counter, a `text` has only `text`.
    """

    kind: str = "table"
    title: str = ""
    counter: str = ""
    dimension: str = ""
    counters: bool = False
    formulas: tuple[str, ...] = ()
    order: str = ""
    limit: int = DEFAULT_LIMIT
    style: str = "line"
    period: str = ""
    text: str = ""
    width: int = 6
    key: str = field(default="", compare=False)

    NAMES: ClassVar[tuple[str, ...]]

    @classmethod
    def of(cls, given: Mapping[str, Any], key: str = "") -> PanelSpec:
        """Read and check. Raises `InvalidInput`."""
        _known("panels", given, cls.NAMES)
        kind = _one_of("kind", given.get("kind", "table"), KINDS)
        panel = cls(
            kind=kind,
            title=_text("title", given.get("title"), 200),
            counters=_switch("counters", given.get("counters")),
            limit=whole_number("limit", given.get("limit", DEFAULT_LIMIT), 0 if kind == "graph" else 1, MAX_LIMIT),
            style=_one_of("style", given.get("style") or "line", STYLES),
            width=_one_of("width", given.get("width", 6), WIDTHS),
            text=_text("text", given.get("text"), MAX_TEXT),
            period=_period("period", given.get("period")),
            key=key,
        )
        if kind == "text":
            return panel
        with _told_at("counter"):
            panel = replace(panel, counter=str(pk_of(given.get("counter") or None)))
        if kind == "decision":
            return panel
        with _told_at("formulas"):
            columns = list(map(Column.parse, _texts("formulas", given.get("formulas") or ["hits"], MAX_COLUMNS)))
        order = _text("order", given.get("order"), 500)
        if order:
            with _told_at("order"):
                Order.parse(order)
        if kind in ("graph", "number") and not columns[0].formula.is_number:
            raise InvalidInput("formulas", str(columns[0].formula), "draw something that tells a number")
        if kind == "movers":
            _movable(columns)
        return replace(
            panel,
            dimension=_dimension(given.get("dimension")),
            formulas=tuple(map(str, columns)),
            order=order,
        )

    @property
    def columns(self) -> list[Column]:
        return [Column.parse(text) for text in self.formulas]

    @property
    def pk(self) -> Path:
        return pk_of(self.counter)

    @property
    def path(self) -> Path:
        return Path.parse(self.dimension) if self.dimension else ROOT

    def document(self) -> dict[str, Any]:
        """What differs from the defaults, under the same names."""
        return _differing(self, self.NAMES, always=("kind",))


PanelSpec.NAMES = tuple(name for name in PanelSpec.__slots__ if name != "key")


@dataclass(frozen=True, slots=True)
class BoardSpec:
    """A dashboard with its panels, in their order."""

    slug: str
    title: str
    description: str = ""
    store: str = DEFAULT_STORE
    period: str = ""
    compare: str = ""
    filters: tuple[str, ...] = ()
    place: int = 10
    panels: tuple[PanelSpec, ...] = ()

    NAMES: ClassVar[tuple[str, ...]]

    @classmethod
    def of(cls, given: Mapping[str, Any], panels: Sequence[PanelSpec]) -> BoardSpec:
        """Read and check what is not panels. Raises `InvalidInput`."""
        _known("dashboard", given, cls.NAMES)
        slug = _text("slug", given.get("slug"), 100)
        if not _SLUG.fullmatch(slug):
            raise InvalidInput("slug", slug, "use letters, digits, - and _, and no number, add, first or import")
        return cls(
            slug,
            title=_text("title", given.get("title"), 200) or slug,
            description=_text("description", given.get("description"), MAX_TEXT),
            store=_text("store", given.get("store"), 100) or DEFAULT_STORE,
            period=_period("period", given.get("period")),
            compare=_compare(given.get("compare")),
            filters=tuple(map(str, read_filters(given.get("filters") or []))),
            place=whole_number("place", given.get("place", 10), 0, 1_000_000),
            panels=tuple(panels),
        )

    @classmethod
    def parse(cls, given: Any) -> BoardSpec:
        """Read a document. Raises `InvalidInput`."""
        if not isinstance(given, Mapping):
            raise InvalidInput("dashboard", given, 'use an object, e.g. {"slug": "shop", "panels": []}')
        panels = given.get("panels") or []
        if not isinstance(panels, list) or not all(isinstance(one, Mapping) for one in panels):
            raise InvalidInput("panels", panels, "use a list of objects")
        if len(panels) > MAX_PANELS:
            raise InvalidInput("panels", len(panels), f"a dashboard has at most {MAX_PANELS} panels")
        found = [_numbered(number, one) for number, one in enumerate(panels, 1)]
        return cls.of({name: value for name, value in given.items() if name != "panels"}, found)

    def document(self) -> dict[str, Any]:
        """What `parse` reads."""
        own = _differing(self, self.NAMES, always=("slug", "title"))
        return own | {"panels": [panel.document() for panel in self.panels]}


BoardSpec.NAMES = tuple(name for name in BoardSpec.__slots__ if name != "panels")


def read_filters(given: Any) -> list[Path]:
    """Values, each of a dimension of its own: `["country/US", "device/mobile"]`. Raises `InvalidInput`."""
    found: dict[str, Path] = {}
    for text in _texts("filters", given, MAX_FILTERS):
        path = Path.parse(text)
        if len(path) < 2:
            raise InvalidInput("filters", text, "name a value of a dimension, e.g. country/US")
        found[path[0]] = path
    return list(found.values())


@contextmanager
def _told_at(field: str) -> Iterator[None]:
    """What the engine will not have is told at the field in which it was written."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(field, error.value, error.expected) from error


def _movable(columns: Sequence[Column]) -> None:
    """Refuses what no child can have a part in, and more than one formula: what moved most is told of one."""
    if len(columns) > 1:
        raise InvalidInput("formulas", len(columns), "what moved most is told of one formula; make a panel of each")
    with _told_at("formulas"):
        explainable(columns[0].formula)


def _numbered(number: int, given: Mapping[str, Any]) -> PanelSpec:
    try:
        return PanelSpec.of(given)
    except InvalidInput as error:
        raise InvalidInput(f"panels[{number}].{error.field}", error.value, error.expected) from error


def _known(field: str, given: Mapping[str, Any], names: Sequence[str]) -> None:
    for name in given:
        if name not in names:
            raise InvalidInput(field, name, f"use {', '.join(names)}")


def _one_of(field: str, given: Any, choices: Sequence[tuple[Any, Any]]) -> Any:
    values = [value for value, _name in choices]
    if given not in values:
        raise InvalidInput(field, given, f"use one of {', '.join(map(str, values))}")
    return values[values.index(given)]


def _switch(field: str, given: Any) -> bool:
    if given not in (None, True, False):
        raise InvalidInput(field, given, "use true or false")
    return bool(given)


def _text(field: str, given: Any, most: int) -> str:
    text = "" if given is None else given
    if not isinstance(text, str) or "\0" in text:
        raise InvalidInput(field, given, "use text")
    text = text.strip()
    if len(text) > most:
        raise InvalidInput(field, f"{text[:20]}…", f"it has at most {most:,} characters, this has {len(text):,}")
    return text


def _texts(field: str, given: Any, most: int) -> list[str]:
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list | tuple) or not all(isinstance(one, str) for one in listed):
        raise InvalidInput(field, given, "use a list of texts")
    found = [one.strip() for one in listed if one.strip()]
    if len(found) > most:
        raise InvalidInput(field, len(found), f"name at most {most}")
    return found


def _period(field: str, given: Any) -> str:
    text = _text(field, given, 100)
    if text:
        with _told_at(field):
            parse_period(text, now=ANY_MOMENT, zone=UTC)
    return text


def _compare(given: Any) -> str:
    text = _text("compare", given, 100)
    return text if text in COMPARED else _period("compare", text)


def _dimension(given: Any) -> str:
    if given in (None, ""):
        return ""
    return str(path_of(given))


def _differing(spec: Any, names: Sequence[str], always: Sequence[str]) -> dict[str, Any]:
    defaults = {name: one.default for name, one in spec.__dataclass_fields__.items()}
    found = ((name, getattr(spec, name)) for name in names)
    told = {name: value for name, value in found if name in always or value != defaults[name]}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}
