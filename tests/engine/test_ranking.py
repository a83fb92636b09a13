"""What makes a row worth looking at, by HailWhale's rules and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.ranking import best_first, matter, metric_standing, ratio_standing, share_of


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def test_a_metric_stands_against_the_rest_of_its_parent() -> None:
    """Of 200 dollars 150 came from US, 30 from DE, 11 from FR and 9 from IT."""
    standing = metric_standing(floats(150, 30, 11, 9), 200)
    assert standing.score.tolist() == standing.value.tolist() == standing.count.tolist() == [150, 30, 11, 9]
    assert standing.share.tolist() == [0.75, 0.15, 0.055, 0.045]
    assert standing.difference.tolist() == standing.effect.tolist() == [50, 170, 189, 191]
    assert standing.important.tolist() == [True, True, False, False]


def test_a_metric_is_important_above_10_and_above_a_tenth() -> None:
    assert metric_standing(floats(10, 11), 20).important.tolist() == [False, True]
    assert metric_standing(floats(100, 101), 1000).important.tolist() == [False, True]


def test_nothing_of_nothing_is_no_share() -> None:
    assert metric_standing(floats(0, 0), 0).share.tolist() == [0, 0]
    assert share_of(floats(3, -3), 0).tolist() == [0, 0]


def test_several_metrics_at_once_stand_as_each_alone() -> None:
    """Revenue of 150 and 30 out of 200, and refunds of which there are none altogether."""
    revenue, refunds = metric_standing(np.array([[150.0, 30], [5, -5]]), np.array([[200.0], [0]])).of_each()
    assert revenue.score.tolist() == [150, 30]
    assert revenue.share.tolist() == [0.75, 0.15]
    assert revenue.effect.tolist() == [50, 170]
    assert revenue.important.tolist() == [True, True]
    assert refunds.share.tolist() == [0, 0]
    assert refunds.difference.tolist() == [-5, 5]
    assert refunds.important.tolist() == [False, False]


def test_shares_of_negative_sums() -> None:
    assert metric_standing(floats(-50, -150), -200).share.tolist() == [0.25, 0.75]
    assert metric_standing(floats(300, -100), 200).share.tolist() == [1.5, -0.5]


def test_a_ratio_stands_against_its_parent_s_ratio() -> None:
    """Revenue per visitor: 8/100 in US, 1/100 in DE, 1/5 in IT; 10/205 overall."""
    tops, bottoms = floats(8, 1, 1), floats(100, 100, 5)
    overall = 10 / 205
    standing = ratio_standing(tops / bottoms, tops, bottoms, overall, 205)
    assert standing.score.tolist() == [0.08, 0.01, 0.2]
    assert standing.value.tolist() == [8, 1, 1]
    assert standing.count.tolist() == [100, 100, 5]
    assert standing.share.tolist() == pytest.approx([100 / 205, 100 / 205, 5 / 205])
    assert standing.difference.tolist() == pytest.approx([0.64, -0.795, 3.1])
    # difference * count * overall: how much of the numerator it makes up for
    assert standing.effect.tolist() == pytest.approx([0.64 * 1000 / 205, -0.795 * 1000 / 205, 3.1 * 50 / 205])
    assert standing.important.tolist() == [True, True, False]  # 5 visitors are too few


def test_a_ratio_is_important_when_it_differs_by_more_than_a_tenth() -> None:
    ratios = floats(1.09, 0.91, 1.11, 0.89)
    standing = ratio_standing(ratios, ratios * 100, floats(100, 100, 100, 100), 1.0, 400)
    assert standing.important.tolist() == [False, False, True, True]


def test_ratios_of_a_parent_without_any_do_not_differ() -> None:
    standing = ratio_standing(floats(1, 2), floats(10, 20), floats(10, 10), 0.0, 0.0)
    assert standing.difference.tolist() == standing.effect.tolist() == standing.share.tolist() == [0, 0]
    assert standing.important.tolist() == [False, False]


# --- order


@pytest.mark.parametrize(
    ("values", "descending", "expected"),
    [
        ([1, 3, 2], True, "bca"),
        ([1, 3, 2], False, "acb"),
        ([2, 2, 3], True, "cab"),
        ([2, 2, 3], False, "abc"),
        ([1, float("nan"), 2], True, "cab"),
        ([1, float("nan"), 2], False, "acb"),
        ([float("nan"), float("nan"), -1], True, "cab"),
        ([0.0, -0.0, 0.0], True, "abc"),
        ([-5, -7, 0], True, "cab"),
        ([], True, ""),
        ([1], True, "a"),
    ],
)
def test_best_first(values: list[float], descending: bool, expected: str) -> None:
    order = best_first(floats(*values), "abc".__getitem__, descending)
    assert "".join("abc"[row] for row in order) == expected


def test_equal_values_stand_by_name() -> None:
    names = ["zebra", "ant", "bee"]
    assert best_first(floats(1, 1, 1), names.__getitem__).tolist() == [1, 2, 0]
    assert best_first(floats(1, 1, 1), None).tolist() == [0, 1, 2]


@given(st.lists(st.tuples(st.floats(-3, 3).map(round), st.text("abc", max_size=2)), max_size=30), st.booleans())
def test_best_first_is_what_python_sorts(rows: list[tuple[int, str]], descending: bool) -> None:
    values = floats(*(value for value, _ in rows))
    expected = sorted(range(len(rows)), key=lambda at: (-rows[at][0] if descending else rows[at][0], rows[at][1]))
    assert best_first(values, lambda at: rows[at][1], descending).tolist() == expected


class TestMatter:
    def test_more_than_ten_and_more_than_a_tenth_highest_first(self) -> None:
        # A tenth of 200 is 20: 20 itself is not more.
        assert matter([50, 21, 20, 90, 19], 200) == [3, 0, 1]
        # A tenth of 50 is 5, but a handful matters nowhere.
        assert matter([10, 11, 6, 23], 50) == [3, 1]

    def test_thresholds_can_be_others(self) -> None:
        assert matter([50, 21, 20, 90, 19], 200, share=0.25) == [3]
        assert matter([0.5, 0.2], 0.8, least=0) == [0, 1]
        assert matter([50, 21, 20, 90, 19], 200, most=2) == [3, 0]

    def test_at_least_one_and_at_most_as_many_as_can_be_told_apart(self) -> None:
        assert matter([1, 3, 2], 6) == [1]
        assert matter([20] * 9, 180) == list(range(8))
        assert matter([], 0) == []

    def test_of_equals_the_first_and_nothing_of_what_has_no_value(self) -> None:
        assert matter([30, 30, float("nan")], 60) == [0, 1]
