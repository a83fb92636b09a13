"""Epsilon-greedy: the option with the best ratio of all visitors, but for a share of them any option."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..evidence import Evidence, Fit, History, Judgement
from ..plain import goodness, plainly
from .settings import between


@dataclass(frozen=True, slots=True)
class Epsilon:
    """`epsilon`: the share of visitors who are shown any option. What was never shown comes first."""

    name: ClassVar[str] = "epsilon"
    version: ClassVar[int] = 1

    epsilon: float = 0.05

    def __post_init__(self) -> None:
        between("epsilon", self.epsilon, 0, 1)

    def fit(self, history: History) -> Fit:
        return Fit(self.name, self.version)

    def judge(self, evidence: Evidence, fit: Fit | None) -> Judgement:
        good = goodness(evidence)
        first = np.isnan(good) if np.isnan(good).any() else good == good.max()
        probability = (1 - self.epsilon) * first / first.sum() + self.epsilon / len(good)
        return plainly(evidence, probability)
