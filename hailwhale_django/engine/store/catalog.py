"""Which rows each counter has, by path, and which children each of its tables.

A path keeps its row for as long as its counter lives, so a process remembers rows; `add.lua` checks what it remembers
in the same step in which it counts, so a reset or a fail-over is noticed and never miscounted.

A table takes `Limits.children` children and a counter `Limits.rows` rows; what comes later is counted in the row
`(other)` of its table, which is always to be had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..domain.paths import WHOLE, unescaped
from .conversation import Conversation
from .keys import Keys
from .server import Call, Server, load_script

ASSIGN = load_script("assign")

# Some 100 bytes each: a process remembers this many rows, then starts afresh.
REMEMBERED_ROWS = 500_000

# The same for the names of tables that were read.
REMEMBERED_NAMES = 200_000

ABSENT = -1


@dataclass(frozen=True, slots=True)
class Limits:
    """How many names may be kept, so that nobody who may count can fill the server."""

    children: int = 10_000
    rows: int = 100_000
    metrics: int = 100
    counters: int = 100_000


@dataclass(frozen=True, slots=True)
class Children:
    """The children of a table: names and row numbers, in the order in which they were first seen."""

    names: Sequence[str]
    rows: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Family:
    """The children of a table, and the rows of some other paths, `ABSENT` for those that have none."""

    children: Children
    others: tuple[int, ...]
    stored: tuple[bytes | None, bytes | None]  # what the server has of the children
    rows: NDArray[np.int64]  # of the children, then the others

    @classmethod
    def of(cls, children: Children, others: tuple[int, ...], stored: tuple[bytes | None, bytes | None]) -> Family:
        return cls(children, others, stored, np.append(children.rows.astype(np.int64), others))


class Outline(NamedTuple):
    """What a counter has: its metrics from A to Z, the children of the tables and the rows of the paths asked for."""

    metrics: list[str]
    children: list[Children]
    rows: list[int | None]


class Catalog:
    """Rows by path and children by table."""

    def __init__(self, server: Server, keys: Keys, limits: Limits) -> None:
        self.server = server
        self.keys = keys
        self.limits = limits
        self._rows: dict[str, dict[str, int]] = {}
        self._remembered = 0
        self._listed: set[str] = set()
        self._families: dict[tuple[str, str], Family] = {}
        self._remembered_names = 0

    def known(self, pk: str) -> dict[str, int]:
        """The rows that this process remembers."""
        if self._remembered > REMEMBERED_ROWS:
            self._rows.clear()
            self._remembered = 0
        return self._rows.setdefault(pk, {})

    def assign(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, int]]:
        """The row of each path, new paths given one, for each pk; `~row` of `(other)` where there is no room.

        One round trip. A path's parents must have been given their rows before.
        """
        calls = [self._assigning(pk, paths) for pk, paths in wanted.items()]
        answer = {}
        for (pk, paths), reply in zip(wanted.items(), self.server.run(calls), strict=True):
            rows = answer[pk] = dict(zip(paths, reply, strict=True))
            # Only places are remembered: a full table may have room again after a reset.
            found = {path: row for path, row in rows.items() if row >= 0}
            self.known(pk).update(found)
            self._remembered += len(found)
        return answer

    def finding(self, pk: str, paths: Sequence[str]) -> Conversation[list[int | None]]:
        """The row of each path, if it has one. One round trip."""
        if not paths:
            return []
        (replies,) = yield [Call("HMGET", [self.keys.rows(pk)], paths)]
        return [None if reply is None else int(reply) for reply in replies]

    def listing(self, pk: str, tables: Sequence[str]) -> Conversation[list[Children]]:
        """The children of each table. One round trip."""
        if not tables:
            return []
        keys = [key for table in tables for key in (self.keys.names(pk, table), self.keys.numbers(pk, table))]
        (replies,) = yield [Call("MGET", keys)]
        return [_children(names, rows) for names, rows in zip(replies[::2], replies[1::2], strict=True)]

    def finding_family(
        self, pk: str, table: str, paths: Sequence[str], also: Sequence[Call] = ()
    ) -> Conversation[tuple[Family, list[Any]]]:
        """The children of a table and the rows of some paths; behind it, the replies to further calls. One round trip.

        All that the server has is compared with what this process remembers, so that names need not be read again.
        """
        keys = [self.keys.names(pk, table), self.keys.numbers(pk, table)]
        calls = [Call("MGET", keys), Call("HMGET", [self.keys.rows(pk)], paths), *also]
        (names, numbers), rows, *replies = yield calls
        others = tuple(ABSENT if row is None else int(row) for row in rows)
        known = self._families.get((pk, table))
        if known is None or known.stored != (names, numbers):
            known = Family.of(_children(names, numbers), others, (names, numbers))
        elif known.others != others:
            known = Family.of(known.children, others, known.stored)
        self._remember(pk, table, known)
        return known, replies

    def remembered_family(self, pk: str, table: str) -> Family | None:
        """What `finding_family` said last; much may have happened since."""
        return self._families.get((pk, table))

    def _remember(self, pk: str, table: str, family: Family) -> None:
        known = self._families.get((pk, table))
        if known is family:
            return
        self._remembered_names += len(family.children.names) + 1
        if known is not None:
            self._remembered_names -= len(known.children.names) + 1
        if self._remembered_names > REMEMBERED_NAMES:
            self._families.clear()
            self._remembered_names = len(family.children.names) + 1
        self._families[pk, table] = family

    def sizing(self, pk: str, tables: Sequence[str]) -> Conversation[list[int]]:
        """How many children each path has. One round trip."""
        if not tables:
            return []
        (sizes,) = yield [Call("HMGET", [self.keys.tables(pk)], tables)]
        return [int(size or 0) for size in sizes]

    def tables(self, pk: str) -> dict[str, int]:
        """The tables that have children, and how many."""
        found = self.server.call("HGETALL", [self.keys.tables(pk)])
        return {name.decode(): int(size) for name, size in found.items() if name}

    def metrics(self, pk: str) -> list[str]:
        return _texts(self.server.call("SMEMBERS", [self.keys.metrics(pk)]))

    def counters(self, after: str = "", count: int = -1, prefix: str = "") -> list[str]:
        """Counters of one name in the order of the alphabet, from behind `after` on; those that begin with `prefix`."""
        begin = f"({after}" if after and after >= prefix else f"[{prefix}" if prefix else "-"
        # No text of UTF-8 has this byte, so what begins with the prefix ends before it.
        end = b"(" + prefix.encode() + b"\xff" if prefix else "+"
        return _texts(self.server.call("ZRANGEBYLEX", [self.keys.counters], [begin, end, "LIMIT", 0, count]))

    def finding_wholes(self, pks: Sequence[str]) -> Conversation[list[int | None]]:
        """The row of the whole of each counter, if it has one. One round trip."""
        rows = yield [Call("HGET", [self.keys.rows(pk)], [WHOLE]) for pk in pks]
        return [None if row is None else int(row) for row in rows]

    def outlining(self, pk: str, tables: Sequence[str], paths: Sequence[str]) -> Conversation[Outline]:
        """What a counter has: metrics, the children of some tables, the rows of some paths. One round trip."""
        keys = [key for table in tables for key in (self.keys.names(pk, table), self.keys.numbers(pk, table))]
        metrics, lists, rows = yield [
            Call("SMEMBERS", [self.keys.metrics(pk)]),
            Call("MGET", keys),
            Call("HMGET", [self.keys.rows(pk)], paths),
        ]
        children = [_children(names, numbers) for names, numbers in zip(lists[::2], lists[1::2], strict=True)]
        return Outline(_texts(metrics), children, [None if row is None else int(row) for row in rows])

    def list_counters(self, pks: Iterable[str]) -> set[str]:
        """Enter counters of one name into the list; returns those that found no place in it."""
        new = [pk for pk in pks if pk not in self._listed]
        if not new:
            return set()
        key = self.keys.counters
        *scores, listed = self.server.run([*(Call("ZSCORE", [key], [pk]) for pk in new), Call("ZCARD", [key])])
        unlisted = [pk for pk, score in zip(new, scores, strict=True) if score is None]
        room = max(self.limits.counters - listed, 0)
        if unlisted[:room]:
            self.server.call("ZADD", [key], [item for pk in unlisted[:room] for item in (0, pk)])
        refused = set(unlisted[room:])
        self._listed.update(pk for pk in new if pk not in refused)
        return refused

    def forget(self, pk: str) -> None:
        """Ask the server again for what concerns this pk."""
        self._rows.pop(pk, None)
        self._listed.discard(pk)

    def _assigning(self, pk: str, paths: Sequence[str]) -> Call:
        numbers: dict[str, int] = {}
        arguments: list[str | int | bytes] = [self.limits.children, self.limits.rows]
        for path in paths:
            table, name = table_and_name(path)
            number = numbers.setdefault(table, len(numbers) + 1) if table else 0
            arguments += (path, name, table, number)
        keys = [self.keys.rows(pk), self.keys.tables(pk)]
        for table in numbers:
            keys += (self.keys.names(pk, table), self.keys.numbers(pk, table))
        return Call(ASSIGN, keys, arguments)


def table_and_name(path: str) -> tuple[str, str]:
    """The table that lists a path, and the path's name there; the whole is in no table."""
    if path == WHOLE:
        return "", ""
    table, _, name = path.rpartition("/")
    return table or WHOLE, name


def child_path(table: str, name: str) -> str:
    """The inverse of `table_and_name`; `name` is escaped."""
    return name if table == WHOLE else f"{table}/{name}"


def _children(names: bytes | None, rows: bytes | None) -> Children:
    text = names.decode() if names else ""
    texts = text.split("\n")[:-1]
    return Children([*map(unescaped, texts)] if "%" in text else texts, np.frombuffer(rows or b"", dtype="<u4"))


def _texts(replies: Iterable[bytes]) -> list[str]:
    return sorted(reply.decode() for reply in replies)
