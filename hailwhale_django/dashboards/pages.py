"""What a counter's page shows, in some seven round trips to the store (and two for an overlap), and the list of
counters, in three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext, pgettext

from ..engine.domain.answer import Answer, Row
from ..engine.domain.formula import parse
from ..engine.domain.paths import WHOLE, Path, escaped, unescaped
from ..engine.domain.period import Period
from ..engine.domain.query import Query
from ..engine.errors import InvalidInput, TooLarge
from ..engine.pod import Pod
from ..engine.reader import Outline
from . import pickers, table, writing
from .caveats import caveat
from .column import Column
from .graph import DEFAULT_LINES, MAX_LINES, Graph, Line, Spark, spark, with_other
from .offers import DEFAULT_METRIC, offered
from .overlaps import ShownOverlap, overlap_of
from .pickers import Choice
from .question import MAX_COLUMNS, Question, ask, intervals, no_intervals, whole_table, without_intervals
from .state import State
from .table import WHOLE_ROW, Heading, ShownCell, ShownRow
from .whystate import WhyAddress, WhyState, whole_name, why_of

COUNTERS_OF_A_PAGE = 25
SPARK_DAYS = 30

# Beyond these, dimensions are a list to open and child counters a table of their own.
TABS = 12

Link = Callable[[State], str]
"""The address of a counter's page in some state."""


@dataclass(frozen=True, slots=True)
class Tab:
    """A table of the counter that can be looked at."""

    text: str
    link: str
    current: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """The whole's value of one column; its link draws that column, if that can be drawn."""

    text: str
    cell: ShownCell
    link: str
    current: bool


