"""The law of the drain: whatever is interrupted, by whom and however often, what is counted is what was accepted."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine import marked
from hailwhale_django.engine.errors import StoreUnavailable
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store import log as log_module
from hailwhale_django.engine.store.catalog import Limits
from hailwhale_django.engine.store.log import Log
from hailwhale_django.engine.store.server import Call, Server
from hailwhale_django.engine.store.store import Options, Store
from tests.engine.conftest import Clock
from tests.engine.oracle import Raw
from tests.engine.test_laws import FOREVER, World, agrees_in_every_row, batches, caps, examples

Connected = Callable[[str], Server]
PREFIXES = (f"once{n}" for n in itertools.count())


class Killed(BaseException):
    """A process ends here, and does nothing more."""


class Fragile(Server):
    """A server whose process dies, or whose answer is lost, at some call: before, within or after carrying it out."""

    def __init__(self, server: Server, chance: Random) -> None:
        super().__init__(server.client)
        self.chance = chance
        self.calls_left = 10**9
        self.is_dead = False

    def break_after(self, calls: int) -> None:
        self.calls_left = calls

    def run(self, calls: Sequence[Call]) -> list[Any]:
        if self.is_dead:
            raise Killed
        self.calls_left -= 1
        if self.calls_left >= 0:
            return super().run(calls)
        self.calls_left = 10**9
        done = self.chance.sample(list(calls), self.chance.randint(0, len(calls)))  # nodes answer in any order
        for call in done:
            super().run([call])
        self.is_dead = self.chance.random() < 0.5
        raise Killed if self.is_dead else StoreUnavailable("the answer was lost")


class Fleet:
    """Processes that append to one hail and drain it."""

    def __init__(self, server: Server, clock: Clock, streams: int, cap: dict[str, int], chance: Random) -> None:
        self.server = server
        self.clock = clock
        self.streams = streams
        self.chance = chance
        self.options = Options(prefix=next(PREFIXES), intervals=FOREVER, limits=Limits(**cap))
        self.healthy = self._pod(server)
        self.healthy.store.check(clock(), writing=True)
        self.drains = [self._fragile() for _ in range(2)]

    def _pod(self, server: Server) -> Pod:
        store = Store(server, self.options)
        return Pod(store, self.clock, Log(server, store.keys, self.streams))

    def _fragile(self) -> Pod:
        return self._pod(Fragile(self.server, self.chance))

    def append(self, events: list[Raw]) -> None:
        given = [event.given() for event in events]
        for at, one in enumerate(given):
            if self.chance.random() < 0.3:
                one["id"] = f"{id(events)}-{at}"
        again = [one for one in given if "id" in one and self.chance.random() < 0.5]
        assert self.healthy.acceptor.accept_many(given + again) == len(given) + len(again)

    def drain(self) -> None:
        """One of the two drains, and breaks somewhere or not. Leases end when someone dies, and at other times."""
        marked.EVENTS = self.chance.choice([1, 4, 9])  # what is read again is cut into other steps
        number = self.chance.randrange(2)
        drain = self.drains[number]
        drain.store.server.break_after(self.chance.choice([*range(20), 100]))  # type: ignore[attr-defined]
        try:
            drain.drain.run()
        except StoreUnavailable:
            pass
        except Killed:
            self.drains[number] = self._fragile()
        self._end_leases()
        if self.chance.random() < 0.2:
            self._forget_how_far()

    def finish(self) -> None:
        while self.healthy.drain.run():
            pass
        assert self.healthy.drain.run() == 0

    def _end_leases(self) -> None:
        keys = self.healthy.log.keys
        self.server.run([Call("DEL", [keys.hail(stream, "lease")]) for stream in range(self.streams)])

    def _forget_how_far(self) -> None:
        """As after a fail-over of the hail's server."""
        keys = self.healthy.log.keys
        for stream in range(self.streams):
            if not self.healthy.log.state(stream).trimmed:
                self.server.call("HDEL", [keys.hail(stream, "state")], ["entry"])


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """So that a few events take many steps."""
    monkeypatch.setattr(log_module, "LINES", 3)
    monkeypatch.setattr(marked, "ENTRIES", 2)
    monkeypatch.setattr(marked, "EVENTS", 7)
    monkeypatch.setattr(marked, "AMOUNTS", 30)
    yield


@examples(100)
@given(batches(), caps, st.integers(1, 3), st.randoms(use_true_random=False))
def test_what_is_counted_is_what_was_accepted(
    connected: Connected,
    clock: Clock,
    valkey_url: str,
    small_steps: None,
    given_batches: list[list[Raw]],
    cap: dict[str, int],
    streams: int,
    random: Random,
) -> None:
    holds(Fleet(connected(valkey_url), clock, streams, cap, random), given_batches)


@examples(20)
@given(batches(), caps, st.integers(1, 3), st.randoms(use_true_random=False))
def test_what_is_counted_is_what_was_accepted_on_a_cluster(
    connected: Connected,
    clock: Clock,
    cluster_url: str,
    small_steps: None,
    given_batches: list[list[Raw]],
    cap: dict[str, int],
    streams: int,
    random: Random,
) -> None:
    holds(Fleet(connected(cluster_url), clock, streams, cap, random), given_batches)


def holds(fleet: Fleet, given_batches: list[list[Raw]]) -> None:
    world = World([fleet.healthy])
    for batch in given_batches:
        fleet.append(batch)
        for _ in range(fleet.chance.randrange(4)):
            fleet.drain()
        world.oracle.events += batch
    for _ in range(fleet.chance.randrange(6)):
        fleet.drain()
    fleet.finish()
    world.oracle.settle()
    agrees_in_every_row(world, cap=fleet.options.limits.children)
    assert not any(fleet.healthy.drain.dead.letters(stream) for stream in range(fleet.streams))
