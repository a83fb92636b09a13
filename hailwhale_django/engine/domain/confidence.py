"""How sure a ratio is: an interval around it from the buckets that it is made of.

A ratio A/B over a period is made of the ratios of its buckets. How far these scatter around it says how much chance is
in it (the ratio estimator; Cochran, Sampling Techniques, 3rd ed., 1977, section 6.4): with e = a - (A/B) b in each of n
buckets in which the row was seen, the variance of A/B is n/(n-1) * sum(e^2) / B^2. That needs no assumption on what is
divided by what, and days that differ as a whole count as the chance they are.

Few buckets know their own scatter badly. Each row's scatter per unit of B is therefore drawn towards that of all rows
together, which counts as much as `PRIOR_BUCKETS` of its own (moderated variance; Smyth 2004, Stat. Appl. Genet. Mol.
Biol. 3:3), and the interval is Student's t with n - 1 + PRIOR_BUCKETS degrees of freedom.

Where both sides count and one is part of the other (sales of visitors), scatter is taken to be no less than that of a
fair draw, r(1 - r): that all other days were alike does not make one sale of two visitors a certain half.

Promise: a row seen in one bucket has a wide interval, not none. No interval where B is not positive or nothing scatters
that could be measured.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from .values import Floats

LEVEL = 0.95
PRIOR_BUCKETS = 4


@np.errstate(over="ignore", invalid="ignore")  # of numbers too large to be squared nothing is told
def ratio_bounds(numerators: Floats, denominators: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Lower and upper bounds [row] of the ratios of sums of [point, row]; `nan` where there is no telling."""
    top, bottom = numerators.sum(axis=0), denominators.sum(axis=0)
    sound = bottom > 0
    ratio = np.divide(top, bottom, out=np.zeros_like(top), where=sound)
    seen = ((numerators != 0) | (denominators != 0)).sum(axis=0)
    scatter = ((numerators - ratio * denominators) ** 2).sum(axis=0)
    own_degrees = np.maximum(seen - 1, 0)
    measured = sound & (own_degrees > 0)
    variance = np.zeros_like(top)  # per unit of the denominator
    np.divide(scatter * seen, own_degrees * bottom, out=variance, where=measured)
    degrees = PRIOR_BUCKETS + own_degrees
    if measured.any():
        common = float((variance * own_degrees)[measured].sum() / own_degrees[measured].sum())
    else:
        # One bucket only: counts scatter at least as a Poisson count does, whose variance is its mean.
        common = float(np.abs(top[sound]).sum() / bottom[sound].sum()) if sound.any() else 0.0
    if _is_share(numerators, denominators):
        overall = float(top.sum() / bottom.sum()) if bottom.any() else 0.0
        common = max(common, overall * (1 - overall))
    moderated = (PRIOR_BUCKETS * common + own_degrees * variance) / degrees
    width = student_quantile((1 + level) / 2, degrees.astype(np.float64)) * np.sqrt(
        np.divide(moderated, bottom, out=np.full_like(top, np.nan), where=sound)
    )
    known = sound & (moderated > 0) & np.isfinite(width)
    return np.where(known, ratio - width, np.nan), np.where(known, ratio + width, np.nan)


def _is_share(numerators: Floats, denominators: Floats) -> bool:
    """Whether so many of so many are counted: sales of visitors, late flights of flights."""
    whole = np.array_equal(numerators, np.floor(numerators)) and np.array_equal(denominators, np.floor(denominators))
    return whole and bool(((numerators >= 0) & (numerators <= denominators)).all())


def student_quantile(probability: float, degrees: Floats) -> Floats:
    """Quantiles of Student's t for 4 degrees of freedom or more, to three digits.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5 (expansion around the normal quantile).
    """
    z = NormalDist().inv_cdf(probability)
    return np.asarray(
        z
        + (z**3 + z) / (4 * degrees)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * degrees**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * degrees**4)
    )
