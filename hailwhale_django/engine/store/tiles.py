"""Tiles: where the counts are.

A tile holds up to 1,024 cells of one counter and one metric at one interval; a cell is one row in one bucket, a signed
64-bit whole number of units. The first 64 rows of a counter share tiles of 64 rows x 16 consecutive buckets, so a small
counter has few keys and a plot reads neighbouring cells; further rows lie in pages of 1,024 rows x 1 bucket, so a
ranking of many rows reads only the buckets it was asked for.

A tile begins as a hash of the cells that are set (some 10 bytes each) and is packed into a string (8 bytes a cell)
when it fills: `lua/add.lua` decides. An increment costs the same in either form; nothing is ever read to be written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domain.plan import Column, Schedule
from ..domain.timeline import Interval
from .keys import Keys
from .selection import Selection, sign_bytes
from .server import Call, Server, load_script

HEAD_ROWS = 64
SPAN = 16
PAGE_ROWS = HEAD_ROWS * SPAN

# Keys of one call to read.lua: what a server answers well within a few milliseconds.
READ_TILES = 4096

# Of some 300 bytes each.
REMEMBERED_SLOTS = 4096

READ = load_script("read")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read of one counter: for each metric, point and row the sum of the point's columns."""

    metrics: Sequence[str]
    points: Sequence[Sequence[Column]]
    rows: NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one column's cells are."""

    head: str  # the key but for its metric, for the first rows
    tail: str  # the key but for page and metric, for all other rows
    offset: int  # of the bucket in its span
    lasting: str  # when its tiles expire, and the span, as `add.lua` takes them

    def key(self, page: int, metric: str) -> str:
        return f"{self.tail}{page}:{metric}" if page else self.head + metric

    def place(self, row: int, metric: str) -> tuple[str, int]:
        """The key and the cell of a row."""
        if row < HEAD_ROWS:
            return self.key(0, metric), row * SPAN + self.offset
        page, cell = divmod(row - HEAD_ROWS, PAGE_ROWS)
        return self.key(page + 1, metric), cell


