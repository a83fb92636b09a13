"""Lessons of events: which cells an event of a decision teaches, and what."""

from __future__ import annotations

from collections.abc import Mapping

from ..domain.event import Event, Places
from ..domain.lesson import Lesson, sums_of
from ..domain.paths import Path
from .cells import Outlook

ASSIGNED = "assigned"
"""The dimension that says of an event whether its option was chosen by chance alone."""

UNIFORM = Path((ASSIGNED, "uniform"))
ADAPTIVE = Path((ASSIGNED, "adaptive"))


def taught(
    event: Event,
    places: Places,
    outlook: Outlook,
    *,
    before: Mapping[str, float] | None = None,
    uniform: bool | None = None,
    more: Mapping[str, float] | None = None,
) -> Event:
    """An event on an option's counter, with what the decision learns from it.

    `before` is what the same visitor was worth already, where that is known: this event then changes that one, and is
    no further one. `uniform` says how the option was chosen, where that is known, whatever the event says of it, and
    `more` adds sums of its own.
    """
    values = {name: units / places.scale(name) for name, units in event.metrics}
    sums = {**sums_of(values, before), **(more or {})}
    if uniform is None:
        cells = [cell.text for cell in outlook.cells(event.dimensions)]
        return event._replace(lesson=Lesson(tuple(cells), tuple(sums.items())))
    assigned = UNIFORM if uniform else ADAPTIVE
    known = [path for path in event.dimensions if path[:1] != assigned[:1]]
    cells = [cell.text for cell in outlook.cells(known)]
    dimensions = (*known, assigned.parent, assigned)
    return event._replace(dimensions=dimensions, lesson=Lesson((*cells, str(assigned)), tuple(sums.items())))
