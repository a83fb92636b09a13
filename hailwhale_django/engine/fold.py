"""Folding: many events in, the fewest increments out. All fan-out happens here, and only whole numbers are added, so
any order and any batching of the same events give the same increments.

First events that agree on counter, dimensions and buckets are added up, for that is what real traffic repeats (`fold`);
then, once every row has its place, each group is spread over its rows and buckets (`spread`), for all at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .domain.crossing import NONE, Crossings
from .domain.event import Event
from .domain.paths import WHOLE, Path, escaped
from .domain.plan import Column, Schedule
from .errors import HailWhaleError, InvalidInput

CHILD_PKS = "/pks"
"""The parent of a counter's child counters. No dimension's path has this text, since names are never empty."""

REMEMBERED_PATHS = 16
"""Of an event: the rows of hostile ones, with hundreds of paths, would fill the process."""

Numbers = NDArray[np.int64]
Row = tuple[Path, str]
"""A row of a counter: the counter's key, and the path's text."""


@dataclass(slots=True)
class Folded:
    """Events by group. Everything is known by its number in one of these lists.

    A *shape* is the rows that events of one counter and set of dimensions touch, a *moment* the columns of an instant;
    a group is a shape at a moment, `amounts` are its units by metric, and `samples` its raw values by sketch. `lessons`
    are what decisions learn: sums by name, of each option's counter, cells and moment.
    """

    columns: list[Column] = field(default_factory=list)
    moments: list[tuple[int, ...]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    shapes: list[tuple[int, ...]] = field(default_factory=list)
    groups: list[tuple[int, int]] = field(default_factory=list)
    amounts: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    samples: dict[str, dict[int, list[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    lessons: dict[tuple[Path, tuple[str, ...], int], dict[str, float]] = field(default_factory=dict)
    rejected: list[tuple[Event, HailWhaleError]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Increments:
    """Units to add: `units[metric][i]` at `places[i]` in `columns[i]`, ordered by both, each pair once."""

    places: list[int]
    columns: list[int]
    units: dict[str, list[int]]


def fold(events: Iterable[Event], schedule: Schedule, now: float, crossings: Crossings = NONE) -> Folded:
    """Group events that are counted at `now`. Those at an instant that no interval keeps are `rejected`."""
    folded = Folded()
    calendar = _Calendar(folded, schedule, now)
    rows: dict[Row, int] = {}
    # By identity: the same dimensions are the same object while they are remembered, and else merely a shape more.
    shapes: dict[tuple[int, int], int] = {}
    groups: dict[tuple[int, int, int], int] = {}
    kept: list[tuple[Path, tuple[Path, ...]]] = []
    amounts = folded.amounts
    for event in events:
        pk, dimensions, metrics, at, samples, lesson = event
        try:
            moment = calendar.moment_of(at)
        except InvalidInput as error:
            folded.rejected.append((event, error))
            continue
        kind = (id(pk), id(dimensions), moment)
        group = groups.get(kind)
        if group is None:
            shape = shapes.get(kind[:2])
            if shape is None:
                shape = shapes[kind[:2]] = len(shapes)
                touched = rows_of(pk, dimensions, crossings)
                folded.shapes.append(tuple([rows.setdefault(row, len(rows)) for row in touched]))
                kept.append((pk, dimensions))  # so that no other object takes over its identity
            group = groups[kind] = len(groups)
            folded.groups.append((shape, moment))
        for metric, units in metrics:
            amounts[metric][group] += units
        for sketch, values in samples:
            folded.samples[sketch][group] += values
        if lesson is not None:
            learnt = folded.lessons.setdefault((pk, lesson.cells, moment), {})
            for name, value in lesson.sums:
                learnt[name] = learnt.get(name, 0.0) + value
    folded.rows = list(rows)
    return folded


def spread(folded: Folded, places: Numbers) -> Increments:
    """The increments of all groups, where `places[row]` is each row's place; rows at -1 are left out."""
    shape_of, moment_of = np.array(folded.groups, dtype=np.int64).reshape(-1, 2).T
    group, row = expanded(shape_of, folded.shapes)
    place = places[row]
    here = place >= 0
    group, place = group[here], place[here]
    # Groups that share a row at the same moment become one before their moment is spread over its columns.
    first = _Sums(place * len(folded.moments) + moment_of[group])
    at_place, at_moment = np.divmod(first.keys, max(len(folded.moments), 1))
    pair, column = expanded(at_moment, folded.moments)
    second = _Sums(at_place[pair] * len(folded.columns) + column)
    units = {}
    for metric, amounts in folded.amounts.items():
        by_group = _array(amounts, len(folded.groups), fan_in=len(group) * 2)
        units[metric] = second.of(first.of(by_group[group])[pair]).tolist()
    at_place, at_column = np.divmod(second.keys, max(len(folded.columns), 1))
    return Increments(at_place.tolist(), at_column.tolist(), units)


