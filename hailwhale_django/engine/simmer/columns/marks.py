"""Which raw values of any text are machine values."""

from __future__ import annotations

import numpy as np

from ..arrays import Flags
from ..blocks import Span
from ..envelope import MARK

MARK_BITS = np.uint64(8 * len(MARK))
MARK_WORD = np.uint64(int.from_bytes(MARK.encode("ascii"), "little"))


def are_marked(values: Span) -> Flags:
    if not values.text.has_percents:
        return np.zeros(len(values), np.bool_)
    beginnings = values.text.words(values.begin) & ((np.uint64(1) << MARK_BITS) - np.uint64(1))
    marked: Flags = (beginnings == MARK_WORD) & (values.length >= len(MARK))
    return marked
