"""Removing what was counted. Keys are worked out from the catalog and the spans; the key space is never searched.

What is removed goes in one step for whoever counts meanwhile: events before it are gone, events after it begin afresh.
Such a step first makes sure that nothing new came since its keys were worked out; else they are worked out again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..domain.paths import Path, escaped, unescaped
from ..errors import StoreUnavailable
from ..fold import CHILD_PKS, child_pk
from .catalog import table_and_name
from .evidence import is_evidence, keys_of
from .server import Call, load_script
from .store import Store
from .tiles import HEAD_ROWS, PAGE_ROWS, SPAN

REMOVE = load_script("remove")
UNLINK = load_script("unlink")
CLEAR = load_script("clear")

# Names come often to a young counter, and to an old one rarely.
ATTEMPTS = 100

# Tiles that one call clears, so that nobody waits long for it.
CLEARED_TILES = 2000


# How long a removed counter still knows which events of the hail it had counted.
MARKS_SECONDS = 3600


class _State(NamedTuple):
    """All that the keys of a counter depend on."""

    rows: int
    metrics: list[str]
    spans: list[str]
    tables: list[str]
    children: list[str]

    def arguments(self) -> list[str | int | bytes]:
        """As the scripts compare it."""
        return [self.rows, len(self.metrics), " ".join(self.spans)]


def remove_counter(store: Store, pk: Path) -> None:
    """Remove a counter and its child counters; a child counter also leaves its parent's list.

    What a child counter added to its parents' own totals stays there.
    """
    # From the top: whoever counts on one of them meanwhile enters it into the lists again.
    if len(pk) > 1:
        _remove_paths(store, pk.parent, child_pk(pk.name))
    else:
        store.server.call("ZREM", [store.keys.counters], [escaped(pk.name)])
    _remove_tree(store, pk)


def remove_dimension(store: Store, pk: Path, path: Path) -> None:
    """Remove a dimension path and all beneath it; what it added to the whole stays."""
    _remove_paths(store, pk, str(path))


def remove_metric(store: Store, pk: Path, metric: str) -> None:
    """Remove one metric of a counter, in all its tables."""
    for _ in range(ATTEMPTS):
        state = _state(store, str(pk))
        tiles = _tiles(store, str(pk), [metric], state.spans, _pages(state.rows))
        if _unlinked(store, str(pk), state, list(tiles), metric):
            return
    raise _too_busy(pk)


def _remove_tree(store: Store, counter: Path) -> None:
    pk, keys = str(counter), store.keys
    for _ in range(ATTEMPTS):
        state = _state(store, pk)
        going = [key for table in state.tables for key in (keys.names(pk, table), keys.numbers(pk, table))]
        going += (keys.rows(pk), keys.tables(pk), keys.metrics(pk), keys.spans(pk))
        going += keys_of(keys, pk, state.spans)
        going += _tiles(store, pk, state.metrics, state.spans, _pages(state.rows))
        if _unlinked(store, pk, state, going):
            break
    else:
        raise _too_busy(counter)
    # Events counted before may still be read again; once they cannot be, nothing is left.
    store.server.call("EXPIRE", [keys.marks(pk)], [MARKS_SECONDS])
    store.catalog.forget(pk)
    for name in state.children:
        _remove_tree(store, counter.child(name))


def _remove_paths(store: Store, counter: Path, path: str) -> None:
    pk, keys = str(counter), store.keys
    table, name = table_and_name(path)
    for _ in range(ATTEMPTS):
        state = _state(store, pk)
        rows = {found.decode(): int(row) for found, row in store.server.call("HGETALL", [keys.rows(pk)]).items()}
        beneath = [found for found in rows if found == path or found.startswith(f"{path}/")]
        paths = [path, *(found for found in beneath if found != path)]
        going = [key for found in paths for key in (keys.names(pk, found), keys.numbers(pk, found))]
        call = Call(
            REMOVE,
            [keys.rows(pk), keys.tables(pk), keys.names(pk, table), keys.numbers(pk, table), *going],
            [state.rows, table, name, *paths],
        )
        if store.server.run([call])[0]:
            break
    else:
        raise _too_busy(counter)
    store.catalog.forget(pk)
    gone = {rows.pop(found) for found in beneath}
    _clear(store, pk, state, gone, set(rows.values()))


def _clear(store: Store, pk: str, state: _State, gone: set[int], alive: set[int]) -> None:
    """Make the cells of rows 0 that are gone. No hurry: nobody reads them, and no row's number is given twice."""
    by_page: dict[int, list[int]] = defaultdict(list)
    for row in sorted(gone):
        by_page[_page_of(row)].append(row)
    pages_alive = {_page_of(row) for row in (*alive, state.rows)}  # the next new row may be there already
    for page, rows in by_page.items():
        tiles = list(_tiles(store, pk, state.metrics, state.spans, [page]))
        ranges = list(_ranges(rows, page))
        for begin in range(0, len(tiles), CLEARED_TILES):
            part = tiles[begin : begin + CLEARED_TILES]
            if page in pages_alive:
                store.server.call(CLEAR, part, ranges)
            else:
                store.server.call("UNLINK", part)


