"""What stopping costs and what may remain: against many draws, and in closed form where there is one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from hailwhale_django.engine.decide.evidence import Floats
from hailwhale_django.engine.decide.remaining import Remaining, normal_below, remaining
from hailwhale_django.engine.errors import InvalidInput

Z = stats.norm.ppf(0.95)


def test_the_normal_distribution_is_scipy_s() -> None:
    where = np.array([-np.inf, -9, -3, -1e-9, 0, 0.5, 2, 50, np.inf])
    assert normal_below(where) == pytest.approx(stats.norm.cdf(where), abs=1e-7)


def normal(mean: Floats, spread: Floats, minimize: bool = False) -> Remaining:
    return remaining("abcdefgh"[: len(mean)], mean, mean - Z * spread, mean + Z * spread, minimize=minimize)


def log_normal(mean: Floats, spread: Floats, minimize: bool = False) -> Remaining:
    centre = np.log(mean) - spread**2 / 2
    low, high = np.exp(centre - Z * spread), np.exp(centre + Z * spread)
    return remaining("abcdefgh"[: len(mean)], mean, low, high, minimize=minimize)


@pytest.mark.parametrize("minimize", [False, True])
def test_two_normal_ones_in_closed_form(minimize: bool) -> None:
    """-1 and 1, each with a spread of 1: the difference is normal around 2 with the spread s = 1.414.

    The leader's loss is s phi(2/s) - 2 Phi(-2/s); the other's is 2 more. 95% of what may remain: s * 1.645 - 2.
    """
    found = normal(np.array([-1.0, 1]), np.ones(2), minimize)
    s = math.sqrt(2)
    loss = s * stats.norm.pdf(2 / s) - 2 * stats.norm.cdf(-2 / s)
    assert found.leader == ("a" if minimize else "b")
    assert sorted(found.loss) == pytest.approx([loss, loss + 2], abs=2e-3)
    assert found.chance == pytest.approx(stats.norm.cdf(2 / s), abs=1e-3)
    assert found.value == pytest.approx(s * Z - 2, abs=5e-3)


@pytest.mark.parametrize("minimize", [False, True])
@pytest.mark.parametrize("of", [normal, log_normal])
def test_many_draws_say_the_same(of, minimize: bool) -> None:
    mean, spread = np.array([1.0, 1.05, 0.9, 1.01]), np.array([0.1, 0.05, 0.2, 0.01])
    mean = mean - (of is normal)  # around 0, where log-normal ones cannot be
    draws = np.random.default_rng(1).standard_normal((1_000_000, 4)) * spread
    draws = mean + draws if of is normal else mean * np.exp(draws - spread**2 / 2)
    best = draws.min(axis=1) if minimize else draws.max(axis=1)
    leader = int(mean.argmin() if minimize else mean.argmax())
    found = of(mean, spread, minimize)
    assert found.leader == "abcd"[leader]
    assert found.loss == pytest.approx(np.abs(best[:, None] - draws).mean(axis=0), abs=1e-3)
    assert found.chance == pytest.approx((best == draws[:, leader]).mean(), abs=3e-3)
    # For normal ones the share is of the leader's mean, for log-normal ones of the leader itself.
    share = np.abs(best - draws[:, leader]) / (abs(mean[leader]) if of is normal else draws[:, leader])
    assert found.value == pytest.approx(np.percentile(share, 95), rel=5e-3)


def test_the_same_is_said_again() -> None:
    mean, spread = np.array([0.02, 0.021]), np.array([0.1, 0.1])
    assert log_normal(mean, spread) == log_normal(mean, spread)


def test_words() -> None:
    clear, close, open_ = (log_normal(np.array([1.0, 1.1]), np.full(2, spread)) for spread in (0.001, 0.045, 0.2))
    assert clear.words == "Nothing is left to find out: b is almost certainly the best."
    assert (clear.value, clear.may_stop, clear.loss[1]) == (0, True, pytest.approx(0, abs=1e-6))
    assert close.may_stop
    assert close.words == f"You may stop: the best option may still be up to {close.value:.1%} better than b, not more."
    assert not open_.may_stop
    assert open_.words == (f"It is worth going on: the best option may still be up to {open_.value:.1%} better than b.")


def test_certainties_are_no_crash() -> None:
    found = normal(np.array([0.0, 0, 1]), np.zeros(3))
    assert (found.leader, found.chance, found.value, found.loss) == ("c", 1, 0, pytest.approx((1, 1, 0)))
    tied = normal(np.array([2.0, 2]), np.zeros(2))
    assert (tied.value, *tied.loss) == pytest.approx((0, 0, 0), abs=1e-8)
    assert math.isnan(normal(np.array([0.0, -0.1]), np.ones(2)).value)
    assert "cannot be told as a share" in normal(np.array([0.0, -0.1]), np.ones(2)).words


def test_spreads_may_differ_a_millionfold() -> None:
    found = normal(np.array([1.0, 1.0]), np.array([1e-6, 1.0]))
    assert found.loss == pytest.approx((stats.norm.pdf(0), stats.norm.pdf(0)), abs=2e-3)


def test_of_ten_thousand_options_those_in_the_running_count() -> None:
    mean = np.linspace(0.1, 1, 10_000)
    found = remaining([str(one) for one in range(10_000)], mean, mean * 0.999, mean * 1.001)
    assert found.leader == "9999"
    assert found.loss[0] == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(
    ("options", "mean", "lower", "message"),
    [
        ("a", [1.0], [0.9], "fewer than two"),
        ("ab", [1.0], [0.9], "each of the 2 options"),
        ("ab", [1.0, math.nan], [0.9, 0.9], "finite means"),
        ("ab", [1.0, 1.0], [0.9, 1.3], "ends are in order"),
    ],
)
def test_what_cannot_be_understood(options: str, mean: list[float], lower: list[float], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        remaining(options, np.array(mean), np.array(lower), np.full(len(mean), 1.2))
