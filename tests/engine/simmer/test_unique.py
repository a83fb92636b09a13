"""Unique values: exact while few, within the stated error when many, and the same to Apache DataSketches."""

from __future__ import annotations

import math
from collections.abc import Callable

import datasketches
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.engine.simmer.exchange import from_datasketches, to_datasketches
from hailwhale_django.engine.simmer.unique import Unique, coupons_of, holds_registers

KINDS: dict[str, Callable[[int], str]] = {
    "numbers": str,
    "addresses": lambda n: f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}",
    "urls": lambda n: f"https://example.com/products/{n:08}?utm_source=newsletter",
    "undecodable": lambda n: n.to_bytes(4, "big").decode("utf-8", "surrogateescape"),
}
COUNTS = [0, 1, 2, 7, 8, 24, 25, 47, 48, 96, 97, 300, 384, 385, 1024, 1025, 5000]


def some(kind: str, count: int, begin: int = 0) -> list[str]:
    return [KINDS[kind](n) for n in range(begin, begin + count)]


def test_the_readme() -> None:
    assert Unique().present(Unique().prepare(["a", "b", "a"])) == "2"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 2, 300, 1024])
def test_few_are_counted_exactly(kind: str, count: int) -> None:
    found = Unique(12)
    assert found.present(found.prepare(some(kind, count) * 2)) == str(count)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("bits", "count"), [(4, 10), (4, 1000), (8, 100), (8, 700), (8, 4000), (12, 1100), (12, 9000)])
def test_many_are_within_the_stated_error(kind: str, bits: int, count: int) -> None:
    """Forty sets: their root mean square error is known to a ninth, so 1.5 times the stated one is five such away."""
    found, trials = Unique(bits), 40 if bits < 12 else 10
    tolerance = 1.5 if bits < 12 else 2.1
    errors = [
        found.measure(found.prepare(some(kind, count, begin))) / count - 1 for begin in range(0, trials * count, count)
    ]
    stated = 1.04 / math.sqrt(1 << bits)
    assert math.sqrt(sum(error**2 for error in errors) / trials) <= tolerance * stated
    assert max(map(abs, errors)) <= 5 * stated


@given(sets=st.lists(st.sets(st.integers(0, 300), min_size=1), min_size=2, max_size=6))
def test_a_union_is_what_one_pass_gives(sets: list[set[int]]) -> None:
    found = Unique(8)  # 64 coupons, then registers
    union = found.prepare(list(map(str, sets[0])))
    for part in sets[1:]:
        union = found.merge(found.prepare(list(map(str, part))), union)
    whole = found.prepare([str(n) for part in sets for n in part])
    assert union.dtype == whole.dtype
    assert (union == whole).all()


def test_what_it_takes() -> None:
    found = Unique(12)
    assert len(found.dump(found.prepare(["a"]))) == 1 + 4
    assert len(found.dump(found.prepare(some("numbers", 1024)))) == 1 + 4 * 1024
    assert len(found.dump(found.prepare(some("numbers", 100_000)))) == 4096 + 1


@pytest.mark.parametrize("bits", [4, 7, 8, 12, 16])
@pytest.mark.parametrize("count", COUNTS[1:])
def test_datasketches_sees_the_same_values(bits: int, count: int) -> None:
    values = some("urls", count)
    theirs = datasketches.hll_sketch(bits, datasketches.HLL_8)
    for value in values:
        theirs.update(value)
    found = Unique(bits)
    ours = found.prepare(values)
    aggregation, taken = from_datasketches(theirs.serialize_compact())
    assert aggregation == found
    assert (found.registers(taken) == found.registers(ours)).all()
    given = datasketches.hll_sketch.deserialize(to_datasketches(found, ours))
    again = datasketches.hll_union(bits)
    again.update(given)
    again.update(theirs)
    assert again.get_estimate() == given.get_estimate(), "counting them twice adds nothing"
    assert given.get_estimate() == pytest.approx(theirs.get_estimate(), rel=5 * 1.04 / math.sqrt(1 << bits))


def test_what_datasketches_merged_is_taken() -> None:
    union = datasketches.hll_union(12)
    for begin in range(0, 20_000, 4_000):
        part = Unique(12).prepare(some("addresses", 5_000, begin))
        union.update(datasketches.hll_sketch.deserialize(to_datasketches(Unique(12), part)))
    _, taken = from_datasketches(union.get_result(datasketches.HLL_8).serialize_compact())
    assert (taken == Unique(12).prepare(some("addresses", 21_000))).all()


@pytest.mark.parametrize(
    ("sketch", "message"),
    [
        (datasketches.hll_sketch(12, datasketches.HLL_8).serialize_compact(), "empty"),
        (b"", "ends early"),
        (bytes(40), "no serialized HLL sketch"),
        (datasketches.kll_doubles_sketch(200).serialize(), "no serialized HLL sketch"),
    ],
)
def test_what_is_no_sketch_is_refused(sketch: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        from_datasketches(sketch)


def test_packed_registers_are_refused() -> None:
    sketch = datasketches.hll_sketch(8, datasketches.HLL_4)
    for n in range(1000):
        sketch.update(str(n))
    with pytest.raises(InvalidInput, match="convert it to type HLL_8"):
        from_datasketches(sketch.serialize_compact())


@given(changes=st.lists(st.tuples(st.integers(0, 1063), st.integers(0, 255)), max_size=3), cut=st.integers(0, 1064))
def test_a_hostile_sketch_is_refused_or_is_one(changes: list[tuple[int, int]], cut: int) -> None:
    sketch = bytearray(to_datasketches(Unique(10), Unique(10).prepare(some("numbers", 5000))))
    for place, byte in changes:
        sketch[place] = byte
    try:
        aggregation, state = from_datasketches(bytes(sketch[:cut] if cut % 2 else sketch))
    except InvalidInput:
        return
    assert aggregation.measure(state) >= 1


def test_coupons_have_the_zeros_that_the_other_half_of_a_hash_begins_with() -> None:
    halves = sorted({min(2**place + more, 2**64 - 1) for place in range(64) for more in (-1, 0, 1)} | {2**63 - 2**9})
    zeros = [min(64 - half.bit_length(), 62) for half in halves]
    found = coupons_of(np.full(len(halves), 2**40 + 5, np.uint64), np.array(halves, np.uint64))
    assert found.tolist() == [(zero + 1) * 2**26 + 5 for zero in zeros]


def test_registers_are_the_largest_numbers_of_zeros() -> None:
    found = Unique(4)
    state = found.prepare(some("numbers", 50))
    assert holds_registers(state)
    by_hand = np.zeros(16, int)
    for value in some("numbers", 50):
        coupon = int(found.prepare([value])[0])
        by_hand[coupon % 16] = max(by_hand[coupon % 16], coupon >> 26)
    assert state.tolist() == by_hand.tolist()
