"""What can be written for a period, and which buckets it asks for.

- Sizes, `interval:length`: from the bucket that held the instant a length ago to the current one. `1d:1mo`,
  `5m:1d`; `thirty`, `seven`, `year`, `day` and `hour` are the ancestor's words for five of them.
- A length alone: just so many days, hours or months, the current one the last. `7d`, `48h`, `12mo`.
- A part of the calendar: `today`, `yesterday`, `wtd`, `mtd`, `qtd`, `ytd`, `last week`, `last month`.
- Dates: `2026-03-01` by the hour; `2026-03-01..2026-03-31` and `3/1/2026-3/31/2026` by day, ends included.
- Times: `2026-03-01T16:00..2026-03-01T17:30`, the end excluded; by the hour, minute or second that both fall on.

The last three can be read at another interval: `1h:mtd`, `1w:2026-03-01..2026-03-31`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from ..errors import InvalidInput, TooLarge
from .timeline import CLOCK_UNITS, LAST_YEAR, SECONDS, Interval, Timeline, earlier

MAX_CHARACTERS = 100  # room for any text that means something
FIRST_YEAR = 1970

WITHIN_YEARS = f"it must lie within the years {FIRST_YEAR} to {LAST_YEAR}"
EXPECTED = "use e.g. today, mtd, 7d, 12mo, 1h:1w, last month, 2026-03-01..2026-03-31 or 3/1/2026-3/31/2026"

SECOND, MINUTE, HOUR = Interval(1, "s"), Interval(1, "m"), Interval(1, "h")
DAY, WEEK = Interval(1, "d"), Interval(1, "w")
MONTH, QUARTER, YEAR = Interval(1, "mo"), Interval(3, "mo"), Interval(1, "y")

# Read so only when nothing else is asked: behind an interval, 1d is a length.
_WHOLE_TEXTS = {
    "": "1d:1mo",
    "1d": "1d:1y",
    "86400": "1d:1y",
    "1h": "1h:1d",
    "3600": "1h:1d",
    "1m": "1m:1h",
    "60": "1m:1h",
}

_WORDS = {
    "thirty": "1d:1mo",
    "seven": "1d:1w",
    "year": "1d:1y",
    "day": "1h:1d",
    "hour": "1m:1h",
    "hours": "24h",
    "this week": "wtd",
    "this month": "mtd",
    "this quarter": "qtd",
    "this year": "ytd",
}

# Which part of the calendar, how many of them ago, and the interval it is read at.
_CALENDAR = {
    "today": (DAY, 0, HOUR),
    "yesterday": (DAY, 1, DAY),
    "wtd": (WEEK, 0, DAY),
    "mtd": (MONTH, 0, DAY),
    "qtd": (QUARTER, 0, DAY),
    "ytd": (YEAR, 0, DAY),
    "last week": (WEEK, 1, DAY),
    "last month": (MONTH, 1, DAY),
    "last quarter": (QUARTER, 1, DAY),
    "last year": (YEAR, 1, MONTH),
}

# The interval at which a length alone is read, and how many of its buckets make one unit.
_READ_AT = {
    "s": (SECOND, 1),
    "m": (MINUTE, 1),
    "h": (HOUR, 1),
    "d": (DAY, 1),
    "w": (DAY, 7),
    "mo": (MONTH, 1),
    "y": (MONTH, 12),
}

_LENGTH = re.compile(r"([1-9][0-9]{0,5})(mo|[smhdwy])")
_DATES = (
    re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"),
    re.compile(r"(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4})"),
)

_TIME = r"\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d)?(?:z|[+-]\d\d:\d\d)?"
_TIMES = re.compile(rf"(?:(?P<interval>[^:]*):)? ?(?P<since>{_TIME}) ?\.\. ?(?P<until>{_TIME})", re.ASCII)


class Asked(NamedTuple):
    """The buckets `first` to `last` of an interval, and how they were asked for, spelt in one way.

    `since` is the first instant that was asked for and `until` the first past them, in seconds since the epoch, where
    they lie within the first and the last bucket: midnight is not on the hour everywhere.
    """

    text: str
    interval: Interval
    first: int
    last: int
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, in seconds since the epoch, and the zone in which it is asked."""

    at: float
    line: Timeline

    def current(self, interval: Interval) -> int:
        return self.line.bucket(interval, self.at)

    def bucket_before(self, interval: Interval, count: int, unit: str) -> int:
        """The bucket that held the instant, or for days and longer the date, so many units ago."""
        if unit in CLOCK_UNITS:
            return self.line.bucket(interval, self.at - count * SECONDS[unit])
        return self.line.bucket_of_wall(interval, earlier(self._wall(interval), count, unit))

    def _wall(self, interval: Interval) -> datetime:
        if interval.on_the_clock:
            return datetime.fromtimestamp(self.at, self.line.zone).replace(tzinfo=None)
        return self.line.wall(DAY, self.current(DAY))


def read(given: str, moment: Moment) -> Asked:
    """Understand a period's text, without its zone. Raises `InvalidInput`."""
    if len(given) > MAX_CHARACTERS:
        raise TooLarge("period", given, f"it has at most {MAX_CHARACTERS} characters; {EXPECTED}")
    text = " ".join(given.lower().split())
    if times := _TIMES.fullmatch(text):
        return _timed(times, given, moment.line)
    text = _WHOLE_TEXTS.get(text, text)
    prefix, colon, body = _WORDS.get(text, text).rpartition(":")
    body = body.strip()
    body = _WORDS.get(body, body).rpartition(":")[2]
    interval = _interval(prefix, given) if colon else None
    if body in _CALENDAR:
        return _calendar(body, interval, moment)
    if length := _LENGTH.fullmatch(body):
        count, unit = int(length[1]), length[2]
        return _size(interval, count, unit, moment) if interval else _latest(count, unit, moment)
    if ends := _dates(body):
        return _dated(ends, interval, moment.line)
    raise InvalidInput("period", given, EXPECTED)


