"""The hail's log: events that are accepted, in one or more streams, until they are counted and a while longer.

A counter and all its child counters belong to one stream. An entry of a stream holds one or more events, a line each;
the *position* of an event is the entry's id and the line's number in it, written so that positions are ordered as
texts. Appending is one step: an entry is there, and will be counted, or the caller is told that it is not.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

from ..domain.event import Event
from ..domain.line import write_line
from ..domain.plan import DAY_SECONDS
from ..errors import HailFull
from .keys import Keys
from .server import Call, Server, load_script

APPEND = load_script("append")
ADVANCE = load_script("advance")
RELEASE = load_script("release")
WATCH = load_script("watch")

DEFAULT_LIMIT = 250_000

# Lines of an entry: what one drain reads at a time must not come in too large pieces.
LINES = 64

LINE_DIGITS = 6

# The same in bytes, which only a single long line exceeds.
ENTRY_BYTES = 65_536

# Events stay for so long after they are counted: what a fail-over of a counter's server loses is counted again from
# them. They go together, so they stay for up to twice that.
KEPT_SECONDS = 60

LEASE_SECONDS = 5

# The version of what is in an entry is the name of its only field.
VERSION = b"1"


class Entry(NamedTuple):
    """One entry of a stream; `lines` is `None` if it is of no version that is known."""

    id: str
    lines: list[bytes] | None
    raw: bytes


class State(NamedTuple):
    """What a stream knows of its drain; `name` is another one whenever the stream begins anew."""

    name: str
    entry: str
    holder: str
    servers: str
    trimmed: str


class Watched(NamedTuple):
    """A stream as it is at `now`, by its server's clock. `waiting` is the first entry that is not counted ("": none).

    `state` has the numbers of `State`, how many events were `accepted` and `counted`, when, and how often it was full.
    """

    now: float
    entries: int
    waiting: str
    letters: int
    state: Mapping[str, str]


def position(entry: str, line: int = 0) -> str:
    """Where in a stream a line is."""
    milliseconds, _, number = entry.partition("-")
    return f"{int(milliseconds):014d}{int(number):010d}{line:0{LINE_DIGITS}d}"


def entry_of(position: str) -> str:
    """The entry that a position is in."""
    return f"{int(position[:14])}-{int(position[14:24])}"


def entry_before(entry: str) -> str:
    """The last id that comes before an entry's."""
    milliseconds, _, number = entry.partition("-")
    if int(number):
        return f"{milliseconds}-{int(number) - 1}"
    return f"{max(int(milliseconds) - 1, 0)}-{2**64 - 1 if int(milliseconds) else 0}"


