"""Reading: questions become a few look-ups, and their cells become answers.

A table takes two round trips: names and rows, then cells (a third where cells are still kept in hashes), and one more
for what is shown of its rows only. Of a table that was asked before, cells are asked for along with the names, where
they were then. Reading never writes, and asks only for the buckets and pages of rows that the question needs.

Each question is to be had as a conversation, too (`table`, `tabling`), so that many can be asked together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .domain.answer import Answer
from .domain.answer import numbers as answer_numbers
from .domain.formula import Formula, Metric
from .domain.overlap import Overlap, signature_of, similarities, standard_error
from .domain.paths import ROOT, WHOLE, Path
from .domain.period import Period
from .domain.query import Query
from .domain.table import Table
from .domain.values import Values
from .fold import CHILD_PKS, child_pk
from .measures import Asked, Measures, Question, Said, told_apart
from .store.catalog import ABSENT
from .store.conversation import Conversation, both
from .store.store import Store
from .store.tiles import Early, Guess

T = TypeVar("T")

# Beyond this many rows an answer is no table any more; what is left out is said.
MAX_ROWS = 100_000

# More names than this below the whole are not what an event's dimensions are called, but their values.
MAX_OUTLINED = 100

# From this share of its limit on, a table is said to be nearly full.
NEAR_LIMIT = 0.8


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
        self.measures = Measures(store)
        self.unions = self.measures.unions

    def children(self, pk: Path, path: Path = ROOT, *, counters: bool = False) -> list[Path]:
        """The children of a dimension path, or the child counters, in the order in which they were first seen."""
        (found,) = self._hold(self.store.catalog.listing(str(pk), [CHILD_PKS if counters else str(path)]))
        return [path.child(name) for name in found.names]

    def outline(self, pk: Path, path: Path = ROOT) -> Outline | None:
        """What a counter has; `None` if nothing was ever counted on it. Two round trips."""
        return self._hold(self.outlining(pk, path))

    def outlining(self, pk: Path, path: Path = ROOT) -> Conversation[Outline | None]:
        """As `outline`."""
        metrics, (dimensions, counters), (whole, row) = yield from self.store.catalog.outlining(
            str(pk), [WHOLE, CHILD_PKS], [WHOLE, str(path)]
        )
        if whole is None:
            return None
        names = dimensions.names[:MAX_OUTLINED]
        sizes = yield from self.store.catalog.sizing(str(pk), [str(ROOT.child(name)) for name in names])
        counted = dict.fromkeys(dimensions.names, 0) | dict(zip(names, sizes, strict=True))
        return Outline(metrics, counted, list(counters.names), row is not None)

    def paths_known(self, pk: Path, paths: Sequence[Path]) -> Conversation[list[bool]]:
        """Which of some dimension paths were ever counted on. One round trip."""
        rows = yield from self.store.catalog.finding(str(pk), [str(path) for path in paths])
        return [row is not None for row in rows]

    def descendants(self, pk: Path, path: Path, depth: int) -> list[Path]:
        """All paths below one, down to `depth` levels, parents before children. One round trip a level."""
        return self._hold(self.descending(pk, path, depth))

    def descending(self, pk: Path, path: Path, depth: int) -> Conversation[list[Path]]:
        """As `descendants`."""
        found: list[Path] = []
        level = [path]
        for _ in range(depth):
            tables = yield from self.store.catalog.listing(str(pk), [str(parent) for parent in level])
            level = [parent.child(name) for parent, table in zip(level, tables, strict=True) for name in table.names]
            if not level:
                break
            found += level[: MAX_ROWS - len(found)]
        return found

    def values(
        self, pk: Path, paths: Sequence[Path], formulas: Iterable[Formula], period: Period, now: float, *, plotted: bool
    ) -> Said:
        """Values of dimension paths, then of those of their parents that are not among them and of the whole.

        And what to say about them. Two round trips.
        """
        return self._hold(self.valuing(pk, paths, formulas, period, now, plotted=plotted))

    def valuing(
        self, pk: Path, paths: Sequence[Path], formulas: Iterable[Formula], period: Period, now: float, *, plotted: bool
    ) -> Conversation[Said]:
        """As `values`."""
        number = {path: at for at, path in enumerate(paths)}
        for path in paths:
            number.setdefault(path.parent, len(number))
        ends = [len(number), len(number) + 1]
        parents = np.array([*(number.get(path.parent, at) for path, at in number.items()), *ends], dtype=np.int64)
        texts = [*map(str, number), WHOLE, WHOLE]
        rows = yield from self.store.catalog.finding(str(pk), texts)
        values, warnings = yield from self.measures.valuing(pk, _numbers(rows), formulas, period, now, plotted=plotted)
        return replace(values, parents=parents), warnings

    def table(self, query: Query, now: float) -> Answer:
        """The children of a path, ranked."""
        return self._hold(self.tabling(query, now))

    def tabling(self, query: Query, now: float) -> Conversation[Answer]:
        """As `table`."""
        formulas = query.all_formulas()
        unfolded = any(formula.reads_buckets for formula in formulas)
        asked = [Asked(query.period, query.needs_bounds() or unfolded, unfolded)]
        if query.compare is not None:
            asked.append(Asked(query.compare, unfolded, unfolded))
        question = yield from self.measures.questioning(query.pk, formulas, asked, now)
        names, bases, rows, early, warnings = yield from self._finding_family(query, question)
        warnings |= self.unions.unkept(question.sketches, CHILD_PKS if query.counters else str(query.dimension))
        (values, said), *compared = yield from self.measures.answering(question, rows, now, early)
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
        tracing = self._tracing(query, question, values, rows, shown, now)
        (points, said), sizes = yield from both(tracing, self._sizing(query, table, shown))
        warnings |= said
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

    def _tracing(
        self,
        query: Query,
        question: Question,
        values: Values,
        rows: NDArray[np.int64],
        shown: Sequence[int],
        now: float,
    ) -> Conversation[tuple[Values | None, set[str]]]:
        """Values of the shown rows in each bucket; behind them, where there are several levels, their parents."""
        if not query.plotted:
            return None, set()
        above = [] if values.parents is None else values.parents[shown].tolist()
        chosen = [*shown, *above, values.parent, values.whole]
        points, warnings = yield from self.measures.unfolding(question, values, rows, chosen, query.formulas, now)
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
        return self._hold(self.plotting(query, names, formula, period, now, whole))

    def plotting(
        self, query: Query, names: Sequence[str], formula: Formula, period: Period, now: float, whole: bool = False
    ) -> Conversation[Plot]:
        """As `plot`."""
        table = WHOLE if query.counters else str(query.dimension)
        numbers = yield from self.store.catalog.finding(str(query.pk), [*_paths(query, names), table, WHOLE])
        rows = {name: row for name, row in zip(names, numbers[:-2], strict=True) if row is not None}
        chosen = [*rows.values(), *numbers[-2:]]
        values, warnings = yield from self.measures.valuing(
            query.pk, _numbers(chosen), [formula], period, now, plotted=True
        )
        points = values.points(formula, undefined=np.nan).T[: len(rows) + whole]
        return Plot(dict(zip([*rows, *[""] * whole], map(answer_numbers, points.tolist()), strict=True)), warnings)

    def overlap(self, query: Query, names: Sequence[str], metric: str, now: float) -> Overlap:
        """How much of children of the table that a query asks about is the same, by a signature. Two round trips."""
        return self._hold(self.overlapping(query, names, metric, now))

    def overlapping(self, query: Query, names: Sequence[str], metric: str, now: float) -> Conversation[Overlap]:
        """As `overlap`."""
        signature = signature_of(metric)
        if not names:
            return Overlap([], [], standard_error(signature))
        yield from self.store.checking(now)
        table = CHILD_PKS if query.counters else str(query.dimension)
        numbers = yield from self.store.catalog.finding(str(query.pk), _paths(query, names))
        _, sketches = told_apart([Formula.of(Metric(metric))])
        found, warnings = yield from self.unions.uniting(
            query.pk, sketches, _numbers(numbers), query.period, now, plotted=False
        )
        warnings |= self.unions.unkept(sketches, table)
        return Overlap(list(names), similarities(found[metric].totals), standard_error(signature), sorted(warnings))

    def wholes(
        self, pks: Sequence[Path], formula: Formula, period: Period, now: float
    ) -> list[list[float | None] | None]:
        """The whole of each of many counters, in each bucket; `None` for one that is not there.

        Two round trips.
        """
        each = self._hold(self.measures.valuing_wholes(pks, formula, period, now))
        return [
            None if values is None else answer_numbers(values.points(formula, undefined=np.nan)[:, 0].tolist())
            for values in each
        ]

    def _finding_family(
        self, query: Query, question: Question
    ) -> Conversation[tuple[Sequence[str], Sequence[Path], NDArray[np.int64], Early | None, set[str]]]:
        """Names and parents of a table's rows; their row numbers, the parent's and the whole's; what to say of them.

        And cells that came along, since a table that was read before most likely is where it was.
        """
        pk, catalog = str(query.pk), self.store.catalog
        parent = WHOLE if query.counters else str(query.dimension)
        if query.limit == 0:
            rows = _numbers((yield from catalog.finding(pk, [parent, WHOLE])))
            return [], [], rows, None, set()
        if query.depth > 1 and not query.counters:
            paths = yield from self.descending(query.pk, query.dimension, query.depth)
            rows = _numbers((yield from catalog.finding(pk, [*map(str, paths), parent, WHOLE])))
            return [path.name for path in paths], [path.parent for path in paths], rows, None, set()
        table = CHILD_PKS if query.counters else parent
        known = catalog.remembered_family(pk, table)
        guess = Guess() if known is None else self.measures.guess(question, known.rows)
        family, replies = yield from catalog.finding_family(pk, table, [parent, WHOLE], guess.calls)
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

    def _sizing(self, query: Query, table: Table, shown: Sequence[int]) -> Conversation[list[int]]:
        if not query.drillable or query.counters:
            return []
        return (yield from self.store.catalog.sizing(str(query.pk), [str(table.path(at)) for at in shown]))

    def _hold(self, conversation: Conversation[T]) -> T:
        return self.store.server.hold(conversation)


def _paths(query: Query, names: Iterable[str]) -> list[str]:
    """Where the children of the table that a query asks about are counted."""
    return [child_pk(name) if query.counters else str(query.dimension.child(name)) for name in names]


def _numbers(rows: Iterable[int | None]) -> NDArray[np.int64]:
    return np.array([ABSENT if row is None else row for row in rows], dtype=np.int64)


def _parents(names: Sequence[str], bases: Sequence[Path], top: Path) -> NDArray[np.int64]:
    """The row of each row's parent, in a table of several levels whose own row comes behind them, then the whole."""
    number = {base.child(name): at for at, (name, base) in enumerate(zip(names, bases, strict=True))}
    number[top] = len(names)
    return np.array([*(number[base] for base in bases), len(names), len(names) + 1], dtype=np.int64)
