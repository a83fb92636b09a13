"""Experiments: what a decision's page is made of, read in a few round trips whatever the decision has seen.

Evidence is read as sums: of all visitors, of those who were decided for by chance alone (the only ones who are fit to
be compared where the policy looks at results), by day, and by groups of visitors, of which a sample is looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .chooser import Weighed
from .decide.aim import Aim
from .decide.cells import EVERYBODY, JOINT, Cell, Outlook
from .decide.evidence import SUMS, Evidence, Floats, Judgement, N
from .decide.lessons import UNIFORM
from .decide.policies.book import policy_of
from .decide.terms import Terms
from .domain.paths import Path
from .domain.period import Period
from .domain.plan import Column
from .fits import Fits
from .store.choices import Kept, Logged
from .store.evidence import GROUP, Sums
from .store.store import Store

MOST_DAYS = 120
"""That lines are drawn over; the last of the period."""

MOST_FIELDS = 8_000
"""That are read to look for the groups with most events, of some hundred bytes each."""

MOST_LEVELS = 12
MOST_CELLS = 400
FEWEST_CELLS = 10
LONGEST = 2
"""Buckets in which it is looked who has most events, and the latest one."""

SHOWN_CELLS = 10
"""Of each level, those with most events."""

ROUNDING = 1e-6


class Totals:
    """The sums of a period, of which any aim can be asked."""

    def __init__(self, sums: Sums) -> None:
        self._sums = sums

    def everybody(self, aim: Aim) -> Floats:
        """[option, 8]"""
        return np.asarray(aim.eight(self._sums.of)[:, 0])

    def uniform(self, aim: Aim) -> Floats:
        """[option, 8], of those who were decided for by chance alone."""
        return np.asarray(aim.eight(self._sums.of)[:, 1])


@dataclass(frozen=True, slots=True)
class Days:
    """`sums[day, option]` are the eight of everybody, of some `options`."""

    period: Period
    options: tuple[str, ...]
    sums: Floats

    @property
    def has_events(self) -> bool:
        return bool(self.sums[:, :, N].any())

    def judged(self, weighed: Weighed) -> Floats:
        """[mean, lower and upper; day; option]: what a policy makes of all there was until the end of each day, by
        what it assumes now; nan before the first event.
        """
        known = np.cumsum(self.sums, axis=0)
        found = np.full((3, *known.shape[:2]), np.nan)
        for day in np.flatnonzero(known[:, :, N].any(axis=1)).tolist():
            evidence = Evidence(self.options, (EVERYBODY,), known[day][:, None], weighed.evidence.minimize)
            # What is assumed of options is of all of them.
            fit = weighed.fit if self.options == weighed.evidence.options else None
            one = weighed.policy.judge(evidence, fit)
            found[:, day] = one.mean, one.lower, one.upper
        return found


@dataclass(frozen=True, slots=True)
class Segment:
    """A group of visitors: the eight sums of each option there, and what the policy makes of them."""

    cell: Cell
    sums: Floats
    judged: Judgement

    @property
    def events(self) -> float:
        return float(self.sums[:, N].sum())


@dataclass(frozen=True, slots=True)
class Level:
    """Groups of one kind, those with most events first. `seen`: how many of the kind were looked at."""

    name: str
    segments: tuple[Segment, ...]
    seen: int


class Experiments:
    """Reads experiments of a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.fits = Fits(store)

    def totals(self, pk: Path, options: Sequence[str], columns: Sequence[Column]) -> Totals:
        cells = (EVERYBODY.text, str(UNIFORM))
        return Totals(self.store.evidences.sums(str(pk), columns, options, cells).summed())

    def days(
        self, pk: Path, options: Sequence[str], aim: Aim, columns: Sequence[Column], period: Period, now: float
    ) -> Days:
        """Of the period those days that are in `columns`, by the finest interval that evidence is kept in; none that
        are still to come.
        """
        kept = self.store.schedule.finest_of_evidence
        since = min((self.store.timeline.starts_at(*column) for column in columns), default=period.span[0])
        whole = period.with_interval(kept).starting(since)
        last = max(min(whole.last, self.store.timeline.bucket(kept, now)), whole.first)
        first = max(whole.first, last - MOST_DAYS + 1)
        shown = Period(period.text, kept, period.zone, first, last)
        columns = [Column(kept, bucket) for bucket in shown.buckets]
        eight = aim.eight(self.store.evidences.sums(str(pk), columns, options, [EVERYBODY.text]).of)[:, :, 0]
        begun = int(np.argmax(eight[:, :, N].any(axis=1)))  # nothing was known before
        shown = Period(shown.text, kept, shown.zone, shown.first + begun, shown.last)
        return Days(shown, tuple(options), eight[begun:])

    def levels(self, pk: Path, aim: Aim, outlook: Outlook, weighed: Weighed) -> list[Level]:
        """What is known by group, of each kind of group those with most events."""
        options, columns = weighed.evidence.options, weighed.columns
        sampled = self.fits.sampled(str(pk), columns)
        names = sorted(sampled, key=lambda level: (_names(level), level))[:MOST_LEVELS]
        longest = sorted(columns, key=lambda one: -one.interval.seconds)[:LONGEST]
        ranked_by = list(dict.fromkeys([*longest, *columns[-1:]]))
        room = MOST_FIELDS // max(-(-len(options) // GROUP) * len(ranked_by) * len(names), 1)
        most = min(max(room, FEWEST_CELLS), MOST_CELLS)
        levels = []
        for name in names:
            some = [Cell(name, text) for text in list(sampled[name])[:most]]
            largest = self._largest(pk, aim, options, ranked_by, some)
            sums = self._of_cells(pk, aim, options, columns, largest)
            known = [(cell, of) for cell, of in zip(largest, sums, strict=True) if of[:, N].sum() > 0]
            if known:
                known.sort(key=lambda one: -one[1][:, N].sum())
                levels.append(Level(name, self._judged(pk, aim, outlook, weighed, known), len(sampled[name])))
        return levels

    def log(self, pk: Path, count: int) -> list[Logged]:
        """The latest decisions, newest first."""
        return self.store.choices.latest(str(pk), count)

    def judged_by_paths(
        self, pk: Path, aim: Aim, outlook: Outlook, weighed: Weighed, visitors: Iterable[tuple[str, ...]]
    ) -> list[tuple[Evidence, Judgement]]:
        """What is known for visitors of whom these paths are known, and what the policy makes of it."""
        groups = [outlook.cells(map(Path.parse, paths)) for paths in visitors]
        wanted = list(dict.fromkeys(cell for group in groups for cell in group))
        sums = self._of_cells(pk, aim, weighed.evidence.options, weighed.columns, wanted)
        at = {cell: number for number, cell in enumerate(wanted)}
        found = []
        for group in groups:
            own = sums[[at[cell] for cell in group]].swapaxes(0, 1)
            evidence = Evidence(weighed.evidence.options, group, own, aim.minimize)
            found.append((evidence, weighed.policy.judge(evidence, weighed.fit)))
        return found

    def _judged(
        self, pk: Path, aim: Aim, outlook: Outlook, weighed: Weighed, some: Sequence[tuple[Cell, Floats]]
    ) -> tuple[Segment, ...]:
        """Each as a visitor is judged of whom only that group is known."""
        judged = self.judged_by_paths(pk, aim, outlook, weighed, [_known(cell) for cell, _ in some])
        return tuple(Segment(cell, sums, one) for (cell, sums), (_, one) in zip(some, judged, strict=True))

    def _largest(
        self, pk: Path, aim: Aim, options: Sequence[str], columns: Sequence[Column], cells: Sequence[Cell]
    ) -> list[Cell]:
        """Those with most events in these columns."""
        events = self._of_cells(pk, aim, options, columns, cells)[:, :, N].sum(axis=1)
        return [cells[at] for at in np.argsort(-events, kind="stable")[:SHOWN_CELLS].tolist()]

    def _of_cells(
        self, pk: Path, aim: Aim, options: Sequence[str], columns: Sequence[Column], cells: Sequence[Cell]
    ) -> Floats:
        """[cell, option, 8]"""
        if not cells:
            return np.zeros((0, len(options), len(SUMS)))
        sums = self.store.evidences.sums(str(pk), columns, options, [cell.text for cell in cells])
        return np.asarray(aim.eight(sums.summed().of).swapaxes(0, 1))


def check(terms: Terms, options: Sequence[str]) -> None:
    """Raises `InvalidInput` where the policy cannot decide among these options, as where its shares name others."""
    nothing = Evidence(tuple(options), (EVERYBODY,), np.zeros((len(options), 1, len(SUMS))), terms.aim.minimize)
    policy_of(terms.policy, **terms.settings).judge(nothing, None)


def has_all_chances(made: Kept, options: Collection[str]) -> bool:
    """Whether a decision was logged with the chance of every option, all of which are still among these."""
    return all(one in options for one in made.options) and sum(made.chances) > 1 - ROUNDING


def _known(cell: Cell) -> tuple[str, ...]:
    """What is known of somebody of whom only this group is known: its paths and what these are below."""
    paths = [Path.parse(text) for text in cell.paths]
    return tuple(str(Path(path[:depth])) for path in paths for depth in range(1, len(path) + 1))


def _names(level: str) -> int:
    """Groups that are known by one dimension come first."""
    return level.count(JOINT)
