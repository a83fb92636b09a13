"""Levels: what a visitor's options have in common, from the visitor's cells."""

from __future__ import annotations

import numpy as np

from .evidence import Floats
from .factors import Factor
from .mixture import Mixture

SEGMENT = 0.1
"""The relative variance that is thought usual between the segments of a level."""


def levelled(factor: Factor, mixture: Mixture, within: Floats) -> float:
    """The common level of a visitor: the whole's, times by how much each cell is above what its parents make likely.

    Each of these is drawn to 1 as if it were known from noise/`SEGMENT` events more.
    """
    found = factor.level + factor.scale * mixture.common
    exposure = factor.exposure.sum(axis=1)
    trust = exposure / (exposure + factor.noise / SEGMENT)
    if factor.name == "amount":
        return float(found[0] + trust[-1] * (found[-1] - found[0]))
    found = np.maximum(found, 0.02 * factor.level)
    steps = np.ones(len(found))
    for at in range(1, len(found)):
        around = np.flatnonzero(within[at] > 0)
        expected = found[0] * np.prod(steps[around[around != at]])
        steps[at] = (found[at] / expected) ** trust[at] if expected > 0 and found[at] > 0 else 1.0
    return float(found[0] * np.prod(steps))
