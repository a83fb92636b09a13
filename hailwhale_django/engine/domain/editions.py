"""Since when a sketch is kept at an interval: what the setting SKETCHES said before, and when.

An interval that a rule names later has nothing of what came before. Whoever reads takes it only from then on, and the
others before; else a month that was kept of its last days alone would pass for the whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from .sketchbook import Rule, Sketchbook
from .timeline import Interval

MOST = 50
"""Of more changes the first are forgotten; what was counted before them is not read then, and the answer says so."""


@dataclass(frozen=True, slots=True)
class Editions:
    """Sketchbooks, as far as intervals go, each with the instant from which on it holds, oldest first."""

    books: tuple[tuple[int, Sketchbook], ...]

    @classmethod
    def parse(cls, text: str) -> Editions:
        return cls(
            tuple(
                (begin, Sketchbook(tuple((pattern, Rule(None, _parsed(intervals))) for pattern, intervals in rules)))
                for begin, rules in json.loads(text)
            )
        )

    def __str__(self) -> str:
        return json.dumps(
            [[begin, [[pattern, _written(rule)] for pattern, rule in book.rules]] for begin, book in self.books]
        )

    def then(self, book: Sketchbook, now: int) -> Editions:
        """The same with a sketchbook that holds from now on, unless it is the one that does."""
        latest = Sketchbook(tuple((pattern, Rule(None, rule.intervals)) for pattern, rule in book.rules))
        if self.books and self.books[-1][1] == latest:
            return self
        return Editions((*self.books, (now, latest))[-MOST:])

    def since(self, kept: str, interval: Interval) -> int:
        """Since when all of a sketch is kept at an interval at which it is."""
        since = self.books[-1][0]
        for begin, book in reversed(self.books):
            if not book.rule(kept).keeps_interval(interval):
                break
            since = begin
        return since


def _parsed(intervals: list[str] | None) -> tuple[Interval, ...] | None:
    return None if intervals is None else tuple(map(Interval.parse, intervals))


def _written(rule: Rule) -> list[str] | None:
    return None if rule.intervals is None else [str(one) for one in rule.intervals]
