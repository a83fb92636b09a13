"""Ratios and their errors: by hand, against scipy, and by asking how often intervals hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from hailwhale_django.engine.decide.evidence import SUMS
from hailwhale_django.engine.decide.ratio import difference, estimates, interval
from hailwhale_django.engine.errors import InvalidInput
from tests.engine.decide.worlds import TRUTH, by_day, sums_of, visits


def test_by_hand() -> None:
    """4 visitors, of whom two spent 2 and 6: 2 each, e = -2, 0, 4, -2, whose squares are 24.

    Var = 4/3 * 24 / 16 = 2, so the error is the root of 2.
    """
    found = estimates(sums_of(np.array([0.0, 2, 6, 0]), np.ones(4)))
    assert (found.value, found.error, found.units) == pytest.approx((2, math.sqrt(2), 4))


def test_of_one_for_each_it_is_the_mean_s_own_error() -> None:
    y = np.random.default_rng(1).lognormal(size=50)
    found = interval(sums_of(y, np.ones(50)))
    low, high = stats.t.interval(0.95, 49, y.mean(), stats.sem(y))
    assert (found.value, found.lower, found.upper) == pytest.approx((y.mean(), low, high), rel=1e-4)


def test_of_two_it_is_welch_s_with_the_fewer_degrees() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(10, 2, 400), rng.normal(11, 5, 300)
    found = difference(sums_of(a, np.ones(400)), sums_of(b, np.ones(300))).absolute
    error = math.hypot(stats.sem(a), stats.sem(b))
    reach = stats.t.ppf(0.975, 299) * error
    assert (found.value, found.lower, found.upper) == pytest.approx(
        (b.mean() - a.mean(), b.mean() - a.mean() - reach, b.mean() - a.mean() + reach), rel=1e-4
    )


def test_many_visitors_in_one_event_are_one_draw() -> None:
    """Days of 100 and 300 visitors with 10 and 20 sales: 30/400; e = 2.5, -2.5; m = 400^2/100,000 = 1.6."""
    found = estimates(sums_of(np.array([10.0, 20]), np.array([100.0, 300])))
    assert (found.value, found.units) == pytest.approx((0.075, 1.6))
    assert float(found.error) == pytest.approx(math.sqrt(1.6 / 0.6 * 12.5) / 400)


def test_a_numerator_that_comes_in_events_of_its_own_widens_the_error() -> None:
    """100 visits and 20 sales: told together 20 * .8^2 + 80 * .2^2 = 16 squares; apart 20 + 100 * .04 = 24."""
    together = sums_of(np.repeat([1.0, 0], [20, 80]), np.ones(100))
    apart = sums_of(np.repeat([0.0, 1], [100, 20]), np.repeat([1.0, 0], [100, 20]))
    assert estimates(apart).value == estimates(together).value == 0.2
    assert estimates(apart).units == estimates(together).units == 100
    assert float(estimates(apart).error / estimates(together).error) == pytest.approx(math.sqrt(1.2 / 0.8))


@pytest.mark.parametrize("d", [[0.0, 0.0], [-1.0, -2.0], [1.0, -1.0]])
def test_without_a_positive_denominator_there_is_no_ratio(d: list[float]) -> None:
    sums = sums_of(np.array([1.0, 2.0]), np.array(d))
    assert math.isnan(interval(sums).value)
    assert interval(sums).lower == -math.inf
    assert all(map(math.isnan, estimates(sums)))


def test_one_event_has_no_error() -> None:
    found = interval(sums_of(np.array([3.0]), np.array([100.0])))
    assert (found.value, found.lower, found.upper) == (0.03, -math.inf, math.inf)
    assert 1e9 in found


@pytest.mark.parametrize(
    ("kind", "visitors", "least"),
    [
        ("sales per visitor", 2_000, 0.935),
        ("clicks per view", 2_000, 0.935),
        ("cost per sale", 2_000, 0.935),
        # Of heavy tails too few large values are seen: 100 buyers are not enough, 1,000 are nearly so.
        ("revenue per visitor", 2_000, 0.80),
        ("revenue per visitor", 20_000, 0.90),
        ("heavy tail", 20_000, 0.87),
    ],
)
def test_intervals_hold_the_truth_as_often_as_they_say(kind: str, visitors: int, least: float) -> None:
    experiments = 4_000_000 // visitors
    found = estimates(by_day(np.random.default_rng(3), kind, experiments, visitors, days=1)[:, 0])
    covered = (np.abs(found.value - TRUTH[kind]) < stats.norm.ppf(0.975) * found.error).mean()
    assert least < covered < 0.965


@pytest.mark.parametrize("lift", [0.0, 0.3])
def test_relative_intervals_hold_the_truth_as_often_as_they_say(lift: float) -> None:
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(1000):
        (a, a_d), (b, b_d) = visits(rng, "clicks per view", 400), visits(rng, "clicks per view", 400)
        held += lift in difference(sums_of(a, a_d), sums_of(b * (1 + lift), b_d)).relative
    assert 0.935 < held / 1000 < 0.967


def test_the_relative_interval_excludes_0_just_where_the_absolute_does() -> None:
    rng = np.random.default_rng(5)
    found = [difference(sums_of(a, np.ones(30)), sums_of(b, np.ones(30))) for a, b in rng.gamma(2, 1, (500, 2, 30))]
    excluded = [0 not in one.absolute for one in found]
    assert excluded == [0 not in one.relative for one in found]
    assert 5 < sum(excluded) < 50


def test_by_how_much_more_than_next_to_nothing_cannot_be_told() -> None:
    nothing, something = np.repeat([1.0, 0], [1, 99]), np.repeat([1.0, 0], [50, 50])
    found = difference(sums_of(nothing, np.ones(100)), sums_of(something, np.ones(100)))
    assert found.absolute.lower > 0.3
    assert (found.relative.lower, found.relative.upper) == (-math.inf, math.inf)


def test_a_loss_that_shrinks_is_a_rise() -> None:
    """From -10 to -5 for each is up by half of what it was."""
    loss = sums_of(np.repeat([-9.0, -11], 50), np.ones(100))
    less = sums_of(np.repeat([-4.0, -6], 50), np.ones(100))
    found = difference(loss, less).relative
    assert found.value == pytest.approx(0.5)
    assert 0.45 < found.lower < 0.5 < found.upper < 0.55


def test_what_cannot_be_understood() -> None:
    with pytest.raises(InvalidInput, match="sums: .*the eight sums n y d"):
        estimates(np.zeros((3, len(SUMS) - 1)))
    with pytest.raises(InvalidInput, match="level: 95 will not do"):
        interval(sums_of(np.ones(9), np.ones(9)), level=95)
