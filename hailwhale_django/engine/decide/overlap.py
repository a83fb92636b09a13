"""How far a log can answer for another policy: whether it often enough did what that policy would do.

Three signs that it cannot, each enough to say so:

- fewer than `FEWEST_EFFECTIVE` effective decisions, (sum w)^2 / sum w^2 (Kish): equal ones that would tell as much.
  Below that a normal interval covers less than it says;
- one decision that has more than `HEAVIEST` of all weight: the answer is mostly that one's;
- more than `MOST_UNCOVERED` of what the policy would choose had no chance at all in the log: no weight makes up for
  what was never tried, and the estimate leaves that out or guesses it.

And one that the log itself is wrong: weights are 1 on average, whatever the policy; if they are not, by more than
`FURTHEST` standard errors, then the propensities are not those with which it was decided. (Rare large weights make that
check miss a fault, or cry wolf; so it is made only where the overlap is good.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .evidence import Floats

FEWEST_EFFECTIVE = 100.0
HEAVIEST = 0.05
MOST_UNCOVERED = 0.01
FURTHEST = 4.0
ROUNDING = 1e-9  # weights that are all 1, up to the last digits


@dataclass(frozen=True, slots=True)
class Overlap:
    """`effective` of so many `decisions`; the `heaviest` share of weight; the share of the policy `uncovered`.

    `mean_weight` should be 1; it is so many standard errors `off`.
    """

    decisions: int
    effective: float
    heaviest: float
    uncovered: float
    mean_weight: float
    off: float

    @property
    def is_good(self) -> bool:
        return not self.words

    @property
    def words(self) -> str:
        """What is wrong; empty where nothing is."""
        if self.uncovered > MOST_UNCOVERED:
            return f"{self.uncovered:.0%} of what it would choose was never tried there."
        if self.effective < FEWEST_EFFECTIVE:
            return (
                f"the log of {self.decisions:,} decisions tells as much of it as {self.effective:,.0f} would; "
                f"{FEWEST_EFFECTIVE:,.0f} are needed."
            )
        if self.heaviest > HEAVIEST:
            return f"{self.heaviest:.0%} of the answer rest on a single decision."
        if abs(self.off) > FURTHEST:
            return f"the logged propensities cannot be right (weights are {self.mean_weight:.2f} on average, not 1)."
        return ""


def overlap_of(propensities: Floats, chosen: NDArray[np.int64], policy: Floats) -> Overlap:
    """Of a log with a policy, both as probabilities [row, option]; propensities may be nan where they are not known."""
    rows = np.arange(len(chosen))
    weights = policy[rows, chosen] / propensities[rows, chosen]
    total = float(weights.sum())
    error = max(float(weights.std(ddof=1)) / len(rows) ** 0.5, ROUNDING)
    return Overlap(
        decisions=len(rows),
        effective=total**2 / float((weights**2).sum()) if total else 0.0,
        heaviest=float(weights.max()) / total if total else 0.0,
        uncovered=float((policy * (propensities == 0)).sum()) / len(rows),
        mean_weight=total / len(rows),
        off=(total / len(rows) - 1) / error,
    )
