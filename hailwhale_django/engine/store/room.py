"""How much room is left: which tables, counters and lists of counters are near their limits.

Costs a step of some microseconds for each of `COUNTERS` counters, and reads nothing else of them. Counters of one name
are looked at, in the order of the alphabet; child counters are not.
"""

from __future__ import annotations

from typing import NamedTuple

from .catalog import Catalog
from .server import Call, load_script

CROWDED = load_script("crowded")

COUNTERS = 200
TABLES = 1_000

# What is fuller than this has little room.
CROWDED_SHARE = 0.9


class Crowded(NamedTuple):
    """`what` (children, rows, metrics or counters) of a counter's table are near the limit."""

    what: str
    pk: str
    table: str
    size: int
    limit: int


class Room(NamedTuple):
    """What has little room, among `looked_at` of `counters`."""

    crowded: list[Crowded]
    looked_at: int
    counters: int


def look(catalog: Catalog) -> Room:
    """Look at the first counters. Two round trips."""
    limits, keys = catalog.limits, catalog.keys
    pks = catalog.counters(count=COUNTERS)
    fewest = int(limits.children * CROWDED_SHARE)
    calls = [Call(CROWDED, [keys.tables(pk), keys.rows(pk), keys.metrics(pk)], [fewest, TABLES]) for pk in pks]
    *replies, counters = catalog.server.run([*calls, Call("ZCARD", [keys.counters])])
    found = [Crowded("counters", "", "", counters, limits.counters)]
    for pk, (rows, metrics, *tables) in zip(pks, replies, strict=True):
        found += (
            Crowded("rows", pk, "", rows, limits.rows),
            Crowded("metrics", pk, "", metrics, limits.metrics),
            *(
                Crowded("children", pk, table.decode(), size, limits.children)
                for table, size in zip(tables[::2], tables[1::2], strict=True)
            ),
        )
    return Room([one for one in found if one.size >= one.limit * CROWDED_SHARE], len(pks), counters)
