"""Peers that see no more than each visitor's reward: simple rules, and linear models of the context."""

from __future__ import annotations

import numpy as np

from benchmarks.deciding.play import Visits
from benchmarks.deciding.world import Floats, Ints, World


class Uniform:
    """What everybody's regret is measured by."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        self.world, self.rng = world, rng

    def choose(self, visitors: Ints) -> Ints:
        return self.rng.integers(self.world.options, size=len(visitors))

    def visited(self, visits: Visits, now_y: Floats, now_d: Floats) -> None:
        """Nothing to learn."""

    def earned(self, visits: Visits, then_y: Floats, then_d: Floats) -> None:
        """Nothing to learn."""


def reward(world: World, y: Floats, d: Floats) -> Floats:
    """One number to be maximised, around 1: what peers can learn of a ratio.

    Of spent/earned the numerator is the same for all, so what is earned; of costs, by how much they fall short of those
    at the mean ratio, which is a gift: the mean of visitors' own ratios is not the ratio of the sums.
    """
    if world.kind == "cost":
        return np.asarray(d - y / world.ratios.mean())
    return np.asarray((d if world.kind == "spent" else y) / (world.chance * world.size).mean())


class Moments(Uniform):
    """Those without context: how often each option was shown, its sum of rewards and that of their squares."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        super().__init__(world, rng)
        self.n, self.sum, self.squares = np.zeros((3, world.options))

    def visited(self, visits: Visits, now_y: Floats, now_d: Floats) -> None:
        np.add.at(self.n, visits.options, 1)
        if self.world.kind == "spent":
            return
        self._reward(visits.options, reward(self.world, now_y, now_d))

    def earned(self, visits: Visits, then_y: Floats, then_d: Floats) -> None:
        self._reward(visits.options, reward(self.world, then_y, then_d))

    def _reward(self, options: Ints, rewards: Floats) -> None:
        np.add.at(self.sum, options, rewards)
        np.add.at(self.squares, options, rewards**2)

    @property
    def mean(self) -> Floats:
        return self.sum / np.maximum(self.n, 1)

    @property
    def variance(self) -> Floats:
        """Of one reward, pooled over options, as far as it is known."""
        pooled = (self.squares.sum() - (self.n * self.mean**2).sum()) / max(self.n.sum(), 1)
        return np.full(self.world.options, max(pooled, 1e-6))


class Greedy(Moments):
    epsilon = 0.0

    def choose(self, visitors: Ints) -> Ints:
        if not self.sum.any():
            return super().choose(visitors)
        best = int(np.where(self.n > 0, self.mean, np.inf).argmax())
        explore = self.rng.random(len(visitors)) < self.epsilon
        return np.where(explore, super().choose(visitors), best)


class EpsilonGreedy(Greedy):
    epsilon = 0.05


class UCB1(Moments):
    """With the rewards' own variance in place of its bound of 1/4, which none of these would come near."""

    def choose(self, visitors: Ints) -> Ints:
        n, chosen = self.n.copy(), np.zeros(len(visitors), dtype=np.int64)
        for at in range(len(visitors)):
            bonus = np.sqrt(2 * np.log(max(n.sum(), 2)) * self.variance / np.maximum(n, 1e-9))
            chosen[at] = (self.mean + np.where(n > 0, bonus, np.inf)).argmax()
            n[chosen[at]] += 1
        return chosen


class ContextFree(Moments):
    """Thompson sampling from normal posteriors of the means."""

    def choose(self, visitors: Ints) -> Ints:
        deviation = np.sqrt(self.variance / np.maximum(self.n, 1))
        if not self.sum.any():
            return super().choose(visitors)
        drawn = self.mean + deviation * self.rng.normal(size=(len(visitors), self.world.options))
        return np.asarray(drawn.argmax(axis=1))


class Linear(Moments):
    """A ridge regression of the reward for each option, in units of the reward's deviation."""

    alpha = 0.5

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        super().__init__(world, rng)
        size = world.features.shape[1]
        self.precision = np.tile(np.eye(size), (world.options, 1, 1))
        self.target = np.zeros((world.options, size))

    def visited(self, visits: Visits, now_y: Floats, now_d: Floats) -> None:
        features = self._features(visits.visitors)
        np.add.at(self.precision, visits.options, features[:, :, None] * features[:, None, :])
        super().visited(visits, now_y, now_d)
        if self.world.kind != "spent":
            np.add.at(self.target, visits.options, features * reward(self.world, now_y, now_d)[:, None])

    def earned(self, visits: Visits, then_y: Floats, then_d: Floats) -> None:
        super().earned(visits, then_y, then_d)
        worth = reward(self.world, then_y, then_d)
        np.add.at(self.target, visits.options, self._features(visits.visitors) * worth[:, None])

    def _features(self, visitors: Ints) -> Floats:
        return self.world.features[self.world.context[visitors]]

    def _believed(self) -> tuple[Floats, Floats]:
        """Coefficients [option, feature] and their covariance [option, feature, feature]."""
        unsure = np.linalg.inv(self.precision)
        return np.einsum("oab,ob->oa", unsure, self.target), unsure * self.variance[0]


class LinUCB(Linear):
    def choose(self, visitors: Ints) -> Ints:
        if not self.sum.any():
            return self.rng.integers(self.world.options, size=len(visitors))
        mean, unsure = self._believed()
        features = self._features(visitors)
        width = np.sqrt(np.einsum("vf,ofg,vg->vo", features, unsure, features))
        return np.asarray((features @ mean.T + self.alpha * width).argmax(axis=1))


class LinTS(Linear):
    def choose(self, visitors: Ints) -> Ints:
        if not self.sum.any():
            return self.rng.integers(self.world.options, size=len(visitors))
        mean, unsure = self._believed()
        root = np.linalg.cholesky(unsure)
        features = self._features(visitors)
        normal = self.rng.normal(size=(len(visitors), *mean.shape))
        drawn = mean + self.alpha * np.einsum("ofg,vog->vof", root, normal)
        return np.asarray(np.einsum("vf,vof->vo", features, drawn).argmax(axis=1))
