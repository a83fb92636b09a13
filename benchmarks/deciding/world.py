"""A world: visitors with their contexts, options, and what each option would have earned from each visitor.

All chance is drawn before anybody plays, so that players of one seed meet the same visitors with the same luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hailwhale_django.engine.decide.cells import Cell, Outlook
from hailwhale_django.engine.domain.paths import dimension_paths

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Outcome:
    """What an option earned from each of some visitors: at once, and `delay` days later."""

    __slots__ = ("delay", "now_d", "now_y", "then_d", "then_y")

    def __init__(self, now_y: Floats, now_d: Floats, then_y: Floats, then_d: Floats, delay: Floats) -> None:
        self.now_y, self.now_d, self.then_y, self.then_d, self.delay = now_y, now_d, then_y, then_d, delay


@dataclass(frozen=True)
class World:
    """`chance[phase, context, option]` that a visitor yields something, of which the mean is `size`.

    `kind` says what is measured: `revenue` per visitor (denominator 1), `spent` per earned (the numerator is 1, what
    is yielded is the denominator), or `cost` per amount (every visitor has both, and both are heavy-tailed).
    """

    name: str
    kind: str
    known: Sequence[dict[str, object]]
    context: Ints
    chance: Floats
    size: Floats
    luck: Floats
    sizes: Floats
    delays: Floats
    days: int = 50
    batch: int = 100

    @property
    def minimize(self) -> bool:
        return self.kind != "revenue"

    @property
    def visitors(self) -> int:
        return len(self.context)

    @property
    def options(self) -> int:
        return self.chance.shape[2]

    def day(self, visitor: int | Ints) -> Ints:
        return np.asarray(visitor * self.days // self.visitors)

    def phase(self, visitor: Ints) -> Ints:
        return visitor * len(self.chance) // self.visitors

    @cached_property
    def ratios(self) -> Floats:
        """The truth: the ratio by phase, context and option."""
        if self.kind == "revenue":
            return self.chance * self.size
        return 1 / (self.chance * self.size) if self.kind == "spent" else self.size

    @cached_property
    def shortfall(self) -> Floats:
        """By how much each option's ratio falls short of the best one's, by phase, context and option."""
        sign = -1.0 if self.minimize else 1.0
        gain = sign * self.ratios
        return np.asarray(gain.max(axis=2, keepdims=True) - gain)

    def outcome(self, visitors: Ints, options: Ints) -> Outcome:
        phase, context = self.phase(visitors), self.context[visitors]
        came = self.luck[visitors] < self.chance[phase, context, options]
        size = self.size[phase, context, options]
        nothing, one = np.zeros(len(visitors)), np.ones(len(visitors))
        delay = self.delays[visitors]
        if self.kind == "cost":
            amount = self.sizes[visitors, 0]
            return Outcome(amount * size * self.sizes[visitors, 1], amount, nothing, nothing, nothing)
        worth = came * size * self.sizes[visitors, 0]
        if self.kind == "spent":
            return Outcome(one, nothing, nothing, worth, delay)
        at_once = delay <= 0
        return Outcome(np.where(at_once, worth, 0.0), one, np.where(at_once, 0.0, worth), nothing, delay)

    @cached_property
    def cells(self) -> list[tuple[Cell, ...]]:
        """The cells of each context."""
        return [Outlook().cells(dimension_paths(known)) for known in self.known]

    @cached_property
    def features(self) -> Floats:
        """Each context as peers see it: a constant, and one column per cell but everybody."""
        names = sorted({cell.text for cells in self.cells for cell in cells[1:]})
        columns = [[float(any(cell.text == name for cell in cells)) for name in names] for cells in self.cells]
        return np.column_stack([np.ones(len(self.cells)), np.array(columns).reshape(len(self.cells), -1)])
