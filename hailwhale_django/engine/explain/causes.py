"""Which children a change comes from: as few as possible, and each no larger than what changed.

Of all candidates, whatever their dimension and depth, the one is named whose effect is furthest beyond what is ordinary
for it. That finds the right size by itself: a region that merely holds the cause has the same effect and more noise, a
part of the cause has less of an effect. What it explains is then taken out of the numbers, its own and those of the
regions that hold it, lie within it or share events with it, and the rest is looked at anew, until nothing is left that
chance could not have done. (A matched filter over regions, as Kulldorff's scan statistic is, Commun. Stat. 26 (1997)
1481-1496; taken greedily.)

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
from .excess import Alike, effect
from .measure import Measure
from .ordinary import Ordinary, Scatter, chance_of, normal_score
from .region import Region
from .sharing import Amount, Shared, shared

FALSE_ALARM = 0.01
"""How often something may be named where nothing happened, whatever the number of candidates."""

LEAST_SHARE = 0.1
"""Of the whole's change, or of what would be news of it: who carries less is not worth a sentence."""

MOST_CAUSES = 5

NEARLY_ALL = 0.8
SUBSTANTIAL = 0.3
AS_CLEAR = 0.7
STILL_THERE = 3.0
"""Standard normal: beyond that, what is left of a region without a part of it is no chance."""

USUAL_SLOPE = 0.1
"""How far two regions of different dimensions may well tremble together, as a standard deviation of the slope."""


class Cause(NamedTuple):
    """The number of a candidate, its effect, and how far out that is as a standard normal value."""

    at: int
    effect: float
    score: float


@dataclass(frozen=True)
class Suspects:
    """The candidates [leaf, row], the whole [leaf], and what is ordinary.

    `news` is how far the whole's value goes by chance (a standard deviation).
    """

    measure: Measure
    alike: Alike
    regions: Sequence[Region]
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
    """The causes, those that tell most first."""
    search = _Search(suspects)
    found: list[Cause] = []
    while len(found) < most and (cause := search.next()):
        found.append(cause)
    return found


