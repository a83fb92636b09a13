"""A dashboard as a mail shows it: numbers, tables and small lines as plain texts, over one span of time.

Mailboxes take neither style sheets nor scripts nor pictures, so that a line is made of letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.utils.translation import gettext

from ..engine.domain.answer import Answer, Cell, Row
from ..engine.domain.crossing import Crossings
from ..engine.domain.formula import Formula
from ..engine.domain.paths import Path
from ..engine.domain.period import Period, compare_period
from ..engine.domain.query import Filter, Order, Query
from ..engine.errors import HailWhaleError
from ..engine.pod import Pod
from . import told, writing
from .asking import Conversation
from .caveats import caveat
from .cells import PanelCell, panel_cell
from .column import Column
from .moverspanel import answer_of, looked_at, question_of, rows_of, title_of
from .narrowing import Narrowed, NotNarrowed, narrow_counters, narrow_row, narrow_table
from .spec import COMPARED, DEFAULT_LIMIT, BoardSpec, PanelSpec, read_filters

LEVELS = "▁▂▃▄▅▆▇█"
MOST_POINTS = 62
"""Letters that fit a line of a mail: two months by day."""

MOST_ROWS = 20

SPANS = {"day": "yesterday", "week": "last week"}
COMPARISONS = {"day": "weekdays", "week": "previous"}
"""What a report tells of, and what it compares this with unless the dashboard says: a Sunday with a Sunday."""


@dataclass(frozen=True, slots=True)
class MailedLine:
    """A line over time: of letters, and what it says in words."""

    letters: str
    words: str


@dataclass(frozen=True, slots=True)
class MailedCell:
    """A number of a column, and what became of it. `tone` is "good" or "bad"."""

    title: str
    text: str
    change: str = ""
    words: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class MailedRow:
    name: str
    cells: Sequence[MailedCell]
    line: MailedLine | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class MailedPanel:
    """`kind` is "figures" (rows are numbers with their names), "table", "text" or "away" (only notes)."""

    title: str
    kind: str
    headings: Sequence[str] = ()
    rows: Sequence[MailedRow] = ()
    text: str = ""
    span: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class MailedBoard:
    title: str
    description: str
    span: str
    compared: str
    panels: Sequence[MailedPanel] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the panels are asked with."""

    pod: Pod
    now: float
    period: Period
    how: str
    filters: Sequence[Path]

    @property
    def compare(self) -> Period:
        return compare_period(self.period, self.how, now=datetime.fromtimestamp(self.now, UTC))

    def of(self, panel: PanelSpec) -> _Asked:
        """A panel may have a period of its own, and is compared with the one before."""
        if not panel.period:
            return self
        period = self.pod.period(panel.period, None, self.now)
        return _Asked(self.pod, self.now, period, "previous", self.filters)

    @property
    def crossings(self) -> Crossings:
        return self.pod.store.options.crossings


def mailed_board(spec: BoardSpec, every: str, pod: Pod, now: float) -> MailedBoard:
    """A dashboard over the day or the week that is over. Raises `StoreUnavailable`."""
    how = spec.compare if spec.compare in COMPARED else COMPARISONS[every]
    asked = _Asked(pod, now, pod.period(SPANS[every], None, now), how, read_filters(list(spec.filters)))
    spans = writing.span(asked.period), writing.span(asked.compare)
    return MailedBoard(spec.title, spec.description, *spans, panels_of(spec, asked))


def panels_of(spec: BoardSpec, asked: _Asked) -> list[MailedPanel]:
    """What of the panels can be mailed, read together. Raises `StoreUnavailable`."""
    found = asked.pod.together([_panel(panel, asked) for panel in spec.panels])
    return [
        MailedPanel(_title(panel), "away", notes=[str(one)]) if isinstance(one, HailWhaleError) else one
        for panel, one in zip(spec.panels, found, strict=True)
    ]


def _panel(panel: PanelSpec, whole: _Asked) -> Conversation[MailedPanel]:
    """What is wrong with it, or with its own period, is raised there."""
    asked = whole.of(panel)
    match panel.kind:
        case "text":
            return MailedPanel(panel.title, "text", text=panel.text)
        case "decision":
            return MailedPanel(_title(panel), "away", notes=[gettext("See it on the dashboard.")])
        case "movers":
            return (yield from _movers(panel, asked))
        case "number":
            return (yield from _figures(panel, asked))
        case "graph" if not panel.path and not panel.counters:
            return (yield from _figures(panel, asked))
    return (yield from _table(panel, asked))


def _figures(panel: PanelSpec, asked: _Asked) -> Conversation[MailedPanel]:
    """The formulas of a row, each a number with its line."""
    narrowed = narrow_row(asked.crossings, panel.pk, asked.filters, panel.path)
    _refuse(narrowed)
    answer = yield from _answer(panel, asked, narrowed.path, limit=0)
    pairs = zip(answer.totals.cells, panel.columns, strict=True)
    rows = [MailedRow(column.title, [_cell(cell, column, cell)], _line(cell, column)) for cell, column in pairs]
    return _shown(panel, "figures", rows, asked, answer)


