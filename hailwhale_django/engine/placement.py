"""Finding a row for everything that is to be counted.

Paths get their rows from the shallow ones to the deep ones, since a child that finds its table full is counted as
`(other)`, and what lies beneath it beneath `(other)`. Where all paths are known this costs no round trip.
"""

from __future__ import annotations

from collections.abc import Iterable

from .domain.paths import OTHER, Path, escaped
from .errors import HailWhaleError, TooManyNames
from .fold import CHILD_PKS, Increments
from .store.catalog import Catalog, child_path, table_and_name


class Placement:
    """Increments by counter, the rows of all their paths, and what found no place."""

    def __init__(self, catalog: Catalog, increments: dict[Path, Increments]) -> None:
        self.catalog = catalog
        self.increments = dict(increments)
        self.rows: dict[Path, dict[str, int]] = {}
        self.errors: list[HailWhaleError] = []
        self._list_counters()
        for depth in range(1, max(map(len, self.increments), default=0) + 1):
            self._place([pk for pk in self.increments if len(pk) == depth])

    def _list_counters(self) -> None:
        refused = self.catalog.list_counters({escaped(pk[0]) for pk in self.increments})
        if refused:
            self.errors.append(TooManyNames("counters", refused, self.catalog.limits.counters))
            self.increments = {pk: added for pk, added in self.increments.items() if escaped(pk[0]) not in refused}

    def _place(self, pks: list[Path]) -> None:
        """Give rows to all paths of these counters, which are of one depth."""
        for pk in pks:
            known = self.catalog.known(str(pk))
            self.rows[pk] = {path: known[path] for path in self.increments[pk] if path in known}
        while unknown := {pk: paths for pk in pks if (paths := self._shallowest(pk))}:
            answer = self.catalog.assign({str(pk): paths for pk, paths in unknown.items()})
            for pk in unknown:
                self._take(pk, answer[str(pk)])

    def _shallowest(self, pk: Path) -> list[str]:
        paths = [path for path in self.increments[pk] if path not in self.rows[pk]]
        depth = min((path.count("/") for path in paths), default=0)
        return [path for path in paths if path.count("/") == depth]

    def _take(self, pk: Path, rows: dict[str, int]) -> None:
        full = {}
        for path, row in rows.items():
            if row >= 0:
                self.rows[pk][path] = row
            else:
                full[path] = child_path(table_and_name(path)[0], OTHER)
                self.rows[pk][full[path]] = ~row
        if full:
            self.increments[pk] = _renamed(self.increments[pk], full)
            self._rename_counters(pk, full)

    def _rename_counters(self, pk: Path, full: dict[str, str]) -> None:
        """Child counters beyond the limit are one counter, `(other)`."""
        names = {table_and_name(path)[1] for path in full if table_and_name(path)[0] == CHILD_PKS}
        if not names:
            return
        depth = len(pk)
        renamed: dict[Path, Increments] = {}
        for path, increments in self.increments.items():
            if path[:depth] == pk and len(path) > depth and escaped(path[depth]) in names:
                path = Path((*pk, OTHER, *path[depth + 1 :]))
            renamed[path] = merged([renamed[path], increments]) if path in renamed else increments
        self.increments = renamed


def _renamed(increments: Increments, full: dict[str, str]) -> Increments:
    """The same increments where each full path, and what lies beneath it, goes to another."""
    depth = next(iter(full)).count("/")

    def moved(path: str) -> str:
        parts = path.split("/")
        begin = "/".join(parts[: depth + 1])
        return "/".join([full.get(begin, begin), *parts[depth + 1 :]])

    return merged({moved(path): metrics} for path, metrics in increments.items())


def merged(parts: Iterable[Increments]) -> Increments:
    """The sum of several increments."""
    total: Increments = {}
    for increments in parts:
        for path, metrics in increments.items():
            into = total.setdefault(path, {})
            for metric, cells in metrics.items():
                sums = into.setdefault(metric, {})
                for column, units in cells.items():
                    sums[column] = sums.get(column, 0) + units
    return total
