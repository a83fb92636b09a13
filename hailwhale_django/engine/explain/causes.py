"""Which children a change comes from: as few as possible, and each no larger than what changed.

Of all candidates, whatever their dimension and depth, those are compared whose effects are furthest beyond what is
ordinary for them, and the one is named without which least is left that is out of the ordinary. That finds the right
size: a region that merely holds the cause has the same effect and more noise, and beside a part of the cause its others
stay unexplained. What it did is then taken out of the numbers, its own and those of the regions that hold it, lie
within it or share events with it, and the rest is looked at anew, until nothing is left that chance could not have
done. What the first was thought to have done is told anew beside the second; who has nothing left then is no cause. (A
matched filter over regions, as Kulldorff's scan statistic is, Commun. Stat. 26 (1997) 1481-1496; taken greedily, with
backfitting.)

Two dimensions are two views of the same events: what lies in one child of the one shows in the children of the other.
How many events a child of the one shares with one of the other is counted only where dimensions are crossed; else it is
estimated from how the two have trembled together, bucket by bucket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..domain.values import Floats
from .excess import Alike, Aspect, effect
from .measure import Measure
from .ordinary import Ordinary, Scatter, chance_of, normal_score
from .region import Region
from .sharing import Amount, Shared, shared

FALSE_ALARM = 0.01
"""How often something may be named where nothing happened, whatever the number of candidates."""

LEAST_SHARE = 0.1
"""Of the whole's change, or of what would be news of it: who carries less is not worth a sentence."""

MOST_CAUSES = 5

NEARLY_ALL, SUBSTANTIAL = 0.8, 0.3
"""In parts of an effect: who has that much of a region's is named in its stead; what has to be left without a part."""

AS_CLEAR = 0.7
"""In parts of how far out the one is: who is named in its stead has to be that far out."""

STILL_THERE = 3.0
"""Standard normal: beyond that, what is left of a region without a part of it is no chance."""

RATHER_ALL = 1.2
"""By how much more all of a child's change counts than one side of it that is as plain."""

SWEEPS = 3
"""How often causes are told anew beside each other."""

SHORTLIST = 16
"""Of those furthest out, so many are compared by what they leave to be told."""

A_LITTLE = 0.05
"""In parts of what the best leaves less to be told: who is as good but for that may be named in its stead."""

FURTHEST = 400.0
"""Squares of standard deviations: beyond, one is as good as another."""

SHAKY = 0.5
"""How far off a guess is of how many events two regions share, as a standard deviation and in parts of it."""


class Cause(NamedTuple):
    """The number of a candidate, by which aspect, its effect, and how far out that is as a standard normal value."""

    at: int
    aspect: Aspect
    effect: float
    score: float


@dataclass(frozen=True)
class Suspects:
    """The candidates [leaf, row], the whole [leaf], and what is ordinary [aspect and row].

    `twins` are all regions of the same events as each, of which the first may be named. `news` is how far the whole's
    value goes by chance (a standard deviation).
    """

    measure: Measure
    alike: Alike
    regions: Sequence[Region]
    twins: Sequence[Sequence[Region]]
    before: Floats
    now: Floats
    whole_before: Floats
    whole_now: Floats
    shared: Floats
    ordinary: Ordinary
    scatter: Scatter
    amount: Amount
    news: float


def find(suspects: Suspects, most: int = MOST_CAUSES) -> list[Cause]:
    """The causes, in the order in which they were found."""
    search = _Search(suspects)
    for _ in range(2 * most):  # some may turn out to be none
        if len(search.found) >= most or not search.finds():
            break
    return search.causes()


class _Found(NamedTuple):
    """A cause, and what it leaves on rows of which it is but guessed how much they share with it."""

    cause: Cause
    shadow: Floats
    variance: Floats


