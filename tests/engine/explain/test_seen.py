"""Tables row beside row, and where a region is among them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.explain.region import Region
from hailwhale_django.engine.explain.seen import Seen, Tables


def seen(table: str, names: Sequence[str], counters: bool = False) -> Seen:
    """Whose rows have 0, 1, 2, ... before, and ten times as much now."""
    before = np.arange(float(len(names)))[None, :]
    return Seen(Path.parse(table), names, before, before * 10, counters)


@pytest.fixture
def tables() -> Tables:
    return Tables(
        [
            seen("country", ["US", "(other)", "DE"]),
            seen("device", ["mobile"]),
            seen("country/US/×device", ["mobile", "desktop"]),
            seen("device/mobile/×country", ["US", "a/b"]),
            seen("_", ["1", "2"], counters=True),
        ],
        1,
    )


def test_rows_are_numbered_one_table_behind_the_other(tables: Tables) -> None:
    assert len(tables) == 10
    assert [str(tables.region(row).path) for row in range(10)] == [
        *("country/US", "country/(other)", "country/DE", "device/mobile"),
        *("country/US/×device/mobile", "country/US/×device/desktop"),
        *("device/mobile/×country/US", "device/mobile/×country/a%2Fb", "1", "2"),
    ]
    assert [tables.region(row).counters for row in range(10)] == [False] * 8 + [True] * 2
    assert tables.before.tolist() == [[0, 1, 2, 0, 0, 1, 0, 1, 0, 1]]
    assert tables.now.tolist() == [[0, 10, 20, 0, 0, 10, 0, 10, 0, 10]]
    assert tables.is_other.tolist() == [False, True] + [False] * 8


def test_every_row_is_found_by_its_key_and_of_the_same_one(tables: Tables) -> None:
    for row in range(10):
        found = tables.find(tables.region(row).key)
        assert found is not None
        assert tables.region(found).key == tables.region(row).key


def test_what_is_crossed_is_found_in_either_order(tables: Tables) -> None:
    assert tables.find(Region(Path.parse("device/desktop/×country/US")).key) == 5
    assert tables.find(Region(Path.parse("country/a%2Fb/×device/mobile")).key) == 7


@pytest.mark.parametrize("path", ["country/FR", "country", "page/1", "country/US/CA", "country/DE/×device/mobile"])
def test_what_was_not_seen_is_not_found(tables: Tables, path: str) -> None:
    assert tables.find(Region(Path.parse(path)).key) is None


def test_child_counters_are_not_values(tables: Tables) -> None:
    assert tables.find(Region(Path(("1",)), counters=True).key) == 8
    assert tables.find(Region(Path(("3",)), counters=True).key) is None
    assert tables.find(Region(Path(("1",))).key) is None


def test_of_the_same_region_the_first_is_kept(tables: Tables) -> None:
    assert tables.one_of_each([6, 0, 4, 5, 0]) == [6, 0, 5]


def test_what_is_crossed_both_ways_counts_once(tables: Tables) -> None:
    """Of ten rows two are the mobiles of the US, told from either side."""
    assert tables.count(np.ones(10, dtype=bool)) == 9
    assert tables.count(~tables.is_other) == 8
    assert tables.count(np.zeros(10, dtype=bool)) == 0
    for row in (0, 3, 4, 5, 7, 9):
        assert tables.count(np.arange(10) == row) == 1


def test_what_is_crossed_counts_from_either_side(tables: Tables) -> None:
    assert tables.count(np.arange(10) == 6) == 1


def test_no_tables() -> None:
    none = Tables([], 2)
    assert len(none) == 0
    assert none.before.shape == none.now.shape == (2, 0)
    assert none.is_other.tolist() == []
    assert none.find(Region(Path.parse("country/US")).key) is None
