"""Explanations of what a store holds, against an oracle that has the raw events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import count
from math import fsum
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hailwhale_django.engine.domain.crossing import Crossings
from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.engine.explain.explanation import Breakdown, Explanation, Part
from hailwhale_django.engine.pod import Pod
from tests.engine.conftest import NOW, Pods, trips
from tests.engine.oracle import Names, Oracle, Raw, midnight

NOON = datetime(2099, 11, 21, 12, tzinfo=UTC)
THIS_WEEK, LAST_WEEK = "1d:2099-11-15..2099-11-21", "1d:2099-11-08..2099-11-14"
SPANS = [
    (midnight(first, UTC), midnight(first + timedelta(days=7), UTC))
    for first in (date(2099, 11, 8), date(2099, 11, 15))
]
PREFIXES = (f"explained{n}" for n in count())


def day(age: int) -> float:
    """Noon of so many days ago."""
    return (NOON - timedelta(days=age)).timestamp()


def explained(pod: Pod, formula: Any = "revenue", **asked: Any) -> Explanation:
    return pod.explain(asked.pop("pk", "shop"), formula, **{"period": THIS_WEEK} | asked)


def total(found: Breakdown) -> float:
    return fsum([*(part.part for part in found.parts), found.others, found.other, found.rest])


def by_name(found: Breakdown) -> dict[str, Part]:
    return {part.name: part for part in found.parts}


def tables(found: Explanation) -> list[str]:
    return [str(one.table) for one in found.breakdowns]


# --- whatever was counted, the parts are those of the raw events


NAMES = ["US", "DE", "FR", "IT", "a/b", "50% off"]
below = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, min_size=1, max_size=1),
    max_leaves=3,
)
events = st.builds(
    Raw,
    pk=st.sampled_from([("shop",), ("shop",), ("shop", "1"), ("shop", "2")]),
    dimensions=st.dictionaries(st.sampled_from(["country", "device", "page"]), below, max_size=3),
    metrics=st.fixed_dictionaries(
        {"revenue": st.integers(-500, 5000).map(lambda cents: Fraction(cents, 100))},
        optional={"visitors": st.integers(1, 9).map(Fraction)},
    ),
    at=st.integers(0, 20).map(day),
)


def told_of(oracle: Oracle, pk: Names, path: Names, metric: str) -> tuple[Fraction, Fraction]:
    """Before and now."""
    before, now = (oracle.sum(pk, path, metric, *span) for span in SPANS)
    return before, now


Parts = Callable[[Oracle, Names, Names, Names, Names], Fraction]
"""Of a child counter's path, in a whole."""


def of_sum(oracle: Oracle, pk: Names, path: Names, whole_pk: Names, whole: Names) -> Fraction:
    before, now = told_of(oracle, pk, path, "revenue")
    return now - before


def of_ratio(oracle: Oracle, pk: Names, path: Names, whole_pk: Names, whole: Names) -> Fraction:
    """a1/B1 - a0/B0 - R (b1/B1 - b0/B0)."""
    own = [told_of(oracle, pk, path, metric) for metric in ("revenue", "visitors")]
    everyone = [told_of(oracle, whole_pk, whole, metric) for metric in ("revenue", "visitors")]
    tops, bottoms = ([over(one, all_of) for one, all_of in zip(row, everyone[1], strict=True)] for row in own)
    if 0 in everyone[1]:
        return tops[1] - tops[0]
    middle = (everyone[0][0] / everyone[1][0] + everyone[0][1] / everyone[1][1]) / 2
    return tops[1] - tops[0] - middle * (bottoms[1] - bottoms[0])


def over(top: Fraction, bottom: Fraction) -> Fraction:
    return top / bottom if bottom else Fraction(0)


def values_of(oracle: Oracle, formula: str, pk: Names, path: Names) -> list[Fraction]:
    if formula == "revenue":
        return list(told_of(oracle, pk, path, "revenue"))
    return list(map(over, told_of(oracle, pk, path, "revenue"), told_of(oracle, pk, path, "visitors")))


