"""What one look at two options says, whatever looks came before and will come: arrays of sums in, arrays out.

With s the standard error of the difference of two ratios and t the spread of a mixture of normal effects around 0, the
likelihood ratio of the mixture against no effect is a martingale, if there is none. So the chance that it ever exceeds
1/a is at most a; its inverse is the p-value, and an interval reaches sqrt((s^2 + t^2)/t^2 * log((s^2 + t^2)/(s^2 a^2)))
standard errors (Robbins 1970; see `sequential` for what is made of it).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .evidence import ND, NY, D, Floats, Y
from .ratio import Estimates, estimates

SHARPEST = 0.1
"""The spread of the mixture, as a share of the ratio of both options together."""

MINIMUM = 25
Bools = NDArray[np.bool_]


class Look(NamedTuple):
    """Of many comparisons, not corrected for their number: how many errors an interval reaches, and the p-values."""

    reach: Floats
    p_value: Floats
    enough: Bools


@np.errstate(all="ignore")
def look(control: Floats, option: Floats, level: float = 0.05, sharpest: float | None = None) -> Look:
    """Of control[..., 8] and option[..., 8]: one comparison each, at its own level."""
    a, b = estimates_of_both(control, option)
    noise = a.error**2 + b.error**2
    both = control + option
    effect = SHARPEST * both[..., Y] / both[..., D] if sharpest is None else sharpest
    share = effect**2 / noise  # of the mixture in units of chance
    reach = np.sqrt((1 + share) / share * np.log((1 + share) / level**2))
    evidence = (b.value - a.value) ** 2 / noise * share / (1 + share) / 2 - np.log1p(share) / 2
    p_value = np.exp(-np.maximum(evidence, 0))
    enough = _is_enough(control, option) & np.isfinite(reach) & np.isfinite(p_value)
    return Look(np.where(enough, reach, np.inf), np.where(enough, p_value, 1.0), enough)


def estimates_of_both(control: Floats, option: Floats) -> tuple[Estimates, Estimates]:
    """Their ratios, with errors that take neither's scatter for less than that of both together.

    Of two options with heavy tails, the one with less traffic has shown fewer of its large values: its mean is mostly
    too small, and so is its scatter. Measured with one in twenty visitors: without this, up to 12% of years ended in a
    false verdict at a level of 5%. It makes an option that never earned comparable, too.
    """
    a, b = estimates(control), estimates(option)
    both = control + option
    a_scatter, b_scatter = a.error**2 * control[..., D], b.error**2 * option[..., D]
    pooled = (a_scatter * control[..., D] + b_scatter * option[..., D]) / both[..., D]
    a_error, b_error = (
        np.sqrt(np.maximum(own, pooled) / sums[..., D]) for own, sums in ((a_scatter, control), (b_scatter, option))
    )
    return a._replace(error=a_error), b._replace(error=b_error)


def _is_enough(control: Floats, option: Floats) -> Bools:
    """What is due is judged by both together: else an option that never earns would never be enough."""
    fewest = np.minimum(control[..., ND], option[..., ND])
    due = (control[..., NY] + option[..., NY]) * fewest / (control[..., ND] + option[..., ND])
    return np.asarray((fewest >= MINIMUM) & (due >= MINIMUM))
