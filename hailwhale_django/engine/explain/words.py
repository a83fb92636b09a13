"""Sentences: what an explanation says, as somebody would say it.

A sentence is a text with places for values, so that whoever shows it can translate the one and write the other in the
reader's way, with links. What is marked with `gettext_noop` is what there is to translate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from .explanation import Cause, Explanation
from .region import Region

Kind = Literal["formula", "value", "supposed", "change", "percent", "region", "times"]


@dataclass(frozen=True, slots=True)
class Value:
    """Something to be written into a sentence: a number, a formula, a region, the first and last of some buckets.

    What is `supposed` is a value that stands in no table.
    """

    kind: Kind
    of: object


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text with places such as `%(child)s`, and what comes there."""

    text: str
    values: Mapping[str, Value]

    def written(self, write: Callable[[Value], str], translate: Callable[[str], str] = str) -> str:
        return translate(self.text) % {name: write(value) for name, value in self.values.items()}


def gettext_noop(text: str) -> str:
    """Marks what is to be translated where it is shown."""
    return text


MOST_RELATIVE = 10.0
"""A change to more than so many times as much is no percentage that tells anything."""

MOST_SHARE = 2.0
"""Who carries more than so many times the change has others against it."""

ROSE = gettext_noop("%(formula)s rose from %(before)s to %(now)s (%(relative)s).")
FELL = gettext_noop("%(formula)s fell from %(before)s to %(now)s (%(relative)s).")
ROSE_PLAINLY = gettext_noop("%(formula)s rose from %(before)s to %(now)s.")
FELL_PLAINLY = gettext_noop("%(formula)s fell from %(before)s to %(now)s.")
STAYED = gettext_noop("%(formula)s stayed at %(now)s.")
NOTHING = gettext_noop("Nothing was counted in one of the two periods, so there is nothing to compare.")
ORDINARY = gettext_noop("That is no more than it usually changes from one period to the next; nothing stands out.")
ALIKE = gettext_noop("Nothing in particular: no part of it went another way than the rest by more than is usual.")

WHEN = gettext_noop("Most of it came about in a part of the period%(when)s.")

# Who carries a part of the change; goes against it; is told by itself.
RATE_ROSE = gettext_noop("%(share)s of that is %(child)s, where it rose from %(own_before)s to %(own_now)s%(when)s.")
RATE_FELL = gettext_noop("%(share)s of that is %(child)s, where it fell from %(own_before)s to %(own_now)s%(when)s.")
MIX_MORE = gettext_noop(
    "%(share)s of that is the mix: %(child)s (at %(own_now)s) has more weight, %(weight_before)s before and "
    "%(weight)s now%(when)s."
)
MIX_LESS = gettext_noop(
    "%(share)s of that is the mix: %(child)s (at %(own_now)s) has less weight, %(weight_before)s before and "
    "%(weight)s now%(when)s."
)
NEW = gettext_noop("%(share)s of that is %(child)s, which was not there before (%(own_now)s)%(when)s.")
GONE = gettext_noop("%(share)s of that is %(child)s, which is there no more (it had %(own_before)s)%(when)s.")
AGAINST_ROSE = gettext_noop("Against that, %(child)s rose from %(own_before)s to %(own_now)s%(when)s.")
AGAINST_FELL = gettext_noop("Against that, %(child)s fell from %(own_before)s to %(own_now)s%(when)s.")
AGAINST_MIX_MORE = gettext_noop("Against that, %(child)s (at %(own_now)s) has more weight, %(weight)s now%(when)s.")
AGAINST_MIX_LESS = gettext_noop("Against that, %(child)s (at %(own_now)s) has less weight, %(weight)s now%(when)s.")
AGAINST_NEW = gettext_noop("Against that, %(child)s was not there before (%(own_now)s)%(when)s.")
AGAINST_GONE = gettext_noop("Against that, %(child)s is there no more (it had %(own_before)s)%(when)s.")
ALONE_ROSE = gettext_noop("In %(child)s it rose from %(own_before)s to %(own_now)s%(when)s.")
ALONE_FELL = gettext_noop("In %(child)s it fell from %(own_before)s to %(own_now)s%(when)s.")
ALONE_MIX_MORE = gettext_noop("%(child)s (at %(own_now)s) has more weight, %(weight)s now%(when)s.")
ALONE_MIX_LESS = gettext_noop("%(child)s (at %(own_now)s) has less weight, %(weight)s now%(when)s.")
ALONE_NEW = gettext_noop("%(child)s was not there before (%(own_now)s)%(when)s.")
ALONE_GONE = gettext_noop("%(child)s is there no more (it had %(own_before)s)%(when)s.")
WITHOUT = gettext_noop("Had it changed as the rest did, %(formula)s would be %(without)s.")

