"""Which column the states of an aggregation are in."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..aggregation import Aggregation
from ..numbers import Avg, Count, Max, Min, Sum
from ..tally import Tallied
from ..unique import Unique
from .column import Column
from .counts import Counts
from .extremes import Extremes
from .others import Others
from .sums import Averages, Sums
from .tallies import Tallies
from .uniques import Uniques

FAMILIES: list[tuple[Any, Callable[[], Column]]] = [
    (Sum, Sums),
    (Count, Counts),
    (Min, lambda: Extremes(np.minimum, math.inf)),
    (Max, lambda: Extremes(np.maximum, -math.inf)),
    (Avg, Averages),
    (Unique, Uniques),
    (Tallied, Tallies),
    (Aggregation, Others),
]


def family(aggregation: Aggregation[Any]) -> int:
    """The number of the first family that an aggregation is of."""
    return next(number for number, (kind, _) in enumerate(FAMILIES) if isinstance(aggregation, kind))
