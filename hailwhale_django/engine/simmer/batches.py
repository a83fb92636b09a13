"""What leaves the pot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from .aggregation import Aggregation
from .blocks import Places
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
    """The states of one column, and which of all they are."""

    which: Places
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
        written = [
            part.states.lines([self.aggregations[one] for one in part.which.tolist()], as_of) for part in self.parts
        ]
        pairs = zip(self.keys, self._in_order(written), strict=True)
        return b"".join([b"%b\t%b" % pair for pair in pairs])

    def _in_order(self, found: Sequence[list[Any]]) -> list[Any]:
        if len(found) == 1:
            return found[0]
        ordered: list[Any] = [None] * len(self)
        for part, values in zip(self.parts, found, strict=True):
            for one, value in zip(part.which.tolist(), values, strict=True):
                ordered[one] = value
        return ordered
