"""The pot: keys and what is known of their values, at most so many of them, while rows come in.

Row by row: a row's value joins its key's state. A key that would be one too many first sends off the one that was used
least recently; with `flush`, a key leaves the moment so many of its values came since it last left; with `sorted`, as
soon as another key follows. What leaves goes to `spill`, in order, and more than once if its key comes again: the parts
are merged by whoever reads them, perhaps by another pot.

Rows are worked on many at once, as arrays (`blocks`, `keys`, `turnover`, `columns`); whatever is unusual is read as by
`read_state`, alone.

Guarantee: each line counts once, in the state of its key, or is refused by its number; a bad one harms no other. What
comes out is, byte by byte, what it would be had each row been worked on alone, however the input was cut into blocks.
Memory: `capacity` states and their keys; besides, some 40 MB while it works.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidInput
from .aggregation import Aggregation
from .arrays import EVERY, NOBODY, Flags, Index, Numbers, Places, different
from .batches import Batch, Flushed, Part, Served
from .blocks import Block, keep_memory, slices
from .columns.column import Column, Portion
from .columns.families import FAMILIES, family
from .columns.tallies import weigh
from .keys import Keys
from .lines import read_row, read_state
from .turnover import Leaving, Turnover

__all__ = ["CAPACITY", "Batch", "Flushed", "Pot", "Refuse", "Spill"]

CAPACITY = 5000
# So many keys that are not in the pot are remembered, besides as many as are in it.
MOST_STRANGERS = 1 << 17

NO_ROWS = np.zeros(0, np.int64)
NO_FAMILIES = np.zeros(0, np.int8)

Spill = Callable[[Batch], None]
Refuse = Callable[[int, bytes, InvalidInput], None]
"""Is told of a bad line: its number, from 1; the line without its end; what is wrong with it."""

States = dict[int, Any]
Errors = dict[int, InvalidInput]
"""Of rows of a block that were read alone."""


@dataclass(frozen=True, slots=True)
class Task:
    """The rows of a block that are for one column, and what that read of them."""

    column: Column
    rows: Index
    portion: Portion
    read: Any
    odd: Flags

    def odd_rows(self, block: Block) -> Numbers:
        return np.arange(len(block))[self.rows][self.odd] if self.odd.any() else NO_ROWS

    def put(self, places: Places) -> None:
        """Put what was read; `places` is of all rows of the block."""
        mine = places[self.rows]
        plain = (mine != NOBODY) & ~self.odd
        if plain.all():
            self.column.put(mine, self.portion, self.read, EVERY)
        elif plain.any():
            self.column.put(mine[plain], self.portion, self.read, np.flatnonzero(plain))


class Pot:
    """Keys and their states, at most `capacity` of them; 0 as `flush` is never."""

    def __init__(
        self, spill: Spill, refuse: Refuse, capacity: int = CAPACITY, flush: int = 0, sorted: bool = False
    ) -> None:
        keep_memory()
        self._spill = spill
        self._refuse = refuse
        self._keys = Keys()
        # Of keys that come in order, only one is needed at a time.
        self._turnover = Turnover(1 if sorted else capacity, flush)
        self._columns = [make() for _, make in FAMILIES]
        self._known_families = NO_FAMILIES
        self.rows = 0
        self.refused = 0

    @property
    def keys(self) -> int:
        return self._turnover.size

    def add(self, block: bytes) -> None:
        """Whole lines, of which the last may lack its end."""
        for lines in slices(block):
            self._simmer(Block(lines))

    def state(self, key: str) -> tuple[Aggregation[Any], Any] | None:
        """What is known of a key now. Asking is no use of it."""
        number = self._keys.get(key.encode("utf-8", "surrogateescape"))
        place = self._turnover.place(number)
        if place == NOBODY:
            return None
        aggregation = self._keys.aggregation(number)
        return aggregation, self._columns[family(aggregation)].state(place, aggregation)

    def finish(self) -> None:
        """All that is left leaves, what was used least recently first."""
        self._send(self._turnover.leave())

    def _simmer(self, block: Block) -> None:
        if len(self._keys) > 2 * self._turnover.size + MOST_STRANGERS:
            self._forget_strangers()
        keys = self._keys.find(block.keys)
        recipes = self._keys.recipe_of(keys)
        if block.torn.any() or keys.min() == NOBODY:
            recipes[block.torn | (keys == NOBODY)] = NOBODY
        tasks = self._tasks(block, recipes)
        states, errors = self._alone(block, recipes, tasks)
        counted = len(block)
        try:
            for row, error in errors.items():
                counted = row
                self._report(self.rows + row, block.line(row), error)
            counted = len(block)
        finally:
            # Who raises at a bad line stops there: what comes before it counts, and nothing behind it.
            good = np.setdiff1d(np.arange(counted), list(errors)) if errors else slice(counted)
            self._count(block, keys, good, tasks, states)
            self.rows += min(counted + 1, len(block))

    def _tasks(self, block: Block, recipes: Numbers) -> list[Task]:
        families = self._families()[recipes]
        found = []
        for number, column in enumerate(self._columns):
            mine = families == number
            if mine.any():
                rows = EVERY if mine.all() else np.flatnonzero(mine)
                portion = Portion(block.values[rows], recipes[rows], self._keys.recipes.aggregations)
                found.append(Task(column, rows, portion, *column.read(portion)))
        return found

    def _alone(self, block: Block, recipes: Numbers, tasks: list[Task]) -> tuple[States, Errors]:
        """The states of rows that have to be read alone, or what is wrong with them."""
        nobody = np.flatnonzero(recipes == NOBODY) if recipes.min() == NOBODY else NO_ROWS
        odd = np.concatenate([nobody, *(task.odd_rows(block) for task in tasks)])
        states: States = {}
        errors: Errors = {}
        for row in np.sort(odd).tolist():
            try:
                _, state = read_state(read_row(block.line(row)))
                weigh(state)
            except InvalidInput as error:
                errors[row] = error
            else:
                states[row] = state
        return states, errors

    def _count(self, block: Block, keys: Numbers, good: Index, tasks: list[Task], states: States) -> None:
        places = np.full(len(block), NOBODY)
        places[good], leaving = self._turnover.use(keys[good])
        for task in tasks:
            task.put(places)
        for row, state in states.items():
            if places[row] != NOBODY:
                self._merge(block, row, int(keys[row]), int(places[row]), state)
        self._send(leaving)

    def _merge(self, block: Block, row: int, key: int, place: int, state: Any) -> None:
        aggregation = self._keys.aggregation(key)
        try:
            self._columns[family(aggregation)].merge(place, aggregation, state)
        except InvalidInput as error:
            self._report(self.rows + row, block.line(row), error)

    def _report(self, row: int, line: bytes, error: InvalidInput) -> None:
        self.refused += 1
        self._refuse(row + 1, line.rstrip(b"\r"), error)

    def _send(self, leaving: Leaving) -> None:
        if not len(leaving.keys):
            return
        recipes = self._keys.recipe_of(leaving.keys)
        families = self._families()[recipes]
        parts = []
        for number in different(families.astype(np.int64)):
            which = np.flatnonzero(families == number)
            aggregations = self._keys.recipes.all_of(recipes[which])
            taken = self._columns[number].take(leaving.places[which], aggregations)
            parts.append(Part(which, aggregations, taken))
        self._turnover.release(leaving.places)
        self._spill(Served(self._keys.texts(leaving.keys), self._keys.recipes.all_of(recipes), parts))

    def _families(self) -> NDArray[np.int8]:
        """The number of each recipe's family; at the end, and so for `NOBODY`, that of none."""
        aggregations = self._keys.recipes.aggregations
        if len(self._known_families) <= len(aggregations):
            self._known_families = np.array([*map(family, aggregations), NOBODY], np.int8)
        return self._known_families

    def _forget_strangers(self) -> None:
        keys = self._turnover.keys()
        self._keys.keep(keys)
        self._turnover.renumber(keys)
        self._known_families = NO_FAMILIES
