"""Hindsight: what something else would have earned, by the log of what was decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .chooser import Weighed
from .decide.aim import Aim, Linear
from .decide.evidence import Floats
from .decide.offpolicy import Estimate, Log, estimate
from .decide.terms import Terms
from .domain.event import HITS
from .domain.paths import Path
from .errors import InvalidInput
from .experiment import Experiments, has_all_chances
from .store.choices import Logged

MOST_VISITORS = 200
"""Different visitors that another policy is asked about; for the rest it decides as for everybody."""

MOST_ALWAYS = 8
"""Options of which it is asked what giving them to all would have earned."""

FOLDS = 2
PRIOR = 1.0

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one way to decide would have earned, by three estimates (see `decide.offpolicy`)."""

    snips: Estimate
    ips: Estimate
    dr: Estimate


@dataclass(frozen=True, slots=True)
class Hindsight:
    """Those decisions of a log that were among the present options."""

    options: tuple[str, ...]
    logged: tuple[Logged, ...]
    log: Log

    @classmethod
    def of(cls, logged: Sequence[Logged], options: Sequence[str], aim: Aim) -> Hindsight | None:
        """`None` where fewer than two decisions can be used, or nothing came of any."""
        at = {option: number for number, option in enumerate(options)}
        some = tuple(one for one in logged if at.keys() >= {one.kept.option, *one.kept.options})
        y = np.array([_side(aim.numerator, one.earned) for one in some])
        d = np.array([_side(aim.denominator, one.earned) for one in some])
        if len(some) < 2 or not any(one.earned for one in some) or not d.sum() > 0:
            return None
        chosen = np.array([at[one.kept.option] for one in some], dtype=np.int64)
        predicted_y, predicted_d = (_crossed(chosen, side, len(options)) for side in (y, d))
        propensities = np.stack([_chances(one, at) for one in some])
        try:
            log = Log(chosen, propensities, y, d, predicted_y, predicted_d, _visitors(some))
        except InvalidInput:  # chances that cannot be
            return None
        return cls(tuple(options), some, log)

    def as_decided(self) -> Answer | None:
        """What was earned; `None` where the log has not the chances of all options."""
        return None if np.isnan(self.log.propensities).any() else self.answer(self.log.propensities)

    def always(self) -> Iterator[tuple[str, Answer]]:
        """Each option for all, those that were chosen most often, in their order."""
        often = np.argsort(-np.bincount(self.log.chosen, minlength=len(self.options)), kind="stable")[:MOST_ALWAYS]
        for option in sorted(often.tolist()):
            yield self.options[option], self.answer(self.log.always(option))

    def split(self) -> Answer:
        """The same share for each option."""
        return self.answer(np.full_like(self.log.propensities, 1 / len(self.options)))

    def policy(self, experiments: Experiments, pk: Path, aim: Aim, terms: Terms, weighed: Weighed) -> Answer:
        """A policy by what is known now, of which these very decisions are a part: that flatters it."""
        known = Counter(one.kept.paths for one in self.logged)
        visitors = [paths for paths, _ in known.most_common(MOST_VISITORS)]
        judged = experiments.judged_by_paths(pk, aim, terms.outlook, weighed, [*visitors, ()])
        chances = [terms.probabilities(one, evidence) for evidence, one in judged]
        at = {paths: number for number, paths in enumerate(visitors)}
        rows = np.stack([chances[at.get(one.kept.paths, -1)] for one in self.logged])
        return self.answer(rows / rows.sum(axis=1, keepdims=True))

    def answer(self, policy: Floats) -> Answer:
        """Of probabilities [row, option]."""
        return Answer(*(estimate(self.log, policy, method) for method in ("snips", "ips", "dr")))


def _chances(one: Logged, at: Mapping[str, int]) -> Floats:
    """By option; of a decision of so many options that the log has only the chosen one's, others are not known."""
    found = np.full(len(at), 0.0 if has_all_chances(one.kept, at) else np.nan)
    found[[at[option] for option in one.kept.options]] = one.kept.chances
    return found


def _side(weights: Linear, earned: Mapping[str, float]) -> float:
    """A numerator or denominator of one decision: it is one event, and has one hit."""
    return sum(
        weight * (earned.get(metric, float(metric == HITS)) if metric else 1.0) for metric, weight in weights.items()
    )


def _crossed(chosen: Ints, earned: Floats, options: int) -> Floats:
    """What each option is expected to earn in each row: its mean in those rows that are not of the same fold."""
    fold = np.arange(len(chosen)) % FOLDS
    predicted = np.empty((FOLDS, options))
    for one in range(FOLDS):
        others = fold != one
        sums = np.bincount(chosen[others], weights=earned[others], minlength=options)
        counts = np.bincount(chosen[others], minlength=options)
        predicted[one] = (sums + PRIOR * earned[others].mean()) / (counts + PRIOR)
    return predicted[fold]


def _visitors(some: Sequence[Logged]) -> Ints:
    """Who each decision was for, as numbers; those that were not kept are for somebody else each."""
    who = [one.kept.id.rpartition(".")[0] or f"?{number}" for number, one in enumerate(some)]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(who))}
    return np.array([numbers[name] for name in who], dtype=np.int64)
