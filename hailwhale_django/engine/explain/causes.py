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

NEARLY_ALL = 0.8
SUBSTANTIAL = 0.3
AS_CLEAR = 0.7
STILL_THERE = 3.0
"""Standard normal: beyond that, what is left of a region without a part of it is no chance."""

RATHER_ALL = 1.2
"""By how much more all of a child's change counts than one side of it that is as plain."""

SWEEPS = 3
"""How often causes are told anew beside each other."""

SHORTLIST = 16
"""Of those furthest out, so many are compared by what they leave to be told."""

A_LITTLE = 0.05

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
    """The causes, those that tell most first."""
    search = _Search(suspects)
    found: dict[int, Cause] = {}
    for _ in range(2 * most):
        if len(search.taken) >= most or (cause := search.next()) is None:
            break
        found[search.latest] = cause
    return [found[at]._replace(effect=effect) for at, effect in search.effects().items()]


class _Search:
    def __init__(self, suspects: Suspects) -> None:
        self.suspects = suspects
        self.now, self.whole_now = suspects.now, suspects.whole_now
        self.taken: dict[int, Floats] = {}  # of each leaf, by what was found
        self.latest = 0
        self.variance = suspects.ordinary.variance.copy()
        # All that follows is [aspect and row].
        self.shadow = np.zeros(len(self.variance))  # of what was taken out, on rows of other dimensions
        named = np.array([twins[0] == region for region, twins in zip(suspects.regions, suspects.twins, strict=True)])
        self.is_open = np.tile(named, len(suspects.alike.aspects))
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
        weights[: self.count] *= RATHER_ALL
        found = self._telling_most(weights, far)
        within = slice(found // self.count * self.count, (found // self.count + 1) * self.count)
        at = self._of_the_right_size(found % self.count, effects[within], far[within], eligible[within], within)
        self._take_out(within.start + at, effects[within.start + at])
        aspect = self.suspects.alike.aspects[found // self.count]
        return Cause(at, aspect, float(effects[within][at]), float(scores[within][at]))

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
        """By how much less is out of the ordinary without one, of what it is known to share events with or not."""
        _, left = self._look(*self._without(at))
        is_known = np.tile(self._shared(at % self.count).is_known, len(self.suspects.alike.aspects))
        return float((np.minimum(far**2, FURTHEST) - np.minimum(left**2, FURTHEST))[is_known].sum())

    @property
    def count(self) -> int:
        """Of candidates, each of which has several aspects."""
        return len(self.suspects.regions)

    def _look(self, now: Floats | None = None, whole: Floats | None = None) -> tuple[Floats, Floats]:
        suspects = self.suspects
        now, whole = self.now if now is None else now, self.whole_now if whole is None else whole
        surplus = self._surplus(now, whole)
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

    def _of_the_right_size(
        self, at: int, effects: Floats, far: Floats, eligible: NDArray[np.bool_], within: slice
    ) -> int:
        """The region itself; or a part that has nearly all of its effect, or one that it is but a part of.

        All of one aspect, which is `within` all of them.
        """
        above = [other for other in range(self.count) if self._holds(other, at)]
        for there in (self.suspects.before, self.suspects.now):
            # What came up or vanished as a whole did so whatever its parts are like.
            missing = [other for other in above if eligible[other] and not there[:, other].any()]
            if at in missing:
                return max(missing, key=lambda other: float(np.abs(effects[other])))
        same = eligible & (effects * effects[at] > 0) & (np.abs(far) >= AS_CLEAR * abs(far[at]))
        for other in np.argsort(-np.abs(far)):
            if other == at or not same[other]:
                continue
            if self._holds(at, int(other)) and abs(effects[other]) >= NEARLY_ALL * abs(effects[at]):
                return int(other)
            if self._holds(int(other), at) and self._is_more_than(int(other), at, effects, within):
                return int(other)
        return at

    def _holds(self, one: int, other: int) -> bool:
        """Whether all events of the other are among one's, by whichever of their names."""
        twins = self.suspects.twins
        return any(region.holds(inner) for region in twins[one] for inner in twins[other])

    def _is_more_than(self, larger: int, part: int, effects: Floats, within: slice) -> bool:
        """Whether without the part much is left of the larger region's effect."""
        if abs(effects[part]) >= NEARLY_ALL * abs(effects[larger]):
            return False
        left, far = (found[within] for found in self._look(*self._without(within.start + part)))
        much = abs(left[larger]) >= SUBSTANTIAL * abs(effects[larger]) and left[larger] * effects[larger] > 0
        return bool(much and abs(far[larger]) >= STILL_THERE)

    def _take_out(self, at: int, found: float) -> None:
        shared, aspects = self._shared(at % self.count), len(self.suspects.alike.aspects)
        guessed = self._guessed(at)
        self.latest = at
        self.taken = self._with(at)
        for other, left in self.effects().items():
            if abs(left) < self.least and other != at:  # what it was taken for is the others'
                del self.taken[other]
                self.taken = self._retold(self.taken)
        self.now, self.whole_now = self._numbers(self.taken)
        slopes, uncertain = self._slopes.onto(at, (guessed / found) ** 2)
        is_known = np.tile(shared.is_known, aspects)
        is_apart = ~np.tile(shared.is_known | shared.is_within, aspects)
        self.shadow += np.where(is_apart, slopes * found, 0.0)
        self.variance += np.where(is_known, 0.0, np.where(is_apart, uncertain * found**2, guessed**2))
        self.is_open[at % self.count :: self.count] = False

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
                now, whole = now - surplus[:, None] * self._shared(at % self.count).share, whole - surplus
        return now, whole

    def _surplus(self, now: Floats, whole: Floats) -> Floats:
        suspects = self.suspects
        return suspects.alike.surpluses(suspects.before, now, suspects.whole_before, whole)

    def effects(self) -> dict[int, float]:
        """Of what was found, each without the others."""
        wholes = {at: self._numbers(self.taken, besides=at)[1] for at in self.taken}
        return {at: self._value(whole) - self._value(whole - self.taken[at]) for at, whole in wholes.items()}

    def _guessed(self, at: int) -> Floats:
        """[aspect and row]: how far effects may be off, since how much a row shares with another is but guessed."""
        now, whole = self._without(at)
        guess, _ = self._look(now, whole)
        shared = self._shared(at % self.count)
        taken = self._with(at)[at][:, None] * shared.share
        wrong, _ = self._look(now - np.where(shared.is_known, 0.0, SHAKY * taken), whole)
        return wrong - guess

    def _with(self, at: int) -> dict[int, Floats]:
        """What was found and one more, each told without the others."""
        return self._retold({**self.taken, at: np.zeros(len(self.whole_now))})

    def _without(self, at: int) -> tuple[Floats, Floats]:
        """The numbers had it, too, changed as the rest."""
        return self._numbers(self._with(at))

    def _shared(self, at: int) -> Shared:
        if at not in self._sharing:
            self._sharing[at] = shared(self.suspects.twins, at, self.suspects.amount)
        return self._sharing[at]

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
