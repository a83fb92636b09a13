"""Small worlds of visits and orders in which it is known what changed, asked as the explainer asks a store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from hailwhale_django.engine.domain.formula import parse
from hailwhale_django.engine.domain.paths import ROOT, Path
from hailwhale_django.engine.domain.values import Floats
from hailwhale_django.engine.explain.detail import Detail
from hailwhale_django.engine.explain.inquiry import Findings, Inquiry
from hailwhale_django.engine.explain.measure import Measure
from hailwhale_django.engine.explain.region import Region
from hailwhale_django.engine.explain.report import Report
from hailwhale_django.engine.explain.seen import Seen

LEAVES = ("visits", "orders")
ORDERS_PER_VISIT = 0.2

SHOP: dict[str, list[str]] = {
    "country": ["US/CA", "US/NY", "US/TX", "DE/BE", "DE/BY", "FR/75", "FR/69", "GB/LDN", "IT/RM"],
    "device": ["mobile", "desktop", "tablet"],
    "source": ["search", "mail", "ads", "direct"],
}


class Planted(NamedTuple):
    """On a path, visits or orders are so many times as many, in some days of a period (0 is the last one)."""

    path: str
    factor: float
    leaf: str = "visits"
    days: slice = slice(None)
    period: int = 0


@dataclass(frozen=True)
class World:
    """Who came: `cells` [leaf, period, day, cell], the latest period last; a cell has a value of each dimension."""

    values: Sequence[Mapping[str, tuple[str, ...]]]
    cells: Floats

    def rows(self, paths: Sequence[str]) -> Floats:
        """[leaf, period, day, path]"""
        return np.stack([self.cells[..., self._on(path)].sum(axis=-1) for path in paths], axis=-1)

    def names(self, table: str) -> list[str]:
        """The children of a table that anybody was counted on."""
        *within, (dimension, above) = told(table)
        found = dict.fromkeys(
            value[dimension][len(above)]
            for value, seen in zip(self.values, self.cells.any(axis=(0, 1, 2)).tolist(), strict=True)
            if seen and len(value[dimension]) > len(above) and lies(value, [*within, (dimension, above)])
        )
        return list(found)

    def swapped(self) -> World:
        """With the last two periods in each other's place."""
        order = [*range(self.cells.shape[1] - 2), -1, -2]
        return World(self.values, self.cells[:, order])

    def _on(self, path: str) -> list[int]:
        """The cells that are counted on a path."""
        return [at for at, value in enumerate(self.values) if lies(value, told(path))]


def told(path: str) -> list[tuple[str, tuple[str, ...]]]:
    """What a path says, dimension by dimension."""
    if path == "_":
        return []
    found = [part.split("/") for part in path.split("/×")]
    return [(names[0], tuple(names[1:])) for names in found]


def lies(value: Mapping[str, tuple[str, ...]], within: Iterable[tuple[str, tuple[str, ...]]]) -> bool:
    return all(value[dimension][: len(names)] == names for dimension, names in within)


def world(
    *planted: Planted,
    seed: int = 1,
    dimensions: Mapping[str, Sequence[str]] = SHOP,
    volume: float = 4000,
    periods: int = 8,
    days: int = 14,
) -> World:
    """Visits come by chance, so many a day; the first values of each dimension have the most of them."""
    rng = np.random.default_rng(seed)
    drawn = list(product(*dimensions.values()))
    values = [
        {name: tuple(text.split("/")) for name, text in zip(dimensions, texts, strict=True)} for texts in drawn
    ]  # fmt: skip
    weights = np.ones(len(values))
    for at, texts in enumerate(dimensions.values()):
        weights *= [1 / (3 + texts.index(chosen[at])) for chosen in drawn]
    rates = np.broadcast_to(volume * weights / weights.sum(), (periods, days, len(values))).copy()
    chances = np.full_like(rates, ORDERS_PER_VISIT)
    for one in planted:
        on = [at for at, value in enumerate(values) if lies(value, told(one.path))]
        assert on, one.path
        (rates if one.leaf == "visits" else chances)[periods - 1 - one.period, one.days][:, on] *= one.factor
    visits = rng.poisson(rates)
    return World(values, np.stack([visits, rng.binomial(visits, chances)]).astype(np.float64))


