"""A pod: one store, and everything that `Whale` can do with it, in plain Python.

Arguments are what callers write (names, dicts, period texts); here they become values, once. `now` is read from the
pod's clock at the beginning of each call and passed on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice
from threading import Thread
from typing import Any, TypeVar

from .acceptor import Acceptor
from .chooser import Later
from .decider import Decider
from .domain.answer import Answer
from .domain.event import Event, instant, metric_name
from .domain.overlap import DEFAULT_ROWS, MAX_ROWS, Overlap, signature_of
from .domain.paths import ROOT, WHOLE, Path, path_of, pk_of
from .domain.period import Period, compare_period, parse_period
from .domain.plan import Column
from .domain.query import MAX_LIMIT, Filter, Order, Query, parse_formulas, whole_number
from .domain.sketch import kept_name
from .domain.timeline import Interval
from .drain import Drain
from .errors import HailWhaleError, InvalidInput, OnError, TooLarge, report
from .experiment import Experiments
from .explain.explanation import Explanation, Movers
from .explain.why import DEFAULT_DEPTH, DEFAULT_PARTS, Why, explainable
from .explainer import Explainer
from .reader import Reader
from .recorder import Recorder
from .store import removal
from .store.conversation import Conversation
from .store.log import Log
from .store.store import Store

BATCH = 10_000
"""How many events are folded together; more saves little and costs memory."""

MAX_TREE_DEPTH = 8
MAX_FILTERS = 20

Clock = Callable[[], float]
T = TypeVar("T")

logger = logging.getLogger("hailwhale")


def in_background(work: Callable[[], object]) -> None:
    """Do something in a thread of its own; what goes wrong there is logged."""

    def carefully() -> None:
        try:
            work()
        except Exception:
            logger.exception("a decision keeps to what it assumed before")

    Thread(target=carefully, name="hailwhale-later", daemon=True).start()


class Pod:
    """Counts, answers and decides. `clock` gives seconds since the epoch; `log` is the hail, by default on the same
    server; `later` is given what nobody waits for; `secret` keys the hashes of visitors.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock = time.time,
        log: Log | None = None,
        later: Later = in_background,
        secret: bytes = b"",
    ) -> None:
        self.store = store
        self.clock = clock
        self.recorder = Recorder(store)
        self.reader = Reader(store)
        self.explainer = Explainer(store, self.reader.measures)
        self.log = log or Log(store.server, store.keys)
        self.acceptor = Acceptor(store, self.log, clock)
        self.drain = Drain(store, self.log, clock)
        self.decider = Decider(store, clock, later, secret)
        self.experiments = Experiments(store)

    # Writing

    def count(self, pk: Any, dimensions: Any, metrics: Any, at: Any) -> None:
        """Count one event. Raises what of it could not be counted, after counting the rest."""
        now = self.clock()
        self.count_event(self.store.intake.event(pk, dimensions, metrics, at, now))

    def count_event(self, event: Event) -> None:
        """Count an event that is read already; raises as `count`."""
        recorded = self.recorder.record_one(event, self.clock())
        for error in (*(error for _, error in recorded.rejected), *recorded.errors):
            raise error

    def count_many(self, events: Iterable[Any], on_error: OnError | None, batch: int = BATCH) -> int:
        """Count events batch by batch; returns how many. `on_error(error, event)` is told what was not counted."""
        counted = 0
        source = iter(events)
        while given := list(islice(source, batch)):
            now = self.clock()
            failures: list[tuple[HailWhaleError, Any]] = []
            read = [self._read_event(one, now, failures) for one in given]
            valid = [event for event in read if event is not None]
            recorded = self.recorder.record(valid, now)
            if recorded.rejected:
                originals = {id(event): one for event, one in zip(read, given, strict=True)}
                failures += [(error, originals[id(event)]) for event, error in recorded.rejected]
            failures += [(error, None) for error in recorded.errors]
            counted += len(valid) - len(recorded.rejected)
            report(failures, on_error, f"counted: {counted} so far")
        return counted

    def update_count_to(self, pk: Any, dimensions: Any, metrics: Any, interval: Any, at: Any) -> None:
        """Set one bucket of exactly one path."""
        now = self.clock()
        moment = instant(at, now)
        kept = Interval.parse(interval)
        if kept not in (one.interval for one in self.store.schedule.kept):
            known = ", ".join(str(one.interval) for one in self.store.schedule.kept)
            raise InvalidInput("interval", str(interval), f"kept are {known}")
        column = Column(kept, self.store.timeline.bucket(kept, moment))
        if not metrics:
            raise InvalidInput("metrics", metrics, 'name what to set, e.g. {"stock": 17}')
        for name, units in self.store.intake.values(metrics):
            self.recorder.set_bucket(pk_of(pk), path_of(dimensions), name, units, column, moment, now)

    def reset(self, pk: Any, dimension: Any = None, metric: str | None = None) -> None:
        """Remove a counter, or one dimension path or one metric of it."""
        path, counter = path_of(dimension), pk_of(pk)
        if metric is not None:
            if path:
                raise InvalidInput("metric", metric, "reset a dimension or a metric, not both at once")
            removal.remove_metric(self.store, counter, kept_name(metric_name(metric)))
        elif path:
            removal.remove_dimension(self.store, counter, path)
        else:
            removal.remove_counter(self.store, counter)

    # Reading

    def query(self, pk: Any, **asked: Any) -> Answer:
        """A ranked table; see `Whale.query` for what can be asked."""
        return self.reader.table(self.parse_query(pk, **asked), self.clock())

    def together(self, conversations: Iterable[Conversation[T]]) -> list[T | HailWhaleError]:
        """What each of several questions comes to, or its error: `reader.tabling(...)`, `reader.plotting(...)`, ...

        They are asked in lockstep, in as many round trips as the longest takes alone. Raises `StoreUnavailable`.
        """
        return self.store.server.hold_all(conversations)

    def explain(self, pk: Any, formula: Any, **asked: Any) -> Explanation:
        """What made a number move; see `Whale.explain` for what can be asked."""
        return self.explainer.explain(self.parse_why(pk, formula, **asked), self.clock())

    def movers(self, pk: Any, formula: Any, **asked: Any) -> Movers:
        """The children that moved most; see `Whale.movers` for what can be asked."""
        return self.explainer.movers(self.parse_why(pk, formula, **asked), self.clock())

    def parse_why(
        self,
        pk: Any,
        formula: Any,
        *,
        period: Any = None,
        versus: Any = "previous",
        dimension: Any = None,
        dimensions: Any = None,
        depth: Any = None,
        limit: Any = None,
        tzoffset: Any = None,
    ) -> Why:
        """Understand what is to be explained. Raises `InvalidInput` that names the argument."""
        now = self.clock()
        formulas = parse_formulas(formula, "formula")
        if len(formulas) != 1:
            raise InvalidInput("formula", formula, "explain one formula at a time, e.g. revenue/visitors")
        span = self.period(period, tzoffset, now)
        compare = _compared(span, versus or "previous", now)
        assert compare is not None
        return Why(
            pk=pk_of(pk),
            dimension=path_of(dimension),
            formula=explainable(formulas[0]),
            period=span,
            compare=compare.with_interval(span.interval),
            dimensions=None
            if dimensions in (None, "", [], ())
            else tuple(_names(dimensions, "dimensions", 'dimensions, e.g. ["country", "device"]')),
            depth=DEFAULT_DEPTH if depth is None else whole_number("depth", depth, 1, MAX_TREE_DEPTH),
            limit=DEFAULT_PARTS if limit is None else whole_number("limit", limit, 1, MAX_LIMIT),
        )

    def overlap(
        self,
        pk: Any,
        metric: Any,
        dimension: Any = None,
        names: Any = None,
        limit: Any = None,
        period: Any = None,
        tzoffset: Any = None,
        *,
        counters: bool = False,
    ) -> Overlap:
        """How much of the children of a path is the same: of those that are named, else of the first by their hits."""
        now = self.clock()
        signature_of(metric)
        most = DEFAULT_ROWS if limit is None else whole_number("limit", limit, 1, MAX_ROWS)
        query = self.parse_query(
            pk, dimension=dimension, metrics="hits", period=period, tzoffset=tzoffset, limit=most, counters=counters
        )
        chosen = _names(names) if names else [row.name for row in self.reader.table(query, now).rows]
        return self.reader.overlap(query, chosen, metric, now)

    def parse_query(
        self,
        pk: Any,
        *,
        dimension: Any = None,
        metrics: Any = None,
        period: Any = None,
        interval: Any = None,
        order_by: Any = None,
        filters: Any = None,
        limit: Any = None,
        offset: Any = 0,
        depth: Any = 1,
        versus: Any = None,
        counters: bool = False,
        bounds: bool = False,
        plotted: bool = False,
        drillable: bool = False,
        tzoffset: Any = None,
    ) -> Query:
        """Understand a question about a table. Raises `InvalidInput` that names the argument."""
        now = self.clock()
        if counters and (path_of(dimension) or depth not in (1, "1")):
            raise InvalidInput("counters", counters, "child counters have one level, and no dimension")
        span = self.period(period, tzoffset, now)
        compare = _compared(span, versus, now)
        if interval not in (None, ""):
            span = span.with_interval(Interval.parse(interval))
        return Query(
            pk=pk_of(pk),
            formulas=parse_formulas(metrics),
            period=span,
            dimension=path_of(dimension),
            counters=bool(counters),
            depth=whole_number("depth", depth, 1, MAX_TREE_DEPTH),
            order=tuple(Order.parse(one) for one in _listed(order_by, "order_by")),
            filters=tuple(Filter.parse(one) for one in _filters(filters)),
            limit=None if limit is None else whole_number("limit", limit, 1, MAX_LIMIT),
            offset=whole_number("offset", offset, 0, 10**9),
            compare=None if compare is None else compare.with_interval(span.interval),
            bounds=bool(bounds),
            plotted=bool(plotted),
            drillable=bool(drillable),
        )

    def period(self, given: Any, tzoffset: Any = None, now: float | None = None) -> Period:
        moment = _moment(self.clock() if now is None else now)
        return parse_period(given, now=moment, zone=self.store.timeline.zone, tzoffset=tzoffset)

    def subdimensions(self, pk: Any, dimension: Any) -> list[Path]:
        return self.reader.children(pk_of(pk), path_of(dimension))

    def all_subdimensions(self, pk: Any, dimension: Any) -> list[Path]:
        """A path and all beneath it, depth first."""
        top = path_of(dimension)
        found = self.reader.descendants(pk_of(pk), top, MAX_TREE_DEPTH)
        # Siblings keep the order in which they were first seen.
        order = {path: at for at, path in enumerate(found)}
        return [
            top,
            *sorted(found, key=lambda path: [order[Path(path[:n])] for n in range(len(top) + 1, len(path) + 1)]),
        ]

    def metrics_of(self, pk: Any) -> list[str]:
        return self.store.catalog.metrics(str(pk_of(pk)))

    def counters(self, parent: Any = None) -> list[Path]:
        """Counters of one name, from A to Z, or the child counters of one."""
        if parent is None:
            return [Path.parse(text) if text != WHOLE else Path((WHOLE,)) for text in self.store.catalog.counters()]
        pk = pk_of(parent)
        return [pk.child(child.name) for child in self.reader.children(pk, ROOT, counters=True)]

    def _read_event(self, given: Any, now: float, failures: list[tuple[HailWhaleError, Any]]) -> Event | None:
        """An event, or None when it could not be read, which `failures` then says."""
        try:
            return self.store.intake.read(given, now)
        except HailWhaleError as error:
            failures.append((error, given))
            return None


