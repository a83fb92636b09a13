"""What the health page shows: problems first, then one small table for each thing that there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from ..engine.health import ServerHealth, StoreHealth, StreamHealth
from ..engine.problems import ERROR, NOTE, WARNING, Problem
from ..health import Health
from . import writing
from .live import age

SIGNS = {ERROR: "✗", WARNING: "!", NOTE: "i"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: what is told of each column, a row for each question."""

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class ShownProblem:
    """A problem with the sign and the word of its level."""

    sign: str
    word: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class StoreSheets:
    """A store's tables, and what else is said of it."""

    name: str
    notes: tuple[str, ...]
    sheets: tuple[Sheet, ...]


@dataclass(frozen=True, slots=True)
class HealthPage:
    """The page, from top to bottom."""

    verdict: str
    level: str
    sign: str
    problems: tuple[ShownProblem, ...]
    stores: tuple[StoreSheets, ...]
    buffer: Sheet


def health_page(health: Health, now: float) -> HealthPage:
    words = level_words()
    problems = tuple(ShownProblem(SIGNS[one.level], words[one.level], one) for one in health.problems)
    level = health.problems[0].level if health.problems else ""
    stores = tuple(_store(number, one, now) for number, one in enumerate(health.stores))
    return HealthPage(verdict(health.problems), level, SIGNS.get(level, "✓"), problems, stores, _buffer(health))


def level_words() -> dict[str, str]:
    return {ERROR: gettext("Error"), WARNING: gettext("Warning"), NOTE: gettext("Note")}


def verdict(problems: Sequence[Problem]) -> str:
    """`All is well`, or `1 error, 2 warnings`."""
    errors, warnings = (sum(one.level == level for one in problems) for level in (ERROR, WARNING))
    told = [
        ngettext("%(count)s error", "%(count)s errors", errors) % {"count": errors} if errors else "",
        ngettext("%(count)s warning", "%(count)s warnings", warnings) % {"count": warnings} if warnings else "",
    ]
    return ", ".join(filter(None, told)) or gettext("All is well")


def _store(number: int, store: StoreHealth, now: float) -> StoreSheets:
    if store.away:
        return StoreSheets(store.store, (gettext("It does not answer."),), ())
    room = store.room
    looked = {"count": writing.number(room.counters), "looked": writing.number(room.looked_at)}
    notes = [gettext("Counters: %(count)s, of which %(looked)s were searched for full tables.") % looked]
    if store.dropped:
        dropped = {"count": writing.number(store.dropped)}
        notes.append(gettext("Dropped so far, before they reached the hail: %(count)s.") % dropped)
    return StoreSheets(
        store.store,
        tuple(notes),
        (_streams(f"hw-streams-{number}", store.streams, now), _servers(f"hw-servers-{number}", store.servers)),
    )


def _streams(id: str, streams: Sequence[StreamHealth], now: float) -> Sheet:
    number = writing.number
    return Sheet(
        id,
        gettext("The hail"),
        tuple(gettext("Stream %(number)s") % {"number": one.stream} for one in streams),
        (
            (gettext("Events waiting"), tuple(number(one.waiting) for one in streams)),
            (
                gettext("Lag"),
                tuple(
                    gettext("%(count)s s") % {"count": number_format(one.lag_seconds, 1, force_grouping=True)}
                    for one in streams
                ),
            ),
            (
                gettext("Counted each second"),
                tuple(number_format(one.per_second, 1, force_grouping=True) for one in streams),
            ),
            (gettext("Last counted"), tuple(_ago(one.drained_at, now) for one in streams)),
            (gettext("Counted by"), tuple(one.drained_by or writing.NOTHING for one in streams)),
            (gettext("Accepted"), tuple(number(one.accepted) for one in streams)),
            (gettext("Counted"), tuple(number(one.counted) for one in streams)),
            (gettext("Entries in the log"), tuple(_of(number(one.entries), number(one.limit)) for one in streams)),
            (gettext("Refused while full"), tuple(number(one.refused) for one in streams)),
            (gettext("Dead letters"), tuple(number(one.letters) for one in streams)),
        ),
    )


def _servers(id: str, servers: Sequence[ServerHealth]) -> Sheet:
    of_each = [one.vitals for one in servers]
    holds = {"counters": gettext("Counters"), "hail": gettext("Hail")}
    both = gettext("Counters and hail")
    return Sheet(
        id,
        gettext("Servers"),
        tuple(" ".join(filter(None, [holds.get(one.holds, both), one.vitals.node])) for one in servers),
        (
            (gettext("Version"), tuple(f"{one.product} {one.version}" for one in of_each)),
            (gettext("Memory"), tuple(_memory(one.used_bytes, one.limit_bytes) for one in of_each)),
            (gettext("Eviction"), tuple(one.policy or writing.NOTHING for one in of_each)),
            (gettext("Evicted keys"), tuple(writing.number(one.evicted_keys) for one in of_each)),
            (gettext("Written to disk"), tuple(_written(one.is_appending, one.snapshots) for one in of_each)),
            (gettext("Replicas"), tuple(writing.number(one.replicas) for one in of_each)),
            (gettext("Cluster"), tuple(one.cluster or gettext("none") for one in of_each)),
        ),
    )


def _buffer(health: Health) -> Sheet:
    told: Iterable[tuple[str, int]] = (
        (gettext("Waiting"), health.buffer.buffered),
        (gettext("Written"), health.buffer.flushed),
        (gettext("Refused"), health.buffer.refused),
        (gettext("Dropped"), health.buffer.dropped),
    )
    rows = tuple((name, (writing.number(count),)) for name, count in told)
    return Sheet("hw-buffer", gettext("The buffer of the process that answered"), (gettext("Events"),), rows)


def _ago(at: int, now: float) -> str:
    return gettext("%(age)s ago") % {"age": age(max(now - at, 1))} if at else gettext("never")


def _of(part: str, whole: str) -> str:
    return gettext("%(part)s of %(whole)s") % {"part": part, "whole": whole}


def _memory(used: int, limit: int) -> str:
    return _of(filesizeformat(used), filesizeformat(limit)) if limit else filesizeformat(used)


def _written(is_appending: bool, snapshots: bool | None) -> str:
    if is_appending:
        return gettext("every write")
    return {None: gettext("not told"), True: gettext("snapshots"), False: gettext("nothing")}[snapshots]
