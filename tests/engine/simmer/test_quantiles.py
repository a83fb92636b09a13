"""Percentiles, against sorting: an upper bound within the stated error, whatever the distribution and the split."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.errors import TooLarge
from hailwhale_django.engine.simmer.quantiles import Percentile
from hailwhale_django.engine.simmer.tally import AS_THEY_ARE, MOST_CELLS, MOST_VALUES, Tally, cells_of, edges

Draw = Callable[[np.random.Generator, int], np.ndarray]
DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(0, 1, n),
    "lognormal": lambda rng, n: rng.lognormal(3, 2, n),
    "pareto": lambda rng, n: rng.pareto(1.1, n),
    "two modes": lambda rng, n: np.where(rng.random(n) < 0.3, rng.normal(10, 1, n), rng.normal(-1000, 5, n)),
    "whole numbers": lambda rng, n: rng.integers(-3000, 3000, n),
    "milliseconds": lambda rng, n: np.round(rng.gamma(2, 40, n), 1),
    "tiny": lambda rng, n: rng.exponential(1e-7, n),
    "large": lambda rng, n: 2.0 ** rng.uniform(32, 60, n),
    "all of a double": lambda rng, n: 10 ** rng.uniform(-300, 308, n) * rng.choice([-1, 1], n),
}
LEVELS = {"all of a double": 7}
PERCENTAGES = [0, 1, 5, 25, 50, 75, 90, 95, 99, 100]


def nearest_rank(values: list[float], percent: int) -> float:
    return sorted(values)[max(1, -(-len(values) * percent // 100)) - 1]


def excess_allowed(state: Tally, true: float) -> float:
    if state.level == AS_THEY_ARE:
        return 2.0**-16
    return (1.01 ** (2**state.level) - 1) * abs(true) * (1 + 1e-12) + 2.0**-15


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("count", [1, 2, 512, 513, 20_000])
@pytest.mark.parametrize("parts", [1, 7])
def test_what_is_told_is_an_upper_bound_within_the_stated_error(distribution: str, count: int, parts: int) -> None:
    values = DISTRIBUTIONS[distribution](np.random.default_rng(count), count).astype(float).tolist()
    state = merged([values[part::parts] for part in range(min(parts, count))])
    assert state.level <= LEVELS.get(distribution, 0)
    for percent in PERCENTAGES:
        told, true = Percentile(percent).measure(state), nearest_rank(values, percent)
        assert 0 <= told - true <= excess_allowed(state, true), percent


def merged(parts: list[list[float]]) -> Tally:
    found = Percentile()
    states = [found.prepare(list(map(repr, part))) for part in parts]
    while len(states) > 1:
        states.append(found.merge(states.pop(0), states.pop(0)))
    return states[0]


@given(
    spread=st.sampled_from([1, 6, 30, 300]),
    count=st.integers(400, 6000),
    cuts=st.lists(st.integers(1, 5999), max_size=4),
    seed=st.integers(0, 2**32),
)
def test_a_state_depends_on_the_values_alone(spread: int, count: int, cuts: list[int], seed: int) -> None:
    """Around the thresholds, and beyond: the same level, the same cells, the same counts."""
    rng = np.random.default_rng(seed)
    values = (10 ** rng.uniform(-spread, spread, count) * rng.choice([-1, 1], count)).tolist()
    parts = [part.tolist() for part in np.split(values, sorted(cut for cut in cuts if cut < count))]
    one, other = merged([values]), merged([part for part in parts if part])
    assert one.level == other.level
    assert one.keys.tolist() == other.keys.tolist()
    assert one.counts.tolist() == other.counts.tolist()
    assert one.total == count


@pytest.mark.parametrize(
    ("recipe", "values", "told"),
    [
        (50, ["2", "4", "4", "100"], "4.0000152587890625"),
        (50, ["1", "2", "3"], "2.0000152587890625"),
        (95, [str(n) for n in range(1, 101)], "95.00001525878906"),
        (0, ["7", "3"], "3.0000152587890625"),
        (100, ["7", "3"], "7.0000152587890625"),
        (50, ["-2.5"], "-2.4999847412109375"),
        (50, ["0"], "0.0000152587890625"),
        (50, ["1e300"], "1e+300"),
    ],
)
def test_by_hand(recipe: int, values: list[str], told: str) -> None:
    """The first is the README's."""
    found = Percentile(recipe)
    assert float(found.present(found.prepare(values))) == float(told)
    assert found.present(found.prepare(values)) == repr(float(told))


def test_one_state_answers_any_percentage() -> None:
    state = Percentile(50).prepare([str(n) for n in range(1, 101)])
    assert {Percentile(p).kind for p in (1, 50, 99)} == {"pct"}
    assert [round(Percentile(p).measure(state)) for p in (1, 50, 99)] == [1, 50, 99]


def test_the_ends_of_what_doubles_hold() -> None:
    """Enough to leave values as they are: the outermost cells end at the largest double."""
    values = [sys.float_info.max, -sys.float_info.max, 5e-324, -5e-324, 0.0, -0.0, *map(float, range(600))]
    state = merged([values])
    assert Percentile(100).measure(state) == sys.float_info.max
    assert -sys.float_info.max <= Percentile(0).measure(state) <= -sys.float_info.max / 1.02


def test_edges_are_one_percent_apart_up_to_the_largest_double() -> None:
    found = edges()
    assert (found[0], found[-1]) == (2.0**-16, sys.float_info.max)
    assert (np.abs(found[1:-1] / found[:-2] - 1.01) < 1e-12).all()
    assert 1 < found[-1] / found[-2] <= 1.01


def test_a_cell_ends_with_its_edge() -> None:
    found = edges()
    sizes = np.concatenate((found, np.nextafter(found, 0), np.nextafter(found[:-1], np.inf), [5e-324]))
    assert (cells_of(sizes) == np.searchsorted(found, sizes, "left")).all()
    both = np.append(-sizes, [0.0, 1.0])
    assert (cells_of(both)[: len(sizes)] == -np.searchsorted(found, sizes, "right")).all()
    assert cells_of(both)[-2] == 0


def test_what_it_takes() -> None:
    found = Percentile()
    assert len(found.dump(found.prepare(["87"]))) == 13
    few = found.prepare([str(n / 7) for n in range(MOST_VALUES)])
    assert len(found.dump(few)) == 9 * MOST_VALUES + 6
    assert few.keys.nbytes + few.counts.nbytes == 8 << 10
    wide = found.prepare(list(map(repr, (10 ** np.random.default_rng(1).uniform(-4, 4.8, 200_000)).tolist())))
    assert (wide.level, MOST_CELLS * 0.9 < len(wide.keys) <= MOST_CELLS) == (0, True)
    assert len(found.dump(wide)) <= 3 * MOST_CELLS + 16
    assert wide.keys.nbytes + wide.counts.nbytes <= 32 << 10


def test_more_values_than_can_be_counted_are_refused() -> None:
    huge = Tally(AS_THEY_ARE, np.array([1.0]), np.array([2**62]))
    with pytest.raises(TooLarge, match="4,611,686,018,427,387,904"):
        Percentile().merge(huge, Percentile().prepare(["1"]))
