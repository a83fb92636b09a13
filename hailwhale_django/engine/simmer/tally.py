"""How often values came, in bounded memory: what percentiles and histograms are told from.

Up to 512 different values are kept as they are, with how often each came. Then values are counted in cells whose edges
are 1.01 apart, beginning at 2^-16 on either side of zero; and when more than 2,048 cells are taken, each two neighbours
become one (as in UDDSketch: Epicoco et al. 2020), as often as it takes. How coarse it is depends on the values alone,
never on how they came together, so merging is exact.

Guarantee: the upper edge of a value's cell is no less than the value x, and exceeds it by at most 2^-16 while values
are kept as they are; then by at most (g - 1) |x| + 2^-15, with g = 1.01 for cells as they begin, squared each time two
become one. Those 2,048 cells of 1 % hold values of which the largest is 700 million times the smallest.
Memory: 16 bytes a value or cell, so at most 8 KiB or 32 KiB; dumped some 3 to 9 bytes each.
Fails: values that span more get coarser cells, all of them; the whole range of doubles, g = 3.6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TooLarge
from . import wire
from .aggregation import Aggregation
from .arrays import Floats, counted, firsts
from .figures import number, numbers

MOST_VALUES = 512
MOST_CELLS = 2048
MOST_COUNTED = 2**62

SMALLEST_EDGE = 2.0**-16
GROWTH = 1.01
LARGEST = np.finfo(np.float64).max
LAST_EDGE = math.ceil((math.log(LARGEST) - math.log(SMALLEST_EDGE)) / math.log(GROWTH))

AS_THEY_ARE = -1
"""The level of values that are kept as they are. Level 0 has cells, and each further level half as many."""
COARSEST = 8
# What the body of values that are kept as they are begins with.
VALUES = wire.whole(AS_THEY_ARE + 1)

# Beyond this, doubles lie further apart than a cell of the README's 2^-16 is wide.
LARGEST_FINE = 2.0**36

Keys = NDArray[Any]
"""Values at the level of values, else cells (whole numbers)."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How often values or cells were seen; both [place], `keys` in order and each once.

    Cell 0 is around zero, with 2^-16 as its upper edge; cells count upward from there, and downward below.
    """

    level: int
    keys: Keys
    counts: wire.Wholes

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    def at_level(self, level: int) -> Tally:
        """The same values in the cells of a level that is no finer than its own."""
        if level == self.level:
            return self
        keys = cells_of(self.keys) if self.level == AS_THEY_ARE else self.keys
        for _ in range(max(self.level, 0), level):
            keys = (keys + 1) >> 1
        return _in_order(level, keys, self.counts)

    def kept(self) -> Tally:
        """At the finest level at which there is room for all its keys."""
        found = self
        while len(found.keys) > (MOST_VALUES if found.level == AS_THEY_ARE else MOST_CELLS):
            found = found.at_level(found.level + 1)
        return found

    def upper_edges(self) -> Floats:
        """What values of each key do not exceed."""
        if self.level != AS_THEY_ARE:
            return edges_of(self.keys << self.level)
        fine = (np.floor(np.clip(self.keys, -LARGEST_FINE, LARGEST_FINE) * 65536) + 1) / 65536
        edges: Floats = np.where(np.abs(self.keys) < LARGEST_FINE, fine, self.keys)
        return edges

    def at_percent(self, percent: int) -> Tally:
        """Only the key of the value of nearest rank."""
        up_to = self.counts.cumsum()
        place = int(up_to.searchsorted(max(1, -(-int(up_to[-1]) * percent // 100))))
        return Tally(self.level, self.keys[place : place + 1], self.counts[place : place + 1])


def tally(values: Floats) -> Tally:
    """How often such values came."""
    # Adding 0 makes -0 the 0 that it equals.
    return Tally(AS_THEY_ARE, *counted(values + 0.0)).kept()


def merged(*states: Tally) -> Tally:
    level = max(state.level for state in states)
    states = tuple(state.at_level(level) for state in states)
    keys = np.concatenate([state.keys for state in states])
    return _tallied(level, keys, np.concatenate([state.counts for state in states])).kept()


def _tallied(level: int, keys: Keys, counts: wire.Wholes) -> Tally:
    order = np.argsort(keys, kind="stable")
    return _in_order(level, keys[order], counts[order])


def _in_order(level: int, keys: Keys, counts: wire.Wholes) -> Tally:
    """Of keys in order, which may come again."""
    first = firsts(keys)
    return Tally(level, keys[first], np.add.reduceat(counts, first))


@lru_cache(maxsize=1)
def edges() -> Floats:
    """The upper edges of cells 0, 1, 2 ... up to the largest double."""
    # In two halves, since the whole power would leave what doubles hold before the edge does.
    half: Floats = np.power(GROWTH, np.arange(LAST_EDGE + 1) / 2)
    with np.errstate(over="ignore"):
        return np.clip(SMALLEST_EDGE * half * half, 0, LARGEST)


def cells_of(values: Floats) -> wire.Wholes:
    """Cells of level 0, upper edge included. Downward the edges are the same, so there it is the one nearer to zero."""
    sizes = np.abs(values)
    # The logarithm is wrong by much less than a millionth of a cell: the right cell is the one below, or the next.
    near = np.log(np.maximum(sizes, SMALLEST_EDGE))
    near *= 1 / math.log(GROWTH)
    near += 1e-6 - math.log(SMALLEST_EDGE) / math.log(GROWTH)
    cells = near.astype(np.int64)
    edge = edges().take(cells)
    positive = values > 0
    if positive.all():
        cells += edge < sizes
        return cells
    # The last edge is nearer to the one before, since no double is beyond it; so it may be on the way, too.
    return np.where(positive, cells + (edge < sizes), -cells - (edge <= sizes) - (sizes == LARGEST))


def edges_of(cells: wire.Wholes) -> Floats:
    """The upper edges of cells of level 0."""
    places = np.minimum(np.where(cells < 0, -cells - 1, cells), LAST_EDGE)
    found: Floats = np.where(cells < 0, -edges()[places], edges()[places])
    return found


class Tallied(Aggregation[Tally]):
    """What is told from a tally. One state answers all such questions, so they are of one kind."""

    __slots__ = ()

    kind = "pct"

    def prepare(self, values: Sequence[str]) -> Tally:
        return self.gather(self.digest(values))

    def check(self, value: str) -> None:
        number(value)

    def digest(self, values: Sequence[str]) -> Floats:
        return np.array(numbers(values))

    def gather(self, digested: Floats) -> Tally:
        return tally(digested)

    def merge(self, left: Tally, right: Tally) -> Tally:
        return self.merge_all([left, right])

    def merge_all(self, states: Sequence[Tally]) -> Tally:
        if len(states) == 1:
            return states[0]
        total = sum(state.total for state in states)
        if total > MOST_COUNTED:
            raise TooLarge("value", total, f"at most {MOST_COUNTED:,} values have percentiles")
        return merged(*states)

    def load_all(self, groups: Sequence[Sequence[bytes]]) -> list[Tally | None]:
        """As of any aggregation; values that are kept as they are, are put in order once for each group."""
        return [self._loaded(bodies) if bodies else None for bodies in groups]

    def _loaded(self, bodies: Sequence[bytes]) -> Tally:
        values = [body for body in bodies if body[:1] == VALUES]
        states = [self.load(body) for body in bodies if body[:1] != VALUES]
        return self.merge_all([*states, _together(values)] if values else states)

    def dump(self, state: Tally) -> bytes:
        if state.level == AS_THEY_ARE:
            keys = wire.whole(len(state.keys)) + state.keys.astype("<f8").tobytes()
        else:
            keys = wire.ascending(state.keys.astype(np.int64) + LAST_EDGE + 1)
        return wire.whole(state.level + 1) + keys + wire.array(state.counts)

    def load(self, body: bytes) -> Tally:
        reader = wire.Reader(body)
        level = reader.whole(COARSEST + 1) - 1
        keys = _read_values(reader) if level == AS_THEY_ARE else _read_cells(reader)
        counts = reader.array()
        reader.end()
        if not 0 < len(keys) == len(counts) or counts.min() < 1 or counts.sum(dtype=np.float64) > MOST_COUNTED:
            raise reader.refused("values and how often they came do not go together")
        return Tally(level, keys, counts)


def _together(bodies: Sequence[bytes]) -> Tally:
    parts = [_values_and_counts(body) for body in bodies]
    keys = np.concatenate([keys for keys, _ in parts])
    counts = np.concatenate([counts for _, counts in parts]).astype(np.int64)
    if not np.isfinite(keys).all() or counts.min() < 1 or counts.sum(dtype=np.float64) > MOST_COUNTED:
        raise wire.malformed(bodies[0], "values and how often they came do not go together")
    return _tallied(AS_THEY_ARE, keys, counts).kept()


def _values_and_counts(body: bytes) -> tuple[Floats, NDArray[Any]]:
    """The arrays of a body of values, which are not looked at."""
    reader = wire.Reader(body)
    reader.bytes(1)
    count = reader.whole(MOST_VALUES)
    keys = np.frombuffer(reader.bytes(8 * count), "<f8")
    width = reader.bytes(1)[0] if reader.whole(MOST_VALUES) == count > 0 else 0
    if reader.left != width * count or width not in wire.WIDTHS:
        raise reader.refused("values and how often they came do not go together")
    return keys, np.frombuffer(reader.bytes(reader.left), f"<u{width}")


def _read_values(reader: wire.Reader) -> Floats:
    values = reader.doubles(reader.whole(MOST_VALUES))
    if (values[1:] <= values[:-1]).any():
        raise reader.refused("its values are not in order")
    return values


def _read_cells(reader: wire.Reader) -> wire.Wholes:
    cells = reader.ascending(2 * LAST_EDGE + 2) - (LAST_EDGE + 1)
    if len(cells) > MOST_CELLS:
        raise reader.refused(f"it has at most {MOST_CELLS:,} cells")
    return cells
