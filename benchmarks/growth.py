"""How cost grows: with children, metrics, the length of the period, and depth. Each table is one race."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import product
from typing import Any

from benchmarks import servers, worlds
from benchmarks.effort import Effort
from benchmarks.report import Column, Figure, Result, Table
from benchmarks.timing import Contestant, race
from hailwhale_django.engine import shapes
from hailwhale_django.engine.pod import Pod

CHILDREN = (10, 100, 1_000, 10_000)
METRICS = (1, 2, 5, 10)
PERIODS = {"1 day": "yesterday", "30 days": "30d", "1 year": "365d", "5 years": "1825d"}
BRANCHES = 10

MONTH, FIVE_YEARS = 30, 1_825
DIMENSION = "country"
LIMIT = 100


def run(effort: Effort) -> Result:
    """Four tables."""
    with ExitStack() as stack:
        world = World(stack)
        return Result(
            [
                _by_children(world, effort),
                _by_metrics(world, effort),
                _by_period(world, effort),
                _by_depth(world, effort),
            ]
        )


class World:
    """One server; each thing measured has a prefix of its own on it."""

    def __init__(self, stack: ExitStack) -> None:
        self.now = time.time()
        self.seconds: dict[str, float] = {}
        self._stack = stack
        self._url = stack.enter_context(servers.running())

    def pod(self, prefix: str, days: int, metrics: int, names: Sequence[Any]) -> Pod:
        """A pod that has counted one event for each day and name; the last of the names' levels are the children."""
        pod = self._stack.enter_context(servers.pod_at(self._url, lambda: self.now, prefix=prefix))
        cells = worlds.daily(days, len(names), metrics)
        events = list(worlds.daily_events(cells, metric_names(metrics), DIMENSION, self.now, names))
        pod.count_many(events, None)
        begin = time.perf_counter()
        pod.count_many(events, None)  # as it goes on, when all names are known
        self.seconds[prefix] = (time.perf_counter() - begin) / len(events)
        return pod


def metric_names(count: int) -> list[str]:
    return [f"m{number}" for number in range(count)]


def _table(pod: Pod, metrics: int, period: str, depth: int = 1) -> Any:
    names = metric_names(metrics)
    return pod.query(
        worlds.PK,
        dimension=DIMENSION,
        metrics=names,
        order_by=f"{names[0]}/hits",
        period=period,
        limit=LIMIT,
        depth=depth,
    )


def _by_children(world: World, effort: Effort) -> Table:
    pods = {size: world.pod(f"c{size}", MONTH, 2, worlds.child_names(size)) for size in effort.sizes(*CHILDREN)}
    found = race([Contestant(str(size), lambda pod=pod: _table(pod, 2, "30d")) for size, pod in pods.items()], effort)
    rows: list[Sequence[Figure]] = [
        [size, found[str(size)].median * 1e3, world.seconds[f"c{size}"] * 1e6] for size in pods
    ]
    columns = [Column("children", ","), Column("table (ms)", ".2f"), Column("counting (us/event)", ".0f")]
    return Table(f"Growth with children: 2 metrics, 30 days, best {LIMIT} by a ratio", columns, rows)


def _by_metrics(world: World, effort: Effort) -> Table:
    children = worlds.child_names(effort.size(1_000, least=5))
    pods = {count: world.pod(f"m{count}", MONTH, count, children) for count in METRICS}
    found = race(
        [Contestant(str(count), lambda pod=pod, count=count: _table(pod, count, "30d")) for count, pod in pods.items()],
        effort,
    )
    rows: list[Sequence[Figure]] = [
        [count, found[str(count)].median * 1e3, world.seconds[f"m{count}"] * 1e6] for count in pods
    ]
    columns = [Column("metrics"), Column("table (ms)", ".2f"), Column("counting (us/event)", ".0f")]
    return Table(f"Growth with metrics: {len(children):,} children, 30 days", columns, rows, ["hits come on top."])


def _by_period(world: World, effort: Effort) -> Table:
    children = worlds.child_names(effort.size(100, least=5))
    pod = world.pod("p", effort.size(FIVE_YEARS, least=MONTH), 2, children)
    shown = {"table": "table, in sum (ms)", "one": "one child by day (ms)", "all": "all children by day (ms)"}

    def call(kind: str, period: str) -> Any:
        if kind == "table":
            return _table(pod, 2, period)
        path, depth = (DIMENSION, 1) if kind == "all" else ([DIMENSION, children[0]], 0)
        return shapes.plotpoints(
            pod, worlds.PK, path, ["m0"], depth, period, None, False, list, False, False, None, None
        )

    found = race(
        [
            Contestant(f"{kind} {period}", lambda kind=kind, period=period: call(kind, period))
            for kind, period in product(shown, PERIODS.values())
        ],
        effort,
    )
    rows: list[Sequence[Figure]] = [
        [name, *(found[f"{kind} {period}"].median * 1e3 for kind in shown)] for name, period in PERIODS.items()
    ]
    columns = [Column("period"), *(Column(name, ".2f") for name in shown.values())]
    return Table(f"Growth with the period: {len(children):,} children, counted daily for five years", columns, rows)


def _by_depth(world: World, effort: Effort) -> Table:
    branches = worlds.child_names(effort.size(BRANCHES, least=2))
    pods = {}
    for depth in (1, 2, 3):
        names = [_nested(path) for path in product(branches, repeat=depth)]
        pods[depth] = world.pod(f"d{depth}", MONTH, 2, names)
    found = race(
        [
            Contestant(str(depth), lambda pod=pod, depth=depth: _table(pod, 2, "30d", depth))
            for depth, pod in pods.items()
        ],
        effort,
    )
    rows: list[Sequence[Figure]] = [
        [
            depth,
            sum(len(branches) ** level for level in range(1, depth + 1)),
            found[str(depth)].median * 1e3,
            world.seconds[f"d{depth}"] * 1e6,
        ]
        for depth in pods
    ]
    columns = [Column("levels"), Column("rows", ","), Column("table (ms)", ".2f"), Column("counting (us/event)", ".0f")]
    return Table(f"Growth with depth: {len(branches)} children on each level, all levels asked for", columns, rows)


def _nested(path: Sequence[str]) -> Any:
    """("a", "b", "c") as {"a": {"b": "c"}}."""
    name, *below = path
    return {name: _nested(below)} if below else name
