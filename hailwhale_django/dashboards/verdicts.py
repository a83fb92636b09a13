"""What a decision's findings mean, in sentences; and what to do now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal, TypeAlias

from django.utils.translation import gettext

from ..engine.decide.aim import Aim
from ..engine.decide.choice import Standing
from ..engine.decide.guardrails import Guarded
from ..engine.decide.remaining import Remaining
from ..engine.experiment import Level
from ..engine.findings import Findings
from ..registration import Registration
from . import sentences, writing
from .standings import chance

Grade: TypeAlias = Literal["well", "open", "warning", "error"]
SIGNS: dict[Grade, str] = {"well": "✓", "open": "…", "warning": "!", "error": "✗"}
GRADES: dict[str, Grade] = {"fine": "well", "worsening": "warning", "broken": "error"}

SURE = 0.95
MOST_GUARDED = 20


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, and how good or bad that is."""

    title: str
    text: str
    grade: Grade = "well"

    @property
    def sign(self) -> str:
        return SIGNS[self.grade]


def checks(one: Registration, found: Findings, standings: Sequence[Standing]) -> list[Told]:
    """Each finding in a sentence."""
    told = [_test(one, found)]
    if found.left is not None:
        worth = gettext("Is it worth going on?")
        told.append(Told(worth, sentences.left(found.left), "well" if found.left.may_stop else "open"))
        cost = _cost(one, found.left, standings)
        told += [Told(gettext("What would stopping now cost?"), cost, "open")] if cost else []
    if found.balance is not None:
        grade: Grade = "error" if not found.balance.balanced else "well" if found.balance.degrees else "open"
        told.append(Told(gettext("Is the traffic split as it should be?"), sentences.split(found.balance), grade))
    rails = sorted(found.guarded, key=lambda rail: -list(GRADES).index(rail.state))
    return told + [Told(gettext("Guardrail"), sentences.guard(rail), _grade_of(rail)) for rail in rails[:MOST_GUARDED]]


def advice(one: Registration, found: Findings | None, levels: Sequence[Level], events: float) -> Told:
    """What to do now, and why, in one paragraph; without findings the store is away."""
    title = gettext("What to do now")
    if one.state != "running":
        return Told(title, _at_rest(one))
    if found is None:
        text = gettext("The counts cannot be read now. Deciding goes on as soon as the store answers.")
        return Told(title, text, "error")
    if len(one.options) < 2:
        text = gettext("There is only one option, so there is nothing to decide. Add another one.")
        return Told(title, text, "warning")
    if not events:
        text = gettext(
            "Nothing was counted yet. Show the option that Whale.decide gives, and tell Whale.count_decision what "
            "came of it; until then every option is as likely."
        )
        return Told(title, text, "warning")
    if found.balance is not None and not found.balance.balanced:
        return Told(title, _joined(gettext("Do not decide anything yet."), sentences.split(found.balance)), "error")
    return _running(title, one, found, levels)


def measure_of(aim: Aim) -> str:
    """`revenue/visitors` as somebody says it: revenue per visitor."""
    above, below = (list(side) for side in (aim.numerator, aim.denominator))
    if len(above) == len(below) == 1 and below[0] and aim.formula == f"{above[0]}/{below[0]}":
        each = below[0]
        one = each[:-1] if each.endswith("s") and not each.endswith("ss") else each
        return gettext("%(above)s per %(below)s") % {"above": above[0], "below": one}
    return aim.formula


def group_of(paths: Sequence[str]) -> str:
    """`country US CA and device mobile`"""
    joint = gettext("and")
    return f" {joint} ".join(path.replace("/", " ") for path in paths)


