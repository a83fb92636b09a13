"""Finding a row number for everything that is to be counted.

Paths get their numbers from the shallow ones to the deep ones, since a child that finds its table full is counted as
`(other)`, and what lies beneath it beneath `(other)`. Where all paths are known this costs no round trip.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from .domain.crossing import other_of
from .domain.paths import OTHER, WHOLE, Path, escaped
from .errors import HailWhaleError, TooManyNames
from .fold import CHILD_PKS, Row
from .store.catalog import Catalog, child_path, table_and_name


class Placement:
    """Where rows are counted: `placed` gives each its counter and path there; `numbers` each counter's row numbers.

    Rows of counters beyond the limit have no place; `errors` says so.
    """

    def __init__(self, catalog: Catalog, rows: Iterable[Row]) -> None:
        self.catalog = catalog
        self.numbers: dict[Path, dict[str, int]] = {}
        self.placed: dict[Row, Row] = {}
        self.errors: list[HailWhaleError] = []
        by_counter: dict[Path, list[str]] = defaultdict(list)
        for pk, path in rows:
            by_counter[pk].append(path)
        refused = self._unlisted(by_counter)
        depths = sorted({len(pk) for pk in by_counter})
        self._moved_counters: dict[Path, Path] = {}
        for depth in depths:
            here = [pk for pk in by_counter if len(pk) == depth and escaped(pk[0]) not in refused]
            self._place({pk: by_counter[pk] for pk in here})

    def _unlisted(self, counters: Iterable[Path]) -> set[str]:
        refused = self.catalog.list_counters(dict.fromkeys(escaped(pk[0]) for pk in counters))
        if refused:
            self.errors.append(TooManyNames("counters", refused, self.catalog.limits.counters))
        return refused

    def _place(self, wanted: dict[Path, list[str]]) -> None:
        """Place all paths of these counters, which are of one depth."""
        pending: dict[Path, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
        for pk, paths in wanted.items():
            counter = self._moved(pk)
            known = self.catalog.known(str(counter))
            numbers = self.numbers.setdefault(counter, {})
            for path in paths:
                number = known.get(path)
                if number is None:
                    pending[counter][path].append((pk, path))
                    # What is counted without its beginnings is listed beneath them all the same.
                    for beginning in _beginnings(path):
                        if beginning not in known:
                            pending[counter].setdefault(beginning, [])
                else:
                    numbers[path] = number
                    self.placed[pk, path] = (counter, path)
        while pending:
            pending = self._place_shallowest(pending)

    def _place_shallowest(self, pending: dict[Path, dict[str, list[Row]]]) -> dict[Path, dict[str, list[Row]]]:
        """Give numbers to each counter's shallowest paths; returns what remains, renamed where tables were full."""
        shallow = {}
        for counter, paths in pending.items():
            depth = min(path.count("/") for path in paths)
            shallow[str(counter)] = [path for path in paths if path.count("/") == depth]
        answer = self.catalog.assign(shallow)
        rest: dict[Path, dict[str, list[Row]]] = {}
        for counter, paths in pending.items():
            full = self._take(counter, answer[str(counter)], paths)
            left = {path: rows for path, rows in paths.items() if path not in answer[str(counter)]}
            if left:
                rest[counter] = _renamed(left, full) if full else left
        return rest

    def _take(self, counter: Path, numbers: dict[str, int], pending: dict[str, list[Row]]) -> dict[str, str]:
        full = {}
        for path, number in numbers.items():
            place = path
            if number < 0:
                table, name = table_and_name(path)
                place = full[path] = child_path(table, other_of(name))
                number = ~number
                if table == CHILD_PKS:
                    self._moved_counters[Path((*counter, name))] = Path((*counter, OTHER))
            self.numbers[counter][place] = number
            self.placed |= dict.fromkeys(pending[path], (counter, place))
        return full

    def _moved(self, pk: Path) -> Path:
        """Child counters beyond the limit are one counter, `(other)`."""
        for depth in range(1, len(pk)):
            begin = Path((*pk[:depth], escaped(pk[depth])))
            if begin in self._moved_counters:
                pk = Path((*self._moved_counters[begin], *pk[depth + 1 :]))
        return pk


def _renamed(paths: dict[str, list[Row]], full: dict[str, str]) -> dict[str, list[Row]]:
    """The same paths with their beginnings replaced."""
    depth = next(iter(full)).count("/") + 1
    renamed: dict[str, list[Row]] = defaultdict(list)
    for path, rows in paths.items():
        parts = path.split("/")
        begin = "/".join(parts[:depth])
        renamed["/".join([full.get(begin, begin), *parts[depth:]])] += rows
    return renamed


def _beginnings(path: str) -> list[str]:
    """The dimension paths above one, and the whole."""
    parts = [] if path.startswith(CHILD_PKS) else path.split("/")
    return [WHOLE, *("/".join(parts[:depth]) for depth in range(1, len(parts)))]
