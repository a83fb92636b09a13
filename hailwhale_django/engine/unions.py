"""What sketches come to over a period: the union of the buckets that make it up, for each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .domain.paths import Path
from .domain.period import Period
from .domain.plan import Plan, Schedule
from .domain.sketch import Sketch
from .domain.sketched import Sketched
from .errors import TooLarge
from .store.catalog import ABSENT
from .store.conversation import Conversation, abreast
from .store.store import Store

# Each is some kilobytes where it is full, and takes some microseconds to be merged with others.
MAX_CELLS = 300_000


United = tuple[dict[str, Sketched], set[str]]
"""What sketches come to, by the names that ask for them, and what to say about them."""


class Unions:
    """Reads sketches of a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def uniting(
        self,
        pk: Path,
        sketches: Mapping[str, Sketch],
        rows: NDArray[np.int64],
        period: Period,
        now: float,
        *,
        plotted: bool,
    ) -> Conversation[United]:
        """What sketches come to in a period, by the names that ask for them, and what to say about them.

        Those that tell the same states are read once. One round trip, or more where there are very many cells.
        """
        if not sketches:
            return {}, set()
        end = min(period.span[1], now)
        ends = [min(period.span_of(bucket)[1], now) for bucket in period.buckets] if plotted else []
        plans = {
            kept: columns_of(self.store.schedule_of(kept), period, now, plotted=plotted)
            for kept in dict.fromkeys(sketch.kept for sketch in sketches.values())
        }
        read = yield from abreast(self._states(pk, kept, plan, rows) for kept, plan in plans.items())
        states = dict(zip(plans, read, strict=True))
        found = {
            name: Sketched.of_points(sketch, states[sketch.kept], end, ends, plotted=plotted)
            for name, sketch in sketches.items()
        }
        return found, {warning for plan in plans.values() for warning in plan.warnings}

    def unkept(self, sketches: Mapping[str, Sketch], row: str) -> set[str]:
        """What to say of sketches that are not kept of a row, and so not of what is beneath it."""
        rule_of = self.store.options.sketchbook.rule
        return {
            f"{name} is not kept of {row}: see the setting SKETCHES"
            for name, sketch in sketches.items()
            if not rule_of(sketch.kept).keeps_row(row)
        }

    def _states(self, pk: Path, kept: str, plan: Plan, rows: NDArray[np.int64]) -> Conversation[list[list[Any]]]:
        """[point][row] of states; of a row that is not there, nothing."""
        cells = len(rows) * sum(map(len, plan.points))
        if cells > MAX_CELLS:
            expected = f"it takes {cells:,} cells of sketches, the limit is {MAX_CELLS:,}; use a shorter period"
            raise TooLarge("metrics", kept, expected)
        there = np.flatnonzero(rows != ABSENT)
        found: list[list[Any]] = [[None] * len(rows) for _ in plan.points]
        united = yield from self.store.sketches.uniting(str(pk), kept, plan.points, rows[there])
        for point, states in enumerate(united):
            for row, state in zip(there.tolist(), states, strict=True):
                found[point][row] = state
        return found


def columns_of(schedule: Schedule, period: Period, now: float, *, plotted: bool) -> Plan:
    """Columns for each bucket of the period, or few for all of it."""
    return schedule.by_point(period, now) if plotted else schedule.in_sum(period, now)
