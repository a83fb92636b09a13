"""An inquiry into one change: what was seen of tables, where to look next, and what it comes to.

It goes from coarse to fine. Of all tables only the sums of the two periods are looked at; what stands out there is
looked into: its own children, and, of few dozen candidates, every bucket and the periods before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..domain.paths import OTHER, Path
from ..domain.values import Floats
from .attribution import Sides, attribute
from .causes import Cause as Found
from .causes import Suspects, find
from .excess import Alike, effect
from .measure import Measure
from .ordinary import (
    CHI_SQUARE_MEDIAN,
    FEWEST_BUCKETS,
    Ordinary,
    Scatter,
    normal_score,
    ordinary,
    scatter,
    scatter_of_values,
)
from .region import Region

MOST_PROMISING = 24
"""Children of a level whose own children are looked at."""

MOST_CANDIDATES = 64
"""Children whose buckets and past are looked at."""

NEARLY_THE_WHOLE = 0.95
"""What has that share of everything, before and now, is no part of it to speak of."""

PRIOR_BUCKETS = 3.0
"""As how many buckets of its own the scatter of all candidates counts for one."""

FEWEST_PAST = 3
"""Earlier changes that say what is ordinary for the whole; with fewer its buckets have to."""


@dataclass(frozen=True)
class Seen:
    """A table: its children, and their leaves [leaf, row] in both periods."""

    table: Path
    regions: Sequence[Region]
    before: Floats
    now: Floats
    counters: bool = False

    @cached_property
    def is_other(self) -> NDArray[np.bool_]:
        return np.array([region.path[-1:] == (OTHER,) for region in self.regions], dtype=bool)


class Detail(NamedTuple):
    """Of candidates: buckets [leaf, bucket, row] of both periods and of the whole [leaf, bucket]; and sums of earlier
    periods, the one compared with first, [leaf, period, row] and [leaf, period].
    """

    before: Floats
    now: Floats
    whole_before: Floats
    whole_now: Floats
    past: Floats
    whole_past: Floats


@dataclass
class Inquiry:
    """`before` and `now` are the whole's leaves and what is shared, of both periods."""

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
        before, now = self._joined(self.seen)
        lowest = [rows.min(axis=1, initial=0.0) for rows in (before, now)]
        return Alike.of(self.measure, (np.minimum(*lowest) < 0).tolist())

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted in one of the periods, so that there is nothing to compare."""
        return not (self.whole_before.any() and self.whole_now.any())

    def add(self, tables: Iterable[Seen]) -> None:
        self.seen += tables

    def promising(self, tables: Sequence[Seen], most: int = MOST_PROMISING) -> list[Region]:
        """The children of these tables that are worth looking into."""
        regions = [region for table in tables for region in table.regions]
        if not regions:
            return []
        screened = self._screened(tables)
        return [regions[at] for at in screened.foremost(most)]

    @cached_property
    def restless(self) -> list[Region]:
        """The children that themselves changed most, for what they are; their buckets and past are to be looked at."""
        sides = [Sides(rows, whole, shared) for rows, whole, shared in zip(
            self._columns, (self.whole_before, self.whole_now), (self.shared_before, self.shared_now), strict=True
        )]  # fmt: skip
        own = attribute(self.measure, *sides).rate
        screened = self._all._replace(effects=own)
        chosen = dict.fromkeys(self._regions[at].key for at in screened.foremost(MOST_CANDIDATES))
        one_of = {region.key: region for region in reversed(self._regions)}
        return [one_of[key] for key in chosen]

    @property
    def looked_at(self) -> int:
        """How many children there were."""
        return int(self._all.eligible.sum())

    def rows_of(self, regions: Sequence[Region]) -> tuple[Floats, Floats]:
        """The leaves [leaf, row] of some of what was seen, of both periods."""
        number = {region: at for at, region in enumerate(self._regions)}
        rows = np.array([number[region] for region in regions], dtype=np.int64)
        return self._columns[0][:, rows], self._columns[1][:, rows]

    def movements(self, detail: Detail) -> Floats:
        """[row]: how far the restless went beyond what is ordinary for them, as standard normal values."""
        values = self.measure.value(detail.past, self.shared_now)
        now = self.measure.value(detail.now.sum(axis=1), self.shared_now)
        was_there = (detail.past[:, :-1] != 0).any(axis=0) & (detail.past[:, 1:] != 0).any(axis=0)
        past = np.where(was_there, values[:-1] - values[1:], np.nan)
        within = scatter_of_values(self.measure, detail.before, self.shared_before)
        within = within + scatter_of_values(self.measure, detail.now, self.shared_now)
        usual = ordinary(within, past)
        change = now - self.measure.value(detail.before.sum(axis=1), self.shared_before)
        far = np.divide(change, np.sqrt(usual.variance), out=np.zeros_like(change), where=usual.variance > 0)
        return normal_score(far, usual.degrees)

    @cached_property
    def candidates(self) -> list[Region]:
        """The children whose buckets and past are to be looked at; among them those that others lie within."""
        regions, screened = self._regions, self._all
        number = {region.key: at for at, region in enumerate(regions)}  # one of those that are the same
        chosen = dict.fromkeys(number[regions[at].key] for at in screened.foremost(MOST_CANDIDATES))
        for at in list(chosen):
            above = number.get(Region(regions[at].path.parent).key) if not regions[at].counters else None
            if above is not None and screened.eligible[above]:
                chosen.setdefault(above)
        return [regions[at] for at in chosen]

    def causes(self, detail: Detail, most: int) -> Findings:
        """Which of the candidates are causes."""
        regions, screened = self._regions, self._all
        number = {region: at for at, region in enumerate(regions)}
        rows = np.array([number[region] for region in self.candidates], dtype=np.int64)
        before, now = self.rows_of(self.candidates)
        trembled = self._scatter(detail, screened.variance[rows])
        past = self._past(detail)
        usual = ordinary(trembled.variance, past)
        news = self._news(detail)
        suspects = Suspects(
            measure=self.measure,
            alike=self.alike,
            regions=self.candidates,
            before=before,
            now=now,
            whole_before=self.whole_before,
            whole_now=self.whole_now,
            shared=self.shared_now,
            ordinary=usual,
            scatter=trembled,
            amounts=dict(zip((one.key for one in regions), (self._columns[0] + self._columns[1]).T, strict=True)),
            news=news,
        )
        found = find(suspects, most) if len(rows) else []
        return Findings(found, screened.effects[rows], usual, news)

    def _scatter(self, detail: Detail, screened: Floats) -> Scatter:
        if min(detail.before.shape[1], detail.now.shape[1]) < FEWEST_BUCKETS:
            none = np.zeros((0, detail.now.shape[2]))
            return Scatter(none, none, screened)
        own = scatter(
            self.measure, self.alike, detail.before, detail.now, detail.whole_before, detail.whole_now, self.shared_now
        )
        ratios = own.variance[screened > 0] / screened[screened > 0]
        common = screened * (float(np.median(ratios)) if len(ratios) else 1.0)
        degrees = detail.before.shape[1] + detail.now.shape[1] - 2
        moderated = (PRIOR_BUCKETS * common + degrees * own.variance) / (PRIOR_BUCKETS + degrees)
        return own._replace(variance=moderated)

    def _past(self, detail: Detail) -> Floats:
        """[period, row]: the effects from each earlier period to the one after it, as large as they would be now."""
        rows, wholes = detail.past, detail.whole_past
        later, earlier = rows[:, :-1], rows[:, 1:]
        surplus = self.alike.excess(earlier, later, wholes[:, 1:], wholes[:, :-1])
        found = effect(self.measure, wholes[:, :-1], surplus, self.shared_now)
        was_there = (later != 0).any(axis=0) & (earlier != 0).any(axis=0) & (wholes[:, 1:] != 0).any(axis=0)[:, None]
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
    def _regions(self) -> list[Region]:
        return [region for table in self.seen for region in table.regions]

    @cached_property
    def _columns(self) -> tuple[Floats, Floats]:
        return self._joined(self.seen)

    @cached_property
    def _all(self) -> _Screened:
        return self._screened(self.seen)

    def _joined(self, tables: Sequence[Seen]) -> tuple[Floats, Floats]:
        """The leaves [leaf, row] of all rows of some tables, of both periods."""
        none = np.zeros((len(self.whole_now), 0))
        before = [none, *(table.before for table in tables)]
        now = [none, *(table.now for table in tables)]
        return np.concatenate(before, axis=1), np.concatenate(now, axis=1)

    def _screened(self, tables: Sequence[Seen]) -> _Screened:
        before, now = self._joined(tables)
        surplus = self.alike.excess(before, now, self.whole_before, self.whole_now)
        effects = effect(self.measure, self.whole_now, surplus, self.shared_now)
        volume = np.abs(self.gradient) @ (np.abs(before) + np.abs(now))
        is_other = np.concatenate([table.is_other for table in tables]) if tables else np.zeros(0, dtype=bool)
        return _Screened(effects, volume, ~is_other & ~self._is_nearly_all(before, now))

    def _is_nearly_all(self, before: Floats, now: Floats) -> NDArray[np.bool_]:
        def share(rows: Floats, whole: Floats) -> Floats:
            return np.divide(rows, whole[:, None], out=np.zeros_like(rows), where=whole[:, None] != 0)

        most = np.minimum(share(before, self.whole_before), share(now, self.whole_now))
        return np.asarray((most > NEARLY_THE_WHOLE).all(axis=0))

    @cached_property
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


class _Screened(NamedTuple):
    """Effects [row], how much each row has to tremble with, and which may be named at all."""

    effects: Floats
    volume: Floats
    eligible: NDArray[np.bool_]

    @property
    def variance(self) -> Floats:
        """As of counts, whose variance goes with their size; by how much, half of the rows tell."""
        sound = (self.volume > 0) & (self.effects != 0)
        ratios = self.effects[sound] ** 2 / self.volume[sound]
        per_volume = float(np.median(ratios)) / CHI_SQUARE_MEDIAN if len(ratios) else 0.0
        return self.volume * per_volume

    def foremost(self, most: int) -> list[int]:
        """Those that stand out: two in three by how far beyond chance they are, the others by how much they weigh."""
        deviation = np.sqrt(self.variance)
        far = np.divide(np.abs(self.effects), deviation, out=np.zeros_like(deviation), where=deviation > 0)
        by_far = np.argsort(-np.where(self.eligible, far, -1.0), kind="stable")
        by_weight = np.argsort(-np.where(self.eligible, np.abs(self.effects), -1.0), kind="stable")
        chosen = dict.fromkeys(by_far[: most - most // 3].tolist())
        for at in by_weight.tolist():
            if len(chosen) >= most:
                break
            chosen.setdefault(at)
        return [at for at in chosen if self.eligible[at]]
