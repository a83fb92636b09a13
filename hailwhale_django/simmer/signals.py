"""SIGTERM and SIGINT, turned into a wish to end that is looked at between two blocks.

A handler that raised could do so in the midst of a merge. So it only notes the signal, and wakes whoever waits for
input. A second signal ends the process at once.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from types import TracebackType
from typing import Any

ENDS = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """`with Signals() as signals`: `caught` is the number of the one that came, or 0."""

    def __init__(self) -> None:
        self.caught = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        self._wake, self._woken = os.pipe()
        os.set_blocking(self._woken, False)
        for number in ENDS:
            self._before[number] = signal.signal(number, self._catch)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._wake)
        os.close(self._woken)

    def _catch(self, number: int, frame: object) -> None:
        self.caught = number
        os.write(self._woken, b"!")
        for one in ENDS:
            signal.signal(one, signal.SIG_DFL)

    def wait(self, source: int, seconds: float | None = None) -> bool:
        """Until a file descriptor can be read; False if it cannot, since time is up or a signal came."""
        if self.caught:
            return False
        poll = select.poll()
        poll.register(source, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        ready = [fd for fd, _ in poll.poll(None if seconds is None else seconds * 1000)]
        return source in ready and self._wake not in ready


def end_by(number: int, flush: Callable[[], None] | None = None) -> None:
    """End this process by a signal, so that whoever started it sees that it did not end by itself."""
    if flush is not None:
        flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
