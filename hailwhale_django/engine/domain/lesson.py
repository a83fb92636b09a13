"""Lessons: what an event teaches about the option that was decided for.

An event of a decision counts on the option's counter, `[..., decision, option]`, as any other. Beside that it adds to
the evidence of the decision: to sums over events (how many, of each metric the sum, of each two the sum of products,
how often each was not 0), for every group of visitors, a *cell*, that the visitor belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

from ..errors import InvalidInput, TooLarge
from .event import HITS

EVENTS = "n"
"""The name of the sum that counts events."""

MOST_METRICS = 8
"""Of one event: of each two a product is kept."""

MOST_CELLS = 32
MOST_SUMS = 64

PAIRED = "\x1f"
"""Between the two metrics of a product: no metric's name has it."""


class Lesson(NamedTuple):
    """Sums to add to cells, by the names of both."""

    cells: tuple[str, ...]
    sums: tuple[tuple[str, float], ...]


def total_of(metric: str) -> str:
    """The name of a metric's sum."""
    return f"={metric}"


def presence_of(metric: str) -> str:
    """The name of how often a metric was not 0."""
    return f"#{metric}"


def product_of(one: str, other: str) -> str:
    """The name of the sum of two metrics' products, or of one's squares."""
    return f"*{PAIRED.join(sorted((one, other)))}"


def prediction_of(formula: str) -> str:
    """The name of the sum of what a formula's numerators were predicted to be."""
    return f"~{formula}"


def sums_of(values: Mapping[str, float], before: Mapping[str, float] | None = None) -> dict[str, float]:
    """What an event with these values adds to sums; where it adds to what a visitor had `before`, the difference.

    A visitor who came (`{"visitors": 1}`) and buys later (`{"revenue": 25}`) is one event in the end, with both. `hits`
    alone says nothing more than that there was an event, and is left out where it is 1.
    """
    after = dict(before or {})
    for metric, value in values.items():
        if metric != HITS or value != 1:
            after[metric] = after.get(metric, 0.0) + value
    if len(after) > MOST_METRICS:
        raise TooLarge("metrics", list(after), f"a decision's event has at most {MOST_METRICS} metrics besides hits")
    new, old = _sums(after), {} if before is None else _sums(before)
    return {name: change for name, value in new.items() if (change := value - old.get(name, 0.0))}


def _sums(values: Mapping[str, float]) -> dict[str, float]:
    found = {EVENTS: 1.0}
    metrics = sorted(values)
    for at, metric in enumerate(metrics):
        found[total_of(metric)] = values[metric]
        found[presence_of(metric)] = float(values[metric] != 0)
        for other in metrics[at:]:
            found[product_of(metric, other)] = values[metric] * values[other]
    return found


def lesson_of(found: Any) -> Lesson:
    """A lesson as it is written down: `{"cells": [...], "sums": {...}}`. Raises `InvalidInput`."""
    try:
        cells, sums = tuple(found["cells"]), found["sums"]
        good = len(found) == 2 and all(isinstance(cell, str) and cell and "\n" not in cell for cell in cells)
        good = good and len(cells) <= MOST_CELLS and len(sums) <= MOST_SUMS
        pairs = tuple((name, float(value)) for name, value in sums.items())
        if good and all(name and "\n" not in name and isfinite(value) for name, value in pairs):
            return Lesson(cells, pairs)
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    raise InvalidInput("lesson", found, 'it is no {"cells": [...], "sums": {...}}')
