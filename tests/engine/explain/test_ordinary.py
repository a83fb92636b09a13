"""What is ordinary: variances by the textbook, and quantiles of Student's t by its tables."""

from __future__ import annotations

from fractions import Fraction
from math import nan
from statistics import NormalDist, variance

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.formula import parse
from hailwhale_django.engine.domain.values import Floats
from hailwhale_django.engine.explain.excess import Alike
from hailwhale_django.engine.explain.measure import Measure
from hailwhale_django.engine.explain.ordinary import (
    Scatter,
    chance_of,
    normal_score,
    ordinary,
    scatter,
    scatter_of_values,
)

NONE = np.zeros(0)


def column(*values: float) -> Floats:
    """[leaf, bucket, row] of one leaf of one row."""
    return np.array(values, dtype=np.float64)[None, :, None]


def trembling(own: tuple[list[float], list[float]], rest: float) -> Scatter:
    """A row beside a rest that is the same in every bucket of both periods, and so never grows."""
    measure = Measure(parse("hits"))
    before, now = column(*own[0]), column(*own[1])
    return scatter(
        measure, Alike.of(measure, [False]), before, now, before[..., 0] + rest, now[..., 0] + rest, NONE
    )  # fmt: skip


# --- the jackknife


def test_of_a_sum_the_jackknife_is_the_textbook_s() -> None:
    """1, 3, 5, 3 scatter by 8/3 around 3; the variance of a sum of four such is 4 x 8/3."""
    found = trembling(([1, 3, 5, 3], [3, 3, 3, 3]), rest=100)
    assert found.variance.tolist() == pytest.approx([32 / 3])
    # What each brought: four times as far from the mean as it was, with the sign of what is before.
    assert found.before[:, 0].tolist() == pytest.approx([8, 0, -8, 0])
    assert found.now[:, 0].tolist() == pytest.approx([0, 0, 0, 0])


def test_of_the_later_period_what_happens_in_its_middle_is_no_scatter() -> None:
    """Ten times as many in two buckets, and none in one, are no noise: it is as before. There 24 squares of 12 buckets
    make 12 x 24/11.
    """
    found = trembling(([1, 3, 5, 3] * 3, [3, 3, 3, 30, 30, 3, 3, 3, 0, 3, 3, 3]), rest=100)
    assert found.variance.tolist() == pytest.approx([2 * 12 * 24 / 11])


def test_noise_is_told_as_what_it_is_in_either_period() -> None:
    """Of 14 buckets each, with a variance of 9 before and 25 now; on average over many rows."""
    rng = np.random.default_rng(4)
    before, now = rng.normal(100, 3, (1, 14, 2000)), rng.normal(100, 5, (1, 14, 2000))
    measure, rest = Measure(parse("hits")), np.full((1, 14), 1e12)
    found = scatter(measure, Alike.of(measure, [False]), before, now, rest, rest, NONE)
    assert found.variance.mean() == pytest.approx(14 * 9 + 14 * 25, rel=0.15)


@given(st.lists(st.integers(0, 10**6), min_size=3, max_size=20), st.integers(1, 10**6))
def test_of_any_sum_it_is_so(buckets: list[int], rest: int) -> None:
    expected = len(buckets) * variance(buckets)
    found = trembling((list(map(float, buckets)), [1.0] * len(buckets)), rest)
    assert found.variance[0] == pytest.approx(expected, rel=1e-6, abs=1e-3)
    steady = column(*[1.0] * len(buckets))
    alone = scatter_of_values(Measure(parse("hits")), column(*buckets), steady, NONE)
    assert alone[0] == pytest.approx(expected, rel=1e-6, abs=1e-3)


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 1000)), min_size=3, max_size=12))
def test_of_a_ratio_it_is_that_of_leaving_out_each_in_turn(buckets: list[tuple[int, int]]) -> None:
    """Efron and Stein's: (n-1)/n of the squares around the mean."""
    count = len(buckets)
    tops, bottoms = (sum(bucket[at] for bucket in buckets) for at in range(2))
    without = [Fraction(tops - top, bottoms - bottom) for top, bottom in buckets]
    mean = sum(without) / count
    expected = Fraction(count - 1, count) * sum((one - mean) ** 2 for one in without)
    before = np.array(buckets, dtype=np.float64).T[:, :, None]
    found = scatter_of_values(Measure(parse("a/b")), before, np.ones((2, 5, 1)), NONE)
    assert found[0] == pytest.approx(float(expected), rel=1e-6, abs=1e-12)


def test_of_own_values_what_both_periods_scatter_by_adds_up() -> None:
    """As above: 4 x 8/3 of either; that there are ten more of each bucket is no scatter."""
    found = scatter_of_values(Measure(parse("hits")), column(1, 3, 5, 3), column(11, 13, 15, 13), NONE)
    assert found.tolist() == pytest.approx([64 / 3])


def test_of_own_values_a_jump_in_the_later_period_is_no_scatter() -> None:
    """Two steps in eleven lead into it and out of it; it is as before."""
    jump = [3] * 5 + [30] * 3 + [3] * 4
    found = scatter_of_values(Measure(parse("hits")), column(*[1, 3, 5, 3] * 3), column(*jump), NONE)
    assert found.tolist() == pytest.approx([2 * 12 * 24 / 11])


