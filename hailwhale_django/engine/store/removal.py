"""Removing what was counted. Keys are worked out from the catalog and the spans; the key space is never searched.

A removal is one step for whoever counts meanwhile: events before it are gone, events after it begin afresh.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..domain.paths import Path, escaped
from ..fold import CHILD_PKS, child_pk
from .catalog import table_and_name
from .server import Call, load_script
from .store import Store
from .tiles import tile_ranges

REMOVE = load_script("remove")


def remove_counter(store: Store, pk: Path) -> None:
    """Remove a counter and its child counters; a child counter also leaves its parent's list.

    What a child counter added to its parents' own totals stays there.
    """
    (children,) = store.catalog.children(str(pk), [CHILD_PKS])
    for name in children.names:
        _remove_keys(store, pk.child(name))
    _remove_keys(store, pk)
    if len(pk) > 1:
        _remove_paths(store, pk.parent, child_pk(pk.name))
    else:
        store.server.call("ZREM", [store.keys.counters], [escaped(pk.name)])


def remove_dimension(store: Store, pk: Path, path: Path) -> None:
    """Remove a dimension path and all beneath it; what it added to the whole stays."""
    _remove_paths(store, pk, str(path))


def remove_metric(store: Store, pk: Path, metric: str) -> None:
    """Remove one metric of a counter, in all its tables."""
    rows = _all_rows(store, str(pk)).values()
    keys = [key for key, _, _ in _tiles(store, str(pk), [metric], rows)]
    _unlink(store, keys)
    store.server.call("SREM", [store.keys.metrics(str(pk))], [metric])


def _remove_keys(store: Store, counter: Path) -> None:
    pk = str(counter)
    (children,) = store.catalog.children(pk, [CHILD_PKS])
    for name in children.names:
        _remove_keys(store, counter.child(name))
    keys = [key for key, _, _ in _tiles(store, pk, store.catalog.metrics(pk), _all_rows(store, pk).values())]
    for table in store.catalog.tables(pk):
        keys += (store.keys.names(pk, table), store.keys.numbers(pk, table))
    keys += (store.keys.rows(pk), store.keys.tables(pk), store.keys.metrics(pk), store.keys.spans(pk))
    _unlink(store, keys)
    store.catalog.forget(pk)


def _remove_paths(store: Store, counter: Path, path: str) -> None:
    pk = str(counter)
    beneath = {
        found: row for found, row in _all_rows(store, pk).items() if found == path or found.startswith(f"{path}/")
    }
    table, name = table_and_name(path)
    going = [key for found in beneath for key in (store.keys.names(pk, found), store.keys.numbers(pk, found))]
    tiles = list(_tiles(store, pk, store.catalog.metrics(pk), beneath.values()))
    keys = [store.keys.rows(pk), store.keys.tables(pk), store.keys.names(pk, table), store.keys.numbers(pk, table)]
    paths = sorted(beneath, key=lambda found: found != path) or [path]
    ranges = [number for _, first, count in tiles for number in (first, count)]
    arguments: list[str | int | bytes] = [len(going), len(paths), table, name, *paths, *ranges]
    store.server.run([Call(REMOVE, [*keys, *going, *(key for key, _, _ in tiles)], arguments)])
    store.catalog.forget(pk)


def _all_rows(store: Store, pk: str) -> dict[str, int]:
    key = store.keys.rows(pk)
    paths, rows = store.server.run([Call("HKEYS", [key]), Call("HVALS", [key])])
    return {path.decode(): int(row) for path, row in zip(paths, rows, strict=False)}


def _tiles(store: Store, pk: str, metrics: Iterable[str], rows: Iterable[int]) -> set[tuple[str, int, int]]:
    """Every tile that may hold cells of these rows: its key, the first and the number of a row's cells."""
    members = store.server.call("ZRANGE", [store.keys.spans(pk)], [0, -1])
    spans = [member.decode().split(":") for member in members]
    return {
        (f"{store.keys.tile(pk, interval, slot, page)}{metric}", first, count)
        for row in rows
        for interval, span in spans
        for slot, page, first, count in tile_ranges(row, int(span))
        for metric in metrics
    }


def _unlink(store: Store, keys: Iterable[str]) -> None:
    """In one command, so that nobody counts in between; the server frees the memory in the background."""
    found = list(dict.fromkeys(keys))
    if found:
        store.server.call("UNLINK", found)
