"""What an inquiry comes to: tables that add up, by hand, and what is said of causes, in small worlds."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.formula import parse
from hailwhale_django.engine.domain.paths import ROOT, Path
from hailwhale_django.engine.explain.detail import Detail
from hailwhale_django.engine.explain.explanation import Breakdown, Cause
from hailwhale_django.engine.explain.inquiry import Inquiry
from hailwhale_django.engine.explain.measure import Measure
from hailwhale_django.engine.explain.region import Region
from hailwhale_django.engine.explain.report import Report
from hailwhale_django.engine.explain.seen import Seen
from tests.engine.explain.worlds import Planted, World, ask, world

Rows = dict[str, tuple[Sequence[float], Sequence[float]]]
"""By name, what a child has of each leaf, before and now."""


def told(
    formula: str, tables: dict[str, Rows], whole: tuple[Sequence[float], Sequence[float]], limit: int = 10
) -> list[Breakdown]:
    """Of tables; there are no buckets and there is no past, so that nobody is a cause."""
    measure = Measure(parse(formula))
    before, now = (np.array(side, dtype=np.float64) for side in whole)
    inquiry = Inquiry(Region(ROOT), measure, before, now, np.zeros(0), np.zeros(0))
    for table, rows in tables.items():
        sides = (np.array([row[at] for row in rows.values()], dtype=np.float64).T for at in range(2))
        inquiry.add([Seen(Path.parse(table), list(rows), *sides)])
    none = np.zeros((len(before), 0, len(inquiry.candidates)))
    past = np.zeros((len(before), 1, len(inquiry.candidates)))
    detail = Detail(none, none, none[:, :, 0:0].sum(axis=2), none[:, :, 0:0].sum(axis=2), past, before[:, None])
    return list(Report(inquiry, inquiry.causes(detail, 0), detail, limit).breakdowns())


def total(found: Breakdown) -> float:
    return fsum([*(part.part for part in found.parts), found.others, found.other, found.rest])


COUNTRIES: Rows = {
    "US": ([100], [130]),
    "DE": ([50], [30]),
    "FR": ([10], [15]),
    "IT": ([0], [4]),
    "GB": ([3], [0]),
    "(other)": ([7], [9]),
}


def test_those_that_carry_most_come_first_and_the_rest_is_left() -> None:
    """200 become 220: 18 of that are told, and by 2 those rose that have no country."""
    (found,) = told("visits", {"country": COUNTRIES}, ([200], [220]))
    assert found.table == Path.parse("country")
    assert [(part.name, part.part) for part in found.parts] == [
        *(("US", 30), ("DE", -20), ("FR", 5), ("IT", 4), ("GB", -3))
    ]
    assert (found.others, found.count, found.other, found.rest) == (0, 0, 2, 2)
    assert total(found) == 20


def test_of_what_is_not_shown_the_sum_is_told() -> None:
    (found,) = told("visits", {"country": COUNTRIES}, ([200], [220]), limit=2)
    assert [part.name for part in found.parts] == ["US", "DE"]
    assert (found.others, found.count, found.other, found.rest) == (5 + 4 - 3, 3, 2, 2)
    assert total(found) == 20


def test_what_each_was_and_is() -> None:
    (found,) = told("visits", {"country": COUNTRIES}, ([200], [220]))
    rows = {part.name: (part.before, part.now, part.weight_before, part.weight) for part in found.parts}
    assert rows["US"] == (100, 130, 100 / 200, 130 / 220)
    assert rows["IT"] == (None, 4, 0, 4 / 220)
    assert rows["GB"] == (3, None, 3 / 200, 0)
    assert str(found.parts[0].path) == "country/US"


def test_a_part_of_nothing_has_no_weight() -> None:
    """Balances of -5 and 5."""
    (found,) = told("balance", {"account": {"a": ([-5], [1]), "b": ([5], [1])}}, ([0], [2]))
    assert [(part.weight_before, part.weight) for part in found.parts] == [(None, 0.5), (None, 0.5)]


def test_a_ratio_weighs_by_its_denominator() -> None:
    """Simpson's paradox, as worked out in `test_attribution`: -52/110 in all."""
    rows: Rows = {"mobile": ([80, 100], [9, 10]), "desktop": ([1, 10], [20, 100])}
    (found,) = told("orders/visits", {"device": rows}, ([81, 110], [29, 110]))
    by_name = {part.name: part for part in found.parts}
    mobile, desktop = by_name["mobile"], by_name["desktop"]
    assert (mobile.before, mobile.now, mobile.weight_before, mobile.weight) == (0.8, 0.9, 100 / 110, 10 / 110)
    assert (desktop.before, desktop.now, desktop.weight_before, desktop.weight) == (0.1, 0.2, 10 / 110, 100 / 110)
    for part in found.parts:
        assert part.rate == pytest.approx(1 / 20)
        assert part.mix == pytest.approx(-63 / 220)
        assert part.part == pytest.approx(part.rate + part.mix)
    assert found.rest == 0
    assert total(found) == pytest.approx(-52 / 110)


