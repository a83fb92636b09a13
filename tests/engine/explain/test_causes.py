"""What is named, in small worlds of chance in which it is known what changed; and what is not named besides."""

from __future__ import annotations

import pytest

from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.explain.region import Region
from tests.engine.explain.worlds import Asked, Planted, ask, flights, world

SEEDS = [1, 2, 3]

ONE: dict[str, tuple[str, Planted]] = {
    "more of one": ("visits", Planted("device/mobile", 1.5)),
    "less of one": ("visits", Planted("country/DE", 0.6)),
    "a part of one": ("visits", Planted("country/US/NY", 1.6)),
    "where two meet": ("visits", Planted("country/US/×device/mobile", 1.6)),
    "all of it is gone": ("visits", Planted("country/IT", 0)),
    "a better ratio": ("orders/visits", Planted("device/mobile", 1.5, "orders")),
    "a worse ratio of a part": ("orders/visits", Planted("country/US/NY", 0.6, "orders")),
    "a better ratio where two meet": ("orders/visits", Planted("country/US/×device/mobile", 1.6, "orders")),
    "half of the days": ("visits", Planted("source/ads", 1.8, days=slice(7, None))),
}
every_one = pytest.mark.parametrize(("formula", "planted"), ONE.values(), ids=ONE.keys())
every_seed = pytest.mark.parametrize("seed", SEEDS)


def same(found: list[str], expected: list[str]) -> bool:
    """However their paths are written: of what is crossed either way will do, and a value for its only child."""
    return [key(one) for one in found] == [key(one) for one in expected]


def key(path: str) -> frozenset[tuple[str, tuple[str, ...]]]:
    region = Region(Path.parse("country/IT" if path == "country/IT/RM" else path))
    return region.key


# --- one cause


@every_one
@every_seed
def test_what_changed_is_named_and_nothing_else(formula: str, planted: Planted, seed: int) -> None:
    """Neither what holds it, nor what lies within it, nor what shares events with it, nor those it stands out from."""
    assert same(ask(world(planted, seed=seed), formula).paths, [planted.path])


@every_one
def test_swapped_periods_name_the_same(formula: str, planted: Planted) -> None:
    """Of a shop that has just opened: there is no past in which it was otherwise. All days of a period are alike."""
    shop = world(planted._replace(days=slice(None)), periods=2)
    assert same(ask(shop, formula).paths, [planted.path])
    assert same(ask(shop.swapped(), formula).paths, [planted.path])


@every_seed
def test_who_is_new_is_named(seed: int) -> None:
    before = [Planted("country/IT", 0, period=period) for period in range(1, 8)]
    assert same(ask(world(*before, seed=seed)).paths, ["country/IT"])


@every_seed
def test_where_dimensions_are_not_crossed_the_value_is_named(seed: int) -> None:
    """What is in truth where two meet is seen in both, and in nobody else."""
    assert ask(world(Planted("device/mobile", 1.5), seed=seed), crossed=False).paths == ["device/mobile"]
    met = ask(world(Planted("country/US/×device/mobile", 1.6), seed=seed), crossed=False)
    assert met.paths
    assert set(met.paths) <= {"country/US", "device/mobile"}


@every_seed
def test_its_effect_is_what_was_planted(seed: int) -> None:
    """Half as many more again: a third of what mobile has now, give or take what comes by chance."""
    shop = world(Planted("device/mobile", 1.5), seed=seed)
    (cause,) = ask(shop).findings.causes
    has_now = shop.rows(["device/mobile"])[0, -1].sum()
    assert cause.effect == pytest.approx(has_now / 3, rel=0.1)
    assert cause.score > 4


@every_seed
def test_the_sign_of_its_effect(seed: int) -> None:
    (less,) = ask(world(Planted("country/DE", 0.6), seed=seed)).findings.causes
    assert less.effect < 0
    assert less.score < -4


@pytest.mark.parametrize("path", ["device/mobile", "country/DE", "country/US/×device/mobile"])
def test_the_end_of_what_happened_but_once_is_named_as_its_beginning_was(path: str) -> None:
    """Six periods as always, one with 50% more, then as always."""
    found = [ask(world(Planted(path, 1.5, period=1), seed=seed)).paths for seed in SEEDS]
    assert all(same(paths, [path]) for paths in found)


@pytest.mark.parametrize(("factor", "days"), [(10, 1), (10, 2), (2.5, 2), (0, 3)])
def test_what_happened_in_a_few_days_is_named(factor: float, days: int) -> None:
    """Ten times as many mobiles on two days of a fortnight, or none for three."""
    planted = Planted("device/mobile", factor, days=slice(5, 5 + days))
    assert [ask(world(planted, seed=seed)).paths for seed in SEEDS] == [["device/mobile"]] * len(SEEDS)


