"""Formulas over what was counted: from units to the numbers that people see.

A formula is worked out on sums: over a period, a ratio is the ratio of the sums and never the sum or mean of daily
ratios. Per bucket, `Values.points` gives a number for each point and row.

In sums `x:cumulative` is the sum itself, where a running total ends, and `x:last` the last bucket that is not 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .formula import Constant, Formula, Metric, evaluate
from .period import Period
from .sketched import Sketched, Told

Floats = NDArray[np.float64]
Leaf = Metric | Constant

UNDEFINED = 0.0
"""What a division by zero is worth in a table. In a plot it is absent: `nan`."""

# Places that multiplying by a number may add to those of a metric, and still coarser than what adding doubles leaves
# behind: up to 2^50 a double tells thousandths apart.
FURTHER_PLACES = 3
LARGEST_ROUNDED = 2.0**50
LARGEST_EXACT = 2**53

SECONDS_OF = {"seconds": 1, "minutes": 60, "hours": 3600}


@dataclass(frozen=True, slots=True)
class Values:
    """Metrics of some rows over a period, in units, and how many units a whole has of each.

    `sums` holds [row] for each metric; `buckets` holds [point, row], or nothing where only sums were read; `sketches`
    are those metrics that are no sums, by the names that ask for them. `parent` and `whole` are the rows that `@parent`
    and `@_` read; where rows are of several levels, `parents` has each one's own.
    """

    period: Period
    scales: Mapping[str, int]
    sums: Mapping[str, NDArray[Any]]
    buckets: Mapping[str, NDArray[Any]]
    rows: int
    parent: int
    whole: int
    parents: NDArray[np.int64] | None = None
    sketches: Mapping[str, Sketched] = field(default_factory=dict)
    _wholes: dict[str, Floats] = field(default_factory=dict, init=False, repr=False, compare=False)

    def picked(self, rows: Sequence[int]) -> Values:
        """The same of some rows, of which the last are the parent and the whole."""
        return Values(
            period=self.period,
            scales=self.scales,
            sums={metric: sums[rows] for metric, sums in self.sums.items()},
            buckets={metric: cells[:, rows] for metric, cells in self.buckets.items()},
            rows=len(rows),
            parent=len(rows) - 2,
            whole=len(rows) - 1,
            sketches={name: sketched.picked(rows) for name, sketched in self.sketches.items()},
        )

    def totals(self, formula: Formula, undefined: float = UNDEFINED) -> Floats:
        """[row]: the formula over the sums of the period."""
        return self._evaluated(formula, self._sum_of, undefined, (self.rows,))

    def points(self, formula: Formula, undefined: float = UNDEFINED) -> Floats:
        """[point, row]: the formula in each bucket."""
        return self._evaluated(formula, self._bucket_of, undefined, (len(self.period), self.rows))

    def told(self, formula: Formula, row: int) -> Told:
        """What a formula says of the period that is no number."""
        return self.sketches[formula.metrics[0]].told(row)

    def told_points(self, formula: Formula, row: int) -> list[Told]:
        """The same in each bucket."""
        return self.sketches[formula.metrics[0]].told_points(row)

    def _evaluated(
        self, formula: Formula, resolve: Callable[[Leaf], Floats | float], undefined: float, shape: tuple[int, ...]
    ) -> Floats:
        if isinstance(formula.root, Metric):
            own = resolve(formula.root)
            if formula.root.name in self.sketches:
                own = np.where(np.isfinite(own), own, undefined)
            return _of_shape(own, shape)
        found = np.asarray(evaluate(formula, resolve, undefined=undefined), dtype=np.float64)
        return _of_shape(self._without_noise(formula, found) if formula.is_linear else found, shape)

    def _without_noise(self, formula: Formula, found: Floats) -> Floats:
        """0.3 - 0.1 is 0.2 and nothing less."""
        finest = max(self.scales[metric] for metric in formula.metrics)
        places = len(str(finest)) - 1 + FURTHER_PLACES
        fine = np.abs(found) < LARGEST_ROUNDED / 10**places
        rounded = np.round(np.where(fine, found, 0.0), places) + 0.0
        return np.asarray(np.where(fine, rounded, found), dtype=np.float64)

    def _sum_of(self, leaf: Leaf) -> Floats | float:
        if isinstance(leaf, Constant):
            return _constant_sum(leaf.name, self.period)
        if leaf.name in self.sketches:
            return self._at_level(self.sketches[leaf.name].sums(leaf.carry), leaf.level)
        if leaf.carry == "last":
            units = _last_known(self.buckets[leaf.name])[-1]
            return self._at_level(in_wholes(units, self.scales[leaf.name]), leaf.level)
        if leaf.name not in self._wholes:
            self._wholes[leaf.name] = in_wholes(self.sums[leaf.name], self.scales[leaf.name])
        return self._at_level(self._wholes[leaf.name], leaf.level)

    def _bucket_of(self, leaf: Leaf) -> Floats | float:
        if isinstance(leaf, Constant):
            return _constant_points(leaf.name, self.period)[:, None]
        if leaf.name in self.sketches:
            return self._at_level(self.sketches[leaf.name].buckets(leaf.carry), leaf.level)
        units = CARRY[leaf.carry](self.buckets[leaf.name])
        return self._at_level(in_wholes(units, self.scales[leaf.name]), leaf.level)

    def _at_level(self, values: Floats, level: str) -> Floats:
        """[..., row]: what each row reads, which is its own value, its parent's or the whole's."""
        if level == "":
            return values
        if level == "_":
            return values[..., self.whole : self.whole + 1]
        return values[..., self.parent : self.parent + 1] if self.parents is None else values[..., self.parents]


def _of_shape(found: Floats | float, shape: tuple[int, ...]) -> Floats:
    """The same number for all where there is but one; most have that shape already, and broadcasting takes its time."""
    numbers = np.asarray(found, dtype=np.float64)
    return numbers if numbers.shape == shape else np.broadcast_to(numbers, shape)


def in_wholes(units: NDArray[Any], scale: int) -> Floats:
    """Units as floats: the nearest double to the exact value."""
    if units.dtype != object and units.size and not -LARGEST_EXACT <= units.min() <= units.max() <= LARGEST_EXACT:
        units = units.astype(object)  # Python divides whole numbers of any size and rounds once
    return np.asarray(units / scale, dtype=np.float64)


def _last_known(buckets: NDArray[Any]) -> NDArray[Any]:
    """Each bucket's value or, where that is 0, the last one before it that is not."""
    points = np.arange(len(buckets))[:, None]
    latest = np.maximum.accumulate(np.where(buckets != 0, points, 0), axis=0)
    return np.take_along_axis(buckets, latest, axis=0)


