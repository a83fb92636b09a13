"""The evidence of decisions: for every option and cell of a decision sums over events, by day and longer.

All of a bucket is one hash; a field is a cell (see `domain.lesson`) and a group of four options, by the numbers that
the decision gives to options. Its value are sums, doubles of eight bytes, little-endian: for each sum, in the order of
the places that the decision gives to their names, one for each option of the group. So deciding reads a few fields of
one hash for each bucket of its period, in one round trip, and counting adds in the step in which it counts.

Sums of evidence are for inference: they are doubles, exact to 15 digits, while what is counted stays whole numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..domain.paths import Path, escaped
from ..domain.plan import Column, Schedule
from .keys import Keys
from .server import Call, Server, load_script

READ = load_script("evidence")

GROUP = 4
"""Options that share a field: fewer fields to read, and little room lost where there are two or three."""

TAB = "\t"
"""Between cell and group, or option and cell: names are escaped."""

SPAN = "evidence"
"""What the spans of buckets of evidence begin with, in the counter's list."""

FOR_EVER = "-"
DOUBLE = np.dtype("<f8")

AT_ONCE = 40_000
"""Options, cells and buckets that one call reads: some milliseconds of the server."""

Floats = NDArray[np.float64]


class Addition(NamedTuple):
    """What is added to a bucket of evidence: to each option and cell all of `names`, as doubles one behind another.

    `lasting`: when it expires, in seconds since the epoch or "-", and its span.
    """

    key: str
    lasting: str
    fields: list[str]
    doubles: bytes


class Additions(NamedTuple):
    """What is added to the evidence of one decision: sums of these `names`, of these `options`."""

    names: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    buckets: Sequence[Addition] = ()


NOTHING = Additions()

Learnt = Iterable[tuple[str, tuple[str, ...], Iterable[Column], Mapping[str, float]]]
"""Options, cells and columns, and what is added to these."""


