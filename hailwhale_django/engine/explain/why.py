"""What is to be explained."""

from __future__ import annotations

from typing import NamedTuple

from ..domain.formula import Formula, Metric
from ..domain.paths import Path
from ..domain.period import Period
from ..errors import InvalidInput
from .measure import Measure

DEFAULT_DEPTH = 3
"""Levels of children that are looked into, unless it is said."""

DEFAULT_PARTS = 10
"""Rows that a table of parts shows, unless it is said."""


class Why(NamedTuple):
    """What is to be explained: the change of a formula at a path of a counter, from `compare` to `period`.

    Of `dimensions` (names), only these are looked into; `None` for all. `limit` is how many rows a table shows.
    """

    pk: Path
    dimension: Path
    formula: Formula
    period: Period
    compare: Period
    dimensions: tuple[str, ...] | None = None
    depth: int = DEFAULT_DEPTH
    limit: int = DEFAULT_PARTS


def explainable(formula: Formula) -> Formula:
    """The formula. Raises `InvalidInput` where nothing can carry a part of what it tells."""
    if not formula.is_number:
        raise InvalidInput("formula", str(formula), "it tells a list; explain something that tells a number")
    measure = Measure(formula)
    if not measure.leaves:
        raise InvalidInput("formula", str(formula), "it reads nothing of its own; name a metric without a level")
    levels = [leaf.name for leaf in measure.leaves if Formula.of(Metric(leaf.name)).is_level]
    if levels:
        expected = f"{levels[0]} tells how large values are, and no child has a part of that; explain a sum or a ratio"
        raise InvalidInput("formula", str(formula), expected)
    return formula
