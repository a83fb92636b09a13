"""Aggregations that tell a number of numbers: sum, min, max, count, avg, var, std, first, last.

Guarantee: exact. What is told is the double nearest to the true sum, mean or variance of the values (to 1 in 2^52, for
the root in `std`), whatever the order, the split and the tree of merges; the others tell a value that was given.
`var` is that of the values themselves (divided by their number, not one less): one value has variance 0.
`first` and `last` go by the timestamps of `timestamp:number`; of one instant, by the smaller or the larger number.

Memory: some 500 bytes; at most 1,000 (`var` of numbers at both ends of what doubles hold).

Fails: NaN and infinity are refused. A sum beyond the largest double is kept exactly, and told as `inf`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from . import wire
from .aggregation import AS_IT_STANDS, Numeric
from .exact import ONE, exact, exact_sum, quotient, root
from .figures import Stamped, numbers, stamped, written
from .hashing import check_size


@dataclass(frozen=True, slots=True)
class Sum(Numeric[int]):
    """The state is the sum, in units of `exact`."""

    kind = "sum"
    nothing = 0.0

    def prepare(self, values: Sequence[str]) -> int:
        return exact_sum(numbers(values))

    def merge(self, left: int, right: int) -> int:
        return left + right

    def measure(self, state: int, as_of: float = AS_IT_STANDS) -> float:
        return quotient(state, ONE)

    def dump(self, state: int) -> bytes:
        return wire.integer(state)

    def load(self, body: bytes) -> int:
        reader = wire.Reader(body)
        units = reader.integer()
        reader.end()
        return units

    def plain(self, state: int) -> str | None:
        """The sum itself, if a double holds it."""
        return _as_double(state)


def _as_double(units: int) -> str | None:
    value = quotient(units, ONE)
    return written(value) if abs(value) != float("inf") and exact(value) == units else None


@dataclass(frozen=True, slots=True)
class Extreme(Numeric[float]):
    """The state is one of the values."""

    def prepare(self, values: Sequence[str]) -> float:
        return self.pick(numbers(values))

    def merge(self, left: float, right: float) -> float:
        return self.pick((left, right))

    @abstractmethod
    def pick(self, values: Sequence[float]) -> float: ...

    def measure(self, state: float, as_of: float = AS_IT_STANDS) -> float:
        return state

    def dump(self, state: float) -> bytes:
        return wire.double(state)

    def load(self, body: bytes) -> float:
        reader = wire.Reader(body)
        value = reader.double()
        reader.end()
        return value

    def plain(self, state: float) -> str | None:
        return written(state)


@dataclass(frozen=True, slots=True)
class Min(Extreme):
    kind = "min"

    def pick(self, values: Sequence[float]) -> float:
        return min(values)


@dataclass(frozen=True, slots=True)
class Max(Extreme):
    kind = "max"

    def pick(self, values: Sequence[float]) -> float:
        return max(values)


@dataclass(frozen=True, slots=True)
class Count(Numeric[int]):
    """How many values there were, of any text. One state is no raw value, so it is never written as one."""

    kind = "count"
    columns = 0
    nothing = 0.0

    def prepare(self, values: Sequence[str]) -> int:
        return len(values)

    def check(self, value: str) -> None:
        check_size(value)

    def merge(self, left: int, right: int) -> int:
        return left + right

    def measure(self, state: int, as_of: float = AS_IT_STANDS) -> float:
        return float(state)

    def dump(self, state: int) -> bytes:
        return wire.whole(state)

    def load(self, body: bytes) -> int:
        reader = wire.Reader(body)
        count = reader.whole()
        reader.end()
        return count


Moments = tuple[int, ...]
"""How many, and the sums of the first one or two powers, in units of `exact` and in squares of these."""


@dataclass(frozen=True, slots=True)
class Mean(Numeric[Moments]):
    powers = 1

    def prepare(self, values: Sequence[str]) -> Moments:
        given = numbers(values)
        return (len(given), exact_sum(given))

    def merge(self, left: Moments, right: Moments) -> Moments:
        return tuple(map(sum, zip(left, right, strict=True)))

    def dump(self, state: Moments) -> bytes:
        return b"".join(map(wire.integer, state))

    def load(self, body: bytes) -> Moments:
        reader = wire.Reader(body)
        moments = tuple(reader.integer() for _ in range(1 + self.powers))
        reader.end()
        if not self.is_sound(moments):
            raise reader.refused("no values have these moments")
        return moments

    def is_sound(self, moments: Moments) -> bool:
        return moments[0] > 0


@dataclass(frozen=True, slots=True)
class Avg(Mean):
    kind = "avg"

    def measure(self, state: Moments, as_of: float = AS_IT_STANDS) -> float:
        count, total = state
        return quotient(total, count * ONE)


@dataclass(frozen=True, slots=True)
class Var(Mean):
    kind = "var"
    powers = 2

    def prepare(self, values: Sequence[str]) -> Moments:
        units = list(map(exact, numbers(values)))
        return (len(units), sum(units), sum(unit * unit for unit in units))

    def measure(self, state: Moments, as_of: float = AS_IT_STANDS) -> float:
        return quotient(*_variance(state))

    def is_sound(self, moments: Moments) -> bool:
        return moments[0] > 0 and _variance(moments)[0] >= 0


def _variance(moments: Moments) -> tuple[int, int]:
    count, total, squares = moments
    return count * squares - total * total, (count * ONE) ** 2


@dataclass(frozen=True, slots=True)
class Std(Var):
    kind = "var"

    def measure(self, state: Moments, as_of: float = AS_IT_STANDS) -> float:
        return root(*_variance(state))


@dataclass(frozen=True, slots=True)
class Dated(Numeric[Stamped]):
    """Of `timestamp:number`; the state is an instant and a number."""

    columns = 2

    def dump(self, state: Stamped) -> bytes:
        return b"".join(map(wire.double, state))

    def load(self, body: bytes) -> Stamped:
        reader = wire.Reader(body)
        state = reader.double(), reader.double()
        reader.end()
        return state


@dataclass(frozen=True, slots=True)
class First(Dated):
    """The state is the earliest instant and its number."""

    kind = "first"

    def prepare(self, values: Sequence[str]) -> Stamped:
        return self.pick(stamped(values))

    def merge(self, left: Stamped, right: Stamped) -> Stamped:
        return self.pick((left, right))

    def pick(self, values: Sequence[Stamped]) -> Stamped:
        return min(values)

    def measure(self, state: Stamped, as_of: float = AS_IT_STANDS) -> float:
        return state[1]


@dataclass(frozen=True, slots=True)
class Last(First):
    kind = "last"

    def pick(self, values: Sequence[Stamped]) -> Stamped:
        return max(values)