@dataclass
class CounterPage:
    """A counter's page: a question, its answer, and the graph of some of its rows. All else follows when asked for."""

    pod: Pod
    state: State
    link: Link
    outline: Outline
    question: Question
    answer: Answer
    chosen: list[str]
    graph: Graph | None
    notes: list[str]
    overlap: ShownOverlap | None = None
    why: WhyAddress = lambda _: ""

    @property
    def query(self) -> Query:
        return self.question.query

    # -- where this is

    @property
    def title(self) -> str:
        return " / ".join(self.state.pk)

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """Names and addresses of everything above, from the counter's first name on; the last is this table itself."""
        pk, path = self.state.pk, self.query.dimension
        above = [
            (name, self.link(self.state.elsewhere(pk=Path(pk[: at + 1]), graph=self.state.graph)))
            for at, name in enumerate(pk)
        ]
        here = self.state.elsewhere()
        return above + [
            (name, self.link(here.changed(dimension=str(Path(path[: at + 1]))))) for at, name in enumerate(path)
        ]

    @cached_property
    def tabs(self) -> list[Tab]:
        """Dimensions, then the table of all of them, then child counters."""
        first = self.query.dimension[:1]
        names = [name for name, size in self.outline.dimensions.items() if size]
        names += [name for name in first if name not in names and self.outline.known]
        here = self.state.elsewhere()
        found = [
            Tab(name, here.link(dimension=str(Path((name,)))), not self.state.counters and first == (name,))
            for name in names
        ]
        if len(self.outline.dimensions) > 1 or not names:
            whole = not self.state.counters and not first
            found.append(Tab(gettext("all dimensions"), here.link(dimension=WHOLE), whole))
        if self.outline.counters:
            found.append(Tab(gettext("child counters"), here.link(counters=True), self.state.counters))
        return found if len(found) > 1 else []

    @property
    def first_tabs(self) -> list[Tab]:
        return self.tabs[:TABS]

    @property
    def further_tabs(self) -> list[Tab]:
        return self.tabs[TABS:]

    # -- what is asked

    @property
    def period(self) -> str:
        return writing.span(self.query.period)

    @property
    def compared(self) -> str:
        return "" if self.query.compare is None else writing.span(self.query.compare)

    @property
    def zone(self) -> str:
        return str(self.query.period.zone)

    @property
    def period_text(self) -> str:
        return pickers.period_text(self.state.period)

    @property
    def period_choices(self) -> list[Choice]:
        return pickers.period_choices(self.state.period)

    @property
    def compare_choices(self) -> list[Choice]:
        return pickers.compare_choices(self.state.compare)

    @property
    def interval_choices(self) -> list[Choice]:
        offered = [(str(one), writing.each(one)) for one in intervals(self.query.period, self.pod)]
        return pickers.choices([("", gettext("automatic")), *offered], self.state.interval)

    @property
    def formula_fields(self) -> list[tuple[str, str]]:
        """The texts of the columns, each with what is wrong with it, and an empty one."""
        texts = self.state.metrics or tuple(map(str, self.query.formulas))
        return [*((text, self.question.formula_problems.get(text, "")) for text in texts), ("", "")]

    @property
    def default_formulas(self) -> list[str]:
        return [] if self.state.metrics else list(map(str, self.query.formulas))

    @property
    def most_columns(self) -> int:
        return MAX_COLUMNS

    @property
    def metrics(self) -> list[str]:
        """What the fields of columns offer."""
        return offered(self.outline.metrics)

    @property
    def problems(self) -> dict[str, str]:
        return self.question.problems

    @property
    def general_problems(self) -> list[str]:
        """What is wrong with parts of the address that no field shows."""
        names = {
            "dimension": gettext("Dimension"),
            "order": pgettext("of rows", "Order"),
            "graph": gettext("Graph"),
            "style": gettext("Style of the graph"),
            "page": gettext("Page"),
        }
        return [f"{name}: {self.problems[field]}" for field, name in names.items() if field in self.problems]

    @property
    def form_pairs(self) -> list[tuple[str, str]]:
        """What the form keeps without showing it."""
        shown = ("period", "compare", "metrics", "find", "interval", "rows", "page")
        on_page = {row.value for row in self.rows} | {WHOLE_ROW}
        if self.answer.other is not None:
            on_page.add(escaped(self.answer.other.name))
        elsewhere = [("rows", value) for value in self.chosen if value not in on_page]
        drawn = [("was_rows", value) for value in self.chosen]
        chosen = [("rows_chosen", "1")] if self.state.rows else []
        return [*self.state.pairs(*shown), *elsewhere, *drawn, *chosen]

    # -- what was found

    @cached_property
    def tiles(self) -> list[Tile]:
        found = zip(self.query.formulas, self.totals.cells, strict=True)
        return [
            Tile(
                str(formula),
                cell,
                self._here(graph=str(formula)) if formula.is_number else "",
                formula == self.question.graph,
            )
            for formula, cell in found
        ]

    @property
    def has_more_in_tiles(self) -> bool:
        return any(tile.cell.width or tile.cell.change for tile in self.tiles)

    @property
    def name_heading(self) -> Heading:
        return table.heading(None, self.query.order[0], self.state)

    @property
    def headings(self) -> list[Heading]:
        return table.headings(self.answer, self.state)

    @cached_property
    def rows(self) -> list[ShownRow]:
        shown = table.shown_rows(self.answer, self.answer.rows, self._lines(), self.state)
        rows = [
            replace(one, cells=self._doubted(one.cells, row)) for one, row in zip(shown, self.answer.rows, strict=True)
        ]
        if not self.state.counters:
            return rows
        return [replace(row, link=self.link(self.state.elsewhere(pk=self.state.pk.child(row.name)))) for row in rows]

    @property
    def other(self) -> ShownRow | None:
        other = self.answer.other
        if other is None:
            return None
        row = table.shown_rows(self.answer, [other], self._lines(), self.state)[0]
        return replace(row, name=writing.of_other(row.name), link="", bar=None)

    @property
    def totals(self) -> ShownRow:
        cells = self._doubted(table.cells(self.answer, self.answer.totals), self.answer.totals)
        return ShownRow(gettext("total"), WHOLE_ROW, cells, line=self._lines().get("", 0))

    @property
    def order_words(self) -> str:
        order = self.query.order[0]
        if order.formula is None:
            return gettext("by name, from Z to A") if order.descending else gettext("by name, from A to Z")
        words = (
            gettext("by %(formula)s, highest first") if order.descending else gettext("by %(formula)s, lowest first")
        )
        return words % {"formula": order.formula}

    @property
    def certain_links(self) -> list[Tab]:
        """To order by the value, or by that end of its interval that is certain; only where there are intervals."""
        order = self.query.order[0]
        if order.formula is None or not self.query.bounds or not table.has_intervals(order.formula):
            return []
        certain, end = order.aspect in ("low", "high"), table.certain_end(order.descending)
        return [
            Tab(
                text,
                self.state.link(order=table.ordering(order.formula, end if one else "", order.descending)),
                one == certain,
            )
            for one, text in (
                (False, pgettext("to order by", "value")),
                (True, pgettext("to order by", "what is certain")),
            )
        ]

    @property
    def has_table(self) -> bool:
        """Whether there are rows, or would be if not for a search: the totals alone are above."""
        return bool(self.answer.count or self.answer.other or self.state.find)

    @property
    def first_shown(self) -> int:
        return self.query.offset + 1 if self.answer.rows else 0

    @property
    def last_shown(self) -> int:
        return self.query.offset + len(self.answer.rows)

    @property
    def previous_page(self) -> str:
        number = self.query.offset // (self.query.limit or 1)
        return self.state.link(page=str(number) if number > 1 else "") if number else ""

    @property
    def next_page(self) -> str:
        number = self.query.offset // (self.query.limit or 1) + 2
        return self.state.link(page=str(number)) if self.last_shown < self.answer.count and self.answer.rows else ""

    @property
    def sheet(self) -> str:
        return "?" + urlencode([*self.state.pairs("page"), ("format", "csv")])

    @property
    def zoom(self) -> str:
        """The address of a part of the period, where a script puts its dates in; its interval is chosen anew."""
        _, bar, zone = self.state.period.partition("|")
        return self.state.link(period=f"__FROM__..__TO__{bar}{zone}", interval="")

    def _here(self, **changes: Any) -> str:
        """A link that keeps the page of the table."""
        return self.state.link(page=self.state.page, **changes)

    def _doubted(self, shown: list[ShownCell], row: Row) -> list[ShownCell]:
        """A row's cells, those that changed with what explains it."""
        if self.query.compare is None:
            return shown
        state, totals = self.state, self.answer.totals
        pk, path = state.pk, row.path
        if state.counters:
            pk, path = (pk if row is totals else pk.child(row.name)), Path()
        asked = WhyState(pk, "", str(path) if path else "", state.period, state.compare, state.store)
        name = whole_name(path) if row is totals else row.name
        return [
            replace(one, why=why_of(cell, Column(formula), name, asked, self.why))
            for one, cell, formula in zip(shown, row.cells, self.query.formulas, strict=True)
        ]

    def _lines(self) -> dict[str, int]:
        lines = self.graph.lines if self.graph else []
        return {"" if line.whole else line.name: line.number for line in lines if not (line.before or line.other)}


