"""Was traffic assigned as it should have been? The check for a sample-ratio mismatch.

Pearson's chi-square of how many were assigned to each option against how many were to be expected: shares of a fixed
split times all, or, of an adaptive decision, the sum of the logged propensities. There the assignments scatter less
than the test allows for (the variance of a sum of chances that differ is at most that of equal ones), so that it errs
on the side of silence. Options of whom fewer than `FEWEST_EXPECTED` are expected are taken together.

A mismatch says that something is wrong with assigning or counting (bots, redirects, a tag that fails on one option),
and that no comparison of these options is to be believed. The level is the usual .001 (Fabijan et al., KDD 2019): for
a look now and then. Who looks daily for a year is alarmed without cause in some 2% of years.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InvalidInput
from .evidence import Floats

LEVEL = 0.001
FEWEST_EXPECTED = 5.0


@dataclass(frozen=True, slots=True)
class Balance:
    """What was assigned, what was expected, and how often chance alone would be as far off."""

    options: tuple[str, ...]
    assigned: tuple[float, ...]
    expected: tuple[float, ...]
    statistic: float
    degrees: int
    p_value: float
    level: float = LEVEL

    @property
    def balanced(self) -> bool:
        return self.p_value >= self.level

    @property
    def words(self) -> str:
        if self.degrees == 0 and self.balanced:
            return "Too few were assigned to say whether the traffic is split as it should be."
        if self.balanced:
            return "The traffic is split as it should be."
        option, assigned, expected = self.furthest()
        return (
            f"The traffic is not split as it should be: {option} was assigned {assigned:,.0f} times, where "
            f"{expected:,.0f} were expected. Find out why before you believe any comparison."
        )

    def furthest(self) -> tuple[str, float, float]:
        """The option that adds most to the statistic."""
        rows = zip(self.options, self.assigned, self.expected, strict=True)
        return max(rows, key=lambda row: (row[1] - row[2]) ** 2 / row[2] if row[2] else math.inf * bool(row[1]) or 0.0)


def split_balance(options: Sequence[str], assigned: Floats, shares: Floats, level: float = LEVEL) -> Balance:
    """Against a fixed split; `shares` need not add up to one."""
    total = float(np.sum(shares))
    if not total > 0 or np.min(shares) < 0:
        raise InvalidInput("shares", np.asarray(shares).tolist(), "use shares of 0 or more, not all of them 0")
    return balance(options, assigned, np.asarray(shares) / total * np.sum(assigned), level)


def balance(options: Sequence[str], assigned: Floats, expected: Floats, level: float = LEVEL) -> Balance:
    """Against what was expected of each option: the sum over all decisions of the propensities it was logged with."""
    assigned, expected = np.asarray(assigned, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    if not len(options) == len(assigned) == len(expected):
        raise InvalidInput("expected", expected.shape, f"one number for each of the {len(options)} options")
    if np.min(expected, initial=0) < 0 or np.min(assigned, initial=0) < 0:
        raise InvalidInput("expected", expected.tolist(), "numbers assigned and expected are 0 or more")
    statistic, degrees = _pearson(assigned, expected)
    p_value = 0.0 if statistic == math.inf else chi_square_tail(statistic, degrees)
    return Balance(
        tuple(options), tuple(assigned.tolist()), tuple(expected.tolist()), statistic, degrees, p_value, level
    )


def _pearson(assigned: Floats, expected: Floats) -> tuple[float, int]:
    if assigned[expected == 0].any():
        return math.inf, max(len(assigned) - 1, 0)
    few = expected < FEWEST_EXPECTED
    seen, due = (np.append(of[~few], of[few].sum()) for of in (assigned, expected))
    told = due >= FEWEST_EXPECTED
    return float(((seen - due)[told] ** 2 / due[told]).sum()), max(int(told.sum()) - 1, 0)


def chi_square_tail(statistic: float, degrees: int) -> float:
    """The chance of more than that; 1 without a degree of freedom.

    A finite sum for whole degrees (DLMF 8.4.10, 8.4.11), taken in logarithms so that thousands of options pose no
    problem: exp(-x) x^s / Gamma(s + 1) over s below degrees/2, in steps of one down to 0, or to 1/2 and then erfc.
    """
    half = statistic / 2
    if degrees <= 0 or half <= 0:
        return 1.0
    powers = np.arange(degrees % 2 / 2, degrees / 2)
    logarithms = powers * math.log(half) - half - np.array([math.lgamma(power + 1) for power in powers])
    tail = float(np.exp(logarithms).sum()) + (math.erfc(math.sqrt(half)) if degrees % 2 else 0.0)
    return min(tail, 1.0)
