"""Arrays of one size for such places as need one, side by side in one large array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Numbers, Places, grown

NO_ROW = -1


class Rack:
    """Rows of zeros, until something else is put there."""

    __slots__ = ("_count", "_free", "_rows", "cells", "width")

    def __init__(self, width: int, kind: type[Any]) -> None:
        self.width = width
        self.cells = np.zeros(0, kind)
        self._rows = np.zeros(0, np.int32)  # by place, from 1; 0 is none
        self._count = 0
        self._free: list[int] = []

    def has(self, place: int) -> bool:
        return place < len(self._rows) and bool(self._rows[place])

    def places(self) -> list[int]:
        """All that have a row."""
        found: list[int] = np.flatnonzero(self._rows).tolist()
        return found

    def row(self, place: int) -> NDArray[Any]:
        """The row itself of a place that has one."""
        begin = (int(self._rows[place]) - 1) * self.width
        return self.cells[begin : begin + self.width]

    def rows(self, places: Places) -> Numbers:
        """The numbers of the rows of places; `NO_ROW` where there is none."""
        self._rows = grown(self._rows, int(places.max(initial=-1)) + 1)
        return self._rows[places].astype(np.int64) - 1

    def make_row(self, place: int) -> None:
        if not self._free:
            self._count += 1
            self._free.append(self._count)
            self.cells = grown(self.cells, self._count * self.width)
        self._rows = grown(self._rows, place + 1)
        self._rows[place] = self._free.pop()

    def clear(self, places: Places) -> None:
        """No such place has a row any more."""
        with_row = [place for place in places[places < len(self._rows)].tolist() if self._rows[place]]
        for place in with_row:
            self.row(place)[:] = 0
            self._free.append(int(self._rows[place]))
            self._rows[place] = 0
