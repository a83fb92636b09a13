"""When it happened: the buckets that are told, of moves by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.explain.onset import onset


@pytest.mark.parametrize("sign", [1, -1])
class TestBuckets:
    def test_of_one_bucket_only(self, sign: int) -> None:
        moves = np.zeros(14)
        moves[5] = 100 * sign
        assert onset(moves, 5) == (5, 5)

    def test_of_a_run(self, sign: int) -> None:
        moves = np.zeros(20)
        moves[6:10] = 30 * sign
        assert onset(moves, 5) == (6, 9)

    def test_from_some_bucket_on(self, sign: int) -> None:
        moves = np.zeros(14)
        moves[9:] = 30 * sign
        assert onset(moves, 5) == (9, 13)

    def test_until_some_bucket(self, sign: int) -> None:
        moves = np.zeros(14)
        moves[:4] = 30 * sign
        assert onset(moves, 5) == (0, 3)

    def test_among_noise(self, sign: int) -> None:
        moves = np.random.default_rng(3).normal(0, 5, 28)
        moves[10:16] += 60 * sign
        assert onset(moves, 5) == (10, 15)

    def test_all_of_the_period_is_no_part_of_it(self, sign: int) -> None:
        assert onset(np.full(14, 30.0 * sign), 5) is None
        assert onset(np.array([28, 33, 30, 31, 27, 29, 32, 30, 31, 29]) * float(sign), 5) is None

    def test_what_comes_about_in_most_of_it_is_not_told_either(self, sign: int) -> None:
        moves = np.full(10, 30.0 * sign)
        moves[0] = 0
        assert onset(moves, 5) is None

    def test_two_ends_of_the_period(self, sign: int) -> None:
        """No run that is short enough has most of it."""
        moves = np.zeros(14)
        moves[[0, 1, 12, 13]] = 30 * sign
        assert onset(moves, 5) is None


def test_noise_has_no_beginning() -> None:
    """Of buckets that are 4 off to either side by turns, and one that is 6 off."""
    assert onset(np.array([4.0, -4] * 7), 5) is None
    assert onset(np.array([4.0, -4] * 5 + [6.0, -4, 4, -4]), 5) is None


@pytest.mark.parametrize("moves", [[], [100.0], [0.0, 100.0]])
def test_too_few_buckets(moves: list[float]) -> None:
    assert onset(np.array(moves), 1) is None


def test_nothing_moved_or_nothing_is_known_of_chance() -> None:
    assert onset(np.zeros(14), 5) is None
    assert onset(np.array([0.0] * 13 + [100]), 0) is None
    assert onset(np.array([10.0, -10, 0, 0, 0]), 1) is None


def test_noise_seldom_has_a_beginning() -> None:
    """At most once in twenty; where the whole is two standard deviations out without a reason, as much."""
    rng = np.random.default_rng(0)
    drawn = rng.normal(0, 1, (800, 28))
    far = drawn[np.abs(drawn.sum(axis=1)) > 2 * np.sqrt(28)]
    assert sum(onset(moves, 1.0) is not None for moves in drawn) / len(drawn) < 0.05
    assert sum(onset(moves, 1.0) is not None for moves in far) / len(far) < 0.05


moves = st.lists(st.integers(-100, 100), min_size=3, max_size=30).map(lambda found: np.array(found, dtype=np.float64))


@given(moves, st.floats(0.1, 100))
def test_it_is_within_the_period_and_has_more_than_half_of_it(found: np.ndarray, deviation: float) -> None:
    times = onset(found, deviation)
    if times is not None:
        begin, end = times
        assert 0 <= begin <= end < len(found)
        assert end + 1 - begin < len(found)
        assert found[begin : end + 1].sum() / found.sum() > 0.5


@given(moves, st.integers(1, 50))
def test_it_is_the_same_up_or_down_and_in_any_unit(found: np.ndarray, deviation: int) -> None:
    times = onset(found, deviation)
    assert onset(-found, deviation) == times
    assert onset(found * 4, deviation * 4) == times
