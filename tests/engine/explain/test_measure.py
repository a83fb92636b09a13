"""A formula as a function of what is counted, and what it divides by."""

from __future__ import annotations

import numpy as np
import pytest

from hailwhale_django.engine.domain.formula import parse
from hailwhale_django.engine.explain.measure import Measure


@pytest.mark.parametrize(
    ("formula", "denominator"),
    [
        ("orders/visits", "visits"),
        ("a/(b + c)", "b + c"),
        ("(a - b)/(2*c)", "2*c"),
        ("a/(b + b@_)", "b + b@_"),
        ("(a/b)/(c/d)", "c/d"),
        ("a/b/c", "c"),
    ],
)
def test_what_a_ratio_divides_by(formula: str, denominator: str) -> None:
    assert Measure(parse(formula)).denominator == parse(denominator)


@pytest.mark.parametrize(
    "formula",
    [
        *("orders/visits*100", "100*orders/visits", "100*(orders/visits)", "1 - orders/visits", "-(orders/visits)"),
        *("orders/visits/days", "days/orders/visits", "orders/visits/orders@_", "(1 - -orders/visits)*2 + days"),
    ],
)
def test_what_is_the_same_everywhere_does_not_hide_a_ratio(formula: str) -> None:
    assert Measure(parse(formula)).denominator == parse("visits")


@pytest.mark.parametrize(
    "formula",
    [
        *("visits", "a - b", "a*b", "2*a", "-a"),
        *("visits/days", "visits/visits@parent", "visits/orders@_"),  # the same for all
        *("1/visits", "days/visits", "1 - 1/visits"),  # no row has a ratio of its own
        *("a/b - c/d", "a/b + c", "a*(b/c)", "(a/b)*(c/d)"),  # more than a ratio
    ],
)
def test_what_is_no_ratio_divides_by_nothing(formula: str) -> None:
    assert Measure(parse(formula)).denominator is None


def test_the_value_of_rows() -> None:
    """Of 3/4 and 5/10 a day, in two; of nothing it is 0."""
    measure = Measure(parse("orders/visits/days"))
    own = np.array([[3.0, 5, 2], [4, 10, 0]])
    assert measure.value(own, np.array([2.0])).tolist() == [3 / 8, 1 / 4, 0]
