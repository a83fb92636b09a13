"""A world: what was counted by path and day, what is asked about it, and what made the number move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hailwhale_django.engine.domain.crossing import MARK, is_crossing
from hailwhale_django.engine.domain.paths import WHOLE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

METRICS = ("visits", "orders", "revenue")
PAST = 6


@dataclass(frozen=True, slots=True)
class Cause:
    """A path whose numbers were changed; `accepted` are the texts that mean the same events, its own among them."""

    path: str
    accepted: frozenset[str]


@dataclass(frozen=True)
class World:
    """`cells[path][metric, day]` over `past + 2` periods of `days`; the last is asked about, against the one before.

    `formula` is a metric or one metric over another. The paths are as a counter has them: the whole, dimensions, their
    children, children's children, and crossed tables in both directions.
    """

    kind: str
    formula: str
    metrics: tuple[str, ...]
    days: int
    past: int
    cells: Mapping[str, Floats]
    causes: tuple[Cause, ...]

    def children(self, table: str) -> list[str]:
        """The paths that are rows of a table; none where there is no such table."""
        return self.tables.get(table, [])

    @cached_property
    def tables(self) -> dict[str, list[str]]:
        """All tables, by text. Crossed tables are none of a value's children: `country/US/×device` is not a region."""
        found: dict[str, list[str]] = {}
        for path in self.cells:
            table, _, name = path.rpartition("/")
            if path != WHOLE and not is_crossing(name):
                found.setdefault(table or WHOLE, []).append(path)
        return found

    @cached_property
    def values(self) -> list[str]:
        """The paths that are values, at whatever depth: neither the whole nor a dimension."""
        return [path for table, rows in self.tables.items() if table != WHOLE for path in rows]

    @cached_property
    def terms(self) -> tuple[int, ...]:
        """The metrics of the formula: one for a sum, numerator and denominator for a ratio."""
        return tuple(map(self.metrics.index, self.formula.split("/")))

    @property
    def is_ratio(self) -> bool:
        return len(self.terms) == 2

    @cached_property
    def totals(self) -> dict[str, Floats]:
        """`totals[path][metric, period]`."""
        return {path: cells.reshape(len(self.metrics), -1, self.days).sum(axis=2) for path, cells in self.cells.items()}

    def amounts(self, paths: list[str]) -> Floats:
        """What these counted of the formula's terms: `[path, term, period]`."""
        return np.array([self.totals[path][list(self.terms)] for path in paths])

    @cached_property
    def whole(self) -> Floats:
        """The formula's value of the whole, by period."""
        return value_of(self.amounts([WHOLE])[0])


def value_of(amounts: Floats) -> Floats:
    """The value of a formula whose terms are given along the first axis; 0 where a ratio's denominator is."""
    if len(amounts) == 1:
        return np.asarray(amounts[0])
    numerator, denominator = amounts
    return np.asarray(np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0))


def halves(crossed: str) -> tuple[str, str]:
    """Of `country/US/×device/mobile`: `country/US` and `device/mobile`."""
    one, other = crossed.split(f"/{MARK}")
    return one, other


def mirror(path: str) -> str:
    """The same events in the table of the other dimension; a path that crosses nothing is its own."""
    if f"/{MARK}" not in path:
        return path
    one, other = halves(path)
    return f"{other}/{MARK}{one}"


def distinct(paths: Iterable[str]) -> list[str]:
    """Each once, and of a crossed path and its mirror the first."""
    found: dict[str, str] = {}
    for path in paths:
        found.setdefault(min(path, mirror(path)), path)
    return list(found.values())
