"""The overlap of a table's rows as a page shows it: a table of percentages, the larger the darker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from ..engine.domain.formula import Formula
from ..engine.domain.overlap import DEFAULT_ROWS, Overlap
from ..engine.domain.query import Query
from ..engine.domain.sketch import sketch_of
from ..engine.pod import Pod
from ..engine.simmer.minhash import MinHash
from . import writing

STEPS = 5
"""Shades, above none for 0."""


@dataclass(frozen=True, slots=True)
class OverlapCell:
    """A percentage and its shade; `same` is a row with itself."""

    text: str
    step: int
    same: bool


@dataclass(frozen=True, slots=True)
class ShownOverlap:
    """Rows of a signature with each other; `error` is the standard error of each percentage, at most."""

    formula: Formula
    names: list[str]
    rows: list[tuple[str, list[OverlapCell]]]
    error: str


def overlap_of(query: Query, names: Sequence[str], pod: Pod, now: float) -> ShownOverlap | None:
    """Of the first rows of a table, by the first of its columns that is a signature; `None` if there is nothing."""
    signature = next((formula for formula in query.formulas if _is_signature(formula)), None)
    if signature is None or len(names) < 2:
        return None
    return shown(signature, pod.reader.overlap(query, names[:DEFAULT_ROWS], signature.metrics[0], now))


def shown(formula: Formula, found: Overlap) -> ShownOverlap:
    rows = [
        (name, [_cell(value, at == column) for column, value in enumerate(values)])
        for at, (name, values) in enumerate(zip(found.names, found.matrix, strict=True))
    ]
    # What is at most so large must not be rounded down.
    return ShownOverlap(formula, found.names, rows, writing.percent(ceil(found.standard_error * 1000) / 1000))


def _cell(value: float | None, same: bool) -> OverlapCell:
    if value is None:
        return OverlapCell(writing.NOTHING, 0, same)
    return OverlapCell(writing.percent(round(value, 2), places=0), 0 if same else ceil(value * STEPS), same)


def _is_signature(formula: Formula) -> bool:
    sketch = sketch_of(formula.metrics[0]) if formula.kind == "text" else None
    return sketch is not None and isinstance(sketch.aggregation, MinHash)
