"""Decisions that are registered: what somebody settled about them, in code or in the admin."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, router, transaction

from .connection import pod
from .engine.chooser import Question
from .engine.decide.terms import Terms
from .engine.decider import Earned, counter_of
from .engine.domain.event import Event
from .engine.domain.paths import Path, name_of
from .engine.errors import InvalidInput, TooLarge
from .registration import HOLD_SECONDS, WINDOW_SECONDS, Registration, State, registration

EVENT_NAMES = ("pk", "decided", "decision", "option", "decision_id", "visitor", "dimensions", "metrics", "at", "id")

MOST_DECIDED = 20

KNOWN_SECONDS = 10.0
"""How long what the database says is taken for true in this process."""

logger = logging.getLogger("hailwhale")


@dataclass(frozen=True, slots=True)
class Settled:
    """What is settled of a decision. `period` is that of its evidence; `None` is the usual one; `since`, seconds: what
    is from before that day does not count. `only` is the option that everybody gets, without asking what is known,
    while it is not running; of a draft nothing is counted either. `control` is what bots get, and pages when the store
    does not answer.
    """

    options: tuple[str, ...]
    terms: Terms
    period: str | None = None
    hold_seconds: float = HOLD_SECONDS
    window_seconds: float = WINDOW_SECONDS
    since: float | None = None
    only: str | None = None
    control: str = ""
    state: State = "running"

    @classmethod
    def of(cls, one: Registration) -> Settled:
        names = ("options", "terms", "period", "hold_seconds", "window_seconds", "since", "only", "control", "state")
        return cls(**{name: getattr(one, name) for name in names})


Key = tuple[str, str]
"""A store, and the text of a decision's counter."""

_in_code: dict[Key, Registration] = {}
_in_database: dict[Key, Settled] = {}
_known_until = 0.0
_is_away = False
_reading = Lock()


def register(pk: Any, name: Any = None, **given: Any) -> Registration:
    """Settle a decision in code, e.g. in `AppConfig.ready`. What the admin says of the same decision comes first.

        register("shop", "banner", options=["a", "b", "c"], formula="revenue/visitors", dimensions=["country"])

    See `registration.registration` for what can be said. Raises `InvalidInput`.
    """
    found = registration(pk, name, **given)
    _in_code[found.store, str(found.counter)] = found
    return found


def unregister(counter: Any, store: str) -> None:
    """Forget what was settled in code."""
    _in_code.pop((store, str(counter)), None)


def registered() -> list[Registration]:
    """Those that were registered in code."""
    return list(_in_code.values())


def settled(counter: Path, store: str) -> Settled | None:
    """What is settled of the decision with this counter; `None` if nothing is.

    The database is asked once in ten seconds for all decisions together. Where it does not answer, what it said last
    holds: nobody's page fails.
    """
    key = (store, str(counter))
    found = _from_database().get(key)
    if found is not None:
        return found
    coded = _in_code.get(key)
    return None if coded is None else Settled.of(coded)


def forget(**_: Any) -> None:
    """Ask the database anew at the next call."""
    global _known_until
    _known_until = 0.0


def _from_database() -> dict[Key, Settled]:
    global _in_database, _known_until, _is_away
    if time.monotonic() < _known_until:
        return _in_database
    # While one thread asks, the others go by what was said last; there is nothing to go by at first, or after a change.
    if not _reading.acquire(blocking=not _known_until):
        return _in_database
    try:
        if time.monotonic() >= _known_until:
            try:
                _in_database, _is_away = _outside_of_loops(_read), False
            except Exception as error:  # whatever it is: a page must not fail for it
                if not _is_away:  # told once, until it answers again
                    logger.warning("registered decisions cannot be read, what was known before holds: %s", error)
                _is_away = True
            _known_until = time.monotonic() + KNOWN_SECONDS
    finally:
        _reading.release()
    return _in_database


def _begin_in_child() -> None:
    """Who was reading when the process forked reads in the parent."""
    global _reading
    _reading = Lock()


if hasattr(os, "register_at_fork"):  # where processes fork
    os.register_at_fork(after_in_child=_begin_in_child)


