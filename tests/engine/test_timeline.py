"""Buckets against dates worked out by hand, and their laws over zones known for odd clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.timeline import (
    DIVIDES,
    OFFSET_CHUNK,
    Interval,
    Timeline,
    earlier,
    timeline,
)
from hailwhale_django.engine.errors import InvalidInput

SECOND, MINUTE, HOUR = Interval(1, "s"), Interval(1, "m"), Interval(1, "h")
DAY, WEEK = Interval(1, "d"), Interval(1, "w")
MONTH, QUARTER, YEAR = Interval(1, "mo"), Interval(3, "mo"), Interval(1, "y")

INTERVALS = [
    Interval(count, unit) for unit, limit in DIVIDES.items() for count in range(1, limit + 1) if limit % count == 0
]

# Since 1972 the offsets of these were whole hours at all times.
WHOLE_HOUR_ZONES = [
    "UTC",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Havana",
    "Europe/Paris",
    "Africa/Cairo",
    "Asia/Tokyo",
    "Asia/Amman",
    "Pacific/Auckland",
    "Pacific/Apia",
]
ODD_ZONES = [
    "America/St_Johns",  # changed its clocks at 00:01
    "America/Goose_Bay",
    "Antarctica/Casey",  # once went back three hours at 02:00
    "Antarctica/Troll",  # two hours of summer
    "Africa/Monrovia",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Asia/Gaza",
    "Australia/Lord_Howe",  # half an hour of summer
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Kwajalein",
]
zones = st.sampled_from(WHOLE_HOUR_ZONES + ODD_ZONES)
intervals = st.sampled_from(INTERVALS)
instants = st.integers(
    int(datetime(1972, 1, 2, tzinfo=UTC).timestamp()), int(datetime(2100, 12, 31, tzinfo=UTC).timestamp())
)


def line(name: str) -> Timeline:
    return timeline(ZoneInfo(name))


def utc(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[misc,arg-type]


def hours_of(zone: str, day: date) -> float:
    begins, ends = (line(zone).midnight(day + timedelta(days=ahead)) for ahead in (0, 1))
    return (ends - begins) / 3600


# --- intervals


@pytest.mark.parametrize(
    ("text", "count", "unit", "seconds"),
    [("1m", 1, "m", 60), ("15m", 15, "m", 900), (" 6 h ", 6, "h", 21_600), ("3mo", 3, "mo", 7_889_238)],
)
def test_interval_is_read_from_a_count_and_a_unit(text: str, count: int, unit: str, seconds: int) -> None:
    interval = Interval.parse(text)
    assert (interval.count, interval.unit, interval.seconds) == (count, unit, seconds)


@pytest.mark.parametrize("interval", INTERVALS, ids=str)
def test_interval_is_read_back_from_its_text(interval: Interval) -> None:
    assert Interval.parse(str(interval)) == interval
    assert Interval.parse(interval) is interval


@pytest.mark.parametrize("text", ["", "m", "1", "0m", "7m", "5h", "2d", "2w", "5mo", "2y", "-1d", "99999s", "1 M"])
def test_interval_that_does_not_divide_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Interval.parse(text)
    assert caught.value.field == "interval"


@pytest.mark.parametrize("given", [None, 5, b"1d", ["1d"]])
def test_interval_is_not_read_from_anything_but_text(given: object) -> None:
    with pytest.raises(InvalidInput):
        Interval.parse(given)  # type: ignore[arg-type]


# --- buckets by hand


def test_clock_buckets_count_from_the_epoch_in_every_zone() -> None:
    at = utc(1970, 1, 2, 3, 4, 5)
    for zone in ("UTC", "Asia/Kathmandu"):
        assert line(zone).bucket(HOUR, at) == 27
        assert line(zone).bucket(Interval(15, "m"), at) == 108
        assert line(zone).starts_at(HOUR, 27) == 27 * 3600


def test_calendar_buckets_are_dates() -> None:
    at = utc(2026, 11, 21, 23, 42)
    assert line("UTC").bucket(DAY, at) == date(2026, 11, 21).toordinal()
    assert line("UTC").first_date(WEEK, line("UTC").bucket(WEEK, at)) == date(2026, 11, 16)
    assert line("UTC").first_date(MONTH, line("UTC").bucket(MONTH, at)) == date(2026, 11, 1)
    assert line("UTC").first_date(QUARTER, line("UTC").bucket(QUARTER, at)) == date(2026, 10, 1)
    assert line("UTC").bucket(YEAR, at) == 2026
    assert line("Asia/Tokyo").bucket(DAY, at) == date(2026, 11, 22).toordinal()


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("UTC", date(2026, 3, 8), (2026, 3, 8), 24),
        ("America/New_York", date(2026, 3, 8), (2026, 3, 8, 5), 23),
        ("America/New_York", date(2026, 11, 1), (2026, 11, 1, 4), 25),
        ("Asia/Kolkata", date(2026, 3, 1), (2026, 2, 28, 18, 30), 24),
        ("Asia/Kathmandu", date(2026, 3, 1), (2026, 2, 28, 18, 15), 24),
        ("Australia/Lord_Howe", date(2026, 4, 5), (2026, 4, 4, 13), 24.5),
        # 00:00 does not exist: the day begins at 01:00.
        ("Africa/Cairo", date(2026, 4, 24), (2026, 4, 23, 22), 23),
        ("America/Sao_Paulo", date(2018, 11, 4), (2018, 11, 4, 3), 23),
        # The clock went from 23:30 to 00:30, and half an hour of each day is missing.
        ("America/Toronto", date(1919, 3, 30), (1919, 3, 30, 5), 23.5),
        ("America/Toronto", date(1919, 3, 31), (1919, 3, 31, 4, 30), 23.5),
        # At 00:01 the clock went back to 23:01: the day has begun and goes on.
        ("America/St_Johns", date(2010, 11, 7), (2010, 11, 7, 2, 30), 25),
        ("Antarctica/Casey", date(2010, 3, 5), (2010, 3, 4, 13), 27),
        # At 00:01 it went forward, to 01:01.
        ("America/St_Johns", date(2011, 3, 13), (2011, 3, 13, 3, 30), 23),
        # From 00:00:00 to 00:44:30.
        ("Africa/Monrovia", date(1972, 1, 7), (1972, 1, 7, 0, 44, 30), 23 + 15.5 / 60),
        ("Pacific/Apia", date(2011, 12, 29), (2011, 12, 29, 10), 24),
        ("Pacific/Apia", date(2011, 12, 30), (2011, 12, 30, 10), 0),
        ("Pacific/Apia", date(2011, 12, 31), (2011, 12, 30, 10), 24),
    ],
)
def test_when_days_begin_and_how_long_they_last(zone: str, day: date, begins: tuple[int, ...], hours: float) -> None:
    assert line(zone).midnight(day) == utc(*begins)
    assert hours_of(zone, day) == pytest.approx(hours)


def test_day_does_not_go_back_with_the_clock() -> None:
    st_johns, sixth, seventh = line("America/St_Johns"), date(2010, 11, 6), date(2010, 11, 7)
    assert st_johns.bucket(DAY, utc(2010, 11, 7, 2, 29, 59)) == sixth.toordinal()
    assert st_johns.bucket(DAY, utc(2010, 11, 7, 2, 30)) == seventh.toordinal()
    assert st_johns.bucket(DAY, utc(2010, 11, 7, 2, 31)) == seventh.toordinal()  # shows 23:01 of the 6th
    assert st_johns.bucket(DAY, utc(2010, 11, 8, 3, 30)) == seventh.toordinal() + 1


def test_day_that_a_zone_left_out_holds_no_instant() -> None:
    apia, left_out = line("Pacific/Apia"), date(2011, 12, 30).toordinal()
    jump = utc(2011, 12, 30, 10)
    assert [apia.bucket(DAY, jump - 1), apia.bucket(DAY, jump)] == [left_out - 1, left_out + 1]
    assert apia.starts_at(DAY, left_out) == apia.starts_at(DAY, left_out + 1) == jump


def test_start_is_in_the_zone() -> None:
    start = line("America/New_York").start(MONTH, 2026 * 12 + 10)
    assert start.isoformat() == "2026-11-01T00:00:00-04:00"


def test_bucket_of_date_is_that_of_its_first_instant() -> None:
    kolkata = line("Asia/Kolkata")
    assert kolkata.bucket_of_date(HOUR, date(1970, 1, 2)) == 18  # 18:30 UTC on 1 January
    assert kolkata.bucket_of_date(DAY, date(1970, 1, 2)) == date(1970, 1, 2).toordinal()
    assert kolkata.bucket_of_date(YEAR, date(1970, 1, 2)) == 1970


def test_timelines_are_shared() -> None:
    assert timeline(ZoneInfo("Europe/Paris")) is timeline(ZoneInfo("Europe/Paris"))


# --- clocks and calendars


def test_wall_and_back() -> None:
    paris = line("Europe/Paris")
    hour = paris.bucket(HOUR, utc(2026, 7, 1, 10))
    assert paris.wall(HOUR, hour) == datetime(2026, 7, 1, 12)
    assert paris.bucket_of_wall(HOUR, datetime(2026, 7, 1, 12, 59)) == hour
    assert paris.bucket_of_wall(MONTH, datetime(2026, 7, 31, 23)) == 2026 * 12 + 6


def test_wall_says_midnight_where_the_clock_jumps_over_it() -> None:
    cairo = line("Africa/Cairo")
    first_hour = cairo.bucket(HOUR, utc(2026, 4, 23, 22))
    assert cairo.wall(HOUR, first_hour) == cairo.wall(DAY, date(2026, 4, 24).toordinal()) == datetime(2026, 4, 24)
    assert cairo.wall(HOUR, first_hour + 1) == datetime(2026, 4, 24, 2)


@pytest.mark.parametrize(
    ("wall", "count", "unit", "expected"),
    [
        (datetime(2026, 3, 31, 5, 6), 1, "mo", datetime(2026, 2, 28, 5, 6)),
        (datetime(2028, 3, 31), 1, "mo", datetime(2028, 2, 29)),
        (datetime(2028, 2, 29), 1, "y", datetime(2027, 2, 28)),
        (datetime(2028, 2, 29), 4, "y", datetime(2024, 2, 29)),
        (datetime(2026, 1, 15), 13, "mo", datetime(2024, 12, 15)),
        (datetime(2026, 3, 1), 1, "d", datetime(2026, 2, 28)),
        (datetime(2026, 3, 1), 2, "w", datetime(2026, 2, 15)),
    ],
)
def test_earlier_goes_by_the_calendar(wall: datetime, count: int, unit: str, expected: datetime) -> None:
    assert earlier(wall, count, unit) == expected


# --- labels


@pytest.mark.parametrize(
    ("interval", "label"),
    [
        ("1s", "11/1/26 09:08:07"),
        ("1m", "11/1/26 09:08"),
        ("15m", "11/1/26 09:00"),
        ("1h", "11/1/26 09:00"),
        ("1d", "11/1/26"),
        ("1w", "10/26/26"),
        ("1mo", "Nov 2026"),
        ("3mo", "Oct 2026"),
        ("1y", "2026"),
    ],
)
def test_labels(interval: str, label: str) -> None:
    asked = Interval.parse(interval)
    assert line("UTC").label(asked, line("UTC").bucket(asked, utc(2026, 11, 1, 9, 8, 7))) == label


def test_years_have_two_digits() -> None:
    assert line("UTC").label(DAY, date(2005, 1, 2).toordinal()) == "1/2/05"


def test_label_of_an_hour_shown_twice_has_the_offset_the_second_time() -> None:
    new_york, one_oclock = line("America/New_York"), utc(2026, 11, 1, 5) // 3600
    assert [new_york.label(HOUR, one_oclock + hours) for hours in (-1, 0, 1, 2)] == [
        "11/1/26 00:00",
        "11/1/26 01:00",
        "11/1/26 01:00-0500",
        "11/1/26 02:00",
    ]


# --- laws


@given(zones, intervals, instants)
def test_every_instant_lies_in_its_bucket(zone: str, interval: Interval, at: int) -> None:
    calendar = line(zone)
    bucket = calendar.bucket(interval, at)
    assert calendar.starts_at(interval, bucket) <= at < calendar.starts_at(interval, bucket + 1)
    assert calendar.start(interval, bucket).timestamp() == calendar.starts_at(interval, bucket)


@given(zones, intervals, instants)
def test_bucket_and_start_are_inverse(zone: str, interval: Interval, at: int) -> None:
    calendar = line(zone)
    bucket = calendar.bucket(interval, at)
    assert calendar.bucket(interval, calendar.starts_at(interval, bucket)) == bucket
    assert calendar.bucket(interval, calendar.starts_at(interval, bucket + 1) - 1) == bucket


@given(zones, instants)
def test_day_is_what_the_clock_shows_or_has_shown(zone: str, at: int) -> None:
    shown = datetime.fromtimestamp(at, ZoneInfo(zone)).date()
    day = date.fromordinal(line(zone).bucket(DAY, at))
    three_hours_ago = datetime.fromtimestamp(at - 3 * 3600, ZoneInfo(zone)).date()
    assert day == shown or (day == shown + timedelta(days=1) and three_hours_ago <= shown)


@given(zones, intervals, instants, st.integers(0, 40_000_000))
def test_buckets_never_fall(zone: str, interval: Interval, at: int, later: int) -> None:
    assert line(zone).bucket(interval, at) <= line(zone).bucket(interval, at + later)


@given(st.sampled_from(sorted(available_timezones())), st.dates(date(1972, 1, 8), date(2100, 1, 1)))
def test_every_day_of_every_zone_begins_on_a_chunk(zone: str, day: date) -> None:
    assert Timeline(ZoneInfo(zone)).midnight(day) % OFFSET_CHUNK == 0


@given(zones, instants, st.lists(instants, max_size=5))
def test_what_is_remembered_changes_nothing(zone: str, at: int, before: list[int]) -> None:
    used = Timeline(ZoneInfo(zone))
    for other in before:
        used.bucket(DAY, other)
    assert used.bucket(DAY, at) == Timeline(ZoneInfo(zone)).bucket(DAY, at)
