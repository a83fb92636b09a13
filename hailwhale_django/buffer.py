"""Events that wait in this process for one write of many, so that a request makes no call over the network.

`add` takes microseconds and never waits for the server. A thread writes what has come together: as soon as there are
`BUFFER_BATCH` events, and at the latest `BUFFER_SECONDS` after the first. It starts with the first event of a process,
so also in each that a server forks, which begins empty: what the parent holds is the parent's to write.

When the store is away, events stay and are tried again after growing pauses. Each has an `id`, so that a write whose
answer was lost counts once. At most `BUFFER_EVENTS` wait; what comes beyond is dropped, and how much is said in the log
once, in `statistics()`, and to the store when it is back.

What this cannot do: a process that is killed, rather than asked to end, takes its last events with it. A server that
ends by a signal of its own, as uvicorn does, needs `lifespan`.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from threading import Condition, Lock, Thread
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver

from .conf import NAME, get_settings
from .engine.errors import HailWhaleError, InvalidConfiguration, StoreUnavailable
from .hail import Hail
from .visitors import Visit

logger = logging.getLogger("hailwhale")

FIRST_PAUSE_SECONDS = 0.5
# Long enough not to trouble a server that struggles, short enough that nobody looks for lost events.
LONGEST_PAUSE_SECONDS = 30.0
# What a process that ends waits for a write that is under way.
EXIT_SECONDS = 15.0
SHOWN_REASONS = 3

Write = Callable[[Iterable[Any], Callable[[HailWhaleError, Any], None]], int]

# These are not the event's fault: it will do once the store answers or the settings are mended.
AWAY = (StoreUnavailable, InvalidConfiguration, ImproperlyConfigured)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What became of this process's events; `last_error` is None while the store takes them."""

    buffered: int = 0
    flushed: int = 0
    refused: int = 0
    dropped: int = 0
    last_error: str | None = None


