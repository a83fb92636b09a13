"""Folding: many events in, the fewest increments out. All fan-out happens here, and only whole numbers are added, so
any order and any batching of the same events give the same increments.

Events that agree on counter, dimensions and buckets are added up first, for that is what real traffic repeats; only
then is each group spread over its tables, rows and intervals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from math import gcd

from .domain.event import Event
from .domain.paths import WHOLE, Path, escaped
from .domain.plan import Column, Schedule
from .domain.timeline import OFFSET_CHUNK
from .errors import InvalidInput

CHILD_PKS = "/pks"
"""The parent of a counter's child counters. No dimension's path has this text, since names are never empty."""

Increments = dict[str, dict[str, dict[int, int]]]
"""For each row, known by its path's text, and metric: units to add to each column, by number in `Folded.columns`."""


@dataclass(slots=True)
class Folded:
    """What a batch of events adds: increments for each counter and for each prefix of its key."""

    columns: list[Column] = field(default_factory=list)
    increments: dict[Path, Increments] = field(default_factory=dict)
    rejected: list[tuple[Event, InvalidInput]] = field(default_factory=list)


def fold(events: Iterable[Event], schedule: Schedule, now: float) -> Folded:
    """Fold events that are counted at `now`. Those at an instant that no interval keeps are `rejected`."""
    calendar = _Calendar(schedule, now)
    folded = Folded(calendar.columns)
    groups: dict[tuple[Path, tuple[Path, ...], tuple[int, ...]], dict[str, int]] = {}
    for event in events:
        try:
            key = (event.pk, event.dimensions, calendar.columns_at(event.at))
        except InvalidInput as error:
            folded.rejected.append((event, error))
            continue
        amounts = groups.get(key)
        if amounts is None:
            groups[key] = dict(event.metrics)
        else:
            for name, units in event.metrics:
                amounts[name] = amounts.get(name, 0) + units
    for (pk, dimensions, columns), amounts in groups.items():
        for level, rows in spread(pk, dimensions):
            increments = folded.increments.setdefault(level, {})
            for row in rows:
                _add(increments.setdefault(row, {}), amounts, columns)
    return folded


class _Calendar:
    """The columns of instants, each worked out once and numbered."""

    def __init__(self, schedule: Schedule, now: float) -> None:
        self.columns: list[Column] = []
        self._schedule = schedule
        self._now = now
        finest = schedule.kept[0].interval
        # All instants of one slot fall into the same buckets of every interval, in every zone.
        self._slot_seconds = gcd(finest.seconds, OFFSET_CHUNK) if finest.on_the_clock else OFFSET_CHUNK
        self._numbers: dict[Column, int] = {}
        self._by_slot: dict[int, tuple[int, ...]] = {}

    def columns_at(self, at: float) -> tuple[int, ...]:
        slot = int(at // self._slot_seconds)
        numbers = self._by_slot.get(slot)
        if numbers is None:
            numbers = tuple(map(self._number, self._schedule.columns_at(at, self._now)))
            self._by_slot[slot] = numbers
        return numbers

    def _number(self, column: Column) -> int:
        number = self._numbers.setdefault(column, len(self.columns))
        if number == len(self.columns):
            self.columns.append(column)
        return number


def _add(metrics: dict[str, dict[int, int]], amounts: dict[str, int], columns: tuple[int, ...]) -> None:
    for name, units in amounts.items():
        cells = metrics.get(name)
        if cells is None:
            metrics[name] = dict.fromkeys(columns, units)
        else:
            for column in columns:
                cells[column] = cells.get(column, 0) + units


@lru_cache(maxsize=65_536)
def spread(pk: Path, dimensions: tuple[Path, ...]) -> tuple[tuple[Path, tuple[str, ...]], ...]:
    """The rows that one event touches, for each level of its counter's key, shortest first."""
    rows = (WHOLE, *map(str, dimensions))
    levels = []
    for depth in range(1, len(pk) + 1):
        below = (child_pk(pk[depth]),) if depth < len(pk) else ()
        levels.append((Path(pk[:depth]), rows + below))
    return tuple(levels)


def child_pk(name: str) -> str:
    """The row of a child counter in its parent."""
    return f"{CHILD_PKS}/{escaped(name)}"
