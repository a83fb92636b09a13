"""Tiles: where the counts are.

A tile holds up to 1,024 cells of one counter and one metric at one interval; a cell is one row in one bucket, a signed
64-bit whole number of units. The first 64 rows of a counter share tiles of 64 rows x 16 consecutive buckets, so a small
counter has few keys and a plot reads neighbouring cells; further rows lie in pages of 1,024 rows x 1 bucket, so a
ranking of many rows reads only the buckets it was asked for.

A tile begins as a hash of the cells that are set (some 10 bytes each) and is packed into a string (8 bytes a cell)
when it fills: `lua/add.lua` decides. An increment costs the same in either form; nothing is ever read to be written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..domain.plan import Column, Schedule
from ..domain.timeline import Interval
from .conversation import Conversation
from .keys import Keys
from .selection import Reply, Selection, may_overflow
from .server import Call, Server, load_script

HEAD_ROWS = 64
SPAN = 16
PAGE_ROWS = HEAD_ROWS * SPAN

# Keys of one call to read.lua: what a server answers well within a few milliseconds.
READ_TILES = 4096

# Of some 300 bytes each.
REMEMBERED_SLOTS = 4096

# What is thought to be wanted of tables that were asked for, each with so many keys at most.
REMEMBERED_GUESSES = 64
REMEMBERED_KEYS = 1024

READ = load_script("read")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read of one counter: for each metric, point and row the sum of the point's columns."""

    metrics: Sequence[str]
    points: Sequence[Sequence[Column]]
    rows: NDArray[np.integer[Any]]


# Which want, which of its pages, and which rows of that (none: all).
Part = tuple[int, int, tuple[int, ...]]
Replies = dict[Part, list[Reply]]

# A counter, and of each want what is the same whenever it is asked again: metrics, points, and the first row, in which
# tables of a counter differ.
Asked = tuple[str, tuple[tuple[Sequence[str], Sequence[Sequence[Column]], bytes], ...]]


@dataclass(frozen=True, slots=True)
class _Page:
    """What is read of one page of a counter for one want: the same rows of several tiles.

    `keys` are of [slot, metric], flat; each column is in one of the `slots`, at one of the `offsets` of a row, or `own`
    says that slots and columns are the same.
    """

    part: Part
    selection: Selection
    keys: list[str]
    slots: NDArray[np.integer[Any]]
    offsets: NDArray[np.integer[Any]]
    own: bool


class Early(NamedTuple):
    """Tiles that were read before it was known which rows are wanted, and which rows were thought to be."""

    rows: Sequence[NDArray[np.integer[Any]]]
    pages: Sequence[_Page]
    replies: Replies


NOTHING = Early((), (), {})


