"""What must not get worse."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hailwhale_django.engine.decide.evidence import Floats
from hailwhale_django.engine.decide.guardrails import Guarded, Guardrail, guarded
from hailwhale_django.engine.errors import InvalidInput
from tests.engine.decide.worlds import by_day, sums_of

RETURNS = Guardrail("returns/sales", minimize=True, tolerated=0.1)


def returned(returns: int, sales: int) -> Floats:
    return sums_of(np.repeat([1.0, 0], [returns, sales - returns]), np.ones(sales))


def of(a: Floats, b: Floats, guardrail: Guardrail = RETURNS) -> Guarded:
    [found] = guarded(guardrail, ["a", "b"], np.stack([a, b]))
    return found


@pytest.mark.parametrize(
    ("returns", "state", "proven"),
    [
        (10_000, "fine", True),
        (9_000, "fine", True),
        (10_900, "worsening", False),
        (13_000, "broken", False),
    ],
)
def test_states(returns: int, state: str, proven: bool) -> None:
    found = of(returned(10_000, 50_000), returned(returns, 50_000))
    assert (found.state, found.proven) == (state, proven)


def test_a_rise_is_no_worsening_of_what_should_rise() -> None:
    speed = Guardrail("pages/visits", tolerated=0.02)
    assert of(returned(10_000, 50_000), returned(13_000, 50_000), speed).state == "fine"
    assert of(returned(13_000, 50_000), returned(10_000, 50_000), speed).state == "broken"


def test_words() -> None:
    a = returned(10_000, 50_000)
    assert of(a, returned(13_000, 50_000)).words == (
        "returns/sales: b is 30.0% worse than a, more than the 10.0% tolerated."
    )
    assert of(a, returned(10_900, 50_000)).words == "returns/sales: b is 9.0% worse than a."
    assert of(a, returned(9_900, 50_000)).words == "returns/sales: b is no worse than a, or by no more than 10.0%."
    unsure = of(returned(100, 500), returned(100, 500))
    assert unsure.words == (
        f"returns/sales: nothing is seen to be wrong with b; it may be up to {unsure.worsening.upper:.1%} worse."
    )
    assert of(returned(1, 2), returned(2, 2)).words == "returns/sales: too few results of b and a to tell."


def test_what_cannot_be_told_is_not_called_broken() -> None:
    found = of(returned(0, 9), returned(9, 9))
    assert (found.state, found.proven, found.worsening.upper) == ("fine", False, math.inf)


def test_who_looks_daily_is_seldom_alarmed_for_nothing() -> None:
    """40 years of weekly looks at two options that are the same."""
    rng = np.random.default_rng(1)
    years = np.stack([by_day(rng, "clicks per view", 40, 60) for _ in "ab"], axis=2)
    alarms = sum(
        any(guarded(Guardrail("x"), "ab", year[day])[0].state != "fine" for day in range(0, 365, 7)) for year in years
    )
    assert alarms <= 4


def test_each_option_but_the_control() -> None:
    sums = np.stack([returned(100, 500)] * 3)
    assert [(one.option, one.against) for one in guarded(RETURNS, "abc", sums, control=1)] == [("a", "b"), ("c", "b")]


@pytest.mark.parametrize("tolerated", [-0.1, math.inf, math.nan])
def test_tolerance_is_a_share(tolerated: float) -> None:
    with pytest.raises(InvalidInput, match="tolerated"):
        Guardrail("x", tolerated=tolerated)
