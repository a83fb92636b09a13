"""Histograms, against counting every value by its decimal digits."""

from __future__ import annotations

import math
import sys
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.simmer.histogram import Histogram
from hailwhale_django.engine.simmer.quantiles import Percentile


def told(bars: int, values: list[float]) -> str:
    return Histogram(bars).present(Histogram(bars).prepare(list(map(repr, values))))


@pytest.mark.parametrize(
    ("bars", "values", "text"),
    [
        (10, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "1:1,2:1,3:1,4:1,5:1,6:1,7:1,8:1,9:1,10:1"),
        (5, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "2:2,4:2,6:2,8:2,10:2"),
        (4, [0, 1, 5, 100], "0:1,50:2,100:1"),
        (10, [0.1, 0.2, 0.3, 1.1], "0.2:2,0.4:1,0.6:0,0.8:0,1:0,1.2:1"),
        (2, [-5, 5], "0:1,10:1"),
        (10, [7, 7, 7], "7:3"),
        (10, [0, 0], "0:2"),
        (3, [1e20, 3e20], "1e+20:1,2e+20:0,3e+20:1"),
        (2, [sys.float_info.max, -sys.float_info.max], "0:1,inf:1"),
        (2, [5e-324, 1e-323], "1e-300:2"),
    ],
)
def test_by_hand(bars: int, values: list[float], text: str) -> None:
    assert told(bars, values) == text


@given(
    values=st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=60),
    bars=st.integers(2, 40),
    power=st.integers(0, 4),
)
def test_every_value_is_in_its_bar(values: list[int], bars: int, power: int) -> None:
    """Numbers of up to four decimal places, whose bars are known from whole numbers."""
    found = Histogram(bars)
    pairs = found.bars(found.prepare([repr(value / 10**power) for value in values]))
    assert len(pairs) <= bars
    if len(set(values)) == 1:
        return
    edges = [Fraction(repr(edge)) * 10**power for edge, _ in pairs]
    expected = Counter(min(edge for edge in edges if edge >= value) for value in values)
    assert [expected[edge] for edge in edges] == [count for _, count in pairs]
    widths = {high - low for low, high in zip(edges, edges[1:], strict=False)}
    assert len(widths) <= 1, "all are equally wide"


def test_many_values_are_in_their_bar_or_one_percent_from_it() -> None:
    values = np.random.default_rng(1).gamma(2, 40, 50_000)
    found = Histogram(20)
    pairs = found.bars(found.prepare(list(map(repr, values.tolist()))))
    assert sum(count for _, count in pairs) == 50_000
    up_to = 0
    for edge, count in pairs:
        up_to += count
        assert (values <= edge / 1.01 - 2**-15).sum() <= up_to <= (values <= edge).sum()


def test_it_shares_its_states_with_percentiles() -> None:
    state = Percentile(50).prepare(["1", "2", "3"])
    assert Histogram().kind == Percentile().kind
    assert Histogram(3).present(state) == "1:1,2:1,3:1"
    assert math.isclose(Percentile(50).measure(Histogram().load(Histogram().dump(state))), 2, abs_tol=1e-4)
