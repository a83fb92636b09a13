"""HTTP, through gunicorn: pixels, single events, batches and decisions, against a bare Django view."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from benchmarks import servers, worlds
from benchmarks.counting import DIMENSIONS
from benchmarks.effort import Effort
from benchmarks.report import Column, Result, Table
from benchmarks.timing import Contestant, race
from example_project.ports import HOST, free_port

REQUESTS = 1_000
BATCHES = 10
BATCH = 1_000
KEY = "benchmark"
START_SECONDS = 30.0

BARE, COUNTED = "a bare view", "a bare view, counted by the middleware"
PIXEL, EVENT, COUNT = "pixel", "event, by the script with a key", "count, at once into the counters"
DECIDED, KEPT = "decide, of three options", "choose, by a page's script, which is kept"
IN_PAGE = "a bare view that decides, which is kept"
BATCHED = f"events, batches of {BATCH:,}"

Request = tuple[str, str, str, str]
"""Method, address, type and body."""


def run(effort: Effort) -> Result:
    """One connection that is kept open, one worker: what a request costs, and not how many cores there are."""
    table = Table(
        "HTTP, one gunicorn worker, one connection",
        [
            Column("what"),
            Column("requests/s", ",.0f"),
            Column("events/s", ",.0f"),
            Column("us/request", ",.0f"),
            Column("times bare", ".2f"),
            Column("rounds"),
        ],
        notes=["Events are on the hail's log when a request is answered, but for `count` and the middleware's buffer."],
    )
    requests = effort.size(REQUESTS)
    batches = effort.size(BATCHES)
    with ExitStack() as stack:
        site = stack.enter_context(_site(stack.enter_context(servers.running())))
        pixel = site.get("/pixel").decode()
        token = site.get("/offer").decode()
        choice = {"pk": "shop", "decision": "banner", "options": ["a", "b", "c"], "dimensions": {"country": "US"}}
        event = {
            "pk": "shop",
            "name": "signup",
            "page": "/pricing",
            "props": {"plan": "pro"},
            "metrics": {"revenue": 9},
        }
        single = {"pk": "shop", "dimensions": {"country": "US", "page": "/"}, "metrics": {"revenue": 9.5}}
        now = time.time()
        visits = worlds.visits(BATCH, DIMENSIONS, now - 60, now)
        asked: dict[str, tuple[Request, int, int]] = {
            BARE: (("GET", "/bare", "", ""), requests, 0),
            COUNTED: (("GET", "/counted", "", ""), requests, 1),
            PIXEL: (("GET", pixel, "", ""), requests, 1),
            EVENT: (("POST", f"/hailwhale/event?key={KEY}", "text/plain", json.dumps(event)), requests, 1),
            COUNT: (("POST", f"/hailwhale/count?key={KEY}", "application/json", json.dumps(single)), requests, 1),
            DECIDED: (("POST", f"/hailwhale/decide?key={KEY}", "application/json", json.dumps(choice)), requests, 0),
            KEPT: (
                ("POST", "/hailwhale/choose", "text/plain", json.dumps({"token": token, "decision": "banner"})),
                requests,
                0,
            ),
            IN_PAGE: (("GET", "/decided", "", ""), requests, 0),
            BATCHED: (
                ("POST", f"/hailwhale/events?key={KEY}", "application/x-ndjson", "\n".join(map(json.dumps, visits))),
                batches,
                BATCH,
            ),
        }
        contestants = [
            Contestant(name, _asking(site, request, times), site.drain) for name, (request, times, _) in asked.items()
        ]
        found = race(contestants, effort)
    each = {name: timing.median / asked[name][1] for name, timing in found.items()}
    for name, timing in found.items():
        events = asked[name][2] / each[name]
        table.rows.append(
            [name, 1 / each[name], events or None, each[name] * 1e6, each[name] / each[BARE], len(timing.wall)]
        )
    return Result([table])


class Site:
    """A connection to the site that is kept open."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket = socket.create_connection((HOST, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb")

    def ask(self, request: Request) -> bytes:
        method, address, kind, body = request
        raw = body.encode()
        head = f"{method} {address} HTTP/1.1\r\nHost: {HOST}\r\nUser-Agent: Mozilla/5.0 (X11) Firefox/140.0\r\n"
        if raw:
            head += f"Content-Type: {kind}\r\nContent-Length: {len(raw)}\r\n"
        self._socket.sendall(head.encode() + b"\r\n" + raw)
        status = self._answers.readline()
        length = 0
        while (line := self._answers.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        found = self._answers.read(length)
        assert status.split()[1] in (b"200", b"202"), (address, status, found)
        return found

    def get(self, address: str) -> bytes:
        return self.ask(("GET", address, "", ""))

    def drain(self) -> None:
        self.get("/drain")

    def close(self) -> None:
        self._answers.close()
        self._socket.close()


def _asking(site: Site, request: Request, times: int) -> Callable[[], None]:
    def ask() -> None:
        for _ in range(times):
            site.ask(request)

    return ask


@contextmanager
def _site(redis: str) -> Iterator[Site]:
    """gunicorn with one worker and a few threads, which keep connections open."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}", "--workers", "1", "--threads", "2"]
    command += ["--keep-alive", "60", "--log-level", "warning", "benchmarks.http_site:application"]
    environment = os.environ | {"HAILWHALE_REDIS_URL": redis, "PYTHONPATH": os.pathsep.join(_roots())}
    with tempfile.TemporaryDirectory(prefix="hailwhale-bench-") as directory:
        server = subprocess.Popen(command, env=environment, cwd=directory)
        try:
            with closing(_connected(port, server)) as site:
                yield site
        finally:
            server.terminate()
            server.wait()


def _roots() -> Sequence[str]:
    return [str(Path(__file__).resolve().parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]


def _connected(port: int, server: subprocess.Popen[bytes]) -> Site:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return Site(port)
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
