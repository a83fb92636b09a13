"""When it happened: the run of buckets in which most of an effect came about."""

from __future__ import annotations

import numpy as np

from ..domain.values import Floats

MOST_OF_IT = 0.7
AT_MOST = 0.6


def onset(moves: Floats, deviation: float) -> tuple[int, int] | None:
    """The first and last of the buckets [bucket] in which an effect came about, if these are clearly but a part.

    `moves` say how far each bucket went from what it would ordinarily be; `deviation` how far one does by chance.
    """
    count = len(moves)
    total = float(moves.sum())
    if count < 3 or not total or deviation <= 0:
        return None
    sums = np.concatenate([[0.0], np.cumsum(moves * np.sign(total))])
    best, found = 0.0, None
    for begin in range(count):
        for end in range(begin + 1, count + 1):
            gain = (sums[end] - sums[begin]) / np.sqrt(end - begin)
            if gain > best:
                best, found = float(gain), (begin, end)
    if found is None:
        return None
    begin, end = found
    of_it = (sums[end] - sums[begin]) / abs(total)
    clear = best / deviation > 3 and best > 1.15 * sums[-1] / np.sqrt(count)
    if clear and of_it >= MOST_OF_IT and (end - begin) <= AT_MOST * count:
        return begin, end - 1
    return None
