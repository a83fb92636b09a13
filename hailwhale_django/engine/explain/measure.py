"""A formula as a function of what is counted.

Its *leaves* are what a row has of its own: metrics. What is the same for all rows of a question (constants, and metrics
read at the parent's level or at the whole) is *shared*. Arrays are [leaf, ...] and [shared].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..domain.formula import Binary, Constant, Formula, Metric, Negative, Node, evaluate, leaves_of
from ..domain.values import UNDEFINED, Floats

Leaf = Metric | Constant


@dataclass(frozen=True)
class Measure:
    """What is explained, and of what it is made."""

    formula: Formula

    @cached_property
    def leaves(self) -> tuple[Metric, ...]:
        """What each row has of its own."""
        return tuple(one for one in leaves_of(self.formula) if isinstance(one, Metric) and not one.level)

    @cached_property
    def shared(self) -> tuple[Leaf, ...]:
        """What all rows have in common."""
        return tuple(one for one in leaves_of(self.formula) if isinstance(one, Constant) or one.level)

    @cached_property
    def denominator(self) -> Formula | None:
        """What the ratio divides by that this is, but for what is the same everywhere; `None` of anything else."""
        node = self.formula.root
        while True:
            match node:
                case Negative(operand):
                    node = operand
                case Binary("/", left, right) if _has_own(right):
                    return Formula.of(right) if _has_own(left) else None
                case Binary(_, left, right) if _has_own(left) != _has_own(right):
                    node = left if _has_own(left) else right
                case _:
                    return None

    def value(self, own: Floats, shared: Floats) -> Floats:
        """[...] of own [leaf, ...]; a division by zero is 0, as in a table."""
        found: dict[Leaf, Floats] = {leaf: own[at] for at, leaf in enumerate(self.leaves)}
        found |= {leaf: np.asarray(shared[at]) for at, leaf in enumerate(self.shared)}
        value = evaluate(self.formula, found.__getitem__, undefined=UNDEFINED)
        return np.broadcast_to(np.asarray(value, dtype=np.float64), own.shape[1:])


def _has_own(node: Node) -> bool:
    """Whether a part of a formula reads anything that rows have of their own."""
    return bool(Measure(Formula.of(node)).leaves)
