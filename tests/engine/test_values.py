"""From units to the numbers that people see: suffixes, constants, levels, by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.formula import parse
from hailwhale_django.engine.domain.period import parse_period
from hailwhale_django.engine.domain.values import Values

NOW = datetime(2026, 11, 21, 23, 42, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


def values(
    buckets: dict[str, list[list[Any]]],
    text: str = "2026-11-16..2026-11-19",
    zone: Any = UTC,
    places: int = 6,
) -> Values:
    """Of rows given as lists of buckets, in wholes. The last two rows are the parent and the whole."""
    period = parse_period(text, now=NOW, zone=zone)
    units = {
        name: np.array([[int(value * 10**places) for value in row] for row in rows]).T for name, rows in buckets.items()
    }
    rows = len(next(iter(buckets.values()))) if buckets else 3
    return Values(
        period=period,
        scales=dict.fromkeys(buckets, 10**places),
        sums={name: of.sum(axis=0) for name, of in units.items()},
        buckets=units,
        rows=rows,
        parent=rows - 2,
        whole=rows - 1,
    )


WEEK = values(
    {
        # US, DE, their parent, the whole
        "revenue": [[1, 0, 4, 5], [0, 0, 0, 2], [1, 0, 4, 7], [2, 1, 4, 8]],
        "visitors": [[2, 0, 5, 3], [0, 1, 0, 4], [2, 1, 5, 7], [4, 2, 5, 9]],
    }
)


def totals(text: str, of: Values = WEEK) -> list[float]:
    return of.totals(parse(text)).tolist()


def points(text: str, row: int = 0, of: Values = WEEK, undefined: float = 0.0) -> list[float]:
    return of.points(parse(text), undefined)[:, row].tolist()


# --- totals


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("revenue", [10, 2, 12, 15]),
        ("visitors", [10, 5, 15, 20]),
        ("revenue/visitors", [1, 0.4, 0.8, 0.75]),  # of the sums: the days' ratios would add up to 3.0667
        ("revenue - visitors", [0, -3, -3, -5]),
        ("revenue:cumulative", [10, 2, 12, 15]),
        ("revenue:count", [10, 2, 12, 15]),
        ("revenue:last", [5, 2, 7, 8]),
        ("revenue/revenue@parent", [10 / 12, 2 / 12, 1, 15 / 12]),
        ("revenue/revenue@_", [10 / 15, 2 / 15, 12 / 15, 1]),
        ("revenue/visitors@parent", [10 / 15, 2 / 15, 12 / 15, 1]),
        ("revenue@parent", [12, 12, 12, 12]),
        ("visitors:last@_", [9, 9, 9, 9]),
        ("revenue/0", [0, 0, 0, 0]),
        ("7", [7, 7, 7, 7]),
        ("1/3", [1 / 3] * 4),
        ("days", [4, 4, 4, 4]),
        ("revenue/days", [2.5, 0.5, 3, 3.75]),
        ("hours", [96] * 4),
        ("minutes", [96 * 60] * 4),
        ("seconds", [96 * 3600] * 4),
        ("weeks", [4 / 7] * 4),
        ("years", [4 / 365] * 4),
        ("_count", [4] * 4),
        ("_days_in_month", [30] * 4),
    ],
)
def test_totals(formula: str, expected: list[float]) -> None:
    assert totals(formula) == pytest.approx(expected, rel=1e-15)


# --- points


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("revenue", [1, 0, 4, 5]),
        ("revenue/visitors", [0.5, 0, 0.8, 5 / 3]),
        ("revenue:cumulative", [1, 1, 5, 10]),
        ("revenue:+", [1, 1, 5, 10]),
        ("revenue:sum", [1, 1, 5, 10]),
        ("revenue:add", [1, 1, 5, 10]),
        ("revenue:last", [1, 1, 4, 5]),
        ("revenue:set", [1, 1, 4, 5]),
        ("revenue:level", [1, 1, 4, 5]),
        ("revenue:_", [1, 1, 4, 5]),
        ("revenue:count", [1, 0, 4, 5]),
        ("revenue:cumulative/visitors:cumulative", [0.5, 0.5, 5 / 7, 1]),
        ("revenue:cumulative/visitors", [0.5, 0, 1, 10 / 3]),
        ("revenue/revenue@parent", [1, 0, 1, 5 / 7]),
        ("revenue/visitors@_", [0.25, 0, 0.8, 5 / 9]),
        ("revenue:cumulative@_", [2, 3, 7, 15]),
        ("revenue/hours", [1 / 24, 0, 4 / 24, 5 / 24]),
        ("2.5", [2.5] * 4),
        ("_count", [4] * 4),
        ("days", [1] * 4),
        ("weeks", [1 / 7] * 4),
        ("years", [1 / 365] * 4),
        ("minutes", [1440] * 4),
        ("revenue/_count", [0.25, 0, 1, 1.25]),
    ],
)
def test_points(formula: str, expected: list[float]) -> None:
    assert points(formula) == pytest.approx(expected, rel=1e-15)


def test_a_gap_in_a_plot_is_told_apart_from_zero() -> None:
    assert np.isnan(points("revenue/visitors", undefined=np.nan)).tolist() == [False, True, False, False]
    assert points("revenue", undefined=np.nan) == [1, 0, 4, 5]


def test_the_last_value_before_any_is_nothing() -> None:
    assert points("revenue:last", row=1) == [0, 0, 0, 2]
    negative = values({"level": [[0, -3, 0, 0], [0] * 4, [0] * 4, [0] * 4]})
    assert points("level:last", of=negative) == [0, -3, -3, -3]


# --- time


@pytest.mark.parametrize(
    ("text", "zone", "constant", "expected"),
    [
        ("2026-11-01..2026-11-02", NEW_YORK, "hours", [25, 24]),
        ("2026-03-08..2026-03-09", NEW_YORK, "hours", [23, 24]),
        ("2026-03-08..2026-03-09", NEW_YORK, "days", [1, 1]),
        ("2026-03-08..2026-03-08", NEW_YORK, "minutes", [23 * 60]),
        ("1mo:2024-01-01..2024-03-31", UTC, "days", [31, 29, 31]),
        ("1mo:2024-02-01..2024-02-29", UTC, "_days_in_month", [29]),
        ("1mo:2024-01-01..2024-01-31", UTC, "years", [31 / 366]),
        ("1y:2023-01-01..2024-12-31", UTC, "days", [365, 366]),
        ("1y:2023-01-01..2024-12-31", UTC, "years", [1, 1]),
        ("1w:2026-11-16..2026-11-22", UTC, "weeks", [1]),
        ("6h:2026-11-16..2026-11-16", UTC, "days", [0.25] * 4),
        ("30m:2026-11-16", UTC, "hours", [0.5] * 48),
        ("2026-12-31..2027-01-01", UTC, "_days_in_month", [31, 31]),
        # Half of the first hour belongs to the day before.
        ("1h:2026-11-16", ZoneInfo("Asia/Kolkata"), "hours", [0.5, *[1] * 23, 0.5]),
    ],
)
def test_constants_are_what_a_bucket_is_worth(text: str, zone: Any, constant: str, expected: list[float]) -> None:
    of = values({}, text, zone)
    assert points(constant, of=of) == pytest.approx(expected, rel=1e-15)


# --- exactness


def test_plain_sums_are_exact_decimals() -> None:
    of = values(
        {"a": [[Fraction(1, 10), Fraction(2, 10)]] * 3, "b": [[Fraction(1, 10), 0]] * 3}, "2026-11-16..2026-11-17"
    )
    assert totals("a", of) == [0.3] * 3
    assert totals("a - b", of) == [0.2] * 3
    assert totals("a - b - b - b", of) == [0.0] * 3
    assert points("a:cumulative", of=of) == [0.1, 0.3]
    assert str(totals("a - b - b - b", of)[0]) == "0.0"


def of_units(units: int, places: int) -> Values:
    cells = np.array([[units] * 3], dtype=np.int64)
    period = parse_period("2026-11-16..2026-11-16", now=NOW, zone=UTC)
    return Values(period, {"m": 10**places}, {"m": cells[0]}, {"m": cells}, 3, 1, 2)


@given(st.integers(-(2**53), 2**53), st.integers(0, 12))
def test_a_metric_is_the_double_nearest_to_what_was_counted(units: int, places: int) -> None:
    of = of_units(units, places)
    nearest = float(Fraction(units, 10**places))
    assert totals("m", of)[0] == points("m", of=of)[0] == nearest
    assert totals("m + 0*m", of)[0] == pytest.approx(nearest, rel=1e-15)


@given(st.integers(2**53, 2**63 - 1), st.integers(0, 12))
def test_beyond_what_a_double_holds_it_is_still_as_near(units: int, places: int) -> None:
    assert totals("m", of_units(units, places))[0] == float(Fraction(units, 10**places))


def test_metrics_of_many_places_are_not_rounded_away() -> None:
    assert totals("m", of_units(1, 12)) == [1e-12] * 3
    assert totals("m + m", of_units(1, 12)) == [2e-12] * 3


def test_whole_numbers_of_any_size() -> None:
    cells = np.array([[2**70] * 3], dtype=object)
    period = parse_period("2026-11-16..2026-11-16", now=NOW, zone=UTC)
    of = Values(period, {"m": 10**6}, {"m": cells[0]}, {"m": cells}, 3, 1, 2)
    assert totals("m", of)[0] == float(Fraction(2**70, 10**6))
    assert points("m:cumulative", of=of)[0] == float(Fraction(2**70, 10**6))
    assert points("m:last", of=of)[0] == float(Fraction(2**70, 10**6))