class _Search:
    """Rows are candidates in each of their aspects: [aspect and row], numbered one aspect behind the other."""

    def __init__(self, suspects: Suspects) -> None:
        self.suspects = suspects
        self.count = len(suspects.regions)
        self.aspects = suspects.alike.aspects
        self.found: dict[int, _Found] = {}
        self.taken: dict[int, Floats] = {}  # of each leaf, by what was found
        named = np.array([twins[0] == region for region, twins in zip(suspects.regions, suspects.twins, strict=True)])
        self.is_open = np.tile(named, len(self.aspects))
        self.least = LEAST_SHARE * max(abs(self._change(suspects.whole_now)), 2 * suspects.news)
        self._sharing: dict[int, Shared] = {}
        self._slopes = _Slopes(suspects.scatter)
        self._settle()

    def _settle(self) -> None:
        """The numbers without what was found, and how far they may be off."""
        self.now, self.whole_now = self._numbers(self.taken)
        self.shadow, self.variance = np.zeros(len(self.is_open)), self.suspects.ordinary.variance
        for found in self.found.values():
            self.shadow, self.variance = self.shadow + found.shadow, self.variance + found.variance

    def finds(self) -> bool:
        """Whether there is one more cause."""
        effects, far = self._look(self.now, self.whole_now)
        scores = normal_score(far, self.suspects.ordinary.degrees)
        certain = np.array([chance_of(score) * len(scores) < FALSE_ALARM for score in scores])
        eligible = self.is_open & certain & (np.abs(effects) >= self.least)
        if not eligible.any():
            return False
        weights = np.where(eligible, far**2 * self._fits(effects), -1.0)
        weights[: self.count] *= RATHER_ALL
        row = self._of_the_right_size(self._telling_most(weights, far), effects, far, eligible)
        number, aspect = row % self.count, self.aspects[row // self.count]
        self._take_out(row, Cause(number, aspect, float(effects[row]), float(scores[row])))
        return True

    def causes(self) -> list[Cause]:
        """What was found, each with its effect without the others."""
        return [self.found[row].cause._replace(effect=effect) for row, effect in self._effects().items()]

    def _telling_most(self, weights: Floats, far: Floats) -> int:
        """Of those furthest out, the one without which least is left to be told of all; of several the furthest."""
        foremost = np.argsort(-weights, kind="stable")[:SHORTLIST]
        gains = {
            int(at): self._gain(int(at), far) * weights[at] / max(far[at] ** 2, 1e-9)
            for at in foremost
            if weights[at] > 0
        }
        most = max(gains.values())
        return max(
            (at for at, gain in gains.items() if gain >= most - A_LITTLE * abs(most)), key=lambda at: float(weights[at])
        )

    def _gain(self, at: int, far: Floats) -> float:
        """By how much less is out of the ordinary without one, of rows of which it is known what they share with it."""
        _, left = self._look(*self._without(at))
        is_known = np.tile(self._shared(at).is_known, len(self.aspects))
        return float((np.minimum(far**2, FURTHEST) - np.minimum(left**2, FURTHEST))[is_known].sum())

    def _look(self, now: Floats, whole: Floats) -> tuple[Floats, Floats]:
        """Effects, and how far out they are in standard deviations."""
        suspects = self.suspects
        effects = effect(suspects.measure, whole, self._surplus(now, whole), suspects.shared) - self.shadow
        far = np.divide(effects, np.sqrt(self.variance), out=np.zeros_like(effects), where=self.variance > 0)
        return effects, far

    def _fits(self, effects: Floats) -> Floats:
        """From 0.5 to 1.5: whether the whole's change would be less without it.

        In a table of two the one fell as much against the other as the other rose; the whole says which of them moved.
        """
        left = self._change(self.whole_now)
        if abs(left) <= 2 * self.suspects.news:
            return np.ones_like(effects)
        less = 1 - (1 - effects / left) ** 2
        fits: Floats = 1 + np.clip(less, -1.0, 1.0) / 2
        return fits

    def _of_the_right_size(self, row: int, effects: Floats, far: Floats, eligible: NDArray[np.bool_]) -> int:
        """The row itself; or that of a part that has nearly all of its effect, or of one that it is but a part of, of
        the same aspect.
        """
        number, first = row % self.count, row // self.count * self.count
        for there in (self.suspects.before, self.suspects.now):
            # What came up or vanished as a whole did so whatever its parts are like.
            missing = [other for other in range(self.count) if self._holds(other, number) and not there[:, other].any()]
            missing = [first + other for other in missing if eligible[first + other]]
            if row in missing:
                return max(missing, key=lambda other: float(np.abs(effects[other])))
        same = eligible & (effects * effects[row] > 0) & (np.abs(far) >= AS_CLEAR * abs(far[row]))
        own = slice(first, first + self.count)
        for other in (first + np.argsort(-np.abs(far[own]))).tolist():
            if other == row or not same[other]:
                continue
            if self._holds(number, other - first) and abs(effects[other]) >= NEARLY_ALL * abs(effects[row]):
                return int(other)
            if self._holds(other - first, number) and self._is_more_than(other, row, effects):
                return int(other)
        return row

    def _holds(self, one: int, other: int) -> bool:
        """Whether all events of the other are among one's, by whichever of their names."""
        twins = self.suspects.twins
        return any(region.holds(inner) for region in twins[one] for inner in twins[other])

    def _is_more_than(self, larger: int, part: int, effects: Floats) -> bool:
        """Whether without the part much is left of the larger region's effect."""
        if abs(effects[part]) >= NEARLY_ALL * abs(effects[larger]):
            return False
        left, far = self._look(*self._without(part))
        much = abs(left[larger]) >= SUBSTANTIAL * abs(effects[larger]) and left[larger] * effects[larger] > 0
        return bool(much and abs(far[larger]) >= STILL_THERE)

    def _take_out(self, row: int, cause: Cause) -> None:
        shared, guessed = self._shared(row), self._guessed(row)
        slopes, uncertain = self._slopes.onto(row, (guessed / cause.effect) ** 2)
        is_known = np.tile(shared.is_known, len(self.aspects))
        is_apart = ~np.tile(shared.is_known | shared.is_within, len(self.aspects))
        shadow = np.where(is_apart, slopes * cause.effect, 0.0)
        variance = np.where(is_known, 0.0, np.where(is_apart, uncertain * cause.effect**2, guessed**2))
        self.found[row] = _Found(cause, shadow, variance)
        self.taken = self._with(row)
        self.is_open[row % self.count :: self.count] = False
        while (gone := self._emptied(besides=row)) is not None:
            del self.found[gone], self.taken[gone]
            self.taken = self._retold(self.taken)
        self._settle()

    def _emptied(self, besides: int) -> int | None:
        """One that has no effect to speak of any more: what it was named for is the others'."""
        effects = self._effects().items()
        return next((row for row, left in effects if abs(left) < self.least and row != besides), None)

    def _retold(self, taken: dict[int, Floats]) -> dict[int, Floats]:
        """What each did was told beside the others: so each is told anew without them, a few times."""
        for _ in range(SWEEPS if len(taken) > 1 else 1):
            for at in taken:
                taken[at] = self._surplus(*self._numbers(taken, besides=at))[:, at]
        return taken

    def _numbers(self, taken: dict[int, Floats], besides: int | None = None) -> tuple[Floats, Floats]:
        """Without what some did, or all of them but one."""
        now, whole = self.suspects.now, self.suspects.whole_now
        for at, surplus in taken.items():
            if at != besides:
                now, whole = now - surplus[:, None] * self._shared(at).share, whole - surplus
        return now, whole

    def _surplus(self, now: Floats, whole: Floats) -> Floats:
        suspects = self.suspects
        return suspects.alike.surpluses(suspects.before, now, suspects.whole_before, whole)

    def _effects(self) -> dict[int, float]:
        """Of what was found, each without the others."""
        wholes = {at: self._numbers(self.taken, besides=at)[1] for at in self.taken}
        return {at: self._value(whole) - self._value(whole - self.taken[at]) for at, whole in wholes.items()}

    def _guessed(self, at: int) -> Floats:
        """How far effects may be off, since how much a row shares with another is but guessed."""
        taken, shared = self._with(at), self._shared(at)
        now, whole = self._numbers(taken)
        guess, _ = self._look(now, whole)
        wrong, _ = self._look(now - np.where(shared.is_known, 0.0, SHAKY * taken[at][:, None] * shared.share), whole)
        return wrong - guess

    def _with(self, at: int) -> dict[int, Floats]:
        """What was found and one more, each told without the others."""
        return self._retold({**self.taken, at: np.zeros(len(self.whole_now))})

    def _without(self, at: int) -> tuple[Floats, Floats]:
        """The numbers as if one more had changed as the rest."""
        return self._numbers(self._with(at))

    def _shared(self, at: int) -> Shared:
        number = at % self.count
        if number not in self._sharing:
            self._sharing[number] = shared(self.suspects.twins, number, self.suspects.amount)
        return self._sharing[number]

    def _change(self, whole: Floats) -> float:
        return self._value(whole) - self._value(self.suspects.whole_before)

    def _value(self, whole: Floats) -> float:
        return float(self.suspects.measure.value(whole[:, None], self.suspects.shared)[0])


class _Slopes:
    """How much the effects of rows move when another's does, from how both trembled bucket by bucket."""

    def __init__(self, scatter: Scatter) -> None:
        self.moves = np.concatenate([scatter.before, scatter.now])

    def onto(self, at: int, prior: Floats) -> tuple[Floats, Floats]:
        """[row]: the slope on one row's effect, drawn towards none where it is usually small, and its variance."""
        moves = self.moves
        own = float((moves[:, at] ** 2).sum())
        if own <= 0:
            return np.zeros(moves.shape[1]), prior
        slopes = moves.T @ moves[:, at] / own
        left = ((moves - np.outer(moves[:, at], slopes)) ** 2).sum(axis=0) / max(len(moves) - 2, 1)
        uncertain = left / own
        weight = np.divide(prior, prior + uncertain, out=np.zeros_like(prior), where=prior > 0)
        return slopes * weight, prior * (1 - weight)
