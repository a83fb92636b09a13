"""Spreads: how much options differ, and how much more they do from cell to cell of each level, learnt from all cells.

With w = 1/(t + v) for a variance t of effects and v of noise, the restricted likelihood of a row of options is
prod sqrt(w) / sqrt(sum w) * exp(-sum w (r - mean_w r)^2 / 2): what is common to the row is taken out (Patterson and
Thompson 1971, Biometrika 58:545). It is summed up over a grid of deviations with a prior that has a heavy tail, so that
the few rows of a small world move it little and many rows decide alone: an estimate is never quite 0.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .cells import JOINT
from .evidence import Floats
from .factors import Factor, divided

Mask = NDArray[np.bool_]

DEVIATIONS = np.geomspace(0.005, 2.0, 36)
USUAL_OPTION, USUAL_CELL = 0.2, 0.15
"""The deviation that is thought usual: of options, and of an option from cell to cell."""

OWN = 0.15
"""Of a level's spread at least so much is its own, however much of it the levels around it seem to explain."""


def spread_of_options(factor: Factor, usual: float = USUAL_OPTION) -> float:
    """The relative variance between options, from the first row."""
    relative, noise = factor.relative[:1], _noise(factor)[:1]
    return _learnt(relative, noise, factor.exposure[:1] > 0, usual)


def spread_of_cells(factor: Factor, usual: float = USUAL_CELL) -> float:
    """The relative variance of interactions: by how much an option's distance from the others differs between rows."""
    noise = _noise(factor)
    known = factor.exposure > 0
    weight = known / (usual**2 + noise)
    own = divided((weight * factor.relative).sum(axis=0), weight.sum(axis=0))
    return _learnt(factor.relative - own, noise, known, usual)


def concentration(factor: Factor) -> float:
    """The sum of squares of the rows' shares: 1/k where there are k equal ones."""
    shares = divided(factor.exposure.sum(axis=1), factor.exposure.sum())
    return float((shares**2).sum()) if len(shares) else 1.0


def nested(totals: Mapping[str, float]) -> dict[str, float]:
    """Each level's own spread, the general ones first."""
    found: dict[str, float] = {}
    for level in sorted(totals, key=lambda level: (level.count(JOINT), level.count("/"), level)):
        inherited = sum(own for other, own in found.items() if _is_within(level, other))
        found[level] = max(totals[level] - inherited, OWN * totals[level])
    return found


def _is_within(level: str, other: str) -> bool:
    """Whether a cell of the one level lies in one of the other: country/* in country, and both in their joint cells."""
    mine = [part + "/" for part in level.split(JOINT)]
    return level != other and all(any(part.startswith(its + "/") for part in mine) for its in other.split(JOINT))


def _noise(factor: Factor) -> Floats:
    return divided(np.full_like(factor.exposure, factor.noise), factor.exposure, 1.0)


def _learnt(relative: Floats, noise: Floats, known: Mask, usual: float) -> float:
    """The mean of the variance over the likelihood on the grid, times a Cauchy prior of the deviation."""
    variances = DEVIATIONS**2
    rows = known.sum(axis=1) > 1
    if not rows.any():
        return usual**2
    relative, noise, known = relative[rows], noise[rows], known[rows]
    log = np.array([_likelihood(relative, noise, known, float(variance)) for variance in variances])
    log += np.log(DEVIATIONS) - np.log1p((DEVIATIONS / usual) ** 2)
    weight = np.exp(log - log.max())
    return float((weight * variances).sum() / weight.sum())


def _likelihood(relative: Floats, noise: Floats, known: Mask, variance: float) -> float:
    weight = known / (variance + noise)
    total = weight.sum(axis=1)
    mean = (weight * relative).sum(axis=1) / total
    scatter = (weight * (relative - mean[:, None]) ** 2).sum()
    return float(0.5 * (np.log(weight, out=np.zeros_like(weight), where=known).sum() - np.log(total).sum() - scatter))
