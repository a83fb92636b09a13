"""Laying out a table: which rows are shown, in which order, and what each cell says."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .answer import Cell, Row, numbers
from .confidence import ratio_bounds
from .crossing import is_crossing
from .formula import Formula
from .paths import OTHER, Path
from .query import Aspect, Filter, Order, Query
from .ranking import Standing, best_first, level_standing, metric_standing, ratio_standing, sort_keys
from .values import Floats, Values

COMPARE: dict[str, Callable[[Floats, float], NDArray[np.bool_]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}

# As `_make` does, without a call of Python for each of many.
NEW_CELL: Callable[[tuple[Any, ...]], Cell] = partial(tuple.__new__, Cell)
NEW_ROW: Callable[[tuple[Any, ...]], Row] = partial(tuple.__new__, Row)


@dataclass
class Table:
    """Rows of `values` (children, then their parent, then the whole) as a query wants them.

    `names` and `bases` are each child's name and the path it is a child of. `before` are the values of the period
    compared with, of the same rows.
    """

    query: Query
    names: Sequence[str]
    bases: Sequence[Path]
    values: Values
    before: Values | None = None
    _found: dict[Formula, Floats] = field(default_factory=dict)
    _bounds: dict[Formula, tuple[Floats, Floats] | None] = field(default_factory=dict)

    @cached_property
    def passing(self) -> NDArray[np.int64]:
        """Row numbers of the children that pass the filters. `(other)` is not among them, nor tables of what was
        counted together with a value: these repeat its events.
        """
        rows = np.arange(len(self.names))
        if self.other or (self._may_cross and any(map(is_crossing, self.names))):
            keeps = [name != OTHER and not (self._may_cross and is_crossing(name)) for name in self.names]
            rows = np.flatnonzero(np.array(keeps, dtype=bool))
        for test in self.query.filters:
            rows = rows[self._passes(test, rows)]
        return rows

    @property
    def _may_cross(self) -> bool:
        """Only below a value are there such tables."""
        query = self.query
        return not query.counters and len(query.dimension) + query.depth > 2

    @cached_property
    def shown(self) -> list[int]:
        """Of those that pass, the ones that were asked for, in order."""
        orders = self.query.orders()
        end = len(self.names) if self.query.limit is None else self.query.offset + self.query.limit
        rows = self._foremost(orders[0], end)
        # The last key first: each sort keeps the order of the one before among equals.
        for at, order in enumerate(reversed(orders)):
            rows = rows[self._sorted(order, rows, by_name=at == 0)]
        found: list[int] = rows[self.query.offset : end].tolist()
        return found

    @cached_property
    def other(self) -> list[int]:
        """The row `(other)`, if any child was counted there; of a table of several levels the topmost."""
        return [self.names.index(OTHER)] if OTHER in self.names else []

    def path(self, row: int) -> Path:
        """The path of a child, or of the parent of all."""
        return self.paths([row])[0]

    def paths(self, rows: Sequence[int]) -> list[Path]:
        """The same of each."""
        names, bases, count = self.names, self.bases, len(self.names)
        return [Path((*bases[row], names[row])) if row < count else self.query.dimension for row in rows]

    def rows(self, shown: Sequence[int], plotted: Values | None = None, children: Sequence[int] = ()) -> list[Row]:
        """The rows with these numbers. `plotted` are values of just these rows, with buckets."""
        chosen = np.array(shown, dtype=np.int64)
        together = self._standings(chosen)
        columns = [self._cells(formula, chosen, plotted, together.get(formula)) for formula in self.query.formulas]
        paths = self.paths(shown)
        others = [path[-1:] == (OTHER,) for path in paths]
        cells = zip(*columns, strict=True)
        return list(map(NEW_ROW, zip(paths, cells, children or [0] * len(shown), others, strict=True)))

    def _cells(
        self, formula: Formula, rows: NDArray[np.int64], plotted: Values | None, standing: Standing | None
    ) -> list[Cell]:
        if not formula.is_number:
            return [Cell(0.0, told=self.values.told(formula, row)) for row in rows.tolist()]
        standing = standing or self._standing(formula, rows)
        nothing: list[float | None] = [None] * len(rows)
        is_ratio, is_level = formula.is_ratio, formula.is_level
        bounds = self.bounds(formula) if self.query.needs_bounds() else None
        before = changes = nothing
        if self.before is not None:
            before = numbers(_totals_of(self.before, formula)[rows].tolist())
            changes = numbers(self._changes(formula)[rows].tolist())
        columns = (
            numbers(standing.score.tolist()) if is_level else standing.score.tolist(),
            standing.value.tolist() if is_ratio else nothing,
            standing.count.tolist() if is_ratio else nothing,
            nothing if is_level else standing.share.tolist(),
            numbers(standing.difference.tolist()) if is_level else standing.difference.tolist(),
            nothing if is_level else standing.effect.tolist(),
            standing.important.tolist(),
            nothing if bounds is None else numbers(bounds[0][rows].tolist()),
            nothing if bounds is None else numbers(bounds[1][rows].tolist()),
            before,
            changes,
            self._points(formula, plotted, len(rows)) if plotted else nothing,
            nothing,
        )
        return list(map(NEW_CELL, zip(*columns, strict=True)))

    def _points(self, formula: Formula, plotted: Values, count: int) -> list[list[float | None]]:
        points = plotted.points(formula, undefined=np.nan)[:, :count]
        return [numbers(row) for row in points.T.tolist()]

    def _totals(self, formula: Formula) -> Floats:
        found = self._found.get(formula)
        if found is None:
            found = self._found[formula] = _totals_of(self.values, formula)
        return found

    def _standings(self, rows: NDArray[np.int64]) -> dict[Formula, Standing]:
        """Of the columns that are plain metrics or sums of them, all at once."""
        plain = [one for one in self.query.formulas if one.is_number and not (one.is_level or one.is_ratio)]
        if not plain:
            return {}
        totals = np.stack([self._totals(formula) for formula in plain])
        found = metric_standing(totals[:, rows], totals[:, self.values.parent, None])
        return dict(zip(plain, found.of_each(), strict=True))

    def _standing(self, formula: Formula, rows: NDArray[np.int64]) -> Standing:
        totals = self._totals(formula)
        parent = self.values.parent
        if formula.is_level:
            return level_standing(totals[rows], float(totals[parent]))
        if formula.numerator is None or formula.denominator is None:
            return metric_standing(totals[rows], float(totals[parent]))
        tops, bottoms = self._totals(formula.numerator), self._totals(formula.denominator)
        return ratio_standing(totals[rows], tops[rows], bottoms[rows], float(totals[parent]), float(bottoms[parent]))

    def bounds(self, formula: Formula) -> tuple[Floats, Floats] | None:
        """An interval [row] around a ratio whose sides add up over buckets; others have none."""
        if formula not in self._bounds:
            self._bounds[formula] = self._bounds_of(formula)
        return self._bounds[formula]

    def _bounds_of(self, formula: Formula) -> tuple[Floats, Floats] | None:
        top, bottom = formula.numerator, formula.denominator
        if top is None or bottom is None or not (top.is_linear and bottom.is_linear):
            return None
        tops, bottoms = self.values.points(top), self.values.points(bottom)
        children = slice(0, len(self.names))
        low, high = np.full((2, self.values.rows), np.nan)
        low[children], high[children] = ratio_bounds(tops[:, children], bottoms[:, children])
        # The parent holds what its children hold: beside them it would count twice in their common scatter.
        parent = slice(self.values.parent, self.values.parent + 1)
        low[parent], high[parent] = ratio_bounds(tops[:, parent], bottoms[:, parent])
        return low, high

    def _foremost(self, order: Order, count: int) -> NDArray[np.int64]:
        """Those that pass and whose value is among the first `count`, with all that equal the last of these."""
        if order.formula is None or count >= len(self.passing):
            return self.passing
        keys = sort_keys(self._aspect(order.formula, order.aspect, self.passing), order.descending)
        worst = np.partition(keys, count - 1)[count - 1]
        return self.passing[np.flatnonzero(keys <= worst)]

    def _sorted(self, order: Order, rows: NDArray[np.int64], *, by_name: bool) -> NDArray[np.int64]:
        if order.formula is None:
            names = [self.names[row] for row in rows]
            return np.array(sorted(range(len(rows)), key=names.__getitem__, reverse=order.descending), dtype=np.int64)
        values = self._aspect(order.formula, order.aspect, rows)
        return best_first(values, (lambda at: self.path(rows[at])) if by_name else None, order.descending)

    def _aspect(self, formula: Formula, aspect: Aspect, rows: NDArray[np.int64]) -> Floats:
        if aspect in ("low", "high"):
            bounds = self.bounds(formula)
            return np.full(len(rows), np.nan) if bounds is None else bounds[aspect == "high"][rows]
        if aspect == "change":
            return self._changes(formula)[rows]
        if aspect == "value":
            return self._totals(formula)[rows]
        standing = self._standing(formula, rows)
        return {"share": standing.share, "difference": standing.difference, "effect": standing.effect}[aspect]

    def _changes(self, formula: Formula) -> Floats:
        if self.before is None:
            return np.full(self.values.rows, np.nan)
        now, before = self._totals(formula), _totals_of(self.before, formula)
        return np.divide(now - before, np.abs(before), out=np.full_like(now, np.nan), where=before != 0)

    def _passes(self, test: Filter, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        if test.formula is not None:
            return COMPARE[test.test](self._totals(test.formula)[rows], float(test.values[0]))
        if test.test == "exactly":
            exact = set(test.values)
            return np.array([self.names[row] in exact for row in rows], dtype=bool)
        names = [self.names[row].casefold() for row in rows]
        wanted = {value.casefold() for value in test.values}
        if test.test in ("is", "is_not"):
            found = [name in wanted for name in names]
        else:
            found = [any(value in name for value in wanted) for name in names]
        return np.asarray(np.array(found, dtype=bool) != test.test.endswith("_not"))


def _totals_of(values: Values, formula: Formula) -> Floats:
    """[row]: of nothing a ratio or a sum is 0, and a level is `nan`: there is no telling."""
    return values.totals(formula, np.nan) if formula.is_level else values.totals(formula)
