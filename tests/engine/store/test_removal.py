"""Removing: nothing of it remains, nothing else goes, and counting goes on."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from redis.cluster import RedisCluster

from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store.server import Call, Server
from tests import servers
from tests.engine.conftest import NOW, Clock, Pods

Totals = dict[str, float]


def keys(url: str) -> dict[str, bytes]:
    """Every key and what it holds."""
    with closing(servers.client(url)) as client:
        names = (
            client.keys("*", target_nodes=RedisCluster.PRIMARIES) if isinstance(client, RedisCluster) else client.keys()
        )
        return {one.decode(): client.dump(one) for one in names}


def total(pod: Pod, pk: Any = "shop", dimension: Any = None, metric: str = "hits") -> float:
    return pod.query(pk, dimension=dimension, metrics=metric, period="12mo").totals.cells[0].value


def table(pod: Pod, pk: Any, dimension: Any, metric: str = "hits", **asked: Any) -> Totals:
    answer = pod.query(pk, dimension=dimension, metrics=metric, period="12mo", limit=None, **asked)
    return {row.name: row.cells[0].value for row in [*answer.rows, *([answer.other] if answer.other else [])]}


def busy(pod: Pod, pk: Any, events: int = 60) -> None:
    """Counts over months, on more dimensions than a page of rows has."""
    pod.count_many(
        [
            (pk, {"country": {f"c{n}": f"city{n % 7}"}, "device": f"d{n % 3}"}, {"revenue": n, "cost": 1},
             (NOW - timedelta(days=n * 2)).timestamp())
            for n in range(events)
        ],
        None,
    )  # fmt: skip


# --- a whole counter


@pytest.mark.parametrize("events", [5, 90])
def test_of_a_counter_no_key_remains(pods: Pods, any_redis_url: str, events: int) -> None:
    pod = pods(any_redis_url)
    busy(pod, ["Product", "1", "en"], events)
    busy(pod, ["Product", "2"], events)
    pod.update_count_to("Product", "stock", {"items": 5}, "1d", None)
    pod.update_count_to(["Product", "3"], "stock", {"items": 5}, "1d", None)
    assert len(keys(any_redis_url)) > 50
    pod.reset("Product")
    assert set(keys(any_redis_url)) <= {"hw:store"}
    assert pod.counters() == []
    assert pod.metrics_of("Product") == []


def test_other_counters_stay_as_they_are(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url)
    for pk in ("shop", "shop2", "sho", ["Product", "shop"], "_", "/x"):
        busy(pod, pk, 3)
    before = keys(any_redis_url)
    busy(pod, ["shop", "a"], 20)
    pod.reset("shop")
    after = keys(any_redis_url)
    before = {name: held for name, held in before.items() if "{shop}" not in name}
    counters = before.pop("hw:counters"), after.pop("hw:counters")
    assert counters[0] != counters[1]
    assert after == before
    assert [str(pk) for pk in pod.counters()] == ["%2Fx", "Product", "_", "sho", "shop2"]


@pytest.mark.parametrize("pk", ["nothing", ["shop", "nothing"], ["nothing", "at", "all"]])
def test_removing_what_is_not_there_changes_nothing(pods: Pods, any_redis_url: str, pk: Any) -> None:
    pod = pods(any_redis_url)
    busy(pod, ["shop", "a"], 5)
    before = keys(any_redis_url)
    pod.reset(pk)
    pod.reset(pk, "country")
    pod.reset(pk, None, "revenue")
    pod.reset("shop", "nothing/here")
    pod.reset("shop", None, "nothing")
    assert keys(any_redis_url) == before


def test_a_child_counter_leaves_its_parent_s_list_and_its_totals(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url)
    for n in range(5):
        pod.count(["Product", str(n), "en"], None, {"revenue": n}, None)
    pod.reset(["Product", "3"])
    assert [str(pk) for pk in pod.counters("Product")] == ["Product/0", "Product/1", "Product/2", "Product/4"]
    assert not [name for name in keys(any_redis_url) if "{Product/3" in name]
    assert total(pod, "Product", metric="revenue") == 10
    assert table(pod, "Product", None, "revenue", counters=True) == {"4": 4, "2": 2, "1": 1, "0": 0}
    pod.count(["Product", "3", "de"], None, {"revenue": 7}, None)
    assert table(pod, "Product", None, "revenue", counters=True)["3"] == 7
    assert total(pod, ["Product", "3"], metric="revenue") == 7
    assert [str(pk) for pk in pod.counters(["Product", "3"])] == ["Product/3/de"]


# --- a dimension


@pytest.mark.parametrize("names", [5, 90])
def test_a_dimension_goes_with_all_beneath_it(pods: Pods, any_redis_url: str, names: int) -> None:
    pod = pods(any_redis_url)
    busy(pod, "shop", names)
    devices, cities = table(pod, "shop", "device"), table(pod, "shop", "country/c1")
    assert cities == {"city1": 1}
    pod.reset("shop", "country")
    assert pod.subdimensions("shop", None) == [("device",)]
    assert table(pod, "shop", "country") == table(pod, "shop", "country/c1") == {}
    assert total(pod, dimension="country") == total(pod, dimension="country/c1/city1") == 0
    assert (total(pod), table(pod, "shop", "device")) == (names, devices)
    assert not [name for name in keys(any_redis_url) if "names:country" in name or "numbers:country" in name]
    pod.count("shop", {"country": {"c1": "city9"}}, {"revenue": 3}, None)
    assert table(pod, "shop", "country") == {"c1": 1}
    assert table(pod, "shop", "country/c1", "revenue") == {"city9": 3}
    assert total(pod) == names + 1


def test_one_name_of_a_table_goes(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url)
    for name in ("US", "USA", "DE", "U"):
        pod.count("shop", {"country": {name: "x"}}, None, None)
    pod.reset("shop", ["country", "US"])
    assert table(pod, "shop", "country") == {"USA": 1, "DE": 1, "U": 1}
    assert table(pod, "shop", "country/USA") == {"x": 1}
    assert total(pod, dimension="country") == 4
    pod.count("shop", {"country": "US"}, None, None)
    assert table(pod, "shop", "country") == {"USA": 1, "DE": 1, "U": 1, "US": 1}
    assert table(pod, "shop", "country/US") == {}


def test_names_with_anything_in_them_can_be_removed(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url)
    names = ["a/b", "50%", "{x}", "two\nlines", "(other)", "日本", "-", "%d", "["]
    for name in names:
        pod.count([name, name], {name: {name: name}}, None, None)
    for name in names:
        pod.reset([name], [name, name])
        assert pod.all_subdimensions([name], None) == [(), (name,)]
        pod.reset([name, name])
        assert pod.counters([name]) == []
        pod.reset([name])
    assert set(keys(any_redis_url)) <= {"hw:store"}


def test_a_full_table_has_room_again(pods: Pods, any_redis_url: str) -> None:
    pod, other = (pods(any_redis_url, children=2) for _ in range(2))
    for name in ("US", "DE", "FR"):
        pod.count("shop", {"country": name}, None, None)
        other.count("shop", {"country": name}, None, None)
    assert table(pod, "shop", "country") == {"US": 2, "DE": 2, "(other)": 2}
    pod.reset("shop", ["country", "(other)"])
    pod.reset("shop", ["country", "US"])
    for one in (other, pod):
        one.count("shop", {"country": "FR"}, None, None)
        one.count("shop", {"country": "US"}, None, None)
    assert table(other, "shop", "country") == {"DE": 2, "FR": 2, "(other)": 2}


# --- a metric


@pytest.mark.parametrize("events", [5, 90])
def test_a_metric_goes_from_all_tables(pods: Pods, any_redis_url: str, events: int) -> None:
    pod = pods(any_redis_url)
    busy(pod, ["shop", "a"], events)
    pod.reset("shop", None, "revenue")
    assert pod.metrics_of("shop") == ["cost", "hits"]
    assert pod.metrics_of(["shop", "a"]) == ["cost", "hits", "revenue"]
    assert total(pod, metric="revenue") == total(pod, dimension="country", metric="revenue") == 0
    assert total(pod, metric="cost") == events
    assert total(pod, ["shop", "a"], metric="revenue") == events * (events - 1) / 2
    assert not [name for name in keys(any_redis_url) if "{shop}tile" in name and name.endswith(":revenue")]
    pod.count("shop", None, {"revenue": 4}, None)
    assert (total(pod, metric="revenue"), pod.metrics_of("shop")) == (4, ["cost", "hits", "revenue"])


def test_a_metric_s_place_is_free_again(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url, metrics=2)
    pod.count("shop", None, {"revenue": 1}, None)
    pod.reset("shop", None, "revenue")
    pod.count("shop", None, {"cost": 1}, None)
    assert pod.metrics_of("shop") == ["cost", "hits"]


# --- others who count meanwhile


def test_counting_resumes_in_a_process_that_remembers(pods: Pods, any_redis_url: str) -> None:
    """Whoever resets, the others' remembered rows are noticed to be gone."""
    pod, other = pods(any_redis_url), pods(any_redis_url)
    for one in (pod, other):
        busy(one, ["Product", "1"], 5)
    pod.reset("Product")
    other.count(["Product", "1"], {"country": {"c4": "city4"}}, {"revenue": 2}, None)
    pod.count(["Product", "1"], {"other": "x"}, {"revenue": 3}, None)
    for pk in ("Product", ["Product", "1"]):
        assert total(other, pk, metric="revenue") == 5
        assert table(pod, pk, None, "revenue") == {"country": 2, "other": 3}
        assert table(pod, pk, "country", "revenue") == {"c4": 2}
    assert [str(path) for path in pod.counters()] == ["Product"]
    assert [str(path) for path in other.counters("Product")] == ["Product/1"]
    other.reset("Product", "country")
    pod.count(["Product", "1"], {"country": {"c4": "city4"}}, None, None)
    assert table(pod, "Product", "country") == {"c4": 1}
    assert table(pod, "Product", "country/c4") == {"city4": 1}