Form = Literal["rose", "fell", "more weight", "less weight", "new", "gone"]
"""What a child did, as a sentence says it."""

CARRYING: dict[Form, str] = {
    "rose": RATE_ROSE,
    "fell": RATE_FELL,
    "more weight": MIX_MORE,
    "less weight": MIX_LESS,
    "new": NEW,
    "gone": GONE,
}
AGAINST: dict[Form, str] = {
    "rose": AGAINST_ROSE,
    "fell": AGAINST_FELL,
    "more weight": AGAINST_MIX_MORE,
    "less weight": AGAINST_MIX_LESS,
    "new": AGAINST_NEW,
    "gone": AGAINST_GONE,
}
ALONE: dict[Form, str] = {
    "rose": ALONE_ROSE,
    "fell": ALONE_FELL,
    "more weight": ALONE_MIX_MORE,
    "less weight": ALONE_MIX_LESS,
    "new": ALONE_NEW,
    "gone": ALONE_GONE,
}

LEAST_CARRIED = 0.005
"""Who carries less of the change, as it is written, carries none."""


def sentences(explanation: Explanation) -> Iterator[Sentence]:
    """What happened, and what of it is because of what."""
    yield _change(explanation)
    if explanation.verdict == "nothing":
        yield Sentence(NOTHING, {})
    elif explanation.verdict == "alike":
        yield Sentence(ALIKE, {})
    elif explanation.verdict == "ordinary":
        yield Sentence(ORDINARY, {})
    if explanation.times is not None and explanation.verdict in ("alike", "causes"):
        yield Sentence(WHEN, {"when": Value("times", explanation.times)})
    # Where causes make up for each other, parts of what is left of the change say nothing.
    offset = any(abs(cause.share) > MOST_SHARE for cause in explanation.causes) or not explanation.change
    for at, cause in enumerate(explanation.causes):
        carries = cause.share > LEAST_CARRIED
        texts = ALONE if offset else CARRYING if carries else AGAINST
        yield Sentence(texts[_form(cause)], _values(explanation, cause))
        if at == 0 and (offset or carries):
            yield Sentence(WITHOUT, _values(explanation, cause))


def _change(explanation: Explanation) -> Sentence:
    values = {
        "formula": Value("formula", explanation.formula),
        "before": Value("value", explanation.before),
        "now": Value("value", explanation.now),
        "relative": Value("change", explanation.relative),
    }
    if not explanation.change:
        return Sentence(STAYED, values)
    rose = explanation.change > 0
    if explanation.relative is None or explanation.before * explanation.now < 0 or explanation.relative > MOST_RELATIVE:
        return Sentence(ROSE_PLAINLY if rose else FELL_PLAINLY, values)
    return Sentence(ROSE if rose else FELL, values)


def _form(cause: Cause) -> Form:
    part = cause.part
    if cause.how == "new" or cause.how == "gone":
        return cause.how
    if cause.how == "mix":
        return "more weight" if (part.weight or 0.0) > (part.weight_before or 0.0) else "less weight"
    return "rose" if (part.now or 0.0) > (part.before or 0.0) else "fell"


def _values(explanation: Explanation, cause: Cause) -> dict[str, Value]:
    part = cause.part
    return {
        "formula": Value("formula", explanation.formula),
        "child": Value("region", Region(cause.path, cause.counters)),
        "share": Value("percent", cause.share),
        "own_before": Value("value", part.before),
        "own_now": Value("value", part.now),
        "weight_before": Value("percent", part.weight_before),
        "weight": Value("percent", part.weight),
        "without": Value("supposed", cause.without),
        "when": Value("times", cause.times),
    }