class Buffer:
    """`write(events, on_error)` is given many events at once, `note_dropped(n)` how many never reached it."""

    def __init__(
        self,
        write: Write,
        note_dropped: Callable[[int], None],
        *,
        batch: int = 500,
        seconds: float = 0.5,
        limit: int = 10_000,
        first_pause: float = FIRST_PAUSE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.batch = min(batch, limit)
        self.seconds = seconds
        self.limit = limit
        self.first_pause = first_pause
        self.clock = clock
        self._write = write
        self._note_dropped = note_dropped
        self.begin()

    def begin(self) -> None:
        """Empty, and without a thread: how a buffer starts, in a forked child too."""
        self._events: deque[dict[str, Any]] = deque()
        self._changed = Condition(Lock())  # held for a few operations in memory, never while a server is asked
        self._writing = Lock()
        self._thread: Thread | None = None
        self._closed = False
        self._origin = secrets.token_hex(8)
        self._added = self._flushed = self._refused = self._dropped = self._noted = 0
        self._last_error: str | None = None
        self._is_full_told = False

    def add(self, event: dict[str, Any]) -> bool:
        """Take an event as `Hail.count_many` does, for now unless it says when; False if there was no room."""
        with self._changed:
            waiting = len(self._events) + 1
            if waiting > self.limit or self._closed:
                self._dropped += 1
                return False
            self._added += 1
            self._events.append({"at": self.clock(), "id": f"{self._origin}-{self._added}", **event})
            if self._thread is None:
                self._start()
            if waiting in (1, self.batch):
                self._changed.notify_all()
        return True

    def flush(self) -> bool:
        """Write now what waits; False if the store did not take it."""
        with self._writing:
            return self._flush()

    def close(self) -> None:
        """Write what waits, once, and take nothing more: the process ends."""
        self._end()
        if not self._writing.acquire(timeout=EXIT_SECONDS):
            logger.error("%d events may be lost: the process ends while they are being written", len(self._events))
            return
        try:
            if not self._flush():
                logger.error("%d events are lost with their process: %s", len(self._events), self._last_error)
        finally:
            self._writing.release()

    def discard(self) -> None:
        """Forget what waits, and take nothing more."""
        self._end()
        with self._changed:
            self._events.clear()

    @property
    def is_closed(self) -> bool:
        return self._closed

    @property
    def statistics(self) -> Statistics:
        with self._changed:
            return Statistics(len(self._events), self._flushed, self._refused, self._dropped, self._last_error)

    # -- the thread ------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        thread = Thread(target=self._run, name="hailwhale-buffer", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # there is no room for one now, or the process is ending, and `close` will write
            return
        self._thread = thread

    def _end(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        pause = self.first_pause
        while self._wait_for_events():
            if self.flush():
                pause = self.first_pause
            else:
                self._pause(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _wait_for_events(self) -> bool:
        """Until there is a batch, or the first event has waited long enough; False when the process ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._events or self._closed)
            self._changed.wait_for(lambda: len(self._events) >= self.batch or self._closed, self.seconds)
            return not self._closed

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed, seconds)

    # -- writing, by one thread at a time --------------------------------------------------------------------------

    def _flush(self) -> bool:
        is_taken = all(self._flush_batch() for _ in range(0, len(self._events), self.batch))
        self._tell_dropped()
        return is_taken

    def _flush_batch(self) -> bool:
        """Write the oldest, which keep their places until they are written."""
        with self._changed:
            batch = list(islice(self._events, self.batch))
        try:
            reasons = self._written(batch)
        except AWAY as error:
            self._remember(error)
            return False
        with self._changed:
            for _ in batch[: len(self._events)]:
                self._events.popleft()
            self._flushed += len(batch) - len(reasons)
            self._refused += len(reasons)
        _log_refused(reasons)
        self._forget_error()
        return True

    def _written(self, batch: list[dict[str, Any]]) -> list[Exception]:
        """Why some were refused, for each of them."""
        reasons: list[Exception] = []
        try:
            self._write(batch, lambda error, event: reasons.append(error))
        except AWAY:
            raise
        except Exception as error:
            # One event is beyond all expectation. The others are to count; those that did already have their ids.
            return [error] if len(batch) == 1 else [reason for event in batch for reason in self._written([event])]
        return reasons

    def _remember(self, error: Exception) -> None:
        if self._last_error is None:
            logger.error("events wait in the process, up to %d of them: %s", self.limit, error)
        self._last_error = str(error)

    def _forget_error(self) -> None:
        if self._last_error is not None:
            logger.warning("the store takes events again; %d of this process were dropped so far", self._dropped)
        self._last_error = None

    def _tell_dropped(self) -> None:
        """To the log once per outage; to the store when it answers."""
        dropped = self._dropped - self._noted
        if not dropped:
            self._is_full_told = False
            return
        if not self._is_full_told:
            logger.error("events are dropped, %d so far: %d wait already", self._dropped, self.limit)
            self._is_full_told = True
        if self._last_error is None:
            try:
                self._note_dropped(dropped)
            except Exception:
                logger.exception("%d dropped events are not noted in the store yet", dropped)
            else:
                self._noted += dropped


def _log_refused(reasons: list[Exception]) -> None:
    if reasons:
        shown = "; ".join(str(reason) for reason in reasons[:SHOWN_REASONS])
        logger.warning("%d events refused: %s", len(reasons), shown)


# -- the buffer of this process ------------------------------------------------------------------------------------

_buffer: Buffer | None = None
_making = Lock()
_open: list[Buffer] = []  # all of this process, which end with it


def buffer() -> Buffer:
    """The buffer that requests are counted in."""
    global _buffer
    if _buffer is None:
        with _making:
            if _buffer is None:
                _buffer = opened(_count_many, Hail.note_dropped)
    return _buffer


def opened(write: Write, note_dropped: Callable[[int], None]) -> Buffer:
    """A buffer of the configured size that is written when the process ends, and begins anew in one that is forked."""
    configured = get_settings()
    made = Buffer(
        write,
        note_dropped,
        batch=configured.BUFFER_BATCH,
        seconds=configured.BUFFER_SECONDS,
        limit=configured.BUFFER_EVENTS,
    )
    _open.append(made)
    return made


def _count_many(events: Iterable[dict[str, Any]], on_error: Callable[[HailWhaleError, Any], None]) -> int:
    return Hail.count_many(map(_with_visitors, events), on_error)


def _with_visitors(event: dict[str, Any]) -> dict[str, Any]:
    """The same event with ids instead of visits: here nobody's page waits for the salt."""
    metrics = event.get("metrics")
    if not isinstance(metrics, dict):
        return event
    return {**event, "metrics": {name: _settled(value) for name, value in metrics.items()}}


def _settled(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_settled, value))
    return value.visitor() if isinstance(value, Visit) else value


def add(event: dict[str, Any]) -> bool:
    """Count an event soon; False if there was no room."""
    return buffer().add(event)


def flush() -> bool:
    """Write now what waits in this process, as tests want it; False if the store did not take it."""
    return _buffer is None or _buffer.flush()


def statistics() -> Statistics:
    """What became of the events of this process."""
    return Statistics() if _buffer is None else _buffer.statistics


@atexit.register
def _close() -> None:
    for one in _open:
        one.close()


def _begin_in_child() -> None:
    global _making
    _making = Lock()
    for one in _open:
        one.begin()


if hasattr(os, "register_at_fork"):  # where processes fork
    os.register_at_fork(after_in_child=_begin_in_child)


@receiver(setting_changed)
def _forget(*, setting: str, **_: Any) -> None:
    """Other settings, another buffer: in tests."""
    global _buffer
    if setting == NAME:
        for one in _open:
            one.discard()
        _open.clear()
        _buffer = None
