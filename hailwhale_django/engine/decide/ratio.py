"""A ratio of sums and how sure it is; the difference of two, in its own unit and in shares of the control.

Of R = y/d the error is that of e = y - R d over events, by the delta method: Var R = m/(m-1) * sum(e^2) / d^2, where
sum(e^2) = yy - 2 R yd + R^2 dd comes from the eight sums alone (Cochran, Sampling Techniques, 3rd ed., 1977, 6.4;
Deng, Knoblich and Lu, KDD 2018). m = d^2/dd is how many equally large events the denominator amounts to (Kish): the
number of events where each adds the same, one where a single event brought all. So m/(m-1) is the usual n/(n-1).

What holds, and what does not:

- An event may stand for many (visitors=100): it is one draw, as it should be where those came together.
- The numerator may come in other events than the denominator (visits, and later sales). What a joint event would have
  cancelled, 2 R yd, then stays in: the error is too large, never too small, where numerator and denominator are
  positive. For shares it is by (1 + R)/(1 - R): 1% of the error at R = .01, 22% at R = .2.
- Events of one visitor are taken for independent. Where each counts many times and what they do is alike, the error is
  too small: count once per visitor, or ask for revenue per unique visitor in other ways.
- It is a statement on means of many: `minimum sample` is the business of those who decide by it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from ..domain.confidence import student_quantile
from ..errors import InvalidInput
from .evidence import DD, SUMS, YD, YY, D, Floats, Y

LEVEL = 0.95
FEWEST_DEGREES = 4
"""Below that many degrees of freedom there is no interval: its width would be a guess."""


class Estimates(NamedTuple):
    """Of many ratios: values, standard errors, and to how many equal events each denominator amounts; nan if none."""

    value: Floats
    error: Floats
    units: Floats


@dataclass(frozen=True, slots=True)
class Interval:
    """A number, and from where to where it may be; infinite ends say that nothing is excluded on that side."""

    value: float
    lower: float
    upper: float

    def __contains__(self, number: float) -> bool:
        """Whether a number is not excluded; of what is not known nothing is."""
        return not (number < self.lower or number > self.upper)

    @property
    def mirrored(self) -> Interval:
        return Interval(-self.value, -self.upper, -self.lower)


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much an option's ratio is above the control's: in its own unit, and in shares of the control's."""

    absolute: Interval
    relative: Interval


@np.errstate(divide="ignore", invalid="ignore", over="ignore")
def estimates(sums: Floats) -> Estimates:
    """Of sums[..., 8]. Where the denominator is not positive, or comes from one event alone, there is no error."""
    if sums.shape[-1:] != (len(SUMS),):
        raise InvalidInput("sums", sums.shape, f"the last axis has the eight sums {' '.join(SUMS)}")
    y, d = sums[..., Y], np.where(sums[..., D] > 0, sums[..., D], np.nan)
    value = y / d
    squares = np.maximum(sums[..., YY] - 2 * value * sums[..., YD] + value**2 * sums[..., DD], 0)
    units = d**2 / sums[..., DD]
    # What is one event up to the last digits of the sums is one event.
    degrees = np.where(units > 1 + 1e-9, units - 1, np.nan)
    return Estimates(value, np.sqrt(units / degrees * squares) / d, units)


def interval(sums: Floats, level: float = LEVEL) -> Interval:
    """The plain two-sided interval around one option's ratio, from its sums[8]: for one look, not for daily ones."""
    found = estimates(sums)
    reach = _quantile(float(found.units), level) * float(found.error)
    return _around(float(found.value), reach)


def difference(control: Floats, option: Floats, level: float = LEVEL) -> Difference:
    """Of two options' sums[8], with plain two-sided intervals: for one look, not for daily ones."""
    a, b = estimates(control), estimates(option)
    return difference_within(a, b, _quantile(float(np.minimum(a.units, b.units)), level))


def difference_within(control: Estimates, option: Estimates, errors: float) -> Difference:
    """Of one ratio each, with intervals that reach so many standard errors to both sides.

    The relative one is Fieller's (1954): all shares r for which option - r * control is within that many of its own
    errors of 0. So it excludes 0 just where the absolute one does; it is unbounded where the control's ratio itself is
    within that many errors of 0.
    """
    a, a_error, b, b_error = map(float, (control.value, control.error, option.value, option.error))
    absolute = _around(b - a, errors * math.hypot(a_error, b_error))
    return Difference(absolute, _fieller(a, b, errors * a_error, errors * b_error))


def _fieller(a: float, b: float, a_reach: float, b_reach: float) -> Interval:
    squared = a * a - a_reach * a_reach
    if not squared > 0:
        change = (b - a) / abs(a) if a else math.nan
        return Interval(change, -math.inf, math.inf)
    spread = (a * b_reach) * (a * b_reach) + a_reach * a_reach * (b * b - b_reach * b_reach)
    root = math.sqrt(max(spread, 0.0))
    ends = ((a * b - root) / squared - 1, (a * b + root) / squared - 1)
    found = Interval(b / a - 1, *ends)
    return found if a > 0 else found.mirrored


def _around(value: float, reach: float) -> Interval:
    """Nothing is excluded where the reach is not known."""
    if math.isnan(value + reach):
        return Interval(value, -math.inf, math.inf)
    return Interval(value, value - reach, value + reach)


def _quantile(units: float, level: float) -> float:
    if not 0 < level < 1:
        raise InvalidInput("level", level, "use a number between 0 and 1, e.g. 0.95")
    if not units - 1 >= FEWEST_DEGREES:
        return math.nan
    if units > 10_000:
        return NormalDist().inv_cdf((1 + level) / 2)
    return float(student_quantile((1 + level) / 2, np.array([units - 1]))[0])
