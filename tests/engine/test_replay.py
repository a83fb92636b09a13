"""Dead letters are counted once, when they are replayed, and never twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from hailwhale_django.engine.errors import CounterOverflow, HailFull, InvalidInput, TooManyNames
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.replay import Replay
from hailwhale_django.engine.store.dead import Letter

from .conftest import Pods

LARGEST = (2**63 - 1) // 10**6
AHEAD = b'9999999999\t[["shop"]]\t{"hits":1000000}'


def total(pod: Pod, pk: object, metric: str = "hits", dimension: object = None) -> float:
    return pod.query(pk, dimension=dimension, metrics=[metric], period="today").totals.cells[0].value or 0.0


def replay(pod: Pod) -> Replay:
    return Replay(pod.store, pod.log, pod.clock)


def test_an_event_that_was_refused_whole_goes_back_to_the_log_once(pods: Pods, any_redis_url: str) -> None:
    narrow, wide = pods(any_redis_url, counters=1), pods(any_redis_url)
    narrow.acceptor.accept_many([("shop", {"c": "a"}), ("cart", {"c": "b"}, {"sales": 2})])
    narrow.drain.run()
    (letter,) = narrow.drain.dead.letters(0)
    assert (letter.pk, letter.metrics) == ("", ())
    with pytest.raises(TooManyNames):
        replay(narrow).replay(letter)
    assert replay(wide).replay(letter)
    assert not replay(wide).replay(letter)
    assert wide.drain.dead.letters(0) == []
    assert wide.drain.run() == 1
    assert total(wide, "cart") == 1
    assert total(wide, "cart", "sales", "c/b") == 2


def test_a_letter_stays_where_the_log_is_full(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url)
    letter = Letter(0, "9" * 30, "", b'1\t[["shop"]]\t{"hits":1000000}', "why")
    pod.drain.dead.add([letter])
    with pytest.raises(HailFull):
        pod.drain.dead.revive(letter, 0)
    assert pod.drain.dead.letters(0) == [letter]


@pytest.mark.parametrize("line", [b"no event", AHEAD], ids=["none", "of 2286"])
def test_what_still_cannot_be_counted_stays_and_says_why(any_pod: Pod, line: bytes) -> None:
    letter = Letter(0, "9" * 30, "", line, "why")
    any_pod.drain.dead.add([letter])
    with pytest.raises(InvalidInput):
        replay(any_pod).replay(letter)
    assert any_pod.drain.dead.letters(0) == [letter]


def overflow(pod: Pod) -> list[Letter]:
    """On `shop/p` there is room for one more of both metrics, on `shop` for none."""
    pod.count("shop", {"c": "a"}, {"cash": LARGEST, "coins": LARGEST, "hits": 0}, None)
    pod.acceptor.accept(["shop", "p"], {"c": "a"}, {"cash": 1, "coins": 2}, None)
    pod.drain.run()
    return pod.drain.dead.letters(0)


def test_each_metric_that_overflowed_has_a_letter(any_pod: Pod) -> None:
    assert [(letter.pk, letter.metrics) for letter in overflow(any_pod)] == [("shop", ("cash",)), ("shop", ("coins",))]


def test_refused_metrics_are_counted_on_the_counter_that_refused_them_and_nowhere_else(any_pod: Pod) -> None:
    pod = any_pod
    cash, coins = overflow(pod)
    assert total(pod, ["shop", "p"], "cash") == 1
    with pytest.raises(CounterOverflow):
        replay(pod).replay(cash)
    pod.count("shop", {"c": "a"}, {"cash": -LARGEST, "coins": -LARGEST, "hits": 0}, None)
    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(lambda _: replay(pod).replay(cash), range(4))) == 1
    assert pod.drain.dead.letters(0) == [coins]
    assert pod.drain.run() == 0
    assert [total(pod, pk, "cash") for pk in ("shop", ["shop", "p"])] == [1, 1]
    assert total(pod, "shop", "cash", "c/a") == 1
    assert total(pod, "shop", "coins") == 0
    assert [total(pod, pk) for pk in ("shop", ["shop", "p"])] == [1, 1]


def test_a_replay_that_ended_before_the_letter_was_removed_counts_once(any_pod: Pod) -> None:
    cash, _ = overflow(any_pod)
    any_pod.count("shop", {"c": "a"}, {"cash": -LARGEST, "hits": 0}, None)
    assert replay(any_pod).replay(cash)
    any_pod.drain.dead.add([cash])  # as if the process had ended there
    assert replay(any_pod).replay(cash)
    assert total(any_pod, "shop", "cash") == 1
    assert cash not in any_pod.drain.dead.letters(0)


def test_letters_are_found_newest_first_and_by_their_ids(any_pod: Pod) -> None:
    letters = [Letter(n % 2, f"{n:030d}", "shop", b"x", "why", ("m",)) for n in range(5)]
    any_pod.drain.dead.add(letters)
    assert any_pod.drain.dead.newest([0, 1], 1, 2) == ([letters[3], letters[2]], 5)
    assert any_pod.drain.dead.find([0, 1], [letters[4].id, letters[1].id, "0-none"]) == [letters[1], letters[4]]
    assert any_pod.drain.dead.remove([letters[4], letters[4]]) == 1
