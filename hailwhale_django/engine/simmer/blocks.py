"""Lines as an array of bytes: where their keys and values are, and what is written there, eight bytes at a time.

Everything is worked out for all lines at once. Places are offsets into the block's own copy of the lines, which has
zeros around it, so that words may begin before a line and end after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from .arrays import Flags, Index, Places, Words
from .lines import MOST_LINE_BYTES

Marks = tuple[Places, Places, Places, Flags]

WORD = 8
MARGIN = 2 * WORD
# Arrays of one word for each of some 40,000 lines still go through a processor's cache.
SLICE_BYTES = 512 << 10

TAB, LINE_END, RETURN = b"\t\n\r"
EACH_BYTE, HIGH_BITS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
LOW_BYTES = np.array([(1 << 8 * count) - 1 for count in range(WORD + 1)], np.uint64)


def slices(block: bytes) -> Iterator[memoryview]:
    """Whole lines of a block, so many at once as are worked on together. Few lines cost hardly less than a few more."""
    view, at = memoryview(block), 0
    while len(block) - at > SLICE_BYTES + SLICE_BYTES // 8:
        end = block.rfind(b"\n", at, at + SLICE_BYTES) + 1 or block.find(b"\n", at + SLICE_BYTES) + 1 or len(block)
        yield view[at:end]
        at = end
    if at < len(block):
        yield view[at:]


def keep_memory() -> None:
    """Let this process keep what it frees, up to 16 MB: arrays come and go, and new pages cost more than they do.

    glibc takes the largest piece that was mapped and freed for that limit. The piece is never touched.
    """
    np.empty(16 << 20, np.uint8)


class Text:
    """Lines as bytes, with room before and behind them; and which of some bytes are anywhere in them."""

    __slots__ = ("_words", "bytes", "has_percents", "has_minuses", "has_points", "has_returns", "raw")

    def __init__(self, lines: bytes | memoryview) -> None:
        self.raw = raw = b"".join((bytes(MARGIN), lines, bytes(2 * MARGIN - len(lines) % WORD)))
        self.has_returns, self.has_percents = b"\r" in raw, b"%" in raw
        self.has_minuses, self.has_points = b"-" in raw, b"." in raw
        self.bytes = np.frombuffer(self.raw, np.uint8)
        self._words = np.frombuffer(self.raw, "<u8")

    def words(self, at: Places) -> Words:
        """The eight bytes from each place on, the first the lowest; zeros outside of the lines."""
        return next(self.runs(at))

    def runs(self, at: Places) -> Iterator[Words]:
        """The words from each place on: the first of each, the second of each, and so on."""
        word = at >> 3
        bits = at.view(np.uint64) << np.uint64(3)
        bits &= np.uint64(63)
        # A shift by all 64 bits, where a word is whole, leaves nothing of the next one.
        rest = np.uint64(64) - bits
        number, lower = 0, self._words.take(word, mode="clip")
        while True:
            number += 1
            upper = self._words[number:].take(word, mode="clip")
            lower >>= bits
            lower |= upper << rest
            yield lower
            lower = upper


@dataclass(frozen=True, slots=True)
class Span:
    """Parts of a text, one of each line: from `begin` on, `length` bytes."""

    text: Text
    begin: Places
    length: Places

    def __len__(self) -> int:
        return len(self.begin)

    def __getitem__(self, which: Index) -> Span:
        return Span(self.text, self.begin[which], self.length[which])

    @property
    def end(self) -> Places:
        return self.begin + self.length

    def words(self, number: int) -> Words:
        """Each part's word of a number, from 0; what lies behind the part is zero in it."""
        return self.text.words(self.begin + number * WORD) & low_bytes(self.length - number * WORD)

    def first_words(self, most: int) -> list[Words]:
        found = list(islice(self.text.runs(self.begin), most))
        for number, words in enumerate(found):
            words &= low_bytes(self.length - number * WORD if number else self.length)
        return found

    def texts(self) -> list[bytes]:
        raw = self.text.raw
        return [raw[begin:end] for begin, end in zip(self.begin.tolist(), self.end.tolist(), strict=True)]


class Block:
    """Lines, of which the last may lack its end. Those without a tab, or too long, are `torn`."""

    __slots__ = ("begins", "ends", "keys", "text", "torn", "values")

    def __init__(self, lines: bytes | memoryview) -> None:
        self.text = Text(lines if lines[-1:] == b"\n" else bytes(lines) + b"\n")
        tabs, ends, self.ends, self.torn = self._in_pairs() or self._in_columns()
        self.begins = np.empty(len(self.ends), np.int64)
        self.begins[0], self.begins[1:] = MARGIN, self.ends[:-1] + 1
        if len(lines) > MOST_LINE_BYTES:
            self.torn = self.torn | (self.ends - self.begins > MOST_LINE_BYTES)
        if self.text.has_returns:
            ends = self._without_returns(tabs, ends)
        self.keys = Span(self.text, self.begins, tabs - self.begins)
        self.values = Span(self.text, tabs + 1, np.maximum(ends - tabs - 1, 0))

    def _in_pairs(self) -> Marks | None:
        """Tabs, ends of values, ends of lines and torn lines, if each line has one tab."""
        tabs, ends = (_places_of(self.text.bytes == byte) for byte in (TAB, LINE_END))
        if tabs is None or ends is None or len(tabs) != len(ends):
            return None
        if (tabs > ends).any() or (tabs[1:] < ends[:-1]).any():
            return None
        return tabs, ends, ends, np.zeros(len(ends), np.bool_)

    def _in_columns(self) -> Marks:
        """The same, where lines have more columns, or only one, or hardly any bytes."""
        # Tabs and line ends are neighbours in ASCII.
        marks = np.flatnonzero(self.text.bytes - np.uint8(TAB) < 2)
        line_ends = np.flatnonzero(self.text.bytes[marks] == LINE_END)
        firsts = np.concatenate((np.zeros(1, np.int64), line_ends[:-1] + 1))
        return marks[firsts], marks[np.minimum(firsts + 1, line_ends)], marks[line_ends], firsts == line_ends

    def __len__(self) -> int:
        return len(self.ends)

    def _without_returns(self, tabs: Places, ends: Places) -> Places:
        text, ends = self.text.bytes, ends.copy()
        left = np.flatnonzero((ends == self.ends) & ~self.torn)
        while len(left := left[(text[ends[left] - 1] == RETURN) & (ends[left] - 1 > tabs[left])]):
            ends[left] -= 1
        return ends

    def line(self, number: int) -> bytes:
        """A line without its end."""
        return self.text.raw[self.begins[number] : self.ends[number]]


def _places_of(flags: Flags) -> Places | None:
    """Where the flags of a text are, if no word has two of them: then eight can be looked at together."""
    words = flags.view("<u8")
    found = np.flatnonzero(words != 0)
    marked = words.take(found)
    before = marked - np.uint64(1)
    marked &= before
    if marked.any():
        return None
    found <<= 3
    found += np.bitwise_count(before) >> 3
    return found


def first_byte(words: Words, byte: int) -> Words:
    """The high bit of the first byte of each word that is such; 0 where none is (Warren, Hacker's Delight, 6-1)."""
    other = words ^ (EACH_BYTE * np.uint64(byte))
    found = (other - EACH_BYTE) & ~other & HIGH_BITS
    first: Words = found & (~found + np.uint64(1))
    return first


def low_bytes(count: Places) -> Words:
    """So many of a word's first bytes as mask; none of less than none, and all of more than all."""
    return LOW_BYTES.take(count, mode="clip")
