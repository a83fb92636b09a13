"""Taking times. Contestants run in turn, round by round, so that whatever else the machine does befalls all alike."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

from benchmarks.effort import Effort

FEWEST_ROUNDS = 3


def nothing() -> None:
    """What most contestants need before a round."""


class Contestant(NamedTuple):
    """What is timed; `before` runs before each round and is not."""

    name: str
    call: Callable[[], Any]
    before: Callable[[], Any] = nothing


@dataclass(slots=True)
class Timing:
    """Seconds by the clock, and of work in this process, for each round."""

    wall: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return median(self.wall)

    @property
    def work_share(self) -> float:
        """How much of the time this process worked, rather than waited for a server."""
        return min(1.0, sum(self.work) / sum(self.wall))

    @property
    def spent(self) -> float:
        return sum(self.wall)


def race(contestants: Sequence[Contestant], effort: Effort) -> dict[str, Timing]:
    """Time each contestant in rounds of a shuffled order, after one round that does not count."""
    timings = {one.name: Timing() for one in contestants}
    for one in contestants:
        _run(one)
    rng = random.Random(1)
    # What the preparations left behind is not for the contestants' garbage collections to walk.
    gc.collect()
    gc.freeze()
    try:
        for _ in range(effort.rounds):
            for one in rng.sample(contestants, len(contestants)):
                timing = timings[one.name]
                if timing.spent < effort.seconds or len(timing.wall) < min(FEWEST_ROUNDS, effort.rounds):
                    wall, work = _run(one)
                    timing.wall.append(wall)
                    timing.work.append(work)
    finally:
        gc.unfreeze()
    return timings


def _run(one: Contestant) -> tuple[float, float]:
    one.before()
    wall, work = time.perf_counter(), time.process_time()
    one.call()
    return time.perf_counter() - wall, time.process_time() - work
