"""Unique values as Apache DataSketches keeps them: its HLL sketch, type HLL_8, in its serialized and compact form.

    0  preamble length in words: 2 list, 3 set, 10 registers     4  log2 of the room of a list or set
    1  version, 1                                                5  flags: 8 compact, 16 merged (history unknown)
    2  family, 7                                                 6  coupons of a list
    3  log2 of the number of registers                           7  mode: 0 list, 1 set, 2 registers; plus 4 x type

Then come the coupons (a set's after their number in 4 bytes) or, from byte 40 on, the registers; between, sums that
can be worked out from them. All numbers are little-endian.

Strings that either side has counted are the same values to both. Sketches of type HLL_4 and HLL_6 are refused once
they hold registers: convert them there.
"""

from __future__ import annotations

import struct

import numpy as np

from ..errors import InvalidInput
from . import wire
from .unique import MOST_ZEROS, SMALLEST_COUPON, Coupons, Registers, Seen, Unique, estimate, holds_registers

LIST, SET, REGISTERS = 0, 1, 2
HLL_8 = 2
VERSION, FAMILY = 1, 7
COMPACT, MERGED = 8, 16
LEAST_BITS, MOST_BITS = 4, 21

LIST_ROOM_BITS = 3
SET_FROM_BITS = 8  # fewer registers do without a set

PREAMBLE = struct.Struct("<8B")
# The historical estimate, the sums of 2^-register up to and beyond 31, and how many registers are 0.
SUMS = struct.Struct("<dddii")


def to_datasketches(aggregation: Unique, state: Seen) -> bytes:
    bits = aggregation.bits
    if not holds_registers(state):
        if len(state) < 1 << LIST_ROOM_BITS:
            return _preamble(2, bits, LIST_ROOM_BITS, len(state), LIST) + _coupons(state)
        if bits >= SET_FROM_BITS and len(state) <= _most_in_set(bits):
            preamble = _preamble(3, bits, _set_room_bits(len(state)), 0, SET)
            return preamble + struct.pack("<i", len(state)) + _coupons(state)
    return _registers(bits, aggregation.registers(state))


def from_datasketches(sketch: bytes) -> tuple[Unique, Seen]:
    """The aggregation and the state of a serialized sketch that is not empty. Raises `InvalidInput`."""
    reader = wire.Reader(sketch)
    words, version, family, bits, _, _, listed, mode = PREAMBLE.unpack(reader.bytes(PREAMBLE.size))
    if (version, family) != (VERSION, FAMILY) or not LEAST_BITS <= bits <= MOST_BITS:
        raise InvalidInput("sketch", sketch, "this is no serialized HLL sketch of 2^4 to 2^21 registers")
    aggregation = Unique(bits)
    if (words, mode & 3) == (10, REGISTERS):
        return aggregation, _read_registers(reader, sketch, bits, mode >> 2)
    if (words, mode & 3) not in ((2, LIST), (3, SET)):
        raise InvalidInput("sketch", sketch, "its mode and its length contradict each other")
    count = listed if words == 2 else struct.unpack("<i", reader.bytes(4))[0]
    return aggregation, aggregation.kept(_read_coupons(reader, sketch, count))


def _preamble(words: int, bits: int, room_bits: int, listed: int, mode: int, flags: int = COMPACT) -> bytes:
    return PREAMBLE.pack(words, VERSION, FAMILY, bits, room_bits, flags, listed, mode | HLL_8 << 2)


def _most_in_set(bits: int) -> int:
    """A set has an eighth as many places as there are registers, and is left when three quarters are taken."""
    return 3 << bits - 5


def _set_room_bits(count: int) -> int:
    """The least room, of 32 at least, of which `count` is no more than three quarters."""
    return max(5, ((count * 4 - 1) // 3).bit_length())


def _coupons(state: Seen) -> bytes:
    return state.astype("<u4").tobytes()


def _registers(bits: int, registers: Registers) -> bytes:
    sizes = np.ldexp(1.0, -registers.astype(np.int64))
    sums = SUMS.pack(
        estimate(registers), sizes[registers < 32].sum(), sizes[registers >= 32].sum(), int((registers == 0).sum()), 0
    )
    return _preamble(10, bits, 0, 0, REGISTERS, COMPACT | MERGED) + sums + registers.tobytes()


def _read_coupons(reader: wire.Reader, sketch: bytes, count: int) -> Coupons:
    # What is behind them in a sketch that is not compact is room for more.
    found = np.unique(np.frombuffer(reader.bytes(4 * max(count, 0)), "<u4")).astype(np.int64)
    if not len(found) or found[0] < SMALLEST_COUPON:
        raise InvalidInput("sketch", sketch, "it is empty, not compact, or one of its coupons is none")
    return found.astype(np.uint32)


def _read_registers(reader: wire.Reader, sketch: bytes, bits: int, register_type: int) -> Registers:
    if register_type != HLL_8:
        raise InvalidInput("sketch", sketch, "its registers are packed; convert it to type HLL_8 first")
    reader.bytes(SUMS.size)
    registers = np.frombuffer(reader.bytes(1 << bits), np.uint8)
    if registers.max() > MOST_ZEROS + 1:
        raise InvalidInput("sketch", sketch, f"a register is larger than {MOST_ZEROS + 1}")
    return registers
