"""What happened while a graph went on: deploys, campaigns, holidays. Drawn on it, and told in words beneath it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..engine.domain.period import Period
from ..engine.errors import InvalidInput
from . import writing

# A link may come from anybody who may write notes; these cannot run anything.
_SAFE_LINKS = ("https://", "http://", "/")


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment, or a span: the bucket in which it begins, that in which it ends, and what to say of it.

    Buckets are numbers of the interval that is drawn, as `Timeline.bucket` has them. A `link` that is no web address
    is not shown.
    """

    begin: int
    end: int | None
    text: str
    link: str = ""

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.begin:
            raise InvalidInput("end", self.end, f"a mark that begins in bucket {self.begin} ends there or later")

    @property
    def last(self) -> int:
        return self.begin if self.end is None else self.end

    @property
    def address(self) -> str:
        return self.link if self.link.startswith(_SAFE_LINKS) else ""


@dataclass(frozen=True, slots=True)
class Noted:
    """A mark in words: when, what, and where there is more about it."""

    when: str
    text: str
    address: str


def within(marks: Iterable[Mark], period: Period) -> list[Mark]:
    """Those of which anything lies in a period, the earliest first."""
    found = [mark for mark in marks if mark.last >= period.first and mark.begin <= period.last]
    return sorted(found, key=lambda mark: (mark.begin, mark.last))


def placed(marks: Iterable[Mark], period: Period) -> list[dict[str, Any]]:
    """Marks by the numbers of points, as much of each as lies in the period; `end` is null for a moment."""
    return [
        {
            "begin": max(mark.begin - period.first, 0),
            "end": None if mark.end is None else min(mark.end, period.last) - period.first,
            "text": mark.text,
        }
        for mark in within(marks, period)
    ]


def noted(marks: Iterable[Mark], period: Period) -> list[Noted]:
    found = list(zip(placed(marks, period), within(marks, period), strict=True))
    labels = writing.labels(period) if found else []
    return [Noted(_when(labels, one["begin"], one["end"]), mark.text, mark.address) for one, mark in found]


def _when(labels: list[str], begin: int, end: int | None) -> str:
    return labels[begin] if end in (None, begin) else f"{labels[begin]} – {labels[end or 0]}"
