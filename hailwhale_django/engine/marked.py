"""Counting events of the hail behind their counters' marks: each exactly once, whoever else counts them meanwhile.

`add.lua` adds what comes behind a counter's mark, in the step in which it moves the mark; whatever it answers instead
is turned into smaller tasks here. Each counter takes its positions in order; counters do not wait for each other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .domain.event import Event
from .domain.line import read_line
from .domain.paths import WHOLE, Path, escaped
from .domain.sketch import Values
from .errors import CounterOverflow, HailWhaleError, InvalidInput, StoreUnavailable, TooManyNames
from .fold import fold, rows_of
from .packing import OVERFLOW, pack
from .placement import Placement
from .recorder import ATTEMPTS
from .store.dead import DeadLetters, Letter
from .store.log import LINE_DIGITS, Log, entry_before, entry_of, position
from .store.parcel import Added, Mark, Parcel
from .store.server import Call
from .store.sketches import Crowded
from .store.store import Store

# Entries read at once, and events and bytes counted at once: more saves little and takes memory.
ENTRIES = 500
EVENTS = 10_000
BYTES = 16_000_000

# What one step may add up for all counters and intervals together: the counters' server does nothing else meanwhile.
AMOUNTS = 500_000

# What a path that may be new costs, as so many amounts: it is looked for, entered, and shares its cells with no other.
NEW_PATH = 20

# What a cell of evidence costs, which is read and written anew at some intervals.
LESSON = 20

# What a sketch's part costs: its cell is read and written anew; and how many characters of its values cost one more.
SAMPLE = 5
SAMPLE_CHARACTERS = 100

LAST_LINE = 10**LINE_DIGITS - 1

logger = logging.getLogger("hailwhale")


class Item(NamedTuple):
    """An event of the hail, where it is, and its line."""

    position: str
    event: Event
    line: bytes


class Task(NamedTuple):
    """Events to count in order of position, `only` on these counters (on all if there are none).

    Child counters are counted where they are now: beyond the limit that is on `(other)`.

    `whole`: not at all where some of it is refused. `moves` is how often their rows moved meanwhile.
    """

    items: Sequence[Item]
    only: frozenset[Path] = frozenset()
    whole: bool = True
    moves: int = 0


@dataclass(slots=True)
class Session:
    """What is known of a stream by who drains it: up to which entry all is counted, and the counters' marks."""

    stream: int
    name: str
    entry: str
    servers: str
    trimmed: str
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def kept_from(self) -> str:
        """No position before this one is in the log any more."""
        return position(self.trimmed) if self.trimmed else ""

    @property
    def is_settled(self) -> bool:
        """Whether nothing is kept of what is counted."""
        return not self.entry or (not self.marks and position(self.entry) < self.kept_from)


