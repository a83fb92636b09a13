"""Factors: a ratio as what it is made of, each with what chance does to it.

Y/D = odds x size. *Odds* are events that have the numerator per event that has the denominator, ny/nd; *size* is the
mean numerator of the former over the mean denominator of the latter. Where visitors are counted and few of them buy,
the odds are the chance of a sale and the size is what a sale brings: sizes have heavy tails, chances have none, and an
option that differs in one need not differ in the other. So each is learnt apart, and heavy tails do not drown the rest.

The numerator may come in the same events as the denominator or in events of its own. How many events have both follows
from the counts: m = ny + nd - n. The variance of a ratio of sums S/T is that of its residuals, sum (s - r t)^2 / T^2
(Cochran, Sampling Techniques, 3rd ed., 1977, section 6.4); it is pooled over options, since few events know it badly.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from .evidence import DD, ND, NY, YD, YY, D, Floats, N, Y

LEAST_NOISE = 1e-4
"""Relative variance per event: that all were alike so far does not make the next ones so."""

USUAL_SIZES = 2.0, 10.0
"""The relative variance of a size before any is known, and as how many events that counts."""


@dataclass(frozen=True, slots=True)
class Factor:
    """`value[row, option]` scatters with the variance `scale[row]^2 * noise / exposure[row, option]`.

    `level[row]` is what the row's options have in common, `exposure` the expected number of events behind each value,
    0 where nothing is known.
    """

    name: str
    value: Floats
    exposure: Floats
    noise: float
    level: Floats
    scale: Floats

    @property
    def is_relative(self) -> bool:
        """Whether differences are shares of the level; profits and losses have a scale of their own."""
        return self.name != "amount"

    @property
    def relative(self) -> Floats:
        """By how much each value is above its row's level, in units of the scale."""
        return np.asarray((self.value - self.level[:, None]) / self.scale[:, None])


def factors(sums: Floats) -> list[Factor]:
    """The factors of `sums[row, option, 8]`, the first row of which is the whole; one where that has negative sums."""
    if is_signed(sums[0]):
        return [_amount(sums)]
    return [_odds(sums), _size(sums)]


def is_signed(whole: Floats) -> bool:
    """Whether ratios of 0 or less are to be reckoned with: profits and losses have no odds and sizes."""
    return bool(whole[:, [Y, D]].min() < 0 or whole[:, Y].sum() <= 0 < whole[:, NY].sum())


def both(sums: Floats) -> Floats:
    """How many events had numerator and denominator."""
    return np.asarray(np.maximum(sums[..., NY] + sums[..., ND] - sums[..., N], 0.0))


def divided(top: Any, bottom: Any, otherwise: float = 0.0) -> Floats:
    """top/bottom where the bottom is not 0."""
    bottom = np.asarray(bottom)
    if bottom.all():
        return np.asarray(top / bottom)
    nothing = bottom == 0
    return np.asarray(np.where(nothing, otherwise, top / np.where(nothing, 1.0, bottom)))


def _odds(sums: Floats) -> Factor:
    ny, nd = sums[..., NY], sums[..., ND]
    events, given, together = float(ny[0].sum()), float(nd[0].sum()), float(both(sums[0]).sum())
    # Half an event more: of something that never happened it is not known that it never will.
    odds = (events + 0.5) / (given + 1.0)
    noise = max((events + 0.5 - 2 * odds * together + odds * odds * given) / (events + 0.5), LEAST_NOISE)
    value = divided(ny, nd)
    level = _pooled(value, nd * odds, noise, odds)
    return Factor("odds", value, nd * level[:, None], noise, level, level)


def _size(sums: Floats) -> Factor:
    ny, nd = sums[..., NY], sums[..., ND]
    value = divided(sums[..., Y] * nd, ny * sums[..., D])
    exposure = np.where(nd > 0, ny, 0.0)
    # A denominator that comes in fewer events than the numerator is what limits what is known.
    noise = _noise_of_sizes(sums[0])
    known = float(exposure[0].sum())
    overall = (float((value[0] * exposure[0]).sum()) / known if known else 1.0) or 1.0
    level = _pooled(value, exposure, noise, overall)
    return Factor("size", value, exposure, noise, level, level)


def _noise_of_sizes(whole: Floats) -> float:
    """Relative variance of the size per event with a numerator, within options, pooled."""
    n, y, d, yy, dd, yd, ny, nd = whole.T
    events, usual = float(ny.sum()), USUAL_SIZES
    if not events or not nd.sum():
        return usual[0]
    per_y, per_d, odds = divided(ny, y), divided(nd, d), divided(ny, nd)
    of_y = yy * per_y**2 - ny
    of_d = dd * per_d**2 - nd
    # The residuals of Y/ny and D/nd, as far as they stand in the same events.
    of_both = yd * per_y * per_d - both(whole)
    scatter = float((of_y + (of_d * odds - 2 * of_both) * odds).sum())
    return max((scatter + usual[0] * usual[1] * (scatter > 1e-9 * events)) / (events + usual[1]), LEAST_NOISE)


def _amount(sums: Floats) -> Factor:
    """The ratio itself, in units of how far one event's ratio scatters."""
    weight = np.abs(sums[..., D])
    value = divided(sums[..., Y], sums[..., D])
    n = sums[..., ND]
    whole = sums[0]
    ratio = value[0]
    residual = whole[:, YY] - 2 * ratio * whole[:, YD] + ratio**2 * whole[:, DD]
    per_event = divided(weight[0].sum(), n[0].sum(), 1.0)
    scatter = float(divided(residual.sum(), n[0].sum()))
    spread = sqrt(max(scatter, 0.0)) / float(per_event) or 1.0
    overall = float(divided(whole[:, Y].sum(), whole[:, D].sum()))
    level = _pooled(value, n, 1.0, overall)
    return Factor("amount", value, n, 1.0, level, np.full(len(level), spread))


def _pooled(value: Floats, exposure: Floats, noise: float, overall: float) -> Floats:
    """The level of each row: a mean in which no option counts much more than others, however much traffic it had.

    Random-effects weights, with options taken to differ by a fifth. The overall level counts as one event.
    """
    weight = exposure / (noise + 0.04 * exposure)
    return np.asarray(((weight * value).sum(axis=1) + overall * 1e-3) / (weight.sum(axis=1) + 1e-3))