def test_a_ratio_of_compound_sums_weighs_by_all_of_them() -> None:
    rows: Rows = {"a": ([1, 10, 2], [1, 20, 4]), "b": ([1, 20, 4], [1, 5, 1])}
    (found,) = told("orders/(visits - bots)", {"x": rows}, ([2, 30, 6], [2, 25, 5]))
    weights = {part.name: (part.weight_before, part.weight) for part in found.parts}
    assert weights == {"a": (8 / 24, 16 / 20), "b": (16 / 24, 4 / 20)}


def test_each_table_adds_up_by_itself() -> None:
    """Of the US there are 3 of which no state is known; the rest is what is elsewhere, too."""
    states: Rows = {"CA": ([60], [65]), "NY": ([37], [62])}
    first, second = told("visits", {"country": COUNTRIES, "country/US": states}, ([200], [220]))
    assert [str(one.table) for one in (first, second)] == ["country", "country/US"]
    assert [(part.name, part.part) for part in second.parts] == [("NY", 25), ("CA", 5)]
    assert second.rest == 20 - 30
    assert total(first) == total(second) == 20


def test_what_adding_doubles_leaves_behind_is_nothing() -> None:
    rows: Rows = {name: ([0.1], [0.3]) for name in "abcdefghij"}
    (found,) = told("money", {"x": rows}, ([1.0], [3.0]))
    assert found.rest == 0


amounts = st.integers(0, 1000)
rows = st.lists(st.tuples(amounts, amounts, amounts, amounts), min_size=1, max_size=12)


@given(rows, st.tuples(amounts, amounts, amounts, amounts), st.booleans(), st.integers(1, 12))
def test_the_parts_of_a_table_are_the_change(
    drawn: list[tuple[int, int, int, int]], lacking: tuple[int, int, int, int], has_other: bool, limit: int
) -> None:
    """Of a ratio, of which some have no child, with children that are not shown and some that had no room."""
    names = [f"c{n}" for n in range(len(drawn))]
    if has_other:
        names[-1] = "(other)"
    whole = [sum(values) for values in zip(*drawn, lacking, strict=True)]
    table: Rows = {name: (row[:2], row[2:]) for name, row in zip(names, drawn, strict=True)}
    (found,) = told("a/b", {"x": table}, (whole[:2], whole[2:]), limit)
    ratios = [top / bottom if bottom else 0.0 for top, bottom in (whole[:2], whole[2:])]
    scale = 1 + sum(abs(part.part) for part in found.parts) + abs(found.others) + abs(found.other)
    assert total(found) == pytest.approx(ratios[1] - ratios[0], abs=1e-9 * scale)
    assert len(found.parts) + found.count + has_other == len(drawn)
    assert len(found.parts) == min(limit, len(drawn) - has_other)
    sizes = [abs(part.part) for part in found.parts]
    assert sizes == sorted(sizes, reverse=True)
    assert all(part.part == pytest.approx(part.rate + part.mix, abs=1e-12 * scale) for part in found.parts)


# --- causes

SEEDS = [1, 2, 3]


