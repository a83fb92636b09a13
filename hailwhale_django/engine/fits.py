"""Fits: what a policy assumes before it sees a visitor's evidence, learnt from all of a decision's now and then.

A fit changes slowly, evidence at once: so evidence is read for every decision, and a fit is learnt when there is a
quarter more of it, or some more and the last one is half a minute old. It is kept in the store, for all processes.
Learning reads a sample of cells, so that its cost is bounded whatever the decision has seen.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import islice

import numpy as np

from .decide.aim import Aim
from .decide.cells import EVERYBODY, Cell
from .decide.evidence import Fit, Floats, History, N, Policy
from .decide.lessons import ASSIGNED
from .domain.paths import Path
from .domain.plan import Column
from .store.evidence import Sums, cell_of
from .store.server import Call
from .store.store import Store

MORE = 1.25
SOME_MORE = 1.01
SOME_MORE_SECONDS = 30.0

# Days that a change is looked for in.
MOST_DAYS = 90

# Cells of one level that are looked at, and all numbers of evidence that are read for a fit.
MOST_CELLS = 400
FEWEST_CELLS = 20
MOST_FIELDS = 60_000

# Fits that one decision keeps: each set of options, period and settings has its own, and callers make these up.
MOST_FITS = 200

FIT_SECONDS = 90 * 86_400
"""How long fits stay of a decision that nobody makes any more."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fit, when it was learnt, of how many events, and from when on evidence counts (0: all of the period).

    `events` are those that decisions by this fit go by: of all the period or, where the world changed, since then.
    """

    fit: Fit
    at: float
    events: float
    since: float

    def __str__(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    @lru_cache(maxsize=256)
    def parse(cls, text: bytes) -> Fitted:
        """The inverse of `str`; decisions ask it of the same fit again and again."""
        found = json.loads(text)
        return cls(Fit(**found.pop("fit")), **found)

    def is_outgrown(self, events: float, now: float) -> bool:
        """Whether there is enough new evidence to learn anew; also where there is less, as after a reset."""
        if not self.events * 0.5 <= events < self.events * MORE + 1:
            return True
        return events > self.events * SOME_MORE and abs(now - self.at) > SOME_MORE_SECONDS


class Fits:
    """Learns fits from a store's evidence, and keeps them there."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def learn(
        self,
        pk: Path,
        name: str,
        policy: Policy,
        aim: Aim,
        options: Sequence[str],
        columns: Sequence[Column],
        span: tuple[int, int],
        now: float,
        events: float,
    ) -> Fitted:
        """Learn from the evidence of a period, given by its columns and its first and last second, and keep it.

        `events` is how many these columns have, which may begin before the days that a change is looked for in.
        """
        days = self._days(span, now)
        by_day = self.store.evidences.sums(str(pk), days, options, [EVERYBODY.text])
        everybody = aim.eight(by_day.of)[:, :, 0]
        expected = self._expected(by_day, aim, everybody)
        history = History(tuple(options), self._levels(pk, aim, options, columns), everybody, expected, aim.minimize)
        fit = policy.fit(history)
        since = float(self.store.timeline.starts_at(*days[fit.since])) if fit.since else 0.0
        fitted = Fitted(fit, now, float(everybody[fit.since :, :, N].sum()) if since else events, since)
        self._keep(str(pk), name, fitted)
        return fitted

    def _keep(self, pk: str, name: str, fitted: Fitted) -> None:
        key = [self.store.keys.fits(pk)]
        calls = [Call("HSET", key, [name, str(fitted)]), Call("HLEN", key), Call("EXPIRE", key, [FIT_SECONDS])]
        if self.store.server.run(calls)[1] > MOST_FITS:
            self.store.server.call("UNLINK", key)  # those that are asked for are learnt anew

    def _days(self, span: tuple[int, int], now: float) -> list[Column]:
        """The finest buckets of evidence in the period, at most so many, the last of them that of `now`."""
        interval = self.store.schedule.finest_of_evidence
        bucket = self.store.timeline.bucket
        first, last = bucket(interval, span[0]), bucket(interval, min(now, span[1] - 1))
        return [Column(interval, one) for one in range(max(first, last - MOST_DAYS + 1), last + 1)]

    def _expected(self, by_day: Sums, aim: Aim, everybody: Floats) -> Floats:
        found = by_day.of(aim.prediction)[:, :, 0]
        return np.where(found != 0, found, np.nan)

    def _levels(self, pk: Path, aim: Aim, options: Sequence[str], columns: Sequence[Column]) -> dict[str, Floats]:
        """A sample of cells of each level, and the sums of these."""
        sampled = self.sampled(str(pk), columns)
        room = MOST_FIELDS // max(len(options) * max(len(columns), 1) * max(len(sampled), 1), 1)
        most = min(max(room, FEWEST_CELLS), MOST_CELLS)
        levels = {}
        for level, cells in sampled.items():
            some = list(islice(cells, most))
            sums = self.store.evidences.sums(str(pk), columns, options, some)
            levels[level] = aim.eight(sums.summed().of).swapaxes(0, 1)
        return levels

    def sampled(self, pk: str, columns: Sequence[Column]) -> dict[str, dict[str, None]]:
        """Cells by level: those that were drawn from the longest buckets and the latest."""
        chosen = dict.fromkeys([*sorted(columns, key=lambda one: -one.interval.seconds)[:2], *columns[-1:]])
        keys = [self.store.evidences.key(pk, column) for column in chosen]
        calls = [Call("HRANDFIELD", [key], [MOST_CELLS * 10]) for key in keys]
        levels: dict[str, dict[str, None]] = defaultdict(dict)
        replies = self.store.server.run(calls) if calls else []
        for text in dict.fromkeys(cell_of(one.decode()) for reply in replies for one in reply):
            cell = Cell.of(text)
            if cell.level and cell.level != ASSIGNED:
                levels[cell.level][text] = None
        return levels
