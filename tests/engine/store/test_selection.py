"""Making numbers of a tile's bytes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hailwhale_django.engine.store.selection import TILE_CELLS, Selection, sign_bytes

LARGE = 2**47


def whole(cells: int = TILE_CELLS) -> Selection:
    rows = np.arange(cells)
    return Selection.of(rows, rows, 1)


def decode(selection: Selection, reply: bytes | list[bytes], sign: int = 2) -> tuple[NDArray[np.int64], bool]:
    cells, large = selection.decode([reply], sign)
    return cells[0], large


def packed(*values: int) -> bytes:
    return b"".join(value.to_bytes(8, "big", signed=True) for value in values)


@pytest.mark.parametrize(
    ("value", "large"),
    [
        (0, False),
        (1, False),
        (-1, False),
        (LARGE - 1, False),
        (-LARGE, False),
        (2**48, True),
        (-(2**48) - 1, True),
        (2**53 + 1, True),
        (0x00FF_0000_0000_0000, True),
        (0x00FF_FFFF_FFFF_FFFF, True),
        (-0x0100_0000_0000_0000, True),
        (-0x00FF_FFFF_FFFF_FFFF, True),
        (2**63 - 1, True),
        (-(2**63), True),
    ],
)
def test_a_value_whose_sums_could_leave_64_bits_is_noticed(value: int, large: bool) -> None:
    for cells in (packed(value), packed(0, value, -1), packed(*[5] * 600, value)):
        found, noticed = decode(whole(), cells)
        assert value in found[:, 0].tolist()
        assert noticed == large
    found, noticed = decode(whole(), [f"7 {value} 9 -1".encode()])
    assert (found[7, 0], found[9, 0], found[8, 0]) == (value, -1, 0)
    assert noticed or not large


def test_a_tile_that_is_not_full_has_zeros() -> None:
    found, _ = decode(whole(), packed(3, -4))
    assert found[:3, 0].tolist() == [3, -4, 0]
    assert len(found) == TILE_CELLS


def test_some_rows_of_many_cells_each() -> None:
    rows = np.array([2, 5, 63])
    selection = Selection.of(rows, np.array([0, 4, 1]), 16)
    assert selection.picked == [2, 5, 63]
    found, _ = decode(selection, packed(*range(48)))
    assert found.tolist() == [list(range(16)), list(range(16, 32)), list(range(32, 48))]
    found, _ = decode(selection, [b"33 7 1023 -9 80 1"])
    assert (found[0, 1], found[2, 15], found[1, 0]) == (7, -9, 1)
    assert np.count_nonzero(found) == 3


def test_many_rows_are_read_as_a_whole() -> None:
    rows = np.array([0, *range(2, 64)])
    selection = Selection.of(rows, rows, 16)
    assert selection.picked == []
    found, _ = decode(selection, packed(*range(1024)))
    assert found.shape == (63, 16)
    assert found[1].tolist() == list(range(32, 48))


@pytest.mark.parametrize("cells", [1, 127, 128, 32_767, 32_768, 2**20])
def test_sums_of_small_cells_stay_within_64_bits(cells: int) -> None:
    largest = 2 ** (64 - 8 * sign_bytes(cells))
    assert cells * largest < 2**63 + largest
    _, noticed = decode(whole(), packed(largest - 1), sign_bytes(cells))
    assert not noticed
    if largest < 2**56:
        assert decode(whole(), packed(largest), sign_bytes(cells))[1]
