"""What is ordinary: how far effects go when nothing happens, so that noise is not news.

Two sources say it. Within the periods, the buckets: leaving each out in turn shows what it brought (the jackknife;
Efron and Stein, Ann. Stat. 9 (1981) 586-596), and how far these scatter says how much chance is in their sum. Across
periods, the past: the effects that the same row had from each earlier period to the next, which holds what hangs
together over days and weeks. The first is known better, the second asks the right question; so the first counts as some
observations more of the second, after it was found by how much it falls short of it on the whole (moderated variances;
Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3:3).

What happens in the middle of the period is no scatter: of the later period no more counts than the differences of
buckets that follow each other (von Neumann 1941, Ann. Math. Stat. 12:367), or what was in the earlier. What happened in
the past, once, is none either: of earlier effects the largest is left out.

Approximations: buckets are taken to be independent, values that do not add up over buckets (uniques) are taken to, and
the quantiles of Student's t are those of Wallace (1959, Ann. Math. Stat. 30:1124).
"""

from __future__ import annotations

from math import erfc, sqrt
from typing import NamedTuple

import numpy as np

from ..domain.values import Floats
from .excess import Alike, effect
from .measure import Measure

FEWEST_BUCKETS = 3
"""Of fewer there is no scatter to be seen."""

PRIOR = 16.0
"""As how many earlier periods the scatter within the periods counts."""

PRIOR_BUCKETS = 3.0
"""As how many buckets of its own the scatter of all candidates counts for one."""

CHI_SQUARE_MEDIAN = 0.4549  # of one degree of freedom: the median of squares whose mean is 1

LEFT = np.array([1.0, 1.0, 0.182, 0.298, 0.382, 0.446, 0.493, 0.534, 0.567])
"""What is left of the mean of so many squares of standard normal values without their largest."""


class Scatter(NamedTuple):
    """What each bucket brought to a row's effect: `before` [bucket, row], `now` [bucket, row]; their sum's variance."""

    before: Floats
    now: Floats
    variance: Floats


class Ordinary(NamedTuple):
    """The variance [row] of effects that are nothing but chance, and on how much it rests, in degrees of freedom."""

    variance: Floats
    degrees: Floats


def scatter(
    measure: Measure, alike: Alike, before: Floats, now: Floats, whole_before: Floats, whole_now: Floats, shared: Floats
) -> Scatter:
    """Of buckets: rows [leaf, bucket, row], wholes [leaf, bucket]. What is told is of all aspects [aspect and row]."""

    def effects(rows_before: Floats, rows_now: Floats, all_before: Floats, all_now: Floats) -> Floats:
        return effect(measure, all_now, alike.surpluses(rows_before, rows_now, all_before, all_now), shared)

    sums = before.sum(axis=1), now.sum(axis=1), whole_before.sum(axis=1), whole_now.sum(axis=1)
    without_before = effects(
        _without_each(before),
        np.repeat(sums[1][:, None], before.shape[1], axis=1),
        _without_each(whole_before),
        np.repeat(sums[3][:, None], before.shape[1], axis=1),
    )
    without_now = effects(
        np.repeat(sums[0][:, None], now.shape[1], axis=1),
        _without_each(now),
        np.repeat(sums[2][:, None], now.shape[1], axis=1),
        _without_each(whole_now),
    )
    brought_before, brought_now = _brought(without_before), _brought(without_now)
    return Scatter(brought_before, brought_now, _chance(brought_before, brought_now))


def scatter_of_values(measure: Measure, before: Floats, now: Floats, shared: Floats) -> Floats:
    """[row]: the variance of changes of rows' own values, of buckets [leaf, bucket, row]; 0 where none can be told."""
    if min(before.shape[1], now.shape[1]) < FEWEST_BUCKETS:
        return np.zeros(before.shape[2])
    brought = [_brought(measure.value(_without_each(buckets), shared)) for buckets in (before, now)]
    return _chance(*brought)


def _chance(before: Floats, now: Floats) -> Floats:
    """[row]: the variance of the sum of what buckets brought [bucket, row].

    Of the later period no more counts than the steps between its buckets, or what was in the earlier: what happens in
    the middle of it is no scatter. The median of the steps, since few lead into what happens and out of it.
    """
    n0, n1 = len(before), len(now)
    first = (before**2).sum(axis=0) / (n0 * max(n0 - 1, 1))
    whole = (now**2).sum(axis=0) / (n1 * max(n1 - 1, 1))
    steps = np.median(np.diff(now, axis=0) ** 2, axis=0) / (2 * n1 * CHI_SQUARE_MEDIAN)
    variance: Floats = first + np.minimum(whole, np.maximum(steps, first))
    return variance


def moderated(own: Floats, common: Floats, buckets: int) -> Floats:
    """[row]: variances known from so many buckets in all, drawn towards what they are in common."""
    degrees = max(buckets - 2, 0)
    drawn: Floats = (PRIOR_BUCKETS * common + degrees * own) / (PRIOR_BUCKETS + degrees)
    return drawn


def ordinary(within: Floats, past: Floats) -> Ordinary:
    """Of variances within the periods [row], and earlier effects [period, row], `nan` where there was nothing."""
    known = ~np.isnan(past)
    squares = np.where(known, past, 0.0) ** 2
    count = known.sum(axis=0)
    sound = within > 0
    ratios = np.divide(squares, within, out=np.full_like(squares, np.nan), where=known & sound)
    ratios = ratios[np.isfinite(ratios)]
    wider = max(1.0, float(np.median(ratios)) / CHI_SQUARE_MEDIAN) if len(ratios) else 1.0
    prior = np.where(sound, PRIOR, 0.0)
    degrees = prior + count
    total, largest = squares.sum(axis=0), squares.max(axis=0, initial=0.0)
    usual = np.where(count > 1, (total - largest) / LEFT[np.minimum(count, len(LEFT) - 1)], total)
    variance = (prior * wider * within + usual) / np.maximum(degrees, 1.0)
    return Ordinary(variance, np.maximum(degrees, 1.0))


def normal_score(t: Floats, degrees: Floats) -> Floats:
    """The standard normal value that is as far out as a value of Student's t."""
    far: Floats = np.sqrt(degrees * np.log1p(t**2 / degrees))
    score: Floats = np.sign(t) * far * ((8 * degrees + 1) / (8 * degrees + 3))
    return score


def chance_of(score: float) -> float:
    """That chance alone goes as far to either side, of a standard normal value."""
    return erfc(abs(score) / sqrt(2))


def _without_each(buckets: Floats) -> Floats:
    """[leaf, bucket, ...]: the sum of all others, as much as if none were missing."""
    count = buckets.shape[1]
    others: Floats = (buckets.sum(axis=1, keepdims=True) - buckets) * (count / max(count - 1, 1))
    return others


def _brought(without: Floats) -> Floats:
    """Pseudo-values around their mean."""
    from_mean: Floats = without.mean(axis=0) - without
    return from_mean * float(len(without) - 1)
