"""The cells of sketches: what they come to, and keeping them short.

A sketch's tile is a hash of cells, placed as those of a sum (see `tiles`). A cell is a number of parts (see
`simmer.cell`): adding appends one and reads nothing, so nobody who counts waits for another. `add.lua` tells whoever
made a cell have many parts; that one merges the last of them, in two further round trips. Meanwhile others may append,
and that is kept. So a cell has some 32 parts at most, and each byte is merged a few times at most.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..domain.plan import Column
from ..domain.sketch import aggregation_of
from ..errors import HailWhaleError, StoreUnavailable, TooLarge
from ..simmer.aggregation import Aggregation
from ..simmer.cell import bodies, part_begins, readable_part
from .conversation import Conversation
from .parcel import parts_of_one
from .server import Call, Server, load_script
from .tiles import Tiles

MERGE = load_script("merge")

# Cells asked for at once, of some kilobytes each where they are full: what a process may well hold.
READ_CELLS = 10_000
MOST_BYTES = 256 << 20

# A part is merged with what is behind it once that is no less than half as large.
MOST_TIMES = 2

Crowded = tuple[str, str, int]
"""A sketch, the key of a tile of its, and a cell there."""

States = list[list[Any]]
"""[point][row], `None` where nothing was counted."""

logger = logging.getLogger("hailwhale")


class Sketches:
    """Reads and merges cells. `tiles` knows where they are."""

    def __init__(self, server: Server, tiles: Tiles) -> None:
        self.server = server
        self.tiles = tiles

    def uniting(
        self, pk: str, kept: str, points: Sequence[Sequence[Column]], rows: NDArray[np.integer[Any]]
    ) -> Conversation[States]:
        """What a sketch comes to over each point's columns in each row. One round trip for each 10,000 cells.

        Raises `InvalidInput` for cells that are damaged, and `TooLarge` for more bytes than a process should hold.
        """
        aggregation = aggregation_of(kept)
        found: States = [[None] * len(rows) for _ in points]
        distinct, places = np.unique(rows, return_inverse=True)
        columns = sum(map(len, points))
        at_once = max(READ_CELLS // max(columns, 1), 1)
        left = MOST_BYTES
        for begin in range(0, len(distinct), at_once):
            chosen = distinct[begin : begin + at_once]
            states, size = yield from self._uniting(pk, kept, aggregation, points, chosen.tolist())
            left -= size
            if left < 0:
                expected = f"its cells take more than {MOST_BYTES >> 20} MB; ask for fewer rows or a shorter period"
                raise TooLarge("metrics", kept, expected)
            for at in np.flatnonzero((places >= begin) & (places < begin + len(chosen))).tolist():
                for point, of_point in enumerate(states):
                    found[point][at] = of_point[places[at] - begin]
        return found

    def merge_crowded(self, crowded: Sequence[Crowded]) -> None:
        """Merge the parts of cells. What cannot be done now is left to whoever appends next."""
        try:
            found = self.server.run([Call("HGET", [key], [cell]) for _, key, cell in crowded])
            by_sketch: dict[str, list[_Tail]] = defaultdict(list)
            for (kept, key, cell), parts in zip(crowded, found, strict=True):
                if parts:
                    by_sketch[kept].append(_Tail.of(key, cell, parts))
            self.server.run([call for kept, tails in by_sketch.items() for call in _merging(kept, tails)])
        except StoreUnavailable as error:
            logger.info("cells with many parts stay so for now: %s", error)
        except HailWhaleError as error:  # all is counted, and that is what the caller asked for
            logger.error("cells with many parts cannot be merged: %s", error)

    def _uniting(
        self, pk: str, kept: str, aggregation: Aggregation[Any], points: Sequence[Sequence[Column]], rows: list[int]
    ) -> Conversation[tuple[States, int]]:
        """And how many bytes these cells have; rows are given in ascending order."""
        slots = [self.tiles.slot(pk, column) for point in points for column in point]
        calls = [Call("HMGET", [slot.key(page, kept)], [*cells]) for slot, page, cells, _ in parts_of_one(slots, rows)]
        columns = _cells((yield calls) if calls else [], len(slots))
        groups: list[list[bytes]] = []  # of each point, of each row
        for point in points:
            of_rows = zip(*islice(columns, len(point)), strict=True) if point else [()] * len(rows)
            groups += [[body for cell in cells if cell for body in bodies(aggregation, cell)] for cells in of_rows]
        states = aggregation.load_all(groups)
        size = sum(len(body) for group in groups for body in group)
        return [states[begin : begin + len(rows)] for begin in range(0, len(groups), len(rows))], size


def _cells(replies: Sequence[Sequence[bytes | None]], columns: int) -> Iterator[list[bytes | None]]:
    """The cells of each column, [row]; there are as many replies, one for each page, of each."""
    pages = len(replies) // max(columns, 1)
    for column in range(columns):
        yield list(chain.from_iterable(replies[column * pages : (column + 1) * pages]))


class _Tail(NamedTuple):
    """The last parts of a cell, those from byte `begin` on."""

    key: str
    cell: int
    begin: int
    parts: bytes

    @classmethod
    def of(cls, key: str, cell: int, parts: bytes) -> _Tail:
        """All but large ones in front, which are merged once there is more behind them: as rarely as a heap of notes is
        copied into the book.
        """
        begins = part_begins(parts)
        first = len(begins) - 1
        while first and (begins[first] - begins[first - 1]) <= MOST_TIMES * (len(parts) - begins[first]):
            first -= 1
        begin = begins[min(first, len(begins) // 2)]
        return cls(key, cell, begin, parts[begin:])


def _merging(kept: str, tails: Sequence[_Tail]) -> Iterator[Call]:
    """The calls that put one part in the place of each tail."""
    aggregation = aggregation_of(kept)
    for (key, cell, begin, parts), merged in zip(tails, _merged(aggregation, tails), strict=True):
        if merged is not None:
            sha1 = hashlib.sha1(parts, usedforsecurity=False).hexdigest()
            yield Call(MERGE, [key], [cell, begin, len(parts), sha1, merged])


def _merged(aggregation: Aggregation[Any], tails: Sequence[_Tail]) -> list[bytes | None]:
    """The part that each tail comes to; `None` for those that are damaged, which are not in the way of others."""
    try:
        states = aggregation.load_all([bodies(aggregation, tail.parts) for tail in tails])
        return [readable_part(aggregation, state) for state in states]
    except HailWhaleError as error:
        if len(tails) > 1:
            return [merged for tail in tails for merged in _merged(aggregation, [tail])]
        logger.error("cell %d of %s cannot be merged: %s", tails[0].cell, tails[0].key, error)
        return [None]
