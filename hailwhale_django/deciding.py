"""Deciding with `Whale`: which option is best for whom, by what was counted.

    Whale.count_decision("shop", {"banner": "b"}, {"visitors": 1, "revenue": 25}, {"country": "US"})
    Whale.decide("shop", "banner", ["a", "b", "c"], "revenue/visitors", {"country": "US"})

A *decision* is a name below a counter, its *options* are below that: what comes of option b counts on
`["shop", "banner", "b"]`, and so on shop/banner and shop. Beside its counts a decision keeps evidence: what inference
needs of each option, for everybody and for each group of visitors. See docs/deciding.md.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from . import buffer
from .connection import pod
from .decisions import Settled, events_of, settled
from .engine.chooser import Question, chance_of
from .engine.decide.aim import aim_of
from .engine.decide.choice import Choice
from .engine.decide.terms import Terms, drawn
from .engine.decider import Earned, counter_of, jointly
from .engine.errors import InvalidInput
from .engine.store.choices import Kept
from .face import Face


class Deciding(Face):
    """Making and counting decisions, for `Whale`."""

    @classmethod
    def count_decision(
        cls,
        pk: Any,
        decided: Any = None,
        metrics: Any = None,
        dimensions: Any = None,
        at: Any = None,
        *,
        metric: Any = None,
        dimension: Any = None,
        decision: Any = None,
        option: Any = None,
        decision_id: str | None = None,
        visitor: Any = None,
        id: str | None = None,
    ) -> None:
        """Count now what came of a decision.

        `decided` names it and its option, `{"banner": "b"}`; or `decision` and `option` do (no decision: the pk itself
        is the decision's counter). Or it is credited to the decision that was kept for a `visitor` or with a
        `decision_id`: then only `decision` is needed, and what is already known by its `id` is not counted again.
        Several decisions in `decided` each learn from the event, and each counts it on the pk.

        Raises as `count_now`, and `InvalidInput` where no such decision is kept any more.
        """
        given = {
            "pk": pk,
            "decided": decided,
            "decision": decision,
            "option": option,
            "decision_id": decision_id,
            "visitor": visitor,
            "metrics": metrics or metric,
            "dimensions": dimensions or dimension,
            "at": at,
            "id": id,
        }
        for event in events_of(given, cls.store):
            if not isinstance(event, Earned):
                cls.pod().count_event(event)
            elif event.is_new:
                cls.pod().count_event(event.event)

    @classmethod
    def count_decided_now(
        cls, pk: Any, decision: Any, option: Any, dimensions: Any = None, metrics: Any = None, at: Any = None
    ) -> None:
        """Count now what came of an option, on the counter `[*pk, decision, option]`."""
        cls.count_decision(pk, None, metrics, dimensions, at, decision=decision, option=option)

    @classmethod
    def decide(
        cls,
        pk: Any,
        decision: Any = None,
        options: Any = None,
        formula: str | None = None,
        known_data: Any = None,
        period: Any = None,
        bad_idea_threshold: float | None = None,
        test_idea_threshold: float | None = None,
        *,
        known_dimensions: Any = None,
        dimensions: Any = None,
        by_metric: str | None = None,
        at: Any = None,
        minimize: bool | None = None,
        policy: str | None = None,
        settings: Mapping[str, Any] | None = None,
        visitor: Any = None,
        seed: Any = None,
        forced: Any = None,
        hold: float | None = None,
        window: float | None = None,
        together: bool = False,
        choice: bool = False,
        explained: bool = True,
    ) -> Any:
        """The option to show a visitor of whom `known_data` (also: `known_dimensions`, `dimensions`) is known.

        `options` is a list, and the answer one of it; or a dict of decisions and their options,
        `{"language": ["EN", "SP"]}`, and the answer a dict: each decided by itself or, `together`, as one decision
        with every combination as an option. `formula` (also: `by_metric`) is what is to be large, or with `minimize`
        small; default `revenue/visitors`. `period` is that of the evidence, default the last 90 days. What is
        registered of the decision holds unless it is given here.

        `policy` is `thompson` (the default), `reasons`, `epsilon`, `ucb`, `split` or `winner`, with its `settings`.
        For the same `visitor` the decision holds for `hold` seconds (default 30 days; 0: it may change with what is
        known, and nothing is kept), and what is earned within `window` seconds can be credited to it (default 7 days).
        `seed` decides what chance decides; `forced` is an option to give whatever is known, which is neither kept nor
        logged. `at` is when, to replay history.

        With `choice=True` the answer is a `Choice` instead: the option's probability, how every option stood, and
        why, in words. Its `id` is what `count_decision` takes as `decision_id`. Where it need not be `explained`,
        nobody looks for reasons, and one that holds for a visitor already comes without standings, and costs little.

        One round trip; a second where a decision is kept. Raises `InvalidInput`, and `StoreUnavailable`.
        """
        if policy is None and not (bad_idea_threshold is None and test_idea_threshold is None):
            policy = "reasons"  # whose thresholds they are
        overrides = {
            "formula": formula or by_metric,
            "minimize": minimize,
            "policy": policy,
            "settings": _thresholds(settings, bad_idea_threshold, test_idea_threshold),
        }
        asked = {
            "known": known_data or known_dimensions or dimensions,
            "period": period,
            "at": at,
            "visitor": visitor,
            "seed": seed,
            "forced": forced,
            "hold": hold,
            "window": window,
            "is_named": choice,
            "explained": choice and explained,
        }
        if not isinstance(options, Mapping):
            made = cls._decide(pk, decision, options, overrides, asked)
            return made if choice else made.option
        if not options or decision not in (None, ""):
            raise InvalidInput("options", options, 'use {"language": ["EN", "SP"]}, and no decision beside it')
        if together:
            name, meanings = jointly(options)
            made = cls._decide(pk, name, list(meanings), overrides, asked)
            return made if choice else meanings[made.option]
        each = {name: cls._decide(pk, name, some, overrides, asked) for name, some in options.items()}
        return each if choice else {name: made.option for name, made in each.items()}

    @classmethod
    def reasons_for(
        cls,
        pk: Any,
        decision: Any = None,
        options: Any = None,
        formula: str | None = None,
        known_data: Any = None,
        period: Any = None,
        *,
        minimize: bool | None = None,
    ) -> dict[str, dict[str, float]]:
        """What speaks for and against each option: `{option: {group of visitors: significance}}`.

        The groups are all visitors (`_`) and those that `known_data` says this one belongs to. The significance is by
        how many standard errors the option's ratio is better there than the mean of the others; 0 where nobody knows.
        """
        overrides = {"formula": formula, "minimize": minimize}
        question = cls.question(pk, decision, options, overrides, known=known_data, period=period)
        return cls.pod().decider.reasons(question)

    @classmethod
    def weighted_reasons(
        cls, pk: Any, decision: Any = None, options: Any = None, *args: Any, significance: float = 2.0, **asked: Any
    ) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
        """Options that are good, bad, and still to be tested, each with its weight among its kind (they add up to 1).

        An option is what its most significant reason says, as `reasons_for` tells them, from `significance` on. Good
        ones weigh as the square of that, others all alike. Arguments are those of `reasons_for`.
        """
        found = cls.reasons_for(pk, decision, options, *args, **asked)
        strongest = {option: max(by_group.values(), key=abs) for option, by_group in found.items()}
        good = {option: reason**2 for option, reason in strongest.items() if reason >= significance}
        bad = {option: 1.0 for option, reason in strongest.items() if reason <= -significance}
        test = {option: 1.0 for option in strongest if option not in good and option not in bad}
        return _weighed(good), _weighed(bad), _weighed(test)

    @staticmethod
    def decide_from_reasons(
        good: Mapping[str, float],
        bad: Mapping[str, float],
        test: Mapping[str, float],
        bad_idea_threshold: float = 0.05,
        test_idea_threshold: float = 0.05,
        seed: Any = None,
    ) -> str:
        """An option, from what `weighted_reasons` tells: mostly a good one, now and then one to be tested or a bad one.

        Where none is good one that is to be tested; where all are bad one of these. Raises `InvalidInput` for none.
        """
        tested = test_idea_threshold if good and test else float(bool(test) and not good)
        doubted = bad_idea_threshold if good and bad else float(bool(bad) and not good and not test)
        kinds = ((good, 1 - tested - doubted), (test, tested), (bad, doubted))
        chances = {
            option: share * weight for kind, share in kinds if share for option, weight in _weighed(kind).items()
        }
        if not chances:
            raise InvalidInput("options", {}, "name at least one option, good, bad, or to be tested")
        at, _ = drawn(list(chances.values()), 0.0, chance_of(secrets.token_hex(8) if seed is None else str(seed)))
        return list(chances)[at]

    @classmethod
    def _decide(
        cls, pk: Any, decision: Any, options: Any, overrides: Mapping[str, Any], asked: Mapping[str, Any]
    ) -> Choice:
        found = settled(counter_of(pk, decision), cls.store)
        decider = cls.pod().decider
        if found is not None and found.only is not None:
            return decider.given(pk, decision, options or found.options, found.only, found.state, **_of_given(asked))
        question = cls.question(pk, decision, options, overrides, **asked)
        made: Choice = decider.choose(question)
        if not (made.id or made.forced or made.sticky):
            _log(cls.store, str(question.decision), decider.chooser.record_of(made, question))
        return made

    @classmethod
    def question(
        cls,
        pk: Any,
        decision: Any,
        options: Any,
        overrides: Mapping[str, Any],
        *,
        hold: float | None = None,
        window: float | None = None,
        is_named: bool = False,
        **asked: Any,
    ) -> Question:
        """A decision as it is asked for: what is registered of it, and what is said otherwise."""
        found = settled(counter_of(pk, decision), cls.store)
        if options is None and found is None:
            raise InvalidInput("options", options, "name them, or register the decision")
        known = found or Settled((), Terms())
        has_visitor = asked.get("visitor") not in (None, "")
        hold = (known.hold_seconds if has_visitor else 0.0) if hold is None else _seconds("hold", hold)
        window = (
            (known.window_seconds if has_visitor or is_named else 0.0) if window is None else _seconds("window", window)
        )
        is_usual = asked.get("period") in (None, "")
        asked["period"] = known.period if is_usual else asked["period"]
        question: Question = cls.pod().decider.question(
            pk,
            decision,
            known.options if options is None else options,
            _overridden(known.terms, overrides),
            hold_seconds=hold,
            window_seconds=window if hold or is_named or not has_visitor else 0.0,
            **asked,
        )
        return question if known.since is None or not is_usual else question.starting(known.since)


def _of_given(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What matters where everybody gets the same."""
    return {name: asked[name] for name in ("at", "forced") if name in asked}


def _overridden(terms: Terms, overrides: Mapping[str, Any]) -> Terms:
    """The terms but for what is said otherwise."""
    formula, minimize = overrides.get("formula"), overrides.get("minimize")
    if formula is not None or minimize is not None:
        least = terms.aim.minimize if minimize is None else bool(minimize)
        terms = replace(terms, aim=aim_of(formula or terms.aim.formula, least))
    if overrides.get("policy") is not None:
        terms = replace(terms, policy=overrides["policy"], settings={})
    if overrides.get("settings"):
        terms = replace(terms, settings={**terms.settings, **overrides["settings"]})
    return terms


def _thresholds(settings: Mapping[str, Any] | None, bad: float | None, test: float | None) -> dict[str, Any]:
    """The settings, the ancestor's two thresholds among them."""
    named = {"bad_share": bad, "test_share": test}
    return dict(settings or {}) | {name: value for name, value in named.items() if value is not None}


def _weighed(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {option: weight / total for option, weight in weights.items()} if total else {}


def _seconds(argument: str, given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < 10**9:
        raise InvalidInput(argument, given, "use a number of seconds, 0 or more")
    return float(given)


# -- the log of decisions that are not kept ------------------------------------------------------------------------

_logbook: buffer.Buffer | None = None


def _log(store: str, counter: str, record: Kept) -> None:
    """Log a decision soon: nobody's page waits for it."""
    global _logbook
    if _logbook is None or _logbook.is_closed:
        _logbook = buffer.opened(_write, lambda dropped: None)
    _logbook.add({"store": store, "counter": counter, "record": record})


def _write(entries: Iterable[dict[str, Any]], on_error: Any) -> int:
    by_store: dict[str, list[tuple[str, Kept]]] = {}
    for entry in entries:
        by_store.setdefault(entry["store"], []).append((entry["counter"], entry["record"]))
    for store, decisions in by_store.items():
        pod(store).decider.log(decisions)
    return sum(map(len, by_store.values()))


def flush_log() -> bool:
    """Write now what waits to be logged in this process."""
    return _logbook is None or _logbook.flush()
