"""What is wrong with a store's health, and what to do: pure rules over `StoreHealth`, with their thresholds.

error    events are lost or not counted, or will be in the ordinary course of things
warning  it will come to that if nobody acts, or a crash would lose events
note     worth knowing; nothing is to be done now

docs/health.md tells what each problem means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .health import ServerHealth, StoreHealth, StreamHealth
from .store.room import Crowded

ERROR, WARNING, NOTE = LEVELS = "error", "warning", "note"

# A drain comes every second or two. Ten seconds late it has trouble, a minute late there is probably none.
LAG_WARNING_SECONDS = 10.0
LAG_ERROR_SECONDS = 60.0
# A long log is trimmed from a half on, so what is beyond is waiting.
FULL_WARNING_SHARE = 0.6
FULL_ERROR_SHARE = 0.9
MEMORY_WARNING_SHARE = 0.8
MEMORY_ERROR_SHARE = 0.95
OLDEST_REDIS = (6, 2)

NO_EVICTION = "noeviction"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong. `store` is whose, "" that of this process."""

    level: str
    id: str
    store: str
    message: str
    hint: str


Found = Iterator[tuple[str, str, str, str]]
"""Level, id, message, hint."""


def problems(health: StoreHealth) -> list[Problem]:
    """What is wrong with a store, the worst first."""
    return ordered(Problem(level, id, health.store, text, hint) for level, id, text, hint in _of_store(health))


def server_problems(store: str, servers: Iterable[ServerHealth]) -> list[Problem]:
    """What is wrong with how servers are set up."""
    found = (one for server in servers for one in (*_eviction(server), *_persistence(server), *_version(server)))
    return [Problem(level, id, store, text, hint) for level, id, text, hint in found]


def ordered(found: Iterable[Problem]) -> list[Problem]:
    return sorted(found, key=lambda problem: LEVELS.index(problem.level))


def _of_store(health: StoreHealth) -> Found:
    if health.away:
        yield (
            ERROR,
            "hailwhale.H001",
            health.away[0].upper() + health.away[1:],
            "Start the server, or mend its address in HAILWHALE. Events wait in the processes until it is back.",
        )
        return
    if health.mismatch:
        yield ERROR, "hailwhale.H002", health.mismatch, "Nothing is counted until the setting is what it was."
    for server in health.servers:
        for rule in (_eviction, _persistence, _version, _disk, _memory, _cluster):
            yield from rule(server)
    for stream in health.streams:
        for of_stream in (_lag, _fullness, _letters):
            yield from of_stream(stream)
    if health.dropped:
        message = f"{_many(health.dropped, 'event')} dropped so far, before reaching the hail."
        yield NOTE, "hailwhale.H033", message, "Processes drop events when BUFFER_EVENTS wait and the store is away."
    for crowded in health.room.crowded:
        yield from _crowded(crowded)


def _eviction(server: ServerHealth) -> Found:
    vitals = server.vitals
    if vitals.policy and vitals.policy != NO_EVICTION:
        message = f"{_name(server)} throws counts away when its memory is full (maxmemory-policy {vitals.policy})."
        if not vitals.limit_bytes:
            message = f"{_name(server)} has no memory limit; with one it would throw counts away ({vitals.policy})."
        hint = "Set maxmemory-policy noeviction; use another server or database for caches."
        yield ERROR if vitals.limit_bytes else WARNING, "hailwhale.H010", message, hint
    if vitals.evicted_keys:
        message = f"{_name(server)} has evicted {_many(vitals.evicted_keys, 'key')} since it was started."
        yield WARNING, "hailwhale.H011", message, "Some of them may have been counts. What is evicted is gone."


def _persistence(server: ServerHealth) -> Found:
    vitals = server.vitals
    if vitals.is_appending:
        return
    if vitals.snapshots:
        message = f"{_name(server)} writes snapshots only: a crash loses what came since the last."
        yield WARNING, "hailwhale.H013", message, "Set appendonly yes."
    elif vitals.snapshots is None:
        message = f"{_name(server)} keeps no append-only file, and does not tell whether it writes snapshots."
        yield WARNING, "hailwhale.H013", message, "Set appendonly yes, where that can be chosen."
    elif vitals.replicas:
        message = f"{_name(server)} writes nothing to disk; there is a copy only in its replicas."
        yield WARNING, "hailwhale.H012", message, "Set appendonly yes."
    else:
        message = f"{_name(server)} writes nothing to disk and has no replica: a restart loses all counts."
        yield ERROR, "hailwhale.H012", message, "Set appendonly yes."