class Tiles:
    """Where cells are, and what they sum up to."""

    def __init__(self, server: Server, keys: Keys, schedule: Schedule) -> None:
        self.server = server
        self.keys = keys
        self.schedule = schedule
        self._slots: dict[tuple[str, Column], Slot] = {}

    def sums(self, pk: str, wanted: Sequence[Wanted]) -> list[NDArray[Any]]:
        """For each wanted an array [metric, point, row] of units.

        One round trip, two where whole tiles are still hashes. Whole numbers of 64 bits, or of any size (dtype
        `object`) where a cell is so large that sums could leave 64 bits.
        """
        pieces = [(number, piece) for number, want in enumerate(wanted) for piece in self._pieces(pk, want)]
        return _added_up(wanted, pieces, self._replies([piece for _, piece in pieces]))

    def sums_of_each(self, wanted: Sequence[tuple[str, Wanted]]) -> list[NDArray[Any]]:
        """As `sums`, of one want each of several counters. One round trip, good for few rows of each."""
        pieces = [list(self._pieces(pk, want)) for pk, want in wanted]
        replies = self.server.run([_reading(of_one) for of_one in pieces if of_one])
        flat = [reply for of_one in replies for reply in of_one]
        numbered = [(number, piece) for number, of_one in enumerate(pieces) for piece in of_one]
        return _added_up([want for _, want in wanted], numbered, flat)

    def slot(self, pk: str, column: Column) -> Slot:
        """Where a column's cells are; of the columns being written now each is worked out once."""
        slot = self._slots.get((pk, column))
        if slot is None:
            if len(self._slots) >= REMEMBERED_SLOTS:
                self._slots.clear()
            slot = self._slots[pk, column] = self._slot(pk, column)
        return slot

    def _slot(self, pk: str, column: Column) -> Slot:
        interval, bucket = column
        span = bucket // SPAN
        expiry = self.schedule.expires_at(Column(interval, (span + 1) * SPAN - 1))
        name = str(interval)
        return Slot(
            head=self.keys.tile(pk, name, span, 0),
            tail=self.keys.tile(pk, name, bucket, 0)[:-2],
            offset=bucket % SPAN,
            lasting=f"{'-' if expiry is None else expiry} {name}:{span}",
        )

    def _pieces(self, pk: str, want: Wanted) -> Iterator[_Piece]:
        """The tiles, or parts of tiles, that hold any of the wanted cells."""
        points_of: dict[Column, list[int]] = defaultdict(list)
        for point, columns in enumerate(want.points):
            for column in columns:
                points_of[column].append(point)
        by_span: dict[tuple[Interval, int], list[tuple[int, int]]] = defaultdict(list)
        for (interval, bucket), points in points_of.items():
            by_span[interval, bucket // SPAN] += ((bucket % SPAN, point) for point in points)
        by_bucket = {column: [(0, point) for point in points] for column, points in points_of.items()}
        # In order of rows each page's are neighbours in the answer, which then is added to without picking.
        rows = np.sort(want.rows)
        pages = np.where(rows < HEAD_ROWS, 0, (rows - HEAD_ROWS) // PAGE_ROWS + 1)
        for page in np.unique(pages).tolist():
            chosen = np.flatnonzero(pages == page)
            first = HEAD_ROWS + (page - 1) * PAGE_ROWS if page else 0
            selection = Selection.of(rows[chosen] - first, chosen, 1 if page else SPAN)
            for (interval, slot), pairs in (by_bucket if page else by_span).items():
                prefix = self.keys.tile(pk, str(interval), slot, page)
                for number, metric in enumerate(want.metrics):
                    yield _Piece(prefix + metric, selection, number, pairs)

    def _replies(self, pieces: Sequence[_Piece]) -> list[Any]:
        """What the server has of each piece, as `Selection.decode` reads it; `None` where no cell is set."""
        replies: list[Any] = [None] * len(pieces)
        whole = [at for at, piece in enumerate(pieces) if not piece.selection.picked]
        if whole:
            for at, reply in zip(whole, self.server.call("MGET", [pieces[at].key for at in whole]), strict=True):
                replies[at] = reply
        # MGET copies least, but sees a tile that is still a hash as absent.
        rest = [at for at, reply in enumerate(replies) if reply is None]
        for begin in range(0, len(rest), READ_TILES):
            part = rest[begin : begin + READ_TILES]
            call = _reading([pieces[at] for at in part])
            for at, reply in zip(part, self.server.run([call])[0], strict=True):
                replies[at] = reply
        return replies


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is read of one tile, and where in the answer it goes."""

    key: str
    selection: Selection
    metric: int
    pairs: Sequence[tuple[int, int]]  # (cell within the row, point)

    @property
    def place(self) -> tuple[int, int]:
        """The same for tiles that differ in nothing but their metric."""
        return id(self.selection), id(self.pairs)


def _add(pieces: Sequence[_Piece], cells: NDArray[Any], answer: NDArray[Any]) -> None:
    """Add cells [piece, row, cell] of pieces of one place to an answer [metric, point, row]."""
    first, last = pieces[0].metric, pieces[-1].metric
    metrics: Any = slice(first, last + 1) if last - first + 1 == len(pieces) else [piece.metric for piece in pieces]
    for offset, point in pieces[0].pairs:
        answer[metrics, point, pieces[0].selection.answer] += cells[:, :, offset]


def _added_up(
    wanted: Sequence[Wanted], pieces: Sequence[tuple[int, _Piece]], replies: Sequence[Any]
) -> list[NDArray[Any]]:
    """The cells of pieces, each of the want of that number, where the answers have them."""
    answers = [np.zeros((len(want.metrics), len(want.points), len(want.rows)), dtype=np.int64) for want in wanted]
    sign = [sign_bytes(sum(map(len, want.points))) for want in wanted]
    parts = []
    together = groupby(zip(pieces, replies, strict=True), key=lambda one: (one[0][0], one[0][1].place))
    for (number, _), group in together:
        there = [(piece, reply) for (_, piece), reply in group if reply is not None]
        if there:
            found = [piece for piece, _ in there]
            cells, large = found[0].selection.decode([reply for _, reply in there], sign[number])
            parts.append((number, found, cells, large))
    exact = {number for number, _, _, large in parts if large}
    for number in exact:
        answers[number] = answers[number].astype(object)
    for number, found, cells, _ in parts:
        _add(found, cells.astype(object) if number in exact else cells, answers[number])
    return [_as_asked(answer, want.rows) for answer, want in zip(answers, wanted, strict=True)]


def _as_asked(answer: NDArray[Any], rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """[metric, point, row]: from the order of rows to that in which they were asked for."""
    order = np.argsort(rows, kind="stable")
    if (order[1:] > order[:-1]).all():
        return answer
    asked = np.empty_like(order)
    asked[order] = np.arange(len(order))
    return answer[:, :, asked]


def _reading(pieces: Sequence[_Piece]) -> Call:
    selections: dict[Selection, int] = {}
    numbers = [selections.setdefault(piece.selection, len(selections) + 1) for piece in pieces]
    arguments: list[str | int | bytes] = [len(selections)]
    for selection in selections:
        arguments += (selection.width, len(selection.picked), *selection.picked)
    return Call(READ, [piece.key for piece in pieces], [*arguments, *numbers])
