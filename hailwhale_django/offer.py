"""Offers: what a page's script may have decided for who reads the page, and which earnings it may tell.

A ticket like those that count (see `ticket`), and good for nothing else. It names the decisions with their options, so
that nobody can ask for others, and what the page knows of the visitor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .engine.decider import options_of
from .engine.errors import InvalidInput, TooLarge
from .ticket import opened, sealed

USE = "decide"
"""What its tickets are signed for."""

MOST_DECISIONS = 20

MOST_CHARACTERS = 6_000
"""Of a ticket, which is sent with each question, in a body of at most `tracker.MAX_HIT_BYTES`."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Decisions by name with their options, `None` where they are registered; `declared` are the metrics that may be
    credited, `terms` those of `choosing.decide`.
    """

    decisions: Mapping[str, list[str] | None]
    pk: Any = None
    known: Any = None
    visitor: str = ""
    declared: tuple[str, ...] = ()
    terms: Mapping[str, Any] = field(default_factory=dict)

    def signed(self) -> str:
        """The text of this offer. Raises `InvalidInput` for what JSON cannot say, or a script cannot send."""
        fields = [dict(self.decisions), self.pk, self.known, self.visitor, list(self.declared), dict(self.terms)]
        while fields and not fields[-1]:
            fields.pop()
        text = sealed(fields, USE)
        if len(text) > MOST_CHARACTERS:
            raise TooLarge(
                "decisions", list(self.decisions), f"its ticket has more than {MOST_CHARACTERS:,} characters"
            )
        return text

    @classmethod
    def read(cls, text: str, max_age_seconds: int | None) -> Offer:
        """The inverse of `signed`. Raises `InvalidInput` for what is no ticket, `Forged`, `Expired`."""
        decisions, pk, known, visitor, declared, terms = [*opened(text, USE, max_age_seconds), *[None] * 6][:6]
        return cls(decisions or {}, pk, known, visitor or "", tuple(declared or ()), terms or {})

    def options(self, decision: Any) -> list[str] | None:
        """The options of a decision. Raises `InvalidInput` for one that is not offered."""
        if not isinstance(decision, str) or decision not in self.decisions:
            raise InvalidInput("decision", decision, f"this page offers {', '.join(self.decisions)}")
        return self.decisions[decision]

    def earned(self, metrics: Any) -> dict[str, Any]:
        """What a script says was earned. Raises `InvalidInput` for what the page did not declare."""
        if not isinstance(metrics, Mapping) or not metrics:
            raise InvalidInput("metrics", metrics, 'use an object of numbers, e.g. {"revenue": 25}')
        for name, value in metrics.items():
            if name not in self.declared:
                known = f"this page declared {', '.join(self.declared)}" if self.declared else "this page declared none"
                raise InvalidInput("metrics", name, known)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InvalidInput(name, value, "a metric's value is a number")
        return dict(metrics)


def decisions_of(given: Any) -> dict[str, list[str] | None]:
    """Decisions with their options, or the names of registered ones: a list, or a text with commas."""
    if isinstance(given, str):
        given = [name.strip() for name in given.split(",")]
    if isinstance(given, Mapping):
        found = {str(name): None if options is None else list(options_of(options)) for name, options in given.items()}
    elif isinstance(given, Iterable):
        found = dict.fromkeys(map(str, given))
    else:
        found = {}
    if not found or "" in found:
        raise InvalidInput("decisions", given, 'name them with their options, e.g. {"banner": ["a", "b"]}')
    if len(found) > MOST_DECISIONS:
        raise TooLarge("decisions", list(found), f"a page offers at most {MOST_DECISIONS} decisions")
    return found
