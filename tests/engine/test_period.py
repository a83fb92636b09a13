"""Periods worked out by hand, mostly at Saturday 21 November 2026, 23:42 UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain import zones
from hailwhale_django.engine.domain.period import (
    MAX_POINTS,
    PRESETS,
    Period,
    compare_period,
    parse_period,
)
from hailwhale_django.engine.domain.timeline import Interval
from hailwhale_django.engine.errors import InvalidInput, TooLarge

NOW = datetime(2026, 11, 21, 23, 42, 7, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
HOUR, DAY = Interval(1, "h"), Interval(1, "d")


def read(text: str | int | Period | None, now: datetime = NOW, zone: tzinfo = UTC) -> Period:
    return parse_period(text, now=now, zone=zone)


def ends(period: Period) -> tuple[int, str, str]:
    labels = period.labels()
    return len(period), labels[0], labels[-1]


# --- what can be written


@pytest.mark.parametrize(
    ("text", "interval", "points", "first", "last"),
    [
        # the ancestor's
        (None, "1d", 32, "10/21/26", "11/21/26"),
        ("", "1d", 32, "10/21/26", "11/21/26"),
        ("thirty", "1d", 32, "10/21/26", "11/21/26"),
        ("1d:1mo", "1d", 32, "10/21/26", "11/21/26"),
        ("seven", "1d", 8, "11/14/26", "11/21/26"),
        ("1d:1w", "1d", 8, "11/14/26", "11/21/26"),
        ("year", "1d", 366, "11/21/25", "11/21/26"),
        ("1d:1y", "1d", 366, "11/21/25", "11/21/26"),
        ("1d", "1d", 366, "11/21/25", "11/21/26"),
        (86400, "1d", 366, "11/21/25", "11/21/26"),
        ("86400", "1d", 366, "11/21/25", "11/21/26"),
        ("mtd", "1d", 21, "11/1/26", "11/21/26"),
        ("ytd", "1d", 325, "1/1/26", "11/21/26"),
        ("wtd", "1d", 6, "11/16/26", "11/21/26"),
        ("today", "1h", 24, "11/21/26 00:00", "11/21/26 23:00"),
        ("yesterday", "1d", 1, "11/20/26", "11/20/26"),
        ("day", "1h", 25, "11/20/26 23:00", "11/21/26 23:00"),
        ("1h:1d", "1h", 25, "11/20/26 23:00", "11/21/26 23:00"),
        ("1h", "1h", 25, "11/20/26 23:00", "11/21/26 23:00"),
        (3600, "1h", 25, "11/20/26 23:00", "11/21/26 23:00"),
        ("hour", "1m", 61, "11/21/26 22:42", "11/21/26 23:42"),
        ("1m:1h", "1m", 61, "11/21/26 22:42", "11/21/26 23:42"),
        ("1m", "1m", 61, "11/21/26 22:42", "11/21/26 23:42"),
        ("24h", "1h", 24, "11/21/26 00:00", "11/21/26 23:00"),
        ("hours", "1h", 24, "11/21/26 00:00", "11/21/26 23:00"),
        ("3/1/2026-3/31/2026", "1d", 31, "3/1/26", "3/31/26"),
        ("03/01/2026 - 03/31/2026", "1d", 31, "3/1/26", "3/31/26"),
        # sizes
        ("1h:1w", "1h", 169, "11/14/26 23:00", "11/21/26 23:00"),
        ("5m:1d", "5m", 289, "11/20/26 23:40", "11/21/26 23:40"),
        ("6h:2h", "6h", 1, "11/21/26 18:00", "11/21/26 18:00"),
        ("6h:6h", "6h", 2, "11/21/26 12:00", "11/21/26 18:00"),
        ("1mo:1y", "1mo", 13, "Nov 2025", "Nov 2026"),
        ("3mo:1y", "3mo", 5, "Oct 2025", "Oct 2026"),
        ("1w:3mo", "1w", 14, "8/17/26", "11/16/26"),
        ("1y:3y", "1y", 4, "2023", "2026"),
        ("1d:48h", "1d", 3, "11/19/26", "11/21/26"),
        ("1h:thirty", "1h", 745, "10/21/26 23:00", "11/21/26 23:00"),
        ("5m:hours", "5m", 289, "11/20/26 23:40", "11/21/26 23:40"),
        # lengths
        ("30s", "1s", 30, "11/21/26 23:41:38", "11/21/26 23:42:07"),
        ("15m", "1m", 15, "11/21/26 23:28", "11/21/26 23:42"),
        ("48h", "1h", 48, "11/20/26 00:00", "11/21/26 23:00"),
        ("7d", "1d", 7, "11/15/26", "11/21/26"),
        ("30d", "1d", 30, "10/23/26", "11/21/26"),
        ("90d", "1d", 90, "8/24/26", "11/21/26"),
        ("1w", "1d", 7, "11/15/26", "11/21/26"),
        ("8w", "1d", 56, "9/27/26", "11/21/26"),
        ("1mo", "1mo", 1, "Nov 2026", "Nov 2026"),
        ("6mo", "1mo", 6, "Jun 2026", "Nov 2026"),
        ("12mo", "1mo", 12, "Dec 2025", "Nov 2026"),
        ("1y", "1mo", 12, "Dec 2025", "Nov 2026"),
        ("2y", "1mo", 24, "Dec 2024", "Nov 2026"),
        # parts of the calendar
        ("qtd", "1d", 52, "10/1/26", "11/21/26"),
        ("this week", "1d", 6, "11/16/26", "11/21/26"),
        ("this month", "1d", 21, "11/1/26", "11/21/26"),
        ("this quarter", "1d", 52, "10/1/26", "11/21/26"),
        ("this year", "1d", 325, "1/1/26", "11/21/26"),
        ("last week", "1d", 7, "11/9/26", "11/15/26"),
        ("last month", "1d", 31, "10/1/26", "10/31/26"),
        ("last quarter", "1d", 92, "7/1/26", "9/30/26"),
        ("last year", "1mo", 12, "Jan 2025", "Dec 2025"),
        # dates
        ("2026-03-01..2026-03-31", "1d", 31, "3/1/26", "3/31/26"),
        ("2026-03-01 .. 3/31/2026", "1d", 31, "3/1/26", "3/31/26"),
        ("2026-03-01", "1h", 24, "3/1/26 00:00", "3/1/26 23:00"),
        ("3/1/2026", "1h", 24, "3/1/26 00:00", "3/1/26 23:00"),
        ("2027-01-01..2027-01-31", "1d", 31, "1/1/27", "1/31/27"),
        # times
        ("2026-03-01T16:00..2026-03-01T18:00", "1h", 2, "3/1/26 16:00", "3/1/26 17:00"),
        ("2026-03-01 16:00 .. 2026-03-01 17:30", "1m", 90, "3/1/26 16:00", "3/1/26 17:29"),
        ("2026-03-01T16:00:00..2026-03-01T16:00:10", "1s", 10, "3/1/26 16:00:00", "3/1/26 16:00:09"),
        ("2026-03-01T16:00Z..2026-03-01T19:00+01:00", "1h", 2, "3/1/26 16:00", "3/1/26 17:00"),
        ("5m:2026-03-01T16:00..2026-03-01T17:00", "5m", 12, "3/1/26 16:00", "3/1/26 16:55"),
        ("6h:2026-03-01T05:00..2026-03-01T07:00", "6h", 2, "3/1/26 00:00", "3/1/26 06:00"),
        ("1d:2026-03-01T05:00..2026-03-02T00:00", "1d", 1, "3/1/26", "3/1/26"),
        # at another interval
        ("1h:2026-03-01..2026-03-02", "1h", 48, "3/1/26 00:00", "3/2/26 23:00"),
        ("1w:ytd", "1w", 47, "12/29/25", "11/16/26"),
        ("1d:today", "1d", 1, "11/21/26", "11/21/26"),
        ("5m:today", "5m", 285, "11/21/26 00:00", "11/21/26 23:40"),
        ("1h:yesterday", "1h", 24, "11/20/26 00:00", "11/20/26 23:00"),
        ("1h:mtd", "1h", 504, "11/1/26 00:00", "11/21/26 23:00"),
        ("1d:last year", "1d", 365, "1/1/25", "12/31/25"),
        ("1mo:2025-01-01..2025-12-31", "1mo", 12, "Jan 2025", "Dec 2025"),
        ("1mo:2025-01-31..2025-02-01", "1mo", 2, "Jan 2025", "Feb 2025"),
        ("1d:2026-03-01", "1d", 1, "3/1/26", "3/1/26"),
        # however it is spelt
        ("  Last   MONTH ", "1d", 31, "10/1/26", "10/31/26"),
        ("1H : 1W", "1h", 169, "11/14/26 23:00", "11/21/26 23:00"),
    ],
)
def test_rows(text: str | int | None, interval: str, points: int, first: str, last: str) -> None:
    period = read(text)
    assert str(period.interval) == interval
    assert ends(period) == (points, first, last)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (None, "1d:1mo"),
        (86400, "1d:1y"),
        ("This Month", "mtd"),
        ("3/1/2026-3/31/2026", "2026-03-01..2026-03-31"),
        ("1h:3/1/2026", "1h:2026-03-01"),
        ("1h : thirty", "1h:1mo"),
        ("2026-03-01 16:00:00 .. 2026-03-01T18:00Z", "1h:2026-03-01T16:00..2026-03-01T18:00"),
        ("6h:2026-03-01T05:00..2026-03-01T07:00", "6h:2026-03-01T00:00..2026-03-01T12:00"),
        ("2026-03-01T00:00..2026-03-03T00:00", "1h:2026-03-01..2026-03-02"),
        ("today|Europe/Paris", "today"),
    ],
)
def test_text_is_spelt_in_one_way(text: str | int | None, canonical: str) -> None:
    assert read(text).text == canonical


@pytest.mark.parametrize(
    "text",
    [
        "week",
        "0d",
        "01d",
        "7 d",
        "-7d",
        "1.5h",
        "1h:",
        ":1d",
        ":",
        "..",
        "-",
        "1h:1h:1d",
        "1h:1d:1mo",
        "7m:1d",
        "2d:1w",
        "1000000d",
        "999999d",
        "999999y",
        "1mo:999999y",
        "5",
        "0",
        "2/30/2026",
        "13/1/2026",
        "2026-02-29",
        "2026-3-1",
        "26-03-01",
        "3/1/26-3/31/26",
        "2026-03-02..2026-03-01",
        "3/2/2026-3/1/2026",
        "2026-03-01..",
        "..2026-03-01",
        "2026-03-01..2026-03-02..2026-03-03",
        "2026-03-01T16:00",
        "2026-03-01T16:00..2026-03-01",
        "2026-03-01T16:00..2026-03-01T16:00",
        "2026-03-01T17:00..2026-03-01T16:00",
        "2026-03-01T24:01..2026-03-02T16:00",
        "2026-02-29T12:00..2026-03-02T16:00",
        "2026-03-01T16:00..2026-03-01T17:00+99:99",
        "1969-12-31T23:00..1970-01-01T01:00",
        "2026-03-01T16:00..9999-01-01T00:00",
        ":2026-03-01T16:00..2026-03-01T17:00",
        "7m:2026-03-01T16:00..2026-03-01T17:00",
        "0000-01-01",
        "0001-01-01..2026-01-01",
        "1969-12-31",
        "9999-01-01",
        "2026-01-01..9999-12-31",
        "٢٠٢٦-03-01",
        "\x00",
        "today\x00",
        pytest.param("x" * 10_000, id="long text"),
        5,
        -1,
        0,
        pytest.param(10**5000, id="long number"),
        True,
        1.5,
        ["1d"],
        {"today": 1},
        b"today",
    ],
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    assert caught.value.field == "period"
    assert "will not do; " in str(caught.value)


def test_refusal_says_what_would_be_right() -> None:
    with pytest.raises(InvalidInput) as caught:
        read("7m:1d")
    assert "10m, 12m, 15m" in caught.value.expected
    with pytest.raises(InvalidInput, match="put the earlier date first"):
        read("2026-03-02..2026-03-01")


@pytest.mark.parametrize("text", ["200000m", "1s:1mo", "1m:1y", "1s:2026-01-01..2026-01-02", "1970-01-01..9998-12-31"])
def test_too_many_points_are_refused(text: str) -> None:
    with pytest.raises(TooLarge):
        read(text)


def test_many_points_are_fine() -> None:
    assert len(read("100000m")) == MAX_POINTS
    assert len(read("1mo:1970-01-01..9998-12-31")) == 8029 * 12


def test_period_is_read_as_itself() -> None:
    period = read("7d")
    assert read(period, now=NOW + timedelta(days=9), zone=NEW_YORK) is period


def test_first_and_last_year() -> None:
    assert ends(read("1970-01-01")) == (24, "1/1/70 00:00", "1/1/70 23:00")
    last = read("9998-12-31", zone=ZoneInfo("Pacific/Kiritimati"))
    assert ends(last) == (24, "12/31/98 00:00", "12/31/98 23:00")
    assert last.end.isoformat() == "9999-01-01T00:00:00+14:00"


def test_presets_can_all_be_read() -> None:
    assert len({value for value, _ in PRESETS}) == len(PRESETS) == 10
    for value, label in PRESETS:
        assert read(value)
        assert label


# --- other days


@pytest.mark.parametrize(
    ("now", "text", "expected"),
    [
        (datetime(2028, 2, 29, 12, tzinfo=UTC), "1d:1y", (367, "2/28/27", "2/29/28")),
        (datetime(2027, 3, 31, 12, tzinfo=UTC), None, (32, "2/28/27", "3/31/27")),
        (datetime(2028, 3, 31, 12, tzinfo=UTC), None, (32, "2/29/28", "3/31/28")),
        (datetime(2028, 12, 31, 12, tzinfo=UTC), "ytd", (366, "1/1/28", "12/31/28")),
        (datetime(2028, 3, 1, tzinfo=UTC), "last month", (29, "2/1/28", "2/29/28")),
        (datetime(2027, 1, 1, tzinfo=UTC), "last month", (31, "12/1/26", "12/31/26")),
        (datetime(2027, 1, 1, tzinfo=UTC), "last quarter", (92, "10/1/26", "12/31/26")),
        (datetime(2027, 1, 1, tzinfo=UTC), "wtd", (5, "12/28/26", "1/1/27")),
        (datetime(2026, 11, 16, tzinfo=UTC), "wtd", (1, "11/16/26", "11/16/26")),
        (datetime(2026, 11, 16, tzinfo=UTC), "today", (1, "11/16/26 00:00", "11/16/26 00:00")),
        (datetime(2026, 11, 1, tzinfo=UTC), "mtd", (1, "11/1/26", "11/1/26")),
    ],
)
def test_on_other_days(now: datetime, text: str | None, expected: tuple[int, str, str]) -> None:
    assert ends(read(text, now)) == expected


@pytest.mark.parametrize(
    ("zone", "text", "expected"),
    [
        ("America/New_York", "2026-03-08", (23, "3/8/26 00:00", "3/8/26 23:00")),
        ("America/New_York", "2026-11-01", (25, "11/1/26 00:00", "11/1/26 23:00")),
        ("America/New_York", "2026-11-01..2026-11-01", (1, "11/1/26", "11/1/26")),
        ("Africa/Cairo", "2026-04-24", (23, "4/24/26 01:00", "4/24/26 23:00")),
        ("America/Sao_Paulo", "2018-11-04", (23, "11/4/18 01:00", "11/4/18 23:00")),
        # Hours are slots of UTC: the first and the last are only partly of that day.
        ("Asia/Kolkata", "2026-03-01", (25, "2/28/26 23:30", "3/1/26 23:30")),
        ("Asia/Kathmandu", "2026-03-01", (25, "2/28/26 23:45", "3/1/26 23:45")),
        ("Asia/Kolkata", "30m:2026-03-01", (48, "3/1/26 00:00", "3/1/26 23:30")),
        ("Asia/Kathmandu", "15m:2026-03-01", (96, "3/1/26 00:00", "3/1/26 23:45")),
        ("Pacific/Apia", "2011-12-29..2011-12-31", (3, "12/29/11", "12/31/11")),
    ],
)
def test_days_of_other_zones(zone: str, text: str, expected: tuple[int, str, str]) -> None:
    assert ends(read(text, zone=ZoneInfo(zone))) == expected


def test_an_hour_that_clocks_show_twice() -> None:
    first = read("2026-11-01T01:00..2026-11-01T01:30", zone=NEW_YORK)
    again = read("2026-11-01T01:00-05:00..2026-11-01T01:30-05:00", zone=NEW_YORK)
    assert again.span[0] - first.span[0] == 3600
    assert first.dated == "1m:2026-11-01T01:00..2026-11-01T01:30"
    assert again.dated == "1m:2026-11-01T01:00-05:00..2026-11-01T01:30-05:00"
    assert [read(one.dated, zone=NEW_YORK).span for one in (first, again)] == [first.span, again.span]


def test_hours_of_a_day_of_25() -> None:
    noon = datetime(2026, 11, 1, 12, 30, tzinfo=NEW_YORK)
    assert read("today", noon, NEW_YORK).labels()[:4] == [
        "11/1/26 00:00",
        "11/1/26 01:00",
        "11/1/26 01:00-0500",
        "11/1/26 02:00",
    ]
    assert ends(read("today", noon, NEW_YORK)) == (14, "11/1/26 00:00", "11/1/26 12:00")
    assert ends(read("1h:1d", noon, NEW_YORK)) == (26, "10/31/26 12:00", "11/1/26 12:00")
    assert ends(read("24h", noon, NEW_YORK)) == (24, "10/31/26 14:00", "11/1/26 12:00")


def test_date_that_a_zone_left_out() -> None:
    apia = ZoneInfo("Pacific/Apia")
    around = read("2011-12-29..2011-12-31", zone=apia)
    jump = int(datetime(2011, 12, 30, 10, tzinfo=UTC).timestamp())
    assert around.starts() == [jump - 86_400, jump, jump]
    with pytest.raises(InvalidInput, match="holds no time"):
        read("2011-12-30", zone=apia)


# --- zones


@pytest.mark.parametrize(
    ("text", "offset_seconds", "expected"),
    [
        ("today|-0700", -25_200, (17, "11/21/26 00:00", "11/21/26 16:00")),
        ("today|+1000", 36_000, (10, "11/22/26 00:00", "11/22/26 09:00")),
        ("today| 1000", 36_000, (10, "11/22/26 00:00", "11/22/26 09:00")),  # a plus sign, unquoted in a URL
        ("mtd|+0530", 19_080, (22, "11/1/26", "11/22/26")),
        ("today|Asia/Tokyo", 32_400, (9, "11/22/26 00:00", "11/22/26 08:00")),
        ("|America/New_York", -18_000, (32, "10/21/26", "11/21/26")),
        ("wtd|Etc/GMT+5", -18_000, (6, "11/16/26", "11/21/26")),
        ("today|", 0, (24, "11/21/26 00:00", "11/21/26 23:00")),
    ],
)
def test_zone_behind_the_text_moves_the_data(text: str, offset_seconds: int, expected: tuple[int, str, str]) -> None:
    period = read(text)
    assert period.end.utcoffset() == timedelta(seconds=offset_seconds)
    assert ends(period) == expected


@pytest.mark.parametrize("tzoffset", [-700, -700.0, "-700", "-0700", "Etc/GMT+7", " America/Phoenix "])
def test_tzoffset_moves_the_data(tzoffset: float | str) -> None:
    period = parse_period("today", now=NOW, zone=UTC, tzoffset=tzoffset)
    assert ends(period) == (17, "11/21/26 00:00", "11/21/26 16:00")
    assert period.start.utcoffset() == timedelta(hours=-7)


def test_zone_behind_the_text_is_asked_first_then_tzoffset() -> None:
    assert parse_period("1d|Asia/Tokyo", now=NOW, zone=UTC, tzoffset=-700).zone == ZoneInfo("Asia/Tokyo")
    assert parse_period("1d", now=NOW, zone=NEW_YORK, tzoffset=0).start.utcoffset() == timedelta(0)
    for nothing in (None, ""):
        assert parse_period("1d", now=NOW, zone=NEW_YORK, tzoffset=nothing).zone is NEW_YORK


HOSTILE_ZONES = [
    "Mars/Olympus",
    "America",
    "Europe/",
    "/etc/passwd",
    "/usr/share/zoneinfo/Europe/Paris",
    "../../../etc/passwd",
    "Europe/../Europe/Paris",
    "Europe/./Paris",
    "Europe\\Paris",
    "Europe//Paris",
    "Europe/Paris\x00",
    "tzdata.zi",
    "leapseconds",
    "__init__.py",
    "Ünited/Kingdom",
    pytest.param("a" * 10_000, id="long name"),
    pytest.param("a/" * 5_000, id="long path"),
    "2400",
    "-2400",
    "99999",
    "1e3",
    "nan",
    "Europe/Paris|UTC",
]


@pytest.mark.parametrize("name", HOSTILE_ZONES)
def test_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as behind:
        read(f"today|{name}")
    assert behind.value.field == "zone"
    with pytest.raises(InvalidInput) as argument:
        parse_period("today", now=NOW, zone=UTC, tzoffset=name)
    assert argument.value.field == "tzoffset"


@pytest.mark.parametrize(
    "given",
    [float("nan"), float("inf"), 2400, -2400.5, pytest.param(10**5000, id="long number"), True, [1], b"UTC"],
)
def test_tzoffset_that_is_none_is_refused(given: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_period("today", now=NOW, zone=UTC, tzoffset=given)  # type: ignore[arg-type]
    assert str(caught.value).startswith("tzoffset: ")


def test_system_zone_is_the_one_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", ":Asia/Tokyo")
    assert read("today|System").zone == ZoneInfo("Asia/Tokyo")


def test_system_zone_is_the_one_that_the_machine_links_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Europe/Paris")
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr(zones, "_LOCALTIME", tmp_path / "localtime")
    assert read("today|system").zone == ZoneInfo("Europe/Paris")


def test_system_zone_without_a_name_is_the_offset_of_now(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr(zones, "_LOCALTIME", tmp_path / "none")
    assert read("7d|system").end.utcoffset() == NOW.astimezone().utcoffset()


# --- a period's own answers


def test_start_and_end_are_in_the_zone() -> None:
    period = read("mtd", zone=NEW_YORK)
    assert period.start.isoformat() == "2026-11-01T00:00:00-04:00"
    assert period.end.isoformat() == "2026-11-22T00:00:00-05:00"


def test_starts_and_buckets() -> None:
    period = read("2026-03-07..2026-03-09", zone=NEW_YORK)
    assert period.buckets == range(date(2026, 3, 7).toordinal(), date(2026, 3, 10).toordinal())
    assert [datetime.fromtimestamp(at, UTC).hour for at in period.starts()] == [5, 5, 4]


def test_with_interval() -> None:
    week = read("last week", zone=NEW_YORK)
    assert ends(week.with_interval(HOUR)) == (168, "11/9/26 00:00", "11/15/26 23:00")
    assert ends(week.with_interval(Interval(1, "mo"))) == (1, "Nov 2026", "Nov 2026")
    assert ends(read("2026-11-01", zone=NEW_YORK).with_interval(DAY)) == (1, "11/1/26", "11/1/26")
    assert week.with_interval(DAY) is week
    assert week.with_interval(HOUR).text == "last week"


@pytest.mark.parametrize(
    ("text", "versus", "expected"),
    [
        ("mtd", "previous", (21, "10/11/26", "10/31/26")),
        ("7d", "previous", (7, "11/8/26", "11/14/26")),
        ("24h", "previous", (24, "11/20/26 00:00", "11/20/26 23:00")),
        ("12mo", "previous", (12, "Dec 2024", "Nov 2025")),
        ("mtd", "year", (21, "11/1/25", "11/21/25")),
        ("today", "year", (24, "11/21/25 00:00", "11/21/25 23:00")),
        ("12mo", "year", (12, "Dec 2024", "Nov 2025")),
        ("3mo:1y", "year", (5, "Oct 2024", "Oct 2025")),
        ("1y:2y", "year", (3, "2023", "2025")),
        ("1w:2026-11-09..2026-11-15", "year", (1, "11/10/25", "11/10/25")),
        ("2028-02-29..2028-02-29", "year", (1, "2/28/27", "2/28/27")),
        ("2028-02-01..2028-02-29", "year", (29, "2/1/27", "3/1/27")),
        ("1h:2028-02-29", "year", (24, "2/28/27 00:00", "2/28/27 23:00")),
        ("7d", "weekdays", (7, "11/8/26", "11/14/26")),
        ("mtd", "month", (21, "10/1/26", "10/21/26")),
        ("last month", "month", (30, "9/1/26", "9/30/26")),
        ("2026-03-30..2026-03-30", "month", (1, "2/28/26", "2/28/26")),
        ("2026-03-01..2026-03-31", "month", (28, "2/1/26", "2/28/26")),
        ("2026-03-01..2026-03-28", "month", (28, "2/1/26", "2/28/26")),
        ("2026-03-01..2026-03-30", "month", (28, "2/1/26", "2/28/26")),
        ("2026-05-01..2026-05-30", "month", (30, "4/1/26", "4/30/26")),
        ("2026-02-01..2026-02-28", "month", (31, "1/1/26", "1/31/26")),
        ("2026-03-29..2026-03-31", "month", (1, "2/28/26", "2/28/26")),
        ("1d:1w", "weekdays", (8, "10/31/26", "11/7/26")),
        ("yesterday", "weekdays", (1, "11/13/26", "11/13/26")),
        ("today", "weekdays", (24, "11/14/26 00:00", "11/14/26 23:00")),
        ("1h:1w", "weekdays", (169, "10/31/26 23:00", "11/7/26 23:00")),
        ("1w:2026-11-02..2026-11-15", "weekdays", (2, "10/19/26", "10/26/26")),
        ("7d", "last month", (31, "10/1/26", "10/31/26")),
        ("7d", " Previous ", (7, "11/8/26", "11/14/26")),
    ],
)
def test_comparisons(text: str, versus: str, expected: tuple[int, str, str]) -> None:
    assert ends(compare_period(read(text), versus, now=NOW)) == expected


@pytest.mark.parametrize(
    ("zone", "text", "expected"),
    [
        ("America/New_York", "2026-11-01", (25, "10/25/26 00:00", "10/26/26 00:00")),
        ("America/New_York", "1h:2026-10-26..2026-11-01", (169, "10/19/26 00:00", "10/26/26 00:00")),
        ("America/New_York", "1h:2026-03-02..2026-03-08", (167, "2/23/26 00:00", "3/1/26 22:00")),
        # Up to and from a day that begins at 01:00.
        ("Africa/Cairo", "1h:2026-04-17..2026-04-23", (168, "4/10/26 00:00", "4/16/26 23:00")),
        ("Africa/Cairo", "2026-04-17..2026-04-23", (7, "4/10/26", "4/16/26")),
        ("Africa/Cairo", "1h:2026-04-24", (23, "4/17/26 00:00", "4/17/26 22:00")),
        ("Africa/Cairo", "2026-04-24..2026-04-30", (7, "4/17/26", "4/23/26")),
    ],
)
def test_weekdays_go_by_the_calendar(zone: str, text: str, expected: tuple[int, str, str]) -> None:
    assert ends(compare_period(read(text, zone=ZoneInfo(zone)), "weekdays", now=NOW)) == expected


def test_comparison_is_in_the_zone_of_the_period() -> None:
    tokyo = read("today|Asia/Tokyo")
    assert compare_period(tokyo, "yesterday", now=NOW).labels() == ["11/21/26"]
    assert compare_period(tokyo, tokyo, now=NOW) is tokyo


def test_comparison_says_how_it_was_derived() -> None:
    texts = [compare_period(read("mtd"), how, now=NOW).text for how in ("previous", "year", "weekdays")]
    assert texts == ["mtd (previous)", "mtd (a year before)", "mtd (weekdays)"]


def test_comparison_that_means_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="use previous or year"):
        compare_period(read("12mo"), "weekdays", now=NOW)
    with pytest.raises(InvalidInput):
        compare_period(read("12mo"), "nonsense", now=NOW)
    with pytest.raises(InvalidInput, match="1970"):
        compare_period(read("1970-01-01"), "previous", now=NOW)


# --- laws

SOME_ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Africa/Cairo", "Pacific/Apia", "America/St_Johns"]
zones_of_the_world = st.sampled_from([ZoneInfo(name) for name in SOME_ZONES])
moments = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
counts = st.one_of(st.integers(1, 60), st.integers(0, 2_000_000)).map(str)
units = st.sampled_from(["s", "m", "h", "d", "w", "mo", "y"])
lengths = st.builds(str.__add__, counts, units)
dates = st.dates(date(1970, 1, 1), date(2110, 1, 1))
days = st.one_of(dates.map(str), st.builds("{0.month}/{0.day}/{0.year}".format, dates))
clocks = st.datetimes(datetime(1970, 1, 1), datetime(2110, 1, 1))
times = st.one_of(clocks.map("{:%Y-%m-%dT%H:%M}".format), clocks.map("{:%Y-%m-%d %H:00:00Z}".format))
bodies = st.one_of(
    lengths,
    days,
    st.builds("{}..{}".format, times, times),
    st.builds("{}..{}".format, days, days),
    st.builds("{}-{}".format, days, days),
    st.sampled_from(["today", "yesterday", "wtd", "mtd", "qtd", "ytd", "24h", "7d"]),
    st.sampled_from(["thirty", "seven", "year", "day", "hour", "hours"]),
    st.builds("last {}".format, st.sampled_from(["week", "month", "quarter", "year"])),
)
texts = st.one_of(bodies, st.builds("{}:{}".format, st.one_of(lengths, st.just("1h")), bodies))
crumbs = st.sampled_from(["1", "0", "h", "mo", ":", "|", "..", "-", "/", " ", "2026", "today", "Europe", "\x00", "٣"])
rubbish = st.one_of(st.text(max_size=30), st.lists(crumbs, max_size=12).map("".join))


@given(rubbish, moments, zones_of_the_world)
def test_any_text_is_read_or_refused(text: str, now: datetime, zone: tzinfo) -> None:
    try:
        period = read(text, now, zone)
    except InvalidInput as refusal:
        assert str(refusal)
    else:
        assert 1 <= len(period) <= MAX_POINTS


@given(texts, moments, zones_of_the_world)
def test_laws_of_what_can_be_written(text: str, now: datetime, zone: tzinfo) -> None:
    try:
        period = read(text, now, zone)
    except InvalidInput:
        return
    assert read(period.text, now, zone) == period
    dated = read(period.dated, now + timedelta(days=400), zone)
    assert dated.buckets == period.buckets
    if period.since is period.until is None:
        assert dated.span == period.span
    assert len(period) == len(period.buckets) == len(period.starts()) <= MAX_POINTS
    assert period.start <= period.end
    assert period.starts() == sorted(period.starts())
    if len(period) <= 1000:
        assert len(set(period.labels())) == len(period)


@given(
    lengths,
    st.sampled_from(["1s", "5m", "1h", "6h", "1d", "1w", "1mo", "3mo", "1y"]),
    moments,
    zones_of_the_world,
)
def test_sizes_and_lengths_end_now(length: str, interval: str, now: datetime, zone: tzinfo) -> None:
    for text in (length, f"{interval}:{length}"):
        try:
            period = read(text, now, zone)
        except InvalidInput:
            continue
        assert period.start <= now < period.end


@given(texts, moments, zones_of_the_world)
def test_laws_of_comparison(text: str, now: datetime, zone: tzinfo) -> None:
    try:
        period = read(text, now, zone)
        others = [compare_period(period, how, now=now) for how in ("previous", "year", "weekdays")]
    except InvalidInput:
        return
    previous, year, weekdays = others
    assert {len(other) for other in others} == {len(period)}
    assert previous.end == period.start
    assert timedelta(days=363) < period.start - year.start < timedelta(days=368)
    if not period.interval.on_the_clock:
        assert (period.first - weekdays.first) % (1 if period.interval.unit == "w" else 7) == 0
        assert weekdays.last < period.first


@given(texts, st.sampled_from(["1m", "1h", "1d", "1w", "1mo", "1y"]), moments, zones_of_the_world)
def test_another_interval_covers_the_same_time(text: str, interval: str, now: datetime, zone: tzinfo) -> None:
    try:
        period = read(text, now, zone)
        other = period.with_interval(Interval.parse(interval))
    except InvalidInput:
        return
    assert other.start <= period.start
    assert period.end <= other.end
    assert other.timeline.starts_at(other.interval, other.first + 1) > period.start.timestamp()
    assert other.timeline.starts_at(other.interval, other.last) < period.end.timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "1y:9998-12-31T23:00-12:00..9998-12-31T23:30-12:00",
        "1h:9999-01-01T00:00+12:00..9999-01-01T02:00+12:00",
        "1970-01-01T00:00+10:00..1970-01-01T01:00+10:00",
    ],
)
def test_the_year_is_that_of_every_clock(text: str) -> None:
    """What is still 9998 where it is written is 9999 in UTC, of which there is no year's end."""
    with pytest.raises(InvalidInput, match="1970 to 9998"):
        read(text)
