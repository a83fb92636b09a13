"""Replaying dead letters: what could not be counted is counted after all, exactly once, however often it is tried.

An event that was refused as a whole goes back to the end of its stream, in the same step in which its letter goes, and
is drained like any other. Metrics that one counter refused are counted on that counter alone, for all others have
counted theirs: in the same step, the counter notes the letter's position beside the marks of its streams, and counts
nothing that is noted there. These notes stay, some 80 bytes each, as long as the counter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .domain.event import Event
from .domain.line import read_line
from .domain.paths import WHOLE, Path
from .errors import CounterOverflow, InvalidInput, StoreUnavailable, TooManyNames
from .fold import fold, rows_of
from .packing import OVERFLOW, pack
from .placement import Placement
from .recorder import ATTEMPTS
from .store.dead import DeadLetters, Letter
from .store.log import Log
from .store.parcel import Added, Mark, Parcel
from .store.store import Store


class Replay:
    """Counts dead letters. `clock` gives seconds since the epoch."""

    def __init__(self, store: Store, log: Log, clock: Callable[[], float]) -> None:
        self.store = store
        self.log = log
        self.clock = clock
        self.dead = DeadLetters(log.server, log.keys)

    def replay(self, letter: Letter) -> bool:
        """Count a letter and forget it; False if someone else has done so.

        Raises why it still cannot be counted (`InvalidInput`, `TooManyNames`, `CounterOverflow`), `HailFull`, or
        `StoreUnavailable`; the letter is there then, or is counted.
        """
        now = self.clock()
        self.store.check(now, writing=True)
        event = read_line(letter.line)
        self.store.schedule.columns_at(event.at, now)
        if not letter.pk:
            self._check_listed(event)
            return self.dead.revive(letter, self.log.limit)
        refused = event.only(letter.metrics)
        if not refused.names():
            raise InvalidInput("metrics", letter.metrics, "the event has no such metric")
        if not self.dead.find([letter.stream], [letter.id]):
            return False
        self._count(refused, letter, now)
        return self.dead.remove([letter]) > 0

    def _check_listed(self, event: Event) -> None:
        """Whether the event's counter has a place in the list of counters, else it would be back at once."""
        for error in Placement(self.store.catalog, rows_of(event.pk, ())).errors:
            raise error

    def _count(self, event: Event, letter: Letter, now: float) -> None:
        """Count an event on the letter's counter alone, unless that was done before."""
        counter = Path((WHOLE,)) if letter.pk == WHOLE else Path.parse(letter.pk)
        for _ in range(ATTEMPTS):
            parcel = self._parcel(event, counter, now)
            at = letter.position
            mark = Mark(f"dead:{at}:{letter.id}", None, at, at, whole=True)
            call = replace(parcel, mark=mark).call(self.store.keys, now, self.store.options.limits.metrics)
            added = Added.of(self.store.server.run([call])[0])
            match added.verdict:
                case "added" | "ahead":
                    return
                case "moved":
                    for depth in range(1, len(counter) + 1):
                        self.store.catalog.forget(str(Path(counter[:depth])))
                case _:
                    raise self._refused(counter, added.reasons)
        raise StoreUnavailable(f"{counter}: reset over and over while being counted")

    def _parcel(self, event: Event, counter: Path, now: float) -> Parcel:
        folded = fold([event], self.store.schedule, now, self.store.options.crossings)
        placement = Placement(self.store.catalog, folded.rows)
        for error in placement.errors:
            raise error
        rows, sketchbook = range(len(folded.rows)), self.store.options.sketchbook
        parcels, too_large = pack(folded, rows, placement, *self.store.doors, sketchbook, frozenset([counter]))
        if counter in too_large:
            raise self._refused(counter, too_large[counter])
        if counter not in parcels:
            raise InvalidInput("pk", str(counter), "the event is counted on no such counter")
        return parcels[counter]

    def _refused(self, counter: Path, reasons: dict[str, str]) -> TooManyNames | CounterOverflow:
        metrics = sorted(reasons)
        if set(reasons.values()) == {OVERFLOW}:
            return CounterOverflow(str(counter), metrics, self.store.places.of(metrics[0]))
        return TooManyNames("metrics", metrics, self.store.options.limits.metrics)
