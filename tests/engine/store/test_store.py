"""What a store's numbers mean: fixed once something is counted, for as long as it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from hailwhale_django.engine.domain.event import Places
from hailwhale_django.engine.errors import InvalidConfiguration
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store.server import Server
from tests.engine.conftest import NOW, Clock, Pods


def total(pod: Pod, period: str = "yesterday", **asked: object) -> float:
    return pod.query("shop", period=period, **asked).totals.cells[0].value


def warnings(pod: Pod, period: str) -> list[str]:
    return pod.query("shop", period=period, plotted=True).warnings


def held(connected: Callable[[str], Server], url: str) -> dict[str, str]:
    found = connected(url).call("HGETALL", ["hw:store"])
    return {name.decode(): value.decode() for name, value in found.items()}


def test_the_first_to_count_writes_down_what_the_numbers_mean(
    pods: Pods, any_redis_url: str, connected: Callable[[str], Server]
) -> None:
    pod = pods(any_redis_url, zone="Asia/Kolkata", places=Places(2, {"ms": 0}), intervals={"1h": "90d", "1d": None})
    assert total(pod) == 0
    assert held(connected, any_redis_url) == {}
    pod.count("shop", None, None, None)
    assert held(connected, any_redis_url) == {
        "schema": "1",
        "zone": "Asia/Kolkata",
        "places": '{"": 2, "ms": 0}',
        "since:1h": "0",
        "since:1d": "0",
        "sketches": "[[0, []]]",
    }


@pytest.mark.parametrize(
    ("changed", "setting", "was"),
    [
        ({"zone": "Europe/Paris"}, "TIME_ZONE", "UTC"),
        ({"places": Places(2)}, "PLACES", '{"": 6}'),
        ({"places": Places(6, {"ms": 0})}, "PLACES", '{"": 6}'),
    ],
)
def test_a_changed_meaning_is_refused_by_whoever_comes(
    pods: Pods, any_redis_url: str, changed: dict[str, object], setting: str, was: str
) -> None:
    pods(any_redis_url).count("shop", None, None, None)
    pod = pods(any_redis_url, **changed)
    for ask in (
        lambda: pod.query("shop"),
        lambda: pod.count("shop", None, None, None),
        lambda: pod.count_many([("shop",)], None),
        lambda: pod.update_count_to("shop", None, {"stock": 5}, "1d", None),
    ):
        with pytest.raises(InvalidConfiguration) as caught:
            ask()
        assert str(caught.value).startswith(f"{setting} is ")
        assert was in str(caught.value)
    assert total(pods(any_redis_url), "today") == 1
    pods(any_redis_url, prefix="another", **changed).count("shop", None, None, None)


def test_a_meaning_that_was_only_read_may_be_changed(pods: Pods, redis_url: str) -> None:
    for zone in ("UTC", "Asia/Kolkata", "Europe/Paris"):
        assert total(pods(redis_url, zone=zone)) == 0
    pods(redis_url, zone="Europe/Paris").count("shop", None, None, None)


def test_who_looked_before_anything_was_counted_still_notices(pods: Pods, redis_url: str) -> None:
    early = pods(redis_url, zone="Europe/Paris")
    assert total(early) == 0
    pods(redis_url).count("shop", None, None, None)
    with pytest.raises(InvalidConfiguration):
        total(early)


def test_the_same_is_not_asked_again_and_again(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url)
    pod.count("shop", None, None, None)
    asked: list[object] = []
    run = pod.store.server.run
    pod.store.server.run = lambda calls: asked.extend(call.keys for call in calls) or run(calls)  # type: ignore[method-assign]
    pod.count("shop", None, None, None)
    total(pod)
    assert ["hw:store"] not in asked


def test_an_interval_that_is_added_later_is_used_from_then_on(pods: Pods, any_redis_url: str, clock: Clock) -> None:
    first = {"1h": None, "1mo": None}
    pod = pods(any_redis_url, intervals=first)
    for hours in (0, 10, 30):
        pod.count("shop", None, None, (NOW - timedelta(hours=hours)).timestamp())
    later = first | {"1d": None}
    both = [pods(any_redis_url, intervals=later) for _ in range(2)]
    # One of them has only read until now, and one has counted.
    assert total(both[0], "3d") == 3
    both[1].count("shop", None, None, None)
    fresh = pods(any_redis_url, intervals=later)
    for one in (*both, fresh):
        assert total(one, "today") == 3
        assert total(one, "3d") == 4
        answer = one.query("shop", period="3d", plotted=True)
        assert answer.totals.cells[0].points == [0, 1, 3]
        assert answer.warnings == []
    clock.set(NOW + timedelta(days=2))
    both[0].count("shop", None, None, None)
    answer = both[1].query("shop", period="3d", plotted=True)
    assert answer.totals.cells[0].points == [3, 0, 1]
    assert total(fresh, "mtd") == 5


def test_an_interval_that_is_left_out_is_not_missed(pods: Pods, any_redis_url: str) -> None:
    pods(any_redis_url).count("shop", None, None, None)
    pod = pods(any_redis_url, intervals={"1h": "90d", "1mo": None})
    pod.count("shop", None, None, None)
    assert total(pod, "today") == total(pod, "mtd") == 2


def test_prefixes_are_stores_of_their_own(pods: Pods, any_redis_url: str) -> None:
    one, other = pods(any_redis_url, prefix="one"), pods(any_redis_url, prefix="other", zone="Asia/Kolkata")
    one.count("shop", None, None, None)
    other.count("shop", None, {"revenue": 5}, None)
    assert (total(one, "today"), total(other, "today", metrics="revenue")) == (1, 5)
    one.reset("shop")
    assert total(other, "today") == 1
