"""Many questions in few round trips.

A *conversation* is a generator that yields the calls it needs next, is sent their replies, and returns what it came
for. Whoever holds one (`Server.hold`) makes a round trip of each of its steps. Those that are held abreast take their
steps together: one round trip serves all of them, and each comes to what it would have come to alone.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import HailWhaleError, StoreUnavailable

if TYPE_CHECKING:
    from .server import Call

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")

Conversation = Generator[Sequence["Call"], list[Any], T]

# Keys and arguments that one round takes of several conversations: what reads of full size, sent one after the other
# so that other clients have their turn between them, come to when one is asked.
MOST_OF_A_ROUND = 20_000


def abreast(conversations: Iterable[Conversation[T]]) -> Conversation[list[T]]:
    """What each of them comes to, in their order. The first that fails ends all.

    In each round go the next calls of all; where these are very many, of those that have waited longest.
    """
    talking = list(conversations)
    found: dict[int, T] = {}
    waiting: dict[int, Sequence[Call]] = {}
    answered: dict[int, Any] = dict.fromkeys(range(len(talking)))
    while True:
        for at, replies in answered.items():
            try:
                waiting[at] = talking[at].send(replies)
            except StopIteration as end:
                found[at] = end.value
        if not waiting:
            return [found[at] for at in range(len(talking))]
        asked = _round(waiting)
        flat = iter((yield [call for calls in asked.values() for call in calls]))
        answered = {at: list(islice(flat, len(calls))) for at, calls in asked.items()}
        for at in asked:
            del waiting[at]


def both(first: Conversation[A], second: Conversation[B]) -> Conversation[tuple[A, B]]:
    """What each of two comes to, held abreast."""
    pair: list[Conversation[Any]] = [first, second]
    one, other = yield from abreast(pair)
    return one, other


def tolerant(conversation: Conversation[T]) -> Conversation[T | HailWhaleError]:
    """The same, but what it refuses is what it comes to: others go on beside it, as long as the store answers."""
    try:
        return (yield from conversation)
    except StoreUnavailable:
        raise
    except HailWhaleError as error:
        return error


def _round(waiting: Mapping[int, Sequence[Call]]) -> dict[int, Sequence[Call]]:
    """The first of those that wait, and as many behind it as go with it."""
    asked: dict[int, Sequence[Call]] = {}
    size = 0
    for at, calls in waiting.items():
        size += sum(len(call.keys) + len(call.arguments) for call in calls)
        if asked and size > MOST_OF_A_ROUND:
            break
        asked[at] = calls
    return asked
