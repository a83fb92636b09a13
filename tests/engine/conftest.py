"""Pods on real servers, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import settings

from hailwhale_django.engine.domain.event import Places
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store.catalog import Limits
from hailwhale_django.engine.store.server import Call, Server, connect
from hailwhale_django.engine.store.store import Options, Store

# The same examples every time, however long each of them takes on a busy machine.
settings.register_profile("hailwhale", deadline=None, derandomize=True)
settings.load_profile("hailwhale")

# A Saturday so far ahead that no server's own clock lets anything expire while these tests are of use.
NOW = datetime(2099, 11, 21, 23, 42, tzinfo=UTC)


class Clock:
    """Says what time it is; tests set `at`."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at.timestamp()

    def __call__(self) -> float:
        return self.at

    def set(self, at: datetime) -> None:
        self.at = at.timestamp()


Pods = Callable[..., Pod]


class Watched(Server):
    """Counts how often it waits for the store."""

    trips = 0

    def run(self, calls: Sequence[Call]) -> list[Any]:
        self.trips += bool(calls)
        return super().run(calls)


def trips(pod: Pod, ask: Callable[[], object]) -> int:
    """How often a watched pod waits for the store."""
    server = pod.store.server
    assert isinstance(server, Watched)
    before = server.trips
    ask()
    return server.trips - before


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connected() -> Iterator[Callable[[str], Server]]:
    """Connects to a URL, until the test ends."""
    with ExitStack() as stack:

        def made(url: str) -> Server:
            server = connect(url)
            stack.callback(server.close)
            return server

        yield made


@pytest.fixture
def pods(connected: Callable[[str], Server], clock: Clock) -> Pods:
    """Makes pods that share nothing but the server, as processes do: `pods(url, zone="Asia/Kolkata", children=5)`."""

    def made(url: str, *, places: Places | None = None, **options: Any) -> Pod:
        limits = {name: options.pop(name) for name in ("children", "rows", "metrics", "counters") if name in options}
        if places is not None:
            options["places"] = places
        return Pod(Store(connected(url), Options(limits=Limits(**limits), **options)), clock)

    return made


@pytest.fixture
def watching(connected: Callable[[str], Server], clock: Clock) -> Pods:
    """Makes pods whose round trips can be counted with `trips`."""

    def made(url: str, **options: Any) -> Pod:
        return Pod(Store(Watched(connected(url).client), Options(**options)), clock)

    return made


@pytest.fixture
def pod(pods: Pods, redis_url: str) -> Pod:
    """A pod on an empty standalone server."""
    return pods(redis_url)


@pytest.fixture
def any_pod(pods: Pods, any_redis_url: str) -> Pod:
    """A pod on each kind of server in turn."""
    return pods(any_redis_url)
