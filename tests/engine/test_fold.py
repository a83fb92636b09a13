"""Folding: the same increments, whatever the order and the batches, and just those that the events make."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.event import Event, Places
from hailwhale_django.engine.domain.intake import Intake
from hailwhale_django.engine.domain.plan import Column, parse_schedule
from hailwhale_django.engine.domain.timeline import timeline
from hailwhale_django.engine.fold import fold, spread

NOW = datetime(2026, 11, 21, 23, 42, tzinfo=UTC).timestamp()
INTAKE = Intake(Places(0))
DAYS = parse_schedule({"1h": "2d", "1d": None}, timeline(UTC))

Increments = Counter[tuple[str, str, str, str]]


def event(pk: Any = "shop", dimensions: Any = None, metrics: Any = None, age: float = 0) -> Event:
    return INTAKE.event(pk, dimensions, metrics, NOW - age, NOW)


def increments(events: list[Event], schedule: Any = DAYS) -> Increments:
    """What is added to each (counter, path, bucket, metric), where every row has a place of its own."""
    folded = fold(events, schedule, NOW)
    found: Increments = Counter()
    if not folded.groups:
        return found
    spreaded = spread(folded, np.arange(len(folded.rows)))
    pairs = list(zip(spreaded.places, spreaded.columns, strict=True))
    assert pairs == sorted(set(pairs)), "each pair once, in order"
    for metric, units in spreaded.units.items():
        for (place, column), amount in zip(pairs, units, strict=True):
            pk, path = folded.rows[place]
            if amount:
                found[str(pk), path, written(folded.columns[column]), metric] += amount
    return found


def written(column: Column) -> str:
    return f"{column.interval}:{timeline(UTC).label(*column)}"


def test_one_event_by_hand() -> None:
    found = increments([event(["Product", "7"], {"country": {"US": "CA"}}, {"sales": 2})])
    rows = [("Product", "_"), ("Product", "country"), ("Product", "country/US"), ("Product", "country/US/CA"),
            ("Product", "/pks/7"), ("Product/7", "_"), ("Product/7", "country"), ("Product/7", "country/US"),
            ("Product/7", "country/US/CA")]  # fmt: skip
    assert found == Counter(
        {
            (*row, bucket, metric): units
            for row in rows
            for bucket in ("1h:11/21/26 23:00", "1d:11/21/26")
            for metric, units in (("sales", 2), ("hits", 1))
        }
    )


def test_every_prefix_of_a_key_is_counted_on_and_lists_the_next() -> None:
    found = increments([event(["a", "b/c", "d"])])
    assert {(pk, path) for pk, path, _, _ in found} == {
        ("a", "_"), ("a", "/pks/b%2Fc"), ("a/b%2Fc", "_"), ("a/b%2Fc", "/pks/d"), ("a/b%2Fc/d", "_"),
    }  # fmt: skip


def test_events_that_agree_are_added_up() -> None:
    """A thousand events of one kind are one increment for each cell."""
    folded = fold([event(dimensions={"country": "US"}, metrics={"sales": n}) for n in range(1000)], DAYS, NOW)
    assert (len(folded.groups), len(folded.shapes)) == (1, 1)
    found = increments([event(dimensions={"country": "US"}, metrics={"sales": n}) for n in range(1000)])
    assert found["shop", "country/US", "1d:11/21/26", "sales"] == 499_500
    assert found["shop", "_", "1h:11/21/26 23:00", "hits"] == 1000


def test_what_no_interval_keeps_is_rejected_and_the_rest_is_not() -> None:
    schedule = parse_schedule({"1h": "2d"}, timeline(UTC))
    old, new, future = event(age=3 * 86_400), event(), event(age=-2 * 86_400)
    folded = fold([old, new, future], schedule, NOW)
    assert [one for one, _ in folded.rejected] == [old, future]
    assert sum(increments([old, new, future], schedule).values()) == 1


def test_nothing_folds_to_nothing() -> None:
    assert fold([], DAYS, NOW).rows == []
    assert increments([]) == Counter()


def test_rows_that_share_a_place_count_each() -> None:
    """Two names of one event that both found their table full."""
    for events in ([event(dimensions=[["a"], ["b"]])], [event(dimensions=[["a"], ["b"]]), event("other")]):
        folded = fold(events, DAYS, NOW)
        places = np.array([1 if path in ("a", "b") else 0 if str(pk) == "shop" else 2 for pk, path in folded.rows])
        spreaded = spread(folded, places)
        by_place = Counter[int]()
        for place, units in zip(spreaded.places, spreaded.units["hits"], strict=True):
            by_place[place] += units
        assert (by_place[0], by_place[1]) == (2, 4)  # at two intervals


def test_rows_without_a_place_are_left_out() -> None:
    folded = fold([event(dimensions="a"), event(dimensions="b")], DAYS, NOW)
    spreaded = spread(folded, np.array([-1 if path == "a" else at for at, (_, path) in enumerate(folded.rows)]))
    assert len(set(spreaded.places)) == 2


def test_sums_beyond_64_bits_stay_exact() -> None:
    large = 2**62
    found = increments(
        [event(metrics={"sales": large}) for _ in range(9)] + [event("other", metrics={"sales": -large})]
    )
    assert found["shop", "_", "1d:11/21/26", "sales"] == 9 * large
    assert found["other", "_", "1d:11/21/26", "sales"] == -large


@pytest.mark.parametrize(
    "intervals",
    [
        ["20s", "30s"],
        ["12s", "15s"],
        ["5m", "6m"],
        ["10m", "12m"],
        ["15m", "20m"],
        ["4m", "10m"],
        ["1d", "1w"],
        ["8h", "12h"],
    ],
)
def test_intervals_that_do_not_divide_one_another(intervals: list[str]) -> None:
    """Instants that share a bucket of the finest interval need not share one of the next."""
    schedule = parse_schedule(dict.fromkeys(intervals), timeline(UTC))
    ages = range(0, 100_000, 7)
    found = increments([event(age=age) for age in ages], schedule)
    expected: Increments = Counter()
    for age in ages:
        for column in schedule.columns_at(NOW - age, NOW):
            expected["shop", "_", written(column), "hits"] += 1
    assert found == expected


names = st.sampled_from(["a", "b", "a/b"])
drawn_events = st.builds(
    event,
    pk=st.lists(names, min_size=1, max_size=3),
    dimensions=st.dictionaries(names, st.one_of(names, st.dictionaries(names, names, max_size=2)), max_size=2),
    metrics=st.dictionaries(st.sampled_from(["m", "n", "hits"]), st.integers(-(2**61), 2**61), max_size=2),
    age=st.sampled_from([0, 1, 3599, 3600, 40_000, 90_000, 170_000]),
)


@given(st.lists(drawn_events, max_size=12), st.randoms(use_true_random=False), st.integers(1, 12))
def test_any_order_and_any_batching_give_the_same(events: list[Event], random: Any, size: int) -> None:
    whole = increments(events)
    shuffled = list(events)
    random.shuffle(shuffled)
    parts: Increments = Counter()
    for at in range(0, len(shuffled), size):
        for cell, units in increments(shuffled[at : at + size]).items():
            parts[cell] += units
    assert {cell: units for cell, units in parts.items() if units} == dict(whole)


@given(drawn_events)
def test_an_event_counts_on_its_paths_at_each_level_once(one: Event) -> None:
    found = increments([one])
    worth = {name: units for name, units in one.metrics if units}
    levels = [one.pk[:depth] for depth in range(1, len(one.pk) + 1)]
    rows = {("/".join(name.replace("/", "%2F") for name in level), path) for level in levels
            for path in ["_", *map(str, one.dimensions)]}  # fmt: skip
    for pk, path, _, metric in found:
        assert (pk, path) in rows or path.startswith("/pks/")
        assert metric in worth
    for row in rows:
        for metric, units in worth.items():
            assert {found[cell] for cell in found if cell[:2] == row and cell[3] == metric} == {units}
