"""What is done to a shop in the period that is asked about, by kind of world, and by how much that moves the whole.

A change is only planted where the noise leaves it to be seen: what it does to the whole's value, as expected without
noise, is at least `VISIBLE` times what the value ordinarily changes from period to period; each of several changes, at
least once that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.explaining.season import Season
from benchmarks.explaining.segments import CROSSED, FIRST, NESTED, Random, Segments
from benchmarks.explaining.world import Cause, Floats, Mask, halves, mirror, value_of

VISIBLE = 2.0
EACH = 1.0
PLACES, SIZES = 200, 8
"""So many places are tried, each with so many sizes of a change."""
SHARE = (0.02, 0.6)
"""Of the visits, that what changes has."""
FACTORS = ((0.2, 0.9), (1.15, 4.0))
WITHIN = 0.75
"""A region, campaign or crossed cell that changes has at most this share of what it is within."""
APART = 0.5
"""Two changes share at most this part of the lesser's visits."""
SAME = 0.9
"""Paths share this part of the visits, of the one's and of the other's, to mean the same."""

QUANTITIES = VISITS, CONVERSION, PRICE = "visits", "conversion", "price"


@dataclass(frozen=True)
class Change:
    """On these segments, from the onset on, one quantity is multiplied."""

    path: str
    mask: Mask
    quantity: str
    factor: float


Changes = tuple[Change, ...]


@dataclass(frozen=True)
class Plan:
    """What to plant: `absent` are segments that were not there in any period before."""

    changes: Changes = ()
    onset: int = 0
    absent: Mask | None = None

    def applied(self, now: Season) -> Season:
        """The period as it then is."""
        visits, conversion, price = now.visits.copy(), now.conversion.copy(), now.price.copy()
        for change in self.changes:
            if change.quantity == VISITS:
                visits[change.mask, self.onset :] *= change.factor
            elif change.quantity == CONVERSION:
                conversion[change.mask, self.onset :] *= change.factor
            else:
                price[change.mask, self.onset :] *= change.factor
        return Season(visits, np.minimum(conversion, 0.98), price, now.uneven)


class Planter:
    """Draws changes for one shop until one can be seen. `ordinary` is in logs of the whole's value."""

    def __init__(
        self, rng: Random, segments: Segments, now: Season, terms: Sequence[int], ordinary: float, onset: int
    ) -> None:
        self.rng, self.segments, self.terms, self.ordinary, self.onset = rng, segments, list(terms), ordinary, onset
        self.head = now.days(slice(onset)).sums().sum(axis=1)
        self.tail = now.days(slice(onset, None)).sums()
        self.visits = self.tail[0] / self.tail[0].sum()
        self.is_ratio = len(self.terms) == 2

    def plan(self, kind: str) -> Plan | None:
        """A change of this kind that can be seen; `None` if so many tries found none."""
        if kind not in KINDS:
            return Plan()
        for _ in range(PLACES):
            paths = KINDS[kind].paths(self)
            for _ in range(SIZES if paths is not None else 0):
                plan = KINDS[kind].plan(self, paths or [])
                if self.is_visible(plan):
                    return plan
        return None

    def is_visible(self, plan: Plan) -> bool:
        gone = () if plan.absent is None else (Change("", plan.absent, VISITS, 0.0),)
        without = self.log_value(gone)
        whole = abs(self.log_value(plan.changes) - without)
        least = min(abs(self.log_value((one,)) - without) for one in plan.changes)
        return whole >= VISIBLE * self.ordinary and least >= EACH * self.ordinary

    def log_value(self, changes: Changes) -> float:
        """The log of the whole's value that is expected."""
        factors = np.ones_like(self.tail)
        for change in changes:
            factors[QUANTITIES.index(change.quantity) :, change.mask] *= change.factor
        sums = self.head + np.einsum("ms,ms->m", self.tail, factors)
        return float(np.log(value_of(sums[self.terms])))

    def share(self, path: str) -> float:
        return float(self.visits[self.segments.mask(path)].sum())

    def child(self, level: str) -> str | None:
        """Some child with a share of the visits that is neither too small nor too great."""
        paths, code = self.segments.levels[level].paths, self.segments.levels[level].code
        share = np.bincount(code, self.visits, len(paths))
        fit = np.flatnonzero((share >= SHARE[0]) & (share <= SHARE[1]))
        return paths[self.rng.choice(fit)] if len(fit) else None

    def child_of(self, levels: Sequence[str]) -> list[str] | None:
        path = self.child(str(self.rng.choice(levels)))
        return [path] if path else None

    def factor(self) -> float:
        low, high = FACTORS[self.rng.integers(2)]
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def quantity(self) -> str:
        """Of a sum, visits; of a ratio, something of its numerator."""
        if not self.is_ratio:
            return VISITS
        return CONVERSION if self.terms[0] == 1 or self.rng.random() < 0.5 else PRICE

    def change(self, path: str, quantity: str, factor: float) -> Change:
        return Change(path, self.segments.mask(path), quantity, factor)


