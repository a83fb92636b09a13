"""MurmurHash3, x64, 128 bits (Austin Appleby, public domain), of many texts at once and with seeds of 64 bits.

`signed_tail` is how Algebird's port deviates, and with it every signature that was ever made there: the bytes behind
the last whole block of 16 are taken as signed numbers. For ASCII it makes no difference.

Costs time in proportion to the bytes and, besides, twenty array operations for each block of the longest text; so that
a single text is no way to keep a process busy, one has at most 4,096 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from ..errors import TooLarge
from .arrays import Words

C1, C2 = np.uint64(0x87C37B91114253D5), np.uint64(0x4CF5AD432745937F)
BLOCK_BYTES = 16
MOST_BYTES = 4096


def utf8(texts: Iterable[str]) -> list[bytes]:
    """Texts as bytes; what was no UTF-8 in the input is again what it was."""
    return [text.encode("utf-8", "surrogateescape") for text in texts]


def check_size(text: str) -> None:
    """Raises `TooLarge` if a text is too long, whatever it is encoded as."""
    if len(text) > MOST_BYTES // 4 and len(encoded := text.encode("utf-8", "surrogateescape")) > MOST_BYTES:
        raise TooLarge("value", text, f"what is hashed has at most {MOST_BYTES:,} bytes, not {len(encoded):,}")


def murmur(texts: Sequence[bytes], seeds: Sequence[int], signed_tail: bool = False) -> tuple[Words, Words]:
    """Both halves of the hashes, [seed, text]. Raises `TooLarge` if a text is too long."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    if lengths.max(initial=0) > MOST_BYTES:
        longest = texts[int(lengths.argmax())]
        raise TooLarge("value", longest, f"what is hashed has at most {MOST_BYTES:,} bytes, not {len(longest):,}")
    blocks = lengths // BLOCK_BYTES
    widths = (blocks + 1) * BLOCK_BYTES
    padded = b"".join(map(bytes.ljust, texts, widths.tolist(), repeat(b"\0")))
    words = np.frombuffer(padded, "<u8").astype(np.uint64).reshape(-1, 2)
    starts = np.cumsum(blocks + 1) - (blocks + 1)  # the last block of each text is its tail, which may be empty
    h1 = np.repeat(np.array(seeds, np.uint64)[:, np.newaxis], len(texts), axis=1)
    h2 = h1.copy()
    left = np.flatnonzero(blocks)
    for block in range(int(blocks.max(initial=0))):
        left = left[blocks[left] > block]
        found = words[starts[left] + block]
        h1[:, left], h2[:, left] = mixed(h1[:, left], h2[:, left], found[:, 0], found[:, 1])
    tails = words[starts + blocks]
    if signed_tail:
        tails = _signed(tails)
    return finished(h1, h2, tails[:, 0], tails[:, 1], lengths)


def _signed(tails: Words) -> Words:
    """Eight bytes of a tail in each word: each byte above 127 turns over all bits before it."""
    signed = tails.copy()
    for bits in range(8, 64, 8):
        signed ^= -((tails >> np.uint64(bits - 1)) & np.uint64(1)) << np.uint64(bits)
    return signed


# Arrays that are made here are changed in place: that is less memory to go through.


def _rotated(words: Words, bits: int) -> Words:
    rotated = words << np.uint64(bits)
    rotated |= words >> np.uint64(64 - bits)
    return rotated


def _first(words: Words) -> Words:
    hashed = _rotated(words * C1, 31)
    hashed *= C2
    return hashed


def _second(words: Words) -> Words:
    hashed = _rotated(words * C2, 33)
    hashed *= C1
    return hashed


def mixed(h1: Words, h2: Words, lower: Words, upper: Words) -> tuple[Words, Words]:
    """Hashes with one more block of 16 bytes, of which these are the words."""
    h1 = (_rotated(h1 ^ _first(lower), 27) + h2) * np.uint64(5) + np.uint64(0x52DCE729)
    h2 = (_rotated(h2 ^ _second(upper), 31) + h1) * np.uint64(5) + np.uint64(0x38495AB5)
    return h1, h2


def finished(h1: Words, h2: Words, lower: Words, upper: Words, lengths: NDArray[np.int64]) -> tuple[Words, Words]:
    """Hashes of texts of such lengths, with their tails: what is left behind the last block, filled up with zeros."""
    sizes = lengths.astype(np.uint64)
    h1, h2 = h1 ^ _first(lower) ^ sizes, h2 ^ _second(upper) ^ sizes
    h1 += h2
    h2 += h1
    for half in (h1, h2):
        _avalanche(half)
    h1 += h2
    h2 += h1
    return h1, h2


def _avalanche(words: Words) -> None:
    """In place."""
    for factor in (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)):
        words ^= words >> np.uint64(33)
        words *= factor
    words ^= words >> np.uint64(33)
