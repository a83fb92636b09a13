"""One demo at a time in one home."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyHeld(Exception):
    """Another process, `pid`, holds the lock; `about` is what it has told of itself."""

    def __init__(self, pid: str, about: str) -> None:
        super().__init__(pid, about)
        self.pid = pid
        self.about = about


@contextmanager
def held(path: Path) -> Iterator[Callable[[str], None]]:
    """Hold the lock at `path`, and tell with the function it gives what others should know.

    The operating system lets go of it when this process ends, however it ends, so it is never stale.
    """
    with open(path, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid, _, about = file.read().partition(" ")
            raise AlreadyHeld(pid, about) from None

        def tell(about: str) -> None:
            file.truncate(0)
            file.write(f"{os.getpid()} {about}")
            file.flush()

        tell("starting")
        yield tell
