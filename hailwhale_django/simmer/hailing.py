"""Rows and statsd lines as events for the hail, so that a pipe or a statsd client fills a dashboard.

    key<TAB>value<TAB>pk<TAB>dimensions     dimensions as country=DE&device=phone or {"country": {"DE": "BE"}}
    name:value|type|@rate|#country:DE,device:phone

A key `sum:revenue` is the metric `revenue`, any other key is a metric by its whole name (`uv:visitor`). Of a name that
begins with the counter's own and a dot (`shop.revenue` on `shop`) the rest is the metric. Columns three and four may be
missing: then it is the counter of `--hail`, and there are no dimensions.

Events are handed over in batches, each with an id, so that what is sent again counts once. While the hail is full or
its server away they wait here: a pipe then waits, too; of packets, `MOST_WAITING` events may wait and others are lost.
"""

from __future__ import annotations

import json
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from ..engine.errors import HailWhaleError, InvalidConfiguration, InvalidInput, StoreUnavailable
from ..engine.simmer.envelope import is_machine_value
from ..engine.simmer.figures import number, written
from ..engine.simmer.lines import read_row
from ..engine.simmer.recipe import parse as parse_key
from .complaints import Complaints, say
from .statsd import COUNTERS, GAUGE, Gauges, Metric, counted, parse, recipes
from .stove import Place, StrictlyBad

BATCH = 500
SECONDS = 0.5
MOST_WAITING = 50_000
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
LAST_ATTEMPTS = 3

SUM = "sum:"
# What a tag without a value is worth as a dimension.
BARE = "yes"

CountMany = Callable[[Iterable[Any], Callable[[HailWhaleError, Any], None]], int]
Event = dict[str, Any]


class Hailing:
    """The stove that makes events. `stopped` says whether to give up waiting."""

    def __init__(
        self,
        count_many: CountMany,
        pk: str,
        timers: Sequence[str],
        bad: Complaints,
        lost: Complaints,
        *,
        strict: bool = False,
        capacity: int = 5000,
        stopped: Callable[[], object] = bool,
    ) -> None:
        self.count_many = count_many
        self.pk = pk
        self.timers = timers
        self.bad = bad
        self.lost = lost
        self.strict = strict
        self.stopped = stopped
        self.gauges = Gauges(capacity)
        self.place = Place()
        self.rows = 0
        self._events: deque[tuple[str, Event]] = deque()
        self._origin = secrets.token_hex(8)
        self._made = self._accepted = self._lost = 0
        self._pause = self._again_at = 0.0
        self._since = time.monotonic()

    def add(self, block: bytes) -> None:
        lines = block.split(b"\n")
        self._take(lines if lines[-1] else lines[:-1], row_event, self._make_room)

    def add_packets(self, block: bytes) -> None:
        lines = [line for line in block.split(b"\n") if line and not line.isspace()]
        self._take(lines, self._packet_event, self.settle)

    def warm(self) -> None:
        """All is loaded by now."""

    def _take(self, lines: Iterable[bytes], read: Callable[[bytes, str], Event], make_room: Callable[[], None]) -> None:
        now = time.time()
        for line in lines:
            self.rows += 1
            try:
                self._keep(read(line, self.pk), now)
            except InvalidInput as why:
                self._refuse(why, line)
            if len(self._events) >= BATCH:
                make_room()

    def _make_room(self) -> None:
        """Hand over what has come together, however long it takes."""
        while len(self._events) >= BATCH and not self.stopped():
            if not self._hand_over_batch():
                time.sleep(min(self._pause, SHORTEST_PAUSE))

    def _packet_event(self, line: bytes, pk: str) -> Event:
        return row_event(line, pk) if b"\t" in line else metric_event(parse(line), pk, self.timers, self.gauges)

    def _keep(self, event: Event, now: float) -> None:
        if len(self._events) >= MOST_WAITING:
            self._lost += 1
            return
        self._made += 1
        self._since = self._since if self._events else time.monotonic()
        whole = {"at": now, "id": f"{self._origin}-{self._made}", **event}
        self._events.append((self.place.of(self.rows), whole))

    def _refuse(self, why: InvalidInput, line: bytes) -> None:
        self.bad.tell(self.place.of(self.rows), why, line)
        if self.strict:
            raise StrictlyBad

    # -- handing over --------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Hand over what has come together, or has waited long enough."""
        now = time.monotonic()
        is_ready = len(self._events) >= BATCH or (self._events and now - self._since >= SECONDS)
        if is_ready and now >= self._again_at:
            self._hand_over()

    def _hand_over(self) -> None:
        while self._events and self._hand_over_batch():
            pass

    def finish(self) -> None:
        for attempt in range(LAST_ATTEMPTS):
            if attempt and self._events:
                time.sleep(SHORTEST_PAUSE)
            self._hand_over()
        if lost := self._lost + len(self._events):
            self.lost.tell("hail", f"{lost:,} events are lost: it did not take them")

    def _hand_over_batch(self) -> bool:
        """The oldest events, which keep their places until they are accepted."""
        batch = list(islice(self._events, BATCH))
        places = {event["id"]: place for place, event in batch}
        try:
            self._accepted += self.count_many(
                [event for _, event in batch], lambda error, event: self.bad.tell(places[event["id"]], error)
            )
        except (StoreUnavailable, InvalidConfiguration) as error:
            self._wait(error)
            return False
        for _ in batch:
            self._events.popleft()
        self._be_back()
        return True

    def _wait(self, error: HailWhaleError) -> None:
        if not self._pause:
            say(f"{error}; {len(self._events):,} events wait")
        self._pause = min(max(2 * self._pause, SHORTEST_PAUSE), LONGEST_PAUSE)
        self._again_at = time.monotonic() + self._pause

    def _be_back(self) -> None:
        if self._pause:
            say("the hail takes events again")
        self._pause = 0.0

    def statistics(self) -> dict[str, int]:
        return {
            "lines": self.rows,
            "bad lines": self.bad.total,
            "events accepted": self._accepted,
            "events lost": self._lost + len(self._events),
        }


