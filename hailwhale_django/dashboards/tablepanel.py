"""The panel that ranks: the children of a path, or child counters, as a table or a short list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from django.utils.translation import gettext, pgettext

from ..engine.domain.answer import Answer, Cell, Row
from ..engine.domain.paths import Path
from ..engine.domain.query import Filter, Order, Query
from ..engine.errors import InvalidInput
from . import writing
from .asking import Ask, Conversation
from .cells import PanelCell, panel_cell
from .chooser import Chooser, chooser_of, columns_of
from .column import Column
from .graph import Spark
from .panels import Choice, ShownPanel, doubts_of, narrowed_table, notes_of, opened, spark_of
from .question import whole_table
from .spec import MAX_FILTERS, PanelSpec
from .state import State
from .table import Bar, bars_of, certain_end, has_intervals, ordering
from .whystate import WhyLink, whole_name

LARGEST_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class PanelHeading:
    """A column: how it is sorted ("", "ascending", "descending"), and the link that sorts by it, if anything does."""

    title: str
    formula: str = ""
    sorted: str = ""
    link: str = ""
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class PanelRow:
    """A row; `narrow` filters the dashboard by it, `down` shows what is beneath it."""

    name: str
    cells: Sequence[PanelCell]
    bar: Bar | None = None
    spark: Spark | None = None
    narrow: str = ""
    down: str = ""
    children: int = 0
    chosen: bool = False
    kind: str = ""


@dataclass(frozen=True, slots=True)
class TablePanel(ShownPanel):
    """Rows in order, `(other)` and the whole apart from them."""

    name: PanelHeading = field(default_factory=lambda: PanelHeading(""))
    headings: Sequence[PanelHeading] = ()
    rows: Sequence[PanelRow] = ()
    other: PanelRow | None = None
    totals: PanelRow | None = None
    crumbs: Sequence[tuple[str, str]] = ()
    orders: Sequence[Choice] = ()
    order_words: str = ""
    count: int = 0
    first: int = 0
    last: int = 0
    previous: str = ""
    next: str = ""
    sheet: str = ""
    has_sparks: bool = False
    chooser: Chooser | None = None
    kind: ClassVar[str] = "table"

    @property
    def is_all(self) -> bool:
        return self.last - self.first + 1 >= self.count

    @property
    def count_text(self) -> str:
        return writing.number(self.count)


def table_panel(spec: PanelSpec, ask: Ask) -> Conversation[ShownPanel]:
    """The children of a path, or child counters, in the order that was chosen."""
    asked = _Tabled(spec, ask)
    answer = yield from ask.tabling(asked.query)
    return asked.panel(asked.bounded(answer))


def panel_sheet(spec: PanelSpec, ask: Ask) -> Conversation[Answer]:
    """All of a table, for a spreadsheet."""
    asked = _Tabled(spec, ask)
    answer = yield from ask.tabling(whole_table(asked.query))
    return asked.bounded(answer)


class _Tabled:
    """A table panel while it is asked for."""

    def __init__(self, spec: PanelSpec, ask: Ask) -> None:
        self.spec, self.ask, self.columns = spec, ask, columns_of(spec, ask)
        self.path = self._path()
        narrowed = self.narrowed = narrowed_table(spec, ask, self.path)
        self.order = self._order()
        self.query = Query(
            pk=spec.pk,
            formulas=tuple(column.formula for column in self.columns),
            period=ask.period,
            dimension=narrowed.path,
            counters=spec.counters,
            order=(self.order,),
            filters=(Filter.parse(["exactly", "name", [narrowed.name]]),) if narrowed.name else (),
            limit=spec.limit,
            offset=(self._page() - 1) * spec.limit,
            compare=ask.compare,
            bounds=True,
            drillable=not spec.counters,
            plotted=spec.kind == "table" and ask.sparks([column.formula for column in self.columns]),
        )

    def _path(self) -> Path:
        """The panel's own, or one beneath it that was chosen."""
        own, given = self.spec.path, self.ask.state.of("d", self.spec.key)
        if not given or self.spec.counters:
            return own
        try:
            chosen = Path.parse(given)
        except InvalidInput:
            return own
        return chosen if chosen[: len(own)] == own else own

    def _order(self) -> Order:
        """As the address says, by a column; else as the panel says; else by the first column."""
        formulas = [column.formula for column in self.columns]
        for given in (self.ask.state.of("o", self.spec.key), self.spec.order):
            try:
                order = Order.parse(given) if given else None
            except InvalidInput:
                continue
            if order is not None and (order.formula is None or order.formula in formulas):
                return order
        first = next((one for one in formulas if one.is_number), None)
        return Order(first) if first else Order(None, "name", descending=False)

    def _page(self) -> int:
        given = self.ask.state.of("page", self.spec.key)
        return min(max(int(given), 1), LARGEST_PAGE) if given.isdecimal() and len(given) < 9 else 1

    def bounded(self, answer: Answer) -> Answer:
        """Where one row is all that may be seen, nothing tells of what it is a part of."""
        if not self.narrowed.name or not self.ask.fixed:
            return answer
        rows = [row._replace(cells=tuple(map(_alone, row.cells))) for row in answer.rows]
        none = Row(answer.totals.path, tuple(Cell(None) for _ in answer.columns))
        return replace(answer, rows=rows, other=None, totals=rows[0] if rows else none)

    # What it shows

    def panel(self, answer: Answer) -> ShownPanel:
        query, column = self.query, self._sorted()
        bars: Sequence[Bar | None] = [None] * len(answer.rows)
        measured = next((at for at, one in enumerate(self.columns) if one.formula.is_number), None)
        measured = measured if column is None else column
        if measured is not None and not self.narrowed.name:
            bars = bars_of(answer, answer.rows, measured)
        rows = [self._row(answer, row, bar) for row, bar in zip(answer.rows, bars, strict=True)]
        last, page = query.offset + len(rows), query.offset // (query.limit or 1) + 1
        return TablePanel(
            self.spec,
            self.spec.title or " / ".join((*self.spec.pk, *self.spec.path)),
            notes_of(self.narrowed.problem, answer.warnings, bounds=answer.query.bounds),
            opened(self._counter_state(), self.ask),
            name=self._heading(None),
            headings=[self._heading(one) for one in self.columns],
            rows=rows,
            other=self._row(answer, answer.other, None, "other") if answer.other and not self.narrowed.name else None,
            totals=None if self.narrowed.name else self._row(answer, answer.totals, None, "total"),
            crumbs=self._crumbs(),
            orders=self._orders(),
            order_words=self._order_words(),
            count=answer.count,
            first=query.offset + 1 if rows else 0,
            last=last,
            previous=self._link(page=str(page - 1)) if page > 1 else "",
            next=self._link(page=str(page + 1)) if rows and last < answer.count else "",
            sheet=self._sheet(),
            has_sparks=query.plotted and any(row.spark for row in rows),
            chooser=chooser_of(self.spec, self.ask),
        )

    def _sorted(self) -> int | None:
        formulas = [column.formula for column in self.columns]
        return formulas.index(self.order.formula) if self.order.formula in formulas else None

    def _row(self, answer: Answer, row: Row, bar: Bar | None, kind: str = "") -> PanelRow:
        column = self._sorted()
        # Of the only row that may be seen it is not said what it is of the whole.
        alone = kind == "total" or bool(self.narrowed.name)
        cells = [
            panel_cell(cell, one, whole, sorted=at == column, is_whole=alone)
            for at, (cell, one, whole) in enumerate(zip(row.cells, self.columns, answer.totals.cells, strict=True))
        ]
        cells = [replace(one, why=why) for one, why in zip(cells, self._doubts(row, kind), strict=True)]
        points = row.cells[column or 0].points
        names = {"other": writing.of_other(row.name), "total": gettext("total")}
        shown = PanelRow(names.get(kind, row.name), cells, bar, spark_of(points, self.ask), kind=kind)
        if kind or not self.ask.rights.chooses:
            return shown
        beneath = "" if self.spec.counters else str(self.path.child(row.name))
        return replace(
            shown,
            narrow=self._narrowing(self.path.child(row.name)),
            down=self._link(d=beneath) if row.children else "",
            children=row.children,
            chosen=bool(self.narrowed.name),
        )

    def _doubts(self, row: Row, kind: str) -> list[WhyLink | None]:
        if kind == "other":
            return [None] * len(self.columns)
        if self.spec.counters and not kind:
            child = self.spec.pk.child(row.name)
            return doubts_of(row._replace(path=Path()), row.name, self.columns, child, self.ask)
        return doubts_of(row, whole_name(row.path) if kind else row.name, self.columns, self.spec.pk, self.ask)

    def _narrowing(self, path: Path) -> str:
        """The link that filters by a value, or (it is the filter already) that takes it away."""
        if self.spec.counters or len(path) < 2 or any(one[0] == path[0] for one in self.ask.fixed):
            return ""
        others = [str(one) for one in self.ask.filters if one[0] != path[0]]
        chosen = [str(one) for one in self.ask.filters]
        text = str(path)
        # The oldest of too many goes, rather than all of them.
        return self.ask.state.link(filters=tuple(others if text in chosen else [*others, text][-MAX_FILTERS:]))

    def _heading(self, column: Column | None) -> PanelHeading:
        formula = column.formula if column else None
        title = column.title if column else self._name_of_rows()
        if column is not None and not column.formula.is_number:
            return PanelHeading(title, str(column.formula), is_number=False)
        chosen = self.order.formula == formula
        direction = ("descending" if self.order.descending else "ascending") if chosen else ""
        descending = not self.order.descending if chosen else formula is not None and not self._lower(column)
        aspect = self.order.aspect if chosen and self.order.aspect in ("change", "share") else ""
        turned = ordering(formula, aspect, descending)
        return PanelHeading(title, str(formula or ""), direction, self._link(o=turned))

    def _lower(self, column: Column | None) -> bool:
        return column is not None and column.lower_is_better

    def _name_of_rows(self) -> str:
        if self.spec.counters:
            return self.spec.pk.name
        return self.path.name if self.path else gettext("dimension")

    def _orders(self) -> list[Choice]:
        """Other ways to sort by the same column."""
        formula, descending, now = self.order.formula, self.order.descending, self.order.aspect
        if formula is None or not self.ask.rights.chooses:
            return []
        column = next(one for one in self.columns if one.formula == formula)
        certain = certain_end(descending)
        ways = [(pgettext("to order by", "value"), "value", True)]
        ways.append((pgettext("to order by", "what is certain"), certain, has_intervals(formula)))
        ways.append((pgettext("to order by", "change"), "change", self.ask.compare is not None))
        title = gettext("Order by %(column)s") % {"column": column.title}
        choices = [
            Choice(text, self._link(o=ordering(formula, aspect, descending)), aspect == now, title)
            for text, aspect, possible in ways
            if possible
        ]
        return choices if len(choices) > 1 else []

    def _order_words(self) -> str:
        order = self.order
        if order.formula is None:
            return gettext("by name, from Z to A") if order.descending else gettext("by name, from A to Z")
        title = next(one.title for one in self.columns if one.formula == order.formula)
        words = {
            ("change", True): gettext("by the change of %(formula)s, greatest rise first"),
            ("change", False): gettext("by the change of %(formula)s, greatest fall first"),
            ("low", True): gettext("by what is certain of %(formula)s, highest first"),
            ("high", False): gettext("by what is certain of %(formula)s, lowest first"),
        }.get((order.aspect, order.descending))
        plain = (
            gettext("by %(formula)s, highest first") if order.descending else gettext("by %(formula)s, lowest first")
        )
        return (words or plain) % {"formula": title}

    def _crumbs(self) -> list[tuple[str, str]]:
        """From the panel's own path down to the one that is shown; none where it is its own."""
        own, path = len(self.spec.path), self.path
        if len(path) == own:
            return []
        return [
            (path[at - 1] if at else self.spec.pk.name, self._link(d=str(Path(path[:at])) if at > own else ""))
            for at in range(own, len(path) + 1)
        ]

    def _link(self, **changes: str) -> str:
        if not self.ask.rights.chooses:
            return ""
        return self.ask.state.panel_link(self.spec.key, **changes)

    def _sheet(self) -> str:
        here = self._link(page="")
        return f"{here}&sheet={self.spec.key}" if here and self.spec.key else ""

    def _counter_state(self) -> State:
        metrics = tuple(str(column.formula) for column in self.columns)
        order = ordering(self.order.formula, self.order.aspect, self.order.descending)
        path = "" if self.spec.counters else str(self.narrowed.path)
        return State(self.spec.pk, dimension=path, counters=self.spec.counters, metrics=metrics, order=order)


def _alone(cell: Cell) -> Cell:
    """What a cell tells without the whole, and without the other rows, by whose scatter intervals are made."""
    return cell._replace(share=None, difference=None, effect=None, important=False, low=None, high=None)
