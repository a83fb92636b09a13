"""Tables: what is asked is what is answered, to the last row and the last edge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hailwhale_django.engine.domain.answer import Answer, Row
from hailwhale_django.engine.domain.query import MAX_LIMIT
from hailwhale_django.engine.errors import InvalidInput, TooLarge
from hailwhale_django.engine.pod import Pod
from tests.engine.conftest import NOW, Clock, Pods


def values(rows: list[Row], column: int = 0) -> dict[str, float]:
    return {str(row.path): row.cells[column].value for row in rows}


def names(answer: Answer) -> list[str]:
    return [row.name for row in answer.rows]


@pytest.fixture
def shop(pod: Pod) -> Pod:
    """A week: US has 8 sales of 100 visitors, DE 3 of 20, FR 0 of 5, IT none at all; and some of the week before."""
    for name, sales, visitors in (("US", 8, 100), ("DE", 3, 20), ("FR", 0, 5)):
        pod.count("shop", {"country": {name: f"{name}-1"}}, {"sales": sales, "visitors": visitors}, None)
    pod.count("shop", {"country": {"US": "US-2"}}, {"sales": 0}, None)
    before = (NOW - timedelta(days=8)).timestamp()
    pod.count("shop", {"country": "IT"}, {"sales": 2, "visitors": 4}, before)
    pod.count("shop", {"country": "US"}, {"sales": 4, "visitors": 50}, before)
    return pod


def ask(pod: Pod, **asked: Any) -> Answer:
    return pod.query("shop", **{"dimension": "country", "metrics": ["sales/visitors"], "period": "7d"} | asked)


# --- rows, totals and cells


def test_a_table_by_ratio(shop: Pod) -> None:
    answer = ask(shop, metrics=["sales/visitors", "sales", "hits"])
    assert values(answer.rows) == {
        "country/DE": 0.15,
        "country/US": 0.08,
        "country/FR": 0.0,
        "country/IT": 0.0,
    }
    assert [str(formula) for formula in answer.columns] == ["sales/visitors", "sales", "hits"]
    assert answer.totals.path == ("country",)
    assert [cell.value for cell in answer.totals.cells] == [11 / 125, 11, 4]
    assert (answer.other, answer.count, answer.labels, answer.warnings) == (None, 4, None, [])
    us = answer.rows[1].cells[0]
    assert (us.numerator, us.denominator, us.share) == (8, 100, 0.8)
    assert us.difference == pytest.approx((0.08 - 0.088) / 0.088)
    assert us.effect == pytest.approx(-0.8)  # 100 visitors at 0.088 would have bought 8.8
    assert (us.important, answer.rows[0].cells[0].important) == (False, True)
    sales = answer.rows[1].cells[1]
    assert (sales.numerator, sales.share, sales.effect, sales.difference) == (None, 8 / 11, 3, 3)


def test_a_table_of_what_was_never_counted(pod: Pod) -> None:
    for asked in ({}, {"dimension": "country"}, {"counters": True}, {"depth": 3}, {"plotted": True, "bounds": True}):
        answer = pod.query("nothing", metrics=["sales/visitors", "hits:last", "hits:+", "1/3"], period="7d", **asked)
        assert (answer.rows, answer.other, answer.count) == ([], None, 0)
        assert [cell.value for cell in answer.totals.cells] == [0, 0, 0, 1 / 3]


def test_constants_alone(shop: Pod) -> None:
    answer = ask(shop, metrics=["7", "days", "_count*2", "1/0", "hours/days"], plotted=True)
    assert [cell.value for cell in answer.rows[0].cells] == [7, 7, 14, 0, 24]
    assert names(answer) == ["DE", "FR", "IT", "US"]
    assert answer.rows[0].cells[1].points == [1] * 7
    assert answer.rows[0].cells[3].points == [None] * 7


def test_levels(shop: Pod) -> None:
    answer = ask(shop, metrics=["sales/sales@parent", "hits/hits@_", "sales@parent"])
    assert values(answer.rows) == {"country/US": 8 / 11, "country/DE": 3 / 11, "country/FR": 0, "country/IT": 0}
    assert answer.totals.cells[0].value == 1
    assert values(answer.rows, 1)["country/US"] == 0.5
    assert values(answer.rows, 2)["country/US"] == 11


def test_levels_in_a_table_of_several_levels_are_each_row_s_own(shop: Pod) -> None:
    answer = ask(shop, metrics="hits/hits@parent", depth=2)
    found = values(answer.rows)
    assert found["country/US"] == 0.5
    assert found["country/US/US-1"] == found["country/US/US-2"] == 0.5
    assert found["country/DE/DE-1"] == 1
    plotted = ask(shop, metrics="hits/hits@parent", depth=2, plotted=True, period="1d:1d")
    assert {str(row.path): (row.cells[0].points or [])[-1] for row in plotted.rows} == found | {"country/IT": 0}
    assert plotted.totals.cells[0].points == [None, 1]


# --- order, filters and pages


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (None, ["DE", "US", "FR", "IT"]),
        ("+sales/visitors", ["FR", "IT", "US", "DE"]),
        ("-visitors", ["US", "DE", "FR", "IT"]),
        ("name", ["DE", "FR", "IT", "US"]),
        ("-name", ["US", "IT", "FR", "DE"]),
        (["hits", "name"], ["US", "DE", "FR", "IT"]),
        ([["hits", "asc"], ["name", "desc"]], ["IT", "FR", "DE", "US"]),
        (["-sales", "-visitors"], ["US", "DE", "FR", "IT"]),
        (["visitors", "asc"], ["IT", "FR", "DE", "US"]),
        ("share:sales", ["US", "DE", "FR", "IT"]),
        ("+effect:sales", ["US", "DE", "FR", "IT"]),
        ("difference:sales/visitors", ["DE", "US", "FR", "IT"]),
        ("-change:sales", ["DE", "FR", "IT", "US"]),  # nothing to compare with: by name
    ],
)
def test_orders(shop: Pod, order: Any, expected: list[str]) -> None:
    assert names(ask(shop, order_by=order)) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([[">", "visitors", 5]], ["DE", "US"]),
        ([[">=", "visitors", 5]], ["DE", "US", "FR"]),
        ([["=", "visitors", 0]], ["IT"]),
        ([["!=", "sales/visitors", 0], ["<", "sales/visitors", 0.1]], ["US"]),
        ([["is", "name", ["us", "FR"]]], ["US", "FR"]),
        ([["is_not", "name", "US"]], ["DE", "FR", "IT"]),
        ([["contains", "name", "r"]], ["FR"]),
        ([["contains_not", "name", ["R", "e"]]], ["US", "IT"]),
        ([["is", "name", "nobody"]], []),
        ([["exactly", "name", ["us", "FR"]]], ["FR"]),
    ],
)
def test_filters(shop: Pod, filters: list[Any], expected: list[str]) -> None:
    answer = ask(shop, filters=filters)
    assert names(answer) == expected
    assert answer.count == len(expected)
    assert answer.totals.cells[0].value == 11 / 125, "totals are of the parent, whatever is filtered"


def test_filters_and_orders_may_go_by_columns_that_are_not_shown(shop: Pod) -> None:
    answer = ask(shop, metrics="hits", order_by="-sales", filters=[[">", "visitors:cumulative", 10]])
    assert [str(formula) for formula in answer.columns] == ["hits"]
    assert names(answer) == ["US", "DE"]


@pytest.mark.parametrize(
    ("limit", "offset", "expected"),
    [
        (1, 0, ["DE"]),
        (2, 1, ["US", "FR"]),
        (4, 0, ["DE", "US", "FR", "IT"]),
        (5, 3, ["IT"]),
        (5, 4, []),
        (5, 10**9, []),
        (None, 2, ["FR", "IT"]),
        (MAX_LIMIT, 0, ["DE", "US", "FR", "IT"]),
        ("2", "0", ["DE", "US"]),
    ],
)
def test_limit_and_offset(shop: Pod, limit: Any, offset: Any, expected: list[str]) -> None:
    answer = ask(shop, limit=limit, offset=offset)
    assert names(answer) == expected
    assert answer.count == 4


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": -1}, "limit"),
        ({"limit": MAX_LIMIT + 1}, "limit"),
        ({"offset": -1}, "offset"),
        ({"offset": "x"}, "offset"),
        ({"depth": 0}, "depth"),
        ({"depth": 9}, "depth"),
        ({"period": "sometime"}, "period"),
        ({"interval": "5x"}, "interval"),
        ({"order_by": {"a": 1}}, "order_by"),
        ({"order_by": 5}, "order_by"),
        ({"filters": "hits > 5"}, "filters"),
        ({"filters": [["~", "hits", 5]]}, "filters"),
        ({"filters": [[">", "hits", 5]] * 21}, "filters"),
        ({"metrics": ["a/"]}, "formula"),
        ({"dimension": {"a": 1, "b": 2}}, "dimension"),
        ({"dimension": 5}, "dimension"),
        ({"tzoffset": "Mars"}, "tzoffset"),
        ({"versus": "nonsense"}, None),
    ],
)
def test_what_will_not_do_is_named(shop: Pod, asked: dict[str, Any], field: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        ask(shop, **asked)
    assert field in (None, caught.value.field)


# --- comparing


def test_versus_the_period_before(shop: Pod) -> None:
    answer = ask(shop, metrics=["sales", "sales/visitors"], versus="previous", order_by="-change:sales")
    assert names(answer) == ["US", "IT", "DE", "FR"]
    us, italy, germany, _ = (row.cells[0] for row in answer.rows)
    assert (us.before, us.change) == (4, 1.0)
    assert (italy.before, italy.change) == (2, -1.0)
    assert (germany.before, germany.change) == (0, None)
    assert (answer.totals.cells[0].before, answer.totals.cells[0].change) == (6, 5 / 6)
    assert answer.rows[0].cells[1].before == 0.08


@pytest.mark.parametrize(("versus", "before"), [("year", 0), ("weekdays", 6), ("2099-11-13..2099-11-13", 6)])
def test_versus_other_periods(shop: Pod, versus: str, before: float) -> None:
    answer = ask(shop, metrics="sales", versus=versus)
    assert answer.totals.cells[0].before == before


def test_versus_at_another_interval_is_the_same_comparison(shop: Pod) -> None:
    for interval in ("1h", "1d", "1w", "1mo"):
        answer = ask(shop, metrics="sales", versus="previous", interval=interval, plotted=True)
        assert (answer.totals.cells[0].value, answer.totals.cells[0].before) == (11, 6), interval
        assert sum(answer.totals.cells[0].points or []) == 11


# --- bounds


def test_bounds_keep_a_lucky_few_from_coming_first(pod: Pod) -> None:
    """Two of two against 500 of 1,000 a day: the first is better, perhaps."""
    for day in range(20):
        at = (NOW - timedelta(days=day)).timestamp()
        pod.count("ads", {"ad": "sure"}, {"clicks": 500 + day % 3, "views": 1000}, at)
        pod.count("ads", {"ad": "poor"}, {"clicks": 10 + day % 3, "views": 1000}, at)
    pod.count("ads", {"ad": "lucky"}, {"clicks": 2, "views": 2}, None)
    answer = pod.query("ads", dimension="ad", metrics="clicks/views", period="30d")
    assert (names(answer), answer.rows[0].cells[0].low) == (["lucky", "sure", "poor"], None)
    answer = pod.query("ads", dimension="ad", metrics="clicks/views", period="30d", order_by="low:clicks/views")
    assert names(answer)[0] == "sure"
    for row in answer.rows:
        cell = row.cells[0]
        assert cell.low is not None and cell.high is not None
        assert cell.low < cell.value < cell.high
    widths = {row.name: row.cells[0].high - row.cells[0].low for row in answer.rows}
    assert widths["lucky"] > 10 * widths["sure"]


# --- plots


def test_points_of_a_table(shop: Pod) -> None:
    answer = ask(shop, metrics=["sales", "sales/visitors", "sales:cumulative"], period="2099-11-13..2099-11-21",
                 plotted=True, limit=1, order_by="-sales")  # fmt: skip
    (us,) = answer.rows
    assert us.cells[0].points == [4, 0, 0, 0, 0, 0, 0, 0, 8]
    assert us.cells[1].points == [0.08, *[None] * 7, 0.08]
    assert us.cells[2].points == [4, 4, 4, 4, 4, 4, 4, 4, 12]
    assert answer.totals.cells[0].points == [6, 0, 0, 0, 0, 0, 0, 0, 11]
    assert answer.labels == [f"11/{day}/99" for day in range(13, 22)]


# --- several levels, many rows


def test_depth(shop: Pod) -> None:
    two = ask(shop, metrics="visitors", depth=2, limit=None)
    assert values(two.rows) == {
        "country/US": 100,
        "country/US/US-1": 100,
        "country/DE": 20,
        "country/DE/DE-1": 20,
        "country/FR": 5,
        "country/FR/FR-1": 5,
        "country/IT": 0,
        "country/US/US-2": 0,
    }
    assert [str(row.path) for row in two.rows][:2] == ["country/US", "country/US/US-1"]
    whole = shop.query("shop", metrics="visitors", depth=8, period="7d", limit=None)
    assert len(whole.rows) == 9
    assert shop.all_subdimensions("shop", None) == [
        (), ("country",), ("country", "US"), ("country", "US", "US-1"), ("country", "US", "US-2"), ("country", "DE"),
        ("country", "DE", "DE-1"), ("country", "FR"), ("country", "FR", "FR-1"), ("country", "IT"),
    ]  # fmt: skip


def test_depth_with_many_children(pod: Pod) -> None:
    """1,300 children of 3 children each: more rows than two pages, at several levels."""
    pod.count_many(
        [("shop", {"n": {f"c{n}": {f"d{d}": {}}}}, {"revenue": n * 10 + d}) for n in range(1300) for d in range(3)],
        None,
    )
    answer = pod.query("shop", dimension="n", metrics="revenue", period="today", depth=2, limit=None)
    found = values(answer.rows)
    assert len(found) == 1300 * 4
    for n in (0, 20, 21, 63, 64, 700, 1299):
        assert found[f"n/c{n}"] == 30 * n + 3
        assert [found[f"n/c{n}/d{d}"] for d in range(3)] == [10 * n, 10 * n + 1, 10 * n + 2]
    assert answer.totals.cells[0].value == sum(30 * n + 3 for n in range(1300))
    drilled = pod.query("shop", dimension="n", period="today", limit=2, drillable=True)
    assert [row.children for row in drilled.rows] == [3, 3]


# --- full tables


def test_children_beneath_other(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url, children=2)
    for n in range(5):
        pod.count("shop", {"country": {f"c{n}": {f"city{n}": "x"}}}, {"revenue": 2**n}, None)
    answer = pod.query("shop", dimension="country", metrics="revenue", period="today", drillable=True)
    assert values(answer.rows) == {"country/c1": 2, "country/c0": 1}
    assert answer.other is not None
    assert (answer.other.path, answer.other.cells[0].value) == (("country", "(other)"), 4 + 8 + 16)
    assert (answer.other.children, answer.other.other) == (3, True)
    assert answer.warnings == ["this table is full: what came after its 2 children is counted in (other)"]
    beneath = pod.query("shop", dimension="country/(other)", metrics="revenue", period="today")
    assert values(beneath.rows) == {"country/(other)/city3": 8, "country/(other)/city2": 4}
    assert beneath.other is not None
    assert beneath.other.cells[0].value == 16
    deep = pod.query("shop", metrics="revenue", period="today", depth=4, limit=None)
    assert deep.other is not None and deep.other.path == ("country", "(other)")
    assert "(other)" not in names(deep)
    assert values(deep.rows)["country/(other)/(other)/x"] == 16


def test_other_given_by_name_is_other(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url, children=2)
    for name in ("(other)", "a", "b", "c", "(other)"):
        pod.count("shop", {"country": name}, None, None)
    answer = pod.query("shop", dimension="country", period="today")
    # It takes one of the places, as any name does.
    assert answer.other is not None
    assert sum(values(answer.rows).values()) + answer.other.cells[0].value == 5
    assert "(other)" not in names(answer)


def test_child_counters_beyond_the_limit_are_one(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url, children=2)
    for n in range(4):
        pod.count(["Product", str(n), "en"], {"country": "US"}, {"revenue": 2**n}, None)
    answer = pod.query("Product", counters=True, metrics="revenue", period="today")
    assert values(answer.rows) == {"1": 2, "0": 1}
    assert answer.other is not None and answer.other.cells[0].value == 12
    assert [str(pk) for pk in pod.counters("Product")] == ["Product/0", "Product/1", "Product/(other)"]
    other = pod.query(["Product", "(other)"], dimension="country", metrics="revenue", period="today")
    assert values(other.rows) == {"country/US": 12}
    assert values(pod.query(["Product", "(other)"], counters=True, metrics="revenue", period="today").rows) == {
        "en": 12
    }


def test_a_table_that_is_nearly_full_says_so(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url, children=10)
    pod.count_many([("shop", {"country": f"c{n}"}) for n in range(7)], None)
    assert pod.query("shop", dimension="country").warnings == []
    pod.count("shop", {"country": "c7"}, None, None)
    assert pod.query("shop", dimension="country").warnings == [
        "this table has 8 of at most 10 children; further ones go to (other)"
    ]


# --- zones


def test_today_begins_at_midnight_of_the_zone_also_where_that_is_half_past(pod: Pod) -> None:
    """In Kolkata 22 November began at 18:30 UTC."""
    for minute in (29, 31):
        pod.count("shop", {"country": f"c{minute}"}, None, datetime(2099, 11, 21, 18, minute, tzinfo=UTC).timestamp())
    answer = pod.query("shop", dimension="country", period="today", tzoffset="Asia/Kolkata", plotted=True)
    assert values(answer.rows) == {"country/c31": 1, "country/c29": 0}
    assert answer.totals.cells[0].value == 1
    assert answer.totals.cells[0].points == [1, 0, 0, 0, 0, 0]
    yesterday = pod.query("shop", dimension="country", period="yesterday", tzoffset="Asia/Kolkata")
    assert values(yesterday.rows) == {"country/c29": 1, "country/c31": 0}
    assert answer.warnings == yesterday.warnings == []
    for interval in ("1h", "1d"):
        by = pod.query(
            "shop", period="today", interval=interval, tzoffset="Asia/Kolkata", versus="previous", plotted=True
        )
        assert (by.totals.cells[0].value, by.totals.cells[0].before) == (1, 1)
        assert sum(by.totals.cells[0].points or []) == 1
    assert pod.query("shop", period="1d|Asia/Kolkata", interval="1d").totals.cells[0].value == 2


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Europe/Berlin", "Australia/Lord_Howe"])
def test_days_of_23_to_25_hours_hold_their_events(pods: Pods, redis_url: str, clock: Clock, zone: str) -> None:
    """One event in each half hour of a year's end; every day has as many as it has half hours."""
    pod = pods(redis_url, zone=zone, intervals={"1h": None, "1d": None, "1w": None, "1mo": None})
    there = ZoneInfo(zone)
    clock.set(datetime(2099, 11, 20, tzinfo=there))
    begin = int(datetime(2099, 10, 1, tzinfo=there).timestamp())
    end = int(datetime(2099, 11, 20, tzinfo=there).timestamp())
    pod.count_many([("shop", None, None, at) for at in range(begin, end, 1800)], None)
    answer = pod.query("shop", period="2099-10-01..2099-11-19", plotted=True)
    lengths = [
        (datetime(2099, 10, 1 + 1, tzinfo=UTC) + timedelta(days=n)).replace(tzinfo=there).timestamp()
        - (datetime(2099, 10, 1, tzinfo=UTC) + timedelta(days=n)).replace(tzinfo=there).timestamp()
        for n in range(50)
    ]
    assert answer.totals.cells[0].points == [length / 1800 for length in lengths]
    assert answer.totals.cells[0].value == (end - begin) / 1800
    assert pod.query("shop", period="2099-10-01..2099-10-31").totals.cells[0].value == sum(lengths[:31]) / 1800


