"""A dashboard as it is shown: a period, filters, and all panels, read together in the round trips of the longest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext

from ..engine.domain.answer import Answer
from ..engine.domain.paths import Path
from ..engine.domain.period import Period
from ..engine.errors import HailWhaleError, InvalidInput
from ..engine.explain.explanation import Movers
from ..engine.pod import Pod
from ..registration import Registration
from . import writing
from .asking import Ask, Conversation, Link, Rights
from .boardstate import BoardState
from .decisionpanel import decision_panel
from .decisions import QuestionOf
from .graphpanel import MarksOf, graph_panel
from .moverspanel import movers_panel, movers_sheet
from .panels import BrokenPanel, Choice, ShownPanel, number_panel, text_panel
from .question import intervals, read_compare, said
from .spec import BoardSpec, PanelSpec, read_filters
from .state import DEFAULT_PERIOD
from .tablepanel import panel_sheet, table_panel
from .whystate import WhyAddress

NOTHING = "nothing"
"""As what to compare with: nothing, where the dashboard would."""

SHEETS = {"table": panel_sheet, "top": panel_sheet, "movers": movers_sheet}
"""Kinds of panels that can be had as a file for spreadsheets."""

SHORTCUTS = {
    "today": "D",
    "yesterday": "E",
    "24h": "R",
    "7d": "W",
    "30d": "T",
    "mtd": "M",
    "last month": "P",
    "ytd": "Y",
    "12mo": "L",
    "year": "A",
}
"""Keys that choose a period; X turns the comparison on and off, C asks for dates."""

Decisions = Callable[[PanelSpec], tuple[Registration, QuestionOf, str] | None]
"""The decision that a panel names, how it is asked, and its page's address."""


@dataclass(frozen=True, slots=True)
class PeriodChoice(Choice):
    """An entry of a menu with the key that chooses it."""

    key: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that holds, and the link that takes it away; none for one that is fixed."""

    dimension: str
    value: str
    link: str


@dataclass(frozen=True, slots=True)
class Sources:
    """What of a board comes from elsewhere: annotations, decisions, and the pages of counters."""

    marks_of: MarksOf = lambda _pk, _period: ()
    decision_of: Decisions = lambda _: None
    link: Link = lambda _: ""
    why: WhyAddress = lambda _: ""


@dataclass
class BoardPage:
    """All that a dashboard's page shows; all but `panels` follows from what was asked."""

    spec: BoardSpec
    state: BoardState
    ask: Ask
    problems: dict[str, str]
    panels: Sequence[ShownPanel] = ()
    segments: Sequence[tuple[str, Sequence[str]]] = ()
    away: str = ""
    notes: Sequence[str] = field(default_factory=list)
    # What can be done here, by those who may: addresses, which the page's owner fills in.
    panel_tools: str = ""
    add_panel: str = ""
    saves_segments: str = ""

    @property
    def title(self) -> str:
        return self.spec.title

    @property
    def rights(self) -> Rights:
        return self.ask.rights

    # -- when

    @property
    def period(self) -> str:
        return writing.span(self.ask.period)

    @property
    def period_name(self) -> str:
        """What is asked for in words, else in dates."""
        return dict(writing.presets()).get(period_text(self.spec, self.state), self.period)

    @property
    def compared(self) -> str:
        return "" if self.ask.compare is None else writing.span(self.ask.compare)

    @property
    def zone(self) -> str:
        return str(self.ask.period.zone)

    @property
    def is_live(self) -> bool:
        """Whether time goes on within the period."""
        return self.ask.period.end > self.ask.moment

    @property
    def periods(self) -> list[PeriodChoice]:
        now = period_text(self.spec, self.state)
        own = self.spec.period or DEFAULT_PERIOD
        return [
            PeriodChoice(
                text, self.state.link(period="" if value == own else value), value == now, "", SHORTCUTS[value]
            )
            for value, text in writing.presets()
        ]

    @property
    def dates(self) -> tuple[str, str]:
        """The first and the last day, as fields for dates have them."""
        period = self.ask.period
        return str(period.start.date()), str((period.end - timedelta(seconds=1)).date())

    @property
    def comparisons(self) -> list[PeriodChoice]:
        now = self.ask.versus
        offered = [
            ("", gettext("nothing"), "X" if now else ""),
            ("previous", gettext("the period before"), "" if now else "X"),
            ("weekdays", gettext("the same weekdays before"), ""),
            ("month", gettext("the same days a month before"), ""),
            ("year", gettext("a year before"), ""),
        ]
        return [
            PeriodChoice(text, self.state.link(compare=self._compare_link(value)), value == now, key=key)
            for value, text, key in offered
        ]

    def _compare_link(self, value: str) -> str:
        if value == self.spec.compare:
            return ""
        return value or NOTHING

    @property
    def compare_name(self) -> str:
        names = {choice.current: choice.text for choice in self.comparisons}
        return names.get(True, self.compared)

    @property
    def has_graphs(self) -> bool:
        return any(panel.kind == "graph" for panel in self.spec.panels)

    @property
    def intervals(self) -> list[Choice]:
        """How finely graphs may be drawn."""
        now = self.state.interval
        offered = [(str(one), writing.each(one)) for one in intervals(self.ask.period, self.ask.pod)]
        texts = [("", gettext("automatic")), *offered]
        return [Choice(text, self.state.link(interval=value), value == now) for value, text in texts]

    @property
    def interval_name(self) -> str:
        return {choice.current: choice.text for choice in self.intervals}.get(True, self.state.interval)

    @property
    def form_pairs(self) -> list[tuple[str, str]]:
        """What the forms keep without showing it."""
        return [pair for pair in self.state.pairs() if pair[0] not in ("p", "c")]

    # -- what

    @property
    def chips(self) -> list[Chip]:
        fixed = [Chip(one[0], " / ".join(one[1:]), "") for one in self.ask.fixed]
        names = {one[0] for one in self.ask.fixed}
        texts = [str(one) for one in self.ask.filters]
        return fixed + [
            Chip(
                one[0],
                " / ".join(one[1:]),
                self.state.link(filters=tuple(text for text in texts if text != str(one))),
            )
            for one in self.ask.filters
            if one[0] not in names
        ]

    @property
    def without_filters(self) -> str:
        return self.state.link(filters=()) if any(chip.link for chip in self.chips) else ""

    @property
    def segment_name(self) -> str:
        """The segment that holds, if any does."""
        return next((choice.text for choice in self.segment_choices if choice.current), gettext("choose"))

    @property
    def segment_choices(self) -> list[Choice]:
        chosen = {str(one) for one in self.ask.filters}
        return [
            Choice(name, self.state.link(filters=tuple(filters)), set(filters) == chosen)
            for name, filters in self.segments
        ]


