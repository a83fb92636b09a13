"""The mixture: what the evidence of several cells, taken together, says of each option for one visitor.

An option's level for a visitor is 1, plus how it differs from the others for everybody, plus how it differs for each of
the visitor's cells, each of these drawn from a distribution around 0 whose variance is learnt (`spreads`). What is
observed is the option's mean in each cell, which is made of the same effects: the evidence of all visitors from a
country is, by as much as they are part of it, evidence of its mobile visitors. So each cell's mean is a known mixture
of effects, plus what visitors of the level's other cells bring, plus noise that is shared by cells that share visitors.
The best linear unbiased prediction (Henderson 1975, Biometrics 31:423; in geology: universal kriging) weighs all cells
at once. Where there is one cell it is the conjugate gamma-Poisson estimate, (a + y)/(a + n).

What is common to all options of a cell says nothing about which is better. It is a free effect of the cell, estimated
along with the rest. That compares options with each other, in the same cells, and never with a mean that one of them
dominates; a cell that only one option was ever shown in says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .evidence import Floats
from .factors import Factor
from .nesting import Nesting

Mask = NDArray[np.bool_]

FREE = 1.0
"""The variance of what is common to a cell's options, around their pooled level: as good as unknown."""


LEAST_RAISED = 0.1
"""A level may be found to be so much lower than it was taken for, and not less."""


@dataclass(frozen=True, slots=True)
class Spreads:
    """How much options differ, as relative variances: for everybody, and for each of the cells beyond that.

    `others`: what one effect of a cell's level leaves in the mean of all its other cells, as a share of its variance.
    """

    option: float
    cells: Floats
    others: Floats


@dataclass(frozen=True, slots=True)
class Mixture:
    """For one visitor, by option: the relative `mean` and `variance`, and what each cell added to the mean.

    `common[cell]`: by how much the options of a cell are together above the level that was taken for granted.
    """

    mean: Floats
    variance: Floats
    moved: Floats
    common: Floats


def mixed(factors: Sequence[Factor], nesting: Nesting, spreads: Sequence[Spreads]) -> list[Mixture]:
    """Weigh the cells of each factor, whose rows they are, everybody first. Arrays are [factor, option, cell, ...]."""
    exposure = np.array([factor.exposure.T for factor in factors])
    relative = np.array([factor.relative.T for factor in factors])
    noise = np.array([factor.noise for factor in factors])[:, None, None]
    option = np.array([spread.option for spread in spreads])
    cells = np.array([spread.cells for spread in spreads])
    cells[:, 0] = 0.0
    others = cells * np.array([spread.others for spread in spreads])
    known = exposure > 0
    per_event = known / np.where(known, exposure, 1.0)
    share = _shared(exposure, nesting) * per_event[..., None]
    covariance = _covariance(share, known, np.concatenate([cells, others, option[:, None]], axis=1))
    covariance += share * (noise * per_event)[:, :, None]
    precision = _precision(covariance, known, option)
    unsure = np.linalg.inv(precision.sum(axis=1) + np.eye(exposure.shape[2]) / FREE)
    target = (option[:, None, None] + (share @ cells[:, None, :, None])[..., 0]) * known
    # Only what is known pulls: the precision of the rest is 0.
    pull = (precision @ target[..., None])[..., 0]
    common = (unsure @ (precision @ relative[..., None]).sum(axis=1))[..., 0]
    moved = pull * ((relative - common[:, None]) / _raised(factors, common)[:, None])
    total = (option + cells.sum(axis=1))[:, None]
    apart = pull - pull.sum(axis=1, keepdims=True) / exposure.shape[1]
    variance = total - (pull * target).sum(axis=2) + ((apart @ unsure) * apart).sum(axis=2)
    variance = np.maximum(variance, 1e-9 * total)
    return [Mixture(*parts) for parts in zip(moved.sum(axis=2), variance, moved, common, strict=True)]


def _shared(exposure: Floats, nesting: Nesting) -> Floats:
    """[..., a, c]: how much evidence cells a and c have in common: all of the inner one, else as if independent in the
    most particular cell around both, and no less than a cell has that lies in both.
    """
    one, other = exposure[..., None], exposure[..., None, :]
    crossed = one * other / np.maximum(exposure, 1e-300).take(nesting.outside, axis=-1)
    inside = np.concatenate([exposure, np.zeros_like(exposure[..., :1])], axis=-1).take(nesting.inside, axis=-1)
    return np.asarray(np.minimum(np.maximum(crossed, inside), np.minimum(one, other)))


def _covariance(share: Floats, known: Mask, variances: Floats) -> Floats:
    """Of the cells' means: by what they share of each cell's effect, by what they do not share of it, which is an
    effect of the level's others, and by the option's own, which they have in common. 0 where nothing is known.
    """
    count = share.shape[-1]
    effects = np.empty((*share.shape[:-1], 2 * count + 1))
    effects[..., :count] = share
    np.subtract(known[..., None], share, out=effects[..., count:-1])
    effects[..., -1] = known
    return np.asarray((effects * variances[:, None, None]) @ effects.swapaxes(2, 3))


def _precision(covariance: Floats, known: Mask, option: Floats) -> Floats:
    """The inverse for what is known, 0 for what is not; with a ridge, since a cell may be all of another."""
    _diagonal(covariance)[...] += np.where(known, 1e-9 + 1e-6 * option[:, None, None], 1.0)
    precision: Floats = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
    _diagonal(precision)[...] *= known
    return precision


def _diagonal(matrices: Floats) -> Floats:
    """A view of it, to write to."""
    count = matrices.shape[-1]
    return matrices.reshape(*matrices.shape[:-2], count * count)[..., :: count + 1]


def _raised(factors: Sequence[Factor], common: Floats) -> Floats:
    """Differences are shares of the level, which is by so much higher than was taken for granted."""
    is_relative = np.array([[factor.is_relative] for factor in factors])
    return np.where(is_relative, np.maximum(1.0 + common, LEAST_RAISED), 1.0)
