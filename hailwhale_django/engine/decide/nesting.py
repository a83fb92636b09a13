"""Nesting: which of a visitor's cells lie within which. It depends on the cells alone, so it is worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .cells import Cell


@dataclass(frozen=True, slots=True)
class Nesting:
    """`within[a, c]`: whether cell a lies within cell c. `inside[a, c]`: the most general cell that lies within both,
    or the number of cells where there is none; `outside[a, c]`: the most particular one that both lie within.
    `around[a]`: the cells before it that it lies within.
    """

    within: NDArray[np.bool_]
    inside: NDArray[np.intp]
    outside: NDArray[np.intp]
    around: tuple[tuple[int, ...], ...]


@lru_cache(maxsize=4096)
def nesting(cells: tuple[Cell, ...]) -> Nesting:
    paths = [[path + "/" for path in cell.paths] if cell.level else [] for cell in cells]
    within = np.array([[all(any(p.startswith(q) for p in a) for q in c) for c in paths] for a in paths])
    # General cells come before particular ones.
    inside = np.array([[_first(a & c, len(cells)) for c in within.T] for a in within.T])
    outside = np.array([[len(cells) - 1 - _first((a & c)[::-1], 0) for c in within] for a in within])
    around = tuple(tuple(np.flatnonzero(row[:at]).tolist()) for at, row in enumerate(within))
    return Nesting(within, inside, outside, around)


def _first(found: NDArray[np.bool_], otherwise: int) -> int:
    return int(found.argmax()) if found.any() else otherwise
