"""Lines over time: what a graph draws, and the same as numbers; and the small graphs of the list of counters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import fsum
from typing import Any, Literal, TypeAlias, get_args

from django.utils.translation import gettext

from ..engine.domain.formula import Formula
from ..engine.domain.period import Period
from ..engine.domain.sketch import sketch_of
from ..engine.errors import InvalidInput
from ..engine.simmer.numbers import Count, Sum
from ..engine.simmer.unique import Unique
from . import writing
from .column import Column
from .marks import Mark, Noted, noted, placed

MAX_LINES = 8
"""As many lines, colours and dashes as can be told apart."""

DEFAULT_LINES = 5

Points = Sequence[float | None]
Style: TypeAlias = Literal["line", "area", "bar"]

# What floats make up by adding and subtracting, and no place that is kept.
_DECIMALS_OF_REST = 9

SPARK_WIDTH, SPARK_HEIGHT = 120, 28


def style_of(given: Any) -> Style:
    """Read how a graph is drawn. Raises `InvalidInput`."""
    for style in get_args(Style):
        if given == style:
            return style  # type: ignore[no-any-return]
    raise InvalidInput("style", given, "use line, area or bar")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a row's, the whole's, what it was in the period compared with, or what all other rows make up.

    `number` is its colour; (other) has 0, and one of the period compared with that of the line it belongs to.
    """

    name: str
    number: int
    points: Points
    whole: bool = False
    before: bool = False
    other: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """What must be said of a graph: always, or (`when`) where it is drawn in this style or on a log scale."""

    text: str
    when: str = ""
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Graph:
    """Lines of one formula over the buckets of a period, of which the last may not be over.

    `parts` says that no two lines (the whole apart) tell of the same events. `log` is a scale of powers of ten, `marks`
    what happened meanwhile. Area and bars are stacked where parts add up; (other) is drawn in a stack only.
    """

    formula: Formula
    period: Period
    lines: list[Line]
    unfinished: bool
    style: Style = "line"
    log: bool = False
    marks: Sequence[Mark] = ()
    parts: bool = True
    title: str = ""
    column: Column | None = None

    @property
    def by(self) -> str:
        return writing.each(self.period.interval)

    @property
    def stacks(self) -> bool:
        """Whether it can be stacked: its points add up to those of the whole."""
        return self.parts and self.formula.is_linear

    @property
    def is_stacked(self) -> bool:
        return self.stacks and self.style != "line" and not self.log

    @property
    def remarks(self) -> list[Remark]:
        """All that may have to be said, for a page on which style and scale can be chosen."""
        found = [Remark(text) for text in (_adding_up(self.formula),) if text]
        if not self.stacks and len([line for line in self.lines if not line.before]) > 1:
            area = gettext("These do not add up to a whole, so areas are drawn as lines.")
            bar = gettext("These do not add up to a whole, so bars stand side by side.")
            found += [Remark(area, "area", self.style == "area"), Remark(bar, "bar", self.style == "bar")]
        log = gettext("On a log scale there is no 0 and nothing below: these are gaps, and nothing is stacked.")
        return [*found, Remark(log, "log", self.log)]

    @property
    def note(self) -> str:
        """What must be said of it as it is drawn."""
        return " ".join(remark.text for remark in self.remarks if remark.shown)

    @property
    def notes(self) -> list[Noted]:
        """The marks in words."""
        return noted(self.marks, self.period)

    def data(self) -> dict[str, Any]:
        """What the script draws; texts it reads from the table of numbers."""
        return {
            "ticks": writing.ticks(self.period),
            **edges(self.period),
            "unfinished": self.unfinished,
            "axis": None if self.column is None else self.column.axis,
            "stacks": self.stacks,
            "marks": placed(self.marks, self.period),
            "lines": [
                {
                    "number": line.number,
                    "before": line.before,
                    "whole": line.whole,
                    "other": line.other,
                    "points": list(line.points),
                }
                for line in self.lines
            ],
        }

    def text(self, value: float | None) -> str:
        """A number as the graph's column writes it."""
        return writing.told(value, self.formula) if self.column is None else self.column.text(value)

    def numbers(self) -> list[tuple[str, list[str]]]:
        """The same as a table: each bucket's label, and a text for each line."""
        # Writing a number in a language takes longer than finding it; of counts most come again.
        values = {value for line in self.lines for value in line.points}
        texts = {value: self.text(value) for value in values}
        columns = [[texts[value] for value in line.points] for line in self.lines]
        return [
            (label, list(row))
            for label, row in zip(writing.labels(self.period), zip(*columns, strict=True), strict=True)
        ]


def with_other(graph: Graph, whole: Points) -> Graph:
    """The graph with what its lines lack to the whole, if that is anything.

    Where they make up more than the whole, as children do of which one event can have several, they are no parts of it.
    """
    drawn = [line for line in graph.lines if not (line.whole or line.before)]
    if len(drawn) < 2 or not graph.stacks:
        return graph
    rest = list(_rest([line.points for line in drawn], whole))
    if any(value < 0 for value in rest):
        return replace(graph, parts=False)
    if not any(rest):
        return graph
    names = {line.name for line in graph.lines}
    name = gettext("(other)") if gettext("(other)") not in names else gettext("(all others)")
    return replace(graph, lines=[*graph.lines, Line(name, 0, rest, other=True)])


def _rest(parts: Sequence[Points], whole: Points) -> Iterator[float]:
    for at, value in enumerate(whole):
        lacking = fsum([value or 0.0, *(-(points[at] or 0.0) for points in parts)])
        yield round(lacking, _DECIMALS_OF_REST) + 0.0


def edges(period: Period) -> dict[str, list[str]]:
    """Where each bucket begins, as a program reads it; and its last date, as a period `a..b` takes it."""
    begins, ends = [], []
    for bucket in period.buckets:
        since, until = period.span_of(bucket)
        begin, end = (datetime.fromtimestamp(at, UTC).astimezone(period.zone) for at in (since, until - 1))
        begins.append(begin.isoformat(timespec="seconds") if period.interval.on_the_clock else str(begin.date()))
        ends.append(str(end.date()))
    return {"edges": begins, "ends": ends}


def _adding_up(formula: Formula) -> str:
    """What must be said of points that do not add up to the total."""
    sketches = list(filter(None, map(sketch_of, formula.metrics)))
    if all(isinstance(sketch.aggregation, Sum | Count) for sketch in sketches):
        return ""
    if all(isinstance(sketch.aggregation, Unique) for sketch in sketches) and not formula.is_ratio:
        return gettext(
            "Each point counts what was different in its own time. What comes again later is counted there, too, "
            "so the points do not add up to the total."
        )
    return gettext("Each point tells of its own time alone: the total is neither their sum nor their mean.")


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
