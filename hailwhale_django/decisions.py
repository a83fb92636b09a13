"""Decisions that are registered: what somebody settled about them, in code or in the admin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .connection import pod
from .engine.decide.terms import Terms
from .engine.decider import Earned, counter_of
from .engine.domain.event import Event
from .engine.domain.paths import Path, name_of
from .engine.errors import InvalidInput, TooLarge

EVENT_NAMES = ("pk", "decided", "decision", "option", "decision_id", "visitor", "dimensions", "metrics", "at", "id")

MOST_DECIDED = 20

HOLD_SECONDS = 30 * 86_400.0
WINDOW_SECONDS = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Settled:
    """What is settled of a decision. `period` is that of its evidence; `None` is the usual one."""

    options: tuple[str, ...]
    terms: Terms
    period: str | None = None
    hold_seconds: float = HOLD_SECONDS
    window_seconds: float = WINDOW_SECONDS


def settled(counter: Path, store: str) -> Settled | None:
    """What is settled of the decision with this counter; `None` if nothing is."""
    return None


def events_of(given: Any, store: str) -> list[Event | Earned]:
    """The events that say what came of a decision, one for each that is named. See `Whale.count_decision`.

    Raises `InvalidInput`. What is credited to a decision that is kept is known there when this returns.
    """
    if not isinstance(given, Mapping) or not given.keys() <= {*EVENT_NAMES, "metric", "dimension"}:
        raise InvalidInput("event", given, f"use a dict with some of {', '.join(EVENT_NAMES)}")
    decider = pod(store).decider
    pk, at = given.get("pk"), given.get("at")
    metrics, dimensions = (given.get(f"{name}s") or given.get(name) for name in ("metric", "dimension"))
    events: list[Event | Earned] = []
    for decision, option in _decided(given).items():
        found = settled(counter_of(pk, decision), store)
        terms = found.terms if found else Terms()
        if option is not None:
            events.append(decider.event(pk, decision, option, dimensions, metrics, at, terms))
            continue
        kept = {"decision_id": given.get("decision_id"), "visitor": given.get("visitor"), "known_as": given.get("id")}
        events.append(decider.earned(pk, decision, metrics, at, **kept, terms=terms))
    return events


def _decided(given: Mapping[str, Any]) -> dict[Any, Any]:
    """Decisions and their options; `None` where the option is that of a decision that is kept."""
    decided, decision, option = given.get("decided"), _name(given.get("decision")), given.get("option")
    if isinstance(decided, Mapping) and len(decided) > MOST_DECIDED:
        raise TooLarge("decided", dict(decided), f"an event says what came of at most {MOST_DECIDED} decisions")
    if decided not in (None, ""):
        if not isinstance(decided, Mapping) or not decided or option is not None:
            raise InvalidInput("decided", decided, 'name decisions and their options, e.g. {"language": "EN"}')
        return dict(decided)
    if option is None and given.get("decision_id") in (None, "") and given.get("visitor") in (None, ""):
        raise InvalidInput("option", option, "name the option, the visitor or the decision_id")
    return {decision: option}


def _name(decision: Any) -> str | None:
    return None if decision in (None, "") else name_of(decision, "decision")
