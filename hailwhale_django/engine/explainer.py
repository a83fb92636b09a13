"""Asking a store what made a number move: names and sums level by level, then buckets and the past of what stands out.

One round trip for the names of the dimensions; two a level (the names of its tables, then the sums of both periods for
all of their rows), or one where these tables were asked for before; one for what is to be known of the candidates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .domain.crossing import MARK, is_crossed
from .domain.formula import Formula
from .domain.paths import ROOT, Path
from .domain.period import Period
from .domain.plan import NOT_RETAINED, UNALIGNED
from .domain.timeline import Interval
from .errors import InvalidInput
from .explain.detail import Detail
from .explain.explanation import Explanation, Mover, Movers, Verdict
from .explain.inquiry import Findings, Inquiry
from .explain.measure import Measure
from .explain.movers import moved
from .explain.region import Region
from .explain.report import Report
from .explain.why import Why, explainable
from .measures import Asked, Measures, told_apart
from .store.conversation import Conversation, both
from .store.store import Store
from .tabling import COUNTERS, Known, Reading, Rows

EARLIER_PERIODS = 6
"""Before the one compared with: what a row did in these is ordinary for it."""

NOTHING_USUAL = "too little of these periods and of earlier ones is kept to tell what is usual"

FEWEST_BUCKETS, MOST_BUCKETS, TOO_MANY_BUCKETS = 7, 92, 400
"""Into how many buckets a period is taken apart to see how they scatter: best from 7 to 92, at most 400."""


class Explainer:
    """Explains changes in a store."""

    def __init__(self, store: Store, measures: Measures) -> None:
        self.store = store
        self.measures = measures
        self.known = Known()

    def explain(self, why: Why, now: float) -> Explanation:
        """What made the number move."""
        return self.store.server.hold(self.explaining(why, now))

    def explaining(self, why: Why, now: float) -> Conversation[Explanation]:
        """As `explain`."""
        inquiry, rows, warnings = yield from self._inquiring(why, now)
        if inquiry.is_empty:
            return _explanation(why, inquiry, None, warnings)
        detail = yield from self._looking_into(why, inquiry.measure, rows.of(inquiry.candidates), now)
        findings = inquiry.causes(detail)
        report = Report(inquiry, findings, detail, why.limit)
        if detail.is_little:
            warnings.add(NOTHING_USUAL)
        return _explanation(why, inquiry, report, warnings)

    def movers(self, why: Why, now: float) -> Movers:
        """The children that moved most against their own past."""
        return self.store.server.hold(self.moving(why, now))

    def moving(self, why: Why, now: float) -> Conversation[Movers]:
        """As `movers`."""
        inquiry, rows, warnings = yield from self._inquiring(why, now)
        moving: list[Mover] = []
        if not inquiry.is_empty:
            detail = yield from self._looking_into(why, inquiry.measure, rows.of(inquiry.restless), now)
            moving = list(moved(inquiry, detail, why.limit))
        return Movers(
            pk=why.pk,
            dimension=why.dimension,
            formula=why.formula,
            period=why.period,
            compare=why.compare,
            movers=tuple(moving),
            count=inquiry.looked_at,
            warnings=sorted(warnings),
        )

    def _inquiring(self, why: Why, now: float) -> Conversation[tuple[Inquiry, Rows, set[str]]]:
        """The sums of all that is to be looked at, level by level."""
        yield from self.store.checking(now)
        measure = Measure(explainable(why.formula))
        reading = Reading(self.measures, self.known, why, measure, now)
        names, ends = yield from both(
            self.store.catalog.listing(str(why.pk), [str(why.dimension)]), reading.finding_ends()
        )
        level = yield from reading.level(self._first(why, names[0].names), ends)
        inquiry = Inquiry(Region(why.dimension), measure, *level.whole)
        rows = []
        for depth in range(1, why.depth + 1):
            inquiry.add(level.seen)
            rows.append(level.rows)
            if depth == why.depth or not level.seen or inquiry.is_empty:
                break
            promising = inquiry.promising(level.seen)
            below = [path for one in promising for path in self._below(why, one)]
            level = yield from reading.level(below, ends, level.whole)
            if not level.seen:
                break
        return inquiry, Rows(np.concatenate(rows), ends), reading.warnings

    def _first(self, why: Why, names: Sequence[str]) -> list[Path]:
        """The tables that the change is to be told by: the dimensions of the whole; below, the children of the path and
        what is crossed with it.
        """
        if why.dimension == ROOT:
            wanted = [ROOT.child(name) for name in names if why.dimensions is None or name in why.dimensions]
            return [*wanted, COUNTERS] if why.dimensions is None else wanted
        crossed = [name for name in names if is_crossed(why.dimension.child(name))]
        if why.dimensions is not None:
            crossed = [name for name in crossed if name.removeprefix(MARK) in why.dimensions]
        return [why.dimension, *(why.dimension.child(name) for name in crossed)]

    def _below(self, why: Why, region: Region) -> Iterator[Path]:
        """The tables within a region: its own children, and what may be crossed with it."""
        if region.counters:
            return
        yield region.path
        crossed = {name for together in self.store.options.crossings.sets(str(why.pk)) for name in together}
        for name in sorted(crossed - set(region.values)):
            if why.dimensions is None or name in why.dimensions:
                yield region.path.child(f"{MARK}{name}")

    def _looking_into(self, why: Why, measure: Measure, rows: NDArray[np.int64], now: float) -> Conversation[Detail]:
        """Buckets of both periods and sums of earlier ones, of some rows and of the path itself."""
        interval = self._interval(why, now)
        spans = [] if interval is None else [span.with_interval(interval) for span in (why.compare, why.period)]
        unfolds = measure.formula.reads_buckets
        asked = [Asked(span, True, True) for span in spans]
        asked += [Asked(span, unfolds, unfolds) for span in self._earlier(why, now)]
        leaves = [Formula.of(leaf) for leaf in measure.leaves]
        question = yield from self.measures.questioning(why.pk, leaves, asked, now)
        answers = yield from self.measures.answering(question, rows, now)
        values = [values for values, _ in answers]
        none = np.zeros((len(leaves), 0, len(rows)))
        buckets = [np.stack([one.points(leaf) for leaf in leaves]) for one in values[: len(spans)]] or [none, none]
        sums = np.stack([np.stack([one.totals(leaf) for leaf in leaves]) for one in values[len(spans) :]], axis=1)
        return Detail(
            before=buckets[0][:, :, :-2],
            now=buckets[1][:, :, :-2],
            whole_before=buckets[0][:, :, -1],
            whole_now=buckets[1][:, :, -1],
            past=sums[:, :, :-2],
            whole_past=sums[:, :, -1],
            interval=interval,
        )

    def _earlier(self, why: Why, now: float) -> list[Period]:
        """The period compared with, and those before it that are still kept."""
        found = [why.compare]
        # What reads buckets would read all of them, of each.
        if why.formula.reads_buckets and len(why.compare) > MOST_BUCKETS:
            return found
        while len(found) <= EARLIER_PERIODS and (before := _previous(found[-1])) is not None:
            if NOT_RETAINED in self.store.schedule.in_sum(before, now).warnings:
                break
            found.append(before)
        return found

    def _interval(self, why: Why, now: float) -> Interval | None:
        """Into what both periods are taken apart: their own buckets, or those kept, best some but few; `None` where no
        such buckets make up both periods and are still kept.
        """
        spans = why.period, why.compare
        longest = max(end - begin for begin, end in (span.span for span in spans))

        def fits(interval: Interval) -> tuple[int, float]:
            count = longest / interval.seconds
            if FEWEST_BUCKETS <= count <= MOST_BUCKETS:
                return (0 if interval == why.period.interval else 1), count
            return (2, count) if count > MOST_BUCKETS else (3, -count)

        kept = {one.interval for one in self.store.schedule.kept} | {why.period.interval}
        for interval in sorted(kept, key=fits):
            if longest / interval.seconds <= TOO_MANY_BUCKETS and self._makes_up(spans, interval, why.formula, now):
                return interval
        return None

    def _makes_up(self, spans: Iterable[Period], interval: Interval, formula: Formula, now: float) -> bool:
        """Whether periods are buckets of an interval that are still kept, of all that the formula reads."""
        _, sketches = told_apart([formula])
        schedules = [self.store.schedule, *(self.store.schedule_of(one.kept) for one in sketches.values())]
        for span in spans:
            cut = span.with_interval(interval)
            if cut.span != span.span:
                return False
            if any({NOT_RETAINED, UNALIGNED} & schedule.by_point(cut, now).warnings for schedule in schedules):
                return False
        return True


def _previous(period: Period) -> Period | None:
    """The period before; `None` where time has not begun."""
    try:
        return period.previous()
    except InvalidInput:
        return None


def _explanation(why: Why, inquiry: Inquiry, report: Report | None, warnings: set[str]) -> Explanation:
    breakdowns = report.breakdowns() if report else ()
    causes = report.causes() if report else ()
    return Explanation(
        pk=why.pk,
        dimension=why.dimension,
        formula=why.formula,
        period=why.period,
        compare=why.compare,
        before=inquiry.value_before,
        now=inquiry.value_now,
        ordinary=report.findings.news if report else None,
        verdict=_verdict(inquiry, report.findings if report else None),
        causes=causes,
        breakdowns=breakdowns,
        times=report.times() if report else None,
        interval=report.detail.interval if report else None,
        warnings=sorted(warnings),
    )


def _verdict(inquiry: Inquiry, findings: Findings | None) -> Verdict:
    if findings is None:
        return "nothing"
    if findings.causes:
        return "causes"
    if not inquiry.change:
        return "same"
    return "alike" if abs(inquiry.change) > 2 * findings.news else "ordinary"
