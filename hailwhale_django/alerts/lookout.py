"""What an alert looks at: its fields as values, and the readings of its children at a moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from .. import conf
from ..dashboards.column import Column
from ..engine.domain.alarm import Reading, Rule
from ..engine.domain.crossing import is_crossing
from ..engine.domain.formula import Formula, parse
from ..engine.domain.paths import OTHER, Path, path_of, pk_of
from ..engine.domain.period import Period
from ..engine.domain.plan import Schedule, parse_schedule
from ..engine.domain.timeline import timeline
from ..engine.domain.values import Values
from ..engine.domain.window import Window, window
from ..engine.errors import InvalidInput
from ..engine.pod import Pod

if TYPE_CHECKING:
    from ..alert_models import Alert

T = TypeVar("T")

HITS = parse("hits")

ITSELF = ""
"""What the row of the counter or the dimension itself is called among children."""


class _Row(NamedTuple):
    """Of one row: its value (`None`: undefined), how much it rests on, and how often it was counted."""

    value: float | None
    weight: float
    hits: float

    @property
    def is_heard(self) -> bool:
        return bool(self.hits or self.value)


NEVER = _Row(None, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Lookout:
    """An alert, understood. With `each` every child of the dimension is looked at, else its own row."""

    store: str
    pk: Path
    dimension: Path
    each: bool
    column: Column
    rule: Rule
    text: str
    versus: str

    @classmethod
    def of(cls, alert: Alert) -> Lookout:
        """Raises `InvalidInput` that names the field of the alert."""
        if alert.store not in conf.stores():
            raise InvalidInput("store", alert.store, f"use one of {', '.join(conf.stores())}")
        pk = _named("counter", lambda: pk_of(alert.counter))
        dimension = _named("dimension", lambda: path_of(alert.dimension))
        column = _named("formula", lambda: Column.parse(alert.formula))
        if alert.each and not dimension:
            raise InvalidInput("dimension", alert.dimension, "name the dimension whose children are to be looked at")
        if not column.formula.is_number:
            raise InvalidInput("formula", alert.formula, "it tells a list; use something that tells a number")
        rule = Rule.parse(alert.condition, alert.threshold, alert.clear_at, alert.least, alert.without_data)
        return cls(alert.store, pk, dimension, alert.each, column, rule, alert.window, alert.versus or "previous")

    def check(self, now: float) -> None:
        """Whether its window is kept. Raises `InvalidInput`."""
        self.window(now)

    def window(self, now: float) -> Window:
        """What is looked at, and what it is compared with."""
        return window(self.text, self.versus if self._compares else "", now, self.schedule)

    @property
    def schedule(self) -> Schedule:
        """What is kept in its store."""
        options = conf.get_settings(self.store).options()
        return parse_schedule(options.intervals, timeline(ZoneInfo(options.zone)))

    def path_of(self, child: str) -> Path:
        """The path of a child by its name."""
        return self.dimension if child == ITSELF else self.dimension.child(child)

    @property
    def _compares(self) -> bool:
        """Silence of a child is news where it was heard before; a dimension has many that went long ago."""
        return self.rule.compares or (self.each and self.rule.without_data == "tell")

    @property
    def weight(self) -> Formula | None:
        """What must be at least `least`: the denominator of a ratio, nothing of a sum, and else the hits."""
        formula = self.column.formula
        if formula.denominator is not None:
            return formula.denominator if formula.denominator.metrics else None
        return None if formula.is_linear else HITS

    def readings(self, pod: Pod, now: float, awaited: Collection[str] = ()) -> dict[str, Reading]:
        """Of each child, by name, or of the row itself. Children that went long ago are left out, unless `awaited`."""
        period, compare = self.window(now)
        paths = self._paths(pod)
        after = self._rows(pod, paths, period, now)
        before = [NEVER] * len(after) if compare is None else self._rows(pod, paths, compare, now)
        names = [path.name for path in paths] if self.each else [ITSELF]
        found = zip(names, map(self._reading, after, before), before, strict=True)
        return {
            name: reading
            for name, reading, was in found
            if reading.value is not None or not self.each or name in awaited or was.is_heard
        }

    def _paths(self, pod: Pod) -> list[Path]:
        if not self.each:
            return [self.dimension]
        children = pod.reader.children(self.pk, self.dimension)
        return [path for path in children if path.name != OTHER and not is_crossing(path.name)]

    def _rows(self, pod: Pod, paths: Sequence[Path], period: Period, now: float) -> list[_Row]:
        formulas = [self.column.formula, *([self.weight] if self.weight else []), HITS]
        plotted = any(formula.reads_buckets for formula in formulas)
        values, _ = pod.reader.values(self.pk, paths, formulas, period, now, plotted=plotted)
        return list(self._of(values, len(paths)))

    def _of(self, values: Values, count: int) -> Iterator[_Row]:
        own = values.totals(self.column.formula, float("nan"))[:count].tolist()
        weights = values.totals(self.weight or HITS)[:count].tolist()
        hits = values.totals(HITS)[:count].tolist()
        for value, weight, heard in zip(own, weights, hits, strict=True):
            yield _Row(None if isnan(value) else value, weight, heard)

    def _reading(self, row: _Row, was: _Row) -> Reading:
        """A sum of nothing is 0. That is no data of a child, which may be gone, and where silence is looked for."""
        may_be_nothing = self.rule.condition != "silent" and (not self.each or bool(was.value))
        has_value = row.is_heard or may_be_nothing
        weight = min(row.weight, was.weight) if self.rule.compares else row.weight
        return Reading(row.value if has_value else None, was.value, None if self.weight is None else weight)


def _named(field: str, read: Callable[[], T]) -> T:
    """What is not understood is told of the alert's field."""
    try:
        return read()
    except InvalidInput as error:
        raise type(error)(field, error.value, error.expected) from error
