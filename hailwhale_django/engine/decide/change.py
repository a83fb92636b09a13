"""Change: the day on which the world stopped being what was predicted.

An option's ratio also moves when its visitors do, and which visitors it gets is up to the policy that chooses. So each
day's numerators are compared not with earlier days but with what was predicted of those visitors when they were decided
for. Residuals of a stretch of days, over their deviation, are looked at for every option as if day after day: where
they first exceed `ALARM`, the stretch that exceeds it most began with a change, and the search goes on behind it.

A stretch's variance has three parts: that of its events; days that are good or bad for all options, as much as they
were found to be; and how well the prediction could be known from the days before.
Days without a prediction are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .evidence import DD, ND, NY, YD, YY, D, Floats, History, N, Y
from .factors import both, divided

ALARM = 4.0
"""Deviations. Of ten options and a hundred days it is exceeded by chance in fewer than one history of twenty."""

TOLERATED = 0.1
"""The share by which a prediction may be off however much it is based on: it is made of assumptions, too."""

SETTLING = 3
"""Days after a change, or after the beginning, that are not judged."""

LATE = 4
"""Days that numerators may come late where they come in events of their own: so much longer it takes to settle, and so
many days' predictions may be missing from a stretch, or be in it that were made before."""

LONGEST = 21
"""Days. What takes longer to be noticed is followed by the evidence itself."""


def first_day(history: History) -> int:
    """The day of the last change; 0 where there was none."""
    late = LATE if _is_late(history.days) else 0
    settling = SETTLING + 2 * late
    since, begin = 0, settling
    for today in range(settling, len(history.days)):
        # By what was known on the day, so that what was noticed once stays noticed.
        found = _change(_Past.of(history, today), since, max(begin, today - LONGEST), late)
        if found:
            # Until today, decisions went by what no longer held.
            since, begin = found, today + settling
    return since


@dataclass(frozen=True, slots=True)
class _Past:
    """By day and option, up to a day: what was `told` beforehand, how far it was off, and the variance of that."""

    told: Floats
    residual: Floats
    variance: Floats
    largest: float

    @classmethod
    def of(cls, history: History, today: int) -> _Past:
        days, expected = history.days[: today + 1], history.expected[: today + 1]
        known = np.isfinite(expected) & (days[..., N] > 0)
        told = np.where(known, expected, 0.0)
        residual = np.where(known, days[..., Y] - told, 0.0)
        variance = np.where(known, days[..., N], 0.0) * _per_event(days)
        shaken = _shaken(residual.sum(axis=1), told.sum(axis=1), variance.sum(axis=1))
        whole = days.sum(axis=(0, 1))
        return cls(told, residual, variance + shaken * told**2, float(divided(whole[YY], abs(whole[Y]))))


def _per_event(days: Floats) -> Floats:
    """The variance of an event's residual by option, pooled over days."""
    whole = days.sum(axis=0)
    ratio = divided(whole[:, Y], whole[:, D])
    return divided(whole[:, YY] - 2 * ratio * whole[:, YD] + ratio**2 * whole[:, DD], whole[:, N])


def _shaken(residual: Floats, told: Floats, variance: Floats) -> float:
    """The relative variance of whole days beyond that of their events: by the median, which a change moves little."""
    known = told != 0
    if known.sum() < SETTLING:
        return 0.0
    of_days = (residual[known] ** 2 - variance[known]) / told[known] ** 2
    return max(float(np.median(of_days)), 0.0)


def _is_late(days: Floats) -> bool:
    """Whether numerators come in events of their own."""
    whole = days.sum(axis=(0, 1))
    return bool(both(whole) < 0.5 * min(whole[NY], whole[ND]))


def _change(past: _Past, since: int, first: int, late: int) -> int:
    """The first day of the stretch until the last one, not before `first`, that is most unlike the prediction, or 0."""
    if first >= len(past.told):
        return 0
    off, predicted, noise = (_until_the_last(part[first:]) for part in (past.residual, past.told, past.variance))
    before, noise_before = (part[since:-1].cumsum(axis=0)[first - since - 1 :] for part in (past.told, past.variance))
    total = noise + predicted**2 * divided(noise_before, before**2)
    beyond = np.abs(off) - TOLERATED * np.abs(predicted) - late * np.abs(past.told[since:]).max(axis=0)
    # Of few large numerators the upper tail is longer than a normal one (Bernstein's inequality); the lower is not.
    tail = np.where(off > 0, np.maximum(beyond, 0.0) * past.largest, 0.0)
    deviations = divided(beyond, np.sqrt(total + tail)) * ((before != 0) & (total > 0))
    day, option = np.unravel_index(int(deviations.argmax()), deviations.shape)
    return first + int(day) if deviations[day, option] > ALARM else 0


def _until_the_last(values: Floats) -> Floats:
    """The sums from each day to the last one."""
    return np.asarray(values[::-1].cumsum(axis=0)[::-1])
