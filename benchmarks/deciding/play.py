"""One player in one world: visitors come in batches, news is heard after each, and the regret is added up."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from benchmarks.deciding.world import Floats, Ints, World

LAST = 5
"""The optimal share is that of the last fifth."""


class Visits(NamedTuple):
    """Visitors, and the option that each was shown."""

    visitors: Ints
    options: Ints


class Player(Protocol):
    def choose(self, visitors: Ints) -> Ints:
        """The options that these are shown, decided with what is known before the first of them."""
        ...

    def visited(self, visits: Visits, now_y: Floats, now_d: Floats) -> None:
        """What came at once with the visits."""
        ...

    def earned(self, visits: Visits, then_y: Floats, then_d: Floats) -> None:
        """What came later, of visits that were told before."""
        ...


Maker = Callable[[World, np.random.Generator], Player]


class Score(NamedTuple):
    """Regret by day, and the share of visitors of the last fifth that were shown the best for them."""

    regret: Floats
    optimal: float


def play(world: World, player: Player) -> Score:
    """Let a player decide for all visitors of a world."""
    options = np.zeros(world.visitors, dtype=np.int64)
    due = np.full(world.visitors, np.inf)
    per_batch = world.days / world.visitors
    for begin in range(0, world.visitors, world.batch):
        visitors = np.arange(begin, min(begin + world.batch, world.visitors))
        chosen = options[visitors] = player.choose(visitors)
        outcome = world.outcome(visitors, chosen)
        player.visited(Visits(visitors, chosen), outcome.now_y, outcome.now_d)
        later = (outcome.then_y != 0) | (outcome.then_d != 0)
        due[visitors[later]] = visitors[later] * per_batch + outcome.delay[later]
        ripe = np.flatnonzero(due <= visitors[-1] * per_batch + 1e-9) if later.any() or np.isfinite(due).any() else []
        if len(ripe):
            due[ripe] = np.inf
            earned = world.outcome(ripe, options[ripe])
            player.earned(Visits(ripe, options[ripe]), earned.then_y, earned.then_d)
    return _score(world, options)


def _score(world: World, options: Ints) -> Score:
    every = np.arange(world.visitors)
    regret = world.shortfall[world.phase(every), world.context, options]
    days = np.bincount(world.day(every), regret, minlength=world.days)
    last = every >= world.visitors - world.visitors // LAST
    return Score(days, float((regret[last] == 0).mean()))
