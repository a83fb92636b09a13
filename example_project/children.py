"""Processes that the demo starts beside the web server, watches, and ends.

Each is in a process group of its own, so a Ctrl-C in the terminal reaches the demo alone, which ends them in its order;
and each has a lifeline, so none outlives a demo that was killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from example_project import lifeline

ROOT = Path(__file__).parents[1]
# One that ends sooner than this after its start is broken rather than unlucky.
SOON_SECONDS = 10.0
ATTEMPTS = 3
STOP_SECONDS = 15.0
SHOWN_CHARACTERS = 2_000


class ChildFailed(Exception):
    """A process does not stay up; the text has the end of its log."""


class Child:
    """`python -m WORDS` with its output in `log`."""

    def __init__(self, name: str, words: Sequence[str], log: Path) -> None:
        self.name = name
        self.words = words
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._failures = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self.words],
                cwd=ROOT,
                env=os.environ | {lifeline.VARIABLE: "1"},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        self._started = time.monotonic()

    def watch(self, say: Callable[[str], None]) -> None:
        """Start it again if it ended, and say so. Raises `ChildFailed` when that does not help."""
        if self._process is None or (code := self._process.poll()) is None:
            return
        is_soon = time.monotonic() - self._started < SOON_SECONDS
        self._failures = self._failures + 1 if is_soon else 1
        tail = self.log.read_text(errors="replace")[-SHOWN_CHARACTERS:]
        if self._failures >= ATTEMPTS:
            raise ChildFailed(f"The {self.name} does not stay up. Its log, {self.log}, ends with\n{tail}")
        say(f"The {self.name} ended ({_how(code)}) and is started again")
        self._close()
        self.start()

    def tell_to_end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def stop(self) -> None:
        """End it and wait; one that does not want to is killed, and what it was doing is done by the next."""
        if self._process is None:
            return
        self.tell_to_end()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close()

    def _close(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None


def _how(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"
