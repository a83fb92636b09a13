"""hist: how many values there are in each of a few bars, told as `upper edge:count`, upper edges included.

All bars are equally wide, by 1, 2 or 5 times a power of ten: the least width at which no more than n bars reach from
the smallest value to the largest. So bars of different histograms can be laid side by side.

Guarantee: exact while there are up to 512 different values. Then values are known to 1 % (see `tally`), and one that is
up to 1 % below an edge may be counted above it. Merging is exact.
Memory: as a percentile's, with which it shares its states.
Fails: a few values far from all others leave these in one bar. Values nearer to each other than 10^-300 share one, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .aggregation import AS_IT_STANDS
from .arrays import Floats
from .figures import written
from .tally import AS_THEY_ARE, Tallied, Tally

STEPS = (1, 2, 5)
LEAST_POWER, MOST_POWER = -300, 308


@dataclass(frozen=True, slots=True)
class Width:
    """Of a bar: a step times a power of ten. Bar i ends at i widths, and contains that edge."""

    step: int
    power: int

    def bars_of(self, values: Floats) -> Floats:
        # To multiply where dividing by a fraction would be rounded: 1.1 / 0.1 is more than 11.
        scaled = values * 10.0**-self.power if self.power < 0 else values / 10.0**self.power
        return np.ceil(scaled / self.step) + 0.0

    def edge(self, bar: int) -> float:
        steps = float(bar * self.step)
        return steps / 10.0**-self.power if self.power < 0 else steps * 10.0**self.power


@dataclass(frozen=True, slots=True)
class Histogram(Tallied):
    most_bars: int = 10

    def present(self, state: Tally, as_of: float = AS_IT_STANDS) -> str:
        return ",".join(f"{written(edge)}:{count}" for edge, count in self.bars(state))

    def pairs(self, state: Tally, as_of: float = AS_IT_STANDS) -> list[tuple[Any, float]] | None:
        return [(edge, float(count)) for edge, count in self.bars(state)]

    def bars(self, state: Tally) -> list[tuple[float, int]]:
        """Upper edges and counts of all bars from the first to the last that has any."""
        values = state.keys if state.level == AS_THEY_ARE else state.upper_edges()
        if len(values) == 1:
            return [(float(values[0]), state.total)]
        width = self._width(float(values[0]), float(values[-1]))
        places = width.bars_of(values)
        first = int(places[0])
        counts = np.zeros(int(places[-1]) - first + 1, np.int64)
        np.add.at(counts, (places - first).astype(np.int64), state.counts)
        return [(width.edge(first + place), count) for place, count in enumerate(counts.tolist())]

    def _width(self, smallest: float, largest: float) -> Width:
        """The least width at which the bars are few enough."""
        ends = np.array([smallest, largest])
        least = largest / self.most_bars - smallest / self.most_bars
        begin = max(LEAST_POWER, math.floor(math.log10(least)) - 1 if least else LEAST_POWER)
        widths = (Width(step, power) for power in range(begin, MOST_POWER + 1) for step in STEPS)
        return next(width for width in widths if np.ptp(width.bars_of(ends)) < self.most_bars)