def test_a_server_that_lost_everything_is_counted_into_afresh(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url)
    busy(pod, ["Product", "1"], 5)
    with closing(servers.client(any_redis_url)) as client:
        client.flushdb()
    pod.count(["Product", "1"], {"country": "US"}, {"revenue": 2}, None)
    assert [str(path) for path in pods(any_redis_url).counters()] == ["Product"]
    assert table(pods(any_redis_url), "Product", "country", "revenue") == {"US": 2}


class Interrupted(Server):
    """Lets somebody else count before the nth call that removes."""

    def __init__(self, server: Server, meanwhile: Any, at: int) -> None:
        super().__init__(server.client)
        self.meanwhile, self.at, self.calls = meanwhile, at, 0

    def run(self, calls: Any) -> Any:
        self.calls += 1
        if self.calls == self.at:
            self.meanwhile()
        return super().run(calls)


@pytest.mark.parametrize("at", range(1, 16))
@pytest.mark.parametrize(
    "reset",
    [
        ("Product", None, None),
        (["Product", "1"], None, None),
        ("Product", "country", None),
        ("Product", None, "revenue"),
    ],
)
def test_somebody_counts_between_any_two_steps(pods: Pods, redis_url: str, clock: Clock, reset: Any, at: int) -> None:
    """Afterwards tables and totals agree, everything that is there can be found, and can be removed for good."""
    pod, other = pods(redis_url), pods(redis_url)
    for one in (pod, other):
        one.count(["Product", "1"], {"country": {"US": "CA"}}, {"revenue": 1}, None)

    def meanwhile() -> None:
        clock.at += 86_400  # new spans
        other.count(["Product", "1"], {"country": {"DE": "BY"}, "device": "Mac"}, {"revenue": 10, "cost": 1}, None)
        other.count(["Product", "2"], {"country": {"US": "NY"}}, {"revenue": 100}, None)

    pod.store.server = pod.store.catalog.server = pod.store.tiles.server = Interrupted(pod.store.server, meanwhile, at)
    pod.reset(*reset)
    for one in (other, pod):
        one.count(["Product", "1"], {"country": {"FR": "IF", "US": "CA"}}, {"revenue": 1000}, None)
    fresh = pods(redis_url)
    assert [str(path) for path in fresh.counters()] == ["Product"]
    listed = {child.name for child in fresh.counters("Product")}
    for name in {"1", "2"} & listed:
        consistent(fresh, ["Product", name])
    consistent(fresh, "Product")
    fresh.reset("Product")
    assert set(keys(redis_url)) <= {"hw:store"}


