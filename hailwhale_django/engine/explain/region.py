"""How paths relate: which holds the other's events, which shares none with it, which are the same.

A path says what its events have in common, dimension by dimension: `country/US/CA/×device/mobile` is the country
`US/CA` and the device `mobile`, and so is `device/mobile/×country/US/CA`. Events have one value of each dimension;
where some have several, siblings overlap, and are taken not to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

from ..domain.crossing import MARK, is_crossing
from ..domain.paths import Path

Key = frozenset[tuple[str, tuple[str, ...]]]
"""What a region is, however its path is written."""

COUNTERS = ""
"""The dimension, so to speak, whose values are a counter's child counters."""


@dataclass(frozen=True)
class Region:
    """The events that are counted on a path; with `counters` those of a child counter of that name."""

    path: Path
    counters: bool = False

    @cached_property
    def values(self) -> Mapping[str, tuple[str, ...]]:
        """By dimension, the names below it."""
        if self.counters:
            return {COUNTERS: tuple(self.path)}
        found: dict[str, tuple[str, ...]] = {}
        dimension = ""
        names: list[str] = []
        for at, name in enumerate(self.path):
            if at == 0 or (names and is_crossing(name)):  # only a value is crossed with something
                if at:
                    found[dimension] = tuple(names)
                dimension, names = name.removeprefix(MARK) if at else name, []
            else:
                names.append(name)
        if self.path:
            found[dimension] = tuple(names)
        return found

    @cached_property
    def key(self) -> Key:
        """The same for paths of the same events."""
        return frozenset(self.values.items())

    def common(self, other: Region) -> Key:
        """The key of what both tell: of `country/US/CA` and `country/US/×device/mobile` that of `country/US`."""
        found = {}
        for dimension, names in self.values.items():
            pairs = zip(names, other.values.get(dimension, ()), strict=False)
            if shared := tuple(name for name, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)):
                found[dimension] = shared
        return frozenset(found.items())

    def both(self, other: Region) -> Key:
        """The key of the events that are of both, where any can be."""
        found = dict(self.values)
        for dimension, names in other.values.items():
            found[dimension] = max(names, found.get(dimension, ()), key=len)
        return frozenset(found.items())

    def holds(self, other: Region) -> bool:
        """Whether all events of the other are among its own."""
        return all(
            dimension in other.values and other.values[dimension][: len(names)] == names
            for dimension, names in self.values.items()
        )

    def is_apart_from(self, other: Region) -> bool:
        """Whether no event can be of both."""
        return any(
            dimension in other.values and not _along(names, other.values[dimension])
            for dimension, names in self.values.items()
        )


def _along(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
