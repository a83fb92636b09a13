"""fh: any number of features as a vector of fixed size (feature hashing: Weinberger et al. 2009).

A raw value is a token, which counts 1, or `token:number`. Its hash says where in the vector of 2^n numbers it is added
and with which sign, so that the dot product of two vectors is, on average, that of the features themselves.
Hashes are those of Algebird's `HashingTrick`.

Guarantee: each number is the double nearest to the true sum of what was added there, in any order and any split.
Memory: some 300 bytes for each place that is taken, so at most 300 KB for n = 10 and 20 MB for n = 16; dumped, about
6 bytes a place. Told, it has all 2^n numbers.
Fails: different tokens that share a place cannot be told apart: with t tokens, each shares with (t - 1)/2^n others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import wire
from .aggregation import AS_IT_STANDS, Aggregation
from .exact import ONE, exact_sum, quotient
from .figures import number
from .hashing import murmur, utf8

SEED = 123456

Vector = dict[int, int]
"""Sums in units of `exact`, by place; none is 0."""


@dataclass(frozen=True, slots=True)
class FeatureHash(Aggregation[Vector]):
    bits: int = 10

    @property
    def kind(self) -> str:
        return f"fh{self.bits}"

    def prepare(self, values: Sequence[str]) -> Vector:
        pairs = [value.partition(":") for value in values]
        weights = [number(weight) if colon else 1.0 for _, colon, weight in pairs]
        h1, h2 = (half[0] for half in murmur(utf8(token for token, _, _ in pairs), [SEED]))
        places = (h1 & np.uint64((1 << self.bits) - 1)).tolist()
        added = defaultdict(list)
        for place, is_negative, weight in zip(places, (h2 & np.uint64(1)).tolist(), weights, strict=True):
            added[place].append(-weight if is_negative else weight)
        return _without_zeros({place: exact_sum(found) for place, found in added.items()})

    def merge(self, left: Vector, right: Vector) -> Vector:
        added = dict(left)
        for place, units in right.items():
            added[place] = added.get(place, 0) + units
        return _without_zeros(added)

    def numbers(self, state: Vector) -> list[float]:
        return [quotient(state.get(place, 0), ONE) for place in range(1 << self.bits)]

    def present(self, state: Vector, as_of: float = AS_IT_STANDS) -> str:
        return ",".join(map(repr, self.numbers(state)))

    def dump(self, state: Vector) -> bytes:
        places = sorted(state)
        sums = b"".join(wire.integer(state[place]) for place in places)
        return wire.array(np.array(places, np.int64)) + sums

    def load(self, body: bytes) -> Vector:
        reader = wire.Reader(body)
        places = reader.array()
        if (places >> self.bits).any() or (places[1:] <= places[:-1]).any():
            raise reader.refused(f"its places are not below {1 << self.bits:,}, or not in order")
        state = {place: reader.integer() for place in places.tolist()}
        reader.end()
        return _without_zeros(state)


def _without_zeros(sums: Vector) -> Vector:
    return {place: units for place, units in sums.items() if units}
