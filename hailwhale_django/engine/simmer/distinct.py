"""Which values there are, each once and in order, and how often: by sorting.

`np.unique` tells the same; but it hashes whole numbers, which takes longer, and loads masked arrays to do so.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Kind = TypeVar("Kind", bound=np.generic)


def distinct(values: NDArray[Kind]) -> NDArray[Kind]:
    ordered: NDArray[Kind] = np.sort(values)
    return ordered[firsts(ordered)]


def counted(values: NDArray[Kind]) -> tuple[NDArray[Kind], NDArray[np.int64]]:
    """With how often each came."""
    ordered: NDArray[Kind] = np.sort(values)
    begins = firsts(ordered)
    return ordered[begins], np.diff(begins, append=len(ordered))


def firsts(ordered: NDArray[Any]) -> NDArray[np.int64]:
    """Where in an array in order there is another value than before."""
    is_first = np.empty(len(ordered), np.bool_)
    is_first[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return np.flatnonzero(is_first)
