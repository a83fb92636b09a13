"""Nesting: which of a visitor's cells lie within which."""

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


def nesting(cells: tuple[Cell, ...]) -> Nesting:
    """Of cells in order of `Outlook.cells`. Visitors differ, and how their cells lie in each other seldom does."""
    paths = [frozenset(cell.paths) if cell.level else frozenset() for cell in cells]
    known = [frozenset().union(*map(_above, some)) for some in paths]
    return _nested(tuple([tuple([outer <= inner for outer in paths]) for inner in known]))


@lru_cache(maxsize=65_536)
def _above(path: str) -> frozenset[str]:
    """A path and all that it lies below."""
    names = path.split("/")
    return frozenset("/".join(names[:depth]) for depth in range(1, len(names) + 1))


@lru_cache(maxsize=1024)
def _nested(known: tuple[tuple[bool, ...], ...]) -> Nesting:
    within = np.array(known)
    # General cells come before particular ones.
    inside = np.array([[_first(a & c, len(within)) for c in within.T] for a in within.T])
    outside = np.array([[len(within) - 1 - _first((a & c)[::-1], 0) for c in within] for a in within])
    around = tuple(tuple(np.flatnonzero(row[:at]).tolist()) for at, row in enumerate(within))
    return Nesting(within, inside, outside, around)


def _first(found: NDArray[np.bool_], otherwise: int) -> int:
    return int(found.argmax()) if found.any() else otherwise
