"""Which stored buckets answer a question about time.

A `Schedule` knows the intervals that are kept and for how long. Writing asks it which buckets an instant falls into;
reading asks it for the fewest stored buckets that make up a span: months in the middle of a long period, days at its
ends. Every step works on instants, so it is exact for any zone whose edges fall on the edges of a kept interval; where
they do not, the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..errors import InvalidInput
from .period import Period
from .timeline import Interval, Timeline

# Clocks differ, and a day's figures may be booked in the morning; what claims to come later than that is a mistake.
FUTURE_SECONDS = 86_400

NOT_RETAINED = "some of this period is older than what is kept"
ZONE_INEXACT = "the days are those of the store's time zone: hours are no longer kept for all of this period"
UNALIGNED = "some edges of this period fall inside a kept bucket; what lies in them is left out"


class Column(NamedTuple):
    """One stored bucket of one kept interval."""

    interval: Interval
    bucket: int


@dataclass(frozen=True, slots=True)
class Kept:
    """An interval, for how many seconds past its end a bucket is kept (`None`: for ever), and since when."""

    interval: Interval
    seconds: int | None
    since: int = 0


@dataclass(slots=True)
class Plan:
    """Stored columns for each point of an answer, and what the answer must say about itself."""

    points: list[tuple[Column, ...]]
    warnings: set[str] = field(default_factory=set)


class Schedule:
    """The kept intervals, finest first, on one timeline."""

    def __init__(self, kept: Iterable[Kept], timeline: Timeline) -> None:
        self.kept = tuple(sorted(kept, key=lambda one: one.interval.seconds))
        self.timeline = timeline
        self._by_interval = {one.interval: one for one in self.kept}

    def since(self, since: Mapping[str, int]) -> Schedule:
        """The same schedule, each interval usable from an instant on."""
        kept = (replace(one, since=since.get(str(one.interval), 0)) for one in self.kept)
        return Schedule(kept, self.timeline)

    def columns_at(self, at: float, now: float) -> tuple[Column, ...]:
        """The buckets, one of each interval that still keeps them, into which an event at `at` is counted."""
        if at > now + FUTURE_SECONDS:
            raise InvalidInput("at", at, "this is more than a day ahead of the clock")
        columns = tuple(
            Column(kept.interval, bucket)
            for kept in self.kept
            if self._retains(kept, bucket := self.timeline.bucket(kept.interval, at), now)
        )
        if not columns:
            raise InvalidInput("at", at, "no interval is kept that long; see the setting INTERVALS")
        return columns

    def expires_at(self, column: Column) -> int | None:
        """When a bucket leaves its retention, in seconds since the epoch; `None`: never."""
        keep = self._by_interval[column.interval].seconds
        return None if keep is None else self.timeline.starts_at(column.interval, column.bucket + 1) + keep

    def by_point(self, period: Period, now: float) -> Plan:
        """Columns for each bucket of the period: a plot."""
        warnings: set[str] = set()
        kept = self._by_interval.get(period.interval)
        if kept is not None and self._same_buckets(period):
            retained = [self._retains(kept, bucket, now) for bucket in period.buckets]
            if all(retained):
                return Plan([(Column(period.interval, bucket),) for bucket in period.buckets])
        points = [self._point(period, bucket, now, warnings) for bucket in period.buckets]
        return Plan(points, warnings)

    def in_sum(self, period: Period, now: float) -> Plan:
        """The fewest columns that make up the whole period: a total."""
        if not self._same_buckets(period):
            plan = self.by_point(period, now)
            return Plan([tuple(column for point in plan.points for column in point)], plan.warnings)
        warnings: set[str] = set()
        start, end = int(period.start.timestamp()), int(period.end.timestamp())
        return Plan([self._cover(start, end, now, warnings)], warnings)

    def _same_buckets(self, period: Period) -> bool:
        return period.interval.on_the_clock or str(period.zone) == str(self.timeline.zone)

    def _point(self, period: Period, bucket: int, now: float, warnings: set[str]) -> tuple[Column, ...]:
        starts = period.timeline.starts_at
        found: set[str] = set()
        columns = self._cover(starts(period.interval, bucket), starts(period.interval, bucket + 1), now, found)
        same_date = Column(period.interval, bucket)
        kept = self._by_interval.get(period.interval)
        # Numbers of calendar buckets are dates: the same number is the same date in every zone.
        if UNALIGNED in found and kept is not None and self._retains(kept, bucket, now):
            warnings.add(ZONE_INEXACT)
            return (same_date,)
        warnings |= found
        return columns

    def _cover(self, start: int, end: int, now: float, warnings: set[str]) -> tuple[Column, ...]:
        """Greedy from the left: at each instant the longest kept bucket that starts there and fits."""
        columns: list[Column] = []
        at = start
        while at < end:
            step = self._longest(at, end, now)
            if step is None:
                at = self._next_edge(at, now, warnings)
            else:
                column, at = step
                columns.append(column)
        return tuple(columns)

    def _longest(self, at: int, end: int, now: float) -> tuple[Column, int] | None:
        for kept in reversed(self.kept):
            interval = kept.interval
            bucket = self.timeline.bucket(interval, at)
            after = self.timeline.starts_at(interval, bucket + 1)
            if (
                after <= end
                and self.timeline.starts_at(interval, bucket) == at >= kept.since
                and self._retains(kept, bucket, now)
            ):
                return Column(interval, bucket), after
        return None

    def _next_edge(self, at: int, now: float, warnings: set[str]) -> int:
        """Where to go on from an instant at which no kept bucket starts."""
        edges: list[int] = []
        for kept in self.kept:
            bucket = self.timeline.bucket(kept.interval, at)
            if self._retains(kept, bucket, now):
                warnings.add(UNALIGNED)
                edges.append(self.timeline.starts_at(kept.interval, bucket + 1))
        if edges:
            return min(edges)
        warnings.add(NOT_RETAINED)
        return min(self._first_retained(kept, now) for kept in self.kept)

    def _first_retained(self, kept: Kept, now: float) -> int:
        assert kept.seconds is not None  # what is kept for ever is retained everywhere
        bucket = self.timeline.bucket(kept.interval, now - kept.seconds)
        return self.timeline.starts_at(kept.interval, bucket)

    def _retains(self, kept: Kept, bucket: int, now: float) -> bool:
        if kept.seconds is None:
            return True
        return self.timeline.starts_at(kept.interval, bucket + 1) + kept.seconds > now


def parse_schedule(intervals: Mapping[str, str | None], timeline: Timeline) -> Schedule:
    """Read `{"1m": "2d", "1h": "90d", "1mo": None}`: interval to how long a bucket is kept (`None`: for ever)."""
    kept = [
        Kept(Interval.parse(name), None if keep is None else length_seconds(keep)) for name, keep in intervals.items()
    ]
    if not kept:
        raise InvalidInput("INTERVALS", intervals, 'name at least one interval, e.g. {"1d": "5y"}')
    return Schedule(kept, timeline)


def length_seconds(text: str) -> int:
    """A length of time such as `90d` or `5y` in seconds. Unlike an interval's its count is free."""
    digits = text.rstrip("smhdwoy")
    unit = text[len(digits) :]
    if not digits.isdecimal() or len(digits) > 6 or int(digits) < 1:
        raise InvalidInput("length", text, "use a number and a unit, e.g. 2d, 90d, 5y")
    return int(digits) * Interval.parse(f"1{unit}").seconds


def used(plans: Sequence[Plan]) -> set[str]:
    """All warnings of several plans."""
    return {warning for plan in plans for warning in plan.warnings}
