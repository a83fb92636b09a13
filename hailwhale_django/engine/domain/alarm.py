"""Alarms: when a value leaves its bounds, and when it is back. No clock, no store: readings in, news out.

A *bout* lasts from when something is wrong until it is right again. In one bout each thing rings once: that it began,
and that there is no data. It begins beyond the threshold and ends within `clear_at`, so a value that trembles between
the two rings once. Each child is judged by its own bout and reading alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Literal

from ..errors import InvalidInput

Condition = Literal["above", "below", "rises", "falls", "silent"]
State = Literal["began", "ended", "silent"]
WithoutData = Literal["keep", "tell", "end"]

DOWNWARD = ("below", "falls")
COMPARING = ("rises", "falls")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a child is worth now: `None` without data.

    `before` is what it was in the period compared with, `weight` how much its value rests on; `None`: on nothing that
    could be too little.
    """

    value: float | None
    before: float | None = None
    weight: float | None = None

    @property
    def change(self) -> float | None:
        """In parts of what it was; of nothing there is none."""
        if self.value is None or not self.before:
            return None
        return (self.value - self.before) / abs(self.before)


@dataclass(frozen=True, slots=True)
class Bout:
    """Something is wrong `since` an instant; `value` was the last reading; what has rung in it."""

    since: float
    value: float | None = None
    rung: tuple[State, ...] = ()

    @classmethod
    def of_wire(cls, given: dict[str, Any]) -> Bout:
        return cls(given["since"], given.get("value"), tuple(given["rung"]))

    def to_wire(self) -> dict[str, Any]:
        return {"since": self.since, "value": self.value, "rung": list(self.rung)}


@dataclass(frozen=True, slots=True)
class Rule:
    """`threshold` and `clear_at` are values, of `rises` and `falls` parts of one. `least` is the least weight."""

    condition: Condition
    threshold: float = 0.0
    clear_at: float = 0.0
    least: float = 0.0
    without_data: WithoutData = "keep"

    @classmethod
    def parse(
        cls, condition: Any, threshold: Any, clear_at: Any = None, least: Any = 0.0, without_data: Any = "keep"
    ) -> Rule:
        """Read and check. Raises `InvalidInput` that names the argument."""
        if not _is_number(least) or least < 0:
            raise InvalidInput("least", least, "use a number from 0 on")
        if condition == "silent":
            return cls(condition, least=least, without_data="tell")
        if not _is_number(threshold):
            raise InvalidInput("threshold", threshold, "name the number at which it begins")
        if condition in COMPARING and threshold <= 0:
            raise InvalidInput("threshold", threshold, "use a part of one above 0; 0.2 is 20%")
        if condition == "falls" and threshold >= 1:
            raise InvalidInput(
                "threshold", threshold, "use a part of one; 0.2 is 20%, and nothing falls by more than 1"
            )
        end = threshold if clear_at is None else clear_at
        is_beyond = end < threshold if condition == "below" else end > threshold
        if not _is_number(end) or is_beyond:
            side = "at or above" if condition == "below" else "at or below"
            raise InvalidInput("clear_at", clear_at, f"use a number {side} the threshold, {threshold:g}")
        return cls(condition, float(threshold), float(end), float(least), without_data)

    @property
    def compares(self) -> bool:
        return self.condition in COMPARING

    def excess(self, reading: Reading) -> float | None:
        """What is compared with the threshold, the more the worse; `None` where that cannot be told."""
        found = reading.change if self.compares else reading.value
        return -found if found is not None and self.condition in DOWNWARD else found

    @property
    def begins_beyond(self) -> float:
        return -self.threshold if self.condition == "below" else self.threshold

    @property
    def ends_within(self) -> float:
        return -self.clear_at if self.condition == "below" else self.clear_at

    def is_too_little(self, reading: Reading) -> bool:
        return reading.weight is not None and reading.weight < self.least


def judge(rule: Rule, bout: Bout | None, reading: Reading, now: float) -> tuple[Bout | None, State | None]:
    """The bout from now on, if there is one, and what is news."""
    if reading.value is None:
        return _without_data(rule, bout, now)
    excess = None if rule.condition == "silent" or rule.is_too_little(reading) else rule.excess(reading)
    has_begun = bout is not None and "began" in bout.rung
    if excess is None:
        goes_on = has_begun
    elif has_begun:
        goes_on = excess > rule.ends_within
    else:
        goes_on = excess > rule.begins_beyond
    if not goes_on:
        return None, "ended" if bout else None
    return _ringing(bout, "began", reading.value, now)


def _without_data(rule: Rule, bout: Bout | None, now: float) -> tuple[Bout | None, State | None]:
    if rule.without_data == "tell":
        return _ringing(bout, "silent", None, now)
    if rule.without_data == "end":
        return None, "ended" if bout else None
    return bout, None


def _ringing(bout: Bout | None, state: State, value: float | None, now: float) -> tuple[Bout, State | None]:
    """The bout goes on, or begins; what has rung in it does not ring again."""
    bout = bout or Bout(now)
    if state in bout.rung:
        return replace(bout, value=value), None
    return replace(bout, value=value, rung=(*bout.rung, state)), state


def _is_number(given: Any) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and isfinite(given)
