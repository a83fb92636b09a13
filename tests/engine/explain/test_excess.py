"""What a child has beyond what it had, had it changed as the rest: worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.formula import parse
from hailwhale_django.engine.domain.values import Floats
from hailwhale_django.engine.explain.excess import Alike, effect
from hailwhale_django.engine.explain.measure import Measure

NONE = np.zeros(0)
Rows = Sequence[Sequence[float]]


def leaves(rows: Rows) -> Floats:
    return np.array(rows, dtype=np.float64).T


def excess(formula: str, before: Rows, now: Rows, signed: Sequence[bool] | None = None) -> Floats:
    """[leaf, row], of rows that are all there is."""
    measure = Measure(parse(formula))
    alike = Alike.of(measure, [False] * len(measure.leaves) if signed is None else list(signed))
    first, second = leaves(before), leaves(now)
    return alike.excess(first, second, first.sum(axis=1), second.sum(axis=1))


def effects(formula: str, before: Rows, now: Rows, signed: Sequence[bool] | None = None) -> list[float]:
    found = effect(Measure(parse(formula)), leaves(now).sum(axis=1), excess(formula, before, now, signed), NONE)
    return found.tolist()


# --- by factors


def test_of_a_sum_it_is_what_is_beyond_the_growth_of_the_rest() -> None:
    """Of 10 and 20, the one becomes 30: the other did not grow, so 20 is its doing. The rest of 20 grew threefold."""
    assert excess("hits", [[10], [20]], [[30], [20]]).tolist() == [[20, 20 - 3 * 20]]
    assert effects("hits", [[10], [20]], [[30], [20]]) == [20, -40]


def test_who_is_new_is_all_beyond_and_who_is_gone_lacks_what_it_would_have() -> None:
    """The rest of 10 becomes 30 with the new one and is 20 without: it had grown to 2 x 5."""
    assert excess("hits", [[10], [0]], [[20], [7]]).tolist() == [[20 - 10, 7]]  # of the rest there was nothing before
    assert excess("hits", [[10], [5]], [[20], [0]]).tolist() == [[20 - 10, 0 - 2 * 5]]


def test_who_is_all_there_is_is_beyond_what_it_was() -> None:
    assert effects("hits", [[10]], [[25]]) == [15]


def test_of_a_ratio_both_of_its_metrics_are_beyond() -> None:
    """Orders of visits, 10/100 and 10/100, then 20/100 and 10/100. Without the 10 of the first it were 20/200. To the
    second, its visits are as many as the rest's, and its orders should have doubled: it holds 10 back.
    """
    assert excess("orders/visits", [[10, 100], [10, 100]], [[20, 100], [10, 100]]).tolist() == [[10, -10], [0, 0]]
    found = effects("orders/visits", [[10, 100], [10, 100]], [[20, 100], [10, 100]])
    assert found == pytest.approx([30 / 200 - 20 / 200, 30 / 200 - 40 / 200])


def test_more_of_one_that_is_unlike_the_whole_moves_a_ratio() -> None:
    """The first at 3/10, the second at 1/10; the first has three times as many. 10/40 now, 3 + 1 of 20 without."""
    found = effects("orders/visits", [[3, 10], [1, 10]], [[9, 30], [1, 10]])
    assert found[0] == pytest.approx(10 / 40 - 4 / 20)


amounts = st.integers(0, 10**6)


@given(st.lists(st.tuples(amounts, amounts, amounts), min_size=1, max_size=8), st.tuples(*[st.integers(1, 99)] * 3))
def test_who_changed_as_all_did_has_no_effect(rows: list[tuple[int, int, int]], factors: tuple[int, int, int]) -> None:
    """But for one that has all of it, of which there is no rest to be like."""
    now = [[value * factor for value, factor in zip(row, factors, strict=True)] for row in rows]
    whole = np.array(rows).sum(axis=0)
    beside = [row for row, values in enumerate(rows) if all(np.array(values) < whole)]
    found = excess("(a - b)/c", rows, now)[:, beside]
    assert found.ravel().tolist() == pytest.approx([0] * found.size, abs=1e-6)


@given(st.lists(st.tuples(amounts, amounts), min_size=2, max_size=8))
def test_of_a_sum_the_effect_is_of_its_own_leaf_only(rows: list[tuple[int, int]]) -> None:
    """By plain arithmetic."""
    before, now = [row[0] for row in rows], [row[1] for row in rows]
    expected = []
    for mine, later in rows:
        rest, rest_now = sum(before) - mine, sum(now) - later
        expected.append(later - (mine * rest_now / rest if rest and rest_now else mine))
    assert effects("hits", [[n] for n in before], [[n] for n in now]) == pytest.approx(expected, abs=1e-6)


# --- of a ratio, its rate and its share


def surpluses(formula: str, before: Rows, now: Rows) -> Floats:
    """[leaf, aspect, row], of rows that are all there is."""
    measure = Measure(parse(formula))
    alike = Alike.of(measure, [False] * len(measure.leaves))
    first, second = leaves(before), leaves(now)
    found = alike.surpluses(first, second, first.sum(axis=1), second.sum(axis=1))
    return found.reshape(len(measure.leaves), len(alike.aspects), len(before))


def test_all_of_it_is_by_its_rate_and_by_its_share() -> None:
    """Of 20/10 beside 60/40, then 60/15 beside 120/50. The rest has twice the one and 5/4 of the other, so that it were
    40/12.5 alike. As it has 6/5 of that, 48/15 would come of its share: 8/2.5 by the mix, and 12/0 by the rate.

    To the other, whose rest has three times the one and 3/2 of the other, 180/60 were alike: it has 5/6 of that.
    """
    every, rate, mix = np.moveaxis(surpluses("a/b", [[20, 10], [60, 40]], [[60, 15], [120, 50]]), 1, 0)
    assert every.T.tolist() == [[20, 2.5], [-60, -10]]
    assert rate.T.tolist() == pytest.approx(np.array([[12, 0], [-30, 0]]))
    assert mix.T.tolist() == pytest.approx(np.array([[8, 2.5], [-30, -10]]))


def test_what_of_the_whole_is_by_each() -> None:
    """Of 180/65: without all that is its own 160/62.5, without its rate's 168/65, without its share's 172/62.5."""
    found = surpluses("a/b", [[20, 10], [60, 40]], [[60, 15], [120, 50]])[:, :, 0]
    told = effect(Measure(parse("a/b")), np.array([180.0, 65]), found, NONE)
    assert told.tolist() == pytest.approx([180 / 65 - 160 / 62.5, 12 / 65, 180 / 65 - 172 / 62.5])


def test_who_is_new_or_gone_has_but_a_share() -> None:
    """Beside 60/40 that stay: 8/2 come up, 6/3 vanish."""
    every, rate, mix = np.moveaxis(surpluses("a/b", [[0, 0], [6, 3], [60, 40]], [[8, 2], [0, 0], [60, 40]]), 1, 0)
    assert rate[:, :2].tolist() == [[0, 0], [0, 0]]
    assert mix[:, :2].tolist() == every[:, :2].tolist()
    assert every[:, 0].tolist() == [8, 2]
    assert every[:, 1].tolist() == pytest.approx([-6 * 68 / 60, -3 * 42 / 40])


def test_whose_ratio_alone_changed_has_no_mix_and_whose_share_alone_did_no_rate() -> None:
    _, _, mix = np.moveaxis(surpluses("a/b", [[20, 10], [60, 40]], [[50, 10], [60, 40]]), 1, 0)
    assert mix[:, 0].tolist() == [0, 0]
    _, rate, _ = np.moveaxis(surpluses("a/b", [[20, 10], [60, 40]], [[60, 30], [60, 40]]), 1, 0)
    assert rate[:, 0].tolist() == pytest.approx([0, 0])


@given(st.lists(st.tuples(amounts, amounts, amounts, amounts), min_size=1, max_size=8))
def test_rate_and_mix_are_all_there_is(rows: list[tuple[int, int, int, int]]) -> None:
    """And a rate has none of the denominator."""
    every, rate, mix = np.moveaxis(surpluses("a/b", [row[:2] for row in rows], [row[2:] for row in rows]), 1, 0)
    scale = 1 + float(np.abs(every).max() + np.abs(mix).max())
    assert (rate + mix).ravel().tolist() == pytest.approx(every.ravel().tolist(), abs=1e-9 * scale)
    assert rate[1].tolist() == pytest.approx([0] * len(rows), abs=1e-9 * scale)


def test_of_a_sum_there_is_but_all_of_it() -> None:
    assert surpluses("hits", [[10], [20]], [[30], [20]]).tolist() == [[[20, -40]]]


@pytest.mark.parametrize(
    ("formula", "signed", "divisor"),
    [
        ("orders/visits", [False, False], 1),
        ("1 - 100*orders/visits", [False, False], 1),
        ("(sold - refunded)/visits", [False, True, False], 2),
        ("delay/trains", [True, False], 1),
        ("orders/change", [False, True], None),  # what may be negative is no weight
        ("orders/(visits + calls)", [False, False, False], None),
        ("orders/days", [False], None),
        ("orders/visits - returns/visits", [False, False, False], None),
    ],
)
def test_what_can_be_asked_of_rows(formula: str, signed: list[bool], divisor: int | None) -> None:
    alike = Alike.of(Measure(parse(formula)), signed)
    assert alike.divisor == divisor
    assert alike.aspects == (("all",) if divisor is None else ("all", "rate", "mix"))


# --- by as much


def test_minutes_too_late_by_as_much_for_each_train_everywhere() -> None:
    """-1 and 3 a train, of 10 trains each; both are 2 more, and there are twice as many trains."""
    signed = [True, False]
    found = excess("delay/trains", [[-10, 10], [30, 10]], [[20, 20], [100, 20]], signed)
    assert found.tolist() == [[0, 0], [0, 0]]


def test_minutes_too_late_on_one_line_only() -> None:
    """5 a train more of 10 trains: 50 of all 40 minutes now, on 30 trains. The rest did not change."""
    before, now = [[-10, 10], [0, 10], [0, 10]], [[40, 10], [0, 10], [0, 10]]
    assert excess("delay/trains", before, now, [True, False])[:, 0].tolist() == [50, 0]
    assert effects("delay/trains", before, now, [True, False])[0] == pytest.approx(50 / 30)
    # To the others, the rest is 2.5 a train worse: 25 on their 10.
    assert excess("delay/trains", before, now, [True, False])[:, 1].tolist() == [-25, 0]


@given(
    st.lists(st.tuples(st.integers(-1000, 1000), st.integers(1, 1000)), min_size=2, max_size=8),
    st.integers(-50, 50),
    st.integers(1, 9),
)
def test_as_much_more_for_each_is_alike(rows: list[tuple[int, int]], more: int, factor: int) -> None:
    now = [[(delay + more * trains) * factor, trains * factor] for delay, trains in rows]
    found = excess("delay/trains", rows, now, [True, False])
    assert found.ravel().tolist() == pytest.approx([0] * found.size, abs=1e-5)


def test_what_may_be_negative_and_is_divided_by_nothing_should_stay() -> None:
    assert effects("balance", [[-10], [20]], [[5], [30]], [True]) == [15, 10]


# --- what it is to be alike


@pytest.mark.parametrize(
    ("formula", "signed", "along"),
    [
        ("orders/visits", [False, False], (None, None)),
        ("delay/trains", [True, False], (1, None)),
        ("100*delay/trains", [True, False], (1, None)),
        ("(sold - refunded)/visits", [False, True, False], (None, 2, None)),
        ("delay", [True], (0,)),
        ("delay/days", [True], (0,)),
        ("delay/(trains + buses)", [True, False, False], (0, None, None)),
        ("delay/change", [True, True], (0, 1)),
        ("orders/change", [False, True], (None, 1)),
    ],
)
def test_what_a_metric_goes_along_with(formula: str, signed: list[bool], along: tuple[int | None, ...]) -> None:
    alike = Alike.of(Measure(parse(formula)), signed)
    assert alike.along == along
    assert alike.by_factors == (not any(signed))


def test_buckets_and_past_have_one_more_axis() -> None:
    """The same of each of two buckets as of either alone."""
    alike = Alike.of(Measure(parse("a/b")), [False, False])
    rng = np.random.default_rng(1)
    before, now = rng.integers(1, 50, (2, 2, 3)).astype(float), rng.integers(1, 50, (2, 2, 3)).astype(float)
    together = alike.excess(before, now, before.sum(axis=2), now.sum(axis=2))
    for bucket in range(2):
        alone = alike.excess(
            before[:, bucket], now[:, bucket], before[:, bucket].sum(axis=1), now[:, bucket].sum(axis=1)
        )
        assert together[:, bucket].tolist() == alone.tolist()
