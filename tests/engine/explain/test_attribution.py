"""Parts of a change: by hand, by fractions, and by the laws that they keep whatever was counted."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.formula import Constant, parse
from hailwhale_django.engine.domain.values import Floats
from hailwhale_django.engine.explain.attribution import Parts, Sides, attribute
from hailwhale_django.engine.explain.measure import Measure

Rows = Sequence[Sequence[float]]
"""One row each, of its leaves in the order of the formula."""


def sides(rows: Rows, shared: Sequence[float] = (), whole: Sequence[float] | None = None) -> Sides:
    """A period; its whole is the sum of the rows, unless it is given."""
    leaves = np.array(rows, dtype=np.float64).T
    return Sides(leaves, leaves.sum(axis=1) if whole is None else np.array(whole, np.float64), np.array(shared))


def attributed(formula: str, before: Rows, now: Rows, *shared: Sequence[float]) -> Parts:
    given_shared = shared or ((), ())
    return attribute(Measure(parse(formula)), sides(before, given_shared[0]), sides(now, given_shared[1]))


# --- by hand


def test_of_a_sum_a_part_is_what_it_grew_by() -> None:
    found = attributed("hits", [[10], [20], [0], [5]], [[15], [12], [3], [0]])
    assert found.part.tolist() == found.rate.tolist() == [5, -8, 3, -5]
    assert found.mix.tolist() == [0, 0, 0, 0]


def test_a_ratio_where_one_became_better_at_the_same_share() -> None:
    """Orders of visits: 20 of 100 and 10 of 100, then 40 of 100 and 10 of 100. The whole goes from 0.15 to 0.25."""
    found = attributed("orders/visits", [[20, 100], [10, 100]], [[40, 100], [10, 100]])
    assert found.part.tolist() == pytest.approx([0.1, 0])  # 0.2 more on half of the visits
    assert found.mix.tolist() == [0, 0]


def test_a_ratio_where_only_the_shares_changed() -> None:
    """0.3 on 100 of 200 visits and 0.1 on the others; then on 50 of 200. From 40/200 to 30/200; their mean is 7/40."""
    found = attributed("orders/visits", [[30, 100], [10, 100]], [[15, 50], [15, 150]])
    assert found.rate.tolist() == pytest.approx([0, 0])
    # (12/40 - 7/40) x (1/4 - 1/2) and (4/40 - 7/40) x (3/4 - 1/2)
    assert found.mix.tolist() == pytest.approx([-5 / 160, -3 / 160])


def test_simpson_s_paradox() -> None:
    """Mobile rises from 80/100 to 9/10 and desktop from 1/10 to 20/100, but the whole falls from 81/110 to 29/110.

    Their mean is 1/2, either's mean share 1/2. Rate: 1/10 x 1/2 each. Mix: (17/20 - 1/2) x (1/11 - 10/11) = -63/220
    for mobile, (3/20 - 1/2) x (10/11 - 1/11) = -63/220 for desktop. Together 22/220 - 126/220 = -52/110.
    """
    found = attributed("orders/visits", [[80, 100], [1, 10]], [[9, 10], [20, 100]])
    assert found.rate.tolist() == pytest.approx([1 / 20, 1 / 20])
    assert found.mix.tolist() == pytest.approx([-63 / 220, -63 / 220])
    assert found.part.sum() == pytest.approx(-52 / 110)


def test_who_is_new_or_gone_has_but_a_share() -> None:
    """One at 1/4 on 4 visits stays; 3/4 on 4 comes in. From 1/4 to 4/8, of which the mean is 3/8."""
    found = attributed("orders/visits", [[1, 4], [0, 0]], [[1, 4], [3, 4]])
    # (1/4 - 3/8) x (1/2 - 1) and (3/4 - 3/8) x 1/2
    assert found.part.tolist() == found.mix.tolist() == [1 / 16, 3 / 16]
    back = attributed("orders/visits", [[1, 4], [3, 4]], [[1, 4], [0, 0]])
    assert back.part.tolist() == back.mix.tolist() == [-1 / 16, -3 / 16]


def test_a_ratio_of_nothing_before() -> None:
    """There are no visits, so there was no ratio: what each brings to that of now is its part."""
    found = attributed("orders/visits", [[0, 0], [0, 0]], [[1, 4], [3, 4]])
    assert found.part.tolist() == [1 / 8, 3 / 8]
    assert found.mix.tolist() == [0, 0]


def test_a_product() -> None:
    """2 x 3 = 6 becomes 4 x 5 = 20: of the 14 there are 2 x 4 by the first factor, and 2 x 3 by the second."""
    assert attributed("price*amount", [[1, 1], [1, 2]], [[3, 1], [1, 4]]).part.tolist() == [8, 6]


def test_a_number_over_a_sum() -> None:
    """12/2 = 6 becomes 12/6 = 2: of the 4 less, one of four further visits brought a quarter, another the rest."""
    assert attributed("12/visits", [[1], [1]], [[2], [4]]).part.tolist() == pytest.approx([-1, -3])


def test_a_ratio_of_ratios() -> None:
    """(12/4) / (6/3) = 3/2 becomes (24/4) / (6/2) = 2. Numerators rose by 12 in the one, denominators' visits fell by 1
    in the other: 3 becomes 6, and 2 becomes 3, so the means are 7/4, 9/2 and 5/2. (3 - 0) / (5/2) = 6/5, and
    (0 - 7/4 x 1) / (5/2) = -7/10.
    """
    before, now = [[6, 2, 3, 1], [6, 2, 3, 2]], [[18, 2, 3, 1], [6, 2, 3, 1]]
    found = attributed("(a/b)/(c/d)", before, now)
    assert found.part.sum() == pytest.approx(1 / 2)
    # c/d of the first: 3/2 - 3/3 - 5/2 x (1/2 - 1/3) = 1/12; of the second: 3/2 - 3/3 - 5/2 x (1/2 - 2/3) = 11/12.
    assert found.part.tolist() == pytest.approx([6 / 5 - 7 / 10 * 1 / 12, -7 / 10 * 11 / 12])


def test_a_share_of_the_parent() -> None:
    """1/4 and 3/4 become 4/5 and 1/5: whoever is divided by all of it carries what is its own share."""
    found = attributed("hits/hits@parent", [[1], [3]], [[4], [1]], [4], [5])
    assert found.part.tolist() == pytest.approx([11 / 20, -11 / 20])


def test_per_day_of_periods_of_different_length() -> None:
    """14 and 7 in 7 days, 60 and 30 in 30: nobody changed."""
    assert attributed("hits/days", [[14], [7]], [[60], [30]], [7], [30]).part.tolist() == [0, 0]
    assert attributed("days*hits", [[2], [3]], [[2], [4]], [7], [10]).part.tolist() == [20 - 14, 40 - 21]


def test_a_constant_of_a_ratio_is_nobody_s_part() -> None:
    """2 a day of one becomes 5 of two: of the 1/2 more, the 3 bring 3 / (3/2), and the second day takes 3/2."""
    found = attributed("revenue/visits/days", [[10, 5]], [[30, 6]], [1], [2])
    assert found.part.tolist() == pytest.approx([2])


def test_a_number_that_is_added_changes_nothing() -> None:
    before, now = [[10], [20]], [[15], [12]]
    assert attributed("hits + 100", before, now).part.tolist() == [5, -8]
    assert attributed("100 - hits", before, now).part.tolist() == [-5, 8]
    assert attributed("-hits", before, now).part.tolist() == [-5, 8]
    assert attributed("2*hits - hits/2", before, now).part.tolist() == [7.5, -12]


def test_what_the_rows_lack_is_left() -> None:
    """Of 12 more they have 2; their ratio counts by the whole's denominators."""
    measure = Measure(parse("orders/visits"))
    before, now = sides([[2, 4]], whole=[10, 20]), sides([[4, 4]], whole=[20, 40])
    # 4/40 - 2/20 - 1/2 x (4/40 - 4/20)
    assert attribute(measure, before, now).part.tolist() == pytest.approx([1 / 20])


