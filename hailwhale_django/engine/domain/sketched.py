"""What a sketch tells of some rows over a period.

Over several buckets it is the union of theirs, never their sum: `cumulative` is the union of all buckets so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..simmer.aggregation import Aggregation, Numeric
from .sketch import Sketch

Floats = NDArray[np.float64]

Told = list[tuple[Any, float]] | str | None
"""A list's pairs: items and their numbers, or upper edges and counts; the text of a signature; `None` of nothing."""


@dataclass(frozen=True, slots=True)
class Sketched:
    """States by row, `None` where nothing was counted: `totals` [row] of the period, `points` [point][row] of its
    buckets (none where only totals were read).

    `as_of` is the instant of which totals tell what decays, and `as_ofs` those of the points.
    """

    sketch: Sketch
    totals: Sequence[Any]
    points: Sequence[Sequence[Any]]
    as_of: float
    as_ofs: Sequence[float]

    @classmethod
    def of_points(
        cls, sketch: Sketch, points: Sequence[Sequence[Any]], as_of: float, as_ofs: Sequence[float], *, plotted: bool
    ) -> Sketched:
        """The totals are worked out from the points, of which there may be one for all."""
        totals = [_union(sketch.aggregation, of_row) for of_row in zip(*points, strict=True)]
        return cls(sketch, totals, points if plotted else (), as_of, as_ofs)

    def picked(self, rows: Sequence[int]) -> Sketched:
        """The same of some rows."""
        points = [[states[row] for row in rows] for states in self.points]
        return replace(self, totals=[self.totals[row] for row in rows], points=points)

    def sums(self, carry: str = "") -> Floats:
        """[row]: of the period; with `last` of the last bucket that has anything."""
        if carry != "last":
            return self._measured(self.totals, self.as_of)
        latest = [_latest(of_row) for of_row in zip(*self.points, strict=True)]
        return self._measured(latest, self.as_of)

    def buckets(self, carry: str = "") -> Floats:
        """[point, row]"""
        points = self.points if carry == "" else self._carried(carry)
        return np.array([self._measured(row, at) for row, at in zip(points, self.as_ofs, strict=True)])

    def told(self, row: int) -> Told:
        """What is no number, of the period."""
        return self._told(self.totals[row], self.as_of)

    def told_points(self, row: int) -> list[Told]:
        """The same in each bucket."""
        return [self._told(states[row], at) for states, at in zip(self.points, self.as_ofs, strict=True)]

    def _told(self, state: Any, as_of: float) -> Told:
        if state is None:
            return None
        pairs = self.sketch.aggregation.pairs(state, as_of)
        if pairs is None:
            return self.sketch.aggregation.present(state, as_of)
        return [(_readable(item) if isinstance(item, str) else item, number) for item, number in pairs]

    def _carried(self, carry: str) -> Sequence[Sequence[Any]]:
        found: list[Sequence[Any]] = []
        before: Sequence[Any] = [None] * len(self.totals)
        for states in self.points:
            if carry == "last":
                before = [old if new is None else new for old, new in zip(before, states, strict=True)]
            else:
                before = [_union(self.sketch.aggregation, pair) for pair in zip(before, states, strict=True)]
            found.append(before)
        return found

    def _measured(self, states: Iterable[Any], as_of: float) -> Floats:
        aggregation = self.sketch.aggregation
        if not isinstance(aggregation, Numeric):
            return np.array([nan for _ in states])
        nothing, measure = aggregation.nothing, aggregation.measure
        return np.array([nothing if state is None else measure(state, as_of) for state in states], dtype=np.float64)


def _union(aggregation: Aggregation[Any], states: Iterable[Any]) -> Any:
    found = [state for state in states if state is not None]
    return found[0] if len(found) == 1 else aggregation.merge_all(found) if found else None


def _readable(item: str) -> str:
    """The same where it is UTF-8; what simmer has read may hold other bytes, which no page and no JSON can."""
    return item.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _latest(states: Sequence[Any]) -> Any:
    return next((state for state in reversed(states) if state is not None), None)
