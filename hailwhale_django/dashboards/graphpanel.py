"""The panel that draws: the whole, or the children that matter, over the period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.utils.translation import gettext

from ..engine.domain.answer import Answer
from ..engine.domain.paths import ROOT, Path
from ..engine.domain.period import Period
from ..engine.domain.query import Filter, Order, Query
from ..engine.domain.ranking import matter
from ..engine.errors import InvalidInput
from .asking import Ask, Conversation
from .graph import MAX_LINES, Graph, Line, Style, style_of, with_other
from .marks import Mark, within
from .narrowing import Narrowed, narrow_row
from .panels import Choice, ShownPanel, bounded, narrowed_table, notes_of, opened
from .spec import STYLES, PanelSpec
from .state import State

CANDIDATES = 50
"""Children that are looked at for those that matter; the 51st by its denominator has less than a fiftieth of it."""

MarksOf = Callable[[Path, Period], Sequence[Mark]]


@dataclass(frozen=True, slots=True)
class GraphPanel(ShownPanel):
    graph: Graph | None = None
    styles: Sequence[Choice] = ()
    scale: Choice | None = None
    zoom: str = ""
    kind: ClassVar[str] = "graph"


def graph_panel(spec: PanelSpec, ask: Ask, marks_of: MarksOf) -> Conversation[ShownPanel]:
    """One formula: of the whole, or of children of a path."""
    asked = _Drawn(spec, ask)
    if asked.period is None:
        return asked.panel(None, [gettext("This period is too long to be drawn.")])
    names: list[str] = []
    if asked.of_children:
        names = asked.chosen((yield from ask.tabling(asked.query)))
    plot = yield from ask.pod.reader.plotting(asked.query, names, asked.formula, asked.period, ask.now, True)
    whole = plot.lines.pop("")
    lines = [Line(name, number, points) for number, (name, points) in enumerate(plot.lines.items(), 1)]
    if not lines and asked.narrowed.name:
        lines = [Line(asked.narrowed.name, 1, [None] * len(whole))]
    if not lines:
        lines = [Line(asked.column.title, 1, whole, whole=True), *(yield from asked.before())]
    graph = asked.graph(lines, within(marks_of(spec.pk, asked.period), asked.period))
    if asked.of_children and not asked.narrowed.name:
        graph = with_other(graph, whole)
    return asked.panel(graph, sorted(plot.warnings))


class _Drawn:
    """A graph panel while it is asked for."""

    def __init__(self, spec: PanelSpec, ask: Ask) -> None:
        self.spec, self.ask, self.column = spec, ask, spec.columns[0]
        self.formula = self.column.formula
        self.of_children = spec.counters or bool(spec.path)
        self.period = ask.drawn(spec.pk)
        self.narrowed = self._narrowed()
        self.query = Query(
            pk=spec.pk,
            formulas=(self.formula,),
            period=ask.period,
            dimension=self.narrowed.path,
            counters=spec.counters,
            order=(self._order(),),
            filters=(Filter.parse(["exactly", "name", [self.narrowed.name]]),) if self.narrowed.name else (),
            limit=min(spec.limit, MAX_LINES) or CANDIDATES,
        )

    def _narrowed(self) -> Narrowed:
        if self.of_children:
            return narrowed_table(self.spec, self.ask, self.spec.path)
        narrowed = narrow_row(self.ask.pod.store.options.crossings, self.spec.pk, self.ask.all_filters, ROOT)
        bounded(narrowed.problem, self.ask, self.spec.columns)
        return narrowed

    def _order(self) -> Order:
        """As the panel says; those that matter are looked for among the largest."""
        if self.spec.limit and self.spec.order:
            return Order.parse(self.spec.order)
        weight = self.formula.denominator if self.formula.is_ratio and not self.spec.limit else None
        return Order(weight or self.formula)

    def chosen(self, answer: Answer) -> list[str]:
        """The children to draw."""
        if self.spec.limit:
            return [row.name for row in answer.rows]
        weigh = (lambda cell: cell.denominator) if self.formula.is_ratio else (lambda cell: cell.value)
        weights = [weigh(row.cells[0]) or 0.0 for row in answer.rows]
        return [answer.rows[at].name for at in matter(weights, weigh(answer.totals.cells[0]) or 0.0)]

    def before(self) -> Conversation[list[Line]]:
        """What the whole was in the period compared with, bucket beside bucket."""
        if self.ask.compare is None or self.period is None:
            return []
        earlier = self.ask.compare.with_interval(self.period.interval)
        plot = yield from self.ask.pod.reader.plotting(self.query, [], self.formula, earlier, self.ask.now, True)
        points = [*plot.lines[""], *[None] * len(self.period)][: len(self.period)]
        return [Line(gettext("%(name)s before") % {"name": self.column.title}, 1, points, whole=True, before=True)]

    def graph(self, lines: list[Line], marks: Sequence[Mark]) -> Graph:
        assert self.period is not None
        return Graph(
            self.formula,
            self.period,
            lines,
            unfinished=self.period.end > self.ask.moment,
            style=self._style(),
            log=self._log(),
            marks=marks,
            parts=self.of_children and (self.spec.counters or bool(self.spec.path)),
            title=self.title,
            column=self.column,
        )

    # What it shows

    @property
    def title(self) -> str:
        return self.spec.title or self.column.title

    def panel(self, graph: Graph | None, warnings: Sequence[str]) -> GraphPanel:
        path = str(self.narrowed.path) if self.narrowed.path else ""
        state = State(self.spec.pk, dimension=path, counters=self.spec.counters, graph=str(self.formula))
        return GraphPanel(
            self.spec,
            self.title,
            notes_of(self.narrowed.problem, warnings),
            opened(state, self.ask),
            graph,
            self._styles(),
            self._scale(),
            self._zoom(),
        )

    def _style(self) -> Style:
        try:
            return style_of(self.ask.state.of("s", self.spec.key) or self.spec.style)
        except InvalidInput:
            return style_of(self.spec.style)

    def _log(self) -> bool:
        return self.ask.state.of("log", self.spec.key) == "1"

    def _styles(self) -> list[Choice]:
        link, key, now = self.ask.state.panel_link, self.spec.key, self._style()
        if not self.ask.rights.chooses:
            return []
        return [Choice(str(text), link(key, s=style), style == now) for style, text in STYLES]

    def _scale(self) -> Choice | None:
        if not self.ask.rights.chooses:
            return None
        log = self._log()
        return Choice(gettext("log scale"), self.ask.state.panel_link(self.spec.key, log="" if log else "1"), log)

    def _zoom(self) -> str:
        """The address of a part of the period, where a script puts its dates in."""
        return self.ask.state.link(period="__FROM__..__TO__") if self.ask.rights.chooses else ""