def _read() -> dict[Key, Settled]:
    from .models import Decision  # models want Django's apps to be ready, `Whale` may be imported before

    alias = router.db_for_read(Decision) or DEFAULT_DB_ALIAS
    connection = connections[alias]
    was_open = connection.connection is not None
    try:
        if not connection.in_atomic_block:
            return _settled_rows(Decision.objects.using(alias))
        with transaction.atomic(alias):  # a query that fails must not end the transaction it came into
            return _settled_rows(Decision.objects.using(alias))
    finally:
        if not was_open:
            _close(connection)


def _close(connection: Any) -> None:
    """What nobody else would close: no request ends in the threads that write buffers."""
    connection.close()
    if connection.connection is not None:  # Django leaves SQLite's databases in memory open
        connection.connection.close()
        connection.connection = None


def _settled_rows(rows: Any) -> dict[Key, Settled]:
    found = {}
    for row in rows.all():
        try:
            found[row.store, row.path] = Settled.of(row.registration())
        except InvalidInput as error:
            logger.warning("the registered decision %s is passed over: %s", row.path, error)
    return found


def _outside_of_loops(read: Callable[[], dict[Key, Settled]]) -> dict[Key, Settled]:
    """Django's database does not answer inside an event loop: a thread of its own asks there."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return read()
    answers: list[dict[Key, Settled]] = []
    errors: list[Exception] = []

    def ask() -> None:
        try:
            answers.append(read())
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    thread = Thread(target=ask, name="hailwhale-decisions", daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return answers[0]


def question_for(one: Registration) -> Question:
    """For a visitor of whom nothing is known; of a decision that is over, as it was at its end."""
    at = one.ended if one.only is not None else None
    question = pod(one.store).decider.question(one.pk, one.name, one.options, one.terms, period=one.period, at=at)
    return question if one.since is None else question.starting(one.since)


# -- what came of decisions ------------------------------------------------------------------------------------------


def events_of(given: Any, store: str) -> list[Event | Earned]:
    """The events that say what came of a decision, one for each that is named. See `Whale.count_decision`.

    Raises `InvalidInput`. What is credited to a decision that is kept is known there when this returns. Of a draft
    there are none.
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
        if found and found.state == "draft":
            continue
        if option is not None:
            events.append(decider.event(pk, decision, option, dimensions, metrics, at, terms))
            continue
        kept = {"decision_id": given.get("decision_id"), "visitor": given.get("visitor"), "known_as": given.get("id")}
        only = found.only if found else None
        if only is None:
            _check_known(given)
            events.append(decider.earned(pk, decision, metrics, at, **kept, terms=terms))
        else:
            events.append(_after_the_end(decider, only, pk, decision, dimensions, metrics, at, terms, kept))
    return events


def counters_of(given: Mapping[str, Any]) -> list[Path]:
    """The counters of the decisions that such an event names. Raises `InvalidInput`."""
    return [counter_of(given.get("pk"), decision) for decision in _decided(given)]


def _after_the_end(
    decider: Any, only: str, pk: Any, decision: Any, dimensions: Any, metrics: Any, at: Any, terms: Terms, kept: Any
) -> Event | Earned:
    """Of a decision that is over: to the credit of what was decided while it ran, else a plain event of its option."""
    if kept["decision_id"] not in (None, "") or kept["visitor"] not in (None, ""):
        try:
            earned: Earned = decider.earned(pk, decision, metrics, at, **kept, terms=terms)
            return earned
        except InvalidInput as error:
            if error.field != "decision_id":
                raise
    event: Event = decider.event(pk, decision, only, dimensions, metrics, at, terms)
    return event._replace(lesson=None)


def _decided(given: Mapping[str, Any]) -> dict[Any, Any]:
    """Decisions and their options; `None` where the option is that of a decision that is kept."""
    decided, decision, option = given.get("decided"), _name(given.get("decision")), given.get("option")
    if isinstance(decided, Mapping) and len(decided) > MOST_DECIDED:
        raise TooLarge("decided", dict(decided), f"an event says what came of at most {MOST_DECIDED} decisions")
    if decided not in (None, ""):
        if not isinstance(decided, Mapping) or not decided or option is not None:
            raise InvalidInput("decided", decided, 'name decisions and their options, e.g. {"language": "EN"}')
        return dict(decided)
    return {decision: option}


def _name(decision: Any) -> str | None:
    return None if decision in (None, "") else name_of(decision, "decision")


def _check_known(given: Mapping[str, Any]) -> None:
    if given.get("decision_id") in (None, "") and given.get("visitor") in (None, ""):
        raise InvalidInput("option", None, "name the option, the visitor or the decision_id")
