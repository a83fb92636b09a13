"""This package's own answer: the causes that an inquiry finds, asked of a world as the explainer asks a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.explaining.world import Floats, World
from hailwhale_django.engine.domain.crossing import MARK
from hailwhale_django.engine.domain.formula import parse
from hailwhale_django.engine.domain.paths import ROOT, WHOLE, Path
from hailwhale_django.engine.explain.detail import Detail
from hailwhale_django.engine.explain.inquiry import Inquiry
from hailwhale_django.engine.explain.measure import Measure
from hailwhale_django.engine.explain.region import Region
from hailwhale_django.engine.explain.seen import Seen

LEVELS = 2
MOST_ANSWERS = 3


def answer(world: World) -> list[str]:
    """The paths of up to three causes."""
    return [str(path) for path in causes(world)[:MOST_ANSWERS]]


def causes(world: World) -> list[Path]:
    measure = Measure(parse(world.formula))
    reading = _Reading(world, measure)
    before, now = reading.sums([WHOLE])
    inquiry = Inquiry(Region(ROOT), measure, before[:, 0], now[:, 0], np.zeros(0), np.zeros(0))
    tables = list(reading.seen(map(Path.parse, world.children(WHOLE))))
    for _ in range(LEVELS):
        inquiry.add(tables)
        below = inquiry.promising(tables)
        tables = list(reading.seen(table for region in below for table in reading.tables_below(region)))
    regions = [inquiry.tables.region(row) for row in inquiry.candidates]
    found = inquiry.causes(reading.detail(regions), MOST_ANSWERS)
    return [regions[cause.at].path for cause in found.causes]


class _Reading:
    def __init__(self, world: World, measure: Measure) -> None:
        self.world = world
        self.terms = [world.metrics.index(leaf.name) for leaf in measure.leaves]

    def cells(self, paths: Sequence[str]) -> Floats:
        """[leaf, period, day, path]"""
        found = np.stack([self.world.cells[path][self.terms] for path in paths], axis=2)
        return found.reshape(len(self.terms), -1, self.world.days, len(paths))

    def sums(self, paths: Sequence[str]) -> tuple[Floats, Floats]:
        periods = self.cells(paths)[:, -2:].sum(axis=2)
        return periods[:, 0], periods[:, 1]

    def seen(self, tables: Iterable[Path]) -> Iterable[Seen]:
        for table in tables:
            if paths := self.world.children(str(table)):
                yield Seen(table, [Path.parse(path).name for path in paths], *self.sums(paths))

    def tables_below(self, region: Region) -> list[Path]:
        """A value's own children, and the dimensions that are crossed with it."""
        others = [Path.parse(path).name for path in self.world.children(WHOLE)]
        return [region.path, *(region.path.child(f"{MARK}{name}") for name in others)]

    def detail(self, candidates: Sequence[Region]) -> Detail:
        cells = self.cells([str(one.path) for one in candidates])
        whole = self.cells([WHOLE])[..., 0]
        past, whole_past = cells[:, -2::-1].sum(axis=2), whole[:, -2::-1].sum(axis=2)
        return Detail(cells[:, -2], cells[:, -1], whole[:, -2], whole[:, -1], past, whole_past)
