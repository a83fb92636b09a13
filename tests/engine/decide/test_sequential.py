"""The test that holds however often one looks: a year of daily looks, at options that are the same and that are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from hailwhale_django.engine.decide.evidence import Floats
from hailwhale_django.engine.decide.look import MINIMUM, look
from hailwhale_django.engine.decide.ratio import difference, estimates
from hailwhale_django.engine.decide.sequential import against_control, leader
from hailwhale_django.engine.errors import InvalidInput
from tests.engine.decide.worlds import TRUTH, by_day, sums_of, visits


def sales(sold: int, visitors: int) -> Floats:
    return sums_of(np.repeat([1.0, 0], [sold, visitors - sold]), np.ones(visitors))


def test_by_hand() -> None:
    """500 and 600 of 5,000: noise s^2, mixture t = .1 * .11; the likelihood ratio of a normal mixture against 0."""
    a, b = sales(500, 5000), sales(600, 5000)
    pooled = (0.1 * 0.9 + 0.12 * 0.88) / 2  # what the first has less of, up to the correction 5000/4999
    noise = (pooled + 0.12 * 0.88) / 4999
    spread = math.hypot(math.sqrt(noise), 0.011)
    likelihood = stats.norm.pdf(0.02, 0, spread) / stats.norm.pdf(0.02, 0, math.sqrt(noise))
    found = look(a, b)
    assert float(found.p_value) == pytest.approx(1 / likelihood, rel=1e-3)
    assert bool(found.enough)


def test_the_interval_excludes_0_just_where_the_p_value_decides() -> None:
    verdicts = []
    for sold in range(400, 700, 5):
        [found] = against_control(["a", "b"], np.stack([sales(500, 5000), sales(sold, 5000)]))
        assert found.decided == (0 not in found.difference.absolute) == (0 not in found.difference.relative)
        verdicts.append(found.decided)
    assert 10 < sum(verdicts) < 50


@pytest.mark.parametrize("kind", TRUTH)
@pytest.mark.parametrize(("control", "option"), [(50, 50), (95, 5)])
def test_who_looks_every_day_of_a_year_is_seldom_wrong(kind: str, control: float, option: float) -> None:
    """150 years of two options that are the same; at a level of 5%, in at most 7 of them."""
    rng = np.random.default_rng(7)
    found = look(by_day(rng, kind, 150, control), by_day(rng, kind, 150, option))
    assert (found.p_value <= 0.05).any(axis=1).sum() <= 7
    assert found.enough[:, -1].mean() > 0.9


def test_where_looking_at_plain_intervals_is_wrong_every_fourth_year() -> None:
    rng = np.random.default_rng(7)
    years = [estimates(by_day(rng, "clicks per view", 150, 30)) for _ in range(2)]
    apart = np.abs(years[0].value - years[1].value) / np.hypot(years[0].error, years[1].error)
    assert (apart > 1.96).any(axis=1).mean() > 0.25


def test_five_options_are_no_more_often_wrong_than_two() -> None:
    """150 years: any of four against a control, and a leader that is declared the best of five."""
    rng = np.random.default_rng(8)
    years = [by_day(rng, "clicks per view", 150, 30) for _ in range(5)]
    p_values = np.array([[look(one, other).p_value * 4 for one in years] for other in years])
    assert (p_values[0, 1:].min(axis=0) <= 0.05).any(axis=1).sum() <= 7
    leading = np.argmax([estimates(year).value for year in years], axis=0)
    against = np.where(np.arange(5)[:, None, None] == leading, 0, np.choose(leading, list(p_values)))
    assert (against.max(axis=0) <= 0.05).any(axis=1).sum() <= 7


def test_several_comparisons_share_the_level() -> None:
    sums = np.stack([sales(500, 5000), sales(600, 5000), sales(500, 5000)])
    [alone] = against_control(["a", "b"], sums[:2])
    [first, _] = against_control(["a", "b", "c"], sums)
    assert first.p_value == pytest.approx(2 * alone.p_value)
    assert first.difference.absolute.lower < alone.difference.absolute.lower


def test_what_is_better_is_found() -> None:
    """A fifth more clicks, 100 visitors a day each: found in all of 100 years, mostly within two months."""
    rng = np.random.default_rng(9)
    a, b = by_day(rng, "clicks per view", 100, 100), by_day(rng, "clicks per view", 100, 100)
    b = b * np.array([1, 1.2, 1, 1.44, 1, 1.2, 1, 1])
    decided = look(a, b).p_value <= 0.05
    assert decided.any(axis=1).all()
    assert np.median(decided.argmax(axis=1)) < 60


def test_intervals_hold_the_truth_on_every_day_of_a_year() -> None:
    rng = np.random.default_rng(10)
    a, b = by_day(rng, "revenue per visitor", 150, 100), by_day(rng, "revenue per visitor", 150, 100)
    b = b * np.array([1, 1.5, 1, 2.25, 1, 1.5, 1, 1])
    found = look(a, b)
    (a_value, a_error, _), (b_value, b_error, _) = estimates(a), estimates(b)
    apart = np.abs(b_value - a_value - 0.5 * TRUTH["revenue per visitor"])
    missed = np.where(found.enough, apart > found.reach * np.hypot(a_error, b_error), False)
    assert missed.any(axis=1).mean() <= 0.05


def test_always_valid_intervals_are_wider_than_plain_ones() -> None:
    a, b = sales(500, 5000), sales(600, 5000)
    [found] = against_control(["a", "b"], np.stack([a, b]))
    plain = difference(a, b)
    assert found.difference.absolute.value == plain.absolute.value
    assert found.difference.absolute.lower < plain.absolute.lower
    assert found.difference.relative.upper > plain.relative.upper


def test_before_the_minimum_nothing_is_said() -> None:
    a, b = sales(MINIMUM - 1, MINIMUM - 1), sales(0, MINIMUM - 1)
    [found] = against_control(["a", "b"], np.stack([a, b]))
    assert (found.enough, found.decided, found.p_value) == (False, False, 1.0)
    assert found.difference.absolute.upper == math.inf
    assert found.words("sales per visitor") == (
        "It is too early to compare b and a: at least 25 results of each are needed."
    )


def test_an_option_that_never_earns_is_found_out() -> None:
    [found] = against_control(["a", "b"], np.stack([sales(200, 2000), sales(0, 2000)]))
    assert found.decided and not found.better
    assert found.words("sales per visitor") == (
        "Sales per visitor of b is 100.0% lower than that of a; this holds however often you look."
    )


def test_of_costs_less_is_better() -> None:
    sums = np.stack([sales(500, 2000), sales(300, 2000)])
    [found] = against_control(["a", "b"], sums, minimize=True)
    assert found.better
    assert leader(["a", "b"], sums, minimize=True).option == "b"
    assert leader(["a", "b"], sums).option == "a"


def test_the_leader_must_beat_all() -> None:
    sums = np.stack([sales(500, 5000), sales(700, 5000), sales(690, 5000)])
    found = leader(["red", "green", "blue"], sums)
    assert [(one.option, one.against, one.decided) for one in found.comparisons] == [
        ("green", "red", True),
        ("green", "blue", False),
    ]
    assert found.words("clicks") == "green is ahead in clicks, but blue may still be as good."
    assert leader(["red", "green"], sums[:2]).words("clicks") == (
        "green is the best in clicks; this holds however often you look."
    )


def test_what_is_not_decided_is_said_with_its_range() -> None:
    [found] = against_control(["a", "b"], np.stack([sales(500, 5000), sales(510, 5000)]))
    low, high = found.difference.relative.lower, found.difference.relative.upper
    assert found.words("sales per visitor") == (
        f"Sales per visitor of b and a may still be the same: that of b is {low:+.1%} to {high:+.1%} against a's."
    )


def test_around_0_the_difference_that_matters_is_given() -> None:
    """Profits of 0 on average: a tenth of that is nothing to look for."""
    rng = np.random.default_rng(11)
    a, b = (sums_of(rng.normal(mean, 1, 4000), np.ones(4000)) for mean in (0.0, 0.3))
    a_again = a.copy()
    a_again[1] = -b[1]
    assert not bool(look(a_again, b).enough)
    assert float(look(a, b, sharpest=0.1).p_value) < 0.001


def test_no_history_is_no_crash() -> None:
    found = against_control(["a", "b", "c"], np.zeros((3, 8)))
    assert [one.decided for one in found] == [False, False]
    assert leader(["a", "b", "c"], np.zeros((3, 8))).decided is False
    assert not look(*(sums_of(*visits(np.random.default_rng(1), "cost per sale", 3)) for _ in "ab")).enough


def test_no_numbers_at_all_are_a_crash() -> None:
    """Not even those that nothing can have been counted to."""
    rng = np.random.default_rng(12)
    for sums in rng.choice([0, 1, -1, 5, 1e-300, 1e300, math.nan, math.inf, -math.inf], (300, 3, 8)):
        for found in against_control("abc", sums):
            assert found.words("sales")
        assert leader("abc", sums).words("sales")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a"], np.zeros((1, 8))), "options: .* two or more"),
        ((["a", "b"], np.zeros((3, 8))), "sums: .* the 2 options"),
        ((["a", "b"], np.zeros((2, 8)), 2), "control: 2 will not do; use the number of an option, 0 to 1"),
    ],
)
def test_what_cannot_be_understood(arguments: tuple, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        against_control(*arguments)


def test_a_level_is_a_chance() -> None:
    with pytest.raises(InvalidInput, match="level: 5 will not do"):
        leader(["a", "b"], np.zeros((2, 8)), level=5)
