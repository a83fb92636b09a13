"""The way from one number to another, part by part: a bar for each, begun where the one before ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import floor, log10
from typing import Any

NEAR = 0.5
"""An axis begins at zero unless what the bars span is less than so many parts of how far they are from there."""

ROOM = 0.1
"""How far below the lowest bar an axis begins that does not begin at zero, in parts of what the bars span."""


@dataclass(frozen=True, slots=True)
class Step:
    """A part: its name, its size and how that is written, whether it is "good" or "bad", and where a click leads."""

    name: str
    size: float
    text: str
    tone: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class End:
    """A number at one end of the way."""

    name: str
    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Waterfall:
    """From `before` by all `steps` to `now`. `axis` says how numbers are written where there is little room."""

    before: End
    steps: Sequence[Step]
    now: End
    axis: tuple[str, int, str]

    @property
    def levels(self) -> list[float]:
        """Where each step begins, and where the last ends."""
        return list(accumulate((step.size for step in self.steps), initial=self.before.value))

    @property
    def base(self) -> float:
        """Where the axis begins: at zero, unless what happens would be small and far from there."""
        levels = [*self.levels, self.now.value]
        low, high = min(levels), max(levels)
        span = high - low
        if not span:
            return 0.0
        if span < NEAR * low:
            return _below(low, span)
        return -_below(-high, span) if span < NEAR * -high else 0.0

    @property
    def data(self) -> dict[str, Any]:
        """What the script draws."""
        base, levels = self.base, self.levels
        steps = [
            {
                "name": step.name,
                "text": step.text,
                "begin": levels[at],
                "end": levels[at + 1],
                "tone": step.tone,
                "link": step.link,
            }
            for at, step in enumerate(self.steps)
        ]
        ends = [
            {"name": end.name, "text": end.text, "begin": base, "end": end.value, "tone": "end", "link": ""}
            for end in (self.before, self.now)
        ]
        return {"bars": [ends[0], *steps, ends[1]], "base": base, "axis": self.axis}


def _below(low: float, span: float) -> float:
    """A round number a little below another."""
    unit = 10.0 ** floor(log10(span))
    return floor((low - ROOM * span) / unit) * unit