class Evidences:
    """Where evidence is kept, and what it comes to."""

    def __init__(self, server: Server, keys: Keys, schedule: Schedule) -> None:
        self.server = server
        self.keys = keys
        self.schedule = schedule

    def additions(self, pk: str, learnt: Learnt) -> Additions:
        """What lessons of one decision add to its evidence."""
        names: dict[str, int] = {}
        options: dict[str, None] = {}
        buckets: dict[Column, dict[str, dict[str, float]]] = defaultdict(dict)
        for name_of_option, cells, columns, sums in learnt:
            option = escaped(name_of_option)
            options[option] = None
            for name in sums:
                names.setdefault(name, len(names))
            for column in columns:
                if column.interval in self.schedule.of_evidence:
                    for cell in cells:
                        found = buckets[column].setdefault(f"{option}{TAB}{cell}", {})
                        for name, value in sums.items():
                            found[name] = found.get(name, 0.0) + value
        return Additions(
            tuple(names), tuple(options), [self._addition(pk, column, names, buckets[column]) for column in buckets]
        )

    def _addition(
        self, pk: str, column: Column, names: Mapping[str, int], by_field: Mapping[str, Mapping[str, float]]
    ) -> Addition:
        numbers = np.zeros((len(by_field), len(names)), dtype=DOUBLE)
        for at, sums in enumerate(by_field.values()):
            for name, value in sums.items():
                numbers[at, names[name]] = value
        expiry = self.schedule.expires_at(column)
        lasting = f"{FOR_EVER if expiry is None else expiry} {SPAN}:{column.interval}:{column.bucket}"
        return Addition(self.key(pk, column), lasting, list(by_field), numbers.tobytes())

    def key(self, pk: str, column: Column) -> str:
        return self.keys.evidence(pk, str(column.interval), column.bucket)

    def asking(
        self,
        pk: str,
        columns: Iterable[Column],
        options: Sequence[str],
        cells: Sequence[str],
        fit: str = "",
        who: str = "",
    ) -> Call:
        """The call whose reply `read` understands; along with it a fit, and what is kept for somebody, may be asked."""
        keys = self.keys
        asked = [keys.sums(pk), keys.options(pk), keys.fits(pk), keys.chosen(pk, who)]
        asked += [self.key(pk, column) for column in columns]
        return Call(READ, asked, [GROUP, fit, len(options), *map(escaped, options), *cells])

    def sums(self, pk: str, columns: Sequence[Column], options: Sequence[str], cells: Sequence[str]) -> Sums:
        """The sums of these options and cells in each column, so many in one call that nobody else waits long."""
        at_once = max(AT_ONCE // (len(options) * max(len(columns), 1)), 1)
        parts = [
            read(self.server.call(*self.asking(pk, columns, options, some)), len(some)).sums
            for begin in range(0, max(len(cells), 1), at_once)
            for some in [cells[begin : begin + at_once]]
        ]
        places = parts[-1].places
        values = [np.pad(one.values, [(0, 0)] * 3 + [(0, len(places) - one.values.shape[3])]) for one in parts]
        return Sums(places, np.concatenate(values, axis=2))


class Sums(NamedTuple):
    """`values[bucket, option, cell, place]`, and the places of sums by name. Nobody writes to the values."""

    places: Mapping[str, int]
    values: Floats

    def of(self, name: str) -> Floats:
        """One sum of each; zeros where it was never counted."""
        place = self.places.get(name)
        return np.zeros(self.values.shape[:-1]) if place is None else self.values[..., place]

    def picked(self, names: Iterable[str]) -> Floats:
        """Several sums, as the last axis."""
        named = list(names)
        places = [place for name in named if (place := self.places.get(name)) is not None]
        if len(places) < len(named):
            return np.stack([self.of(name) for name in named], axis=-1)
        return self.values[..., places]

    def summed(self) -> Sums:
        """The same over all buckets, `values[option, cell, place]`."""
        return Sums(self.places, self.values.sum(axis=0, dtype=float))


class Read(NamedTuple):
    """What `asking` is answered: the fit and the decision that is kept, and until when it holds, where these are."""

    sums: Sums
    fit: bytes | None
    decision: bytes | None
    until: bytes | None


def read(reply: Sequence[Any], cells: int) -> Read:
    """What the call of `asking` answered, for so many cells."""
    flat, numbered, fit, decision, until, *buckets = reply
    places = {name.decode(): int(place) for name, place in zip(flat[::2], flat[1::2], strict=True)}
    numbers = tuple([-1 if number is None else int(number) for number in numbered])
    return Read(Sums(places, _by_option(buckets, numbers, cells, len(places))), fit, decision, until)


def _by_option(buckets: Sequence[bytes], numbers: tuple[int, ...], cells: int, places: int) -> Floats:
    """[bucket, option, cell, place] of fields that hold groups of options."""
    size = max(map(len, buckets), default=0)
    if not size:
        return np.zeros((len(buckets), len(numbers), cells, places))
    groups, at, slots, absent = _grouped(numbers)
    flat = np.frombuffer(b"".join([bucket or bytes(size) for bucket in buckets]), dtype=DOUBLE)
    by_group = flat.reshape(len(buckets), cells, groups, places, GROUP)
    found = by_group[:, :, at, :, slots].swapaxes(0, 1)
    return np.where(absent[:, None, None], 0.0, found) if absent.any() else found


@lru_cache(maxsize=256)
def _grouped(numbers: tuple[int, ...]) -> tuple[int, NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """How many groups these options are in; for each in which one, at which slot, and whether it was never counted."""
    known = np.array(numbers)
    groups, at = np.unique(known // GROUP, return_inverse=True)
    absent = known < 0
    if groups[0] < 0:
        groups, at = groups[1:], at - 1
    return len(groups), at, known % GROUP, absent


def cell_of(field: str) -> str:
    """The cell of a field."""
    return field.partition(TAB)[0]


def is_evidence(span: str) -> bool:
    """Whether a span of the counter's list is of evidence."""
    return span.startswith(f"{SPAN}:")


def keys_of(keys: Keys, pk: str, spans: Iterable[str]) -> Iterator[str]:
    """All keys of a counter's evidence, by the list of its spans. What is kept for somebody ends by itself."""
    yield from (keys.sums(pk), keys.options(pk), keys.fits(pk), keys.choices(pk))
    for _, interval, bucket in (span.split(":") for span in spans if is_evidence(span)):
        yield keys.evidence(pk, interval, int(bucket))


def decision_of(pk: Path) -> Path:
    """The counter that keeps the evidence of an option's."""
    return pk.parent
