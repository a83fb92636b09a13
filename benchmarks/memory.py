"""Bytes in the server: events of 30 days, each counted in its own time, so that what would have expired has."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import groupby
from typing import Any

from redis import Redis

from benchmarks import ancestor, servers, worlds
from benchmarks.effort import Effort
from benchmarks.report import Column, Result, Table, Target
from benchmarks.worlds import Event
from hailwhale_django.engine.store.catalog import Limits

EVENTS = 100_000
DAYS = 30
DENSE = {"country": 50, "device": 4}
LONG_TAILED = {"country": 50, "page": 50_000}
NO_LIMIT = Limits(children=1_000_000, rows=10_000_000)

OURS, SAME, OWN = "hailwhale", "ancestor, same cells", "ancestor, its 3 intervals"
FOR_EVER = "ancestor, nothing expires"
MEGABYTE = 1_000_000
LOOK_AT_ONCE = 1_000


def run(effort: Effort) -> Result:
    """Our bytes for each world, and those of the ancestor's layout after the same events."""
    cases: dict[str, tuple[dict[str, int], Limits, float]] = {
        "dense": (DENSE, Limits(), 0.25),
        "long-tailed, capped": (LONG_TAILED, Limits(), 2),
        "long-tailed, uncapped": (LONG_TAILED, NO_LIMIT, 2),
    }
    sizes = Table(
        f"Memory: {effort.size(EVENTS):,} events over {DAYS} days (MB in the server)",
        [
            Column("world"),
            *(Column(name, ".2f") for name in (OURS, SAME, OWN, FOR_EVER)),
            Column("ours/same", ".2f"),
            Column("ours/3 intervals", ".2f"),
        ],
        notes=[
            "dense: 50 countries and 4 devices. long-tailed: 50 countries and 50,000 pages, of which a table keeps",
            "10,000 when capped. Same cells: the layout of the ancestor with our five intervals and our retention;",
            "the targets are about that one. The ancestor itself kept three intervals, and let nothing expire.",
        ],
    )
    details = Table(
        "Where our bytes are",
        [Column("world"), Column("what"), Column("keys", ","), Column("of them strings", ","), Column("MB", ".2f")],
        notes=["By MEMORY USAGE of each key; the server's table of keys comes on top."],
    )
    result = Result([sizes, details])
    peers: dict[str, dict[str, float]] = {}
    for what, (dimensions, limits, needed) in cases.items():
        now = time.time()
        events = worlds.visits(effort.size(EVENTS), dimensions, now - DAYS * worlds.DAY_SECONDS, now)
        if repr(dimensions) not in peers:
            peers[repr(dimensions)] = _of_ancestor(events, now)
        peer = peers[repr(dimensions)]
        ours, kinds = _of_us(events, limits)
        sizes.rows.append([what, ours, *peer.values(), ours / peer[SAME], ours / peer[OWN]])
        details.rows += ([what, kind, *figures] for kind, figures in kinds.items())
        result.targets.append(
            Target(f"bytes for each of the ancestor's layout, {what}", ours / peer[SAME], needed, at_most=True)
        )
    return result


class Hourglass:
    """A clock that is told the time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _of_us(events: Sequence[Event], limits: Limits) -> tuple[float, dict[str, list[Any]]]:
    """Megabytes, and what they are made of. Events are counted minute by minute, at their time.

    What a key's expiry has already passed by when it is set vanishes at once: that is what a server would hold today
    that had run all the while.
    """
    clock = Hourglass()
    with servers.running() as url, closing(Redis.from_url(url)) as watcher:
        empty = _warmed_up(url, watcher, clock, events[-1])
        with servers.pod_at(url, clock, limits=limits) as pod:
            for _, minute in groupby(events, key=lambda event: event["at"] // 60):
                some = list(minute)
                clock.now = some[-1]["at"]
                pod.count_many(some, None)
        return (servers.settled_bytes(watcher) - empty) / MEGABYTE, _kinds(watcher)


def _warmed_up(url: str, watcher: Redis, clock: Hourglass, event: Event) -> int:
    """What the server takes with its scripts loaded and nothing counted."""
    clock.now = event["at"]
    with servers.pod_at(url, clock) as pod:
        pod.count_many([event], None)
    watcher.execute_command("FLUSHDB", "SYNC")
    return servers.settled_bytes(watcher)


def _kinds(client: Redis) -> dict[str, list[Any]]:
    """Keys, how many of them strings, and megabytes, of each kind of key."""
    found: dict[str, list[Any]] = defaultdict(lambda: [0, 0, 0.0])
    keys = client.scan_iter(count=LOOK_AT_ONCE)
    while some := [key for key, _ in zip(keys, range(LOOK_AT_ONCE), strict=False)]:
        pipeline = client.pipeline(transaction=False)
        for key in some:
            pipeline.execute_command("TYPE", key)
            pipeline.execute_command("MEMORY", "USAGE", key, "SAMPLES", 0)
        replies = pipeline.execute()
        for key, kind, size in zip(some, replies[::2], replies[1::2], strict=True):
            figures = found[_kind_of(key.decode())]
            figures[0] += 1
            figures[1] += kind == b"string"
            figures[2] += (size or 0) / MEGABYTE
    return dict(sorted(found.items()))


def _kind_of(key: str) -> str:
    _, _, rest = key.partition("}")
    if not rest.startswith("tile:"):
        return "names and numbers"
    _, interval, _, page, _ = rest.split(":", 4)
    return f"{interval} tiles, {'head' if page == '0' else 'pages'}"


def _of_ancestor(events: Sequence[Event], now: float) -> dict[str, float]:
    """Megabytes with our intervals and retention, with our retention only, and as it was."""

    def cells(intervals: Sequence[str], *, expire: bool) -> Iterator[tuple[str, str, int]]:
        for event in events:
            yield from ancestor.cells(event, ancestor.retained(event["at"], now, intervals) if expire else intervals)

    return {
        SAME: _loaded(ancestor.summed(cells(ancestor.INTERVALS, expire=True)), events),
        OWN: _loaded(ancestor.summed(cells(ancestor.OWN_INTERVALS, expire=True)), events),
        FOR_EVER: _loaded(ancestor.summed(cells(ancestor.OWN_INTERVALS, expire=False)), events),
    }


def _loaded(hashes: Mapping[str, Mapping[str, int]], events: Sequence[Event]) -> float:
    with servers.running() as url, closing(Redis.from_url(url)) as watcher:
        empty = servers.settled_bytes(watcher)
        with closing(Redis.from_url(url)) as client:
            ancestor.Ancestor(client).load(hashes, ancestor.children_of(events))
        return (servers.settled_bytes(watcher) - empty) / MEGABYTE