# --- limits of what is answered


def test_a_period_of_too_many_points_is_refused(pod: Pod) -> None:
    with pytest.raises(TooLarge):
        pod.query("shop", period="1m:1y", plotted=True)


def test_more_spans_than_a_tile_has(pod: Pod) -> None:
    """40 days by hour are 61 tiles for each metric."""
    for day in range(40):
        pod.count("shop", {"country": "US"}, {"revenue": day}, (NOW - timedelta(days=day)).timestamp())
    answer = pod.query("shop", dimension="country", metrics="revenue", period="1h:40d", plotted=True)
    points = answer.rows[0].cells[0].points or []
    assert len(points) == 961
    assert points[::-24] == list(range(40)) + [0]
    assert answer.rows[0].cells[0].value == 780


# --- names


NAMES = ["a/b", "50% off", "{x}", "}{", "two\nlines", "_", "(other) ", "日本", "\x00", "'", '"', "%2F", "a:b", " "]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_may_hold_anything(any_pod: Pod, name: str) -> None:
    pk = ["shop", name]
    any_pod.count(pk, {"country": {name: name}, "x": name}, {"revenue": 5}, None)
    any_pod.count(pk, {"x": [name]}, None, None)
    for counter in ("shop", pk):
        assert any_pod.subdimensions(counter, "country") == [("country", name)]
        assert any_pod.query(counter, dimension=["country", name], metrics="revenue").rows[0].path == (
            "country",
            name,
            name,
        )
        assert any_pod.query(counter, dimension=["country", name, name], metrics="revenue").totals.cells[0].value == 5
        answer = any_pod.query(counter, dimension=["country"], metrics="revenue", filters=[["is", "name", name]])
        assert values(answer.rows) == {str(answer.rows[0].path): 5}
    assert any_pod.counters("shop") == [("shop", name)]


