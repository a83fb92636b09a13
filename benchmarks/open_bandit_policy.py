"""Policies that learn from the Open Bandit Dataset's uniform logs: what they read are the sums of cells, as ever.

Two decisions are made of these logs: which item, and which kind of item, one that the visitor had shown a liking for or
any other. All is learnt in parts: what is done in one part is learnt from the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.open_bandit_log import Impressions
from hailwhale_django.engine.decide.cells import EVERYBODY, Cell, Outlook
from hailwhale_django.engine.decide.evidence import D, Evidence, Fit, Floats, History, Judgement, Policy, Y
from hailwhale_django.engine.domain.paths import Path

Rows = NDArray[np.bool_]

PARTS = 5
KINDS = ("liked", "any")
DRAWS = 4000
EVERYTHING, NOTHING = Outlook(), Outlook(dimensions=())
"""What a policy is to mind of a visitor."""

Counted = dict[Cell, Floats]
"""[option, 8]: the sums of each cell."""


class Learnt(NamedTuple):
    """Of rows: the chance of choosing each item, and the clicks expected of it, both [row, item]."""

    chances: Floats
    expected: Floats


@dataclass(frozen=True, slots=True)
class Rates:
    """The simplest policy that will do: click rates of everybody, each drawn towards that of all by one click.

    An option is chosen as often as it is the best in seeded draws.
    """

    name: ClassVar[str] = "rates"
    version: ClassVar[int] = 1

    def fit(self, history: History) -> Fit:
        return Fit(self.name, self.version)

    def judge(self, evidence: Evidence, fit: Fit | None) -> Judgement:
        sums = evidence.sums[:, 0]
        shape, weight = sums[:, Y] + 1, sums[:, D] + sums[:, D].sum() / max(sums[:, Y].sum(), 1)
        drawn = np.random.default_rng(1).gamma(shape, 1 / weight, (DRAWS, len(sums)))
        best = np.bincount(drawn.argmax(axis=1), minlength=len(sums)) / DRAWS
        lower, upper = np.quantile(drawn, [0.05, 0.95], axis=0)
        lost = drawn.max(axis=1).mean() - shape / weight
        return Judgement(best, shape / weight, lower, upper, best, lost, np.ones(evidence.sums.shape[:2]))


def items_by(policy: Policy, outlook: Outlook, logs: Sequence[Impressions]) -> list[Learnt]:
    """Which item: of each log by itself, since each campaign has items of its own."""
    return [_items(policy, outlook, log) for log in logs]


def _items(policy: Policy, outlook: Outlook, log: Impressions) -> Learnt:
    chances, expected = np.zeros((2, len(log), log.items))
    options = tuple(map(str, range(log.items)))
    for learning, doing in _parts(len(log)):
        counted = _counted([(log, log.item)], [learning], log.items, outlook)
        for rows, found in _judged(policy, options, counted, log, doing, outlook):
            chances[rows], expected[rows] = found.probability, found.mean
    return Learnt(chances, expected)


def kinds_by(policy: Policy, outlook: Outlook, logs: Sequence[Impressions]) -> list[Learnt]:
    """Which kind of item, for visitors who had shown a liking: of all logs together. Of a kind, all alike."""
    chances = [np.full((len(log), log.items), 1 / log.items) for log in logs]
    expected = [np.full((len(log), log.items), log.click.mean()) for log in logs]
    chosen = [np.where(log.liked[np.arange(len(log)), log.item], 0, 1) for log in logs]
    fond = [log.liked.any(axis=1) for log in logs]
    for part in range(PARTS):
        parts = [list(_parts(len(log)))[part] for log in logs]
        learning = [learns & one for (learns, _), one in zip(parts, fond, strict=True)]
        counted = _counted(list(zip(logs, chosen, strict=True)), learning, len(KINDS), outlook)
        for at, log in enumerate(logs):
            for rows, found in _judged(policy, KINDS, counted, log, parts[at][1] & fond[at], outlook):
                liked = log.liked[rows]
                many = np.where(liked, liked.sum(axis=1, keepdims=True), (~liked).sum(axis=1, keepdims=True))
                chances[at][rows] = np.where(liked, *found.probability) / many
                expected[at][rows] = np.where(liked, *found.mean)
    return list(map(Learnt, chances, expected))


def _parts(rows: int) -> Iterator[tuple[Rows, Rows]]:
    """What is learnt from, and what is then done."""
    part = np.arange(rows) % PARTS
    for one in range(PARTS):
        yield part != one, part == one


def _judged(
    policy: Policy, options: tuple[str, ...], counted: Counted, log: Impressions, rows: Rows, outlook: Outlook
) -> Iterator[tuple[NDArray[np.int64], Judgement]]:
    """What a policy makes of visitors, all of whom the same is known at once."""
    fit = policy.fit(_history(options, counted))
    nothing = np.zeros((len(options), 8))
    for visitors, cells in _alike(log, rows, outlook):
        sums = np.stack([counted.get(cell, nothing) for cell in cells], axis=1)
        yield visitors, policy.judge(Evidence(options, cells, sums), fit)


def _alike(log: Impressions, rows: Rows, outlook: Outlook) -> Iterator[tuple[NDArray[np.int64], tuple[Cell, ...]]]:
    """Visitors of whom the same is known that matters, by their rows; and their cells."""
    where = np.flatnonzero(rows)
    known = {"position": log.position[where].astype(str)}
    known |= {f"user {at}": code for at, code in enumerate(log.user[where].T)}
    minded = {name: code for name, code in known.items() if outlook.minds(Path((name,)))}
    names = ["/".join(codes) for codes in zip(*minded.values(), strict=True)] if minded else [""] * len(where)
    _, first, kind = np.unique(names, return_index=True, return_inverse=True)
    for at, row in enumerate(first):
        paths = [Path((name, str(code[row]))) for name, code in minded.items()]
        yield where[kind == at], outlook.cells(paths)


def _counted(
    logs: Sequence[tuple[Impressions, NDArray[np.int64]]], learning: Sequence[Rows], options: int, outlook: Outlook
) -> Counted:
    """n and d are impressions, y and what comes of it clicks; by the option that was chosen in each row."""
    counted: Counted = {EVERYBODY: np.zeros((options, 8))}
    for (log, chosen), rows in zip(logs, learning, strict=True):
        for visitors, cells in _alike(log, rows, outlook):
            shown = np.bincount(chosen[visitors], minlength=options)
            clicks = np.bincount(chosen[visitors], log.click[visitors], options)
            sums = np.stack([shown, clicks, shown, clicks, shown, clicks, clicks, shown], axis=1)
            for cell in cells:
                counted[cell] = counted.get(cell, 0) + sums
    return counted


def _history(options: tuple[str, ...], counted: Counted) -> History:
    levels: dict[str, list[Floats]] = {}
    for cell, sums in counted.items():
        if cell != EVERYBODY:
            levels.setdefault(cell.level, []).append(sums)
    return History(
        options,
        {level: np.stack(tables) for level, tables in levels.items()},
        days=counted[EVERYBODY][None],
        expected=np.full((1, len(options)), np.nan),
    )
