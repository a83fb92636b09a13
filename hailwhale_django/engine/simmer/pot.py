"""The pot: keys and what is known of their values, at most so many of them, while rows come in.

Row by row: a row's value joins its key's state. A key that would be one too many first sends off the one that was used
least recently; with `flush`, a key leaves the moment so many of its values came since it last left; with `sorted`, as
soon as another key follows. What leaves goes to `spill`, in order, and more than once if its key comes again: the parts
are merged by whoever reads them, perhaps by another pot.

Guarantee: each line counts once, in the state of its key, or is refused by its number; a bad one harms no other.
What comes out does not depend on how the input was cut into blocks.
Memory: `capacity` states and their keys.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from ..errors import InvalidInput
from .aggregation import Aggregation
from .lines import read_row, read_state, write_line

CAPACITY = 5000


class Flushed(NamedTuple):
    """One key that leaves the pot; bytes of it that are no UTF-8 are surrogates, as in `read_row`."""

    key: str
    aggregation: Aggregation[Any]
    state: Any


class Batch(Protocol):
    """What leaves together, in order."""

    def __iter__(self) -> Iterator[Flushed]: ...

    def __len__(self) -> int: ...

    def lines(self, as_of: float) -> bytes:
        """The three columns of each, as of an instant."""


Spill = Callable[[Batch], None]
Refuse = Callable[[int, bytes, InvalidInput], None]
"""Is told of a bad line: its number, from 1; the line without its end; what is wrong with it."""


class Leaving(tuple[Flushed, ...]):
    """A batch of states that are at hand."""

    __slots__ = ()

    def lines(self, as_of: float) -> bytes:
        return b"".join(write_line(key, aggregation, state, as_of) for key, aggregation, state in self)


@dataclass(slots=True)
class Held:
    """What the pot holds of one key."""

    aggregation: Aggregation[Any]
    state: Any
    values: int


class Pot:
    """Keys and their states, at most `capacity` of them; 0 as `flush` is never."""

    def __init__(
        self, spill: Spill, refuse: Refuse, capacity: int = CAPACITY, flush: int = 0, sorted: bool = False
    ) -> None:
        self._spill = spill
        self._refuse = refuse
        self._capacity = capacity
        self._flush = flush
        self._sorted = sorted
        self._held: OrderedDict[str, Held] = OrderedDict()
        self.rows = 0
        self.refused = 0

    @property
    def keys(self) -> int:
        return len(self._held)

    def add(self, block: bytes) -> None:
        """Whole lines, of which the last may lack its end."""
        lines = block.split(b"\n")
        if not lines[-1]:
            lines.pop()
        for line in lines:
            self.rows += 1
            try:
                self._add(line)
            except InvalidInput as error:
                self.refused += 1
                self._refuse(self.rows, line.rstrip(b"\r"), error)

    def _add(self, line: bytes) -> None:
        row = read_row(line)
        aggregation, state = read_state(row)
        held = self._held.get(row.key)
        if held is None:
            self._make_room()
            held = self._held[row.key] = Held(aggregation, state, 1)
        else:
            held.state = aggregation.merge(held.state, state)
            held.values += 1
            self._held.move_to_end(row.key)
        if self._flush and held.values >= self._flush:
            self._send([row.key])

    def _make_room(self) -> None:
        if self._sorted:
            self._send(list(self._held))
        elif len(self._held) >= self._capacity:
            self._send([next(iter(self._held))])

    def _send(self, keys: list[str]) -> None:
        if keys:
            leaving = [(key, self._held.pop(key)) for key in keys]
            self._spill(Leaving(Flushed(key, held.aggregation, held.state) for key, held in leaving))

    def state(self, key: str) -> tuple[Aggregation[Any], Any] | None:
        """What is known of a key now. Asking is no use of it."""
        held = self._held.get(key)
        return (held.aggregation, held.state) if held else None

    def finish(self) -> None:
        """All that is left leaves, what was used least recently first."""
        self._send(list(self._held))
