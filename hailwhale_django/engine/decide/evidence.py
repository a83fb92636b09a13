"""Evidence: what is known of each option, of all visitors and of those like this one; and what a policy makes of it.

What inference needs of the events of an option in a cell are eight sums, over events: how many there were, their
numerator *y* and denominator *d*, the squares and the product of these, and how often each was not 0. Sums add up over
days, cells are read and never events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from .cells import Cell

N, Y, D, YY, DD, YD, NY, ND = range(8)
SUMS = ("n", "y", "d", "yy", "dd", "yd", "ny", "nd")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """`sums[option, cell]` are the eight; `cells[0]` is everybody, and a visitor's cells follow."""

    options: tuple[str, ...]
    cells: tuple[Cell, ...]
    sums: Floats
    minimize: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """What a policy learns its assumptions from.

    `levels[level][value, option]` are the sums of (a sample of) the level's cells; `days[day, option]` those of
    everybody by day, oldest first, and `expected[day, option]` what the numerators of these were predicted to be when
    they were decided: the mean that was told of the option for that visitor, times the denominator. Where nothing was
    predicted it is nan.
    """

    options: tuple[str, ...]
    levels: dict[str, Floats]
    days: Floats
    expected: Floats
    minimize: bool = False


@dataclass(frozen=True, slots=True)
class Fit:
    """A policy's assumptions, learnt from a history: numbers by name, which JSON can write.

    `since`: the first of the history's days whose evidence still counts, where the world changed on it; else 0.
    """

    policy: str
    version: int
    since: int = 0
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a policy makes of evidence: one number for each option, in their order.

    `probability` with which it would choose it; of its ratio for this visitor the posterior `mean` and the ends of
    its 90% interval; `best`, the chance of being best; `loss`, by how much its ratio is expected to fall short of the
    best. `weights[option, cell]`: by how much that cell's evidence moved the mean (a factor; 1 is not at all).
    """

    probability: Floats
    mean: Floats
    lower: Floats
    upper: Floats
    best: Floats
    loss: Floats
    weights: Floats


class Policy(Protocol):
    """How to choose. Policies are values: the same evidence, fit and settings give the same judgement."""

    name: ClassVar[str]
    version: ClassVar[int]

    def fit(self, history: History) -> Fit:
        """Learn what is assumed of options and cells before their evidence is seen. Costs up to some 100 ms."""
        ...

    def judge(self, evidence: Evidence, fit: Fit | None) -> Judgement:
        """Weigh the evidence of one visitor, in well under a millisecond; without a fit by general assumptions."""
        ...
