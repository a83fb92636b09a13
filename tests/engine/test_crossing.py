"""What is counted together, and where a filter finds it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hailwhale_django.engine.domain.crossing import Crossings
from hailwhale_django.engine.domain.paths import ROOT, Path, dimension_paths
from hailwhale_django.engine.errors import InvalidInput, TooLarge
from hailwhale_django.engine.pod import Pod

PAIR = Crossings.parse({"shop": [["country", "device"]]})
THREE = Crossings.parse({"shop": [["a", "b", "c"]]})

EVENTS = [
    ({"country": {"US": "CA"}, "device": "mobile"}, 2),
    ({"country": {"US": "NY"}, "device": "desktop"}, 3),
    ({"country": "DE", "device": "mobile"}, 5),
    ({"country": "DE"}, 7),
]


def texts(paths: list[Path]) -> list[str]:
    return list(map(str, paths))


def test_each_of_two_is_counted_within_the_first_values_of_the_other() -> None:
    paths = dimension_paths({"country": {"US": "CA"}, "device": "mobile"})
    assert texts(PAIR.paths("shop", paths)) == [
        "country/US/×device",
        "country/US/×device/mobile",
        "device/mobile/×country",
        "device/mobile/×country/US",
        "device/mobile/×country/US/CA",
    ]


def test_what_lacks_one_of_both_is_not_crossed() -> None:
    assert PAIR.paths("shop", dimension_paths({"country": "US"})) == []
    assert PAIR.paths("else", dimension_paths({"country": "US", "device": "mobile"})) == []


def test_three_make_eighteen_further_paths() -> None:
    paths = texts(THREE.paths("shop", dimension_paths({"a": "1", "b": "2", "c": "3"})))
    assert len(paths) == len(set(paths)) == 18
    assert "a/1/×b/2/×c/3" in paths and "b/2/×c/3/×a/1" in paths


@pytest.mark.parametrize(
    ("filters", "dimension", "found"),
    [
        ([], "device", "device"),
        (["country/US"], "device", "country/US/×device"),
        (["device/mobile"], "country/US", "device/mobile/×country/US"),
        (["country/US"], "", "country/US"),
        (["country/US/CA"], "", "country/US/CA"),
        (["device/mobile", "country/US"], "", "country/US/×device/mobile"),
        (["country/US"], "page", None),
        (["country/US/CA"], "device", None),
        (["country/US", "page/home"], "", None),
    ],
)
def test_where_a_table_within_values_is(filters: list[str], dimension: str, found: str | None) -> None:
    within = PAIR.within("shop", list(map(Path.parse, filters)), Path.parse(dimension))
    assert within == (None if found is None else Path.parse(found))


def test_two_of_three_values_are_found_in_the_order_of_their_set() -> None:
    filters = [Path.parse("c/3"), Path.parse("a/1")]
    assert THREE.within("shop", filters, Path.parse("b")) == Path.parse("a/1/×c/3/×b")
    assert THREE.within("shop", filters, ROOT) == Path.parse("a/1/×c/3")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ([["a", "b"]], InvalidInput),
        ({"shop": ["a", "b"]}, InvalidInput),
        ({"shop": [["a"]]}, InvalidInput),
        ({"shop": [["a", "a"]]}, InvalidInput),
        ({"": [["a", "b"]]}, InvalidInput),
        ({"shop": [["a", "b", "c", "d"]]}, TooLarge),
    ],
)
def test_what_is_no_set_of_dimensions_is_refused(given: object, error: type[InvalidInput]) -> None:
    with pytest.raises(error, match="CROSSINGS"):
        Crossings.parse(given)


@pytest.fixture
def pod(pods: Callable[..., Pod], any_redis_url: str) -> Pod:
    return pods(any_redis_url, crossings=PAIR)


@pytest.mark.parametrize("way", ["one by one", "together"])
def test_devices_of_a_country_are_counted(pod: Pod, way: str) -> None:
    if way == "together":
        pod.count_many([("shop", dimensions, {"sales": sales}) for dimensions, sales in EVENTS], None)
    else:
        for dimensions, sales in EVENTS:
            pod.count("shop", dimensions, {"sales": sales}, None)

    def sold(dimension: str) -> dict[str, float | None]:
        answer = pod.query("shop", dimension=dimension, metrics="sales", period="today")
        return {row.name: row.cells[0].value for row in answer.rows} | {"total": answer.totals.cells[0].value}

    assert sold("country/US/×device") == {"desktop": 3, "mobile": 2, "total": 5}
    assert sold("device/mobile/×country") == {"DE": 5, "US": 2, "total": 7}
    assert sold("country/DE/×device") == {"mobile": 5, "total": 5}
    # The tables of what is crossed are no children.
    assert sold("country/US") == {"NY": 3, "CA": 2, "total": 5}
    assert sold("country") == {"DE": 12, "US": 5, "total": 17}
    assert sold("device") == {"mobile": 7, "desktop": 3, "total": 10}


def test_what_is_crossed_is_no_child_and_takes_no_childs_place(pods: Callable[..., Pod], redis_url: str) -> None:
    pod = pods(redis_url, crossings=PAIR, children=2)
    for country, city, device in (
        ("US", "NY", "mobile"),
        ("US", "LA", "desktop"),
        ("US", "SF", "mobile"),
        ("DE", "B", "mobile"),
    ):
        pod.count("shop", {"country": {country: city}, "device": device}, None, None)

    answer = pod.query("shop", dimension="country", metrics="hits", period="today", drillable=True)
    assert [(row.name, row.children) for row in answer.rows] == [("US", 3), ("DE", 1)]  # NY, LA, (other)
    below = pod.query("shop", dimension="country/US", metrics="hits", period="today")
    assert sorted((row.name, row.cells[0].value) for row in below.rows) == [("LA", 1), ("NY", 1)]
    assert below.other is not None and below.other.cells[0].value == 1
    devices = pod.query("shop", dimension="country/US/×device", metrics="hits", period="today")
    assert [(row.name, row.cells[0].value) for row in devices.rows] == [("mobile", 2), ("desktop", 1)]


def test_with_no_room_left_values_stay_what_they_are(pods: Callable[..., Pod], redis_url: str) -> None:
    """Eight rows: the whole, country, US, NY, device, mobile, and two of what is crossed."""
    pod = pods(redis_url, crossings=PAIR, rows=8)
    for _ in range(3):
        pod.count("shop", {"country": {"US": "NY"}, "device": "mobile"}, None, None)
    below = pod.query("shop", dimension="country/US", metrics="hits", period="today")
    assert [(row.name, row.cells[0].value) for row in below.rows] == [("NY", 3)]
    assert below.other is None


def test_removing_a_value_counts_its_children_anew(pods: Callable[..., Pod], redis_url: str) -> None:
    pod = pods(redis_url, crossings=PAIR)
    for city in ("NY", "LA"):
        pod.count("shop", {"country": {"US": city}, "device": "mobile"}, None, None)
    pod.reset("shop", "country/US/LA", None)
    (row,) = pod.query("shop", dimension="country", metrics="hits", period="today", drillable=True).rows
    assert row.children == 1
