"""From the texts of a query string to a query. What cannot be understood is told beside its field, the rest answered.

A person's question is never thrown away: a formula with a typing error leaves the other columns standing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from django.utils.translation import gettext, ngettext

from ..engine.domain.formula import Formula, parse
from ..engine.domain.paths import Path
from ..engine.domain.period import Period, compare_period
from ..engine.domain.query import MAX_LIMIT, Filter, Order, Query, whole_number
from ..engine.domain.sketch import kept_name
from ..engine.domain.timeline import Interval
from ..engine.errors import InvalidInput, shown
from ..engine.pod import Pod
from ..engine.reader import Outline
from .graph import Style, style_of
from .offers import DEFAULT_METRIC, default_columns
from .state import DEFAULT_PERIOD, State, ordered_by

T = TypeVar("T")

ROWS_OF_A_PAGE = 50

# As many columns as a table can have and still be read, and far fewer than would take long.
MAX_COLUMNS = 12

MAX_PAGE = 1_000_000

# More points than a screen has pixels.
MAX_POINTS = 3000

DEFAULT_STYLE: Style = "line"

# Between these a line shows how things went and not how they shook.
FEW_POINTS, MANY_POINTS = 10, 120


@dataclass(slots=True)
class Question:
    """What is asked, and what to say about it: `problems` by field, `notes` about all of it."""

    query: Query
    graph: Formula
    graph_period: Period | None
    problems: dict[str, str]
    formula_problems: dict[str, str]
    notes: list[str]
    style: Style = DEFAULT_STYLE


def ask(state: State, outline: Outline, pod: Pod, now: float) -> Question:
    """Understand a state of a counter with this outline."""
    return _Reading(state, outline, pod, now).question()


@dataclass
class _Reading:
    """Reads one field after the other; where one says nothing that can be understood, it goes on without."""

    state: State
    outline: Outline
    pod: Pod
    now: float
    problems: dict[str, str] = field(default_factory=dict)

    def question(self) -> Question:
        formulas, formula_problems = columns(self.state.metrics, self.outline.metrics)
        period = self._understood("period", lambda: self._period(self.state.period), lambda: self._period(""))
        order = self._order(formulas)
        query = Query(
            pk=self.state.pk,
            formulas=formulas,
            period=period,
            dimension=self._understood("dimension", lambda: dimension_of(self.state, self.outline), Path),
            counters=self.state.counters,
            order=(order,),
            filters=(Filter.parse(["contains", "name", [self.state.find]]),) if self.state.find else (),
            limit=ROWS_OF_A_PAGE,
            offset=(self._page() - 1) * ROWS_OF_A_PAGE,
            compare=self._understood("compare", lambda: self._compare(period), lambda: None),
            bounds=True,
            drillable=True,
        )
        graph = self._graph(order.formula or order_of(formulas, explicit=False).formula)
        graph_period = self._understood(
            "interval",
            lambda: graph_period_of(self.state, period, self.pod),
            lambda: readable(self.state, period, self.pod),
        )
        notes = unknown_metrics([*formulas, graph], self.outline.metrics)
        style = self._understood("style", lambda: style_of(self.state.style or DEFAULT_STYLE), lambda: DEFAULT_STYLE)
        return Question(query, graph, graph_period, self.problems, formula_problems, notes, style)

    def _understood(self, name: str, read: Callable[[], T], otherwise: Callable[[], T]) -> T:
        try:
            return read()
        except InvalidInput as error:
            self.problems[name] = said(error)
            return otherwise()

    def _period(self, given: str) -> Period:
        return self.pod.period(given or DEFAULT_PERIOD, None, self.now)

    def _compare(self, period: Period) -> Period | None:
        return read_compare(self.state.compare, period, datetime.fromtimestamp(self.now, UTC))

    def _order(self, formulas: tuple[Formula, ...]) -> Order:
        default = order_of(formulas, explicit=bool(self.state.metrics))
        return self._understood("order", lambda: read_order(self.state.order, formulas) or default, lambda: default)

    def _page(self) -> int:
        return self._understood("page", lambda: whole_number("page", self.state.page or 1, 1, MAX_PAGE), lambda: 1)

    def _graph(self, default: Formula) -> Formula:
        given = self.state.graph
        return self._understood("graph", lambda: drawn(given) if given else default, lambda: default)


def columns(given: Iterable[str], metrics: list[str]) -> tuple[tuple[Formula, ...], dict[str, str]]:
    """The formulas to show, and by their text what is wrong with others."""
    found: list[Formula] = []
    problems: dict[str, str] = {}
    for text in given:
        try:
            found.append(parse(text))
        except InvalidInput as error:
            problems[text] = said(error)
    for formula in found[MAX_COLUMNS:]:
        problems[str(formula)] = gettext("A page has at most %(count)s columns.") % {"count": MAX_COLUMNS}
    return tuple(dict.fromkeys(found))[:MAX_COLUMNS] or default_columns(metrics), problems


def order_of(formulas: tuple[Formula, ...], *, explicit: bool) -> Order:
    """By the first ratio that was asked for, else by the first column that is a number; highest first."""
    numbers = [formula for formula in formulas if formula.is_number] or [parse(DEFAULT_METRIC)]
    ratios = [formula for formula in numbers if formula.is_ratio] if explicit else []
    return Order((ratios or numbers)[0])


def read_order(given: str, formulas: tuple[Formula, ...]) -> Order | None:
    if not given:
        return None
    order = Order.parse(given)
    if order.formula is not None and order.formula not in formulas:
        expected = gettext("order by one of the columns")
        raise InvalidInput("order", ordered_by(given), expected)
    return order


def drawn(given: str) -> Formula:
    """A formula that makes a line."""
    formula = parse(given)
    if not formula.is_number:
        raise InvalidInput("graph", given, gettext("draw something that tells a number"))
    return formula


def read_compare(given: str, period: Period, now: datetime) -> Period | None:
    try:
        return compare_period(period, given, now=now) if given else None
    except InvalidInput as error:
        if error.field != "period":
            raise
        raise InvalidInput("compare", given, gettext("use previous, weekdays, month, year, or a period")) from error


def said(error: InvalidInput) -> str:
    """What was wrong and what would be right, to stand beside the field it is about."""
    return gettext("%(value)s will not do; %(expected)s") % {"value": shown(error.value), "expected": error.expected}


def dimension_of(state: State, outline: Outline) -> Path:
    """The path whose children are shown: the one asked for, else the first dimension that has any."""
    if state.dimension:
        return Path.parse(state.dimension)
    tabs = [name for name, size in outline.dimensions.items() if size]
    return Path(tabs[:1]) if not state.counters else Path()


def intervals(period: Period, pod: Pod) -> list[Interval]:
    """The kept intervals by which a period makes a graph: some points, but not more than can be told apart."""
    kept = [one.interval for one in pod.store.schedule.kept]
    return [interval for interval in kept if 2 <= points(period, interval) <= MAX_POINTS]


def points(period: Period, interval: Interval) -> int:
    """How many buckets of an interval cover a period; counted without making them."""
    return max(1, round((period.end - period.start).total_seconds() / interval.seconds))


def graph_period_of(state: State, period: Period, pod: Pod) -> Period | None:
    """The period by the interval asked for."""
    if not state.interval:
        return readable(state, period, pod)
    interval = Interval.parse(state.interval)
    if points(period, interval) > MAX_POINTS:
        expected = gettext("that makes more than %(count)s points in this period") % {"count": MAX_POINTS}
        raise InvalidInput("interval", state.interval, expected)
    return period.with_interval(interval)


def readable(state: State, period: Period, pod: Pod) -> Period | None:
    """The period by its own interval, or by a coarser one that makes a line of it; `None` if none does."""
    named = ":" in state.period  # 1h:1w says what it wants
    if len(period) <= (MAX_POINTS if named else MANY_POINTS):
        return period
    coarser = [one for one in intervals(period, pod) if one.seconds > period.interval.seconds]
    clear = [one for one in coarser if FEW_POINTS <= points(period, one) <= MANY_POINTS]
    if not clear and len(period) <= MAX_POINTS:
        return period
    finest = min(clear or coarser, key=lambda one: one.seconds, default=None)
    return None if finest is None else period.with_interval(finest)


def never_counted(formulas: Iterable[Formula], metrics: Sequence[str]) -> list[str]:
    """Which metrics of some formulas are not among those of a counter."""
    asked = dict.fromkeys(metric for formula in formulas for metric in formula.metrics)
    return [metric for metric in asked if kept_name(metric) not in metrics]


def unknown_metrics(formulas: Iterable[Formula], metrics: Sequence[str]) -> list[str]:
    unknown = never_counted(formulas, metrics)
    if not unknown:
        return []
    note = ngettext(
        "Nothing was ever counted as %(names)s on this counter.",
        "Nothing was ever counted as any of these on this counter: %(names)s.",
        len(unknown),
    )
    return [note % {"names": ", ".join(unknown)}]


def without_intervals(query: Query) -> Query:
    """The same table for fewer reads: where intervals would take more numbers than may be read for one page."""
    order = tuple(replace(one, aspect="value") if one.aspect in ("low", "high") else one for one in query.order)
    return replace(query, bounds=False, plotted=False, order=order)


def no_intervals() -> str:
    """What is said of a table that was asked for again `without_intervals`."""
    return gettext("No intervals are shown: they take more numbers than may be read for one page.")


def whole_table(query: Query) -> Query:
    """The same table without pages, as far as a spreadsheet should go."""
    return replace(query, offset=0, limit=MAX_LIMIT, drillable=False)
