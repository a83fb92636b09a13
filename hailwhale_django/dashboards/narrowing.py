"""Where a panel's numbers are while filters hold: in a row or a table that was counted within all their values.

What was not counted together cannot be told apart afterwards; then a panel shows all, and says so, or, where nothing
else may be seen, shows nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from ..engine.domain.crossing import Crossings
from ..engine.domain.paths import ROOT, Path
from ..engine.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The path to ask for, and of its children only the one of this name; `problem` says which filters do not hold."""

    path: Path
    name: str = ""
    problem: str = ""


class NotNarrowed(InvalidInput):
    """Where filters must hold, and do not: why, and what there is to do. Nobody has typed anything wrong."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__("filters", problem, remedy)

    def __str__(self) -> str:
        return f"{str(self.value).rstrip('.')}; {self.expected}"


def narrow_table(crossings: Crossings, pk: Path, filters: Sequence[Path], dimension: Path) -> Narrowed:
    """For the children of a dimension's path. With none these are dimensions, which no value has as its children."""
    if not dimension:
        return _unfiltered(filters)
    own = [one for one in filters if one[:1] == dimension[:1]]
    others = [one for one in filters if one[:1] != dimension[:1]]
    name = problem = ""
    for one in own:
        if len(one) > len(dimension) + 1 and one[: len(dimension)] == dimension:
            problem = _beneath(one, one[len(dimension)])
        if one[: len(dimension)] == dimension:
            name = one[len(dimension)] if len(one) > len(dimension) else ""
        elif dimension[: len(one)] != one:
            return Narrowed(dimension, problem=_outside(one))
    path = crossings.within(str(pk), others, dimension)
    return Narrowed(dimension, name, _apart(others)) if path is None else Narrowed(path, name, problem)


def narrow_row(crossings: Crossings, pk: Path, filters: Sequence[Path], row: Path) -> Narrowed:
    """For the row of a path, or the whole."""
    if not row:
        path = crossings.within(str(pk), filters, ROOT) if filters else ROOT
        return Narrowed(ROOT, problem=_apart(filters)) if path is None else Narrowed(path)
    others = [one for one in filters if one[:1] != row[:1]]
    for one in filters:
        if one not in others and one != row[: len(one)]:
            return Narrowed(row, problem=_outside(one))
    path = crossings.within(str(pk), others, row)
    return Narrowed(row, problem=_apart(others)) if path is None else Narrowed(path)


def narrow_beneath(crossings: Crossings, pk: Path, filters: Sequence[Path], path: Path) -> Narrowed:
    """For all that lies beneath a path: of a filter that lies there, beneath that."""
    return narrow_row(crossings, pk, filters, next((one for one in filters if path and one[: len(path)] == path), path))


def narrow_counters(filters: Sequence[Path]) -> Narrowed:
    """For child counters, which are no part of any dimension's values."""
    return _unfiltered(filters)


def _unfiltered(filters: Sequence[Path]) -> Narrowed:
    return Narrowed(ROOT, problem=_apart(filters) if filters else "")


def _apart(filters: Sequence[Path]) -> str:
    names = ", ".join(f"{one[0]}: {' / '.join(one[1:])}" for one in filters)
    return gettext("Not filtered by %(filters)s: it was not counted together with this.") % {"filters": names}


def _beneath(one: Path, name: str) -> str:
    return gettext("Not filtered by %(filters)s: this shows all of %(name)s.") % {
        "filters": f"{one[0]}: {' / '.join(one[1:])}",
        "name": name,
    }


def _outside(one: Path) -> str:
    return gettext("Not filtered by %(filters)s: this shows another value of it.") % {
        "filters": f"{one[0]}: {' / '.join(one[1:])}"
    }
