"""Sketches in the rollups: unique visitors of 1,000 pages over 30 days, and what they cost to count and keep."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray
from redis import Redis

from benchmarks import servers
from benchmarks.effort import Effort
from benchmarks.report import Column, Result, Table
from benchmarks.timing import Contestant, Timing, race
from hailwhale_django.engine.domain.sketch import sketch_of
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.simmer.cell import part

PK, DIMENSION, METRIC = "site", "page", "uv:visitor"
PAGES, DAYS = 1_000, 30
VISITS = (33, 100)  # of each page on each day
PEOPLE = 100_000
LIMIT = 10
EVENTS = 20_000
MEGABYTE = 1_000_000
# A sketch of 4,096 registers is off by 1.6 %; five times that is a mistake.
MOST_ERROR = 0.08

OURS, PLOTTED, PERCENTILE = "hailwhale", "hailwhale, with plots", "hailwhale, pct95"
PFCOUNT, EXACT, APPROXIMATE = "Redis PFCOUNT", "DuckDB, exact", "DuckDB, approximate"
NAMES = (OURS, PLOTTED, PERCENTILE, PFCOUNT, EXACT, APPROXIMATE)

SAMPLED = (1, 10, 100, 1_000, 10_000, 100_000)
KINDS = ("uv:x", "pct:x", "hist:x", "top:sum:x", "top:uv:x", "mh:x", "fh:x", "dcy:x", "sum:x", "var:x", "max:x")

Visits = NDArray[np.int64]
"""[day, page, visit]: who came."""


def run(effort: Effort) -> Result:
    """The first pages by unique visitors; then bytes, and what counting takes."""
    pages = effort.size(PAGES)
    tables = Table(
        f"The first {LIMIT} of {pages:,} pages by unique visitors in {DAYS} days (ms, median)",
        [Column("visits", ","), *(Column(name, ".1f") for name in NAMES)],
        notes=["PFCOUNT asks for the union of 30 keys of each page, pipelined. DuckDB has the rows of all visits."],
    )
    sizes = Table(
        "Memory of the same visits (MB in the server)",
        [Column("visits", ","), Column("sums alone", ".1f"), Column("with uv", ".1f"), Column("with uv and pct", ".1f"),
         Column("HyperLogLogs of Redis, by day", ".1f"), Column("bytes a cell, uv", ".0f"),
         Column("bytes a cell, pct", ".0f")],
        notes=["By day, week and month: a page has 37 cells of each. Redis's are by day alone."],
    )  # fmt: skip
    result = Result([tables, sizes, _counting(effort), _bytes()])
    for visits in VISITS:
        timings, megabytes = _race(pages, visits, effort)
        tables.rows.append([pages * DAYS * visits, *(timings[name].median * 1000 for name in NAMES)])
        sizes.rows.append([pages * DAYS * visits, *megabytes])
    return result


def _race(pages: int, visits: int, effort: Effort) -> tuple[dict[str, Timing], list[float]]:
    now = time.time()
    people = np.random.default_rng(1).integers(0, PEOPLE, (DAYS, pages, visits))
    with ExitStack() as stack:
        clients = [stack.enter_context(servers.running_client()) for _ in range(4)]
        intervals: dict[str, str | None] = {"1d": None, "1w": None, "1mo": None}
        urls = [f"redis://127.0.0.1:{client.connection_pool.connection_kwargs['port']}/0" for client in clients[:3]]
        pods = [stack.enter_context(servers.pod_at(url, lambda: now, intervals=intervals)) for url in urls]
        for pod, metrics in zip(pods, ((), (METRIC,), (METRIC, "pct95:ms")), strict=True):
            for day in _events(people, metrics, now):
                pod.count_many(day, None)
        past = clients[3]
        _count_in_hyperloglogs(past, people)
        megabytes = [servers.settled_bytes(client) / MEGABYTE for client in clients]
        connection = stack.enter_context(_rows(people))
        _check(_ours(pods[2]), _of_duckdb(connection, "count(DISTINCT visitor)"))
        cells = pages * (DAYS + 7)
        uv, pct = (megabytes[at + 1] - megabytes[at] for at in range(2))
        timings = race(
            [
                Contestant(OURS, lambda: _ours(pods[2])),
                Contestant(PLOTTED, lambda: _ours(pods[2], plotted=True)),
                Contestant(PERCENTILE, lambda: _ours(pods[2], metric="pct95:ms")),
                Contestant(PFCOUNT, lambda: _of_hyperloglogs(past, pages)),
                Contestant(EXACT, lambda: _of_duckdb(connection, "count(DISTINCT visitor)")),
                Contestant(APPROXIMATE, lambda: _of_duckdb(connection, "approx_count_distinct(visitor)")),
            ],
            effort,
        )
        return timings, [*megabytes, uv * MEGABYTE / cells, pct * MEGABYTE / cells]


def _events(people: Visits, metrics: Sequence[str], now: float) -> Iterator[list[dict[str, Any]]]:
    """Of each day, the latest last, one event for each page with all its visits."""
    for ago, pages in zip(range(DAYS - 1, -1, -1), people, strict=True):
        yield [
            {
                "pk": PK,
                "dimensions": {DIMENSION: f"p{page}"},
                "metrics": {"hits": len(visitors)} | {name: _values(name, visitors) for name in metrics},
                "at": now - ago * 86_400,
            }
            for page, visitors in enumerate(pages.tolist())
        ]


def _values(metric: str, visitors: list[int]) -> list[Any]:
    return [f"v{one}" for one in visitors] if metric == METRIC else [one % 997 + one / PEOPLE for one in visitors]


def _ours(pod: Pod, metric: str = METRIC, *, plotted: bool = False) -> dict[str, float]:
    answer = pod.query(PK, dimension=DIMENSION, metrics=metric, period=f"{DAYS}d", limit=LIMIT, plotted=plotted)
    return {row.name: row.cells[0].value for row in answer.rows}


def _count_in_hyperloglogs(client: Redis, people: Visits) -> None:
    for day, pages in enumerate(people.tolist()):
        pipeline = client.pipeline(transaction=False)
        for page, visitors in enumerate(pages):
            pipeline.pfadd(f"p{page}:{day}", *(f"v{one}" for one in visitors))
        pipeline.execute()


def _of_hyperloglogs(client: Redis, pages: int) -> list[tuple[int, str]]:
    pipeline = client.pipeline(transaction=False)
    for page in range(pages):
        pipeline.pfcount(*(f"p{page}:{day}" for day in range(DAYS)))
    return sorted(((count, f"p{page}") for page, count in enumerate(pipeline.execute())), reverse=True)[:LIMIT]


def _rows(people: Visits) -> duckdb.DuckDBPyConnection:
    days, pages, visits = people.shape
    connection = duckdb.connect()
    given = {
        "day": np.repeat(np.arange(days), pages * visits),
        "page": np.tile(np.repeat(np.arange(pages), visits), days),
        "visitor": people.ravel(),
    }
    connection.register("given", given)
    connection.execute("CREATE TABLE visits AS SELECT day, 'p' || page AS page, 'v' || visitor AS visitor FROM given")
    connection.unregister("given")
    return connection


def _of_duckdb(connection: duckdb.DuckDBPyConnection, uniques: str) -> list[tuple[str, int]]:
    query = f"SELECT page, {uniques} AS found FROM visits GROUP BY page ORDER BY found DESC, page LIMIT {LIMIT}"
    return connection.execute(query).fetchall()


def _check(ours: dict[str, float], exact: list[tuple[str, int]]) -> None:
    """The best are the best by any reckoning, as far as a sketch can tell."""
    best, least = max(ours.values()), min(count for _, count in exact)
    if not (1 - MOST_ERROR) * least <= best <= (1 + MOST_ERROR) * exact[0][1]:
        raise AssertionError(f"the answers differ: {ours}, {exact}")


def _counting(effort: Effort) -> Table:
    """Events a second, one at a time and together, with and without sketches."""
    table = Table(
        "Counting (events a second)",
        [Column("metrics"), Column("count_now", ",.0f"), Column("count_many", ",.0f")],
        notes=["In order of arrival, 10,000 different visitors, 50 countries, two dimensions, five intervals."],
    )
    rng = np.random.default_rng(2)
    count = effort.size(EVENTS)
    who, where = rng.integers(0, 10_000, count).tolist(), rng.integers(0, 50, count).tolist()
    kinds = {
        "revenue": {},
        "revenue, uv": {"uv:visitor": 1},
        "revenue, uv, pct": {"uv:visitor": 1, "pct95:ms": 1},
        "revenue, top": {"top10:sum:page": 1},
    }
    for name, sketches in kinds.items():
        events = [
            {
                "pk": PK,
                "dimensions": {"country": f"C{place}", "device": "phone"},
                "metrics": {"revenue": 9.5} | {sketch: _sample(sketch, one) for sketch in sketches},
            }
            for one, place in zip(who, where, strict=True)
        ]
        rates = []
        for together in (False, True):
            with servers.running_pod() as pod:
                begin = time.perf_counter()
                part = events if together else events[: count // 10]
                if together:
                    pod.count_many(part, None)
                else:
                    for event in part:
                        pod.count(event["pk"], event["dimensions"], event["metrics"], None)
                rates.append(len(part) / (time.perf_counter() - begin))
        table.rows.append([name, *rates])
    return table


def _sample(sketch: str, visitor: int) -> Any:
    return {"uv:visitor": f"v{visitor}", "pct95:ms": visitor % 997}.get(sketch, f"/page{visitor % 300}:1")


def _bytes() -> Table:
    """What a cell takes that holds so many different values."""
    table = Table(
        "Bytes of a cell with so many different values, merged",
        [Column("sketch"), *(Column(f"{size:,}", ",.0f") for size in SAMPLED)],
        notes=["Values are log-normal numbers, or names. Some 60 bytes come on top in the server."],
    )
    rng = np.random.default_rng(3)
    numbers = rng.lognormal(3, 1, max(SAMPLED)).tolist()
    for name in KINDS:
        sketch = sketch_of(name)
        assert sketch is not None
        given = [_raw(name, at, number) for at, number in enumerate(numbers)]
        aggregation = sketch.aggregation
        table.rows.append([name, *(len(part(aggregation, aggregation.prepare(given[:size]))) for size in SAMPLED)])
    return table


def _raw(name: str, at: int, number: float) -> str:
    if name.startswith("top"):
        return f"item {at}:{number}"
    if name.startswith("dcy"):
        return f"{at}:{number}"
    return f"value {at}" if name[:2] in ("uv", "mh", "fh") else str(number)
