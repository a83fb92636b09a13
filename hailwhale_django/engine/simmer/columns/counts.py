"""The column of count."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..aggregation import Aggregation
from ..arrays import Flags, Index, Places, grown
from .column import Column, Portion
from .marks import are_marked


class Counts(Column):
    """Values are counted in 64 bits, and states, which may be any number, apart from them."""

    __slots__ = ("_counts", "_merged")

    def __init__(self) -> None:
        self._counts = np.zeros(0, np.int64)
        self._merged: dict[int, int] = {}

    def read(self, portion: Portion) -> tuple[None, Flags]:
        return None, are_marked(portion.values)

    def put(self, places: Places, portion: Portion, read: None, which: Index) -> None:
        self.add(places)

    def add(self, places: Places) -> None:
        self._counts = grown(self._counts, int(places.max(initial=-1)) + 1)
        np.add.at(self._counts, places, np.ones(len(places), np.int64))

    def merge(self, place: int, aggregation: Aggregation[Any], state: Any) -> None:
        self._merged[place] = self._merged.get(place, 0) + state

    def state(self, place: int, aggregation: Aggregation[Any]) -> int:
        counted = int(self._counts[place]) if place < len(self._counts) else 0
        return counted + self._merged.get(place, 0)

    def clear(self, places: Places) -> None:
        self._counts[places[places < len(self._counts)]] = 0
        if self._merged:
            for place in places.tolist():
                self._merged.pop(place, None)
