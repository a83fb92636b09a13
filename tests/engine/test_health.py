"""How a store is, read from real servers; and what is wrong with one, by rules with numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from example_project.ports import HOST, free_port
from hailwhale_django.engine.health import ServerHealth, StoreHealth, StreamHealth, examine, per_second
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.problems import problems
from hailwhale_django.engine.store.dead import Letter
from hailwhale_django.engine.store.room import Crowded, Room
from hailwhale_django.engine.store.server import connect
from hailwhale_django.engine.store.store import Options, Store
from hailwhale_django.engine.store.vitals import Vitals
from tests import servers

from .conftest import Pods

WELL = Vitals("", "Valkey", "9.1.2", "master", 10, 100, "noeviction", 0, True, True, "", 0, "")
STREAM = StreamHealth(0, 10, 100, 0, 0.0, 10, 10, 1.0, 1, "me", 0, 0, 0)


def look(pod: Pod) -> StoreHealth:
    return examine("default", pod.store, pod.log, pod.clock())


def found(health: StoreHealth) -> list[tuple[str, str]]:
    return [(problem.level, problem.id.removeprefix("hailwhale.")) for problem in problems(health)]


def with_server(**vitals: Any) -> StoreHealth:
    return StoreHealth("default", servers=(ServerHealth("counters", WELL._replace(**vitals)),))


def with_stream(**changed: Any) -> StoreHealth:
    return StoreHealth("default", streams=(replace(STREAM, **changed),))


class TestLooking:
    def test_a_stream_before_and_after_it_is_drained(self, any_pod: Pod) -> None:
        pod = any_pod
        pod.acceptor.accept_many([("shop",)] * 70)
        (stream,) = look(pod).streams
        assert (stream.entries, stream.waiting, stream.accepted, stream.counted) == (2, 70, 70, 0)
        assert stream.lag_seconds > 0
        assert (stream.drained_at, stream.per_second) == (0, 0.0)
        pod.drain.run()
        (stream,) = look(pod).streams
        assert (stream.waiting, stream.lag_seconds, stream.accepted, stream.counted) == (0, 0.0, 70, 70)
        assert stream.drained_by
        assert 0 < stream.per_second <= 70

    def test_the_lag_is_the_age_of_the_oldest_that_waits_by_the_clock_of_its_server(self, any_pod: Pod) -> None:
        log = any_pod.log
        seconds = log.watch([0])[0].now
        old = f"{int(seconds - 90) * 1000}-0"
        log.server.call("XADD", [log.keys.hail(0, "log")], [old, "1", b'1\t[["shop"]]\t{"hits":1000000}'])
        any_pod.acceptor.accept("shop", None, None, None)
        assert 90 <= look(any_pod).streams[0].lag_seconds < 120

    def test_looking_writes_nothing(self, any_redis_url: str, pods: Pods) -> None:
        client = servers.client(any_redis_url)
        assert look(pods(any_redis_url)).away == ""
        assert servers.count_keys(client) == 0
        client.close()

    def test_letters_and_drops_and_a_full_log_are_told(self, any_pod: Pod) -> None:
        any_pod.drain.dead.add([Letter(0, "1" * 30, "", b"x", "why")])
        any_pod.log.note_dropped(3)
        any_pod.log.server.call("HINCRBY", [any_pod.log.keys.hail(0, "state"), "full"], [2])
        health = look(any_pod)
        assert (health.streams[0].letters, health.streams[0].refused, health.dropped) == (1, 2, 3)

    def test_what_has_little_room_is_found(self, pods: Pods, any_redis_url: str) -> None:
        pod = pods(any_redis_url, children=10, rows=14, metrics=4, counters=2)
        for child in range(9):
            pod.count("shop", {"c": str(child)}, {f"m{child % 3}": 1}, None)
        pod.count("cart", {"c": "a"}, None, None)
        # 9 children of 10; rows: the whole, `c` and its 9, 11 of 14; metrics: hits and three, 4 of 4; counters 2 of 2.
        assert look(pod).room == Room(
            [
                Crowded("counters", "", "", 2, 2),
                Crowded("metrics", "shop", "", 4, 4),
                Crowded("children", "shop", "c", 9, 10),
            ],
            2,
            2,
        )

    def test_each_primary_tells_of_itself(self, any_pod: Pod) -> None:
        told = look(any_pod).servers
        assert len(told) == (3 if "Cluster" in type(any_pod.store.server.client).__name__ else 1)
        assert {one.holds for one in told} == {"counters and hail"}
        for vitals in (one.vitals for one in told):
            assert (vitals.product, vitals.role, vitals.policy) == ("Valkey", "master", "noeviction")
            assert (vitals.is_appending, vitals.snapshots, vitals.failed) == (False, False, "")

    def test_a_store_that_is_away_is_no_exception(self) -> None:
        server = connect(f"redis://{HOST}:{free_port()}")
        pod = Pod(Store(server))
        assert found(look(pod)) == [("error", "H001")]
        server.close()

    def test_a_setting_that_contradicts_what_is_counted_is_told(self, pods: Pods, redis_url: str) -> None:
        pods(redis_url).count("shop", None, None, None)
        assert ("error", "H002") in found(look(pods(redis_url, zone="Asia/Kolkata")))

    def test_a_server_that_may_lose_counts(self) -> None:
        with servers.running(maxmemory="100mb", maxmemory_policy="allkeys-lru", save="60 1") as server:
            connected = connect(server.url)
            health = look(Pod(Store(connected, Options())))
            connected.close()
        assert found(health) == [("error", "H010"), ("warning", "H013")]


@pytest.mark.parametrize(
    ("state", "rate"),
    [
        ({}, 0.0),
        ({"minute1": "900 40", "minute2": "960 70"}, 0.6),  # 60 in the 100 seconds since the first
        ({"minute1": "600 10", "minute2": "960 70"}, 0.75),  # the first is too old: 30 in 40 seconds
        ({"minute1": "1000 90"}, 10.0),  # no rate over less than a second
    ],
)
def test_the_rate_is_since_the_oldest_sample_of_five_minutes(state: dict[str, str], rate: float) -> None:
    assert per_second(state, 100, 1000.0) == rate


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        (with_server(), []),
        (with_server(policy="volatile-ttl"), [("error", "H010")]),
        (with_server(policy="volatile-ttl", limit_bytes=0), [("warning", "H010")]),
        (with_server(evicted_keys=1), [("warning", "H011")]),
        (with_server(is_appending=False, snapshots=False), [("error", "H012")]),
        (with_server(is_appending=False, snapshots=False, replicas=1), [("warning", "H012")]),
        (with_server(is_appending=False), [("warning", "H013")]),
        (with_server(is_appending=False, snapshots=None), [("warning", "H013")]),
        (with_server(product="Redis", version="6.0.16"), [("error", "H014")]),
        (with_server(product="Redis", version="6.2.0"), []),
        (with_server(failed="a snapshot"), [("error", "H015")]),
        (with_server(used_bytes=79), []),
        (with_server(used_bytes=80), [("warning", "H016")]),
        (with_server(used_bytes=95), [("error", "H016")]),
        (with_server(cluster="fail"), [("error", "H017")]),
        (with_stream(), []),
        (with_stream(lag_seconds=9.9), []),
        (with_stream(lag_seconds=10), [("warning", "H020")]),
        (with_stream(lag_seconds=60), [("error", "H020")]),
        (with_stream(entries=60), [("warning", "H021")]),
        (with_stream(entries=90), [("error", "H021")]),
        (with_stream(refused=1), [("note", "H022")]),
        (with_stream(letters=1), [("warning", "H030")]),
        (with_stream(unwritten=1), [("note", "H031")]),
        (StoreHealth("default", dropped=1), [("note", "H033")]),
        (StoreHealth("default", room=Room([Crowded("rows", "shop", "", 9, 10)], 1, 1)), [("warning", "H040")]),
    ],
)
def test_what_is_wrong(health: StoreHealth, expected: list[tuple[str, str]]) -> None:
    assert found(health) == expected


def test_the_worst_comes_first() -> None:
    both = StoreHealth("default", streams=(replace(STREAM, refused=1, letters=1, lag_seconds=99),))
    assert [level for level, _ in found(both)] == ["error", "warning", "note"]
