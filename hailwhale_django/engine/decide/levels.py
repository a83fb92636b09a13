"""Levels: what a visitor's options have in common, from the visitor's cells."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from .factors import Factor
from .mixture import Mixture

SEGMENT = 0.1
"""The relative variance that is thought usual between the segments of a level."""


def levelled(factor: Factor, mixture: Mixture, around: Sequence[Sequence[int]]) -> float:
    """The common level of a visitor: the whole's, times by how much each cell is above what its parents make likely.

    Each of these is drawn to 1 as if it were known from noise/`SEGMENT` events more.
    """
    found = factor.level + factor.scale * mixture.common
    exposure = factor.exposure.sum(axis=1)
    trust = exposure / (exposure + factor.noise / SEGMENT)
    if not factor.is_relative:
        return float(found[0] + trust[-1] * (found[-1] - found[0]))
    levels, trusted = np.maximum(found, 0.02 * factor.level).tolist(), trust.tolist()
    steps = [levels[0]]
    for parents, level, trust_in_it in zip(around[1:], levels[1:], trusted[1:], strict=True):
        likely = prod([steps[parent] for parent in parents])
        steps.append((level / likely) ** trust_in_it if likely > 0 and level > 0 else 1.0)
    return float(prod(steps))
