"""Many events in one body: each is read by itself, so that a bad one costs no other.

A body is one JSON list, or lines of JSON (NDJSON), one object each; empty lines are skipped. Reading is one pass over
the body, and some 5 microseconds an event. Nothing here knows what an event means: names, metrics and instants are the
engine's to understand, and what it refuses is reported beside what could not be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import wire
from .engine.errors import HailWhaleError, InvalidInput, TooLarge

MAX_REPORTED = 100
"""Errors in one answer: enough to see what is wrong, and no more than anybody reads."""

CountMany = Callable[[list[Any], Callable[[HailWhaleError, Any], None]], int]


@dataclass(slots=True)
class Batch:
    """Events with their places in the body, what is wrong with those that are none, and how many say nothing."""

    events: list[dict[str, Any]] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    errors: list[tuple[int | None, HailWhaleError]] = field(default_factory=list)
    skipped: int = 0


def read_lines(raw: bytes, most: int) -> Batch:
    """The events of NDJSON; a place is a line's number from 0, empty ones included. Raises `TooLarge`."""
    lines = [(place, line) for place, line in enumerate(raw.split(b"\n")) if line and not line.isspace()]
    return read_each(lines, wire.read_line, most)


def read_list(raw: bytes, most: int) -> Batch:
    """The events of a JSON list. Raises `InvalidInput` for what is no list, `TooLarge`."""
    return read_each(list(enumerate(wire.read_list(raw))), wire.read_event, most)


def read_each(given: list[tuple[int, Any]], read: Callable[[Any], dict[str, Any] | None], most: int) -> Batch:
    """The events that `read` makes of what was given by its place; where it makes none, that is skipped."""
    if len(given) > most:
        raise TooLarge("body", f"{len(given):,} events", f"at most {most:,} events in one batch")
    batch = Batch()
    for place, one in given:
        try:
            event = read(one)
        except InvalidInput as error:
            batch.errors.append((place, error))
            continue
        if event is None:
            batch.skipped += 1
        else:
            batch.events.append(event)
            batch.places.append(place)
    return batch


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a batch."""

    accepted: int
    errors: list[tuple[int | None, HailWhaleError]]

    def to_wire(self) -> dict[str, Any]:
        first = sorted(self.errors, key=lambda error: -1 if error[0] is None else error[0])[:MAX_REPORTED]
        return {
            "accepted": self.accepted,
            "refused": sum(place is not None for place, _ in self.errors),
            "errors": [_error(place, error) for place, error in first],
        }


def hand_over(batch: Batch, count_many: CountMany) -> Report:
    """Have a batch's events counted. What is refused is told by its place; `None` where it concerns several."""
    errors = list(batch.errors)
    places = {id(event): place for event, place in zip(batch.events, batch.places, strict=True)}
    accepted = count_many(batch.events, lambda error, event: errors.append((places.get(id(event)), error)))
    return Report(accepted, errors)


def none_accepted(report: Report) -> str:
    """What to say where a whole batch was refused."""
    if not report.errors:
        return "there is no event in this body"
    return f"none of the {len(report.errors):,} events could be accepted"


def _error(place: int | None, error: HailWhaleError) -> dict[str, Any]:
    said: dict[str, Any] = {"index": place}
    if isinstance(error, InvalidInput):
        said |= {"field": error.field, "value": wire.shortened(error.value), "expected": error.expected}
    return said | {"message": str(error)}
