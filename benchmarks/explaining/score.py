"""Scores: who named the causes, who named what is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.explaining.world import World

Answerer = Callable[[World], list[str]]

COUNTED = 3
"""The first answers count."""


class Score(NamedTuple):
    """One answerer in one world: how many of the causes were named, how many answers named one."""

    causes: int
    named: int
    answers: int
    right: int

    @property
    def recall(self) -> float:
        return self.named / self.causes

    @property
    def precision(self) -> float:
        return self.right / self.answers


def score(world: World, answers: Sequence[str]) -> Score:
    """A path names a cause if it is one of those that mean the same; neither what holds it nor what it holds does."""
    given = list(answers[:COUNTED])
    named = sum(not cause.accepted.isdisjoint(given) for cause in world.causes)
    right = sum(any(path in cause.accepted for cause in world.causes) for path in given)
    return Score(len(world.causes), named, len(given), right)


def recall(scores: Sequence[Score]) -> float:
    """Of the causes of a world, those that were named; the mean over worlds."""
    return float(np.mean([one.recall for one in scores]))


def precision(scores: Sequence[Score]) -> float | None:
    """Of a world's answers, those that named a cause; the mean over worlds with an answer, `None` if there are none."""
    answered = [one.precision for one in scores if one.answers]
    return float(np.mean(answered)) if answered else None


def answered(scores: Sequence[Score]) -> float:
    """The share of worlds with any answer: of those without a cause, the false ones."""
    return float(np.mean([one.answers > 0 for one in scores]))
