"""The panel that says what moved most: children of all dimensions, each against its own past."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, ClassVar

from django.utils.translation import gettext, ngettext

from ..engine.domain.answer import Cell
from ..engine.domain.crossing import MARK, Crossings
from ..engine.domain.paths import Path
from ..engine.domain.period import Period
from ..engine.explain.explanation import Mover, Movers, Part
from ..engine.explain.movers import LEAST_SCORE
from ..engine.explain.region import Region
from ..engine.explain.why import Why
from . import writing
from .asking import Ask, Conversation
from .cells import PanelCell, panel_cell
from .column import Column
from .explained import region_name
from .narrowing import Narrowed, narrow_beneath
from .panels import ShownPanel, bounded, notes_of, opened
from .spec import MAX_FILTERS, PanelSpec
from .state import State
from .table import plain, safe
from .whystate import WhyLink, WhyState, why_of


@dataclass(frozen=True, slots=True)
class MoverRow:
    """A child that moved. `dimension` is "" where the name says it; `bar` is a part of 100.

    `narrow` filters the dashboard by it, or (it is `chosen`) no longer; `open` leads to where it is counted.
    """

    name: str
    dimension: str
    before: str
    cell: PanelCell
    tone: str
    carried: str
    times: str
    times_shortly: str
    times_words: str
    bar: str
    narrow: str = ""
    chosen: bool = False
    open: str = ""


@dataclass(frozen=True, slots=True)
class MoversPanel(ShownPanel):
    """Who went furthest beyond what is usual for it first; the `answer` says what is shown, or that nothing is, and
    `looked_at` among how many.
    """

    column: Column | None = None
    rows: Sequence[MoverRow] = ()
    looked_at: str = ""
    answer: str = ""
    sheet: str = ""
    kind: ClassVar[str] = "movers"


def movers_panel(spec: PanelSpec, ask: Ask) -> Conversation[ShownPanel]:
    """What moved most beneath a path, or of the whole counter."""
    asked = _Moving(spec, ask)
    movers = yield from ask.pod.explainer.moving(asked.why, ask.now)
    return asked.panel(movers)


def movers_sheet(spec: PanelSpec, ask: Ask) -> Conversation[Movers]:
    """The same, for a spreadsheet."""
    return (yield from ask.pod.explainer.moving(_Moving(spec, ask).why, ask.now))


def question_of(
    spec: PanelSpec, crossings: Crossings, filters: Sequence[Path], period: Period, compare: Period | None
) -> tuple[Why, Narrowed]:
    """What is asked; where nothing is compared, it is with the period before."""
    narrowed = narrow_beneath(crossings, spec.pk, filters, spec.path)
    (column,) = spec.columns
    why = Why(
        pk=spec.pk,
        dimension=narrowed.path,
        formula=column.formula,
        period=period,
        compare=(compare or period.previous()).with_interval(period.interval),
        limit=spec.limit,
    )
    return why, narrowed


def rows_of(movers: Movers, column: Column) -> list[MoverRow]:
    """What there is to say of each that moved, without links."""
    furthest = max((abs(one.score) for one in movers.movers), default=1.0)
    return [_row(one, column, movers, abs(one.score) / furthest) for one in movers.movers]


def title_of(spec: PanelSpec) -> str:
    return spec.title or gettext("What moved most: %(formula)s") % {"formula": spec.columns[0].title}


def answer_of(movers: Movers) -> str:
    """What it takes to be a row, in words; where there is none, why."""
    if movers.movers:
        text = gettext("Shown is what changed at least %(count)s times as much as it usually does.")
        return text % {"count": writing.short(LEAST_SCORE)}
    if movers.count:
        return gettext("Nothing moved by more than is usual for it.")
    return gettext("There is nothing here to tell apart.")


def looked_at(count: int) -> str:
    text = ngettext("%(count)s child was looked at.", "%(count)s children were looked at.", count)
    return text % {"count": writing.number(count)} if count else ""


def lines_of(movers: Movers) -> Iterator[list[Any]]:
    """Headings and rows for a spreadsheet. Numbers are numbers, and nothing is a formula."""
    formula = str(movers.formula)
    own = [formula, gettext("%(formula)s, before") % {"formula": formula}]
    headings = [gettext("dimension"), gettext("name"), *own, gettext("moved the whole by"), gettext("times the usual")]
    yield [safe(text) for text in headings]
    for one in movers.movers:
        name, dimension = _named(one, movers)
        part = one.part
        yield [safe(dimension), safe(name), *map(plain, (part.now, part.before, part.part, abs(one.score)))]


class _Moving:
    """A panel of movers while it is asked for."""

    def __init__(self, spec: PanelSpec, ask: Ask) -> None:
        self.spec, self.ask = spec, ask
        (self.column,) = spec.columns
        self.why, narrowed = question_of(
            spec, ask.pod.store.options.crossings, ask.all_filters, ask.period, ask.compare
        )
        self.problem = narrowed.problem
        bounded(self.problem, ask, spec.columns)

    def panel(self, movers: Movers) -> ShownPanel:
        state = State(self.spec.pk, metrics=(str(self.why.formula),), dimension=str(self.why.dimension or ""))
        rows = rows_of(movers, self.column)
        return MoversPanel(
            self.spec,
            title_of(self.spec),
            [*self._compared(), *notes_of(self.problem, movers.warnings)],
            opened(state, self.ask),
            self.column,
            [self._linked(row, one) for row, one in zip(rows, movers.movers, strict=True)],
            looked_at(movers.count),
            answer_of(movers),
            self._sheet() if rows else "",
        )

    def _compared(self) -> list[str]:
        if self.ask.compare is not None:
            return []
        return [gettext("Compared with the period before: %(period)s.") % {"period": writing.span(self.why.compare)}]

    def _linked(self, row: MoverRow, one: Mover) -> MoverRow:
        row = replace(row, cell=replace(row.cell, why=self._why_link(row, one)))
        filters = self._filters(one)
        if not filters:
            return replace(row, open=opened(self._counter_state(one), self.ask))
        now = [str(one) for one in self.ask.filters]
        names = {path[0] for path in filters}
        others = [str(path) for path in self.ask.filters if path[0] not in names]
        wanted = list(map(str, filters))
        chosen = set(wanted) <= set(now)
        # The oldest of too many go, rather than all of them.
        kept = others if chosen else [*others, *wanted][-MAX_FILTERS:]
        return replace(row, narrow=self.ask.state.link(filters=tuple(kept)), chosen=chosen)

    def _why_link(self, row: MoverRow, one: Mover) -> WhyLink | None:
        """What explains the change, for those who may look at counters."""
        if not self.ask.rights.explores:
            return None
        pk, path = (self.spec.pk.child(one.path.name), "") if one.counters else (self.spec.pk, str(one.path))
        state = WhyState(pk, "", path, self.ask.text, self.ask.versus)
        return why_of(_cell(one.part, self.column), self.column, row.name, state, self.ask.why)

    def _filters(self, one: Mover) -> list[Path]:
        """What must be filtered by to see only a child; nothing where that cannot be chosen."""
        if one.counters or not self.ask.rights.chooses:
            return []
        fixed = {path[0]: path for path in self.ask.fixed}
        paths = [Path((dimension, *names)) for dimension, names in Region(one.path).values.items()]
        wanted = [path for path in paths if fixed.get(path[0]) != path]
        return [] if any(path[0] in fixed for path in wanted) else wanted

    def _counter_state(self, one: Mover) -> State:
        """The page of a child counter, or the table that a child is in."""
        formula = (str(self.why.formula),)
        if one.counters:
            return State(self.spec.pk.child(one.path.name), metrics=formula)
        return State(self.spec.pk, dimension=str(one.path.parent), metrics=formula)

    def _sheet(self) -> str:
        if not self.ask.rights.chooses or not self.spec.key:
            return ""
        return f"{self.ask.state.panel_link(self.spec.key)}&sheet={self.spec.key}"


def _row(one: Mover, column: Column, movers: Movers, length: float) -> MoverRow:
    name, dimension = _named(one, movers)
    cell = _shown(one.part, column)
    times = writing.short(round(abs(one.score), 1))
    words = gettext("It changed %(count)s times as much as it usually does from one period to the next.")
    return MoverRow(
        name,
        dimension,
        column.text(_value(one.part.before, column)),
        cell,
        {"good": gettext("better"), "bad": gettext("worse")}.get(cell.tone, ""),
        _carried(one.part.part, column),
        gettext("%(count)s times the usual") % {"count": times},
        gettext("%(count)s times") % {"count": times},
        words % {"count": times},
        f"{length * 100:.1f}",
    )


def _named(one: Mover, movers: Movers) -> tuple[str, str]:
    """A child's name, and its dimension where that is one; what all are within is not said again."""
    if one.counters:
        return one.path.name, movers.pk.name
    within = Region(movers.dimension).values
    values = {name: names for name, names in Region(one.path).values.items() if within.get(name) != names}
    parts = [(name if at == 0 else f"{MARK}{name}", *names) for at, (name, names) in enumerate(values.items())]
    name = region_name(Region(Path(tuple(chain.from_iterable(parts)))))
    return name, next(iter(values)) if len(values) == 1 else ""


def _value(value: float | None, column: Column) -> float | None:
    """Where nothing was counted a sum is none; a ratio is not known."""
    return 0.0 if value is None and not column.formula.is_ratio else value


def _cell(part: Part, column: Column) -> Cell:
    before, now = _value(part.before, column), _value(part.now, column)
    relative = (now - before) / abs(before) if before and now is not None else None
    return Cell(now, before=before, change=relative)


def _shown(part: Part, column: Column) -> PanelCell:
    cell = _cell(part, column)
    shown = panel_cell(cell, column, cell, is_whole=True)
    if cell.before is not None:
        return shown
    return replace(shown, change=writing.Change("", gettext("new"), gettext("before: %(before)s"), writing.NOTHING))


def _carried(part: float, column: Column) -> str:
    """What of the whole's change is a child's."""
    sign = "+" if part > 0 else ""
    if column.format == "%":
        return gettext("%(count)s points") % {"count": f"{sign}{writing.short(part * 100)}"}
    return sign + column.text(part)
