"""What template tags show on a project's own pages: a number, a table, a graph. Numbers, names and points; no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from . import wire
from .dashboards import told, writing
from .dashboards.graph import DEFAULT_LINES, MAX_LINES, Graph, Line
from .dashboards.offers import DEFAULT_METRIC
from .dashboards.question import drawn, readable
from .dashboards.state import State, formulas_of
from .engine.domain.answer import Answer, Row
from .engine.domain.formula import Formula, parse
from .engine.domain.paths import pk_of
from .engine.domain.query import whole_number
from .engine.errors import InvalidInput
from .whale import Whale


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


def graph(pk: Any, dimension: Any, metric: Any, period: Any, limit: Any) -> Graph:
    """Lines of the best children of a path, or where it has none its own."""
    pod = Whale.pod()
    key, path = pk_of(given("pk", pk)), given("dimension", dimension)
    lines = whole_number("limit", DEFAULT_LINES if limit is None else limit, 1, MAX_LINES)
    asked = pod.period(period, None)
    clear = readable(State(key, period=str(period or "")), asked, pod)
    if clear is None:
        raise InvalidInput("period", period, "this is too long to be drawn by any interval that is kept")
    now = pod.clock()
    query = pod.parse_query(
        key,
        dimension=path,
        metrics=[drawn(str(metric or DEFAULT_METRIC))],
        period=period,
        interval=str(clear.interval),
        limit=lines,
        plotted=True,
    )
    answer = pod.reader.table(query, now)
    rows = answer.rows if dimension not in (None, "", "_") else []
    found = [_line(row.name, number, row) for number, row in enumerate(rows, 1)]
    whole = _line((query.dimension or query.pk).name, 1, answer.totals, whole=True)
    return Graph(query.formulas[0], query.period, found or [whole], unfinished=query.period.end.timestamp() > now)


def _text(value: Any, formula: Formula) -> str:
    return writing.told(value, formula) if formula.is_number else told.in_words(value, formula)


def _line(name: str, number: int, row: Row, *, whole: bool = False) -> Line:
    return Line(name, number, row.cells[0].points or [], whole=whole)
