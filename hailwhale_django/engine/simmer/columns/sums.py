"""Columns of sum and avg."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..aggregation import Aggregation
from ..arrays import Flags, Floats, Index, Places
from ..digits import numbers_of
from ..exact import ONE
from .column import Aggregations, Column, Listed, Portion, States
from .counts import Counts
from .totals import Totals, Wholes

# Smaller ones are written as the digits that they are.
SMALLEST_LARGE = 10**15


@dataclass(frozen=True, slots=True)
class WholeSums:
    """Sums that are whole and are written as they are."""

    sums: Wholes

    def __len__(self) -> int:
        return len(self.sums)

    def states(self) -> list[Any]:
        return [total * ONE for total in self.sums.tolist()]

    def lines(self, aggregations: Aggregations, as_of: float) -> list[bytes]:
        return [b"\t%d\t%d\n" % (total, total) for total in self.sums.tolist()]


class Sums(Column):
    __slots__ = ("_totals",)

    def __init__(self) -> None:
        self._totals = Totals()

    def read(self, portion: Portion) -> tuple[Floats, Flags]:
        return numbers_of(portion.values)

    def put(self, places: Places, portion: Portion, read: Floats, which: Index) -> None:
        self._totals.add(places, read[which])

    def merge(self, place: int, aggregation: Aggregation[Any], state: Any) -> None:
        self._totals.add_units(place, state)

    def state(self, place: int, aggregation: Aggregation[Any]) -> int:
        return self._totals.units(place)

    def take(self, places: Places, aggregations: Aggregations) -> States:
        sums = self._totals.wholes(places)
        if sums is None or np.abs(sums).max() >= SMALLEST_LARGE:
            taken: States = Listed([self._totals.units(place) for place in places.tolist()])
        else:
            taken = WholeSums(sums)
        self.clear(places)
        return taken

    def clear(self, places: Places) -> None:
        self._totals.clear(places)


class Averages(Column):
    __slots__ = ("_counts", "_totals")

    def __init__(self) -> None:
        self._totals = Totals()
        self._counts = Counts()

    def read(self, portion: Portion) -> tuple[Floats, Flags]:
        return numbers_of(portion.values)

    def put(self, places: Places, portion: Portion, read: Floats, which: Index) -> None:
        self._totals.add(places, read[which])
        self._counts.add(places)

    def merge(self, place: int, aggregation: Aggregation[Any], state: Any) -> None:
        count, units = state
        self._totals.add_units(place, units)
        self._counts.merge(place, aggregation, count)

    def state(self, place: int, aggregation: Aggregation[Any]) -> tuple[int, int]:
        return self._counts.state(place, aggregation), self._totals.units(place)

    def clear(self, places: Places) -> None:
        self._totals.clear(places)
        self._counts.clear(places)
