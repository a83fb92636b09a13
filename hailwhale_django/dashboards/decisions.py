"""The list of decisions: where each stands, in one round trip each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import dateformat
from django.utils.translation import pgettext

from ..engine.chooser import Question, standings_of
from ..engine.pod import Pod
from ..registration import Registration, State
from . import writing
from .standings import leading

DECISIONS_OF_A_LIST = 100

QuestionOf = Callable[[Registration], Question]


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
