"""How a shop's days differ though nothing happened: weekdays, growth, shocks to all, slow drifts of every child.

What is expected comes apart from what is counted, so that a cause can be put in between.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.explaining.segments import Random, Segments
from benchmarks.explaining.world import Floats

DRIFTING = (("region", "country"), ("campaign", "source"), ("browser", "plan"), ("page", "device"))
"""Levels whose children drift, in pairs; one look-up by segment and day serves both of a pair."""
KEPT = 0.85
"""Of a drift, from one day to the next."""


@dataclass(frozen=True)
class Season:
    """`visits[segment, day]` that are expected, and the `conversion` and `price` of their orders, of that shape too."""

    visits: Floats
    conversion: Floats
    price: Floats
    uneven: float

    def days(self, which: slice) -> Season:
        return Season(self.visits[:, which], self.conversion[:, which], self.price[:, which], self.uneven)

    def sums(self) -> Floats:
        """What is expected over all these days, `[metric, segment]`."""
        orders = self.visits * self.conversion
        return np.array([self.visits.sum(axis=1), orders.sum(axis=1), (orders * self.price).sum(axis=1)])

    def counts(self, rng: Random) -> Floats:
        """What is counted, `[metric, segment, day]`: negative-binomial-like visits, binomial orders, gamma revenue.

        A Poisson number of visits of which each orders by chance is two independent Poisson numbers, which is quicker.
        """
        found = np.empty((3, *self.visits.shape))
        visits, orders, revenue = found
        rng.standard_normal(out=visits)
        visits *= self.uneven
        np.exp(visits, out=visits)
        visits *= self.visits * np.exp(-(self.uneven**2) / 2)
        expected = visits * self.conversion
        orders[...] = rng.poisson(expected)
        visits -= expected
        visits[...] = rng.poisson(visits)
        visits += orders
        sold = orders > 0
        revenue[...] = 0.0
        revenue[sold] = np.round(rng.standard_gamma(2.0 * orders[sold]) * self.price[sold] / 2, 2)
        return found


def drawn(rng: Random, segments: Segments, visits: float, days: int) -> Season:
    """So many visits a day, for so many days."""
    week = rng.normal(0, rng.uniform(0.05, 0.2), 7)[np.arange(days) % 7]
    growth = rng.normal(0, 0.0007) * np.arange(days)
    shocks = _drifts(rng, 1, days, 0.4, rng.uniform(0.02, 0.06))[0]
    common = np.exp(week + growth + shocks)
    drift, converting = rng.uniform(0.02, 0.06), rng.uniform(0.01, 0.04)
    shift = _drifts(rng, 1, days, 0.7, rng.uniform(0.01, 0.03))[0]
    return Season(
        _drifted(rng, segments, days, drift) * common * (visits * segments.size)[:, None],
        np.minimum(_drifted(rng, segments, days, converting) * np.exp(shift) * segments.conversion[:, None], 0.98),
        np.broadcast_to(segments.price[:, None], (len(segments), days)),
        rng.uniform(0.1, 0.4),
    )


def _drifted(rng: Random, segments: Segments, days: int, scale: float) -> Floats:
    """Factors around one by segment and day."""
    log = np.zeros((len(segments), days))
    for pair in DRIFTING:
        one, other = (segments.levels[name] for name in pair)
        together, place = np.unique(one.code * len(other.paths) + other.code, return_inverse=True)
        drifts = _drifts(rng, len(one.paths), days, KEPT, scale)[together // len(other.paths)]
        drifts += _drifts(rng, len(other.paths), days, KEPT, scale)[together % len(other.paths)]
        log += drifts[place]
    return np.asarray(np.exp(log, out=log))


def _drifts(rng: Random, rows: int, days: int, kept: float, scale: float) -> Floats:
    """AR(1) series with a deviation of `scale`."""
    steps = rng.normal(0, scale, (rows, days))
    steps[:, 1:] *= np.sqrt(1 - kept**2)
    for day in range(1, days):
        steps[:, day] += kept * steps[:, day - 1]
    return steps
