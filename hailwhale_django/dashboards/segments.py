"""Groups of visitors as a decision's page shows them: who prefers which option."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from ..engine.decide.cells import JOINT
from ..engine.experiment import Level, Segment
from ..registration import Registration
from . import writing
from .verdicts import SURE, group_of


@dataclass(frozen=True, slots=True)
class ShownSegment:
    """A group: the option that is best there, and by how much against that which is best for all; `differs`: it surely
    is another one."""

    name: str
    events: str
    option: str
    differs: bool
    best: str
    mean: str
    gain: str


@dataclass(frozen=True, slots=True)
class ShownLevel:
    """Groups of one kind. `more`: how many there are besides those that are shown."""

    name: str
    segments: list[ShownSegment]
    more: int


def shown_levels(levels: Sequence[Level], one: Registration, leading: str) -> list[ShownLevel]:
    return [
        ShownLevel(
            _title(level.name),
            [_shown(segment, one, leading) for segment in level.segments],
            level.seen - len(level.segments),
        )
        for level in levels
    ]


def _title(level: str) -> str:
    """`country`, `country › *`, `country and device`"""
    joint = gettext("and")
    return f" {joint} ".join(part.replace("/", " › ") for part in level.split(JOINT))


def _shown(segment: Segment, one: Registration, leading: str) -> ShownSegment:
    chances, means = segment.judged.best.tolist(), segment.judged.mean.tolist()
    at = chances.index(max(chances))
    against = means[one.options.index(leading)] if leading else 0.0
    gain = (means[at] - against) / abs(against) if against else None
    return ShownSegment(
        group_of([path.partition("/")[2] or path for path in segment.cell.paths]),
        writing.number(segment.events),
        one.options[at],
        one.options[at] != leading and chances[at] >= SURE,
        writing.percent(chances[at], places=0),
        writing.number(means[at], ratio=True),
        writing.percent(gain, signed=True) if one.options[at] != leading else writing.NOTHING,
    )
