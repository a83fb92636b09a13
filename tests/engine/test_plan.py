"""Which stored buckets answer a question: exactly those that make up the time that was asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hailwhale_django.engine.domain.period import Period, parse_period
from hailwhale_django.engine.domain.plan import (
    NOT_RETAINED,
    UNALIGNED,
    ZONE_INEXACT,
    Column,
    Plan,
    Schedule,
    length_seconds,
    parse_schedule,
)
from hailwhale_django.engine.domain.timeline import Interval, timeline
from hailwhale_django.engine.errors import InvalidInput

NOW = datetime(2026, 11, 21, 23, 42, tzinfo=UTC)  # a Saturday
USUAL = {"1m": "2d", "1h": "90d", "1d": "5y", "1w": "5y", "1mo": None}
KOLKATA, NEW_YORK, KATHMANDU = ZoneInfo("Asia/Kolkata"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu")


def schedule(intervals: dict[str, str | None] | None = None, zone: tzinfo = UTC) -> Schedule:
    return parse_schedule(intervals or USUAL, timeline(zone))


def read(text: str, zone: tzinfo = UTC, now: datetime = NOW) -> Period:
    return parse_period(text, now=now, zone=zone)


def in_sum(text: str, kept: Schedule, zone: tzinfo = UTC, now: datetime = NOW) -> Plan:
    return kept.in_sum(read(text, zone, now), now.timestamp())


def named(plan: Plan, kept: Schedule) -> list[str]:
    """Columns as a person would write them: `1d:11/1/26`."""
    return [f"{one.interval}:{kept.timeline.label(*one)}" for point in plan.points for one in point]


# The calendar once more, by datetime's arithmetic alone.


def first_day(column: Column) -> date:
    interval, bucket = column
    if interval.unit == "d":
        return date.fromordinal(bucket)
    if interval.unit == "w":
        return date(1, 1, 1) + timedelta(weeks=bucket)
    months = bucket * interval.count if interval.unit == "mo" else bucket * 12
    return date(months // 12, months % 12 + 1, 1)


def edges(column: Column, zone: tzinfo) -> tuple[float, float]:
    """The first instant of a bucket, and the first one past it."""
    interval, bucket = column
    seconds = {"s": 1, "m": 60, "h": 3600}.get(interval.unit)
    if seconds is not None:
        return bucket * interval.count * seconds, (bucket + 1) * interval.count * seconds
    ends = (first_day(Column(interval, one)) for one in (bucket, bucket + 1))
    begin, end = (datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() for day in ends)
    return begin, end


# --- covers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01..2026-03-31", ["1mo:Jan 2026", "1mo:Feb 2026", "1mo:Mar 2026"]),
        ("yesterday", ["1d:11/20/26"]),
        ("last week", ["1w:11/9/26"]),
        ("3mo", ["1mo:Sep 2026", "1mo:Oct 2026", "1mo:Nov 2026"]),
        ("2026-10-31..2026-11-01", ["1d:10/31/26", "1d:11/1/26"]),
        (
            "mtd",  # 1 November is a Sunday; the week of the 16th is not over
            ["1d:11/1/26", "1w:11/2/26", "1w:11/9/26", *(f"1d:11/{day}/26" for day in range(16, 22))],
        ),
        (
            # Weeks never step over the beginning of a month that is wanted as a whole.
            "2026-08-24..2026-10-08",
            [
                "1w:8/24/26",
                "1d:8/31/26",
                "1mo:Sep 2026",
                *(f"1d:10/{day}/26" for day in range(1, 5)),
                "1d:10/5/26",
                "1d:10/6/26",
                "1d:10/7/26",
                "1d:10/8/26",
            ],
        ),
        ("1h:2026-11-20..2026-11-20", ["1d:11/20/26"]),
        (
            "1m:2h",
            [
                *(f"1m:11/21/26 21:{m}" for m in range(42, 60)),
                "1h:11/21/26 22:00",
                *(f"1m:11/21/26 23:{m:02}" for m in range(43)),
            ],
        ),
    ],
)
def test_a_total_takes_long_buckets_in_the_middle_and_short_ones_at_the_ends(text: str, expected: list[str]) -> None:
    kept = schedule()
    plan = in_sum(text, kept)
    assert named(plan, kept) == expected
    assert plan.warnings == set()


def test_a_year_by_day_is_read_from_its_months() -> None:
    kept = schedule()
    # 20 Nov 2025, a Thursday, to 21 Nov 2026: days 20-23, the week of the 24th, eleven months and what mtd has, less
    # December, which begins on a Monday, and is a month all the same.
    names = named(in_sum("1d:1y", kept), kept)
    assert names[:4] == ["1d:11/21/25", "1d:11/22/25", "1d:11/23/25", "1w:11/24/25"]
    assert names[4:15] == [f"1mo:{month} 2025" for month in ("Dec",)] + [
        f"1mo:{month} 2026" for month in ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct")
    ]
    assert len(names) == 24


def test_a_plot_reads_each_kept_bucket_as_it_is() -> None:
    kept = schedule()
    plan = kept.by_point(read("mtd"), NOW.timestamp())
    day = Interval(1, "d")
    assert plan.points == [(Column(day, date(2026, 11, n).toordinal()),) for n in range(1, 22)]
    assert plan.warnings == set()


def test_a_plot_at_an_interval_that_is_not_kept_adds_up_shorter_ones() -> None:
    kept = schedule()
    assert named(kept.by_point(read("6h:2026-11-20"), NOW.timestamp()), kept) == [
        f"1h:11/20/26 {hour:02}:00" for hour in range(24)
    ]
    quarters = kept.by_point(read("3mo:2026-01-01..2026-06-30"), NOW.timestamp())
    assert [len(point) for point in quarters.points] == [3, 3]
    assert quarters.warnings == set()


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (NEW_YORK, "2026-11-01", 25),
        (NEW_YORK, "2026-03-08", 23),
        (ZoneInfo("Africa/Cairo"), "2026-04-24", 23),
        (ZoneInfo("Africa/Cairo"), "2026-10-30", 24),  # and the 29th has 25, since its last hour is shown twice
        (ZoneInfo("Africa/Cairo"), "2026-10-29", 25),
    ],
)
def test_a_day_of_another_zone_has_its_hours(zone: ZoneInfo, day: str, hours: int) -> None:
    kept = schedule({"1h": None, "1d": None})
    plan = in_sum(f"{day}..{day}", kept, zone)
    begin = datetime.fromisoformat(day).replace(tzinfo=zone).timestamp()
    covered = [edges(column, UTC) for point in plan.points for column in point]
    assert covered[0][0] == begin
    assert sum(end - start for start, end in covered) == hours * 3600
    assert plan.warnings == set()


def test_a_day_of_kolkata_takes_the_minutes_of_half_an_hour_at_both_ends() -> None:
    kept = schedule()
    plan = in_sum("yesterday", kept, KOLKATA)  # 22 November has begun there: 20 Nov 18:30 to 21 Nov 18:30
    names = named(plan, kept)
    assert names == [
        *(f"1m:11/20/26 18:{m}" for m in range(30, 60)),
        *(f"1h:11/{20 + (19 + h) // 24}/26 {(19 + h) % 24:02}:00" for h in range(23)),
        *(f"1m:11/21/26 18:{m:02}" for m in range(30)),
    ]
    assert plan.warnings == set()


def test_a_clock_period_of_kolkata_begins_at_its_midnight() -> None:
    """`today` by the hour has hours of UTC for its points, and yet counts nothing of yesterday."""
    kept = schedule()
    period = read("today", KOLKATA)
    assert named(in_sum("today", kept, KOLKATA), kept) == [
        *(f"1m:11/21/26 18:{m}" for m in range(30, 60)),
        *(f"1h:11/21/26 {hour}:00" for hour in range(19, 24)),
    ]
    points = kept.by_point(period, NOW.timestamp()).points
    assert [len(point) for point in points] == [30, 1, 1, 1, 1, 1]


def test_the_zone_of_the_store_may_have_half_hours() -> None:
    kept = schedule(zone=KOLKATA)
    plan = in_sum("yesterday", kept, KOLKATA)
    assert named(plan, kept) == ["1d:11/21/26"]
    plan = in_sum("today", kept, KOLKATA)
    assert edges(plan.points[0][0], KOLKATA)[0] == datetime(2026, 11, 22, tzinfo=KOLKATA).timestamp()
    assert plan.warnings == set()


def test_where_days_begin_at_half_past_hours_do_without_them() -> None:
    """A store in Kolkata keeps hours of UTC, which do not make up its days."""
    kept = schedule({"1h": None, "1d": None, "1mo": None}, KOLKATA)
    plan = in_sum("1h:1w", kept, KOLKATA)
    assert {str(column.interval) for column in plan.points[0]} == {"1h"}
    assert len(plan.points[0]) == 169
    assert plan.warnings == set()
    assert named(in_sum("7d", kept, KOLKATA), kept) == [f"1d:11/{day}/26" for day in range(16, 23)]
    assert in_sum("mtd", kept, KOLKATA).warnings == set()


# --- what an answer must say about itself


def test_what_is_older_than_its_retention_is_left_out_and_said() -> None:
    kept = schedule({"1h": "7d"})
    plan = in_sum("30d", kept)
    assert plan.warnings == {NOT_RETAINED}
    begin = min(edges(column, UTC)[0] for column in plan.points[0])
    assert begin == datetime(2026, 11, 14, 23, tzinfo=UTC).timestamp()
    assert in_sum("3d", kept).warnings == set()


def test_a_bucket_is_kept_for_its_retention_after_its_end() -> None:
    kept = schedule({"1h": "7d"})
    (hour,) = kept.columns_at(NOW.timestamp(), NOW.timestamp())
    end = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
    assert kept.expires_at(hour) == end + 7 * 86_400
    assert kept.columns_at(NOW.timestamp(), end + 7 * 86_400 - 1) == (hour,)
    with pytest.raises(InvalidInput, match="no interval is kept that long"):
        kept.columns_at(NOW.timestamp(), end + 7 * 86_400)
    assert schedule().expires_at(Column(Interval(1, "mo"), 2026 * 12 + 10)) is None


def test_old_days_of_another_zone_are_the_store_s_own_and_that_is_said() -> None:
    kept = schedule()
    plan = in_sum("2026-03-01..2026-03-02", kept, NEW_YORK)
    assert named(plan, kept) == ["1d:3/1/26", "1d:3/2/26"]
    assert plan.warnings == {ZONE_INEXACT}
    assert in_sum("2026-11-01..2026-11-02", kept, NEW_YORK).warnings == set()


@pytest.mark.parametrize(
    ("zone", "dates"),
    [
        ("Asia/Kolkata", ["3/1/26", "3/2/26"]),  # from 18:30 the day before
        ("America/Los_Angeles", ["3/1/26", "3/2/26"]),
        ("Pacific/Kiritimati", ["2/28/26", "3/1/26"]),  # 14 hours ahead: from 10:00 the day before
    ],
)
def test_dates_of_another_zone_are_the_nearest_that_are_kept(zone: str, dates: list[str]) -> None:
    days = schedule({"1d": None})
    assert named(in_sum("2026-03-01..2026-03-02", days, ZoneInfo(zone)), days) == [f"1d:{one}" for one in dates]
    plot = days.by_point(read("2026-03-01..2026-03-02", ZoneInfo(zone)), NOW.timestamp())
    assert named(plot, days) == [f"1d:{one}" for one in dates]
    assert [len(point) for point in plot.points] == [1, 1]


def test_days_are_not_told_from_months() -> None:
    months = schedule({"1mo": None})
    for zone in (UTC, KOLKATA):
        plan = in_sum("2026-03-07..2026-03-09", months, zone)
        assert named(plan, months) == []
        assert plan.warnings == {UNALIGNED}


def test_where_exact_days_follow_inexact_ones_nothing_counts_twice() -> None:
    """In Kolkata the minutes of two days are exact, and the hours before them half an hour off."""
    kept = schedule()
    plot = kept.by_point(read("mtd", KOLKATA), NOW.timestamp())
    covered = [edges(column, UTC) for point in plot.points for column in point]
    assert all(before == after for (_, before), (after, _) in pairwise(covered))
    assert covered[0][0] == datetime(2026, 10, 31, 19, tzinfo=UTC).timestamp()
    assert plot.warnings == {ZONE_INEXACT}
    assert sorted(named(in_sum("mtd", kept, KOLKATA), kept))[:1] == ["1d:11/1/26"]
    today = edges(plot.points[-1][0], UTC)[0]
    assert today == datetime(2026, 11, 22, tzinfo=KOLKATA).timestamp()


def test_edges_inside_a_kept_bucket_are_left_out_and_said() -> None:
    kept = schedule({"1h": None})
    plan = in_sum("1m:90m", kept)  # 22:12 to 23:43: no bucket of an hour lies within
    assert plan.warnings == {UNALIGNED}
    assert sum(map(len, plan.points)) <= 1
    day = in_sum("2026-11-20..2026-11-20", kept, KATHMANDU)  # from 18:15 to 18:15: nearest is 18:00
    assert day.warnings == {ZONE_INEXACT}
    assert [edges(column, UTC)[0] for column in day.points[0]] == [
        datetime(2026, 11, 19, 18, tzinfo=UTC).timestamp() + 3600 * n for n in range(24)
    ]


def test_to_date_is_read_from_the_bucket_that_is_not_over() -> None:
    """What lies between now and the end of the current bucket has not happened yet."""
    months = schedule({"1mo": None})
    assert named(in_sum("mtd", months), months) == ["1mo:Nov 2026"]
    assert named(in_sum("ytd", months), months)[-1] == "1mo:Nov 2026"
    assert in_sum("ytd", months).warnings == set()
    days = schedule({"1d": "5y"})
    assert named(in_sum("today", days), days) == ["1d:11/21/26"]
    assert in_sum("12h", days).warnings == {UNALIGNED}


def test_an_interval_that_was_added_later_is_read_from_then_on() -> None:
    since = int(datetime(2026, 11, 20, 12, 30, tzinfo=UTC).timestamp())
    kept = schedule({"1h": None, "1d": None}).since({"1h": 0, "1d": since})
    assert named(in_sum("2026-11-20..2026-11-20", kept), kept) == [f"1h:11/20/26 {hour:02}:00" for hour in range(24)]
    assert named(in_sum("2026-11-21..2026-11-21", kept), kept) == ["1d:11/21/26"]
    plotted = kept.by_point(read("2026-11-20..2026-11-21"), NOW.timestamp())
    assert [len(point) for point in plotted.points] == [24, 1]
    assert plotted.warnings == set()


def test_an_interval_that_was_added_later_and_is_finer_says_what_it_lacks() -> None:
    since = int(datetime(2026, 11, 20, 12, 30, tzinfo=UTC).timestamp())
    kept = schedule({"1h": None, "1d": None}).since({"1h": since, "1d": 0})
    assert named(in_sum("2026-11-20..2026-11-20", kept), kept) == ["1d:11/20/26"]
    plotted = kept.by_point(read("1h:2026-11-20"), NOW.timestamp())
    assert [len(point) for point in plotted.points] == [0] * 13 + [1] * 11
    assert plotted.warnings


# --- writing


def test_an_event_falls_into_one_bucket_of_each_interval_that_still_keeps_it() -> None:
    kept = schedule()

    def intervals(**age: float) -> list[str]:
        at = (NOW - timedelta(**age)).timestamp()
        return [str(column.interval) for column in kept.columns_at(at, NOW.timestamp())]

    assert intervals() == ["1m", "1h", "1d", "1w", "1mo"]
    assert intervals(days=-1) == ["1m", "1h", "1d", "1w", "1mo"]
    assert intervals(days=2, minutes=1) == ["1h", "1d", "1w", "1mo"]
    assert intervals(days=91) == ["1d", "1w", "1mo"]
    assert intervals(days=5 * 366 + 7) == ["1mo"]


def test_an_event_of_the_far_future_is_refused() -> None:
    with pytest.raises(InvalidInput, match="more than a day ahead"):
        schedule().columns_at(NOW.timestamp() + 86_401, NOW.timestamp())


# --- laws

ZONES = ["UTC", "Asia/Kolkata", "America/New_York", "Africa/Cairo", "Asia/Kathmandu", "Australia/Lord_Howe"]
zones = st.sampled_from(ZONES).map(ZoneInfo)
schedules = st.sampled_from(
    [
        {"1m": None, "1h": None, "1d": None, "1w": None, "1mo": None},
        {"5m": None, "6h": None, "1d": None, "3mo": None, "1y": None},
        {"1m": None, "1d": None, "1mo": None},
        {"15m": None, "1h": None, "12h": None, "1w": None},
        USUAL,
        {"1h": "30d", "1d": "1y", "1mo": None},
    ]
)
questions = st.sampled_from(
    ["today", "yesterday", "mtd", "qtd", "ytd", "last month", "last week", "last quarter", "wtd", "7d", "30d", "12mo",
     "24h", "48h", "1d:1y", "1h:1w", "1w:90d", "6h:3d", "3mo:2y", "5m:3h", "2026-03-07..2026-03-09",
     "1h:2026-10-28..2026-11-02", "2026-04-24", "1d:3mo"]
)  # fmt: skip
moments = st.datetimes(datetime(2026, 11, 22), datetime(2028, 12, 31), timezones=st.just(UTC))


def asked_for(period: Period, now: datetime) -> tuple[float, float]:
    """The time that a period's text means, in its zone, to the second."""
    today = now.astimezone(period.zone).date()
    dates = period.text.removeprefix("1h:")
    if period.text == "today":
        days = [today, today]
    elif period.text == "yesterday":
        days = [today - timedelta(days=1)] * 2
    elif dates.startswith("20"):
        days = [date.fromisoformat(text) for text in dates.split("..")]
    else:
        return period.start.timestamp(), period.end.timestamp()
    ends = (days[0], days[-1] + timedelta(days=1))
    begin, end = (datetime(day.year, day.month, day.day, tzinfo=period.zone).timestamp() for day in ends)
    return begin, min(end, (now.timestamp() // 3600 + 1) * 3600) if period.text == "today" else end


@given(schedules, zones, zones, questions, moments)
def test_a_cover_has_all_of_the_time_once(
    intervals: dict[str, str | None], store_zone: ZoneInfo, zone: ZoneInfo, text: str, now: datetime
) -> None:
    kept = schedule(intervals, store_zone)
    period = read(text, zone, now)
    plan = kept.in_sum(period, now.timestamp())
    begin, end = asked_for(period, now)
    covered = sorted(edges(column, store_zone) for point in plan.points for column in point)
    for (_, before), (after, _) in pairwise(covered):
        assert before <= after, "buckets overlap"
    if not plan.warnings:
        assert covered[0][0] == begin
        assert all(before == after for (_, before), (after, _) in pairwise(covered))
        assert covered[-1][1] == end or covered[-1][0] <= now.timestamp() < end <= covered[-1][1]
    elif plan.warnings == {ZONE_INEXACT}:
        assert all(before == after for (_, before), (after, _) in pairwise(covered))
        assert abs(covered[0][0] - begin) <= 16 * 86_400
    elif ZONE_INEXACT not in plan.warnings:
        assert all(begin <= first and (last <= end or end > now.timestamp()) for first, last in covered)


@settings(max_examples=40)
@given(schedules, zones, zones, questions, moments)
def test_the_points_of_a_plot_add_up_to_its_total(
    intervals: dict[str, str | None], store_zone: ZoneInfo, zone: ZoneInfo, text: str, now: datetime
) -> None:
    kept = schedule(intervals, store_zone)
    period = read(text, zone, now)
    total, plot = (ask(period, now.timestamp()) for ask in (kept.in_sum, kept.by_point))
    assert len(plot.points) == len(period)
    assume(not (total.warnings | plot.warnings))
    spans = [sorted(edges(column, store_zone) for point in plan.points for column in point) for plan in (total, plot)]
    assert spans[0][0][0] == spans[1][0][0]
    lengths = [sum(min(end, period.end.timestamp()) - begin for begin, end in one) for one in spans]
    assert lengths[0] == lengths[1]


@given(schedules, zones, questions, moments)
def test_days_of_the_store_s_own_zone_are_always_exact(
    intervals: dict[str, str | None], zone: ZoneInfo, text: str, now: datetime
) -> None:
    assume("1d" in intervals and intervals["1d"] is None)
    period = read(text, zone, now)
    assume(not period.interval.on_the_clock)
    kept = schedule(intervals, zone)
    assert kept.in_sum(period, now.timestamp()).warnings == set()
    assert kept.by_point(period, now.timestamp()).warnings == set()


# --- configuration


def test_intervals_are_read_finest_first() -> None:
    assert [str(kept.interval) for kept in schedule({"1mo": None, "1m": "2d", "1d": "5y"}).kept] == ["1m", "1d", "1mo"]


@pytest.mark.parametrize("intervals", [{}, {"5x": None}, {"7m": None}, {"1d": "long"}, {"1d": ""}, {"1d": "0d"}])
def test_wrong_intervals_are_refused(intervals: dict[str, str | None]) -> None:
    with pytest.raises(InvalidInput):
        parse_schedule(intervals, timeline(UTC))


def test_lengths() -> None:
    assert [length_seconds(text) for text in ("2d", "90d", "36h", "1w", "30m")] == [
        172_800, 7_776_000, 129_600, 604_800, 1800,
    ]  # fmt: skip
    assert length_seconds("1y") == pytest.approx(365.25 * 86_400, rel=1e-3)
    for wrong in ("d", "2", "-2d", "2.5d", "1e3d", "٣d", "9999999d"):
        with pytest.raises(InvalidInput):
            length_seconds(wrong)
