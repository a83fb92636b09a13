"""UCB: the option whose ratio could still be the best, by an upper confidence bound; no chance in it.

The bound of a ratio is Auer, Cesa-Bianchi and Fischer's (2002, Machine Learning 47:235), with the ratio's own standard
error in place of the range of rewards, which ratios of sums do not have.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

import numpy as np

from ..evidence import Evidence, Fit, History, Judgement, N
from ..plain import Ratios, plainly
from .settings import between


@dataclass(frozen=True, slots=True)
class UCB:
    """`width` multiplies the bound's distance from the ratio: 1 is the theorem's, less explores less."""

    name: ClassVar[str] = "ucb"
    version: ClassVar[int] = 1

    width: float = 0.7

    def __post_init__(self) -> None:
        between("width", self.width, 0, 100)

    def fit(self, history: History) -> Fit:
        return Fit(self.name, self.version)

    def judge(self, evidence: Evidence, fit: Fit | None) -> Judgement:
        told = Ratios.of(evidence.sums[:, 0])
        events = max(float(evidence.sums[:, 0, N].sum()), 2.0)
        reach = self.width * np.sqrt(2 * log(events) * told.variance)
        bound = (-told.ratio if evidence.minimize else told.ratio) + reach
        bound = np.where(np.isnan(bound), np.inf, bound)
        chosen = np.zeros(len(bound))
        chosen[int(bound.argmax())] = 1.0
        return plainly(evidence, chosen)
