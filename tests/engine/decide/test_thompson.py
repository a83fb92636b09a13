"""The sampler's judgement: against conjugate posteriors, by its laws, and by how often its intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from hailwhale_django.engine.decide.cells import EVERYBODY, Cell
from hailwhale_django.engine.decide.evidence import DD, ND, NY, YD, YY, D, Evidence, Fit, Floats, History, N, Y
from hailwhale_django.engine.decide.factors import Factor, factors
from hailwhale_django.engine.decide.mixture import Spreads, mixed
from hailwhale_django.engine.decide.nesting import nesting
from hailwhale_django.engine.decide.policies.thompson import Thompson
from hailwhale_django.engine.decide.spreading import nested, spread_of_cells

US, MOBILE = Cell("country", "country/US"), Cell("device", "device/mobile")
BOTH = Cell("country\x1fdevice", "country/US\x1fdevice/mobile")


def summed(y: Floats, d: Floats) -> Floats:
    """The eight sums of events along the last axis."""
    eight = np.zeros((*y.shape[:-1], 8))
    columns = {N: (y != 0) | (d != 0), Y: y, D: d, YY: y * y, DD: d * d, YD: y * d, NY: y != 0, ND: d != 0}
    for column, values in columns.items():
        eight[..., column] = values.sum(axis=-1)
    return eight


def visits(visitors: int, sold: int, each: float = 1.0) -> Floats:
    return summed(np.r_[np.full(sold, each), np.zeros(visitors - sold)], np.ones(visitors))


def alone(*options: Floats, minimize: bool = False) -> Evidence:
    return Evidence(
        tuple(f"option {at}" for at in range(len(options))), (EVERYBODY,), np.array(options)[:, None], minimize
    )


def test_a_ratio_is_odds_times_size_wherever_the_numerator_comes() -> None:
    together = visits(100, 5, 20.0)
    apart = summed(np.r_[np.zeros(100), np.full(5, 20.0)], np.r_[np.ones(100), np.zeros(5)])
    for sums in (together, apart):
        odds, size = factors(sums[None, None])
        assert odds.value == pytest.approx(0.05)
        assert size.value == pytest.approx(20.0)
    # A sale or none of a visitor is binomial, 1 - p; sales by themselves are Poisson, 1 + p with visitors.
    # Both with half an event more.
    assert factors(together[None, None])[0].noise == pytest.approx(0.95, abs=0.02)
    assert factors(apart[None, None])[0].noise == pytest.approx(1.05, abs=0.02)


def test_ratios_of_what_varies_together_have_the_noise_of_the_ratio() -> None:
    """Costs that are 3% of amounts to the cent: however the amounts scatter, the ratio does not."""
    amount = np.random.default_rng(1).lognormal(0, 1, (1, 2, 500))
    _, size = factors(summed(0.03 * amount, amount))
    assert size.noise < 1e-3
    assert size.value == pytest.approx(0.03)


def test_with_one_cell_it_is_the_conjugate_estimate() -> None:
    """Gamma(a, a) times a Poisson count of e expected: (a + y)/(a + e), of which the variance is its mean/(a + e)."""
    sums = np.array([visits(1_000_000, 50_000), visits(1_000_000, 50_000), visits(400, 30)])
    odds, _ = factors(sums[None])
    (found,) = mixed([odds], nesting((EVERYBODY,)), [Spreads(0.04, np.zeros(1), np.ones(1))])
    a, e = 25 / 0.95, 20 / 0.95
    level = float(odds.level[0])
    expected = (a + 30 / 20 * e * 0.05 / level) / (a + e) - (found.common[0] * e / (a + e))
    assert 1 + found.mean[2] == pytest.approx(expected, rel=0.02)


def test_a_cell_that_only_one_option_was_seen_in_says_nothing() -> None:
    """Its visitors buy more: that may be them, and need not be the option."""
    sums = np.array([[visits(1_000, 50), visits(500, 40)], [visits(1_000, 50), np.zeros(8)]])
    told = Thompson().judge(Evidence(("a", "b"), (EVERYBODY, US), sums), None)
    assert abs(told.best[0] - 0.5) < 0.08


def test_the_cell_decides_where_it_is_known_well() -> None:
    whole, there = [visits(20_000, 1_000), visits(20_000, 1_200)], [visits(5_000, 400), visits(5_000, 200)]
    told = Thompson().judge(Evidence(("a", "b"), (EVERYBODY, US), np.array([*zip(whole, there, strict=True)])), None)
    assert told.best[0] > 0.99
    assert told.mean == pytest.approx([0.08, 0.04], rel=0.15)
    assert told.weights[0, 1] > 1 > told.weights[1, 1]


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_units_do_not_matter(unit: float) -> None:
    one, other = (
        Thompson().judge(alone(visits(900, 40, each), visits(800, 50, each * 1.2)), None) for each in (1.0, unit)
    )
    assert other.best == pytest.approx(one.best, abs=1e-6)
    assert other.mean == pytest.approx(one.mean * unit, rel=1e-6)


def test_more_evidence_narrows_intervals() -> None:
    widths = []
    for times in (1, 4, 16):
        told = Thompson().judge(alone(visits(500, 30) * times, visits(500, 25) * times), None)
        widths.append(told.upper[0] - told.lower[0])
    assert widths[0] > widths[1] > widths[2]
    assert widths[1] / widths[2] == pytest.approx(2.0, rel=0.1)


def test_what_is_bad_is_good_where_it_is_minimised() -> None:
    rows = [visits(500, 30), visits(500, 25)]
    more, less = (Thompson().judge(alone(*rows, minimize=minimize), None) for minimize in (False, True))
    assert less.best == pytest.approx(1 - more.best, abs=1e-3)
    assert less.mean == pytest.approx(more.mean)


def test_profits_and_losses_are_weighed_as_they_are() -> None:
    rng = np.random.default_rng(3)
    rows = [summed(rng.normal(mean, 5, 400), np.ones(400)) for mean in (-1.0, 0.5)]
    told = Thompson().judge(alone(*rows), None)
    assert told.best[1] > 0.99
    assert (told.lower < told.mean).all()
    assert told.mean == pytest.approx([-1.0, 0.5], abs=0.6)


def test_cells_lie_in_each_other_as_their_paths_say() -> None:
    region = Cell("country/*", "country/US/CA")
    found = nesting((EVERYBODY, US, region, MOBILE, Cell("country", "country/USA")))
    assert found.within[2].tolist() == [1, 1, 1, 0, 0]
    assert found.within[:, 0].tolist() == [1, 1, 1, 1, 1]
    assert found.within[4].tolist() == [1, 0, 0, 0, 1]
    assert found.around == ((), (0,), (0, 1), (0,), (0,))
    assert found.inside[1, 2] == found.outside[2, 2] == 2
    assert found.outside[1, 2] == 1
    assert found.inside[1, 4] == 5, "nobody is in both"
    assert nesting((EVERYBODY, US, MOBILE, BOTH)).within[3].tolist() == [1, 1, 1, 1]


def test_pairs_of_cells_share_what_lies_in_them() -> None:
    """Those of US/mobile are in both; two pairs that have the country in common are independent within that."""
    plan = Cell("plan", "plan/free")
    pairs = [Cell("", f"{one.text}\x1f{other.text}") for one, other in ((US, MOBILE), (US, plan), (MOBILE, plan))]
    found = nesting((EVERYBODY, US, MOBILE, plan, *(pair._replace(level="pair") for pair in pairs)))
    assert found.inside[1, 2] == 4
    assert found.outside[4, 5] == 1


def test_cells_are_weighed_by_what_they_share() -> None:
    """Against the same model written down at length, one option at a time, and solved as one system."""
    cells, rng = (EVERYBODY, US, MOBILE, BOTH), np.random.default_rng(11)
    for _ in range(20):
        parts = rng.integers(20, 400, (3, 4))  # neither, US, mobile, both
        member = np.array([[1, 1, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 1]])
        visitors = parts @ member.T
        sums = np.array([[visits(int(n), int(n) // 10 + at) for n in row] for at, row in enumerate(visitors)])
        odds, _ = factors(sums.swapaxes(0, 1))
        spreads = Spreads(0.04, np.array([0.0, 0.02, 0.03, 0.01]), np.array([0.0, 0.5, 0.6, 0.3]))
        (found,) = mixed([odds], nesting(cells), [spreads])
        mean, common = _at_length(odds, spreads)
        assert found.common == pytest.approx(common, rel=1e-3, abs=1e-6)
        assert found.mean == pytest.approx(mean, rel=1e-3, abs=1e-6)


def _at_length(odds: Factor, spreads: Spreads) -> tuple[Floats, Floats]:
    """Generalised least squares of what is common to the options of each cell, then each option's prediction."""
    cells, options = odds.exposure.shape
    design, seen = np.tile(np.eye(cells), (options, 1)), odds.relative.T.ravel()
    covariance, target = np.zeros((options * cells, options * cells)), np.zeros((options, options * cells))
    for option, n in enumerate(odds.exposure.T):
        for a in range(cells):
            for b in range(cells):
                covariance[option * cells + a, option * cells + b] = sum(
                    spreads.cells[c] * _part(n, a, c) * _part(n, b, c)
                    + spreads.cells[c] * spreads.others[c] * (1 - _part(n, a, c)) * (1 - _part(n, b, c))
                    for c in range(1, cells)
                ) + (spreads.option + odds.noise * _part(n, a, b) / n[b])
            target[option, option * cells + a] = spreads.option + sum(
                spreads.cells[c] * _part(n, a, c) for c in range(1, cells)
            )
    precision = np.linalg.inv(covariance)
    common = np.linalg.solve(design.T @ precision @ design + np.eye(cells), design.T @ precision @ seen)
    moved = (target @ precision * (seen - design @ common)).reshape(options, options, cells).sum(axis=1)
    return (moved / np.maximum(1 + common, 0.1)).sum(axis=1), common


