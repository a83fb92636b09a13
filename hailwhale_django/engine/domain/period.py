"""Periods: questions about time, such as `today`, `7d`, `mtd`, `1h:1w` or `2026-03-01..2026-03-31`.

A `Period` is a run of buckets of one interval in one zone. Reading one takes no clock: `now` is passed in.
What can be written is told in `period_grammar`; behind a `|` may follow a zone, `today|Europe/Paris`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from ..errors import InvalidInput, TooLarge
from .period_grammar import EXPECTED, FIRST_YEAR, WITHIN_YEARS, Moment, read, written
from .timeline import LAST_YEAR, Interval, Timeline, earlier, timeline
from .zones import parse_zone

MAX_POINTS = 100_000

PRESETS: tuple[tuple[str, str], ...] = (
    ("today", "Today"),
    ("yesterday", "Yesterday"),
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
    ("mtd", "Month to date"),
    ("last month", "Last month"),
    ("ytd", "Year to date"),
    ("12mo", "Last 12 months"),
    ("year", "A year, by day"),
)
"""What a picker offers: a period's text and its English label."""


@dataclass(frozen=True, slots=True)
class Period:
    """The buckets `first` to `last`, both included, of an interval in a zone.

    `text` is what was asked, spelt in one way and without the zone; a period derived from another says how. Of the
    first bucket counts what is not before `since`, of the last what is before `until` (seconds since the epoch), where
    these are given: midnight is not on the hour everywhere. There are 1 to `MAX_POINTS` buckets, in the years 1970 to
    9998; else `InvalidInput` or `TooLarge`.
    """

    text: str
    interval: Interval
    zone: tzinfo
    first: int
    last: int
    since: int | None = None
    until: int | None = None

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise InvalidInput("period", self.text, "it holds no time: in this zone it ends before it begins")
        line = self.timeline
        earliest = line.bucket_of_date(self.interval, date(FIRST_YEAR, 1, 1))
        latest = line.bucket(self.interval, line.midnight(date(LAST_YEAR + 1, 1, 1)) - 1)
        if self.first < earliest or self.last > latest:
            raise InvalidInput("period", self.text, WITHIN_YEARS)
        if len(self) > MAX_POINTS:
            expected = f"it has {len(self):,} points of {self.interval}, the limit is {MAX_POINTS:,}"
            raise TooLarge("period", self.text, expected)

    def __len__(self) -> int:
        return self.last - self.first + 1

    @property
    def timeline(self) -> Timeline:
        return timeline(self.zone)

    @property
    def buckets(self) -> range:
        return range(self.first, self.last + 1)

    @property
    def span(self) -> tuple[int, int]:
        """The first instant and the first that is past the period, in seconds since the epoch."""
        return self.span_of(self.first)[0], self.span_of(self.last)[1]

    @property
    def start(self) -> datetime:
        """The first instant, in the period's zone."""
        return datetime.fromtimestamp(self.span[0], UTC).astimezone(self.zone)

    @property
    def end(self) -> datetime:
        """The first instant that is past the period, in its zone."""
        return datetime.fromtimestamp(self.span[1], UTC).astimezone(self.zone)

    def span_of(self, bucket: int) -> tuple[int, int]:
        """As much of the span as lies in one bucket."""
        since = self.since if bucket == self.first else None
        until = self.until if bucket == self.last else None
        return (
            self.timeline.starts_at(self.interval, bucket) if since is None else since,
            self.timeline.starts_at(self.interval, bucket + 1) if until is None else until,
        )

    @property
    def dated(self) -> str:
        """The text that asks for these buckets whenever it is read, in this zone."""
        return written(self.interval, *self.span, self.timeline)

    def starts(self) -> list[int]:
        """The first instant of each bucket, in seconds since the epoch."""
        return [self.timeline.starts_at(self.interval, bucket) for bucket in self.buckets]

    def labels(self) -> list[str]:
        """What a person calls each bucket, each label once; see `Timeline.label`."""
        return [self.timeline.label(self.interval, bucket) for bucket in self.buckets]

    def with_interval(self, interval: Interval) -> Period:
        """The same start and end, by the buckets of another interval that cover them."""
        if interval == self.interval:
            return self
        return Period(self.text, interval, self.zone, *self.timeline.covering(interval, *self.span))

    def starting(self, at: float) -> Period:
        """What of it comes no earlier than the bucket of an instant."""
        first = min(max(self.first, self.timeline.bucket(self.interval, at)), self.last)
        return Period(self.text, self.interval, self.zone, first, self.last)

    def only(self, bucket: int) -> Period:
        """One bucket of this period, or as much of it as belongs to the period."""
        return Period(
            self.text, self.interval, self.zone, *self.timeline.covering(self.interval, *self.span_of(bucket))
        )

    def previous(self) -> Period:
        """The same number of buckets just before."""
        if not self._is_aligned:
            since, until = self.span
            return self._from(since - (until - since), "previous")
        return self._beginning(self.first - len(self), "previous")

    def shifted_year(self) -> Period:
        """The same number of buckets, beginning on the same date a year earlier.

        29 February becomes the 28th; weeks, which no year is made of, begin 52 weeks earlier.
        """
        if self.interval.unit == "w":
            return self._before(52, "w", "a year before")
        return self._before(1, "y", "a year before")

    def shifted_weeks(self) -> Period:
        """The same number of buckets, the fewest whole weeks earlier that this period does not overlap.

        Each bucket is set beside one of the same weekday; that takes days, weeks or slots of the clock.
        """
        if self.interval.unit in ("mo", "y"):
            expected = "weekdays can be compared by day, by week or finer; use previous or year"
            raise InvalidInput("versus", "weekdays", expected)
        line, interval = self.timeline, self.interval
        length = line.wall(interval, self.last + 1) - line.wall(interval, self.first)
        weeks = -(-length // timedelta(weeks=1))
        return self._before(weeks, "w", "weekdays")

    def shifted_month(self) -> Period:
        """From the same date of the month before to the same date of it: of 1 to 22 November, 1 to 22 October.

        A whole month is set beside the whole one before, however many days it has; dates which that has not are its
        last one.
        """
        before = self._before(1, "mo", "a month before")
        if self.interval.on_the_clock or not self._is_aligned:
            return before
        line = self.timeline
        last = line.bucket_of_wall(self.interval, earlier(line.wall(self.interval, self.last + 1), 1, "mo")) - 1
        if self.interval.unit == "d":
            last = max(last, line.bucket_of_wall(self.interval, earlier(line.wall(self.interval, self.last), 1, "mo")))
        return replace(before, last=max(last, before.first))

    def _before(self, count: int, unit: str, how: str) -> Period:
        """As many buckets, from the one that holds this period's beginning less some calendar units."""
        if not self._is_aligned:
            wall = earlier(self.start.replace(tzinfo=None), count, unit)
            return self._from(int(wall.replace(tzinfo=self.zone).timestamp()), how)
        line = self.timeline
        wall = earlier(line.wall(self.interval, self.first), count, unit)
        return self._beginning(line.bucket_of_wall(self.interval, wall), how)

    @property
    def _is_aligned(self) -> bool:
        return self.since is None and self.until is None

    def _from(self, since: int, how: str) -> Period:
        """As much time, from another instant on."""
        begin, end = self.span
        covering = self.timeline.covering(self.interval, since, since + end - begin)
        return Period(f"{self.text} ({how})", self.interval, self.zone, *covering)

    def _beginning(self, first: int, how: str) -> Period:
        return replace(self, text=f"{self.text} ({how})", first=first, last=first + len(self) - 1)


def parse_period(
    given: str | int | Period | None,
    *,
    now: datetime,
    zone: tzinfo,
    tzoffset: float | str | None = None,
) -> Period:
    """Read what was asked at `now` (aware): `None` is the ancestor's `1d:1mo`, 86400 its `1d`.

    The zone is the one behind a `|`, else `tzoffset` (an IANA name or hundredths of hours), else `zone`. A
    `Period` is returned as it is. Raises `InvalidInput` about "period", "zone" or "tzoffset".
    """
    if isinstance(given, Period):
        return given
    text, _, suffix = _text(given).partition("|")
    if suffix.strip():
        zone = parse_zone(suffix, now=now)
    elif tzoffset is not None and tzoffset != "":
        zone = parse_zone(tzoffset, now=now, field="tzoffset")
    asked = read(text, Moment(now.timestamp(), timeline(zone)))
    return Period(asked.text, asked.interval, zone, asked.first, asked.last, asked.since, asked.until)


def compare_period(period: Period, versus: str | Period, *, now: datetime) -> Period:
    """What to set beside a period: `previous`, `month` or `year` (earlier), `weekdays`, or any period, in its zone.

    `weekdays` is the fewest whole weeks earlier that it does not overlap. Raises `InvalidInput`.
    """
    how = versus.strip().lower() if isinstance(versus, str) else ""
    if how == "previous":
        return period.previous()
    if how == "month":
        return period.shifted_month()
    if how == "year":
        return period.shifted_year()
    if how == "weekdays":
        return period.shifted_weeks()
    return parse_period(versus, now=now, zone=period.zone)


def _text(given: object) -> str:
    if given is None:
        return ""
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given) if 0 < given < 10**9 else "?"
    if not isinstance(given, str):
        raise InvalidInput("period", given, EXPECTED)
    return given
