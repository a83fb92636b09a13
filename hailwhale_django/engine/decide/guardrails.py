"""Guardrails: what must not get worse while something else gets better.

A guardrail is a ratio, a direction and how much worse it may get, in shares of the control's. Of each option the
interval of its change decides, the one that holds however often one looks (`sequential`), since guardrails are there to
be looked at daily:

- broken: even the best end of the interval is worse than tolerated;
- worsening: even the best end is worse than the control, if perhaps within what is tolerated;
- fine: neither. It is `proven` where even the worst end is within what is tolerated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..errors import InvalidInput
from .evidence import Floats
from .ratio import Interval
from .sequential import LEVEL, Comparison, against_control

State: TypeAlias = Literal["fine", "worsening", "broken"]


@dataclass(frozen=True, slots=True)
class Guardrail:
    """`formula`: the ratio; `minimize`: whether less of it is better; `tolerated`: how much worse, .02 for 2%."""

    formula: str
    minimize: bool = False
    tolerated: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.tolerated < math.inf:
            raise InvalidInput("tolerated", self.tolerated, "a share of 0 or more, e.g. 0.02")


@dataclass(frozen=True, slots=True)
class Guarded:
    """An option under a guardrail. `worsening`: the share by which it is worse, and the interval around that."""

    guardrail: Guardrail
    option: str
    against: str
    worsening: Interval
    enough: bool

    @property
    def state(self) -> State:
        if self.enough and self.worsening.lower > self.guardrail.tolerated:
            return "broken"
        return "worsening" if self.enough and self.worsening.lower > 0 else "fine"

    @property
    def proven(self) -> bool:
        return self.enough and self.worsening.upper <= self.guardrail.tolerated

    @property
    def words(self) -> str:
        name, option, tolerated = self.guardrail.formula, self.option, f"{self.guardrail.tolerated:.1%}"
        if not self.enough:
            return f"{name}: too few results of {option} and {self.against} to tell."
        if self.state == "fine":
            if self.proven:
                return f"{name}: {option} is no worse than {self.against}, or by no more than {tolerated}."
            return f"{name}: nothing is seen to be wrong with {option}; it may be up to {self._most} worse."
        worse = f"{name}: {option} is {self.worsening.value:.1%} worse than {self.against}"
        return f"{worse}, more than the {tolerated} tolerated." if self.state == "broken" else f"{worse}."

    @property
    def _most(self) -> str:
        return f"{self.worsening.upper:.1%}" if math.isfinite(self.worsening.upper) else "any amount"


def guarded(
    guardrail: Guardrail, options: Sequence[str], sums: Floats, control: int = 0, level: float = LEVEL
) -> tuple[Guarded, ...]:
    """Each option but the control, from the sums[option, 8] of the guardrail's ratio."""
    found = against_control(options, sums, control, level=level, minimize=guardrail.minimize)
    return tuple(_guarded(guardrail, one) for one in found)


def _guarded(guardrail: Guardrail, found: Comparison) -> Guarded:
    change = found.difference.relative
    return Guarded(
        guardrail, found.option, found.against, change if guardrail.minimize else change.mirrored, found.enough
    )
