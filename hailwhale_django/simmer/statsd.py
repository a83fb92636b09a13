"""Lines of statsd's protocol, as rows.

    name:value|type[|@rate][|#tag:value,tag:value]

    c       counter    sum:name     value / rate
    ms h d  timer      pct50:name and pct95:name, or what --timers says; the rate is ignored: percentiles do not mind it
    g       gauge      last:name    now; with a sign it is added to what this process knows of the gauge
    s       set        uv:name      of any text

Each tag counts again, under the name with that tag: `hits:1|c|#country:DE` adds to `sum:hits` and
`sum:hits,country=DE`. Several values of one name may be joined by colons (`rt:3:5:8|ms`), but for sets. Further fields
(`|c:` and `|T` of DogStatsD) are ignored; its events and service checks are refused.

A line with a tab is a row, and stays as it is.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..engine.errors import InvalidInput, TooLarge
from ..engine.simmer.figures import number, written

COUNTERS, TIMERS, GAUGE, SET = ("c", "m"), ("ms", "h", "d"), "g", "s"

MOST_TAGS = 32
MOST_LINE_BYTES = 8192

# Lines whose keys are remembered, if they are short and few: what comes from a network may be anything.
REMEMBERED, REMEMBERED_BYTES, REMEMBERED_KEYS = 16_384, 512, 8

# What a double tells apart at the times we live in: gauges that come at once are ordered by it.
INSTANT = 1e-6

LINE_ENDS = re.compile(rb"\n\n+")
# Of a line `name:value|c` this is left without the bytes of its words. It is what is sent the most, so a block of
# nothing else is translated as a whole.
WORDS = bytes(set(range(256)) - set(b":|\t\n\v\f\r "))
PLAIN, COUNTER = b":|\n", b"|c\n"

Refuse = Callable[[bytes, InvalidInput], None]


class Metric(NamedTuple):
    """What a line says; `type` is one of those above, `values` are texts."""

    name: str
    values: Sequence[str]
    type: str
    rate: float = 1.0
    tags: Sequence[tuple[str, str]] = ()

    @property
    def names(self) -> list[str]:
        """Under which it counts: its own, and that with each tag."""
        return [
            self.name,
            *(f"{self.name},{tag}={value}" if value else f"{self.name},{tag}" for tag, value in self.tags),
        ]


def parse(line: bytes) -> Metric:
    """Raises `InvalidInput`."""
    if len(line) > MOST_LINE_BYTES:
        raise TooLarge("packet", line[:80], f"a line of statsd has at most {MOST_LINE_BYTES:,} bytes")
    text = line.decode("utf-8", "surrogateescape").strip()
    name, _, rest = text.partition(":")
    value, *fields = rest.split("|")
    if not name or not fields or "|" in name:
        raise InvalidInput("packet", line, "send key<tab>value, or name:value|type as statsd does")
    if fields[0] not in (*COUNTERS, *TIMERS, GAUGE, SET):
        raise InvalidInput("type", fields[0], "statsd's types are c, ms, h, d, g and s")
    values = [value] if fields[0] == SET else value.split(":")
    metric = Metric(name, values, fields[0])
    for field in fields[1:]:
        metric = _with(metric, field)
    return metric


def _with(metric: Metric, field: str) -> Metric:
    if field.startswith("@"):
        return metric._replace(rate=_rate(field[1:]))
    if field.startswith("#"):
        tags = [tag.partition(":")[::2] for tag in field[1:].split(",") if tag]
        if len(tags) > MOST_TAGS:
            raise TooLarge("tags", len(tags), f"a metric has at most {MOST_TAGS}")
        return metric._replace(tags=list(dict.fromkeys(tags)))
    return metric


def _rate(text: str) -> float:
    rate = number(text)
    if not 0 < rate <= 1:
        raise InvalidInput("rate", text, "a sample rate is above 0 and at most 1, e.g. @0.1")
    return rate


def counted(value: str, rate: float) -> str:
    """What a value stands for that was sampled."""
    if rate == 1:
        return value
    stands_for = number(value) / rate
    if abs(stands_for) == float("inf"):
        raise InvalidInput("value", value, "divided by its rate it is too large for a double")
    return written(stands_for)


class Translator:
    """Rows of lines. `timers` are recipes; of `capacity` gauges the value is known."""

    def __init__(self, timers: Sequence[str], refuse: Refuse, capacity: int) -> None:
        self.timers = timers
        self.refuse = refuse
        self.gauges = Gauges(capacity)
        # By name, and by type and tags as they are written: the keys of lines whose values are taken as they are.
        self._known: dict[tuple[bytes, bytes], list[bytes]] = {}

    def rows(self, block: bytes) -> bytes:
        """The rows of a block of lines."""
        block = LINE_ENDS.sub(b"\n", block.strip(b"\n") + b"\n")
        if b"|" not in block:
            return block.lstrip(b"\n")
        lines = block.count(b"\n")
        if block.count(COUNTER) == lines and block.translate(None, WORDS) == PLAIN * lines:
            return b"sum:" + block[:-3].replace(b":", b"\t").replace(COUNTER, b"\nsum:")
        rows: list[bytes] = []
        for line in block[:-1].split(b"\n"):
            if b"\t" in line:
                rows.append(line)
                continue
            name, _, rest = line.partition(b":")
            value, _, kind = rest.partition(b"|")
            keys = self._known.get((name, kind))
            if keys is not None and b":" not in value:
                rows += [key + value for key in keys]
            elif not line.isspace():
                rows += self._translated(line, name, kind)
        return b"\n".join(rows)

    def _translated(self, line: bytes, name: bytes, kind: bytes) -> list[bytes]:
        try:
            metric = parse(line)
            rows = [row.encode("utf-8", "surrogateescape") for row in self._rows(metric)]
        except InvalidInput as why:
            self.refuse(line, why)
            return []
        if metric.type != GAUGE and metric.rate == 1 and len(line) <= REMEMBERED_BYTES:
            self._remember(name, kind, self._keys(metric))
        return rows

    def _remember(self, name: bytes, kind: bytes, keys: list[str]) -> None:
        if len(keys) <= REMEMBERED_KEYS:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[name, kind] = [f"{key}\t".encode("utf-8", "surrogateescape") for key in keys]

    def _rows(self, metric: Metric) -> list[str]:
        keys = self._keys(metric)
        return [f"{key}\t{value}" for given in metric.values for value in [self._value(metric, given)] for key in keys]

    def _keys(self, metric: Metric) -> list[str]:
        return [f"{recipe}:{name}" for name in metric.names for recipe in recipes(metric.type, self.timers)]

    def _value(self, metric: Metric, given: str) -> str:
        if metric.type == GAUGE:
            return self.gauges.stamped(metric, given, time.time())
        return counted(given, metric.rate) if metric.type in COUNTERS else given


def recipes(kind: str, timers: Sequence[str]) -> Sequence[str]:
    """What values of a type are kept as."""
    if kind in TIMERS:
        return timers
    return ("sum",) if kind in COUNTERS else ("last",) if kind == GAUGE else ("uv",)


class Gauges:
    """What was last known of gauges, since a value with a sign is added to it. A gauge that is not known is at 0."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._values: OrderedDict[tuple[str, ...], float] = OrderedDict()
        self._at = 0.0

    def stamped(self, metric: Metric, given: str, now: float) -> str:
        """`timestamp:number`, each later than the one before."""
        self._at = max(now, self._at + INSTANT)
        return f"{self._at:.6f}:{written(self._changed((metric.name, *map(str, metric.tags)), given))}"

    def _changed(self, gauge: tuple[str, ...], given: str) -> float:
        value = number(given)
        if given.startswith(("+", "-")):
            value += self._values.get(gauge, 0.0)
        self._values[gauge] = value
        self._values.move_to_end(gauge)
        if len(self._values) > self.capacity:
            self._values.popitem(last=False)
        return value
