"""Numbers of numbers, against fractions: every double nearest to the true value, whatever the order and the split."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.engine.simmer.aggregation import Numeric
from hailwhale_django.engine.simmer.numbers import Avg, Count, First, Last, Max, Min, Std, Sum, Var

DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
# Numbers that cancel, overflow on the way, or vanish beside each other.
AWKWARD = st.sampled_from([1e308, -1e308, 1.7e308, 5e-324, -5e-324, 0.1, -0.1, 1e16, 1.0, -0.0, 3.0, 2.0**-1022])
MANY = st.lists(DOUBLES | AWKWARD, min_size=1, max_size=40)


def nearest(true: Fraction) -> float:
    try:
        return float(true)
    except OverflowError:
        return math.inf if true > 0 else -math.inf


def variance(values: list[Fraction]) -> Fraction:
    mean = sum(values, Fraction()) / len(values)
    return sum(((value - mean) ** 2 for value in values), Fraction()) / len(values)


ORACLES: dict[type[Numeric], Callable[[list[Fraction]], Fraction]] = {
    Sum: lambda values: sum(values, Fraction()),
    Avg: lambda values: sum(values, Fraction()) / len(values),
    Var: variance,
    Min: min,
    Max: max,
}


@pytest.mark.parametrize("family", ORACLES)
@given(values=MANY, cut=st.integers(0, 40))
def test_what_is_told_is_the_double_nearest_to_the_true_value(family: type[Numeric], values: list[float], cut: int):
    aggregation = family()
    state = prepared_in_two(aggregation, list(map(repr, values)), cut)
    assert aggregation.measure(state) == nearest(ORACLES[family](list(map(Fraction, values))))


def prepared_in_two(aggregation: Numeric, values: list[str], cut: int):
    if not 0 < cut < len(values):
        return aggregation.prepare(values)
    return aggregation.merge(aggregation.prepare(values[cut:]), aggregation.prepare(values[:cut]))


@given(values=MANY)
def test_the_standard_deviation_is_the_root_of_the_true_variance(values: list[float]):
    told = Std().measure(Std().prepare(list(map(repr, values))))
    true = variance(list(map(Fraction, values)))
    # Doubles finer than the smallest normal one are rounded to 2^-1074.
    lowest, highest = Fraction(told) * (1 - Fraction(2, 2**52)), Fraction(told) * (1 + Fraction(2, 2**52))
    assert max(lowest - Fraction(2) ** -1074, 0) ** 2 <= true <= (highest + Fraction(2) ** -1074) ** 2


def test_the_readme() -> None:
    assert Sum().present(Sum().prepare(["1", "2", "3"])) == "6"
    assert Sum().plain(Sum().prepare(["1", "2"])) == "3"
    assert Min().present(Min().prepare(["3", "4", "3"])) == "3"
    assert Min().present(Min().prepare(["1", "2", "1"])) == "1"
    assert Max().present(Max().prepare(["1", "2", "2"])) == "2"


def test_by_hand() -> None:
    values = ["2", "4", "4", "4", "5", "5", "7", "9"]
    assert Std().present(Std().prepare(values)) == "2"
    assert Var().present(Var().prepare(values)) == "4"
    assert Avg().present(Avg().prepare(values)) == "5"
    assert Count().present(Count().prepare(values)) == "8"
    assert Std().measure(Std().prepare(["1", "2", "3"])) == statistics.pstdev([1, 2, 3])


def test_a_sum_whose_parts_cancel_is_not_lost() -> None:
    parts = [Sum().prepare([text]) for text in ("1e100", "1", "-1e100", "1e-100")]
    state = Sum().merge(Sum().merge(parts[0], parts[1]), Sum().merge(parts[2], parts[3]))
    assert Sum().present(state) == "1"
    assert Sum().plain(state) is None, "1 is not all of it"
    assert Sum().present(Sum().merge(state, Sum().prepare(["-1"]))) == "1e-100"


def test_a_sum_beyond_the_doubles_comes_back() -> None:
    huge = Sum().prepare(["1.7e308", "1.7e308"])
    assert (Sum().present(huge), Sum().plain(huge)) == ("inf", None)
    assert Sum().present(Sum().merge(huge, Sum().prepare(["-1.7e308"]))) == "1.7e+308"
    assert Std().present(Std().prepare(["1e200", "3e200"])) == "1e+200"


@pytest.mark.parametrize(
    ("value", "told"), [("0.1", "0.1"), ("-0", "0"), ("1e15", "1000000000000000"), ("1e16", "1e+16"), (" 7\r", "7")]
)
def test_how_numbers_are_written(value: str, told: str) -> None:
    assert Sum().present(Sum().prepare([value])) == told


@given(value=DOUBLES)
def test_a_plain_value_is_read_as_the_same_state(value: float) -> None:
    for aggregation in (Sum(), Min(), Max()):
        state = aggregation.prepare([repr(value)])
        plain = aggregation.plain(state)
        assert plain is not None
        assert aggregation.prepare([plain]) == state


@given(stamps=st.lists(st.tuples(st.integers(0, 9), st.integers(-9, 9)), min_size=1))
def test_first_and_last_go_by_the_timestamp_and_then_by_the_number(stamps: list[tuple[int, int]]) -> None:
    values = [f"{at}:{value}" for at, value in stamps]
    assert First().present(First().prepare(values)) == str(sorted(stamps)[0][1])
    assert Last().present(Last().prepare(values)) == str(sorted(stamps)[-1][1])


@pytest.mark.parametrize("value", ["", "x", "nan", "inf", "-inf", "1e999", "1_000", "1,5", "0x10"])
@pytest.mark.parametrize("aggregation", [Sum(), Min(), Max(), Avg(), Var(), Std()])
def test_what_is_no_number_is_refused(aggregation: Numeric, value: str) -> None:
    with pytest.raises(InvalidInput, match="finite number"):
        aggregation.prepare(["1", value])


@pytest.mark.parametrize("value", ["5", "x:5", "5:", "nan:5", "5:inf", "1:2:3"])
def test_what_has_no_timestamp_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match=r"timestamp:number|finite number"):
        First().prepare([value])
