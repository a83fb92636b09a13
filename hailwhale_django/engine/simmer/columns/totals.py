"""Exact sums of many doubles, by place.

A double is taken apart into whole numbers of 1, 2^-40 and 2^-80, each of which is added up in 64 bits. What does not
fit (2^46 and more, or finer than 2^-80) is added to an unbounded whole number of the place; so is all, before anything
could overflow.

Memory: 8 bytes a place; 24 once any number was not whole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, Places, grown
from ..exact import FINEST_BITS, exact

Wholes = NDArray[np.int64]

FINE_BITS = 40
LARGEST = 2.0**46
MOST = 1 << 62
# So many numbers of at most 2^39 can be added before they are carried.
MOST_FINE = 1 << 22
FINE_UNITS = [FINEST_BITS - FINE_BITS, FINEST_BITS - 2 * FINE_BITS]


class Totals:
    """Sums in units of `exact`."""

    __slots__ = ("_fine", "_fine_added", "_large", "_reach", "_wholes")

    def __init__(self) -> None:
        self._wholes = np.zeros(0, np.int64)
        self._reach = 0  # no whole is larger
        self._fine: list[Wholes] = []
        self._fine_added = 0
        self._large: dict[int, int] = {}

    def add(self, places: Places, numbers: Floats) -> None:
        if len(numbers) == 0:
            return
        self._wholes = grown(self._wholes, int(places.max()) + 1)
        wholes = np.rint(numbers)
        largest = max(float(wholes.max()), -float(wholes.min()))
        if largest >= LARGEST:
            self._add_large(places, numbers)
            return
        if (wholes != numbers).any() and not self._add_fine(places, numbers - wholes):
            self._add_large(places, numbers)
            return
        self._add_wholes(places, wholes, int(largest))

    def add_units(self, place: int, units: int) -> None:
        self._large[place] = self._large.get(place, 0) + units

    def units(self, place: int) -> int:
        found = self._large.get(place, 0)
        if place < len(self._wholes):
            found += int(self._wholes[place]) << FINEST_BITS
        for fine, bits in zip(self._fine, FINE_UNITS, strict=False):
            if place < len(fine):
                found += int(fine[place]) << bits
        return found

    def wholes(self, places: Places) -> Wholes | None:
        """The sums, if all of them are whole and moderate."""
        if self._large or int(places.max(initial=0)) >= len(self._wholes):
            return None
        for fine in self._fine:
            if fine[places[places < len(fine)]].any():
                return None
        found: Wholes = self._wholes[places]
        return found

    def clear(self, places: Places) -> None:
        for sums in (self._wholes, *self._fine):
            sums[places[places < len(sums)]] = 0
        if self._large:
            for place in places.tolist():
                self._large.pop(place, None)

    def _add_wholes(self, places: Places, wholes: Floats, largest: int) -> None:
        if self._reach + largest * len(wholes) > MOST:
            self._to_large(self._wholes, FINEST_BITS)
            self._reach = 0
        self._reach += largest * len(wholes)
        np.add.at(self._wholes, places, wholes.astype(np.int64))

    def _add_fine(self, places: Places, fractions: Floats) -> bool:
        """Add fractions of at most a half; nothing, if any of them is too fine."""
        upper = np.rint(fractions * 2.0**FINE_BITS)
        lower = (fractions - upper * 2.0**-FINE_BITS) * 2.0 ** (2 * FINE_BITS)
        if (np.rint(lower) != lower).any():
            return False
        self._fine_added += len(fractions)
        if self._fine_added > MOST_FINE:
            for fine, bits in zip(self._fine, FINE_UNITS, strict=True):
                self._to_large(fine, bits)
            self._fine_added = len(fractions)
        self._fine = [grown(fine, len(self._wholes)) for fine in self._fine or [np.zeros(0, np.int64)] * 2]
        for fine, part in zip(self._fine, (upper, lower), strict=True):
            np.add.at(fine, places, part.astype(np.int64))
        return True

    def _add_large(self, places: Places, numbers: Floats) -> None:
        for place, number in zip(places.tolist(), numbers.tolist(), strict=True):
            self.add_units(place, exact(number))

    def _to_large(self, sums: Wholes, bits: int) -> None:
        for place in np.flatnonzero(sums).tolist():
            self.add_units(place, int(sums[place]) << bits)
        sums[:] = 0
