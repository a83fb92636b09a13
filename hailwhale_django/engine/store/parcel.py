"""Parcels: what is added to one counter in one step.

A parcel lists the tiles to add to part by part. A part is one slot and page, whose cells are written down once for all
metrics, since what happened usually is worth something of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .evidence import GROUP, NOTHING, Additions
from .keys import Keys
from .selection import CELL_BYTES
from .server import Call, load_script
from .tiles import HEAD_ROWS, PAGE_ROWS, SPAN, Slot

ADD = load_script("add")

Argument = str | int | bytes

# Of evidence in one bucket: new ones beyond are left out, but for those of everybody.
MOST_FIELDS = 200_000

# That a decision keeps, which is enough for 42 metrics that all come together: a script unpacks those of four options
# at once, and Lua's stack has room for 8,000 numbers.
MOST_SUMS = 1_000


class Part(NamedTuple):
    """Cells of tiles of one slot and page. Each metric in `units` has one number for each cell."""

    slot: Slot
    page: int
    cells: Iterable[int]
    units: Mapping[str, Iterable[int]]


class Append(NamedTuple):
    """Cells of a sketch's tile, of one slot and page, and the part that each gets; a single one is for all of them."""

    sketch: str
    slot: Slot
    page: int
    cells: list[int]
    parts: list[bytes]

    @property
    def key(self) -> str:
        return self.slot.key(self.page, self.sketch)


class Expectation(NamedTuple):
    """A cell that must still hold `units` for increments to be made."""

    slot: Slot
    row: int
    metric: str
    units: int


class Mark(NamedTuple):
    """Where in a stream of the hail increments come from, so that they are made once.

    They are those of the events from `first` to `last`, and are made if the counter's mark is before `first` and not
    before `expected`, where that is known. `whole`: all of them or, if some are refused, none.
    """

    stream: str
    expected: str | None
    first: str
    last: str
    whole: bool

    def __str__(self) -> str:
        return f"{self.stream} {self.expected or '-'} {self.first} {self.last}{' whole' if self.whole else ''}"


@dataclass(frozen=True, slots=True)
class Parcel:
    """Increments of one counter.

    `rows` are the paths counted on, which must still be at these rows. `metrics` has for each metric what is added to
    every cell, or `None` where the parts say it; `appends` is what sketches get, and `evidence` what a decision learns.
    """

    pk: str
    rows: Mapping[str, int]
    metrics: Mapping[str, int | None]
    parts: Iterable[Part]
    appends: Sequence[Append] = ()
    evidence: Additions = NOTHING
    expected: Sequence[Expectation] = ()
    mark: Mark | None = None

    def call(self, keys: Keys, now: float, most_metrics: int) -> Call:
        """The call that makes the increments."""
        metrics = self.metrics
        by_part = [metric for metric, amount in metrics.items() if not amount]
        tiles = [keys.rows(self.pk), keys.metrics(self.pk), keys.spans(self.pk), keys.marks(self.pk)]
        before = len(tiles) - 1
        parts: list[Argument] = []
        increments: list[Argument] = []
        for slot, page, cells, units in self.parts:
            prefix = f"{slot.tail}{page}:" if page else slot.head
            tiles += [prefix + metric for metric in (metrics if not by_part else self._metrics_in(units))]
            parts.append(f"{slot.lasting} {_words(cells)}")
            increments += [_words(units.get(metric, ())) for metric in by_part]
        expected: list[Argument] = []
        for one in self.expected:
            key, cell = one.slot.place(one.row, one.metric)
            raw = one.units.to_bytes(CELL_BYTES, "big", signed=True)
            expected += (tiles.index(key) - before, cell, one.units, raw)
        sketches = list(dict.fromkeys(append.sketch for append in self.appends))
        appended: list[Argument] = []
        for append in self.appends:
            tiles.append(append.key)
            head = f"{sketches.index(append.sketch) + 1} {append.slot.lasting} {_words(append.cells)}"
            appended += (head, len(append.parts), *append.parts)
        arguments: list[Argument] = [
            int(now),
            most_metrics,
            "\n".join(metrics),
            "\n".join(self.rows),
            _words(self.rows.values()),
            _words(amount or 0 for amount in metrics.values()),
            len(self.expected),
            len(parts),
            "" if self.mark is None else str(self.mark),
            "\n".join(sketches),
            len(self.appends),
            "\n".join(self.evidence.names),
            len(self.evidence.buckets),
            MOST_FIELDS,
            GROUP,
            MOST_SUMS,
        ]
        learnt: list[Argument] = []
        if self.evidence.buckets:
            tiles += (keys.sums(self.pk), keys.options(self.pk))
            learnt.append("\n".join(self.evidence.options))
        for bucket in self.evidence.buckets:
            tiles.append(bucket.key)
            learnt += (bucket.lasting, "\n".join(bucket.fields), bucket.doubles)
        return Call(ADD, tiles, arguments + expected + parts + increments + appended + learnt)

    def _metrics_in(self, units: Mapping[str, Iterable[int]]) -> list[str]:
        return [metric for metric, amount in self.metrics.items() if amount or metric in units]


