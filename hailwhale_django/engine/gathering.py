"""What each cell of a sketch gets of a fold: the state of all values that concern it, as a part to append.

As with units, this is worked out for groups of events (see `fold`): the values of a metric are digested once for all,
and cells that get those of the same groups get the same part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .domain.sketch import Values, aggregation_of, state_of, told_apart
from .domain.sketchbook import Sketchbook
from .fold import Folded, Numbers, expanded
from .simmer import cell
from .simmer.aggregation import Aggregation


@dataclass(frozen=True, slots=True)
class Gathered:
    """`parts[i]` to append to the cell at `places[i]` in `columns[i]`, ordered by both, each pair once."""

    places: list[int]
    columns: list[int]
    parts: list[bytes]


def part_of(kept: str, values: Values) -> bytes:
    """The part of one event's values."""
    aggregation = aggregation_of(kept)
    return cell.part(aggregation, state_of(aggregation, values))


def gather(folded: Folded, places: Numbers, sketchbook: Sketchbook) -> dict[str, Gathered]:
    """What is to be appended for each sketch, where `places[row]` is each row's place; rows at -1 are left out.

    Raises `InvalidInput` for machine values that come to more, together, than a state may hold.
    """
    return {kept: _gathered(folded, kept, places, sketchbook) for kept in folded.samples}


def _gathered(folded: Folded, kept: str, places: Numbers, sketchbook: Sketchbook) -> Gathered:
    rule = sketchbook.rule(kept)
    values = folded.samples[kept]
    rows = np.array([rule.keeps_row(path) for _, path in folded.rows])
    columns = np.array([rule.keeps_interval(column.interval) for column in folded.columns])
    cell, group = _cells(folded, list(values), np.where(rows, places, -1), columns)
    order = np.argsort(cell, kind="stable")
    cells, begins = np.unique(cell[order], return_index=True)
    of_place, of_column = np.divmod(cells, max(len(columns), 1))
    made = _Parts(values, aggregation_of(kept))
    parts = [made.of(groups) for groups in np.split(group[order], begins[1:])] if len(cells) else []
    return Gathered(of_place.tolist(), of_column.tolist(), parts)


def _cells(
    folded: Folded, groups: Sequence[int], places: Numbers, columns: NDArray[np.bool_]
) -> tuple[Numbers, Numbers]:
    """Every pair of a cell and a group that concerns it; a cell is place * number of columns + column."""
    numbers = np.array(groups, dtype=np.int64)
    shape_of, moment_of = np.array(folded.groups, dtype=np.int64)[numbers].T
    at, row = expanded(shape_of, folded.shapes)
    here = places[row] >= 0
    at, place = at[here], places[row][here]
    pair, column = expanded(moment_of[at], folded.moments)
    kept = columns[column]
    return (place[pair] * len(columns) + column)[kept], numbers[at[pair]][kept]


class _Parts:
    """The part of the values of some groups, made once for the same groups."""

    def __init__(self, values: dict[int, list[str]], aggregation: Aggregation[Any]) -> None:
        self._aggregation = aggregation
        self._made: dict[bytes, bytes] = {}
        self._states: dict[int, list[Any]] = {}  # of machine values, by group
        self._places: dict[int, NDArray[np.int64]] = {}  # of raw values in the digest, by group
        raw: list[str] = []
        for group, given in values.items():
            plain, states = told_apart(aggregation, given)
            self._places[group] = np.arange(len(raw), len(raw) + len(plain))
            raw += plain
            if states:
                self._states[group] = states
        self._digest = aggregation.digest(raw) if raw else None

    def of(self, groups: NDArray[np.int64]) -> bytes:
        key = groups.tobytes()
        made = self._made.get(key)
        if made is None:
            numbers = groups.tolist()
            write = cell.part if self._states.keys().isdisjoint(numbers) else cell.readable_part
            made = self._made[key] = write(self._aggregation, self._state(numbers))
        return made

    def _state(self, groups: Sequence[int]) -> Any:
        states = [state for group in groups for state in self._states.get(group, ())]
        places = np.concatenate([self._places[group] for group in groups])
        if self._digest is not None and len(places):
            states.append(self._aggregation.gather(self._digest[places]))
        return self._aggregation.merge_all(states)