def _version(server: ServerHealth) -> Found:
    vitals = server.vitals
    numbers = tuple(int(part) for part in vitals.version.split(".")[:2] if part.isdigit())
    if vitals.product == "Redis" and len(numbers) == 2 and numbers < OLDEST_REDIS:
        message = f"{_name(server)} is Redis {vitals.version}; hailwhale needs 6.2 or newer."
        yield ERROR, "hailwhale.H014", message, "Install a newer Redis, or Valkey."


def _disk(server: ServerHealth) -> Found:
    if server.vitals.failed:
        message = f"{_name(server)} could not write {server.vitals.failed} to disk."
        yield ERROR, "hailwhale.H015", message, "See its log; often the disk is full. It may refuse to count meanwhile."


def _memory(server: ServerHealth) -> Found:
    used, limit = server.vitals.used_bytes, server.vitals.limit_bytes
    if limit and used >= limit * MEMORY_WARNING_SHARE:
        level = ERROR if used >= limit * MEMORY_ERROR_SHARE else WARNING
        message = f"{_name(server)} uses {used / limit:.0%} of the memory that it may use."
        yield level, "hailwhale.H016", message, "Raise maxmemory, keep intervals for a shorter time, or reset counters."


def _cluster(server: ServerHealth) -> Found:
    if server.vitals.cluster not in ("", "ok"):
        message = f"{_name(server)} says that its cluster is {server.vitals.cluster!r}: some slots are not served."
        yield ERROR, "hailwhale.H017", message, "See CLUSTER INFO and CLUSTER NODES."


def _lag(stream: StreamHealth) -> Found:
    if stream.lag_seconds < LAG_WARNING_SECONDS:
        return
    level = ERROR if stream.lag_seconds >= LAG_ERROR_SECONDS else WARNING
    last = "nothing was ever counted" if not stream.drained_at else "that is longer than a drain takes"
    message = f"Stream {stream.stream} has events that have been waiting for {stream.lag_seconds:,.0f} s; {last}."
    yield level, "hailwhale.H020", message, "Is Celery's beat running with a worker, or manage.py hailwhale_drain?"


def _fullness(stream: StreamHealth) -> Found:
    share = stream.entries / stream.limit
    if share >= FULL_WARNING_SHARE:
        level = ERROR if share >= FULL_ERROR_SHARE else WARNING
        message = f"Stream {stream.stream} has {stream.entries:,} of {stream.limit:,} entries; full, it takes no more."
        yield level, "hailwhale.H021", message, "Drain faster (another worker, more HAIL_STREAMS), or raise HAIL_LIMIT."
    if stream.refused:
        message = f"Stream {stream.stream} was full {_many(stream.refused, 'time')} so far, and took nothing."
        yield NOTE, "hailwhale.H022", message, "Those who wrote were told, and may have tried again."


def _letters(stream: StreamHealth) -> Found:
    if stream.letters:
        message = f"Stream {stream.stream} has {_many(stream.letters, 'dead letter')}: what could not be counted."
        hint = "Look at their reasons, mend the cause, and count them again or discard them: manage.py hailwhale_dead."
        yield WARNING, "hailwhale.H030", message, hint
    if stream.unwritten:
        message = f"Stream {stream.stream} had no room for {_many(stream.unwritten, 'dead letter')}: they are lost."
        yield NOTE, "hailwhale.H031", message, "Each stream keeps 10,000. Count or discard those that are there."


def _crowded(crowded: Crowded) -> Found:
    size = f"{crowded.size:,} of {crowded.limit:,}"
    setting = f"MAX_{crowded.what.upper()}"
    if crowded.what == "counters":
        message, beyond = f"There are {size} counters.", "Events of further counters are refused."
    elif crowded.what == "metrics":
        message, beyond = f"{crowded.pk} has {size} metrics.", "Further metrics are refused."
    elif crowded.what == "rows":
        message, beyond = f"{crowded.pk} has {size} rows.", "Further children are counted as (other)."
    else:
        table = {"_": "The dimensions", "/pks": "The child counters"}.get(crowded.table, crowded.table)
        message = f"{table} of {crowded.pk}: {size} children."
        beyond = "Further children are counted as (other)."
    yield WARNING, "hailwhale.H040", message, f"{beyond} Raise {setting}, or count by something with fewer values."


def _name(server: ServerHealth) -> str:
    node = f" {server.vitals.node}" if server.vitals.node else ""
    return f"The server{node} of the {server.holds}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