def test_of_own_values_noise_is_told_as_what_it_is_in_either_period() -> None:
    """On average over many rows, and whatever those are worth."""
    rng = np.random.default_rng(6)
    before, now = rng.normal(100, 3, (1, 14, 2000)), rng.normal(500, 5, (1, 14, 2000))
    found = scatter_of_values(Measure(parse("hits")), before, now, NONE)
    assert found.mean() == pytest.approx(14 * 9 + 14 * 25, rel=0.15)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_of_a_bucket_or_two_there_is_no_scatter(count: int) -> None:
    """In either period."""
    few, enough = np.ones((1, count, 3)), np.arange(21.0).reshape(1, 7, 3)
    for before, now in ((few, enough), (enough, few), (few, few)):
        assert scatter_of_values(Measure(parse("hits")), before, now, NONE).tolist() == [0, 0, 0]


# --- from the past


def test_without_a_past_the_buckets_say_it() -> None:
    found = ordinary(np.array([4.0, 9.0]), np.zeros((0, 2)))
    assert found.variance.tolist() == pytest.approx([4, 9])
    unknown = ordinary(np.array([4.0, 9.0]), np.full((5, 2), nan))
    assert unknown.variance.tolist() == pytest.approx([4, 9])
    assert unknown.degrees.tolist() == found.degrees.tolist()


@pytest.mark.parametrize("periods", [1, 2, 3, 6])
def test_without_buckets_the_past_says_it(periods: int) -> None:
    """On average over many rows, whose effects have a variance of 9; there is none that is expected."""
    past = np.random.default_rng(periods).normal(0, 3, (periods, 20_000))
    found = ordinary(np.zeros(20_000), past)
    assert found.variance.mean() == pytest.approx(9, rel=0.03)
    assert set(found.degrees.tolist()) == {periods}


def test_of_periods_in_which_a_row_was_not_there_nothing_is_known() -> None:
    past = np.array([[1.0, 3], [-2, nan], [2, nan], [nan, nan]])
    found = ordinary(np.zeros(2), past)
    assert found.degrees.tolist() == [3, 1]
    assert found.variance.tolist() == pytest.approx([ordinary(np.zeros(1), past[:3, :1]).variance[0], 9])


def test_what_happened_once_does_not_make_it_ordinary() -> None:
    usual = np.array([[1.0], [-1], [1], [-1], [1]])
    calm, shaken = (ordinary(np.ones(1), np.concatenate([usual, [[once]]])).variance[0] for once in (1.0, 100.0))
    assert shaken == pytest.approx(calm, rel=0.5)


def test_with_neither_nothing_is_ordinary_and_nothing_known() -> None:
    found = ordinary(np.zeros(2), np.full((3, 2), nan))
    assert found.variance.tolist() == [0, 0]
    assert (found.degrees > 0).all()


def test_with_both_it_is_between_them() -> None:
    """A past of twice the standard deviation in one row, and a calm one in the other."""
    past = np.array([[4.0, 1.0], [-4.0, -1.0], [4.0, 1.0], [4.0, 1.0]])
    found = ordinary(np.array([4.0, 4.0]), past)
    assert 4 < found.variance[0] < 16 * 16
    assert found.variance[1] < found.variance[0]
    assert (found.degrees > ordinary(np.array([4.0, 4.0]), past[:1]).degrees).all()


def test_a_past_that_is_wider_than_the_buckets_throughout_widens_those_without_one() -> None:
    """Effects ten standard deviations out in all rows but the last, which is new."""
    past = np.array([[20.0, -20, nan], [-20, 20, nan], [20, 20, nan]])
    found = ordinary(np.array([4.0, 4, 4]), past)
    assert found.variance[2] > 100


amounts = st.floats(0.01, 1000)


@given(st.lists(st.tuples(amounts, amounts, amounts), min_size=1, max_size=6), st.sampled_from([2.0, 16.0, 0.25]))
def test_what_is_ordinary_goes_with_the_unit(rows: list[tuple[float, float, float]], unit: float) -> None:
    within, past = np.array([row[0] for row in rows]), np.array([row[1:] for row in rows]).T
    one, other = ordinary(within, past), ordinary(within * unit**2, past * unit)
    assert other.variance.tolist() == pytest.approx((one.variance * unit**2).tolist())
    assert other.degrees.tolist() == one.degrees.tolist()


# --- how far out something is


@pytest.mark.parametrize(
    ("degrees", "tail", "quantile"),
    [
        (5, 0.975, 2.571),
        (5, 0.995, 4.032),
        (10, 0.9, 1.372),
        (10, 0.975, 2.228),
        (10, 0.9995, 4.587),
        (22, 0.975, 2.074),
        (22, 0.9995, 3.792),
        (30, 0.995, 2.750),
        (120, 0.975, 1.980),
        (120, 0.9995, 3.373),
    ],
)
def test_a_quantile_of_student_s_t_is_as_far_out_as_that_of_the_normal(
    degrees: int, tail: float, quantile: float
) -> None:
    """Student's from the usual table; within a hundredth or two, which is what the approximation promises."""
    found = normal_score(np.array([quantile, -quantile]), np.array([degrees, degrees], dtype=float))
    expected = NormalDist().inv_cdf(tail)
    assert found.tolist() == pytest.approx([expected, -expected], rel=0.006)


def test_nothing_is_nowhere_out() -> None:
    assert normal_score(np.zeros(2), np.array([1.0, 30])).tolist() == [0, 0]


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(1, 1000))
def test_further_out_is_further_out_and_never_further_than_it_was(one: float, other: float, degrees: float) -> None:
    near, far = sorted([one, other])
    found = normal_score(np.array([near, far]), np.array([degrees] * 2))
    assert 0 <= found[0] <= found[1]
    assert found[1] <= far


@pytest.mark.parametrize(("score", "chance"), [(0, 1), (1, 0.31731), (1.96, 0.05), (-2.5758, 0.01), (4, 6.334e-5)])
def test_the_chance_of_going_as_far_to_either_side(score: float, chance: float) -> None:
    assert chance_of(score) == pytest.approx(chance, rel=1e-3)
