"""The engine's policies as players: evidence in memory where the system has it in Redis, read by cells as there."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.deciding.play import Visits
from benchmarks.deciding.world import Floats, Ints, World
from hailwhale_django.engine.decide.evidence import DD, ND, NY, YD, YY, D, Evidence, Fit, History, N, Policy, Y

REFIT_VISITORS = 500
FLOOR = 0.0


class Memory:
    """The eight sums by day, context and option; a cell's are those of the contexts in it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.options = tuple(f"option {number}" for number in range(world.options))
        self.sums = np.zeros((world.days, len(world.known), world.options, 8))
        self.expected = np.zeros((world.days, world.options))
        self.cells = sorted({cell for cells in world.cells for cell in cells})
        self.member = np.array([[cell in cells for cells in world.cells] for cell in self.cells], dtype=np.float64)
        self.of_context = [[self.cells.index(cell) for cell in cells] for cells in world.cells]

    def add(self, day: Ints, context: Ints, option: Ints, y: Floats, d: Floats) -> None:
        has_y, has_d = y != 0, d != 0
        eight = np.zeros((len(y), 8))
        for column, values in {
            N: has_y | has_d, Y: y, D: d, YY: y * y, DD: d * d, YD: y * d, NY: has_y, ND: has_d
        }.items():  # fmt: skip
            eight[:, column] = values
        np.add.at(self.sums, (day, context, option), eight)

    def by_cell(self, since: int) -> Floats:
        """[cell, option, sum]"""
        return np.tensordot(self.member, self.sums[since:].sum(axis=0), axes=1)

    def history(self, since: int, today: int) -> History:
        cells = self.by_cell(since)
        levels: dict[str, list[int]] = {}
        for at, cell in enumerate(self.cells):
            if cell.level:
                levels.setdefault(cell.level, []).append(at)
        days = self.sums[: today + 1].sum(axis=1)
        tables = {level: cells[rows] for level, rows in levels.items()}
        return History(self.options, tables, days, self.expected[: today + 1], self.world.minimize)


class EnginePlayer:
    """A policy of the engine; refits on a schedule, and judges each context once for every batch."""

    def __init__(self, policy: Policy, world: World, rng: np.random.Generator) -> None:
        self.policy, self.world, self.rng = policy, world, rng
        self.memory = Memory(world)
        self.told = np.zeros(world.visitors)
        self.fit: Fit | None = None
        self.fitted = 0
        self.day = 0

    def choose(self, visitors: Ints) -> Ints:
        self.day = int(self.world.day(visitors[0]))
        if visitors[0] - self.fitted >= REFIT_VISITORS:
            self._refit(int(visitors[0]))
        cells = self.memory.by_cell(self.fit.since if self.fit else 0)
        chosen = np.zeros(len(visitors), dtype=np.int64)
        contexts = self.world.context[visitors]
        for context in np.unique(contexts):
            which = np.flatnonzero(contexts == context)
            chosen[which] = self._decide(int(context), cells, visitors[which])
        return chosen

    def _decide(self, context: int, cells: Floats, visitors: Ints) -> Ints:
        rows = self.memory.of_context[context]
        known = tuple(self.memory.cells[row] for row in rows)
        evidence = Evidence(self.memory.options, known, cells[rows].swapaxes(0, 1), self.world.minimize)
        judged = self.policy.judge(evidence, self.fit)
        shares = (1 - FLOOR) * judged.probability + FLOOR / len(judged.probability)
        options = self.rng.choice(len(shares), len(visitors), p=shares / shares.sum())
        self.told[visitors] = judged.mean[options]
        return np.asarray(options)

    def _refit(self, visitor: int) -> None:
        before = self.fit.since if self.fit else 0
        self.fit = self.policy.fit(self.memory.history(before, self.day))
        if self.fit.since != before:
            self.fit = self.policy.fit(self.memory.history(self.fit.since, self.day))
        self.fitted = visitor

    def visited(self, visits: Visits, now_y: Floats, now_d: Floats) -> None:
        self._add(visits, now_y, now_d)

    def earned(self, visits: Visits, then_y: Floats, then_d: Floats) -> None:
        self._add(visits, then_y, then_d)

    def _add(self, visits: Visits, y: Floats, d: Floats) -> None:
        day = np.full(len(y), self.day)
        self.memory.add(day, self.world.context[visits.visitors], visits.options, y, d)
        np.add.at(self.memory.expected, (day, visits.options), self.told[visits.visitors] * d)


def engine(policy: Policy) -> Any:
    return lambda world, rng: EnginePlayer(policy, world, rng)
