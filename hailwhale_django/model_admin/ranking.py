"""What the store says about the objects of a model: their names in the order of formulas, and the values of some.

Names in order take the round trips of one table (one or two; one more for sketches), values those of another. Both
read all child counters: the order is made of all, and so are the intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..dashboards.table import ShownCell, shown_cell
from ..engine.domain.answer import Answer, Cell
from ..engine.domain.formula import Formula
from ..engine.domain.period import Period
from ..engine.domain.query import Filter, Order, Query
from ..engine.errors import TooLarge
from .counted import Counted


@dataclass(frozen=True, slots=True)
class Value:
    """A value as a page shows it; `is_vague` where its interval is as wide as the value itself."""

    shown: ShownCell
    is_vague: bool


@dataclass(frozen=True, slots=True)
class Ranking:
    """The objects of a model in a period."""

    counted: Counted
    period: Period
    now: float

    @classmethod
    def over(cls, counted: Counted, period: str) -> Ranking:
        """Raises `InvalidInput` where that is no period."""
        now = counted.pod.clock()
        return cls(counted, counted.pod.period(period, None, now), now)

    def places(self, orders: Sequence[Order], *, shared: bool = False, limit: int | None = None) -> dict[str, int]:
        """Each name with its place, in order; with `shared`, equals have the same."""
        formulas = tuple(dict.fromkeys(order.formula for order in orders if order.formula is not None))
        rows = self._table(Query(self.counted.parent, formulas, self.period, order=tuple(orders), limit=limit)).rows
        if not shared:
            return {row.name: place for place, row in enumerate(rows)}
        places: dict[str, int] = {}
        place, last = -1, None
        for row in rows:
            values = [cell.value for cell in row.cells]
            if values != last:
                place, last = place + 1, values
            places[row.name] = place
        return places

    def values(
        self, formulas: Sequence[Formula], names: Sequence[str], orders: Sequence[Order]
    ) -> tuple[dict[str, list[Value]], list[str]]:
        """The values of these names, and what to say about them."""
        chosen = Filter.parse(["exactly", "name", list(names)])
        query = Query(self.counted.parent, tuple(formulas), self.period, filters=(chosen,), limit=None, bounds=True)
        # Where it is asked for with its intervals it may be too large a table.
        try:
            answer = self._table(query)
        except TooLarge:
            answer = self._table(replace(query, bounds=False))
        ordered = orders[0].formula if orders else None
        return {row.name: _values(row.cells, answer, ordered) for row in answer.rows}, answer.warnings

    def _table(self, query: Query) -> Answer:
        return self.counted.pod.reader.table(replace(query, counters=True), self.now)


def _values(cells: Sequence[Cell], answer: Answer, ordered: Formula | None) -> list[Value]:
    both = zip(cells, answer.columns, answer.totals.cells, strict=True)
    return [
        Value(shown_cell(cell, formula, whole, formula == ordered, is_whole=False), _is_vague(cell))
        for cell, formula, whole in both
    ]


def _is_vague(cell: Cell) -> bool:
    if cell.low is None or cell.high is None or cell.value is None:
        return False
    return (cell.high - cell.low) / 2 >= abs(cell.value)
