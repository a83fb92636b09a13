"""Loading the flights: once and completely.

A marker in Redis, beside the counters and not among them, says what was begun and what is complete. A load
that was broken off is taken back, `Whale.reset`, and done again; what the demo has not begun it leaves alone.
"""

from __future__ import annotations

import csv
import gzip
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TextIO, TypeVar

from redis import Redis
from redis.cluster import ClusterNode, RedisCluster

from example_project.flights.events import PK, events
from hailwhale_django import Whale

Item = TypeVar("Item")

DATA = Path(__file__).with_name("data") / "flights-2013.csv.gz"
FLIGHTS = 336_776
MARKER = "hailwhale_demo:flights"
# To be raised when events.py counts something else than before: the flights are loaded again then.
RECIPE = 1
BAR_WIDTH = 40
BAR_STEP = 1_000


class Incomplete(Exception):
    """Not every flight was counted."""


@dataclass(frozen=True, slots=True)
class Load:
    """How many flights, moved so that they end on which day, and whether the load came to its own end."""

    flights: int
    ends: str
    complete: bool = False
    recipe: int = RECIPE

    def serves(self, flights: int) -> bool:
        return self.complete and self.flights == flights and self.recipe == RECIPE


def rows(flights: int = FLIGHTS) -> Iterator[dict[str, str]]:
    """The rows of the data, or so many of them, spread evenly over the year."""
    step = max(1, FLIGHTS // flights)
    with gzip.open(DATA, "rt", newline="") as file:
        yield from islice(csv.DictReader(file), 0, step * flights, step)


def connect(url: str) -> Redis | RedisCluster:
    """A client for the marker alone; the counters have their own."""
    if not url.startswith("redis+cluster://"):
        return Redis.from_url(url)
    addresses = [address.rsplit(":", 1) for address in url.removeprefix("redis+cluster://").split(",")]
    return RedisCluster(startup_nodes=[ClusterNode(host, int(port)) for host, port in addresses])


def earlier(client: Redis | RedisCluster) -> Load | None:
    """The load that this server has seen, complete or not."""
    marker = client.get(MARKER)
    return Load(**json.loads(marker)) if marker else None


def load(client: Redis | RedisCluster, flights: int, today: date, progress_to: TextIO) -> Load:
    """Count the flights, moved so that they end today; takes back first what an earlier load has counted."""
    if earlier(client):
        Whale.reset(PK)
    begun = Load(flights, today.isoformat())
    client.set(MARKER, json.dumps(asdict(begun)))
    started = time.monotonic()
    counted = Whale.count_many(progress(events(rows(flights), today), flights, progress_to))
    seconds = time.monotonic() - started
    if counted != flights:
        raise Incomplete(f"{counted:,} of {flights:,} flights were counted; the next start loads them again")
    progress_to.write(f"{counted:,} flights counted in {seconds:.1f} s, {counted / seconds:,.0f} a second\n")
    done = Load(flights, today.isoformat(), complete=True)
    client.set(MARKER, json.dumps(asdict(done)))
    return done


def progress(items: Iterable[Item], total: int, stream: TextIO) -> Iterator[Item]:
    """Pass the items on; on a terminal, draw how far that is and how fast it goes."""
    if not stream.isatty():
        yield from items
        return
    started = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        if done % BAR_STEP == 0 or done == total:
            rate = done / (time.monotonic() - started)
            bar = "#" * (BAR_WIDTH * done // total)
            stream.write(f"\r[{bar:.<{BAR_WIDTH}}] {done:,} of {total:,}, {rate:,.0f} a second ")
            stream.flush()
    stream.write("\n")
