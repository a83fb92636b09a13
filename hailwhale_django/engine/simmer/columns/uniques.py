"""The column of uv: registers side by side in one array; coupons wait until there are many."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..aggregation import Aggregation
from ..arrays import EVERY, Flags, Index, Places, different, distinct, grown
from ..hashing import MOST_BYTES
from ..unique import SLOT_BITS, Coupons, Registers, Seen, Unique, coupons_of, holds_registers
from .column import Aggregations, Column, Listed, Portion, States
from .hashes import hashes_of
from .marks import are_marked
from .pending import Pending
from .rack import NO_ROW, Rack

NO_COUPONS = np.zeros(0, np.uint32)


class Uniques(Column):
    """A place has either registers, in the rack of its number of bits, or coupons, settled and waiting ones."""

    __slots__ = ("_bits", "_coupons", "_pending", "_racks")

    def __init__(self) -> None:
        self._bits = np.zeros(0, np.int8)
        self._coupons: dict[int, Coupons] = {}
        self._racks: dict[int, Rack] = {}
        self._pending = Pending()

    def read(self, portion: Portion) -> tuple[Coupons, Flags]:
        values = portion.values
        odd = are_marked(values) | (values.length > MOST_BYTES)
        return coupons_of(*hashes_of(values)), odd

    def put(self, places: Places, portion: Portion, read: Coupons, which: Index) -> None:
        coupons, recipes = read[which], portion.recipes[which]
        self._bits = grown(self._bits, int(places.max(initial=0)) + 1)
        numbers = different(recipes)
        for recipe in numbers:
            unique = portion.aggregations[recipe]
            assert isinstance(unique, Unique)
            chosen = recipes == recipe if len(numbers) > 1 else EVERY
            self._put(unique.bits, places[chosen], coupons[chosen])
        if self._pending.is_enough:
            for place, found in self._pending.many():
                self._settle(place, found)

    def _put(self, bits: int, places: Places, coupons: Coupons) -> None:
        rack = self._rack(bits)
        rows = rack.rows(places)
        there = np.flatnonzero(rows != NO_ROW)
        found = coupons[there]
        registers = rows[there] * rack.width
        registers += found & np.uint32(rack.width - 1)
        np.maximum.at(rack.cells, registers, (found >> np.uint32(SLOT_BITS)).astype(np.uint8))
        waiting = np.flatnonzero(rows == NO_ROW)
        self._bits[places[waiting]] = bits
        self._pending.add(places[waiting], coupons[waiting])

    def _rack(self, bits: int) -> Rack:
        if bits not in self._racks:
            self._racks[bits] = Rack(1 << bits, np.uint8)
        return self._racks[bits]

    def _settle(self, place: int, found: Coupons) -> None:
        unique, before = Unique(int(self._bits[place])), self._coupons.get(place)
        together = distinct(found if before is None else np.concatenate((before, found)))
        if len(together) > unique.most_coupons or self._rack(unique.bits).has(place):
            self._merge_registers(place, unique.registers(together))
            self._coupons.pop(place, None)
        else:
            self._coupons[place] = together

    def _merge_registers(self, place: int, registers: Registers) -> None:
        rack = self._rack(int(self._bits[place]))
        if not rack.has(place):
            rack.make_row(place)
        np.maximum(rack.row(place), registers, out=rack.row(place))

    def merge(self, place: int, aggregation: Aggregation[Any], state: Any) -> None:
        assert isinstance(aggregation, Unique)
        self._bits = grown(self._bits, place + 1)
        self._bits[place] = aggregation.bits
        if holds_registers(state):
            self._merge_registers(place, state)
        self._settle(place, NO_COUPONS if holds_registers(state) else state)

    def state(self, place: int, aggregation: Aggregation[Any]) -> Seen:
        self._settle_all(np.array([place]))
        return self._seen(place)

    def _seen(self, place: int) -> Seen:
        """What is at a place where nothing waits."""
        rack = self._rack(int(self._bits[place]))
        return rack.row(place).copy() if rack.has(place) else self._coupons[place]

    def take(self, places: Places, aggregations: Aggregations) -> States:
        self._settle_all(places)
        taken = Listed([self._seen(place) for place in places.tolist()])
        self.clear(places)
        return taken

    def _settle_all(self, places: Places) -> None:
        for place, found in self._pending.of(places):
            self._settle(place, found)

    def clear(self, places: Places) -> None:
        for rack in self._racks.values():
            rack.clear(places)
        for place in places.tolist():
            self._coupons.pop(place, None)
