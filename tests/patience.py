"""Waiting for what other processes do, for as long as a busy machine may take."""

from __future__ import annotations

import time
from collections.abc import Callable

WAIT_SECONDS = 120.0
POLL_SECONDS = 0.05


def until(wanted: Callable[[], bool]) -> bool:
    """Whether it comes true, in however long a time."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not wanted():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
