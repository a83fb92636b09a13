"""Aims: what a decision is for, a ratio of two weighed sums of metrics, to be made large or small.

`revenue/visitors`, `(revenue - cost)/hits`, `2*clicks/views`. A formula without a denominator is meant per event. What
inference needs of it, the eight sums of `evidence`, is made of the sums that are kept of each metric and of each two
(see `domain.lesson`), so any such formula can be asked of evidence that is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from ..domain.event import HITS
from ..domain.formula import Binary, Metric, Negative, Node, Number, parse
from ..domain.lesson import EVENTS, prediction_of, presence_of, product_of, total_of
from ..errors import InvalidInput
from .evidence import Floats

DEFAULT = "revenue/visitors"

Linear: TypeAlias = Mapping[str, float]
"""Metrics and their weights; a number alone has the name ""."""

SumNamed = Callable[[str], Floats]

ONE: Linear = {"": 1.0}

MOST_WEIGHT = 1e12
"""Of a metric: what is squared and multiplied with it stays a number."""


@dataclass(frozen=True, slots=True)
class Aim:
    """`numerator` over `denominator`, by metric their weights; one without metrics is the number of events."""

    formula: str
    numerator: Linear
    denominator: Linear
    minimize: bool = False

    @property
    def prediction(self) -> str:
        """The sum of what its numerators were predicted to be."""
        return prediction_of(self.formula)

    @property
    def names(self) -> tuple[str, ...] | None:
        """The names of the eight, where each is a sum that is kept: one metric over another."""
        metrics = [metric for side in (self.numerator, self.denominator) for metric in side]
        weights = [*self.numerator.values(), *self.denominator.values()]
        if len(metrics) != 2 or weights != [1, 1] or {"", HITS} & set(metrics):
            return None
        y, d = metrics
        products = (product_of(y, y), product_of(d, d), product_of(y, d))
        return EVENTS, total_of(y), total_of(d), *products, presence_of(y), presence_of(d)

    def eight(self, named: SumNamed) -> Floats:
        """The sums of `evidence.SUMS`, as the last axis; `named` gives each kept sum by its name."""
        events = named(EVENTS)
        y, d = _Side(self.numerator, named), _Side(self.denominator, named)
        sums = [events, y.total, d.total, y.times(y), d.times(d), y.times(d), y.presence, d.presence]
        return np.stack(sums, axis=-1)


class _Side:
    """A numerator or denominator of what is kept."""

    def __init__(self, weights: Linear, named: SumNamed) -> None:
        self.weights = weights
        self._named = named
        self.total = self._sum({metric: self._total(metric) for metric in weights})
        presences = [self._presence(metric) for metric in weights]
        # Of several, how often any was there is not known: at least as often as each.
        self.presence = np.max(presences, axis=0)

    def times(self, other: _Side) -> Floats:
        products = [
            weight * factor * self._product(metric, with_metric)
            for metric, weight in self.weights.items()
            for with_metric, factor in other.weights.items()
        ]
        return np.asarray(np.sum(products, axis=0))

    def _sum(self, values: Mapping[str, Floats]) -> Floats:
        return np.asarray(np.sum([self.weights[metric] * value for metric, value in values.items()], axis=0))

    def _total(self, metric: str) -> Floats:
        if metric == HITS:
            return self._implied() + self._named(total_of(HITS))
        return self._named(total_of(metric)) if metric else self._named(EVENTS)

    def _presence(self, metric: str) -> Floats:
        return self._named(presence_of(metric)) if metric and metric != HITS else self._named(EVENTS)

    def _product(self, one: str, other: str) -> Floats:
        if not one:
            return self._total(other)
        if not other:
            return self._total(one)
        if HITS in (one, other):
            return self._product_with_hits(other if one == HITS else one)
        return self._named(product_of(one, other))

    def _product_with_hits(self, metric: str) -> Floats:
        """An event whose hits are not kept has one, so the product is the metric itself."""
        if metric == HITS:
            return self._implied() + self._named(product_of(HITS, HITS))
        share = self._implied() / np.maximum(self._named(EVENTS), 1.0)
        return self._named(product_of(HITS, metric)) + share * self._named(total_of(metric))

    def _implied(self) -> Floats:
        """How many events had one hit, which is not kept."""
        return np.maximum(self._named(EVENTS) - self._named(presence_of(HITS)), 0.0)


@lru_cache(maxsize=1024)
def aim_of(formula: str, minimize: bool = False) -> Aim:
    """The aim that a formula says. Raises `InvalidInput` for what is no ratio of weighed sums of metrics."""
    root = parse(formula).root
    above, below = _ratio(root, formula)
    if not any(above):
        raise InvalidInput("formula", formula, f"name what is to be made large, e.g. {DEFAULT}")
    for side in (above, below):
        if "" in side and len(side) > 1:
            raise _refused(formula)
        if not all(abs(weight) <= MOST_WEIGHT for weight in side.values()):
            raise InvalidInput("formula", formula, f"its weights are at most {MOST_WEIGHT:g}")
    return Aim(formula, dict(above), dict(below), minimize)


def _ratio(node: Node, formula: str) -> tuple[Linear, Linear]:
    match node:
        case Number(value):
            return {"": value}, ONE
        case Metric(name, "", "") if ":" not in name:
            return {name: 1.0}, ONE
        case Negative(operand):
            above, below = _ratio(operand, formula)
            return _scaled(above, -1.0), below
        case Binary(operator, left, right):
            one, other = _ratio(left, formula), _ratio(right, formula)
            if operator in "+-":
                return _added(one, other, -1.0 if operator == "-" else 1.0, formula)
            above, below = other if operator == "*" else (other[1], other[0])
            return _multiplied(one[0], above, formula), _multiplied(one[1], below, formula)
    raise _refused(formula)


def _added(
    one: tuple[Linear, Linear], other: tuple[Linear, Linear], sign: float, formula: str
) -> tuple[Linear, Linear]:
    if one[1] != other[1]:
        raise _refused(formula)
    metrics = dict.fromkeys([*one[0], *other[0]])
    return {name: one[0].get(name, 0.0) + sign * other[0].get(name, 0.0) for name in metrics}, one[1]


def _multiplied(one: Linear, other: Linear, formula: str) -> Linear:
    for number, side in ((one, other), (other, one)):
        if set(number) == {""}:
            return _scaled(side, number[""])
    raise _refused(formula)


def _scaled(side: Linear, factor: float) -> Linear:
    return {name: weight * factor for name, weight in side.items()}


def _refused(formula: str) -> InvalidInput:
    return InvalidInput(
        "formula",
        formula,
        f"a decision aims at a ratio of sums of metrics, e.g. {DEFAULT} or (revenue - cost)/visitors",
    )
