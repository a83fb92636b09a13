"""The column of all other aggregations: values wait in lists, and are combined many at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from ...errors import InvalidInput
from ..aggregation import Aggregation
from ..arrays import Flags, Index, Places, different
from ..envelope import from_text, is_machine_value
from ..heavy import Top
from ..tally import Tallied
from .column import Column, Portion
from .folding import folded
from .tallies import weigh

# So many values may wait, of all places together.
ENOUGH = 1 << 16


@dataclass(frozen=True, slots=True)
class Given:
    """A state that came as a machine value."""

    state: Any


Value = str | Given


class Others(Column):
    """The order in which values came at a place is kept."""

    __slots__ = ("_aggregations", "_count", "_states", "_waiting")

    def __init__(self) -> None:
        self._aggregations: dict[int, Aggregation[Any]] = {}
        self._states: dict[int, Any] = {}
        self._waiting: dict[int, list[Value]] = {}
        self._count = 0

    def read(self, portion: Portion) -> tuple[list[Value], Flags]:
        texts = [text.decode("utf-8", "surrogateescape") for text in portion.values.texts()]
        read: list[Value] = list(texts)
        odd = np.zeros(len(texts), np.bool_)
        for recipe in different(portion.recipes):
            aggregation = portion.aggregations[recipe]
            rows = np.flatnonzero(portion.recipes == recipe).tolist()
            odd[_unfit(aggregation, texts, [row for row in rows if not is_machine_value(texts[row])])] = True
            for row in rows:
                if is_machine_value(texts[row]):
                    given = _given(aggregation, texts[row])
                    odd[row] = given is None
                    read[row] = given or texts[row]
        return read, odd

    def put(self, places: Places, portion: Portion, read: list[Value], which: Index) -> None:
        rows = np.arange(len(read))[which]
        recipes = portion.recipes[rows].tolist()
        for place, row, recipe in zip(places.tolist(), rows.tolist(), recipes, strict=True):
            if place not in self._waiting:
                self._aggregations[place] = portion.aggregations[recipe]
                self._waiting[place] = []
            self._waiting[place].append(read[row])
        self._count += len(rows)
        if self._count >= ENOUGH:
            for place in list(self._waiting):
                self._settle(place)

    def _settle(self, place: int) -> None:
        waiting = self._waiting.pop(place, [])
        self._count -= len(waiting)
        for are_given, values in groupby(waiting, lambda value: isinstance(value, Given)):
            self._states[place] = self._joined(place, are_given, list(values))

    def _joined(self, place: int, are_given: bool, values: list[Any]) -> Any:
        aggregation, before = self._aggregations[place], self._states.get(place)
        if not are_given:
            return folded(aggregation, before, values)
        for value in values:
            before = value.state if before is None else aggregation.merge(before, value.state)
        return before

    def merge(self, place: int, aggregation: Aggregation[Any], state: Any) -> None:
        self._aggregations[place] = aggregation
        self._settle(place)
        before = self._states.get(place)
        merged = state if before is None else aggregation.merge(before, state)
        weigh(merged)
        self._states[place] = merged

    def state(self, place: int, aggregation: Aggregation[Any]) -> Any:
        self._settle(place)
        return self._states[place]

    def clear(self, places: Places) -> None:
        for place in places.tolist():
            self._count -= len(self._waiting.pop(place, []))
            self._states.pop(place, None)
            self._aggregations.pop(place, None)


def _unfit(aggregation: Aggregation[Any], texts: list[str], rows: list[int]) -> list[int]:
    """The rows whose texts are no values; all are tried at once, then half of them."""
    if not rows:
        return []
    try:
        aggregation.prepare([texts[row] for row in rows])
    except InvalidInput:
        half = len(rows) // 2
        return _unfit(aggregation, texts, rows[:half]) + _unfit(aggregation, texts, rows[half:]) if half else rows
    return []


def _given(aggregation: Aggregation[Any], text: str) -> Given | None:
    """The state of a machine value, if it is one that can be merged with any other, so that it may wait."""
    if isinstance(aggregation, Top) and isinstance(aggregation.inner, Tallied):
        return None
    try:
        return Given(from_text(aggregation, text))
    except InvalidInput:
        return None
