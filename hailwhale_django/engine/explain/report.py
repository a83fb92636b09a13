"""Findings as an explanation: tables whose parts add up to the change, and what is to be said of each cause."""

from __future__ import annotations

from math import fsum

import numpy as np

from .causes import Cause as Found
from .detail import Detail
from .excess import Aspect
from .explanation import Breakdown, Cause, How, Part
from .inquiry import Findings, Inquiry
from .onset import onset
from .region import Region
from .seen import Seen, largest
from .telling import Telling

NOISE = 1e-9
"""What adding doubles leaves behind, in parts of what was added."""


class Report:
    """Writes down an inquiry. `limit` is how many children of a table are shown."""

    def __init__(self, inquiry: Inquiry, findings: Findings, detail: Detail, limit: int) -> None:
        self.inquiry = inquiry
        self.findings = findings
        self.detail = detail
        self.limit = limit
        self.regions = [inquiry.tables.region(row) for row in inquiry.candidates]
        self.candidates = {region: at for at, region in enumerate(self.regions)}
        self._parts: dict[Region, Part] = {}
        self.telling = Telling(inquiry)

    def breakdowns(self) -> tuple[Breakdown, ...]:
        """Of every table that was looked at; those of the topmost level first."""
        return tuple(self._breakdown(seen) for seen in self.inquiry.seen)

    def causes(self) -> tuple[Cause, ...]:
        """What was found, with everything that is to be said of it. After `breakdowns`."""
        return tuple(self._cause(self.regions[found.at], found) for found in self.findings.causes)

    def _breakdown(self, seen: Seen) -> Breakdown:
        inquiry = self.inquiry
        parts = self.telling.carried(seen.before, seen.now)
        named = np.ones(len(seen.names), dtype=bool)
        named[seen.other] = False
        order = largest(np.where(named, np.abs(parts.part), -1.0), min(self.limit, int(named.sum())))
        # A cause is shown, however small its part is.
        found = [self.regions[one.at].path for one in self.findings.causes]
        causes = [seen.numbers[path.name] for path in found if path.parent == seen.table and path.name in seen.names]
        shown = [*order, *sorted(set(causes) - set(order), key=lambda at: -abs(float(parts.part[at])))]
        named[shown] = False
        regions = [seen.region(at) for at in shown]
        told = list(
            map(self._looked_into, regions, self.telling.parts(regions, seen.before[:, shown], seen.now[:, shown]))
        )
        self._parts |= dict(zip(regions, told, strict=True))
        rest = inquiry.change - fsum(parts.part.tolist())
        scale = abs(inquiry.value_before) + abs(inquiry.value_now) + float(np.abs(parts.part).sum())
        return Breakdown(
            table=seen.table,
            parts=tuple(told),
            others=fsum(parts.part[named].tolist()),
            count=int(named.sum()),
            other=fsum(parts.part[seen.other]),
            rest=0.0 if abs(rest) <= NOISE * scale else rest,
            counters=seen.counters,
        )

    def _looked_into(self, region: Region, part: Part) -> Part:
        """With its effect, and how far that goes by chance, where it was a candidate."""
        at = self.candidates.get(region)
        if at is None:
            return part
        usual = float(np.sqrt(self.findings.ordinary.variance[at]))
        return part._replace(effect=float(self.findings.effects[at]), ordinary=usual)

    def _cause(self, region: Region, found: Found) -> Cause:
        part = self._parts[region]
        return Cause(
            part=part,
            how=self._how(part, found.aspect),
            share=part.part / self.inquiry.change if self.inquiry.change else 0.0,
            score=found.score,
            without=self.inquiry.value_now - found.effect,
            times=self._times(self.candidates[region]),
            counters=region.counters,
        )

    def _how(self, part: Part, aspect: Aspect) -> How:
        if part.before is None:
            return "new"
        if part.now is None:
            return "gone"
        if self.telling.weighs is None:
            return "more" if part.now > part.before else "less"
        if aspect != "all":
            return aspect
        return "rate" if abs(part.rate) >= abs(part.mix) else "mix"

    def _times(self, at: int) -> tuple[int, int] | None:
        """In which buckets a candidate went another way than the rest."""
        detail, gradient = self.detail, self.inquiry.gradient
        if detail.before.shape[1] < 2:
            return None
        own, rest = detail.before[:, :, at], detail.whole_before - detail.before[:, :, at]
        against = rest.sum(axis=1)
        odds = np.divide(own.sum(axis=1), against, out=np.zeros_like(against), where=against != 0)
        usual = gradient @ (own - odds[:, None] * rest)
        now = detail.now[:, :, at]
        return onset(gradient @ (now - odds[:, None] * (detail.whole_now - now)), float(usual.std(ddof=1)))

    def times(self) -> tuple[int, int] | None:
        """In which buckets the whole went another way than in the period before."""
        detail, gradient = self.detail, self.inquiry.gradient
        if detail.whole_before.shape[1] < 2:
            return None
        usual = gradient @ detail.whole_before
        return onset(gradient @ detail.whole_now - usual.mean(), float(usual.std(ddof=1)))
