"""Changes are noticed on the day, and only where there was one."""

from __future__ import annotations

import numpy as np
import pytest

from hailwhale_django.engine.decide.change import first_day
from hailwhale_django.engine.decide.evidence import DD, ND, NY, YD, YY, D, Floats, History, N, Y

SALES, DAYS = 0.06, 40


def history(rates: Floats, visitors: Floats, told: Floats, seed: int = 1) -> History:
    """Visitors who buy for 1 or do not: rates[day, option]; what was told of them."""
    sold = np.random.default_rng(seed).binomial(visitors.astype(int), rates).astype(float)
    days = np.zeros((*sold.shape, 8))
    for column in (N, D, DD, ND):
        days[..., column] = visitors
    for column in (Y, YY, YD, NY):
        days[..., column] = sold
    return History(("a", "b"), {}, days, told * visitors)


def steady(value: float) -> Floats:
    return np.full((DAYS, 2), value)


@pytest.mark.parametrize("seed", range(30))
def test_nothing_is_noticed_where_nothing_changes(seed: int) -> None:
    assert first_day(history(steady(SALES), steady(200), steady(SALES), seed)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_leader_that_falls_to_a_third_is_noticed_on_the_day(seed: int) -> None:
    rates = steady(SALES)
    rates[25:, 0] = SALES / 3
    told = np.roll(rates, 4, axis=0)
    told[:4] = SALES
    visitors = np.tile([380.0, 20.0], (DAYS, 1))
    assert abs(first_day(history(rates, visitors, told, seed)) - 25) <= 1


def test_a_change_is_remembered_when_predictions_have_followed_it() -> None:
    rates, told = steady(SALES), steady(SALES)
    rates[15:, 0] = told[18:, 0] = SALES / 4
    assert abs(first_day(history(rates, steady(300), told)) - 15) <= 1


def test_other_visitors_are_no_change() -> None:
    """The option's ratio halves as it is shown to those who buy less, which was told beforehand."""
    rates = steady(SALES)
    rates[20:] = SALES / 2
    assert first_day(history(rates, steady(300), rates)) == 0


def test_days_that_are_good_or_bad_for_all_are_no_change() -> None:
    week = np.tile([0.5, 0.7, 1.0, 1.0, 1.2, 1.6, 1.0], DAYS)[:DAYS, None]
    assert first_day(history(steady(SALES) * week, steady(300), steady(SALES))) == 0


def test_where_nothing_was_predicted_nothing_is_noticed() -> None:
    rates = steady(SALES)
    rates[25:, 0] = SALES / 3
    assert first_day(history(rates, steady(300), steady(np.nan))) == 0
    assert first_day(History(("a", "b"), {}, np.zeros((0, 2, 8)), np.zeros((0, 2)))) == 0


def test_sales_that_come_days_later_are_no_change() -> None:
    """All visitors of an option come at once, their sales over the following days as events of their own."""
    visitors = np.zeros((DAYS, 2))
    visitors[:, 0], visitors[18:, 1] = 200, 400
    sold = np.vstack([np.zeros((3, 2)), (visitors * SALES)[:-3]])
    days = np.zeros((DAYS, 2, 8))
    days[..., N] = visitors + sold
    for column in (D, DD, ND):
        days[..., column] = visitors
    for column in (Y, YY, NY):
        days[..., column] = sold
    assert first_day(History(("a", "b"), {}, days, visitors * SALES)) == 0
