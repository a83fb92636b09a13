"""uv: how many different values there were.

HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) with 2^n registers, read by Ertl's estimator ("New cardinality
estimation algorithms for HyperLogLog sketches", 2017, algorithm 6). Hashes and registers are those of Apache
DataSketches, so that `exchange` can give and take its sketches.

Up to 2^n/4 different values it keeps a *coupon* of 32 bits for each: 26 bits of the hash, and how many zeros another
part of it begins with. Only then it takes to registers, which hold the largest such number of each slot.

Guarantee: exact up to 2^n/4 values (two of them share a coupon once in 10^8 pairs); beyond, a standard error of
1.04/sqrt(2^n), so 1.6 % at n = 12. A state depends on the set of values alone: merging is exact, always.
Memory: 4 bytes a value up to 2^n bytes; then 2^n bytes.
Fails: values that were chosen to collide (the hash has no secret) make it tell too few or too many.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from . import wire
from .aggregation import AS_IT_STANDS, Numeric
from .arrays import Words, distinct
from .hashing import check_size, murmur, utf8
from .single import murmur_of_one

SEED = 9001
SLOT_BITS = 26
MOST_ZEROS = 62
SMALLEST_COUPON = 1 << SLOT_BITS
COUPON_BYTES = 4

# In a double, and what it is for 2^62: half of a hash that begins with no zero.
EXPONENT_AT, LARGEST_EXPONENT = 52, 1023 + 62
UPPER = np.uint64(2**64 - SMALLEST_COUPON)
NO_ZEROS = np.uint64(LARGEST_EXPONENT + 1 << SLOT_BITS)

COUPONS, REGISTERS = 0, 1
AS_COUPONS = bytes([COUPONS])

Coupons = NDArray[np.uint32]
"""Different, in order: the number of zeros plus 1 in the upper 6 bits, the slot in the lower 26."""
Registers = NDArray[np.uint8]
Seen = NDArray[np.uint32 | np.uint8]


@dataclass(frozen=True, slots=True)
class Unique(Numeric[Seen]):
    """The state is either coupons or registers; which, its type tells."""

    bits: int = 12

    columns = 0
    nothing = 0.0

    @property
    def kind(self) -> str:
        return f"uv{self.bits}"

    @property
    def most_coupons(self) -> int:
        return (1 << self.bits) // 4

    def prepare(self, values: Sequence[str]) -> Seen:
        if len(values) == 1:
            check_size(values[0])
            return np.array([_coupon(*murmur_of_one(utf8(values)[0], SEED))], np.uint32)
        return self.gather(coupons(list(set(values))))

    def check(self, value: str) -> None:
        check_size(value)

    def digest(self, values: Sequence[str]) -> Coupons:
        return coupons(values)

    def gather(self, digested: Coupons) -> Seen:
        return self.kept(distinct(digested))

    def merge(self, left: Seen, right: Seen) -> Seen:
        if holds_registers(left) or holds_registers(right):
            return np.maximum(self.registers(left), self.registers(right))
        return self.kept(distinct(np.concatenate((left, right))))

    def merge_all(self, states: Sequence[Seen]) -> Seen:
        if len(states) == 1:
            return states[0]
        listed = [state for state in states if not holds_registers(state)]
        full = [state for state in states if holds_registers(state)]
        if not full:
            return self.kept(distinct(np.concatenate(listed)))
        if listed:
            full.append(self.registers(np.concatenate(listed)))
        largest: Registers = np.maximum.reduce(full)
        return largest

    def load_all(self, groups: Sequence[Sequence[bytes]]) -> list[Seen | None]:
        found: list[Seen | None] = [None] * len(groups)
        listed: dict[int, bytes] = {}  # coupons by group
        for number, bodies in enumerate(groups):
            full = [self.load(body) for body in bodies if body[:1] != AS_COUPONS]
            if full:
                found[number] = self.merge_all(full)
            if len(full) < len(bodies):
                listed[number] = b"".join([body[1:] for body in bodies if body[:1] == AS_COUPONS])
        for number, union in zip(listed, self._unions(list(listed.values())), strict=True):
            before = found[number]
            found[number] = union if before is None else self.merge(before, union)
        return found

    def _unions(self, groups: Sequence[bytes]) -> Iterator[Seen]:
        """The states of groups of coupons, which may come again and in any order; all are sorted at once."""
        sizes = np.fromiter(map(len, groups), np.int64, len(groups))
        if (sizes % COUPON_BYTES).any() or not sizes.all():
            raise wire.malformed(next(one for one in groups if not one or len(one) % COUPON_BYTES), "it is cut off")
        given = np.frombuffer(b"".join(groups), "<u4")
        if given.min(initial=SMALLEST_COUPON) < SMALLEST_COUPON:
            raise wire.malformed(given.tobytes(), "a coupon is too small")
        group = np.repeat(np.arange(len(groups), dtype=np.uint64), sizes // COUPON_BYTES)
        together = distinct(group << np.uint64(32) | given)
        ends = np.searchsorted(together, np.arange(1, len(groups), dtype=np.uint64) << np.uint64(32))
        return map(self.kept, np.split(together.astype(np.uint32), ends) if groups else ())

    def kept(self, found: Coupons) -> Seen:
        return found if len(found) <= self.most_coupons else self.registers(found)

    def registers(self, state: Seen) -> Registers:
        if holds_registers(state):
            return state
        registers = np.zeros(1 << self.bits, np.uint8)
        slots = state & np.uint32(len(registers) - 1)
        np.maximum.at(registers, slots, (state >> np.uint32(SLOT_BITS)).astype(np.uint8))
        return registers

    def measure(self, state: Seen, as_of: float = AS_IT_STANDS) -> float:
        return float(round(estimate(state)) if holds_registers(state) else len(state))

    def size(self, state: Seen) -> int:
        return 64 + state.nbytes

    def dump(self, state: Seen) -> bytes:
        if holds_registers(state):
            return bytes([REGISTERS]) + state.tobytes()
        return AS_COUPONS + state.astype("<u4").tobytes()

    def load(self, body: bytes) -> Seen:
        reader = wire.Reader(body)
        mode = reader.bytes(1)[0]
        state = self._read_registers(reader) if mode == REGISTERS else self._read_coupons(reader)
        reader.end()
        return state

    def _read_registers(self, reader: wire.Reader) -> Registers:
        registers = np.frombuffer(reader.bytes(1 << self.bits), np.uint8)
        if registers.max() > MOST_ZEROS + 1:
            raise reader.refused(f"a register is larger than {MOST_ZEROS + 1}")
        return registers

    def _read_coupons(self, reader: wire.Reader) -> Coupons:
        size, rest = divmod(reader.left, COUPON_BYTES)
        if rest or not 0 < size <= self.most_coupons:
            raise reader.refused(f"it has from 1 to {self.most_coupons:,} coupons")
        found: Coupons = np.frombuffer(reader.bytes(reader.left), "<u4").astype(np.uint32, copy=False)
        if found[0] < SMALLEST_COUPON or (found[1:] <= found[:-1]).any():
            raise reader.refused("its coupons are not in order")
        return found


def holds_registers(state: Seen) -> TypeGuard[Registers]:
    return state.dtype == np.uint8


def _coupon(h1: int, h2: int) -> int:
    zeros = min(64 - h2.bit_length(), MOST_ZEROS)
    return zeros + 1 << SLOT_BITS | h1 & (1 << SLOT_BITS) - 1


def coupons(values: Sequence[str]) -> Coupons:
    h1, h2 = murmur(utf8(values), [SEED])
    return coupons_of(h1[0], h2[0])


def coupons_of(h1: Words, h2: Words) -> Coupons:
    """The coupons of hashes."""
    # A double has the place of its highest bit as exponent. Half of a hash is no negative number, and 1 at least as
    # there are at most so many zeros; it rounds up to the next place, unless its second bit is not set.
    upper = (h2 >> np.uint64(1)) | np.uint64(1)
    upper &= ~(upper >> np.uint64(1))
    exponents = upper.view(np.int64).astype(np.float64).view(np.uint64)
    exponents >>= np.uint64(EXPONENT_AT - SLOT_BITS)
    exponents &= UPPER
    found = NO_ZEROS - exponents
    found |= h1 & ~UPPER
    return found.astype(np.uint32)


def estimate(registers: Registers) -> float:
    """How many values made such registers; in Ertl's names, q is `MOST_ZEROS` and z the harmonic sum."""
    slots = len(registers)
    found = np.bincount(registers, minlength=MOST_ZEROS + 2).tolist()
    harmonic = slots * _tau(1 - found[-1] / slots)
    for count in reversed(found[1:-1]):
        harmonic = (harmonic + count) / 2
    harmonic += slots * _sigma(found[0] / slots)
    return slots * slots / (2 * math.log(2) * harmonic)


def _sigma(x: float) -> float:
    """x + the sum of x^(2^k) * 2^(k-1): what the slots say that are still empty."""
    if x == 1:
        return math.inf
    total, before, weight = x, -1.0, 1.0
    while total != before:
        x, before = x * x, total
        total, weight = total + x * weight, weight * 2
    return total


def _tau(x: float) -> float:
    """What the slots say that are full."""
    if x in (0, 1):
        return 0.0
    total, before, weight = 1 - x, -1.0, 1.0
    while total != before:
        x, before, weight = math.sqrt(x), total, weight / 2
        total -= (1 - x) ** 2 * weight
    return total / 3
