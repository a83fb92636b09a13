"""Events per second: one at a time, and many at once, against one pipelined HINCRBY for each cell."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from statistics import mean

from redis import Redis

from benchmarks import servers, worlds
from benchmarks.ancestor import Ancestor, cells, retained
from benchmarks.effort import Effort
from benchmarks.report import Column, Result, Table, Target
from benchmarks.timing import Contestant, Timing, race
from benchmarks.worlds import Event
from hailwhale_django.engine.pod import BATCH, Pod
from hailwhale_django.engine.store.server import Server
from hailwhale_django.engine.store.store import Store

DIMENSIONS = {"country": 50, "page": 1_000}
ONE_BY_ONE = 500
MANY = 100_000
SAMPLE = 2_000
AT_ONCE = 1_000
WORLDS = {"5 minutes": 300, "30 days": 30 * worlds.DAY_SECONDS}

OURS, PEER, PEER_AT_ONCE = "hailwhale", "HINCRBY, a pipeline per event", f"HINCRBY, {AT_ONCE:,} events a pipeline"


def run(effort: Effort) -> Result:
    """Each contestant counts events of the same world; the slow ones fewer of them."""
    now = time.time()
    speeds = Table(
        "Counting: 2 dimensions (of 50 and 1,000 children, Zipf), 2 metrics and hits, default intervals",
        [
            Column("what"),
            Column("contestant"),
            Column("events/s", ",.0f"),
            Column("us/event", ",.1f"),
            Column("of it Python", ".0%"),
            Column("rounds"),
        ],
        notes=[
            "The rest is waiting, for the server and on the way there. All begin count_many with an empty server, "
            "hailwhale also with an empty memory.",
        ],
    )
    spread = Table(
        "Cells: how many there are to add to",
        [
            Column("events within"),
            Column("per event", ",.1f"),
            Column(f"per batch of {BATCH:,}", ",.0f"),
            Column("times fewer", ",.1f"),
        ],
        notes=[
            "Cells per event, times the events of a batch, over the different cells of that batch: what folding saves."
        ],
    )
    result = Result([speeds, spread])
    with ExitStack() as stack:
        counters = Counters(stack, now)
        for span, seconds in WORLDS.items():
            events = worlds.visits(effort.size(MANY), DIMENSIONS, now - seconds, now)
            if span == next(iter(WORLDS)):
                few = events[: effort.size(ONE_BY_ONE)]
                found = race(counters.one_by_one(few), effort)
                _add(speeds, "count_now", found, {OURS: len(few), PEER: len(few)})
                result.targets.append(_target("count_now", found, {OURS: len(few), PEER: len(few)}, 2))
            sample = events[:: max(1, len(events) // effort.size(SAMPLE))]
            sizes = {OURS: len(events), PEER: len(sample), PEER_AT_ONCE: len(sample)}
            found = race(counters.many(events, sample), effort)
            what = f"count_many, {len(events):,} within {span}"
            _add(speeds, what, found, sizes)
            result.targets.append(_target(what, found, sizes, 40))
            spread.rows.append([span, *_cells(events, now)])
    return result


class Counters:
    """The contestants, each with a server of its own."""

    def __init__(self, stack: ExitStack, now: float) -> None:
        self.now = now
        self.client: Redis = stack.enter_context(servers.running_client())
        self.pod = stack.enter_context(servers.running_pod(lambda: now))
        self.ancestor = Ancestor(self.client)

    def one_by_one(self, events: Sequence[Event]) -> list[Contestant]:
        return [
            Contestant(OURS, lambda: self._count_now(events)),
            Contestant(PEER, lambda: self.ancestor.count(events, self.now)),
        ]

    def many(self, events: Sequence[Event], sample: Sequence[Event]) -> list[Contestant]:
        return [
            Contestant(OURS, lambda: self.pod.count_many(events, None), self._renew),
            Contestant(PEER, lambda: self.ancestor.count(sample, self.now), self._empty),
            Contestant(PEER_AT_ONCE, lambda: self.ancestor.count(sample, self.now, AT_ONCE), self._empty),
        ]

    def _count_now(self, events: Sequence[Event]) -> None:
        for event in events:
            self.pod.count(event["pk"], event["dimensions"], event["metrics"], event["at"])

    def _renew(self) -> None:
        server: Server = self.pod.store.server
        server.call("FLUSHDB", ["SYNC"])
        self.pod = Pod(Store(server), lambda: self.now)

    def _empty(self) -> None:
        self.client.execute_command("FLUSHDB", "SYNC")


def _add(table: Table, what: str, found: Mapping[str, Timing], sizes: Mapping[str, int]) -> None:
    for name, timing in found.items():
        each = timing.median / sizes[name]
        table.rows.append([what, name, 1 / each, each * 1e6, timing.work_share, len(timing.wall)])


def _target(what: str, found: Mapping[str, Timing], sizes: Mapping[str, int], needed: float) -> Target:
    each = {name: timing.median / sizes[name] for name, timing in found.items()}
    return Target(f"times a pipelined HINCRBY per cell: {what}", each[PEER] / each[OURS], needed)


def _cells(events: Sequence[Event], now: float) -> tuple[float, float, float]:
    """Per event, per batch, and how many times fewer the latter are than those of the batch's events."""
    all_, different = [], []
    for first in range(0, len(events), BATCH):
        touched = [
            (key, field)
            for event in events[first : first + BATCH]
            for key, field, _ in cells(event, retained(event["at"], now))
        ]
        all_.append(len(touched))
        different.append(len(set(touched)))
    return sum(all_) / len(events), mean(different), sum(all_) / sum(different)