def any_child(planter: Planter) -> list[str] | None:
    return planter.child_of(FIRST)


def any_inner(planter: Planter) -> list[str] | None:
    """A region that is not most of its country, or a campaign that is not most of its source."""
    paths = planter.child_of(NESTED)
    return paths if paths and _is_within(planter, paths[0], [paths[0].rpartition("/")[0]]) else None


def any_crossed(planter: Planter) -> list[str] | None:
    paths = planter.child_of([CROSSED])
    return paths if paths and _is_within(planter, paths[0], halves(paths[0])) else None


def any_siblings(planter: Planter) -> list[str] | None:
    """Two or three children of one dimension that are not most of it."""
    level = str(planter.rng.choice(FIRST))
    found = {planter.child(level) for _ in range(planter.rng.integers(2, 4))}
    paths = sorted(filter(None, found))
    return paths if len(paths) > 1 and sum(map(planter.share, paths)) <= SHARE[1] else None


def any_pair(planter: Planter) -> list[str] | None:
    """Children of two dimensions that are not mostly the same visitors."""
    found = [planter.child(str(level)) for level in planter.rng.choice(FIRST, 2, replace=False)]
    paths = [path for path in found if path]
    if len(paths) < 2:
        return None
    one, other = map(planter.segments.mask, paths)
    shared = planter.visits[one & other].sum()
    return paths if shared <= APART * min(map(planter.share, paths)) else None


def everywhere(planter: Planter) -> list[str] | None:
    return []


def changed(planter: Planter, paths: Sequence[str]) -> Plan:
    """Each in its own way."""
    return Plan(tuple(planter.change(path, planter.quantity(), planter.factor()) for path in paths))


def changed_from_some_day(planter: Planter, paths: Sequence[str]) -> Plan:
    return replace(changed(planter, paths), onset=planter.onset)


def changed_together(planter: Planter, paths: Sequence[str]) -> Plan:
    """The same way, and nearly by as much."""
    quantity, factor = planter.quantity(), planter.factor()
    return Plan(tuple(planter.change(path, quantity, factor ** planter.rng.uniform(0.8, 1.2)) for path in paths))


def moved(planter: Planter, paths: Sequence[str]) -> Plan:
    """Its visits change; that moves a ratio as far as the child's differs from the whole's."""
    return Plan((planter.change(paths[0], VISITS, planter.factor()),))


def appeared(planter: Planter, paths: Sequence[str]) -> Plan:
    """Not there before; of a ratio, with a rate unlike the others'."""
    far = float(planter.rng.choice([planter.rng.uniform(0.2, 0.5), planter.rng.uniform(2, 4)]))
    quantity = planter.quantity()
    change = planter.change(paths[0], quantity, 1.0 if quantity == VISITS else far)
    return Plan((change,), absent=change.mask)


def gone(planter: Planter, paths: Sequence[str]) -> Plan:
    return Plan((planter.change(paths[0], VISITS, 0.0),))


def multiplied(planter: Planter, paths: Sequence[str]) -> Plan:
    """Everything, by the same factor."""
    factor = float(np.exp(planter.rng.uniform(-np.log(2), np.log(2))))
    return Plan((Change("", np.ones(len(planter.segments), dtype=bool), planter.quantity(), factor),))


@dataclass(frozen=True)
class Kind:
    """Where a change may be, `None` if that draw is no good; and what it is."""

    paths: Callable[[Planter], list[str] | None]
    plan: Callable[[Planter, Sequence[str]], Plan]


KINDS = {
    "rate": Kind(any_child, changed),
    "mix": Kind(any_child, moved),
    "new": Kind(any_child, appeared),
    "vanished": Kind(any_child, gone),
    "nested": Kind(any_inner, changed),
    "crossed": Kind(any_crossed, changed),
    "several": Kind(any_siblings, changed_together),
    "two": Kind(any_pair, changed),
    "onset": Kind(any_child, changed_from_some_day),
    "alike": Kind(everywhere, multiplied),
}


def causes_of(plan: Plan, segments: Segments, visits: Floats) -> tuple[Cause, ...]:
    """The causes that a plan plants, with what else means the same; none if everything changes."""
    return tuple(Cause(one.path, same_as(one.path, segments, visits)) for one in plan.changes if one.path)


def same_as(path: str, segments: Segments, visits: Floats) -> frozenset[str]:
    """The paths whose visits are nearly those of this one."""
    mask = segments.mask(path)
    mine = visits[mask].sum()
    found = {path}
    for level in segments.levels.values():
        theirs = np.bincount(level.code, visits, len(level.paths))
        shared = np.bincount(level.code, visits * mask, len(level.paths))
        found |= {level.paths[at] for at in np.flatnonzero(shared >= SAME * np.maximum(theirs, mine))}
    return frozenset(found | set(map(mirror, found)))


def _is_within(planter: Planter, path: str, parents: Sequence[str]) -> bool:
    return all(planter.share(path) <= WITHIN * planter.share(parent) for parent in parents)
