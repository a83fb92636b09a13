"""How paths relate, by hand and by the events that are on them."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.paths import ROOT, Path
from hailwhale_django.engine.explain.region import Region

Names = tuple[str, ...]
Event = tuple[Names, Names, Names]
"""The names that an event has in each of three dimensions."""

DIMENSIONS = ["country", "device", "page"]
VALUES: list[Names] = [(), *product("ab"), *product("ab", "ab")]
EVENTS: list[Event] = list(product(VALUES, repeat=3))


def region(text: str) -> Region:
    return Region(Path.parse(text))


def has(told: dict[str, Names], event: Event) -> bool:
    by_name = dict(zip(DIMENSIONS, event, strict=True))
    return all(by_name[dimension][: len(names)] == names for dimension, names in told.items())


def events(told: dict[str, Names]) -> set[Event]:
    return {event for event in EVENTS if has(told, event)}


def written(told: dict[str, Names]) -> Region:
    """As its path is stored, dimensions in the order in which they are given."""
    first, *others = told.items()
    names = [first[0], *first[1]]
    for dimension, below in others:
        names += [f"×{dimension}", *below]
    return Region(Path(names))


drawn = st.dictionaries(st.sampled_from(DIMENSIONS), st.sampled_from(VALUES[1:]), min_size=1, max_size=3)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("country", {"country": ()}),
        ("country/US", {"country": ("US",)}),
        ("country/US/CA", {"country": ("US", "CA")}),
        ("country/US/×device", {"country": ("US",), "device": ()}),
        ("country/US/×device/mobile/tall", {"country": ("US",), "device": ("mobile", "tall")}),
        ("a/1/×b/2/×c/3", {"a": ("1",), "b": ("2",), "c": ("3",)}),
        ("_", {}),
        ("×odd/x", {"×odd": ("x",)}),
    ],
)
def test_what_the_events_of_a_path_have_in_common(text: str, values: dict[str, Names]) -> None:
    assert region(text).values == values


def test_a_region_is_the_same_however_it_is_written() -> None:
    one, other = region("country/US/×device/mobile"), region("device/mobile/×country/US")
    assert one != other
    assert one.key == other.key
    assert one.holds(other) and other.holds(one)
    assert one.key != region("country/US/×device/desktop").key


def test_child_counters_are_values_of_their_own() -> None:
    one, two = Region(Path(("1",)), counters=True), Region(Path(("2",)), counters=True)
    assert one.key != region("1").key
    assert one.is_apart_from(two)
    assert not one.is_apart_from(region("country/US"))
    assert not one.holds(region("country/US"))


def test_what_two_tell() -> None:
    one, other = region("country/US/CA"), region("country/US/×device/mobile")
    assert one.common(other) == region("country/US").key
    assert one.common(region("device/mobile")) == frozenset()
    assert one.both(other) == region("country/US/CA/×device/mobile").key


def test_two_that_are_apart_have_in_common_what_both_tell() -> None:
    one, other = region("country/US/CA"), region("country/DE")
    assert one.common(other) == other.common(one) == frozenset()
    assert one.common(region("country/US/NY")) == region("country/US").key


def test_the_whole_holds_everything() -> None:
    whole = Region(ROOT)
    assert whole.key == frozenset()
    assert whole.holds(region("country/US"))
    assert not region("country/US").holds(whole)
    assert not whole.is_apart_from(region("country/US"))


@given(drawn)
def test_what_is_written_is_read(told: dict[str, Names]) -> None:
    assert written(told).values == told


@given(drawn, drawn)
def test_one_holds_another_where_all_its_events_do(one: dict[str, Names], other: dict[str, Names]) -> None:
    assert written(one).holds(written(other)) == (events(one) >= events(other))


@given(drawn, drawn)
def test_two_are_apart_where_no_event_is_of_both(one: dict[str, Names], other: dict[str, Names]) -> None:
    assert written(one).is_apart_from(written(other)) == events(one).isdisjoint(events(other))


@given(drawn, drawn)
def test_the_events_of_both(one: dict[str, Names], other: dict[str, Names]) -> None:
    first, second = written(one), written(other)
    if not first.is_apart_from(second):
        assert events(dict(first.both(second))) == events(one) & events(other)
        assert first.both(second) == second.both(first)


@given(drawn, drawn)
def test_what_is_common_holds_both_and_is_the_same_either_way(one: dict[str, Names], other: dict[str, Names]) -> None:
    first, second = written(one), written(other)
    common = first.common(second)
    assert common == second.common(first)
    assert events(dict(common)) >= events(one) | events(other)
    assert (common == first.key) == first.holds(second)