class Guess(NamedTuple):
    """What most likely is wanted, and the calls that read it; none where it is a lot.

    They are sent along with those that tell what is wanted indeed. A wrong guess costs time and nothing else: what it
    read is used as far as it is wanted, and the rest is read then.
    """

    rows: Sequence[NDArray[np.integer[Any]]] = ()
    pages: Sequence[_Page] = ()
    calls: Sequence[Call] = ()

    def answered(self, replies: Sequence[Any]) -> Early:
        return Early(self.rows, self.pages, _by_part(self.pages, replies))


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

    def sums(self, pk: str, wanted: Sequence[Wanted], early: Early = NOTHING) -> list[NDArray[Any]]:
        """For each wanted an array [metric, point, row] of units.

        Whole numbers of 64 bits, or of any size (dtype `object`) where a cell is so large that sums could leave 64
        bits.
        """
        return self.server.hold(self.summing(pk, wanted, early))

    def summing(self, pk: str, wanted: Sequence[Wanted], early: Early = NOTHING) -> Conversation[list[NDArray[Any]]]:
        """The same. One round trip, none for what was read `early`, one more where whole tiles are still hashes."""
        pages = early.pages if _same_rows(early.rows, wanted) else self._pages(pk, wanted)
        missing = [page for page in pages if page.part not in early.replies]
        calls = _calls(missing)
        replies = (yield calls[:2]) if calls else []
        for call in calls[2:]:  # others shall have their turn between batches
            replies += yield [call]
        found = early.replies | _by_part(missing, replies)
        yield from _looking_into_hashes(pages, found)
        return _added_up(wanted, pages, found)

    def guess(self, pk: str, wanted: Sequence[Wanted]) -> Guess:
        """That this will be asked of `summing`: the metrics and points surely, the rows most likely."""
        asked = (pk, tuple((tuple(want.metrics), tuple(want.points), want.rows[:1].tobytes()) for want in wanted))
        guess = self._guesses.get(asked)
        if guess is None or not _same_rows(guess.rows, wanted):
            pages = self._pages(pk, wanted)
            calls = _calls(pages)
            guess = Guess([want.rows for want in wanted], pages, calls) if len(calls) <= 2 else Guess()
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
        tiles = [_tiles(of_one) for of_one in pages]
        calls = [_picking(of_one) for of_one in tiles if of_one]
        replies = iter((yield calls) if calls else [])
        found = [_by_part(of_one, [next(replies)] if keys else []) for of_one, keys in zip(pages, tiles, strict=True)]
        return [
            answer
            for (_, want), of_one, parts in zip(wanted, pages, found, strict=True)
            for answer in _added_up([want], of_one, parts)
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

    def _pages(self, pk: str, wanted: Sequence[Wanted]) -> list[_Page]:
        """The tiles that hold any of the wanted cells; pages that are read as a whole come first."""
        pages = [page for number, want in enumerate(wanted) for page in self._pages_of(pk, number, want)]
        return sorted(pages, key=lambda page: bool(page.selection.picked))

    def _pages_of(self, pk: str, number: int, want: Wanted) -> Iterator[_Page]:
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
            yield _Page((number, page, selection.picked), selection, keys, np.array(slots), np.array(offsets), own)


def _same_rows(rows: Sequence[NDArray[np.integer[Any]]], wanted: Sequence[Wanted]) -> bool:
    return len(rows) == len(wanted) and all(
        one is want.rows or np.array_equal(one, want.rows) for one, want in zip(rows, wanted, strict=True)
    )


def _tiles(pages: Iterable[_Page]) -> list[tuple[str, Selection]]:
    return [(key, page.selection) for page in pages for key in page.keys]


def _calls(pages: Sequence[_Page]) -> list[Call]:
    """Whole tiles by `MGET`, which copies least, and rows by `read.lua`."""
    whole = [key for key, selection in _tiles(pages) if not selection.picked]
    picked = [tile for tile in _tiles(pages) if tile[1].picked]
    batches = [picked[begin : begin + READ_TILES] for begin in range(0, len(picked), READ_TILES)]
    return [*([Call("MGET", whole)] if whole else []), *map(_picking, batches)]


def _looking_into_hashes(pages: Sequence[_Page], found: Replies) -> Conversation[None]:
    """Fill in the whole tiles that are still hashes: to `MGET` they are absent."""
    whole = [page for page in pages if not page.selection.picked]
    absent = [(page, at) for page in whole for at, reply in enumerate(found[page.part]) if reply is None]
    for begin in range(0, len(absent), READ_TILES):
        part = absent[begin : begin + READ_TILES]
        (replies,) = yield [_picking([(page.keys[at], page.selection) for page, at in part])]
        for (page, at), reply in zip(part, replies, strict=True):
            found[page.part][at] = reply


def _picking(tiles: Sequence[tuple[str, Selection]]) -> Call:
    selections: dict[Selection, int] = {}
    numbers = [selections.setdefault(selection, len(selections) + 1) for _, selection in tiles]
    arguments: list[str | int | bytes] = [len(selections)]
    for selection in selections:
        arguments += (selection.width, len(selection.picked), *selection.picked)
    return Call(READ, [key for key, _ in tiles], [*arguments, *numbers])


def _by_part(pages: Iterable[_Page], replies: Iterable[Iterable[Reply]]) -> Replies:
    """The replies to calls, tile by tile."""
    flat = chain.from_iterable(replies)
    return {page.part: list(islice(flat, len(page.keys))) for page in pages}


def _added_up(wanted: Sequence[Wanted], pages: Iterable[_Page], found: Replies) -> list[NDArray[Any]]:
    """The cells of pages, each where the answer to its want has them."""
    there: list[list[tuple[_Page, NDArray[Any]]]] = [[] for _ in wanted]
    for page in pages:
        if any(found[page.part]):
            want = page.part[0]
            there[want].append((page, _cells(page, len(wanted[want].metrics), found[page.part])))
    return [_answer(want, parts) for want, parts in zip(wanted, there, strict=True)]


def _cells(page: _Page, metrics: int, replies: Sequence[Reply]) -> NDArray[np.int64]:
    """[column, metric, row]."""
    tiles = page.selection.decode(replies)
    cells = tiles.reshape(-1, metrics, *tiles.shape[1:])
    return (cells[..., 0] if page.own else cells[page.slots, :, :, page.offsets]).astype(np.int64)


def _answer(want: Wanted, parts: Sequence[tuple[_Page, NDArray[Any]]]) -> NDArray[Any]:
    sizes = [len(point) for point in want.points]
    exact = any(may_overflow(cells, sum(sizes)) for _, cells in parts)
    answer = np.zeros((len(want.metrics), len(want.points), len(want.rows)), dtype=object if exact else np.int64)
    for page, cells in parts:
        answer[:, :, page.selection.answer] = _of_points(cells.astype(answer.dtype, copy=False), sizes).swapaxes(0, 1)
    return answer


def _of_points(cells: NDArray[Any], sizes: Sequence[int]) -> NDArray[Any]:
    """[point, metric, row]: cells of so many columns for each point, added up."""
    if all(size == 1 for size in sizes):
        return cells
    edges = pairwise(accumulate(sizes, initial=0))
    return np.stack([cells[begin:end].sum(axis=0) for begin, end in edges])
