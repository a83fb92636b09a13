"""What waits to be put at its places, until there is enough of it or a place is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Places, firsts, grown

Values = NDArray[Any]

# Putting many values at a place takes hardly longer than putting one.
ENOUGH = 1 << 19

HALF, LOWER = np.uint64(32), np.uint64(0xFFFFFFFF)


class Pending:
    """Values with their places, in any order. Of 32 bits, they come out in order."""

    __slots__ = ("_chunks", "_count", "_wanted")

    def __init__(self) -> None:
        self._chunks: list[tuple[Places, Values]] = []
        self._count = 0
        self._wanted = np.zeros(0, np.bool_)

    def __len__(self) -> int:
        return self._count

    @property
    def is_enough(self) -> bool:
        return self._count >= ENOUGH

    def add(self, places: Places, values: Values) -> None:
        if len(places):
            self._chunks.append((places.astype(np.int32), values))
            self._count += len(places)

    def all(self) -> Iterator[tuple[int, Values]]:
        """Each place and its values. Nothing waits, then."""
        places, values = self._together()
        self._chunks, self._count = [], 0
        yield from _grouped(places, values)

    def of(self, wanted: Places) -> Iterator[tuple[int, Values]]:
        """Such of the places as values wait for, and these."""
        if not self._count:
            return
        places, values = self._together()
        self._wanted = grown(self._wanted, int(max(places.max(), wanted.max())) + 1)
        self._wanted[wanted] = True
        chosen = self._wanted[places]
        self._wanted[wanted] = False
        rest = ~chosen
        self._chunks, self._count = [(places[rest], values[rest])], int(rest.sum())
        yield from _grouped(places[chosen], values[chosen])

    def _together(self) -> tuple[Places, Values]:
        if len(self._chunks) == 1:
            return self._chunks[0]
        places, values = zip(*self._chunks, strict=True)
        return np.concatenate(places), np.concatenate(values)


def _grouped(places: Places, values: Values) -> Iterator[tuple[int, Values]]:
    if len(places) == 0:
        return
    # To sort whole numbers is much faster than to find the order of anything else.
    upper = places.astype(np.uint64) << HALF
    if values.dtype == np.uint32:
        order = np.sort(upper | values)
        values = (order & LOWER).astype(np.uint32)
    else:
        order = np.sort(upper | np.arange(len(places), dtype=np.uint64))
        values = values[order & LOWER]
    in_order = order >> HALF
    begins = firsts(in_order)
    ends = np.append(begins[1:], len(in_order))
    for place, begin, end in zip(in_order[begins].tolist(), begins.tolist(), ends.tolist(), strict=True):
        yield place, values[begin:end]