def flights(seed: int, to_m: float = 1.6, to_n: float = 0.4) -> World:
    """Who flies from where to where, which is told as a route, too; from J so many times as many to M and to N."""
    routes = ["J-M", "J-N", "K-M", "K-N", "L-N"]
    values: list[dict[str, tuple[str, ...]]] = [
        {"origin": tuple(route.split("-")), "route": (route,)} for route in routes
    ]  # fmt: skip
    rates = np.full((8, 14, len(routes)), 400.0)
    rates[-1] *= [to_m, to_n, 1, 1, 1]
    visits = np.random.default_rng(seed).poisson(rates).astype(np.float64)
    return World(values, np.stack([visits, np.zeros_like(visits)]))


class Asked(NamedTuple):
    """What came of asking."""

    inquiry: Inquiry
    detail: Detail
    findings: Findings

    @property
    def regions(self) -> list[Region]:
        return [self.inquiry.tables.region(row) for row in self.inquiry.candidates]

    @property
    def paths(self) -> list[str]:
        """Of the causes, those that tell most first."""
        return [str(self.regions[cause.at].path) for cause in self.findings.causes]

    def report(self, limit: int = 10) -> Report:
        return Report(self.inquiry, self.findings, self.detail, limit)


def ask(shop: World, formula: str = "visits", depth: int = 2, *, crossed: bool = True, most: int = 5) -> Asked:
    inquiry = inquired(shop, formula, depth, crossed=crossed)
    detail = detailed(shop, inquiry, inquiry.candidates)
    return Asked(inquiry, detail, inquiry.causes(detail, most))


def inquired(shop: World, formula: str, depth: int, *, crossed: bool = True) -> Inquiry:
    measure = Measure(parse(formula))
    leaves = leaves_of(measure)
    whole = shop.rows(["_"])[leaves][..., 0].sum(axis=2)
    inquiry = Inquiry(Region(ROOT), measure, whole[:, -2], whole[:, -1], np.zeros(0), np.zeros(0))
    dimensions = list(shop.values[0])
    tables = list(seen(shop, leaves, dimensions))
    for _ in range(depth):
        inquiry.add(tables)
        below = []
        for region in inquiry.promising(tables):
            others = [name for name in dimensions if name not in region.values] if crossed else []
            below += [str(region.path), *(f"{region.path}/×{name}" for name in others)]
        tables = list(seen(shop, leaves, below))
    return inquiry


def leaves_of(measure: Measure) -> list[int]:
    return [LEAVES.index(leaf.name) for leaf in measure.leaves]


def seen(shop: World, leaves: list[int], tables: Iterable[str]) -> Iterator[Seen]:
    for table in tables:
        if names := shop.names(table):
            sums = shop.rows([f"{table}/{name}" for name in names])[leaves].sum(axis=2)
            yield Seen(Path.parse(table), names, sums[:, -2], sums[:, -1])


def detailed(shop: World, inquiry: Inquiry, rows: Sequence[int]) -> Detail:
    leaves = leaves_of(inquiry.measure)
    whole = shop.rows(["_"])[leaves][..., 0]
    paths = [str(inquiry.tables.region(row).path) for row in rows]
    cells = shop.rows(paths)[leaves] if paths else np.zeros((*whole.shape, 0))
    past, whole_past = cells[:, -2::-1].sum(axis=2), whole[:, -2::-1].sum(axis=2)
    return Detail(cells[:, -2], cells[:, -1], whole[:, -2], whole[:, -1], past, whole_past)
