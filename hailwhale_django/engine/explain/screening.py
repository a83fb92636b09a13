"""Which of thousands of rows stand out, by their sums alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..domain.values import Floats
from .ordinary import CHI_SQUARE_MEDIAN
from .seen import largest


class Screened(NamedTuple):
    """Effects [row], how much each row has to tremble with, and which may be named at all."""

    effects: Floats
    volume: Floats
    eligible: NDArray[np.bool_]

    @property
    def variance(self) -> Floats:
        """As of counts, whose variance goes with their size; by how much, half of the rows tell."""
        sound = (self.volume > 0) & (self.effects != 0)
        ratios = self.effects[sound] ** 2 / self.volume[sound]
        per_volume = float(np.median(ratios)) / CHI_SQUARE_MEDIAN if len(ratios) else 0.0
        return self.volume * per_volume

    def foremost(self, most: int) -> list[int]:
        """Those that stand out: two in three by how far beyond chance they are, the others by how much they weigh."""
        deviation = np.sqrt(self.variance)
        far = np.divide(np.abs(self.effects), deviation, out=np.zeros_like(deviation), where=deviation > 0)
        chosen = dict.fromkeys(largest(np.where(self.eligible, far, -1.0), most - most // 3))
        for at in largest(np.where(self.eligible, np.abs(self.effects), -1.0), most):
            if len(chosen) < most:
                chosen.setdefault(at)
        return [at for at in chosen if self.eligible[at]]
