"""Is traffic split as it should be: scipy as oracle, and how often it cries wolf."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hailwhale_django.engine.decide.balance import balance, chi_square_tail, split_balance
from hailwhale_django.engine.errors import InvalidInput


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10, 99, 100, 9_999])
def test_the_tail_is_scipy_s(degrees: int) -> None:
    for statistic in (
        0.0,
        1e-6,
        0.5,
        1.0,
        degrees / 2,
        degrees,
        degrees + 3 * degrees**0.5,
        2 * degrees,
        700.0,
        3000.0,
    ):
        assert chi_square_tail(statistic, degrees) == pytest.approx(stats.chi2.sf(statistic, degrees), rel=1e-9, abs=0)


def test_it_is_scipy_s_test() -> None:
    found = split_balance("abc", np.array([980, 1010, 510]), np.array([2, 2, 1]))
    expected = stats.chisquare([980, 1010, 510], [1000, 1000, 500])
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))
    assert (found.expected, found.degrees, found.balanced) == ((1000, 1000, 500), 2, True)
    assert found.words == "The traffic is split as it should be."


def test_a_mismatch_says_where() -> None:
    found = split_balance(["red", "green"], np.array([10_400, 10_000]), np.array([0.5, 0.5]))
    assert not split_balance(["red", "green"], np.array([10_500, 10_000]), np.array([0.5, 0.5])).balanced
    assert found.p_value == pytest.approx(stats.binomtest(10_400, 20_400).pvalue, rel=0.03)
    found = split_balance(["red", "green", "blue"], np.array([10_500, 10_000, 9_000]), np.ones(3))
    assert found.words == (
        "The traffic is not split as it should be: blue was assigned 9,000 times, where 9,833 were expected. "
        "Find out why before you believe any comparison."
    )


def test_what_was_chosen_though_it_could_not_be_is_a_mismatch() -> None:
    found = balance(["red", "green"], np.array([999, 1]), np.array([1000, 0]))
    assert (found.balanced, found.p_value) == (False, 0.0)
    assert "green was assigned 1 times, where 0 were expected" in found.words


def test_rare_options_are_taken_together() -> None:
    """Three of 2 each are one of 6: 3 seen there, and 97 of 94: 9/6 + 9/94."""
    found = balance("abcd", np.array([97, 3, 0, 0]), np.array([94, 2, 2, 2]))
    assert (found.statistic, found.degrees) == (pytest.approx(9 / 6 + 9 / 94), 1)


@pytest.mark.parametrize("assigned", [[0, 0], [2, 3], [4, 0]])
def test_few_say_nothing(assigned: list[int]) -> None:
    found = split_balance("ab", np.array(assigned), np.ones(2))
    assert found.balanced
    assert found.words == "Too few were assigned to say whether the traffic is split as it should be."


def test_a_fair_split_is_seldom_called_a_mismatch() -> None:
    rng = np.random.default_rng(1)
    shares = np.array([0.5, 0.3, 0.15, 0.05])
    wrong = sum(not split_balance("abcd", one, shares, 0.05).balanced for one in rng.multinomial(500, shares, 4000))
    assert 0.04 < wrong / 4000 < 0.06


def test_an_adaptive_decision_that_keeps_to_its_propensities_is_hardly_ever() -> None:
    rng = np.random.default_rng(2)
    wrong = 0
    for _ in range(1000):
        propensities = rng.dirichlet([1, 1, 1], 300)
        chosen = (rng.random(300)[:, None] > propensities.cumsum(axis=1)).sum(axis=1)
        wrong += not balance("abc", np.bincount(chosen, minlength=3), propensities.sum(axis=0), 0.05).balanced
    assert wrong / 1000 < 0.05


def test_one_that_does_not_is_found_out() -> None:
    """It chooses green one time in twenty more than it says."""
    rng = np.random.default_rng(3)
    propensities = rng.dirichlet([1, 1], 10_000)
    chosen = rng.random(10_000) < propensities[:, 1] + 0.05
    found = balance(["red", "green"], np.array([10_000 - chosen.sum(), chosen.sum()]), propensities.sum(axis=0))
    assert not found.balanced


@pytest.mark.parametrize(
    ("expected", "message"), [([1.0], "one number for each of the 2"), ([1.0, -1.0], "are 0 or more")]
)
def test_what_cannot_be_understood(expected: list[float], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        balance("ab", np.ones(2), np.array(expected))


@pytest.mark.parametrize("shares", [[0.0, 0.0], [1.0, -0.5]])
def test_shares_are_shares(shares: list[float]) -> None:
    with pytest.raises(InvalidInput, match="shares"):
        split_balance("ab", np.ones(2), np.array(shares))