def _running(title: str, one: Registration, found: Findings, levels: Sequence[Level]) -> Told:
    leading = found.left.leader if found.left else found.test.option if found.test else one.control
    broken = [rail for rail in found.guarded if rail.option == leading and rail.state == "broken"]
    if broken:
        text = gettext("Do not declare %(option)s: it leads, but breaks a guardrail. %(words)s")
        return Told(title, text % {"option": leading, "words": sentences.guard(broken[0])}, "error")
    disagreeing = _disagreeing(one, leading, levels)
    if disagreeing:
        return Told(title, disagreeing, "warning" if one.is_fixed else "well")
    if found.test is not None and found.test.decided:
        text = gettext("You can declare %(option)s the winner.") % {"option": found.test.option}
        return Told(title, _joined(text, sentences.lead(found.test, measure_of(one.terms.aim))))
    if found.left is not None and found.left.may_stop:
        text = gettext("You may declare %(option)s: there is little left to gain.") % {"option": leading}
        return Told(title, _joined(text, _left(found.left)))
    if found.left is not None:
        return Told(title, _joined(gettext("Let it run."), _ahead(found.left), _left(found.left)))
    return Told(title, gettext("Let it run."))


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _ahead(left: Remaining) -> str:
    return gettext("%(option)s is ahead; the chance that it is the best is %(chance)s.") % {
        "option": left.leader,
        "chance": writing.percent(left.chance, places=0),
    }


def _left(left: Remaining) -> str:
    if not isfinite(left.value) or not left.value:
        return sentences.left(left)
    return gettext("The best option may still be up to %(share)s better than %(option)s.") % {
        "share": writing.percent(left.value),
        "option": left.leader,
    }


def _cost(one: Registration, left: Remaining, standings: Sequence[Standing]) -> str:
    """As a share of what the leader's ratio is believed to be; "" where that is 0."""
    mean = next(row.mean for row in standings if row.option == left.leader)
    if not isfinite(mean) or not mean:
        return ""
    lost = chance(left.loss[left.options.index(left.leader)] / abs(mean))
    text = gettext("If everybody got %(option)s from now on, %(lost)s of %(measure)s are expected to be missed.")
    return text % {"option": left.leader, "lost": lost, "measure": measure_of(one.terms.aim)}


def _at_rest(one: Registration) -> str:
    told = {
        "draft": gettext(
            "This is a draft: everybody gets %(option)s, and nothing is counted. Start it when your page asks for it."
        ),
        "stopped": gettext(
            "It is stopped: everybody gets %(option)s. Start it again to learn more, or declare a winner."
        ),
        "won": gettext(
            "%(option)s has won: everybody gets it. Put it into your code for good, and archive this decision."
        ),
    }
    return told[one.state] % {"option": one.only}


def _disagreeing(one: Registration, leading: str, levels: Sequence[Level]) -> str:
    """What to do where the largest group that disagrees surely does better with another option than all together."""
    for segment in sorted((one for level in levels for one in level.segments), key=lambda one: -one.events):
        chances = segment.judged.best.tolist()
        best = chances.index(max(chances))
        if one.options[best] != leading and chances[best] >= SURE:
            told = {"leader": leading, "group": group_of(segment.cell.paths), "option": one.options[best]}
            if one.is_fixed:
                text = gettext(
                    "Choose a policy that adapts: no option is the best for all. %(leader)s is ahead, but visitors "
                    "with %(group)s do better with %(option)s."
                )
            else:
                text = gettext(
                    "Let it run: no option is the best for all. %(leader)s is ahead, but visitors with %(group)s do "
                    "better with %(option)s, and get it."
                )
            return text % told
    return ""


def _test(one: Registration, found: Findings) -> Told:
    title = gettext("Is there a winner?")
    if len(one.options) < 2:
        return Told(title, gettext("There is nothing to compare with only one option."), "open")
    if found.test is not None:
        words = sentences.lead(found.test, measure_of(one.terms.aim))
        if not one.is_fixed:
            events = writing.number(found.fair)
            words = gettext("By the %(events)s events of visitors who were decided for by chance alone: %(words)s") % {
                "events": events,
                "words": words,
            }
        return Told(title, words, "well" if found.test.decided else "open")
    if one.is_fixed or one.terms.uniform:
        text = gettext("It is too early to say: nothing was counted of traffic that is fit to be compared.")
        return Told(title, text, "open")
    text = gettext("This cannot be tested fairly: no share of the visitors is decided for by chance alone.")
    return Told(title, text, "warning")


def _grade_of(rail: Guarded) -> Grade:
    return GRADES[rail.state] if rail.proven or rail.state != "fine" else "open"
