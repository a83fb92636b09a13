"""What a chart needs: a value for each day, of one child or of fifty."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

from benchmarks import ancestor, duck, servers, worlds
from benchmarks.effort import Effort
from benchmarks.report import Column, Result, Table
from benchmarks.timing import Contestant, race
from hailwhale_django.engine import shapes
from hailwhale_django.engine.domain.formula import parse
from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.pod import Pod

CHILDREN = 50
MONTH, YEAR = 30, 365
DIMENSION = "country"
METRICS = ("revenue",)

OURS, RAW, DUCKDB, ANCESTOR = "Whale.plotpoints", "reader.values", "DuckDB", "ancestor's layout"
CASES = {
    "one child, 30 days": (False, MONTH),
    "one child, 1 year": (False, YEAR),
    "50 children, 30 days": (True, MONTH),
}


def run(effort: Effort) -> Result:
    """Three charts, each drawn by all."""
    now = time.time()
    names = worlds.child_names(effort.size(CHILDREN, least=5))
    cells = worlds.daily(YEAR, len(names), len(METRICS))
    table = Table(
        "Plot: one metric by day (ms, median)",
        [Column("what"), *(Column(name, ".2f") for name in (OURS, RAW, DUCKDB, ANCESTOR)), Column("rounds")],
        notes=[
            "reader.values is what plotpoints does before it makes dicts of labels and values.",
            "plotpoints of 50 children has their parent, too.",
        ],
    )
    with ExitStack() as stack:
        pod = stack.enter_context(servers.running_pod(lambda: now))
        pod.count_many(worlds.daily_events(cells, METRICS, DIMENSION, now), None)
        past = ancestor.Ancestor(stack.enter_context(servers.running_client()))
        past.load(_hashes(cells, names, now), {(DIMENSION,): names})
        connection = stack.enter_context(duck.database(cells, names, METRICS, now))
        for what, (all_children, days) in CASES.items():
            fields = ancestor.day_labels(days, now)
            child = names[0]
            texts = [ancestor.dimension_text((DIMENSION, child))]
            chosen = names if all_children else [child]
            contestants = [
                Contestant(OURS, lambda all_children=all_children, days=days: _plotpoints(pod, all_children, days)),
                Contestant(RAW, lambda chosen=chosen, days=days: _values(pod, chosen, days, now)),
                Contestant(DUCKDB, duck.plot(connection, METRICS[0], None if all_children else child, days, now)),
                Contestant(
                    ANCESTOR,
                    lambda all_children=all_children, texts=texts, fields=fields: past.plot(
                        past.children((DIMENSION,)) if all_children else texts, METRICS[0], fields
                    ),
                ),
            ]
            _check(contestants, len(chosen) * days)
            found = race(contestants, effort)
            table.rows.append([what, *(one.median * 1000 for one in found.values()), len(found[OURS].wall)])
    return Result([table])


def _plotpoints(pod: Pod, all_children: bool, days: int) -> Any:
    path = DIMENSION if all_children else [DIMENSION, worlds.child_names(1)[0]]
    depth = int(all_children)
    return shapes.plotpoints(
        pod, worlds.PK, path, METRICS, depth, f"{days}d", None, False, dict, False, False, None, None
    )


def _values(pod: Pod, names: list[str], days: int, now: float) -> Any:
    paths = [Path((DIMENSION, name)) for name in names]
    formula = parse(METRICS[0])
    values, _ = pod.reader.values(Path((worlds.PK,)), paths, [formula], pod.period(f"{days}d"), now, plotted=True)
    return values.points(formula)[:, : len(names)]


def _hashes(cells: Any, names: list[str], now: float) -> dict[str, dict[str, int]]:
    fields = ancestor.day_labels(YEAR, now)
    return {
        ancestor.key((DIMENSION, name), "1d", METRICS[0]): dict(zip(fields, cells[:, child, 0].tolist(), strict=True))
        for child, name in enumerate(names)
    }


def _check(contestants: list[Contestant], points: int) -> None:
    """All must add up to the same, and have as many points."""
    of_us, of_reader, of_duckdb, of_ancestor = (one.call() for one in contestants)
    lines = [line for path, by_metric in of_us.items() if path != DIMENSION for line in by_metric.values()]
    found = [
        [value for line in lines for value in line.values()],
        of_reader.ravel().tolist(),
        [row[-1] for row in of_duckdb],
        [value for line in of_ancestor.values() for value in line.values()],
    ]
    if {len(values) for values in found} != {points} or len({round(sum(values)) for values in found}) != 1:
        raise AssertionError(f"the answers differ: {[(len(values), sum(values)) for values in found]}")
