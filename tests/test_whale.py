"""`Whale`: the ancestor's README as it is spelled, and what its users rely on, mended where it was broken."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured

from hailwhale_django import Whale, connection
from hailwhale_django.engine.errors import CounterOverflow, HailWhaleError, InvalidInput, TooManyNames
from tests.engine.conftest import NOW, Clock

FIVE_SIZES = ["1d:1y", "1d:1mo", "1d:1w", "1h:1d", "1m:1h"]


@pytest.fixture(autouse=True)
def clock(redis_url: str, settings: Any) -> Iterator[Clock]:
    """Saturday, 21 November 2099, 23:42 UTC, in two stores on an empty server."""
    settings.HAILWHALE = {"REDIS": redis_url, "STORES": {"other": {"PREFIX": "other"}}}
    cache.clear()
    standing = Clock()
    for store in ("default", "other"):
        connection.pod(store).clock = standing
    yield standing
    for store in ("default", "other"):
        connection.pod(store).store.server.close()


def ago(**age: float) -> datetime:
    return NOW - timedelta(**age)


class TestReadme:
    """Every example of the ancestor, word for word but for `print`, which has become a function."""

    def test_counting(self) -> None:
        # Let's log some data
        Whale.count_now('my_counter', metrics={'hits': 1})  # fmt: skip
        # How many hits today? 1. 1 hit. Gooood dooog.
        assert(Whale.total('my_counter', metric='hits', period='today') == 1)  # fmt: skip

    def test_graphs(self, clock: Clock) -> None:
        clock.set(datetime(2099, 1, 3, 12, tzinfo=UTC))
        Whale.count_now('my_counter', metrics={'hits': 1})  # fmt: skip
        # Count something else probably
        Whale.count_now('my_counter', metrics={'sales': 1, 'revenue': 5})  # fmt: skip
        # Now we want some graph. The men in suits always want more graph :(
        pps = Whale.plotpoints('my_counter', metrics=['hits','sales','revenue/hits'], period='mtd')  # fmt: skip
        # we all gonna be out the job
        assert list(pps['my_counter']['revenue/hits'].keys())[:3] == ['1/1/99', '1/2/99', '1/3/99']  # fmt: skip
        # Its own sample has 5.0 here; with its promise of a hit for each event it is 2.5.
        assert pps['my_counter']['revenue/hits'] == {'1/1/99': 0, '1/2/99': 0, '1/3/99': 2.5}  # fmt: skip
        assert pps["_"]["hits"] == {"1/1/99": 0, "1/2/99": 0, "1/3/99": 2}

    def test_nested_keys_and_dashboards(self) -> None:
        # you can also nest your PKs, and include a dimension to further subdivide your stats
        Whale.count_now(['Product', '123'], metric={'revenue': 10.0, 'sales': 1}, dimensions={'country': 'US', 'device': 'Mac OS X'})  # fmt: skip # noqa: E501
        # Get some numbers for a dashboard
        totals = Whale.totals(['Product', '123'], metric=['revenue', 'sales'], period='1d:1mo')  # fmt: skip
        assert totals == {"1d:1mo": {"_": {"revenue": 10, "sales": 1}}}
        assert totals["1d:1mo"][["Product", "123"]] == {"revenue": 10, "sales": 1}
        # Now get plotpoints for graphs of all countries, by revenue/visitor
        plotpoints = Whale.plotpoints(['Product', '123'], dimensions='country', metric=['revenue/visitor'], depth=1)  # fmt: skip # noqa: E501
        assert list(plotpoints) == ["country", "country/US"]
        assert len(plotpoints["country/US"]["revenue/visitor"]) == 32
        assert Whale.total("Product", "revenue") == 10

    def test_urls_as_calls(self) -> None:
        """What its three URLs count, which it got to be -2000 itself."""
        Whale.count_now("test", "services", {"dollars": 200})
        Whale.count_now("test", "advertising", {"dollars": -2000})
        Whale.count_now("test", {"sales": 42}, metric={"dollars": 500})
        assert Whale.total("test", "dollars") == -1300
        assert Whale.total("test", "dollars", "sales") == Whale.total("test", "dollars", ["sales", 42]) == 500
        assert Whale.total("test", "dollars/hits") == pytest.approx(-1300 / 3)

    def test_sorted_by_revenue_per_visitor(self) -> None:
        """ "Give me all the counts, grouped by Country, sorted by Revenue/Visitors." """
        for country, revenue, visitors in (("US", 500, 1000), ("DE", 90, 100), ("FR", 3, 10)):
            metrics = {"impressions": visitors * 7, "visitors": visitors, "revenue": revenue}
            Whale.count_now("site", {"country": country}, metrics)
        answer = Whale.query(
            "site", dimension="country", metrics=["revenue/visitors", "impressions"], order_by="revenue/visitors"
        )
        assert [(row.name, row.cells[0].value) for row in answer.rows] == [("DE", 0.9), ("US", 0.5), ("FR", 0.3)]


class TestCounting:
    @pytest.mark.parametrize(
        "arguments",
        [
            {"dimensions": {"country": "US"}, "metrics": {"revenue": 2}},
            {"dimension": {"country": "US"}, "metric": {"revenue": 2}},
            {"dimension": ["country", "US"], "metrics": {"revenue": "2"}},
            {"dimensions": "country/US", "metric": {"revenue": 2.0}},
        ],
    )
    def test_both_spellings_of_arguments(self, arguments: dict[str, Any]) -> None:
        Whale.count_now("shop", **arguments)
        assert Whale.total("shop", "revenue", "country/US") == 2
        assert Whale.total("shop", "revenue") == 2

    def test_fractions_count(self) -> None:
        for _ in range(3):
            Whale.count_now("shop", metrics={"spent": 0.1})
        Whale.count_now("shop", metrics={"spent": 10.99})
        assert Whale.total("shop", "spent") == 11.29

    def test_hits_of_an_event_that_names_them_are_its_own(self) -> None:
        Whale.count_now("shop", metrics={"hits": 3})
        Whale.count_now("shop", metrics={"revenue": 5})
        Whale.count_now("shop", metrics=["clicks"])
        assert Whale.totals("shop", metrics=["hits", "clicks"], period="today") == {
            "today": {"_": {"hits": 5, "clicks": 1}}
        }

    @pytest.mark.parametrize(
        "at", [ago(days=1), ago(days=1).timestamp(), ago(days=1).isoformat(), "Fri Nov 20 23:42:00 2099"]
    )
    def test_at(self, at: Any) -> None:
        Whale.count_now("shop", at=at)
        assert (Whale.yesterday("shop"), Whale.today("shop")) == (1, 0)

    def test_what_nobody_keeps_is_refused_and_nothing_is_counted(self) -> None:
        for at in (NOW + timedelta(days=2), "Sun Nov 31 09:30:00 2099"):
            with pytest.raises(InvalidInput) as caught:
                Whale.count_now("shop", at=at)
            assert caught.value.field == "at"
        assert Whale.counters() == []

    @pytest.mark.parametrize(
        ("arguments", "field"),
        [
            ({"pk": None}, "pk"),
            ({"pk": 5}, "pk"),
            ({"pk": "shop", "dimensions": 5}, "dimensions"),
            ({"pk": "shop", "metrics": 5}, "metrics"),
            ({"pk": "shop", "metrics": {"revenue": "much"}}, "revenue"),
            ({"pk": "shop", "at": "once"}, "at"),
        ],
    )
    def test_what_will_not_do_is_named_and_nothing_is_counted(self, arguments: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            Whale.count_now(**arguments)
        assert caught.value.field == field
        assert Whale.counters() == []

    def test_many_at_once(self) -> None:
        events: list[Any] = [
            {"pk": "shop", "dimensions": {"country": "US"}, "metrics": {"revenue": 5}, "at": ago(days=1)},
            {"pk": "shop", "dimension": "country", "metric": {"revenue": 1}},
            {"pk": "shop"},
            ("shop", {"country": "DE"}, {"revenue": 2}),
            ["shop", None, None, ago(days=1).isoformat()],
            ("shop",),
        ]
        assert Whale.count_many(iter(events)) == 6
        assert Whale.total("shop", "revenue") == 8
        assert (Whale.today("shop"), Whale.yesterday("shop")) == (4, 2)
        assert Whale.count_many([]) == 0

    def test_of_many_those_that_will_not_do_are_told_and_the_others_counted(self) -> None:
        good, bad = ("shop", None, {"revenue": 1}), ("shop", None, {"revenue": "much"})
        late = {"pk": "shop", "at": NOW + timedelta(days=9)}
        told: list[tuple[str, Any]] = []
        given = [good, bad, good, late, 5, good, {"pk": None}]
        counted = Whale.count_many(given, lambda error, event: told.append((type(error).__name__, event)), batch=3)
        assert counted == 3
        assert sorted(map(repr, told)) == sorted(
            repr(("InvalidInput", event)) for event in (bad, late, 5, {"pk": None})
        )
        assert Whale.total("shop", "revenue") == 3

    def test_of_many_the_first_error_is_raised_once_its_batch_is_counted(self) -> None:
        good = ("shop", None, {"revenue": 1})
        with pytest.raises(InvalidInput) as caught:
            Whale.count_many([good, ("shop", None, {"revenue": "much"}), good, good, good], batch=3)
        assert "2 so far" in caught.value.__notes__[0]
        assert Whale.total("shop", "revenue") == 2

    def test_limits_are_said_and_all_else_is_counted(self, settings: Any, redis_url: str, clock: Clock) -> None:
        settings.HAILWHALE = {"REDIS": redis_url, "MAX_METRICS": 2, "MAX_COUNTERS": 1, "STORES": {"other": {}}}
        connection.pod().clock = connection.pod("other").clock = clock
        Whale.count_now("shop", metrics={"revenue": 1})
        with pytest.raises(TooManyNames, match="metrics .*cost.* not counted: the limit is 2 metrics"):
            Whale.count_now("shop", metrics={"revenue": 1, "cost": 1})
        with pytest.raises(TooManyNames, match="counters .*club.* not counted: the limit is 1 counters"):
            Whale.count_now("club")
        assert Whale.totals("shop", metrics=["hits", "revenue", "cost"], period="today")["today"]["_"] == {
            "hits": 2,
            "revenue": 2,
            "cost": 0,
        }
        assert (Whale.counters(), Whale.metrics_of("shop")) == (["shop"], ["hits", "revenue"])


class TestUpdateCountTo:
    def totals(self, path: Any = "stock", metric: str = "items") -> set[float]:
        """What each kept interval says of it."""
        periods = ["1m:10m", "1h:3h", "1d:2d", "1w:1w", "1mo:1mo"]
        asked = {
            period: Whale.plotpoints("shop", path, metric, period=period)[path or "_"][metric] for period in periods
        }
        return {sum(points.values()) for points in asked.values()}

    def test_it_sets_one_bucket_of_exactly_one_path(self) -> None:
        Whale.update_count_to("shop", "stock", {"items": 17, "value": 99.5})
        assert self.totals() == {17}
        Whale.update_count_to("shop", "stock", {"items": 5})
        assert self.totals() == {5}
        assert self.totals(metric="value") == {99.5}
        assert self.totals(None) == {0}
        assert self.totals(metric="hits") == {0}

    def test_it_replaces_what_was_counted_in_the_bucket_and_no_more(self, clock: Clock) -> None:
        Whale.count_now("shop", "stock", {"items": 3}, ago(days=1))
        Whale.count_now("shop", "stock", {"items": 4})
        Whale.update_count_to("shop", "stock", {"items": 10}, period="1d")
        points = Whale.plotpoints("shop", "stock", "items", period="1d:1d")["stock"]["items"]
        assert points == {"11/20/99": 3, "11/21/99": 10}
        assert Whale.total("shop", "items", "stock", "mtd") == 13
        Whale.update_count_to("shop", "stock", {"items": 1}, period="1mo")
        assert Whale.total("shop", "items", "stock", "mtd") == 1
        assert Whale.total("shop", "items", "stock", "1m:1h") == Whale.total("shop", "items", "stock", "today") == -2

    @pytest.mark.parametrize("value", [0, -5, 0.000001, -2_000.25, "12.5"])
    def test_to_any_number(self, value: Any) -> None:
        Whale.update_count_to("shop", "stock", {"items": 8})
        Whale.update_count_to("shop", "stock", {"items": value})
        assert self.totals() == {float(value)}

    @pytest.mark.parametrize("period", ["1m", "1h", "1d", "1mo", "1d:1y"])
    def test_at_any_kept_interval_and_time(self, period: str) -> None:
        Whale.update_count_to("shop", "stock", {"items": 4}, period, at=ago(hours=1))
        Whale.update_count_to("shop", "stock", {"items": 6}, period, at=ago(hours=1))
        assert Whale.total("shop", "items", "stock", "1d:1w") == 6

    def test_both_spellings_and_the_argument_that_is_not_needed_any_more(self) -> None:
        Whale.update_count_to("shop", dimension="stock", metric={"items": 4}, rank=True)
        Whale.update_count_to("shop", {"shelf": "top"}, {"items": 2}, "1d", None, True)
        assert self.totals() == {4}
        assert self.totals("shelf/top") == {2}

    @pytest.mark.parametrize(
        ("arguments", "field"),
        [
            ({"period": "7m"}, "interval"),
            ({"period": "5m"}, "interval"),
            ({"metrics": None}, "metrics"),
            ({"metrics": {}}, "metrics"),
            ({"metrics": {"items": "many"}}, "items"),
            ({"at": NOW + timedelta(days=3)}, "at"),
            ({"period": "1m", "at": ago(days=3)}, "at"),
            ({"period": "1h", "at": ago(days=100)}, "at"),
            ({"dimensions": {"a": 1, "b": 2}}, "dimension"),
        ],
    )
    def test_what_will_not_do_is_named(self, arguments: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            Whale.update_count_to(**{"pk": "shop", "dimensions": "stock", "metrics": {"items": 4}} | arguments)
        assert caught.value.field == field
        assert Whale.total("shop", "items", "stock") == 0

    def test_a_bucket_cannot_be_set_from_one_end_to_the_other(self) -> None:
        """The change would be more than a counter holds, although both values are within it."""
        Whale.update_count_to("shop", "stock", {"items": 9_000_000_000_000})
        with pytest.raises(CounterOverflow):
            Whale.update_count_to("shop", "stock", {"items": -9_000_000_000_000})
        assert self.totals() == {9_000_000_000_000}

    def test_a_name_without_a_place_cannot_be_set(self, settings: Any, redis_url: str, clock: Clock) -> None:
        settings.HAILWHALE = {"REDIS": redis_url, "MAX_CHILDREN": 1, "STORES": {"other": {}}}
        connection.pod().clock = connection.pod("other").clock = clock
        Whale.update_count_to("shop", "stock", {"items": 4})
        Whale.update_count_to(["Product", "1"], "stock", {"items": 4})
        for pk, path in (("shop", "shelf"), (["Product", "2"], "stock")):
            with pytest.raises(TooManyNames):
                Whale.update_count_to(pk, path, {"items": 5})
        Whale.count_now("shop", "shelf", {"items": 1})
        assert Whale.total("shop", "items", "(other)") == 1

    def test_on_a_path_of_keys_it_is_listed_and_can_be_removed(self) -> None:
        Whale.update_count_to(["Product", "7"], "stock", {"items": 4})
        assert (Whale.counters(), Whale.counters("Product")) == (["Product"], ["Product/7"])
        assert (Whale.total("Product", "items", "stock"), Whale.total("Product", "items")) == (0, 0)
        assert Whale.get_subdimensions(["Product", "7"]) == ["stock"]
        Whale.reset("Product")
        assert Whale.total(["Product", "7"], "items", "stock") == 0

    def test_of_those_that_set_at_once_one_wins(self) -> None:
        together([lambda n=n: Whale.update_count_to("shop", "stock", {"items": n + 1}) for n in range(6)] * 2)
        (final,) = self.totals()
        assert final in {1, 2, 3, 4, 5, 6}

    def test_setting_races_with_counting_and_nothing_is_torn(self) -> None:
        """What was counted before the last setting is replaced, what came after it is added."""

        def count() -> None:
            for _ in range(15):
                Whale.count_now("shop", "stock", {"items": 1})

        def set_to(value: int) -> None:
            for _ in range(5):
                Whale.update_count_to("shop", "stock", {"items": value})

        together([count, count, lambda: set_to(1000), lambda: set_to(2000)])
        (final,) = self.totals()
        assert 1000 <= final <= 1030 or 2000 <= final <= 2030
        assert Whale.total("shop", "items") == 30


def together(works: list[Any]) -> None:
    failures: list[BaseException] = []
    start = threading.Barrier(len(works))

    def run(work: Any) -> None:
        start.wait()
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.fixture
def week() -> None:
    """Revenue of 1 and 4 from US the day before and today, 2 from DE today, and some of a month ago."""
    Whale.count_now("shop", {"country": {"US": "CA"}}, {"revenue": 1, "visitors": 2}, ago(days=1))
    Whale.count_now("shop", {"country": {"US": "NY"}}, {"revenue": 4, "visitors": 5})
    Whale.count_now("shop", {"country": "DE"}, {"revenue": 2})
    Whale.count_now("shop", {"country": "FR"}, {"revenue": 100, "visitors": 10}, ago(days=40))


@pytest.mark.usefixtures("week")
class TestPlotpoints:
    def test_by_path_and_metric_dense_and_oldest_first(self) -> None:
        found = Whale.plotpoints("shop", metrics=["revenue", "revenue/visitors"], period="1d:3d")
        assert found == {
            "_": {
                "revenue": {"11/18/99": 0, "11/19/99": 0, "11/20/99": 1, "11/21/99": 6},
                "revenue/visitors": {"11/18/99": 0, "11/19/99": 0, "11/20/99": 0.5, "11/21/99": 1.2},
            }
        }
        assert isinstance(found["_"]["revenue"], OrderedDict)

    def test_the_result_answers_to_every_spelling(self) -> None:
        found = Whale.plotpoints("shop", "country", "revenue", depth=2)
        for whole in ("shop", ["shop"]):
            assert (
                Whale.plotpoints("shop", metrics="revenue")[whole] == Whale.plotpoints("shop", metrics="revenue")["_"]
            )
        for key in ("country/US", '["country", "US"]', ["country", "US"], ("country", "US")):
            assert found[key] is found["country/US"]
        with pytest.raises(KeyError):
            found["country/IT"]
        assert found.get("country/IT") is None
        assert json.loads(json.dumps(found)) == found

    def test_a_counter_s_own_name_means_the_whole_also_when_it_is_nested(self) -> None:
        Whale.count_now(["Product", "123"])
        found = Whale.plotpoints(["Product", "123"])
        for key in (["Product", "123"], '["Product", "123"]', "Product/123", ("Product", "123"), ["Product", 123]):
            assert found[key] is found["_"]

    def test_depth(self) -> None:
        def rows(depth: int, dimension: Any = None) -> set[str]:
            return set(Whale.plotpoints("shop", dimension, "revenue", depth))

        assert rows(0) == {"_"}
        assert rows(1) == {"_", "country"}
        assert rows(2) == {"_", "country", "country/US", "country/DE", "country/FR"}
        assert rows(9) if False else rows(8, "country/US") == {"country/US", "country/US/CA", "country/US/NY"}
        assert rows(0, ["country", "US"]) == rows(0, "country/US") == rows(0, {"country": "US"}) == {"country/US"}
        assert rows(0, [["country"], ["country", "US"]]) == {"country", "country/US"}

    def test_flot_time(self) -> None:
        found = Whale.plotpoints("shop", metrics="revenue", period="1d:1d", flot_time=True)
        midnight = int(datetime(2099, 11, 20, tzinfo=UTC).timestamp()) * 1000
        assert found["_"]["revenue"] == [[midnight, 1], [midnight + 86_400_000, 6]]

    def test_points_type(self) -> None:
        found = Whale.plotpoints("shop", metrics="revenue", period="1d:1d", points_type=list)
        assert found["_"]["revenue"] == [["11/20/99", 1], ["11/21/99", 6]]
        found = Whale.plotpoints("shop", metrics="revenue", period="1d:1d", points_type=dict)
        assert found["_"]["revenue"] == {"11/20/99": 1, "11/21/99": 6}

    def test_descending_and_with_totals(self) -> None:
        found = Whale.plotpoints(
            "shop",
            metrics=["revenue", "revenue/visitors"],
            period="1d:1d",
            points_type=list,
            descending=True,
            with_totals=True,
        )["_"]
        assert found["revenue"] == [["11/21/99", 6], ["11/20/99", 1], ["Total", 7]]
        assert found["revenue/visitors"] == [["11/21/99", 1.2], ["11/20/99", 0.5], ["Total", 1]]

    def test_best_first_and_the_parent_stays(self) -> None:
        def rows(**asked: Any) -> list[str]:
            return list(Whale.plotpoints("shop", "country", ["revenue", "visitors"], 1, "1d:1y", **asked))

        assert rows() == ["country", "country/FR", "country/US", "country/DE"]
        assert rows(sort="+revenue") == ["country/DE", "country/US", "country/FR", "country"]
        assert rows(sort="-visitors", limit=2) == ["country", "country/FR"]
        assert rows(sort="+visitors", limit=2) == ["country/DE", "country"]
        assert rows(limit=1) == ["country"]
        assert rows(limit=99) == rows()

    def test_a_ratio_is_sorted_by_the_ratio_of_the_sums(self) -> None:
        for day, country, top, bottom in ((0, "A", 9, 10), (1, "A", 0, 90), (0, "B", 5, 10), (1, "B", 4, 10)):
            Whale.count_now("ads", {"c": country}, {"t": top, "b": bottom}, ago(days=day))
        # A's daily ratios add up to 0.9 and B's to 0.9, too; of the sums they are 0.09 and 0.45.
        assert list(Whale.plotpoints("ads", "c", "t/b", depth=1, sort="-t/b")) == ["c/B", "c", "c/A"]

    @pytest.mark.parametrize(
        ("metrics", "names"),
        [
            (None, ["hits"]),
            ("revenue", ["revenue"]),
            (["revenue", "visitors"], ["revenue", "visitors"]),
            (("revenue",), ["revenue"]),
            ({"revenue": "visitors"}, ["revenue/visitors"]),
            ({"revenue": 1}, ["revenue"]),
            (["revenue/visitors", "visitors/hits"], ["revenue/visitors", "visitors/hits"]),
            ("revenue/visitors/hits", ["revenue/visitors/hits"]),
        ],
    )
    def test_only_what_was_asked_comes_back(self, metrics: Any, names: list[str]) -> None:
        assert list(Whale.plotpoints("shop", metrics=metrics)["_"]) == names
        assert list(Whale.plotpoints("shop", metric=metrics)["_"]) == names

    @pytest.mark.parametrize(
        ("metric", "points"),
        [
            ("revenue:cumulative", [0, 0, 1, 7]),
            ("revenue:+", [0, 0, 1, 7]),
            ("revenue:last", [0, 0, 1, 6]),
            ("visitors:last", [0, 0, 2, 5]),
            ("revenue:count", [0, 0, 1, 6]),
            ("revenue:cumulative/visitors:cumulative", [0, 0, 0.5, 1]),
            ("_count", [4, 4, 4, 4]),
            ("5", [5, 5, 5, 5]),
            ("revenue/hours", [0, 0, 1 / 24, 0.25]),
            ("revenue/_days_in_month", [0, 0, 1 / 30, 0.2]),
        ],
    )
    def test_suffixes_and_constants(self, metric: str, points: list[float]) -> None:
        found = Whale.plotpoints("shop", metrics=metric, period="1d:3d")["_"]
        assert [list(one.values()) for one in found.values()] == [points]

    @pytest.mark.parametrize(
        ("arguments", "field"),
        [
            ({"sort": "-cost"}, "sort"),
            ({"sort": "name"}, "sort"),
            ({"depth": "deep"}, "depth"),
            ({"depth": -1}, "depth"),
            ({"limit": "few"}, "limit"),
            ({"period": "sometime"}, "period"),
            ({"tzoffset": "Mars"}, "tzoffset"),
            ({"metrics": "revenue/"}, "formula"),
            ({"dimensions": 5}, "dimension"),
        ],
    )
    def test_what_will_not_do_is_named(self, arguments: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            Whale.plotpoints("shop", **{"dimensions": "country", "metrics": "revenue", "depth": 1} | arguments)
        assert caught.value.field == field

    def test_numbers_may_come_as_text(self) -> None:
        found = Whale.plotpoints("shop", "country", "revenue", depth="1", limit="2")  # type: ignore[arg-type]
        assert list(found) == ["country", "country/US"]

    def test_levels_are_each_row_s_own(self) -> None:
        found = Whale.plotpoints("shop", "country", "revenue:+/revenue:+@parent", depth=2, period="1d:1d")
        last = {path: points["revenue:+/revenue:+@parent"]["11/21/99"] for path, points in found.items()}
        assert last["country/US"] == pytest.approx(5 / 7)
        assert last["country/US/NY"] == 0.8

    def test_zones_move_the_data_and_not_only_the_labels(self) -> None:
        # 23:42 UTC is 16:42 there; yesterday's event was at 16:42, too.
        found = Whale.plotpoints("shop", metrics="hits", period="1d:1d", tzoffset=-700)["_"]["hits"]
        assert found == {"11/20/99": 1, "11/21/99": 2}
        there = Whale.plotpoints("shop", metrics="hits", period="today|-0700")["_"]["hits"]
        assert len(there) == 17
        assert there["11/21/99 16:00"] == 2
        tokyo = Whale.plotpoints("shop", metrics="hits", period="1d:1d|Asia/Tokyo")["_"]["hits"]
        assert tokyo == {"11/21/99": 1, "11/22/99": 2}


@pytest.mark.usefixtures("week")
class TestTotals:
    def test_the_five_sizes_unless_periods_are_named(self) -> None:
        found = Whale.totals("shop", metrics=["revenue"])
        assert list(found) == FIVE_SIZES
        assert [found[size]["_"]["revenue"] for size in FIVE_SIZES] == [107, 7, 7, 7, 6]

    def test_periods_as_they_were_asked_for(self) -> None:
        found = Whale.totals("shop", "country", "revenue", ["mtd", "yesterday", "2099-10-01..2099-10-31"])
        assert {period: rows["country"]["revenue"] for period, rows in found.items()} == {
            "mtd": 7,
            "yesterday": 1,
            "2099-10-01..2099-10-31": 100,
        }
        assert list(Whale.totals("shop", period="today")) == list(Whale.totals("shop", periods=["today"])) == ["today"]
        assert list(Whale.totals("shop", periods=86400)) == [86400]

    def test_a_ratio_s_sides_come_along(self) -> None:
        metrics = ["revenue/visitors", "revenue/hits"]
        found = Whale.totals("shop", metrics=metrics, period="7d")["7d"]["_"]
        assert found == {"revenue/visitors": 1, "revenue/hits": 7 / 3, "revenue": 7, "visitors": 7, "hits": 3}
        assert metrics == ["revenue/visitors", "revenue/hits"], "the caller's list stays as it is"

    def test_total(self) -> None:
        assert Whale.total("shop", "revenue") == 7
        assert Whale.total("shop", metric="revenue/visitors", dimension="country/US") == 5 / 7
        assert Whale.total("shop", metrics="revenue", dimensions=["country", "US"], periods="today") == 4
        assert Whale.total("shop") == 3
        assert Whale.total("nothing", "revenue") == 0
        assert Whale.total("shop", "nothing", "nothing") == 0

    def test_total_of_one_bucket(self) -> None:
        assert Whale.total("shop", "revenue", period="1d:1w", index=-1) == 6
        assert Whale.total("shop", "revenue", period="1d:1w", index=-2) == 1
        assert Whale.total("shop", "revenue", period="1d:1w", index=0) == 0
        assert Whale.total("shop", "revenue/visitors", period="1d:1w", index=-2) == 0.5
        for index in (8, -9):
            with pytest.raises(InvalidInput, match="8 buckets"):
                Whale.total("shop", "revenue", period="1d:1w", index=index)

    def test_totals_take_suffixes(self) -> None:
        assert Whale.total("shop", "visitors:last", period="7d") == 5
        assert Whale.total("shop", "revenue:cumulative", period="7d") == 7
        assert Whale.total("shop", "revenue/days", period="7d") == 1

    @pytest.mark.parametrize(
        ("zone", "today", "yesterday"),
        [
            (None, 2, 1),
            ("UTC", 2, 1),
            ("-0700", 2, 1),
            (-700, 2, 1),
            ("Asia/Tokyo", 2, 1),  # 08:42 on the 22nd and on the 21st
            ("America/New_York", 2, 1),
            ("Asia/Kolkata", 2, 1),
            ("+0030", 2, 1),  # 18 minutes ahead: past midnight, too
        ],
    )
    def test_today_and_yesterday_in_zones(self, zone: Any, today: float, yesterday: float) -> None:
        assert (Whale.today("shop", tzoffset=zone), Whale.yesterday("shop", tzoffset=zone)) == (today, yesterday)

    def test_a_zone_s_midnight_is_its_own(self) -> None:
        for hour in range(24):
            Whale.count_now("hours", at=datetime(2099, 11, 21, hour, 15, tzinfo=UTC))
        # Kolkata's day began at 18:30, Kathmandu's at 18:15, New York's will end at 5.
        assert Whale.today("hours") == 24
        assert Whale.today("hours", tzoffset="Asia/Kolkata") == 5
        assert Whale.today("hours", tzoffset="Asia/Kathmandu") == 6
        assert Whale.yesterday("hours", tzoffset="Asia/Kolkata") == 19
        assert Whale.today("hours", tzoffset="America/New_York") == 19
        assert Whale.total("hours", period="yesterday|America/New_York") == 5

    def test_a_window_is_not_kept_for_the_next_question(self) -> None:
        """The ancestor's periods shared one cache: after `mtd` all of these were month to date."""
        asked = ["mtd", "yesterday", "seven", "thirty", "wtd", "ytd", "today", "day"]
        assert [Whale.total("shop", "revenue", period=period) for period in asked] == [7, 1, 7, 7, 7, 107, 6, 7]

    def test_by_the_hour_of_the_last_24(self) -> None:
        assert Whale.total("shop", "revenue", period="24h") == 6
        assert Whale.total("shop", "revenue", period="hour") == 6