class Log:
    """The streams of the hail. `limit` is how many entries each may have, `streams` how many are appended to."""

    def __init__(self, server: Server, keys: Keys, streams: int = 1, limit: int = DEFAULT_LIMIT) -> None:
        self.server = server
        self.keys = keys
        self.size = streams
        self.limit = limit
        self._listed = False

    def append(self, events: Sequence[tuple[Event, str]], now: float) -> int:
        """Append events, each with an id or ""; returns how many were left out since they were appended before.

        Raises `HailFull` when a stream has no room; then nothing is appended to that stream.
        """
        self._list()
        by_stream: dict[int, list[tuple[Event, str]]] = defaultdict(list)
        for event, known_as in events:
            by_stream[self.stream_of(event)].append((event, known_as))
        calls = [self._appending(stream, some, now) for stream, some in by_stream.items()]
        replies = self.server.run(calls)
        full = [stream for stream, reply in zip(by_stream, replies, strict=True) if reply < 0]
        if full:
            raise HailFull(sum(len(by_stream[stream]) for stream in full), self.limit)
        return sum(replies)

    def stream_of(self, event: Event) -> int:
        """The stream to which an event's counter belongs."""
        return crc32(event.pk[0].encode()) % self.size

    def streams(self) -> list[int]:
        """All streams that are or ever were appended to. One round trip."""
        return sorted({*range(self.size), *map(int, self.server.call("SMEMBERS", [self.keys.streams]))})

    def state(self, stream: int) -> State:
        replies = self.server.call("HMGET", [self.keys.hail(stream, "state")], State._fields)
        return State(*("" if reply is None else reply.decode() for reply in replies))

    def read(self, stream: int, name: str, after: str, until: str, count: int) -> list[Entry]:
        """The entries behind one ("": from the first on) up to another ("": to the last), oldest first.

        There are none in a stream that has another name by now: marks in its former name say nothing about them.
        """
        begin = f"({after}" if after else "-"
        found, named = self.server.run(
            [
                Call("XRANGE", [self.keys.hail(stream, "log")], [begin, until or "+", "COUNT", count]),
                Call("HGET", [self.keys.hail(stream, "state")], ["name"]),
            ]
        )
        if named is None or named.decode() != name:
            return []
        return [_entry(entry, fields) for entry, fields in found]

    def latest(self, stream: int, count: int) -> list[Entry]:
        """The last entries of a stream, newest first."""
        found = self.server.call("XREVRANGE", [self.keys.hail(stream, "log")], ["+", "-", "COUNT", count])
        return [_entry(name, fields) for name, fields in found]

    def watch(self, streams: Sequence[int]) -> list[Watched]:
        """How each stream is. One round trip."""
        calls = [Call(WATCH, [self.keys.hail(one, what) for what in ("log", "state", "dead")]) for one in streams]
        return [_watched(*reply) for reply in self.server.run(calls)]

    def marks(self, stream: int) -> dict[str, str]:
        """Up to which position the drain has counted, by counter."""
        found = self.server.call("HGETALL", [self.keys.hail(stream, "marks")])
        return {pk.decode(): mark.decode() for pk, mark in found.items()}

    def lease(self, stream: int, holder: str) -> bool:
        """Whether the holder may drain a stream now: the others then need not read it, too."""
        arguments = (holder, "NX", "EX", LEASE_SECONDS)
        return bool(self.server.call("SET", [self.keys.hail(stream, "lease")], arguments))

    def renew(self, stream: int) -> None:
        self.server.call("EXPIRE", [self.keys.hail(stream, "lease")], [LEASE_SECONDS])

    def release(self, stream: int, holder: str) -> None:
        self.server.call(RELEASE, [self.keys.hail(stream, "lease")], [holder])

    def advance(
        self,
        stream: int,
        name: str,
        holder: str,
        entry: str,
        servers: str,
        events: int,
        marks: Mapping[str, str],
        forgotten: Sequence[str],
        before: str,
    ) -> str | None:
        """Write down that everything up to an entry is counted; returns before which entry the log is trimmed.

        `None`, and nothing is written, if the stream has another name by now. Of the forgotten marks only those go
        that are before a position.
        """
        arguments: list[str | int | bytes] = [name, holder, entry, servers, events, KEPT_SECONDS, self.limit]
        arguments += (before, len(forgotten), *forgotten)
        for pk, mark in marks.items():
            arguments += (pk, mark)
        keys = [self.keys.hail(stream, what) for what in ("log", "state", "marks")]
        trimmed: bytes | None = self.server.call(ADVANCE, keys, arguments)
        return None if trimmed is None else trimmed.decode()

    def note_dropped(self, events: int) -> None:
        """Note events that were dropped before they could be appended."""
        self.server.call("INCRBY", [self.keys.dropped], [events])

    def dropped(self) -> int:
        return int(self.server.call("GET", [self.keys.dropped]) or 0)

    def _list(self) -> None:
        """Enter the streams that are appended to into the list of those that are drained."""
        if not self._listed:
            self.server.call("SADD", [self.keys.streams], list(range(self.size)))
            self._listed = True

    def _appending(self, stream: int, events: Sequence[tuple[Event, str]], now: float) -> Call:
        day = int(now // DAY_SECONDS)
        keys = [self.keys.hail(stream, what) for what in ("log", "state")]
        if any(known_as for _, known_as in events):
            keys += [self.keys.hail(stream, f"ids:{one}") for one in (day, day - 1, day + 1)]
        arguments: list[str | int | bytes] = [self.limit, secrets.token_hex(4), (day + 2) * DAY_SECONDS]
        for known_as, lines in _entries(events):
            arguments += (known_as, len(lines), "\n".join(lines))
        return Call(APPEND, keys, arguments)


def _entries(events: Sequence[tuple[Event, str]]) -> Iterator[tuple[str, list[str]]]:
    """Ids and lines: an event with an id by itself, the others together."""
    yield from (("", lines) for lines in _together(write_line(event) for event, known_as in events if not known_as))
    for event, known_as in events:
        if known_as:
            yield _digest(event, known_as), [write_line(event)]


def _together(lines: Iterable[str]) -> Iterator[list[str]]:
    """Lines by entry."""
    some: list[str] = []
    size = 0
    for line in lines:
        if some and (len(some) == LINES or size + len(line) > ENTRY_BYTES):
            yield some
            some, size = [], 0
        some.append(line)
        size += len(line)
    if some:
        yield some


def _digest(event: Event, known_as: str) -> str:
    """An id within its counter, as short as ids may be many."""
    return hashlib.blake2b(f"{event.pk}\n{known_as}".encode(), digest_size=12).hexdigest()


def _entry(name: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    lines = fields.get(VERSION)
    raw = lines if lines is not None else repr(fields).encode()
    return Entry(name.decode(), None if lines is None else lines.split(b"\n"), raw)


def _watched(
    seconds: bytes, microseconds: bytes, entries: int, waiting: bytes, letters: int, state: list[bytes]
) -> Watched:
    told = [one.decode() for one in state]
    now = int(seconds) + int(microseconds) / 1_000_000
    return Watched(now, entries, waiting.decode(), letters, dict(zip(told[::2], told[1::2], strict=True)))
