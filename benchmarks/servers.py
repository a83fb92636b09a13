"""Servers of one's own on loopback, and the ways to speak to them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from redis import Redis
from redis.connection import Connection, PythonRespSerializer, _RESP2Parser

from example_project.ports import free_port
from example_project.valkey import Valkey, ValkeyFailed
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store.server import Server, connect
from hailwhale_django.engine.store.store import Options, Store

# Another program may take a free port between our choice and the server's start.
ATTEMPTS = 5

SETTLED_SECONDS = 1.0
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 30.0
NOISE_BYTES = 4096


@contextmanager
def running() -> Iterator[str]:
    """A server that keeps nothing on disk; gives its URL."""
    with tempfile.TemporaryDirectory(prefix="hailwhale-bench-") as directory:
        server = _started(Path(directory))
        try:
            yield server.url
        finally:
            server.stop()


def _started(directory: Path) -> Valkey:
    for attempt in range(ATTEMPTS):
        server = Valkey(directory / str(attempt), free_port())
        try:
            server.start()
        except ValkeyFailed:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return server
    raise AssertionError("unreachable")


@contextmanager
def running_client() -> Iterator[Redis]:
    """A server and a plain client of it."""
    with running() as url, closing(Redis.from_url(url)) as client:
        yield client


@contextmanager
def running_pod(clock: Callable[[], float] = time.time, **options: Any) -> Iterator[Pod]:
    """A server and a pod on it, with options as in the settings but in the engine's words."""
    with running() as url, pod_at(url, clock, **options) as pod:
        yield pod


@contextmanager
def pod_at(url: str, clock: Callable[[], float] = time.time, *, plain: bool = False, **options: Any) -> Iterator[Pod]:
    """A pod on a running server; a `plain` one does without hiredis."""
    server = Server(Redis.from_url(url, connection_class=PlainConnection)) if plain else connect(url)
    with closing(server):
        yield Pod(Store(server, Options(**options)), clock)


class PlainConnection(Connection):
    """What redis-py does where hiredis is not installed: it reads and writes the protocol in Python."""

    def __init__(self, **options: Any) -> None:
        super().__init__(parser_class=_RESP2Parser, **options)
        self._command_packer = PythonRespSerializer(self._buffer_cutoff, self.encoder.encode)


def settled_bytes(client: Redis) -> int:
    """What the server has allocated, once that stays the same: its tables grow and shrink in the background."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    found, since = used_bytes(client), time.monotonic()
    while time.monotonic() < min(since + SETTLED_SECONDS, deadline):
        time.sleep(POLL_SECONDS)
        used = used_bytes(client)
        # Asking takes a few bytes itself.
        if abs(used - found) > NOISE_BYTES or is_rehashing(client):
            found, since = used, time.monotonic()
    return found


def used_bytes(client: Redis) -> int:
    return int(client.info("memory")["used_memory"])


def is_rehashing(client: Redis) -> bool:
    """Whether the server is moving keys to a larger or smaller table, and has both; older ones do not say."""
    return bool(client.memory_stats().get(b"db.dict.rehashing.count"))
