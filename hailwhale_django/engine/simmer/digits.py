"""Numbers of texts, many at once: a sign, digits and at most one decimal point, in up to 16 characters.

Eight digits are one word, and are read by arithmetic on it. The double is the one that `float` gives: digits and power
of ten are exact, so that their quotient is rounded once.

What looks otherwise (exponents, blanks, more digits) is left to `float`, one by one.
"""

from __future__ import annotations

import math

import numpy as np

from .arrays import Flags, Floats, Places, Words
from .blocks import HIGH_BITS, WORD, Span, first_byte, low_bytes

ZEROS = np.uint64(0x3030303030303030)
# Added to a digit's byte it stays below the high bit, and added to anything above does not.
PAST_NINE = np.uint64(0x7676767676767676)
PAIRS = np.uint64(0x000000FF000000FF)
HUNDREDS, TEN_THOUSANDS = np.uint64(0x000F424000000064), np.uint64(0x0000271000000001)

MINUS, POINT, ZERO = b"-.0"
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
    word = _last_word(digits.text.words(digits.end - WORD), digits.length)
    if not digits.text.has_points:
        return _value(word).astype(np.float64), ~_are_digits(word) | (digits.length == 0)
    points = first_byte(word, POINT)
    word, decimals = _without_point(word, points)
    odd = ~_are_digits(word) | (digits.length <= (points != 0))
    return _value(word) / POWERS_OF_TEN.take(decimals, mode="clip"), odd


def _long(digits: Span) -> tuple[Floats, Flags]:
    """Of texts of 9 to 16 characters."""
    upper = _last_word(digits.text.words(np.maximum(digits.end - 2 * WORD, 0)), digits.length - WORD)
    lower = digits.text.words(digits.end - WORD)
    upper_points, lower_points = first_byte(upper, POINT), first_byte(lower, POINT)
    in_lower = lower_points != 0
    lower, decimals = _without_point(lower, lower_points, upper >> np.uint64(56))
    upper, more = _without_point(upper, upper_points)
    upper = np.where(in_lower, (upper << np.uint64(8)) | np.uint64(ZERO), upper)
    decimals = decimals + more + np.where(upper_points != 0, WORD, 0)
    value = _value(upper).astype(np.float64) * 1e8 + _value(lower)
    odd = (digits.length > 2 * WORD) | ~_are_digits(upper) | ~_are_digits(lower) | (value >= LARGEST_EXACT)
    return value / POWERS_OF_TEN.take(decimals, mode="clip"), odd | (in_lower & (upper_points != 0))


def _last_word(word: Words, length: Places) -> Words:
    """With zeros before a text that is shorter than a word."""
    before = low_bytes(WORD - length)
    return (word & ~before) | (ZEROS & before)


def _without_point(word: Words, point: Words, before_word: Words | None = None) -> tuple[Words, Places]:
    """Without the decimal point, what is before it moved up; and how many bytes are behind it, 0 if there is none."""
    before = (point >> np.uint64(7)) - np.uint64(1)
    behind = ~((point << np.uint64(1)) - np.uint64(1))
    first = np.uint64(ZERO) if before_word is None else before_word
    moved = (word & behind) | ((word & before) << np.uint64(8)) | first
    has_point = point != 0
    return np.where(has_point, moved, word), np.where(has_point, np.bitwise_count(behind) >> 3, 0)


def _are_digits(word: Words) -> Flags:
    values = word ^ ZEROS
    are: Flags = ((values + PAST_NINE) | values) & HIGH_BITS == 0
    return are


def _value(word: Words) -> Words:
    """Of eight digits, the first in the lowest byte: to pairs, and pairs to all."""
    values = word ^ ZEROS
    lower = values >> np.uint64(8)
    values *= np.uint64(10)
    values += lower
    lower = values >> np.uint64(16)
    lower &= PAIRS
    lower *= TEN_THOUSANDS
    values &= PAIRS
    values *= HUNDREDS
    values += lower
    values >>= np.uint64(32)
    return values


def _one_by_one(texts: Span, found: Floats, odd: Flags) -> None:
    left = np.flatnonzero(odd & (texts.length <= LONGEST_NUMBER))
    for place, text in zip(left.tolist(), texts[left].texts(), strict=True):
        try:
            value = float(text)
        except ValueError:
            continue
        if math.isfinite(value) and b"_" not in text:
            found[place], odd[place] = value, False