def written(interval: Interval, since: int, until: int, line: Timeline) -> str:
    """A text that means the same whenever it is read: the buckets of an interval from one instant to before another."""
    first, last = (datetime.fromtimestamp(at, UTC).astimezone(line.zone) for at in (since, until))
    if since == line.midnight(first.date()) and until == line.midnight(last.date()):
        return f"{interval}:{first:%Y-%m-%d}..{last - timedelta(days=1):%Y-%m-%d}"
    return f"{interval}:{_clock(first)}..{_clock(last)}"


def _clock(at: datetime) -> str:
    """What clocks show; where they show it twice, the second time with the offset."""
    text = f"{at:%Y-%m-%dT%H:%M:%S}" if at.second else f"{at:%Y-%m-%dT%H:%M}"
    return text + (at.isoformat()[-6:] if at.fold else "")


def _interval(text: str, given: str) -> Interval:
    try:
        return Interval.parse(text)
    except InvalidInput as error:
        raise InvalidInput("period", given, f"before the colon {error.expected}") from None


def _calendar(name: str, interval: Interval | None, moment: Moment) -> Asked:
    part, ago, usual = _CALENDAR[name]
    line, bucket = moment.line, moment.current(part) - ago
    first, end = line.first_date(part, bucket), line.first_date(part, bucket + 1)
    asked = _covering(_spelt(interval, name), interval or usual, first, end - timedelta(days=1), line)
    current = moment.current(asked.interval)
    return asked._replace(last=current, until=None) if current < asked.last else asked


def _size(interval: Interval, count: int, unit: str, moment: Moment) -> Asked:
    text = _spelt(interval, f"{count}{unit}")
    if count * SECONDS[unit] > moment.at + SECONDS["y"]:  # else dates before the year 1 might come up
        raise InvalidInput("period", text, WITHIN_YEARS)
    first = moment.bucket_before(interval, count, unit)
    return Asked(text, interval, first, moment.current(interval))


def _latest(count: int, unit: str, moment: Moment) -> Asked:
    interval, buckets_per_unit = _READ_AT[unit]
    last = moment.current(interval)
    return Asked(f"{count}{unit}", interval, last - count * buckets_per_unit + 1, last)


def _timed(times: re.Match[str], given: str, line: Timeline) -> Asked:
    since, until = (_instant(times[end], line) for end in ("since", "until"))
    if until <= since:
        raise InvalidInput("period", given, "put the earlier time first")
    usual = next(one for one in (HOUR, MINUTE, SECOND) if since % one.seconds == until % one.seconds == 0)
    interval = usual if times["interval"] is None else _interval(times["interval"].strip(), given)
    first, last = line.bucket(interval, since), line.bucket(interval, until - 1)
    text = written(interval, line.starts_at(interval, first), line.starts_at(interval, last + 1), line)
    return Asked(text, interval, first, last)


def _instant(text: str, line: Timeline) -> int:
    """What is written without an offset is what clocks of the zone show."""
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        raise InvalidInput("period", text, "there is no such time") from None
    here = found.replace(tzinfo=line.zone) if found.tzinfo is None else found
    try:
        years = [found.year, here.astimezone(UTC).year, here.astimezone(line.zone).year]
    except (ValueError, OverflowError):
        raise InvalidInput("period", text, WITHIN_YEARS) from None
    if not all(FIRST_YEAR <= year <= LAST_YEAR for year in years):
        raise InvalidInput("period", text, WITHIN_YEARS)
    return int(here.timestamp())


def _dates(text: str) -> tuple[date, ...]:
    """The one or two dates of a text, or none."""
    ends = text.split("..") if ".." in text else text.split("-") if "/" in text else [text]
    found = [_date(end.strip()) for end in ends]
    return tuple(day for day in found if day) if len(found) <= 2 and None not in found else ()


def _date(text: str) -> date | None:
    match = next(filter(None, (pattern.fullmatch(text) for pattern in _DATES)), None)
    if match is None:
        return None
    year, month, day = (int(match[part]) for part in ("year", "month", "day"))
    try:
        found = date(year, month, day)
    except ValueError:
        raise InvalidInput("period", text, "there is no such date") from None
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise InvalidInput("period", text, WITHIN_YEARS)
    return found


def _dated(ends: tuple[date, ...], interval: Interval | None, line: Timeline) -> Asked:
    first, last = ends[0], ends[-1]
    text = "..".join(map(str, ends))
    if last < first:
        raise InvalidInput("period", text, "put the earlier date first")
    usual = DAY if len(ends) == 2 else HOUR
    return _covering(_spelt(interval, text), interval or usual, first, last, line)


def _covering(text: str, interval: Interval, first: date, last: date, line: Timeline) -> Asked:
    """The buckets of an interval that cover some dates, both ends included."""
    since, until = line.midnight(first), line.midnight(last + timedelta(days=1))
    if interval.on_the_clock:
        return Asked(text, interval, *line.covering(interval, since, until))
    return Asked(text, interval, line.bucket_of_date(interval, first), line.bucket_of_date(interval, last))


def _spelt(interval: Interval | None, body: str) -> str:
    return f"{interval}:{body}" if interval else body