def _names(given: Any, field: str = "names", expected: str = 'the names of rows, e.g. ["US", "DE"]') -> list[str]:
    found = [given] if isinstance(given, str) else given
    if not isinstance(found, list | tuple) or not all(isinstance(one, str) and one for one in found):
        raise InvalidInput(field, given, f"use a list of {expected}")
    if len(found) > MAX_ROWS:
        raise TooLarge(field, given, f"at most {MAX_ROWS}, not {len(found)}")
    return list(dict.fromkeys(found))


def _compared(period: Period, versus: Any, now: float) -> Period | None:
    if versus in (None, ""):
        return None
    try:
        return compare_period(period, versus, now=_moment(now))
    except InvalidInput as error:
        raise type(error)("versus", error.value, error.expected) from error


def _moment(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)


def _listed(given: Any, field: str) -> list[Any]:
    if given in (None, "", (), []):
        return []
    if isinstance(given, str) or (isinstance(given, list | tuple) and len(given) == 2 and given[1] in ("asc", "desc")):
        return [given]
    if isinstance(given, list | tuple):
        return list(given)
    raise InvalidInput(field, given, "use a list")


def _filters(given: Any) -> list[Any]:
    found = [] if given in (None, "") else given
    if not isinstance(found, list | tuple):
        raise InvalidInput("filters", given, 'use a list of filters, e.g. [[">", "hits", 10]]')
    if len(found) > MAX_FILTERS:
        raise TooLarge("filters", given, f"at most {MAX_FILTERS} filters, not {len(found)}")
    return list(found)
