"""The page that answers why a number changed: sentences, and what each dimension's children carry of the change.

An explanation takes some six round trips, two more for a counter's outline.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from math import isfinite
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from ..engine.domain.crossing import MARK, is_crossed
from ..engine.domain.paths import ROOT, Path
from ..engine.domain.period import Period
from ..engine.errors import InvalidInput
from ..engine.explain.explanation import Breakdown, Explanation
from ..engine.explain.region import Region
from ..engine.explain.why import Why, explainable
from ..engine.pod import Pod
from . import pickers, writing
from .caveats import caveat
from .column import Column
from .differences import Differences
from .explained import Writer, region_name
from .offers import DEFAULT_METRIC
from .parts import Section, sections_of
from .pickers import Choice
from .question import read_compare, said, unknown_metrics
from .state import DEFAULT_PERIOD, State
from .table import ordering
from .whystate import DEFAULT_COMPARE, WhyAddress, WhyState, asked

MOST_CHILDREN = 8
"""Of a table; with the rest and both ends that is a dozen bars."""

Link = Callable[[State], str]


@dataclass
class WhyPage:
    """An explanation for a reader; all else follows when asked for."""

    state: WhyState
    column: Column
    explanation: Explanation
    link: Link
    why: WhyAddress
    problems: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    # -- what is asked

    @property
    def title(self) -> str:
        path, pk = self.explanation.dimension, self.state.pk
        name = region_name(Region(path)) if path else " / ".join(pk) if len(pk) > 1 else ""
        return asked(self.column.title, name)

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """Names and addresses of the counters and paths above, and of the counter's own page with the same question."""
        pk, path = self.state.pk, self.explanation.dimension
        above = [(name, self.link(self._counter(Path(pk[: at + 1])))) for at, name in enumerate(pk)]
        within = [
            (name.removeprefix(MARK), self.link(self._counter(pk, Path(path[: at + 1]))))
            for at, name in enumerate(path)
        ]
        return above + within

    @property
    def period(self) -> str:
        return writing.span(self.explanation.period)

    @property
    def compared(self) -> str:
        return writing.span(self.explanation.compare)

    @property
    def zone(self) -> str:
        return str(self.explanation.period.zone)

    @property
    def period_text(self) -> str:
        return pickers.period_text(self.state.period)

    @property
    def period_choices(self) -> list[Choice]:
        return pickers.period_choices(self.state.period)

    @property
    def compare_choices(self) -> list[Choice]:
        return pickers.choices(pickers.comparisons(), self.state.compare or DEFAULT_COMPARE)

    @property
    def form_pairs(self) -> list[tuple[str, str]]:
        """What the form keeps without showing it."""
        return list(self.state.pairs("period", "compare"))

    # -- what is answered

    @cached_property
    def sentences(self) -> list[SafeString]:
        return Writer.of(self.explanation, self.column).linked(self._page_of, self._table_with)

    @property
    def usual(self) -> str:
        """How far the number goes by chance."""
        found = self.explanation.ordinary
        if not found or not isfinite(found):
            return ""
        write = Differences.of(self.column, [found])
        text = write.plain(found)
        return gettext("%(count)s points") % {"count": text} if write.in_points else text

    @cached_property
    def sections(self) -> list[Section]:
        return sections_of(self.explanation, self.column, self._why_of, self._table_of)

    # -- where it leads

    def _counter(self, pk: Path, path: Path = ROOT, **changes: Any) -> State:
        return State(
            pk,
            store=self.state.store,
            dimension=str(path) if path else "",
            period=self.state.period,
            compare=self.state.compare or DEFAULT_COMPARE,
            metrics=(str(self.column.formula),),
        ).changed(**changes)

    def _page_of(self, region: Region) -> str:
        """A child's numbers."""
        pk = self.state.pk
        return self.link(
            self._counter(pk.child(region.path.name)) if region.counters else self._counter(pk, region.path)
        )

    def _why_of(self, region: Region) -> str:
        """The same question of a child."""
        pk = self.state.pk
        if region.counters:
            return self.why(self.state.changed(pk=pk.child(region.path.name), dimension=""))
        return self.why(self.state.changed(dimension=str(region.path)))

    def _table_of(self, one: Breakdown) -> str:
        """A table on the counter's page, what went the way of the whole first."""
        order = ordering(self.column.formula, "change", self.explanation.change > 0)
        return self.link(self._counter(self.state.pk, one.table, counters=one.counters, order=order))

    def _table_with(self, region: Region | None) -> str:
        """The table that a child's numbers stand in; of none the whole's own."""
        if region is None:
            return self.link(self._counter(self.state.pk, self.explanation.dimension))
        return self._table_of(Breakdown(ROOT if region.counters else region.path.parent, (), counters=region.counters))


def why_page(state: WhyState, pod: Pod, link: Link, why: WhyAddress) -> WhyPage | None:
    """Explain a change; `None` when nothing was ever counted on the counter. Raises `InvalidInput`."""
    column = Column.parse(state.column or DEFAULT_METRIC)
    formula, path, now = explainable(column.formula), Path.parse(state.dimension), pod.clock()
    outline = pod.reader.outline(state.pk, path)
    if outline is None:
        return None
    problems: dict[str, str] = {}
    period, compare = _periods(state, pod, now, problems)
    asked_for = Why(state.pk, path, formula, period, compare.with_interval(period.interval), limit=MOST_CHILDREN)
    found = _explained(asked_for, pod, now)
    notes = [*unknown_metrics([formula], outline.metrics), *map(caveat, found.warnings)]
    if not outline.known:
        notes.insert(0, gettext("Nothing was ever counted under %(path)s.") % {"path": " / ".join(path)})
    return WhyPage(state, column, found, link, why, problems, notes)


def _explained(asked_for: Why, pod: Pod, now: float) -> Explanation:
    """A dimension has all events of what it is a dimension of, if all have it: then that is explained, by all others
    as well.
    """
    found, path = pod.explainer.explain(asked_for, now), asked_for.dimension
    if not path or not (len(path) == 1 or is_crossed(path)):
        return found
    above = pod.explainer.explain(asked_for._replace(dimension=path.parent), now)
    return above if (above.before, above.now) == (found.before, found.now) else found


def _periods(state: WhyState, pod: Pod, now: float, problems: dict[str, str]) -> tuple[Period, Period]:
    """The period and the one compared with; what cannot be understood is told beside its field, and left out."""
    try:
        period = pod.period(state.period or DEFAULT_PERIOD, None, now)
    except InvalidInput as error:
        problems["period"] = said(error)
        period = pod.period(DEFAULT_PERIOD, None, now)
    moment = datetime.fromtimestamp(now, UTC)
    try:
        compare = read_compare(state.compare or DEFAULT_COMPARE, period, moment)
    except InvalidInput as error:
        problems["compare"] = said(error)
        compare = None
    return period, compare or period.previous()
