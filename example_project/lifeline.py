"""Processes that end with the one that started them, however that ended: it holds the other end of their stdin.

A process that is killed cannot tell its children; but the operating system closes its pipes, and they notice.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from threading import Thread

VARIABLE = "HAILWHALE_LIFELINE"
PATIENCE_SECONDS = 10.0


def follow() -> None:
    """End this process when its stdin does: politely, and after some seconds at once."""
    Thread(target=_follow, name="lifeline", daemon=True).start()


def _follow() -> None:
    while os.read(sys.__stdin__.fileno(), 1024):  # type: ignore[union-attr]
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE_SECONDS)
    os._exit(1)  # it waits for a server that ended together with its parent