@pytest.mark.parametrize("metric", ["a b", "Umsatz €", "{x}", "a}b", "hours", "1st", "x:last", "a/b", '"', "\\"])
def test_a_metric_may_be_called_anything(any_pod: Pod, metric: str) -> None:
    quoted = '"' + metric.replace("\\", "\\\\").replace('"', '\\"') + '"'
    for _ in range(2):
        any_pod.count("shop", {"country": "US"}, {metric: 2.5}, None)
    answer = any_pod.query("shop", dimension="country", metrics=[quoted, f"{quoted}/hits"])
    assert [cell.value for cell in answer.rows[0].cells] == [5, 2.5]
    assert any_pod.metrics_of("shop") == sorted([metric, "hits"])
    any_pod.reset("shop", None, metric)
    assert any_pod.query("shop", metrics=quoted).totals.cells[0].value == 0
    assert any_pod.metrics_of("shop") == ["hits"]


@pytest.mark.parametrize(
    "pk", ["_", "/x", "a//b", "%", "{}", ["_", "_"], ["_", "x"], [" "], "[", '["a"', ["(other)", "(other)"]]
)
def test_a_counter_may_be_called_anything(any_pod: Pod, pk: Any) -> None:
    any_pod.count(pk, "country", {"revenue": 3}, None)
    any_pod.update_count_to(pk, "stock", {"items": 7}, "1d", None)
    assert any_pod.query(pk, metrics="revenue").totals.cells[0].value == 3
    assert any_pod.query(pk, dimension="stock", metrics="items").totals.cells[0].value == 7
    (top,) = any_pod.counters()
    assert any_pod.query(top, metrics="revenue").totals.cells[0].value == 3
    any_pod.reset(pk)
    assert any_pod.query(pk, metrics="revenue").totals.cells[0].value == 0
    any_pod.reset(top)
    assert any_pod.counters() == []
