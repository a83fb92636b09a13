"""The worlds in which the players are compared, each drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from benchmarks.deciding.world import Floats, World

VISITORS, DAYS = 20_000, 50
Random = np.random.Generator

COUNTRIES = ("US", "UK", "MX", "ES", "DE")
DEVICES = ("mobile", "desktop", "tablet")
GEOGRAPHY = [(country, region) for country in COUNTRIES[:4] for region in ("north", "middle", "south")]


def _world(
    rng: Random,
    name: str,
    known: Sequence[dict[str, Any]],
    chance: Floats,
    *,
    kind: str = "revenue",
    size: Floats | float = 1.0,
    tail: float = 0.0,
    delay: float = 0.0,
    **settings: Any,
) -> World:
    """Visitors of unequal contexts; sizes are lognormal around 1 with a log deviation of `tail`."""
    chance = np.asarray(chance, dtype=np.float64).reshape(-1, len(known), np.shape(chance)[-1])
    shares = rng.dirichlet(np.full(len(known), 3.0))
    tails = np.broadcast_to(np.atleast_1d(tail), 2) if np.ndim(tail) == 0 else np.asarray(tail)
    return World(
        name,
        kind,
        known,
        context=rng.choice(len(known), VISITORS, p=shares),
        chance=np.clip(chance, 0.0, 1.0),
        size=np.broadcast_to(np.asarray(size, dtype=np.float64), chance.shape),
        luck=rng.random(VISITORS),
        sizes=np.exp(rng.normal(0, 1, (VISITORS, 2)) * tails - tails**2 / 2),
        delays=rng.exponential(delay, VISITORS) if delay else np.zeros(VISITORS),
        days=DAYS,
        **settings,
    )


def _shuffled(rng: Random, chances: Sequence[float]) -> Floats:
    return rng.permutation(np.asarray(chances, dtype=np.float64))


def languages(rng: Random) -> World:
    """The README's first: an English or a Spanish page by country and device; $100 a sale, give or take."""
    known = [{"country": country, "device": device} for country, device in product(COUNTRIES, DEVICES[:2])]
    spanish = np.array([entry["country"] in ("MX", "ES") for entry in known])
    english = np.where(spanish, 0.02, 0.05)[:, None]
    chance = np.hstack([english, 0.07 - english]) * rng.uniform(0.7, 1.3, (len(known), 1))
    return _world(rng, "languages by country", known, chance, size=100.0, tail=0.5)


def spending(rng: Random) -> World:
    """Its second: three pages by country, spent/earned minimised; what is earned comes as an event of its own."""
    known = [{"country": country} for country in COUNTRIES]
    chance = 0.06 * np.exp(rng.normal(0, 0.3, (len(known), 1)) + rng.normal(0, 0.35, (len(known), 3)))
    return _world(rng, "spent/earned by country", known, chance, kind="spent", size=25.0, tail=0.5)


def pages(rng: Random) -> World:
    """Its third: which of three pages, by country; a visitor buys or does not."""
    known = [{"country": country} for country in COUNTRIES]
    chance = 0.06 * np.exp(rng.normal(0, 0.3, (len(known), 1)) + rng.normal(0, 0.35, (len(known), 3)))
    return _world(rng, "three pages by country", known, chance)


def three_gaps(rng: Random) -> World:
    """Three options with small gaps, the same for everybody, whose country and device are known to no purpose."""
    known = [{"country": country, "device": device} for country, device in product(COUNTRIES[:3], DEVICES[:2])]
    return _world(rng, "three small gaps", known, np.tile(_shuffled(rng, [0.05, 0.06, 0.07]), (len(known), 1)))


def ten_gaps(rng: Random) -> World:
    """The same with ten options."""
    known = [{"country": country, "device": device} for country, device in product(COUNTRIES[:3], DEVICES[:2])]
    return _world(rng, "ten small gaps", known, np.tile(_shuffled(rng, np.linspace(0.05, 0.07, 10)), (len(known), 1)))


