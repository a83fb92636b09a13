"""Who visits a shop: some thousand segments of unequal size, each with its country, region, device and so on.

Dimensions depend on each other as real ones do: devices and plans on the country, browsers on the device, pages on the
source. Everything is counted per segment and day, then added up into paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.explaining.world import Floats, Ints, Mask, halves, mirror
from hailwhale_django.engine.domain.crossing import MARK
from hailwhale_django.engine.domain.paths import WHOLE

Random = np.random.Generator

COUNTRIES = (
    *("US", "GB", "DE", "FR", "ES", "MX", "BR", "IN", "JP", "CA", "IT", "NL", "SE", "PL", "AU"),
    *("AR", "CL", "CO", "PT", "BE", "CH", "AT", "DK", "NO", "FI", "IE", "CZ", "GR", "TR", "ZA"),
)
DEVICES = ("mobile", "desktop", "tablet")
BROWSERS = ("chrome", "safari", "firefox", "edge", "samsung", "opera", "other")
SOURCES = (
    *("google", "direct", "newsletter", "facebook", "instagram", "bing"),
    *("partners", "tiktok", "reddit", "x", "linkedin", "podcast"),
)
PLANS = ("free", "basic", "pro", "team")
PAGES = [f"page-{at:02d}" for at in range(1, 41)]
REGIONS, CAMPAIGNS = 6, 5
"""At most, of a country and of a source."""

USED = np.array(
    [
        [0.45, 0.35, 0.01, 0.01, 0.14, 0.02, 0.02],
        [0.55, 0.14, 0.10, 0.17, 0.001, 0.03, 0.01],
        [0.30, 0.52, 0.01, 0.02, 0.13, 0.01, 0.01],
    ]
)
"""Browsers by device, in the order of the names."""

EVENLY = 0.6
"""Segments are drawn by shares to this power, so that rare children have some too; sizes make up for it."""
LARGEST = 0.01
"""No segment has a greater share of the visits."""

FIRST = ("country", "device", "browser", "source", "plan", "page")
NESTED = ("region", "campaign")
CROSSED = "crossing"


@dataclass(frozen=True)
class Level:
    """Paths that no event has two of, and which of them each segment has."""

    paths: list[str]
    code: Ints


@dataclass(frozen=True)
class Segments:
    """`size` is a share of all visits, `conversion` orders by visit, `price` revenue by order."""

    levels: dict[str, Level]
    size: Floats
    conversion: Floats
    price: Floats

    def __len__(self) -> int:
        return len(self.size)

    @cached_property
    def where(self) -> dict[str, tuple[str, int]]:
        """The level of each path, and its place there."""
        return {path: (name, at) for name, level in self.levels.items() for at, path in enumerate(level.paths)}

    def mask(self, path: str) -> Mask:
        """The segments that are counted on a path."""
        name, at = self.where[path]
        return np.asarray(self.levels[name].code == at)

    def cells(self, counts: Floats) -> dict[str, Floats]:
        """Counts `[metric, segment, day]` added up by path."""
        found = {WHOLE: counts.sum(axis=1)}
        found |= dict.fromkeys(FIRST, found[WHOLE])
        for name, sums in self._sums(counts).items():
            found |= dict(zip(self.levels[name].paths, sums.swapaxes(0, 1), strict=True))
        for crossed in self.levels[CROSSED].paths:
            country, device = halves(crossed)
            found[f"{country}/{MARK}device"] = found[country]
            found[f"{device}/{MARK}country"] = found[device]
            found[mirror(crossed)] = found[crossed]
        return found

    def _sums(self, counts: Floats) -> dict[str, Floats]:
        """By level, `[metric, child, day]`. Segments are in the order of the first grouping, which is a fine one."""
        region, device = self.levels["region"].code, self.levels["device"].code
        begin = np.flatnonzero(np.diff(region * len(DEVICES) + device, prepend=-1))
        grouped = np.add.reduceat(counts, begin, axis=1)
        places = ("country", "region", "device", CROSSED)
        return {
            name: _one_hot(level.code[begin] if name in places else level.code, len(level.paths))
            @ (grouped if name in places else counts)
            for name, level in self.levels.items()
        }


def drawn(rng: Random, segments: int) -> Segments:
    """A shop of so many segments."""
    picker = _Picker(rng, segments)
    country = picker.pick(_tilted(rng, _zipf(len(COUNTRIES), rng.uniform(0.8, 1.3)), 1, 0.3))
    region = country * REGIONS + picker.pick(_ragged(rng, len(COUNTRIES), REGIONS), country)
    device = picker.pick(_tilted(rng, np.array([0.55, 0.38, 0.07]), len(COUNTRIES), 0.35), country)
    order = np.argsort(region * len(DEVICES) + device, kind="stable")
    picker.weight, country, region, device = picker.weight[order], country[order], region[order], device[order]
    browser = picker.pick(_tilted(rng, USED, len(DEVICES), 0.2), device)
    source = picker.pick(_tilted(rng, _zipf(len(SOURCES), rng.uniform(0.7, 1.2)), len(COUNTRIES), 0.4), country)
    campaign = source * CAMPAIGNS + picker.pick(_ragged(rng, len(SOURCES), CAMPAIGNS), source)
    plan = picker.pick(_tilted(rng, np.array([0.5, 0.28, 0.15, 0.07]), len(COUNTRIES), 0.5), country)
    page = picker.pick(_tilted(rng, _zipf(len(PAGES), rng.uniform(0.7, 1.1)), len(SOURCES), 0.6), source)
    levels = {
        "country": _level([f"country/{name}" for name in COUNTRIES], country),
        "region": _level(_inner("country", COUNTRIES, REGIONS), region),
        "device": _level([f"device/{name}" for name in DEVICES], device),
        "browser": _level([f"browser/{name}" for name in BROWSERS], browser),
        "source": _level([f"source/{name}" for name in SOURCES], source),
        "campaign": _level(_inner("source", SOURCES, CAMPAIGNS), campaign),
        "plan": _level([f"plan/{name}" for name in PLANS], plan),
        "page": _level([f"page/{name}" for name in PAGES], page),
        CROSSED: _level(
            [f"country/{name}/{MARK}device/{other}" for name in COUNTRIES for other in DEVICES],
            country * len(DEVICES) + device,
        ),
    }
    size = picker.weight * rng.lognormal(0, 0.8, segments)
    size = np.minimum(size / size.sum(), LARGEST)
    conversion = rng.uniform(0.015, 0.06) * _effects(rng, levels, CONVERTING)
    price = rng.uniform(20, 120) * _effects(rng, levels, SPENDING)
    return Segments(levels, size / size.sum(), np.minimum(conversion, 0.24), price)


CONVERTING = {
    "country": 0.3,
    "region": 0.1,
    "device": 0.35,
    "browser": 0.15,
    "source": 0.4,
    "campaign": 0.2,
    "plan": 0.5,
    "page": 0.35,
    CROSSED: 0.1,
}
SPENDING = {"country": 0.25, "device": 0.15, "source": 0.1, "plan": 0.4, "page": 0.25}
"""Deviations of the log of a child's conversion rate and price from the shop's."""


class _Picker:
    """Picks children more evenly than their shares are; what is missing for that goes into the segments' weights."""

    def __init__(self, rng: Random, segments: int) -> None:
        self.rng = rng
        self.weight = np.ones(segments)

    def pick(self, shares: Floats, given: Ints | None = None) -> Ints:
        row = np.zeros(len(self.weight), dtype=np.int64) if given is None else given
        even = _normal(shares**EVENLY)
        picked = (self.rng.random((len(row), 1)) > even.cumsum(axis=1)[row, :-1]).sum(axis=1)
        self.weight = self.weight * (shares / np.maximum(even, 1e-300))[row, picked]
        return np.asarray(picked)


