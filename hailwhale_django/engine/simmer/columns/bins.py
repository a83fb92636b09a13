"""Counters of the cells that a key's numbers are likely to be in, so that most numbers need not wait to be tallied."""

from __future__ import annotations

import numpy as np

from ..arrays import Floats, Places, grown
from ..tally import Tally, cells_of
from .rack import NO_ROW, Rack

# As many cells of 1 % reach from a number to 26,000 times that.
WIDTH = 1024
MOST = 2**31 - 1
MOST_BEGUN = MOST // 4


class Bins:
    """Of a place that has any, counters of `WIDTH` cells from some cell on."""

    __slots__ = ("_first", "_rack", "_since")

    def __init__(self) -> None:
        self._rack = Rack(WIDTH, np.int32)
        self._first = np.zeros(0, np.int64)  # by place, its first cell
        self._since = 0  # how many were counted since all counters were 0

    @property
    def may_overflow(self) -> bool:
        """Whether a counter could, with another block; then all are to be taken."""
        return self._since > MOST // 2

    def begin_again(self) -> None:
        """All counters were taken."""
        self._since = 0

    def put(self, places: Places, values: Floats) -> Places:
        """Count such values as have a bin; which have none."""
        rows = self._rack.rows(places)
        there = np.flatnonzero(rows != NO_ROW)
        bins = cells_of(values[there])
        bins -= self._first[places[there]]
        # A negative one is a large one, too.
        inside = np.flatnonzero(bins.view(np.uint64) < WIDTH)
        if len(inside) < len(there):
            there, bins = there[inside], bins[inside]
        bins += rows[there] * WIDTH
        np.add.at(self._rack.cells, bins, np.ones(len(bins), np.int32))
        self._since += len(there)
        waiting = np.ones(len(places), np.bool_)
        waiting[there] = False
        return np.flatnonzero(waiting)

    def make(self, place: int, tally: Tally) -> bool:
        """Make bins of a tally and counters of its counts, if its cells are fine and near to each other enough."""
        begin, end = int(tally.keys[0]), int(tally.keys[-1])
        if tally.level or end - begin >= WIDTH or tally.total > MOST_BEGUN:
            return False
        self._rack.make_row(place)
        self._first = grown(self._first, place + 1)
        self._first[place] = (begin + end - WIDTH) // 2
        self._rack.row(place)[tally.keys - self._first[place]] = tally.counts
        return True

    def places(self) -> list[int]:
        return self._rack.places()

    def has(self, place: int) -> bool:
        return self._rack.has(place)

    def take(self, place: int) -> Tally | None:
        """What was counted at a place that has bins, if anything was. They are empty, then."""
        row = self._rack.row(place)
        cells = np.flatnonzero(row)
        if not len(cells):
            return None
        found = Tally(0, cells + self._first[place], row[cells].astype(np.int64))
        row[:] = 0
        return found

    def clear(self, places: Places) -> None:
        self._rack.clear(places)
