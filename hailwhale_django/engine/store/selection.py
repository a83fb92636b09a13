"""Picking rows out of a tile, and making numbers of what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TILE_CELLS = 1024
CELL_BYTES = 8

# From a quarter of a tile's cells on, copying all of them is cheaper than picking.
WHOLE_SHARE = 4


def sign_bytes(cells: int) -> int:
    """How many leading bytes of each of so many cells must be mere sign, for their sum to stay within 64 bits."""
    return 1 if cells < 2**7 else 2 if cells < 2**15 else 3


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Rows of one page that are read together: all of it where many are wanted, else those that are picked."""

    width: int  # cells of a row, which are neighbours
    picked: list[int]
    within: slice | NDArray[np.int64]  # the wanted ones among the rows that come back
    answer: slice | NDArray[np.int64]  # where in the answer they go

    @classmethod
    def of(cls, rows: NDArray[np.int64], answer: NDArray[np.int64], width: int) -> Selection:
        if len(rows) * width * WHOLE_SHARE >= TILE_CELLS:
            return cls(width, [], _sliced(rows), _sliced(answer))
        return cls(width, rows.tolist(), slice(None), _sliced(answer))

    def decode(self, replies: Sequence[bytes | list[bytes]], sign: int = 2) -> tuple[NDArray[np.int64], bool]:
        """Cells [reply, row, cell], and whether any is so large that it needs some of its `sign` leading bytes."""
        count = len(self.picked) * self.width or TILE_CELLS
        tiles = [self._packed(reply, count) for reply in replies]
        data = tiles[0] if len(tiles) == 1 else b"".join(tiles)
        # The leading bytes of a small number are all zeros or all ones.
        leading = data[::CELL_BYTES]
        alike = all(leading == data[at::CELL_BYTES] for at in range(1, sign))
        cells = np.frombuffer(data, dtype=">i8").reshape(len(tiles), -1, self.width)[:, self.within]
        return cells, not alike or bool(leading.strip(b"\x00\xff"))

    def _packed(self, reply: bytes | list[bytes], count: int) -> bytes:
        if isinstance(reply, list):
            return self._of_text(reply[0]).astype(">i8").tobytes()
        return reply if len(reply) == count * CELL_BYTES else reply.ljust(count * CELL_BYTES, b"\x00")

    def _of_text(self, text: bytes) -> NDArray[np.int64]:
        numbers = np.array(text.split(), dtype=np.int64)
        tile = np.zeros(TILE_CELLS, dtype=np.int64)
        tile[numbers[0::2]] = numbers[1::2]
        return tile.reshape(-1, self.width)[self.picked].ravel() if self.picked else tile


def _sliced(numbers: NDArray[np.int64]) -> slice | NDArray[np.int64]:
    """A slice where the numbers are consecutive: numpy then copies nothing."""
    first = int(numbers[0])
    if np.array_equal(numbers, np.arange(first, first + len(numbers))):
        return slice(first, first + len(numbers))
    return numbers
