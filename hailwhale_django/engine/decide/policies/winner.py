"""Winner: one option for everybody, of an experiment that is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...errors import InvalidInput
from ..evidence import Evidence, Fit, History, Judgement
from ..plain import plainly


@dataclass(frozen=True, slots=True)
class Winner:
    """`option` is the one."""

    name: ClassVar[str] = "winner"
    version: ClassVar[int] = 1

    option: str

    def fit(self, history: History) -> Fit:
        return Fit(self.name, self.version)

    def judge(self, evidence: Evidence, fit: Fit | None) -> Judgement:
        chosen = np.array([float(option == self.option) for option in evidence.options])
        if not chosen.any():
            raise InvalidInput(
                "option", self.option, f"a winner is one of the options: {', '.join(evidence.options[:5])}"
            )
        return plainly(evidence, chosen / chosen.sum())
