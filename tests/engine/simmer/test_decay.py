"""Decayed sums, against powers of two worked out by fractions and decimals."""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.simmer.decay import Decay, end_of_day
from hailwhale_django.engine.simmer.heavy import Top

LOS_ANGELES = ZoneInfo("America/Los_Angeles")


def test_the_readme() -> None:
    """The state that its machine value holds; what it prints there has lost digits in the ancestor's own arithmetic."""
    found = Decay()
    end = datetime(2013, 4, 9, tzinfo=LOS_ANGELES).timestamp()
    assert float(found.present(found.prepare(["1365187171:100"]), end)) == pytest.approx(8.752114744797748, rel=1e-11)


def test_the_readmes_three_rows() -> None:
    found = Decay()
    state = found.prepare(["1365187171:100", "1365100771:100", "1365014371:100"])
    end = end_of_day(1365187171, LOS_ANGELES)
    assert end == 1365231600
    assert found.measure(state, end) == pytest.approx(122.52960642696506, rel=1e-11)


def test_a_value_loses_half_in_a_half_life() -> None:
    found = Decay(60)
    state = found.prepare(["0:8", "60:4", "120:-1"])
    assert state == (120, 3.0), "2 + 2 - 1"
    assert found.present(state, 180) == "1.5"
    assert found.present(state, 60) == "3", "not blown up"
    assert found.present(state) == "3"


@given(
    stamps=st.lists(st.tuples(st.integers(0, 10**6), st.integers(-1000, 1000)), min_size=1, max_size=30),
    half_life=st.sampled_from([1, 60, 86_400, 10**10]),
    seed=st.integers(0, 2**32),
)
def test_any_split_is_within_the_stated_error(stamps: list[tuple[int, int]], half_life: int, seed: int) -> None:
    found, chance = Decay(half_life), random.Random(seed)
    states = [found.prepare([f"{at}:{value}"]) for at, value in chance.sample(stamps, len(stamps))]
    while len(states) > 1:
        left, right = (states.pop(chance.randrange(len(states))) for _ in "lr")
        states.append(found.load(found.dump(found.merge(left, right))))
    as_of = max(at for at, _ in stamps)
    with localcontext(prec=50):
        weights = [Decimal(2) ** (Decimal(at - as_of) / half_life) for at, _ in stamps]
        true = sum(value * weight for (_, value), weight in zip(stamps, weights, strict=True))
        size = sum(abs(value) * weight for (_, value), weight in zip(stamps, weights, strict=True))
    assert abs(Decimal(found.measure(states[0], as_of)) - true) <= size * Decimal("1e-9") + Decimal("1e-300")


def test_ranks_are_as_of_one_instant_when_there_are_too_many_items() -> None:
    """The old values are larger, but would be the smaller ones today."""
    found = Top(1, Decay(60))
    state = found.prepare([f"old{n}:0:{1000 + n}" for n in range(700)] + [f"new{n}:6000:{1 + n}" for n in range(500)])
    assert all(item.startswith("new") for item in state.items)
    assert found.present(state, 6000) == "new499:500"


def test_sums_that_no_double_holds() -> None:
    found = Decay()
    assert found.prepare(["5:1.7e308", "5:1.7e308"]) == (5, sys.float_info.max)
    assert found.prepare(["5:-1.7e308", "5:-1.7e308"]) == (5, -sys.float_info.max)
    assert found.prepare(["-1e308:1", "1e308:2"]) == (1e308, 2.0)


@pytest.mark.parametrize(
    ("now", "zone", "end"),
    [
        (datetime(2026, 11, 22, 7, tzinfo=UTC), UTC, datetime(2026, 11, 23, tzinfo=UTC)),
        (datetime(2026, 11, 22, tzinfo=UTC), UTC, datetime(2026, 11, 23, tzinfo=UTC)),
        (datetime(2026, 11, 1, 5, tzinfo=UTC), LOS_ANGELES, datetime(2026, 11, 1, 7, tzinfo=UTC)),
        (datetime(2026, 11, 1, 8, tzinfo=UTC), LOS_ANGELES, datetime(2026, 11, 2, 8, tzinfo=UTC)),
    ],
)
def test_a_day_ends_at_the_next_midnight(now: datetime, zone: ZoneInfo, end: datetime) -> None:
    """The last one is of 25 hours."""
    assert end_of_day(now.timestamp(), zone) == end.timestamp()