class _Calendar:
    """The moments of instants, each worked out once and numbered."""

    def __init__(self, folded: Folded, schedule: Schedule, now: float) -> None:
        self._folded = folded
        self._schedule = schedule
        self._slot_seconds = schedule.slot_seconds
        self._now = now
        self._columns: dict[Column, int] = {}
        self._moments: dict[tuple[int, ...], int] = {}
        self._by_slot: dict[float, int] = {}

    def moment_of(self, at: float) -> int:
        slot = at // self._slot_seconds
        moment = self._by_slot.get(slot)
        if moment is None:
            columns = tuple(map(self._number, self._schedule.columns_at(at, self._now)))
            moment = self._by_slot[slot] = self._moments.setdefault(columns, len(self._moments))
            if moment == len(self._folded.moments):
                self._folded.moments.append(columns)
        return moment

    def _number(self, column: Column) -> int:
        number = self._columns.setdefault(column, len(self._columns))
        if number == len(self._folded.columns):
            self._folded.columns.append(column)
        return number


class _Sums:
    """Adds up what has the same key; `keys` are the distinct ones, ascending."""

    def __init__(self, keys: Numbers) -> None:
        self._order = np.argsort(keys, kind="stable")
        ordered = keys[self._order]
        begins = np.empty(len(keys), dtype=bool)
        begins[:1] = True
        np.not_equal(ordered[1:], ordered[:-1], out=begins[1:])
        self._begins = np.flatnonzero(begins)
        self.keys = ordered[self._begins]

    def of(self, values: NDArray[Any]) -> NDArray[Any]:
        return np.add.reduceat(values[self._order], self._begins) if len(self._begins) else values


def expanded(numbers: Numbers, members: Sequence[tuple[int, ...]]) -> tuple[Numbers, Numbers]:
    """Every (position, member) pair where the number at a position stands for several members."""
    lengths = np.fromiter(map(len, members), dtype=np.int64, count=len(members))
    flat = np.fromiter((one for several in members for one in several), dtype=np.int64, count=int(lengths.sum()))
    begins = np.cumsum(lengths) - lengths
    repeats = lengths[numbers]
    position = np.repeat(np.arange(len(numbers)), repeats)
    within = np.arange(len(position)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    return position, flat[begins[numbers][position] + within]


def _array(amounts: dict[int, int], size: int, fan_in: int) -> NDArray[Any]:
    largest = max(map(abs, amounts.values()), default=0)
    dtype = np.int64 if largest * max(fan_in, 1) < 2**63 else object
    found: NDArray[Any] = np.zeros(size, dtype=dtype)
    found[list(amounts)] = np.array(list(amounts.values()), dtype=dtype)
    return found


def rows_of(pk: Path, dimensions: tuple[Path, ...], crossings: Crossings = NONE) -> tuple[Row, ...]:
    """The rows that an event touches at each level of its counter's key, shortest first."""
    return (_known_rows_of if len(dimensions) <= REMEMBERED_PATHS else _rows_of)(pk, dimensions, crossings)


def _rows_of(pk: Path, dimensions: tuple[Path, ...], crossings: Crossings) -> tuple[Row, ...]:
    paths = (WHOLE, *map(str, dimensions))
    rows: list[Row] = []
    for depth in range(1, len(pk) + 1):
        level = Path(pk[:depth])
        rows += ((level, path) for path in paths)
        if crossings.rules:
            rows += ((level, str(path)) for path in crossings.paths(str(level), dimensions))
        if depth < len(pk):
            rows.append((level, child_pk(pk[depth])))
    return tuple(rows)


_known_rows_of = lru_cache(maxsize=65_536)(_rows_of)


@lru_cache(maxsize=65_536)
def rows_by_counter(
    pk: Path, dimensions: tuple[Path, ...], crossings: Crossings = NONE
) -> tuple[tuple[Path, str, tuple[str, ...]], ...]:
    """The same, the rows of each counter together, behind the counter's key and its text."""
    together = groupby(rows_of(pk, dimensions, crossings), key=itemgetter(0))
    return tuple((level, str(level), tuple(path for _, path in rows)) for level, rows in together)


def child_pk(name: str) -> str:
    """The row of a child counter in its parent."""
    return f"{CHILD_PKS}/{escaped(name)}"
