"""What came of a decision that was made for a request: `credit(request, "banner", {"revenue": 25}, id=order.pk)`.

It is credited to the decision that is kept for the visitor, and so to the option that they saw. Nobody waits for that:
what is earned goes into a buffer, with an id so that it counts once, and is written by a thread of its own. That a
visitor has no decision, for it was never asked for or is forgotten, is no error.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest

from . import buffer
from .asker import Asker, base_of, identity_of
from .capture import by_name
from .conf import NAME
from .engine.decide.choice import Choice
from .engine.decider import MOST_ID_BYTES, counter_of
from .engine.errors import HailWhaleError, InvalidInput, StoreUnavailable, TooLarge
from .hail import Hail
from .misses import Told
from .visitors import Visit, visit_of
from .whale import Whale

EXPOSURE = {"visitors": 1}
SEEN = "\x1fseen"
"""The id of an exposure: a decision has one. Nobody else may call anything so."""

MESSAGE = "what was earned is not credited: %s"


def credit(
    request: HttpRequest | None, decision: Any, metrics: Any, *, pk: Any = None, id: Any = None, visitor: Any = None
) -> bool:
    """Credit what was earned to the decision that is kept for who asks; False where it is clear that there is none.

    What comes with the same `id` counts once. `pk` and `visitor` are those that `choosing.decide` was given. Raises
    with `DEBUG` what cannot be understood, else nothing: it is logged.
    """
    try:
        asker = Asker(request)
        event = {"pk": base_of(pk), "decision": decision, "metrics": by_name(metrics), **_known_as(id)}
        if not event["metrics"]:
            raise InvalidInput("metrics", metrics, 'say what was earned, e.g. {"revenue": 25}')
        if django_settings.DEBUG:
            check(event["pk"], decision, event["metrics"])
        whom: Any = None if _is_left_alone(asker, event) else identity_of(visitor) or visit_of(asker.request)
        return whom is not None and _credits().add({**event, "visitor": whom})
    except Exception as error:  # whatever it is: a page must not fail for it
        if django_settings.DEBUG:
            raise
        _told.say(MESSAGE, error)
        return False


def check(pk: Any, decision: Any, metrics: Any) -> None:
    """Raise now the `InvalidInput` that would be logged when it is written."""
    Whale.pod().store.intake.event(counter_of(pk, decision), None, metrics, None, time.time())


def expose(pk: Any, decision: Any, choice: Choice) -> None:
    """Credit a decision with its visitor, who sees it from now on."""
    exposure = {"pk": pk, "decision": decision, "decision_id": choice.id, "metrics": EXPOSURE, "id": SEEN}
    _credits().add(exposure)


def statistics() -> buffer.Statistics:
    """What became of what this process credited; `refused` are those that cannot be understood."""
    return buffer.Statistics() if _buffer is None else _buffer.statistics


def unmatched() -> int:
    """How often there was no decision to be credited."""
    return _unmatched


def flush() -> bool:
    """Write now what waits in this process, as tests want it; False if the store did not take it."""
    return _buffer is None or _buffer.flush()


def _is_left_alone(asker: Asker, event: dict[str, Any]) -> bool:
    """Whether nothing is kept for who asks: a bot, who wants privacy, or staff who force an option."""
    counter = str(counter_of(event["pk"], event["decision"]))
    return asker.is_bot or asker.wants_privacy or asker.sees_forced(counter)


def _known_as(id: Any) -> dict[str, str]:
    if id in (None, ""):
        return {}
    if len(str(id).encode("utf-8", "replace")) > MOST_ID_BYTES:
        raise TooLarge("id", id, f"the id of what is earned has at most {MOST_ID_BYTES} bytes")
    if not str(id).isprintable():
        raise InvalidInput("id", id, "the id of what is earned is printable text")
    return {"id": str(id)}


def _with_visitor(event: dict[str, Any]) -> dict[str, Any]:
    """The same event with an id instead of a visit: here nobody's page waits for the salt."""
    visit = event.get("visitor")
    if not isinstance(visit, Visit):
        return event
    visitor = visit.visitor()
    if visitor is None:
        raise StoreUnavailable("the store does not say who today's visitors are")
    return {**event, "visitor": visitor}


def _count(events: Iterable[dict[str, Any]], on_error: Callable[[HailWhaleError, Any], None]) -> int:
    def refused(error: HailWhaleError, event: Any) -> None:
        global _unmatched
        if isinstance(error, InvalidInput) and error.field == "decision_id":
            _unmatched += 1
        else:
            on_error(error, event)

    return Hail.count_decisions(list(map(_with_visitor, events)), refused)


_told = Told()
_unmatched = 0
_buffer: buffer.Buffer | None = None


def _credits() -> buffer.Buffer:
    global _buffer
    if _buffer is None or _buffer.is_closed:
        _buffer = buffer.opened(_count, Hail.note_dropped)
    return _buffer


@receiver(setting_changed)
def _forget(*, setting: str, **_: Any) -> None:
    global _told, _unmatched, _buffer
    if setting == NAME:
        _told, _unmatched, _buffer = Told(), 0, None
