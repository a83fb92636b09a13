"""dcy: a sum in which a value loses half its weight in each half-life; raw values are `timestamp:number`.

The state is the sum as of its newest timestamp. It is told as of an instant, in a command the end of the current day
(`end_of_day`); a state with a timestamp after that is told as it stands and not blown up.

Guarantee: within 1 in 10^9 of the true sum of the absolute values, in any order and any split. (Decayed doubles are
rounded, so splits may differ in the last digits.)
Memory: 16 bytes.
Fails: one timestamp in the far future makes all else vanish beside it. Values below what a double holds become 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from .aggregation import AS_IT_STANDS
from .figures import Stamped, stamped
from .numbers import Dated


@dataclass(frozen=True, slots=True)
class Decay(Dated):
    """The state is an instant and the sum as of it. It does not tell the half-life, so that is part of its kind."""

    half_life: int = 86_400

    nothing = 0.0

    @property
    def kind(self) -> str:
        return f"dcy{self.half_life}"

    def prepare(self, values: Sequence[str]) -> Stamped:
        return self._summed(stamped(values))

    def merge(self, left: Stamped, right: Stamped) -> Stamped:
        return self._summed((left, right))

    def _summed(self, parts: Sequence[Stamped]) -> Stamped:
        newest = max(at for at, _ in parts)
        return newest, _total([value * self._left_after(newest - at) for at, value in parts])

    def _left_after(self, seconds: float) -> float:
        return math.exp(-seconds * math.log(2) / self.half_life)

    def measure(self, state: Stamped, as_of: float = AS_IT_STANDS) -> float:
        at, value = state
        return value * self._left_after(max(as_of - at, 0.0))

    def newest(self, state: Stamped) -> float:
        return state[0]


def _total(values: list[float]) -> float:
    """Their sum; where a double does not hold it, the largest that it holds."""
    try:
        return math.fsum(values)
    except OverflowError:
        return math.copysign(math.nextafter(math.inf, 0), sum(value / len(values) for value in values))


def end_of_day(now: float, zone: tzinfo) -> float:
    """The next midnight of a zone, in seconds since 1970."""
    tomorrow = datetime.fromtimestamp(now, zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone).timestamp()
