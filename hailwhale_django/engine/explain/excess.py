"""What would have been had a child changed as the rest did.

The rest is the whole without the child. Had each metric of the child grown by the same factor as the rest's, the whole
would be worth something else; the difference is the child's *effect*. Where everything changed alike, no child has one,
whatever the formula: that is what tells a cause from what it merely passed on. (BigQuery's contribution analysis calls
the like its `unexpected_difference`.)

Of a ratio's child it is told apart what became of its own ratio (`rate`) and what of its share (`mix`): the one may be
plain to see where the other is lost in noise.

A metric that may be negative, as a delay, has no factor to grow by. Where a ratio divides it by one that may not, alike
means that the ratio went up or down by as much everywhere; else it means to stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..domain.formula import Metric
from ..domain.values import Floats
from .measure import Measure

Aspect = Literal["all", "rate", "mix"]
"""What of a row is looked at: all of its change, that of its ratio, that of its share."""


@dataclass(frozen=True)
class Alike:
    """What it is to change alike: for each leaf, `None` to grow by a factor, else which leaf it goes along with by a
    constant for each of it; itself where it is to stay. `divisor` is the leaf that a ratio divides by.
    """

    along: tuple[int | None, ...]
    divisor: int | None = None

    @classmethod
    def of(cls, measure: Measure, is_signed: list[bool]) -> Alike:
        """`is_signed` says which leaves were seen to be negative."""
        denominator = measure.denominator
        divisor = denominator.root if denominator is not None else None
        at = measure.leaves.index(divisor) if isinstance(divisor, Metric) and divisor in measure.leaves else None
        by = None if at is None or is_signed[at] else at
        return cls(tuple((own if by is None else by) if signed else None for own, signed in enumerate(is_signed)), by)

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """What can be asked of each row."""
        return ("all",) if self.divisor is None else ("all", "rate", "mix")

    @property
    def by_factors(self) -> bool:
        """Whether all grows by factors."""
        return all(one is None for one in self.along)

    def excess(self, rows_before: Floats, rows_now: Floats, whole_before: Floats, whole_now: Floats) -> Floats:
        """[leaf, ..., row]: how much more there is of each row than had it changed as the rest; wholes [leaf, ...].

        Where the rest has nothing in one of the periods there is no factor to grow by: as it was, then.
        """
        rest_before = whole_before[..., None] - rows_before
        rest_now = whole_now[..., None] - rows_now
        has_grown = (rest_before > 0) & (rest_now > 0)
        growth = np.divide(rest_now, rest_before, out=np.ones_like(rest_now), where=has_grown)
        surplus: Floats = rows_now - growth * rows_before
        for leaf, along in enumerate(self.along):
            if along == leaf:
                surplus[leaf] = rows_now[leaf] - rows_before[leaf]
            elif along is not None:
                divided = has_grown[along]
                rates = [
                    np.divide(rest[leaf], rest[along], out=np.zeros_like(rest[leaf]), where=divided)
                    for rest in (rest_before, rest_now)
                ]
                by_as_much = rows_before[leaf] + (rates[1] - rates[0]) * rows_before[along]
                surplus[leaf] = rows_now[leaf] - growth[along] * by_as_much
        return surplus

    def surpluses(self, rows_before: Floats, rows_now: Floats, whole_before: Floats, whole_now: Floats) -> Floats:
        """[leaf, ..., aspect and row]: the excess, of all rows; behind it that by their rates alone, then by the mix.

        The mix is as of the rate that would have been: first the share changes, then the rate.
        """
        surplus = self.excess(rows_before, rows_now, whole_before, whole_now)
        if self.divisor is None:
            return surplus
        expected = rows_now - surplus
        weight = expected[self.divisor]
        factor = np.divide(rows_now[self.divisor], weight, out=np.ones_like(weight), where=weight > 0)
        mix = np.where(weight > 0, expected * (factor - 1), surplus)
        return np.concatenate([surplus, surplus - mix, mix], axis=-1)


def effect(measure: Measure, whole_now: Floats, surplus: Floats, shared: Floats) -> Floats:
    """[..., row]: how much of the whole's value is because of each row's surplus [leaf, ..., row]."""
    own = np.broadcast_to(whole_now[..., None], surplus.shape)
    return measure.value(own, shared) - measure.value(own - surplus, shared)
