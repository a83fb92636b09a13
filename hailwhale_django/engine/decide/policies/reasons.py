"""Reasons: good, bad or still to be tested; a rule that can be followed with the finger.

Each option is compared, in each of the visitor's cells, with the mean of the *other* options there, every one of which
counts the same however much it was shown. Where the difference is the most significant is the reason: the option is
good or bad for it, or is to be tested where no cell says either. Good options are shown, in proportion to how
significant their reasons are; now and then one that is to be tested, so that it is learnt, or a bad one, in case it
was bad by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..evidence import Evidence, Fit, Floats, History, Judgement
from ..factors import divided
from ..plain import Ratios, plainly
from .settings import between


@dataclass(frozen=True, slots=True)
class Reasons:
    """`test_share` and `bad_share`: of visitors who are shown an option that is to be tested, or is bad.

    `significance`: from how many standard errors on a difference is a reason.
    """

    name: ClassVar[str] = "reasons"
    version: ClassVar[int] = 1

    test_share: float = 0.05
    bad_share: float = 0.05
    significance: float = 2.0

    def __post_init__(self) -> None:
        between("test_share", self.test_share, 0, 1)
        between("bad_share", self.bad_share, 0, 1 - self.test_share)
        between("significance", self.significance, 0, 100)

    def fit(self, history: History) -> Fit:
        return Fit(self.name, self.version)

    def judge(self, evidence: Evidence, fit: Fit | None) -> Judgement:
        return plainly(evidence, self.shares(strongest(reasons(evidence))))

    def shares(self, reason: Floats) -> Floats:
        """The probabilities: how often each kind is shown, times the share of each option within its kind."""
        good, bad = reason >= self.significance, reason <= -self.significance
        test = ~good & ~bad
        if not good.any():
            # Nothing stands out yet: all that may still do so is to be learnt, and what is bad is not good for that.
            return _split(test if test.any() else bad)
        tested, doubted = self.test_share * bool(test.any()), self.bad_share * bool(bad.any())
        shown = (1 - tested - doubted) * _split(good * reason**2)
        return shown + tested * _split(test) + doubted * _split(bad)


def reasons(evidence: Evidence) -> Floats:
    """[option, cell]: by how many standard errors an option is better there than the others; 0 where none can tell."""
    told = Ratios.of(evidence.sums)
    known = np.isfinite(told.ratio) & np.isfinite(told.variance)
    ratio, variance = np.where(known, told.ratio, 0.0), np.where(known, told.variance, 0.0)
    others = known.sum(axis=0) - known
    difference = ratio - divided(ratio.sum(axis=0) - ratio, others)
    uncertain = variance + divided(variance.sum(axis=0) - variance, others**2)
    better = np.where(known & (others > 0), divided(difference, np.sqrt(uncertain)), 0.0)
    return -better if evidence.minimize else better


def strongest(found: Floats) -> Floats:
    """Of each option the reason that is the most significant, of whichever cell."""
    at = np.abs(found).argmax(axis=1)
    return np.asarray(np.take_along_axis(found, at[:, None], axis=1)[:, 0])


def _split(weight: NDArray[Any]) -> Floats:
    total = float(weight.sum())
    return np.asarray(weight / total if total else np.zeros(len(weight)), dtype=np.float64)
