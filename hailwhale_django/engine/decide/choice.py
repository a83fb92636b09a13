"""Choices: the option that was chosen, and everything that says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Standing(NamedTuple):
    """How one option stood for one visitor.

    `probability` of being chosen; the posterior `mean` of its ratio, with the ends of its 90% interval; `best`, the
    chance of being best; `loss`, what of its ratio is expected to be missing to the best; `events` of everybody, and
    `value`, their plain ratio (`None` where the denominator is 0).
    """

    option: str
    probability: float
    mean: float
    lower: float
    upper: float
    best: float
    loss: float
    events: float
    value: float | None


class Clue(NamedTuple):
    """What a group of visitors said of the chosen option: `weight` is the factor by which it moved its mean."""

    level: str
    paths: tuple[str, ...]
    events: float
    value: float | None
    weight: float


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision for one visitor. `str()` of it is the option.

    `probability` is that with which this option was chosen, all in all; `uniform` says that it was chosen by chance
    alone, `forced` and `sticky` that it was not chosen anew. `id` is what later events name it by ("" where it was not
    kept). `standings` are all options in the order in which they were given, `clues` what told most.
    """

    decision: str
    option: str
    probability: float
    policy: str
    version: int
    seed: str
    at: float
    id: str = ""
    uniform: bool = False
    forced: bool = False
    sticky: bool = False
    standings: tuple[Standing, ...] = ()
    clues: tuple[Clue, ...] = ()
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.option

    def standing(self, option: str) -> Standing:
        return next(one for one in self.standings if one.option == option)

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        plain["standings"] = [one._asdict() for one in self.standings]
        plain["clues"] = [{**one._asdict(), "paths": list(one.paths)} for one in self.clues]
        plain["reasons"] = list(self.reasons)
        return plain