FORMULAS: dict[str, Parts] = {"revenue": of_sum, "revenue/visitors": of_ratio}


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(events, min_size=1, max_size=40),
    st.sampled_from(sorted(FORMULAS)),
    st.integers(1, 4),
    st.sampled_from([{}, {"children": 2}, {"children": 1}]),
    st.data(),
)
def test_the_parts_are_those_of_the_raw_events(
    pods: Pods, valkey_url: str, counted: list[Raw], formula: str, limit: int, cap: dict[str, int], data: st.DataObject
) -> None:
    """Of every table that is looked at, of the counter or of a path. Some events lack dimensions, some have no room."""
    pod = pods(valkey_url, prefix=next(PREFIXES), **cap)
    assert pod.count_many([event.given() for event in counted], None) == len(counted)
    oracle = Oracle(lambda pk, path: placed(pod, pk, path), counted)
    oracle.settle()
    pk: Names = ("shop",)
    top = data.draw(st.sampled_from([(), (), *sorted(path for path in oracle.paths(pk) if len(path) > 1)]))
    found = explained(pod, formula, dimension=top, limit=limit)
    before, now = values_of(oracle, formula, pk, top)
    assert (found.before, found.now) == pytest.approx((float(before), float(now)))
    read = ["revenue", "visitors"] if "/" in formula else ["revenue"]
    if not all(any(told_of(oracle, pk, top, metric)[side] for metric in read) for side in range(2)):
        assert (found.verdict, found.breakdowns, found.causes) == ("nothing", (), ())
        return
    assert found.verdict != "nothing"
    if not top:
        first = [str(Path(path)) for path in oracle.paths(pk) if len(path) == 1]
        assert set(first) <= set(tables(found))
    elif oracle.children(pk, top):
        assert tables(found)[0] == str(Path(top))
    for one in found.breakdowns:
        agrees(one, found, oracle, FORMULAS[formula], (pk, top), limit)


def placed(pod: Pod, pk: Names, path: Names | None) -> frozenset[str]:
    found = pod.reader.children(Path(pk), Path(path or ()), counters=path is None)
    return frozenset(child.name for child in found)


def agrees(
    one: Breakdown, found: Explanation, oracle: Oracle, part_of: Parts, whole: tuple[Names, Names], limit: int
) -> None:
    """The parts of one table, and what they leave."""
    pk, _ = whole
    table = tuple(one.table)
    if one.counters:
        names = {counter[-1] for counter in oracle.counters() if len(counter) == 2}
        expected = {name: part_of(oracle, (*pk, name), (), *whole) for name in names}
    else:
        expected = {name: part_of(oracle, pk, (*table, name), *whole) for name in oracle.children(pk, table)}
    scale = 1e-9 * (1 + abs(found.before) + abs(found.now) + float(sum(map(abs, expected.values()))))
    other = expected.pop("(other)", Fraction(0))
    shown = by_name(one)
    assert len(shown) == min(limit, len(expected)) or len(shown) > limit
    assert one.count == len(expected) - len(shown)
    for name, part in shown.items():
        assert part.part == pytest.approx(float(expected[name]), abs=scale)
    others = sum((expected[name] for name in expected if name not in shown), Fraction(0))
    assert one.others == pytest.approx(float(others), abs=scale)
    assert one.other == pytest.approx(float(other), abs=scale)
    rest = Fraction(found.change) - sum(expected.values(), Fraction(0)) - other
    assert one.rest == pytest.approx(float(rest), abs=scale)
    assert total(one) == pytest.approx(found.change, abs=scale)


# --- by hand


@pytest.fixture
def shop(any_pod: Pod) -> Pod:
    """Last week and this: 20 and 30 in the US, 10 and 10 in Germany, 5 and 1 from nowhere."""
    for age, where, revenue in (
        (8, {"country": {"US": "CA"}}, 15),
        (9, {"country": {"US": "NY"}}, 5),
        (10, {"country": "DE"}, 10),
        (11, {}, 5),
        (1, {"country": {"US": "CA"}}, 16),
        (2, {"country": {"US": "NY"}}, 13),
        (3, {"country": "US"}, 1),
        (4, {"country": "DE"}, 10),
        (5, {}, 1),
    ):
        any_pod.count("shop", where, {"revenue": revenue, "uv:visitor": f"v{revenue}"}, day(age))
    return any_pod


