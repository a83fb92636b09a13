"""What Django knows that a dashboard's page needs: its rows as values, annotations, decisions, and who may see what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from . import decisions
from .annotations import annotations_of
from .connection import pod
from .dashboard_models import Dashboard, Segment
from .dashboards.asking import Link, Rights
from .dashboards.board import BoardPage, Sources, board_ask
from .dashboards.boardstate import BoardState
from .dashboards.decisions import QuestionOf
from .dashboards.marks import Mark
from .dashboards.spec import BoardSpec, PanelSpec
from .dashboards.whystate import WhyAddress
from .engine.domain.paths import Path
from .engine.domain.period import Period
from .engine.errors import InvalidInput
from .registration import Registration

MOST_SEGMENTS = 50


def spec_of(board: Dashboard) -> BoardSpec:
    """A dashboard with its panels; one that no longer will do is shown as a text that says why."""
    return board.spec([_spec_of(panel) for panel in board.panels.all()])


def _spec_of(panel: Any) -> PanelSpec:
    try:
        return panel.spec()  # type: ignore[no-any-return]
    except InvalidInput as error:
        return PanelSpec(kind="text", title=str(panel), text=str(error), width=panel.width, key=str(panel.pk))


def sources_of(
    board: Dashboard,
    link: Link,
    decision_link: Callable[[Registration], str] | None,
    why: WhyAddress = lambda _: "",
) -> Sources:
    """`decision_link` gives a decision's page; without it decisions are not shown."""
    known: dict[tuple[Path, Period], Sequence[Mark]] = {}

    def marks_of(pk: Path, period: Period) -> Sequence[Mark]:
        if (pk, period) not in known:
            known[pk, period] = marks(board.store, pk, period)
        return known[pk, period]

    def decision_of(spec: PanelSpec) -> tuple[Registration, QuestionOf, str] | None:
        if decision_link is None:
            return None
        for one in decisions.registered():
            if one.store == board.store and str(one.counter) == spec.counter:
                return one, decisions.question_for, decision_link(one)
        return None

    return Sources(marks_of, decision_of, link, why)


def marks(store: str, pk: Path, period: Period) -> list[Mark]:
    """The annotations of a counter in a period, by its buckets; the last of a span is the one that it ends in."""
    line, interval = period.timeline, period.interval
    found = []
    for one in annotations_of(store, pk, period):
        begin = line.bucket(interval, one.at.timestamp())
        end = None if one.until is None else line.bucket(interval, one.until.timestamp())
        found.append(Mark(begin, None if end == begin else end, one.text, one.link))
    return found


def segments_of(board: Dashboard, user: Any) -> list[tuple[str, list[str]]]:
    """The saved filters that a user may choose from."""
    found = Segment.objects.visible_to(user).filter(store=board.store)[:MOST_SEGMENTS]
    return [(one.name, list(one.filters)) for one in found]


def only(spec: BoardSpec, panels: tuple[PanelSpec, ...]) -> BoardSpec:
    """The same dashboard with some of its panels."""
    return replace(spec, panels=panels)


def page_without(
    board: Dashboard, spec: BoardSpec, state: BoardState, rights: Rights, problem: str, fixed: Sequence[Path] = ()
) -> BoardPage:
    """The page while the store is away: all but the panels."""
    asked, problems = board_ask(spec, state, pod(board.store), rights, fixed)
    return BoardPage(spec, state, asked, problems, away=problem)
