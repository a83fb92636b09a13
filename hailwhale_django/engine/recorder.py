"""Writing: events become increments, and increments are made in one round trip per batch.

Every call here is done when it returns. It is not retried: when the store's answer is lost (`StoreUnavailable`), the
events may have been counted or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np

from .domain.event import Event
from .domain.paths import Path
from .domain.plan import Column
from .errors import CounterOverflow, HailWhaleError, InvalidInput, StoreUnavailable, TooManyNames
from .fold import Folded, Increments, fold
from .placement import Placement
from .store.store import Store
from .store.tiles import Expectation, Wanted

# A row moves only when its counter was reset or a fail-over lost its catalog; more than once in a row is a coincidence.
ATTEMPTS = 5


class Outcome(NamedTuple):
    """What came of increments: refused metrics with the reason (`overflow`, `many`) by pk, and what else was refused.

    `changed` tells that an expectation failed, so that nothing was added.
    """

    refused: dict[Path, dict[str, str]]
    errors: list[HailWhaleError]
    changed: bool = False


class Recorded(NamedTuple):
    """What was not counted: events whose instant no interval keeps, and parts of events.

    `errors` name overflowing metrics and names beyond a limit; all else of their events was counted.
    """

    rejected: list[tuple[Event, InvalidInput]]
    errors: list[HailWhaleError]


class Recorder:
    """Counts events in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def record(self, events: Sequence[Event], now: float) -> Recorded:
        """Count these events. Raises `StoreUnavailable` when the store does not answer."""
        self.store.check(now, writing=True)
        folded = fold(events, self.store.schedule, now)
        outcome = self._apply(folded, now)
        errors = outcome.errors
        for pk, reasons in outcome.refused.items():
            overflowing = {metric for metric, reason in reasons.items() if reason == "overflow"}
            if overflowing and len(events) > 1:
                # All of the batch was refused for these metrics; only the events that do not fit shall be.
                errors += self._in_halves(events, pk, overflowing, now)
                reasons = {metric: reason for metric, reason in reasons.items() if metric not in overflowing}
            errors += self._errors(pk, reasons)
        return Recorded(folded.rejected, errors)

    def set_bucket(
        self, pk: Path, dimension: Path, metric: str, units: int, column: Column, at: float, now: float
    ) -> None:
        """Make one bucket of exactly this path hold these units; every other interval changes by the same amount."""
        self.store.check(now, writing=True)
        path = str(dimension)
        columns = list(self.store.schedule.columns_at(at, now))
        for _ in range(ATTEMPTS):
            found = self._cell(pk, path, metric, column)
            added = dict.fromkeys(range(len(columns)), units - found)
            expected = [Expectation(path, metric, column, found)] if units != found else []
            outcome = self._apply(Folded(columns, {pk: {path: {metric: added}}}), now, expected)
            errors = outcome.errors + self._errors(pk, outcome.refused.get(pk, {}))
            if errors:
                raise errors[0]
            if not outcome.changed:
                return
        raise StoreUnavailable(f"{metric} of {pk} is changing too fast to be set; try again")

    def _in_halves(self, events: Sequence[Event], pk: Path, metrics: set[str], now: float) -> list[HailWhaleError]:
        """Count only these metrics of one pk, in ever smaller batches, until what does not fit stands alone."""
        events = [
            replace(event, metrics=tuple(pair for pair in event.metrics if pair[0] in metrics))
            for event in events
            if event.pk[: len(pk)] == pk and any(name in metrics for name, _ in event.metrics)
        ]
        middle = (len(events) + 1) // 2
        errors: list[HailWhaleError] = []
        for half in filter(None, (events[:middle], events[middle:])):
            folded = fold(half, self.store.schedule, now)
            outcome = self._apply(Folded(folded.columns, {pk: folded.increments[pk]}), now)
            errors += outcome.errors
            refused = outcome.refused.get(pk, {})
            if len(half) > 1 and refused:
                errors += self._in_halves(half, pk, set(refused), now)
            else:
                errors += self._errors(pk, refused)
        return errors

    def _apply(self, folded: Folded, now: float, expected: Sequence[Expectation] = ()) -> Outcome:
        """Make increments, giving rows to new names first."""
        increments = folded.increments
        outcome = Outcome({}, [])
        for _ in range(ATTEMPTS):
            placement = Placement(self.store.catalog, increments)
            outcome.errors.extend(placement.errors)
            self._check_expected(placement, expected)
            moved: dict[Path, Increments] = {}
            pks = list(placement.increments)
            calls = [
                self.store.tiles.adding(
                    str(pk),
                    placement.increments[pk],
                    folded.columns,
                    placement.rows[pk],
                    now,
                    self.store.options.limits.metrics,
                    expected,
                )
                for pk in pks
            ]
            for pk, reply in zip(pks, self.store.server.run(calls), strict=True):
                verdict, *rest = reply
                if verdict == b"moved":
                    self.store.catalog.forget(str(pk))
                    moved[pk] = placement.increments[pk]
                elif verdict == b"changed":
                    return outcome._replace(changed=True)
                elif rest:
                    outcome.refused[pk] = _pairs(rest)
            if not moved:
                return outcome
            increments = moved
        raise StoreUnavailable(f"{', '.join(map(str, increments))}: reset over and over while being counted")

    def _check_expected(self, placement: Placement, expected: Sequence[Expectation]) -> None:
        for (path, *_), rows in product(expected, placement.rows.values()):
            if path not in rows:
                raise TooManyNames("children", [path], self.store.options.limits.children)

    def _cell(self, pk: Path, path: str, metric: str, column: Column) -> int:
        (row,) = self.store.catalog.rows(str(pk), [path])
        if row is None:
            return 0
        (found,) = self.store.tiles.sums(str(pk), [Wanted([metric], [[column]], np.array([row]))])
        return int(found[0, 0, 0])

    def _errors(self, pk: Path, reasons: Mapping[str, str]) -> list[HailWhaleError]:
        limit = self.store.options.limits.metrics
        return [
            CounterOverflow(str(pk), [metric], self.store.places.of(metric))
            if reason == "overflow"
            else TooManyNames("metrics", [metric], limit)
            for metric, reason in reasons.items()
        ]


def _pairs(flat: Sequence[bytes]) -> dict[str, str]:
    texts = [text.decode() for text in flat]
    return dict(zip(texts[::2], texts[1::2], strict=True))
