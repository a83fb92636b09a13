"""What a decision aims at, from the sums that are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.decide.aim import aim_of
from hailwhale_django.engine.decide.evidence import DD, ND, NY, YD, YY, D, Floats, N, Y
from hailwhale_django.engine.domain.lesson import sums_of
from hailwhale_django.engine.errors import InvalidInput, TooLarge

Values = dict[str, float]


def named(events: list[Values]) -> Callable[[str], Floats]:
    """The kept sums of events, as a store gives them."""
    sums: dict[str, float] = defaultdict(float)
    for event in events:
        for name, value in sums_of(event).items():
            sums[name] += value
    return lambda name: np.array(sums[name])


def test_the_eight_sums_of_a_ratio() -> None:
    events = [{"visitors": 1.0, "revenue": 25.0}, {"visitors": 1.0}, {"visitors": 2.0, "revenue": -5.0}]
    eight = aim_of("revenue/visitors").eight(named(events))
    expected = {N: 3, Y: 20, D: 4, YY: 650, DD: 6, YD: 15, NY: 2, ND: 3}
    assert eight.tolist() == [expected[at] for at in range(8)]


def test_a_numerator_may_be_weighed() -> None:
    events = [{"views": 2.0, "revenue": 10.0, "cost": 4.0}, {"views": 1.0, "cost": 1.0}]
    eight = aim_of("(revenue - 2*cost)/views").eight(named(events))
    # y = 10 - 8 = 2 and -2, d = 2 and 1.
    assert eight[[Y, D, YY, DD, YD]].tolist() == [0, 3, 8, 5, 2]
    assert eight[NY] == 2 and eight[ND] == 2


def test_a_formula_without_denominator_is_meant_per_event() -> None:
    eight = aim_of("revenue").eight(named([{"revenue": 10.0}, {"revenue": 20.0}]))
    assert eight.tolist() == [2, 30, 2, 500, 2, 30, 2, 2]


def test_hits_that_nobody_named_are_one_for_each_event() -> None:
    events = [{"revenue": 10.0, "hits": 1.0}, {"revenue": 20.0, "hits": 1.0}]
    assert aim_of("revenue/hits").eight(named(events)).tolist() == [2, 30, 2, 500, 2, 30, 2, 2]


def test_hits_that_were_named_count_as_they_were() -> None:
    eight = aim_of("revenue/hits").eight(named([{"revenue": 10.0, "hits": 4.0}, {"revenue": 20.0, "hits": 6.0}]))
    assert eight[[D, DD, YD]].tolist() == [10, 52, 160]


METRICS = ("a", "b", "c")
events_of_metrics = st.lists(
    st.dictionaries(st.sampled_from(METRICS), st.integers(-50, 50).map(float), min_size=1), max_size=8
)


@given(events_of_metrics, st.lists(st.integers(-3, 3), min_size=2, max_size=2), st.integers(1, 4))
def test_any_ratio_of_weighed_sums(events: list[Values], weights: list[int], factor: int) -> None:
    formula = f"({weights[0]}*a + {weights[1]}*b - c)/({factor}*b + c)".replace("+ -", "- ").replace("(-", "(0 - ")
    if "(0 -" in formula:
        formula = formula.replace("(0 - ", "(-")
    eight = aim_of(formula).eight(named(events))
    of = [
        (
            weights[0] * e.get("a", 0) + weights[1] * e.get("b", 0) - e.get("c", 0),
            factor * e.get("b", 0) + e.get("c", 0),
        )
        for e in events
    ]
    expected = [len(of), sum(y for y, _ in of), sum(d for _, d in of)]
    expected += [sum(y * y for y, _ in of), sum(d * d for _, d in of), sum(y * d for y, d in of)]
    assert eight[[N, Y, D, YY, DD, YD]].tolist() == pytest.approx(expected)


@given(
    st.dictionaries(st.sampled_from(METRICS), st.integers(-50, 50).map(float)),
    st.lists(st.dictionaries(st.sampled_from(METRICS), st.integers(-50, 50).map(float)), max_size=4),
)
def test_what_comes_later_of_a_visitor_is_one_event_in_the_end(first: Values, later: list[Values]) -> None:
    sums: dict[str, float] = defaultdict(float)
    before: Values | None = None
    for values in (first, *later):
        for name, change in sums_of(values, before).items():
            sums[name] += change
        before = {name: (before or {}).get(name, 0.0) + values.get(name, 0.0) for name in {*(before or {}), *values}}
    assert {name: value for name, value in sums.items() if value} == {
        name: value for name, value in sums_of(before or {}).items() if value
    }


@pytest.mark.parametrize("formula", ["a*b", "a/b + c", "a + 1", "uv:visitor/b", "a@parent/b", "a:last/b", "days/b"])
def test_what_is_no_ratio_of_sums(formula: str) -> None:
    with pytest.raises(InvalidInput, match="a decision aims at a ratio of sums"):
        aim_of(formula)


@pytest.mark.parametrize("formula", ["5", "5/a"])
def test_something_must_be_made_large(formula: str) -> None:
    with pytest.raises(InvalidInput, match="name what is to be made large"):
        aim_of(formula)


@pytest.mark.parametrize("formula", ["1e308*1e308*a/b", "1e13*a/b", "a/(b/1e13)"])
def test_weights_that_no_sum_of_squares_can_bear(formula: str) -> None:
    with pytest.raises(InvalidInput, match=r"its weights are at most 1e\+12"):
        aim_of(formula)


def test_ratios_with_one_denominator_add_up() -> None:
    assert aim_of("a/b + c/b").numerator == {"a": 1.0, "c": 1.0}
    assert (aim_of("2*a/(b/3)").numerator, aim_of("2*a/(b/3)").denominator) == ({"a": 6.0}, {"b": 1.0})


def test_an_event_has_few_metrics() -> None:
    with pytest.raises(TooLarge, match="at most 8 metrics"):
        sums_of({f"m{n}": 1.0 for n in range(9)})
