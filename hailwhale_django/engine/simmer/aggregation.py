"""What every family of aggregations has: prepare, merge, present, dump, load.

A *state* is what is known of one or more values; there is no empty one. `prepare` makes it of raw values, `merge` of
two states. Merging is commutative and associative in what is presented: any order, any split and any tree of merges
tells the same. Each family's file opens with how exactly that holds, what a state costs and what it does not do.

States are never changed: a merge makes a new one, and may share what it does not change.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import inf
from typing import ClassVar, Generic, TypeVar

from .figures import written

State = TypeVar("State")

AS_IT_STANDS = -inf
"""As of no instant: what decays is told as of its own newest value."""


class Aggregation(ABC, Generic[State]):
    """One way to combine values into one, with its parameters.

    `kind` names what may be merged: states of equal kind, whatever else their recipes ask to be told about them.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def kind(self) -> str: ...

    @abstractmethod
    def prepare(self, values: Sequence[str]) -> State:
        """The state of raw values, of which there is at least one. Raises `InvalidInput` if any of them will not do."""

    @abstractmethod
    def merge(self, left: State, right: State) -> State: ...

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


class Numeric(Aggregation[State]):
    """An aggregation that tells one number, so that others can rank by it."""

    __slots__ = ()

    columns: ClassVar[int] = 1
    """How many numbers a raw value is made of, joined by colons; 0 where it may be any text."""

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
