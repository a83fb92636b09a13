"""`health()`: how every store is, and this process's buffer; what is wrong; and the same as JSON.

Asks each server a few questions, and the database two, and writes nothing. See docs/health.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from . import buffer, connection
from .alerts.overdue import overdue
from .conf import DEFAULT_STORE, stores
from .engine import health as engine
from .engine.errors import HailWhaleError
from .engine.health import ServerHealth, StoreHealth
from .engine.problems import ERROR, WARNING, Problem, ordered, problems


@dataclass(frozen=True, slots=True)
class Health:
    """How hailwhale is: its stores, the events that wait in this process, and what is wrong, the worst first."""

    stores: tuple[StoreHealth, ...]
    buffer: buffer.Statistics
    problems: tuple[Problem, ...]

    @property
    def is_well(self) -> bool:
        """Whether no problem is an error."""
        return all(problem.level != ERROR for problem in self.problems)

    def to_wire(self) -> dict[str, Any]:
        return {
            "well": self.is_well,
            "problems": [asdict(problem) for problem in self.problems],
            "stores": [_store_to_wire(store) for store in self.stores],
            "buffer": asdict(self.buffer),
        }


def health(names: Sequence[str] = ()) -> Health:
    """How the named stores are, or all. Of problems, SILENCED_SYSTEM_CHECKS names those that are not to be told."""
    chosen = names or stores()
    found = tuple(_examine(name) for name in chosen)
    waiting = buffer.statistics()
    told = [*(problem for one in found for problem in problems(one)), *_of_buffer(waiting), *overdue(chosen)]
    silenced = settings.SILENCED_SYSTEM_CHECKS
    return Health(found, waiting, tuple(ordered(one for one in told if one.id not in silenced)))


def _examine(name: str) -> StoreHealth:
    try:
        pod = connection.pod(name)
    except (HailWhaleError, ImproperlyConfigured) as error:  # a cluster is asked for its nodes at once
        return StoreHealth(name, away=str(error))
    return engine.examine(name, pod.store, pod.log, pod.clock())


def _of_buffer(waiting: buffer.Statistics) -> list[Problem]:
    if waiting.last_error is None:
        return []
    message = f"{waiting.buffered:,} events wait in this process, which cannot write them: {waiting.last_error}"
    hint = "They are tried again; beyond BUFFER_EVENTS they are dropped."
    return [Problem(WARNING, "hailwhale.H032", DEFAULT_STORE, message, hint)]


def _store_to_wire(store: StoreHealth) -> dict[str, Any]:
    return {
        "store": store.store,
        "away": store.away or None,
        "streams": [asdict(stream) for stream in store.streams],
        "servers": [_server_to_wire(server) for server in store.servers],
        "counters": store.room.counters,
        "crowded": [one._asdict() for one in store.room.crowded],
        "dropped": store.dropped,
    }


def _server_to_wire(server: ServerHealth) -> dict[str, Any]:
    return {"holds": server.holds, **server.vitals._asdict()}
