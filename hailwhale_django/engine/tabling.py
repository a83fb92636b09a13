"""Reading tables as an inquiry wants them: names and rows, then the sums of both periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .domain.crossing import is_crossing
from .domain.formula import Constant, Formula, Metric
from .domain.paths import ROOT, WHOLE, Path
from .domain.values import Floats, Values
from .explain.measure import Leaf, Measure
from .explain.seen import Seen
from .explain.why import Why
from .fold import CHILD_PKS
from .measures import Asked, Measures, Said
from .store.catalog import ABSENT, Children
from .store.conversation import Conversation, both
from .store.server import Call
from .store.tiles import Guess

MOST_KNOWN = 64
"""Of some 8 bytes a row."""


class Table(NamedTuple):
    """A table's children, and their rows in the store."""

    path: Path
    names: Sequence[str]
    rows: NDArray[np.int64]
    counters: bool


Whole = tuple[Floats, Floats, Floats, Floats]
"""The whole's leaves, before and now, and what is shared, before and now."""


class Rows(NamedTuple):
    """Rows of the store: of all that was seen, and `ends`: of the path itself, of its parent and of the whole."""

    seen: NDArray[np.int64]
    ends: NDArray[np.int64]

    def of(self, numbers: Sequence[int]) -> NDArray[np.int64]:
        """Those with some numbers, and that of the path itself for the parent and the whole that readers expect."""
        return np.append(self.seen[list(numbers)], self.ends[[0, 0]])


class Level(NamedTuple):
    """Rows of the store of all children of some tables, what was seen of them, and the whole."""

    rows: NDArray[np.int64]
    seen: list[Seen]
    whole: Whole


class Known:
    """Where tables were when they were asked for together. Decides only what is asked for early."""

    def __init__(self) -> None:
        self._rows: dict[tuple[Path, tuple[Path, ...]], NDArray[np.int64]] = {}

    def rows(self, pk: Path, tables: Sequence[Path]) -> NDArray[np.int64] | None:
        return self._rows.get((pk, tuple(tables)))

    def learn(self, pk: Path, tables: Sequence[Path], rows: NDArray[np.int64]) -> None:
        if len(self._rows) >= MOST_KNOWN:
            self._rows.clear()
        self._rows[pk, tuple(tables)] = rows


@dataclass
class Reading:
    """Sums of the two periods."""

    measures: Measures
    known: Known
    why: Why
    measure: Measure
    now: float

    def __post_init__(self) -> None:
        self.warnings: set[str] = set()

    def finding_ends(self) -> Conversation[NDArray[np.int64]]:
        why = self.why
        texts = [str(why.dimension), str(why.dimension.parent), WHOLE]
        found = yield from self.measures.store.catalog.finding(str(why.pk), texts)
        return np.array([ABSENT if row is None else row for row in found], dtype=np.int64)

    def level(self, paths: Sequence[Path], ends: NDArray[np.int64], whole: Whole | None = None) -> Conversation[Level]:
        """Those of some tables that have children: names, then what they and the whole have in both periods.

        Two round trips; of tables that were asked for together before one, since most likely they are where they were.
        Where the whole is known, what has no children takes no second one.
        """
        why = self.why
        asked = [Asked(span, self._unfolds, self._unfolds) for span in (why.compare, why.period)]
        question = yield from self.measures.questioning(why.pk, [why.formula], asked, self.now)
        known = self.known.rows(why.pk, paths)
        guess = Guess() if known is None else self.measures.guess(question, np.concatenate([known, ends]))
        tables, replies = yield from both(self._listing(paths), _asking(guess.calls))
        rows = np.concatenate([*(table.rows for table in tables), ends[:0]])
        self.known.learn(why.pk, paths, rows)
        if whole is not None and not len(rows):
            return Level(rows, [], whole)
        early = guess.answered(replies) if guess.calls else None
        answers = yield from self.measures.answering(question, np.concatenate([rows, ends]), self.now, early)
        seen, whole = self._seen(tables, *answers)
        return Level(rows, seen, whole)

    def _listing(self, paths: Sequence[Path]) -> Conversation[list[Table]]:
        texts = [CHILD_PKS if is_counters(path) else str(path) for path in paths]
        found = yield from self.measures.store.catalog.listing(str(self.why.pk), texts)
        return [table for table in map(table_of, paths, found) if len(table.names)]

    def _seen(self, tables: Sequence[Table], earlier: Said, later: Said) -> tuple[list[Seen], Whole]:
        (before, said_before), (now, said) = earlier, later
        self.warnings |= said | {f"compared period: {warning}" for warning in said_before}
        sides = [(self._own(values), self._shared(values)) for values in (before, now)]
        (own_before, shared_before), (own_now, shared_now) = sides
        found, begin = [], 0
        for table in tables:
            end = begin + len(table.names)
            sums = own_before[:, begin:end], own_now[:, begin:end]
            found.append(Seen(table.path, table.names, *sums, counters=table.counters))
            begin = end
        return found, (own_before[:, begin], own_now[:, begin], shared_before, shared_now)

    @property
    def _unfolds(self) -> bool:
        return self.why.formula.reads_buckets

    def _own(self, values: Values) -> Floats:
        """[leaf, row]"""
        if not self.measure.leaves:
            return np.zeros((0, values.rows))
        return np.stack([values.totals(Formula.of(leaf)) for leaf in self.measure.leaves])

    def _shared(self, values: Values) -> Floats:
        return np.array([self._one(values, leaf) for leaf in self.measure.shared])

    def _one(self, values: Values, leaf: Leaf) -> float:
        if isinstance(leaf, Constant):
            return float(values.totals(Formula.of(leaf))[-1])
        at = values.whole if leaf.level == "_" else values.parent
        return float(values.totals(Formula.of(Metric(leaf.name, leaf.carry)))[at])


def _asking(calls: Sequence[Call]) -> Conversation[list[Any]]:
    """Just these calls."""
    return (yield calls) if calls else []


COUNTERS = Path(("", CHILD_PKS))
"""Stands for the table of child counters, among paths of dimensions."""


def is_counters(path: Path) -> bool:
    return path is COUNTERS


def table_of(path: Path, children: Children) -> Table:
    names, rows = children.names, children.rows.astype(np.int64)
    if is_counters(path):
        return Table(ROOT, names, rows, True)
    if len(path) > 1 and any(map(is_crossing, names)):  # only below a value there are such tables
        chosen = [at for at, name in enumerate(names) if not is_crossing(name)]
        return Table(path, [names[at] for at in chosen], rows[chosen], False)
    return Table(path, names, rows, False)
