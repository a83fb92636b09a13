"""Making numbers of a tile's bytes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hailwhale_django.engine.store.selection import TILE_CELLS, Reply, Selection, may_overflow


def whole(cells: int = TILE_CELLS) -> Selection:
    rows = np.arange(cells)
    return Selection.of(rows, rows, 1)


def decode(selection: Selection, reply: Reply) -> NDArray[np.int64]:
    return selection.decode([reply])[0]


def packed(*values: int) -> bytes:
    return b"".join(value.to_bytes(8, "big", signed=True) for value in values)


@pytest.mark.parametrize("value", [0, 1, -1, 2**47, 2**53 + 1, 0x00FF_0000_0000_0000, 2**63 - 1, -(2**63)])
def test_a_cell_reads_the_same_in_every_form(value: int) -> None:
    for cells in (packed(value), packed(0, value, -1), packed(*[5] * 600, value)):
        assert value in decode(whole(), cells)[:, 0].tolist()
    found = decode(whole(), [f"7 {value} 9 -1".encode()])
    assert (found[7, 0], found[9, 0], found[8, 0]) == (value, -1, 0)


def test_a_tile_that_is_not_full_has_zeros() -> None:
    found = decode(whole(), packed(3, -4))
    assert found[:3, 0].tolist() == [3, -4, 0]
    assert len(found) == TILE_CELLS


def test_a_tile_that_is_not_there_has_zeros() -> None:
    tiles = whole().decode([packed(1, 2), None, packed(3)])
    assert tiles[:, :2, 0].tolist() == [[1, 2], [0, 0], [3, 0]]
    picked = Selection.of(np.array([2, 5]), np.array([0, 1]), 16)
    assert picked.decode([None]).tolist() == [[[0] * 16] * 2]


def test_some_rows_of_many_cells_each() -> None:
    rows = np.array([2, 5, 63])
    selection = Selection.of(rows, np.array([0, 4, 1]), 16)
    assert selection.picked == (2, 5, 63)
    found = decode(selection, packed(*range(48)))
    assert found.tolist() == [list(range(16)), list(range(16, 32)), list(range(32, 48))]
    found = decode(selection, [b"33 7 1023 -9 80 1"])
    assert (found[0, 1], found[2, 15], found[1, 0]) == (7, -9, 1)
    assert np.count_nonzero(found) == 3


def test_many_rows_are_read_as_a_whole() -> None:
    rows = np.array([0, *range(2, 64)])
    selection = Selection.of(rows, rows, 16)
    assert selection.picked == ()
    found = decode(selection, packed(*range(1024)))
    assert found.shape == (63, 16)
    assert found[1].tolist() == list(range(32, 48))


@pytest.mark.parametrize("count", [1, 2, 3, 127, 32_768, 2**20])
def test_sums_that_could_leave_64_bits_are_noticed(count: int) -> None:
    largest = (2**63 - 1) // count
    for sign in (1, -1):
        assert not may_overflow(np.array([0, sign * largest, 1]), count)
        assert count == 1 or may_overflow(np.array([0, sign * largest + sign, 1]), count)
    assert may_overflow(np.array([-(2**63)]), count)
    assert not may_overflow(np.array([], dtype=np.int64), count)
