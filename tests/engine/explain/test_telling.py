"""What is told of a row: its values, and how much it weighs, by hand."""

from __future__ import annotations

import numpy as np

from hailwhale_django.engine.domain.formula import parse
from hailwhale_django.engine.domain.paths import ROOT, Path
from hailwhale_django.engine.explain.explanation import Part
from hailwhale_django.engine.explain.inquiry import Inquiry
from hailwhale_django.engine.explain.measure import Measure
from hailwhale_django.engine.explain.region import Region
from hailwhale_django.engine.explain.telling import Telling

Rows = list[list[float]]


def told(formula: str, before: Rows, now: Rows, *shared: list[float]) -> list[Part]:
    """Of rows that are all there is, each with its leaves."""
    sides = [np.array(rows, dtype=np.float64).T for rows in (before, now)]
    of_all = [np.array(side) for side in shared or ([], [])]
    inquiry = Inquiry(Region(ROOT), Measure(parse(formula)), *(side.sum(axis=1) for side in sides), *of_all)
    regions = [Region(Path(("x", str(at)))) for at in range(len(before))]
    return Telling(inquiry).parts(regions, *sides)


def test_rows_of_a_sum_weigh_by_it() -> None:
    found = told("visits", [[10], [30]], [[20], [5]])
    assert [(one.before, one.now) for one in found] == [(10, 20), (30, 5)]
    assert [(one.weight_before, one.weight) for one in found] == [(10 / 40, 20 / 25), (30 / 40, 5 / 25)]


def test_rows_of_a_ratio_weigh_by_what_it_divides_by_wherever_it_stands() -> None:
    for formula in ("orders/visits", "100*(orders/visits)", "1 - orders/visits", "-(orders/visits)"):
        found = told(formula, [[1, 10], [2, 30]], [[3, 20], [4, 5]])
        assert [(one.weight_before, one.weight) for one in found] == [(10 / 40, 20 / 25), (30 / 40, 5 / 25)]


def test_a_weight_before_is_as_of_what_was_shared_then() -> None:
    """Visits and the 10 of all, of 10 and 10 before; and of 20 now."""
    found = told("a/(b + b@_)", [[1, 4], [2, 6]], [[1, 8], [2, 12]], [10], [20])
    assert [one.weight for one in found] == [28 / 40, 32 / 40]
    assert [one.weight_before for one in found] == [14 / 20, 16 / 20]


def test_of_what_was_not_there_no_value_is_known() -> None:
    (new, gone) = told("orders/visits", [[0, 0], [1, 4]], [[1, 2], [0, 0]])
    assert (new.before, new.now, new.weight_before, new.weight) == (None, 1 / 2, 0, 1)
    assert (gone.before, gone.now, gone.weight_before, gone.weight) == (1 / 4, None, 1, 0)


def test_of_a_whole_that_is_nothing_there_is_no_weight() -> None:
    found = told("balance", [[10], [-10]], [[20], [-5]])
    assert [one.weight_before for one in found] == [None, None]
    assert [one.weight for one in found] == [20 / 15, -5 / 15]
