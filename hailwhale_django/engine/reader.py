"""Reading: questions become a few look-ups, and their cells become answers.

A table takes two round trips: names and rows, then cells (a third where cells are still kept in hashes). Of a table
that was asked before, cells are asked for along with the names, where they were then. Reading never writes, and asks
only for the buckets and pages of rows that the question needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .domain.answer import Answer
from .domain.answer import numbers as answer_numbers
from .domain.formula import Formula, Metric
from .domain.overlap import Overlap, signature_of, similarities, standard_error
from .domain.paths import ROOT, WHOLE, Path
from .domain.period import Period
from .domain.plan import Plan
from .domain.query import Query
from .domain.sketch import Sketch, sketch_of
from .domain.sketched import Sketched
from .domain.table import Table
from .domain.values import Values
from .errors import TooLarge
from .fold import CHILD_PKS, child_pk
from .store.catalog import ABSENT
from .store.store import Store
from .store.tiles import NOTHING, Early, Guess, Wanted
from .unions import Unions, columns_of

# Beyond this many rows an answer is no table any more; what is left out is said.
MAX_ROWS = 100_000

# Of 8 bytes each: what one answer may take of a process's memory. 10,000 rows over a year by day take 3.7 million.
MAX_CELLS = 20_000_000

# More names than this below the whole are not what an event's dimensions are called, but their values.
MAX_OUTLINED = 100

# From this share of its limit on, a table is said to be nearly full.
NEAR_LIMIT = 0.8


class _Asked(NamedTuple):
    """A period, and whether each of its buckets is wanted: of sums, and of sketches."""

    period: Period
    plotted: bool
    unfolded: bool


class _Question(NamedTuple):
    """What to read of a counter, whichever its rows: sums and sketches over periods, each with the plan of its sums."""

    pk: Path
    metrics: list[str]
    sketches: dict[str, Sketch]
    asked: list[tuple[_Asked, Plan]]

    def wanted(self, rows: NDArray[np.int64]) -> list[Wanted]:
        there = rows != ABSENT
        present = rows if there.all() else rows[there]
        return [Wanted(self.metrics, plan.points, present) for _, plan in self.asked]

    def cells(self, rows: int) -> int:
        """How many numbers the longest of its answers has."""
        return rows * len(self.metrics) * max(len(plan.points) for _, plan in self.asked)


class Outline(NamedTuple):
    """What a counter has. `known` says whether the path asked for was ever counted on.

    `dimensions` are the names below the whole with how many children each has; of more than `MAX_OUTLINED` of them only
    the first are looked into, the others have 0.
    """

    metrics: list[str]
    dimensions: dict[str, int]
    counters: list[str]
    known: bool


class Plot(NamedTuple):
    """Lines of a graph: for each name that has a row one value for each bucket, `None` where there is none."""

    lines: dict[str, list[float | None]]
    warnings: set[str]


class Reader:
    """Answers questions about a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.unions = Unions(store)

    def children(self, pk: Path, path: Path = ROOT, *, counters: bool = False) -> list[Path]:
        """The children of a dimension path, or the child counters, in the order in which they were first seen."""
        (found,) = self.store.catalog.children(str(pk), [CHILD_PKS if counters else str(path)])
        return [path.child(name) for name in found.names]

    def outline(self, pk: Path, path: Path = ROOT) -> Outline | None:
        """What a counter has; `None` if nothing was ever counted on it. Two round trips."""
        metrics, (dimensions, counters), (whole, row) = self.store.catalog.outline(
            str(pk), [WHOLE, CHILD_PKS], [WHOLE, str(path)]
        )
        if whole is None:
            return None
        names = dimensions.names[:MAX_OUTLINED]
        sizes = self.store.catalog.sizes(str(pk), [str(ROOT.child(name)) for name in names]) if names else []
        counted = dict.fromkeys(dimensions.names, 0) | dict(zip(names, sizes, strict=True))
        return Outline(metrics, counted, list(counters.names), row is not None)

    def descendants(self, pk: Path, path: Path, depth: int) -> list[Path]:
        """All paths below one, down to `depth` levels, parents before children. One round trip a level."""
        found: list[Path] = []
        level = [path]
        for _ in range(depth):
            tables = self.store.catalog.children(str(pk), [str(parent) for parent in level])
            level = [parent.child(name) for parent, table in zip(level, tables, strict=True) for name in table.names]
            if not level:
                break
            found += level[: MAX_ROWS - len(found)]
        return found

    def values(
        self, pk: Path, paths: Sequence[Path], formulas: Iterable[Formula], period: Period, now: float, *, plotted: bool
    ) -> tuple[Values, set[str]]:
        """Values of dimension paths, then of those of their parents that are not among them and of the whole.

        And what to say about them.
        """
        number = {path: at for at, path in enumerate(paths)}
        for path in paths:
            number.setdefault(path.parent, len(number))
        ends = [len(number), len(number) + 1]
        parents = np.array([*(number.get(path.parent, at) for path, at in number.items()), *ends], dtype=np.int64)
        texts = [*map(str, number), WHOLE, WHOLE]
        rows = self.store.catalog.rows(str(pk), texts)
        values, warnings = self._values(pk, _numbers(rows), formulas, period, now, plotted=plotted)
        return replace(values, parents=parents), warnings

    def table(self, query: Query, now: float) -> Answer:
        """The children of a path, ranked."""
        formulas = query.all_formulas()
        unfolded = any(formula.reads_buckets for formula in formulas)
        asked = [_Asked(query.period, query.needs_bounds() or unfolded, unfolded)]
        if query.compare is not None:
            asked.append(_Asked(query.compare, unfolded, unfolded))
        question = self._question(query.pk, formulas, asked, now)
        names, bases, rows, early, warnings = self._family(query, question)
        warnings |= self.unions.unkept(question.sketches, CHILD_PKS if query.counters else str(query.dimension))
        (values, said), *compared = self._answers(question, rows, now, early)
        warnings |= said
        before = None
        if compared:
            before, said = compared[0]
            warnings |= {f"compared period: {warning}" for warning in said}
        if query.depth > 1:
            parents = _parents(names, bases, query.dimension)
            values = replace(values, parents=parents)
            before = replace(before, parents=parents) if before else None
        table = Table(query, names, bases, values, before)
        shown = [*table.shown, *table.other, values.parent]
        points = None
        if query.plotted:
            points, said = self._plotted(query, rows, values, shown, now)
            warnings |= said
        sizes = self._sizes(query, table, shown)
        laid_out = table.rows(shown, points, sizes)
        *children, totals = laid_out
        other = children.pop() if table.other else None
        return Answer(
            query=query,
            columns=query.formulas,
            rows=children,
            other=other,
            totals=totals,
            count=len(table.passing),
            labels=query.period.labels() if query.plotted else None,
            warnings=sorted(warnings),
        )

    def _plotted(
        self, query: Query, rows: NDArray[np.int64], values: Values, shown: Sequence[int], now: float
    ) -> tuple[Values, set[str]]:
        """Values of the shown rows in each bucket; behind them, where there are several levels, their parents."""
        above = [] if values.parents is None else values.parents[shown].tolist()
        chosen = rows[[*shown, *above, values.parent, values.whole]]
        points, warnings = self._values(query.pk, chosen, query.formulas, query.period, now, plotted=True)
        if above:
            own = np.arange(len(chosen))
            points = replace(points, parents=np.where(own < len(shown), own + len(shown), own))
        return points, warnings

    def plot(
        self, query: Query, names: Sequence[str], formula: Formula, period: Period, now: float, *, whole: bool = False
    ) -> Plot:
        """Lines of children of the table that a query asks about; with `whole` the last is the table's own, named "".

        Two round trips.
        """
        table = WHOLE if query.counters else str(query.dimension)
        texts = [child_pk(name) if query.counters else str(query.dimension.child(name)) for name in names]
        numbers = self.store.catalog.rows(str(query.pk), [*texts, table, WHOLE])
        rows = {name: row for name, row in zip(names, numbers[:-2], strict=True) if row is not None}
        chosen = [*rows.values(), *numbers[-2:]]
        values, warnings = self._values(query.pk, _numbers(chosen), [formula], period, now, plotted=True)
        points = values.points(formula, undefined=np.nan).T[: len(rows) + whole]
        return Plot(dict(zip([*rows, *[""] * whole], map(answer_numbers, points.tolist()), strict=True)), warnings)

    def overlap(self, query: Query, names: Sequence[str], metric: str, now: float) -> Overlap:
        """How much of children of the table that a query asks about is the same, by a signature. Two round trips."""
        signature = signature_of(metric)
        if not names:
            return Overlap([], [], standard_error(signature))
        self.store.check(now, writing=False)
        table = CHILD_PKS if query.counters else str(query.dimension)
        texts = [child_pk(name) if query.counters else str(query.dimension.child(name)) for name in names]
        rows = _numbers(self.store.catalog.rows(str(query.pk), texts))
        _, sketches = self._told_apart([Formula.of(Metric(metric))])
        found, warnings = self.unions.of(query.pk, sketches, rows, query.period, now, plotted=False)
        warnings |= self.unions.unkept(sketches, table)
        return Overlap(list(names), similarities(found[metric].totals), standard_error(signature), sorted(warnings))

    def wholes(
        self, pks: Sequence[Path], formula: Formula, period: Period, now: float
    ) -> list[list[float | None] | None]:
        """The whole of each of many counters, in each bucket; `None` for one that is not there.

        Two round trips, and one for each counter and sketch.
        """
        self.store.check(now, writing=False)
        by_point = self.store.schedule.by_point(period, now)
        numbers = self.store.catalog.wholes([str(pk) for pk in pks])
        present = [(pk, np.array([row] * 3)) for pk, row in zip(pks, numbers, strict=True) if row is not None]
        metrics, sketches = self._told_apart([formula])
        wanted = [(str(pk), Wanted(metrics, by_point.points, rows)) for pk, rows in present]
        one = _Asked(period, plotted=True, unfolded=True)
        found: dict[Path, list[float | None]] = {}
        for (pk, rows), cells in zip(present, self.store.tiles.sums_of_each(wanted), strict=True):
            question = _Question(pk, metrics, sketches, [(one, by_point)])
            told, _ = self.unions.of(pk, sketches, rows, period, now, plotted=True)
            values = self._as_values(question, one, rows, cells, told)
            found[pk] = answer_numbers(values.points(formula, undefined=np.nan)[:, 0].tolist())
        return [found.get(pk) for pk in pks]

    def _family(
        self, query: Query, question: _Question
    ) -> tuple[Sequence[str], Sequence[Path], NDArray[np.int64], Early, set[str]]:
        """Names and parents of a table's rows; their row numbers, the parent's and the whole's; what to say of them.

        And cells that came along, since a table that was read before most likely is where it was.
        """
        pk, catalog = str(query.pk), self.store.catalog
        parent = WHOLE if query.counters else str(query.dimension)
        if query.depth > 1 and not query.counters:
            paths = self.descendants(query.pk, query.dimension, query.depth)
            rows = _numbers(catalog.rows(pk, [*map(str, paths), parent, WHOLE]))
            return [path.name for path in paths], [path.parent for path in paths], rows, NOTHING, set()
        table = CHILD_PKS if query.counters else parent
        known = catalog.remembered_family(pk, table)
        guess = Guess()
        if known is not None and question.cells(len(known.rows)) <= MAX_CELLS:
            guess = self.store.tiles.guess(pk, question.wanted(known.rows))
        family, replies = catalog.family(pk, table, [parent, WHOLE], guess.calls)
        names = family.children.names
        base = ROOT if query.counters else query.dimension
        return names, [base] * len(names), family.rows, guess.answered(replies), self._fullness(len(names))

    def _fullness(self, size: int) -> set[str]:
        limit = self.store.options.limits.children
        if size >= limit:
            return {f"this table is full: what came after its {limit:,} children is counted in (other)"}
        if size >= limit * NEAR_LIMIT:
            return {f"this table has {size:,} of at most {limit:,} children; further ones go to (other)"}
        return set()

    def _sizes(self, query: Query, table: Table, shown: Sequence[int]) -> list[int]:
        if not query.drillable or query.counters:
            return []
        return self.store.catalog.sizes(str(query.pk), [str(table.path(at)) for at in shown])

    def _values(
        self,
        pk: Path,
        rows: NDArray[np.int64],
        formulas: Iterable[Formula],
        period: Period,
        now: float,
        *,
        plotted: bool,
    ) -> tuple[Values, set[str]]:
        (answer,) = self._answers(self._question(pk, formulas, [_Asked(period, plotted, plotted)], now), rows, now)
        return answer

    def _question(self, pk: Path, formulas: Iterable[Formula], asked: Sequence[_Asked], now: float) -> _Question:
        self.store.check(now, writing=False)
        metrics, sketches = self._told_apart(formulas)
        plans = (columns_of(self.store.schedule, one.period, now, plotted=one.plotted) for one in asked)
        return _Question(pk, metrics, sketches, list(zip(asked, plans, strict=True)))

    def _told_apart(self, formulas: Iterable[Formula]) -> tuple[list[str], dict[str, Sketch]]:
        """The sums, and the sketches by name, that formulas read."""
        names = dict.fromkeys(metric for formula in formulas for metric in formula.metrics)
        sketches = {name: sketch for name in names if (sketch := sketch_of(name)) is not None}
        return [name for name in names if name not in sketches], sketches

    def _answers(
        self, question: _Question, rows: NDArray[np.int64], now: float, early: Early = NOTHING
    ) -> list[tuple[Values, set[str]]]:
        """Values of rows over each period, of which the last are the parent and the whole.

        Sums take one round trip, sketches one more each and period. A row that is not there has zeros.
        """
        cells_read = question.cells(len(rows))
        if cells_read > MAX_CELLS:
            expected = f"it takes {cells_read:,} numbers, the limit is {MAX_CELLS:,}; use a coarser interval"
            raise TooLarge("period", question.asked[0][0].period.text, expected)
        sums = self.store.tiles.sums(str(question.pk), question.wanted(rows), early)
        answers = []
        for (one, plan), found in zip(question.asked, sums, strict=True):
            sketches, warnings = self.unions.of(
                question.pk, question.sketches, rows, one.period, now, plotted=one.unfolded
            )
            values = self._as_values(question, one, rows, found, sketches)
            answers.append((values, plan.warnings | warnings))
        return answers

    def _as_values(
        self,
        question: _Question,
        one: _Asked,
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


def _numbers(rows: Iterable[int | None]) -> NDArray[np.int64]:
    return np.array([ABSENT if row is None else row for row in rows], dtype=np.int64)


def _parents(names: Sequence[str], bases: Sequence[Path], top: Path) -> NDArray[np.int64]:
    """The row of each row's parent, in a table of several levels whose own row comes behind them, then the whole."""
    number = {base.child(name): at for at, (name, base) in enumerate(zip(names, bases, strict=True))}
    number[top] = len(names)
    return np.array([*(number[base] for base in bases), len(names), len(names) + 1], dtype=np.int64)
