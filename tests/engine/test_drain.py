"""Draining the hail: every accepted event counts exactly once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest

from hailwhale_django.engine import drain as drain_module
from hailwhale_django.engine.errors import HailFull, InvalidInput, StoreUnavailable
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store import log as log_module
from hailwhale_django.engine.store.log import Log, State
from hailwhale_django.engine.store.parcel import ADD
from hailwhale_django.engine.store.server import Call, Server
from tests import servers

from .conftest import NOW, Clock, Pods

Connected = Callable[[str], Server]
LARGEST = (2**63 - 1) // 10**6


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


# --- what is read again


def read_again(pod: Pod) -> None:
    """As after a crash between counting and writing down how far it came, or a fail-over of the hail."""
    pod.log.server.call("HDEL", [pod.log.keys.hail(0, "state")], ["entry"])


def saved(pod: Pod, pk: str) -> dict[bytes, bytes]:
    client = pod.store.server.client
    return {key: client.dump(key) for key in client.scan_iter(f"hw:{{{pk}}}*")}


def restore(pod: Pod, pk: str, keys: dict[bytes, bytes]) -> None:
    """The counter is as it was: its server came back with an older file."""
    client = pod.store.server.client
    if now := list(client.scan_iter(f"hw:{{{pk}}}*")):
        client.delete(*now)
    for key, value in keys.items():
        client.restore(key, 0, value)


def test_what_was_counted_only_in_part_is_counted_to_its_end(any_pod: Pod) -> None:
    any_pod.acceptor.accept_many([("shop",)] * 3)
    any_pod.drain.run()
    any_pod.acceptor.accept_many([("shop",), ("cart",), ("shop", {"c": "a"})])
    read_again(any_pod)
    assert any_pod.drain.run() == 6
    assert (total(any_pod, "shop"), total(any_pod, "cart"), total(any_pod, "shop", dimension="c/a")) == (5, 1, 1)


def test_a_counter_that_is_reset_begins_with_what_is_drained_after_it(any_pod: Pod) -> None:
    any_pod.acceptor.accept("shop", {"c": "a"}, None, None)
    any_pod.drain.run()
    any_pod.acceptor.accept_many([("shop", {"c": "b"}), ("shop", {"c": "b"})])
    any_pod.reset("shop")
    any_pod.drain.run()
    assert (total(any_pod, "shop"), total(any_pod, "shop", dimension="c/a")) == (2, 0)


def test_what_was_counted_before_a_reset_is_not_counted_when_it_is_read_again(any_pod: Pod) -> None:
    any_pod.acceptor.accept_many([(["Product", "1"], {"c": "a"})] * 3)
    any_pod.drain.run()
    any_pod.reset("Product")
    read_again(any_pod)
    assert any_pod.drain.run() == 3
    assert (total(any_pod, "Product"), total(any_pod, ["Product", "1"])) == (0, 0)


def test_rows_that_another_process_removed_are_found_anew(pods: Pods, any_redis_url: str) -> None:
    pod, other = pods(any_redis_url), pods(any_redis_url)
    for n in range(4):
        pod.acceptor.accept_many([(["Product", f"p{n % 2}"], {"c": f"c{i}"}) for i in range(5)])
        assert pod.drain.run() == 5
        other.reset(["Product", "p0"] if n == 1 else "Product", None if n < 3 else "c")
    assert (total(pod, "Product"), total(pod, ["Product", "p1"])) == (5, 5)
    assert pod.subdimensions("Product", "c") == []


def test_a_child_counter_that_lost_its_place_meanwhile_is_counted_as_other(pods: Pods, redis_url: str) -> None:
    pod, other = pods(redis_url, children=1), pods(redis_url, children=1)
    pod.count(["Product", "a"], None, None, None)  # it remembers where that is
    other.reset(["Product", "a"])
    other.count(["Product", "b"], None, None, None)
    pod.acceptor.accept_many([(["Product", "a"],)] * 2)
    pod.drain.run()
    assert {path.name for path in pod.counters("Product")} == {"b", "(other)"}
    assert [total(pod, ["Product", name]) for name in ("a", "b", "(other)")] == [0, 1, 2]
    assert total(pod, "Product") == 4


def test_what_comes_beyond_the_limit_of_child_counters_is_counted_as_other(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url, children=2)
    pod.acceptor.accept_many([(["Product", f"p{n}", "x"],) for n in range(5)])
    pod.drain.run()
    read_again(pod)
    pod.drain.run()
    names = [["Product"], ["Product", "p1"], ["Product", "(other)"], ["Product", "(other)", "x"], ["Product", "p4"]]
    assert [total(pod, pk) for pk in names] == [5, 1, 3, 3, 0]


# --- servers that lose what they had


def test_a_counter_that_is_rolled_back_within_a_batch_gets_all_of_it(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url)
    pod.acceptor.accept("shop", None, {"sales": 1}, None)
    pod.drain.run()
    before = saved(pod, "shop")
    pod.acceptor.accept_many([("shop", None, {"sales": value}) for value in (1, 1, LARGEST, 1)])
    server, answers = pod.store.server, []

    class RolledBack(Server):
        def run(self, calls: Sequence[Call]) -> list[Any]:
            replies = server.run(calls)
            for call, reply in zip(calls, replies, strict=True):
                if call.what is ADD:
                    answers.append(reply[0])
                    if len(answers) == 1:  # what does not fit is being looked for: the first two are counted
                        restore(pod, "shop", before)
            return replies

    pod.store.server = pod.store.catalog.server = RolledBack(server.client)
    pod.drain.run()
    assert answers[:2] == [b"added", b"behind"]
    assert (total(pod, "shop"), total(pod, "shop", "sales")) == (5, 4)
    assert [letter.metrics for letter in pod.drain.dead.letters(0)] == [("sales",)]


def test_what_a_restart_has_lost_is_counted_again_also_where_nothing_new_comes(pods: Pods) -> None:
    with servers.running() as valkey:
        pod, other = pods(valkey.url), pods(valkey.url)
        pod.acceptor.accept_many([(["Product", "1"], {"c": "a"})] * 3)
        pod.drain.run()
        restore(pod, "Product", {})
        assert (total(other, "Product"), total(other, ["Product", "1"])) == (0, 3)
        other.log.server.call("HSET", [other.log.keys.hail(0, "state")], ["servers", "another one"])
        assert other.drain.run() == 0
        assert (total(other, "Product"), total(other, ["Product", "1"])) == (3, 3)
        assert total(other, "Product", dimension="c/a") == 3


def test_events_that_come_while_the_stream_gets_its_name_count_once(
    pod: Pod, pods: Pods, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = pod.log.state

    def state_of_the_empty_stream(stream: int) -> State:
        state = asked(stream)
        pod.acceptor.accept("shop", None, None, None)
        return state

    with monkeypatch.context() as patched:
        patched.setattr(pod.log, "state", state_of_the_empty_stream)
        assert pod.drain.run() == 0  # it waits for the next look
    assert pod.drain.run() == 1
    pod.acceptor.accept("shop", None, None, None)
    assert pod.drain.run() == 1
    assert total(pod, "shop") == 2


def test_a_hail_that_begins_anew_meanwhile_is_not_written_to(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    pod.acceptor.accept("shop", None, None, None)
    pod.drain.run()
    pod.acceptor.accept("shop", None, None, None)
    advance = pod.log.advance

    def emptied_before(*arguments: Any) -> str | None:
        servers_client = pod.log.server.client
        servers_client.delete(*servers_client.scan_iter("hw:hail:*"))
        pod.acceptor.accept("shop", None, None, None)
        return advance(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(pod.log, "advance", emptied_before)
        assert pod.drain.run() == 1
    assert pod.log.state(0).entry == ""
    assert pod.drain.run() == 1
    assert pod.drain.run() == 0
    assert total(pod, "shop") == 3


# --- what cannot be counted


def test_metrics_beyond_the_limit_become_dead_letters_and_the_rest_counts(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url, metrics=2)
    pod.acceptor.accept_many([("shop", None, {"a": 1}), ("shop", None, {"b": 2, "c": 3, "a": 1}), ("shop",)])
    assert pod.drain.run() == 3
    assert (total(pod, "shop"), total(pod, "shop", "a")) == (3, 2)
    found = pod.drain.dead.letters(0)
    assert sorted(letter.metrics for letter in found) == [("b",), ("c",)]
    assert {letter.pk for letter in found} == {"shop"}
    assert all("the limit is 2 metrics" in letter.reason for letter in found)


def test_an_event_without_any_metric_that_fits_still_moves_on(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url, metrics=1)
    pod.acceptor.accept_many([("shop",), ("shop", None, {"hits": 0, "a": 1}), ("shop",)])
    pod.drain.run()
    read_again(pod)
    pod.drain.run()
    assert total(pod, "shop") == 2


def test_each_metric_that_overflows_has_a_letter(pod: Pod) -> None:
    pod.acceptor.accept_many([("shop", None, {"a": LARGEST, "b": -LARGEST})] * 2)
    for _ in range(2):
        pod.drain.run()
        read_again(pod)
    assert sorted(letter.metrics for letter in pod.drain.dead.letters(0)) == [("a",), ("b",)]
    assert (total(pod, "shop"), total(pod, "shop", "a"), total(pod, "shop", "b")) == (2, LARGEST, -LARGEST)


def test_counters_beyond_the_limit_become_dead_letters(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url, counters=1)
    pod.acceptor.accept_many([("shop",), (["cart", "1"],), ("shop",)])
    pod.drain.run()
    assert (total(pod, "shop"), total(pod, "cart")) == (2, 0)
    [letter] = pod.drain.dead.letters(0)
    assert "the limit is 1 counters" in letter.reason
    assert b"cart" in letter.line


def test_events_that_no_interval_keeps_are_refused_or_become_dead_letters(
    pods: Pods, redis_url: str, clock: Clock
) -> None:
    pod = pods(redis_url, intervals={"1h": "1d"})
    for at in (NOW - timedelta(days=2), NOW + timedelta(days=2)):
        with pytest.raises(InvalidInput, match="at"):
            pod.acceptor.accept("shop", None, None, at)
    pod.acceptor.accept_many([("shop", None, None, NOW - timedelta(hours=hours)) for hours in (0, 20)])
    clock.set(NOW + timedelta(hours=10))
    assert pod.drain.run() == 2
    [letter] = pod.drain.dead.letters(0)
    assert "no interval is kept that long" in letter.reason
    assert pod.query("shop", period="1h:2d").totals.cells[0].value == 1


@pytest.mark.parametrize(
    "garbage",
    [
        {"2": "from the future"},
        {"1": ""},
        {"1": b"\xff\xfe\x00\n\t\t\t"},
        {"1": "1\t[[]]\t{}"},
        {"1": 'NaN\t[["shop"]]\t{"hits":1}'},
        {"1": '1\t[["shop"]]\t{"hits":1e999}'},
        {"other": "x", "1x": "y"},
    ],
)
def test_garbage_in_the_stream_is_written_down_and_passed(any_pod: Pod, garbage: dict[str, Any]) -> None:
    any_pod.acceptor.accept("shop", None, None, None)
    any_pod.log.server.call("XADD", [any_pod.log.keys.hail(0, "log")], ["*", *next(iter(garbage.items()))])
    any_pod.acceptor.accept("shop", None, None, None)
    assert any_pod.drain.run() == 2
    found = any_pod.drain.dead.letters(0)
    assert found and all(letter.reason for letter in found)
    assert total(any_pod, "shop") == 2
    assert any_pod.drain.run() == 0


# --- streams, leases and how long things stay


def test_a_stream_is_drained_by_one_at_a_time(pods: Pods, any_redis_url: str) -> None:
    one, other = pods(any_redis_url), pods(any_redis_url)
    one.acceptor.accept("shop", None, None, None)
    assert one.log.lease(0, "somebody")
    assert other.drain.run() == 0
    other.log.release(0, "somebody else")
    assert other.drain.run() == 0
    one.log.release(0, "somebody")
    assert other.drain.run() == 1
    assert one.log.lease(0, "the next")


def test_a_drain_whose_lease_ran_out_and_the_next_one_count_once(
    pods: Pods, any_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = pods(any_redis_url), pods(any_redis_url)
    slow.acceptor.accept_many([("shop", {"c": f"c{n}"}) for n in range(10)])
    count = drain_module.MarkedCount.count

    def overtaken(self: Any, items: Any, now: float) -> None:
        if self.log is slow.log and not total(quick, "shop"):
            slow.log.release(0, slow.drain._holder)
            assert quick.drain.run() == 10
            quick.acceptor.accept("shop", None, None, None)
            quick.drain.run()
        count(self, items, now)

    with monkeypatch.context() as patched:
        patched.setattr(drain_module.MarkedCount, "count", overtaken)
        slow.drain.run()
    assert quick.drain.run() == 0
    assert total(slow, "shop") == 11


def test_every_stream_that_ever_was_is_drained(connected: Connected, pods: Pods, any_redis_url: str) -> None:
    first = pods(any_redis_url)
    pod = Pod(first.store, first.clock, Log(first.log.server, first.log.keys, streams=5))
    pod.acceptor.accept_many([(f"counter {n}",) for n in range(40)])
    assert pod.log.streams() == [0, 1, 2, 3, 4]
    assert first.log.streams() == [0, 1, 2, 3, 4]
    first.acceptor.accept_many([(f"counter {n}",) for n in range(40)])
    assert first.drain.run() == 80
    assert [total(first, f"counter {n}") for n in range(40)] == [2] * 40


def test_the_hail_may_be_on_another_server(connected: Connected, pods: Pods, redis_url: str, cluster_url: str) -> None:
    with closing(servers.client(cluster_url)) as client:
        client.flushdb()
    pod = pods(redis_url)
    pod = Pod(pod.store, pod.clock, Log(connected(cluster_url), pod.store.keys, streams=3))
    pod.acceptor.accept_many([(f"counter {n}",) for n in range(20)])
    assert not list(pod.store.server.client.scan_iter("hw:hail*"))
    assert pod.drain.run() == 20
    assert [total(pod, f"counter {n}") for n in range(20)] == [1] * 20


def test_what_is_counted_stays_a_while_and_then_nothing_does(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    client, keys = pod.store.server.client, pod.log.keys
    for _ in range(3):
        pod.acceptor.accept("shop", None, None, None)
        pod.drain.run()
        assert pod.drain.run() == 0
    assert client.xlen(keys.hail(0, "log")) == 3
    assert list(pod.log.marks(0)) == ["shop"]
    monkeypatch.setattr(log_module, "KEPT_SECONDS", 0)
    for _ in range(4):
        assert pod.drain.run() == 0
    assert client.xlen(keys.hail(0, "log")) == 0
    assert pod.log.marks(0) == {}
    # A counter that was reset, and has forgotten its mark, gets nothing back when the server is another one.
    pod.reset("shop")
    client.delete(keys.marks("shop"))
    client.hset(keys.hail(0, "state"), "servers", "another one")
    assert pod.drain.run() == 0
    pod.acceptor.accept("shop", None, None, None)
    assert pod.drain.run() == 1
    assert total(pod, "shop") == 1


def test_what_was_counted_late_stays_as_long(pod: Pod) -> None:
    """A backlog of yesterday's events is no older than its counting."""
    line = f'{NOW.timestamp()}\t[["shop"]]\t{{"hits":1000000}}'
    pod.acceptor.accept("shop", None, None, None)
    key = pod.log.keys.hail(0, "log")
    pod.log.server.call("DEL", [key])
    for n in range(1, 4):
        pod.log.server.call("XADD", [key], [f"{n}-0", "1", line])
    assert pod.drain.run() == 3
    assert pod.drain.run() == 0
    assert pod.store.server.client.xlen(key) == 3