def _table(panel: PanelSpec, asked: _Asked) -> Conversation[MailedPanel]:
    """The children of a path with what is left over, or child counters; of a graph its lines are the rows."""
    narrowed = (
        narrow_counters(asked.filters)
        if panel.counters
        else narrow_table(asked.crossings, panel.pk, asked.filters, panel.path)
    )
    _refuse(narrowed)
    names = (Filter.parse(["exactly", "name", [narrowed.name]]),) if narrowed.name else ()
    answer = yield from _answer(panel, asked, narrowed.path, min(panel.limit or DEFAULT_LIMIT, MOST_ROWS), names)
    rows = [_row(row, panel, answer) for row in answer.rows]
    if answer.other and not narrowed.name:
        rows.append(_row(answer.other, panel, answer, "other"))
    if not narrowed.name:
        rows.append(_row(answer.totals, panel, answer, "total"))
    return _shown(panel, "table", rows, asked, answer)


def _movers(panel: PanelSpec, asked: _Asked) -> Conversation[MailedPanel]:
    """What moved most: what each is and was, and how unusual that is for it."""
    why, narrowed = question_of(panel, asked.crossings, asked.filters, asked.period, asked.compare)
    _refuse(narrowed)
    movers = yield from asked.pod.explainer.moving(why._replace(limit=min(why.limit, MOST_ROWS)), asked.now)
    (column,) = panel.columns
    unusual = gettext("how unusual")
    rows = [
        MailedRow(
            f"{one.name} ({one.dimension})" if one.dimension else one.name,
            [_shown_cell(one.cell), MailedCell(unusual, one.times)],
        )
        for one in rows_of(movers, column)
    ]
    notes = [f"{answer_of(movers)} {looked_at(movers.count)}".strip(), *map(caveat, movers.warnings)]
    span = writing.span(asked.period) if panel.period else ""
    return MailedPanel(title_of(panel), "table", [column.title, unusual], rows, span=span, notes=notes)


def _refuse(narrowed: Narrowed) -> None:
    """A filter that does not hold is no note to be overlooked: without it other numbers would be mailed."""
    if narrowed.problem:
        raise NotNarrowed(narrowed.problem, gettext("see it on the dashboard"))


def _answer(
    panel: PanelSpec, asked: _Asked, path: Path, limit: int, names: tuple[Filter, ...] = ()
) -> Conversation[Answer]:
    formulas = tuple(column.formula for column in panel.columns)
    query = Query(
        pk=panel.pk,
        formulas=formulas,
        period=asked.period,
        dimension=path,
        counters=panel.counters,
        order=_order(panel, formulas),
        filters=names,
        limit=limit,
        compare=asked.compare,
        plotted=2 <= len(asked.period) <= MOST_POINTS,
    )
    return (yield from asked.pod.reader.tabling(query, asked.now))


def _order(panel: PanelSpec, formulas: Sequence[Formula]) -> tuple[Order, ...]:
    return (Order.parse(panel.order),) if panel.order else ()


def _row(row: Row, panel: PanelSpec, answer: Answer, kind: str = "") -> MailedRow:
    columns, wholes = panel.columns, answer.totals.cells
    cells = [_cell(*three) for three in zip(row.cells, columns, wholes, strict=True)]
    name = {"other": writing.of_other(row.name), "total": gettext("total")}.get(kind, row.name)
    return MailedRow(name, cells, _line(row.cells[0], columns[0]), kind)


def _cell(cell: Cell, column: Column, whole: Cell) -> MailedCell:
    shown: PanelCell = panel_cell(cell, column, whole)
    if not column.formula.is_number:
        return MailedCell(column.title, told.in_words(cell.told, column.formula))
    return _shown_cell(shown)


def _shown_cell(shown: PanelCell) -> MailedCell:
    title = shown.column.title
    if shown.change is None:
        return MailedCell(title, shown.text)
    change = f"{shown.change.arrow} {shown.change.text}".strip()
    return MailedCell(title, shown.text, change, shown.change.words, shown.tone)


def _line(cell: Cell, column: Column) -> MailedLine | None:
    """From zero (or the least, below it) to the greatest."""
    values = [value or 0.0 for value in cell.points or ()]
    if not any(values):
        return None
    low, high = min(0.0, *values), max(0.0, *values)
    steps = len(LEVELS) - 1
    letters = "".join(LEVELS[round((value - low) / (high - low) * steps)] for value in values)
    ends = {"low": column.text(min(values)), "high": column.text(max(values))}
    return MailedLine(letters, gettext("from %(low)s to %(high)s") % ends)


def _shown(panel: PanelSpec, kind: str, rows: list[MailedRow], asked: _Asked, answer: Answer) -> MailedPanel:
    span = writing.span(asked.period) if panel.period else ""
    headings = [column.title for column in panel.columns]
    names_itself = kind == "figures" and len(rows) == 1 and not span
    title = panel.title if names_itself else _title(panel)
    return MailedPanel(title, kind, headings, rows, span=span, notes=[*map(caveat, answer.warnings)])


def _title(panel: PanelSpec) -> str:
    """Its own, or what it is of."""
    return panel.title or " / ".join((*panel.pk, *panel.path))
