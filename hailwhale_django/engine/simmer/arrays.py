"""Kinds of arrays, and what is done with them here and there.

Different values are told by sorting. `np.unique` tells the same; but it hashes whole numbers, which takes longer, and
loads masked arrays to do so.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Places = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Index = NDArray[Any] | slice

EVERY = slice(None)
NOBODY = -1
"""Instead of the number of a key, of a recipe or of a place."""

Kind = TypeVar("Kind", bound=np.generic)


def distinct(values: NDArray[Kind]) -> NDArray[Kind]:
    ordered: NDArray[Kind] = np.sort(values)
    return ordered[firsts(ordered)]


def counted(values: NDArray[Kind]) -> tuple[NDArray[Kind], NDArray[np.int64]]:
    """With how often each came."""
    ordered: NDArray[Kind] = np.sort(values)
    begins = firsts(ordered)
    counts = np.empty_like(begins)
    np.subtract(begins[1:], begins[:-1], out=counts[:-1])
    counts[-1:] = len(ordered) - begins[-1:]
    return ordered[begins], counts


def firsts(ordered: NDArray[Any]) -> NDArray[np.int64]:
    """Where in an array in order there is another value than before."""
    is_first = np.empty(len(ordered), np.bool_)
    is_first[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return np.flatnonzero(is_first)


def different(numbers: Numbers) -> list[int]:
    """Each number from -1 on that there is, once, in order; they are not large."""
    if len(numbers) and numbers.min() == numbers.max():
        return [int(numbers[0])]
    found: list[int] = (np.flatnonzero(np.bincount(numbers + 1)) - 1).tolist()
    return found


def grown(array: NDArray[Any], size: int) -> NDArray[Any]:
    """With room for so many, at least doubled where there is not enough; zeros behind what there was."""
    if size <= len(array):
        return array
    larger = np.zeros(max(size, 2 * len(array)), array.dtype)
    larger[: len(array)] = array
    return larger
