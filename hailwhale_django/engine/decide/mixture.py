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
from functools import lru_cache

import numpy as np

from .cells import Cell
from .evidence import Floats
from .factors import Factor

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


@lru_cache(maxsize=4096)
def containment(cells: tuple[Cell, ...]) -> Floats:
    """[a, c]: 1 where cell a lies within cell c."""
    paths = [[path + "/" for path in cell.paths] if cell.level else [] for cell in cells]
    return np.array(
        [[float(all(any(p.startswith(q) for p in a) for q in c)) for c in paths] for a in paths], dtype=np.float64
    )


def mixed(factors: Sequence[Factor], within: Floats, spreads: Sequence[Spreads]) -> list[Mixture]:
    """Weigh the cells of each factor, whose rows they are, everybody first. Arrays are [factor, option, cell, ...]."""
    exposure = np.stack([factor.exposure.T for factor in factors])
    relative = np.stack([factor.relative.T for factor in factors])
    noise = np.array([factor.noise for factor in factors])[:, None, None, None]
    option = np.array([spread.option for spread in spreads])
    cells = np.stack([spread.cells for spread in spreads])
    cells[:, 0] = 0.0
    others = cells * np.stack([spread.others for spread in spreads])
    known = exposure > 0
    per_event = np.divide(1.0, exposure, out=np.zeros_like(exposure), where=known)
    share = _shared(exposure, within) * per_event[..., None]
    effects = np.concatenate([share, 1.0 - share], axis=3)
    weighted = effects * np.concatenate([cells, others], axis=1)[:, None, None, :]
    covariance = weighted @ effects.swapaxes(2, 3) + option[:, None, None, None] + noise * share * per_event[:, :, None]
    pairs = known[..., None] & known[:, :, None]
    ridge = np.where(known, 1e-9 + 1e-6 * option[:, None, None], 1.0)
    precision = np.linalg.inv(covariance * pairs + ridge[..., None] * np.eye(len(within))) * pairs
    unsure = np.linalg.inv(precision.sum(axis=1) + np.eye(len(within)) / FREE)
    target = (option[:, None, None] + (share @ cells[:, None, :, None])[..., 0]) * known
    common = (unsure @ (precision @ (relative * known)[..., None]).sum(axis=1))[..., 0]
    pull = (precision @ target[..., None])[..., 0]
    # Differences are shares of the level, which is by so much higher than was taken for granted.
    raised = np.maximum(1.0 + common, LEAST_RAISED) ** np.array([[factor.is_relative] for factor in factors])
    moved = pull * ((relative - common[:, None]) / raised[:, None])
    total = option + cells.sum(axis=1)
    apart = pull - pull.mean(axis=1, keepdims=True)
    variance = total[:, None] - (pull * target).sum(axis=2) + ((apart @ unsure) * apart).sum(axis=2)
    variance = np.maximum(variance, 1e-9 * total[:, None])
    return [Mixture(*parts) for parts in zip(moved.sum(axis=2), variance, moved, common, strict=True)]


def _shared(exposure: Floats, within: Floats) -> Floats:
    """[..., a, c]: how much evidence cells a and c have in common: all of the inner one, else as if independent."""
    one, other = exposure[..., None], exposure[..., None, :]
    smaller = np.minimum(one, other)
    # No less than what the most particular cell has, where it lies in both.
    innermost = exposure[..., -1, None, None] * (within[-1] * within[-1][:, None])
    crossed = np.maximum(one * other / np.maximum(exposure[..., :1, None], 1e-300), innermost)
    return np.where(within + within.T > 0, smaller, np.minimum(crossed, smaller))
