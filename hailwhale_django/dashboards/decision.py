"""What a decision's page shows, in some ten round trips to the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from django.utils.translation import gettext, pgettext

from ..engine.chooser import Question, Weighed, standings_of
from ..engine.decide.choice import Standing
from ..engine.decide.policies.book import POLICIES
from ..engine.decide.terms import DEFAULT_POLICY
from ..engine.domain.period import Period
from ..engine.errors import InvalidInput, StoreUnavailable
from ..engine.experiment import Days, Level
from ..engine.findings import Findings, findings
from ..engine.hindsight import Answer, Hindsight
from ..engine.pod import Pod
from ..engine.store.choices import Logged
from ..registration import FIXED, Registration, line_of
from . import posterior, writing
from .alternatives import Alternatives, alternatives
from .decided import SHOWN_LOGGED, ShownDecision, shown_decision
from .decisions import QuestionOf, state_word
from .posterior import Bands
from .segments import ShownLevel, shown_levels
from .standings import OPTIONS_AT_FIRST, OPTIONS_OF_A_PAGE, OptionRow, leading, option_rows, ranked
from .verdicts import Told, advice, checks

MINDS_GROUPS = ("thompson", "reasons")

LOGGED = 5_000
"""Decisions that are looked at for what something else would have earned."""


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
    def judged_by(self) -> str:
        """The policy that judges groups, where that is another one."""
        return "" if self.one.terms.policy in MINDS_GROUPS else DEFAULT_POLICY

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
        facts.append((gettext("Dimensions"), ", ".join(dimensions) if dimensions else pgettext("dimensions", "all")))
        if one.guardrails:
            facts.append((gettext("Guardrails"), "; ".join(map(line_of, one.guardrails))))
        if self.period is not None:
            facts.append((gettext("Evidence of"), writing.span(self.period)))
        return facts

    @property
    def policies(self) -> list[tuple[str, bool]]:
        """Those that it can be asked what they would have earned."""
        return [(name, name == self.policy) for name in POLICIES if name not in FIXED]


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
    page.checks = checks(one, reading.found, reading.standings) if page.has_events else []
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
        experiments.levels(counter, aim, one.terms.outlook, _by_group(question, weighed, pod, now)),
        experiments.days(counter, by_day, aim, weighed.columns, question.period, question.at),
        logged,
        hindsight,
        _other(one, question, pod, now, hindsight, policy),
    )


def _by_group(question: Question, weighed: Weighed, pod: Pod, now: float) -> Weighed:
    """By a policy that minds groups: where this one does not, by that which would."""
    if question.terms.policy in MINDS_GROUPS:
        return weighed
    return pod.decider.chooser.weigh(question.under(DEFAULT_POLICY), now)


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
