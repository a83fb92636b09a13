"""The column of pct and hist, which are told from the same states."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import TooLarge
from ..aggregation import Aggregation
from ..blocks import Flags, Index, Places
from ..digits import Floats, numbers_of
from ..heavy import Ranked
from ..tally import MOST_COUNTED, Tally, merged, tally
from .column import Aggregations, Column, Portion, States
from .pending import Pending

# What is left of the room is for single values: more of them than a process will see.
MOST_MERGED = MOST_COUNTED // 2


class Tallies(Column):
    """Numbers wait until there are many."""

    __slots__ = ("_pending", "_tallies")

    def __init__(self) -> None:
        self._tallies: dict[int, Tally] = {}
        self._pending = Pending()

    def read(self, portion: Portion) -> tuple[Floats, Flags]:
        return numbers_of(portion.values)

    def put(self, places: Places, portion: Portion, read: Floats, which: Index) -> None:
        self._pending.add(places, read[which])
        if self._pending.is_enough:
            for place, values in self._pending.all():
                self._settle(place, tally(values))

    def _settle(self, place: int, found: Tally) -> None:
        before = self._tallies.get(place)
        self._tallies[place] = merged(before, found) if before else found

    def merge(self, place: int, aggregation: Aggregation[Any], state: Any) -> None:
        before = self._tallies.get(place)
        merged_state = merged(before, state) if before else state
        weigh(merged_state)
        self._tallies[place] = merged_state

    def state(self, place: int, aggregation: Aggregation[Any]) -> Tally:
        self._settle_all(np.array([place]))
        return self._tallies[place]

    def take(self, places: Places, aggregations: Aggregations) -> States:
        self._settle_all(places)
        return super().take(places, aggregations)

    def _settle_all(self, places: Places) -> None:
        for place, values in self._pending.of(places):
            self._settle(place, tally(values))

    def clear(self, places: Places) -> None:
        for place in places.tolist():
            self._tallies.pop(place, None)


def weigh(state: Any) -> None:
    """Raises `TooLarge` where many more single values might not find room beside those of machine values."""
    tallies = state.items.values() if isinstance(state, Ranked) else (state,)
    for found in tallies:
        if isinstance(found, Tally) and found.total > MOST_MERGED:
            raise TooLarge("value", found.total, f"at most {MOST_MERGED:,} values are taken together")
