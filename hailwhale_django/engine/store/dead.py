"""Dead letters: events of the hail that cannot be counted, with their bytes and the reason, until someone decides.

A letter is named by its position, the counter that refused it and the metric that was refused there (none, if the
event itself will not do), so that an event that is read again after a crash is not written down twice.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..errors import HailFull
from .keys import Keys
from .server import Call, Server, load_script

BURY = load_script("bury")
REVIVE = load_script("revive")

# How many each stream keeps: whoever may count must not be able to fill the server with what does not count.
MAX_LETTERS = 10_000

ID_BYTES = 6


class Letter(NamedTuple):
    """`line` is what was in the hail, `metrics` those of them that were refused, `pk` the counter that refused ("")."""

    stream: int
    position: str
    pk: str
    line: bytes
    reason: str
    metrics: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return "\n".join((f"{self.position} {self.pk}", *self.metrics))

    @property
    def id(self) -> str:
        """A short name, for commands and forms."""
        return _id(self.stream, self.name.encode())


class DeadLetters:
    """The dead letters of each stream."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self.server = server
        self.keys = keys

    def add(self, letters: Sequence[Letter]) -> None:
        """Write letters down; of those that find no room only the number is."""
        by_stream: dict[int, list[str | int | bytes]] = {}
        for letter in letters:
            head = json.dumps({"reason": letter.reason, "metrics": letter.metrics})
            by_stream.setdefault(letter.stream, [MAX_LETTERS]).extend(
                (letter.name, head.encode() + b"\n" + letter.line)
            )
        self.server.run(
            [
                Call(BURY, [self.keys.hail(stream, "dead"), self.keys.hail(stream, "state")], arguments)
                for stream, arguments in by_stream.items()
            ]
        )

    def count(self, stream: int) -> int:
        return int(self.server.call("HLEN", [self.keys.hail(stream, "dead")]))

    def letters(self, stream: int) -> list[Letter]:
        """All letters of a stream, oldest first."""
        found = self.server.call("HGETALL", [self.keys.hail(stream, "dead")])
        return sorted(_letter(stream, name, value) for name, value in found.items())

    def newest(self, streams: Iterable[int], begin: int, count: int) -> tuple[list[Letter], int]:
        """Some letters of several streams, newest first, from the `begin`th on; and how many there are in all."""
        names = sorted(((name, stream) for stream, some in self._names(streams).items() for name in some), reverse=True)
        return self._read(names[begin : begin + count]), len(names)

    def find(self, streams: Iterable[int], ids: Collection[str]) -> list[Letter]:
        """The letters of these ids that there are, oldest first."""
        by_stream = self._names(streams).items()
        return self._read(sorted((name, on) for on, names in by_stream for name in names if _id(on, name) in ids))

    def remove(self, letters: Iterable[Letter]) -> int:
        """Forget letters; returns how many there were."""
        calls = [Call("HDEL", [self.keys.hail(letter.stream, "dead")], [letter.name]) for letter in letters]
        return sum(self.server.run(calls))

    def revive(self, letter: Letter, limit: int) -> bool:
        """Move a letter's line to the end of its stream, in one step; False if the letter is gone.

        Raises `HailFull` when the stream has as many entries as it may have.
        """
        keys = [self.keys.hail(letter.stream, what) for what in ("dead", "log", "state")]
        moved = self.server.call(REVIVE, keys, [letter.name, letter.line, limit, secrets.token_hex(4)])
        if moved < 0:
            raise HailFull(1, limit)
        return bool(moved)

    def _names(self, streams: Iterable[int]) -> Mapping[int, list[bytes]]:
        listed = list(streams)
        found = self.server.run([Call("HKEYS", [self.keys.hail(stream, "dead")]) for stream in listed])
        return dict(zip(listed, found, strict=True))

    def _read(self, names: Sequence[tuple[bytes, int]]) -> list[Letter]:
        calls = [Call("HGET", [self.keys.hail(stream, "dead")], [name]) for name, stream in names]
        values = zip(names, self.server.run(calls), strict=True)
        return [_letter(stream, name, value) for (name, stream), value in values if value is not None]


def _id(stream: int, name: bytes) -> str:
    return f"{stream}-{hashlib.blake2b(name, digest_size=ID_BYTES).hexdigest()}"


def _letter(stream: int, name: bytes, value: bytes) -> Letter:
    position, _, pk = name.decode().partition("\n")[0].partition(" ")
    head, _, line = value.partition(b"\n")
    said = json.loads(head)
    return Letter(stream, position, pk, line, said["reason"], tuple(said["metrics"]))
