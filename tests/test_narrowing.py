"""Where a panel's numbers are while filters hold, and what the address of a dashboard says."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from hailwhale_django.dashboards.boardstate import BoardState
from hailwhale_django.dashboards.narrowing import narrow_counters, narrow_row, narrow_table
from hailwhale_django.engine.domain.crossing import Crossings
from hailwhale_django.engine.domain.paths import Path

CROSSED = Crossings.parse({"shop": [["country", "device"]]})
SHOP = Path(("shop",))


def paths(*texts: str) -> list[Path]:
    return list(map(Path.parse, texts))


@pytest.mark.parametrize(
    ("filters", "dimension", "path", "name", "told"),
    [
        ([], "device", "device", "", False),
        (["country/US"], "device", "country/US/×device", "", False),
        (["country/US"], "country", "country", "US", False),
        (["country/US/CA"], "country", "country", "US", True),
        (["country/US/CA"], "country/US", "country/US", "CA", False),
        (["country/US"], "country/US", "country/US", "", False),
        (["country/US"], "country/DE", "country/DE", "", True),
        (["country/US", "device/phone"], "country", "device/phone/×country", "US", False),
        (["country/US"], "page", "page", "", True),
        (["country/US/CA"], "device", "device", "", True),
        # The names of dimensions are not what lies below a value.
        ([], "", "_", "", False),
        (["country/US"], "", "_", "", True),
    ],
)
def test_tables(filters: list[str], dimension: str, path: str, name: str, told: bool) -> None:
    found = narrow_table(CROSSED, SHOP, paths(*filters), Path.parse(dimension))
    assert (str(found.path), found.name, bool(found.problem)) == (path, name, told)


@pytest.mark.parametrize(
    ("filters", "row", "path", "told"),
    [
        ([], "", "_", False),
        (["country/US"], "", "country/US", False),
        (["country/US", "device/phone"], "", "country/US/×device/phone", False),
        (["country/US", "page/home"], "", "_", True),
        (["device/phone"], "country/US", "device/phone/×country/US", False),
        (["country/US"], "country/US/CA", "country/US/CA", False),
        (["country/US"], "country/DE", "country/DE", True),
    ],
)
def test_rows(filters: list[str], row: str, path: str, told: bool) -> None:
    found = narrow_row(CROSSED, SHOP, paths(*filters), Path.parse(row))
    assert (str(found.path), bool(found.problem)) == (path, told)


def test_child_counters_are_no_part_of_a_value() -> None:
    assert narrow_counters([]).problem == ""
    assert narrow_counters(paths("country/US")).problem == (
        "Not filtered by country: US: it was not counted together with this."
    )


def state(query: str) -> BoardState:
    return BoardState.of_link(QueryDict(query))


class TestAddress:
    def test_what_is_said_comes_back(self) -> None:
        query = "?p=7d&c=year&f=country%2FUS&f=device%2Fphone&o12=-hits&d3=country%2FUS"
        assert state(query[1:]).query() == query

    def test_nothing_is_said_of_filters_or_that_there_are_none(self) -> None:
        assert state("").filters is None
        assert state("f=-").filters == ()
        assert state("f=-").link(period="7d") == "?p=7d&f=-"
        assert state("f=country/US").link(filters=()) == "?f=-"

    def test_dates_are_a_period(self) -> None:
        assert state("from=2026-11-01&to=2026-11-05").period == "2026-11-01..2026-11-05"
        assert state("from=2026-11-01").period == "2026-11-01..2026-11-01"
        assert state("c=custom&cfrom=2026-10-01&cto=2026-10-05").compare == "2026-10-01..2026-10-05"
        assert state("c=custom").compare == ""

    def test_another_order_begins_on_the_first_page(self) -> None:
        assert state("o1=-a&page1=3&page2=4").panel_link("1", o="-b") == "?o1=-b&page2=4"
        assert state("o1=-a").panel_link("1", o="") == "?"

    def test_what_no_panel_has_is_not_kept(self) -> None:
        assert state("x1=2&o=3&o1x=4&next=//evil").query() == "?"
        assert len(state("&".join(f"o{number}=a" for number in range(500))).panels) == 100
