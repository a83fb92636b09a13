"""Who moved most against its own past, in worlds in which it is known who did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.explain.explanation import Mover
from hailwhale_django.engine.explain.movers import moved
from hailwhale_django.engine.explain.region import Region
from tests.engine.explain.worlds import Planted, World, detailed, flights, inquired, world

SEEDS = [1, 2, 3]


def movers(shop: World, formula: str = "visits", most: int = 10, depth: int = 2) -> list[Mover]:
    inquiry = inquired(shop, formula, depth)
    return list(moved(inquiry, detailed(shop, inquiry, inquiry.restless), most))


def paths(found: Sequence[Mover]) -> list[str]:
    return [str(one.path) for one in found]


@pytest.mark.parametrize("seed", SEEDS)
def test_where_nothing_happened_nobody_moved(seed: int) -> None:
    assert movers(world(seed=seed)) == []
    assert movers(world(seed=seed), "orders/visits") == []


@pytest.mark.parametrize("seed", SEEDS)
def test_who_fell_is_told_with_what_it_was_and_is(seed: int) -> None:
    shop = world(Planted("country/DE", 0.4), seed=seed)
    (first, *_) = movers(shop)
    before, now = shop.rows(["country/DE"])[0, -2:].sum(axis=1)[:, 0].tolist()
    assert str(first.path) == "country/DE" or first.path.parent == Path.parse("country/DE")
    (whole,) = [one for one in movers(shop, depth=1) if one.path.name == "DE"]
    assert (whole.part.before, whole.part.now, whole.part.part) == (before, now, now - before)
    assert whole.change == now - before
    assert whole.score < -3


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_the_whole_did(seed: int) -> None:
    """All doubled: all moved, and none of them stands for another's sake."""
    found = movers(world(Planted("_", 2), seed=seed), depth=1)
    assert len(found) == 10
    assert all(one.score > 3 for one in found)
    assert {one.path[0] for one in found} == {"country", "device", "source"}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_ratio_is_its_own_and_not_its_share(seed: int) -> None:
    """Twice as many visits of one device do not move anybody's orders per visit."""
    assert movers(world(Planted("device/mobile", 2), seed=seed), "orders/visits", depth=1) == []
    found = movers(world(Planted("device/mobile", 1.5, "orders"), seed=seed), "orders/visits", depth=1)
    assert paths(found)[0] == "device/mobile"
    assert found[0].part.now == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize("seed", SEEDS)
def test_of_one_and_a_part_of_it_only_one_is_told(seed: int) -> None:
    found = [Region(one.path) for one in movers(world(Planted("country/US", 1.5), seed=seed))]
    assert found
    assert not any(one.holds(other) for one in found for other in found if one is not other)


@pytest.mark.parametrize("seed", SEEDS)
def test_who_moved_in_some_of_the_days_moved(seed: int) -> None:
    """Twice as many in Germany on the last four days of a fortnight; where they come from stands out before they do."""
    found = movers(world(Planted("country/DE", 2, days=slice(10, None)), seed=seed), depth=1)
    assert paths(found)[:1] == ["country/DE"]


@pytest.mark.parametrize("seed", SEEDS)
def test_who_is_new_and_steady_moved(seed: int) -> None:
    """Exactly 40 a day in the last of eight weeks, beside two that go up and down by chance."""
    visits = np.random.default_rng(seed).poisson([100.0, 80, 0], (8, 7, 3)).astype(np.float64)
    visits[-1, :, 2] = 40
    shop = World([{"country": (name,)} for name in ("US", "DE", "FR")], np.stack([visits, visits * 0]))
    (mover,) = movers(shop)
    assert (str(mover.path), mover.change) == ("country/FR", 280)


@pytest.mark.parametrize("seed", SEEDS)
def test_of_the_same_events_under_two_names_the_shorter_is_told(seed: int) -> None:
    """Whoever comes from J to M is on the route J-M, of which there are as many more as there are less to N."""
    assert sorted(paths(movers(flights(seed)))) == ["route/J-M", "route/J-N"]


def test_those_furthest_out_come_first_and_no_more_than_are_asked_for() -> None:
    shop = world(Planted("_", 2))
    found = movers(shop, depth=1)
    scores = [abs(one.score) for one in found]
    assert scores == sorted(scores, reverse=True)
    assert movers(shop, most=3, depth=1) == found[:3]


def test_of_nothing_nobody_moved() -> None:
    assert movers(world(volume=0)) == []
