"""Which sketches are kept where: of which dimensions, at which intervals.

    {"uv:visitor": {"dimensions": ["country", "page"], "intervals": ["1d", "1mo"]}, "*": {"intervals": ["1h", "1d"]}}

A sketch follows the first rule whose pattern its kept name matches; what no rule speaks of is kept everywhere. The
whole of a counter and the rows of its child counters always have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from ..errors import InvalidInput
from .paths import WHOLE, path_of
from .plan import Schedule
from .sketch import RECIPE, kept_name
from .timeline import Interval

NAMES = ("dimensions", "intervals")


@dataclass(frozen=True, slots=True)
class Rule:
    """`dimensions` are paths that have a sketch, with all beneath them, and `intervals` those that do; `None`: all."""

    dimensions: tuple[str, ...] | None = None
    intervals: tuple[Interval, ...] | None = None

    def keeps_row(self, row: str) -> bool:
        """Whether the row of a path, or that of a child counter, has it."""
        if self.dimensions is None or row == WHOLE or row.startswith("/"):
            return True
        return any(row == path or row.startswith(f"{path}/") for path in self.dimensions)

    def keeps_interval(self, interval: Interval) -> bool:
        return self.intervals is None or interval in self.intervals


EVERYWHERE = Rule()


@dataclass(frozen=True, slots=True)
class Sketchbook:
    """Rules by pattern, the first that matches first."""

    rules: tuple[tuple[str, Rule], ...] = ()

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Sketchbook:
        """Raises `InvalidInput`."""
        if not isinstance(given, Mapping):
            raise InvalidInput("SKETCHES", given, 'use a dict, e.g. {"uv:visitor": {"dimensions": ["country"]}}')
        return cls(tuple((_pattern(name), _rule(rule)) for name, rule in given.items()))

    def check(self, schedule: Schedule) -> None:
        """Raises `InvalidInput` for a rule of none of the intervals that are kept."""
        known = [one.interval for one in schedule.kept]
        for pattern, rule in self.rules:
            if not any(map(rule.keeps_interval, known)):
                expected = f"{pattern} names none of INTERVALS, which are {', '.join(map(str, known))}"
                raise InvalidInput("SKETCHES", [str(one) for one in rule.intervals or ()], expected)

    def rule(self, kept: str) -> Rule:
        """What a sketch's kept name goes by."""
        return _rule_of(self.rules, kept) if self.rules else EVERYWHERE


@lru_cache(maxsize=4096)
def _rule_of(rules: tuple[tuple[str, Rule], ...], kept: str) -> Rule:
    return next((rule for pattern, rule in rules if fnmatchcase(kept, pattern)), EVERYWHERE)


def _pattern(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise InvalidInput("SKETCHES", name, "name a sketch or a pattern of them, e.g. uv:visitor or pct*:*")
    return kept_name(name) if RECIPE.match(name) and not set("*?[") & set(name) else name


def _rule(given: Any) -> Rule:
    if not isinstance(given, Mapping) or not set(given) <= set(NAMES):
        raise InvalidInput("SKETCHES", given, f"a rule is a dict of {' and '.join(NAMES)}")
    dimensions, intervals = given.get("dimensions"), given.get("intervals")
    return Rule(
        None if dimensions is None else tuple(str(path_of(one)) for one in _listed(dimensions)),
        None if intervals is None else tuple(map(Interval.parse, _listed(intervals))),
    )


def _listed(given: Any) -> list[Any]:
    if not isinstance(given, list | tuple | set | frozenset):
        raise InvalidInput("SKETCHES", given, "use a list")
    return list(given)