def period_text(spec: BoardSpec, state: BoardState) -> str:
    return state.period or spec.period or DEFAULT_PERIOD


def board_ask(
    spec: BoardSpec, state: BoardState, pod: Pod, rights: Rights, fixed: Sequence[Path] = (), link: Link = lambda _: ""
) -> tuple[Ask, dict[str, str]]:
    """What all panels are asked with, and by field what of the address cannot be understood."""
    now = pod.clock()
    problems: dict[str, str] = {}

    def understood(name: str, read: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        try:
            return read()
        except InvalidInput as error:
            problems[name] = said(error)
            return otherwise()

    own = spec.period or DEFAULT_PERIOD
    # The dashboard's own, too, may have become too long since it was written down.
    text, period = understood(
        "period",
        lambda: _period(pod, now, state.period or own),
        lambda: understood("period", lambda: _period(pod, now, own), lambda: _period(pod, now, DEFAULT_PERIOD)),
    )
    versus = "" if state.compare == NOTHING else state.compare or spec.compare
    moment = datetime.fromtimestamp(now, UTC)
    compare = understood("compare", lambda: read_compare(versus, period, moment), lambda: None)
    given = spec.filters if state.filters is None else state.filters
    filters = understood("filters", lambda: read_filters(list(given)), list)
    asked = Ask(
        pod, now, state, text, period, versus if compare else "", compare, state.interval, filters, fixed, rights, link
    )
    return asked, problems


def _period(pod: Pod, now: float, text: str) -> tuple[str, Period]:
    return text, pod.period(text, None, now)


def board_page(
    spec: BoardSpec,
    state: BoardState,
    pod: Pod,
    rights: Rights,
    sources: Sources,
    *,
    fixed: Sequence[Path] = (),
    segments: Sequence[tuple[str, Sequence[str]]] = (),
    only: str = "",
) -> BoardPage:
    """Read a dashboard, or `only` the panel with this key. Raises `StoreUnavailable`."""
    asked, problems = board_ask(spec, state, pod, rights, fixed, sources.link)
    asked = replace(asked, why=sources.why)
    page = BoardPage(spec, state, asked, problems, segments=segments)
    chosen = [panel for panel in spec.panels if not only or panel.key == only]
    found = pod.together([panel_of(panel, asked, sources) for panel in chosen])
    page.panels = [
        broken(panel, one) if isinstance(one, HailWhaleError) else one for panel, one in zip(chosen, found, strict=True)
    ]
    return page


def board_sheet(
    spec: BoardSpec, state: BoardState, pod: Pod, rights: Rights, sources: Sources, key: str, fixed: Sequence[Path] = ()
) -> Answer | Movers | None:
    """The whole table of a panel; `None` where there is none. Raises what goes wrong."""
    panel = next((one for one in spec.panels if one.key == key and one.kind in SHEETS), None)
    if panel is None:
        return None
    asked, _ = board_ask(spec, state, pod, rights, fixed, sources.link)
    (found,) = pod.together([SHEETS[panel.kind](panel, asked.of(panel))])
    if isinstance(found, HailWhaleError):
        raise found
    return found


def panel_of(spec: PanelSpec, asked: Ask, sources: Sources) -> Conversation[ShownPanel]:
    """The conversation that reads a panel; what is wrong with it is raised there."""
    ask = asked.of(spec)
    match spec.kind:
        case "number":
            return (yield from number_panel(spec, ask))
        case "graph":
            return (yield from graph_panel(spec, ask, sources.marks_of))
        case "movers":
            return (yield from movers_panel(spec, ask))
        case "text":
            return (yield from text_panel(spec, ask))
        case "decision":
            found = sources.decision_of(spec)
            if found is None:
                raise InvalidInput("counter", spec.counter, gettext("there is no such decision, or you may not see it"))
            return (yield from decision_panel(spec, ask, *found))
    return (yield from table_panel(spec, ask))


def broken(spec: PanelSpec, error: HailWhaleError) -> BrokenPanel:
    return BrokenPanel(spec, spec.title or spec.counter, problem=str(error))
