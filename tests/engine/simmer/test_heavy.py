"""Rankings, against a dictionary of everything: exact within the limits, within the stated error beyond them."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest

from hailwhale_django.engine.errors import InvalidInput, TooLarge
from hailwhale_django.engine.simmer import wire
from hailwhale_django.engine.simmer.heavy import KEPT_BYTES, Bottom, Ranked, Top
from hailwhale_django.engine.simmer.numbers import Avg, Count, Last, Max, Min, Sum
from hailwhale_django.engine.simmer.quantiles import Percentile
from hailwhale_django.engine.simmer.unique import Unique

README = ["a:1", "b:2", "a:2", "c:1", "d:3"]


def test_the_readme_in_any_order() -> None:
    for values in itertools.permutations(README):
        assert Top(3, Sum()).present(Top(3, Sum()).prepare(values)) == "a:3,d:3,b:2"
        assert Bottom(3, Sum()).present(Bottom(3, Sum()).prepare(values)) == "c:1,b:2,d:3"


def test_by_other_numbers() -> None:
    uniques = Top(2, Unique())
    assert uniques.present(uniques.prepare(["x:ann", "y:bob", "x:ann", "y:eve", "z:bob", "x:"])) == "x:2,y:2"
    averages = Bottom(1, Avg())
    assert averages.present(averages.prepare(["x:1", "x:4", "y:2.25"])) == "y:2.25"
    percentiles = Top(1, Percentile(100))
    assert percentiles.present(percentiles.prepare(["x:1", "y:2", "x:3"])) == "x:3.0000152587890625"


@pytest.mark.parametrize(
    ("inner", "value", "item", "rest"),
    [
        (Sum(), "https://example.com:8080/a:3", "https://example.com:8080/a", "3"),
        (Last(), "::1:1365187171:100", "::1", "1365187171:100"),
        (Unique(), "page:user:7", "page", "user:7"),
        (Sum(), ":1", "", "1"),
    ],
)
def test_where_an_item_ends(inner: Any, value: str, item: str, rest: str) -> None:
    assert Top(3, inner).split(value) == (item, rest)


@pytest.mark.parametrize(
    ("inner", "value"), [(Sum(), "a"), (Unique(), "a"), (Last(), "a:5"), (Sum(), "a:b"), (Sum(), "")]
)
def test_what_has_no_item_or_no_value_is_refused(inner: Any, value: str) -> None:
    with pytest.raises(InvalidInput, match=r"item:|finite number"):
        Top(3, inner).prepare([value])


def zipf(count: int, items: int, exponent: float, seed: int) -> list[tuple[str, float]]:
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, items + 1) ** exponent
    drawn = rng.choice(items, count, p=weights / weights.sum())
    return [
        (f"i{item}", amount) for item, amount in zip(drawn.tolist(), rng.integers(1, 9, count).tolist(), strict=True)
    ]


def merged(found: Top, values: list[str], parts: int) -> Ranked:
    states = [found.prepare(values[part::parts]) for part in range(parts)]
    while len(states) > 1:
        states.append(found.merge(states.pop(0), states.pop(0)))
    return states[0]


@pytest.mark.parametrize(("items", "exponent"), [(1000, 0.0), (5000, 1.1), (30_000, 0.8), (30_000, 0.0)])
@pytest.mark.parametrize("parts", [1, 40])
def test_sums_fall_short_by_no_more_than_stated(items: int, exponent: float, parts: int) -> None:
    drawn = zipf(60_000, items, exponent, items)
    true: Counter[str] = Counter()
    for item, amount in drawn:
        true[item] += amount
    found = Top(10, Sum())
    state = merged(found, [f"{item}:{amount}" for item, amount in drawn], parts)
    assert len(state.items) <= found.most_items
    assert (state.missed is None) == (len(true) <= 1000)
    missed = state.missed or 0
    assert missed <= true.total() / 501
    for item, amount in true.items():
        assert 0 <= amount - found.inner.measure(state.items.get(item, 0)) <= missed
    assert found.dump(found.load(found.dump(state))) == found.dump(state)
    if exponent > 1:
        expected = sorted(true, key=lambda item: (-true[item], item))[:10]
        assert [item for item, _ in found.in_order(state)[:10]] == expected


@pytest.mark.parametrize("parts", [1, 25])
def test_largest_and_smallest_are_exact_with_any_number_of_items(parts: int) -> None:
    drawn = zipf(40_000, 20_000, 0.3, 5)
    drawn = [(item, round(amount * (n % 977), 1)) for n, (item, amount) in enumerate(drawn)]
    by_item = defaultdict(list)
    for item, amount in drawn:
        by_item[item].append(amount)
    values = [f"{item}:{amount}" for item, amount in drawn]
    largest = sorted(by_item, key=lambda item: (-max(by_item[item]), item))[:10]
    smallest = sorted(by_item, key=lambda item: (-min(by_item[item]), item))[::-1][:10]
    top, bottom = Top(10, Max()), Bottom(10, Min())
    assert top.present(merged(top, values, parts)) == ",".join(f"{item}:{max(by_item[item])}" for item in largest)
    assert bottom.present(merged(bottom, values, parts)) == ",".join(
        f"{item}:{min(by_item[item])}" for item in smallest
    )


def test_what_was_let_go_is_told() -> None:
    found = Top(1, Avg())
    state = found.prepare([f"i{n}:{n}" for n in range(1001)])
    assert (len(state.items), state.missed) == (500, 500.0), "501 to 1,000 are kept"
    below = Bottom(1, Avg()).prepare([f"i{n}:{n}" for n in range(1001)])
    assert (len(below.items), below.missed) == (500, 500.0), "0 to 499 are kept"


def test_counts_may_be_ranked() -> None:
    found = Top(2, Count())
    assert found.present(found.prepare(["/a:x", "/b:y", "/a:z"])) == "/a:2,/b:1"


def test_sketches_share_the_room() -> None:
    """Four hundred items of up to 4 KiB each: the largest are kept."""
    found = Top(3, Unique())
    state = found.prepare([f"i{item}:{n}" for item in range(400) for n in range(0, 10 * (item + 1), 2)])
    sizes = sum(found.inner.size(seen) for seen in state.items.values())
    assert sizes <= 2 * KEPT_BYTES
    assert state.missed is not None
    assert {item for item, _ in found.in_order(state)[:3]} <= {f"i{item}" for item in range(350, 400)}


def test_one_item_is_kept_however_large() -> None:
    found = Top(3, Unique(20))
    parts = [found.prepare([f"{item}:{n}" for n in range(270_000)]) for item in "ab"]
    assert len(found.merge(*parts).items) == 1


@pytest.mark.parametrize("items", [[], ["a", "a"]])
def test_a_machine_value_has_each_item_once(items: list[str]) -> None:
    body = b"\0" + wire.whole(len(items)) + b"".join(wire.text(item) + b"\3\0\1\1" for item in items)
    with pytest.raises(InvalidInput, match="no items, or one of them twice"):
        Top(3, Sum()).load(body)


def test_an_item_that_is_too_long_is_refused() -> None:
    Top(3, Sum()).prepare(["x" * 4096 + ":1"])
    with pytest.raises(TooLarge, match="at most 4,096 characters, not 4,097"):
        Top(3, Sum()).prepare(["x" * 4097 + ":1"])
