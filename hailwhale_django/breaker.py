"""A circuit breaker: while a store does not answer, one caller at a time tries, and all others are told so at once.

How long they are not let through is how long the last try took to fail: a connection that is refused is tried again in
a quarter of a second, a server that hangs for ten seconds is waited for by one page in ten seconds, and not by all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from .engine.errors import StoreUnavailable

T = TypeVar("T")

SHORTEST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 30.0


class Breaker:
    """Stands between callers and a store. `clock` gives seconds of any kind."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._error: StoreUnavailable | None = None
        self._pause = 0.0
        self._closed_until = float("-inf")

    def call(self, ask: Callable[[], T]) -> T:
        """What is asked. Raises `StoreUnavailable`, without asking where it failed a moment ago."""
        began = self.clock()
        if self._error is not None:
            if began < self._closed_until:
                raise StoreUnavailable(f"not asked, since it failed a moment ago: {self._error}") from self._error
            self._closed_until = began + self._pause  # this caller tries, and nobody else meanwhile
        try:
            found = ask()
        except StoreUnavailable as error:
            self._fail(error, began)
            raise
        self._error = None
        return found

    def _fail(self, error: StoreUnavailable, began: float) -> None:
        now = self.clock()
        self._pause = min(max(now - began, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        self._closed_until = now + self._pause
        self._error = error
