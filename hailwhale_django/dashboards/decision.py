"""What a decision's page shows, in some ten round trips to the store; and the list of decisions, in one for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from django.utils import dateformat
from django.utils.translation import gettext, pgettext

from ..engine.chooser import Question, Weighed, standings_of
from ..engine.decide.choice import Standing
from ..engine.decide.policies.book import POLICIES
from ..engine.domain.period import Period
from ..engine.errors import InvalidInput, StoreUnavailable
from ..engine.experiment import Days, Level
from ..engine.findings import Findings, findings
from ..engine.hindsight import Answer, Hindsight
from ..engine.pod import Pod
from ..engine.store.choices import Logged
from ..registration import FIXED, Registration, State, line_of
from . import posterior, writing
from .alternatives import Alternatives, alternatives, interval
from .live import age
from .posterior import Bands
from .segments import ShownLevel, shown_levels
from .verdicts import Told, advice, checks

DECISIONS_OF_A_LIST = 100
OPTIONS_OF_A_PAGE = 100
OPTIONS_AT_FIRST = 20
LOGGED = 5_000
"""Decisions that are looked at for what something else would have earned."""

SHOWN_LOGGED = 20
LEAST_CHANCE = 0.001

QuestionOf = Callable[[Registration], Question]


@dataclass(frozen=True, slots=True)
class Bar:
    """A value and where it may be, as parts of a hundred."""

    width: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class OptionRow:
    """An option among others, as a visitor sees it of whom nothing is known."""

    name: str
    mark: str
    mean: str
    interval: str
    bar: Bar | None
    best: str
    loss: str
    share: str
    events: str
    plain: str


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


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a decision."""

    weighed: Weighed
    standings: tuple[Standing, ...]
    found: Findings
    levels: list[Level]
    days: Days
    logged: list[Logged]
    hindsight: Hindsight | None
    other: tuple[str, Answer] | None


