"""Peers from libraries: MABWiser's contextual policies and Vowpal Wabbit's `cb_explore_adf`.

Both learn from visits whose reward is settled: where sales come days later, after `WINDOW` days, with what has come.
"""

from __future__ import annotations

import warnings
from collections import deque
from typing import Any

import numpy as np

from benchmarks.deciding.peers import Uniform, reward
from benchmarks.deciding.play import Maker, Visits
from benchmarks.deciding.world import Floats, Ints, World

WINDOW = 5.0
"""Days; nine of ten of the sales that come after two days on average are then there."""


class Settled(Uniform):
    """Collects rewards until they are settled, then learns them."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        super().__init__(world, rng)
        self.rewards = np.zeros(world.visitors)
        self.waiting: deque[Visits] = deque()
        self.window = round(WINDOW * world.visitors / world.days) if world.delays.any() else 0

    def visited(self, visits: Visits, now_y: Floats, now_d: Floats) -> None:
        if self.world.kind != "spent":
            self.rewards[visits.visitors] = reward(self.world, now_y, now_d)
        self.waiting.append(visits)

    def earned(self, visits: Visits, then_y: Floats, then_d: Floats) -> None:
        self.rewards[visits.visitors] += reward(self.world, then_y, then_d)

    def settle(self, now: int) -> None:
        """Learn what is settled before a visitor comes."""
        while self.waiting and self.waiting[0].visitors[-1] + self.window < now:
            visits = self.waiting.popleft()
            self.learn(visits, self.rewards[visits.visitors])

    def learn(self, visits: Visits, rewards: Floats) -> None:
        raise NotImplementedError


class VowpalWabbit(Settled):
    """One shared example of the context's cells and one per option, with their interactions."""

    arguments = ""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        import vowpalwabbit

        super().__init__(world, rng)
        seed = int(rng.integers(2**31))
        self.model = vowpalwabbit.Workspace(
            f"--cb_explore_adf --quiet --interactions CO --random_seed {seed} {self.arguments}"
        )
        cells = [" ".join(cell.text.replace("/", "_").replace("\x1f", "+") for cell in of[1:]) for of in world.cells]
        self.shared = [f"shared |C {text}" for text in cells]
        self.actions = [f"|O o{option}" for option in range(world.options)]
        self.shares = np.zeros((world.visitors, world.options), dtype=np.float32)
        # Costs of some tenths, as the learning rate expects; the smallest possible reward costs nothing.
        self.scale = 0.05

    def choose(self, visitors: Ints) -> Ints:
        self.settle(int(visitors[0]))
        contexts = self.world.context[visitors]
        shares = {int(context): self._shares(int(context)) for context in np.unique(contexts)}
        self.shares[visitors] = [shares[int(context)] for context in contexts]
        return np.array([self.rng.choice(self.world.options, p=shares[int(context)]) for context in contexts])

    def _shares(self, context: int) -> Floats:
        told = np.asarray(self.model.predict([self.shared[context], *self.actions]), dtype=np.float64)
        return np.asarray(told / told.sum())

    def learn(self, visits: Visits, rewards: Floats) -> None:
        for visitor, option, worth in zip(visits.visitors, visits.options, rewards, strict=True):
            share = max(float(self.shares[visitor, option]), 1e-4)
            lines = [self.shared[self.world.context[visitor]], *self.actions]
            lines[1 + option] = f"{option}:{-worth * self.scale}:{share} {self.actions[option]}"
            self.model.learn(lines)


class SquareCB(VowpalWabbit):
    arguments = "--squarecb --gamma_scale 100"


class Bag(VowpalWabbit):
    arguments = "--bag 5 --epsilon 0.02"


class Cover(VowpalWabbit):
    arguments = "--cover 3"


class MABWiser(Settled):
    """A policy of MABWiser's, fitted batch by batch."""

    def __init__(self, world: World, rng: np.random.Generator, policies: tuple[Any, ...]) -> None:
        from mabwiser.mab import MAB

        super().__init__(world, rng)
        self.mab = MAB(list(range(world.options)), *policies, seed=int(rng.integers(2**31)))
        self.is_fitted = False

    def choose(self, visitors: Ints) -> Ints:
        self.settle(int(visitors[0]))
        if not self.is_fitted:
            return super().choose(visitors)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            told = self.mab.predict(self.world.features[self.world.context[visitors]])
        return np.atleast_1d(np.asarray(told, dtype=np.int64))

    def learn(self, visits: Visits, rewards: Floats) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            teach = self.mab.partial_fit if self.is_fitted else self.mab.fit
            teach(visits.options, rewards / 5, self.world.features[self.world.context[visits.visitors]])
        self.is_fitted = True


def mabwiser(kind: str) -> Maker:
    """A maker of one of its policies by name."""

    def make(world: World, rng: np.random.Generator) -> MABWiser:
        from mabwiser.mab import LearningPolicy as Learning

        policies = {
            "LinUCB": lambda: (Learning.LinUCB(alpha=0.5),),
            "LinTS": lambda: (Learning.LinTS(alpha=0.5),),
        }
        return MABWiser(world, rng, policies[kind]())

    return make
