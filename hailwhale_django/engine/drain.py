"""Draining: moving the hail into the counters, so that every event counts exactly once.

Each counter keeps a *mark*, the last position of the stream that is counted on it, and `add.lua` moves it in the same
step in which it counts. What is at or before the mark is not counted again; so a drain may be killed at any
instruction, several may drain the same stream, and entries may be read any number of times.

The stream keeps the same marks once more, of what was counted within the last minute or two (`KEPT_SECONDS`). A counter
whose own mark is before that has lost its latest writes: its server failed over to a replica that had not got them yet,
or came back with an older file. What it lost is counted again from the log, which keeps counted entries for as long. A
drain looks for such counters when the servers are not those that they were, and at each counter that it counts on.

What can never be counted (it is older than anything kept, would overflow, or is no event at all) becomes a dead letter,
written down before the drain goes past it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from .marked import MarkedCount, Session
from .store.dead import DeadLetters
from .store.log import Log
from .store.store import Store

# Marks of counters that nothing came for are dropped so many at a time.
FORGOTTEN = 1_000


class Drain:
    """Counts what is in the hail's log. `clock` gives seconds since the epoch."""

    def __init__(self, store: Store, log: Log, clock: Callable[[], float]) -> None:
        self.store = store
        self.log = log
        self.clock = clock
        self.dead = DeadLetters(log.server, log.keys)
        self._holder = secrets.token_hex(8)
        self._sessions: dict[int, Session] = {}

    def run(self, seconds: float = 20.0) -> int:
        """Drain every stream that nobody else drains, until it is empty or the time is up; returns how many events.

        Raises `StoreUnavailable`; what was counted stays counted, and all else stays in the log.
        """
        end = self.clock() + seconds
        return sum(self._drain(stream, end) for stream in self.log.streams())

    def _drain(self, stream: int, end: float) -> int:
        if not self.log.lease(stream, self._holder):
            return 0
        try:
            return self._drain_leased(stream, end)
        except BaseException:
            self._sessions.pop(stream, None)  # what is known may be wrong now
            raise
        finally:
            self.log.release(stream, self._holder)

    def _drain_leased(self, stream: int, end: float) -> int:
        session = self._resumed(stream)
        counting = MarkedCount(self.store, self.log, session)
        drained = 0
        while True:
            items, last = counting.read(session.entry)
            if not last:
                if not session.is_settled:
                    self._advance(session, counting, session.entry, 0)
                return drained
            counting.count(items, self.clock())
            drained += len(items)
            if not self._advance(session, counting, last, len(items)) or self.clock() >= end:
                return drained
            self.log.renew(stream)

    def _resumed(self, stream: int) -> Session:
        """What is known of a stream, from when this process was the last to drain it, or else from the stream."""
        self.store.check(self.clock(), writing=True)
        state = self.log.state(stream)
        servers = self.store.server.identity()
        session = self._sessions.get(stream)
        if session is not None and state == (session.name, session.entry, self._holder, servers, session.trimmed):
            return session
        session = Session(stream, state.name, state.entry, servers, state.trimmed, self.log.marks(stream))
        if state.servers not in ("", servers):
            MarkedCount(self.store, self.log, session).repair(self.clock())
        self._sessions[stream] = session
        return session

    def _advance(self, session: Session, counting: MarkedCount, last: str, events: int) -> bool:
        """Write down that all up to an entry is counted; False if the stream began anew meanwhile."""
        begin = session.kept_from
        forgotten = [pk for pk, mark in session.marks.items() if mark < begin][:FORGOTTEN]
        for pk in forgotten:
            del session.marks[pk]
        marks = {pk: mark for pk, mark in counting.marked.items() if pk in session.marks}
        trimmed = self.log.advance(
            session.stream, session.name, self._holder, last, session.servers, events, marks, forgotten, begin
        )
        if trimmed is None:
            return False
        session.entry, session.trimmed = last, trimmed
        counting.marked.clear()
        return True
