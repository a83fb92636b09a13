"""Split: fixed shares, whatever the evidence; what an experiment is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ...errors import InvalidInput
from ..evidence import Evidence, Fit, History, Judgement
from ..plain import plainly

MOST = 1e12


@dataclass(frozen=True, slots=True)
class Split:
    """`shares` by option, in any unit; equal ones where there are none. An option that is not named gets nothing."""

    name: ClassVar[str] = "split"
    version: ClassVar[int] = 1

    shares: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.shares, Mapping):
            raise InvalidInput("shares", self.shares, 'use shares by option, e.g. {"a": 3, "b": 1}')
        for option, share in self.shares.items():
            if not 0 <= share <= MOST:
                raise InvalidInput("shares", {option: share}, f"a share is a number from 0 to {MOST:g}")

    def fit(self, history: History) -> Fit:
        return Fit(self.name, self.version)

    def judge(self, evidence: Evidence, fit: Fit | None) -> Judgement:
        given = np.array([float(self.shares.get(option, 0.0)) for option in evidence.options])
        if self.shares and not given.any():
            raise InvalidInput(
                "shares", dict(self.shares), f"name one of the options: {', '.join(evidence.options[:5])}"
            )
        shares = given if given.any() else np.ones(len(given))
        return plainly(evidence, shares / shares.sum())