CARRY: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "": lambda buckets: buckets,
    "cumulative": lambda buckets: np.cumsum(buckets, axis=0),
    "last": _last_known,
}


def _constant_points(name: str, period: Period) -> Floats:
    if name == "_count":
        return np.full(len(period), float(len(period)))
    if name == "_days_in_month":
        return np.array([_days_in_month(period, bucket) for bucket in period.buckets])
    begin, end = period.span
    edges = np.array([begin, *period.starts()[1:], end], dtype=np.float64)
    if name in SECONDS_OF:
        seconds: Floats = np.diff(edges)
        return seconds / SECONDS_OF[name]
    days = _days(period, np.diff(edges))
    if name == "years":
        in_years: Floats = np.array([_days_in_year(period, bucket) for bucket in period.buckets])
        return days / in_years
    return days / 7 if name == "weeks" else days


def _constant_sum(name: str, period: Period) -> float:
    points = _constant_points(name, period)
    return float(points[-1] if name in ("_count", "_days_in_month") else points.sum())


def _days(period: Period, seconds: Floats) -> Floats:
    """Days of the calendar, which count as one however many hours they have."""
    if period.interval.on_the_clock:
        return seconds / 86_400
    firsts = [period.timeline.first_date(period.interval, bucket) for bucket in (*period.buckets, period.last + 1)]
    lengths: Floats = np.diff(np.array([day.toordinal() for day in firsts], dtype=np.float64))
    return lengths


def _days_in_month(period: Period, bucket: int) -> float:
    day = period.timeline.start(period.interval, bucket).date()
    following = day.replace(day=28).toordinal() + 4
    return float((day.fromordinal(following).replace(day=1) - day.replace(day=1)).days)


def _days_in_year(period: Period, bucket: int) -> float:
    day = period.timeline.start(period.interval, bucket).date()
    return float((day.replace(year=day.year + 1, month=1, day=1) - day.replace(month=1, day=1)).days)
