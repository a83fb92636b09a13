"""What the engine must answer, worked out from the raw events by plain Python: fractions and datetime."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from fractions import Fraction
from math import isnan
from typing import Any

OTHER = "(other)"
Names = tuple[str, ...]
Placed = Callable[[Names, Names | None], frozenset[str]]
"""The names that found a place: of a counter's dimension path, or with `None` of its child counters."""


@dataclass(frozen=True)
class Raw:
    """One event as it was given."""

    pk: Names
    dimensions: Mapping[str, Any]
    metrics: Mapping[str, Fraction]
    at: float
    samples: Mapping[str, list[str]] = field(default_factory=dict)

    def paths(self) -> list[Names]:
        return list(dict.fromkeys(walk(self.dimensions, ())))

    def given(self) -> dict[str, Any]:
        """As a caller gives it; numbers as text, in all digits, which is what JSON and forms send."""
        decimals = {name: f"{value.numerator * 10**6 // value.denominator}e-6" for name, value in self.metrics.items()}
        return {
            "pk": self.pk,
            "dimensions": self.dimensions,
            "metrics": decimals | dict(self.samples),
            "at": self.at,
        }

    def worth(self, metric: str) -> Fraction:
        return self.metrics.get(metric, Fraction(metric == "hits"))


def walk(node: Any, above: Names) -> Iterator[Names]:
    """Every path of a nested dict of names."""
    if isinstance(node, Mapping):
        for name, below in node.items():
            yield (*above, name)
            yield from walk(below, (*above, name))
    elif node is not None:
        yield (*above, node)


@dataclass
class Oracle:
    """Knows every event. Which names found a place is asked of the store: who comes first is for it to say."""

    placed: Placed
    events: list[Raw] = field(default_factory=list)
    rows: list[tuple[Names, Names, Raw]] = field(default_factory=list)

    def settle(self) -> None:
        """Work out where each event counts, now that every name has its place or none."""
        self.rows = [row for event in self.events for row in self._counted(event)]

    def _counted(self, event: Raw) -> Iterator[tuple[Names, Names, Raw]]:
        counter: Names = ()
        for name in event.pk:
            counter = (*counter, name if not counter else self._name(name, self.placed(counter, None)))
            yield counter, (), event
            for path in event.paths():
                yield counter, self._path(counter, path), event

    def _path(self, counter: Names, path: Names) -> Names:
        found: Names = ()
        for name in path:
            found = (*found, self._name(name, self.placed(counter, found)))
        return found

    def _name(self, name: str, places: frozenset[str]) -> str:
        return name if name in places else OTHER

    def paths(self, counter: Names) -> set[Names]:
        return {path for pk, path, _ in self.rows if pk == counter}

    def children(self, counter: Names, path: Names) -> set[str]:
        return {one[-1] for one in self.paths(counter) if one[:-1] == path and one}

    def counters(self) -> set[Names]:
        return {pk for pk, _, _ in self.rows}

    def sum(self, counter: Names, path: Names, metric: str, begin: float, end: float) -> Fraction:
        return sum(
            (
                event.worth(metric)
                for pk, where, event in self.rows
                if pk == counter and where == path and begin <= event.at < end
            ),
            Fraction(0),
        )

    def told(self, counter: Names, path: Names, metric: str, begin: float, end: float) -> float:
        """What a metric comes to, be it a sum or a sketch."""
        if metric not in SKETCHES:
            return float(self.sum(counter, path, metric, begin, end))
        return float(SKETCHES[metric](self.values(counter, path, metric, begin, end)))

    def values(self, counter: Names, path: Names, sketch: str, begin: float, end: float) -> list[str]:
        return [
            value
            for pk, where, event in self.rows
            if pk == counter and where == path and begin <= event.at < end
            for value in event.samples.get(sketch, ())
        ]


def third_quarter(values: list[str]) -> float:
    """The smallest value that three quarters of all do not exceed, told as the upper edge of its cell of 2^-16."""
    return sorted(map(int, values))[-(-3 * len(values) // 4) - 1] + 2**-16 if values else 0


SKETCHES: dict[str, Callable[[list[str]], float]] = {
    "uv:visitor": lambda values: len(set(values)),
    "count:view": len,
    "sum:cents": lambda values: sum(map(int, values)),
    "pct75:ms": third_quarter,
}
"""Some sketches, and what they tell of their values; each is another kind of merging."""


def bucket_edges(interval: str, first: date, last: date, zone: tzinfo) -> list[tuple[float, float]]:
    """The buckets that cover two dates, both included; those of the clock end with the dates."""
    count, unit = int(interval.rstrip("mhdwoy")), interval.lstrip("0123456789")
    begin, end = midnight(first, zone), midnight(last + timedelta(days=1), zone)
    if unit in ("m", "h"):
        seconds = count * {"m": 60, "h": 3600}[unit]
        marks = range(int(begin // seconds), int((end - 1) // seconds) + 1)
        return [(max(mark * seconds, begin), min((mark + 1) * seconds, end)) for mark in marks]
    days = [first_day(first, count, unit)]
    while days[-1] <= last:
        days.append(next_day(days[-1], count, unit))
    marks_of = [midnight(day, zone) for day in days]
    return list(zip(marks_of, marks_of[1:], strict=False))


def midnight(day: date, zone: tzinfo) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def first_day(day: date, count: int, unit: str) -> date:
    if unit == "d":
        return day
    if unit == "w":
        return day - timedelta(days=day.weekday())
    if unit == "mo":
        return date(day.year, (day.month - 1) // count * count + 1, 1)
    return date(day.year, 1, 1)


def next_day(day: date, count: int, unit: str) -> date:
    if unit in ("d", "w"):
        return day + timedelta(days=count * (7 if unit == "w" else 1))
    months = day.year * 12 + day.month - 1 + count * (12 if unit == "y" else 1)
    return date(months // 12, months % 12 + 1, 1)


def divided(top: float, bottom: float) -> float:
    return top / bottom if bottom else 0.0


def in_order(rows: Iterable[tuple[str, float]], descending: bool) -> list[str]:
    """Names by value, equal ones from A to Z; those of which nothing can be told come last."""
    sign = -1 if descending else 1
    return [name for name, _ in sorted(rows, key=lambda row: (isnan(row[1]), isnan(row[1]) or sign * row[1], row[0]))]
