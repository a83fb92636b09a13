"""What leaves the pot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple, Protocol

from .aggregation import Aggregation
from .arrays import Places
from .columns.column import Aggregations, States


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


@dataclass(frozen=True, slots=True)
class Part:
    """The states of one column, how each is told, and which of all they are."""

    which: Places
    aggregations: Aggregations
    states: States


@dataclass(frozen=True, slots=True)
class Served:
    """Keys with their states, which came from several columns."""

    keys: Sequence[bytes]
    aggregations: Aggregations
    parts: Sequence[Part]

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[Flushed]:
        states = self._in_order([part.states.states() for part in self.parts])
        for key, aggregation, state in zip(self.keys, self.aggregations, states, strict=True):
            yield Flushed(key.decode("utf-8", "surrogateescape"), aggregation, state)

    def lines(self, as_of: float) -> bytes:
        written = self._in_order([part.states.lines(part.aggregations, as_of) for part in self.parts])
        return b"".join(chain.from_iterable(zip(self.keys, written, strict=True)))

    def _in_order(self, found: Sequence[list[Any]]) -> list[Any]:
        if len(found) == 1:
            return found[0]
        ordered: list[Any] = [None] * len(self)
        for part, values in zip(self.parts, found, strict=True):
            for one, value in zip(part.which.tolist(), values, strict=True):
                ordered[one] = value
        return ordered
