"""Intervals around ratios: against tables, by hand, and by asking how often they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hailwhale_django.engine.domain.confidence import PRIOR_BUCKETS, ratio_bounds, student_quantile

# Two-sided 95% and 99% points of Student's t, as printed in any textbook.
PRINTED = {
    4: (2.776, 4.604),
    5: (2.571, 4.032),
    6: (2.447, 3.707),
    8: (2.306, 3.355),
    10: (2.228, 3.169),
    15: (2.131, 2.947),
    20: (2.086, 2.845),
    30: (2.042, 2.750),
    60: (2.000, 2.660),
    120: (1.980, 2.617),
}


@pytest.mark.parametrize(("degrees", "quantiles"), PRINTED.items())
def test_student_s_quantiles_are_those_of_the_tables(degrees: int, quantiles: tuple[float, float]) -> None:
    found = [float(student_quantile(probability, np.array([degrees]))[0]) for probability in (0.975, 0.995)]
    assert found == pytest.approx(quantiles, rel=0.0025)


def bounds(tops: list[list[float]], bottoms: list[list[float]]) -> tuple[list[float], list[float]]:
    """Of rows given as lists of buckets."""
    low, high = ratio_bounds(np.array(tops, dtype=float).T, np.array(bottoms, dtype=float).T)
    return low.tolist(), high.tolist()


def test_by_hand() -> None:
    """One row: 2, 4 and 6 out of 10 on three days.

    The ratio is 12/30 = 0.4 and e = (-2, 0, 2), so the variance of A/B is 3/2 * 8 / 30^2, that is 0.4 per unit of B.
    There is nothing to draw it towards but itself; t with 2 + 4 degrees of freedom is 2.447.
    """
    low, high = bounds([[2, 4, 6]], [[10, 10, 10]])
    width = 2.447 * math.sqrt(0.4 / 30)
    assert low == pytest.approx([0.4 - width], abs=1e-3)
    assert high == pytest.approx([0.4 + width], abs=1e-3)


def test_a_row_s_scatter_is_drawn_towards_that_of_all() -> None:
    """Per unit of B the first row's variance is 40 and the second's is 0; together (2*40 + 2*0)/4 = 20.

    Moderated by 4 of 6 degrees of freedom: (4*20 + 2*40)/6 and (4*20 + 2*0)/6.
    """
    low, high = bounds([[20, 40, 60], [50, 50, 50]], [[10, 10, 10], [10, 10, 10]])
    t = 2.447
    assert high[0] - low[0] == pytest.approx(2 * t * math.sqrt(160 / 6 / 30), rel=1e-3)
    assert high[1] - low[1] == pytest.approx(2 * t * math.sqrt(80 / 6 / 30), rel=1e-3)


def test_a_share_scatters_at_least_as_a_fair_draw() -> None:
    """All alike, 15 of 30: r(1 - r) = 0.25 for all rows, moderated by 4 of 6 degrees of freedom to 1/6."""
    low, high = bounds([[5, 5, 5]], [[10, 10, 10]])
    assert high[0] - low[0] == pytest.approx(2 * 2.447 * math.sqrt(1 / 6 / 30), rel=1e-3)
    assert low[0] < 0.5 < high[0]


def test_what_is_all_of_it_is_certain() -> None:
    low, high = bounds([[10, 20]], [[10, 20]])
    assert math.isnan(low[0]) and math.isnan(high[0])


def test_a_row_seen_once_has_a_wide_interval_and_not_none() -> None:
    low, high = bounds([[20, 40, 60], [3, 0, 0]], [[100, 100, 100], [10, 0, 0]])
    assert high[1] - low[1] > high[0] - low[0]
    assert low[1] < 0.3 < high[1]


def test_one_bucket_alone_scatters_as_counts_do() -> None:
    """3 of 10 and 30 of 100: variance per unit of B is the mean, 33/110 = 0.3; t with 4 degrees is 2.776."""
    low, high = bounds([[3], [30]], [[10], [100]])
    assert high[0] - low[0] == pytest.approx(2 * 2.776 * math.sqrt(0.3 / 10), rel=5e-3)
    assert high[1] - low[1] == pytest.approx(2 * 2.776 * math.sqrt(0.3 / 100), rel=5e-3)


@pytest.mark.parametrize(
    ("tops", "bottoms"),
    [
        ([[0, 0]], [[0, 0]]),
        ([[5, 5]], [[0, 0]]),
        ([[5, 5]], [[-1, -1]]),
        ([[5, 5]], [[1, -1]]),
        ([[0, 0, 0]], [[10, 10, 10]]),  # nothing scatters that could be measured
        ([[5.5, 5.5, 5.5]], [[10, 10, 10]]),
    ],
)
def test_where_there_is_no_telling_there_is_no_interval(tops: list[list[float]], bottoms: list[list[float]]) -> None:
    low, high = bounds(tops, bottoms)
    assert math.isnan(low[0]) and math.isnan(high[0])


def test_no_rows_and_no_buckets_are_nothing_to_worry_about() -> None:
    assert [len(found) for found in ratio_bounds(np.zeros((3, 0)), np.zeros((3, 0)))] == [0, 0]
    assert np.isnan(ratio_bounds(np.zeros((0, 2)), np.zeros((0, 2)))).all()


def test_more_of_the_same_narrows_it() -> None:
    rng = np.random.default_rng(7)
    widths = []
    for days in (7, 28, 112):
        bottoms = rng.poisson(100, (days, 1)).astype(float)
        low, high = ratio_bounds(rng.poisson(bottoms * 0.3).astype(float), bottoms)
        widths.append(float(high[0] - low[0]))
    assert widths[0] > widths[1] > widths[2]
    assert widths[0] / widths[2] == pytest.approx(4, rel=0.35)  # the square root of 16


@pytest.mark.parametrize(
    ("kind", "rows", "days", "visitors"),
    [
        ("conversions", 20, 30, 50),
        ("conversions", 20, 7, 200),
        ("conversions", 1, 30, 50),
        ("conversions", 1, 7, 200),
        ("baskets", 20, 30, 50),
        ("baskets", 20, 7, 200),
        ("days that differ", 20, 30, 50),
        ("uneven rows", 20, 14, 100),
    ],
)
def test_nineteen_of_twenty_intervals_hold_the_truth(kind: str, rows: int, days: int, visitors: int) -> None:
    """The true ratio is 0.1 a visitor, or $5 of baskets; seeded, so that the figures below are always the same."""
    rng = np.random.default_rng(20261122)
    held = tried = 0
    for _ in range(2000 // rows):
        sizes = np.geomspace(0.1, 10, rows) if kind == "uneven rows" else np.ones(rows)
        bottoms = rng.poisson(visitors * sizes, (days, rows)).astype(float)
        truth = 0.1
        if kind == "baskets":
            truth = 0.1 * 50
            tops = rng.gamma(rng.poisson(bottoms * 0.1) * 2 + 1e-9, 25)
        elif kind == "days that differ":
            tops = rng.poisson(bottoms * 0.1 * rng.gamma(10, 1 / 10, (days, rows))).astype(float)
        else:
            tops = rng.binomial(bottoms.astype(int), 0.1).astype(float)
        low, high = ratio_bounds(tops, bottoms)
        held += int(((low <= truth) & (truth <= high)).sum())
        tried += int((~np.isnan(low)).sum())
    assert tried > 1900
    assert 0.93 <= held / tried <= 0.985, f"{held} of {tried}"


def test_the_prior_counts_as_some_buckets_of_its_own() -> None:
    assert PRIOR_BUCKETS == 4  # the quantile's expansion is good from here on