def _part(n: Floats, a: int, c: int) -> float:
    """The share of cell a's evidence that is of cell c, too; 0 is everybody, 3 US and mobile."""
    if a == c or 0 in (a, c) or 3 in (a, c):
        return float(min(n[a], n[c]) / n[a])
    return float(min(max(n[1] * n[2] / n[0], n[3]), n[1], n[2]) / n[a])


@pytest.mark.parametrize("deviation", [0.0, 0.4])
def test_interactions_are_learnt_from_many_cells(deviation: float) -> None:
    rng = np.random.default_rng(5)
    rates = 0.1 * np.exp(rng.normal(0, 0.3, (200, 1)) + rng.normal(0, deviation, (200, 3)))
    sold = rng.binomial(2_000, rates.clip(0, 1))
    table = np.array([[visits(2_000, int(one)) for one in row] for row in sold])
    odds, _ = factors(np.concatenate([table.sum(axis=0)[None], table]))
    assert spread_of_cells(odds) ** 0.5 == pytest.approx(max(deviation, 0.02), abs=0.06)


def test_a_level_s_spread_is_what_those_around_it_do_not_explain() -> None:
    found = nested({"country": 0.04, "device": 0.01, "country/*": 0.09, "country/*\x1fdevice": 0.12})
    assert found["country"] == 0.04
    assert found["country/*"] == pytest.approx(0.05)
    assert found["country/*\x1fdevice"] == pytest.approx(0.02)