def cause_of(shop: World, formula: str = "visits", limit: int = 10) -> tuple[Cause, list[Breakdown]]:
    report = ask(shop, formula).report(limit)
    tables = list(report.breakdowns())
    (cause,) = report.causes()
    return cause, tables


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_said_of_a_cause(seed: int) -> None:
    """A sum of which one part is half as much again; of the whole's value without, chance leaves a little."""
    shop = world(Planted("device/mobile", 1.5), seed=seed)
    cause, tables = cause_of(shop)
    (whole_before, whole_now), (before, now) = (shop.rows([path])[0, -2:].sum(axis=1)[:, 0] for path in ("_", DEVICE))
    assert str(cause.path) == DEVICE
    assert cause.how == "more"
    assert (cause.part.before, cause.part.now) == (before, now)
    assert cause.share == (now - before) / (whole_now - whole_before)
    assert cause.without == pytest.approx(whole_before, rel=0.03)
    assert cause.times is None
    shown = [part for table in tables for part in table.parts if part.path == cause.path]
    assert shown == [cause.part]
    assert cause.part.effect == pytest.approx(whole_now - cause.without)


DEVICE = "device/mobile"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("planted", "formula", "how"),
    [
        ([Planted("country/DE", 0.6)], "visits", "less"),
        ([Planted("country/IT", 0)], "visits", "gone"),
        ([Planted("country/IT", 0, period=period) for period in range(1, 8)], "visits", "new"),
        ([Planted("device/mobile", 1.5, "orders")], "orders/visits", "rate"),
        (
            [
                *(Planted("device/tablet", 0.2, "orders", period=period) for period in range(8)),
                Planted("device/tablet", 3),
            ],
            "orders/visits",
            "mix",
        ),
    ],
    ids=["less", "gone", "new", "rate", "mix"],
)
def test_how_it_did_it(planted: list[Planted], formula: str, how: str, seed: int) -> None:
    cause, _ = cause_of(world(*planted, seed=seed), formula)
    assert str(cause.path).startswith(planted[-1].path)
    assert cause.how == how


@pytest.mark.parametrize("formula", ["orders/visits*100", "1 - orders/visits", "-(orders/visits)"])
def test_a_ratio_is_one_wherever_it_stands(formula: str) -> None:
    """More tablets, who seldom order, each as before: it is not theirs that the whole fell by."""
    always = [Planted("device/tablet", 0.2, "orders", period=period) for period in range(8)]
    shop = world(*always, Planted("device/tablet", 3))
    cause, _ = cause_of(shop, formula)
    assert cause.how == "mix"
    tablets, everyone = (shop.rows([path])[0, -2:].sum(axis=1)[:, 0] for path in ("device/tablet", "_"))
    assert [cause.part.weight_before, cause.part.weight] == pytest.approx((tablets / everyone).tolist())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("formula", ["visits", "orders/visits"])
@pytest.mark.parametrize("begin_end", [(9, 13), (3, 7)])
def test_when_it_was(formula: str, begin_end: tuple[int, int], seed: int) -> None:
    begin, end = begin_end
    leaf = "visits" if formula == "visits" else "orders"
    shop = world(Planted("device/mobile", 2.5, leaf, slice(begin, end + 1)), seed=seed)
    found = ask(shop, formula)
    report = found.report()
    report.breakdowns()
    assert report.causes()[0].times == begin_end
    assert report.times() == begin_end


@pytest.mark.parametrize("seed", SEEDS)
def test_the_whole_has_its_time_where_all_is_alike(seed: int) -> None:
    report = ask(world(Planted("_", 2.5, days=slice(5, 8)), seed=seed)).report()
    assert report.times() == (5, 7)
    assert report.causes() == ()


def test_of_a_day_there_is_no_time_to_be_told() -> None:
    report = ask(world(Planted("_", 2.5), days=1)).report()
    assert report.times() is None


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cause_is_shown_even_where_its_part_is_small(seed: int) -> None:
    """All are a third more but those with a tablet, who are as many as before: theirs is the least part of all."""
    shop = world(Planted("_", 4 / 3), Planted("device/tablet", 3 / 4), seed=seed)
    cause, tables = cause_of(shop, limit=1)
    (table,) = [one for one in tables if str(one.table) == "device"]
    assert [part.name for part in table.parts] == ["mobile", "tablet"]
    assert table.parts[1] == cause.part
    assert abs(cause.share) < 0.1
    assert table.count == 1
    assert total(table) == shop.rows(["_"])[0, -1].sum() - shop.rows(["_"])[0, -2].sum()
