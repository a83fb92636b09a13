"""What waits to be put at its places, until there is enough of it or a place is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Places, firsts, grown

Values = NDArray[Any]

# So many values are sorted by place at once.
ENOUGH = 1 << 18
# Putting so many at a place takes hardly longer than putting one. They take no more room than a settled state may.
MANY = 1 << 10

HALF, LOWER = np.uint64(32), np.uint64(0xFFFFFFFF)


class Pending:
    """Values with their places, as they came; then by place, while a place has not many."""

    __slots__ = ("_by_place", "_chunks", "_count", "_wanted")

    def __init__(self) -> None:
        self._chunks: list[tuple[Places, Values]] = []
        self._count = 0
        self._by_place: dict[int, list[Values]] = {}
        self._wanted = np.zeros(0, np.bool_)

    @property
    def is_enough(self) -> bool:
        return self._count >= ENOUGH

    def add(self, places: Places, values: Values) -> None:
        if len(places):
            self._chunks.append((places.astype(np.int32), values))
            self._count += len(places)

    def many(self) -> Iterator[tuple[int, Values]]:
        """Places that have many values, and these, which wait no more."""
        places, values = self._together()
        self._chunks, self._count = [], 0
        for place in self._sort(places, values):
            if sum(map(len, self._by_place[place])) >= MANY:
                yield place, np.concatenate(self._by_place.pop(place))

    def of(self, wanted: Places) -> Iterator[tuple[int, Values]]:
        """Such of the places as have any values, and these, which wait no more."""
        if self._count:
            places, values = self._together()
            self._wanted = grown(self._wanted, int(max(places.max(), wanted.max())) + 1)
            self._wanted[wanted] = True
            chosen = self._wanted[places]
            self._wanted[wanted] = False
            self._chunks, self._count = [(places[~chosen], values[~chosen])], int((~chosen).sum())
            list(self._sort(places[chosen], values[chosen]))
        for place in wanted.tolist():
            if place in self._by_place:
                yield place, np.concatenate(self._by_place.pop(place))

    def _sort(self, places: Places, values: Values) -> Iterator[int]:
        """Put values by their places, and tell these."""
        for place, found in _grouped(places, values):
            # What is a part of a large array would keep all of it.
            self._by_place.setdefault(place, []).append(found.copy())
            yield place

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
