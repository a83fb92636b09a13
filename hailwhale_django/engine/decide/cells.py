"""Cells: the groups of visitors that a visitor belongs to, and whose evidence counts for them.

Somebody known by `{"country": {"US": "CA"}, "device": "mobile"}` is one of all, of country/US, of country/US/CA, of
device/mobile, and of those who agree in all of it. Each of these is a *cell*. Cells of one *level* (all countries, all
regions, all devices) are alike: how much they differ is learnt for the level.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from operator import attrgetter
from typing import NamedTuple

from ..domain.paths import WHOLE, Path

MAX_CELLS = 32
"""Of one event; further ones are left out, the most particular first."""

JOINT = "\x1f"
"""Between the paths of a cell that is known by several; no path's text has it."""


class Cell(NamedTuple):
    """A group of visitors. `text` names it within a decision; `level` is what it is one of, `""` for the whole."""

    level: str
    text: str

    @classmethod
    def of(cls, text: str) -> Cell:
        """The cell of a text, and of what level it is one."""
        if text == WHOLE:
            return EVERYBODY
        return cls(JOINT.join(sorted(_level(Path.parse(one)) for one in text.split(JOINT))), text)

    @property
    def paths(self) -> list[str]:
        return self.text.split(JOINT)


EVERYBODY = Cell("", WHOLE)

_text = attrgetter("text")


@dataclass(frozen=True, slots=True)
class Outlook:
    """What of a visitor matters: the names of dimensions (all where this is `None`), and which of them together."""

    dimensions: tuple[str, ...] | None = None
    pairs: bool = False
    together: bool = True

    def cells(self, paths: Iterable[Path]) -> tuple[Cell, ...]:
        """The cells of a visitor of whom these paths are known, everybody first, the most particular last.

        A path of one name is a cell only where nothing is known below it: all who have a country are nobody special.
        """
        known = [path for path in dict.fromkeys(paths) if path and self.minds(path)]
        above = {path[:-1] for path in known}
        single = [path for path in known if len(path) > 1 or path not in above]
        leaves = sorted([_single(path) for path in known if path not in above], key=_text)
        found = [EVERYBODY, *map(_single, sorted(single, key=len))]
        if self.pairs and len(leaves) > 2:
            found += [_joint(pair) for pair in combinations(leaves, 2)]
        if self.together and len(leaves) > 1:
            found.append(_joint(leaves))
        return tuple(found[:MAX_CELLS])

    def minds(self, path: Path) -> bool:
        return self.dimensions is None or path[0] in self.dimensions


@lru_cache(maxsize=65_536)
def _single(path: Path) -> Cell:
    return Cell(_level(path), str(path))


def _level(path: Path) -> str:
    """`country` for country/US, `country/*` for country/US/CA; a name alone is a level of its own."""
    return "/".join([str(Path(path[:1])), *"*" * (len(path) - 2)])


def _joint(leaves: Sequence[Cell]) -> Cell:
    return Cell(JOINT.join(sorted(cell.level for cell in leaves)), JOINT.join([cell.text for cell in leaves]))
