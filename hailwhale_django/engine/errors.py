"""The one family of errors: each says what was wrong, with the value, and what would be right.

`HailWhaleError` is the root, so that `except HailWhaleError` is all a caller ever needs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

# Long enough to recognise one's own value, short enough for a log line or a JSON answer.
SHOWN_CHARACTERS = 80


def shown(value: object) -> str:
    """`repr(value)`, cut to a length that a message can carry."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # Python writes out no whole number of more than 4,300 digits
        return f"<{type(value).__name__}>"
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


class HailWhaleError(Exception):
    """Anything that hailwhale refuses or cannot do."""


OnError = Callable[[HailWhaleError, Any], None]
"""What is told of each event that was not taken: the error, and the event as it was given (`None`: several)."""


def report(failures: Sequence[tuple[HailWhaleError, Any]], on_error: OnError | None, others: str) -> None:
    """Tell `on_error` of failures or, without it, raise the first; `others` says what became of the valid events."""
    for error, event in failures:
        if on_error is None:
            error.add_note(f"in a batch of events, of which all that were valid are {others}")
            raise error
        on_error(error, event)


class InvalidInput(HailWhaleError, ValueError):
    """A value that cannot be understood.

    `field` names the argument ("period"), `value` is what was given, `expected` says what would be right. `at` is the
    character of a text, from 0, at which it went wrong, where that is known.
    """

    def __init__(self, field: str, value: object, expected: str, at: int | None = None) -> None:
        super().__init__(field, value, expected)
        self.field = field
        self.value = value
        self.expected = expected
        self.at = at

    def __str__(self) -> str:
        return f"{self.field}: {shown(self.value)} will not do; {self.expected}"


class TooLarge(InvalidInput):
    """A value that would be fine if there were less of it."""


class InvalidConfiguration(HailWhaleError):
    """A setting that contradicts itself, another setting, or what the store already holds."""


class StoreUnavailable(HailWhaleError):
    """The Redis server did not answer, or answered that it cannot take the command now."""


class HailFull(StoreUnavailable):
    """The hail has as many entries as it may have: it is filled faster than it is drained. Nothing was accepted."""

    def __init__(self, events: int, limit: int) -> None:
        super().__init__(events, limit)
        self.events = events
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"the hail is full: no room for {self.events:,} event{'s' if self.events > 1 else ''} among "
            f"{self.limit:,} entries; is it drained (manage.py hailwhale_drain, or Celery's beat)? Try again later"
        )


class TooManyNames(HailWhaleError):
    """A new metric or counter would exceed the configured number of names. What had a place is counted."""

    def __init__(self, kind: str, names: Collection[str], limit: int) -> None:
        super().__init__(kind, names, limit)
        self.kind = kind
        self.names = sorted(names)
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.kind} {shown(self.names)} not counted: the limit is {self.limit} {self.kind}"


class CounterOverflow(HailWhaleError):
    """An increment would leave the range of a 64-bit counter. It was refused whole, all others counted."""

    def __init__(self, pk: str, metrics: Sequence[str], places: int) -> None:
        super().__init__(pk, metrics, places)
        self.pk = pk
        self.metrics = sorted(metrics)
        self.places = places

    def __str__(self) -> str:
        largest = (2**63 - 1) // 10**self.places
        return (
            f"metric {', '.join(map(repr, self.metrics))} of {self.pk!r} was not counted: "
            f"a counter holds at most {largest:,} at {self.places} decimal places"
        )
