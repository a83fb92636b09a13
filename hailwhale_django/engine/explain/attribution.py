"""Parts: what of a change each child carries. They add up to the change, whatever the formula.

For a sum, a child's part is its own change. For a ratio A/B of a whole whose children have a and b, it is

    part = a1/B1 - a0/B0 - R (b1/B1 - b0/B0),    R = (A1/B1 + A0/B0) / 2

that is, how much its contribution to the ratio grew beyond what its share of the denominator alone would bring. It is
split into `rate` (the child itself became better or worse, at its mean share) and `mix` (its share grew or shrank, and
its ratio is unlike the whole's): Kitagawa, Components of a difference between two rates, J. Am. Stat. Assoc. 50 (1955)
1168-1194, centred on the whole's ratio so that an average child's share does not matter. With two factors this is the
Shapley value of them.

Any other formula is taken apart along its tree by the same midpoints: of a product f g each side's parts count by the
other's mean, of a quotient f/g the parts are (those of f - mean quotient x those of g) / mean of g.

Why this and not another: a part is linear in what the child was and is, so the part of a country is the sum of those of
its regions, and it needs no order of children (a Shapley value over children has the first, not the second: it changes
when a child is split in two, and costs 2^n). It is symmetric: swapping the periods negates every part.

What no child accounts for (events without that dimension, visitors that several children share, a constant that
changed) is the rest, and a part like any other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..domain.formula import Metric, Number, fold_tree
from ..domain.values import Floats
from .measure import Leaf, Measure


class Sides(NamedTuple):
    """A period's leaves: of the rows [leaf, row], of the whole [leaf], and what is shared [shared]."""

    rows: Floats
    whole: Floats
    shared: Floats


class Parts(NamedTuple):
    """Of each row [row]: `part` of the change, and how much of it is by its share alone."""

    part: Floats
    mix: Floats

    @property
    def rate(self) -> Floats:
        return self.part - self.mix


def attribute(measure: Measure, before: Sides, now: Sides) -> Parts:
    """What each row carries of the change from one period to the other."""
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is 0, as in a table
        node = _Attribution(measure, before, now).found()
    return Parts(*(np.where(np.isfinite(found), found, 0.0) + 0.0 for found in (node.part, node.mix)))


@dataclass(frozen=True, slots=True)
class _Worth:
    """A node of the tree: what the whole is worth in both periods, and the parts of the rows [row].

    `before` and `now` [row] are what the rows are worth, where the whole is the sum of its rows; else `None`. What is
    `fixed` is the same for all rows, and no row has a part in it.
    """

    whole: tuple[float, float]
    part: Floats
    mix: Floats
    before: Floats | None = None
    now: Floats | None = None
    fixed: bool = False

    @property
    def change(self) -> float:
        return self.whole[1] - self.whole[0]

    @property
    def mean(self) -> float:
        return (self.whole[0] + self.whole[1]) / 2

    @property
    def adds_up(self) -> bool:
        return self.before is not None