def test_a_sum(shop: Pod) -> None:
    found = explained(shop)
    assert (str(found.pk), str(found.dimension), str(found.formula)) == ("shop", "_", "revenue")
    assert (found.before, found.now, found.change) == (35, 41, 6)
    assert found.relative == 6 / 35
    assert found.period.text == THIS_WEEK
    assert found.compare.span == SPANS[0]
    assert str(found.interval) == "1d"
    assert tables(found) == ["country", "country/US"]
    first, second = found.breakdowns
    assert {name: (part.before, part.now, part.part) for name, part in by_name(first).items()} == {
        "US": (20, 30, 10),
        "DE": (10, 10, 0),
    }
    assert first.rest == -4
    assert {name: part.part for name, part in by_name(second).items()} == {"CA": 1, "NY": 8}
    assert second.rest == 6 - 9


def test_beneath_a_path(shop: Pod) -> None:
    found = explained(shop, dimension="country/US")
    assert (found.before, found.now) == (20, 30)
    assert str(found.dimension) == "country/US"
    (table,) = found.breakdowns
    assert {name: part.part for name, part in by_name(table).items()} == {"CA": 1, "NY": 8}
    assert by_name(table)["CA"].weight_before == 15 / 20
    assert table.rest == 1


def test_beneath_a_dimension(shop: Pod) -> None:
    """Of those that have a country there is no rest."""
    found = explained(shop, dimension="country", depth=1)
    assert (found.before, found.now) == (30, 40)
    (table,) = found.breakdowns
    assert str(table.table) == "country"
    assert table.rest == 0


def test_a_share_of_the_parent_and_of_the_whole(shop: Pod) -> None:
    """20/35 and 30/41, of which the states have 15/35 and 5/35, then 16/41 and 13/41; by their parent's 30 and 40."""
    found = explained(shop, "revenue/revenue@_", dimension="country/US")
    assert (found.before, found.now) == (20 / 35, 30 / 41)
    (table,) = found.breakdowns
    parts = {name: part.part for name, part in by_name(table).items()}
    assert parts == pytest.approx({"CA": 16 / 41 - 15 / 35, "NY": 13 / 41 - 5 / 35})
    found = explained(shop, "revenue/revenue@parent", dimension="country/US")
    assert (found.before, found.now) == (20 / 30, 30 / 40)
    (table,) = found.breakdowns
    parts = {name: part.part for name, part in by_name(table).items()}
    assert parts == pytest.approx({"CA": 16 / 40 - 15 / 30, "NY": 13 / 40 - 5 / 30})


def test_periods_the_other_way_round(shop: Pod) -> None:
    there, back = explained(shop), explained(shop, period=LAST_WEEK, versus=THIS_WEEK)
    assert (back.before, back.now) == (there.now, there.before)
    for one, other in zip(there.breakdowns, back.breakdowns, strict=True):
        assert by_name(one).keys() == by_name(other).keys()
        assert all(by_name(other)[name].part == -part.part for name, part in by_name(one).items())


def test_depth(shop: Pod) -> None:
    assert tables(explained(shop, depth=1)) == ["country"]
    assert tables(explained(shop, depth=2)) == tables(explained(shop, depth=8)) == ["country", "country/US"]


def test_some_dimensions(any_pod: Pod) -> None:
    for age in (1, 8):
        any_pod.count("shop", {"country": "US", "device": "PC", "page": "/"}, {"revenue": age}, day(age))
        any_pod.count("shop", {"country": "DE", "device": "Mac", "page": "/x"}, {"revenue": 1}, day(age))
        any_pod.count(["shop", str(age)], None, {"revenue": 1}, day(age))
    assert tables(explained(any_pod)) == ["country", "device", "page", "_"]
    assert tables(explained(any_pod, dimensions=["page", "country"])) == ["country", "page"]
    assert tables(explained(any_pod, dimensions="device")) == ["device"]
    assert tables(explained(any_pod, dimensions=["nothing"])) == []
    assert tables(explained(any_pod, dimensions=[])) == ["country", "device", "page", "_"]


