"""Plain ratios: those of all visitors, with their standard errors. Simple policies go by them and tell of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .contest import Q90, Posterior, contest
from .evidence import DD, YD, YY, D, Evidence, Floats, Judgement, N, Y
from .factors import divided

PRIOR_EVENTS = 2.0
"""How many events an option's own scatter counts less than that of all options together."""


@dataclass(frozen=True, slots=True)
class Ratios:
    """`ratio[option, ...]` and its `variance`; both nan where there is no denominator."""

    ratio: Floats
    variance: Floats

    @classmethod
    def of(cls, sums: Floats) -> Ratios:
        """Of sums[option, ..., 8]. An option's scatter per event is drawn towards that of all options together."""
        n, d = sums[..., N], sums[..., D]
        ratio = divided(sums[..., Y], d, np.nan)
        known = np.nan_to_num(ratio)
        scatter = np.maximum(sums[..., YY] - 2 * known * sums[..., YD] + known**2 * sums[..., DD], 0.0)
        # Around what all have in common: that each option's few events were alike is no proof that all are.
        common = divided(sums[..., Y].sum(axis=0), d.sum(axis=0))
        apart = sums[..., YY] - 2 * common * sums[..., YD] + common**2 * sums[..., DD]
        pooled = divided(np.maximum(apart, 0.0).sum(axis=0), n.sum(axis=0))
        drawn = (scatter + PRIOR_EVENTS * pooled) * divided(n, n + PRIOR_EVENTS)
        return cls(ratio, divided(drawn, d**2, np.nan))


def plainly(evidence: Evidence, probability: Floats) -> Judgement:
    """A judgement with these probabilities, and what all visitors' evidence says of the options."""
    told = Ratios.of(evidence.sums[:, 0])
    deviation = np.sqrt(told.variance)
    best, loss = _chances(told, evidence.minimize)
    return Judgement(
        probability=probability,
        mean=told.ratio,
        lower=told.ratio - Q90 * deviation,
        upper=told.ratio + Q90 * deviation,
        best=best,
        loss=loss,
        weights=np.ones(evidence.sums.shape[:2]),
    )


def goodness(evidence: Evidence) -> Floats:
    """Every option's ratio, the larger the better; nan where nothing is known."""
    return np.asarray(
        (-1 if evidence.minimize else 1) * divided(evidence.sums[:, 0, Y], evidence.sums[:, 0, D], np.nan)
    )


def _chances(told: Ratios, minimize: bool) -> tuple[Floats, Floats]:
    """Chances of being best and expected losses; options of which nothing is known may be anything that others are."""
    known = np.isfinite(told.ratio) & np.isfinite(told.variance)
    if not known.any():
        return np.full(len(known), 1 / len(known)), np.zeros(len(known))
    middle = float(told.ratio[known].mean())
    widest = float(told.variance[known].max() + told.ratio[known].var() + middle**2)
    mean = np.where(known, told.ratio, middle)
    best, highest = contest(Posterior.normal(mean, np.where(known, told.variance, widest)), minimize)
    return best, np.maximum(mean - highest if minimize else highest - mean, 0.0)
