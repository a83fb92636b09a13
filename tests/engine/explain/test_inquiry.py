"""Where an inquiry looks, and what it knows of the whole: by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from hailwhale_django.engine.domain.formula import parse
from hailwhale_django.engine.domain.paths import ROOT, Path
from hailwhale_django.engine.domain.values import Floats
from hailwhale_django.engine.explain.detail import Detail
from hailwhale_django.engine.explain.inquiry import Inquiry
from hailwhale_django.engine.explain.measure import Measure
from hailwhale_django.engine.explain.region import Region
from hailwhale_django.engine.explain.seen import Seen
from tests.engine.explain.worlds import Planted, ask, world

Rows = dict[str, tuple[Sequence[float], Sequence[float]]]
"""By name, what a child has of each leaf, before and now."""

NONE = np.zeros(0)


def seen(table: str, rows: Rows) -> Seen:
    before, now = (np.array([row[at] for row in rows.values()], dtype=np.float64).T for at in range(2))
    return Seen(Path.parse(table), list(rows), before, now)


def inquiry(formula: str, rows: Rows, table: str = "country") -> Inquiry:
    """Of a whole that is the sum of the rows of one table."""
    found = seen(table, rows)
    whole = found.before.sum(axis=1), found.now.sum(axis=1)
    made = Inquiry(Region(ROOT), Measure(parse(formula)), *whole, NONE, NONE)
    made.add([found])
    return made


def wholes(*periods: Sequence[float], buckets: Sequence[Sequence[float]] = ((),)) -> Detail:
    """Of no candidates: the whole of earlier periods, the latest first, and of the buckets of the one before."""
    past = np.array(periods, dtype=np.float64).T
    parts = np.array(buckets, dtype=np.float64)
    none: Floats = np.zeros((*parts.shape, 0))
    return Detail(none, none, parts, parts, np.zeros((*past.shape, 0)), past)


def test_the_values_of_the_whole() -> None:
    found = inquiry("orders/visits", {"US": ([1, 10], [4, 10]), "DE": ([3, 10], [8, 20])})
    assert (found.value_before, found.value_now) == (4 / 20, 12 / 30)
    assert found.change == 12 / 30 - 4 / 20
    assert not found.is_empty


@pytest.mark.parametrize(
    ("before", "now", "is_empty"),
    [([0, 0], [1, 1], True), ([1, 1], [0, 0], True), ([0, 5], [1, 0], False), ([0, 0], [0, 0], True)],
)
def test_where_nothing_was_counted_there_is_nothing_to_compare(
    before: list[float], now: list[float], is_empty: bool
) -> None:
    assert inquiry("orders/visits", {"US": (before, now)}).is_empty == is_empty


def test_by_how_much_the_value_changes_with_each_metric() -> None:
    """Of a/b at the mean of both periods, 3/10: 1/10, and -3/100."""
    found = inquiry("a/b", {"US": ([2, 8], [4, 12])})
    assert found.gradient.tolist() == pytest.approx([1 / 10, -3 / 100], rel=1e-4)
    assert inquiry("a - 2*b", {"US": ([2, 8], [4, 12])}).gradient.tolist() == pytest.approx([1, -2])


def test_a_metric_that_was_seen_to_be_negative_has_no_factor_to_grow_by() -> None:
    found = inquiry("delay/trains", {"one": ([-3, 10], [5, 10]), "two": ([30, 10], [50, 10])})
    assert found.alike.along == (1, None)
    assert inquiry("delay/trains", {"one": ([3, 10], [5, 10])}).alike.by_factors


# --- where it looks


def test_what_stands_out_is_looked_into() -> None:
    """All are 10% more but one, and one that is small."""
    rows: Rows = {f"c{n}": ([100 + n], [(100 + n) * 1.1]) for n in range(40)}
    found = inquiry("visits", rows | {"far": ([100], [200]), "new": ([0], [30])})
    assert {region.path.name for region in found.promising(found.seen, 2)} == {"far", "new"}
    assert len(found.promising(found.seen, 10)) == 10
    assert len(found.promising(found.seen, 100)) == 42
    assert {found.tables.region(row).path.name for row in found.candidates[:2]} == {"far", "new"}


def test_what_had_no_room_and_what_is_nearly_all_is_no_candidate() -> None:
    found = inquiry("visits", {"US": ([970], [960]), "DE": ([20], [10]), "(other)": ([10], [30])})
    assert [found.tables.region(row).path.name for row in found.candidates] == ["DE"]
    assert found.looked_at == 1


def test_what_is_nearly_all_is_looked_into_and_what_had_no_room_is_not() -> None:
    found = inquiry("visits", {"US": ([970], [960]), "DE": ([20], [10]), "(other)": ([10], [30])})
    assert {region.path.name for region in found.promising(found.seen)} == {"US", "DE"}


def test_of_no_tables_there_is_nowhere_to_look() -> None:
    found = Inquiry(Region(ROOT), Measure(parse("visits")), np.array([1.0]), np.array([2.0]), NONE, NONE)
    assert found.promising([]) == found.candidates == found.restless == []
    assert found.looked_at == 0
    assert found.causes(wholes([1], [2]), 5).causes == []


def test_with_a_part_its_parent_is_a_candidate() -> None:
    """However little that stands out: what its part does, others of it make good."""
    rows: Rows = {f"c{n}": ([1000], [1000 + 20 * (-1) ** n]) for n in range(60)}
    found = inquiry("visits", rows | {"US": ([1000], [1000])})
    found.add([seen("country/US", {"CA": ([500], [800]), "NY": ([500], [200])})])
    chosen = [str(found.tables.region(row).path) for row in found.candidates]
    assert {"country/US/CA", "country/US/NY", "country/US"} <= set(chosen)


def test_of_what_is_crossed_one_of_both_is_a_candidate() -> None:
    found = inquiry("visits", {"US": ([100], [150]), "DE": ([100], [100])})
    found.add([seen("country/US/×device", {"mobile": ([60], [110]), "desktop": ([40], [40])})])
    found.add([seen("device/mobile/×country", {"US": ([60], [110])})])
    keys = [found.tables.region(row).key for row in found.candidates]
    assert len(keys) == len(set(keys)) == 4


# --- the same events under another name


def buckets(*rows: Sequence[float]) -> Detail:
    """Of rows, each with what it has of one metric in two buckets before and two now."""
    cells = np.array(rows, dtype=np.float64).T[None]
    sums: Floats = cells.sum(axis=1, keepdims=True)
    return Detail(cells[:, :2], cells[:, 2:], sums[:, 0], sums[:, 0], sums, sums[..., 0])


def named(rows: Mapping[str, Sequence[float]]) -> list[str]:
    regions = [Region(Path.parse(path)) for path in rows]
    twins = buckets(*rows.values()).twins(regions)
    return [str(region.path) for region, several in zip(regions, twins, strict=True) if several[0] == region]


def test_of_what_is_alike_in_every_bucket_the_shortest_is_named() -> None:
    assert named({"origin/J/M": [1, 2, 3, 4], "route/J-M": [1, 2, 3, 4]}) == ["route/J-M"]
    assert named({"route/J-M": [1, 2, 3, 4], "origin/J/M": [1, 2, 3, 4]}) == ["route/J-M"]
    assert named({"a/1/x": [1, 2, 3, 4], "b/2/x": [1, 2, 3, 4], "c/3": [1, 2, 3, 4]}) == ["c/3"]


def test_of_those_as_long_the_first_is_named() -> None:
    assert named({"city/M": [1, 2, 3, 4], "airport/M": [1, 2, 3, 4]}) == ["city/M"]


def test_what_is_otherwise_in_but_one_bucket_is_another() -> None:
    every = {"origin/J/M": [1, 2, 3, 4], "route/J-M": [1, 2, 3, 5], "to/M": [2, 1, 3, 4]}
    assert named(every) == list(every)


def test_those_that_share_no_events_are_two() -> None:
    every = {"country/US": [1, 2, 3, 4], "country/DE": [1, 2, 3, 4], "country/US/CA": [1, 2, 3, 4]}
    assert named(every) == ["country/US", "country/DE"]


# --- what is ordinary for the whole


def test_with_a_past_it_is_what_the_whole_did_from_one_period_to_the_next() -> None:
    """100, 110, 99, 99, 132: 10/110, 11/99, 0 and 33/132 of what it was, each as much of the 100 before."""
    found = inquiry("visits", {"US": ([100], [500])})
    expected = [-100 / 11, 100 / 9, 0, -25]
    told = found.causes(wholes([100], [110], [99], [99], [132]), 5).news
    assert told == pytest.approx((sum(n**2 for n in expected) / 4) ** 0.5)


def test_with_less_of_a_past_its_buckets_say_it() -> None:
    """1, 3, 5, 3 scatter by 8/3; twice the variance of a sum of four such is 64/3."""
    found = inquiry("visits", {"US": ([12], [500])})
    assert found.causes(wholes([12], [20], buckets=[[1, 3, 5, 3]]), 5).news == pytest.approx((64 / 3) ** 0.5)


def test_with_neither_nothing_is_known() -> None:
    found = inquiry("visits", {"US": ([12], [500])})
    assert found.causes(wholes([12], buckets=[[6, 6]]), 5).news == 0


def test_what_was_not_counted_in_earlier_periods_is_no_past() -> None:
    found = inquiry("visits", {"US": ([12], [500])})
    told = found.causes(wholes([12], [0], [0], [0], [0], buckets=[[1, 3, 5, 3]]), 5)
    assert told.news == pytest.approx((64 / 3) ** 0.5)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_whole_goes_by_chance_as_far_as_it_is_told(seed: int) -> None:
    """56000 visits, Poisson: their difference goes as far as the root of 112000, 335."""
    assert ask(world(seed=seed)).findings.news == pytest.approx(335, rel=0.7)
    assert ask(world(seed=seed, periods=2)).findings.news == pytest.approx(335, rel=0.7)
    assert ask(world(Planted("_", 2), seed=seed)).findings.news == pytest.approx(335, rel=0.7)
