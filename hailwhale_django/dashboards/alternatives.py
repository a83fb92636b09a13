"""What something else would have earned, as a page shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from django.utils.translation import gettext

from ..engine.decide.ratio import Interval
from ..engine.hindsight import Answer, Hindsight
from . import sentences, writing


@dataclass(frozen=True, slots=True)
class Alternative:
    """A way to decide, and what it would have earned: values with where they may lie, and what makes that doubtful.

    `snips` and `dr` are of the ratio, `ips` of the numerator of one decision.
    """

    name: str
    snips: tuple[str, str]
    dr: tuple[str, str]
    ips: tuple[str, str]
    effective: str
    warning: str


@dataclass(frozen=True, slots=True)
class Alternatives:
    """`decisions`: of how many in the log; `problem`: what it cannot say."""

    rows: list[Alternative]
    decisions: str
    problem: str = ""


def alternatives(found: Hindsight | None, decisions: int, other: tuple[str, Answer] | None) -> Alternatives:
    """What was decided, each option alone, an equal split, and another policy with its name."""
    if found is None:
        return Alternatives([], writing.number(float(decisions)), _missing(decisions))
    rows = [_row(name, answer) for name, answer in (*_answers(found), *([other] if other else []))]
    return Alternatives(rows, writing.number(float(len(found.logged))))


def interval(lower: float, upper: float) -> str:
    """From where to where."""
    if not isfinite(lower + upper):
        return ""
    return f"{writing.number(lower, ratio=True)} – {writing.number(upper, ratio=True)}"


def _answers(found: Hindsight) -> Iterator[tuple[str, Answer]]:
    decided = found.as_decided()
    if decided is not None:
        yield gettext("As it was decided"), decided
    for option, answer in found.always():
        yield gettext("Always %(option)s") % {"option": option}, answer
    if len(found.options) > 1:
        yield gettext("An equal split"), found.split()


def _missing(decisions: int) -> str:
    if decisions < 2:
        return gettext("The log has no decisions yet.")
    return gettext(
        "The log does not know what its decisions earned: count with decision_id or visitor, so that it is credited."
    )


def _row(name: str, answer: Answer) -> Alternative:
    snips, ips, dr = answer.snips, answer.ips, answer.dr
    effective = writing.number(float(round(snips.overlap.effective)))
    doubt = sentences.doubt(snips.overlap)
    return Alternative(name, _written(snips.ratio), _written(dr.ratio), _written(ips.numerator), effective, doubt)


def _written(found: Interval) -> tuple[str, str]:
    return writing.number(found.value, ratio=True), interval(found.lower, found.upper)