def test_child_counters(any_pod: Pod) -> None:
    """Product 1 has 4 and 9, product 2 has 6 and 2; 10 becomes 11. Those of products of products are no children."""
    for age, name, revenue in ((8, "1", 4), (8, "2", 6), (1, "1", 9), (1, "2", 2)):
        any_pod.count(["Product", name, "x"], None, {"revenue": revenue}, day(age))
    found = explained(any_pod, pk="Product")
    (table,) = found.breakdowns
    assert table.counters
    assert str(table.table) == "_"
    assert {str(part.path): part.part for part in table.parts} == {"1": 5, "2": -4}
    assert (table.rest, found.change) == (0, 1)
    assert tables(explained(any_pod, pk="Product/1")) == ["_"]
    assert tables(explained(any_pod, pk="Product/1/x")) == []


def test_what_is_crossed(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url, crossings=Crossings.parse({"shop": [["country", "device"]]}))
    for country, device, before, now in (
        ("US", "PC", 10, 10),
        ("US", "Mac", 10, 40),
        ("DE", "PC", 10, 12),
        ("DE", "Mac", 10, 9),
    ):
        for age, revenue in ((8, before), (1, now)):
            pod.count("shop", {"country": country, "device": device}, {"revenue": revenue}, day(age))
    found = explained(pod)
    assert set(tables(found)) == {
        *("country", "device", "country/US/×device", "country/DE/×device"),
        *("device/PC/×country", "device/Mac/×country"),
    }
    (one,) = [one for one in found.breakdowns if str(one.table) == "country/US/×device"]
    assert {part.name: part.part for part in one.parts} == {"Mac": 30, "PC": 0}
    assert one.rest == 1  # what Germany has
    assert tables(explained(pod, dimensions=["country"])) == ["country"]
    within = explained(pod, dimension="country/US")
    assert (within.before, within.now) == (20, 50)
    assert tables(within) == ["country/US/×device"]
    assert within.breakdowns[0].rest == 0


def test_visitors_that_several_share_are_the_rest(any_pod: Pod) -> None:
    """Last week a and b in the US, a in Germany; this week both countries have a, b and c. Two become three."""
    for age, country, visitors in ((8, "US", "ab"), (8, "DE", "a"), (1, "US", "abc"), (1, "DE", "abc")):
        any_pod.count("shop", {"country": country}, {"uv:visitor": list(visitors)}, day(age))
    found = explained(any_pod, "uv:visitor")
    assert (found.before, found.now) == (2, 3)
    (table,) = found.breakdowns
    assert {part.name: part.part for part in table.parts} == {"US": 1, "DE": 2}
    assert table.rest == -2
    assert {part.name: part.weight for part in table.parts} == {"US": 1, "DE": 1}


def test_what_a_bucket_was_last(any_pod: Pod) -> None:
    """Shelves of 5 and 3 that become 9 and 2: what is told is what was there on the last day on which there was any."""
    for age, shelf, stock in ((12, "a", 7), (9, "a", 5), (9, "b", 3), (5, "a", 8), (2, "a", 9), (2, "b", 2)):
        any_pod.count("shop", {"shelf": shelf}, {"stock": stock}, day(age))
    found = explained(any_pod, "stock:last")
    assert (found.before, found.now) == (8, 11)
    (table,) = found.breakdowns
    assert {part.name: (part.before, part.now, part.part) for part in table.parts} == {"a": (5, 9, 4), "b": (3, 2, -1)}
    assert table.rest == 0


def test_per_day_of_periods_of_different_length(any_pod: Pod) -> None:
    """14 in 7 days against 30 in 10: 2 a day, that were 3."""
    for age, country, revenue in ((1, "US", 4), (2, "DE", 10), (8, "US", 20), (16, "DE", 10)):
        any_pod.count("shop", {"country": country}, {"revenue": revenue}, day(age))
    found = explained(any_pod, "revenue/days", versus="1d:2099-11-05..2099-11-14")
    assert (found.before, found.now) == (3, 2)
    (table,) = found.breakdowns
    assert {part.name: part.part for part in table.parts} == pytest.approx({"US": 4 / 7 - 2, "DE": 10 / 7 - 1})
    assert table.rest == 0


def test_a_metric_called_days_is_no_constant(any_pod: Pod) -> None:
    for age, days in ((1, 6), (8, 4)):
        any_pod.count("shop", {"country": "US"}, {"days": days}, day(age))
    assert explained(any_pod, '"days"').change == 2


