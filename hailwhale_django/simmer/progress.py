"""How far a long input is, on stderr."""

from __future__ import annotations

import time

from .complaints import say

SECONDS = 1.0


class Progress:
    def __init__(self, is_wanted: bool) -> None:
        self._is_wanted = is_wanted
        self._told_at = time.monotonic()
        self._rows = 0

    def tell(self, rows: int) -> None:
        """Once a second, if it is wanted."""
        now = time.monotonic()
        if self._is_wanted and (seconds := now - self._told_at) >= SECONDS:
            say(f"{rows:,} lines, {(rows - self._rows) / seconds:,.0f} a second")
            self._told_at, self._rows = now, rows
