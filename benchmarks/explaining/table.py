"""The table of planted causes: recall and precision by kind of world, and who names a cause where there is none."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

from benchmarks.effort import TINY, Effort
from benchmarks.explaining.answerers import OURS, PEERS, answerers
from benchmarks.explaining.generator import KINDS, WITH_CAUSE, WITHOUT, world
from benchmarks.explaining.score import Score, answered, precision, recall, score
from benchmarks.report import Column, Figure, Result, Table, Target

WORLDS = 500
FIRST_SEED = 1000
"""Seeds below are to try things out on: nothing is tuned on the worlds of the table."""
BETTER = 0.01
UNTROUBLED = 0.95
"""Of the worlds without a cause, in which none is named."""

Scores = dict[tuple[str, str], list[Score]]


class Job(NamedTuple):
    kind: str
    seed: int


def run(effort: Effort) -> Result:
    """All answerers in all worlds."""
    worlds = effort.size(WORLDS, least=len(KINDS))
    jobs = [Job(KINDS[at % len(KINDS)], FIRST_SEED + at // len(KINDS)) for at in range(worlds)]
    return result(list(answerers()), gathered(jobs, 1 if effort is TINY else os.cpu_count() or 1))


def gathered(jobs: list[Job], processes: int) -> Scores:
    """By answerer and kind."""
    found: Scores = defaultdict(list)
    for job, scores in zip(jobs, _asked(jobs, processes), strict=True):
        for name, one in scores.items():
            found[name, job.kind].append(one)
    return found


def _asked(jobs: list[Job], processes: int) -> Iterable[dict[str, Score]]:
    if processes == 1:
        yield from map(ask, jobs)
        return
    # Spawned, and one thread each: the libraries' threads do not survive a fork, and get into each other's way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(ask, jobs, chunksize=4)


def ask(job: Job) -> dict[str, Score]:
    """All answerers about one world."""
    drawn = world(job.kind, job.seed)
    return {name: score(drawn, answer(drawn)) for name, answer in answerers().items()}


def result(names: list[str], scores: Scores) -> Result:
    return Result([_named(names, scores), _false(names, scores)], _targets(scores) if OURS in names else [])


def _named(names: list[str], scores: Scores) -> Table:
    columns = [Column(f"{name} {what}", ".2f") for name in names for what in ("recall", "precision")]
    table = Table(
        "Causes named among the first three answers",
        [Column("world"), Column("worlds", "d"), *columns],
        notes=["Recall is of the causes, over all worlds; precision of the answers, over worlds with any."],
    )
    for kind in (*WITH_CAUSE, "all"):
        per_name = [_of(scores, name, WITH_CAUSE if kind == "all" else [kind]) for name in names]
        figures: list[Figure] = [figure for some in per_name for figure in (recall(some), precision(some))]
        table.rows.append([kind, len(per_name[0]), *figures])
    return table


def _false(names: list[str], scores: Scores) -> Table:
    table = Table(
        "Worlds without a cause in which one was named",
        [Column("world"), Column("worlds", "d"), *(Column(name, ".2f") for name in names)],
        notes=["Both peers are only asked when the whole moved by more than twice its usual moves' deviation."],
    )
    for kind in (*WITHOUT, "both"):
        per_name = [_of(scores, name, WITHOUT if kind == "both" else [kind]) for name in names]
        table.rows.append([kind, len(per_name[0]), *map(answered, per_name)])
    return table


def _targets(scores: Scores) -> list[Target]:
    """Better than each peer on every kind, and no cause named where there is none."""
    found = []
    for kind in WITH_CAUSE:
        mine = scores[OURS, kind]
        peers = [scores[name, kind] for name in PEERS]
        found += [
            Target(f"{kind}: recall above the best peer's", recall(mine) - max(map(recall, peers)), BETTER),
            Target(
                f"{kind}: precision above the best peer's",
                (precision(mine) or 0.0) - max(precision(some) or 0.0 for some in peers),
                BETTER,
            ),
        ]
    quiet = 1 - answered(_of(scores, OURS, WITHOUT))
    return [*found, Target("worlds without a cause in which none is named", quiet, UNTROUBLED)]


def _of(scores: Scores, name: str, kinds: Iterable[str]) -> list[Score]:
    return [one for kind in kinds for one in scores[name, kind]]
