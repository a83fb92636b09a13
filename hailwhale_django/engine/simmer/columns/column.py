"""What every column has: the states of one family of aggregations, by place, to which many values come at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..aggregation import Aggregation
from ..arrays import Flags, Index, Places
from ..blocks import Span
from ..lines import write_state

Aggregations = Sequence[Aggregation[Any]]


@dataclass(frozen=True, slots=True)
class Portion:
    """The values of a block that are for one column: of each its text, and the number of its recipe."""

    values: Span
    recipes: Places
    aggregations: Aggregations


class States(Protocol):
    """States that have left a column, in the order in which they were asked for."""

    def __len__(self) -> int: ...

    def states(self) -> list[Any]: ...

    def lines(self, aggregations: Aggregations, as_of: float) -> list[bytes]:
        """What comes behind the key of each, from the tab to the line's end."""


@dataclass(frozen=True, slots=True)
class Listed:
    """States as they are."""

    listed: list[Any]

    def __len__(self) -> int:
        return len(self.listed)

    def states(self) -> list[Any]:
        return self.listed

    def lines(self, aggregations: Aggregations, as_of: float) -> list[bytes]:
        return [b"\t" + write_state(one, state, as_of) for one, state in zip(aggregations, self.listed, strict=True)]


class Column(ABC):
    """A place has no state until something is put there, and none again when it was taken."""

    __slots__ = ()

    @abstractmethod
    def read(self, portion: Portion) -> tuple[Any, Flags]:
        """What is to be put of each value; and which cannot be told here, and have to be read as states, one by one."""

    @abstractmethod
    def put(self, places: Places, portion: Portion, read: Any, which: Index) -> None:
        """Put such of the read values, in the order of lines, at places."""

    @abstractmethod
    def merge(self, place: int, aggregation: Aggregation[Any], state: Any) -> None:
        """Put a state at a place. Raises `InvalidInput` where it is too much for the state that is there."""

    @abstractmethod
    def state(self, place: int, aggregation: Aggregation[Any]) -> Any:
        """What is at a place."""

    def take(self, places: Places, aggregations: Aggregations) -> States:
        """What was at different places, of one aggregation each. Nothing is, then."""
        taken = Listed([self.state(place, one) for place, one in zip(places.tolist(), aggregations, strict=True)])
        self.clear(places)
        return taken

    @abstractmethod
    def clear(self, places: Places) -> None: ...
