"""Envelopes: what was damaged, made up or belongs elsewhere is refused, and says so."""

from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.errors import InvalidInput, TooLarge
from hailwhale_django.engine.simmer.envelope import MOST_BYTES, as_text, from_text, seal, unseal
from hailwhale_django.engine.simmer.exact import exact
from hailwhale_django.engine.simmer.features import FeatureHash
from hailwhale_django.engine.simmer.numbers import Count, Max, Sum
from tests.engine.simmer.samples import KEYS, aggregation, values_of

SEALED = seal(Sum(), Sum().prepare(["0.1", "2"]))


def test_the_layout() -> None:
    body = b"\x05"
    sealed = b"\x01\x05count" + body
    assert seal(Count(), 5) == sealed + crc32(sealed).to_bytes(4, "little")
    assert as_text(Count(), 5).startswith("%%%AQVjb3VudA")


@given(data=st.data())
def test_a_changed_bit_is_noticed(data: st.DataObject) -> None:
    recipe = data.draw(KEYS)
    found = aggregation(recipe)
    sealed = bytearray(seal(found, found.prepare([data.draw(values_of(recipe))])))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(InvalidInput, match="checksum"):
        unseal(found, bytes(sealed))


@pytest.mark.parametrize("length", range(len(SEALED)))
def test_what_was_cut_is_noticed(length: int) -> None:
    with pytest.raises(InvalidInput, match="checksum"):
        unseal(Sum(), SEALED[:length])


@given(envelope=st.binary(max_size=300))
def test_what_was_made_up_is_refused(envelope: bytes) -> None:
    with pytest.raises(InvalidInput):
        unseal(Sum(), envelope)


def test_what_belongs_to_another_key_is_refused() -> None:
    with pytest.raises(InvalidInput, match="it is of 'sum', and the key asks for 'max'"):
        unseal(Max(), SEALED)


def test_a_later_version_is_named() -> None:
    sealed = b"\x02\x03sum\x00\x01\x00"
    with pytest.raises(InvalidInput, match="version 2, and this reads 1"):
        unseal(Sum(), sealed + crc32(sealed).to_bytes(4, "little"))


def test_what_is_too_large_is_not_looked_into() -> None:
    with pytest.raises(TooLarge, match="at most 4,194,304 bytes"):
        unseal(Sum(), bytes(MOST_BYTES + 1))


def test_what_could_not_be_read_again_is_not_written() -> None:
    """Each of 65,536 sums has bits from one end of the doubles to the other."""
    found = FeatureHash(16)
    state = {place: exact(1.7e308) + 1 for place in range(1 << 16)}
    with pytest.raises(TooLarge, match="at most 4,194,304 bytes, not 17,"):
        seal(found, state)


@pytest.mark.parametrize("text", ["%%%", "%%%!", "%%%AQVjb3VudA", "%%%AAAA====", "%%% AQVj", "%%%日本"])
def test_what_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        from_text(Sum(), text)
