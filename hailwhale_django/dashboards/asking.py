"""What all panels of a dashboard are asked with: when, compared with what, of which values, by whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ..engine.domain.formula import Formula
from ..engine.domain.paths import Path
from ..engine.domain.period import Period, compare_period
from ..engine.domain.query import Query
from ..engine.errors import InvalidInput, TooLarge
from ..engine.pod import Pod
from ..engine.store.conversation import Conversation
from .boardstate import BoardState
from .question import MAX_POINTS, graph_period_of, readable, without_intervals
from .spec import PanelSpec
from .state import State
from .whystate import WhyAddress

Link = Callable[[State], str]
"""The address of a counter's page; "" where there is none for who looks."""

MOST_OF_A_SPARK = 400
"""Buckets beyond which a small line costs more to read than it says."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What whoever looks may do: choose a period and filters, look further into counters, change the dashboard."""

    chooses: bool = True
    explores: bool = False
    changes: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A moment, a period (and its `text`), what it is compared with (and `versus`, its text), filters.

    Filters that are `fixed` bound what may be seen; the others only choose among it.
    """

    pod: Pod
    now: float
    state: BoardState
    text: str
    period: Period
    versus: str = ""
    compare: Period | None = None
    interval: str = ""
    filters: Sequence[Path] = ()
    fixed: Sequence[Path] = ()
    rights: Rights = field(default_factory=Rights)
    link: Link = lambda _: ""
    why: WhyAddress = lambda _: ""

    def of(self, panel: PanelSpec) -> Ask:
        """The same for a panel that may have a period of its own."""
        if not panel.period:
            return self
        period = self.pod.period(panel.period, None, self.now)
        compare = compare_period(period, self.versus, now=self.moment) if self.versus else None
        return replace(self, text=panel.period, period=period, compare=compare)

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)

    @property
    def all_filters(self) -> list[Path]:
        """Of each dimension one; the fixed ones cannot be chosen anew."""
        chosen = {one[0]: one for one in self.filters} | {one[0]: one for one in self.fixed}
        return list(chosen.values())

    def sparks(self, formulas: Sequence[Formula]) -> bool:
        """Whether small lines are worth reading."""
        return 2 <= len(self.period) <= MOST_OF_A_SPARK and any(one.is_number for one in formulas)

    def drawn(self, pk: Path) -> Period | None:
        """The period by an interval that makes a line of it."""
        state = State(pk, period=self.text, interval=self.interval)
        try:
            found = graph_period_of(state, self.period, self.pod)
        except InvalidInput:  # an interval that makes too many points, or none, of this panel's own period
            found = readable(state, self.period, self.pod)
        return found if found is not None and len(found) <= MAX_POINTS else None

    def tabling(self, query: Query) -> Conversation[Any]:
        """A table; without intervals where these would take more numbers than may be read for one page."""
        try:
            return (yield from self.pod.reader.tabling(query, self.now))
        except TooLarge:
            return (yield from self.pod.reader.tabling(without_intervals(query), self.now))