def _state(store: Store, pk: str) -> _State:
    keys = store.keys
    # The number of rows first: where it still is the same, nothing was added to what is read after it.
    rows, metrics, spans, tables, children = store.server.run(
        [
            Call("HGET", [keys.tables(pk)], [""]),
            Call("SMEMBERS", [keys.metrics(pk)]),
            Call("ZRANGE", [keys.spans(pk)], [0, -1]),
            Call("HKEYS", [keys.tables(pk)]),
            Call("GET", [keys.names(pk, CHILD_PKS)]),
        ]
    )
    return _State(
        int(rows or 0),
        [metric.decode() for metric in metrics],
        [span.decode() for span in spans],
        [table.decode() for table in tables if table],
        [unescaped(name) for name in (children or b"").decode().split("\n")[:-1]],
    )


def _unlinked(store: Store, pk: str, state: _State, going: Sequence[str], metric: str = "") -> bool:
    """Whether these keys, and the metric, were removed; they were not if anything new has come since `state`."""
    keys = store.keys
    call = Call(UNLINK, [keys.tables(pk), keys.metrics(pk), keys.spans(pk), *going], [*state.arguments(), metric])
    return bool(store.server.run([call])[0])


def _tiles(store: Store, pk: str, metrics: Sequence[str], spans: Iterable[str], pages: Iterable[int]) -> Iterator[str]:
    """Every tile that these pages of a counter may have."""
    for interval, _, number in (span.partition(":") for span in spans if not is_evidence(span)):
        span = int(number)
        for page in pages:
            for slot in range(span * SPAN, (span + 1) * SPAN) if page else (span,):
                begin = store.keys.tile(pk, interval, slot, page)
                for metric in metrics:
                    yield begin + metric


def _pages(rows: int) -> range:
    return range(_page_of(rows - 1) + 1 if rows else 0)


def _page_of(row: int) -> int:
    return 0 if row < HEAD_ROWS else (row - HEAD_ROWS) // PAGE_ROWS + 1


def _ranges(rows: Sequence[int], page: int) -> Iterator[int]:
    """First cell and number of cells, again and again, of rows of one page in ascending order."""
    width, offset = (1, HEAD_ROWS + (page - 1) * PAGE_ROWS) if page else (SPAN, 0)
    begin = end = rows[0]
    for row in (*rows, -1):
        if row == end:
            end += 1
            continue
        yield from ((begin - offset) * width, (end - begin) * width)
        begin, end = row, row + 1


def _too_busy(pk: Path) -> StoreUnavailable:
    return StoreUnavailable(f"{pk} was being counted too fast to be removed; try again")
