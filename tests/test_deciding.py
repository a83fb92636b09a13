"""`Whale.decide` and what is counted for it: every spelling of the ancestor's README and code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hailwhale_django import Hail, Whale, connection, deciding
from hailwhale_django.engine.errors import InvalidInput
from tests.engine.conftest import Clock
from tests.models import Product

pytestmark = pytest.mark.django_db

KNOWN = {"country": "US", "device": "Mac OS X"}


@pytest.fixture(autouse=True)
def clock(redis_url: str, settings: Any) -> Iterator[Clock]:
    settings.HAILWHALE = {"REDIS": redis_url, "STORES": {"other": {"PREFIX": "other"}}}
    standing = Clock()
    for store in ("default", "other"):
        pod = connection.pod(store)
        pod.clock = pod.drain.clock = pod.acceptor.clock = pod.decider.clock = standing
        pod.decider.chooser.later = lambda work: work()
    yield standing
    for store in ("default", "other"):
        connection.pod(store).store.server.close()


def log() -> list[Any]:
    deciding.flush_log()
    return Whale.pod().store.choices.latest("shop/banner", 100)


def learn(times: int = 30) -> None:
    for _ in range(times):
        Whale.count_decided_now("shop", "banner", "good", KNOWN, {"visitors": 1, "revenue": 9})
        Whale.count_decided_now("shop", "banner", "bad", KNOWN, {"visitors": 1})


def test_the_readme_s_example() -> None:
    pk = ["Product", "123"]
    for _ in range(20):
        english = {"revenue": 500, "visitors": 100}
        Whale.count_decision(pk, decided={"language": "EN"}, metric=english, dimensions=KNOWN)
        Whale.count_decision(pk, decided={"language": "SP"}, metric={"revenue": 0, "visitors": 100}, dimensions=KNOWN)
    made = [Whale.decide(pk, options={"language": ["EN", "SP"]}, known_dimensions=KNOWN, seed=n) for n in range(20)]
    assert made.count({"language": "EN"}) >= 19
    assert Whale.total([*pk, "language", "EN"], "revenue", period="today") == 10_000
    assert Whale.total("Product", "visitors", period="today") == 4_000


def test_a_decision_whose_counter_is_the_pk() -> None:
    for _ in range(30):
        Whale.count_decision("PageVariation", option="b", dimensions=KNOWN, metric={"spent": 0.5})
        Whale.count_decision("PageVariation", option="b", dimensions=KNOWN, metric={"earned": 25})
        Whale.count_decision("PageVariation", option="a", dimensions=KNOWN, metric={"spent": 0.5, "earned": 1})
    made = Whale.decide("PageVariation", options=["a", "b"], dimensions=KNOWN, by_metric="earned/spent", seed=1)
    assert made == "b"
    assert Whale.decide("PageVariation", options=["a", "b"], by_metric="spent/earned", minimize=True, seed=1) == "b"
    assert Whale.total(["PageVariation", "b"], "earned/spent", period="today") == 50


def test_the_ancestor_s_code() -> None:
    learn()
    made = Whale.decide("shop", "banner", ["good", "bad"], "revenue/visitors", KNOWN, "7d", 0.0, 0.0)
    assert made == "good"
    choice = Whale.decide("shop", "banner", ["good", "bad"], bad_idea_threshold=0.2, choice=True)
    assert choice.policy == "reasons" and choice.standing("bad").probability == pytest.approx(0.2)


def test_reasons() -> None:
    learn()
    Whale.count_decided_now("shop", "banner", "new", {"country": "DE"}, {"visitors": 1})
    options = ["good", "bad", "new"]
    found = Whale.reasons_for("shop", "banner", options, known_data=KNOWN)
    assert list(found["good"]) == ["_", "country/US", "device/Mac OS X", "country/US and device/Mac OS X"]
    assert found["good"]["country/US"] > 2 > -2 > found["bad"]["country/US"]
    good, bad, test = Whale.weighted_reasons("shop", "banner", options, known_data=KNOWN)
    assert (set(good), set(bad), set(test)) == ({"good"}, {"bad"}, {"new"}) or set(good) == {"good"}
    assert good == {"good": 1.0}


def test_deciding_from_reasons() -> None:
    good, bad, test = {"a": 0.75, "b": 0.25}, {"c": 1.0}, {"d": 1.0}
    made = [Whale.decide_from_reasons(good, bad, test, 0.1, 0.2, seed=n) for n in range(4000)]
    shares = [made.count(option) / len(made) for option in "abcd"]
    assert shares == pytest.approx([0.525, 0.175, 0.1, 0.2], abs=0.03)
    assert Whale.decide_from_reasons({}, bad, {}) == "c"
    assert Whale.decide_from_reasons({}, bad, test) == "d"
    with pytest.raises(InvalidInput, match="name at least one option"):
        Whale.decide_from_reasons({}, {}, {})


def test_several_decisions_one_by_one_and_together() -> None:
    options = {"language": ["EN", "SP"], "layout": ["wide", "narrow"]}
    apart = Whale.decide("shop", options=options, seed=1)
    assert apart["language"] in ("EN", "SP") and apart["layout"] in ("wide", "narrow")
    joint = Whale.decide("shop", options=options, together=True, seed=1)
    assert set(joint) == {"language", "layout"}
    Whale.count_decision("shop", joint, {"visitors": 1})
    assert Whale.total(["shop", "language", joint["language"]], "visitors", period="today") == 1
    with pytest.raises(InvalidInput, match="no decision beside it"):
        Whale.decide("shop", "banner", options)


def test_what_was_decided_is_logged() -> None:
    for n in range(3):
        Whale.decide("shop", "banner", ["a", "b"], known_data=KNOWN, seed=n)
    Whale.decide("shop", "banner", ["a", "b"], forced="b")
    logged = log()
    assert len(logged) == 3
    assert logged[0].kept.chances == (0.5, 0.5) and "country/US" in logged[0].kept.paths


def test_the_same_visitor_and_what_it_earns() -> None:
    made = Whale.decide("shop", "banner", ["a", "b"], known_data=KNOWN, visitor="ann", choice=True)
    assert Whale.decide("shop", "banner", ["a", "b"], visitor="ann") == made.option
    Whale.count_decision("shop", decision="banner", visitor="ann", metrics={"visitors": 1}, id="seen")
    for _ in range(2):
        Whale.count_decision("shop", decision="banner", decision_id=made.id, metrics={"revenue": 20}, id="order")
    assert Whale.total(["shop", "banner", made.option], "revenue/visitors", period="today") == 20
    (logged,) = log()
    assert logged.earned == {"visitors": 1, "revenue": 20}


def test_through_the_hail_each_counts_once() -> None:
    made = Whale.decide("shop", "banner", ["a", "b"], visitor="ann", choice=True)
    for _ in range(3):
        Hail.count_decision("shop", decision="banner", decision_id=made.id, metrics={"revenue": 20}, id="order")
        Hail.count_decision("shop", {"banner": "a"}, {"visitors": 1}, dimensions=KNOWN, id="one")
    Hail.count_decided("shop", "banner", "b", KNOWN, {"visitors": 1})
    assert Whale.total("shop", "revenue", period="today") == 0
    Hail.drain()
    assert Whale.total("shop", "revenue", period="today") == 20
    assert Whale.total("shop", "visitors", period="today") == 2


def test_many_through_the_hail() -> None:
    bad: list[Any] = []
    given: list[Any] = [
        {"pk": "shop", "decision": "banner", "option": "a", "metrics": {"visitors": 1}},
        {"pk": "shop", "decision": "banner", "metrics": {"visitors": 1}},
        {"pk": "shop", "decision": "banner", "decision_id": "v1.2", "metrics": {"visitors": 1}},
        {"pk": "shop", "option": "a", "nonsense": 1},
        "nothing",
        {"pk": None, "option": "a"},
    ]
    assert Hail.count_decisions(given, lambda error, event: bad.append(event)) == 1
    assert bad == given[1:]
    with pytest.raises(InvalidInput, match="name the option, the visitor or the decision_id"):
        Hail.count_decisions(given)


def test_objects_decide() -> None:
    product = Product(pk=5)
    product.count_decision({"language": "EN"}, {"visitors": 1, "revenue": 5})
    assert product.decide("language", ["EN", "SP"]) in ("EN", "SP")
    assert Whale.total(["Product", "5", "language", "EN"], "revenue", period="today") == 5


def test_another_store() -> None:
    other = Whale.using("other")
    other.count_decision("shop", {"banner": "a"}, {"visitors": 1})
    other.decide("shop", "banner", ["a", "b"])
    assert other.total(["shop", "banner", "a"], "visitors", period="today") == 1
    assert Whale.total("shop", "visitors", period="today") == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"options": None}, "name them, or register the decision"),
        ({"policy": "luck"}, "policy: 'luck' will not do; use thompson"),
        ({"settings": {"speed": 5}}, "speed"),
        ({"formula": "a*b"}, "a ratio of sums"),
        ({"hold": -1}, "hold: -1 will not do; use a number of seconds"),
        ({"window": True}, "window"),
        ({"period": "often"}, "period"),
        ({"at": "once"}, "at"),
        ({"visitor": "x" * 2000}, "visitor"),
        ({"known_data": 5}, "dimensions"),
    ],
)
def test_what_will_not_do(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Whale.decide("shop", **{"decision": "banner", "options": ["a", "b"], **given})