def test_what_had_no_room_is_told_apart(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url, children=2)
    for age in (8, 1):
        for at, country in enumerate(["US", "DE", "FR", "IT"]):
            pod.count("shop", {"country": country}, {"revenue": 10 + at * (age == 1)}, day(age))
    (table,) = explained(pod).breakdowns
    assert {part.name: part.part for part in table.parts} == {"US": 0, "DE": 1}
    assert (table.other, table.others, table.count, table.rest) == (5, 0, 0, 0)


def test_of_few_buckets_the_largest_that_are_kept_say_it(any_pod: Pod) -> None:
    for age in (1, 30):
        any_pod.count("shop", {"country": "US"}, {"revenue": age}, day(age))
    assert str(explained(any_pod, period="1mo:2099-11-01..2099-11-30").interval) == "1d"
    assert str(explained(any_pod, period="1d:2099-11-20..2099-11-20", versus="1d:2099-10-22..2099-10-22").interval) in (
        "1h",
        "1d",
    )


# --- verdicts


def test_nothing_before(any_pod: Pod) -> None:
    any_pod.count("shop", {"country": "US"}, {"revenue": 5}, day(1))
    found = explained(any_pod)
    assert (found.before, found.now, found.relative) == (0, 5, None)
    assert (found.verdict, found.breakdowns, found.causes) == ("nothing", (), ())
    assert explained(any_pod, period=LAST_WEEK, versus=THIS_WEEK).verdict == "nothing"


def test_nothing_changed(any_pod: Pod) -> None:
    for age in range(1, 14):
        any_pod.count("shop", {"country": "US"}, {"revenue": 5}, day(age))
        any_pod.count("shop", {"country": "DE"}, {"revenue": 3}, day(age))
    any_pod.count("shop", {"country": "US"}, {"revenue": 8}, day(0))
    found = explained(any_pod, period="1d:2099-11-15..2099-11-20", versus="1d:2099-11-09..2099-11-14")
    assert (found.before, found.now, found.change) == (48, 48, 0)
    assert (found.verdict, found.causes) == ("same", ())
    assert [part.part for part in found.breakdowns[0].parts] == [0, 0]


@pytest.mark.parametrize("pk", ["never", ["never", "counted"]])
def test_what_was_never_counted(any_pod: Pod, pk: Any) -> None:
    found = explained(any_pod, pk=pk)
    assert (found.before, found.now, found.verdict, found.breakdowns) == (0, 0, "nothing", ())
    assert explained(any_pod, pk=pk, dimension="country/US").verdict == "nothing"
    assert any_pod.movers(pk, "revenue", period=THIS_WEEK).movers == ()


def test_a_path_that_was_never_counted(shop: Pod) -> None:
    found = explained(shop, dimension="country/nowhere")
    assert (found.before, found.now, found.verdict) == (0, 0, "nothing")


def test_without_any_dimensions(any_pod: Pod) -> None:
    for age in range(14):
        any_pod.count("shop", None, {"revenue": 10 if age < 7 else 5}, day(age))
    found = explained(any_pod)
    assert (found.before, found.now) == (35, 70)
    assert (found.verdict, found.breakdowns, found.causes) == ("alike", (), ())


def fill(pod: Pod, weeks: int = 8, begins: int = 6) -> None:
    """Weeks of some 20000 visits; in this one there are twice as many in Germany, from so many days ago on."""
    rng = np.random.default_rng(5)
    given = []
    for age in range(7 * weeks):
        for country, state, rate in (
            ("US", "CA", 40),
            ("US", "NY", 30),
            ("DE", "BE", 30),
            ("DE", "BY", 20),
            ("FR", "75", 20),
        ):
            for device, share in (("mobile", 0.5), ("desktop", 0.3), ("tablet", 0.2)):
                for source in ("search", "mail"):
                    more = 2 if country == "DE" and age <= begins else 1
                    hits = int(rng.poisson(10 * rate * share * more))
                    where = {"country": {country: state}, "device": device, "source": source, "page": "/"}
                    given.append(("shop", where, {"hits": hits}, day(age)))
    pod.count_many(given, None)


