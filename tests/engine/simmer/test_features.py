"""Feature hashing: Algebird's, and sums that no split changes."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.engine.simmer.features import FeatureHash


def test_the_readme() -> None:
    found = FeatureHash(4)
    assert found.present(found.prepare(["hello", "world", "temp:32"])) == (
        "0.0,0.0,-1.0,0.0,0.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,-32.0,0.0"
    )


@given(
    features=st.lists(st.tuples(st.sampled_from("abcdefgh"), st.floats(-1e300, 1e300)), min_size=1, max_size=30),
    cut=st.integers(0, 30),
)
def test_each_number_is_the_nearest_to_the_true_sum(features: list[tuple[str, float]], cut: int) -> None:
    found = FeatureHash(2)
    true = [Fraction()] * 4
    for token, weight in features:
        one = found.numbers(found.prepare([token]))
        place = next(place for place, number in enumerate(one) if number)
        true[place] += Fraction(weight) * int(one[place])
    values = [f"{token}:{weight!r}" for token, weight in features]
    state = found.prepare(values)
    if 0 < cut < len(values):
        state = found.merge(found.prepare(values[cut:]), found.prepare(values[:cut]))
    assert found.numbers(state) == [float(number) for number in true]


def test_dot_products_are_those_of_the_features_on_average() -> None:
    """Of 400 tokens of which two sets share 200, over 2^12 places: 200 with a standard deviation of 6.2."""
    found = FeatureHash(12)
    left = found.numbers(found.prepare([f"token {n}" for n in range(400)]))
    right = found.numbers(found.prepare([f"token {n}" for n in range(200, 600)]))
    assert sum(a * b for a, b in zip(left, right, strict=True)) == pytest.approx(200, abs=25)


def test_what_cancels_is_gone() -> None:
    found = FeatureHash()
    state = found.merge(found.prepare(["a:1", "b:0"]), found.prepare(["a:-1"]))
    assert state == {}
    assert found.load(found.dump(state)) == {}


def test_what_it_takes() -> None:
    found = FeatureHash(10)
    state = found.prepare([f"token {n}" for n in range(100_000)])
    assert len(found.dump(state)) <= 8 * 1024


@pytest.mark.parametrize("value", ["temp:", "temp:hot", "a:b:1", "a:nan"])
def test_a_weight_that_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="finite number"):
        FeatureHash(4).prepare([value])
