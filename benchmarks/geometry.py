"""Which geometry of tiles is best: the same cells in tiles of other shapes, in a model (see tile_model.py)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime
from statistics import mean
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from redis import Redis

from benchmarks import ancestor, memory, servers, worlds
from benchmarks.effort import Effort
from benchmarks.report import Column, Figure, Result, Table
from benchmarks.tile_model import Cells, Geometry, Model
from benchmarks.timing import Contestant, race
from hailwhale_django.engine.domain.period import Period, parse_period
from hailwhale_django.engine.domain.plan import Schedule, parse_schedule
from hailwhale_django.engine.domain.timeline import Interval, timeline
from hailwhale_django.engine.pod import BATCH
from hailwhale_django.engine.store.store import DEFAULT_INTERVALS

ZONE = ZoneInfo("UTC")
NO_COARSE = {interval: keep for interval, keep in DEFAULT_INTERVALS.items() if interval not in ("1w", "1mo")}

GEOMETRIES = (
    Geometry("64 x 16, pages 1024 x 1 (ours)", 64, 16, 1024, 1, DEFAULT_INTERVALS),
    Geometry("rows: 64 x 16 throughout", 64, 16, 64, 16, DEFAULT_INTERVALS),
    Geometry("buckets: 1024 x 1 throughout", 0, 1, 1024, 1, DEFAULT_INTERVALS),
    Geometry("64 x 32, pages 1024 x 1", 64, 32, 1024, 1, DEFAULT_INTERVALS),
    Geometry("64 x 64, pages 1024 x 1", 64, 64, 1024, 1, DEFAULT_INTERVALS),
    Geometry("64 x 16, pages 256 x 4", 64, 16, 256, 4, DEFAULT_INTERVALS),
    Geometry("ours without weeks, months", 64, 16, 1024, 1, NO_COARSE),
)

TABLES = ((50, 30), (1_000, 30), (10_000, 30), (1_000, 365))
PLOTS = {"row 10, 30 d": (10, 30), "row 10, 1 y": (10, 365), "row 900, 30 d": (900, 30), "row 900, 1 y": (900, 365)}
PLOTTED_ROWS = 1_000
METRICS = len(worlds.METRICS)


def run(effort: Effort) -> Result:
    """Reads of each geometry, then memory and how many tiles writes touch."""
    effort = replace(effort, seconds=effort.seconds / 3)
    now = time.time()
    return Result([_reads(effort, now), _writes(effort, now)])


def _reads(effort: Effort, now: float) -> Table:
    figures: dict[str, list[Figure]] = {geometry.name: [geometry.name] for geometry in GEOMETRIES}
    columns = [Column("ms, median")]
    for size, days in TABLES:
        rows = effort.size(size, least=5)
        columns.append(Column(f"{rows:,} x {days} d", ".2f"))
        with ExitStack() as stack:
            models = _loaded(stack, worlds.daily(days, rows, METRICS), now)
            contestants = [_table(model, rows, days, now) for model in models]
            _check(contestants)
            for name, timing in race(contestants, effort).items():
                figures[name].append(timing.median * 1000)
    with ExitStack() as stack:
        models = _loaded(stack, worlds.daily(365, PLOTTED_ROWS, 1), now)
        for what, (row, days) in PLOTS.items():
            columns.append(Column(what, ".2f"))
            contestants = [_plot(model, row, days, now) for model in models]
            _check(contestants)
            for name, timing in race(contestants, effort).items():
                figures[name].append(timing.median * 1000)
    notes = [
        f"First the sums of all rows over days, {METRICS} metrics; then one row of {PLOTTED_ROWS:,} by day, 1 metric.",
        "Commands, replies and numpy only: no catalog, no sorting, no answer.",
    ]
    return Table("Geometry: reads", columns, list(figures.values()), notes)


def _table(model: Model, rows: int, days: int, now: float) -> Contestant:
    (columns,) = _schedule(model.geometry).in_sum(_period(days, now), now).points
    return Contestant(model.geometry.name, lambda: model.sums(columns, rows, METRICS))


def _plot(model: Model, row: int, days: int, now: float) -> Contestant:
    plan = _schedule(model.geometry).by_point(_period(days, now), now)
    columns = [column for (column,) in plan.points]
    return Contestant(model.geometry.name, lambda: model.points(columns, row))


def _check(contestants: Sequence[Contestant]) -> None:
    first, *others = [one.call() for one in contestants]
    if not all(np.array_equal(first, other) for other in others):
        raise AssertionError("the geometries' answers differ")


def _loaded(stack: ExitStack, cells: Any, now: float) -> list[Model]:
    """A model of each geometry on one server, with [day, row, metric] in days, weeks and months."""
    client = stack.enter_context(servers.running_client())
    models = []
    for number, geometry in enumerate(GEOMETRIES):
        model = Model(client, geometry, f"g{number}")
        model.load(_by_interval(cells, geometry, now))
        models.append(model)
    return models


def _by_interval(cells: Any, geometry: Geometry, now: float) -> Iterator[Cells]:
    days, rows, metrics = cells.shape
    at = [now - age * worlds.DAY_SECONDS for age in range(days - 1, -1, -1)]
    for name in geometry.intervals:
        interval = Interval.parse(name)
        if interval.seconds >= worlds.DAY_SECONDS:
            buckets, positions = np.unique([timeline(ZONE).bucket(interval, one) for one in at], return_inverse=True)
            sums = np.zeros((len(buckets), rows, metrics), dtype=np.int64)
            np.add.at(sums, positions, cells)
            of_bucket, of_row, of_metric = (axis.ravel() for axis in np.indices(sums.shape))
            yield Cells(name, of_row, buckets[of_bucket], of_metric, sums.ravel())


def _writes(effort: Effort, now: float) -> Table:
    columns = [Column("geometry")]
    rows: list[list[Figure]] = [[geometry.name] for geometry in GEOMETRIES]
    cases = {"dense": memory.DENSE, "long-tailed": memory.LONG_TAILED}
    for what, dimensions in cases.items():
        columns += [Column(f"MB {what}", ".2f"), Column("keys", ","), Column("tiles/event", ".1f")]
        columns.append(Column(f"tiles/{BATCH:,}", ",.0f"))
        begin = now - memory.DAYS * worlds.DAY_SECONDS
        events = worlds.visits(effort.size(memory.EVENTS), dimensions, begin, now)
        for geometry, figures in zip(GEOMETRIES, rows, strict=True):
            figures += _held(geometry, events, now)
            recent = worlds.visits(effort.size(memory.EVENTS), dimensions, now - 300, now)
            figures += _touched(geometry, recent, now)
    notes = [
        f"{effort.size(memory.EVENTS):,} events over {memory.DAYS} days as in the benchmark of memory (uncapped); only",
        f"tiles. Then how many of them an event and a batch of {BATCH:,} touch, where all come within five minutes.",
    ]
    return Table("Geometry: memory and writes", columns, rows, notes)


def _held(geometry: Geometry, events: Sequence[worlds.Event], now: float) -> list[Figure]:
    """Megabytes and number of keys of what is kept of these events."""
    with servers.running() as url, closing(Redis.from_url(url)) as watcher:
        empty = servers.settled_bytes(watcher)
        with closing(Redis.from_url(url)) as client:
            Model(client, geometry, "hw").load(_counted(geometry, events, now))
        return [(servers.settled_bytes(watcher) - empty) / memory.MEGABYTE, int(watcher.dbsize())]


def _counted(geometry: Geometry, events: Sequence[worlds.Event], now: float) -> Iterator[Cells]:
    schedule, numbers = _schedule(geometry), _Numbers()
    sums: dict[str, Counter[tuple[int, int, int]]] = {name: Counter() for name in geometry.intervals}
    for event in events:
        amounts = {**event["metrics"], "hits": 1}
        rows = numbers.rows(event)
        for interval, bucket in schedule.columns_at(event["at"], now):
            added = sums[str(interval)]
            for row in rows:
                for metric, amount in enumerate(amounts.values()):
                    added[row, bucket, metric] += round(amount * 100)
    for name, added in sums.items():
        if added:
            rows_, buckets, metrics = np.array(list(added)).T
            yield Cells(name, rows_, buckets, metrics, np.array(list(added.values())) // 100)


def _touched(geometry: Geometry, events: Sequence[worlds.Event], now: float) -> list[Figure]:
    """Tiles of all metrics, per event and per batch."""
    schedule, numbers = _schedule(geometry), _Numbers()
    model = Model(Redis(), geometry, "")
    per_event, per_batch = [], []
    for first in range(0, len(events), BATCH):
        touched = set()
        for event in events[first : first + BATCH]:
            rows = np.array(numbers.rows(event))
            tiles = set()
            for interval, bucket in schedule.columns_at(event["at"], now):
                tiles |= model.touched(str(interval), rows, np.full(len(rows), bucket))
            per_event.append(len(tiles))
            touched |= tiles
        per_batch.append(len(touched))
    metrics = len(events[0]["metrics"]) + 1
    return [mean(per_event) * metrics, mean(per_batch) * metrics]


class _Numbers:
    """A row for each path, in the order in which they are met."""

    def __init__(self) -> None:
        self._rows: dict[ancestor.Path, int] = {}

    def rows(self, event: Mapping[str, Any]) -> list[int]:
        return [self._rows.setdefault(path, len(self._rows)) for path in ancestor.paths(event["dimensions"])]


def _schedule(geometry: Geometry) -> Schedule:
    return parse_schedule(geometry.intervals, timeline(ZONE))


def _period(days: int, now: float) -> Period:
    return parse_period(f"{days}d", now=datetime.fromtimestamp(now, UTC), zone=ZONE, tzoffset=None)
