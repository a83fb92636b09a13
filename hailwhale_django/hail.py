"""`Hail`: say what happened, and have it counted soon, exactly once.

    Hail.count("shop", {"country": "US"}, {"revenue": 9.5})

What `Whale.count_now` counts at once, `Hail.count` appends to a durable log and returns; a drain (the Celery tasks, or
`manage.py hailwhale_drain`) moves the log into the counters. So a page does not wait for the counting, events are
folded together, and every accepted event counts once, whatever is restarted meanwhile. See docs/hail.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .decisions import events_of
from .engine.decider import Earned
from .engine.domain.event import Event
from .engine.errors import HailWhaleError, InvalidInput, OnError, report
from .engine.store.spy import EVERYBODY, Spy
from .face import Face


class Hail(Face):
    """The log of one store. All methods are class methods; nobody makes a hail."""

    @classmethod
    def count(
        cls, pk: Any, dimensions: Any = None, metrics: Any = None, at: Any = None, *, id: str | None = None
    ) -> None:
        """Append one event to the log: one round trip, durable there when it returns, counted within a second or two.

        Arguments are those of `Whale.count_now`. Events of the same `id` and counter count once, if they come within a
        day: give one to whatever may be sent again.

        Raises `InvalidInput`, and nothing is accepted; `HailFull` when the log has no room, and nothing is accepted;
        `StoreUnavailable`, and then it may have been accepted or not.
        """
        cls.pod().acceptor.accept(pk, dimensions, metrics, at, id)

    @classmethod
    def count_many(cls, events: Iterable[Any], on_error: OnError | None = None) -> int:
        """Append many events; returns how many were accepted, those that were known by their id among them.

        An event is a dict `{"pk", "dimensions", "metrics", "at", "id"}` (only `pk` is needed) or a tuple of the first
        four. What cannot be read is told to `on_error(error, event)`; without it the first error is raised once the
        valid events of its batch are accepted. Raises `HailFull` and `StoreUnavailable`, when some of the events may
        be accepted: give events an `id` to send all of them again.
        """
        return cls.pod().acceptor.accept_many(events, on_error)

    @classmethod
    def count_decided(
        cls, pk_base: Any, decision: Any, option: Any, dimensions: Any = None, metrics: Any = None, at: Any = None
    ) -> None:
        """Append what came of deciding for an option: counts on the counter `[*pk_base, decision, option]`."""
        event = {"pk": pk_base, "decision": decision, "option": option, "dimensions": dimensions}
        cls.count_decisions([{**event, "metrics": metrics, "at": at}])

    @classmethod
    def count_decision(cls, pk: Any, decided: Any = None, metrics: Any = None, **event: Any) -> None:
        """As `Whale.count_decision`, by way of the log: what comes with an `id` counts exactly once."""
        cls.count_decisions([{"pk": pk, "decided": decided, "metrics": metrics, **event}])

    @classmethod
    def count_decisions(cls, events: Iterable[Any], on_error: OnError | None = None) -> int:
        """Append what came of many decisions; returns how many events were accepted.

        Each is a dict of arguments of `Whale.count_decision`; those that are known by their id are accepted, too. What
        cannot be read is told to `on_error(error, event)`; without it the first error is raised once all others are
        accepted. Raises as `count_many`.
        """
        acceptor = cls.pod().acceptor
        settled = 0
        read: list[tuple[Event, str]] = []
        failures: list[tuple[HailWhaleError, Any]] = []
        for given in events:
            try:
                found = events_of(given, cls.store)
                settled += sum(map(_is_settled, found))
                read += [acceptor.accepted(*_with_id(event, given)) for event in found if not _is_settled(event)]
            except InvalidInput as error:
                failures.append((error, given))
        accepted = acceptor.accept_events(read) + settled
        report(failures, on_error, f"accepted: {accepted} so far")
        return accepted

    @classmethod
    def drain(cls, seconds: float = 20.0) -> int:
        """Count what is in the log now, unless someone else does; returns how many events. Stops after some seconds.

        This is what the Celery task does. Raises `StoreUnavailable`; nothing is lost by that.
        """
        return cls.pod().drain.run(seconds)

    dump_now = drain

    @classmethod
    def note_dropped(cls, events: int) -> None:
        """Note events that a process had to drop before they reached the log, for the health page."""
        cls.pod().log.note_dropped(events)

    @classmethod
    def spy_log(cls, uid: Any, data: Any) -> None:
        """Log what a visitor does, for `get_spy`: anything that JSON can write. The last 100 are kept for a day."""
        cls._spy().log(str(uid), data)

    @classmethod
    def get_spy(cls, uid: Any = EVERYBODY, max_results: int = 15) -> list[Any]:
        """What was last logged of a visitor, or of all; the newest first."""
        return cls._spy().get(str(uid), max_results)

    @classmethod
    def _spy(cls) -> Spy:
        log = cls.pod().log
        return Spy(log.server, log.keys)


def _is_settled(event: Event | Earned) -> bool:
    return isinstance(event, Earned) and event.is_settled


def _with_id(event: Event | Earned, given: Any) -> tuple[Event, str]:
    """An event, and by what it counts once."""
    if isinstance(event, Earned):
        return event.event, event.id
    known_as = given.get("id")
    return event, "" if known_as is None else str(known_as)