class MarkedCount:
    """Counts events of one stream, from its log."""

    def __init__(self, store: Store, log: Log, session: Session) -> None:
        self.store = store
        self.log = log
        self.session = session
        self.marked: dict[str, str] = {}  # by pk, what was counted since it was last asked for
        self._dead = DeadLetters(log.server, log.keys)
        self._letters: list[Letter] = []

    def read(self, after: str, until: str = "") -> tuple[list[Item], str]:
        """The events behind one entry up to another, and the last entry that was read ("" if there is none)."""
        items: list[Item] = []
        last = ""
        size = 0
        while len(items) < EVENTS and size < BYTES:
            entries = self.log.read(self.session.stream, self.session.name, last or after, until, ENTRIES)
            for entry in entries:
                items += self._items(entry.id, entry.lines, entry.raw)
                last = entry.id
                size += len(entry.raw)
            if len(entries) < ENTRIES:
                break
        return items, last

    def count(self, items: Sequence[Item], now: float) -> None:
        """Count events, in order of position, where they are not counted yet."""
        self._carry_out(Task(items), now)
        self.write_letters()

    def repair(self, now: float) -> None:
        """Count again what counters have lost, as far as the log still has it."""
        known = dict(self.session.marks)
        calls = [Call("HGET", [self.store.keys.marks(pk)], [self._stream]) for pk in known]
        for (pk, mark), reply in zip(known.items(), self.store.server.run(calls), strict=True):
            found = "" if reply is None else reply.decode()
            if found < mark:
                self._repair(pk, found, position(self.session.entry, LAST_LINE), now)

    def write_letters(self) -> None:
        if self._letters:
            self._dead.add(self._letters)
            self._letters = []

    def _items(self, entry: str, lines: list[bytes] | None, raw: bytes) -> list[Item]:
        if lines is None:
            self._bury(position(entry), raw, "it is of a version that this hailwhale does not know")
            return []
        found = []
        begin = position(entry)[:-LINE_DIGITS]
        for number, line in enumerate(lines):
            at = f"{begin}{number:0{LINE_DIGITS}d}"
            try:
                found.append(Item(at, read_line(line), line))
            except HailWhaleError as error:
                self._bury(at, line, str(error))
        return found

    def _carry_out(self, task: Task, now: float) -> None:
        tasks = [task._replace(items=part) for part in reversed(_parts(task.items))]
        while tasks:
            # The first of the smaller tasks comes first, since a counter takes its positions in order.
            tasks += reversed(self._count(tasks.pop(), now))

    def _count(self, task: Task, now: float) -> list[Task]:
        """Count as much of a task as one step for each counter can; returns what is left to do."""
        folded = fold([item.event for item in task.items], self.store.schedule, now, self.store.options.crossings)
        items = self._countable(task.items, {id(event): error for event, error in folded.rejected})
        above = [row for pk in task.only for row in rows_of(pk, ())] if task.moves else []
        placement = Placement(self.store.catalog, [*above, *folded.rows])
        items = self._listed(items, placement)
        homes = _homes(task.only, placement)
        sketchbook = self.store.options.sketchbook
        try:
            parcels, too_large = pack(folded, range(len(folded.rows)), placement, *self.store.doors, sketchbook, homes)
        except InvalidInput as error:
            return self._halved(task._replace(items=items), error)
        spans = _spans(items, placement)
        left: list[Task] = []
        for pk, reasons in too_large.items():
            if task.whole:
                del parcels[pk]
                left += self._smaller(items, pk, reasons, placement)
        self.write_letters()  # before anything goes past them
        calls = [self._call(parcel, spans[pk], task.whole, now) for pk, parcel in parcels.items()]
        crowded: list[Crowded] = []
        for pk, reply in zip(parcels, self.store.server.run(calls), strict=True):
            added = Added.of(reply)
            crowded += added.crowded
            match added.verdict:
                case "added":
                    self._move(pk, spans[pk][1])
                case "ahead":
                    self._move(pk, added.mark)
                    left.append(Task([item for item in items if item.position > added.mark], frozenset([pk])))
                case "behind":
                    self._repair(str(pk), added.mark, items[0].position, now)
                    left.append(Task(items, frozenset([pk])))
                case "moved":
                    left.append(self._moved(task, items, pk, placement))
                case _:
                    left += self._smaller(items, pk, added.reasons, placement)
        if crowded:
            self.store.sketches.merge_crowded(crowded)
        return [one for one in left if one.items]

    def _call(self, parcel: Parcel, span: tuple[str, str], whole: bool, now: float) -> Call:
        known = self.session.marks.get(parcel.pk, "")
        # A counter that was reset forgets its mark in time, but not while anything could be counted again.
        expected = known if known >= self.session.kept_from else None
        marked = replace(parcel, mark=Mark(self._stream, expected, *span, whole))
        return marked.call(self.store.keys, now, self.store.options.limits.metrics)

    @property
    def _stream(self) -> str:
        return f"{self.session.stream}:{self.session.name}"

    def _move(self, pk: Path, mark: str) -> None:
        self.session.marks[str(pk)] = self.marked[str(pk)] = mark

    def _moved(self, task: Task, items: Sequence[Item], pk: Path, placement: Placement) -> Task:
        """The same for one counter whose rows are not where this process thought."""
        if task.moves >= ATTEMPTS:
            raise StoreUnavailable(f"{pk}: reset over and over while being counted")
        for depth in range(1, len(pk) + 1):
            self.store.catalog.forget(str(Path(pk[:depth])))
        counted_there = frozenset(row[0] for row, place in placement.placed.items() if place[0] == pk)
        return Task(items, counted_there, task.whole, task.moves + 1)

    def _smaller(self, items: Sequence[Item], pk: Path, reasons: Mapping[str, str], placement: Placement) -> list[Task]:
        """What is left of events that a counter refused together, until what does not fit stands alone."""
        here = {one for one in {item.event.pk for item in items} if pk in _counters_of(one, placement)}
        items = [item for item in items if item.event.pk in here]
        many = {metric for metric, reason in reasons.items() if reason != OVERFLOW}
        if many:
            limit = self.store.options.limits.metrics
            items = self._without(items, pk, many, str(TooManyNames("metrics", many, limit)))
        elif len(items) == 1:
            for metric in reasons:
                error = CounterOverflow(str(pk), [metric], self.store.places.of(metric))
                self._bury(items[0].position, items[0].line, str(error), str(pk), (metric,))
            return [Task(items, frozenset([pk]), whole=False)]
        else:
            middle = (len(items) + 1) // 2
            return [Task(items[:middle], frozenset([pk])), Task(items[middle:], frozenset([pk]))]
        return [Task(items, frozenset([pk]))]

    def _halved(self, task: Task, error: InvalidInput) -> list[Task]:
        """What is left of events whose machine values come to too much together, before anything was counted."""
        if len(task.items) == 1:
            self._bury(task.items[0].position, task.items[0].line, str(error))
            return []
        middle = (len(task.items) + 1) // 2
        return [task._replace(items=task.items[:middle]), task._replace(items=task.items[middle:])]

    def _without(self, items: Iterable[Item], pk: Path, metrics: set[str], reason: str) -> list[Item]:
        """The same events without some metrics, which are written down."""
        left = []
        for item in items:
            names = item.event.names()
            refused = [metric for metric in names if metric in metrics]
            for metric in refused:
                self._bury(item.position, item.line, reason, str(pk), (metric,))
            if refused:
                others = item.event.only(set(names) - metrics)
                item = item._replace(event=others._replace(lesson=item.event.lesson))
            left.append(item)
        return left

    def _countable(self, items: Sequence[Item], rejected: Mapping[int, HailWhaleError]) -> Sequence[Item]:
        """Those whose instant is kept."""
        for item in items:
            if id(item.event) in rejected:
                self._bury(item.position, item.line, str(rejected[id(item.event)]))
        return [item for item in items if id(item.event) not in rejected] if rejected else items

    def _listed(self, items: Sequence[Item], placement: Placement) -> Sequence[Item]:
        """Those whose counter has a place in the list of counters."""
        refused = {name for error in placement.errors if isinstance(error, TooManyNames) for name in error.names}
        if not refused:
            return items
        limit = self.store.options.limits.counters
        for item in items:
            name = escaped(item.event.pk[0])
            if name in refused:
                self._bury(item.position, item.line, str(TooManyNames("counters", [name], limit)))
        return [item for item in items if escaped(item.event.pk[0]) not in refused]

    def _repair(self, pk: str, mark: str, end: str, now: float) -> None:
        """Count again what a counter has lost behind its mark, up to a position."""
        session = self.session
        logger.warning("%s has lost what was counted behind %r; it is counted again from the hail", pk, mark)
        session.marks[pk] = mark
        counter = Path((WHOLE,)) if pk == WHOLE else Path.parse(pk)
        last = entry_before(entry_of(mark)) if mark else ""
        until = entry_of(end)
        while last != until:
            items, last = self.read(last, until)
            if not last:
                return
            behind = [item for item in items if session.marks[pk] < item.position < end]
            self._carry_out(Task(behind, frozenset([counter])), now)

    def _bury(self, at: str, line: bytes, reason: str, pk: str = "", metrics: tuple[str, ...] = ()) -> None:
        self._letters.append(Letter(self.session.stream, at, pk, line, reason, metrics))