def test_what_is_too_large_for_a_number_has_no_part() -> None:
    """As it is 0 in a table."""
    found = attributed("1e300*a*1e300", [[1], [2]], [[5], [2]])
    assert found.part.tolist() == found.mix.tolist() == [0, 0]


def test_no_rows_carry_no_parts() -> None:
    none = Sides(np.zeros((2, 0)), np.array([1.0, 2.0]), np.zeros(0))
    found = attribute(Measure(parse("orders/visits")), none, none)
    assert found.part.shape == found.mix.shape == (0,)


# --- by fractions


counts = st.one_of(st.just(0), st.integers(-9, 99), st.integers(0, 10**6))
positive = st.integers(1, 10**4)


def kitagawa(before: list[tuple[int, int]], now: list[tuple[int, int]]) -> tuple[list[Fraction], Fraction]:
    """Each one's effect of rate, and that of the composition of all, as in the paper."""

    def told(rows: list[tuple[int, int]]) -> list[tuple[Fraction, Fraction]]:
        everyone = sum(bottom for _, bottom in rows)
        return [(Fraction(top, bottom), Fraction(bottom, everyone)) for top, bottom in rows]

    pairs = list(zip(told(before), told(now), strict=True))
    rates = [(now[0] - before[0]) * (now[1] + before[1]) / 2 for before, now in pairs]
    return rates, sum((now[1] - before[1]) * (now[0] + before[0]) / 2 for before, now in pairs) + Fraction(0)


