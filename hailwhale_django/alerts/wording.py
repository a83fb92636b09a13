"""What alerts say, in sentences."""

from __future__ import annotations

from django.utils.translation import gettext

from ..dashboards import writing
from ..dashboards.column import duration
from ..engine.domain.alarm import Bout, Reading
from .lookout import ITSELF, Lookout


def news(lookout: Lookout, child: str, state: str, reading: Reading, bout: Bout, now: float) -> str:
    """What became of a child: `US: revenue/visitors is 1.850, below 2`."""
    told = {"began": _began, "silent": _silent, "ended": _ended}[state](lookout, reading, now - bout.since)
    return named(child, told)


def named(child: str, told: str) -> str:
    """On one line, whatever the child is called."""
    return told if child == ITSELF else f"{' '.join(child.split())}: {told}"


def now(lookout: Lookout, reading: Reading) -> str:
    """A reading by itself."""
    if reading.value is None:
        return gettext("no data")
    value = lookout.column.text(reading.value)
    if not lookout.rule.compares:
        return value
    was, change = lookout.column.text(reading.before), writing.percent(reading.change, signed=True)
    return gettext("%(value)s (before: %(before)s, %(change)s)") % {"value": value, "before": was, "change": change}


def condition(lookout: Lookout) -> str:
    """What it waits for: `revenue/visitors is below 2 within 1h`."""
    rule, column = lookout.rule, lookout.column
    words = {
        "above": gettext("%(formula)s is above %(threshold)s within %(window)s"),
        "below": gettext("%(formula)s is below %(threshold)s within %(window)s"),
        "rises": gettext("%(formula)s rises by more than %(threshold)s within %(window)s"),
        "falls": gettext("%(formula)s falls by more than %(threshold)s within %(window)s"),
        "silent": gettext("%(formula)s has no data within %(window)s"),
    }[rule.condition]
    threshold = writing.percent(rule.threshold) if rule.compares else column.text(rule.threshold)
    return words % {"formula": column.title, "threshold": threshold, "window": lookout.text}


def gone(child: str) -> str:
    return named(child, gettext("is not counted any more"))


def failed(error: Exception) -> str:
    return gettext("It could not be told: %(error)s") % {"error": str(error) or type(error).__name__}


def _began(lookout: Lookout, reading: Reading, _seconds: float) -> str:
    rule, column = lookout.rule, lookout.column
    words = {
        "above": gettext("%(formula)s is %(value)s, above %(threshold)s"),
        "below": gettext("%(formula)s is %(value)s, below %(threshold)s"),
        "rises": gettext("%(formula)s rose by %(change)s to %(value)s (before: %(before)s)"),
        "falls": gettext("%(formula)s fell by %(change)s to %(value)s (before: %(before)s)"),
    }[rule.condition]
    return words % {
        "formula": column.title,
        "value": column.text(reading.value),
        "threshold": column.text(rule.threshold),
        "before": column.text(reading.before),
        "change": writing.percent(abs(reading.change or 0.0)),
    }


def _silent(lookout: Lookout, _reading: Reading, _seconds: float) -> str:
    return gettext("%(formula)s: no data within %(window)s") % {
        "formula": lookout.column.title,
        "window": lookout.text,
    }


def _ended(lookout: Lookout, reading: Reading, seconds: float) -> str:
    words = gettext("all right again after %(duration)s: %(formula)s is %(value)s")
    if reading.value is None:
        words = gettext("over after %(duration)s: %(formula)s has no data")
    value = lookout.column.text(reading.value)
    return words % {"duration": duration(seconds), "formula": lookout.column.title, "value": value}