def row_event(line: bytes, pk: str) -> Event:
    """The event of a row. Raises `InvalidInput`."""
    row = read_row(line)
    parse_key(row.key)
    if is_machine_value(row.value):
        raise InvalidInput("value", row.value[:80], "the hail takes raw values, not what was aggregated already")
    columns = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape").split("\t")[2:4]
    counter, dimensions = [*columns, "", ""][:2]
    counter = counter or pk
    return {
        "pk": counter,
        "dimensions": read_dimensions(dimensions),
        "metrics": {metric_name(row.key, counter): _worth(row.key, row.value)},
    }


def metric_event(metric: Metric, pk: str, timers: Sequence[str], gauges: Gauges) -> Event:
    """The event of a line of statsd; what was sampled is as many hits. Raises `InvalidInput`."""
    metrics: dict[str, Any] = {}
    for recipe in recipes(metric.type, timers):
        key = f"{recipe}:{metric.name}"
        metrics[metric_name(key, pk)] = _worth(key, _single(metric, gauges))
    hits = {} if metric.rate == 1 else {"hits": 1 / metric.rate}
    dimensions = {tag: value or BARE for tag, value in metric.tags}
    return {"pk": pk, "dimensions": dimensions, "metrics": metrics | hits}


def _single(metric: Metric, gauges: Gauges) -> str:
    if len(metric.values) != 1:
        raise InvalidInput("value", ":".join(metric.values), "an event for the hail has one value")
    if metric.type == GAUGE:
        return gauges.stamped(metric, metric.values[0], time.time())
    return counted(metric.values[0], metric.rate) if metric.type in COUNTERS else metric.values[0]


def metric_name(key: str, pk: str) -> str:
    """What the metric of a key is called: a sum by its name alone, which the counter's own need not begin."""
    recipe, _, name = key.partition(":")
    name = name.removeprefix(f"{pk}.") or name
    return name if recipe == "sum" else f"{recipe}:{name}"


def _worth(key: str, value: str) -> Any:
    """A number for sums; what other metrics make of a text is theirs to know."""
    if not key.startswith(SUM):
        return value
    worth = number(value)
    return int(written(worth)) if worth.is_integer() and abs(worth) < 1e16 else worth


def read_dimensions(text: str) -> Any:
    """Raises `InvalidInput`."""
    try:
        if text.startswith("{"):
            return json.loads(text)
        return dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True)) if text else {}
    except (ValueError, RecursionError) as error:
        raise InvalidInput("dimensions", text, f"give country=DE&device=phone, or JSON: {error}") from error
