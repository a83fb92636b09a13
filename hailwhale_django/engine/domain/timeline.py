"""Calendar-true buckets of time.

An `Interval` says how finely time is kept (`1m`, `6h`, `1d`, `1mo`); a *bucket* is one such slot, known by
a whole number that grows by one from slot to slot. A `Timeline` turns instants into buckets and back for one
time zone.

Seconds, minutes and hours are slots of UTC, the same everywhere. Days, weeks (from Monday), months and years
are those of the zone's wall calendar, so a day may last 23 or 25 hours. Rules come from `zoneinfo` alone.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from ..errors import InvalidInput

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "mo": 2_629_746, "y": 31_556_952}
"""Length of each unit; for months and years the mean of the Gregorian calendar."""

# A count that divides the next larger unit keeps buckets aligned with it, so that they add up to it.
DIVIDES = {"s": 60, "m": 60, "h": 24, "d": 1, "w": 1, "mo": 12, "y": 1}
CLOCK_UNITS = ("s", "m", "h")
LAST_YEAR = 9998  # one before Python's last, so that every bucket has an end

_INTERVAL = re.compile(r"(\d+)\s*(mo|[smhdwy])")

# Since January 1972 every day of every zone has begun on a whole five minutes of UTC.
OFFSET_CHUNK = 300


@dataclass(frozen=True, slots=True, order=False)
class Interval:
    """`count` units: seconds `s`, minutes `m`, hours `h`, days `d`, weeks `w`, months `mo` or years `y`.

    The count must divide the next larger unit (60 for s and m, 24 for h, 12 for mo; 1 for d, w and y).
    """

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str | Interval) -> Interval:
        """Read `"5m"`, `"1d"`, `"3mo"`. Raises `InvalidInput`."""
        if isinstance(text, Interval):
            return text
        match = _INTERVAL.fullmatch(str(text).strip())
        if match is None or len(match[1]) > 4:
            raise InvalidInput("interval", text, "use a number and a unit, e.g. 1m, 1h, 1d, 1w, 1mo")
        count, unit = int(match[1]), match[2]
        if count < 1 or DIVIDES[unit] % count:
            fit = ", ".join(f"{n}{unit}" for n in range(1, DIVIDES[unit] + 1) if DIVIDES[unit] % n == 0)
            raise InvalidInput("interval", text, f"with the unit {unit!r} use one of {fit}")
        return cls(count, unit)

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def seconds(self) -> int:
        """Nominal length; a mean for months and years."""
        return self.count * SECONDS[self.unit]

    @property
    def on_the_clock(self) -> bool:
        """Whether its buckets are slots of UTC, the same in every zone."""
        return self.unit in CLOCK_UNITS


class Timeline:
    """The calendar of one time zone. Use `timeline(zone)`, which keeps one for each zone."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._settled_offset = lru_cache(maxsize=4096)(self._offset_throughout)
        self._begins = lru_cache(maxsize=8192)(self._first_instant)

    def bucket(self, interval: Interval, at: float) -> int:
        """The bucket that holds the instant `at` (seconds since the epoch)."""
        if interval.on_the_clock:
            return int(at // interval.seconds)
        return _bucket_of_day(interval, self._day(at))

    def bucket_of_date(self, interval: Interval, day: date) -> int:
        """The bucket that holds the first instant of a date."""
        if interval.on_the_clock:
            return self.bucket(interval, self.midnight(day))
        return _bucket_of_day(interval, day.toordinal())

    def bucket_of_wall(self, interval: Interval, wall: datetime) -> int:
        """The bucket at whose time, or for days and longer at whose date, clocks show `wall` (naive)."""
        if interval.on_the_clock:
            return self.bucket(interval, wall.replace(tzinfo=self.zone).timestamp())
        return self.bucket_of_date(interval, wall.date())

    def covering(self, interval: Interval, since: int, until: int) -> tuple[int, int, int | None, int | None]:
        """The first and last bucket of the instants from `since` to before `until`, and these where they lie within."""
        first, last = self.bucket(interval, since), self.bucket(interval, until - 1)
        aligned = self.starts_at(interval, first) == since, self.starts_at(interval, last + 1) == until
        return first, last, None if aligned[0] else since, None if aligned[1] else until

    def starts_at(self, interval: Interval, bucket: int) -> int:
        """The first instant of a bucket, in seconds since the epoch."""
        if interval.on_the_clock:
            return bucket * interval.seconds
        return self.midnight(self.first_date(interval, bucket))

    def start(self, interval: Interval, bucket: int) -> datetime:
        """The first instant of a bucket, in this zone."""
        return datetime.fromtimestamp(self.starts_at(interval, bucket), UTC).astimezone(self.zone)

    def wall(self, interval: Interval, bucket: int) -> datetime:
        """What clocks show when a bucket begins (naive); 00:00 for a day even if they jump over midnight."""
        if not interval.on_the_clock:
            return datetime.combine(self.first_date(interval, bucket), time())
        shown = self.start(interval, bucket).replace(tzinfo=None)
        midnight = datetime.combine(shown, time())
        return midnight if self.starts_at(interval, bucket) == self.midnight(shown) else shown

    def first_date(self, interval: Interval, bucket: int) -> date:
        """The first date of a bucket of days or longer."""
        if interval.unit == "d":
            return date.fromordinal(bucket)
        if interval.unit == "w":
            return date.fromordinal(bucket * 7 + 1)
        if interval.unit == "mo":
            year, month = divmod(bucket * interval.count, 12)
            return date(year, month + 1, 1)
        return date(bucket, 1, 1)

    def midnight(self, day: date) -> int:
        """When the zone's calendar first shows `day` or a later date, in seconds since the epoch.

        Where a clock jumps over midnight that is the jump; a date that a zone left out altogether (Samoa's
        30 December 2011) begins and ends there.
        """
        return self._begins(day.toordinal())

    def label(self, interval: Interval, bucket: int) -> str:
        """What a person calls a bucket, different for each: `11/21/26 23:00`, `11/21/26`, `Nov 2026`, `2026`.

        A week is called by its Monday. An hour that a clock shows twice has the offset added the second time.
        """
        if interval.on_the_clock:
            return _clock_label(self.start(interval, bucket), with_seconds=interval.unit == "s")
        first = self.first_date(interval, bucket)
        if interval.unit == "mo":
            return f"{_MONTHS[first.month - 1]} {first.year}"
        return str(first.year) if interval.unit == "y" else _date_label(first)

    def _first_instant(self, day: int) -> int:
        wall = datetime.combine(date.fromordinal(day), time(), self.zone)
        instant = int(wall.timestamp())
        skipped = int((datetime.fromtimestamp(instant, self.zone) - wall).total_seconds())
        if skipped <= 0:
            return instant
        # There is no 00:00: Python answers as if the clock had not jumped, so the jump was shortly before.
        jump = bisect_left(range(instant - skipped, instant), day, key=self._day_shown)
        return instant - skipped + jump

    def _day(self, at: float) -> int:
        """The proleptic ordinal of the zone's calendar day at an instant; it never falls as time goes on."""
        day = self._day_shown(at)
        # A clock set back over midnight shows a date, leaves it and shows it again; it began the first time.
        return day + 1 if at >= self._begins(day + 1) else day

    def _day_shown(self, at: float) -> int:
        offset = self._settled_offset(int(at // OFFSET_CHUNK))
        if offset is None:
            offset = self._offset(at)
        return int((at + offset) // 86_400) + _EPOCH_DAY

    def _offset_throughout(self, chunk: int) -> int | None:
        """The zone's offset during a chunk of time; `None` if it changes within."""
        first = self._offset(chunk * OFFSET_CHUNK)
        return first if first == self._offset((chunk + 1) * OFFSET_CHUNK - 1) else None

    def _offset(self, at: float) -> int:
        offset = datetime.fromtimestamp(at, UTC).astimezone(self.zone).utcoffset()
        return 0 if offset is None else int(offset.total_seconds())


@lru_cache(maxsize=64)
def timeline(zone: tzinfo) -> Timeline:
    """The one timeline of a zone, so that what it has worked out is shared."""
    return Timeline(zone)


def earlier(wall: datetime, count: int, unit: str) -> datetime:
    """So many units before `wall` (naive), by the calendar: a month before 31 March is the 28th or 29th."""
    if unit not in ("mo", "y"):
        return wall - timedelta(seconds=count * SECONDS[unit])
    months = wall.year * 12 + wall.month - 1 - count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    return wall.replace(year=year, month=month + 1, day=min(wall.day, monthrange(year, month + 1)[1]))


def _bucket_of_day(interval: Interval, day: int) -> int:
    if interval.unit == "d":
        return day
    if interval.unit == "w":
        return (day - 1) // 7  # day 1 of the proleptic calendar was a Monday
    then = date.fromordinal(day)
    return (then.year * 12 + then.month - 1) // interval.count if interval.unit == "mo" else then.year


def _date_label(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year % 100:02}"


def _clock_label(at: datetime, with_seconds: bool) -> str:
    clock = f"{at:%H:%M:%S}" if with_seconds else f"{at:%H:%M}"
    return f"{_date_label(at)} {clock}{f'{at:%z}' if at.fold else ''}"


_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
