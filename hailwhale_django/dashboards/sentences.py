"""What an experiment's findings say, in the reader's language: the same as their own `words`, which are English."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, isnan

from django.utils.translation import gettext, ngettext

from ..engine.decide.balance import Balance
from ..engine.decide.guardrails import Guarded
from ..engine.decide.overlap import FEWEST_EFFECTIVE, FURTHEST, HEAVIEST, MOST_UNCOVERED, Overlap
from ..engine.decide.remaining import Remaining
from ..engine.decide.sequential import Leader
from . import writing

MOST_NAMES = 3


def lead(found: Leader, measure: str) -> str:
    """Which option is ahead, and whether that is certain."""
    if found.decided:
        text = gettext("%(option)s is the best in %(measure)s; this holds however often you look.")
        return text % {"option": found.option, "measure": measure}
    others = listed([one.against for one in found.comparisons if not one.decided])
    text = gettext("%(option)s is ahead in %(measure)s, but %(others)s may still be as good.")
    return text % {"option": found.option, "measure": measure, "others": others}


def left(found: Remaining) -> str:
    """Whether it is worth going on."""
    if found.value == 0:
        text = gettext("Nothing is left to find out: %(option)s is almost certainly the best.")
    elif isnan(found.value):
        text = gettext("What is left to be gained cannot be told as a share: the leader's ratio may be 0.")
    elif found.may_stop:
        text = gettext("You may stop: the best option may still be up to %(share)s better than %(option)s, not more.")
    else:
        text = gettext("It is worth going on: the best option may still be up to %(share)s better than %(option)s.")
    return text % {"option": found.leader, "share": writing.percent(found.value)}


def split(found: Balance) -> str:
    """Whether traffic was assigned as it should have been."""
    if found.balanced and not found.degrees:
        return gettext("Too few were assigned to say whether the traffic is split as it should be.")
    if found.balanced:
        return gettext("The traffic is split as it should be.")
    option, assigned, expected = found.furthest()
    text = gettext(
        "The traffic is not split as it should be: %(option)s was assigned %(assigned)s times, where %(expected)s were "
        "expected. Find out why before you believe any comparison."
    )
    times = {"assigned": writing.number(round(assigned)), "expected": writing.number(round(expected))}
    return text % {"option": option, **times}


def guard(found: Guarded) -> str:
    """How an option does by a guardrail."""
    return _guard(found) % {
        "formula": found.guardrail.formula,
        "option": found.option,
        "against": found.against,
        "tolerated": writing.percent(found.guardrail.tolerated),
        "worse": writing.percent(found.worsening.value),
        "most": writing.percent(found.worsening.upper),
    }


def _guard(found: Guarded) -> str:
    if not found.enough:
        return gettext("%(formula)s: too few results of %(option)s and %(against)s to tell.")
    if found.state == "broken":
        return gettext(
            "%(formula)s: %(option)s is %(worse)s worse than %(against)s, more than the %(tolerated)s tolerated."
        )
    if found.state == "worsening":
        return gettext("%(formula)s: %(option)s is %(worse)s worse than %(against)s.")
    if found.proven:
        return gettext("%(formula)s: %(option)s is no worse than %(against)s, or by no more than %(tolerated)s.")
    if isfinite(found.worsening.upper):
        return gettext("%(formula)s: nothing is seen to be wrong with %(option)s; it may be up to %(most)s worse.")
    return gettext("%(formula)s: nothing is seen to be wrong with %(option)s; it may be up to any amount worse.")


def doubt(found: Overlap) -> str:
    """What makes it doubtful what a policy would have earned; "" if nothing does."""
    if found.uncovered > MOST_UNCOVERED:
        text = gettext("%(share)s of what it would choose was never tried there.")
        return text % {"share": writing.percent(found.uncovered, places=0)}
    if found.effective < FEWEST_EFFECTIVE:
        text = gettext(
            "the log of %(decisions)s decisions tells as much of it as %(effective)s would; %(needed)s are needed."
        )
        counts = {"decisions": found.decisions, "effective": round(found.effective), "needed": round(FEWEST_EFFECTIVE)}
        return text % {name: writing.number(count) for name, count in counts.items()}
    if found.heaviest > HEAVIEST:
        text = gettext("%(share)s of the answer rest on a single decision.")
        return text % {"share": writing.percent(found.heaviest, places=0)}
    if abs(found.off) > FURTHEST:
        text = gettext("the logged propensities cannot be right (weights are %(weight)s on average, not 1).")
        return text % {"weight": writing.short(found.mean_weight)}
    return ""


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b, c and 2 others`"""
    if len(names) > MOST_NAMES:
        rest = len(names) - MOST_NAMES
        text = ngettext("%(names)s and %(count)s other", "%(names)s and %(count)s others", rest)
        return text % {"names": ", ".join(names[:MOST_NAMES]), "count": rest}
    *first, last = names
    return gettext("%(names)s and %(last)s") % {"names": ", ".join(first), "last": last} if first else last