@pytest.mark.parametrize("tail", [0.0, 1.0])
def test_intervals_hold_the_truth_as_often_as_they_say(tail: float) -> None:
    """Options drawn as assumed, with sizes that are all alike or heavy-tailed."""
    rng, held = np.random.default_rng(7), []
    for _ in range(60):
        truth = 0.1 * np.exp(rng.normal(0, 0.2, 6))
        size = 1 + 0.0 * truth
        sizes = rng.lognormal(-(tail**2) / 2, tail, (6, 1_500)) * size[:, None]
        y = (rng.random((6, 1_500)) < truth[:, None]) * sizes
        sums = summed(y, np.ones_like(y))
        history = History(tuple("abcdef"), {}, sums[None], np.full((1, 6), np.nan))
        told = Thompson().judge(alone(*sums), Thompson().fit(history))
        held.append((told.lower < truth) & (truth < told.upper))
    assert 0.84 <= np.mean(held) <= 0.97


def test_what_is_learnt_before_is_used() -> None:
    """Where options were found to be alike, a lucky one is not believed."""
    one = alone(visits(100, 12), visits(100, 4))
    alike = Fit("thompson", 1, 0, {"odds": {"option": 1e-4}, "size": {"option": 1e-4}})
    apart = Fit("thompson", 1, 0, {"odds": {"option": 1.0}, "size": {"option": 1e-4}})
    assert Thompson().judge(one, alike).best[0] < 0.6
    assert Thompson().judge(one, apart).best[0] > 0.95
