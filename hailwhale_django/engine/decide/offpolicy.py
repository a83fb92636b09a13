"""What another policy would have earned, from the log of decisions that this one made.

Each logged decision counts by its weight, how much likelier the other policy was to choose what was chosen:
w = pi(chosen)/p(chosen). Three estimates of what is earned per decision (Dudik, Erhan, Langford and Li, Statistical
Science 2014; Swaminathan and Joachims, NeurIPS 2015):

- `ips`: mean(w y). Unbiased where the logged propensities are true and none is 0 that the other policy would use.
- `snips`: sum(w y)/sum(w). A bias that fades with the number of decisions, and mostly a far smaller error.
- `dr`, doubly robust: what a model predicts, plus the mean of w (y - predicted). As unbiased as ips, whatever the
  model, if it did not learn from the very decisions it predicts; as good as the model where that is good.

A ratio is that of two such estimates, numerator and denominator, with a delta-method interval; of ips and of snips it
is the same. Intervals are normal ones, on the scatter of decisions; decisions for the same visitor are taken together
where `visitor` says who it was. Weights are not clipped, which would trade an error that shows for a bias that does
not; where the two policies hardly agree, the answer says so (`Overlap`), and is not to be believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidInput
from .evidence import Floats
from .overlap import Overlap, overlap_of
from .ratio import LEVEL, Interval

Method: TypeAlias = Literal["ips", "snips", "dr"]
METHODS: tuple[Method, ...] = get_args(Method)
TOLERANCE = 1e-6
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Log:
    """Decisions, one a row: which option was chosen, and what came of it.

    `propensities[row, option]` are the chances with which each was chosen then, nan where only the chosen's is known.
    `y` and `d` are numerator and denominator of what was earned. `predicted_y` and `predicted_d`, both [row, option],
    are what a model expects each option to earn there. `visitor[row]` numbers those who came more than once.
    """

    chosen: Ints
    propensities: Floats
    y: Floats
    d: Floats
    predicted_y: Floats | None = None
    predicted_d: Floats | None = None
    visitor: Ints | None = None

    def __post_init__(self) -> None:
        rows = len(self.chosen)
        if rows < 2:
            raise InvalidInput("chosen", rows, "an estimate needs the log of two decisions or more")
        for name in ("propensities", "y", "d", "predicted_y", "predicted_d", "visitor"):
            column = getattr(self, name)
            if column is not None and len(column) != rows:
                raise InvalidInput(name, len(column), f"one row for each of the {rows} decisions")
        found = self.propensity
        if not ((found > 0) & (found <= 1)).all():
            wrong = float(found[~((found > 0) & (found <= 1))][0])
            raise InvalidInput("propensities", wrong, "what was chosen had a chance above 0, and at most 1")

    @property
    def options(self) -> int:
        return int(self.propensities.shape[1])

    @property
    def propensity(self) -> Floats:
        """Of what was chosen."""
        return self.propensities[np.arange(len(self.chosen)), self.chosen]

    def always(self, option: int) -> Floats:
        """The policy that always chooses this one."""
        if not 0 <= option < self.options:
            raise InvalidInput("option", option, f"use the number of an option, 0 to {self.options - 1}")
        return np.broadcast_to(np.eye(self.options)[option], self.propensities.shape)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a policy would have earned: per decision the numerator and the denominator, and the ratio of the two."""

    method: Method
    numerator: Interval
    denominator: Interval
    ratio: Interval
    overlap: Overlap

    def words(self, policy: str, measure: str) -> str:
        if not self.overlap.is_good:
            return f"What {policy} would have earned cannot be told: {self.overlap.words}"
        found = self.ratio
        return (
            f"With {policy}, {measure} would have been {found.value:.4g}, likely between {found.lower:.4g} and "
            f"{found.upper:.4g}."
        )


def estimate(log: Log, policy: Floats, method: Method = "snips", level: float = LEVEL) -> Estimate:
    """Of a policy given as probabilities [row, option], from what was logged."""
    y, d = _earned(log, policy, method)
    return Estimate(
        method,
        _interval(log, *y, level),
        _interval(log, *d, level),
        _interval(log, *_ratio(y, d), level),
        overlap_of(log.propensities, log.chosen, policy),
    )


def advantage(log: Log, policy: Floats, other: Floats, method: Method = "snips", level: float = LEVEL) -> Interval:
    """By how much a policy's ratio is above another's. Both on the same decisions, what befell both cancels."""
    value, scatter = _ratio(*_earned(log, policy, method))
    other_value, other_scatter = _ratio(*_earned(log, other, method))
    return _interval(log, value - other_value, scatter - other_scatter, level)


Scattered: TypeAlias = tuple[float, Floats]
"""A value, and by how much each decision moves it away from that: adding up to 0, in units of a mean."""


def _earned(log: Log, policy: Floats, method: Method) -> tuple[Scattered, Scattered]:
    """Numerator and denominator per decision."""
    if policy.shape != log.propensities.shape:
        raise InvalidInput("policy", policy.shape, f"probabilities of shape {log.propensities.shape}")
    if not (np.abs(policy.sum(axis=1) - 1) < TOLERANCE).all() or (policy < 0).any():
        raise InvalidInput("policy", float(policy.sum(axis=1)[0]), "probabilities are 0 or more, and 1 in every row")
    if method not in METHODS:
        raise InvalidInput("method", method, f"use {', '.join(METHODS)}")
    weights = policy[np.arange(len(log.chosen)), log.chosen] / log.propensity
    if method == "dr":
        if log.predicted_y is None or log.predicted_d is None:
            raise InvalidInput("method", method, "the log has no predictions to be robust with; use ips or snips")
        return (
            _robust(log, policy, weights, log.y, log.predicted_y),
            _robust(log, policy, weights, log.d, log.predicted_d),
        )
    weigh = _weighed if method == "ips" else _normalised
    return weigh(weights, log.y), weigh(weights, log.d)


def _weighed(weights: Floats, earned: Floats) -> Scattered:
    value = float((weights * earned).mean())
    return value, weights * earned - value


@np.errstate(divide="ignore", invalid="ignore")
def _normalised(weights: Floats, earned: Floats) -> Scattered:
    """`nan` where the policy would never have chosen what was chosen."""
    mean = weights.mean()
    value = float((weights * earned).mean() / mean)
    return value, weights * (earned - value) / mean


def _robust(log: Log, policy: Floats, weights: Floats, earned: Floats, predicted: Floats) -> Scattered:
    missed = earned - predicted[np.arange(len(earned)), log.chosen]
    terms = (policy * predicted).sum(axis=1) + weights * missed
    value = float(terms.mean())
    return value, terms - value


@np.errstate(divide="ignore", invalid="ignore")
def _ratio(y: Scattered, d: Scattered) -> Scattered:
    value = float(np.divide(y[0], d[0]))
    return value, (y[1] - value * d[1]) / d[0]


def _interval(log: Log, value: float, scatter: Floats, level: float) -> Interval:
    """Around a mean of draws, each a decision or all those of a visitor."""
    if log.visitor is not None:
        visitors = np.unique(log.visitor, return_inverse=True)[1]
        scatter = np.bincount(visitors, weights=scatter).astype(np.float64)
    draws = len(scatter)
    error = float(np.sqrt((scatter**2).sum() * draws / max(draws - 1, 1))) / len(log.chosen)
    reach = NormalDist().inv_cdf((1 + level) / 2) * error
    return Interval(value, value - reach, value + reach)
