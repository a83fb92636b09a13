"""What template tags show on a project's own pages: a number, a table, a graph. Numbers, names and points; no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from . import wire
from .dashboards import told, writing
from .dashboards.graph import DEFAULT_LINES, MAX_LINES, Graph, Line, style_of, with_other
from .dashboards.offers import DEFAULT_METRIC
from .dashboards.question import DEFAULT_STYLE, drawn, readable
from .dashboards.state import State, formulas_of
from .engine.domain.answer import Answer, Cell, Row
from .engine.domain.formula import Formula, parse
from .engine.domain.paths import pk_of
from .engine.domain.query import whole_number
from .engine.domain.ranking import matter
from .engine.errors import InvalidInput
from .engine.pod import Pod
from .whale import Whale

AUTO = "auto"
"""A limit that draws the children that matter."""


@dataclass(frozen=True, slots=True)
class EmbeddedTable:
    """A ranked table: headings, and a name and texts for each row. `answer` has the numbers, for other templates."""

    answer: Answer

    @property
    def title(self) -> str:
        query = self.answer.query
        names = " › ".join((*query.pk, *query.dimension))
        return f"{names}, {writing.span(query.period)}"

    @property
    def name(self) -> str:
        """What the rows are of."""
        dimension = self.answer.query.dimension
        return dimension.name if dimension else gettext("Name")

    @property
    def headings(self) -> Sequence[Formula]:
        return self.answer.columns

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        return [(row.name, self._texts(row)) for row in self.answer.rows]

    @property
    def total(self) -> list[str]:
        return self._texts(self.answer.totals)

    def _texts(self, row: Row) -> list[str]:
        cells = zip(row.cells, self.answer.columns, strict=True)
        return [_text(cell.value if formula.is_number else cell.told, formula) for cell, formula in cells]


def given(name: str, value: Any) -> Any:
    """An argument of a tag: a value, or a text as an address has it (`{"country": "US"}`, `country/US`)."""
    return wire.read_parameter(name, [value]) if isinstance(value, str) else value


def total(pk: Any, metric: Any, dimension: Any, period: Any) -> str:
    """One number, as the admin writes it; of what tells a list, that on one line."""
    formula = parse(str(metric or DEFAULT_METRIC))
    return _text(Whale.total(given("pk", pk), formula, given("dimension", dimension), period), formula)


def table(pk: Any, dimension: Any, metrics: Any, period: Any, limit: Any) -> EmbeddedTable:
    """The children of a path, best first by the first formula."""
    formulas = formulas_of([metrics]) if isinstance(metrics, str) and metrics[:1] not in "[{" else metrics
    asked = given("metrics", formulas)
    dimension = given("dimension", dimension)
    return EmbeddedTable(Whale.query(given("pk", pk), dimension=dimension, metrics=asked, period=period, limit=limit))


def graph(
    pk: Any,
    dimension: Any,
    metric: Any,
    period: Any,
    limit: Any,
    style: Any = None,
    log: Any = False,
    title: Any = "",
    *,
    depth: int = 1,
    pod: Pod | None = None,
) -> Graph:
    """Lines of the best children of a path, or of those that matter; where it has none (or `depth` is 0), its own."""
    pod = pod or Whale.pod()
    key, path = pk_of(given("pk", pk)), given("dimension", dimension)
    formula = drawn(str(metric or DEFAULT_METRIC))
    auto = limit == AUTO and not formula.is_level  # nothing has a share of a level
    asked = pod.period(period, None)
    clear = readable(State(key, period=str(period or "")), asked, pod)
    if clear is None:
        raise InvalidInput("period", period, "this is too long to be drawn by any interval that is kept")
    now = pod.clock()
    query = pod.parse_query(
        key,
        dimension=path,
        metrics=[formula],
        period=period,
        interval=str(clear.interval),
        order_by=[f"-{formula.denominator or formula}"] if auto else None,
        limit=MAX_LINES if auto else _most(limit),
        plotted=True,
    )
    answer = pod.reader.table(query, now)
    rows = answer.rows if depth and dimension not in (None, "", "_") else []
    chosen = that_matter(rows, answer.totals) if auto else rows
    found = [_line(row.name, number, row) for number, row in enumerate(chosen, 1)]
    whole = _line((query.dimension or query.pk).name, 1, answer.totals, whole=True)
    lines = Graph(
        formula,
        query.period,
        found or [whole],
        unfinished=query.period.end.timestamp() > now,
        style=style_of(style or DEFAULT_STYLE),
        log=bool(log),
        title="" + str(title or ""),  # plain text: what a template has in quotes is marked as safe HTML
    )
    return with_other(lines, whole.points)


def that_matter(rows: Sequence[Row], totals: Row) -> list[Row]:
    """The rows that are worth drawing by their first column, highest first; of a ratio those with many to divide by."""
    weights = [_weight(row.cells[0]) for row in rows]
    return [rows[at] for at in matter(weights, _weight(totals.cells[0]))]


def _weight(cell: Cell) -> float:
    weight = cell.value if cell.denominator is None else cell.denominator
    return 0.0 if weight is None else weight


def _most(limit: Any) -> int:
    """How many lines are asked for."""
    if limit in (None, AUTO):
        return DEFAULT_LINES
    return whole_number("limit", limit, 1, MAX_LINES)


def _text(value: Any, formula: Formula) -> str:
    return writing.told(value, formula) if formula.is_number else told.in_words(value, formula)


def _line(name: str, number: int, row: Row, *, whole: bool = False) -> Line:
    return Line(name, number, row.cells[0].points or [], whole=whole)