@given(st.lists(st.tuples(counts, positive, counts, positive), min_size=1, max_size=8))
def test_rates_and_mix_are_kitagawa_s(rows: list[tuple[int, int, int, int]]) -> None:
    before, now = [row[:2] for row in rows], [row[2:] for row in rows]
    rates, mix = kitagawa(before, now)
    found = attributed("a/b", before, now)
    scale = 1 + float(max(abs(Fraction(*row)) for row in before + now))
    assert found.rate.tolist() == pytest.approx(list(map(float, rates)), abs=1e-12 * scale)
    assert found.mix.sum() == pytest.approx(float(mix), abs=1e-11 * scale)


def part_by_orders(before: tuple[int, int], now: tuple[int, int], wholes: list[Fraction], bottoms: list[int]) -> Any:
    """Beyond the whole's mean ratio, its rate and its share change one after the other, in either order; the mean."""
    middle = (wholes[0] + wholes[1]) / 2
    rates = [Fraction(*before) - middle, Fraction(*now) - middle]
    shares = [Fraction(before[1], bottoms[0]), Fraction(now[1], bottoms[1])]
    rate_first = (rates[1] - rates[0]) * shares[0]
    rate_last = (rates[1] - rates[0]) * shares[1]
    share_first = rates[0] * (shares[1] - shares[0])
    share_last = rates[1] * (shares[1] - shares[0])
    return (rate_first + rate_last) / 2, (share_first + share_last) / 2


@given(st.lists(st.tuples(counts, positive, counts, positive), min_size=1, max_size=8))
def test_a_part_is_the_shapley_value_of_its_rate_and_its_share(rows: list[tuple[int, int, int, int]]) -> None:
    before, now = [row[:2] for row in rows], [row[2:] for row in rows]
    bottoms = [sum(bottom for _, bottom in side) for side in (before, now)]
    wholes = [
        Fraction(sum(top for top, _ in side), all_of) for side, all_of in zip((before, now), bottoms, strict=True)
    ]
    found = attributed("a/b", before, now)
    scale = 1 + float(max(abs(Fraction(*row)) for row in before + now))
    for at in range(len(rows)):
        rate, mix = part_by_orders(before[at], now[at], wholes, bottoms)
        assert found.rate[at] == pytest.approx(float(rate), abs=1e-12 * scale)
        assert found.mix[at] == pytest.approx(float(mix), abs=1e-12 * scale)


# --- laws

LEAVES = ["a", "b", "c", "d"]
SHARED = ["a@parent", "b@_", "days"]

leaves = st.sampled_from([*LEAVES, *LEAVES, *SHARED, "2", "0.5", "0", "100"])
any_formula = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*//"), inner).map(lambda one: f"({one[0]}{one[1]}{one[2]})"),
        inner.map(lambda one: f"-{one}"),
    ),
    max_leaves=6,
)
usual = st.sampled_from([
    "a", "a - b", "a/b", "100*a/b", "(a - b)/c", "a/(b + c)", "(a + b)/(c - d)", "a*b", "a/b/c", "(a/b)/(c/d)", "a/b*c",
    "1 - a/b", "a/a@parent", "a/b@_", "a/days", "a/b/days", "100/a", "a/(b*c)", "a/b - c/d", "(a/b)*(c/d)", "days/a",
])  # fmt: skip
formulas = st.one_of(usual, any_formula).map(parse).map(Measure).filter(lambda measure: bool(measure.leaves))
amounts = st.one_of(st.just(0.0), st.integers(-20, 100).map(float), st.integers(-4000, 40000).map(lambda n: n / 100))


