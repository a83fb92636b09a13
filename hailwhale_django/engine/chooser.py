"""Choosing: from what is counted to an option, with its reasons. One round trip where nothing is kept of the decision.

Evidence is read for each decision: what was counted a moment ago counts. What a policy assumes (`fits`) is learnt
beside, by `later`, so that nobody's page waits for it; a question about another time than now (`Question.replays`)
waits, so that history can be replayed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

import numpy as np

from .decide.cells import Cell
from .decide.choice import Choice, Clue, Standing
from .decide.evidence import D, Evidence, Fit, Floats, Judgement, N, Policy, Y
from .decide.policies.book import policy_of
from .decide.terms import Terms, drawn
from .decide.words import TELLING, reasons_of
from .domain.paths import Path
from .domain.period import Period
from .domain.plan import Column
from .domain.timeline import Interval
from .fits import Fits, Fitted
from .store.choices import Kept
from .store.evidence import AT_ONCE, read
from .store.store import Store

CLUES = 3
"""Cells that are named as reasons, the most telling ones."""

MOST_LOGGED = 100
"""Options whose chances the log has; of more only that of the chosen one."""

REMEMBERED = 1024

DAY = Interval.parse("1d")

ATTEMPTS = 3
"""At reading what a fit says to read, which may change meanwhile."""

Later = Callable[[Callable[[], object]], None]


@dataclass(frozen=True, slots=True)
class Question:
    """Which of `options`, for a visitor of whom `paths` are known, by the evidence of `period`.

    `decision` is the counter that has the evidence. `who` is asking, as a text that tells visitors apart, or "". `seed`
    decides what chance decides; "" is real chance, unless somebody is asking. `hold_seconds`: how long the same visitor
    gets the same option, and `window_seconds` how long what is earned is credited to it; where both are 0, nothing is
    kept. `forced` is the option to be given, whatever is known. Where it is not to be `explained`, nobody looks
    for reasons, and evidence is not weighed for a decision that holds already.
    """

    decision: Path
    options: tuple[str, ...]
    paths: tuple[Path, ...]
    terms: Terms
    period: Period
    at: float
    replays: bool = False
    who: str = ""
    seed: str = ""
    hold_seconds: float = 0.0
    window_seconds: float = 0.0
    forced: str = ""
    explained: bool = True

    @property
    def is_kept(self) -> bool:
        return max(self.hold_seconds, self.window_seconds) > 0 and not self.forced

    def starting(self, at: float) -> Question:
        """The same question, of what was counted no earlier than the day of an instant."""
        return replace(self, period=self.period.with_interval(DAY).starting(at))

    def under(self, policy: str) -> Question:
        """The same question under another policy, as that is without settings."""
        return replace(self, terms=replace(self.terms, policy=policy, settings={}))


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is known of options for a visitor, and what a policy makes of it by its `fit`. `columns`: the buckets that
    counted."""

    evidence: Evidence
    judged: Judgement
    probabilities: Floats
    policy: Policy
    fit: Fit | None
    columns: tuple[Column, ...]


