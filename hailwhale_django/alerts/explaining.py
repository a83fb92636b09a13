"""What made the number move of which an alert tells: of the same row, within the same window.

What rises or falls is explained as the alert compares it, what is above or below against the window before. Nothing
that goes wrong here is worth a message that is not sent.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING

from .. import connection
from ..dashboards.explained import Writer
from ..dashboards.whystate import WhyState, is_explainable
from ..engine.domain.window import Window, is_kept
from ..engine.errors import HailWhaleError, InvalidInput
from ..engine.explain.explanation import Explanation
from ..engine.explain.why import Why
from . import links
from .lookout import Lookout

if TYPE_CHECKING:
    from ..models import Alert, AlertEvent

logger = logging.getLogger("hailwhale")

MOST_EXPLAINED = 3
"""As many events of one message are explained; each takes some six round trips."""

MOST_SECONDS = 10.0
"""After as many no further event is explained: the message is worth more."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is said about an event besides its text; `why` is the address of a page that says more, or ""."""

    sentences: list[str]
    why: str


def explained(alert: Alert, events: Sequence[AlertEvent], now: datetime) -> dict[int, Told]:
    """By event, what made the number move: of the first few that began, where there is something to say. Never raises.

    Where one cannot be explained the next ones are not tried: they would fail as well, and may take their time.
    """
    found: dict[int, Told] = {}
    until = monotonic() + MOST_SECONDS
    try:
        lookout = Lookout.of(alert)
        for event in [one for one in events if asks_why(lookout, one)][:MOST_EXPLAINED]:
            if monotonic() > until:
                break
            if told := _told(lookout, event, now.timestamp()):
                found[event.pk] = told
    except HailWhaleError as error:
        logger.warning("what the alert %r tells could not be explained: %s", alert.name, error)
    except Exception:  # a bug there is no reason to tell nothing
        logger.exception("what the alert %r tells could not be explained", alert.name)
    return found


def may_be_explained(lookout: Lookout) -> bool:
    """Whether it can be said why it begins: not of silence, nor of what no child has a part in."""
    return lookout.rule.condition != "silent" and is_explainable(lookout.column.formula)


def asks_why(lookout: Lookout, event: AlertEvent) -> bool:
    """Whether an event began something that may be explained, and is of the question that the alert asks by now."""
    is_its_own = lookout.column.title in event.text and bool(event.child) == lookout.each
    return event.state == "began" and is_its_own and may_be_explained(lookout)


def window_at(lookout: Lookout, at: float, now: float) -> Window | None:
    """What was looked at and what that is explained against; `None` where that is not, or no longer, all kept."""
    try:
        found = lookout.window(at)
        if found.compare is None or not lookout.rule.compares:
            found = Window(found.period, found.period.previous())
    except InvalidInput:
        return None
    return found if is_kept(found, now, lookout.schedule) else None


def question_of(lookout: Lookout, child: str, window: Window) -> WhyState:
    """The question as a link asks it, whenever somebody follows it."""
    path, (period, compare) = lookout.path_of(child), window
    against = compare.dated if compare is not None and compare.buckets != period.previous().buckets else ""
    return WhyState(lookout.pk, str(lookout.column), str(path) if path else "", period.dated, against, lookout.store)


def _told(lookout: Lookout, event: AlertEvent, now: float) -> Told | None:
    window = window_at(lookout, event.at.timestamp(), now)
    if window is None or window.compare is None:
        return None
    why = Why(lookout.pk, lookout.path_of(event.child), lookout.column.formula, window.period, window.compare)
    found = connection.pod(lookout.store).explainer.explain(why, now)
    sentences = _sentences(lookout, found)
    return Told(sentences, links.why(question_of(lookout, event.child, window))) if sentences else None


def _sentences(lookout: Lookout, found: Explanation) -> list[str]:
    """Each on one line, whatever children are called. Of what has no parts there is nothing to say."""
    if found.verdict == "nothing" or not found.breakdowns:
        return []
    sentences = [" ".join(one.splitlines()) for one in Writer.of(found, lookout.column).plain()]
    # The first says how much it rose or fell, as the event does.
    return sentences[1:] if lookout.rule.compares else sentences
