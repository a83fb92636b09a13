"""Events per second: one at a time, and many at once, against one pipelined HINCRBY for each cell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import count
from statistics import mean

from benchmarks import servers, worlds
from benchmarks.ancestor import Ancestor, cells, retained
from benchmarks.effort import Effort
from benchmarks.report import Column, Result, Table, Target
from benchmarks.timing import Contestant, Timing, race
from benchmarks.worlds import Event
from hailwhale_django.engine.pod import BATCH, Pod
from hailwhale_django.engine.store.store import Store

DIMENSIONS = {"country": 50, "page": 1_000}
ONE_BY_ONE = 500
MANY = 100_000
SAMPLE = 2_000
AT_ONCE = 1_000
LIVE = "5 minutes"
WORLDS = {LIVE: 300, "30 days": 30 * worlds.DAY_SECONDS}

OURS, FROM_NOTHING = "hailwhale", "hailwhale, from nothing"
PEER, PEER_AT_ONCE = "HINCRBY, a pipeline per event", f"HINCRBY, {AT_ONCE:,} events a pipeline"


def run(effort: Effort) -> Result:
    """Each contestant counts events of the same world; the slow ones fewer of them."""
    now = time.time()
    few, sample, many = (effort.size(size) for size in (ONE_BY_ONE, SAMPLE, MANY))
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
            "The rest is waiting, for the server and on the way there. Each round has other events of the same world.",
            "From nothing: the server is empty, and the process has yet to see its first name.",
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
        notes=["Times fewer: the cells of a batch's events, over the different cells among them: what folding saves."],
    )
    result = Result([speeds, spread])
    with ExitStack() as stack:
        for span, seconds in WORLDS.items():
            counters = Counters(stack, now, seconds)
            if span == LIVE:
                sizes = {OURS: few, PEER: few}
                found = race(counters.one_by_one(few), effort)
                _add(result, "count_now", found, sizes)
                _target(result, "count_now", found, sizes, 2)
            sizes = {OURS: many, FROM_NOTHING: many, PEER: sample, PEER_AT_ONCE: sample}
            found = race(counters.many(many, sample), effort)
            what = f"count_many, {many:,} within {span}"
            _add(result, what, found, sizes)
            if span == LIVE:
                _target(result, what, found, sizes, 40)
            spread.rows.append([span, *_cells(counters.events(many), now)])
    return result


class Counters:
    """The contestants, each with a server of its own and, in each round, with new events of one world."""

    def __init__(self, stack: ExitStack, now: float, seconds: float) -> None:
        self.now = now
        self.seconds = seconds
        self.pod = stack.enter_context(servers.running_pod(lambda: now))
        self.other_pod = stack.enter_context(servers.running_pod(lambda: now))
        self.ancestor = Ancestor(stack.enter_context(servers.running_client()))
        self._seeds = count()
        self._next: list[Event] = []

    def one_by_one(self, size: int) -> list[Contestant]:
        new = self._bringing(size)
        return [
            Contestant(OURS, self._count_now, new),
            Contestant(PEER, lambda: self.ancestor.count(self._next, self.now), new),
        ]

    def many(self, size: int, sample: int) -> list[Contestant]:
        new, fewer = self._bringing(size), self._bringing(sample)
        return [
            Contestant(OURS, lambda: self.pod.count_many(self._next, None), new),
            Contestant(FROM_NOTHING, lambda: self.other_pod.count_many(self._next, None), lambda: self._forget(new)),
            Contestant(PEER, lambda: self.ancestor.count(self._next, self.now), fewer),
            Contestant(PEER_AT_ONCE, lambda: self.ancestor.count(self._next, self.now, AT_ONCE), fewer),
        ]

    def events(self, size: int) -> list[Event]:
        return worlds.visits(size, DIMENSIONS, self.now - self.seconds, self.now, seed=next(self._seeds))

    def _bringing(self, size: int) -> Callable[[], None]:
        def bring() -> None:
            self._next = self.events(size)

        return bring

    def _count_now(self) -> None:
        for event in self._next:
            self.pod.count(event["pk"], event["dimensions"], event["metrics"], event["at"])

    def _forget(self, then: Callable[[], None]) -> None:
        server = self.other_pod.store.server
        server.call("FLUSHDB", ["SYNC"])
        self.other_pod = Pod(Store(server), lambda: self.now)
        then()


def _add(result: Result, what: str, found: Mapping[str, Timing], sizes: Mapping[str, int]) -> None:
    for name, timing in found.items():
        each = timing.median / sizes[name]
        result.tables[0].rows.append([what, name, 1 / each, each * 1e6, timing.work_share, len(timing.wall)])


def _target(result: Result, what: str, found: Mapping[str, Timing], sizes: Mapping[str, int], needed: float) -> None:
    ours, peer = (found[name].median / sizes[name] for name in (OURS, PEER))
    result.targets.append(Target(f"times a pipelined HINCRBY per cell: {what}", peer / ours, needed))


def _cells(events: Sequence[Event], now: float) -> tuple[float, float, float]:
    """Per event, per batch, and how many times fewer the latter are than those of the batch's events."""
    of_events, different = [], []
    for first in range(0, len(events), BATCH):
        touched = [pair for event in events[first : first + BATCH] for pair in _touched(event, now)]
        of_events.append(len(touched))
        different.append(len(set(touched)))
    return sum(of_events) / len(events), mean(different), sum(of_events) / sum(different)


def _touched(event: Event, now: float) -> Iterator[tuple[str, str]]:
    for key, field, _ in cells(event, retained(event["at"], now)):
        yield key, field
