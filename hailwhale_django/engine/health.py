"""Health: how a store and its hail are now, read in a handful of round trips, and nothing written.

A store that is away is not an exception here but what is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .errors import InvalidConfiguration, StoreUnavailable
from .store import room
from .store.log import Log, Watched
from .store.room import Room
from .store.store import Store
from .store.vitals import Vitals, vitals

# The rate is that since the oldest sample within this time.
RATE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """One stream of the hail. Totals are those since it began.

    `entries` are those in the log, counted ones that are kept for a while among them, of at most `limit`; `waiting`
    the events that are not counted yet, `lag_seconds` how long the oldest of them has been waiting, by the clock of the
    server. `refused` is how often an append was refused since the log was full, `unwritten` how many letters had no
    room. `drained_at` is when something was last counted (seconds since the epoch, 0: never), `drained_by` by whom.
    """

    stream: int
    entries: int
    limit: int
    waiting: int
    lag_seconds: float
    accepted: int
    counted: int
    per_second: float
    drained_at: int
    drained_by: str
    letters: int
    unwritten: int
    refused: int


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """A primary of the servers that hold the `holds` ("counters", "hail" or "counters and hail")."""

    holds: str
    vitals: Vitals


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """One store. What could not be read is empty: `away` says why nothing answers, `mismatch` which setting is wrong.

    `dropped` are the events that processes had to drop before they reached the hail.
    """

    store: str
    away: str = ""
    mismatch: str = ""
    streams: tuple[StreamHealth, ...] = ()
    servers: tuple[ServerHealth, ...] = ()
    room: Room = Room([], 0, 0)
    dropped: int = 0


def examine(name: str, store: Store, log: Log, now: float) -> StoreHealth:
    """How a store is."""
    try:
        mismatch = _mismatch(store, now)
        streams = log.streams()
        watched = zip(streams, log.watch(streams), strict=True)
        return StoreHealth(
            store=name,
            mismatch=mismatch,
            streams=tuple(_stream(stream, seen, log.limit) for stream, seen in watched),
            servers=servers(store, log),
            room=room.look(store.catalog),
            dropped=log.dropped(),
        )
    except StoreUnavailable as error:
        return StoreHealth(name, away=str(error))


def servers(store: Store, log: Log) -> tuple[ServerHealth, ...]:
    """The primaries behind a store. Raises `StoreUnavailable`."""
    if store.server is log.server:
        return tuple(ServerHealth("counters and hail", one) for one in vitals(store.server))
    of_counters = (ServerHealth("counters", one) for one in vitals(store.server))
    return (*of_counters, *(ServerHealth("hail", one) for one in vitals(log.server)))


def _mismatch(store: Store, now: float) -> str:
    try:
        store.check(now, writing=False)
    except InvalidConfiguration as error:
        return str(error)
    return ""


def _stream(stream: int, seen: Watched, limit: int) -> StreamHealth:
    state = seen.state
    accepted, counted = int(state.get("accepted", 0)), int(state.get("counted", 0))
    waited = seen.now - int(seen.waiting.partition("-")[0]) / 1000 if seen.waiting else 0.0
    return StreamHealth(
        stream=stream,
        entries=seen.entries,
        limit=limit,
        # Lines that are no events are accepted and never counted: the numbers drift apart by these.
        waiting=max(accepted - counted, 1) if seen.waiting else 0,
        lag_seconds=max(waited, 0.0),
        accepted=accepted,
        counted=counted,
        per_second=per_second(state, counted, seen.now),
        drained_at=int(state.get("at", 0)),
        drained_by=state.get("holder", ""),
        letters=seen.letters,
        unwritten=int(state.get("unwritten", 0)),
        refused=int(state.get("full", 0)),
    )


def per_second(state: Mapping[str, str], counted: int, now: float) -> float:
    """Events that were counted each second since the oldest sample of the last minutes."""
    samples = (value.split() for field, value in state.items() if field.startswith("minute"))
    recent = [(int(at), int(total)) for at, total in samples if int(at) > now - RATE_SECONDS]
    if not recent:
        return 0.0
    began, total = min(recent)
    return (counted - total) / max(now - began, 1.0)