def counter_page(state: State, pod: Pod, link: Link, why: WhyAddress = lambda _: "") -> CounterPage | None:
    """Ask for a counter's page; `None` when nothing was ever counted on it."""
    now = pod.clock()
    asked = asked_for(state, pod, now)
    if asked is None:
        return None
    outline, question = asked
    answer = answered(question, question.query, pod, now)
    notes = [*question.notes, *map(caveat, answer.warnings)]
    if not outline.known and "dimension" not in question.problems:
        notes.insert(
            0, gettext("Nothing was ever counted under %(path)s.") % {"path": " / ".join(answer.query.dimension)}
        )
    chosen = chosen_rows(state, answer)
    graph = None
    if question.graph_period is None:
        notes.append(gettext("This period is too long to be drawn."))
    else:
        graph = draw(question, question.graph_period, chosen, pod, now, notes)
        graph = replace(graph, style=question.style, log=state.log)
    overlap = overlap_of(answer.query, [row.name for row in answer.rows], pod, now)
    return CounterPage(pod, state, link, outline, question, answer, chosen, graph, notes, overlap, why)


def counter_sheet(state: State, pod: Pod) -> Answer | None:
    """The table of a counter's page, all of it."""
    now = pod.clock()
    asked = asked_for(state, pod, now)
    return None if asked is None else answered(asked[1], whole_table(asked[1].query), pod, now)


def asked_for(state: State, pod: Pod, now: float) -> tuple[Outline, Question] | None:
    outline = pod.reader.outline(state.pk, _path(state))
    if outline is None:
        return None
    return outline, ask(state, outline, pod, now)


def answered(question: Question, query: Query, pod: Pod, now: float) -> Answer:
    """The table; without intervals where these would take more numbers than may be read for one page."""
    try:
        return pod.reader.table(query, now)
    except TooLarge:
        question.query = without_intervals(query)
        question.notes.append(no_intervals())
        return pod.reader.table(question.query, now)


def chosen_rows(state: State, answer: Answer) -> list[str]:
    """The rows to draw, as the query string calls them: those that were ticked, else the first few, else the whole."""
    if state.rows:
        return list(dict.fromkeys(state.rows))
    return [escaped(row.name) for row in answer.rows[:DEFAULT_LINES]] or [WHOLE_ROW]


