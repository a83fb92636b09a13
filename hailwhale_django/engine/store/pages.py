"""Pages of a counter that are read together: which calls read their tiles, and what the replies add up to.

Whole tiles come by `MGET`, which copies least; rows that are picked, and tiles that are still hashes, by `read.lua`. To
`MGET` a hash is absent, so whatever is absent is looked into, unless it is known before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain, islice, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domain.plan import Column
from .conversation import Conversation
from .selection import Reply, Selection, may_overflow
from .server import Call, load_script

# Keys of one call to read.lua: what a server answers well within a few milliseconds.
READ_TILES = 4096

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


@dataclass(frozen=True, slots=True)
class Page:
    """What is read of one page of a counter for one want: the same rows of several tiles.

    `keys` are of [slot, metric], flat; each column is in one of the `slots`, at one of the `offsets` of a row, or `own`
    says that slots and columns are the same. `hashes` are the whole tiles, by their place among the keys, that were
    hashes or absent when they were read last.
    """

    part: Part
    selection: Selection
    keys: list[str]
    slots: NDArray[np.integer[Any]]
    offsets: NDArray[np.integer[Any]]
    own: bool
    hashes: tuple[int, ...] = ()

    def absent(self, replies: Sequence[Reply]) -> list[int]:
        """The tiles that are hashes, if they are anything: places of keys that `MGET` found nothing at."""
        if self.selection.picked:
            return []
        return [at for at, reply in enumerate(replies) if reply is None and at not in self.hashes]

    def knowing(self, hashes: Iterable[int]) -> Page:
        return replace(self, hashes=tuple(sorted({*self.hashes, *hashes})))


def tiles_of(pages: Iterable[Page]) -> list[tuple[str, Selection]]:
    return [(key, page.selection) for page in pages for key in page.keys]


def calls_of(pages: Sequence[Page]) -> list[Call]:
    """What reads pages, of which those that are read as a whole come first."""
    whole = [page for page in pages if not page.selection.picked]
    packed = [key for page in whole for at, key in enumerate(page.keys) if at not in page.hashes]
    others = [
        *tiles_of(pages[len(whole) :]),
        *((page.keys[at], page.selection) for page in whole for at in page.hashes),
    ]
    batches = [others[begin : begin + READ_TILES] for begin in range(0, len(others), READ_TILES)]
    return [*([Call("MGET", packed)] if packed else []), *map(picking, batches)]


def looking_into(absent: Sequence[tuple[Page, int]], found: Replies) -> Conversation[None]:
    """Fill in tiles that to `MGET` were absent."""
    for begin in range(0, len(absent), READ_TILES):
        part = absent[begin : begin + READ_TILES]
        (replies,) = yield [picking([(page.keys[at], page.selection) for page, at in part])]
        for (page, at), reply in zip(part, replies, strict=True):
            found[page.part][at] = reply


def picking(tiles: Sequence[tuple[str, Selection]]) -> Call:
    selections: dict[Selection, int] = {}
    numbers = [selections.setdefault(selection, len(selections) + 1) for _, selection in tiles]
    arguments: list[str | int | bytes] = [len(selections)]
    for selection in selections:
        arguments += (selection.width, len(selection.picked), *selection.picked)
    return Call(READ, [key for key, _ in tiles], [*arguments, *numbers])


def by_part(pages: Sequence[Page], replies: Iterable[Iterable[Reply]]) -> Replies:
    """The replies to the calls of pages, tile by tile."""
    flat = chain.from_iterable(replies)
    found = {page.part: list(islice(flat, len(page.keys) - len(page.hashes))) for page in pages}
    for page in pages:
        for at in page.hashes:
            found[page.part].insert(at, next(flat))
    return found


def added_up(wanted: Sequence[Wanted], pages: Iterable[Page], found: Replies) -> list[NDArray[Any]]:
    """The cells of pages, each where the answer to its want has them."""
    there: list[list[tuple[Page, NDArray[Any]]]] = [[] for _ in wanted]
    for page in pages:
        if any(found[page.part]):
            want = page.part[0]
            there[want].append((page, _cells(page, len(wanted[want].metrics), found[page.part])))
    return [_answer(want, parts) for want, parts in zip(wanted, there, strict=True)]


def _cells(page: Page, metrics: int, replies: Sequence[Reply]) -> NDArray[np.int64]:
    """[column, metric, row]."""
    tiles = page.selection.decode(replies)
    cells = tiles.reshape(-1, metrics, *tiles.shape[1:])
    return (cells[..., 0] if page.own else cells[page.slots, :, :, page.offsets]).astype(np.int64)


def _answer(want: Wanted, parts: Sequence[tuple[Page, NDArray[Any]]]) -> NDArray[Any]:
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
