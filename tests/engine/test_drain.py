"""Draining the hail: every accepted event counts exactly once."""

from __future__ import annotations

from hailwhale_django.engine.pod import Pod

from .conftest import Pods


def total(pod: Pod, pk: object, metric: str = "hits", dimension: object = None) -> float:
    answer = pod.query(pk, dimension=dimension, metrics=[metric], period="today")
    value = answer.totals.cells[0].value
    return value or 0.0


def test_what_is_accepted_is_counted_by_the_drain(any_pod: Pod) -> None:
    pod = any_pod
    pod.acceptor.accept("shop", {"country": "US"}, {"revenue": 9.5}, None)
    assert pod.acceptor.accept_many([{"pk": "shop", "dimensions": {"country": "DE"}}, ("other",)]) == 2
    assert total(pod, "shop") == 0
    assert pod.drain.run() == 3
    assert total(pod, "shop") == 2
    assert total(pod, "shop", "revenue") == 9.5
    assert total(pod, "other") == 1
    assert pod.drain.run() == 0


def test_two_drains_of_the_same_entries_count_them_once(pods: Pods, any_redis_url: str) -> None:
    one, other = pods(any_redis_url), pods(any_redis_url)
    one.acceptor.accept_many([{"pk": ["shop", f"p{i % 3}"], "dimensions": {"c": f"c{i % 5}"}} for i in range(300)])
    assert one.drain.run() == 300
    # As after a crash between counting and writing down how far it came.
    one.log.server.call("HDEL", [one.log.keys.hail(0, "state")], ["entry"])
    assert other.drain.run() == 300
    assert total(other, "shop") == 300
    assert total(other, ["shop", "p0"]) == 100


def test_the_same_id_counts_once(any_pod: Pod) -> None:
    for _ in range(3):
        any_pod.acceptor.accept("shop", None, None, None, "order-1")
    any_pod.acceptor.accept("cart", None, None, None, "order-1")
    any_pod.drain.run()
    assert total(any_pod, "shop") == 1
    assert total(any_pod, "cart") == 1


def test_a_counter_that_lost_its_latest_writes_gets_them_again(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url)
    pod.acceptor.accept("shop", {"c": "a"}, None, None)
    pod.drain.run()
    saved = {key: pod.store.server.client.dump(key) for key in pod.store.server.client.scan_iter("hw:{shop}*")}
    pod.acceptor.accept_many([("shop", {"c": "b"})] * 10)
    pod.drain.run()
    assert total(pod, "shop") == 11
    # The server is back as it was before.
    client = pod.store.server.client
    client.delete(*client.scan_iter("hw:{shop}*"))
    for key, value in saved.items():
        client.restore(key, 0, value)
    assert total(pod, "shop") == 1
    pod.acceptor.accept("shop", {"c": "a"}, None, None)
    pod.drain.run()
    assert total(pod, "shop") == 12
    assert total(pod, "shop", dimension="c/b") == 10


def test_an_event_that_overflows_becomes_a_dead_letter_and_all_others_count(any_pod: Pod) -> None:
    pod = any_pod
    largest = (2**63 - 1) // 10**6
    pod.acceptor.accept("shop", None, {"sales": largest}, None)
    pod.acceptor.accept_many([("shop", None, {"sales": 1}) for _ in range(9)])
    pod.acceptor.accept("shop", {"c": "a"}, {"revenue": 2}, None)
    assert pod.drain.run() == 11
    assert total(pod, "shop") == 11
    assert total(pod, "shop", "revenue") == 2
    found = pod.drain.dead.letters(0)
    assert [letter.metrics for letter in found] == [("sales",)] * 9
    assert total(pod, "shop", "sales") == largest
