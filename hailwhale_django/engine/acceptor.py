"""Accepting events: they are read, checked and in the hail's log when a call returns, and counted soon after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from .domain.event import Event
from .domain.intake import EVENT_KEYS
from .errors import HailWhaleError, InvalidInput, OnError, TooLarge, report
from .store.log import Log
from .store.store import Store

KEYS = EVENT_KEYS | {"id"}
BATCH = 5_000
MAX_ID_BYTES = 200


class Acceptor:
    """Appends events to a log. `clock` gives seconds since the epoch."""

    def __init__(self, store: Store, log: Log, clock: Callable[[], float]) -> None:
        self.store = store
        self.log = log
        self.clock = clock

    def accept(self, pk: Any, dimensions: Any, metrics: Any, at: Any, known_as: Any = None) -> None:
        """Append one event. Raises `InvalidInput`, `HailFull`, or `StoreUnavailable` (it may be there or not)."""
        now = self.clock()
        event = self.store.intake.event(pk, dimensions, metrics, at, now)
        self.store.schedule.columns_at(event.at, now)
        self.log.append([(event, _id(known_as))], now)

    def accept_many(self, events: Iterable[Any], on_error: OnError | None = None) -> int:
        """Append many events, batch by batch; returns how many are in the log, those that were there already too.

        `on_error` is told what cannot be read. Raises `HailFull` and `StoreUnavailable` whether it is there or not:
        earlier batches are in the log then, and of this one what went to streams that had room.
        """
        accepted = 0
        source = iter(events)
        while given := list(islice(source, BATCH)):
            now = self.clock()
            failures: list[tuple[HailWhaleError, Any]] = []
            read = [pair for one in given if (pair := self._read(one, now, failures)) is not None]
            self.log.append(read, now)
            accepted += len(read)
            report(failures, on_error, f"accepted: {accepted} so far")
        return accepted

    def accepted(self, event: Event, known_as: str) -> tuple[Event, str]:
        """An event that is read already and its id, if they can be appended. Raises `InvalidInput`."""
        self.store.schedule.columns_at(event.at, self.clock())
        return event, _id(known_as)

    def accept_events(self, events: Sequence[tuple[Event, str]]) -> int:
        """Append events that are `accepted`; returns how many are in the log. Raises as `accept_many`."""
        self.log.append(events, self.clock())
        return len(events)

    def _read(self, given: Any, now: float, failures: list[tuple[HailWhaleError, Any]]) -> tuple[Event, str] | None:
        try:
            event = self.store.intake.read(given, now, KEYS)
            self.store.schedule.columns_at(event.at, now)
            return event, _id(given.get("id") if isinstance(given, dict) else None)
        except HailWhaleError as error:
            failures.append((error, given))
            return None


def _id(given: Any) -> str:
    """An event's id as text; "" if it has none."""
    if given is None or given == "":
        return ""
    if not isinstance(given, str | int) or isinstance(given, bool):
        raise InvalidInput("id", given, "an event's id is text")
    text = str(given)
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidInput("id", given, "an event's id must be valid Unicode text") from error
    if size > MAX_ID_BYTES:
        raise TooLarge("id", given, f"an event's id has at most {MAX_ID_BYTES} bytes, this one has {size}")
    return text
