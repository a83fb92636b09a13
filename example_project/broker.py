"""Where the example project's Celery tasks wait: in a database of the server that `manage.py demo` starts.

On a server of one's own nothing is put but counts. There the tasks wait in files, or where `HAILWHALE_BROKER_URL` says:
a RabbitMQ (`amqp://`), or a Redis.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from example_project.ports import HOST

VARIABLE = "HAILWHALE_BROKER_URL"
DATABASE = 1
# A task that a killed worker had is done by another after this long; with RabbitMQ at once.
VISIBILITY_SECONDS = 60
POLL_SECONDS = 0.1


def in_server(port: int) -> tuple[str, dict[str, Any]]:
    """A database of the demo's own server, beside the counts: address and transport options."""
    return f"redis://{HOST}:{port}/{DATABASE}", {"visibility_timeout": VISIBILITY_SECONDS}


def in_files(directory: Path) -> tuple[str, dict[str, Any]]:
    """Files beneath a directory; enough to tell one worker to drain."""
    queue = directory / "queue"
    with suppress(OSError):  # as in `home`: reading settings never fails
        queue.mkdir(parents=True, exist_ok=True)
    folders = {"data_folder_in": queue, "data_folder_out": queue, "control_folder": directory / "control"}
    return "filesystem://", {
        **{name: str(folder) for name, folder in folders.items()},
        "polling_interval": POLL_SECONDS,
    }


def named() -> tuple[str, dict[str, Any]] | None:
    """The broker that the environment names."""
    url = os.environ.get(VARIABLE)
    return (url, {"visibility_timeout": VISIBILITY_SECONDS} if url.startswith("redis") else {}) if url else None
