"""Values by key that several writers change at once: each is replaced only if it is still what was read.

Keys are the writers' own, without a prefix; bytes of them that are no UTF-8 are surrogates. Each call is one round trip
to each node. A call that fails may have been carried out in part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from .server import Call, Server, load_script

LOOK = load_script("look")
SWAP = load_script("swap")


class Found(NamedTuple):
    """What is under a key: its kind, as Redis calls it (`none`, `string`, `list`...), and a string's value."""

    kind: str
    value: bytes | None


class Swap(NamedTuple):
    """A value to write if what is there is still `before`; `None` is nothing."""

    key: str
    before: bytes | None
    after: bytes


class Shelf:
    def __init__(self, server: Server) -> None:
        self.server = server

    def look(self, keys: Sequence[str]) -> list[Found]:
        """What is under each key. Raises `StoreUnavailable`."""
        replies = self.server.run([Call(LOOK, [_raw(key)]) for key in keys])
        return [Found(kind.decode(), value[0] if value else None) for kind, *value in replies]

    def swap(self, swaps: Sequence[Swap]) -> list[bool]:
        """Whether each was written: false where somebody else was faster. Raises `StoreUnavailable`."""
        calls = [Call(SWAP, [_raw(swap.key)], [_digest(swap.before), swap.after]) for swap in swaps]
        return [reply == 1 for reply in self.server.run(calls)] if calls else []


def _raw(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")


def _digest(value: bytes | None) -> str:
    return "" if value is None else hashlib.sha1(value, usedforsecurity=False).hexdigest()
