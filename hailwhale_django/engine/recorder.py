"""Writing: events become increments, and increments are made in one round trip per batch.

Every call here is done when it returns. It is not retried: when the store's answer is lost (`StoreUnavailable`), the
events may have been counted or not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, TypeGuard

import numpy as np

from .domain.event import MAX_UNITS, Event
from .domain.paths import Path, escaped
from .domain.plan import Column
from .errors import CounterOverflow, HailWhaleError, InvalidInput, StoreUnavailable, TooManyNames
from .fold import Folded, Row, fold, rows_by_counter, rows_of
from .gathering import part_of
from .packing import OVERFLOW, Refused, pack
from .placement import Placement
from .store.evidence import NOTHING, Additions, decision_of
from .store.pages import Wanted
from .store.parcel import Added, Append, Expectation, Parcel, appends_of_one, parts_of_one
from .store.server import Call
from .store.sketches import Crowded
from .store.store import Store
from .store.tiles import Slot

# A row moves only when its counter was reset or a fail-over lost its catalog; more than once in a row is a coincidence.
ATTEMPTS = 5

# Others may count on the same cell between looking at it and setting it, again and again.
SETTING_ATTEMPTS = 100


class Recorded(NamedTuple):
    """What was not counted.

    `rejected` are whole events, whose instant no interval keeps or whose counter is beyond the limit. `errors` name
    metrics that overflow or are beyond the limit; all else of their events was counted.
    """

    rejected: list[tuple[Event, HailWhaleError]]
    errors: list[HailWhaleError]


class Recorder:
    """Counts events in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def record(self, events: Sequence[Event], now: float) -> Recorded:
        """Count these events. Raises `StoreUnavailable` when the store does not answer."""
        self.store.check(now, writing=True)
        folded = fold(events, self.store.schedule, now, self.store.options.crossings)
        refused, errors = self._add(folded, now)
        for pk, reasons in refused.items():
            overflowing = {metric for metric, reason in reasons.items() if reason == OVERFLOW}
            if overflowing and len(events) > 1:
                # All of the batch was refused for these metrics; only the events that do not fit shall be.
                errors += self._in_halves(events, pk, overflowing, now)
                reasons = {metric: reason for metric, reason in reasons.items() if metric not in overflowing}
            errors += self._errors(str(pk), reasons)
        unlisted = {name for error in errors if _is_of_counters(error) for name in error.names}
        errors = [error for error in errors if not _is_of_counters(error)]
        return Recorded(folded.rejected + self._refused(events, folded, unlisted), errors)

    def _folded(self, events: Sequence[Event], now: float) -> Folded:
        return fold(events, self.store.schedule, now, self.store.options.crossings)

    def record_one(self, event: Event, now: float) -> Recorded:
        """As `record` of one event. Where all its rows have places of their own, nothing is folded."""
        self.store.check(now, writing=True)
        parcels = self._parcels_of_one(event, now)
        if not parcels:
            Placement(self.store.catalog, rows_of(event.pk, event.dimensions, self.store.options.crossings))
            parcels = self._parcels_of_one(event, now)
        if not parcels:
            return self.record([event], now)
        errors: list[HailWhaleError] = []
        moved = []
        replies = self.store.server.run([self._call(parcel, now) for parcel in parcels.values()])
        crowded: list[Crowded] = []
        for pk, reply in zip(parcels, replies, strict=True):
            added = Added.of(reply)
            crowded += added.crowded
            if added.verdict == "moved":
                moved.append(pk)
            elif added.reasons:
                errors += self._errors(str(pk), added.reasons)
        if crowded:
            self.store.sketches.merge_crowded(crowded)
        if moved:
            self._forget(event.pk)
            refused, others = self._add(self._folded([event], now), now, only=moved)
            errors += others
            for pk, reasons in refused.items():
                errors += self._errors(str(pk), reasons)
        return Recorded([], errors)

    def _parcels_of_one(self, event: Event, now: float) -> dict[Path, Parcel]:
        """One event's increments at each level of its pk; none where a row's place is not remembered."""
        columns = self.store.schedule.columns_at(event.at, now)
        units = dict(event.metrics)
        parcels = {}
        for pk, text, paths in rows_by_counter(event.pk, event.dimensions, self.store.options.crossings):
            known = self.store.catalog.known(text)
            rows = {path: known[path] for path in paths if path in known}
            if len(rows) < len(paths):
                return {}
            slots = [self.store.tiles.slot(text, column) for column in columns]
            appends = self._appends(event, dict(zip(columns, slots, strict=True)), rows) if event.samples else ()
            evidence = self._evidence(event, columns) if decision_of(event.pk) == pk else NOTHING
            parcels[pk] = Parcel(text, rows, units, parts_of_one(slots, rows.values()), appends, evidence)
        return parcels

    def _evidence(self, event: Event, columns: Sequence[Column]) -> Additions:
        """What the decision learns from one event."""
        if event.lesson is None:
            return NOTHING
        learnt = (event.pk.name, event.lesson.cells, columns, dict(event.lesson.sums))
        return self.store.evidences.additions(str(decision_of(event.pk)), [learnt])

    def _appends(self, event: Event, slots: Mapping[Column, Slot], rows: Mapping[str, int]) -> list[Append]:
        """What one event appends to the sketches of a counter."""
        appends: list[Append] = []
        for kept, values in event.samples:
            part = part_of(kept, values)
            rule = self.store.options.sketchbook.rule(kept)
            at = [row for path, row in rows.items() if rule.keeps_row(path)]
            within = [slot for column, slot in slots.items() if rule.keeps_interval(column.interval)]
            appends += appends_of_one(kept, within, at, part)
        return appends

    def _refused(
        self, events: Sequence[Event], folded: Folded, unlisted: set[str]
    ) -> list[tuple[Event, HailWhaleError]]:
        """Events, other than those rejected already, whose counters found no place in the list."""
        if not unlisted:
            return []
        limit = self.store.options.limits.counters
        rejected = {id(event) for event, _ in folded.rejected}
        return [
            (event, TooManyNames("counters", [name], limit))
            for event in events
            if (name := escaped(event.pk[0])) in unlisted and id(event) not in rejected
        ]

    def set_bucket(
        self, pk: Path, dimension: Path, metric: str, units: int, column: Column, at: float, now: float
    ) -> None:
        """Make one bucket of exactly this path hold these units; every other interval changes by the same amount."""
        self.store.check(now, writing=True)
        path = str(dimension)
        columns = self.store.schedule.columns_at(at, now)
        if column not in columns:
            raise InvalidInput("at", at, f"buckets of {column.interval} are not kept that long")
        for _ in range(SETTING_ATTEMPTS):
            placement = Placement(self.store.catalog, [*rows_of(pk, ()), (pk, path)])
            if placement.placed.get((pk, path)) != (pk, path):
                raise next(iter(placement.errors), TooManyNames("children", [path], self.store.options.limits.children))
            numbers = placement.numbers[pk]
            found = self._cell(str(pk), numbers[path], metric, column)
            change = units - found
            if abs(change) > MAX_UNITS:
                raise CounterOverflow(str(pk), [metric], self.store.places.of(metric))
            slots = [self.store.tiles.slot(str(pk), one) for one in columns] if change else []
            expected = [Expectation(slots[columns.index(column)], numbers[path], metric, found)] if change else []
            parts = parts_of_one(slots, [numbers[path]])
            call = self._call(Parcel(str(pk), numbers, {metric: change}, parts, expected=expected), now)
            added = Added.of(self.store.server.run([call])[0])
            if added.verdict == "moved":
                self._forget(pk)
            elif added.verdict == "added":
                for error in self._errors(str(pk), added.reasons):
                    raise error
                return
        raise StoreUnavailable(f"{metric} of {pk} is changing too fast to be set; try again")

    def _in_halves(self, events: Sequence[Event], pk: Path, metrics: set[str], now: float) -> list[HailWhaleError]:
        """Count only these metrics of one pk, in ever smaller batches, until what does not fit stands alone."""
        events = [event.only(metrics) for event in events if any(name in metrics for name, _ in event.metrics)]
        middle = (len(events) + 1) // 2
        errors: list[HailWhaleError] = []
        for half in filter(None, (events[:middle], events[middle:])):
            refused, others = self._add(self._folded(half, now), now, only=[pk])
            errors += others
            if refused and len(half) > 1:
                errors += self._in_halves(half, pk, set(refused[pk]), now)
            else:
                errors += self._errors(str(pk), refused.get(pk, {}))
        return errors

    def _add(self, folded: Folded, now: float, only: Collection[Path] = ()) -> tuple[Refused, list[HailWhaleError]]:
        """Make a fold's increments (`only` those of some pks), giving numbers to new rows first."""
        refused: Refused = {}
        errors: list[HailWhaleError] = []
        rows = list(range(len(folded.rows)))
        above: dict[Row, None] = {}
        for _ in range(ATTEMPTS):
            placement = Placement(self.store.catalog, [*above, *(folded.rows[row] for row in rows)])
            errors += placement.errors
            parcels, too_large = pack(folded, rows, placement, *self.store.doors, self.store.options.sketchbook, only)
            for pk, reasons in too_large.items():
                refused.setdefault(pk, {}).update(reasons)
            calls = [self._call(parcel, now) for parcel in parcels.values()]
            moved: set[Path] = set()
            crowded: list[Crowded] = []
            for pk, reply in zip(parcels, self.store.server.run(calls), strict=True):
                added = Added.of(reply)
                crowded += added.crowded
                if added.verdict == "moved":
                    self._forget(pk)
                    moved.add(pk)
                elif added.reasons:
                    refused.setdefault(pk, {}).update(added.reasons)
            if crowded:
                self.store.sketches.merge_crowded(crowded)
            if not moved:
                return refused, errors
            rows = [row for row in rows if placement.placed.get(folded.rows[row], (None,))[0] in moved]
            # Whoever removed a counter may have removed those above it, too, and what these list.
            above = dict.fromkeys(row for pk in moved for row in rows_of(pk, ()))
        raise StoreUnavailable(f"{', '.join(map(str, moved))}: reset over and over while being counted")

    def _call(self, parcel: Parcel, now: float) -> Call:
        return parcel.call(self.store.keys, now, self.store.options.limits.metrics)

    def _forget(self, pk: Path) -> None:
        """Ask anew where the rows of a counter are, and of those above it."""
        for depth in range(1, len(pk) + 1):
            self.store.catalog.forget(str(Path(pk[:depth])))

    def _cell(self, pk: str, row: int, metric: str, column: Column) -> int:
        (found,) = self.store.tiles.sums(pk, [Wanted([metric], [[column]], np.array([row]))])
        return int(found[0, 0, 0])

    def _errors(self, pk: str, reasons: Mapping[str, str]) -> list[HailWhaleError]:
        limit = self.store.options.limits.metrics
        return [
            CounterOverflow(pk, [metric], self.store.places.of(metric))
            if reason == OVERFLOW
            else TooManyNames("metrics", [metric], limit)
            for metric, reason in reasons.items()
        ]


def _is_of_counters(error: HailWhaleError) -> TypeGuard[TooManyNames]:
    return isinstance(error, TooManyNames) and error.kind == "counters"
