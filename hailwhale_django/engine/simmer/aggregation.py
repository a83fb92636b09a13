"""What every family of aggregations has: prepare, merge, present, dump, load.

A *state* is what is known of one or more values; there is no empty one. `prepare` makes it of raw values, `merge` of
two states. Merging is commutative and associative in what is presented: any order, any split and any tree of merges
tells the same. Each family's file opens with how exactly that holds, what a state costs and what it does not do.

States are never changed: a merge makes a new one, and may share what it does not change.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import reduce
from math import inf, nan
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from .figures import written

State = TypeVar("State")

AS_IT_STANDS = -inf
"""As of no instant: what decays is told as of its own newest value."""


class Aggregation(ABC, Generic[State]):
    """One way to combine values into one, with its parameters.

    `kind` names what may be merged: states of equal kind, whatever else their recipes ask to be told about them.
    """

    __slots__ = ()

    columns: ClassVar[int] = 1
    """How many numbers a raw value is made of, joined by colons; 0 where it may be any text."""

    @property
    @abstractmethod
    def kind(self) -> str: ...

    @abstractmethod
    def prepare(self, values: Sequence[str]) -> State:
        """The state of raw values, of which there is at least one. Raises `InvalidInput` if any of them will not do."""

    def check(self, value: str) -> None:
        """Raises `InvalidInput` for a raw value that `prepare` would not take."""
        self.prepare([value])

    @abstractmethod
    def merge(self, left: State, right: State) -> State: ...

    def merge_all(self, states: Sequence[State]) -> State:
        """Of one state or more."""
        return reduce(self.merge, states)

    def load_all(self, groups: Sequence[Sequence[bytes]]) -> list[State | None]:
        """The states of groups of bodies, each merged; `None` for a group without any. Raises `InvalidInput`."""
        return [self.merge_all([self.load(body) for body in bodies]) if bodies else None for bodies in groups]

    def digest(self, values: Sequence[str]) -> NDArray[Any]:
        """Raw values [value] in whatever form `gather` takes parts of; the costly half of `prepare`, done once."""
        found = np.empty(len(values), dtype=object)
        found[:] = values
        return found

    def gather(self, digested: NDArray[Any]) -> State:
        """The state of some of the values of a digest, of which there is at least one."""
        return self.prepare(digested.tolist())

    @abstractmethod
    def present(self, state: State, as_of: float = AS_IT_STANDS) -> str:
        """The value for people, as of an instant in seconds since 1970; only what decays minds which."""

    @abstractmethod
    def dump(self, state: State) -> bytes:
        """The state as bytes, to be kept in an envelope."""

    @abstractmethod
    def load(self, body: bytes) -> State:
        """The state of bytes that may come from anywhere. Raises `InvalidInput` for what `dump` would not write."""

    def plain(self, state: State) -> str | None:
        """The raw value that stands for the whole state, if there is one."""
        return None

    def pairs(self, state: State, as_of: float = AS_IT_STANDS) -> list[tuple[Any, float]] | None:
        """What a list is made of: items and their numbers, or upper edges and counts."""
        return None


class Numeric(Aggregation[State]):
    """An aggregation that tells one number, so that others can rank by it."""

    __slots__ = ()

    nothing: ClassVar[float] = nan
    """What no values at all are worth: 0 where there is a sum or a count of nothing, else there is no telling."""

    @abstractmethod
    def measure(self, state: State, as_of: float = AS_IT_STANDS) -> float: ...

    def present(self, state: State, as_of: float = AS_IT_STANDS) -> str:
        return written(self.measure(state, as_of))

    def newest(self, state: State) -> float:
        """The instant from which on states of this kind can be compared; any where nothing decays."""
        return AS_IT_STANDS

    def size(self, state: State) -> int:
        """About how many bytes a state takes."""
        return 200
