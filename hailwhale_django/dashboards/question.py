"""From the texts of a query string to a query. What cannot be understood is told beside its field, the rest answered.

A person's question is never thrown away: a formula with a typing error leaves the other columns standing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from django.utils.translation import gettext, ngettext

from ..engine.domain.formula import Formula, Metric, parse
from ..engine.domain.paths import Path
from ..engine.domain.period import Period, compare_period
from ..engine.domain.query import MAX_LIMIT, Filter, Order, Query, whole_number
from ..engine.domain.timeline import Interval
from ..engine.errors import InvalidInput, shown
from ..engine.pod import Pod
from ..engine.reader import Outline
from .state import DEFAULT_PERIOD, State, ordered_by

T = TypeVar("T")

DEFAULT_METRIC = "hits"
DEFAULT_METRICS = 4
ROWS_OF_A_PAGE = 50

# As many columns as a table can have and still be read, and far fewer than would take long.
MAX_COLUMNS = 12

# Intervals need every bucket of every row. Beyond so many cells (8 bytes each) a page can do without them.
MAX_CELLS = 10_000_000

# More points than a screen has pixels.
MAX_POINTS = 3000

# Between these a line shows how things went and not how they shook.
FEW_POINTS, MANY_POINTS = 10, 120


@dataclass(slots=True)
class Question:
    """What is asked, and what to say about it: `problems` by field, `notes` about all of it."""

    state: State
    query: Query
    graph: Formula
    graph_period: Period | None
    problems: dict[str, str] = field(default_factory=dict)
    formula_problems: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def ask(state: State, outline: Outline, pod: Pod, now: float) -> Question:
    """Understand a state of a counter with this outline."""
    problems: dict[str, str] = {}

    def understood(name: str, read: Callable[[], T], otherwise: Callable[[], T]) -> T:
        try:
            return read()
        except InvalidInput as error:
            problems[name] = said(error)
            return otherwise()

    period = understood(
        "period",
        lambda: pod.period(state.period or DEFAULT_PERIOD, None, now),
        lambda: pod.period(DEFAULT_PERIOD, None, now),
    )
    formulas, formula_problems = columns(state.metrics, outline.metrics)
    default_order = order_of(formulas, explicit=bool(state.metrics))
    order = understood("order", lambda: read_order(state.order, formulas) or default_order, lambda: default_order)
    dimension = understood("dimension", lambda: dimension_of(state, outline), lambda: Path())
    compare = understood(
        "compare",
        lambda: read_compare(state.compare, period, datetime.fromtimestamp(now, UTC)),
        lambda: None,
    )
    page = understood("page", lambda: whole_number("page", state.page or 1, 1, 10**6), lambda: 1)
    notes: list[str] = []
    bounds = has_room_for_intervals(formulas, period, len(outline.metrics), table_size(state, outline, dimension))
    if not bounds:
        order = replace(order, aspect="value") if order.aspect in ("low", "high") else order
        notes.append(gettext("No intervals are shown: this period has too many points. A coarser one shows them."))
    query = Query(
        pk=state.pk,
        formulas=formulas,
        period=period,
        dimension=dimension,
        counters=state.counters,
        order=(order,),
        filters=(Filter.parse(["contains", "name", [state.find]]),) if state.find else (),
        limit=ROWS_OF_A_PAGE,
        offset=(page - 1) * ROWS_OF_A_PAGE,
        compare=compare,
        bounds=bounds,
        drillable=True,
    )
    fallback = order.formula if order.formula in formulas and order.formula else formulas[0]
    graph = understood("graph", lambda: parse(state.graph) if state.graph else fallback, lambda: fallback)
    graph_period = understood(
        "interval", lambda: graph_period_of(state, period, pod), lambda: readable(state, period, pod)
    )
    notes += unknown_metrics([*formulas, graph], outline.metrics)
    return Question(state, query, graph, graph_period, problems, formula_problems, notes)


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


def default_columns(metrics: list[str]) -> tuple[Formula, ...]:
    """Hits, a few metrics, and the first of them for each hit."""
    some = [quoted(metric) for metric in metrics if metric != DEFAULT_METRIC][:DEFAULT_METRICS]
    ratio = [f"{some[0]}/{DEFAULT_METRIC}"] if some else []
    return tuple(parse(text) for text in (DEFAULT_METRIC, *some, *ratio))


def quoted(metric: str) -> str:
    """A metric as a formula spells it, whatever its name."""
    return str(Metric(metric))


def order_of(formulas: tuple[Formula, ...], *, explicit: bool) -> Order:
    """By the first ratio that was asked for, else by the first column; highest first."""
    ratios = [formula for formula in formulas if formula.is_ratio] if explicit else []
    return Order((ratios or formulas)[0])


def read_order(given: str, formulas: tuple[Formula, ...]) -> Order | None:
    if not given:
        return None
    order = Order.parse(given)
    if order.formula is not None and order.formula not in formulas:
        expected = gettext("order by one of the columns")
        raise InvalidInput("order", ordered_by(given), expected)
    return order


def read_compare(given: str, period: Period, now: datetime) -> Period | None:
    try:
        return compare_period(period, given, now=now) if given else None
    except InvalidInput as error:
        if error.field != "period":
            raise
        raise InvalidInput("compare", given, gettext("use previous, weekdays, year, or a period")) from error


def said(error: InvalidInput) -> str:
    """What was wrong and what would be right, to stand beside the field it is about."""
    return gettext("%(value)s will not do; %(expected)s") % {"value": shown(error.value), "expected": error.expected}


def dimension_of(state: State, outline: Outline) -> Path:
    """The path whose children are shown: the one asked for, else the first dimension that has any."""
    if state.dimension:
        return Path.parse(state.dimension)
    tabs = [name for name, size in outline.dimensions.items() if size]
    return Path(tabs[:1]) if not state.counters else Path()


def table_size(state: State, outline: Outline, dimension: Path) -> int:
    """About how many rows a table has, at most."""
    if state.counters:
        return len(outline.counters)
    if len(dimension) == 1:
        return outline.dimensions.get(dimension.name, 0)
    return len(outline.dimensions) if not dimension else max(outline.dimensions.values(), default=0)


def has_room_for_intervals(formulas: tuple[Formula, ...], period: Period, metrics: int, rows: int) -> bool:
    if not any(formula.is_ratio for formula in formulas):
        return True
    used = len({metric for formula in formulas for metric in formula.metrics})
    return len(period) * rows * used <= MAX_CELLS


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


def unknown_metrics(formulas: Iterable[Formula], metrics: list[str]) -> list[str]:
    asked = dict.fromkeys(metric for formula in formulas for metric in formula.metrics)
    unknown = [metric for metric in asked if metric not in metrics]
    if not unknown:
        return []
    note = ngettext(
        "Nothing was ever counted as %(names)s on this counter.",
        "Nothing was ever counted as any of these on this counter: %(names)s.",
        len(unknown),
    )
    return [note % {"names": ", ".join(unknown)}]


def whole_table(query: Query) -> Query:
    """The same table without pages, as far as a spreadsheet should go."""
    return replace(query, offset=0, limit=MAX_LIMIT, drillable=False)
