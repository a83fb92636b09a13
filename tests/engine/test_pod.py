"""Whatever is asked is answered or refused: nothing that comes from outside breaks anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hailwhale_django.engine import shapes
from hailwhale_django.engine.errors import HailWhaleError, InvalidInput, TooManyNames
from hailwhale_django.engine.pod import Pod
from tests.engine.conftest import NOW, Pods

junk = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=6),
        st.sampled_from(
            ["_", "", "hits", "a/b", "name", "-hits", "7d", "today", "1d", "asc", ">", "(other)", "/pks", "[]"]
        ),
        st.just(10**400),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)
fuzzed = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture
def shop(pod: Pod) -> Pod:
    pod.count(["shop", "eu"], {"country": {"US": "CA", "(other)": "x"}}, {"revenue": 5}, None)
    pod.count("a/b", "_", None, None)
    return pod


def refused(error: HailWhaleError) -> None:
    assert isinstance(error, InvalidInput | TooManyNames), error
    assert 0 < len(str(error)) < 2000
    json.dumps(str(error))


ASKED = st.fixed_dictionaries(
    {},
    optional={
        "dimension": junk,
        "metrics": junk,
        "period": junk,
        "interval": junk,
        "order_by": junk,
        "filters": junk,
        "limit": junk,
        "offset": junk,
        "depth": st.one_of(junk, st.integers(1, 8)),
        "versus": junk,
        "counters": st.booleans(),
        "bounds": st.booleans(),
        "plotted": st.booleans(),
        "drillable": st.booleans(),
        "tzoffset": junk,
    },
)


@fuzzed
@given(st.one_of(junk, st.just("shop")), ASKED)
@example("shop", {"counters": True, "depth": 3, "dimension": "country"})
@example("shop", {"counters": True, "depth": 2})
@example("shop", {"period": "1h:1d", "interval": "1mo", "versus": "year", "plotted": True, "bounds": True})
@example("shop", {"filters": [[">", "hits", 10**400]]})
@example("shop", {"limit": 10**400})
def test_any_query(shop: Pod, pk: Any, asked: dict[str, Any]) -> None:
    try:
        answer = shop.query(pk, **asked)
    except HailWhaleError as error:
        refused(error)
    else:
        for row in [*answer.rows, answer.totals]:
            for cell in row.cells:
                json.dumps([cell.value, cell.low, cell.high, cell.change, cell.points], allow_nan=False)


@fuzzed
@given(junk, junk, junk, junk)
@example("shop", None, None, 10**400)
@example("shop", None, {"x": 10**400}, None)
@example(["shop", ["a", ["b"]]], {"_": {"_": "x"}}, {"x": "1e999999"}, "9999-12-31T23:59:59Z")
def test_any_event(shop: Pod, pk: Any, dimensions: Any, metrics: Any, at: Any) -> None:
    for count in (
        lambda: shop.count(pk, dimensions, metrics, at),
        lambda: shop.count_many([{"pk": pk, "dimensions": dimensions, "metrics": metrics, "at": at}], None),
        lambda: shop.count_many([pk, (pk, dimensions), [pk, dimensions, metrics, at]], None),
        lambda: shop.update_count_to(pk, dimensions, metrics, "1d", at),
    ):
        try:
            count()
        except HailWhaleError as error:
            refused(error)


@fuzzed
@given(st.one_of(junk, st.just("shop")), junk, junk, junk, junk, junk, junk, junk)
def test_any_of_hailwhale_s_own_calls(
    shop: Pod, pk: Any, dimensions: Any, metrics: Any, depth: Any, period: Any, zone: Any, sort: Any, limit: Any
) -> None:
    for ask in (
        lambda: shapes.plotpoints(
            shop, pk, dimensions, metrics, depth, period, zone, True, list, False, True, sort, limit
        ),
        lambda: shapes.totals(shop, pk, dimensions, metrics, period, zone),
        lambda: shapes.total(shop, pk, metrics, dimensions, period, zone, limit),
        lambda: shapes.rank(shop, pk, metrics, dimensions, period, zone, bool(depth), True, sort, False),
        lambda: shop.subdimensions(pk, dimensions),
        lambda: shop.all_subdimensions(pk, dimensions),
        lambda: shop.counters(pk),
        lambda: shop.metrics_of(pk),
    ):
        try:
            json.dumps(ask(), allow_nan=False, default=str)
        except HailWhaleError as error:
            refused(error)


def test_events_of_counters_beyond_the_limit_are_told_one_by_one(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url, counters=2)
    told: list[tuple[HailWhaleError, Any]] = []
    events = [(pk, None, {"revenue": 1}) for pk in ("a", "b", "c", "a", ("c", "x"), "d")]
    assert pod.count_many(events, lambda error, event: told.append((error, event))) == 3
    assert [event[0] for _, event in told] == ["c", ("c", "x"), "d"]
    assert all(isinstance(error, TooManyNames) for error, _ in told)
    with pytest.raises(TooManyNames, match="counters \\['e'\\] not counted: the limit is 2 counters"):
        pod.count("e", None, None, None)
    assert [str(pk) for pk in pod.counters()] == ["a", "b"]


def test_events_may_lie_within_a_day_ahead(pod: Pod) -> None:
    pod.count("shop", None, None, NOW.timestamp() + 86_400)
    assert pod.query("shop", period="2099-11-22..2099-11-22").totals.cells[0].value == 1
    with pytest.raises(InvalidInput, match="more than a day ahead"):
        pod.count("shop", None, None, NOW.timestamp() + 86_401)