def test_causes_of_a_store(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url)
    fill(pod, begins=3)
    found = explained(pod, "hits")
    assert found.verdict == "causes"
    (cause,) = found.causes
    assert str(cause.path) == "country/DE"
    assert cause.how == "more"
    assert cause.times == (3, 6)
    assert cause.share == pytest.approx(1, abs=0.1)
    assert cause.without == pytest.approx(found.before, rel=0.03)
    assert [str(one.path) for one in explained(pod, "hits", dimensions=["country"]).causes] == ["country/DE"]
    assert explained(pod, "hits", dimensions=["device", "source"]).verdict == "alike"
    assert explained(pod, "hits", period=LAST_WEEK).verdict == "ordinary"


def test_movers_of_a_store(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url)
    fill(pod)
    found = pod.movers("shop", "hits", period=THIS_WEEK, depth=1, dimensions=["country"])
    (mover,) = found.movers
    assert str(mover.path) == "country/DE"
    assert mover.score > 3
    assert mover.change == mover.part.part > 0
    assert found.count == 3
    assert found.period.text == THIS_WEEK
    assert pod.movers("shop", "hits", period=LAST_WEEK, depth=1, dimensions=["country"]).movers == ()


@pytest.mark.parametrize("age", [1, 8])
def test_of_nothing_in_one_of_the_periods_nobody_moved(any_pod: Pod, age: int) -> None:
    any_pod.count("shop", {"country": "US"}, {"hits": 5}, day(age))
    any_pod.count("shop", {"country": "DE"}, {"hits": 500}, day(age))
    assert any_pod.movers("shop", "hits", period=THIS_WEEK).movers == ()


def test_who_is_new_and_steady_moved(any_pod: Pod) -> None:
    """40 a day for the last 7 of 56 days, beside two that go up and down by chance."""
    rng = np.random.default_rng(7)
    for age in range(56):
        for country, rate in (("US", 100), ("DE", 80)):
            any_pod.count("shop", {"country": country}, {"hits": int(rng.poisson(rate))}, day(age))
        if age < 7:
            any_pod.count("shop", {"country": "FR"}, {"hits": 40}, day(age))
    (mover,) = any_pod.movers("shop", "hits", period=THIS_WEEK).movers
    assert str(mover.path) == "country/FR"
    assert (mover.part.before, mover.part.now, mover.change) == (None, 280, 280)
    assert mover.score > 3


# --- what cannot be explained


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("top10:sum:page", "tells a list"),
        ("pct95:ms", "how large values are"),
        ("pct95:ms/hits", "how large values are"),
        ("hits@parent", "nothing of its own"),
        ("days", "nothing of its own"),
        ("42", "nothing of its own"),
        ("hits@_/days", "nothing of its own"),
        (["hits", "revenue"], "one formula at a time"),
        ("hits +", "ends where"),
    ],
)
def test_formulas_that_no_child_has_a_part_in(pod: Pod, formula: Any, reason: str) -> None:
    for ask in (pod.explain, pod.movers):
        with pytest.raises(InvalidInput, match=reason) as caught:
            ask("shop", formula)
        assert caught.value.field == "formula"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"versus": "soon"}, "versus"),
        ({"versus": 5}, "versus"),
        ({"period": "soon"}, "period"),
        ({"depth": 0}, "depth"),
        ({"depth": 9}, "depth"),
        ({"depth": "deep"}, "depth"),
        ({"limit": 0}, "limit"),
        ({"limit": -1}, "limit"),
        ({"dimensions": 5}, "dimensions"),
        ({"dimensions": ["country", 5]}, "dimensions"),
        ({"dimensions": {"country": "US"}}, "dimensions"),
    ],
)
def test_questions_that_cannot_be_understood(pod: Pod, asked: dict[str, Any], field: str) -> None:
    for ask in (pod.explain, pod.movers):
        with pytest.raises(InvalidInput) as caught:
            ask("shop", "hits", **asked)
        assert caught.value.field == field


# --- what it costs


@pytest.fixture
def watched(watching: Pods, any_redis_url: str) -> Pod:
    """A process that knows its store and has read nothing else."""
    fill(watching(any_redis_url), weeks=2)
    pod = watching(any_redis_url)
    pod.store.check(NOW.timestamp(), writing=False)
    return pod