def _homes(only: frozenset[Path], placement: Placement) -> frozenset[Path]:
    """These counters, and where those of them are counted that have no place of their own."""
    placed = (placement.placed.get((pk, WHOLE)) for pk in only)
    return only | {place[0] for place in placed if place is not None}


def _parts(items: Sequence[Item]) -> list[Sequence[Item]]:
    """The same events in parts, each of which one step can count."""
    parts: list[Sequence[Item]] = []
    begin = amounts = 0
    seen: set[Path] = set()
    shapes: set[int] = set()  # by identity: the same dimensions mostly are the same object
    for at, (_, (pk, dimensions, metrics, _, samples, lesson), _) in enumerate(items):
        here = len(pk) * (len(dimensions) + 1) * (len(metrics) + sum(_cost_of(values) for _, values in samples))
        here += LESSON * len(lesson.cells) if lesson is not None else 0
        if id(dimensions) not in shapes:
            shapes.add(id(dimensions))
            before = len(seen)
            seen.update(dimensions)
            here += NEW_PATH * len(pk) * (len(seen) - before)
        if amounts + here > AMOUNTS and at > begin:
            parts.append(items[begin:at])
            begin, amounts = at, 0
        amounts += here
    return [*parts, items[begin:]] if items else []


def _cost_of(values: Values) -> int:
    return SAMPLE + sum(map(len, values)) // SAMPLE_CHARACTERS


def _counters_of(pk: Path, placement: Placement) -> set[Path]:
    """The counters on which events of a pk are counted."""
    levels = (placement.placed.get((Path(pk[:depth]), WHOLE)) for depth in range(1, len(pk) + 1))
    return {placed[0] for placed in levels if placed is not None}


def _spans(items: Iterable[Item], placement: Placement) -> dict[Path, tuple[str, str]]:
    """The first and the last position that concerns each counter."""
    by_pk: dict[Path, tuple[str, str]] = {}
    for at, event, _ in items:
        begin = by_pk.get(event.pk)
        by_pk[event.pk] = (begin[0], at) if begin else (at, at)
    spans: dict[Path, tuple[str, str]] = {}
    for pk, (first, last) in by_pk.items():
        for counter in _counters_of(pk, placement):
            known = spans.get(counter, (first, last))
            spans[counter] = (min(first, known[0]), max(last, known[1]))
    return spans
