"""The first hundred of so many children by revenue per visitor, over 30 days and with five metrics of each."""

from __future__ import annotations

import time
from contextlib import ExitStack
from math import isclose
from typing import Any

from benchmarks import ancestor, duck, servers, worlds
from benchmarks.effort import Effort
from benchmarks.report import Column, Result, Table, Target
from benchmarks.timing import Contestant, Timing, race
from hailwhale_django.engine.pod import Pod

DAYS = 30
YEAR = 365
LIMIT = 100
DIMENSION = "country"
RATIO = ("revenue", "visitors")
FORMULA = "/".join(RATIO)
CHILDREN = (50, 1_000, 10_000)

OURS, PLAIN, BOUNDS = "hailwhale", "hailwhale without hiredis", "hailwhale with bounds"
DUCKDB, DUCKDB_ONE, DUCKDB_YEAR = "DuckDB", "DuckDB, one thread", "DuckDB, a year of rows"
ANCESTOR, UNPIPELINED = "ancestor's layout", "ancestor's, no pipelines"
NAMES = (OURS, PLAIN, BOUNDS, DUCKDB, DUCKDB_ONE, DUCKDB_YEAR, ANCESTOR, UNPIPELINED)


def run(effort: Effort) -> Result:
    """One race for each number of children."""
    sizes = effort.sizes(*CHILDREN)
    timings = {size: _race(size, effort) for size in sizes}
    table = Table(
        f"Ratio table: best {LIMIT} by {FORMULA}, {DAYS} days, {len(worlds.METRICS)} metrics (ms, median)",
        [Column("children", ","), *(Column(name, ".2f") for name in NAMES)],
        notes=["All answer the same rows. A bound is the 95% interval of the ratio, worked out for every child."],
    )
    compared = Table(
        "How many times faster hailwhale is than",
        [Column("children", ","), *(Column(name, ".2f") for name in (DUCKDB, DUCKDB_ONE, ANCESTOR)), Column("rounds")],
    )
    result = Result([table, compared])
    for size, found in timings.items():
        ours = found[OURS].median
        table.rows.append([size, *(found[name].median * 1000 for name in NAMES)])
        against = {name: found[name].median / ours for name in (DUCKDB, DUCKDB_ONE, ANCESTOR)}
        compared.rows.append([size, *against.values(), len(found[OURS].wall)])
        result.targets.append(
            Target(f"times DuckDB's speed, the faster of both, {size:,} children", min(list(against.values())[:2]), 1)
        )
    middle = sizes[min(1, len(sizes) - 1)]
    faster = timings[middle][ANCESTOR].median / timings[middle][OURS].median
    result.targets.append(Target(f"times the speed of the ancestor's layout, {middle:,} children", faster, 100))
    return result


def _race(children: int, effort: Effort) -> dict[str, Timing]:
    now = time.time()
    names = worlds.child_names(children)
    year = worlds.daily(YEAR, children, len(worlds.METRICS))
    month = year[-DAYS:]
    with ExitStack() as stack:
        url = stack.enter_context(servers.running())
        pod = stack.enter_context(servers.pod_at(url, lambda: now))
        plain = stack.enter_context(servers.pod_at(url, lambda: now, plain=True))
        pod.count_many(worlds.daily_events(month, worlds.METRICS, DIMENSION, now), None)

        client = stack.enter_context(servers.running_client())
        past, unpipelined = ancestor.Ancestor(client), ancestor.Ancestor(client, at_once=1)
        fields = ancestor.day_labels(DAYS, now)
        past.load(_hashes(month, fields), {(DIMENSION,): names})

        def answer_of_ancestor(of: ancestor.Ancestor = past) -> list[tuple[float, str, list[int]]]:
            return of.table((DIMENSION,), worlds.METRICS, RATIO, fields, LIMIT)

        def queried(cells: Any, threads: int | None = None) -> duck.Rows:
            connection = stack.enter_context(duck.database(cells, names, worlds.METRICS, now, threads))
            return duck.ratio_table(connection, worlds.METRICS, RATIO, DAYS, now, LIMIT)

        answer_of_duckdb = queried(month)
        _check(_ours(pod), answer_of_duckdb(), answer_of_ancestor())
        return race(
            [
                Contestant(OURS, lambda: _ours(pod)),
                Contestant(PLAIN, lambda: _ours(plain)),
                Contestant(BOUNDS, lambda: _ours(pod, bounds=True)),
                Contestant(DUCKDB, answer_of_duckdb),
                Contestant(DUCKDB_ONE, queried(month, threads=1)),
                Contestant(DUCKDB_YEAR, queried(year)),
                Contestant(ANCESTOR, answer_of_ancestor),
                Contestant(UNPIPELINED, lambda: answer_of_ancestor(unpipelined)),
            ],
            effort,
        )


def _ours(pod: Pod, *, bounds: bool = False) -> Any:
    return pod.query(
        worlds.PK,
        dimension=DIMENSION,
        metrics=[*worlds.METRICS, FORMULA],
        order_by=FORMULA,
        period=f"{DAYS}d",
        limit=LIMIT,
        bounds=bounds,
    )


def _hashes(cells: Any, fields: list[str]) -> dict[str, dict[str, int]]:
    return {
        ancestor.key((DIMENSION, name), "1d", metric): dict(zip(fields, cells[:, child, at].tolist(), strict=True))
        for child, name in enumerate(worlds.child_names(cells.shape[1]))
        for at, metric in enumerate(worlds.METRICS)
    }


def _check(ours: Any, of_duckdb: list[tuple[Any, ...]], of_ancestor: list[tuple[float, str, list[int]]]) -> None:
    """All three must answer the same rows, or comparing their times means nothing."""
    rows = [(row.name, *(cell.value for cell in row.cells)) for row in ours.rows]
    past = [(ancestor.name_of(text), *sums, ratio) for ratio, text, sums in of_ancestor]
    for mine, theirs, third in zip(rows, of_duckdb, past, strict=True):
        if not mine[0] == theirs[0] == third[0] or not all(
            isclose(a, b) and isclose(a, c) for a, b, c in zip(mine[1:], theirs[1:], third[1:], strict=True)
        ):
            raise AssertionError(f"the answers differ: {mine}, {theirs}, {third}")
