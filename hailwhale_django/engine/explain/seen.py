"""What was seen of tables: names and sums, row beside row. Of thousands of rows few ever become regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from ..domain.crossing import MARK, is_crossing
from ..domain.paths import OTHER, Path
from ..domain.values import Floats
from .region import COUNTERS, Key, Region


@dataclass(frozen=True)
class Seen:
    """A table: its children's names, and their leaves [leaf, row] in both periods."""

    table: Path
    names: Sequence[str]
    before: Floats
    now: Floats
    counters: bool = False

    def region(self, at: int) -> Region:
        return Region(self.table.child(self.names[at]), self.counters)

    @cached_property
    def other(self) -> list[int]:
        """The row of what had no room, if there is one."""
        return [self.names.index(OTHER)] if OTHER in self.names else []

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Rows by name."""
        return {name: at for at, name in enumerate(self.names)}


class Tables:
    """Several tables as one: their rows have numbers, one table behind the other."""

    def __init__(self, tables: Sequence[Seen], leaves: int) -> None:
        self.tables = tables
        none = np.zeros((leaves, 0))
        self.before: Floats = np.concatenate([none, *(one.before for one in tables)], axis=1)
        self.now: Floats = np.concatenate([none, *(one.now for one in tables)], axis=1)
        self._begins = np.cumsum([0, *(len(one.names) for one in tables)])
        self._by_path = {(one.table, one.counters): at for at, one in enumerate(tables)}

    def __len__(self) -> int:
        return int(self._begins[-1])

    @cached_property
    def is_other(self) -> NDArray[np.bool_]:
        """[row]: whether it holds what had no room."""
        found = np.zeros(len(self), dtype=bool)
        for begin, table in zip(self._begins, self.tables, strict=False):
            found[[begin + at for at in table.other]] = True
        return found

    def region(self, row: int) -> Region:
        at = int(np.searchsorted(self._begins, row, side="right")) - 1
        return self.tables[at].region(row - int(self._begins[at]))

    def find(self, key: Key) -> int | None:
        """The row of a region, in whichever order its dimensions were crossed; `None` if it was not seen."""
        for values in permutations(sorted(key)):
            names = [part for dimension, below in values for part in (f"{MARK}{dimension}", *below)]
            counters = names[:1] == [f"{MARK}{COUNTERS}"]
            path = Path(names[1:]) if counters else Path((names[0].removeprefix(MARK), *names[1:]))
            at = self._by_path.get((path.parent, counters))
            row = None if at is None else self.tables[at].numbers.get(path.name)
            if at is not None and row is not None:
                return int(self._begins[at]) + row
        return None

    def one_of_each(self, rows: Sequence[int]) -> list[int]:
        """Rows without those that are the same region as one before them."""
        found: dict[Key, int] = {}
        for row in rows:
            found.setdefault(self.region(row).key, row)
        return list(found.values())

    def count(self, which: NDArray[np.bool_]) -> int:
        """How many regions some rows [row] are: those crossed both ways count once."""
        twice = 0
        for begin, table in zip(self._begins.tolist(), self.tables, strict=False):
            if len(table.table) and any(map(is_crossing, table.table)):
                rows = [begin + at for at in range(len(table.names)) if which[begin + at]]
                others = [self.find(self.region(row).key) for row in rows]
                twice += sum(
                    other is not None and other != row and bool(which[other])
                    for other, row in zip(others, rows, strict=True)
                )
        return int(which.sum()) - twice


def largest(values: Floats, most: int) -> list[int]:
    """Where the largest are, the largest first; of equal ones the first."""
    if most < len(values):
        least = np.partition(values, len(values) - most)[len(values) - most] if most else np.inf
        found = np.flatnonzero(values >= least)
    else:
        found = np.arange(len(values))
    order: list[int] = found[np.argsort(-values[found], kind="stable")][:most].tolist()
    return order