@dataclass
class DecisionPage:
    """A decision's page; without a reading (`problem` says why) there are no numbers."""

    one: Registration
    now: float
    reading: Reading | None = None
    problem: str = ""
    policy: str = ""
    period: Period | None = None
    options: list[OptionRow] = field(default_factory=list)
    graph: Bands | None = None
    levels: list[ShownLevel] = field(default_factory=list)
    checks: list[Told] = field(default_factory=list)
    log: list[ShownDecision] = field(default_factory=list)
    alternatives: Alternatives | None = None

    @property
    def title(self) -> str:
        return self.one.title

    @property
    def state(self) -> str:
        return state_word(self.one.state)

    @property
    def events(self) -> float:
        return sum(one.events for one in self.reading.standings) if self.reading else 0.0

    @property
    def has_events(self) -> bool:
        return self.events > 0

    @cached_property
    def advice(self) -> Told:
        found = self.reading.found if self.reading else None
        return advice(self.one, found, self.reading.levels if self.reading else (), self.events)

    @property
    def first_options(self) -> list[OptionRow]:
        return self.options[:OPTIONS_AT_FIRST]

    @property
    def further_options(self) -> list[OptionRow]:
        return self.options[OPTIONS_AT_FIRST:]

    @property
    def choices(self) -> list[str]:
        """Those that can be declared, the best first."""
        return [row.name for row in self.options] or list(self.one.options[:OPTIONS_OF_A_PAGE])

    @property
    def more_options(self) -> int:
        return len(self.one.options) - len(self.options) if self.options else 0

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What is settled of it."""
        one, terms = self.one, self.one.terms
        best = gettext("%(formula)s, less is better") if terms.aim.minimize else "%(formula)s"
        facts = [
            (gettext("Counter"), str(one.counter)),
            (gettext("Aim"), best % {"formula": terms.aim.formula}),
            (gettext("Policy"), terms.policy),
            (gettext("Control"), one.control),
            (gettext("Uniform share"), writing.percent(terms.uniform)),
        ]
        if terms.floor:
            facts.append((gettext("Floor"), writing.percent(terms.floor)))
        if terms.burn_in:
            facts.append((gettext("Burn-in"), writing.number(float(terms.burn_in))))
        dimensions = terms.outlook.dimensions
        facts.append((gettext("Dimensions"), ", ".join(dimensions) if dimensions else gettext("all")))
        if one.guardrails:
            facts.append((gettext("Guardrails"), "; ".join(map(line_of, one.guardrails))))
        if self.period is not None:
            facts.append((gettext("Evidence of"), writing.span(self.period)))
        return facts

    @property
    def policies(self) -> list[tuple[str, bool]]:
        """Those that it can be asked what they would have earned."""
        return [(name, name == self.policy) for name in POLICIES if name not in FIXED]


@dataclass(frozen=True, slots=True)
class ListedDecision:
    """A decision in the list."""

    one: Registration
    state: str
    leader: str
    best: str
    events: str
    since: str
    link: str


def decision_page(one: Registration, pod: Pod, question_of: QuestionOf, policy: str = "") -> DecisionPage:
    """Read and judge all there is; `policy` is another one, of which it is asked what it would have earned."""
    now = pod.clock()
    page = DecisionPage(one, now, policy=policy if policy in POLICIES and policy not in FIXED else "")
    try:
        question = question_of(one)
        page.period = question.period
        reading = page.reading = read(one, question, pod, now, page.policy)
    except StoreUnavailable as error:
        page.problem = str(error)
        return page
    page.options = option_rows(one, reading.standings)
    page.graph = posterior.bands(reading.days, [row.name for row in page.options], reading.weighed, one.terms.aim, now)
    page.levels = shown_levels(reading.levels, one, leading(one, reading.standings))
    page.checks = checks(one, reading.found) if page.has_events else []
    page.log = [shown_decision(logged, now) for logged in reading.logged[:SHOWN_LOGGED]]
    page.alternatives = alternatives(reading.hindsight, len(reading.logged), reading.other)
    return page


def read(one: Registration, question: Question, pod: Pod, now: float, policy: str) -> Reading:
    aim, counter, experiments = one.terms.aim, one.counter, pod.experiments
    weighed = pod.decider.chooser.weigh(question, now)
    standings = standings_of(weighed)
    totals = experiments.totals(counter, one.options, weighed.columns)
    logged = experiments.log(counter, LOGGED)
    hindsight = Hindsight.of(logged, one.options, aim)
    best = [row.option for row in ranked(one, standings)]
    by_day = one.options if len(best) <= OPTIONS_OF_A_PAGE else tuple(best[: posterior.MOST_LINES])
    return Reading(
        weighed,
        standings,
        findings(aim, one.control, one.guardrails, weighed, totals, logged, fixed=one.is_fixed),
        experiments.levels(counter, aim, one.terms.outlook, weighed),
        experiments.days(counter, by_day, aim, weighed.columns, question.period, question.at),
        logged,
        hindsight,
        _other(one, question, pod, now, hindsight, policy),
    )


def option_rows(one: Registration, standings: Sequence[Standing]) -> list[OptionRow]:
    """Those that are best on average first."""
    rows = ranked(one, standings)[:OPTIONS_OF_A_PAGE]
    if not any(row.events for row in rows):  # what is assumed beforehand is no number to show
        unknown = math.nan
        rows = [row._replace(mean=unknown, lower=unknown, upper=unknown, loss=unknown) for row in rows]
    top = max((row.upper for row in rows if math.isfinite(row.upper)), default=0.0)
    return [_option_row(one, row, top) for row in rows]


def ranked(one: Registration, standings: Sequence[Standing]) -> list[Standing]:
    """The best on average first; those of which nothing can be said last."""
    sign = 1 if one.terms.aim.minimize else -1
    return sorted(standings, key=lambda row: (math.isnan(row.mean), sign * row.mean, row.option))


def leading(one: Registration, standings: Sequence[Standing]) -> str:
    """The option that is best on average, if anything is known of any."""
    return ranked(one, standings)[0].option if any(row.events for row in standings) else ""


def listed(one: Registration, pod: Pod, question_of: QuestionOf, link: str) -> ListedDecision:
    """Raises `StoreUnavailable`."""
    standings = standings_of(pod.decider.chooser.weigh(question_of(one), pod.clock()))
    leader = one.winner if one.state == "won" else leading(one, standings)
    best = next((row.best for row in standings if row.option == leader), None)
    events = sum(row.events for row in standings)
    return ListedDecision(
        one,
        state_word(one.state),
        leader or writing.NOTHING,
        writing.percent(best, places=0),
        writing.number(events),
        day(one.started),
        link,
    )


def unread(one: Registration, link: str) -> ListedDecision:
    """What of a decision can be listed while the store is away."""
    nothing = writing.NOTHING
    return ListedDecision(one, state_word(one.state), one.winner or nothing, nothing, nothing, day(one.started), link)


def shown_decision(logged: Logged, now: float) -> ShownDecision:
    made = logged.kept
    if made.uniform:
        how = gettext("by chance alone")
    elif made.expected is None:
        how = gettext("by what was known")
    else:
        expected = writing.number(made.expected, ratio=True)
        how = gettext("by what was known, expecting %(expected)s") % {"expected": expected}
    earned = ", ".join(f"{name} {writing.number(value)}" for name, value in logged.earned.items())
    return ShownDecision(
        age(max(now - made.at, 0)),
        made.option,
        chance(made.probability),
        how,
        tuple(_leaves(made.paths)),
        f"{made.policy} {made.version}",
        earned or writing.NOTHING,
    )


def state_word(state: State) -> str:
    words = {
        "draft": pgettext("state of a decision", "draft"),
        "running": pgettext("state of a decision", "running"),
        "stopped": pgettext("state of a decision", "stopped"),
        "won": pgettext("state of a decision", "won"),
    }
    return words[state]


def day(at: float | None) -> str:
    if at is None:
        return writing.NOTHING
    return dateformat.format(datetime.fromtimestamp(at, UTC), pgettext("date format of a day", "M j, Y"))


def chance(share: float) -> str:
    """A percentage that never says that something is certain when it is not."""
    if 0 < share < LEAST_CHANCE:
        return f"<\u202f{writing.percent(LEAST_CHANCE)}"
    if 1 - LEAST_CHANCE < share < 1:
        return f">\u202f{writing.percent(1 - LEAST_CHANCE)}"
    return writing.percent(share)


def _option_row(one: Registration, row: Standing, top: float) -> OptionRow:
    marks = {one.control: gettext("control"), one.winner: gettext("winner")}
    return OptionRow(
        row.option,
        marks.get(row.option, ""),
        writing.number(row.mean, ratio=True),
        interval(row.lower, row.upper),
        _bar(row, top),
        chance(row.best),
        writing.number(row.loss, ratio=True),
        chance(row.probability),
        writing.number(row.events),
        writing.number(row.value, ratio=True),
    )


def _bar(row: Standing, top: float) -> Bar | None:
    """Of what is above zero; there is no scale for the rest."""
    if not (top > 0 and row.mean > 0 and math.isfinite(row.upper)):
        return None
    mean, low, high = (f"{max(value, 0) / top * 100:.2f}" for value in (row.mean, row.lower, row.upper))
    return Bar(mean, low, high)


def _leaves(paths: Sequence[str]) -> list[str]:
    return [path for path in paths if not any(other.startswith(f"{path}/") for other in paths)]


def _other(
    one: Registration, question: Question, pod: Pod, now: float, hindsight: Hindsight | None, policy: str
) -> tuple[str, Answer] | None:
    if not policy or hindsight is None:
        return None
    asked = question.under(policy)
    try:
        weighed = pod.decider.chooser.weigh(asked, now)
        answer = hindsight.policy(pod.experiments, one.counter, one.terms.aim, asked.terms, weighed)
    except InvalidInput:
        return None
    return gettext("Policy %(name)s, by what is known now") % {"name": policy}, answer