class Chooser:
    """Chooses by a store's evidence. `later` is given what need not be done at once."""

    def __init__(self, store: Store, later: Later) -> None:
        self.store = store
        self.later = later
        self.fits = Fits(store)
        self._fitted: dict[tuple[str, str], Fitted] = {}
        self._columns: dict[Any, tuple[Column, ...]] = {}
        self._learning: set[tuple[str, str]] = set()
        self._lock = Lock()

    def choose(self, question: Question, now: float) -> Choice:
        """Choose, and keep the decision if it is to be kept. Raises `StoreUnavailable`."""
        self.store.check(now, writing=False)
        kept, weighed = self._weigh(question, now, recall=bool(question.who) and question.is_kept)
        if kept is not None and kept.option in question.options:
            return self._as_kept(question, weighed, kept)
        assert weighed is not None
        choice, record = self._drawn(question, weighed)
        if not question.is_kept:
            return choice
        who = question.who or f"d{secrets.token_urlsafe(12)}"
        serial = f"{int(question.at * 1000):x}{secrets.token_hex(2)}"
        record = replace(record, id=f"{who}.{serial}")
        until = question.at + question.hold_seconds
        forget = question.at + max(question.hold_seconds, question.window_seconds)
        forget = max(forget, now + 60)
        gone = "" if kept is None else kept.id  # its option is none of these any more
        held = self.store.choices.keep(str(question.decision), who, record, question.at, until, forget, gone)
        if held is not None and held.option in question.options:
            return self._as_kept(question, weighed, held)
        return replace(choice, id=record.id)

    def weigh(self, question: Question, now: float) -> Weighed:
        """What is known, without choosing."""
        self.store.check(now, writing=False)
        weighed = self._weigh(question, now, recall=False)[1]
        assert weighed is not None
        return weighed

    def record_of(self, choice: Choice, question: Question) -> Kept:
        """A choice as the log has it."""
        return _record(question, choice, [one.probability for one in choice.standings])

    def _weigh(self, question: Question, now: float, *, recall: bool) -> tuple[Kept | None, Weighed | None]:
        policy = policy_of(question.terms.policy, **question.terms.settings)
        pk, name = str(question.decision), _name_of_fit(question)
        known = self._fitted.get((pk, name))
        for _ in range(ATTEMPTS):
            since = known.since if known else 0.0
            columns = self._columns_of(question, since, now)
            cells = _cells_of(question, columns)
            who = question.who if recall else ""
            texts = [cell.text for cell in cells]
            call = self.store.evidences.asking(pk, columns, question.options, texts, name, who)
            found = read(self.store.server.run([call])[0], len(cells))
            fitted = None if found.fit is None else Fitted.parse(found.fit)
            self._remember((pk, name), fitted)
            if (fitted.since if fitted else 0.0) == since:
                break
            known = fitted  # the world has changed: other columns count
        kept = Kept.parse(found.decision) if found.decision and float(found.until or 0) > question.at else None
        if kept is not None and kept.option in question.options and not question.explained:
            return kept, None
        summed, names = found.sums.summed(), question.terms.aim.names
        eight = question.terms.aim.eight(summed.of) if names is None else summed.picked(names)
        evidence = Evidence(question.options, cells, eight, question.terms.aim.minimize)
        fitted = self._learnt(question, policy, name, columns, fitted, evidence)
        judged = policy.judge(evidence, fitted.fit if fitted else None)
        probabilities = question.terms.probabilities(judged, evidence)
        weighed = Weighed(evidence, judged, probabilities, policy, fitted.fit if fitted else None, columns)
        return kept, weighed

    def _learnt(
        self,
        question: Question,
        policy: Policy,
        name: str,
        columns: Sequence[Column],
        found: Fitted | None,
        evidence: Evidence,
    ) -> Fitted | None:
        """The fit to judge by; a new one is learnt later, or now where another time is asked about."""
        events = float(evidence.sums[:, 0, N].sum())
        if not events or (found and not found.is_outgrown(events, question.at)):
            return found
        key = (str(question.decision), name)

        def learn() -> Fitted:
            arguments = (question.decision, name, policy, question.terms.aim, question.options, columns)
            try:
                fitted = self.fits.learn(*arguments, question.period.span, question.at, events)
                self._remember(key, fitted)
                return fitted
            finally:
                with self._lock:
                    self._learning.discard(key)

        if question.replays:
            return learn()
        with self._lock:
            if key in self._learning:
                return found
            self._learning.add(key)
        self.later(learn)
        return found

    def _remember(self, key: tuple[str, str], fitted: Fitted | None) -> None:
        with self._lock:
            if fitted is None:
                self._fitted.pop(key, None)
                return
            if len(self._fitted) >= REMEMBERED:
                self._fitted.clear()
            self._fitted[key] = fitted

    def _columns_of(self, question: Question, since: float, now: float) -> tuple[Column, ...]:
        """The buckets of evidence that make up the period, from when on the world is as it is."""
        slot = int(question.at // self.store.schedule.slot_seconds)
        key = (question.period.text, question.period.span, since, slot)
        columns = self._columns.get(key)
        if columns is None:
            schedule = self.store.schedule.only(self.store.schedule.of_evidence.__contains__)
            period = question.period.with_interval(schedule.finest_of_evidence)
            period = period.starting(since) if since else period
            (columns,) = schedule.in_sum(period, now).points
            if len(self._columns) >= REMEMBERED:
                self._columns.clear()
            self._columns[key] = columns
        return columns

    def _drawn(self, question: Question, weighed: Weighed) -> tuple[Choice, Kept]:
        terms = question.terms
        seed = question.seed or question.who or secrets.token_hex(8)
        uniform = 0.0 if terms.is_burning_in(weighed.evidence) else terms.uniform
        at, by_chance = drawn(weighed.probabilities, uniform, chance_of(f"{question.decision}\n{seed}"))
        if question.forced:
            at, by_chance = question.options.index(question.forced), False
        by_chance = by_chance or terms.is_burning_in(weighed.evidence) or weighed.policy.name == "split"
        choice = self._choice(question, weighed, at, uniform=by_chance, forced=bool(question.forced), seed=seed)
        return choice, _record(question, choice, weighed.probabilities.tolist())

    def _as_kept(self, question: Question, weighed: Weighed | None, kept: Kept) -> Choice:
        if weighed is None:
            return Choice(
                str(question.decision),
                kept.option,
                kept.probability,
                kept.policy,
                kept.version,
                kept.seed,
                kept.at,
                id=kept.id,
                uniform=kept.uniform,
                sticky=True,
                reasons=("It was decided before, and holds.",),
            )
        at = question.options.index(kept.option)
        choice = self._choice(question, weighed, at, uniform=kept.uniform, sticky=True, seed=kept.seed)
        return replace(choice, id=kept.id, probability=kept.probability, at=kept.at)

    def _choice(
        self,
        question: Question,
        weighed: Weighed,
        at: int,
        *,
        uniform: bool,
        seed: str,
        forced: bool = False,
        sticky: bool = False,
    ) -> Choice:
        standings = standings_of(weighed)
        clues = _clues(weighed, at) if question.explained else ()
        terms = question.terms
        reasons: tuple[str, ...] = ()
        if question.explained:
            reasons = reasons_of(
                standings[at],
                standings,
                clues,
                uniform=uniform,
                burning_in=terms.is_burning_in(weighed.evidence),
                minimize=terms.aim.minimize,
                formula=terms.aim.formula,
            )
        return Choice(
            str(question.decision),
            question.options[at],
            standings[at].probability,
            weighed.policy.name,
            weighed.policy.version,
            seed,
            question.at,
            uniform=uniform,
            forced=forced,
            sticky=sticky,
            standings=standings,
            clues=clues,
            reasons=reasons,
        )


def standings_of(weighed: Weighed) -> tuple[Standing, ...]:
    judged, sums = weighed.judged, weighed.evidence.sums[:, 0]
    values = [ratio(y, d) for y, d in zip(sums[:, Y].tolist(), sums[:, D].tolist(), strict=True)]
    columns = (weighed.probabilities, judged.mean, judged.lower, judged.upper, judged.best, judged.loss, sums[:, N])
    rows = zip(weighed.evidence.options, *(column.tolist() for column in columns), values, strict=True)
    return tuple(Standing(*row) for row in rows)


def ratio(y: float, d: float) -> float | None:
    return y / d if d else None


def chance_of(text: str) -> float:
    """A number in [0, 1) that the text decides."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()[:7], "big") / 2**56


def _clues(weighed: Weighed, at: int) -> tuple[Clue, ...]:
    """The cells whose evidence moved the chosen option's mean most."""
    weights = weighed.judged.weights[at].tolist()
    told = sorted(range(1, len(weights)), key=lambda cell: -abs(np.log(max(weights[cell], 1e-9))))
    return tuple(
        _clue(weighed.evidence.cells[cell], weighed.evidence.sums[at, cell], weights[cell])
        for cell in told[:CLUES]
        if abs(weights[cell] - 1) >= TELLING
    )


def _clue(cell: Cell, sums: Floats, weight: float) -> Clue:
    return Clue(cell.level, tuple(cell.paths), float(sums[N]), ratio(float(sums[Y]), float(sums[D])), weight)


def _record(question: Question, choice: Choice, chances: Sequence[float]) -> Kept:
    mean = choice.standing(choice.option).mean
    options = question.options
    if len(options) > MOST_LOGGED:
        options, chances = (choice.option,), (choice.probability,)
    return Kept(
        choice.id,
        choice.option,
        choice.at,
        options,
        tuple(chances),
        tuple(map(str, question.paths)),
        choice.uniform,
        mean if np.isfinite(mean) else None,
        question.terms.aim.formula,
        choice.policy,
        choice.version,
        choice.seed,
    )


def _cells_of(question: Question, columns: Sequence[Column]) -> tuple[Cell, ...]:
    """The visitor's cells, of many options only the first: they are read in one call, for which all others wait."""
    most = AT_ONCE // (len(question.options) * max(len(columns), 1))
    return question.terms.outlook.cells(question.paths)[: max(most, 1)]


def _name_of_fit(question: Question) -> str:
    """Fits differ by policy, aim, options and period."""
    terms = question.terms
    told = (terms.policy, sorted(terms.settings.items()), terms.aim.formula, terms.aim.minimize, question.options)
    digest = hashlib.blake2b(repr((*told, question.period.text)).encode(), digest_size=8).hexdigest()
    return f"{terms.policy} {digest}"
