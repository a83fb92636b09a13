"""When it happened: the run of buckets in which most of an effect came about."""

from __future__ import annotations

from math import log

import numpy as np

from ..domain.values import Floats

MOST_OF_IT = 0.7
AT_MOST = 0.6

LARGEST = 1e150
"""What can be squared."""

FEWEST, MOST = 3, 1000
"""Buckets; all their runs are looked at."""

AND_MORE = 6.0
"""By how much, in squares of standard deviations, a run has to be better than the best of chance."""


def onset(moves: Floats, deviation: float) -> tuple[int, int] | None:
    """The first and last of the buckets [bucket] in which an effect came about, if these are clearly but a part.

    `moves` say how far each bucket went from what it would ordinarily be; `deviation` how far one does by chance.
    """
    count = len(moves)
    total = float(moves.sum())
    if not FEWEST <= count <= MOST or not total or not 0 < deviation < LARGEST or abs(total) > LARGEST:
        return None
    sums = np.concatenate([[0.0], np.cumsum(moves * np.sign(total))])
    edges = np.arange(count + 1)
    lengths = edges[None, :] - edges[:, None]
    gains = np.where(lengths > 0, (sums[None, :] - sums[:, None]) / np.sqrt(np.maximum(lengths, 1)), -np.inf)
    begin, end = divmod(int(np.argmax(gains)), count + 1)
    best = float(gains[begin, end])
    # Better than that it was so all the time, by what that there are so many runs to choose from is worth.
    gain = (best**2 - float(sums[-1]) ** 2 / count) / deviation**2
    clear = gain > 2 * log(count * (count + 1) / 2) + AND_MORE
    of_it = (sums[end] - sums[begin]) / abs(total)
    if clear and of_it >= MOST_OF_IT and (end - begin) <= AT_MOST * count:
        return begin, end - 1
    return None
