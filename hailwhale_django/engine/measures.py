"""What metrics come to: cells of rows over periods become values, sums and sketches alike.

One round trip for all of a question's periods and metrics; further ones where whole tiles are still kept in hashes, and
where there are very many cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .domain.formula import Formula
from .domain.paths import Path
from .domain.period import Period
from .domain.plan import Plan
from .domain.sketch import Sketch, sketch_of
from .domain.sketched import Sketched
from .domain.values import Values
from .errors import TooLarge
from .store.catalog import ABSENT
from .store.conversation import Conversation, abreast, both
from .store.pages import Wanted
from .store.store import Store
from .store.tiles import Early, Guess
from .unions import Unions, United, columns_of

# Of 8 bytes each: what one answer may take of a process's memory. 10,000 rows over a year by day take 3.7 million.
MAX_CELLS = 20_000_000


class Asked(NamedTuple):
    """A period, and whether each of its buckets is wanted: of sums, and of sketches."""

    period: Period
    plotted: bool
    unfolded: bool


class Question(NamedTuple):
    """What to read of a counter, whichever its rows: sums and sketches over periods, each with the plan of its sums."""

    pk: Path
    metrics: list[str]
    sketches: dict[str, Sketch]
    asked: list[tuple[Asked, Plan]]

    def wanted(self, rows: NDArray[np.int64]) -> list[Wanted]:
        there = rows != ABSENT
        present = rows if there.all() else rows[there]
        return [Wanted(self.metrics, plan.points, present) for _, plan in self.asked]

    def cells(self, rows: int) -> int:
        """How many numbers the longest of its answers has."""
        return rows * len(self.metrics) * max(len(plan.points) for _, plan in self.asked)


Said = tuple[Values, set[str]]
"""Values, and what to say about them."""


class Measures:
    """Reads values of a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.unions = Unions(store)

    def questioning(
        self, pk: Path, formulas: Iterable[Formula], asked: Sequence[Asked], now: float
    ) -> Conversation[Question]:
        """What is to be read for formulas over periods. No round trip once the store is known."""
        yield from self.store.checking(now)
        metrics, sketches = told_apart(formulas)
        plans = (columns_of(self.store.schedule, one.period, now, plotted=one.plotted) for one in asked)
        return Question(pk, metrics, sketches, list(zip(asked, plans, strict=True)))

    def guess(self, question: Question, rows: NDArray[np.int64]) -> Guess:
        """That `answering` will be asked about these rows; no guess where they are too many."""
        if question.cells(len(rows)) > MAX_CELLS:
            return Guess()
        return self.store.tiles.guess(str(question.pk), question.wanted(rows))

    def answering(
        self, question: Question, rows: NDArray[np.int64], now: float, early: Early | None = None
    ) -> Conversation[list[Said]]:
        """Values of rows over each period, of which the last are the parent and the whole.

        A row that is not there has zeros.
        """
        cells_read = question.cells(len(rows))
        if cells_read > MAX_CELLS:
            expected = f"it takes {cells_read:,} numbers, the limit is {MAX_CELLS:,}; use a coarser interval"
            raise TooLarge("period", question.asked[0][0].period.text, expected)
        summing = self.store.tiles.summing(str(question.pk), question.wanted(rows), early)
        unions: list[United] = [({}, set())] * len(question.asked)
        if question.sketches:
            sums, unions = yield from both(summing, abreast(self._uniting(question, rows, now)))
        else:
            sums = yield from summing
        return [
            (self._as_values(question, one, rows, found, sketches), plan.warnings | warnings)
            for (one, plan), found, (sketches, warnings) in zip(question.asked, sums, unions, strict=True)
        ]

    def _uniting(self, question: Question, rows: NDArray[np.int64], now: float) -> Iterator[Conversation[United]]:
        for one, _ in question.asked:
            yield self.unions.uniting(question.pk, question.sketches, rows, one.period, now, plotted=one.unfolded)

    def valuing(
        self,
        pk: Path,
        rows: NDArray[np.int64],
        formulas: Iterable[Formula],
        period: Period,
        now: float,
        *,
        plotted: bool,
    ) -> Conversation[Said]:
        """Values of rows over one period."""
        question = yield from self.questioning(pk, formulas, [Asked(period, plotted, plotted)], now)
        (answer,) = yield from self.answering(question, rows, now)
        return answer

    def unfolding(
        self,
        question: Question,
        values: Values,
        rows: NDArray[np.int64],
        chosen: Sequence[int],
        formulas: Sequence[Formula],
        now: float,
    ) -> Conversation[Said]:
        """Of the values that a question's first period came to those that are chosen, in each bucket.

        What was read by bucket is not read again.
        """
        (one, _), *_ = question.asked
        if not one.plotted:
            return (yield from self.valuing(question.pk, rows[chosen], formulas, one.period, now, plotted=True))
        picked = values.picked(chosen)
        if one.unfolded or not question.sketches:
            return picked, set()
        _, sketches = told_apart(formulas)
        unions, warnings = yield from self.unions.uniting(
            question.pk, sketches, rows[chosen], one.period, now, plotted=True
        )
        return replace(picked, sketches=unions), warnings

    def valuing_wholes(
        self, pks: Sequence[Path], formula: Formula, period: Period, now: float
    ) -> Conversation[list[Values | None]]:
        """Values of the whole of each of many counters, in each bucket; `None` for one that is not there."""
        yield from self.store.checking(now)
        by_point = self.store.schedule.by_point(period, now)
        numbers = yield from self.store.catalog.finding_wholes([str(pk) for pk in pks])
        present = [(pk, np.array([row] * 3)) for pk, row in zip(pks, numbers, strict=True) if row is not None]
        metrics, sketches = told_apart([formula])
        sums, unions = yield from both(
            self.store.tiles.summing_each([(str(pk), Wanted(metrics, by_point.points, rows)) for pk, rows in present]),
            abreast(self.unions.uniting(pk, sketches, rows, period, now, plotted=True) for pk, rows in present),
        )
        one = Asked(period, plotted=True, unfolded=True)
        found: dict[Path, Values] = {}
        for (pk, rows), cells, (told, _) in zip(present, sums, unions, strict=True):
            question = Question(pk, metrics, sketches, [(one, by_point)])
            found[pk] = self._as_values(question, one, rows, cells, told)
        return [found.get(pk) for pk in pks]

    def _as_values(
        self,
        question: Question,
        one: Asked,
        rows: NDArray[np.int64],
        found: NDArray[Any],
        sketches: Mapping[str, Sketched],
    ) -> Values:
        """Cells [metric, point, present row] as values of all rows."""
        cells = found
        if found.shape[2] < len(rows):
            cells = np.zeros((*found.shape[:2], len(rows)), dtype=found.dtype)
            cells[:, :, rows != ABSENT] = found
        return Values(
            period=one.period,
            scales={metric: self.store.places.scale(metric) for metric in question.metrics},
            sums=dict(zip(question.metrics, cells.sum(axis=1), strict=True)),
            buckets=dict(zip(question.metrics, cells, strict=True)) if one.plotted else {},
            rows=len(rows),
            parent=len(rows) - 2,
            whole=len(rows) - 1,
            sketches=sketches,
        )


def told_apart(formulas: Iterable[Formula]) -> tuple[list[str], dict[str, Sketch]]:
    """The sums, and the sketches by name, that formulas read."""
    names = dict.fromkeys(metric for formula in formulas for metric in formula.metrics)
    sketches = {name: sketch for name in names if (sketch := sketch_of(name)) is not None}
    return [name for name in names if name not in sketches], sketches
