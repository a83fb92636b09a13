"""The shapes in which HailWhale's own calls answer: dicts by path and metric.

Results are keyed by the path's text (`_` is the whole, `country/US`), and may be looked up by a list of names, by its
JSON, or by the counter's own name, which means the whole.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from .domain.answer import Row
from .domain.formula import Formula
from .domain.paths import WHOLE, Path, path_of, pk_of
from .domain.period import Period
from .domain.query import MAX_LIMIT, Order, Query, parse_formulas, whole_number
from .domain.ranking import best_first
from .domain.values import Values
from .errors import InvalidInput
from .pod import MAX_TREE_DEPTH, Pod

DEFAULT_PERIODS = ("1d:1y", "1d:1mo", "1d:1w", "1h:1d", "1m:1h")
"""What `totals` answers when no period is asked for: HailWhale's five sizes."""

TOTAL_LABEL = "Total"

RANKED_BY = {"value": "score", "low": "low", "high": "high"}
"""What rows can be ranked by, and what it is called in a row."""


class ByPath(dict[str, Any]):
    """A dict by path text that understands the other spellings of a path, and the counter's name for the whole."""

    def __init__(self, pk: Path, found: Iterable[tuple[str, Any]]) -> None:
        super().__init__(found)
        self._pk = pk

    def __missing__(self, key: Any) -> Any:
        text = self._text(key)
        if text != key and text in self:
            return self[text]
        raise KeyError(key)

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self._text(key) if isinstance(key, list) else key)

    def get(self, key: Any, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default

    def _text(self, key: Any) -> str:
        try:
            if pk_of(key) == self._pk:
                return WHOLE
            return str(path_of(key))
        except InvalidInput:
            return ""


def plotpoints(
    pod: Pod,
    pk: Any,
    dimensions: Any,
    metrics: Any,
    depth: int,
    period: Any,
    tzoffset: Any,
    flot_time: bool,
    points_type: Callable[[list[tuple[Any, float]]], Any],
    descending: bool,
    with_totals: bool,
    sort: str | None,
    limit: int | None,
) -> ByPath:
    """See `Whale.plotpoints`."""
    now = pod.clock()
    counter, formulas = pk_of(pk), parse_formulas(metrics)
    span = pod.period(period, tzoffset, now)
    paths = _paths(pod, counter, dimensions, depth)
    values, _ = pod.reader.values(counter, paths, formulas, span, now, plotted=True)
    kept = _survivors(values, paths, formulas, sort, limit)
    labels: list[Any] = [start * 1000 for start in span.starts()] if flot_time else span.labels()
    points = {formula: _points_told(values, formula, len(paths)) for formula in formulas}
    totals = {formula: _told(values, formula, len(paths)) for formula in formulas}

    def plot(row: int, formula: Formula) -> Any:
        pairs = list(zip(labels, points[formula][row], strict=True))
        if descending:
            pairs.reverse()
        if with_totals:
            pairs.append((TOTAL_LABEL, totals[formula][row]))
        return [list(pair) for pair in pairs] if flot_time or points_type is list else points_type(pairs)

    return ByPath(counter, [(str(paths[row]), {str(one): plot(row, one) for one in formulas}) for row in kept])


def totals(pod: Pod, pk: Any, dimensions: Any, metrics: Any, periods: Any, tzoffset: Any) -> dict[Any, ByPath]:
    """See `Whale.totals`."""
    now = pod.clock()
    counter = pk_of(pk)
    paths = _paths(pod, counter, dimensions, 0)
    formulas = _with_components(parse_formulas(metrics))
    several = periods is None or isinstance(periods, list | tuple)
    asked = (periods or DEFAULT_PERIODS) if several else [periods]
    answer = {}
    for period in asked:
        span = pod.period(period, tzoffset, now)
        values = _totals(pod, counter, paths, formulas, span, now)
        rows = zip(paths, zip(*values, strict=True), strict=True)
        answer[period] = ByPath(
            counter, [(str(path), dict(zip(map(str, formulas), row, strict=True))) for path, row in rows]
        )
    return answer


def total(pod: Pod, pk: Any, metric: Any, dimension: Any, period: Any, tzoffset: Any, index: Any) -> Any:
    """See `Whale.total`."""
    now = pod.clock()
    formulas = parse_formulas(metric)
    if len(formulas) != 1:
        raise InvalidInput("metric", metric, "a total is of one metric or formula; use totals for several")
    span = pod.period(period, tzoffset, now)
    if index is not None:
        buckets = span.buckets
        if not isinstance(index, int) or not -len(buckets) <= index < len(buckets):
            raise InvalidInput("index", index, f"the period has {len(buckets)} buckets")
        span = span.only(buckets[index])
    found = _totals(pod, pk_of(pk), [path_of(dimension)], formulas, span, now)[0][0]
    return float(found) if formulas[0].is_number else found


def rank(
    pod: Pod,
    pk: Any,
    metric: Any,
    dimension: Any,
    period: Any,
    tzoffset: Any,
    recursive: bool,
    points: bool,
    by: Any,
    counters: bool,
) -> ByPath:
    """See `Whale.rank`."""
    query = pod.parse_query(
        pk,
        dimension=dimension,
        metrics=metric,
        period=period,
        tzoffset=tzoffset,
        depth=MAX_TREE_DEPTH if recursive and not counters else 1,
        bounds=True,
        plotted=points,
        counters=counters,
    )
    if len(query.formulas) != 1:
        raise InvalidInput("metric", metric, "rank by one formula, e.g. revenue/visitors")
    if not query.formulas[0].is_number:
        raise InvalidInput("metric", metric, "it tells a list; rank by something that tells a number")
    if by not in tuple(RANKED_BY):
        raise InvalidInput("by", by, "rank by value, or by the low or high end of its interval")
    query = replace(query, order=(Order(query.formulas[0], by),), limit=None)
    answer = pod.reader.table(query, pod.clock())
    rows = [*answer.rows, *([answer.other] if answer.other else [])]
    found = [(str(row.path), _ranked(row, query)) for row in rows]
    if recursive:
        own = (str(query.dimension), _ranked(answer.totals, query))
        found = sorted([own, *found], key=lambda item: _certain_first(item[1][RANKED_BY[by]]))
        _leave_importance_to_children(dict(found), query.formulas[0])
    return ByPath(query.pk, found)


def _certain_first(value: float | None) -> float:
    return math.inf if value is None else -value


def _paths(pod: Pod, pk: Path, dimensions: Any, depth: int) -> list[Path]:
    several = isinstance(dimensions, list | tuple) and any(isinstance(one, list | tuple) for one in dimensions)
    tops = [path_of(one) for one in dimensions] if several else [path_of(dimensions)]
    paths = list(tops)
    if depth:
        for top in tops:
            paths += pod.reader.descendants(pk, top, whole_number("depth", depth, 0, MAX_TREE_DEPTH))
    return list(dict.fromkeys(paths))


def _survivors(
    values: Values, paths: Sequence[Path], formulas: Sequence[Formula], sort: str | None, limit: int | None
) -> list[int]:
    """Rows in order, best first; the parent, which is the first, always stays and counts towards the limit."""
    order = Order.parse(sort) if sort else Order(next((one for one in formulas if one.is_number), None))
    if order.formula is None and not sort:
        return list(range(len(paths)))[:limit]
    if order.formula is None or order.formula not in formulas or order.aspect != "value":
        raise InvalidInput("sort", sort, f"sort by one of {', '.join(map(str, formulas))}")
    scores = values.totals(order.formula)[: len(paths)]
    ranked = best_first(scores, lambda row: str(paths[row]), order.descending).tolist()
    limit = len(ranked) if limit is None else whole_number("limit", limit, 1, MAX_LIMIT)
    if len(ranked) <= limit:
        return [int(row) for row in ranked]
    kept = {0, *[row for row in ranked if row != 0][: max(limit - 1, 0)]}
    return [int(row) for row in ranked if row in kept]


def _with_components(formulas: Sequence[Formula]) -> tuple[Formula, ...]:
    """A ratio's sides come along with it."""
    sides = [side for formula in formulas for side in (formula.numerator, formula.denominator) if side is not None]
    return tuple(dict.fromkeys([*formulas, *sides]))


def _totals(
    pod: Pod, pk: Path, paths: Sequence[Path], formulas: Sequence[Formula], span: Period, now: float
) -> list[list[Any]]:
    """[formula][path]."""
    plotted = any(formula.reads_buckets for formula in formulas)
    values, _ = pod.reader.values(pk, paths, formulas, span, now, plotted=plotted)
    return [_told(values, formula, len(paths)) for formula in formulas]


def _told(values: Values, formula: Formula, count: int) -> list[Any]:
    """[row]: numbers, or what a formula tells that is none."""
    if formula.is_number:
        return list(values.totals(formula)[:count].tolist())
    return [values.told(formula, row) for row in range(count)]


def _points_told(values: Values, formula: Formula, count: int) -> list[list[Any]]:
    """[row][point]"""
    if formula.is_number:
        return list(values.points(formula)[:, :count].T.tolist())
    return [values.told_points(formula, row) for row in range(count)]


def _ranked(row: Row, query: Query) -> dict[str, Any]:
    cell = row.cells[0]
    ratio = query.formulas[0].is_ratio
    found: dict[str, Any] = {
        "dimension": str(row.path),
        "score": cell.value,
        "value": cell.numerator if ratio else cell.value,
        "count": cell.denominator if ratio else cell.value,
        "share": cell.share,
        "difference": cell.difference,
        "effect": cell.effect,
        "important": cell.important,
        "low": cell.low,
        "high": cell.high,
    }
    if query.plotted:
        found["points"] = dict(zip(query.period.labels(), cell.points or [], strict=True))
    return found


def _leave_importance_to_children(ranked: dict[str, dict[str, Any]], formula: Formula) -> None:
    """A parent is not important whose score is but that of its children (HailWhale's rule for plain metrics)."""
    if formula.is_ratio or formula.is_level:
        return
    whole = max((one["score"] for one in ranked.values()), default=0.0)
    below: dict[Path, float] = defaultdict(float)
    for text, one in ranked.items():
        if path := path_of(text):
            below[path.parent] += one["score"]
    for text, one in ranked.items():
        if (covered := below.get(path_of(text), 0.0)) and one["score"] - covered < whole / 10:
            one["important"] = False