def test_a_full_hail_refuses_and_a_drained_one_takes_again(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url)
    pod = Pod(pod.store, pod.clock, Log(pod.log.server, pod.log.keys, limit=4))
    for _ in range(4):
        pod.acceptor.accept("shop", None, None, None)
    with pytest.raises(HailFull, match="no room for 1 event among 4 entries"):
        pod.acceptor.accept("shop", None, None, None)
    with pytest.raises(StoreUnavailable, match="no room for 70 events"):
        pod.acceptor.accept_many([("shop",)] * 70)
    assert pod.drain.run() == 4
    for _ in range(4):
        pod.acceptor.accept("shop", None, None, None)
    assert pod.drain.run() == 4
    assert total(pod, "shop") == 8


# --- ids


def test_an_id_counts_once_in_one_call_and_in_each_counter(any_pod: Pod) -> None:
    given = [{"pk": pk, "id": known_as} for pk in ("shop", ["shop", "1"]) for known_as in ("a", "a", 1, "1")]
    assert any_pod.acceptor.accept_many(given) == 8
    any_pod.drain.run()
    assert (total(any_pod, ["shop", "1"]), total(any_pod, "shop")) == (2, 4)


@pytest.mark.parametrize("seconds", [-2, 0.5, 86_000])
def test_an_id_counts_once_around_midnight_whichever_clock_is_behind(
    any_pod: Pod, clock: Clock, seconds: float
) -> None:
    midnight = datetime(2099, 11, 22, tzinfo=NOW.tzinfo)
    clock.set(midnight - timedelta(seconds=0.1) if seconds > 0 else midnight + timedelta(seconds=1))
    any_pod.acceptor.accept("shop", None, None, NOW, "a")
    clock.at += seconds
    any_pod.acceptor.accept("shop", None, None, NOW, "a")
    any_pod.drain.run()
    assert any_pod.query("shop", period="1d:3d").totals.cells[0].value == 1


@pytest.mark.parametrize("known_as", [True, 1.5, ["a"], "x" * 201, "\ud800"])
def test_what_is_no_id_is_refused(pod: Pod, known_as: Any) -> None:
    with pytest.raises(InvalidInput, match="id"):
        pod.acceptor.accept("shop", None, None, None, known_as)
    assert pod.drain.run() == 0
