"""The circuit breaker: one caller tries, and the others do not wait."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hailwhale_django.breaker import LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS, Breaker
from hailwhale_django.engine.errors import InvalidInput, StoreUnavailable


class Store:
    """Counts who asks; takes so many seconds to fail."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self.seconds: float | None = None

    def clock(self) -> float:
        return self.now

    def answer(self) -> str:
        self.asked += 1
        if self.seconds is not None:
            self.now += self.seconds
            raise StoreUnavailable("away")
        return "whale"


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def call(store: Store) -> Callable[[], str]:
    breaker = Breaker(store.clock)
    return lambda: breaker.call(store.answer)


def fails(call: Callable[[], str]) -> str:
    with pytest.raises(StoreUnavailable) as error:
        call()
    return str(error.value)


def test_a_store_that_answers_is_always_asked(store: Store, call: Callable[[], str]) -> None:
    assert [call(), call()] == ["whale"] * 2
    assert store.asked == 2


@pytest.mark.parametrize(
    ("seconds", "pause"), [(0.001, SHORTEST_PAUSE_SECONDS), (10.0, 10.0), (100.0, LONGEST_PAUSE_SECONDS)]
)
def test_nobody_waits_for_as_long_as_it_took_to_fail(
    seconds: float, pause: float, store: Store, call: Callable[[], str]
) -> None:
    store.seconds = seconds
    assert fails(call) == "away"
    store.now += pause - 0.01
    assert fails(call) == "not asked, since it failed a moment ago: away"
    assert store.asked == 1
    store.now += 0.02
    store.seconds = None
    assert call() == "whale"
    assert call() == "whale"


def test_one_at_a_time_tries() -> None:
    store = Store()
    breaker = Breaker(store.clock)
    store.seconds = 10.0
    fails(lambda: breaker.call(store.answer))
    store.now += 11
    others: list[str] = []

    def hang() -> str:
        others.append(fails(lambda: breaker.call(store.answer)))
        return "whale"

    assert breaker.call(hang) == "whale"
    assert others == ["not asked, since it failed a moment ago: away"]
    assert store.asked == 1


def test_what_is_no_outage_is_none(store: Store) -> None:
    breaker = Breaker(store.clock)

    def refuse() -> None:
        raise InvalidInput("pk", None, "name it")

    with pytest.raises(InvalidInput):
        breaker.call(refuse)
    assert breaker.call(store.answer) == "whale"