def _places() -> list[dict[str, Any]]:
    return [
        {"country": {country: region}, "device": device} for (country, region), device in product(GEOGRAPHY, DEVICES)
    ]


def _nested(rng: Random, options: int, interaction: float) -> tuple[list[dict[str, Any]], Floats]:
    """12 regions in 4 countries x 3 devices; the segments differ, and each may prefer another option."""
    country, region, device = np.indices((4, 3, 3)).reshape(3, -1)
    place = 3 * country + region

    def effect(scale: float, columns: int) -> Floats:
        cells = np.arange(36)
        return np.asarray(
            rng.normal(0, scale, (4, columns))[country]
            + rng.normal(0, scale * 0.7, (12, columns))[place]
            + rng.normal(0, scale, (3, columns))[device]
            + rng.normal(0, scale * 0.5, (36, columns))[cells]
        )

    log = effect(0.35, 1) + rng.normal(0, 0.2, options)
    if interaction:
        log = log + effect(interaction, options)
    return _places(), 0.06 * np.exp(log)


def interacting(rng: Random) -> World:
    """Geography x device: what is best differs by both; revenue per visitor with heavy tails."""
    known, chance = _nested(rng, 5, 0.25)
    size = 40 * np.exp(rng.normal(0, 0.1, (1, 1, 5)))
    return _world(rng, "by place and device", known, chance, size=size * np.ones((1, 36, 1)), tail=1.2)


def common(rng: Random) -> World:
    """The same, but one option is best for everybody."""
    known, chance = _nested(rng, 5, 0.0)
    return _world(rng, "the same for all places", known, chance, size=40.0, tail=1.2)


def flip(rng: Random) -> World:
    """Half-way, what was best becomes worst, and the other way round."""
    known = [{"country": country, "device": device} for country, device in product(COUNTRIES[:3], DEVICES[:2])]
    before = _shuffled(rng, [0.04, 0.06, 0.09])
    chance = np.stack([np.tile(one, (len(known), 1)) for one in (before, 0.13 - before - (before == 0.06) * 0.01)])
    segments = np.exp(rng.normal(0, 0.3, (1, len(known), 1)))
    return _world(rng, "best flips half-way", known, chance * segments)


def cost(rng: Random) -> World:
    """Four processors' fees per amount, minimised: amounts are heavy-tailed, fees scatter around their rate."""
    known = [{"country": country, "device": device} for country, device in product(COUNTRIES[:3], DEVICES[:2])]
    rate = 0.03 * np.exp(rng.normal(0, 0.1, (1, len(known), 1)) + _shuffled(rng, [0.0, 0.04, 0.08, 0.12]))
    return _world(rng, "cost per amount", known, np.ones_like(rate), kind="cost", size=rate, tail=np.array([0.7, 0.5]))


def delayed(rng: Random) -> World:
    """Sales come two days after the visit, as events of their own; and news is heard twice a day only."""
    known = [{"country": country, "device": device} for country, device in product(COUNTRIES[:3], DEVICES[:2])]
    chance = 0.06 * np.exp(rng.normal(0, 0.2, (len(known), 1)) + rng.normal(0, 0.2, (3, 4))[np.arange(6) // 2])
    return _world(rng, "delayed and batched", known, chance, size=30.0, tail=0.7, delay=2.0, batch=200)


ENVIRONMENTS: dict[str, Callable[[Random], World]] = {
    one.__name__: one
    for one in (languages, spending, pages, three_gaps, ten_gaps, interacting, common, flip, cost, delayed)
}


def world(name: str, seed: int, visitors: int = VISITORS) -> World:
    """A world as a seed has it; of fewer visitors, if so many are not wanted."""
    drawn = ENVIRONMENTS[name](np.random.default_rng([seed, list(ENVIRONMENTS).index(name)]))
    return replace(drawn, context=drawn.context[:visitors])
