"""Which stored buckets answer a question about time.

A `Schedule` knows the intervals that are kept and for how long. Writing asks it which buckets an instant falls into;
reading asks it for stored buckets that make up a span, and few of them: months in the middle of a long period, days at
its ends. Every step works on instants, so it is exact for any zone whose edges fall on the edges of a kept interval;
where they do not, they are moved to the nearest, so that no bucket counts twice, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from math import gcd, inf
from typing import Any, NamedTuple

from ..errors import InvalidInput
from .period import Period
from .timeline import OFFSET_CHUNK, Interval, Timeline

# Clocks differ, and a day's figures may be booked in the morning; what claims to come later than that is a mistake.
FUTURE_SECONDS = DAY_SECONDS = 86_400

# Instants whose columns are remembered; those of an event that happens now are asked for again and again.
REMEMBERED_SLOTS = 1024

NOT_RETAINED = "some of this period is older than what is kept"
ZONE_INEXACT = "some dates of this zone begin inside a kept bucket; all of it is counted on the nearer one"
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
        clock = (one.interval.seconds for one in self.kept if one.interval.on_the_clock)
        # All instants of one slot fall into the same buckets of every interval, in every zone.
        self.slot_seconds = gcd(OFFSET_CHUNK, *clock)
        self._columns: dict[float, tuple[tuple[Column, float], ...]] = {}
        daily = [one.interval for one in self.kept if one.interval.seconds >= DAY_SECONDS]
        # Those at which the evidence of decisions is kept.
        evidence = daily or [one.interval for one in self.kept[-1:]]
        self.of_evidence, self.finest_of_evidence = frozenset(evidence), evidence[0]

    def since(self, since: Mapping[str, int]) -> Schedule:
        """The same schedule, each interval usable from an instant on."""
        kept = (replace(one, since=since.get(str(one.interval), 0)) for one in self.kept)
        return Schedule(kept, self.timeline)

    def only(self, keeps: Callable[[Interval], bool]) -> Schedule:
        """The same schedule without the intervals that are not kept of something."""
        kept = [one for one in self.kept if keeps(one.interval)]
        return self if len(kept) == len(self.kept) else Schedule(kept, self.timeline)

    def later(self, since: Callable[[Interval], int]) -> Schedule:
        """The same schedule, each interval usable from an instant on, and no earlier than it was."""
        kept = [replace(one, since=max(one.since, since(one.interval))) for one in self.kept]
        return self if tuple(kept) == self.kept else Schedule(kept, self.timeline)

    def columns_at(self, at: float, now: float) -> tuple[Column, ...]:
        """The buckets, one of each interval that still keeps them, into which an event at `at` is counted."""
        if at > now + FUTURE_SECONDS:
            raise InvalidInput("at", _written(at), "this is more than a day ahead of the clock")
        slot = at // self.slot_seconds
        found = self._columns.get(slot)
        if found is None:
            if len(self._columns) >= REMEMBERED_SLOTS:
                self._columns.clear()
            found = self._columns[slot] = self._columns_around(at)
        columns = tuple([column for column, expiry in found if expiry > now])
        if not columns:
            raise InvalidInput("at", _written(at), "no interval is kept that long; see the setting INTERVALS")
        return columns

    def expires_at(self, column: Column) -> int | None:
        """When a bucket leaves its retention, in seconds since the epoch; `None`: never."""
        keep = self._by_interval[column.interval].seconds
        return None if keep is None else self.timeline.starts_at(column.interval, column.bucket + 1) + keep

    def by_point(self, period: Period, now: float) -> Plan:
        """Columns for each bucket of the period: a plot."""
        kept = self._by_interval.get(period.interval)
        exact = self._has_edges_of_buckets(period)
        if kept is not None and exact and self._first_usable(kept, period.span[0], now) == period.first:
            return Plan([(Column(period.interval, bucket),) for bucket in period.buckets])
        warnings: set[str] = set()
        edges = [*(period.span_of(bucket)[0] for bucket in period.buckets), period.span[1]]
        if not exact:
            edges = [self._nearest_edge(at, period.interval.seconds, now, warnings) for at in edges]
        return Plan([self._cover(begin, end, now, warnings) for begin, end in pairwise(edges)], warnings)

    def in_sum(self, period: Period, now: float) -> Plan:
        """Few columns that make up the whole period: a total."""
        warnings: set[str] = set()
        begin, end = period.span
        if not self._has_edges_of_buckets(period):
            longest = max(period.interval.seconds, DAY_SECONDS)
            begin, end = (self._nearest_edge(at, longest, now, warnings) for at in (begin, end))
        return Plan([self._cover(begin, end, now, warnings)], warnings)

    def _has_edges_of_buckets(self, period: Period) -> bool:
        """Whether the period's buckets are such as could be kept: slots of the clock, or dates of the store's zone."""
        own = period.interval.on_the_clock or str(period.zone) == str(self.timeline.zone)
        return own and period.since is period.until is None

    def _nearest_edge(self, at: int, longest: int, now: float, warnings: set[str]) -> int:
        """An instant at which a kept bucket begins: `at` or, where it lies inside one of the finest, the nearer end.

        No bucket of more than `longest` seconds is counted on one side: what was asked is finer.
        """
        inside = None
        for kept in self.kept:
            begin, end = self._bucket_around(kept, at - 1)
            if begin >= self._usable_from(kept, now):
                if end == at:
                    return at
                if kept.interval.seconds <= longest:
                    inside = inside or (begin, end)
        if inside is None:
            return at
        warnings.add(ZONE_INEXACT)
        begin, end = inside
        return begin if at - begin < end - at else end

    def _bucket_around(self, kept: Kept, at: int) -> tuple[int, int]:
        bucket = self.timeline.bucket(kept.interval, at)
        return self.timeline.starts_at(kept.interval, bucket), self.timeline.starts_at(kept.interval, bucket + 1)

    def _cover(self, start: int, end: int, now: float, warnings: set[str]) -> tuple[Column, ...]:
        """The kept buckets of `start` to `end`, in order, each instant in at most one."""
        return tuple(self._covering(start, end, now, warnings, self.kept))

    def _covering(self, start: int, end: int, now: float, warnings: set[str], kept: Sequence[Kept]) -> Iterable[Column]:
        """Of the longest interval all buckets that fit, of the shorter ones those that fit to their left and right."""
        if start >= end:
            return ()
        if not kept:
            return self._left_over(start, end, now, warnings)
        *shorter, longest = kept
        line, interval = self.timeline, longest.interval
        first, behind = self._first_usable(longest, start, now), line.bucket(interval, end)
        if first >= behind:
            return self._covering(start, end, now, warnings, shorter)
        found: set[str] = set()
        left = self._covering(start, line.starts_at(interval, first), now, found, shorter)
        right = self._covering(line.starts_at(interval, behind), end, now, found, shorter)
        columns = [*left, *(Column(interval, bucket) for bucket in range(first, behind)), *right]
        if UNALIGNED in found:
            # Where days begin at half past, hours do not go with them, but may do without them.
            others: set[str] = set()
            instead = list(self._covering(start, end, now, others, shorter))
            if not others:
                return instead
        warnings |= found
        return columns

    def _left_over(self, start: int, end: int, now: float, warnings: set[str]) -> list[Column]:
        """What no kept bucket fits into: nothing can be told of it, unless only the future keeps a bucket from it."""
        if start <= now < end:
            for kept in self.kept:
                bucket = self.timeline.bucket(kept.interval, start)
                if self._first_usable(kept, start, now) == bucket:
                    return [Column(kept.interval, bucket)]
        usable = min(self._usable_from(kept, now) for kept in self.kept)
        if start < usable:
            warnings.add(NOT_RETAINED)
        if end > usable:
            warnings.add(UNALIGNED)
        return []

    def _first_usable(self, kept: Kept, start: int, now: float) -> int:
        """The first bucket that begins at or after `start` and of which all is kept."""
        at = max(start, self._usable_from(kept, now))
        bucket = self.timeline.bucket(kept.interval, at)
        return bucket if self.timeline.starts_at(kept.interval, bucket) == at else bucket + 1

    def _usable_from(self, kept: Kept, now: float) -> int:
        if kept.seconds is None or kept.seconds >= now:
            return kept.since
        oldest = self.timeline.bucket(kept.interval, now - kept.seconds)
        return max(kept.since, self.timeline.starts_at(kept.interval, oldest))

    def _columns_around(self, at: float) -> tuple[tuple[Column, float], ...]:
        """The columns of an instant, and when they expire."""
        columns = [Column(kept.interval, self.timeline.bucket(kept.interval, at)) for kept in self.kept]
        expiries = [self.expires_at(column) for column in columns]
        return tuple((column, inf if at is None else at) for column, at in zip(columns, expiries, strict=True))


def parse_schedule(intervals: Mapping[str, str | None], timeline: Timeline) -> Schedule:
    """Read `{"1m": "2d", "1h": "90d", "1mo": None}`: interval to how long a bucket is kept (`None`: for ever)."""
    kept = [
        Kept(Interval.parse(name), None if keep is None else length_seconds(keep)) for name, keep in intervals.items()
    ]
    if not kept:
        raise InvalidInput("INTERVALS", intervals, 'name at least one interval, e.g. {"1d": "5y"}')
    return Schedule(kept, timeline)


def _written(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def length_seconds(text: Any) -> int:
    """A length of time such as `90d` or `5y` in seconds. Unlike an interval's its count is free."""
    digits = text.rstrip("smhdwoy") if isinstance(text, str) else ""
    unit = text[len(digits) :] if digits else ""
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 6 or int(digits) < 1:
        raise InvalidInput("length", text, "use a number and a unit, e.g. 2d, 90d, 5y")
    return int(digits) * Interval.parse(f"1{unit}").seconds
