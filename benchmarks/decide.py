"""What a decision takes: 10 options, 5 known dimensions of 1,000 values, 30 days of history, beside a round trip."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import quantiles
from typing import Any

from benchmarks import servers
from benchmarks.effort import Effort
from benchmarks.report import Column, Result, Table, Target
from hailwhale_django.engine.decide.terms import Terms
from hailwhale_django.engine.domain.event import Event
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store.store import Store

OPTIONS = [f"option {n}" for n in range(10)]
DIMENSIONS = ("country", "city", "device", "campaign", "page")
VALUES = 1_000
DAYS = 30
EVENTS = 100_000
DECISIONS = 3_000
COLD = 50
PERIOD = "30d"

BARE, WARM, EXPLAINED, KEPT, FORTH, FIRST = (
    "a bare round trip (PING)",
    "decided",
    "decided, with reasons",
    "decided for a visitor, and kept",
    "the same visitor again",
    "the first of a process",
)
MOST_MEDIAN_MS, MOST_P99_MS = 1.0, 5.0


def run(effort: Effort) -> Result:
    """Each decision by itself, in turn with a bare round trip; what differs is the visitor."""
    table = Table(
        f"A decision between {len(OPTIONS)} options, milliseconds",
        [
            Column("what"),
            Column("median", ".3f"),
            Column("p99", ".3f"),
            Column("median - bare", ".3f"),
            Column("times"),
        ],
    )
    events = effort.size(EVENTS, least=50)
    with decided_world(events) as pod:
        pod.decider.chooser.later = lambda work: work()
        chance = random.Random(2)
        visitors = iter(range(10**9))
        fields = pod.store.server.call("HLEN", [_key_of_today(pod)])
        contestants: dict[str, Callable[[], Any]] = {
            BARE: lambda: pod.store.server.call("PING", []),
            WARM: lambda: _decide(pod, chance, explained=False),
            EXPLAINED: lambda: _decide(pod, chance),
            KEPT: lambda: _decide(pod, chance, visitor=next(visitors), hold_seconds=60.0, explained=False),
            FORTH: lambda: _decide(pod, chance, visitor="always", hold_seconds=10**6, explained=False),
        }
        times: dict[str, list[float]] = {name: [] for name in contestants}
        for _ in range(20):
            _decide(pod, chance)
        for _ in range(effort.size(DECISIONS, least=5)):
            for name, call in contestants.items():
                times[name].append(_seconds(call))
        times[FIRST] = [_cold(pod, chance) for _ in range(effort.size(COLD, least=3))]
    bare = _median(times[BARE])
    for name, found in times.items():
        table.rows.append([name, _median(found), _p99(found), _median(found) - bare, len(found)])
    table.notes = [
        f"{events:,} events of {DAYS} days, {len(DIMENSIONS)} dimensions of {VALUES:,} values; today's bucket has "
        f"{fields:,} cells of options. Each decision reads 7 cells of 10 options over {PERIOD}.",
        "The first of a process: it has the connection, and nothing else.",
    ]
    targets = [
        Target("median beyond a bare round trip, ms", _median(times[WARM]) - bare, MOST_MEDIAN_MS, at_most=True),
        Target("99th percentile beyond a bare round trip, ms", _p99(times[WARM]) - bare, MOST_P99_MS, at_most=True),
    ]
    return Result([table], targets)


@contextmanager
def decided_world(events: int) -> Iterator[Pod]:
    """A pod that has seen so many events of a decision."""
    with servers.running_pod() as pod:
        now, chance = time.time(), random.Random(1)
        for begin in range(0, events, 10_000):
            pod.recorder.record([_event(pod, chance, now) for _ in range(min(10_000, events - begin))], now)
        yield pod


def _event(pod: Pod, chance: random.Random, now: float) -> Event:
    option = chance.choice(OPTIONS)
    bought = chance.random() < 0.1 + 0.01 * OPTIONS.index(option)
    metrics = {"visitors": 1, "revenue": chance.expovariate(0.05) if bought else 0}
    at = now - chance.random() * (DAYS - 1) * 86_400
    return pod.decider.event("shop", "banner", option, _known(chance), metrics, at)


def _known(chance: random.Random) -> dict[str, str]:
    return {name: f"{name} {chance.randrange(VALUES)}" for name in DIMENSIONS}


def _decide(pod: Pod, chance: random.Random, **asked: Any) -> object:
    decider = pod.decider
    return decider.choose(
        decider.question("shop", "banner", OPTIONS, Terms(), known=_known(chance), period=PERIOD, **asked)
    )


def _cold(pod: Pod, chance: random.Random) -> float:
    fresh = Pod(Store(pod.store.server, pod.store.options), later=lambda work: work())
    return _seconds(lambda: _decide(fresh, chance))


def _key_of_today(pod: Pod) -> str:
    columns = pod.store.schedule.columns_at(time.time(), time.time())
    return next(pod.store.evidences.key("shop/banner", one) for one in columns if str(one.interval) == "1d")


def _seconds(call: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def _median(seconds: list[float]) -> float:
    return quantiles(seconds, n=2)[0] * 1e3


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[98] * 1e3