def consistent(pod: Pod, pk: Any) -> None:
    """Every row that has a number is listed, and none has counts of somebody else."""
    text = "Product" if pk == "Product" else "/".join(pk)
    rows = pod.store.server.call("HGETALL", [pod.store.keys.rows(text)])
    listed = {str(path) for path in pod.all_subdimensions(pk, None)} | {"_"}
    children = {f"/pks/{child.name}" for child in pod.counters(pk)}
    assert {path.decode() for path in rows} == listed | children
    assert len(set(rows.values())) == len(rows)
    for metric in ("revenue", "hits"):
        states = table(pod, pk, "country", metric)
        for name, value in states.items():
            assert sum(table(pod, pk, f"country/{name}", metric).values()) == value


# --- cost


def test_a_large_counter_is_removed_in_reasonable_time(pods: Pods, redis_url: str) -> None:
    """As many commands as there are tables and tiles, and not as rows times buckets."""
    pod = pods(redis_url)
    pod.count_many([("shop", {"n": f"c{n}"}, None) for n in range(10_000)], None)
    calls: list[Call] = []
    run = pod.store.server.run
    pod.store.server.run = lambda given: calls.extend(given) or run(given)  # type: ignore[method-assign]
    pod.reset("shop", "n")
    pod.reset("shop")
    assert set(keys(redis_url)) <= {"hw:store"}
    assert sum(len(call.keys) + len(call.arguments) for call in calls) < 200_000


