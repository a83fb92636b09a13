"""Is it worth to go on? What stopping now is expected to cost, and what there may still be to gain.

- The expected loss of an option: by how much the best option's ratio is expected to be better than its own.
- The value remaining: by how much, in shares of the leader's ratio, the best option may still be better than the
  leader, as the 95th percentile of that. An experiment may be stopped once it is below a share that does not matter to
  the business, 1% by default (Scott, Applied Stochastic Models in Business and Industry 2015; Google Analytics content
  experiments).

Posteriors are taken for independent, and log-normal where all are positive, else normal; each is known by its mean and
an interval. Nothing is drawn: both numbers are integrals over products of distribution functions, to some three
digits, so the same posteriors give the same answer. Cost: some 5 ms for ten options; of many, only the
`MOST_CONTENDERS` that reach highest count for the best.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidInput
from .evidence import Floats

Ints: TypeAlias = NDArray[np.int64]

LEVEL = 0.9
"""Of the posterior intervals that a `Judgement` has."""

PERCENTILE = 0.95
WORTHWHILE = 0.01
MOST_CONTENDERS = 20
QUANTILES = np.array([NormalDist().inv_cdf((at + 0.5) / 400) for at in range(400)])
"""Where a standard normal is looked at: the middles of 400 slices of the same probability."""
NODES = np.concatenate(
    [np.linspace(-8, QUANTILES[0], 60, endpoint=False), QUANTILES, -np.linspace(QUANTILES[0], -8, 60)]
)
HALVINGS = 40
CERTAIN = 1e-9  # the least spread: what has none still has a distribution function


@dataclass(frozen=True, slots=True)
class Remaining:
    """The leader, each option's expected `loss` if it were chosen for good, and the `value` remaining.

    `chance`: that the leader is the best. `value` is a share of the leader's ratio; nan where that is 0.
    """

    options: tuple[str, ...]
    leader: str
    chance: float
    loss: tuple[float, ...]
    value: float
    worthwhile: float = WORTHWHILE

    @property
    def may_stop(self) -> bool:
        return self.value < self.worthwhile

    @property
    def words(self) -> str:
        if self.value == 0:
            return f"Nothing is left to find out: {self.leader} is almost certainly the best."
        if math.isnan(self.value):
            return "What is left to be gained cannot be told as a share: the leader's ratio may be 0."
        gain = f"the best option may still be up to {self.value:.1%} better than {self.leader}"
        return f"You may stop: {gain}, not more." if self.may_stop else f"It is worth going on: {gain}."


def remaining(
    options: Sequence[str],
    mean: Floats,
    lower: Floats,
    upper: Floats,
    *,
    level: float = LEVEL,
    minimize: bool = False,
    worthwhile: float = WORTHWHILE,
) -> Remaining:
    """Of options' posteriors, known by their means and the ends of their intervals."""
    mean, lower, upper = (np.asarray(of, dtype=np.float64) for of in (mean, lower, upper))
    _check(options, mean, lower, upper)
    positive = bool((lower > 0).all() and (mean > 0).all())
    centre, spread = _normal(mean, lower, upper, level, positive)
    if minimize:
        centre = -centre
    best = int(np.argmax(-mean if minimize else mean))
    reach = np.argsort(-(centre + 3 * spread), kind="stable")
    rivals = np.array([one for one in reach[:MOST_CONTENDERS] if one != best], dtype=np.int64)
    gain = _largest_gain(centre, spread, best, rivals)
    return Remaining(
        tuple(options),
        options[best],
        _chance(centre, spread, best, rivals, 0.0),
        tuple(_losses(mean, centre, spread, [best, *rivals], positive, minimize)),
        _share(gain, float(mean[best]), positive, minimize),
        worthwhile,
    )


def _normal(mean: Floats, lower: Floats, upper: Floats, level: float, positive: bool) -> tuple[Floats, Floats]:
    """Centres and spreads of the normal distributions of ratios, or of their logarithms, with these means."""
    errors = 2 * NormalDist().inv_cdf((1 + level) / 2)
    if not positive:
        return mean, np.maximum((upper - lower) / errors, CERTAIN * (np.abs(mean).max() or 1.0))
    spread = np.maximum(np.log(upper / lower) / errors, CERTAIN)
    return np.log(mean) - spread**2 / 2, spread


def _chance(centre: Floats, spread: Floats, best: int, rivals: Ints, gain: float) -> float:
    """That no rival is better than the leader by more than the gain: over the leader's own slices."""
    where = centre[best] + spread[best] * QUANTILES + gain
    return float(_all_below(where, centre[rivals], spread[rivals]).mean())


def _all_below(where: Floats, centre: Floats, spread: Floats) -> Floats:
    return np.asarray(normal_below((where[:, None] - centre) / spread).prod(axis=1))


def _largest_gain(centre: Floats, spread: Floats, best: int, rivals: Ints) -> float:
    """The percentile of how far the best rival is above the leader, on the scale of the normals; 0 if it is not."""
    if _chance(centre, spread, best, rivals, 0.0) >= PERCENTILE:
        return 0.0
    low, high = 0.0, float((centre[rivals] - centre[best] + 8 * (spread[rivals] + spread[best])).max())
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _chance(centre, spread, best, rivals, middle) < PERCENTILE:
            low = middle
        else:
            high = middle
    return high


def _share(gain: float, leading: float, positive: bool, minimize: bool) -> float:
    if positive:
        return -math.expm1(-gain) if minimize else math.expm1(gain)
    return gain / abs(leading) if leading else math.nan if gain else 0.0


def _losses(
    mean: Floats, centre: Floats, spread: Floats, contenders: list[int], positive: bool, minimize: bool
) -> list[float]:
    """The expected best minus each mean, turned so that a loss is positive."""
    centre, spread = centre[contenders], spread[contenders]
    where = np.unique((centre + spread * NODES[:, None]).ravel())
    below = _all_below(where, centre, spread)
    sign = -1.0 if minimize else 1.0
    worth = np.exp(sign * where) if positive else sign * where
    slices = np.diff(below, prepend=0.0)
    middles = np.concatenate([worth[:1], (worth[1:] + worth[:-1]) / 2])
    best = float((slices * middles).sum() / below[-1])
    return [max(sign * (best - one), 0.0) for one in mean.tolist()]


def normal_below(standard: Floats) -> Floats:
    """The standard normal's distribution function, to seven digits (Abramowitz and Stegun 26.2.17)."""
    size = np.minimum(np.abs(standard), 40)
    t = 1 / (1 + 0.2316419 * size)
    series = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    above = np.exp(-(size**2) / 2) / math.sqrt(2 * math.pi) * series
    return np.where(standard > 0, 1 - above, above)


def _check(options: Sequence[str], mean: Floats, lower: Floats, upper: Floats) -> None:
    if len(options) < 2:
        raise InvalidInput("options", list(options), "there is nothing to find out about fewer than two")
    if not len(options) == len(mean) == len(lower) == len(upper):
        raise InvalidInput("mean", mean.shape, f"one number for each of the {len(options)} options")
    if not (np.isfinite(mean) & (lower <= upper)).all():
        raise InvalidInput("mean", mean.tolist(), "finite means, each with an interval whose ends are in order")
