"""The parts that the bodies of envelopes are made of, and a reader that trusts none of them.

    whole     a number >= 0, seven bits a byte, the last byte below 128
    integer   its trailing zero bits and its length in bytes as wholes, then what is left, little-endian and signed
    double    eight bytes, little-endian
    text      its length in bytes as a whole, then UTF-8 (undecodable bytes of the input as they came)
    array     its length as a whole, the width of its numbers (1, 2, 4 or 8), then those, little-endian, unsigned
    ascending the first number as a whole, then an array of how much more each is than the one before

Nothing is made larger than the bytes that are there: a length is held against what is left before anything is read.
"""

from __future__ import annotations

import math
import struct

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidInput

MOST_WHOLE_BYTES = 9
WIDTHS = (1, 2, 4, 8)
# Twice the bits of the square of the largest double, counted in the squares of the smallest, and as many to add up in.
MOST_BITS = 8192

Wholes = NDArray[np.int64]


def whole(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def integer(value: int) -> bytes:
    zeros = (value & -value).bit_length() - 1 if value else 0
    left = value >> zeros
    size = left.bit_length() // 8 + 1
    return whole(zeros) + whole(size) + left.to_bytes(size, "little", signed=True)


def double(value: float) -> bytes:
    return struct.pack("<d", value)


def text(value: str) -> bytes:
    encoded = value.encode("utf-8", "surrogateescape")
    return whole(len(encoded)) + encoded


def array(values: Wholes) -> bytes:
    """Numbers >= 0, all as wide as the largest needs."""
    largest = int(values.max(initial=0))
    width = next(width for width in WIDTHS if largest < 1 << 8 * width)
    return whole(len(values)) + bytes([width]) + values.astype(f"<u{width}").tobytes()


def ascending(values: Wholes) -> bytes:
    """Different numbers >= 0, in order, of which there is at least one."""
    return whole(int(values[0])) + array(values[1:] - values[:-1])


def malformed(body: bytes, why: str) -> InvalidInput:
    return InvalidInput("machine value", body, f"it is damaged or was not written by this program: {why}")


class Reader:
    """Takes the parts of a body one by one. Each raises `InvalidInput` where the bytes are not such a part."""

    __slots__ = ("_at", "_body")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes there are still."""
        return len(self._body) - self._at

    def bytes(self, count: int) -> bytes:
        if count > self.left:
            raise self.refused("it ends early")
        self._at += count
        return self._body[self._at - count : self._at]

    def whole(self, most: int = 2**62) -> int:
        value = 0
        for place in range(MOST_WHOLE_BYTES):
            byte = self.bytes(1)[0]
            value |= (byte & 127) << 7 * place
            if byte < 128:
                break
        if byte > 127 or value > most:
            raise self.refused(f"a number is larger than {most:,}")
        return value

    def integer(self) -> int:
        zeros = self.whole(MOST_BITS)
        left = int.from_bytes(self.bytes(self.whole(MOST_BITS // 8)), "little", signed=True)
        return left << zeros

    def double(self) -> float:
        value: float = struct.unpack("<d", self.bytes(8))[0]
        if not math.isfinite(value):
            raise self.refused("a number is not finite")
        return value

    def text(self) -> str:
        return self.bytes(self.whole()).decode("utf-8", "surrogateescape")

    def doubles(self, count: int) -> NDArray[np.float64]:
        values = np.frombuffer(self.bytes(8 * count), "<f8").astype(np.float64)
        if not np.isfinite(values).all():
            raise self.refused("a number is not finite")
        return values

    def array(self) -> Wholes:
        count, width = self.whole(), self.bytes(1)[0]
        if width not in WIDTHS:
            raise self.refused(f"numbers are {width} bytes wide")
        values = np.frombuffer(self.bytes(count * width), f"<u{width}")
        if values.max(initial=0) > 2**62:
            raise self.refused("a number is larger than 2^62")
        return values.astype(np.int64)

    def ascending(self, most: int) -> Wholes:
        """Different numbers from 0 to `most`, in order."""
        first, steps = self.whole(most), self.array()
        if (steps > most).any() or not steps.all():
            raise self.refused(f"numbers are not in order, or not from 0 to {most:,}")
        values: Wholes = np.cumsum(np.concatenate(([first], steps)))
        if values[-1] > most:
            raise self.refused(f"a number is larger than {most:,}")
        return values

    def end(self) -> None:
        if self.left:
            raise self.refused(f"{self.left} bytes are left over")

    def refused(self, why: str) -> InvalidInput:
        return malformed(self._body, why)