class TestRank:
    @pytest.fixture(autouse=True)
    def counted(self) -> None:
        """150, 30, 11 and 9 dollars of 200 for 100, 20, 10 and 5 visitors."""
        for country, revenue, visitors in (("US", 150, 100), ("DE", 30, 20), ("FR", 11, 10), ("IT", 9, 5)):
            Whale.count_now("shop", {"country": {country: "city"}}, {"revenue": revenue, "visitors": visitors})

    def test_a_metric(self) -> None:
        found = Whale.rank("shop", "revenue", "country")
        assert list(found) == ["country/US", "country/DE", "country/FR", "country/IT"]
        us = found["country/US"]
        assert {name: us[name] for name in ("dimension", "score", "value", "count", "share")} == {
            "dimension": "country/US",
            "score": 150,
            "value": 150,
            "count": 150,
            "share": 0.75,
        }
        assert (us["difference"], us["effect"]) == (50, 50)
        assert [one["important"] for one in found.values()] == [True, True, False, False]

    def test_a_ratio(self) -> None:
        found = Whale.rank("shop", "revenue/visitors", "country")
        assert {path: one["score"] for path, one in found.items()} == {
            "country/IT": 1.8,
            "country/US": 1.5,
            "country/DE": 1.5,
            "country/FR": 1.1,
        }
        assert list(found) == ["country/IT", "country/DE", "country/US", "country/FR"]
        overall = 200 / 135
        france = found["country/FR"]
        assert (france["value"], france["count"]) == (11, 10)
        assert france["difference"] == pytest.approx((1.1 - overall) / overall)
        assert france["effect"] == pytest.approx(france["difference"] * 10 * overall)
        # Italy differs by more than a tenth, but has no more than five visitors.
        assert [one["important"] for one in found.values()] == [False, False, False, True]
        assert found["country/IT"]["low"] < 1.8 < found["country/IT"]["high"]

    def test_the_ancestor_s_names(self) -> None:
        scalar = Whale.rank_subdimensions_scalar("shop", "country", "revenue", recursive=False)
        assert scalar == Whale.rank("shop", "revenue", "country")
        ratio = Whale.rank_subdimensions_ratio("shop", "revenue", "visitors", "country", recursive=False)
        assert list(ratio) == list(Whale.rank("shop", "revenue/visitors", "country"))
        assert ratio["country/US"]["score"] == 1.5
        per_hit = Whale.rank_subdimensions_ratio("shop", "revenue", dimension="country", recursive=False)
        assert per_hit["country/US"]["score"] == 150

    def test_all_levels_and_itself(self) -> None:
        found = Whale.rank_subdimensions_scalar("shop", "country", "revenue")
        assert list(found)[0] == "country"
        assert set(found) == {
            "country",
            *(f"country/{c}{city}" for c in ("US", "DE", "FR", "IT") for city in ("", "/city")),
        }
        # What is but the sum of its children is not important itself.
        assert {path for path, one in found.items() if one["important"]} == {"country/US/city", "country/DE/city"}
        Whale.count_now("shop", ["country", "DE"], {"revenue": 70})
        found = Whale.rank_subdimensions_scalar("shop", "country", "revenue")
        assert {path for path, one in found.items() if one["important"]} == {
            "country/US/city",
            "country/DE",
            "country/DE/city",
        }

    def test_all_levels_of_the_whole(self) -> None:
        found = Whale.rank("shop", "revenue/visitors", recursive=True)
        assert {"_", "country", "country/IT", "country/IT/city"} <= set(found)
        assert next(iter(found.values()))["score"] == 1.8
        assert found["shop"]["score"] == pytest.approx(200 / 135)

    def test_points(self) -> None:
        found = Whale.rank("shop", "revenue", "country", "1d:1d", points=True)
        assert found["country/US"]["points"] == {"11/20/99": 0, "11/21/99": 150}

    @pytest.mark.parametrize("recursive", [False, True])
    def test_by_what_is_certain(self, recursive: bool) -> None:
        for day in range(10):
            Whale.count_now("ads", {"ad": "sure"}, {"clicks": 50 + day % 2, "views": 100}, ago(days=day))
        Whale.count_now("ads", {"ad": "lucky"}, {"clicks": 3, "views": 4})
        by_value = [path for path in Whale.rank("ads", "clicks/views", "ad", recursive=recursive) if path != "ad"]
        by_low = [
            path for path in Whale.rank("ads", "clicks/views", "ad", by="low", recursive=recursive) if path != "ad"
        ]
        assert (by_value, by_low) == (["ad/lucky", "ad/sure"], ["ad/sure", "ad/lucky"])

    def test_child_counters(self) -> None:
        for product, revenue in (("1", 5), ("2", 50)):
            Whale.count_now(["Product", product], {"country": "US"}, {"revenue": revenue})
        found = Whale.rank("Product", "revenue", counters=True)
        assert [(path, one["score"], one["share"]) for path, one in found.items()] == [
            ("2", 50, 50 / 55),
            ("1", 5, 5 / 55),
        ]

    def test_many_rows_at_all_levels_take_no_time(self) -> None:
        """Ten thousand of them were too many for the ancestor's rule of parents and children."""
        Whale.count_many([("big", {"n": {f"c{n}": "x"}}, {"revenue": n}) for n in range(3000)])
        found = Whale.rank_subdimensions_scalar("big", "n", "revenue")
        assert len(found) == 6001

    def test_names_that_look_like_lists(self) -> None:
        Whale.count_now("odd", {"a": ["x", "y"]}, {"revenue": 5})
        found = Whale.rank_subdimensions_scalar("odd", None, "revenue")
        assert set(found) == {"_", "a", 'a/["x", "y"]'}
        assert found[["a", '["x", "y"]']]["score"] == 5

    @pytest.mark.parametrize(
        ("arguments", "field"),
        [({"metric": ["a", "b"]}, "metric"), ({"by": "luck"}, "by"), ({"metric": "a/"}, "formula")],
    )
    def test_what_will_not_do_is_named(self, arguments: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            Whale.rank("shop", **{"metric": "revenue"} | arguments)
        assert caught.value.field == field

    def test_nothing_ranks_nothing(self) -> None:
        assert Whale.rank("nothing", "revenue") == {}
        assert Whale.rank("shop", "revenue", "country/US/city") == {}
        alone = Whale.rank_subdimensions_scalar("nothing", None, "revenue")
        assert {path: one["score"] for path, one in alone.items()} == {"_": 0}


class TestZranked:
    @pytest.fixture(autouse=True)
    def counted(self) -> None:
        for name, revenue, visitors in (("A", 5, 1), ("B", 9, 9), ("C", 7, 2), ("zero", 0, 5), ("minus", -3, 1)):
            Whale.count_now("shop", {"c": name}, {"revenue": revenue, "visitors": visitors})

    def test_paths_in_order_without_zeros(self) -> None:
        assert Whale.zranked("shop", "c", "revenue") == [["c", "B"], ["c", "C"], ["c", "A"], ["c", "minus"]]
        assert Whale.zranked("shop", "c", "revenue", sort_dir="low")[:2] == [["c", "minus"], ["c", "A"]]
        assert Whale.zranked("shop", "c", ratio="revenue/visitors")[:2] == [["c", "A"], ["c", "C"]]
        assert Whale.zranked("shop") == ["c"]
        assert Whale.zranked("nothing") == []

    def test_pages(self) -> None:
        assert Whale.zranked("shop", "c", "revenue", start=1, size=2) == [["c", "C"], ["c", "A"]]
        assert Whale.zranked("shop", "c", "revenue", start=4) == []

    def test_it_ranks_what_was_set(self) -> None:
        Whale.update_count_to("shop", ["c", "A"], {"revenue": 50}, rank=True)
        assert Whale.zranked("shop", "c", "revenue", size=1) == [["c", "A"]]

    def test_what_will_not_do_is_named(self) -> None:
        with pytest.raises(InvalidInput, match="use high or low"):
            Whale.zranked("shop", "c", sort_dir="up")


class TestNames:
    def test_subdimensions(self) -> None:
        Whale.count_now("shop", {"country": {"US": "CA", "DE": "it's"}, "device": "Mac"})
        assert Whale.get_subdimensions("shop") == ["country", "device"]
        assert Whale.get_subdimensions("shop", "country") == [["country", "US"], ["country", "DE"]]
        assert Whale.get_subdimensions("shop", ["country", "DE"]) == [["country", "DE", "it's"]]
        assert Whale.all_subdimensions("shop") == [
            "_", "country", ["country", "US"], ["country", "US", "CA"], ["country", "DE"], ["country", "DE", "it's"],
            "device", ["device", "Mac"],
        ]  # fmt: skip
        assert Whale.all_subdimensions("shop", "device") == ["device", ["device", "Mac"]]
        assert Whale.get_subdimensions("nothing") == []
        assert Whale.all_subdimensions("nothing") == ["_"]

    def test_names_go_on_being_listed_after_the_server_was_emptied(self) -> None:
        """The ancestor's processes remembered what they had listed."""
        Whale.count_now("shop", {"country": "US"})
        connection.pod().store.server.client.flushdb()
        Whale.count_now("shop", {"country": "US"})
        assert Whale.get_subdimensions("shop", "country") == [["country", "US"]]
        assert Whale.counters() == ["shop"]

    def test_metrics_and_counters(self) -> None:
        Whale.count_now(["Product", "7"], metrics={"revenue": 1})
        Whale.count_now("a/b", metrics={"x": 1})
        assert Whale.metrics_of("Product") == Whale.metrics_of(["Product", "7"]) == ["hits", "revenue"]
        assert Whale.metrics_of("nothing") == []
        assert Whale.counters() == ["Product", "a"]
        assert Whale.counters("Product") == ["Product/7"]
        assert Whale.counters("nothing") == []


class TestReset:
    @pytest.fixture(autouse=True)
    def counted(self) -> None:
        Whale.count_now(["shop", "eu"], {"country": {"DE": "BY"}, "device": "Mac"}, {"revenue": 5})

    def test_a_counter(self) -> None:
        Whale.reset("shop")
        assert (Whale.counters(), Whale.total("shop"), Whale.total(["shop", "eu"])) == ([], 0, 0)

    def test_a_dimension(self) -> None:
        Whale.reset("shop", dimension={"country": "DE"})
        assert Whale.all_subdimensions("shop") == ["_", "country", "device", ["device", "Mac"]]
        assert Whale.total("shop", "revenue", "country") == 5
        assert Whale.get_subdimensions(["shop", "eu"], "country") == [["country", "DE"]]

    def test_a_metric(self) -> None:
        Whale.reset("shop", metric="revenue")
        assert (Whale.total("shop", "revenue"), Whale.total("shop"), Whale.metrics_of("shop")) == (0, 1, ["hits"])

    def test_not_both(self) -> None:
        with pytest.raises(InvalidInput):
            Whale.reset("shop", "country", "revenue")
        assert Whale.total("shop", "revenue") == 5


@pytest.mark.usefixtures("week")
class TestCached:
    @pytest.mark.parametrize("method", ["totals", "total", "plotpoints", "rank", "query"])
    def test_the_same_answer_until_asked_anew(self, method: str) -> None:
        cached = getattr(Whale, f"cached_{method}")
        first = cached("shop", period="today")
        assert first == getattr(Whale, method)("shop", period="today")
        Whale.count_now("shop", {"country": "US"})
        assert cached("shop", period="today") == first
        assert type(cached("shop", period="today")) is type(first)
        fresh = getattr(Whale, method)("shop", period="today")
        assert fresh != first
        assert cached("shop", period="today", unmemoize=True) == fresh
        assert cached("shop", period="today") == fresh

    def test_a_cached_result_answers_to_every_spelling(self) -> None:
        for _ in range(2):
            found = Whale.cached_plotpoints("shop", "country", "revenue", depth=1)
            assert found[["country", "US"]] is found["country/US"]
            assert list(found) == ["country", "country/US", "country/DE", "country/FR"]

    def test_questions_are_told_apart(self) -> None:
        """By method, arguments, period as it was asked, and store."""
        Whale.using("other").count_now("shop", metrics={"hits": 50})
        assert Whale.cached_total("shop", period="yesterday") == 1
        assert Whale.cached_total("shop", period="thirty") == 3
        assert Whale.cached_totals("shop", period="yesterday") == {"yesterday": {"_": {"hits": 1}}}
        assert list(Whale.cached_plotpoints("shop", period="yesterday")) == ["_"]
        assert Whale.using("other").cached_total("shop", period="thirty") == 50
        assert Whale.cached_total("shop", "revenue", period="thirty") == 7

    def test_for_as_long_as_the_setting_says(self, settings: Any, redis_url: str, clock: Clock) -> None:
        settings.HAILWHALE = {"REDIS": redis_url, "CACHE_SECONDS": 100, "STORES": {"other": {}}}
        connection.pod().clock = connection.pod("other").clock = clock
        with time_machine.travel(NOW, tick=False) as traveller:
            assert Whale.cached_total("shop") == 3
            Whale.count_now("shop")
            traveller.shift(99)
            assert Whale.cached_total("shop") == 3
            traveller.shift(2)
            assert Whale.cached_total("shop") == 4

    def test_errors_are_not_kept(self) -> None:
        with mock.patch.object(Whale, "total", side_effect=HailWhaleError("away")), pytest.raises(HailWhaleError):
            Whale.cached_total("shop")
        assert Whale.cached_total("shop") == 3


class TestUsing:
    def test_another_store_answers_alike_and_knows_nothing_of_this_one(self) -> None:
        other = Whale.using("other")
        other.count_now("shop", {"country": "US"}, {"revenue": 5})
        Whale.count_now("shop", metrics={"revenue": 1})
        assert (Whale.total("shop", "revenue"), other.total("shop", "revenue")) == (1, 5)
        assert other.query("shop", dimension="country", metrics="revenue").rows[0].cells[0].value == 5
        other.reset("shop")
        assert (Whale.counters(), other.counters()) == (["shop"], [])
        assert other is Whale.using("other")
        assert issubclass(other, Whale)
        assert (Whale.store, other.store) == ("default", "other")

    def test_the_default_store_has_a_name_too(self) -> None:
        Whale.count_now("shop")
        assert Whale.using("default").total("shop") == 1

    def test_a_store_that_is_not_configured_is_refused(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="no store 'nothing'"):
            Whale.using("nothing")

    def test_stores_may_have_settings_of_their_own(self, settings: Any, redis_url: str, clock: Clock) -> None:
        settings.HAILWHALE = {
            "REDIS": redis_url,
            "TIME_ZONE": "UTC",
            "STORES": {"other": {"PREFIX": "india", "TIME_ZONE": "Asia/Kolkata", "PLACES": 0}},
        }
        connection.pod().clock = connection.pod("other").clock = clock
        for whale in (Whale, Whale.using("other")):
            whale.count_now("shop", metrics={"x": 1.25}, at=ago(hours=20))
        assert (Whale.today("shop"), Whale.using("other").today("shop")) == (1, 0)
        assert (Whale.total("shop", "x"), Whale.using("other").total("shop", "x")) == (1.25, 1)


def test_every_public_call_is_explained() -> None:
    for name, method in vars(Whale).items():
        if isinstance(method, classmethod) and not name.startswith("_"):
            assert method.__func__.__doc__, name
