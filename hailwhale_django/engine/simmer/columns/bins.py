"""Counters of the cells that a key's numbers are likely to be in, so that most numbers need not wait to be tallied."""

from __future__ import annotations

import numpy as np

from ..blocks import Flags, Places
from ..digits import Floats
from ..keys import grown
from ..tally import Tally, cells_of
from .rack import NO_ROW, Rack

# As many cells of 1 % reach from a number to 26,000 times that.
WIDTH = 1024
MOST = 2**31 - 1


class Bins:
    """Of a place that has any, counters of `WIDTH` cells from some cell on."""

    __slots__ = ("_first", "_rack", "_since")

    def __init__(self) -> None:
        self._rack = Rack(WIDTH, np.int32)
        self._first = np.zeros(0, np.int64)  # by place, its first cell
        self._since = 0  # how many were counted since all counters were 0

    def emptied(self) -> None:
        self._since = 0

    @property
    def are_full(self) -> bool:
        """Whether a counter could overflow with another block; then all are to be taken."""
        return self._since > MOST // 2

    def put(self, places: Places, values: Floats) -> Flags:
        """Count such values as have a bin; which have none."""
        rows = self._rack.rows(places)
        there = np.flatnonzero(rows != NO_ROW)
        bins = cells_of(values[there]) - self._first[places[there]]
        inside = (bins >= 0) & (bins < WIDTH)
        there = there[inside]
        np.add.at(self._rack.cells, rows[there] * WIDTH + bins[inside], np.ones(len(there), np.int32))
        self._since += len(there)
        waiting = np.ones(len(places), np.bool_)
        waiting[there] = False
        return waiting

    def make(self, place: int, tally: Tally) -> None:
        """Bins around the cells that a tally has, if they are fine enough and not too far apart."""
        if tally.level != 0 or self._rack.has(place):
            return
        begin, end = int(tally.keys[0]), int(tally.keys[-1])
        if end - begin < WIDTH:
            self._rack.make_row(place)
            self._first = grown(self._first, place + 1)
            self._first[place] = (begin + end - WIDTH) // 2

    def take(self, place: int) -> Tally | None:
        """What was counted at a place. Its counters are 0 again."""
        if not self._rack.has(place):
            return None
        row = self._rack.row(place)
        cells = np.flatnonzero(row)
        if not len(cells):
            return None
        found = Tally(0, cells + self._first[place], row[cells].astype(np.int64))
        row[:] = 0
        return found

    def clear(self, places: Places) -> None:
        self._rack.clear(places)
