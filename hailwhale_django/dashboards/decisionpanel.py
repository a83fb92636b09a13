"""The panel that shows where a decision stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.utils.translation import gettext

from ..engine.chooser import standings_of
from ..registration import Registration
from .asking import Ask, Conversation
from .decisions import QuestionOf, state_word
from .panels import ShownPanel, bounded
from .spec import PanelSpec
from .standings import OptionRow, leading, option_rows

OPTIONS_OF_A_PANEL = 8


@dataclass(frozen=True, slots=True)
class DecisionPanel(ShownPanel):
    """A decision's options, the best first; `leader` is the one that leads, or has won."""

    one: Registration | None = None
    state: str = ""
    leader: str = ""
    options: Sequence[OptionRow] = ()
    kind: ClassVar[str] = "decision"


def decision_panel(
    spec: PanelSpec, ask: Ask, one: Registration, question_of: QuestionOf, link: str
) -> Conversation[ShownPanel]:
    """Where a registered decision stands, for a visitor of whom nothing is known. One round trip of its own."""
    yield from ()
    bounded(gettext("A decision is not told apart by filters."), ask)
    standings = standings_of(ask.pod.decider.chooser.weigh(question_of(one), ask.now))
    leader = one.winner if one.state == "won" else leading(one, standings)
    options = option_rows(one, standings)[:OPTIONS_OF_A_PANEL]
    return DecisionPanel(spec, spec.title or one.title, (), link, one, state_word(one.state), leader, options)
