"""Chances of being best: by symmetry, by hand, and against draws."""

from __future__ import annotations

from math import erf, sqrt

import numpy as np
import pytest

from hailwhale_django.engine.decide.contest import Posterior, contest, normal_cdf


def test_of_two_normal_ratios_the_better_one_wins_as_often_as_their_difference_is_positive() -> None:
    posterior = Posterior.normal(np.array([1.0, 1.3]), np.array([0.04, 0.05]))
    best, highest = contest(posterior, minimize=False)
    # The difference is normal with mean 0.3 and variance 0.09: z = 1.
    assert best == pytest.approx([1 - 0.8413447, 0.8413447], abs=1e-3)
    # Clark (1961): E max = m1 P(1 best) + m2 P(2 best) + s phi(z), with s = 0.3 and phi(1) = 0.2419707.
    assert highest == pytest.approx(1.0 * 0.1586553 + 1.3 * 0.8413447 + 0.3 * 0.2419707, abs=2e-3)


@pytest.mark.parametrize("minimize", [False, True])
def test_chances_are_those_of_draws_from_gammas(minimize: bool) -> None:
    mean, relative = np.array([0.05, 0.06, 0.055, 0.2]), np.array([0.02, 0.05, 0.3, 0.9])
    drawn = np.random.default_rng(1).gamma(1 / relative, mean * relative, size=(400_000, 4))
    expected = np.bincount((drawn.argmin if minimize else drawn.argmax)(axis=1), minlength=4) / len(drawn)
    best, extreme = contest(Posterior.gamma(mean, relative), minimize)
    assert best == pytest.approx(expected, abs=0.012)
    assert extreme == pytest.approx((drawn.min if minimize else drawn.max)(axis=1).mean(), rel=0.03)


def test_to_minimise_is_to_maximise_the_negative() -> None:
    mean, variance = np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 0.5])
    best, extreme = contest(Posterior.normal(mean, variance), minimize=True)
    mirrored, highest = contest(Posterior.normal(-mean, variance), minimize=False)
    assert best == pytest.approx(mirrored, abs=1e-9)
    assert extreme == pytest.approx(-highest, abs=1e-9)


def test_equal_options_have_equal_chances_however_many_there_are() -> None:
    for options in (1, 2, 7, 10_000):
        best, _ = contest(Posterior.gamma(np.full(options, 0.05), np.full(options, 0.1)), minimize=False)
        assert best == pytest.approx(np.full(options, 1 / options), rel=1e-6)


def test_a_ratio_that_is_known_to_the_last_digit_is_compared_with_what_is_hardly_known() -> None:
    posterior = Posterior.normal(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    above = 0.5 * (1 - erf(1 / sqrt(2)))
    best, _ = contest(posterior, minimize=False)
    assert best == pytest.approx([1 - above, above], abs=2e-2)
    assert best.sum() == pytest.approx(1.0)


def test_a_gamma_s_quantiles_are_those_of_draws() -> None:
    drawn = np.random.default_rng(2).gamma(4.0, 0.25, size=400_000)
    told = Posterior.gamma(np.array([1.0]), np.array([0.25]))
    for deviations, share in ((-1.2816, 0.1), (0.0, 0.5), (1.2816, 0.9)):
        assert told.quantile(deviations)[0] == pytest.approx(np.quantile(drawn, share), rel=0.01)


def test_the_table_of_the_normal_distribution_is_exact_enough_and_ends() -> None:
    x = np.array([-40.0, -8.0, -1.2345, 0.0, 0.001, 2.5, 8.0, 1e300])
    expected = [0.5 * (1 + erf(one / sqrt(2))) for one in x]
    assert normal_cdf(x) == pytest.approx(expected, abs=1e-6)
