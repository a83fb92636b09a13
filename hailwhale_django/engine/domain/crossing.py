"""Dimensions that are counted together, so that a table of one can be asked for within a value of another.

    Crossings.parse({"shop": [["country", "device"]]})

An event in `country/US` and `device/mobile` is then also counted on `country/US/×device/mobile` and on
`device/mobile/×country/US`: the devices of a country, and the countries of a device. Filters read these. They are
counted from then on. A set of two makes 4 further paths of an event, one of three 18, so three are the most. Only first
values cross (`country/US` does, `country/US/CA` does not), with all that lies beneath the other.

Names that begin with `×` below a value are such tables, and no children: tables leave them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import combinations, product
from typing import Any

from ..errors import InvalidInput, TooLarge
from .paths import MAX_DEPTH, MAX_PATHS, OTHER, Path, name_of

MARK = "×"

MOST_TOGETHER = 3

Sets = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Crossings:
    """Sets of dimensions by pattern of counters; a counter follows the first pattern that its text matches."""

    rules: tuple[tuple[str, Sets], ...] = ()

    @classmethod
    def parse(cls, given: Any) -> Crossings:
        """Raises `InvalidInput`."""
        if not isinstance(given, Mapping):
            raise InvalidInput("CROSSINGS", given, 'use a dict, e.g. {"shop": [["country", "device"]]}')
        return cls(tuple((_pattern(name), _sets(sets)) for name, sets in given.items()))

    def sets(self, pk: str) -> Sets:
        """What is counted together on a counter."""
        return _sets_of(self.rules, pk) if self.rules else ()

    def paths(self, pk: str, paths: Sequence[Path]) -> list[Path]:
        """What an event with these paths is counted on besides, parents first, each once."""
        found: dict[Path, None] = {}
        for names in self.sets(pk):
            for within in _subsets(names):
                for name in names:
                    if name not in within:
                        found |= dict.fromkeys(_crossed(within, name, paths))
        return list(found)[: max(MAX_PATHS - len(paths), 0)]

    def within(self, pk: str, filters: Sequence[Path], dimension: Path) -> Path | None:
        """Where the table of a dimension (with no dimension the row) within some values is; `None`: nowhere."""
        if not filters:
            return dimension
        if any(len(one) != 2 for one in filters):
            return _within_one(filters, dimension)
        names = [one[0] for one in filters]
        wanted = {*names, *dimension[:1]}
        for together in self.sets(pk):
            if wanted <= set(together) and len(wanted) == len(names) + bool(dimension):
                values = sorted(filters, key=lambda one: together.index(one[0]))
                return _joined([*values, dimension] if dimension else values)
        return _within_one(filters, dimension)


NONE = Crossings()


def is_crossing(name: str) -> bool:
    """Whether a name below a value is that of a crossed dimension."""
    return name.startswith(MARK)


def is_crossed(path: Path) -> bool:
    """Whether a path is a table of what was counted together with a value: only below values there are such."""
    return len(path) > 2 and is_crossing(path[-1])


def other_of(name: str) -> str:
    """Where what has no room is counted: what is crossed must not be added to the values' `(other)`."""
    return f"{MARK}{OTHER}" if is_crossing(name) else OTHER


def _within_one(filters: Sequence[Path], dimension: Path) -> Path | None:
    """One value is a row of its own, whatever is crossed."""
    return filters[0] if len(filters) == 1 and not dimension else None


def _crossed(within: Sequence[str], name: str, paths: Sequence[Path]) -> Iterator[Path]:
    """The paths of one dimension within the event's values of others."""
    values = [[path for path in paths if len(path) == 2 and path[0] == one] for one in within]
    beneath = [path for path in paths if path[:1] == (name,)]
    for chosen in product(*values):
        for path in beneath:
            joined = _joined([*chosen, path])
            if len(joined) <= MAX_DEPTH:
                yield joined


def _joined(parts: Sequence[Path]) -> Path:
    first, *others = parts
    return Path((*first, *(name for part in others for name in (f"{MARK}{part[0]}", *part[1:]))))


def _subsets(names: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """All but the empty one and the whole, small ones first, each in the order of the set."""
    return (chosen for size in range(1, len(names)) for chosen in combinations(names, size))


@lru_cache(maxsize=4096)
def _sets_of(rules: tuple[tuple[str, Sets], ...], pk: str) -> Sets:
    return next((sets for pattern, sets in rules if fnmatchcase(pk, pattern)), ())


def _pattern(given: Any) -> str:
    if not isinstance(given, str) or not given:
        raise InvalidInput("CROSSINGS", given, "name a counter or a pattern of them, e.g. shop or Product/*")
    return given


def _sets(given: Any) -> Sets:
    if not isinstance(given, list | tuple) or not all(isinstance(one, list | tuple) for one in given):
        raise InvalidInput("CROSSINGS", given, 'use a list of lists of dimensions, e.g. [["country", "device"]]')
    return tuple(map(_set, given))


def _set(given: Sequence[Any]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name_of(one, "CROSSINGS") for one in given))
    if len(names) > MOST_TOGETHER:
        raise TooLarge("CROSSINGS", list(given), f"at most {MOST_TOGETHER} dimensions are counted together")
    if len(names) < 2 or not all(names):
        raise InvalidInput("CROSSINGS", list(given), "name two or three different dimensions")
    return names
