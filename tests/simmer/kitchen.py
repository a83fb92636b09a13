"""simmer as a process: run to its end, or running while a test speaks to it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import IO, Any

from tests.patience import until

HOST = "127.0.0.1"
COMMAND = [sys.executable, "-W", "error", "-m", "hailwhale_django.simmer"]


def environment(**more: str) -> dict[str, str]:
    """Of somebody who has never heard of Django."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "HAILWHALE"))}
    return plain | {"TZ": "UTC"} | more


@dataclass(frozen=True)
class Done:
    out: bytes
    err: str
    status: int

    @property
    def lines(self) -> list[bytes]:
        return self.out.splitlines()

    @property
    def human(self) -> dict[str, str]:
        """The human value of each key; no key twice."""
        rows = [line.decode("utf-8", "surrogateescape").split("\t") for line in self.out.split(b"\n")[:-1]]
        found = {key: human for key, _, human in rows}
        assert len(found) == len(rows)
        return found


def simmer(*arguments: str, rows: bytes | str = b"", status: int = 0, **more: str) -> Done:
    """Run it on rows; `more` are environment variables."""
    raw = rows.encode() if isinstance(rows, str) else rows
    done = subprocess.run([*COMMAND, *arguments], input=raw, capture_output=True, env=environment(**more))
    found = Done(done.stdout, done.stderr.decode(), done.returncode)
    assert found.status == status, found
    return found


def tsv(*rows: str) -> str:
    """Rows as they are written in a README, with any space between key and value."""
    return "".join("\t".join(row.split(maxsplit=1)) + "\n" for row in rows)


@dataclass
class Running:
    process: subprocess.Popen[bytes]
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = Thread(target=self._listen, args=(self.process.stderr,), daemon=True)
        self._listener.start()

    def _listen(self, stream: IO[bytes]) -> None:
        for line in stream:
            self.said.append(line.decode())

    def heard(self, pattern: str) -> str:
        """What it said of a pattern on stderr, once it has."""
        found: list[str] = []

        def is_said() -> bool:
            found[:] = [match[1] for match in (re.search(pattern, line) for line in list(self.said)) if match]
            return bool(found) or self.process.poll() is not None

        assert until(is_said)
        assert found, self.said
        return found[0]

    @property
    def udp(self) -> int:
        return int(self.heard(r"on udp .*:(\d+)$"))

    @property
    def http(self) -> int:
        return int(self.heard(r"on http://.*:(\d+)/$"))

    def send(self, *packets: bytes) -> None:
        """As packets, each taken: more than what fits a socket is for benchmarks."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for packet in packets:
                sender.sendto(packet, (HOST, self.udp))

    def write(self, rows: bytes | str) -> None:
        assert self.process.stdin
        self.process.stdin.write(rows.encode() if isinstance(rows, str) else rows)
        self.process.stdin.flush()

    def read_line(self) -> bytes:
        assert self.process.stdout
        return self.process.stdout.readline()

    def end(self, signal_number: int | None = None) -> Done:
        """By a signal, or the end of its input."""
        if signal_number is not None:
            self.process.send_signal(signal_number)
        elif self.process.stdin:
            self.process.stdin.close()
        assert self.process.stdout
        out = self.process.stdout.read()
        status = self.process.wait()
        self._listener.join()
        return Done(out, "".join(self.said), status)


@contextmanager
def running(*arguments: str, stdin: Any = subprocess.PIPE, **more: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**more),
    )
    found = Running(process)
    try:
        yield found
    finally:
        process.kill()
        process.wait()
        found._listener.join()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                with suppress(OSError):
                    stream.close()
