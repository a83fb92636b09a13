"""Windows: the stretch of time that is looked at again and again, up to now.

A length (`15m`, `1h`, `24h`, `7d`) is so much time that is over: of the buckets of some kept interval the last ones
without the current one, so that a value never falls only because its last minute has just begun. Any other period
(`today`, `mtd`, `1h:1w`) is what it is on every page, up to now.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..errors import InvalidInput
from .period import Period, compare_period, parse_period
from .plan import ZONE_INEXACT, Schedule
from .timeline import SECONDS, Interval

# A window moves on by its step, and is late by up to one: of 24 hours, by the hour.
STEPS = 12

_LENGTH = re.compile(r"([1-9][0-9]{0,5})(mo|[smhdwy])")
_UNITS = ("s", "m", "h", "d", "w")


class Window(NamedTuple):
    """A period, and the one that it is compared with, if any."""

    period: Period
    compare: Period | None = None


def window(text: Any, versus: Any, now: float, schedule: Schedule) -> Window:
    """The stretch that ends now, in the zone of the schedule.

    Raises `InvalidInput` about "window" or "versus", also where not all of it is kept.
    """
    found = list(_windows(text, versus, now, schedule))
    for one in found:
        if is_kept(one, now, schedule):
            return one
    if not found:
        raise InvalidInput("window", text, f"nothing is kept by less than {schedule.kept[0].interval}; use more")
    raise InvalidInput("window", text, "what it asks for is older than what is kept; see the setting INTERVALS")


def _windows(text: Any, versus: Any, now: float, schedule: Schedule) -> Iterator[Window]:
    """One for each step that will do, the most fitting first."""
    moment = datetime.fromtimestamp(now, UTC)
    for period in _periods(text, moment, schedule):
        yield Window(period, _compared(period, versus, moment))


def _periods(text: Any, moment: datetime, schedule: Schedule) -> Iterator[Period]:
    line = schedule.timeline
    asked = " ".join(text.lower().split()) if isinstance(text, str) else ""
    length = _LENGTH.fullmatch(asked)
    if length is None or length[2] not in _UNITS:
        yield _read(text, moment, schedule)
        return
    seconds = int(length[1]) * SECONDS[length[2]]
    for step in _steps(seconds, schedule):
        behind = line.bucket(step, moment.timestamp())
        yield Period(asked, step, line.zone, behind - -(-seconds // step.seconds), behind - 1)


def _steps(seconds: int, schedule: Schedule) -> list[Interval]:
    """Of the kept intervals that fit in, the longest that makes enough steps, or else the shortest; then longer ones,
    which are kept for longer.
    """
    fitting = [one.interval for one in schedule.kept if one.interval.unit in "smhd" and one.interval.seconds <= seconds]
    fine = [one for one in fitting if one.seconds * STEPS <= seconds]
    return fitting[max(len(fine) - 1, 0) :]


def _read(text: Any, moment: datetime, schedule: Schedule) -> Period:
    try:
        return parse_period(text or "?", now=moment, zone=schedule.timeline.zone)
    except InvalidInput as error:
        raise type(error)("window", error.value, f"use a length such as 1h, 24h or 7d, or {error.expected}") from error


def _compared(period: Period, versus: Any, moment: datetime) -> Period | None:
    if not versus:
        return None
    try:
        return compare_period(period, versus, now=moment).with_interval(period.interval)
    except InvalidInput as error:
        raise type(error)("versus", error.value, error.expected) from error


def is_kept(found: Window, now: float, schedule: Schedule) -> bool:
    """Whether kept buckets make up all of it. Minutes of a week ago lie in hours that are kept, and are not."""
    spans = (one for one in found if one is not None)
    return all(schedule.in_sum(one, now).warnings <= {ZONE_INEXACT} for one in spans)
