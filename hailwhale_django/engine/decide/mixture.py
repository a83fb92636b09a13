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

from .cells import Cell
from .evidence import Floats
from .factors import Factor

FREE = 1.0
"""The variance of what is common to a cell's options, around their pooled level: as good as unknown."""


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


def containment(cells: Sequence[Cell]) -> Floats:
    """[a, c]: 1 where cell a lies within cell c."""
    paths = [[path + "/" for path in cell.paths] if cell.level else [] for cell in cells]
    return np.array(
        [[float(all(any(p.startswith(q) for p in a) for q in c)) for c in paths] for a in paths], dtype=np.float64
    )


def mixed(factor: Factor, within: Floats, spreads: Spreads) -> Mixture:
    """Weigh the cells of a factor whose rows they are, everybody first."""
    exposure = factor.exposure.T
    known = exposure > 0
    shared = _shared(exposure, within)
    share = shared / np.where(known, exposure, 1.0)[:, :, None]
    prior = _prior(share, spreads)
    noise = factor.noise * share / np.where(known, exposure, 1.0)[:, None, :]
    covariance = prior + noise
    gap = ~known
    covariance[gap[:, :, None] | gap[:, None, :]] = 0.0
    diagonal = np.arange(exposure.shape[1])
    covariance[:, diagonal, diagonal] += np.where(known, 1e-9 + 1e-6 * prior[:, diagonal, diagonal], 1.0)
    target = np.where(known, spreads.option + share @ np.r_[0.0, spreads.cells[1:]], 0.0)
    precision = np.linalg.inv(covariance) * (known[:, :, None] & known[:, None, :])
    observed = np.where(known, factor.relative.T, 0.0)
    unsure = np.linalg.inv(precision.sum(axis=0) + np.eye(len(diagonal)) / FREE)
    common = unsure @ np.einsum("oab,ob->a", precision, observed)
    pull = np.einsum("oab,ob->oa", precision, target)
    moved = pull * (observed - common)
    total = spreads.option + float(spreads.cells[1:].sum())
    variance = total - (pull * target).sum(axis=1)
    rest = pull - pull.mean(axis=0)
    variance += ((rest @ unsure) * rest).sum(axis=1)
    return Mixture(moved.sum(axis=1), np.maximum(variance, 1e-9 * total), moved, common)


def _shared(exposure: Floats, within: Floats) -> Floats:
    """[option, a, c]: how much evidence cells a and c have in common: all of the inner one, else as if independent."""
    everybody = np.maximum(exposure[:, :1, None], 1e-300)
    smaller = np.minimum(exposure[:, :, None], exposure[:, None, :])
    crossed = exposure[:, :, None] * exposure[:, None, :] / everybody
    innermost = exposure[:, -1][:, None, None] * within[-1] * within[-1][:, None]
    crossed = np.minimum(np.maximum(crossed, innermost), smaller)
    nested = (within + within.T) > 0
    return np.where(nested, smaller, crossed)


def _prior(share: Floats, spreads: Spreads) -> Floats:
    """The covariance of cells' means that comes of options' effects."""
    cells, others = spreads.cells.copy(), spreads.others * spreads.cells
    cells[0] = others[0] = 0.0
    rest = 1.0 - share
    return spreads.option + (share * cells) @ share.swapaxes(1, 2) + (rest * others) @ rest.swapaxes(1, 2)