@dataclass(frozen=True)
class _Attribution:
    measure: Measure
    before: Sides
    now: Sides

    @property
    def nothing(self) -> Floats:
        return np.zeros(self.now.rows.shape[1])

    def found(self) -> _Worth:
        return fold_tree(self.measure.formula.root, self._leaf, self._negative, self._binary)

    def _negative(self, operand: _Worth) -> _Worth:
        return self._sum(self._fixed(0.0, 0.0), operand, -1.0)

    def _binary(self, operator: str, left: _Worth, right: _Worth) -> _Worth:
        if operator in "+-":
            return self._sum(left, right, 1.0 if operator == "+" else -1.0)
        return self._product(left, right) if operator == "*" else self._quotient(left, right)

    def _leaf(self, leaf: Number | Leaf) -> _Worth:
        if isinstance(leaf, Number):
            return self._fixed(leaf.value, leaf.value)
        if isinstance(leaf, Metric) and not leaf.level:
            at = self.measure.leaves.index(leaf)
            ends = float(self.before.whole[at]), float(self.now.whole[at])
            return self._additive(ends, self.before.rows[at], self.now.rows[at])
        at = self.measure.shared.index(leaf)
        return self._fixed(float(self.before.shared[at]), float(self.now.shared[at]))

    def _fixed(self, before: float, now: float) -> _Worth:
        return _Worth((before, now), self.nothing, self.nothing, fixed=True)

    def _additive(self, whole: tuple[float, float], before: Floats, now: Floats) -> _Worth:
        return _Worth(whole, now - before, self.nothing, before, now)

    def _sum(self, left: _Worth, right: _Worth, sign: float) -> _Worth:
        whole = left.whole[0] + sign * right.whole[0], left.whole[1] + sign * right.whole[1]
        if left.fixed and right.fixed:
            return self._fixed(*whole)
        left, right = self._without_nothing(left), self._without_nothing(right)
        if left.before is not None and right.before is not None and left.now is not None and right.now is not None:
            return self._additive(whole, left.before + sign * right.before, left.now + sign * right.now)
        return _Worth(whole, left.part + sign * right.part, left.mix + sign * right.mix)

    def _without_nothing(self, one: _Worth) -> _Worth:
        """Nothing adds up to nothing: so `-visits` and `0 + visits` are sums."""
        if one.fixed and one.whole == (0.0, 0.0):
            return replace(one, before=self.nothing, now=self.nothing)
        return one

    def _product(self, left: _Worth, right: _Worth) -> _Worth:
        whole = left.whole[0] * right.whole[0], left.whole[1] * right.whole[1]
        if left.fixed and right.fixed:
            return self._fixed(*whole)
        for one, other in ((left, right), (right, left)):
            if other.fixed and one.before is not None and one.now is not None:
                return self._additive(whole, one.before * other.whole[0], one.now * other.whole[1])
        part = left.part * right.mean + right.part * left.mean
        return _Worth(whole, part, left.mix * right.mean + right.mix * left.mean)

    def _quotient(self, top: _Worth, bottom: _Worth) -> _Worth:
        whole = _divided(top.whole[0], bottom.whole[0]), _divided(top.whole[1], bottom.whole[1])
        if top.fixed and bottom.fixed:
            return self._fixed(*whole)
        if top.before is not None and top.now is not None:
            contributions = _by(top.before, bottom.whole[0]), _by(top.now, bottom.whole[1])
            if bottom.fixed:
                return self._additive(whole, *contributions)
            if bottom.before is not None and bottom.now is not None:
                return self._ratio(whole, top, bottom, *contributions)
        return self._ratio_of_anything(whole, top, bottom)

    def _ratio(self, whole: tuple[float, float], top: _Worth, bottom: _Worth, before: Floats, now: Floats) -> _Worth:
        part = now - before
        if not (bottom.whole[0] and bottom.whole[1]):  # of nothing there is no ratio to be like, nor a share of it
            return _Worth(whole, part, self.nothing)
        assert top.before is not None and top.now is not None and bottom.before is not None and bottom.now is not None
        middle = (whole[0] + whole[1]) / 2
        share = bottom.now / bottom.whole[1] - bottom.before / bottom.whole[0]
        rates = np.stack([_each(top.before, bottom.before), _each(top.now, bottom.now)])
        known = ~np.isnan(rates)
        rate = np.where(known, rates, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        mix = np.where(known.any(axis=0), (rate - middle) * share, 0.0)
        return _Worth(whole, part - middle * share, mix)

    def _ratio_of_anything(self, whole: tuple[float, float], top: _Worth, bottom: _Worth) -> _Worth:
        mean = bottom.mean
        if bottom.whole[0] and bottom.whole[1] and mean:
            middle = (whole[0] + whole[1]) / 2
            return _Worth(whole, (top.part - middle * bottom.part) / mean, (top.mix - middle * bottom.mix) / mean)
        scale = _divided(whole[1] - whole[0], top.change)
        return _Worth(whole, top.part * scale, top.mix * scale)


def _divided(top: float, bottom: float) -> float:
    return top / bottom if bottom else 0.0


def _by(tops: Floats, bottom: float) -> Floats:
    return tops / bottom if bottom else np.zeros_like(tops)


def _each(tops: Floats, bottoms: Floats) -> Floats:
    return np.divide(tops, bottoms, out=np.full_like(tops, np.nan), where=bottoms != 0)
