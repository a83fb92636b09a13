"""The table of the simulated worlds: each player's regret as a fraction of uniform's, over 20 seeds."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np

from benchmarks.deciding.environments import ENVIRONMENTS, VISITORS, world
from benchmarks.deciding.play import play
from benchmarks.deciding.players import OURS, players
from benchmarks.effort import TINY, Effort
from benchmarks.report import Column, Figure, Result, Table, Target

SEEDS = 20
WITHIN = 1.1
"""Of the best peer's regret, in each world."""


class Job(NamedTuple):
    player: str
    world: str
    seed: int
    visitors: int


class Run(NamedTuple):
    """Regret as a fraction of that of choosing uniformly, and who of the last fifth were shown their best."""

    fraction: float
    optimal: float


Runs = dict[tuple[str, str], list[Run]]


def run(effort: Effort) -> Result:
    """All players in all worlds."""
    visitors = 200 if effort is TINY else VISITORS
    names = list(players())
    jobs = [
        Job(player, name, seed, visitors)
        for seed in range(effort.size(SEEDS))
        for name in ENVIRONMENTS
        for player in names
    ]
    return result(names, gathered(jobs, 1 if effort is TINY else os.cpu_count() or 1))


def gathered(jobs: list[Job], processes: int) -> Runs:
    found: Runs = defaultdict(list)
    for job, one in zip(jobs, _played(jobs, processes), strict=True):
        found[job.player, job.world].append(one)
    return found


def _played(jobs: list[Job], processes: int) -> Iterable[Run]:
    if processes == 1:
        yield from map(simulate, jobs)
        return
    # Spawned: the libraries' threads do not survive a fork. One thread each: the matrices are small.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(simulate, jobs, chunksize=4)


def simulate(job: Job) -> Run:
    """One player in one world."""
    drawn = world(job.world, job.seed, job.visitors)
    score = play(drawn, players()[job.player](drawn, np.random.default_rng([job.seed, 7])))
    every = np.arange(drawn.visitors)
    uniform = drawn.shortfall[drawn.phase(every), drawn.context].mean(axis=1).sum()
    return Run(float(score.regret.sum() / uniform), score.optimal)


def result(names: list[str], runs: Runs) -> Result:
    tables = [
        _table("Mean regret, of uniform's", names, runs, lambda some: float(np.mean([one.fraction for one in some]))),
        _table("Worst of the seeds", names, runs, lambda some: max(one.fraction for one in some)),
        _table(
            "Shown their best in the last fifth",
            names,
            runs,
            lambda some: float(np.mean([one.optimal for one in some])),
        ),
    ]
    return Result(tables, _targets(names, runs))


def _table(title: str, names: list[str], runs: Runs, figure: object) -> Table:
    assert callable(figure)
    worlds = list(ENVIRONMENTS)
    table = Table(title, [Column("player"), *(Column(name, ".2f") for name in worlds), Column("mean", ".3f")])
    for name in names:
        figures: list[Figure] = [figure(runs[name, one]) for one in worlds]
        table.rows.append([name, *figures, float(np.mean(np.array(figures, dtype=np.float64)))])
    return table


def _targets(names: list[str], runs: Runs) -> list[Target]:
    """Against peers only: the engine's other policies are none."""
    rivals = [name for name in names if not name.startswith("hailwhale")]
    mean = {
        (name, one): float(np.mean([run.fraction for run in runs[name, one]])) for name in names for one in ENVIRONMENTS
    }
    targets = [
        Target(
            f"{one}: regret, of the best peer's",
            mean[OURS, one] / max(min(mean[name, one] for name in rivals), 1e-9),
            WITHIN,
            at_most=True,
        )
        for one in ENVIRONMENTS
    ]
    overall = {name: float(np.mean([mean[name, one] for one in ENVIRONMENTS])) for name in names}
    best = max(min(overall[name] for name in rivals), 1e-9)
    return [*targets, Target("all worlds: mean regret, of the best peer's", overall[OURS] / best, 1.0, at_most=True)]
