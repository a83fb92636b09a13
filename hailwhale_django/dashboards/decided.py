"""Decisions of the log as a page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from ..engine.store.choices import Kept, Logged
from . import writing
from .live import age
from .standings import chance

SHOWN_LOGGED = 20


@dataclass(frozen=True, slots=True)
class ShownDecision:
    """A decision of the log."""

    age: str
    option: str
    probability: str
    how: str
    known: tuple[str, ...]
    policy: str
    earned: str


def shown_decision(logged: Logged, now: float) -> ShownDecision:
    made = logged.kept
    earned = ", ".join(f"{name} {writing.number(value)}" for name, value in logged.earned.items())
    return ShownDecision(
        age(max(now - made.at, 0)),
        made.option,
        chance(made.probability),
        _why(made),
        tuple(_leaves(made.paths)),
        f"{made.policy} {made.version}",
        earned or writing.NOTHING,
    )


def _why(made: Kept) -> str:
    if made.uniform:
        return gettext("by chance alone")
    if made.expected is None:
        return gettext("by what was known")
    expected = writing.number(made.expected, ratio=True)
    return gettext("by what was known, expecting %(expected)s") % {"expected": expected}


def _leaves(paths: Sequence[str]) -> list[str]:
    return [path for path in paths if not any(other.startswith(f"{path}/") for other in paths)]
