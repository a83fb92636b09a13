"""Terms: how a decision is made, apart from what is known; and the draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import InvalidInput
from .aim import DEFAULT, Aim, aim_of
from .cells import Outlook
from .evidence import Evidence, Floats, Judgement, N

DEFAULT_POLICY = "thompson"


@dataclass(frozen=True, slots=True)
class Terms:
    """`policy` and its `settings`, and what holds whatever the policy says.

    `floor`: the least probability of every option (all together at most 1). `uniform`: the share of visitors who are
    decided for by chance alone, whatever is known, so that experiments can be judged by them. `burn_in`: until every
    option has so many events, all are decided by chance.
    """

    aim: Aim = field(default_factory=lambda: aim_of(DEFAULT))
    policy: str = DEFAULT_POLICY
    settings: Mapping[str, Any] = field(default_factory=dict)
    outlook: Outlook = field(default_factory=Outlook)
    floor: float = 0.0
    uniform: float = 0.0
    burn_in: int = 0

    def __post_init__(self) -> None:
        for name, share in (("floor", self.floor), ("uniform", self.uniform)):
            if not 0 <= share <= 1:
                raise InvalidInput(name, share, "use a share from 0 to 1")
        if self.burn_in < 0:
            raise InvalidInput("burn_in", self.burn_in, "use a whole number of events, 0 or more")

    def probabilities(self, judged: Judgement, evidence: Evidence) -> Floats:
        """With which probability each option is chosen, all in all."""
        options = len(evidence.options)
        if self.is_burning_in(evidence):
            return np.full(options, 1 / options)
        floor = min(self.floor, 1 / options)
        raised = floor + (1 - floor * options) * judged.probability
        return (1 - self.uniform) * raised + self.uniform / options

    def is_burning_in(self, evidence: Evidence) -> bool:
        return bool(self.burn_in) and bool(evidence.sums[:, 0, N].min() < self.burn_in)


def drawn(probabilities: Sequence[float] | Floats, uniform: float, chance: float) -> tuple[int, bool]:
    """The option that a number in [0, 1) stands for, and whether it is of the `uniform` share.

    The first `uniform` of all numbers are that share; each option's part of all numbers is its probability.
    """
    weights = np.asarray(probabilities, dtype=float)
    options = len(weights)
    if chance < uniform:
        return min(int(chance / uniform * options), options - 1), True
    if uniform < 1:
        weights = np.maximum(weights - uniform / options, 0.0)
    behind = np.cumsum(weights)
    at = int(np.searchsorted(behind, (chance - uniform) / max(1 - uniform, 1e-12) * behind[-1], side="right"))
    return min(at, options - 1), False
