"""Columns that whoever looks chose for a table panel: one on each line, in the address and in a form below the table.

Only for those who may see counters; a shared link or a viewer's address that names columns shows the panel's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from ..engine.errors import InvalidInput
from .asking import Ask
from .column import Column
from .question import said
from .spec import MAX_COLUMNS, PanelSpec

LETTER = "m"
"""What the address calls the columns of a panel, before its key."""


@dataclass(frozen=True, slots=True)
class Chooser:
    """The form: its field's name and text, the lines that will not do, and what else of the address it keeps.

    `reset` leads to the columns that the dashboard has, where these are others.
    """

    name: str
    text: str
    problems: Sequence[tuple[str, str]]
    pairs: Sequence[tuple[str, str]]
    reset: str

    @property
    def can_be_kept(self) -> bool:
        return bool(self.reset) and not self.problems


def may_choose(spec: PanelSpec, ask: Ask) -> bool:
    return ask.rights.explores and spec.kind == "table" and bool(spec.key)


def columns_of(spec: PanelSpec, ask: Ask) -> list[Column]:
    """Those that were chosen, as far as they are understood; else the panel's own."""
    return _chosen(_text(spec, ask))[0] or spec.columns


def chooser_of(spec: PanelSpec, ask: Ask) -> Chooser | None:
    """The form, for those who may choose."""
    if not may_choose(spec, ask):
        return None
    given, name = _text(spec, ask), f"{LETTER}{spec.key}"
    return Chooser(
        name,
        given or "\n".join(spec.formulas),
        _chosen(given)[1],
        list(ask.state.pairs(name, f"page{spec.key}")),
        ask.state.panel_link(spec.key, **{LETTER: ""}) if given else "",
    )


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _text(spec: PanelSpec, ask: Ask) -> str:
    return ask.state.of(LETTER, spec.key) if may_choose(spec, ask) else ""


def _chosen(text: str) -> tuple[list[Column], list[tuple[str, str]]]:
    """Columns, and the lines that make none with the reason."""
    found: list[Column] = []
    problems: list[tuple[str, str]] = []
    for line in lines_of(text):
        try:
            found.append(Column.parse(line))
        except InvalidInput as error:
            problems.append((line, said(error)))
    too_many = gettext("A page has at most %(count)s columns.") % {"count": MAX_COLUMNS}
    problems += [(str(column), too_many) for column in found[MAX_COLUMNS:]]
    return found[:MAX_COLUMNS], problems
