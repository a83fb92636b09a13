"""Sums of doubles without rounding: whole numbers of 2^-1074, of which every finite double is a multiple.

Adding whole numbers is exact, so it does not matter in which order, and a sum is rounded once, when it is told. A sum
of ordinary numbers takes some 170 bytes in memory, and at most 320, where numbers are at both ends of what doubles
hold. Dumped, the zeros at its end cost nothing: a small whole number takes four bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

FINEST_BITS = 1074
ONE = 1 << FINEST_BITS
# A root of that many bits is rounded to a double as the true one would be, but for ties that no rounding can settle.
ROOT_BITS = 64


def exact(value: float) -> int:
    numerator, denominator = value.as_integer_ratio()
    return (numerator << FINEST_BITS) // denominator


def exact_sum(values: Sequence[float]) -> int:
    """The sum in parts: what `fsum` rounds off is in the rest, and is added next, until nothing is left."""
    units, rest = 0, list(values)
    try:
        while part := math.fsum(rest):
            units += exact(part)
            rest.append(-part)
    except OverflowError:
        return sum(map(exact, values))
    return units


def quotient(numerator: int, denominator: int) -> float:
    """The nearest double, or infinity."""
    try:
        return numerator / denominator
    except OverflowError:
        return math.inf if (numerator < 0) == (denominator < 0) else -math.inf


def root(numerator: int, denominator: int) -> float:
    """The square root of a quotient that is not negative, without leaving the range of doubles on the way."""
    bits = max(0, 2 * ROOT_BITS - numerator.bit_length() + denominator.bit_length())
    half = (bits + 1) // 2
    return quotient(math.isqrt((numerator << 2 * half) // denominator), 1 << half)
