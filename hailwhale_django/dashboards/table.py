"""An answer's rows, as a page shows them and as a spreadsheet gets them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from ..engine.domain.answer import Answer, Cell, Row
from ..engine.domain.formula import Formula
from ..engine.domain.paths import escaped
from ..engine.domain.query import Order
from . import told, writing
from .state import State
from .whystate import WhyLink

WHOLE_ROW = "/"
"""How the query string calls the table's own row; no name is escaped like this."""

# What a spreadsheet would take for the beginning of a formula.
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class ShownCell:
    """One value: its text, half the width of its interval, what it was before, and whether it stands out.

    What is no number has `told`, and `None` there of nothing.
    """

    text: str
    sorted: bool
    width: str = ""
    width_title: str = ""
    share: str = ""
    change: writing.Change | None = None
    mark: str = ""
    mark_title: str = ""
    is_number: bool = True
    told: told.ShownTold | None = None
    why: WhyLink | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A value as a bar from zero, its interval as a line, the whole's value as a mark. Places are parts of 100."""

    begin: str
    width: str
    zero: str
    low: str = ""
    high: str = ""
    whole: str = ""


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row; `value` is how the query string calls it, `line` its number on the graph."""

    name: str
    value: str
    cells: list[ShownCell]
    bar: Bar | None = None
    link: str = ""
    children: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True)
class Heading:
    """A column: its formula, how it is sorted ("", "ascending", "descending"), and the link that sorts by it, if
    anything does.
    """

    text: str
    sorted: str
    link: str
    kind: str


def headings(answer: Answer, state: State) -> list[Heading]:
    return [
        heading(formula, answer.query.order[0], state)
        if formula.is_number
        else Heading(str(formula), "", "", formula.kind)
        for formula in answer.columns
    ]


def heading(formula: Formula | None, order: Order, state: State) -> Heading:
    """The heading of a column, or (`None`) of the names; sorting again by the same turns the order around."""
    chosen = order.formula == formula
    direction = ("descending" if order.descending else "ascending") if chosen else ""
    descending = not order.descending if chosen else formula is not None
    certain = chosen and order.aspect in ("low", "high")
    turned = ordering(formula, certain_end(descending) if certain else "", descending)
    return Heading(
        text="" if formula is None else str(formula),
        sorted=direction,
        link=state.link(order=turned),
        kind="name" if formula is None else formula.kind,
    )


def ordering(formula: Formula | None, aspect: str, descending: bool) -> str:
    """An order as an address has it: `-revenue`, `+name`, `-change:revenue`."""
    prefix = f"{aspect}:" if aspect not in ("", "value", "name") else ""
    return f"{'-' if descending else '+'}{prefix}{'name' if formula is None else formula}"


def certain_end(descending: bool) -> str:
    """What is certain is the end of the interval that is nearer to the others."""
    return "low" if descending else "high"


def has_intervals(formula: Formula) -> bool:
    """Whether it is a ratio of sums."""
    sides = [side for side in (formula.numerator, formula.denominator) if side is not None]
    return bool(sides) and all(side.is_linear for side in sides)


def shown_rows(answer: Answer, rows: Sequence[Row], lines: dict[str, int], state: State) -> list[ShownRow]:
    """Rows as the page has them; `lines` are the numbers of those on the graph, by name."""
    column = sorted_column(answer)
    bars = bars_of(answer, rows, column) if column is not None else [None] * len(rows)
    return [
        ShownRow(
            name=row.name,
            value=escaped(row.name),
            cells=cells(answer, row),
            bar=bar,
            link=state.elsewhere(dimension=str(row.path)).link(),
            children=row.children,
            line=lines.get(row.name, 0),
        )
        for row, bar in zip(rows, bars, strict=True)
    ]


def cells(answer: Answer, row: Row) -> list[ShownCell]:
    column = sorted_column(answer)
    return [
        shown_cell(cell, formula, whole, at == column, is_whole=row is answer.totals)
        for at, (cell, formula, whole) in enumerate(zip(row.cells, answer.columns, answer.totals.cells, strict=True))
    ]


def sorted_column(answer: Answer) -> int | None:
    formula = answer.query.order[0].formula
    return answer.columns.index(formula) if formula in answer.columns else None


def shown_cell(cell: Cell, formula: Formula, whole: Cell, chosen: bool, *, is_whole: bool) -> ShownCell:
    if not formula.is_number:
        return ShownCell(writing.NOTHING, sorted=False, is_number=False, told=told.shown(cell.told, formula))
    ratio = formula.is_ratio
    width = width_title = share = mark = mark_title = ""
    if cell.low is not None and cell.high is not None:
        width = writing.plus_minus(cell.low, cell.high)
        width_title = gettext("95%% sure to be between %(low)s and %(high)s") % {
            "low": writing.number(cell.low, ratio=True),
            "high": writing.number(cell.high, ratio=True),
        }
    if not ratio and not is_whole and cell.share is not None:
        share = writing.percent(cell.share)
    if chosen and not is_whole and cell.important:
        mark, mark_title = standing_out(cell, whole, formula)
    return ShownCell(
        text=writing.told(cell.value, formula),
        sorted=chosen,
        width=width,
        width_title=width_title,
        share=share,
        change=writing.change(cell.value, cell.before, cell.change, ratio=ratio, is_level=formula.is_level),
        mark=mark,
        mark_title=mark_title,
    )


def standing_out(cell: Cell, whole: Cell, formula: Formula) -> tuple[str, str]:
    """A mark for a row that matters, and why: full when that is more than chance, hollow when it may be none."""
    if not (formula.is_ratio or formula.is_level):
        return "◆", gettext("Stands out: %(share)s of the whole") % {"share": writing.percent(cell.share)}
    words = {
        "difference": writing.percent(abs(cell.difference or 0)),
        "whole": writing.told(whole.value, formula),
    }
    above = (cell.difference or 0) > 0
    if cell.low is not None and cell.high is not None and cell.low <= (whole.value or 0) <= cell.high:
        return "◇", (
            gettext("%(difference)s above the whole's %(whole)s, which may be chance")
            if above
            else gettext("%(difference)s below the whole's %(whole)s, which may be chance")
        ) % words
    return "◆", (
        gettext("Stands out: %(difference)s above the whole's %(whole)s")
        if above
        else gettext("Stands out: %(difference)s below the whole's %(whole)s")
    ) % words


def bars_of(answer: Answer, rows: Sequence[Row], column: int) -> list[Bar | None]:
    """A bar for each row; all have one scale, from the least value to the greatest, with zero on it."""
    chosen = [row.cells[column] for row in rows]
    formula = answer.columns[column]
    ratio = formula.is_ratio
    # Of what the sums add up to the parts are far below; of ratios and levels the whole is among the parts.
    marked = ratio or formula.is_level
    of_whole = answer.totals.cells[column].value if marked else None
    values = [value for value in (*(cell.value for cell in chosen), of_whole) if value is not None]
    low, high = min([0.0, *values]), max([0.0, *values])
    if low == high:
        return [None] * len(rows)
    if ratio:  # some room for the intervals; what is wider is cut off, as one wide row would flatten all others
        room = (high - low) * 0.15
        low, high = low - room * (low < 0), high + room * (high > 0)

    def place(value: float) -> float:
        return (min(max(value, low), high) - low) / (high - low) * 100

    def bar(cell: Cell) -> Bar | None:
        if cell.value is None:
            return None
        zero, at = place(0), place(cell.value)
        begin, end = min(zero, at), max(zero, at)
        certain = cell.low is not None and cell.high is not None
        return Bar(
            begin=f"{begin:.2f}",
            width=f"{max(end - begin, 0.2):.2f}",
            zero=f"{zero:.2f}",
            low=f"{place(cell.low):.2f}" if certain and cell.low is not None else "",
            high=f"{place(cell.high):.2f}" if certain and cell.high is not None else "",
            whole="" if of_whole is None else f"{place(of_whole):.2f}",
        )

    return [bar(cell) for cell in chosen]


def spreadsheet(answer: Answer) -> Iterator[list[str | float | None]]:
    """The table's headings, children, `(other)` and totals. Numbers are numbers, and nothing is a formula.

    Where only children of some names were asked for, that is all there is.
    """
    compared = answer.query.compare is not None
    yield [safe(text) for text in (gettext("name"), *_spreadsheet_headings(answer.columns, compared))]
    for row in answer.rows:
        yield [safe(row.name), *_spreadsheet_cells(row, answer.columns, compared)]
    if any(one.test in ("is", "exactly") for one in answer.query.filters):
        return
    if answer.other is not None:
        yield [safe(answer.other.name), *_spreadsheet_cells(answer.other, answer.columns, compared)]
    yield [gettext("total"), *_spreadsheet_cells(answer.totals, answer.columns, compared)]


def safe(text: str) -> str:
    """Text that no spreadsheet reads as a formula."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def _spreadsheet_headings(columns: Sequence[Formula], compared: bool) -> Iterator[str]:
    for formula in columns:
        yield str(formula)
        if formula.is_ratio:
            yield gettext("%(formula)s, low") % {"formula": formula}
            yield gettext("%(formula)s, high") % {"formula": formula}
        if compared and formula.is_number:
            yield gettext("%(formula)s, before") % {"formula": formula}


def _spreadsheet_cells(row: Row, columns: Sequence[Formula], compared: bool) -> Iterator[Any]:
    for cell, formula in zip(row.cells, columns, strict=True):
        if not formula.is_number:
            yield safe(told.plain(cell.told) or "")
            continue
        yield plain(cell.value)
        if formula.is_ratio:
            yield plain(cell.low)
            yield plain(cell.high)
        if compared:
            yield plain(cell.before)


def plain(value: float | None) -> float | int | None:
    """Whole numbers without a decimal point; nothing for what cannot be told."""
    return int(value) if value is not None and value == int(value) else value
