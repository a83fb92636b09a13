"""What was known of options at the end of each day: lines with the intervals around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ..engine.chooser import Weighed
from ..engine.decide.aim import Aim
from ..engine.domain.period import Period
from ..engine.experiment import Days
from . import writing
from .alternatives import interval
from .graph import edges

MOST_LINES = 8
MOST_BANDS = 4
"""Of more lines than that, the intervals would hide each other; the table has them."""


@dataclass(frozen=True, slots=True)
class Band:
    """An option's line: a mean and the ends of its interval, by day; `None` where nothing was known yet."""

    name: str
    number: int
    points: list[float | None]
    low: list[float | None]
    high: list[float | None]


@dataclass(frozen=True, slots=True)
class Bands:
    """Lines of options over the days of a period, of which the last may not be over."""

    formula: str
    period: Period
    lines: list[Band]
    unfinished: bool

    @property
    def by(self) -> str:
        return writing.each(self.period.interval)

    def data(self) -> dict[str, Any]:
        """What the script draws; texts it reads from the table of numbers."""
        banded = len(self.lines) <= MOST_BANDS
        return {
            "ticks": writing.ticks(self.period),
            **edges(self.period),
            "unfinished": self.unfinished,
            "lines": [
                {"number": line.number, "before": False, "points": line.points}
                | ({"low": line.low, "high": line.high} if banded else {})
                for line in self.lines
            ],
        }

    def numbers(self) -> list[tuple[str, list[str]]]:
        """The same as a table: each day's label, and a text for each line."""
        return [
            (label, [_text(line, at) for line in self.lines]) for at, label in enumerate(writing.labels(self.period))
        ]


def bands(days: Days, best: Sequence[str], weighed: Weighed, aim: Aim, now: float) -> Bands | None:
    """As the policy would have judged at the end of each day, of the first of the `best`; `None`: nothing is known."""
    if not days.has_events:
        return None
    sides = days.judged(weighed)
    lines = [
        Band(option, number, *(_column(side.tolist(), days.options.index(option)) for side in sides))
        for number, option in enumerate(best[:MOST_LINES], 1)
    ]
    return Bands(aim.formula, days.period, lines, days.period.span[1] > now)


def _column(rows: Sequence[Sequence[float]], at: int) -> list[float | None]:
    return [row[at] if isfinite(row[at]) else None for row in rows]


def _text(line: Band, at: int) -> str:
    value, low, high = line.points[at], line.low[at], line.high[at]
    if value is None or low is None or high is None:
        return writing.NOTHING
    return f"{writing.number(value, ratio=True)} ({interval(low, high)})"
