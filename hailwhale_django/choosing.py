"""Deciding for a request: what is known of who asks, and for whom the decision holds.

    choice = decide(request, "banner", ["a", "b", "c"])

Who asks is known by what `capture` finds and what the page says, and told from others by the visitor's id of the day
(`visitors`), unless the page names somebody. The first time that a decision is kept for them, `visitors: 1` is credited
to it; see `crediting` for that, and for what is earned later.

No page breaks for it. Where the store does not answer, or what was given cannot be understood, the option is the first
one; that is logged once, and counted in `statistics()`. Bots get the first option, too, and nothing is kept of them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest

from . import buffer, crediting
from .asker import Asker, base_of, identity_of
from .breaker import Breaker
from .conf import NAME
from .decisions import HOLD_SECONDS, Settled, settled
from .engine.decide.choice import Choice
from .engine.decider import counter_of, options_of
from .engine.domain.paths import Path, name_of
from .engine.errors import HailWhaleError, StoreUnavailable
from .misses import Misses
from .ticket import joined
from .visitors import visitor_of
from .whale import Whale

FORCED_PREFIX = "hailwhale_"
"""What a parameter begins with by which staff see an option: `?hailwhale_banner=b`."""

NOT_KEPT = {"hold": 0.0, "window": 0.0}

DAY_SECONDS = 86_400.0
"""For which a visitor without a name is the same one, at most."""

Options = tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """What became of this process's decisions for requests.

    How many were `made`, and how many `missed`, so that the first option was given; the `last_error`, until the store
    answers again; how often something was earned for which no decision is kept, `unmatched`; and what became of all
    that was to be `credited`.
    """

    made: int
    missed: int
    last_error: str | None
    unmatched: int
    credited: buffer.Statistics


def decide(
    request: HttpRequest | None,
    decision: Any,
    options: Iterable[Any] | None = None,
    *,
    pk: Any = None,
    known: Any = None,
    visitor: Any = None,
    without: Collection[str] = (),
    **terms: Any,
) -> Choice:
    """The choice for who asks; `str()` of it is the option.

    `options` may be left out where the decision is registered; `pk` is the counter that it is below, by default
    `DECISIONS_PK`. `known` are further dimensions of the visitor, and hold where the captured ones say something else;
    of these some may be left out, `without`. `visitor` is an id or a user; without one it is the visitor of today.
    `terms` are those of `Whale.decide`: formula, minimize, policy, settings, period, hold and window.

    Several calls in one request for one decision are one. Raises with `DEBUG` what cannot be understood, else nothing.
    """
    base = base_of(pk)
    try:
        asker = Asker(request)
        named = None if options is None else options_of(options)
        key = (counter_of(base, decision), identity_of(visitor), named)
        if key not in asker.choices:
            try:
                asker.choices[key] = _made(asker, base, decision, named, key[1], known, without, terms)
            except StoreUnavailable as error:
                asker.choices[key] = _missed(error, base, decision, named)
        return asker.choices[key]
    except Exception as error:  # whatever it is: a page must not fail for it
        return _missed(error, base, decision, options)


def statistics() -> Statistics:
    """What became of the decisions of this process."""
    unmatched, credited = crediting.unmatched(), crediting.statistics()
    return Statistics(_misses.made, _misses.missed, _misses.last_error, unmatched, credited)


def _made(
    asker: Asker,
    base: Any,
    decision: Any,
    options: Options,
    whom: str,
    known: Any,
    without: Collection[str],
    terms: dict[str, Any],
) -> Choice:
    counter = counter_of(base, decision)
    found = settled(counter, Whale.store)
    forced = _forced(asker, counter, options or (found.options if found else ()))
    if found is not None and found.only is not None:  # everybody gets the same, bots too, and no store is asked
        given: Choice = Whale.decide(base, decision, options, choice=True, forced=forced)
        return given
    if asker.is_bot:
        return _first(base, decision, options, "Bots all get the same option.")
    visitor = None if asker.wants_privacy else whom or visitor_of(asker.request)
    if visitor is None:
        terms = {**terms, **NOT_KEPT}  # what is kept for nobody could be credited by nobody
    elif not whom:
        terms = {**terms, "hold": _for_a_day(found, terms.get("hold"))}
    added = {name: value for name, value in asker.known.items() if name not in without}
    asked = {
        **terms,
        "visitor": visitor,
        "known_data": joined(known, added),
        "forced": forced,
    }
    made: Choice = _breaker.call(lambda: Whale.decide(base, decision, options, choice=True, explained=False, **asked))
    _misses.answered()
    if made.id and not made.sticky:
        crediting.expose(base, decision, made)
    return made


def _for_a_day(found: Settled | None, hold: Any) -> Any:
    """How long a decision is to hold for one who is somebody else tomorrow, so that nothing is kept in vain."""
    if hold is None:
        hold = found.hold_seconds if found else HOLD_SECONDS
    return min(hold, DAY_SECONDS) if isinstance(hold, int | float) else hold


def _forced(asker: Asker, counter: Path, options: tuple[str, ...]) -> str | None:
    """The option that staff want to see. Who asks for none is not looked up, and one that is not known is ignored."""
    given = asker.request.GET.get(FORCED_PREFIX + counter.name)
    if not given or not asker.is_staff:
        return None
    return given if given in options else None


def _missed(error: Exception, base: Any, decision: Any, options: Any) -> Choice:
    if django_settings.DEBUG and not isinstance(error, StoreUnavailable):
        raise error
    _misses.note(error)
    return _first(base, decision, options, "No decision could be made, so it is the first option.")


def _first(base: Any, decision: Any, options: Any, reason: str) -> Choice:
    """The control of a registered decision, else the first option, as a choice; as far as there is one."""
    try:
        counter = str(counter_of(base, decision))
        found = settled(counter_of(base, decision), Whale.store)
        options = (found.options if found else ()) if options is None else options
        if found is not None and isinstance(options, list | tuple) and found.control in options:
            options = (found.control,)
    except HailWhaleError:
        counter = str(decision)
    try:
        option = "" if isinstance(options, str) else name_of(next(iter(options), ""), "options")
    except (HailWhaleError, TypeError):
        option = ""
    return Choice(counter, option, 1.0, "", 0, "", time.time(), reasons=(reason,))


_breaker = Breaker()
_misses = Misses()


@receiver(setting_changed)
def _forget(*, setting: str, **_: Any) -> None:
    global _breaker, _misses
    if setting == NAME:
        _breaker, _misses = Breaker(), Misses()
