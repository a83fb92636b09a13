"""Registers of many sketches of one size, side by side in one array."""

from __future__ import annotations

import numpy as np

from ..blocks import Flags, Places
from ..keys import grown
from ..unique import SLOT_BITS, Coupons, Registers


class Rack:
    """Each place that has registers has a row of them."""

    __slots__ = ("_bits", "_count", "_free", "_registers", "_rows")

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._rows = np.zeros(0, np.int32)  # by place, from 1; 0 is none
        self._registers: Registers = np.zeros(0, np.uint8)
        self._count = 0
        self._free: list[int] = []

    def has(self, place: int) -> bool:
        return place < len(self._rows) and bool(self._rows[place])

    def registers(self, place: int) -> Registers:
        return self._row(place).copy()

    def _row(self, place: int) -> Registers:
        row = int(self._rows[place]) - 1
        return self._registers[row << self._bits : (row + 1) << self._bits]

    def put(self, places: Places, coupons: Coupons) -> Flags:
        """Put coupons into the registers of their places; which of the places have none."""
        self._rows = grown(self._rows, int(places.max(initial=-1)) + 1)
        rows = self._rows[places].astype(np.int64) - 1
        there = np.flatnonzero(rows >= 0)
        coupons = coupons[there]
        slots = (coupons & np.uint32((1 << self._bits) - 1)).astype(np.int64)
        zeros = (coupons >> np.uint32(SLOT_BITS)).astype(np.uint8)
        np.maximum.at(self._registers, (rows[there] << self._bits) | slots, zeros)
        waiting: Flags = rows < 0
        return waiting

    def merge(self, place: int, registers: Registers) -> None:
        """Put registers together with those of a place, which has a row then."""
        if not self.has(place):
            self._make_row(place)
        row = self._row(place)
        np.maximum(row, registers, out=row)

    def _make_row(self, place: int) -> None:
        if not self._free:
            self._free.append(self._count + 1)
            self._count += 1
            self._registers = grown(self._registers, self._count << self._bits)
        self._rows = grown(self._rows, place + 1)
        self._rows[place] = self._free.pop()

    def clear(self, places: Places) -> None:
        taken = places[places < len(self._rows)]
        rows = self._rows[taken]
        for place in taken[rows > 0].tolist():
            self._row(place)[:] = 0
        self._free += rows[rows > 0].tolist()
        self._rows[taken] = 0
