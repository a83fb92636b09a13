"""The groups of visitors that somebody belongs to."""

from __future__ import annotations

from typing import Any

import pytest

from hailwhale_django.engine.decide.cells import EVERYBODY, JOINT, MAX_CELLS, Cell, Outlook
from hailwhale_django.engine.domain.paths import dimension_paths


def texts(given: Any, **outlook: Any) -> list[str]:
    return [cell.text for cell in Outlook(**outlook).cells(dimension_paths(given))]


def test_nested_and_flat_dimensions() -> None:
    found = Outlook().cells(dimension_paths({"country": {"US": "CA"}, "device": "mobile"}))
    assert found == (
        EVERYBODY,
        Cell("country", "country/US"),
        Cell("device", "device/mobile"),
        Cell("country/*", "country/US/CA"),
        Cell(f"country/*{JOINT}device", f"country/US/CA{JOINT}device/mobile"),
    )


@pytest.mark.parametrize("given", [None, {}, ""])
def test_of_a_stranger_only_that_he_is_one_of_all(given: Any) -> None:
    assert texts(given) == ["_"]


def test_a_name_alone_is_a_group() -> None:
    assert texts("returning") == ["_", "returning"]


def test_only_dimensions_that_matter() -> None:
    assert texts({"country": "US", "device": "m"}, dimensions=("device",)) == ["_", "device/m"]


def test_pairs() -> None:
    given = {"a": "1", "b": "2", "c": "3"}
    pairs = [f"a/1{JOINT}b/2", f"a/1{JOINT}c/3", f"b/2{JOINT}c/3"]
    assert texts(given, pairs=True)[4:] == [*pairs, f"a/1{JOINT}b/2{JOINT}c/3"]
    assert texts(given, pairs=True, together=False)[4:] == pairs


def test_there_are_no_more_than_the_limit() -> None:
    assert len(texts({f"d{n}": "1" for n in range(40)}, pairs=True)) == MAX_CELLS


@pytest.mark.parametrize("given", [{"country": {"US": "CA"}, "device": "m/x"}, {"a": "1", "b": "2"}, "x", None])
def test_a_cell_is_known_by_its_text(given: Any) -> None:
    for cell in Outlook(pairs=True).cells(dimension_paths(given)):
        assert Cell.of(cell.text) == cell
