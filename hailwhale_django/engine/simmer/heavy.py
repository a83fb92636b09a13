"""top, bot: the items with the largest or smallest number, by any aggregation that tells one.

A raw value is `item:value`. Where the inner value is a number, it is what follows the last colon (the last but one
before `timestamp:number`), so items may hold colons; where it may be any text (uv, count), the first colon ends the
item. Items are ranked by their number, largest first, and by name where that is equal; bot reads this order from its
end.

Guarantee: exact, and merging too, as long as no more than `most_items` items (1,000, or 20 k if that is more) came in
all and their states fit 1 MiB: then `missed` is None. When there are more, half of these are kept:

- `top` by sum or count: what the first one without a place has is taken from all (Misra and Gries 1982; mergeable:
  Agarwal et al. 2012). What is told is no more than the true sum, and less by at most `missed`, which is no more than
  the sum of everything divided by one more than the items kept (500, or 10 k): every item above that is there. With
  negative values it may also be more. Names that fill the room leave fewer items, and more missed.
- `top` by max, `bot` by min: exact still, as long as k items fit 512 KiB.
- any other: the last ranks are let go, and `missed` is the best number among them; an item that was let go begins anew.
  There is no bounded way to tell the smallest sums: `bot` by sum is of use within the limits only.

Memory: 1 MiB and one more batch or state. Dumped, some 20 bytes an item by sum, and its name.
Fails: what needs more than a share of the room (sketches of more than 512 KiB / k each) has fewer than k ranks to tell.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInput, TooLarge
from . import wire
from .aggregation import AS_IT_STANDS, Aggregation, Numeric
from .numbers import Count, Sum

LEAST_KEPT = 500
KEPT_BYTES = 512 << 10
# The entry of a dictionary, and the object that is the item's name.
ITEM_BYTES = 150
MOST_CHARACTERS = 4096

Item = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Ranked:
    """States of items by name; `missed` says how far they may be from the truth, and nothing while they are exact."""

    items: dict[str, Any]
    missed: float | None = None


@dataclass(frozen=True, slots=True)
class Top(Aggregation[Ranked]):
    k: int
    inner: Numeric[Any]

    @property
    def kind(self) -> str:
        return f"top{self.k}:{self.inner.kind}"

    @property
    def most_kept(self) -> int:
        return max(LEAST_KEPT, 10 * self.k)

    @property
    def most_items(self) -> int:
        return 2 * self.most_kept

    def prepare(self, values: Sequence[str]) -> Ranked:
        by_item: dict[str, list[str]] = {}
        for value in values:
            item, inner = self.split(value)
            by_item.setdefault(item, []).append(inner)
        return self._cut(Ranked({item: self.inner.prepare(found) for item, found in by_item.items()}))

    def split(self, value: str) -> tuple[str, str]:
        """A raw value's item, and the raw value that is its own."""
        columns = self.inner.columns
        item, *rest = value.rsplit(":", columns) if columns else value.split(":", 1)
        if len(rest) != max(columns, 1):
            raise InvalidInput("value", value, "give item:value" if columns < 2 else "give item:timestamp:number")
        if len(item) > MOST_CHARACTERS:
            raise TooLarge("item", item, f"it has at most {MOST_CHARACTERS:,} characters, not {len(item):,}")
        return item, ":".join(rest)

    def merge(self, left: Ranked, right: Ranked) -> Ranked:
        return self.merge_all([left, right])

    def merge_all(self, states: Sequence[Ranked]) -> Ranked:
        first, *others = states
        items = dict(first.items)
        for other in others:
            for item, state in other.items.items():
                items[item] = self.inner.merge(items[item], state) if item in items else state
        return self._cut(Ranked(items, self._missed([state.missed for state in states])))

    def present(self, state: Ranked, as_of: float = AS_IT_STANDS) -> str:
        first = self.in_order(state, as_of)[: self.k]
        return ",".join(f"{item}:{self.inner.present(found, as_of)}" for item, found in first)

    def pairs(self, state: Ranked, as_of: float = AS_IT_STANDS) -> list[tuple[Any, float]] | None:
        first = self.in_order(state, as_of)[: self.k]
        return [(item, self.inner.measure(found, as_of)) for item, found in first]

    def in_order(self, state: Ranked, as_of: float = AS_IT_STANDS) -> list[Item]:
        return sorted(state.items.items(), key=lambda item: (-self.inner.measure(item[1], as_of), item[0]))

    def _cut(self, state: Ranked) -> Ranked:
        if self.has_room(len(state.items), self._bytes(state.items.items())):
            return state
        # Of numbers that decay, those of one instant can be compared.
        as_of = max(map(self.inner.newest, state.items.values()))
        ranks = self.in_order(state, as_of)
        kept = self._with_a_place(ranks)
        if self._sums:
            return self._subtracted(ranks[:kept], ranks[kept][1], state.missed)
        missed = self._missed([state.missed, _finite(self.inner.measure(ranks[kept][1], as_of))])
        return Ranked(dict(ranks[:kept]), missed)

    def has_room(self, items: int, size: int) -> bool:
        """Whether so many items of so many bytes are kept as they are."""
        return items == 1 or (items <= self.most_items and size <= 2 * KEPT_BYTES)

    def _with_a_place(self, ranks: list[Item]) -> int:
        """How many of the first ranks are kept: at least one, and not all."""
        room = KEPT_BYTES
        for place, item in enumerate(ranks[: self.most_kept]):
            room -= self._bytes([item])
            if room < 0:
                return max(place, 1)
        return min(self.most_kept, len(ranks) - 1)

    def _subtracted(self, kept: list[Item], first_without: int, missed: float | None) -> Ranked:
        less = max(first_without, 0)
        items = {item: units - less for item, units in kept if units > less}
        return Ranked(items, self._missed([missed, _finite(self.inner.measure(less))]))

    @property
    def _sums(self) -> bool:
        return isinstance(self.inner, Sum | Count)

    def _missed(self, given: Iterable[float | None]) -> float | None:
        """What is missed of all: shortfalls of sums add up, and else the best of the numbers that were let go."""
        found = [missed for missed in given if missed is not None]
        if not found:
            return None
        return _finite(sum(found)) if self._sums else self._best(found)

    def _best(self, numbers: list[float]) -> float:
        return max(numbers)

    def _bytes(self, items: Iterable[Item]) -> int:
        return sum(ITEM_BYTES + len(item) + self.inner.size(state) for item, state in items)

    def dump(self, state: Ranked) -> bytes:
        missed = b"\0" if state.missed is None else b"\1" + wire.double(state.missed)
        bodies = ((item, self.inner.dump(found)) for item, found in sorted(state.items.items()))
        parts = (wire.text(item) + wire.whole(len(body)) + body for item, body in bodies)
        return missed + wire.whole(len(state.items)) + b"".join(parts)

    def load(self, body: bytes) -> Ranked:
        reader = wire.Reader(body)
        missed = reader.double() if reader.whole(1) else None
        count = reader.whole(self.most_items)
        items = dict(self._read(reader) for _ in range(count))
        reader.end()
        if not 0 < len(items) == count:
            raise reader.refused("it has no items, or one of them twice")
        return self._cut(Ranked(items, missed))

    def _read(self, reader: wire.Reader) -> Item:
        return reader.text(), self.inner.load(reader.bytes(reader.whole()))


@dataclass(frozen=True, slots=True)
class Bottom(Top):
    @property
    def kind(self) -> str:
        return f"bot{self.k}:{self.inner.kind}"

    def in_order(self, state: Ranked, as_of: float = AS_IT_STANDS) -> list[Item]:
        # Without arguments super() does not work in a class that has slots added to it.
        return Top.in_order(self, state, as_of)[::-1]

    @property
    def _sums(self) -> bool:
        return False

    def _best(self, numbers: list[float]) -> float:
        return min(numbers)


def _finite(number: float) -> float:
    return min(max(number, -sys.float_info.max), sys.float_info.max)