class _Search:
    def __init__(self, suspects: Suspects) -> None:
        self.suspects = suspects
        self.now = suspects.now.copy()
        self.whole_now = suspects.whole_now.copy()
        self.variance = suspects.ordinary.variance.copy()
        self.shadow = np.zeros(len(suspects.regions))  # of what was taken out, on rows of other dimensions
        self.is_open = np.ones(len(suspects.regions), dtype=bool)
        self.change = self._value(self.whole_now) - self._value(suspects.whole_before)
        self.least = LEAST_SHARE * max(abs(self.change), 2 * suspects.news)
        self._sharing: dict[int, Shared] = {}
        self._slopes = _Slopes(suspects.scatter)

    def next(self) -> Cause | None:
        effects, far = self._look()
        scores = normal_score(far, self.suspects.ordinary.degrees)
        certain = np.array([chance_of(score) * len(scores) < FALSE_ALARM for score in scores])
        eligible = self.is_open & certain & (np.abs(effects) >= self.least)
        if not eligible.any():
            return None
        weights = np.where(eligible, far**2 * self._fits(effects), -1.0)
        at = self._of_the_right_size(int(np.argmax(weights)), effects, far, eligible)
        self._take_out(at, effects[at])
        return Cause(at, float(effects[at]), float(scores[at]))

    def _look(self, now: Floats | None = None, whole: Floats | None = None) -> tuple[Floats, Floats]:
        suspects = self.suspects
        now, whole = self.now if now is None else now, self.whole_now if whole is None else whole
        surplus = suspects.alike.excess(suspects.before, now, suspects.whole_before, whole)
        effects = effect(suspects.measure, whole, surplus, suspects.shared) - self.shadow
        far = np.divide(effects, np.sqrt(self.variance), out=np.zeros_like(effects), where=self.variance > 0)
        return effects, far

    def _fits(self, effects: Floats) -> Floats:
        """From 0.5 to 1.5: whether the whole's change would be less without it.

        In a table of two the one fell as much against the other as the other rose; the whole says which of them moved.
        """
        left = self._value(self.whole_now) - self._value(self.suspects.whole_before)
        if abs(left) <= 2 * self.suspects.news:
            return np.ones_like(effects)
        less = 1 - (1 - effects / left) ** 2
        fits: Floats = 1 + np.clip(less, -1.0, 1.0) / 2
        return fits

    def _of_the_right_size(self, at: int, effects: Floats, far: Floats, eligible: NDArray[np.bool_]) -> int:
        """The region itself; or a part that has nearly all of its effect, or one that it is but a part of."""
        regions = self.suspects.regions
        above = [other for other in range(len(regions)) if regions[other].holds(regions[at])]
        for there in (self.suspects.before, self.suspects.now):
            # What came up or vanished as a whole did so whatever its parts are like.
            missing = [other for other in above if eligible[other] and not there[:, other].any()]
            if at in missing:
                return max(missing, key=lambda other: float(np.abs(effects[other])))
        same = eligible & (effects * effects[at] > 0) & (np.abs(far) >= AS_CLEAR * abs(far[at]))
        for other in np.argsort(-np.abs(far)):
            if other == at or not same[other]:
                continue
            if regions[at].holds(regions[other]) and abs(effects[other]) >= NEARLY_ALL * abs(effects[at]):
                return int(other)
            if regions[other].holds(regions[at]) and self._is_more_than(int(other), at, effects):
                return int(other)
        return at

    def _is_more_than(self, larger: int, part: int, effects: Floats) -> bool:
        """Whether without the part much is left of the larger region's effect."""
        if abs(effects[part]) >= NEARLY_ALL * abs(effects[larger]):
            return False
        now, whole = self._without(part)
        left, far = self._look(now, whole)
        much = abs(left[larger]) >= SUBSTANTIAL * abs(effects[larger]) and left[larger] * effects[larger] > 0
        return bool(much and abs(far[larger]) >= STILL_THERE)

    def _take_out(self, at: int, found: float) -> None:
        self.now, self.whole_now = self._without(at)
        shared, (slopes, uncertain) = self._shared(at), self._slopes.onto(at)
        guessed = ~shared.is_known & ~shared.is_within
        self.shadow += np.where(guessed, slopes * found, 0.0)
        uncertain = np.where(guessed, uncertain, (USUAL_SLOPE * shared.share.max(axis=0)) ** 2)
        self.variance += np.where(shared.is_known, 0.0, uncertain * found**2)
        self.is_open[at] = False

    def _without(self, at: int) -> tuple[Floats, Floats]:
        """The numbers had the region changed as the rest."""
        suspects = self.suspects
        surplus = suspects.alike.excess(suspects.before, self.now, suspects.whole_before, self.whole_now)
        taken = surplus[:, at]
        return self.now - taken[:, None] * self._shared(at).share, self.whole_now - taken

    def _shared(self, at: int) -> Shared:
        if at not in self._sharing:
            self._sharing[at] = shared(self.suspects.regions, at, self.suspects.amount)
        return self._sharing[at]

    def _value(self, whole: Floats) -> float:
        return float(self.suspects.measure.value(whole[:, None], self.suspects.shared)[0])


class _Slopes:
    """How much the effects of rows move when another's does, from how both trembled bucket by bucket."""

    def __init__(self, scatter: Scatter) -> None:
        self.moves = np.concatenate([scatter.before, scatter.now])

    def onto(self, at: int) -> tuple[Floats, Floats]:
        """[row]: the slope on one row's effect, drawn towards none, and its variance."""
        moves = self.moves
        own = float((moves[:, at] ** 2).sum())
        prior = USUAL_SLOPE**2
        if own <= 0:
            return np.zeros(moves.shape[1]), np.full(moves.shape[1], prior)
        slopes = moves.T @ moves[:, at] / own
        left = ((moves - np.outer(moves[:, at], slopes)) ** 2).sum(axis=0) / max(len(moves) - 2, 1)
        uncertain = left / own
        weight = prior / (prior + uncertain)
        return slopes * weight, prior * (1 - weight)
