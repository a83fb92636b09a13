"""Numbers of texts, many at once: a sign, digits and at most one decimal point, in up to 16 characters.

Eight digits are one word, and are read by arithmetic on it. The double is the one that `float` gives: digits and power
of ten are exact, so that their quotient is rounded once.

What looks otherwise (exponents, blanks, more digits) is left to `float`, one by one.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .arrays import Flags, Floats, Numbers, Places, Words
from .blocks import HIGH_BITS, WORD, Span, first_byte

ZEROS = np.uint64(0x3030303030303030)
# Added to a digit's byte it stays below the high bit, and added to anything above does not.
PAST_NINE = np.uint64(0x7676767676767676)
PAIRS = np.uint64(0x000000FF000000FF)
HUNDREDS, TEN_THOUSANDS = np.uint64(0x000F424000000064), np.uint64(0x0000271000000001)

MINUS, POINT = ord("-"), ord(".") ^ ord("0")
LARGEST_EXACT = 2.0**53
POWERS_OF_TEN = 10.0 ** np.arange(2 * WORD)
LONGEST_NUMBER = 64


def numbers_of(texts: Span) -> tuple[Floats, Flags]:
    """The numbers, and which of the texts are none."""
    digits = texts
    if texts.text.has_minuses:
        negative = texts.text.bytes.take(texts.begin) == MINUS
        digits = Span(texts.text, texts.begin + negative, texts.length - negative)
    found, odd = _short(digits)
    long = np.flatnonzero(digits.length > WORD)
    if len(long):
        found[long], odd[long] = _long(digits[long])
    if digits is not texts:
        np.negative(found, out=found, where=negative)
    if odd.any():
        _one_by_one(texts, found, odd)
    return found, odd


def _short(digits: Span) -> tuple[Floats, Flags]:
    """Of texts of at most eight characters."""
    word = _last_digits(digits.text.words(digits.begin), digits.length)
    if not digits.text.has_points:
        return _value(word).astype(np.float64), _are_odd(word) | (digits.length == 0)
    points = first_byte(word, POINT)
    word, decimals = _without_point(word, points)
    odd = _are_odd(word) | (digits.length <= (points != 0))
    return _value(word) / POWERS_OF_TEN.take(decimals), odd


def _long(digits: Span) -> tuple[Floats, Flags]:
    """Of texts of 9 to 16 characters."""
    upper = _last_digits(digits.text.words(digits.begin), digits.length - WORD)
    lower = digits.text.words(digits.end - WORD) ^ ZEROS
    upper_points, lower_points = first_byte(upper, POINT), first_byte(lower, POINT)
    in_lower, in_upper = lower_points != 0, upper_points != 0
    lower, decimals = _without_point(lower, lower_points)
    lower |= (upper >> np.uint64(56)) * in_lower
    upper, more = _without_point(upper, upper_points)
    upper <<= in_lower.astype(np.uint64) << np.uint64(3)
    decimals += more + in_upper * np.uint8(WORD)
    value = _value(upper) * 1e8 + _value(lower)
    odd = (digits.length > 2 * WORD) | _are_odd(upper) | _are_odd(lower) | (value >= LARGEST_EXACT)
    return value / POWERS_OF_TEN.take(decimals, mode="clip"), odd | (in_lower & in_upper)


# In words of digits, each byte is what the digit says, and not how it is written.


def _last_digits(word: Words, length: Places) -> Words:
    """The first `length` characters of a word as digits, moved up, with zeros before them; of none or less, zeros."""
    digits = word ^ ZEROS
    # A shift by more than all bits, as of a text that is longer than a word, leaves nothing.
    digits <<= ((WORD - length) << 3).view(np.uint64)
    return digits


def _without_point(word: Words, point: Words) -> tuple[Words, NDArray[np.uint8]]:
    """Without the decimal point, what is before it moved up; and how many bytes are behind it, 0 if there is none."""
    before = (point >> np.uint64(7)) - np.uint64(1)
    behind = ~((point << np.uint64(1)) - np.uint64(1))
    moved = word & before
    moved <<= (point != 0).astype(np.uint64) << np.uint64(3)
    moved |= word & behind
    return moved, np.bitwise_count(behind) >> 3


def _are_odd(word: Words) -> Flags:
    """Whether any byte is no digit."""
    above = word + PAST_NINE
    above |= word
    above &= HIGH_BITS
    are: Flags = above != 0
    return are


def _value(word: Words) -> Numbers:
    """Of eight digits, the first in the lowest byte: to pairs, and pairs to all."""
    lower = word >> np.uint64(8)
    values = word * np.uint64(10)
    values += lower
    lower = values >> np.uint64(16)
    lower &= PAIRS
    lower *= TEN_THOUSANDS
    values &= PAIRS
    values *= HUNDREDS
    values += lower
    values >>= np.uint64(32)
    return values.view(np.int64)


def _one_by_one(texts: Span, found: Floats, odd: Flags) -> None:
    left = np.flatnonzero(odd & (texts.length <= LONGEST_NUMBER))
    for place, text in zip(left.tolist(), texts[left].texts(), strict=True):
        try:
            value = float(text)
        except ValueError:
            continue
        if math.isfinite(value) and b"_" not in text:
            found[place], odd[place] = value, False
