"""A model of tiles of any geometry: what the server and numpy do with them, and nothing else.

Tiles follow the engine's rules (a hash until it is packed into a string of 64-bit integers), but are put in place at
once, and strings take no more than they hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from redis import Redis

from hailwhale_django.engine.domain.plan import Column

Numbers = NDArray[np.int64]

CELL_BYTES = 8
UNITS = 1_000_000
AT_ONCE = 1_000

# The engine's rules, see lua/add.lua.
FEWEST_PACKED = 8
MOST_HASHED = 128
HASHED_BYTES = 16

# For each key its first cell and how many: those cells of a string, or of a hash as "cell value ...".
PICK = """
local answer = {}
for k = 1, #KEYS do
  local first, count = tonumber(ARGV[2 * k - 1]), tonumber(ARGV[2 * k])
  local found = redis.pcall('GETRANGE', KEYS[k], first * 8, (first + count) * 8 - 1)
  if type(found) ~= 'string' then
    local cells = {}
    if count > 128 then
      cells = redis.call('HGETALL', KEYS[k])
    else
      local names = {}
      for cell = first, first + count - 1 do names[#names + 1] = cell end
      for i, value in ipairs(redis.call('HMGET', KEYS[k], unpack(names))) do
        if value then cells[#cells + 1] = names[i] cells[#cells + 1] = value end
      end
    end
    found = {table.concat(cells, ' ')}
  end
  answer[k] = found
end
return answer
"""


@dataclass(frozen=True, slots=True)
class Geometry:
    """The first `head_rows` rows lie in tiles of so many rows x `span` buckets, the others in pages.

    `intervals` are those that are kept, and for how long.
    """

    name: str
    head_rows: int
    span: int
    page_rows: int
    page_span: int
    intervals: Mapping[str, str | None] = field(hash=False)

    def shape(self, page: int) -> tuple[int, int]:
        """Rows and buckets of a tile."""
        return (self.page_rows, self.page_span) if page else (self.head_rows, self.span)

    def pages(self, rows: Numbers) -> Numbers:
        return np.where(rows < self.head_rows, 0, (rows - self.head_rows) // self.page_rows + 1)

    def places(self, rows: Numbers, buckets: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Slot, page and cell of each."""
        pages = self.pages(rows)
        spans = np.where(pages == 0, self.span, self.page_span)
        within = np.where(pages == 0, rows, (rows - self.head_rows) % self.page_rows)
        return buckets // spans, pages, within * spans + buckets % spans


@dataclass(frozen=True, slots=True)
class Cells:
    """What was counted at one interval: a value for each row, bucket and metric."""

    interval: str
    rows: Numbers
    buckets: Numbers
    metrics: Numbers
    values: Numbers


class Model:
    """Tiles of one geometry under a prefix of their own."""

    def __init__(self, client: Redis, geometry: Geometry, prefix: str) -> None:
        self.client = client
        self.geometry = geometry
        self.prefix = prefix
        self._pick = client.register_script(PICK)

    def key(self, interval: Any, slot: int, page: int, metric: int) -> str:
        """As long as the engine's."""
        return f"{self.prefix}:{{shop}}tile:{interval}:{slot}:{page}:metric{metric}"

    def load(self, counted: Iterable[Cells]) -> None:
        """Put all tiles in place."""
        for cells in counted:
            slots, pages, places = self.geometry.places(cells.rows, cells.buckets)
            order = np.lexsort((places, cells.metrics, pages, slots))
            keys = np.stack([slots[order], pages[order], cells.metrics[order]])
            edges = np.flatnonzero((np.diff(keys, axis=1) != 0).any(axis=0)) + 1
            places, values = places[order], cells.values[order] * UNITS
            pipeline = self.client.pipeline(transaction=False)
            for first, last in zip([0, *edges.tolist()], [*edges.tolist(), len(order)], strict=True):
                slot, page, metric = keys[:, first].tolist()
                key = self.key(cells.interval, slot, page, metric)
                pipeline.execute_command(*_stored(key, places[first:last], values[first:last]))
                if len(pipeline) >= AT_ONCE:
                    pipeline.execute()
            pipeline.execute()

    def sums(self, columns: Iterable[Column], rows: int, metrics: int) -> Numbers:
        """[row, metric]: the first rows added up over columns, as for a table."""
        answer = np.zeros((rows, metrics), dtype=np.int64)
        reads = self._reads(columns, np.arange(rows))
        keys = [self.key(*tile, metric) for tile in reads for metric in range(metrics)]
        replies: list[Any] = self.client.execute_command("MGET", *keys)
        missing = [at for at, reply in enumerate(replies) if reply is None]
        shapes = [self.geometry.shape(tile[2]) for tile in reads]
        if missing:
            found = self._picked([keys[at] for at in missing], [(0, MOST_HASHED + 1)] * len(missing))
            for at, reply in zip(missing, found, strict=True):
                replies[at] = reply
        together: dict[tuple[tuple[int, int], tuple[int, ...]], list[int]] = defaultdict(list)
        for at, offsets in enumerate(reads.values()):
            together[shapes[at], tuple(offsets)].append(at)
        pages = [tile[2] for tile in reads]
        for (shape, offsets), tiles in together.items():
            size = shape[0] * shape[1]
            data = b"".join(_packed(replies[at * metrics + m], 0, size) for at in tiles for m in range(metrics))
            cells = np.frombuffer(data, dtype=">i8").reshape(len(tiles), metrics, *shape)
            chosen = cells[..., offsets[0]] if len(offsets) == 1 else cells[..., list(offsets)].sum(axis=3)
            for at, of_metrics in zip(tiles, chosen.astype(np.int64), strict=True):
                page = pages[at]
                first = self.geometry.head_rows + (page - 1) * shape[0] if page else 0
                count = min(shape[0], rows - first)
                answer[first : first + count] += of_metrics[:, :count].T
        return answer

    def points(self, columns: Sequence[Column], row: int) -> Numbers:
        """[bucket]: one row and metric, as for a plot."""
        buckets = np.array([column.bucket for column in columns])
        slots, pages, cells = self.geometry.places(np.full(len(columns), row), buckets)
        ranges: dict[str, list[int]] = {}
        for column, slot, page, cell in zip(columns, slots.tolist(), pages.tolist(), cells.tolist(), strict=True):
            ranges.setdefault(self.key(column.interval, slot, page, 0), [cell, 0])[1] += 1
        wanted = [(first, count) for first, count in ranges.values()]
        found = self._picked(list(ranges), wanted)
        data = b"".join(_packed(reply, *one) for reply, one in zip(found, wanted, strict=True))
        return np.frombuffer(data, dtype=">i8").astype(np.int64)

    def touched(self, interval: str, rows: Numbers, buckets: Numbers) -> set[tuple[str, int, int]]:
        """The tiles of one metric that an increment of these cells goes to."""
        slots, pages, _ = self.geometry.places(rows, buckets)
        return {(interval, slot, page) for slot, page in zip(slots.tolist(), pages.tolist(), strict=True)}

    def _reads(self, columns: Iterable[Column], rows: Numbers) -> dict[tuple[Any, int, int], list[int]]:
        """The tiles that hold these columns, and which buckets of each are wanted."""
        reads: dict[tuple[Any, int, int], list[int]] = defaultdict(list)
        pages = np.unique(self.geometry.pages(rows)).tolist()
        for interval, bucket in columns:
            for page in pages:
                span = self.geometry.shape(page)[1]
                reads[interval, bucket // span, page].append(bucket % span)
        return reads

    def _picked(self, keys: Sequence[str], ranges: Sequence[tuple[int, int]]) -> list[Any]:
        return list(self._pick(keys=keys, args=[number for one in ranges for number in one]))


def _stored(key: str, cells: Numbers, values: Numbers) -> list[Any]:
    """The command that makes one tile."""
    entries, highest = len(cells), int(cells.max())
    small = entries < MOST_HASHED and (highest + 1) * CELL_BYTES > entries * HASHED_BYTES
    if entries < FEWEST_PACKED or small:
        return ["HSET", key, *(number for pair in zip(cells.tolist(), values.tolist(), strict=True) for number in pair)]
    tile = np.zeros(highest + 1, dtype=">i8")
    tile[cells] = values
    return ["SET", key, tile.tobytes()]


def _packed(reply: bytes | list[bytes] | None, first: int, count: int) -> bytes:
    """So many cells as bytes."""
    if isinstance(reply, list):
        numbers = np.array(reply[0].split(), dtype=np.int64)
        tile = np.zeros(count, dtype=">i8")
        tile[numbers[0::2] - first] = numbers[1::2]
        return tile.tobytes()
    return (reply or b"").ljust(count * CELL_BYTES, b"\0")
