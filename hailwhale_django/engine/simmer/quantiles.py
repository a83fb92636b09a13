"""pct: the value that a percentage of all values do not exceed, by nearest rank (the median of 1, 2, 3 is 2).

Guarantee: what is told is the upper edge of the true percentile's cell in a `tally`, so never less than it, and more by
2^-16 at most while there are few different values, by 1 % (and 2^-15) when there are many. The rank is exact. Merging
is, too: any order, split and tree tells the same.
Memory: 32 KiB at most, dumped about 6 bytes for each cell that is taken.
Fails: among values that span more than nine orders of magnitude it is coarser than 1 %; `tally` says how much.
"""

from __future__ import annotations

from dataclasses import dataclass

from .aggregation import AS_IT_STANDS, Numeric
from .tally import Tallied, Tally


@dataclass(frozen=True, slots=True)
class Percentile(Tallied, Numeric[Tally]):
    percent: int = 50

    def measure(self, state: Tally, as_of: float = AS_IT_STANDS) -> float:
        return float(state.at_percent(self.percent).upper_edges()[0])

    def size(self, state: Tally) -> int:
        return 256 + state.keys.nbytes + state.counts.nbytes
