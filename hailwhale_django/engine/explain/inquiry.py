"""An inquiry into one change: what was seen of tables, where to look next, and what it comes to.

It goes from coarse to fine. Of all tables only the sums of the two periods are looked at; what stands out there is
looked into: its own children, and, of few dozen candidates, every bucket and the periods before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..domain.values import Floats
from .attribution import Sides, attribute
from .causes import MOST_CAUSES, Suspects, find
from .causes import Cause as Found
from .detail import FEWEST_PAST, Detail
from .excess import Alike, effect
from .measure import Measure
from .ordinary import (
    FEWEST_BUCKETS,
    Ordinary,
    Scatter,
    moderated,
    normal_score,
    ordinary,
    scatter,
    scatter_of_values,
)
from .region import Key, Region
from .screening import Screened
from .seen import Seen, Tables

MOST_PROMISING = 24
"""Children of a level whose own children are looked at."""

MOST_CANDIDATES = 40
"""Children whose buckets and past are looked at."""

NEARLY_THE_WHOLE = 0.95
"""What has that share of everything, before and now, is no part of it to speak of."""

OVERFLOWING = np.errstate(over="ignore", invalid="ignore")
"""Of numbers too large to be squared nothing is told."""


@dataclass
class Inquiry:
    """What is asked of `top`: the whole's leaves and what is shared, of both periods."""

    top: Region
    measure: Measure
    whole_before: Floats
    whole_now: Floats
    shared_before: Floats
    shared_now: Floats
    seen: list[Seen] = field(default_factory=list)

    @cached_property
    def value_before(self) -> float:
        return float(self.measure.value(self.whole_before[:, None], self.shared_before)[0])

    @cached_property
    def value_now(self) -> float:
        return float(self.measure.value(self.whole_now[:, None], self.shared_now)[0])

    @property
    def change(self) -> float:
        return self.value_now - self.value_before

    @cached_property
    def alike(self) -> Alike:
        """What it is to change alike. As of what was seen when it is first asked, so that all levels are alike."""
        seen = Tables(self.seen, len(self.whole_now))
        lowest = [rows.min(axis=1, initial=0.0) for rows in (seen.before, seen.now)]
        return Alike.of(self.measure, (np.minimum(*lowest) < 0).tolist())

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted in one of the periods, so that there is nothing to compare."""
        return not (self.whole_before.any() and self.whole_now.any())

    def add(self, tables: Iterable[Seen]) -> None:
        self.seen += tables

    @OVERFLOWING
    def promising(self, tables: Sequence[Seen], most: int = MOST_PROMISING) -> list[Region]:
        """The children of these tables that are worth looking into."""
        found = Tables(tables, len(self.whole_now))
        screened = self._screened(found)._replace(eligible=~found.is_other)
        return [found.region(row) for row in screened.foremost(most)]

    @cached_property
    def tables(self) -> Tables:
        """All that was seen."""
        return Tables(self.seen, len(self.whole_now))

    @cached_property
    @OVERFLOWING
    def candidates(self) -> list[int]:
        """The rows whose buckets and past are to be looked at; among them those that others lie within."""
        tables, screened = self.tables, self._all
        chosen = dict.fromkeys(tables.one_of_each(screened.foremost(MOST_CANDIDATES)))
        for region in [tables.region(row) for row in chosen]:
            above = None if region.counters else tables.find(Region(region.path.parent).key)
            if above is not None and screened.eligible[above]:
                chosen.setdefault(above)
        return tables.one_of_each(list(chosen))

    @cached_property
    @OVERFLOWING
    def restless(self) -> list[int]:
        """The rows that themselves changed most, for what they are; their buckets and past are to be looked at."""
        before = Sides(self.tables.before, self.whole_before, self.shared_before)
        now = Sides(self.tables.now, self.whole_now, self.shared_now)
        screened = self._all._replace(effects=attribute(self.measure, before, now).rate)
        return self.tables.one_of_each(screened.foremost(MOST_CANDIDATES))

    @property
    def looked_at(self) -> int:
        """How many children there were."""
        return self.tables.count(self._all.eligible)

    @OVERFLOWING
    def movements(self, detail: Detail) -> Floats:
        """[row]: how far the restless went beyond what is ordinary for them, as standard normal values."""
        rows, values = self.restless, self.measure.value(detail.past, self.shared_now)
        was_there = (detail.past[:, :-1] != 0).any(axis=0) & (detail.past[:, 1:] != 0).any(axis=0)
        past = np.where(was_there, values[:-1] - values[1:], np.nan)
        own = scatter_of_values(self.measure, detail.before, detail.now, self.shared_now)
        volume = self._all.volume[rows]
        sound = (own > 0) & (volume > 0)
        common = volume * (float(np.median(own[sound] / volume[sound])) if sound.any() else 0.0)
        usual = ordinary(moderated(own, common, detail.buckets), past)
        change = self.measure.value(self.tables.now[:, rows], self.shared_now)
        change = change - self.measure.value(self.tables.before[:, rows], self.shared_before)
        far = np.divide(change, np.sqrt(usual.variance), out=np.zeros_like(change), where=usual.variance > 0)
        return normal_score(far, usual.degrees)

    @OVERFLOWING
    def causes(self, detail: Detail, most: int = MOST_CAUSES) -> Findings:
        """Which of the candidates are causes."""
        rows, tables = np.array(self.candidates, dtype=np.int64), self.tables
        trembled = self._scatter(detail, self._all.variance[rows])
        usual = ordinary(trembled.variance, self._past(detail))
        news = self._news(detail)
        regions = [tables.region(row) for row in self.candidates]
        suspects = Suspects(
            measure=self.measure,
            alike=self.alike,
            regions=regions,
            twins=detail.twins(regions),
            before=tables.before[:, rows],
            now=tables.now[:, rows],
            whole_before=self.whole_before,
            whole_now=self.whole_now,
            shared=self.shared_now,
            ordinary=usual,
            scatter=trembled,
            amount=self._amount,
            news=news,
        )
        found = find(suspects, most) if len(rows) else []
        return Findings(found, self._all.effects[rows], usual, news)

    def _amount(self, key: Key) -> Floats | None:
        """[leaf]: what a region has over both periods; `None` if it was not seen."""
        if key in self._above:
            return self.whole_before + self.whole_now
        row = self.tables.find(key)
        return None if row is None else self.tables.before[:, row] + self.tables.now[:, row]

    @cached_property
    def _above(self) -> set[Key]:
        """The keys of all that holds everything that is looked at."""
        values = self.top.values.items()
        names = [(dimension, below[:end]) for dimension, below in values for end in range(1, len(below) + 1)]
        some = (combinations(names, count) for count in range(len(names) + 1))
        return {frozenset(dict(chosen).items()) for several in some for chosen in several}

    def _scatter(self, detail: Detail, screened: Floats) -> Scatter:
        if min(detail.before.shape[1], detail.now.shape[1]) < FEWEST_BUCKETS:
            none = np.zeros((0, detail.now.shape[2] * len(self.alike.aspects)))
            return Scatter(none, none, np.tile(screened, len(self.alike.aspects)))
        own = scatter(
            self.measure, self.alike, detail.before, detail.now, detail.whole_before, detail.whole_now, self.shared_now
        )
        sound = screened > 0
        by_aspect = own.variance.reshape(len(self.alike.aspects), -1)
        ratios = by_aspect[:, sound] / screened[sound]
        common = np.outer(np.median(ratios, axis=1), screened).ravel() if sound.any() else own.variance
        return own._replace(variance=moderated(own.variance, common, detail.buckets))

    def _past(self, detail: Detail) -> Floats:
        """[period, aspect and row]: the effects from each earlier period to the next, as large as they would be now."""
        rows, wholes = detail.past, detail.whole_past
        later, earlier = rows[:, :-1], rows[:, 1:]
        surplus = self.alike.surpluses(earlier, later, wholes[:, 1:], wholes[:, :-1])
        found = effect(self.measure, wholes[:, :-1], surplus, self.shared_now)
        was_there = (later != 0).any(axis=0) & (earlier != 0).any(axis=0) & (wholes[:, 1:] != 0).any(axis=0)[:, None]
        was_there = np.tile(was_there, len(self.alike.aspects))
        return np.where(was_there, found * self._sizes(wholes)[:, None], np.nan)

    def _news(self, detail: Detail) -> float:
        """How far the whole's value goes by chance, as a standard deviation."""
        wholes = detail.whole_past
        values = self.measure.value(wholes, self.shared_now)
        known = (wholes[:, :-1] != 0).any(axis=0) & (wholes[:, 1:] != 0).any(axis=0)
        changes = (np.diff(values) * self._sizes(wholes))[known]
        if len(changes) >= FEWEST_PAST:
            return float(np.sqrt((changes**2).mean()))
        buckets = self.measure.value(detail.whole_before, self.shared_now)
        if len(buckets) < FEWEST_BUCKETS:
            return 0.0
        scale = abs(self.value_before / buckets.mean()) if buckets.mean() else 1.0
        return float(buckets.std(ddof=1) * scale * np.sqrt(2 / len(buckets)))

    def _sizes(self, wholes: Floats) -> Floats:
        """[period]: by how much more the whole is worth than it was, so that earlier effects can be set beside it."""
        if not self.alike.by_factors:
            return np.ones(wholes.shape[1] - 1)
        values = np.abs(self.measure.value(wholes, self.shared_now)[1:])
        return np.divide(abs(self.value_before), values, out=np.ones_like(values), where=values > 0)

    @cached_property
    def _all(self) -> Screened:
        return self._screened(self.tables)

    def _screened(self, tables: Tables) -> Screened:
        before, now = tables.before, tables.now
        surplus = self.alike.excess(before, now, self.whole_before, self.whole_now)
        effects = effect(self.measure, self.whole_now, surplus, self.shared_now)
        volume = np.abs(self.gradient) @ (np.abs(before) + np.abs(now))
        return Screened(effects, volume, ~tables.is_other & ~self._is_nearly_all(before, now))

    def _is_nearly_all(self, before: Floats, now: Floats) -> NDArray[np.bool_]:
        def share(rows: Floats, whole: Floats) -> Floats:
            return np.divide(rows, whole[:, None], out=np.zeros_like(rows), where=whole[:, None] != 0)

        most = np.minimum(share(before, self.whole_before), share(now, self.whole_now))
        return np.asarray((most > NEARLY_THE_WHOLE).all(axis=0))

    @cached_property
    @OVERFLOWING
    def gradient(self) -> Floats:
        """[leaf]: by how much the value changes with each leaf."""
        whole = self.whole_now + self.whole_before
        steps = np.eye(len(whole)) * np.where(whole != 0, np.abs(whole), 1.0) * 1e-3
        up = self.measure.value((whole[:, None] + steps) / 2, self.shared_now)
        down = self.measure.value((whole[:, None] - steps) / 2, self.shared_now)
        slope: Floats = (up - down) / np.diag(steps)
        return slope


class Findings(NamedTuple):
    """Causes by the number of the candidate; the effect of each and what is ordinary for it and for the whole."""

    causes: list[Found]
    effects: Floats
    ordinary: Ordinary
    news: float
