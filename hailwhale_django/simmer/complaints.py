"""What is said on stderr of bad lines and of what cannot be written: not so much of it that it drowns all else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress

# So many at once, then one a second: enough to see what is wrong with a file, and no flood from a network.
AT_ONCE = 10
PER_SECOND = 1.0

# A line may be megabytes long.
SHOWN_BYTES = 80


class Complaints:
    """Of one kind; `noun` is what they are about."""

    def __init__(self, noun: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.noun = noun
        self.clock = clock
        self.total = 0
        self._shown = 0
        self._room = float(AT_ONCE)
        self._filled_at = clock()

    def tell(self, where: str, why: object, line: bytes | None = None) -> None:
        self.total += 1
        if self._has_room():
            self._shown += 1
            is_told = line is None or getattr(why, "value", None) == line
            say(f"{where}: {why}" if is_told else f"{where}: {why}: {excerpt(line or b'')}")

    def _has_room(self) -> bool:
        now = self.clock()
        self._room = min(AT_ONCE, self._room + (now - self._filled_at) * PER_SECOND)
        self._filled_at = now
        if self._room < 1:
            return False
        self._room -= 1
        return True

    def conclude(self, of: int | None = None) -> None:
        """The total, if there was anything."""
        if self.total:
            among = "" if of is None else f" of {of:,}"
            hidden = self.total - self._shown
            say(f"{self.noun}: {self.total:,}{among}" + (f"; {hidden:,} of them are not shown" if hidden else ""))


def excerpt(line: bytes) -> str:
    """The beginning of a line, as one can print it."""
    shown = repr(line[:SHOWN_BYTES])[1:]
    return shown if len(line) <= SHOWN_BYTES else f"{shown}… ({len(line):,} bytes)"


def say(text: str) -> None:
    """One line on stderr. Nobody who listens is no reason to stop."""
    with suppress(OSError, ValueError):
        print(f"simmer: {text}", file=sys.stderr, flush=True)
