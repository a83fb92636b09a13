"""How long an explanation takes: ten dimensions of 1,000 children, 30 days against the 30 before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import duckdb
import numpy as np

from benchmarks import servers
from benchmarks.effort import Effort
from benchmarks.report import Column, Result, Table, Target
from benchmarks.timing import Contestant, race
from benchmarks.worlds import DAY_SECONDS, PK, SEED, Event
from hailwhale_django.engine.pod import Pod

DIMENSIONS = 10
CHILDREN = 1_000
DAYS = 30
PERIODS = 4
FORMULA = "revenue/visitors"
MOST_MILLISECONDS = 50

OURS, SUM, MOVERS, DUCKDB = "explain revenue/visitors", "explain revenue", "movers", "DuckDB, sums and parts alone"


def run(effort: Effort) -> Result:
    """The same question, over and over, in a process that has asked it before."""
    now = time.time()
    children = effort.size(CHILDREN, least=20)
    with ExitStack() as stack:
        url = stack.enter_context(servers.running())
        pod = stack.enter_context(servers.pod_at(url, lambda: now))
        pod.count_many(_events(children, now), None)
        contestants = [
            Contestant(OURS, lambda: pod.explain(PK, FORMULA, period=f"{DAYS}d")),
            Contestant(SUM, lambda: pod.explain(PK, "revenue", period=f"{DAYS}d")),
            Contestant(MOVERS, lambda: pod.movers(PK, FORMULA, period=f"{DAYS}d")),
            Contestant(DUCKDB, _of_duckdb(stack, children, now)),
        ]
        found = race(contestants, effort)
        trips = _trips(pod)
    table = Table(
        f"Explaining: {DIMENSIONS} dimensions of {children:,} children, {DAYS} days against the {DAYS} before",
        [Column("what"), Column("ms", ",.1f"), Column("of it work in this process", ".2f")],
        notes=[
            f"The explanation takes {trips} round trips: for the dimensions, one a level, for buckets and past.",
            "DuckDB, in process, sums the same rollup rows of both periods and works out the parts; it looks neither",
            "for what is ordinary nor for causes.",
        ],
        rows=[[name, timing.median * 1e3, timing.work_share] for name, timing in found.items()],
    )
    milliseconds = found[OURS].median * 1e3
    return Result([table], [Target("milliseconds for an explanation", milliseconds, MOST_MILLISECONDS, at_most=True)])


def _cells(children: int) -> Any:
    """Visitors and revenue [day, child], and with whom [day, dimension, child]: each child is met once a day."""
    rng = np.random.default_rng(SEED)
    days = DAYS * PERIODS
    visitors = rng.poisson(100, (days, children))
    revenue = np.round(rng.gamma(50, 4, (days, children)), 2)
    revenue[-DAYS:, 7] /= 2
    return visitors, revenue, rng.permuted(np.tile(np.arange(children), (days, DIMENSIONS, 1)), axis=2)


def _events(children: int, now: float) -> Iterator[Event]:
    visitors, revenue, others = _cells(children)
    for day in range(len(visitors)):
        at = now - (len(visitors) - 1 - day) * DAY_SECONDS
        for child in range(children):
            names = {f"d{number}": f"c{others[day, number, child]:05d}" for number in range(1, DIMENSIONS)}
            yield {
                "pk": PK,
                "dimensions": {"d0": f"c{child:05d}", **names},
                "metrics": {"visitors": int(visitors[day, child]), "revenue": float(revenue[day, child])},
                "at": at,
            }


def _of_duckdb(stack: ExitStack, children: int, now: float) -> Callable[[], Any]:
    """The sums of both periods by dimension and child, and each child's part."""
    visitors, revenue, others = _cells(children)
    connection = stack.enter_context(duckdb.connect())
    connection.execute("CREATE TABLE cells (day INTEGER, dimension TINYINT, child INTEGER, v BIGINT, r DOUBLE)")
    columns: dict[str, list[Any]] = {"day": [], "dimension": [], "child": [], "v": [], "r": []}
    for day in range(len(visitors) - 2 * DAYS, len(visitors)):
        for number in range(DIMENSIONS):
            columns["day"].append(np.full(children, day))
            columns["dimension"].append(np.full(children, number))
            columns["child"].append(np.arange(children) if number == 0 else others[day, number])
            columns["v"].append(visitors[day])
            columns["r"].append(revenue[day])
    found = {name: np.concatenate(parts) for name, parts in columns.items()}  # noqa: F841  # DuckDB reads it by name
    connection.execute("INSERT INTO cells SELECT day, dimension, child, v, r FROM found")
    edge = len(visitors) - DAYS
    query = f"""
        WITH sums AS (
            SELECT dimension, child,
                sum(r) FILTER (day < {edge}) AS r0, sum(r) FILTER (day >= {edge}) AS r1,
                sum(v) FILTER (day < {edge}) AS v0, sum(v) FILTER (day >= {edge}) AS v1
            FROM cells GROUP BY ALL
        ), wholes AS (
            SELECT sum(r0) AS a0, sum(r1) AS a1, sum(v0) AS b0, sum(v1) AS b1 FROM sums WHERE dimension = 0
        )
        SELECT dimension, child, r1/b1 - r0/b0 - (a1/b1 + a0/b0)/2 * (v1/b1 - v0/b0) AS part
        FROM sums, wholes
        QUALIFY row_number() OVER (PARTITION BY dimension ORDER BY abs(part) DESC) <= 10
    """
    return lambda: connection.execute(query).fetchall()


def _trips(pod: Pod) -> int:
    server = pod.store.server
    trips, run = [], server.run
    server.run = lambda calls: trips.append(calls) or run(calls)  # type: ignore[method-assign]
    try:
        pod.explain(PK, FORMULA, period=f"{DAYS}d")
    finally:
        del server.run
    return len(trips)
