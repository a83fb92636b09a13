"""The laws of all aggregations: any order, split and tree of merges tells the same; what is dumped is loaded."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.engine.simmer.aggregation import Aggregation
from hailwhale_django.engine.simmer.envelope import as_text, from_text, seal, unseal
from tests.engine.simmer.samples import EXACT, RECIPES, aggregation, values_of

AS_OF = 1_000_086_400.0


def merged(found: Aggregation[Any], values: list[str], chance: random.Random) -> Any:
    """The state of values in any order, split anywhere, merged in any tree; some on the way are dumped and loaded."""
    values = chance.sample(values, len(values))
    states = []
    while values:
        size = chance.randint(1, len(values))
        states.append(found.prepare(values[:size]))
        values = values[size:]
    while len(states) > 1:
        left, right = (states.pop(chance.randrange(len(states))) for _ in "lr")
        state = found.merge(left, right)
        states.append(found.load(found.dump(state)) if chance.random() < 0.3 else state)
    return states[0]


@pytest.mark.parametrize("recipe", EXACT)
@settings(max_examples=50)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_any_order_split_and_tree_tells_the_same(recipe: str, data: st.DataObject, seed: int) -> None:
    found = aggregation(recipe)
    values = data.draw(st.lists(values_of(recipe), min_size=1, max_size=40))
    told = found.present(found.prepare(values), AS_OF)
    assert found.present(merged(found, values, random.Random(seed)), AS_OF) == told


@pytest.mark.parametrize("recipe", RECIPES)
@settings(max_examples=50)
@given(data=st.data())
def test_what_is_dumped_is_loaded(recipe: str, data: st.DataObject) -> None:
    found = aggregation(recipe)
    state = found.prepare(data.draw(st.lists(values_of(recipe), min_size=1, max_size=40)))
    dumped = found.dump(state)
    assert found.dump(found.load(dumped)) == dumped
    assert found.present(found.load(dumped), AS_OF) == found.present(state, AS_OF)
    assert found.dump(unseal(found, seal(found, state))) == dumped
    assert found.dump(from_text(found, as_text(found, state))) == dumped


@pytest.mark.parametrize("recipe", RECIPES)
@settings(max_examples=50)
@given(data=st.data())
def test_hostile_bytes_are_refused_or_are_a_state(recipe: str, data: st.DataObject) -> None:
    """Past the checksum, where only malice gets: bytes made up, or a few of them changed."""
    found = aggregation(recipe)
    dumped = found.dump(found.prepare(data.draw(st.lists(values_of(recipe), min_size=1, max_size=20))))
    body = data.draw(st.binary(max_size=200) | changed(dumped))
    try:
        state = found.load(body)
        again = found.merge(state, found.merge(state, found.load(dumped)))
        found.load(found.dump(again))
    except InvalidInput:
        return
    assert found.present(state, AS_OF)
    assert found.present(again, AS_OF)


def changed(dumped: bytes) -> st.SearchStrategy[bytes]:
    places = st.lists(st.tuples(st.integers(0, max(len(dumped) - 1, 0)), st.integers(0, 255)), max_size=4)
    return st.builds(_changed, st.just(dumped), places, st.integers(0, len(dumped)))


def _changed(dumped: bytes, places: list[tuple[int, int]], cut: int) -> bytes:
    found = bytearray(dumped)
    for place, byte in places:
        if found:
            found[place] = byte
    return bytes(found if places else found[:cut])
