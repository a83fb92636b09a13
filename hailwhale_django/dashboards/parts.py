"""The tables of an explanation: what each child carries of the change, with a waterfall of it. All parts add up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from ..engine.domain.crossing import MARK, is_crossed
from ..engine.domain.paths import OTHER, Path
from ..engine.explain.explanation import Breakdown, Cause, Explanation, Part
from ..engine.explain.region import Region
from . import writing
from .column import Column
from .differences import Difference, Differences
from .explained import region_name
from .waterfall import End, Step, Waterfall

ChildAddress = Callable[[Region], str]
"""Where it is asked why a child changed."""

TableAddress = Callable[[Breakdown], str]
"""The counter's own page of a table, those that changed most first."""


@dataclass(frozen=True, slots=True)
class PartRow:
    """What a child carries. `kind` is "" of a child; what is not shown or no child's is "others", "other" or "rest"."""

    name: str
    part: Difference
    share: str
    size: float
    before: str = ""
    now: str = ""
    rate: str = ""
    mix: str = ""
    apart: str = ""
    usual: str = ""
    link: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class PartTable:
    """The change by the children of one table. `summary` names the one that carries most."""

    title: str
    rows: Sequence[PartRow]
    total: PartRow
    link: str
    summary: str
    has_split: bool
    has_usual: bool
    in_points: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A dimension: its table, the way from before to now by it, and tables beneath it in which causes lie."""

    table: PartTable
    waterfall: Waterfall
    inner: Sequence[PartTable]

    @property
    def begins_at(self) -> str:
        """Where the waterfall's axis begins, if that is not zero."""
        before, times, after = self.waterfall.axis
        base = self.waterfall.base
        if not base:
            return ""
        number = writing.short(base * times)
        return writing.in_percent(number) if after == "%" else f"{before}{number}{after}"


def sections_of(
    explanation: Explanation, column: Column, child_address: ChildAddress, table_address: TableAddress
) -> list[Section]:
    """All dimensions, first the one that explains best."""
    return _Sections(explanation, column, child_address, table_address).all()


@dataclass
class _Sections:
    explanation: Explanation
    column: Column
    child_address: ChildAddress
    table_address: TableAddress

    def all(self) -> list[Section]:
        found = self.explanation
        tops = [one for one in found.breakdowns if self._is_top(one)]
        return [self._section(one) for one in sorted(tops, key=self._rank)]

    def _is_top(self, one: Breakdown) -> bool:
        """Whether it takes all of what is explained apart, and not only a child of it."""
        own = self.explanation.dimension
        if not own:
            return len(one.table) <= 1
        return one.table == own or (one.table.parent == own and is_crossed(one.table))

    def _rank(self, one: Breakdown) -> tuple[bool, float]:
        """The dimension of the first cause, then those of which a child carries most."""
        causes = self.explanation.causes
        first = bool(causes) and self._top_of(causes[0].path, causes[0].counters) is one
        return not first, -max((abs(part.part) for part in one.parts), default=0.0)

    def _top_of(self, path: Path, counters: bool) -> Breakdown | None:
        """The dimension in which a path lies: the closest, as a crossed one is beneath its value's own."""
        tops = (one for one in self.explanation.breakdowns if self._is_top(one) and one.counters == counters)
        holding = (one for one in tops if counters or path[: len(one.table)] == one.table)
        return max(holding, key=lambda one: len(one.table), default=None)

    def _section(self, top: Breakdown) -> Section:
        inner = [
            one
            for one in self.explanation.breakdowns
            if not self._is_top(one) and self._top_of(one.table, one.counters) is top and self._tells_of_a_cause(one)
        ]
        table = self._table(top, self._title(top))
        return Section(table, self._waterfall(table), [self._table(one, self._inner_title(one)) for one in inner])

    def _tells_of_a_cause(self, one: Breakdown) -> bool:
        """Whether a cause lies in a table, or the table within a cause."""

        def along(cause: Cause) -> bool:
            shorter = min(len(cause.path), len(one.table))
            return not cause.counters and cause.path[:shorter] == one.table[:shorter]

        return any(map(along, self.explanation.causes))

    # -- how tables are called

    def _title(self, one: Breakdown) -> str:
        if one.counters:
            return gettext("child counters")
        if is_crossed(one.table):
            return one.table.name.removeprefix(MARK)
        if len(one.table) == 1:
            return one.table.name
        return gettext("within %(name)s") % {"name": region_name(Region(one.table))}

    def _inner_title(self, one: Breakdown) -> str:
        if not is_crossed(one.table):
            return gettext("within %(name)s") % {"name": region_name(Region(one.table))}
        names = {"name": region_name(Region(one.table.parent)), "dimension": one.table.name.removeprefix(MARK)}
        return gettext("%(name)s by %(dimension)s") % names

    # -- rows

    def _table(self, one: Breakdown, title: str) -> PartTable:
        own = [part.part for part in one.parts]
        write = Differences.of(self.column, own, [one.others, one.other, one.rest, self.explanation.change])
        children = [self._child(part, one.counters, write) for part in one.parts]
        further = [
            (one.others, bool(one.count), "others", _further(one.count)),
            (one.other, bool(one.other), "other", writing.of_other(OTHER)),
            (one.rest, bool(one.rest), "rest", self._rest(one)),
        ]
        rest = [self._row(name, size, write, kind) for size, is_there, kind, name in further if is_there]
        found = self.explanation
        total = PartRow(
            gettext("total"),
            write.shown(found.change),
            self._share(found.change),
            found.change,
            self.column.text(found.before),
            self.column.text(found.now),
        )
        return PartTable(
            title,
            [*children, *rest],
            total,
            self.table_address(one),
            _summary(children),
            has_split=any(part.mix for part in one.parts),
            has_usual=any(part.ordinary is not None for part in one.parts),
            in_points=write.in_points,
        )

    def _rest(self, one: Breakdown) -> str:
        return gettext("in none of these") if self._is_top(one) else gettext("everywhere else")

    def _child(self, part: Part, counters: bool, write: Differences) -> PartRow:
        known = part.effect is not None and part.ordinary is not None
        return PartRow(
            part.name,
            write.shown(part.part),
            self._share(part.part),
            part.part,
            self.column.text(part.before),
            self.column.text(part.now),
            write.signed(part.rate),
            write.signed(part.mix),
            write.signed(part.effect or 0.0) if known else "",
            write.plain(part.ordinary or 0.0) if known else "",
            self.child_address(Region(part.path, counters)),
        )

    def _row(self, name: str, size: float, write: Differences, kind: str) -> PartRow:
        return PartRow(name, write.shown(size), self._share(size), size, kind=kind)

    def _share(self, size: float) -> str:
        change = self.explanation.change
        return writing.percent(size / change) if change else writing.NOTHING

    def _waterfall(self, table: PartTable) -> Waterfall:
        found, text = self.explanation, self.column.text
        steps = [Step(row.name, row.size, row.part.text, row.part.tone, row.link) for row in table.rows if row.size]
        return Waterfall(
            End(gettext("before"), found.before, text(found.before)),
            steps,
            End(gettext("now"), found.now, text(found.now)),
            self.column.axis,
        )


def _further(count: int) -> str:
    return ngettext("%(count)s further", "%(count)s further", count) % {"count": writing.number(count)}


def _summary(rows: Sequence[PartRow]) -> str:
    most = max(rows, key=lambda row: abs(row.size), default=None)
    return "" if most is None else f"{most.name} {most.part.text}"
