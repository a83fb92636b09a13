"""The evidence of decisions: for every option and cell of a decision sums over events, by day and longer.

All of a bucket is one hash; a field is an option and a cell (see `domain.lesson`), and its value the sums, eight bytes
each (a double, little-endian), in the order of the places that the decision's `sums` gives to their names. So deciding
reads one hash for each bucket of its period, in one round trip, and counting adds in the same step in which it counts.

Sums of evidence are for inference: they are doubles, exact to 15 digits, while what is counted stays whole numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..domain.paths import Path, escaped, unescaped
from ..domain.plan import Column, Schedule
from .keys import Keys
from .server import Call, Server

FIELD = "\t"
"""Between option and cell: names are escaped."""

SPAN = "evidence"
"""What the spans of buckets of evidence begin with, in the counter's list."""

FOR_EVER = "-"
DOUBLE = np.dtype("<f8")

Floats = NDArray[np.float64]


class Addition(NamedTuple):
    """What is added to a bucket of evidence: to each field all of `names` in the parcel, as doubles one behind another.

    `lasting`: when it expires, in seconds since the epoch or "-", and its span.
    """

    key: str
    lasting: str
    fields: list[str]
    doubles: bytes


class Additions(NamedTuple):
    names: tuple[str, ...] = ()
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
        buckets: dict[Column, dict[str, dict[str, float]]] = defaultdict(dict)
        for option, cells, columns, sums in learnt:
            for name in sums:
                names.setdefault(name, len(names))
            for column in columns:
                if column.interval in self.schedule.of_evidence:
                    for cell in cells:
                        found = buckets[column].setdefault(field(option, cell), {})
                        for name, value in sums.items():
                            found[name] = found.get(name, 0.0) + value
        return Additions(tuple(names), [self._addition(pk, column, names, buckets[column]) for column in buckets])

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

    def asking(self, pk: str, columns: Iterable[Column], fields: Sequence[str]) -> list[Call]:
        """The calls whose replies `read` understands: the places of sums, then a bucket each."""
        return [
            Call("HGETALL", [self.keys.sums(pk)]),
            *(Call("HMGET", [self.key(pk, column)], fields) for column in columns),
        ]

    def sums(self, pk: str, columns: Sequence[Column], fields: Sequence[str], at_once: int) -> Sums:
        """The sums of these fields in each column, so many fields in one call that nobody else waits long."""
        parts = []
        for begin in range(0, max(len(fields), 1), at_once):
            some = fields[begin : begin + at_once]
            places, *calls = self.asking(pk, columns, some) if some else self.asking(pk, (), ())
            replies = [self.server.run([call])[0] for call in (places, *calls)]
            parts.append(read(replies, len(some)))
        places_now = parts[-1].places
        widest = len(places_now)
        values = [np.pad(one.values, ((0, 0), (0, 0), (0, widest - one.values.shape[2]))) for one in parts]
        return Sums(places_now, np.concatenate(values, axis=1))


class Sums(NamedTuple):
    """`values[bucket, field, place]`, and the places of sums by name."""

    places: Mapping[str, int]
    values: Floats

    def of(self, name: str) -> Floats:
        """One sum, [bucket, field]; zeros where it was never counted."""
        place = self.places.get(name)
        return np.zeros(self.values.shape[:2]) if place is None else self.values[:, :, place]


def read(replies: Sequence[object], fields: int) -> Sums:
    """What the calls of `asking` answered."""
    places_reply, *buckets = replies
    assert isinstance(places_reply, dict)
    places = {name.decode(): int(place) for name, place in places_reply.items()}
    size = 8 * len(places)
    nothing = bytes(size)
    texts = [text or nothing for bucket in buckets for text in bucket]  # type: ignore[attr-defined]
    flat = b"".join(texts)
    if len(flat) != size * len(texts):  # some are older than the newest sums, or were written just now with more
        flat = b"".join([text[:size].ljust(size, b"\0") for text in texts])
    return Sums(places, np.frombuffer(flat, dtype=DOUBLE).reshape(len(buckets), fields, len(places)).astype(float))


def field(option: str, cell: str) -> str:
    return f"{escaped(option)}{FIELD}{cell}"


def option_and_cell(field: str) -> tuple[str, str]:
    option, _, cell = field.partition(FIELD)
    return unescaped(option), cell


def is_evidence(span: str) -> bool:
    """Whether a span of the counter's list is of evidence."""
    return span.startswith(f"{SPAN}:")


def keys_of(keys: Keys, pk: str, spans: Iterable[str]) -> Iterator[str]:
    """All keys of a counter's evidence, by the list of its spans. What is kept for somebody ends by itself."""
    yield from (keys.sums(pk), keys.fits(pk), keys.choices(pk))
    for _, interval, bucket in (span.split(":") for span in spans if is_evidence(span)):
        yield keys.evidence(pk, interval, int(bucket))


def decision_of(pk: Path) -> Path:
    """The counter that keeps the evidence of an option's."""
    return pk.parent
