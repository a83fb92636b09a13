"""Picking rows out of tiles, and making numbers of what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TILE_CELLS = 1024
CELL_BYTES = 8

# From a quarter of a tile's cells on, copying all of them is cheaper than picking.
WHOLE_SHARE = 4

LARGEST_SUM = 2**63 - 1

# What the server has of a tile: its bytes, a text of the cells that are set, or nothing.
Reply = bytes | list[bytes] | None


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Rows of one page that are read together: all of it where many are wanted, else those that are picked."""

    width: int  # cells of a row, which are neighbours
    picked: tuple[int, ...]
    within: slice | NDArray[np.integer[Any]]  # the wanted ones among the rows that come back
    answer: slice | NDArray[np.integer[Any]]  # where in the answer they go

    @classmethod
    def of(cls, rows: NDArray[np.integer[Any]], answer: NDArray[np.int64], width: int) -> Selection:
        if len(rows) * width * WHOLE_SHARE >= TILE_CELLS:
            return cls(width, (), _sliced(rows), _sliced(answer))
        return cls(width, tuple(rows.tolist()), slice(None), _sliced(answer))

    def decode(self, replies: Sequence[Reply]) -> NDArray[np.int64]:
        """Cells [reply, row, cell], in the byte order of the store."""
        size = (len(self.picked) * self.width or TILE_CELLS) * CELL_BYTES
        data = b"".join([self._packed(reply, size) for reply in replies])
        return np.frombuffer(data, dtype=">i8").reshape(len(replies), -1, self.width)[:, self.within]

    def _packed(self, reply: Reply, size: int) -> bytes:
        if isinstance(reply, list):
            return self._of_text(reply[0]).astype(">i8").tobytes()
        return (reply or b"").ljust(size, b"\x00")

    def _of_text(self, text: bytes) -> NDArray[np.int64]:
        numbers = np.array(text.split(), dtype=np.int64)
        tile = np.zeros(TILE_CELLS, dtype=np.int64)
        tile[numbers[0::2]] = numbers[1::2]
        return tile.reshape(-1, self.width)[list(self.picked)].ravel() if self.picked else tile


def may_overflow(cells: NDArray[np.int64], count: int) -> bool:
    """Whether sums of `count` such cells could leave 64 bits."""
    largest = LARGEST_SUM // max(count, 1)
    return bool(cells.size) and not -largest <= cells.min() <= cells.max() <= largest


def _sliced(numbers: NDArray[np.integer[Any]]) -> slice | NDArray[np.integer[Any]]:
    """A slice where the numbers are consecutive: numpy then copies nothing."""
    first = int(numbers[0])
    if np.array_equal(numbers, np.arange(first, first + len(numbers))):
        return slice(first, first + len(numbers))
    return numbers