@st.composite
def tables(draw: st.DrawFn, count: int) -> Floats:
    """Rows [leaf, row]; some of them have nothing."""
    rows = draw(st.integers(1, 6))
    column = st.one_of(st.just([0.0] * count), st.lists(amounts, min_size=count, max_size=count))
    return np.array(draw(st.lists(column, min_size=rows, max_size=rows))).T


@st.composite
def changes(draw: st.DrawFn, *, same_shared: bool = False) -> tuple[Measure, Sides, Sides]:
    """A formula and two periods; the whole has some that no row has, as what lacks a dimension."""
    measure = draw(formulas)
    before, now = draw(tables(2 * len(measure.leaves))).reshape(2, len(measure.leaves), -1)
    lacking = draw(st.one_of(st.just(np.zeros((2, len(measure.leaves)))), loose(len(measure.leaves))))
    of_all = st.lists(st.integers(1, 40).map(float), min_size=len(measure.shared), max_size=len(measure.shared))
    shared = np.array(draw(of_all))
    later = shared if same_shared else np.array(draw(of_all))
    return (
        measure,
        Sides(before, before.sum(axis=1) + lacking[0], shared),
        Sides(now, now.sum(axis=1) + lacking[1], later),
    )


def loose(count: int) -> st.SearchStrategy[Floats]:
    return st.lists(amounts, min_size=2 * count, max_size=2 * count).map(
        lambda found: np.array(found).reshape(2, count)
    )


def size(found: Parts) -> float:
    """Of what is added, beside which rounding is nothing."""
    return 1 + float(np.abs(found.part).sum() + np.abs(found.mix).sum())


def worth(measure: Measure, side: Sides) -> float:
    return float(measure.value(side.whole[:, None], side.shared)[0])


def complete(side: Sides) -> Sides:
    """With another row that has all that the others lack."""
    lacking = side.whole - side.rows.sum(axis=1)
    return side._replace(rows=np.concatenate([side.rows, lacking[:, None]], axis=1))


@given(changes(same_shared=True))
def test_parts_add_up_to_the_change(change: tuple[Measure, Sides, Sides]) -> None:
    """But for formulas that divide by what is nothing in one of the periods, or on the mean."""
    measure, before, now = change
    assume(all(abs(bottom) > 1e-6 for bottom in divisors(measure, before.whole, now.whole, now.shared)))
    found = attribute(measure, complete(before), complete(now))
    expected = worth(measure, now) - worth(measure, before)
    assert found.part.sum() == pytest.approx(expected, abs=1e-9 * (size(found) + abs(worth(measure, now))))


def divisors(measure: Measure, before: Floats, now: Floats, shared: Floats) -> list[float]:
    """What is divided by anywhere in the formula, before, now and on the mean."""

    def known(whole: Floats) -> dict[Any, float]:
        own = dict(zip(measure.leaves, whole.tolist(), strict=True))
        return own | dict(zip(measure.shared, shared.tolist(), strict=True))

    worths = [known(before), known(now)]
    found: list[float] = []

    def value(node: Any, of: dict[Any, float]) -> float:
        if hasattr(node, "operand"):
            return -value(node.operand, of)
        if not hasattr(node, "operator"):
            return float(of[node]) if node in of else float(node.value)
        left, right = value(node.left, of), value(node.right, of)
        match node.operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
        return left / right if right else 0.0

    def visit(node: Any) -> None:
        for below in ("operand", "left", "right"):
            if hasattr(node, below):
                visit(getattr(node, below))
        if getattr(node, "operator", "") == "/":
            ends = [value(node.right, of) for of in worths]
            found.extend([*ends, sum(ends) / 2])

    visit(measure.formula.root)
    return found