@pytest.mark.parametrize(("depth", "first", "again"), [(1, 4, 3), (2, 6, 4), (3, 7, 5)])
def test_round_trips(watched: Pod, depth: int, first: int, again: int) -> None:
    """Of four dimensions, of which one has states. One for their names and for where the whole is; then two a level,
    names and sums, but for the third, which has no names; one for the buckets and the past of what stands out. Where
    tables were asked for before, one a level.
    """
    found = [trips(watched, lambda: explained(watched, "hits", depth=depth)) for _ in range(3)]
    assert found == [first, again, again]


def test_what_is_remembered_is_not_what_is_answered(watched: Pod, pods: Pods, any_redis_url: str) -> None:
    """Others count, and remove, meanwhile."""
    other = pods(any_redis_url)
    for change in (
        lambda: other.count("shop", {"country": "NEW", "device": "new"}, {"visitors": 7}, day(1)),
        lambda: other.reset("shop", "country"),
        lambda: other.count("shop", {"country": {"US": "CA"}}, {"visitors": 3}, day(1)),
        lambda: other.reset("shop"),
        lambda: other.count("shop", {"device": "tv"}, {"visitors": 3}, day(1)),
        lambda: other.count("shop", {"country": "DE"}, {"visitors": 3}, day(9)),
    ):
        explained(watched, "hits")
        change()
        assert explained(watched, "hits") == explained(pods(any_redis_url), "hits")


# --- where little is kept


def counted_by_hour(pod: Pod, days: list[int], tripled: int) -> None:
    """Of three countries, with some more from hour to hour; of DE three times as many on one of the days."""
    for age in days:
        for hour in range(24):
            at = midnight((NOON - timedelta(days=age)).date(), UTC) + hour * 3600
            for number, name in enumerate(["US", "DE", "FR"]):
                visits = (20 + (7 * hour + 3 * number + age) % 5) * (3 if name == "DE" and age == tripled else 1)
                pod.count("shop", {"country": name}, {"visits": visits}, at)


def test_buckets_that_are_no_longer_kept_are_not_read(pods: Pods, redis_url: str) -> None:
    """Hours are kept for 90 days: of a day a year ago only the day itself is left. That is no fall of every hour."""
    pod = pods(redis_url, intervals={"1h": "90d", "1d": "5y"})
    counted_by_hour(pod, [1, 2, 366, 367], tripled=1)
    yesterday, a_year_ago = "1d:2099-11-20..2099-11-20", "1d:2098-11-20..2098-11-20"
    found = explained(pod, "visits", period=yesterday, versus=a_year_ago)
    assert [str(cause.path) for cause in found.causes] in ([], ["country/DE"])
    assert found.times is None
    assert str(found.interval) == "1d"
    assert "too little of these periods and of earlier ones is kept to tell what is usual" in found.warnings
    moved = pod.movers("shop", "visits", period=yesterday, versus=a_year_ago).movers
    assert {str(one.path) for one in moved} <= {"country/DE"}
    by_hour = explained(pod, "visits", period=yesterday, versus="previous")
    assert [str(cause.path) for cause in by_hour.causes] == ["country/DE"]
    assert str(by_hour.interval) == "1h"


def test_a_period_compared_with_is_not_taken_apart_into_thousands(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url)
    counted_by_hour(pod, [1, 2], tripled=1)
    found = explained(pod, "visits", period="24h", versus="1h:2090-01-01..2099-11-19")
    assert found.interval is None or str(found.interval) in ("1mo", "1w")


@pytest.mark.parametrize("name", ["×country", "×device", "×", "×x/y"])
def test_children_may_be_called_like_crossings(pods: Pods, redis_url: str, name: str) -> None:
    pod = pods(redis_url, crossings=Crossings.parse({"shop": [["country", "device"]]}))
    for age in range(28):
        for country, visits in (("US", 100), ("DE", 90), (name, 80)):
            more = 3 if country == name and age < 7 else 1
            pod.count("shop", {"country": country, "device": "tv"}, {"visits": visits * more + age % 5}, day(age))
    found = explained(pod, "visits")
    assert [str(cause.path) for cause in found.causes] == [str(Path(("country", name)))]
    assert by_name(found.breakdowns[0])[name].part == 7 * 160 + 11 - 15  # of the days' fives, before and now