def test_of_a_shop_in_one_country_its_states_are_looked_into() -> None:
    dimensions = {"country": ["US/CA", "US/NY", "US/TX", "US/WA"], "device": ["mobile", "desktop"]}
    shop = world(Planted("country/US/NY", 1.6), dimensions=dimensions)
    assert ask(shop).paths == ["country/US/NY"]


# --- several


@every_seed
def test_two_causes_in_two_dimensions(seed: int) -> None:
    shop = world(Planted("country/DE", 1.6), Planted("source/mail", 0.6), seed=seed)
    assert set(ask(shop).paths) == {"country/DE", "source/mail"}


@every_seed
def test_two_causes_against_each_other_in_one_dimension(seed: int) -> None:
    shop = world(Planted("country/DE", 1.6), Planted("country/FR", 0.5), seed=seed)
    assert set(ask(shop).paths) == {"country/DE", "country/FR"}


@every_seed
def test_two_causes_against_each_other_where_dimensions_are_not_crossed(seed: int) -> None:
    shop = world(Planted("country/US/CA", 0.5), Planted("device/tablet", 1.6), seed=seed)
    assert set(ask(shop, crossed=False).paths) == {"country/US/CA", "device/tablet"}


@every_seed
def test_of_the_same_events_under_two_names_the_shorter_is_named(seed: int) -> None:
    """Whoever comes from J to N is on the route J-N, on which there are fewer; on J-M there are as many more, or from
    J altogether, with still fewer of them to N: these tell the same.
    """
    found = set(ask(flights(seed), crossed=False).paths)
    assert found in ({"route/J-M", "route/J-N"}, {"origin/J", "route/J-N"})


@pytest.mark.parametrize("crossed", [False, True])
@every_seed
def test_neither_what_holds_the_twin_of_a_cause_nor_what_it_is_anyway_is_named_beside_it(
    seed: int, crossed: bool
) -> None:
    """From J to M there are more, which is route J-M; origin J did nothing else, and all on that route come from J."""
    assert ask(flights(seed, to_n=1), crossed=crossed).paths == ["route/J-M"]


def test_no_more_are_named_than_are_asked_for() -> None:
    shop = world(Planted("country/DE", 1.6), Planted("source/mail", 0.6))
    both, first = ask(shop), ask(shop, most=1)
    assert first.paths == both.paths[:1]
    assert ask(shop, most=0).paths == []


# --- none


def nobody(found: Asked) -> bool:
    return found.findings.causes == []


@every_seed
@pytest.mark.parametrize("formula", ["visits", "orders", "orders/visits", "visits - orders"])
@pytest.mark.parametrize("periods", [2, 8])
def test_where_nothing_happened_nobody_is_named(formula: str, periods: int, seed: int) -> None:
    assert nobody(ask(world(seed=seed, periods=periods), formula))


@every_seed
@pytest.mark.parametrize(
    ("formula", "planted"),
    [
        ("visits", Planted("_", 1.5)),
        ("visits", Planted("_", 0.3)),
        ("orders/visits", Planted("_", 1.4, "orders")),
        ("visits", Planted("_", 1.8, days=slice(10, None))),
    ],
)
def test_where_all_changed_alike_nobody_is_named(formula: str, planted: Planted, seed: int) -> None:
    assert nobody(ask(world(planted, seed=seed), formula))


@every_seed
def test_more_of_one_that_is_like_the_whole_does_not_move_a_ratio(seed: int) -> None:
    assert nobody(ask(world(Planted("device/mobile", 2), seed=seed), "orders/visits"))


@every_seed
def test_with_too_few_buckets_and_no_past_nobody_is_named(seed: int) -> None:
    """Two days: nothing says what is ordinary but that all others were much the same."""
    assert nobody(ask(world(seed=seed, periods=2, days=1)))


def test_who_is_nearly_all_there_is_is_no_part_to_speak_of() -> None:
    only = {"shop": ["web"], "device": ["mobile", "desktop"]}
    found = ask(world(Planted("shop/web", 1.5), dimensions=only))
    assert nobody(found)
    assert "shop/web" not in [str(region.path) for region in found.regions]


def test_of_a_shop_without_dimensions_nobody_is_named() -> None:
    found = ask(world(Planted("_", 1.5), dimensions={"shop": ["web"]}), depth=1)
    assert found.paths == []
