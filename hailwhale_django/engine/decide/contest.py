"""A contest of posteriors: how likely each option is the best, and what choosing it is expected to lose.

Each option's ratio has a gamma posterior, known by its mean and its relative variance q. The cube root of a gamma is
nearly normal, with mean 1 - q/9 and variance q/9 in units of the cube root of the gamma's mean (Wilson and Hilferty
1931, PNAS 17:684), good for shapes 1/q above a half or so. Where ratios may be negative, posteriors are normal.

P(best) is the integral of an option's density times the other options' distribution functions. It is computed, not
sampled, as a sum over a grid of quantiles of the leading options: the error is below one in a thousand, the same
input gives the same output, and it costs (options x `POINTS`) looks into a table of the normal distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import erf, sqrt
from statistics import NormalDist

import numpy as np

from .evidence import Floats

POINTS = 96
LEADERS = 12
"""Of so many options the quantiles make the grid: those that reach highest."""

_END, _STEPS = 8.0, 256
"""The table of the normal distribution ends so many deviations from 0, and has so many steps for each of them."""

_NORMAL = np.array(
    [0.5 * (1 + erf(at / _STEPS / sqrt(2))) for at in range(int(-_END) * _STEPS, int(_END) * _STEPS + 1)]
)
_SLOPE = np.append(np.diff(_NORMAL), 0.0)
_REACH = 2.0
Q90 = NormalDist().inv_cdf(0.95)


@dataclass(frozen=True, slots=True)
class Posterior:
    """Of each option: on a scale where it is normal, its centre and deviation; `power` leads back to ratios."""

    centre: Floats
    deviation: Floats
    power: int

    @classmethod
    def gamma(cls, mean: Floats, relative_variance: Floats) -> Posterior:
        root = np.cbrt(mean)
        q = np.maximum(relative_variance, 1e-12)
        return cls(root * (1 - np.minimum(q, 4.5) / 9), root * np.sqrt(q) / 3, 3)

    @classmethod
    def normal(cls, mean: Floats, variance: Floats) -> Posterior:
        return cls(mean, np.sqrt(np.maximum(variance, 1e-300)), 1)

    def quantile(self, deviations: float) -> Floats:
        """The ratio so many deviations above the centre."""
        return self._back(self.centre + deviations * self.deviation)

    def _back(self, x: Floats) -> Floats:
        return np.asarray(np.maximum(x, 0.0) ** 3 if self.power == 3 else x)


def normal_cdf(x: Floats) -> Floats:
    """By a table, linear in between; an even one needs no search, as `np.interp` would."""
    at = (np.minimum(np.maximum(x, -_END), _END) + _END) * _STEPS
    below = at.astype(np.intp)
    return np.asarray(_NORMAL[below] + (at - below) * _SLOPE[below])


def contest(posterior: Posterior, minimize: bool) -> tuple[Floats, float]:
    """The chance of being best of each option, and the mean of the best one's ratio, whichever that is."""
    sign = -1.0 if minimize else 1.0
    centre, deviation = sign * posterior.centre, np.maximum(posterior.deviation, 1e-12 * np.abs(posterior.centre).max())
    deviation = np.maximum(deviation, 1e-300)
    grid = _grid(centre, deviation)
    below = np.maximum(normal_cdf((grid - centre[:, None]) / deviation[:, None]), 1e-290)
    log = np.log(below)
    all_below = log.sum(axis=0)
    others = np.exp(all_below - log)
    best = ((below[:, 1:] - below[:, :-1]) * (others[:, 1:] + others[:, :-1])).sum(axis=1)
    highest = np.exp(all_below)
    points = posterior._back(sign * grid)
    mean = float(((highest[1:] - highest[:-1]) * (points[1:] + points[:-1])).sum() / 2)
    mean += float(points[0] * highest[0])
    return best / best.sum(), mean


def _grid(centre: Floats, deviation: Floats) -> Floats:
    """Quantiles of the leaders, from where the best one cannot well be below."""
    leaders = np.arange(len(centre))
    if len(centre) > LEADERS:
        leaders = np.argsort(-(centre + _REACH * deviation), kind="stable")[:LEADERS]
    count = max(POINTS // len(leaders), 8)
    points = (centre[leaders, None] + deviation[leaders, None] * _steps(count)).ravel()
    floor = float((centre - 6.0 * deviation).max())
    return np.sort(np.maximum(points, floor))


@lru_cache(maxsize=LEADERS)
def _steps(count: int) -> Floats:
    return np.linspace(-4.5, 4.5, count)
