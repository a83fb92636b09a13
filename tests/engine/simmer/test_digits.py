"""Numbers read many at once are those that Python reads one by one."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from hailwhale_django.engine.simmer.blocks import Block
from hailwhale_django.engine.simmer.digits import numbers_of

LIKE_NUMBERS = st.text("0123456789", min_size=1, max_size=18)
ANYTHING = st.text("0123456789.-+eE_ nainf", max_size=20)
DECIMALS = st.builds("{}{}.{}".format, st.sampled_from(["", "-", "+"]), LIKE_NUMBERS, LIKE_NUMBERS | st.just(""))
REPRS = (st.floats() | st.integers(-(10**18), 10**18)).map(repr)


def by_float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) and "_" not in text else math.nan


@given(texts=st.lists(ANYTHING | DECIMALS | REPRS | st.binary(max_size=9).map(lambda raw: raw.decode("latin-1"))))
@example(texts=["", ".", "-", "-.", "..", "1.", ".5", "1..2", "--1", "-0", "0.000000000000001", "123456789.12345678"])
@example(texts=["9007199254740993", "9007199254740992", "12345678.90123456", "1234.5678.901234", "+5", "1e3", "/", ":"])
def test_numbers_are_those_of_float(texts: list[str]) -> None:
    texts = [text.translate(str.maketrans("\t\n\r", "   ")) for text in texts] or ["1"]
    block = Block("".join(f"sum:x\t{text}\n" for text in texts).encode("utf-8"))
    found, odd = numbers_of(block.values)
    for text, value, is_odd in zip(texts, found.tolist(), odd.tolist(), strict=True):
        expected = by_float(text)
        if is_odd:
            assert math.isnan(expected) or not text.isascii(), text
        else:
            assert repr(value) == repr(expected), text


def test_every_number_of_a_few_characters() -> None:
    texts = [f"{sign}{value:0{digits}}" for sign in ("", "-") for digits in (1, 4) for value in range(2000)]
    texts += [f"{whole}.{part:03}" for whole in (0, 7, 12345) for part in range(1000)]
    found, odd = numbers_of(Block("".join(f"sum:x\t{text}\n" for text in texts).encode()).values)
    assert not odd.any()
    assert np.array_equal(found, np.array(list(map(float, texts))))
