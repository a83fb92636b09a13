from __future__ import annotations

from hailwhale_django.engine.store.keys import Keys
from hailwhale_django.engine.store.parcel import (
    Added,
    Expectation,
    Parcel,
    Part,
    appends_of_many,
    appends_of_one,
    parts_of_many,
    parts_of_one,
)
from hailwhale_django.engine.store.tiles import Slot

MINUTE = Slot(head="m:0:0:", tail="m:5:", offset=5, lasting="900 1m:0")
MONTH = Slot(head="mo:0:0:", tail="mo:3:", offset=3, lasting="- 1mo:0")


def test_the_parts_of_one_event_name_each_cell_once_for_each_slot() -> None:
    # Row 2 is in the first page, at 2 x 16 + the offset; row 70 is the sixth of the second, row 1088 begins a third.
    parts = [(part.slot, part.page, list(part.cells)) for part in parts_of_one([MINUTE, MONTH], [2, 70, 1088])]
    assert parts == [
        (MINUTE, 0, [37]),
        (MINUTE, 1, [6]),
        (MINUTE, 2, [0]),
        (MONTH, 0, [35]),
        (MONTH, 1, [6]),
        (MONTH, 2, [0]),
    ]


def test_the_parts_of_many_share_cells_among_metrics_that_have_them_all() -> None:
    units = {"hits": [1, 2, 3], "sales": [4, 5, 6], "revenue": [0, 7, 0], "refunds": [0, 0, 0]}
    parts = parts_of_many([MINUTE, MONTH], rows=[0, 1, 64], columns=[0, 0, 1], units=units)
    found = [(one.slot, one.page, list(one.cells), {name: list(of) for name, of in one.units.items()}) for one in parts]
    assert found == [
        (MINUTE, 0, [21], {"revenue": [7]}),
        (MINUTE, 0, [5, 21], {"hits": [1, 2], "sales": [4, 5]}),
        (MONTH, 1, [0], {"hits": [3], "sales": [6]}),
    ]


def test_a_call_lists_a_tile_for_each_part_and_metric_that_is_added_to() -> None:
    parts = [Part(MINUTE, 0, [5, 21], {"sales": [4, -5]}), Part(MONTH, 1, [0], {})]
    expected = [Expectation(MONTH, 64, "hits", 8)]
    parcel = Parcel("shop", {"_": 0, "country": 1}, {"hits": 9, "sales": None}, parts, expected=expected)
    call = parcel.call(Keys("hw"), now=100.5, most_metrics=7)
    assert call.keys == [
        "hw:{shop}rows",
        "hw:{shop}metrics",
        "hw:{shop}spans",
        "hw:{shop}marks",
        "m:0:0:hits",
        "m:0:0:sales",
        "mo:3:1:hits",
    ]
    assert call.arguments == [
        *(100, 7, "hits\nsales", "_\ncountry", "0 1", "9 0", 1, 2, "", "", 0, "", 0, 200_000, 4, 1_000),
        *(4 - 1, 0, 8, b"\0\0\0\0\0\0\0\x08"),
        *("900 1m:0 5 21", "- 1mo:0 0"),
        *("4 -5", ""),
    ]


def test_what_sketches_get_comes_behind_what_is_added() -> None:
    appends = [
        *appends_of_one("uv:visitor", [MINUTE], [0, 1], b"all"),
        *appends_of_many("pct:ms", [MINUTE, MONTH], [1, 64], [0, 1], [b"one", b"other"]),
    ]
    parcel = Parcel("shop", {"_": 0}, {"hits": 1}, [Part(MINUTE, 0, [0], {})], appends)
    call = parcel.call(Keys("hw"), now=100, most_metrics=7)
    assert call.keys[4:] == ["m:0:0:hits", "m:0:0:uv:visitor", "m:0:0:pct:ms", "mo:3:1:pct:ms"]
    assert call.arguments[9:] == [
        *("uv:visitor\npct:ms", 3, "", 0, 200_000, 4, 1_000),
        "900 1m:0 0",
        *("1 900 1m:0 5 21", 1, b"all"),
        *("2 900 1m:0 21", 1, b"one"),
        *("2 - 1mo:0 0", 1, b"other"),
    ]


def test_what_a_call_answers() -> None:
    assert Added.of([b"moved"]) == Added("moved", "", {}, [])
    assert Added.of([b"behind", b"5-0"]) == Added("behind", "5-0", {}, [])
    assert Added.of([b"refused", [b"hits", b"overflow"], []]) == Added("refused", "", {"hits": "overflow"}, [])
    crowded = [b"uv:visitor", b"key", b"16", b"pct:ms", b"other", b"0"]
    assert Added.of([b"added", [], crowded]).crowded == [("uv:visitor", "key", 16), ("pct:ms", "other", 0)]