def draw(question: Question, period: Period, chosen: Sequence[str], pod: Pod, now: float, notes: list[str]) -> Graph:
    """The lines of the chosen rows; of a single one also what it was in the period compared with."""
    if len(chosen) > MAX_LINES:
        notes.append(gettext("A graph has at most %(count)s lines; the first are drawn.") % {"count": MAX_LINES})
    whole = WHOLE_ROW in chosen[:MAX_LINES]
    names = [unescaped(value) for value in chosen[:MAX_LINES] if value != WHOLE_ROW]
    query, formula = question.query, question.graph
    plot = pod.reader.plot(query, names, formula, period, now, whole=True)
    total = plot.lines.pop("")
    if whole:
        plot.lines[""] = total
    missing = [name for name in names if name not in plot.lines]
    if missing:
        notes.append(gettext("Not in this table: %(names)s.") % {"names": ", ".join(missing)})
    if not plot.lines:
        plot.lines[""] = total
    notes += [note for note in map(caveat, sorted(plot.warnings)) if note not in notes]
    lines = [
        Line(name or total_name(query), number, points, whole=not name)
        for number, (name, points) in enumerate(plot.lines.items(), 1)
    ]
    if query.compare is not None and len(lines) == 1:
        lines += before(question, period, lines[0], pod, now)
    moment = datetime.fromtimestamp(now, UTC)
    # One event has several dimensions, but one value of each.
    parts = query.counters or len(query.dimension) > 0
    return with_other(Graph(formula, period, lines, unfinished=period.end > moment, parts=parts), total)


def before(question: Question, period: Period, line: Line, pod: Pod, now: float) -> list[Line]:
    """What a line was in the period compared with, bucket beside bucket."""
    query = question.query
    assert query.compare is not None
    earlier = query.compare.with_interval(period.interval)
    names = [] if line.whole else [line.name]
    plot = pod.reader.plot(query, names, question.graph, earlier, now, whole=line.whole)
    points: list[float | None] = [*next(iter(plot.lines.values())), *[None] * len(period)]
    name = gettext("%(name)s before") % {"name": line.name}
    return [Line(name, line.number, points[: len(period)], line.whole, before=True)]


def total_name(query: Query) -> str:
    """What the row of the table itself is called on a graph."""
    return query.dimension.name if len(query.dimension) > 1 else gettext("total")


def as_panel(page: CounterPage) -> dict[str, str]:
    """What a page shows, as the fields of a dashboard's panel."""
    query, state = page.query, page.state
    fields = {
        "kind": "table" if page.has_table else "graph",
        "counter": str(query.pk),
        "dimension": str(query.dimension) if query.dimension else "",
        "counters": "on" if state.counters else "",
        "formulas": "\n".join(map(str, query.formulas)),
        "order": state.order,
    }
    return {name: value for name, value in fields.items() if value}


@dataclass(frozen=True, slots=True)
class ListedCounter:
    """A counter in the list: hits of today and of the last days, with what they were in as many days before."""

    name: str
    link: str
    today: str
    total: str
    change: writing.Change | None
    spark: Spark


@dataclass(frozen=True, slots=True)
class ListPage:
    """Some of the counters, in the order of the alphabet."""

    counters: list[ListedCounter]
    find: str
    after: str
    next_after: str


def list_page(pod: Pod, find: str, after: str, link: Link, store: str) -> ListPage:
    """Counters whose names begin with `find`, from behind `after` on."""
    now = pod.clock()
    texts = pod.store.catalog.counters(after, COUNTERS_OF_A_PAGE + 1, escaped(find))
    pks = [pk_of_text(text) for text in texts[:COUNTERS_OF_A_PAGE]]
    period = pod.period(f"{2 * SPARK_DAYS}d", None, now)
    found = pod.reader.wholes(pks, parse(DEFAULT_METRIC), period, now) if pks else []
    counters = [_listed(pk, points or [], link, store) for pk, points in zip(pks, found, strict=True)]
    more = len(texts) > COUNTERS_OF_A_PAGE
    return ListPage(counters, find, after, texts[COUNTERS_OF_A_PAGE - 1] if more else "")


def pk_of_text(text: str) -> Path:
    """The key of a counter by its text. Raises `InvalidInput`."""
    return Path((WHOLE,)) if text == WHOLE else Path.parse(text)


def _listed(pk: Path, points: Sequence[float | None], link: Link, store: str) -> ListedCounter:
    values = [value or 0.0 for value in points] or [0.0] * (2 * SPARK_DAYS)
    earlier, latest = sum(values[:SPARK_DAYS]), sum(values[SPARK_DAYS:])
    return ListedCounter(
        name=pk.name,
        link=link(State(pk, store=store)),
        today=writing.number(values[-1]),
        total=writing.number(latest),
        change=writing.change(latest, earlier, (latest - earlier) / earlier if earlier else None, ratio=False),
        spark=spark(values[SPARK_DAYS:]),
    )


def _path(state: State) -> Path:
    try:
        return Path.parse(state.dimension)
    except InvalidInput:
        return Path()
