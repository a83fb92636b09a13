"""Dead letters: events of the hail that cannot be counted, with their bytes and the reason, until someone decides.

A letter is named by its position, the counter that refused it and the metric that was refused there (none, if the
event itself will not do), so that an event that is read again after a crash is not written down twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .keys import Keys
from .server import Call, Server, load_script

BURY = load_script("bury")

# How many each stream keeps: whoever may count must not be able to fill the server with what does not count.
MAX_LETTERS = 10_000


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

    def remove(self, letters: Iterable[Letter]) -> None:
        calls = [Call("HDEL", [self.keys.hail(letter.stream, "dead")], [letter.name]) for letter in letters]
        self.server.run(calls)


def _letter(stream: int, name: bytes, value: bytes) -> Letter:
    position, _, pk = name.decode().partition("\n")[0].partition(" ")
    head, _, line = value.partition(b"\n")
    said = json.loads(head)
    return Letter(stream, position, pk, line, said["reason"], tuple(said["metrics"]))
