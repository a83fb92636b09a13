"""Events as they arrive: the ends of the hail's streams, newest first, and what was logged of visitors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from ..engine.domain.event import Event, Places
from ..engine.domain.line import read_line
from ..engine.domain.paths import Path
from ..engine.domain.sketch import Values
from ..engine.errors import InvalidInput
from ..engine.pod import Pod
from ..engine.store.log import LINE_DIGITS, Entry, entry_of, position
from .pages import pk_of_text
from .state import State

EVENTS = 100
# Entries that are looked through for the events of one counter.
SEARCHED_ENTRIES = 300
SPIED = 100
MOST_LINES = 10**LINE_DIGITS - 1
# What is shown of one thing that was logged.
SPIED_CHARACTERS = 2_000
# Of the values of a sketch in one event, and their characters.
VALUES, VALUE_CHARACTERS = 10, 100

Link = Callable[[State], str]


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An event of the log; `age` is since it arrived, in words, `link` "" for who may not see counters."""

    id: str
    age: str
    counter: str
    link: str
    dimensions: tuple[str, ...]
    metrics: tuple[tuple[str, str], ...]
    is_counted: bool


@dataclass(frozen=True, slots=True)
class LivePage:
    """Events of `counter` and its child counters ("": of all); what was logged of the visitor `uid` ("": of all)."""

    counter: str
    uid: str
    events: tuple[LiveEvent, ...]
    spied: tuple[str, ...]
    problem: str = ""

    def to_wire(self) -> dict[str, Any]:
        return asdict(self)


def live_page(pod: Pod, store: str, counter: str, uid: str, spied: list[Any], link: Link) -> LivePage:
    """What arrived last. Three round trips for each stream."""
    shown = tuple(json.dumps(one, ensure_ascii=False)[:SPIED_CHARACTERS] for one in spied)
    try:
        wanted = pk_of_text(counter) if counter else Path()
    except InvalidInput as error:
        return LivePage(counter, uid, (), shown, str(error))
    return LivePage(counter, uid, tuple(_events(pod, store, wanted, link)), shown)


def age(seconds: float) -> str:
    """`now`, `5 s`, `3 min`, `2 h`, `4 d`."""
    whole = int(max(seconds, 0))
    if whole < 1:
        return gettext("now")
    if whole < 120:
        return gettext("%(count)s s") % {"count": whole}
    if whole < 7_200:
        return gettext("%(count)s min") % {"count": whole // 60}
    if whole < 172_800:
        return gettext("%(count)s h") % {"count": whole // 3_600}
    return ngettext("%(count)s day", "%(count)s days", whole // 86_400) % {"count": whole // 86_400}


def _events(pod: Pod, store: str, wanted: Path, link: Link) -> list[LiveEvent]:
    found = [one for stream in pod.log.streams() for one in _of_stream(pod, stream, wanted)]
    found.sort(key=lambda one: one.position, reverse=True)
    now = pod.clock()
    return [_shown(one, now, pod.store.places, store, link) for one in found[:EVENTS]]


class Arrived(NamedTuple):
    """An event, where in the log it is, and whether the drain has come past it."""

    stream: int
    position: str
    event: Event
    is_counted: bool


def _of_stream(pod: Pod, stream: int, wanted: Path) -> list[Arrived]:
    """The last events of a stream, at most `EVENTS`."""
    entry = pod.log.state(stream).entry
    counted = position(entry, MOST_LINES) if entry else ""
    entries = pod.log.latest(stream, SEARCHED_ENTRIES if wanted else EVENTS)
    events = (one for entry in entries for one in _of_entry(entry) if one[1].pk[: len(wanted)] == wanted)
    return [Arrived(stream, at, event, at <= counted) for at, event in islice(events, EVENTS)]


def _of_entry(entry: Entry) -> Iterator[tuple[str, Event]]:
    """The events of an entry, newest first; what is none is left out."""
    lines = list(enumerate(entry.lines or ()))
    for number, line in reversed(lines):
        try:
            yield position(entry.id, number), read_line(line)
        except InvalidInput:
            continue


def _shown(one: Arrived, now: float, places: Places, store: str, link: Link) -> LiveEvent:
    event = one.event
    milliseconds, _, _ = entry_of(one.position).partition("-")
    return LiveEvent(
        id=f"{one.stream}-{one.position}",
        age=age(now - int(milliseconds) / 1000),
        counter=str(event.pk),
        link=link(State(event.pk, store=store)),
        dimensions=tuple(" › ".join(path) for path in _deepest(event.dimensions)),
        metrics=(
            *((name, _exact(units, places.of(name))) for name, units in event.metrics),
            *((name, _values(values)) for name, values in event.samples),
        ),
        is_counted=one.is_counted,
    )


def _exact(units: int, places: int) -> str:
    """A number of units with all its decimals."""
    whole, _, decimals = f"{Decimal(units).scaleb(-places):f}".partition(".")
    kept = decimals.rstrip("0")
    number = Decimal(f"{whole}.{kept}" if kept else whole)
    return number_format(number, decimal_pos=len(kept), use_l10n=True, force_grouping=True)


def _values(values: Values) -> str:
    """The beginning of what a sketch was given."""
    text = ", ".join(values[:VALUES])
    shown = text[:VALUE_CHARACTERS]
    return shown + ("…" if len(values) > VALUES or len(text) > VALUE_CHARACTERS else "")


def _deepest(dimensions: tuple[Path, ...]) -> list[Path]:
    """Without those that others begin with."""
    begun = {Path(path[:depth]) for path in dimensions for depth in range(1, len(path))}
    return [path for path in dimensions if path not in begun]
