"""Answers: what the reader found, ready to be shown or sent. Cells and rows are tuples, for there are many of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import NamedTuple

from .formula import Formula
from .paths import Path
from .query import Query
from .sketched import Told


class Cell(NamedTuple):
    """One formula of one row.

    `numerator` and `denominator` are a ratio's sides, `low` and `high` its bounds (95%); `change` is relative to
    `before`, the value in the compared period. `None` stands for what cannot be told. `points` holds one number a
    bucket, `None` where there is none. `told` is what a formula says that is no number, and its `value` is 0.
    """

    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    share: float | None = None
    difference: float | None = None
    effect: float | None = None
    important: bool = False
    low: float | None = None
    high: float | None = None
    before: float | None = None
    change: float | None = None
    points: list[float | None] | None = None
    told: Told = None


class Row(NamedTuple):
    """A child, its parent (`totals`), or `(other)`; one cell a column."""

    path: Path
    cells: tuple[Cell, ...]
    children: int = 0
    other: bool = False

    @property
    def name(self) -> str:
        return self.path.name


@dataclass(frozen=True, slots=True)
class Answer:
    """A table: `rows` in order, `(other)` apart from them, `totals` for the parent; `count` rows passed the filters."""

    query: Query
    columns: tuple[Formula, ...]
    rows: list[Row]
    other: Row | None
    totals: Row
    count: int
    labels: list[str] | None = None
    warnings: list[str] = field(default_factory=list)


def numbers(values: Sequence[float]) -> list[float | None]:
    """Floats that JSON can write; `None` for nan."""
    return [None if isnan(value) else value for value in values]