class Added(NamedTuple):
    """What a parcel's call answered.

    `mark` is the counter's, where that is why nothing was added; `reasons` says why metrics were refused; `crowded` are
    cells of sketches, as (sketch, key, cell), that hold many parts.
    """

    verdict: str
    mark: str
    reasons: dict[str, str]
    crowded: list[tuple[str, str, int]]

    @classmethod
    def of(cls, reply: Sequence[Any]) -> Added:
        verdict, *said = reply
        if verdict not in (b"added", b"refused"):
            return cls(verdict.decode(), said[0].decode() if said else "", {}, [])
        reasons = [text.decode() for text in said[0]]
        crowded = [text.decode() for text in said[1]]
        return cls(
            verdict.decode(),
            "",
            dict(zip(reasons[::2], reasons[1::2], strict=True)),
            [(sketch, key, int(cell)) for sketch, key, cell in zip(*(crowded[n::3] for n in range(3)), strict=True)],
        )


def parts_of_one(slots: Iterable[Slot], rows: Iterable[int]) -> Iterator[Part]:
    """The cells of these rows in each slot."""
    head: list[int] = []
    pages: dict[int, list[int]] = {}
    for row in rows:
        if row < HEAD_ROWS:
            head.append(row * SPAN)
        else:
            page, cell = divmod(row - HEAD_ROWS, PAGE_ROWS)
            pages.setdefault(page + 1, []).append(cell)
    for slot in slots:
        if head:
            yield Part(slot, 0, [cell + slot.offset for cell in head], {})
        for page, cells in pages.items():
            yield Part(slot, page, cells, {})


def parts_of_many(
    slots: Sequence[Slot], rows: Sequence[int], columns: Sequence[int], units: Mapping[str, Sequence[int]]
) -> Iterator[Part]:
    """Increments at (row, column), `columns` being numbers in `slots`; of each metric those that are not 0."""
    cells_of: dict[str, tuple[Slot, int, list[int], list[int]]] = {}
    for at, (row, column) in enumerate(zip(rows, columns, strict=True)):
        slot = slots[column]
        if row < HEAD_ROWS:
            page, cell, place = 0, row * SPAN + slot.offset, slot.head
        else:
            page, cell = divmod(row - HEAD_ROWS, PAGE_ROWS)
            page += 1
            place = f"{slot.tail}{page}"
        found = cells_of.get(place)
        if found is None:
            found = cells_of[place] = (slot, page, [], [])
        found[2].append(cell)
        found[3].append(at)
    for slot, page, cells, positions in cells_of.values():
        shared = {}
        for metric, of_metric in units.items():
            amounts = [of_metric[at] for at in positions]
            if all(amounts):
                shared[metric] = amounts
            elif any(amounts):
                some = [cell for cell, amount in zip(cells, amounts, strict=True) if amount]
                yield Part(slot, page, some, {metric: filter(None, amounts)})
        if shared:
            yield Part(slot, page, cells, shared)


def appends_of_one(sketch: str, slots: Iterable[Slot], rows: Iterable[int], part: bytes) -> Iterator[Append]:
    """The same part for the cells of these rows in each slot."""
    for slot, page, cells, _ in parts_of_one(slots, rows):
        yield Append(sketch, slot, page, list(cells), [part])


def appends_of_many(
    sketch: str, slots: Sequence[Slot], rows: Sequence[int], columns: Sequence[int], parts: Sequence[bytes]
) -> Iterator[Append]:
    """Parts for (row, column), `columns` being numbers in `slots`; one that all cells of a tile get is there once."""
    found: dict[str, Append] = {}
    for row, column, part in zip(rows, columns, parts, strict=True):
        key, cell = slots[column].place(row, sketch)
        if key not in found:
            page = 0 if row < HEAD_ROWS else (row - HEAD_ROWS) // PAGE_ROWS + 1
            found[key] = Append(sketch, slots[column], page, [], [])
        found[key].cells.append(cell)
        found[key].parts.append(part)
    for append in found.values():
        is_same = append.parts.count(append.parts[0]) == len(append.parts)
        yield append._replace(parts=append.parts[:1]) if is_same else append


def _words(numbers: Iterable[int]) -> str:
    return " ".join([str(number) for number in numbers])