def _level(paths: list[str], code: Ints) -> Level:
    """Only of those paths that any segment has."""
    met, place = np.unique(code, return_inverse=True)
    return Level([paths[at] for at in met], place)


def _inner(dimension: str, names: Sequence[str], most: int) -> list[str]:
    return [f"{dimension}/{name}/{name}-{n + 1}" for name in names for n in range(most)]


def _zipf(children: int, exponent: float) -> Floats:
    return _normal(np.arange(1, children + 1.0) ** -exponent)


def _tilted(rng: Random, shares: Floats, rows: int, scale: float) -> Floats:
    """Shares for each child of another dimension, around common ones."""
    return _normal(shares * rng.lognormal(0, scale, (rows, shares.shape[-1])))


def _ragged(rng: Random, rows: int, most: int) -> Floats:
    """Shares of two to so many children each, as rows with zeros after them."""
    rank = np.arange(1, most + 1)
    shares = np.where(rank <= rng.integers(2, most + 1, (rows, 1)), rank**-0.9, 0.0)
    return _normal(shares * rng.lognormal(0, 0.3, shares.shape))


def _normal(shares: Floats) -> Floats:
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))


def _effects(rng: Random, levels: dict[str, Level], scales: dict[str, float]) -> Floats:
    log = rng.normal(0, 0.15, len(levels["country"].code))
    for name, scale in scales.items():
        log = log + rng.normal(0, scale, len(levels[name].paths))[levels[name].code]
    return np.exp(log)


def _one_hot(code: Ints, children: int) -> Floats:
    return np.asarray(code == np.arange(children)[:, None], dtype=np.float64)
