"""The ancestor's layout, re-created as well as it can be done: one hash for each counter, dimension, interval and
metric, with date texts as fields, and sets that list each dimension's children. All of it in pipelines.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any

from redis import Redis

from benchmarks.worlds import PK, Event

INTERVALS = ("1m", "1h", "1d", "1w", "1mo")
"""Ours, so that both count the same cells."""

OWN_INTERVALS = ("1m", "1h", "1d")
"""Those that the ancestor had."""

MINUTES_KEPT_SECONDS = 2 * 86_400
"""Our retention of 1m. All others outlast what is measured here; the ancestor itself let nothing expire."""

COMMANDS = 5_000
"""How many commands of a long pipeline are sent at once, unless told otherwise."""

Path = tuple[str, ...]


def dimension_text(path: Path) -> str:
    return path[0] if len(path) == 1 else json.dumps(path) if path else "_"


def name_of(text: str) -> str:
    """The last name of a dimension text."""
    return str(json.loads(text)[-1]) if text.startswith("[") else text


def key(path: Path, interval: str, metric: str) -> str:
    return f"{PK}||{dimension_text(path)}||{interval}||{metric}"


def paths(dimensions: Mapping[str, Any], above: Path = ()) -> Iterator[Path]:
    """The whole and each path that an event counts on."""
    if not above:
        yield ()
    for name, below in dimensions.items():
        yield (*above, name)
        if isinstance(below, Mapping):
            yield from paths(below, (*above, name))
        else:
            yield (*above, name, below)


@lru_cache(maxsize=100_000)
def labels(minute: int) -> dict[str, str]:
    """The field of each interval for an instant in this minute since the epoch."""
    at = datetime.fromtimestamp(minute * 60, UTC)
    day = at.replace(hour=0, minute=0)
    starts = (at, at.replace(minute=0), day, day - timedelta(days=day.weekday()), day.replace(day=1))
    return {interval: start.ctime() for interval, start in zip(INTERVALS, starts, strict=True)}


def day_labels(days: int, now: float) -> list[str]:
    """The fields of the last days, oldest first."""
    today = int(now // 86_400) * 1440
    return [labels(today - age * 1440)["1d"] for age in range(days - 1, -1, -1)]


def cells(event: Event, intervals: Sequence[str] = INTERVALS) -> Iterator[tuple[str, str, int]]:
    """Key, field and increment of each cell that an event adds to; whole numbers, as the ancestor cut them."""
    amounts = {name: int(amount) for name, amount in event["metrics"].items()} | {"hits": 1}
    fields = labels(int(event["at"] // 60))
    for path in paths(event["dimensions"]):
        text = dimension_text(path)
        for metric, amount in amounts.items():
            for interval in intervals:
                yield f"{PK}||{text}||{interval}||{metric}", fields[interval], amount


class Ancestor:
    """Counts and answers in that layout; `at_once` is how many commands a pipeline of reads sends together."""

    def __init__(self, client: Redis, at_once: int = COMMANDS) -> None:
        self.client = client
        self.at_once = at_once

    def count(self, events: Iterable[Event], now: float, at_once: int = 1) -> None:
        """One HINCRBY for each cell that is still kept, a pipeline for each `at_once` events."""
        source = iter(events)
        while some := list(islice(source, at_once)):
            pipeline = self.client.pipeline(transaction=False)
            for event in some:
                for name, field, amount in cells(event, retained(event["at"], now)):
                    pipeline.execute_command("HINCRBY", name, field, amount)
            pipeline.execute()

    def load(self, hashes: Mapping[str, Mapping[str, int]], children: Mapping[Path, Iterable[str]]) -> None:
        """Put in place what counting would have left."""
        commands = ((name, field, amount) for name, fields in hashes.items() for field, amount in fields.items())
        while some := list(islice(commands, COMMANDS)):
            pipeline = self.client.pipeline(transaction=False)
            for command in some:
                pipeline.execute_command("HINCRBY", *command)
            pipeline.execute()
        for parent, names in children.items():
            texts = sorted(dimension_text((*parent, name)) for name in names)
            for first in range(0, len(texts), COMMANDS):
                some = texts[first : first + COMMANDS]
                self.client.sadd(f"dimensions||{PK}", *some)
                self.client.sadd(f"subdimensions||{PK}||{dimension_text(parent)}", *some)

    def table(
        self, parent: Path, metrics: Sequence[str], ratio: tuple[str, str], fields: Sequence[str], limit: int
    ) -> list[tuple[float, str, list[int]]]:
        """Ratio, dimension and sums of the best children."""
        numerator, denominator = map(metrics.index, ratio)
        rows = []
        for child, *sums in self._sums(parent, metrics, fields):
            ratio_of_sums = sums[numerator] / sums[denominator] if sums[denominator] else 0.0
            rows.append((ratio_of_sums, child, sums))
        rows.sort(key=lambda row: (-row[0], row[1]))
        return rows[:limit]

    def _sums(self, parent: Path, metrics: Sequence[str], fields: Sequence[str]) -> Iterator[list[Any]]:
        children = self.children(parent)
        found = self.values(((child, metric) for child in children for metric in metrics), fields)
        for child in children:
            yield [child, *(sum(map(int, filter(None, values))) for values in islice(found, len(metrics)))]

    def children(self, parent: Path) -> list[str]:
        """Dimension texts."""
        return [text.decode() for text in self.client.smembers(f"subdimensions||{PK}||{dimension_text(parent)}")]

    def values(self, wanted: Iterable[tuple[str, str]], fields: Sequence[str]) -> Iterator[list[bytes | None]]:
        """What the fields of each (dimension text, metric) hold, by day."""
        source = iter(wanted)
        while some := list(islice(source, self.at_once)):
            pipeline = self.client.pipeline(transaction=False)
            for text, metric in some:
                pipeline.execute_command("HMGET", f"{PK}||{text}||1d||{metric}", *fields)
            yield from pipeline.execute()

    def plot(self, texts: Sequence[str], metric: str, fields: Sequence[str]) -> dict[str, dict[str, float]]:
        """Value by label, for each of these dimensions."""
        found = self.values([(text, metric) for text in texts], fields)
        return {
            text: dict(zip(fields, map(float, (value or 0 for value in values)), strict=True))
            for text, values in zip(texts, found, strict=True)
        }


def retained(at: float, now: float, intervals: Sequence[str] = INTERVALS) -> Sequence[str]:
    """The intervals that at `now` still keep an event of `at`, where retention is ours."""
    return intervals if (at // 60 + 1) * 60 + MINUTES_KEPT_SECONDS > now else intervals[1:]


def summed(cells_of_events: Iterable[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    """The hashes that these increments leave behind."""
    hashes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for name, field, amount in cells_of_events:
        hashes[name][field] += amount
    return hashes


def children_of(events: Iterable[Event]) -> dict[Path, set[str]]:
    """The names below each path."""
    found: dict[Path, set[str]] = defaultdict(set)
    for event in events:
        for path in paths(event["dimensions"]):
            if path:
                found[path[:-1]].add(path[-1])
    return found
