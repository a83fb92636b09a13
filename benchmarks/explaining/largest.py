"""The peer that everybody has: the rows that carry the largest change, at whatever depth."""

from __future__ import annotations

import numpy as np

from benchmarks.explaining import alarm
from benchmarks.explaining.world import Floats, World, distinct, value_of
from hailwhale_django.engine.domain.paths import WHOLE

ANSWERS = 3


def answer(world: World) -> list[str]:
    """The first three paths, the largest first; none while the whole moves as it ordinarily does."""
    if not alarm.is_raised(world):
        return []
    order = np.argsort(-np.abs(carried(world, world.values)), kind="stable")
    return distinct(world.values[at] for at in order)[:ANSWERS]


def carried(world: World, paths: list[str]) -> Floats:
    """The part of the whole's change that each carries; the children of a dimension carry all of it.

    Of a sum, what it gained. Of a ratio a/b with a whole of A/B, the change of a/B less what its share b/B would have
    brought anyway, at the mean of the whole's ratios: growing at the usual rate carries nothing.
    """
    was, now = np.moveaxis(world.amounts(paths)[:, :, -2:], 2, 0)
    if not world.is_ratio:
        return np.asarray((now - was)[:, 0])
    whole = world.amounts([WHOLE])[0][:, -2:]
    mean = value_of(whole).mean()
    (a0, b0), (a1, b1) = was.T, now.T
    before, after = whole[1]
    return np.asarray(a1 / after - a0 / before - mean * (b1 / after - b0 / before))
