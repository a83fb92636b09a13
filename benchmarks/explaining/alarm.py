"""Whether there is anything to explain: what lets a peer say nothing.

Adtributor is run on alerts only, when a measure is far from what was forecast (its section 2.1), so it is given an
alert, and the other peer the same one.
"""

from __future__ import annotations

import numpy as np

from benchmarks.explaining.world import World

DEVIATIONS = 2.0


def is_raised(world: World) -> bool:
    """Whether the whole moved by more than so many standard deviations of its earlier moves between periods."""
    moves = np.diff(world.whole)
    return bool(abs(moves[-1]) > DEVIATIONS * moves[:-1].std(ddof=1))
