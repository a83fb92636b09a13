"""Conversations: what one comes to is what it would come to alone, whoever talks beside it."""

from __future__ import annotations

from typing import Any

import pytest

from hailwhale_django.engine.errors import InvalidInput, StoreUnavailable
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store.conversation import MOST_OF_A_ROUND, Conversation, abreast, both
from hailwhale_django.engine.store.server import Call, Script
from tests.engine.conftest import Pods, trips

BROKEN = Script("return redis.error_reply('no')", "0" * 40)


def appending(key: str, *texts: str) -> Conversation[list[int]]:
    """How long a text is after each step."""
    lengths: list[int] = []
    for text in texts:
        lengths += yield [Call("APPEND", [key], [text])]
    return lengths


def refusing(key: str, after: int) -> Conversation[list[int]]:
    """Fails after so many steps."""
    yield from appending(key, *"x" * after)
    raise InvalidInput("steps", after, "use another")


def test_one_is_sent_what_it_asks_for(any_pod: Pod) -> None:
    assert any_pod.store.server.hold(appending("a", "12", "345", "6")) == [2, 5, 6]
    assert any_pod.store.server.hold(appending("a")) == []


def test_several_take_as_many_rounds_as_the_longest(watching: Pods, any_redis_url: str) -> None:
    """Also one that begins with nothing, and several of the same key, which take turns."""
    pod = watching(any_redis_url)
    found: list[Any] = []

    def ask() -> None:
        told = [appending("a", "12", "345", "6"), appending("b"), appending("c", "7"), appending("a", "8", "9")]
        found.extend(pod.together(told))

    assert trips(pod, ask) == 3
    assert found == [[2, 6, 8], [], [1], [3, 7]]
    assert trips(pod, lambda: pod.together([])) == 0


def test_two_of_different_kinds(any_pod: Pod) -> None:
    def reading() -> Conversation[bytes]:
        yield [Call("SET", ["b"], ["text"])]
        (found,) = yield [Call("GET", ["b"])]
        return bytes(found)

    assert any_pod.store.server.hold(both(appending("a", "1"), reading())) == ([1], b"text")


def test_one_may_hold_others_within(watching: Pods, redis_url: str) -> None:
    def nested() -> Conversation[list[list[int]]]:
        return (yield from abreast([appending("a", "1", "2"), appending("b", "345")]))

    pod = watching(redis_url)
    found: list[Any] = []
    assert trips(pod, lambda: found.extend(pod.together([nested(), appending("c", "6", "7")]))) == 2
    assert found == [[[1, 2], [3]], [1, 2]]


@pytest.mark.parametrize("after", [0, 1, 3])
def test_what_one_refuses_does_not_disturb_others(any_pod: Pod, after: int) -> None:
    told = [appending("a", "1", "2"), refusing("b", after), appending("c", "3", "4", "5")]
    first, refused, last = any_pod.together(told)
    assert (first, last) == ([1, 2], [1, 2, 3])
    assert isinstance(refused, InvalidInput)
    assert refused.value == after
    with pytest.raises(InvalidInput, match="steps"):
        any_pod.store.server.hold(abreast([appending("a", "1"), refusing("b", after)]))


def test_a_store_that_does_not_answer_ends_all(any_pod: Pod) -> None:
    def broken() -> Conversation[list[int]]:
        yield [Call(BROKEN, ["b"])]
        raise AssertionError("nothing is sent to it")

    with pytest.raises(StoreUnavailable, match="no"):
        any_pod.together([appending("a", "1", "2"), broken()])


def test_a_mistake_in_the_code_is_no_answer(pod: Pod) -> None:
    def mistaken() -> Conversation[int]:
        yield [Call("GET", ["a"])]
        return 1 // 0

    with pytest.raises(ZeroDivisionError):
        pod.together([mistaken()])


def rounds(sizes: list[list[int]]) -> list[list[int]]:
    """Which conversations take part in each round; `sizes` are the keys of the steps of each."""

    def talking(number: int) -> Conversation[None]:
        for size in sizes[number]:
            replies = yield [Call("MGET", [f"{number}"] * size)]
            assert replies == [number]

    conversation = abreast(map(talking, range(len(sizes))))
    found: list[list[int]] = []
    replies: Any = None
    while True:
        try:
            calls = conversation.send(replies)
        except StopIteration:
            return found
        replies = [int(call.keys[0]) for call in calls]
        found.append(replies)


def test_a_round_has_its_measure() -> None:
    """What goes beyond it waits for the next, and is then first; what is too large alone goes alone."""
    most = MOST_OF_A_ROUND
    assert rounds([[1, 1], [1], [1, 1, 1]]) == [[0, 1, 2], [0, 2], [2]]
    assert rounds([[most], [1], [1]]) == [[0], [1, 2]]
    assert rounds([[most // 2] * 3, [most // 2] * 2, [most // 2]]) == [[0, 1], [2, 0], [1, 0]]
    assert rounds([[most + 1, 1], [most + 1], [1]]) == [[0], [1], [2, 0]]