sums_of = st.lists(st.tuples(counts, counts, counts, counts), min_size=1, max_size=8)


@given(sums_of, st.sampled_from(["a/b", "100*a/b", "(a - b)/b", "a/(2*b)", "-a/b"]))
def test_parts_of_a_ratio_of_sums_add_up_even_where_it_is_divided_by_nothing(
    rows: list[tuple[int, int, int, int]], formula: str
) -> None:
    before, now = [row[:2] for row in rows], [row[2:] for row in rows]
    measure = Measure(parse(formula))
    found = attribute(measure, sides(before), sides(now))
    expected = worth(measure, sides(now)) - worth(measure, sides(before))
    assert found.part.sum() == pytest.approx(expected, abs=1e-9 * (size(found) + abs(worth(measure, sides(now)))))


@given(changes())
def test_swapped_periods_negate_every_part(change: tuple[Measure, Sides, Sides]) -> None:
    measure, before, now = change
    there, back = attribute(measure, before, now), attribute(measure, now, before)
    assert back.part.tolist() == (-there.part).tolist()
    assert back.mix.tolist() == (-there.mix).tolist()


@given(changes())
def test_the_same_twice_has_no_parts(change: tuple[Measure, Sides, Sides]) -> None:
    measure, before, _ = change
    found = attribute(measure, before, before)
    assert found.part.tolist() == found.mix.tolist() == [0] * len(found.part)


@given(changes(), st.data())
def test_a_parent_s_part_is_the_sum_of_its_children_s(
    change: tuple[Measure, Sides, Sides], data: st.DataObject
) -> None:
    measure, before, now = change
    parents = data.draw(st.lists(st.integers(0, 2), min_size=len(now.rows.T), max_size=len(now.rows.T)))
    belongs = np.array([[parent == at for at in range(3)] for parent in parents], dtype=np.float64)
    below = attribute(measure, before, now)
    above = attribute(
        measure, before._replace(rows=before.rows @ belongs), now._replace(rows=now.rows @ belongs)
    )  # fmt: skip
    assert above.part.tolist() == pytest.approx((below.part @ belongs).tolist(), abs=1e-9 * size(below))


@given(changes(), st.data())
def test_a_child_that_is_split_in_two_leaves_others_alone(
    change: tuple[Measure, Sides, Sides], data: st.DataObject
) -> None:
    measure, before, now = change
    split = [side.rows[:, -1] * data.draw(st.sampled_from([0, 0.25, 0.5, 1])) for side in (before, now)]
    apart = [
        side._replace(rows=np.column_stack([side.rows[:, :-1], one, side.rows[:, -1] - one]))
        for side, one in zip((before, now), split, strict=True)
    ]
    one, two = attribute(measure, before, now), attribute(measure, *apart)
    assert two.part[:-2].tolist() == one.part[:-1].tolist()
    assert two.mix[:-2].tolist() == one.mix[:-1].tolist()
    assert two.part[-2:].sum() == pytest.approx(one.part[-1], abs=1e-9 * size(two))


@given(changes(same_shared=True), st.sampled_from([2, 3, 7, 0.5]))
def test_where_all_grow_by_the_same_factor_there_is_no_mix(change: tuple[Measure, Sides, Sides], factor: float) -> None:
    measure, before, _ = change
    now = before._replace(rows=before.rows * factor, whole=before.whole * factor)
    found = attribute(measure, before, now)
    assert found.mix.tolist() == pytest.approx([0] * len(found.mix), abs=1e-9 * size(found))


@given(sums_of, st.integers(1, 9), st.integers(1, 9))
def test_where_tops_and_bottoms_grow_by_factors_there_is_no_mix(
    rows: list[tuple[int, int, int, int]], top: int, bottom: int
) -> None:
    found = attributed("a/b", [row[:2] for row in rows], [(row[0] * top, row[1] * bottom) for row in rows])
    assert found.mix.tolist() == [0] * len(rows)


def test_shared_leaves_stand_as_the_formula_names_them() -> None:
    measure = Measure(parse("a/days - b@_*a@parent"))
    assert list(map(str, measure.leaves)) == ["a"]
    assert [str(leaf) for leaf in measure.shared] == ["days", "b@_", "a@parent"]
    assert Constant("days") in measure.shared
