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
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..domain.plan import Column, Schedule
from ..domain.timeline import Interval
from .conversation import Conversation
from .keys import Keys
from .pages import Page, Replies, Wanted, added_up, by_part, calls_of, looking_into, picking, tiles_of
from .selection import Selection
from .server import Call, Server

HEAD_ROWS = 64
SPAN = 16
PAGE_ROWS = HEAD_ROWS * SPAN

# Of some 300 bytes each.
REMEMBERED_SLOTS = 4096

# What is thought to be wanted of tables that were asked for, each with so many keys at most.
REMEMBERED_GUESSES = 64
REMEMBERED_KEYS = 1024

# A counter, and of each want what is the same whenever it is asked again: metrics, points, and the first row, in which
# tables of a counter differ.
Asked = tuple[str, tuple[tuple[Sequence[str], Sequence[Sequence[Column]], bytes], ...]]


class Early(NamedTuple):
    """Tiles that were read before it was known which rows are wanted, and which rows were thought to be."""

    rows: Sequence[NDArray[np.integer[Any]]]
    pages: Sequence[Page]
    replies: Replies


NOTHING = Early((), (), {})


class Guess(NamedTuple):
    """What most likely is wanted, and the calls that read it; none where it is a lot.

    They are sent along with those that tell what is wanted indeed. A wrong guess costs time and nothing else: what it
    read is used as far as it is wanted, and the rest is read then.
    """

    rows: Sequence[NDArray[np.integer[Any]]] = ()
    pages: Sequence[Page] = ()
    calls: Sequence[Call] = ()

    def answered(self, replies: Sequence[Any]) -> Early:
        return Early(self.rows, self.pages, by_part(self.pages, replies))


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
        self._guesses: dict[Asked, Guess] = {}

    def sums(self, pk: str, wanted: Sequence[Wanted]) -> list[NDArray[Any]]:
        """For each wanted an array [metric, point, row] of units.

        Whole numbers of 64 bits, or of any size (dtype `object`) where a cell is so large that sums could leave 64
        bits.
        """
        return self.server.hold(self.summing(pk, wanted))

    def summing(
        self, pk: str, wanted: Sequence[Wanted], early: Early | None = None
    ) -> Conversation[list[NDArray[Any]]]:
        """The same. One round trip, none for what was read `early`, one more where whole tiles are still hashes.

        Which ones are is remembered for whoever reads early (`NOTHING`, the first time).
        """
        known = early or NOTHING
        pages = known.pages if _same_rows(known.rows, wanted) else self._pages(pk, wanted)
        missing = [page for page in pages if page.part not in known.replies]
        calls = calls_of(missing)
        replies = (yield calls[:2]) if calls else []
        for call in calls[2:]:  # others shall have their turn between batches
            replies += yield [call]
        found = known.replies | by_part(missing, replies)
        absent = [(page, at) for page in pages for at in page.absent(found[page.part])]
        if absent:
            yield from looking_into(absent, found)
            if early is not None:
                self._remember(_asked(pk, wanted), _guessed(wanted, _knowing(pages, absent)))
        return added_up(wanted, pages, found)

    def guess(self, pk: str, wanted: Sequence[Wanted]) -> Guess:
        """That this will be asked of `summing`: the metrics and points surely, the rows most likely."""
        asked = _asked(pk, wanted)
        guess = self._guesses.get(asked)
        if guess is None or not _same_rows(guess.rows, wanted):
            guess = _guessed(wanted, self._pages(pk, wanted))
            self._remember(asked, guess)
        return guess

    def _remember(self, asked: Asked, guess: Guess) -> None:
        """Whoever looks at a table looks again; large ones would fill the process, and have more to do than this."""
        self._guesses.pop(asked, None)
        if sum(len(page.keys) for page in guess.pages) <= REMEMBERED_KEYS:
            if len(self._guesses) >= REMEMBERED_GUESSES:
                self._guesses.clear()
            self._guesses[asked] = guess

    def summing_each(self, wanted: Sequence[tuple[str, Wanted]]) -> Conversation[list[NDArray[Any]]]:
        """As `summing`, of one want each of several counters. One round trip, good for few rows of each."""
        pages = [self._pages(pk, [want]) for pk, want in wanted]
        tiles = [tiles_of(of_one) for of_one in pages]
        calls = [picking(of_one) for of_one in tiles if of_one]
        replies = iter((yield calls) if calls else [])
        found = [by_part(of_one, [next(replies)] if keys else []) for of_one, keys in zip(pages, tiles, strict=True)]
        return [
            answer
            for (_, want), of_one, parts in zip(wanted, pages, found, strict=True)
            for answer in added_up([want], of_one, parts)
        ]

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

    def _pages(self, pk: str, wanted: Sequence[Wanted]) -> list[Page]:
        """The tiles that hold any of the wanted cells; pages that are read as a whole come first."""
        pages = [page for number, want in enumerate(wanted) for page in self._pages_of(pk, number, want)]
        return sorted(pages, key=lambda page: bool(page.selection.picked))

    def _pages_of(self, pk: str, number: int, want: Wanted) -> Iterator[Page]:
        columns = [column for point in want.points for column in point]
        if not columns or not len(want.rows):
            return
        order = np.argsort(want.rows, kind="stable")
        pages = (want.rows[order] - HEAD_ROWS) // PAGE_ROWS + 1
        edges = [0, *(np.flatnonzero(pages[1:] != pages[:-1]) + 1).tolist(), len(order)]
        for begin, end in pairwise(edges):
            chosen = order[begin:end]
            rows = want.rows[chosen]
            page = int(pages[begin])
            first, width = (HEAD_ROWS + (page - 1) * PAGE_ROWS, 1) if page else (0, SPAN)
            selection = Selection.of(rows - first, chosen, width)
            numbers: dict[tuple[Interval, int], int] = {}
            slots = [numbers.setdefault((interval, bucket // width), len(numbers)) for interval, bucket in columns]
            offsets = [bucket % width for _, bucket in columns]
            prefixes = [self.keys.tile(pk, str(interval), slot, page) for interval, slot in numbers]
            keys = [prefix + metric for prefix in prefixes for metric in want.metrics]
            own = width == 1 and len(numbers) == len(columns)  # no column is asked twice
            yield Page((number, page, selection.picked), selection, keys, np.array(slots), np.array(offsets), own)


def _asked(pk: str, wanted: Sequence[Wanted]) -> Asked:
    return (pk, tuple((tuple(want.metrics), tuple(want.points), want.rows[:1].tobytes()) for want in wanted))


def _guessed(wanted: Sequence[Wanted], pages: Sequence[Page]) -> Guess:
    calls = calls_of(pages)
    return Guess([want.rows for want in wanted], pages, calls) if len(calls) <= 2 else Guess()


def _knowing(pages: Sequence[Page], absent: Sequence[tuple[Page, int]]) -> list[Page]:
    """The same pages, which know of hashes."""
    hashes: dict[int, list[int]] = defaultdict(list)
    for page, at in absent:
        hashes[id(page)].append(at)
    return [page.knowing(hashes[id(page)]) for page in pages]


def _same_rows(rows: Sequence[NDArray[np.integer[Any]]], wanted: Sequence[Wanted]) -> bool:
    return len(rows) == len(wanted) and all(
        one is want.rows or np.array_equal(one, want.rows) for one, want in zip(rows, wanted, strict=True)
    )