class Torn(Server):
    """Between the calls of one round trip that count, which go to several counters, somebody removes them all."""

    def __init__(self, server: Server, meanwhile: Any, after: int) -> None:
        super().__init__(server.client)
        self.meanwhile, self.after = meanwhile, after

    def run(self, calls: Any) -> Any:
        if len(calls) < 3 or isinstance(calls[0].what, str) or self.after < 0:
            return super().run(calls)
        after, self.after = self.after, -1
        begun = super().run(calls[:after])
        self.meanwhile()
        return begun + super().run(calls[after:])


@pytest.mark.parametrize("after", [1, 2])
def test_a_counter_that_is_removed_while_its_child_is_counted_lists_it_again(
    pods: Pods, any_redis_url: str, after: int
) -> None:
    pod, other = pods(any_redis_url), pods(any_redis_url)
    pod.count(["Product", "1", "en"], None, None, None)
    pod.store.server = Torn(pod.store.server, lambda: other.reset("Product"), after)
    pod.count(["Product", "1", "en"], {"country": "US"}, None, None)
    assert [str(path) for path in other.counters()] == ["Product"]
    assert [str(path) for path in other.counters("Product")] == ["Product/1"]
    assert [str(path) for path in other.counters(["Product", "1"])] == ["Product/1/en"]
    assert total(other, ["Product", "1", "en"]) == 1
    other.reset("Product")
    assert set(keys(any_redis_url)) <= {"hw:store"}


def test_setting_a_bucket_lists_a_counter_that_another_process_removed(pods: Pods, any_redis_url: str) -> None:
    pod, other = pods(any_redis_url), pods(any_redis_url)
    pod.update_count_to(["Product", "1"], "stock", {"items": 5}, "1d", None)
    other.reset("Product")
    pod.update_count_to(["Product", "1"], "stock", {"items": 7}, "1d", None)
    assert [str(path) for path in other.counters()] == ["Product"]
    assert [str(path) for path in other.counters("Product")] == ["Product/1"]
    assert total(other, ["Product", "1"], "stock", "items") == 7
    other.reset("Product")
    assert set(keys(any_redis_url)) <= {"hw:store"}
