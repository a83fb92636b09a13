"""One number of a panel: how it is written, how sure it is, and what became of it since the period compared with."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils.translation import gettext

from ..engine.domain.answer import Cell
from . import told, writing
from .column import Column
from .table import standing_out
from .whystate import WhyLink
from .writing import Change


@dataclass(frozen=True, slots=True)
class PanelCell:
    """Texts of one value. `tone` is "good" or "bad" where it changed, by what the column says is good.

    What is no number has `told`, and `None` there of nothing.
    """

    column: Column
    text: str
    width: str = ""
    width_title: str = ""
    share: str = ""
    change: Change | None = None
    tone: str = ""
    mark: str = ""
    mark_title: str = ""
    sorted: bool = False
    told: told.ShownTold | None = None
    why: WhyLink | None = None


def panel_cell(cell: Cell, column: Column, whole: Cell, *, sorted: bool = False, is_whole: bool = False) -> PanelCell:
    """What a panel shows of a cell; `whole` is the one of the row that it is a part of."""
    formula = column.formula
    if not formula.is_number:
        return PanelCell(column, writing.NOTHING, told=told.shown(cell.told, formula))
    width, width_title = _interval(cell, column)
    mark = mark_title = ""
    if sorted and not is_whole and cell.important:
        mark, mark_title = standing_out(cell, whole, formula)
    share = "" if is_whole or formula.is_ratio or cell.share is None else writing.percent(cell.share)
    return PanelCell(
        column,
        column.text(cell.value),
        width,
        width_title,
        share,
        _change(cell, column),
        _tone(cell, column),
        mark,
        mark_title,
        sorted,
    )


def _interval(cell: Cell, column: Column) -> tuple[str, str]:
    if cell.low is None or cell.high is None:
        return "", ""
    title = gettext("95%% sure to be between %(low)s and %(high)s") % {
        "low": column.text(cell.low),
        "high": column.text(cell.high),
    }
    if column.format == "%":
        return writing.in_percent(writing.plus_minus(cell.low * 100, cell.high * 100)), title
    half = writing.plus_minus(cell.low, cell.high)
    return column.dressed((cell.high - cell.low) / 2, half), title


def _change(cell: Cell, column: Column) -> Change | None:
    formula = column.formula
    change = writing.change(cell.value, cell.before, cell.change, ratio=formula.is_ratio, is_level=formula.is_level)
    if change is None or not column.format or cell.before is None:
        return change
    return replace(change, was=column.text(cell.before))


def _tone(cell: Cell, column: Column) -> str:
    if cell.before is None or cell.value is None or cell.value == cell.before:
        return ""
    return "good" if (cell.value > cell.before) != column.lower_is_better else "bad"
