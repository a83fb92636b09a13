"""A test that holds however often one looks: is an option's ratio another's, on uniformly assigned traffic?

Each look compares how far two ratios are apart with what chance would do, by a mixture sequential probability ratio
test (Johari, Koomen, Pekelis and Walsh, Operations Research 2022) on delta-method errors, which makes it an asymptotic
confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics 2024; `look` has the
formulas). All is in terms of sums at the time of looking: who looks daily, hourly or once needs no schedule and no
memory, and may stop at the first look that decides.

Promise: with level a, the chance that any look of all ever decides wrongly is at most about a, over all options.

- Several options: each of k - 1 comparisons has level a/(k - 1) (Bonferroni). For the leader against the rest that is
  enough, though the leader is chosen by looking: to be declared wrongly, it must beat the one that is best.
- It is sharpest for differences of about `SHARPEST` of the ratio; those three times as large or as small take a fifth
  more visitors than they might. Ratios around 0 (profits) have no such share: give the difference that matters as
  `sharpest`.
- Nothing is decided before each option has `MINIMUM` events with a denominator, and by its share of these as many with
  a numerator are due to it. The interval is wide there anyway, so that few and heavy-tailed events cannot decide.
- Only for traffic whose assignment did not look at results: a fixed split, or the uniform share of an adaptive
  decision. Under adaptive allocation means are biased, and no interval around these holds. Where shares were changed
  on the way, compare from the change on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InvalidInput
from .evidence import Floats
from .look import MINIMUM, estimates_of_both, look
from .ratio import Difference, difference_within, estimates

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Comparison:
    """One option against another, as sure after the hundredth look as after the first.

    `p_value` is adjusted for the number of comparisons, and 1 before there is `enough`; it is decided where it is at
    most `level`, which is just where the intervals exclude 0. `better`: the sign of the difference is the good one.
    """

    option: str
    against: str
    difference: Difference
    p_value: float
    level: float
    enough: bool
    minimize: bool = False

    @property
    def decided(self) -> bool:
        return self.enough and self.p_value <= self.level

    @property
    def better(self) -> bool:
        return (self.difference.absolute.value < 0) == self.minimize and self.difference.absolute.value != 0

    def words(self, measure: str) -> str:
        """For people; `measure` is what is compared, e.g. "revenue per visitor"."""
        pair = f"{self.option} and {self.against}"
        if not self.enough:
            return f"It is too early to compare {pair}: at least {MINIMUM} results of each are needed."
        if not self.decided:
            return f"{_opening(measure)} of {pair} may still be the same: {_range(self)}."
        return f"{_change(self, measure)} than that of {self.against}; this holds however often you look."


@dataclass(frozen=True, slots=True)
class Leader:
    """Which option is ahead, and against each of the others, whether it is better for certain."""

    option: str
    comparisons: tuple[Comparison, ...]

    @property
    def decided(self) -> bool:
        return all(one.decided for one in self.comparisons)

    def words(self, measure: str) -> str:
        if self.decided:
            return f"{self.option} is the best in {measure}; this holds however often you look."
        open_ = [one.against for one in self.comparisons if not one.decided]
        return f"{self.option} is ahead in {measure}, but {_listed(open_)} may still be as good."


@np.errstate(all="ignore")
def against_control(
    options: Sequence[str],
    sums: Floats,
    control: int = 0,
    *,
    level: float = LEVEL,
    minimize: bool = False,
    sharpest: float | None = None,
) -> tuple[Comparison, ...]:
    """Each other option against the control, in order, from sums[option, 8]. `sharpest`: in units of the ratio."""
    _check(options, sums, level)
    if not 0 <= control < len(options):
        raise InvalidInput("control", control, f"use the number of an option, 0 to {len(options) - 1}")
    others = [option for option in range(len(options)) if option != control]
    return tuple(_compare(options, sums, one, control, level, minimize, sharpest) for one in others)


@np.errstate(all="ignore")
def leader(
    options: Sequence[str],
    sums: Floats,
    *,
    level: float = LEVEL,
    minimize: bool = False,
    sharpest: float | None = None,
) -> Leader:
    """The option with the best ratio against each of the rest, from sums[option, 8]."""
    _check(options, sums, level)
    ratios = estimates(sums).value * (-1 if minimize else 1)
    best = int(np.argmax(np.where(np.isnan(ratios), -np.inf, ratios)))
    others = [option for option in range(len(options)) if option != best]
    return Leader(options[best], tuple(_compare(options, sums, best, one, level, minimize, sharpest) for one in others))


def _compare(
    options: Sequence[str], sums: Floats, one: int, other: int, level: float, minimize: bool, sharpest: float | None
) -> Comparison:
    comparisons = len(options) - 1
    found = look(sums[other], sums[one], level / comparisons, sharpest)
    change = difference_within(*estimates_of_both(sums[other], sums[one]), float(found.reach))
    p_value = min(1.0, float(found.p_value) * comparisons)
    return Comparison(options[one], options[other], change, p_value, level, bool(found.enough), minimize)


def _check(options: Sequence[str], sums: Floats, level: float) -> None:
    if len(options) < 2:
        raise InvalidInput("options", list(options), "a comparison needs two or more")
    if len(sums) != len(options):
        raise InvalidInput("sums", sums.shape, f"the first axis has the {len(options)} options")
    if not 0 < level < 1:
        raise InvalidInput("level", level, "use a number between 0 and 1, e.g. 0.05")


def _change(comparison: Comparison, measure: str) -> str:
    relative = comparison.difference.relative
    higher = "higher" if comparison.difference.absolute.value > 0 else "lower"
    much = f"{abs(relative.value):.1%} " if math.isfinite(relative.lower) else ""
    return f"{_opening(measure)} of {comparison.option} is {much}{higher}"


def _range(comparison: Comparison) -> str:
    relative = comparison.difference.relative
    if not math.isfinite(relative.lower + relative.upper):
        return "how far they are apart cannot be told yet"
    return (
        f"that of {comparison.option} is {relative.lower:+.1%} to {relative.upper:+.1%} against {comparison.against}'s"
    )


def _opening(measure: str) -> str:
    return measure[:1].upper() + measure[1:]


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:3]) + ([f"{len(names) - 3} others"] if len(names) > 3 else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
