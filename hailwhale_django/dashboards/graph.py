"""Lines over time: what a graph draws, and the same as numbers; and the small graphs of the list of counters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from ..engine.domain.formula import Formula
from ..engine.domain.period import Period
from ..engine.domain.sketch import sketch_of
from ..engine.simmer.numbers import Count, Sum
from ..engine.simmer.unique import Unique
from . import writing

MAX_LINES = 8
"""As many lines, colours and dashes as can be told apart."""

DEFAULT_LINES = 5

Points = Sequence[float | None]

SPARK_WIDTH, SPARK_HEIGHT = 120, 28


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a row's, or (`number` 0) what another one was in the period compared with."""

    name: str
    number: int
    points: Points
    whole: bool = False
    before: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """Lines of one formula over the buckets of a period, of which the last may not be over."""

    formula: Formula
    period: Period
    lines: list[Line]
    unfinished: bool
    before_labels: list[str] | None = None

    @property
    def by(self) -> str:
        return writing.each(self.period.interval)

    @property
    def note(self) -> str:
        """What must be said of points that do not add up."""
        sketches = list(filter(None, map(sketch_of, self.formula.metrics)))
        if all(isinstance(sketch.aggregation, Sum | Count) for sketch in sketches):
            return ""
        if all(isinstance(sketch.aggregation, Unique) for sketch in sketches) and not self.formula.is_ratio:
            return gettext(
                "Each point counts what was different in its own time. What comes again later is counted there, too, "
                "so the points do not add up to the total."
            )
        return gettext("Each point tells of its own time alone: the total is neither their sum nor their mean.")

    def data(self) -> dict[str, Any]:
        """What the script draws; texts it reads from the table of numbers."""
        return {
            "ticks": writing.ticks(self.period),
            "unfinished": self.unfinished,
            "lines": [
                {"number": line.number, "before": line.before, "points": list(line.points)} for line in self.lines
            ],
        }

    def numbers(self) -> list[tuple[str, list[str]]]:
        """The same as a table: each bucket's label, and a text for each line."""
        columns = [[writing.told(value, self.formula) for value in line.points] for line in self.lines]
        return [
            (label, list(row))
            for label, row in zip(writing.labels(self.period), zip(*columns, strict=True), strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Spark:
    """A small graph: a line and the area below it, as points of an SVG."""

    line: str
    area: str
    width: int = SPARK_WIDTH
    height: int = SPARK_HEIGHT


def spark(points: Points) -> Spark:
    """A line through these values, from zero (or the least, below it) to the greatest."""
    values = [value or 0.0 for value in points]
    low, high = min(0.0, *values), max(0.0, *values)
    step = SPARK_WIDTH / max(len(values) - 1, 1)
    # The line is two wide: at the edges it would be cut in half.
    inner = SPARK_HEIGHT - 4

    def y(value: float) -> float:
        return 2 + inner - ((value - low) / (high - low) * inner if high > low else 0)

    corners = [f"{at * step:.1f},{y(value):.1f}" for at, value in enumerate(values)]
    bottom = f"{y(0):.1f}"
    return Spark(" ".join(corners), " ".join([f"0,{bottom}", *corners, f"{SPARK_WIDTH},{bottom}"]))
