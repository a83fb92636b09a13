"""Worlds by kind and seed: a shop, some months of its days, and what was planted in the last period."""

from __future__ import annotations

import numpy as np

from benchmarks.explaining import planting, season, segments
from benchmarks.explaining.segments import Random
from benchmarks.explaining.world import METRICS, PAST, World, value_of

WITH_CAUSE = ("rate", "mix", "new", "vanished", "nested", "crossed", "several", "two", "onset")
WITHOUT = ("alike", "none")
KINDS = (*WITH_CAUSE, *WITHOUT)

SUMS = ("visits", "revenue")
RATIOS = ("orders/visits", "revenue/visits")
SEGMENTS = {7: 5000, 14: 4000, 28: 3000}
"""By days of a period: longer ones are made of fewer, to be as quick."""


def world(kind: str, seed: int) -> World:
    """A world as a seed has it. Shops in which no change of the kind would be seen are drawn again."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    while True:
        found = _world(rng, kind)
        if found is not None:
            return found


def _world(rng: Random, kind: str) -> World | None:
    formula = str(rng.choice(RATIOS if kind == "mix" else SUMS + RATIOS))
    terms = [METRICS.index(name) for name in formula.split("/")]
    days = int(rng.choice(list(SEGMENTS)))
    before = days * (PAST + 1)
    shop = segments.drawn(rng, SEGMENTS[days])
    visits = float(np.exp(rng.uniform(np.log(2_000), np.log(200_000))))
    expected = season.drawn(rng, shop, visits, before + days)
    counted = expected.days(slice(before)).counts(rng)
    now = expected.days(slice(before, None))
    past = value_of(counted.sum(axis=1).reshape(3, -1, days).sum(axis=2)[terms])
    ordinary = float(np.sqrt(np.mean(np.diff(np.log(past)) ** 2)))
    begin = int(rng.integers(days // 4, 3 * days // 4)) if kind == "onset" else 0
    plan = planting.Planter(rng, shop, now, terms, ordinary, begin).plan(kind)
    if plan is None:
        return None
    if plan.absent is not None:
        counted[:, plan.absent] = 0
    counts = np.concatenate([counted, plan.applied(now).counts(rng)], axis=2)
    causes = planting.causes_of(plan, shop, now.visits.sum(axis=1))
    return World(kind, formula, METRICS, days, PAST, shop.cells(counts), causes)
