"""How many decisions a process made and missed, and a word in the log: once for an outage, once for each mistake."""

from __future__ import annotations

import logging
from threading import Lock

from .engine.errors import HailWhaleError, StoreUnavailable

logger = logging.getLogger("hailwhale")

MESSAGE = "the first option is given where a decision was asked for: %s"
MOST_MESSAGES = 256


class Told:
    """Says an outage once until it ends, and anything else once; a bug with its traceback."""

    def __init__(self) -> None:
        self._is_outage_told = False
        self._messages: set[str] = set()
        self._lock = Lock()

    def say(self, message: str, error: Exception) -> None:
        """`message` has a place for the error."""
        if self._is_new(message % error, isinstance(error, StoreUnavailable)):
            logger.error(message, error, exc_info=None if isinstance(error, HailWhaleError) else error)

    def end_outage(self) -> None:
        self._is_outage_told = False

    def _is_new(self, text: str, is_outage: bool) -> bool:
        with self._lock:
            if is_outage:
                was_told, self._is_outage_told = self._is_outage_told, True
                return not was_told
            if text in self._messages or len(self._messages) >= MOST_MESSAGES:
                return False
            self._messages.add(text)
            return True


class Misses:
    """Counts decisions. `last_error` is None while they are made."""

    def __init__(self) -> None:
        self.made = 0
        self.missed = 0
        self.last_error: str | None = None
        self._told = Told()
        self._lock = Lock()

    def answered(self) -> None:
        """A decision was made."""
        with self._lock:
            self.made += 1
            self.last_error = None
        self._told.end_outage()

    def note(self, error: Exception) -> None:
        """No decision was made."""
        with self._lock:
            self.missed += 1
            self.last_error = str(error)
        self._told.say(MESSAGE, error)
