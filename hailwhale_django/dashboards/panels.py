"""The panels of a dashboard: what each asks the store, and what it shows. No HTML.

A panel is read by a conversation, so that all panels of a dashboard are answered in the same few round trips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from django.utils.translation import gettext

from ..engine.domain.answer import Row
from ..engine.domain.formula import Formula, Metric, leaves_of
from ..engine.domain.paths import Path
from ..engine.domain.query import Query
from .asking import Ask, Conversation
from .caveats import caveat
from .cells import PanelCell, panel_cell
from .column import Column
from .graph import Points, Spark, spark
from .narrowing import Narrowed, NotNarrowed, narrow_counters, narrow_row, narrow_table
from .question import no_intervals
from .spec import PanelSpec
from .state import State
from .whystate import WhyLink, WhyState, whole_name, why_of


@dataclass(frozen=True, slots=True)
class ShownPanel:
    """What all panels have. `notes` are what must be said of the numbers, `open` leads to the counter's own page."""

    spec: PanelSpec
    title: str
    notes: Sequence[str] = ()
    open: str = ""
    kind: ClassVar[str] = ""

    @property
    def key(self) -> str:
        return self.spec.key


@dataclass(frozen=True, slots=True)
class BrokenPanel(ShownPanel):
    """One that cannot be shown, and why."""

    problem: str = ""
    kind: ClassVar[str] = "broken"


@dataclass(frozen=True, slots=True)
class TextPanel(ShownPanel):
    kind: ClassVar[str] = "text"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name, and how it went."""

    cell: PanelCell
    spark: Spark | None


@dataclass(frozen=True, slots=True)
class NumberPanel(ShownPanel):
    figures: Sequence[Figure] = ()
    kind: ClassVar[str] = "number"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several ways to look at something."""

    text: str
    link: str
    current: bool = False
    title: str = ""


def number_panel(spec: PanelSpec, ask: Ask) -> Conversation[ShownPanel]:
    """Each formula over the period, of the whole or of a row."""
    columns = spec.columns
    narrowed = narrow_row(ask.pod.store.options.crossings, spec.pk, ask.all_filters, spec.path)
    bounded(narrowed.problem, ask, columns)
    formulas = tuple(column.formula for column in columns)
    query = Query(
        pk=spec.pk,
        formulas=formulas,
        period=ask.period,
        dimension=narrowed.path,
        limit=0,
        compare=ask.compare,
        bounds=True,
        plotted=ask.sparks(formulas),
    )
    answer = yield from ask.tabling(query)
    whole = answer.totals
    doubts = doubts_of(whole, whole_name(whole.path), columns, spec.pk, ask)
    figures = [
        Figure(replace(panel_cell(cell, column, cell, is_whole=True), why=why), spark_of(cell.points, ask))
        for cell, column, why in zip(whole.cells, columns, doubts, strict=True)
    ]
    notes = notes_of(narrowed.problem, answer.warnings, bounds=answer.query.bounds)
    title = spec.title or (columns[0].title if len(columns) == 1 else " / ".join((*spec.pk, *spec.path)))
    state = State(spec.pk, metrics=tuple(map(str, formulas)), dimension=str(narrowed.path) if narrowed.path else "")
    return NumberPanel(spec, title, notes, opened(state, ask), figures)


def text_panel(spec: PanelSpec, ask: Ask) -> Conversation[ShownPanel]:
    """Nothing is asked."""
    yield from ()
    return TextPanel(spec, spec.title)


def narrowed_table(spec: PanelSpec, ask: Ask, path: Path) -> Narrowed:
    """Where the rows of a panel are. Raises `InvalidInput` where they may not be seen."""
    if spec.counters:
        narrowed = narrow_counters(ask.all_filters)
    else:
        narrowed = narrow_table(ask.pod.store.options.crossings, spec.pk, ask.all_filters, path)
    bounded(narrowed.problem, ask, spec.columns)
    return narrowed


def opened(state: State, ask: Ask) -> str:
    """The address of the counter's own page with the same question."""
    if not ask.rights.explores:
        return ""
    return ask.link(replace(state, period=ask.text, compare=ask.versus))


def doubts_of(row: Row, name: str, columns: Sequence[Column], pk: Path, ask: Ask) -> list[WhyLink | None]:
    """For each column of a row of this name what explains its change, for those who may look at counters."""
    if ask.compare is None or not ask.rights.explores:
        return [None] * len(columns)
    state = WhyState(pk, "", str(row.path) if row.path else "", ask.text, ask.versus)
    return [why_of(cell, column, name, state, ask.why) for cell, column in zip(row.cells, columns, strict=True)]


def bounded(problem: str, ask: Ask, columns: Sequence[Column] = ()) -> None:
    """Where filters bound what may be seen, what they cannot be applied to is not shown, nor what reads beyond them."""
    if not ask.fixed:
        return
    if any(reads_beyond(column.formula) for column in columns):
        problem = problem or gettext("Its formula reads more than the filters leave.")
    if problem:
        raise NotNarrowed(problem, gettext("this panel cannot be shown here"))


def reads_beyond(formula: Formula) -> bool:
    """Whether a formula reads the parent's row or the whole, which are no part of what filters leave."""
    return any(isinstance(leaf, Metric) and leaf.level for leaf in leaves_of(formula))


def notes_of(problem: str, warnings: Sequence[str], *, bounds: bool = True) -> list[str]:
    """What must be said of the numbers; of a table also where its intervals (`bounds`) had to be left out."""
    return [*([problem] if problem else []), *([] if bounds else [no_intervals()]), *map(caveat, warnings)]


def spark_of(points: Points | None, ask: Ask) -> Spark | None:
    """A small line, without the bucket that is not over yet: it would look like a fall."""
    if not points or not any(points):
        return None
    return spark(points[:-1] if ask.period.end > ask.moment and len(points) > 2 else points)
