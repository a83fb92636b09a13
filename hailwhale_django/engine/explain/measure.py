"""A formula as a function of what is counted.

Its *leaves* are what a row has of its own: metrics. What is the same for all rows of a question (constants, and metrics
read at the parent's level or at the whole) is *shared*. Arrays are [leaf, ...] and [shared].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..domain.formula import Constant, Formula, Metric, evaluate, leaves_of
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

    def value(self, own: Floats, shared: Floats) -> Floats:
        """[...] of own [leaf, ...]; a division by zero is 0, as in a table."""
        found: dict[Leaf, Floats] = {leaf: own[at] for at, leaf in enumerate(self.leaves)}
        found |= {leaf: np.asarray(shared[at]) for at, leaf in enumerate(self.shared)}
        value = evaluate(self.formula, found.__getitem__, undefined=UNDEFINED)
        return np.broadcast_to(np.asarray(value, dtype=np.float64), own.shape[1:])
