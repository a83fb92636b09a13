"""MurmurHash3, against its definition for one text at a time, with whole numbers of any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.errors import TooLarge
from hailwhale_django.engine.simmer.hashing import MOST_BYTES, murmur, utf8

ALL = 2**64 - 1
C1, C2 = 0x87C37B91114253D5, 0x4CF5AD432745937F


def turned(word: int, bits: int) -> int:
    return (word << bits | word >> (64 - bits)) & ALL


def avalanched(word: int) -> int:
    word = (word ^ word >> 33) * 0xFF51AFD7ED558CCD & ALL
    word = (word ^ word >> 33) * 0xC4CEB9FE1A85EC53 & ALL
    return word ^ word >> 33


def as_number(tail: bytes, signed: bool) -> int:
    """Bytes exclusive-ored in one by one, as Java does, where they are signed."""
    word = 0
    for place, byte in enumerate(tail):
        word ^= (byte - 256 if signed and byte > 127 else byte) << 8 * place
    return word & ALL


def hashed(text: bytes, seed: int, signed: bool) -> tuple[int, int]:
    h1 = h2 = seed
    whole = len(text) // 16 * 16
    for at in range(0, whole, 16):
        k1, k2 = int.from_bytes(text[at : at + 8], "little"), int.from_bytes(text[at + 8 : at + 16], "little")
        h1 ^= turned(k1 * C1 & ALL, 31) * C2 & ALL
        h1 = ((turned(h1, 27) + h2) * 5 + 0x52DCE729) & ALL
        h2 ^= turned(k2 * C2 & ALL, 33) * C1 & ALL
        h2 = ((turned(h2, 31) + h1) * 5 + 0x38495AB5) & ALL
    tail = text[whole:]
    h2 ^= turned(as_number(tail[8:], signed) * C2 & ALL, 33) * C1 & ALL
    h1 ^= turned(as_number(tail[:8], signed) * C1 & ALL, 31) * C2 & ALL
    h1, h2 = h1 ^ len(text), h2 ^ len(text)
    h1 = (h1 + h2) & ALL
    h2 = (h2 + h1) & ALL
    h1, h2 = avalanched(h1), avalanched(h2)
    h1 = (h1 + h2) & ALL
    return h1, (h2 + h1) & ALL


@given(
    texts=st.lists(st.binary(max_size=70), min_size=1, max_size=8),
    seeds=st.lists(st.integers(0, ALL), min_size=1, max_size=3),
    signed=st.booleans(),
)
def test_many_at_once_are_what_each_is_alone(texts: list[bytes], seeds: list[int], signed: bool) -> None:
    h1, h2 = murmur(texts, seeds, signed)
    found = [list(zip(*halves, strict=True)) for halves in zip(h1.tolist(), h2.tolist(), strict=True)]
    assert found == [[hashed(text, seed, signed) for text in texts] for seed in seeds]


def test_known_values() -> None:
    """From the reference implementation, of which the two halves are little-endian words."""
    (h1,), (h2,) = murmur([b"", b"hello", b"The quick brown fox jumps over the lazy dog"], [0])
    assert (h1.tolist(), h2.tolist()) == (
        [0, 0xCBD8A7B341BD9B02, 0xE34BBC7BBC071B6C],
        [0, 0x5B1E906A48AE1D19, 0x7A433CA9C49A9347],
    )


def test_bytes_that_are_no_text_come_back() -> None:
    assert utf8([b"\xff\x80a".decode("utf-8", "surrogateescape"), "ä"]) == [b"\xff\x80a", b"\xc3\xa4"]


def test_a_text_that_is_too_long_is_refused() -> None:
    murmur([bytes(MOST_BYTES)], [0])
    with pytest.raises(TooLarge, match="at most 4,096 bytes, not 4,097"):
        murmur([b"", bytes(MOST_BYTES + 1)], [0])
