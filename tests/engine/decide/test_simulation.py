"""The simulated worlds: fair to all players, and won by who learns."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.deciding.environments import ENVIRONMENTS, world
from benchmarks.deciding.peers import Uniform
from benchmarks.deciding.play import play
from benchmarks.deciding.players import ENGINE, OURS
from benchmarks.deciding.whale import EnginePlayer
from hailwhale_django.engine.decide.policies.thompson import Thompson


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_world_is_what_its_seed_says(name: str) -> None:
    one, same, other = world(name, 1, 500), world(name, 1, 500), world(name, 2, 500)
    assert np.array_equal(one.ratios, same.ratios)
    assert np.array_equal(one.context, same.context)
    assert not np.array_equal(one.context, other.context)
    assert (one.shortfall.min(axis=2) == 0).all()
    assert (one.shortfall >= 0).all()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_what_comes_is_on_the_whole_what_is_true(name: str) -> None:
    """The ratio of the sums of 20,000 visitors, all shown the first option, is that of their true means."""
    drawn = world(name, 3)
    every = np.arange(drawn.visitors)
    told = drawn.outcome(every, np.zeros(drawn.visitors, dtype=np.int64))
    found = (told.now_y + told.then_y).sum() / (told.now_d + told.then_d).sum()
    true = drawn.ratios[drawn.phase(every), drawn.context, 0]
    expected = 1 / (1 / true).mean() if drawn.kind == "spent" else true.mean()
    assert found == pytest.approx(expected, rel=0.12)


def test_nothing_is_lost_between_visits_and_memory() -> None:
    drawn = world("delayed", 4, 2_000)
    player = EnginePlayer(Thompson(), drawn, np.random.default_rng(1))
    play(drawn, player)
    whole = player.memory.sums.sum(axis=(0, 1, 2))
    assert whole[2] == 2_000  # denominators: one each
    assert whole[6] == whole[0] - 2_000  # sales are events of their own


def test_the_sampler_finds_the_best_sooner_than_chance() -> None:
    drawn = world("three_gaps", 5, 6_000)
    ours = play(drawn, ENGINE[OURS](drawn, np.random.default_rng(1)))
    uniform = play(drawn, Uniform(drawn, np.random.default_rng(1)))
    assert ours.regret.sum() < 0.9 * uniform.regret.sum()
    again = play(drawn, ENGINE[OURS](drawn, np.random.default_rng(1)))
    assert np.array_equal(ours.regret, again.regret)
