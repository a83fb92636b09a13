"""Columns of min and max."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..aggregation import Aggregation
from ..arrays import Flags, Floats, Index, Places
from ..digits import numbers_of
from .column import Column, Portion


class Extremes(Column):
    """`pick` is `np.minimum` or `np.maximum`, and `nothing` what is never picked."""

    __slots__ = ("_nothing", "_picked", "_pick")

    def __init__(self, pick: np.ufunc, nothing: float) -> None:
        self._pick = pick
        self._nothing = nothing
        self._picked = np.zeros(0)

    def read(self, portion: Portion) -> tuple[Floats, Flags]:
        return numbers_of(portion.values)

    def put(self, places: Places, portion: Portion, read: Floats, which: Index) -> None:
        self._reserve(int(places.max(initial=-1)) + 1)
        self._pick.at(self._picked, places, read[which])

    def merge(self, place: int, aggregation: Aggregation[Any], state: Any) -> None:
        self._reserve(place + 1)
        self._picked[place] = self._pick(self._picked[place], state)

    def state(self, place: int, aggregation: Aggregation[Any]) -> float:
        return float(self._picked[place])

    def clear(self, places: Places) -> None:
        self._picked[places] = self._nothing

    def _reserve(self, size: int) -> None:
        if size > len(self._picked):
            room = np.full(max(size, 2 * len(self._picked)), self._nothing)
            room[: len(self._picked)] = self._picked
            self._picked = room
