"""The column of pct and hist, which are told from the same states."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import TooLarge
from ..aggregation import Aggregation
from ..arrays import Flags, Floats, Index, Places
from ..digits import numbers_of
from ..heavy import Ranked
from ..tally import MOST_COUNTED, Tally, merged, tally
from .bins import Bins
from .column import Aggregations, Column, Listed, Portion, States
from .pending import Pending

# What is left of the room is for single values: more of them than a process will see.
MOST_MERGED = MOST_COUNTED // 2


class Tallies(Column):
    """A number is counted in the bins of its place; where there is none for it, it waits until there are many."""

    __slots__ = ("_bins", "_pending", "_tallies")

    def __init__(self) -> None:
        self._tallies: dict[int, Tally] = {}
        self._bins = Bins()
        self._pending = Pending()

    def read(self, portion: Portion) -> tuple[Floats, Flags]:
        return numbers_of(portion.values)

    def put(self, places: Places, portion: Portion, read: Floats, which: Index) -> None:
        values = read[which]
        waiting = self._bins.put(places, values)
        self._pending.add(places[waiting], values[waiting])
        if self._pending.is_enough:
            for place, found in self._pending.many():
                self._settle(place, tally(found))
                self._make_bins(place)
        if self._bins.may_overflow:
            for place in self._bins.places():
                self._empty_bins(place)
            self._bins.begin_again()

    def _settle(self, place: int, found: Tally) -> None:
        before = self._tallies.get(place)
        self._tallies[place] = merged(before, found) if before else found

    def _make_bins(self, place: int) -> None:
        if not self._bins.has(place) and self._bins.make(place, self._tallies[place]):
            del self._tallies[place]

    def _empty_bins(self, place: int) -> None:
        """A tally has all that is known of a place, then."""
        if self._bins.has(place) and (found := self._bins.take(place)):
            self._settle(place, found)

    def merge(self, place: int, aggregation: Aggregation[Any], state: Any) -> None:
        self._empty_bins(place)
        before = self._tallies.get(place)
        together = merged(before, state) if before else state
        weigh(together)
        self._tallies[place] = together

    def state(self, place: int, aggregation: Aggregation[Any]) -> Tally:
        self._settle_all(np.array([place]))
        return self._tallies[place]

    def take(self, places: Places, aggregations: Aggregations) -> States:
        self._settle_all(places)
        # All that waited is settled.
        taken = Listed([self._tallies[place] for place in places.tolist()])
        self.clear(places)
        return taken

    def _settle_all(self, places: Places) -> None:
        for place, values in self._pending.of(places):
            self._settle(place, tally(values))
        for place in places.tolist():
            self._empty_bins(place)

    def clear(self, places: Places) -> None:
        self._bins.clear(places)
        for place in places.tolist():
            self._tallies.pop(place, None)


def weigh(state: Any) -> None:
    """Raises `TooLarge` where many more single values might not find room beside those of machine values."""
    tallies = state.items.values() if isinstance(state, Ranked) else (state,)
    for found in tallies:
        if isinstance(found, Tally) and found.total > MOST_MERGED:
            raise TooLarge("value", found.total, f"at most {MOST_MERGED:,} values are taken together")
