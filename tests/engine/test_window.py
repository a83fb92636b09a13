"""Which stretch of time an alert looks at, on Sunday 22 November 2026 at 16:47:30 UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hailwhale_django.engine.domain.plan import Schedule, parse_schedule
from hailwhale_django.engine.domain.timeline import timeline
from hailwhale_django.engine.domain.window import window
from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.engine.store.store import DEFAULT_INTERVALS

NOW = datetime(2026, 11, 22, 16, 47, 30, tzinfo=UTC).timestamp()


def kept(intervals: dict[str, str | None] | None = None, zone: str = "UTC") -> Schedule:
    return parse_schedule(intervals or DEFAULT_INTERVALS, timeline(ZoneInfo(zone)))


def span(text: str, versus: str = "", schedule: Schedule | None = None) -> tuple[str, str, str]:
    """The interval, the beginning and the end, by the clocks of the zone."""
    period = window(text, versus, NOW, schedule or kept()).period
    return str(period.interval), f"{period.start:%d %H:%M}", f"{period.end:%d %H:%M}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15m", ("1m", "22 16:32", "22 16:47")),
        ("1h", ("1m", "22 15:47", "22 16:47")),
        (" 1H ", ("1m", "22 15:47", "22 16:47")),
        ("12h", ("1h", "22 04:00", "22 16:00")),
        ("24h", ("1h", "21 16:00", "22 16:00")),
        ("7d", ("1h", "15 16:00", "22 16:00")),
        ("30d", ("1d", "23 00:00", "22 00:00")),
        ("2w", ("1d", "08 00:00", "22 00:00")),
    ],
)
def test_a_length_is_over(text: str, expected: tuple[str, str, str]) -> None:
    assert span(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today", ("1h", "22 00:00", "22 17:00")),
        ("yesterday", ("1d", "21 00:00", "22 00:00")),
        ("5m:1h", ("5m", "22 15:45", "22 16:50")),
        ("mtd", ("1d", "01 00:00", "23 00:00")),
    ],
)
def test_any_other_period_is_what_it_is_elsewhere(text: str, expected: tuple[str, str, str]) -> None:
    assert span(text) == expected


def test_days_are_those_of_the_store() -> None:
    # In Auckland it is 05:47 on Monday 23.
    assert span("14d", schedule=kept(zone="Pacific/Auckland")) == ("1d", "09 00:00", "23 00:00")


def test_what_it_is_compared_with_must_be_kept_as_well() -> None:
    found = window("1h", "previous", NOW, kept())
    assert found.compare is not None
    assert (str(found.compare.interval), f"{found.compare.start:%d %H:%M}") == ("1m", "22 14:47")
    # Minutes are kept for two days, so that of a week ago only hours are known.
    assert span("1h", "weekdays") == ("1h", "22 15:00", "22 16:00")
    found = window("1h", "weekdays", NOW, kept())
    assert found.compare is not None
    assert f"{found.compare.start:%d %H:%M}" == "15 15:00"


def test_the_shortest_that_is_kept_will_do() -> None:
    hourly = kept({"1h": "90d", "1d": None})
    assert span("1h", schedule=hourly) == ("1h", "22 15:00", "22 16:00")
    assert span("90m", schedule=hourly) == ("1h", "22 14:00", "22 16:00")


@pytest.mark.parametrize(
    ("text", "versus", "intervals", "field"),
    [
        ("", "", None, "window"),
        ("soon", "", None, "window"),
        ("15m", "", {"1h": None}, "window"),
        ("30d", "", {"1h": "7d"}, "window"),
        ("1h", "year", {"1m": "2d", "1h": "90d", "1d": None}, "window"),
        ("1h", "then", None, "versus"),
        ("1mo", "weekdays", None, "versus"),
    ],
)
def test_what_will_not_do(text: str, versus: str, intervals: dict[str, str | None] | None, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        window(text, versus, NOW, kept(intervals))
    assert caught.value.field == field
