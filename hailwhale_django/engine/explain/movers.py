"""Which children moved most against their own past, whatever the whole did."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .detail import Detail
from .explanation import Mover
from .inquiry import Inquiry
from .telling import Telling

LEAST_SCORE = 3.0
"""Standard normal: who stays below moved no more than such children do."""


def moved(inquiry: Inquiry, detail: Detail, most: int) -> Iterator[Mover]:
    """Those furthest beyond what is ordinary for them first. Of a child and a part of it the further one is told."""
    tables, rows = inquiry.tables, inquiry.restless
    regions = [tables.region(row) for row in rows]
    scores = inquiry.movements(detail)
    parts = Telling(inquiry).parts(regions, tables.before[:, rows], tables.now[:, rows])
    twins = detail.twins(regions)
    told: list[int] = []
    for at in np.argsort(-np.abs(scores), kind="stable").tolist():
        if abs(scores[at]) < LEAST_SCORE or len(told) >= most:
            return
        region = regions[at]
        if twins[at][0] != region or any(
            regions[other].holds(region) or region.holds(regions[other]) for other in told
        ):
            continue
        told.append(at)
        yield Mover(parts[at], float(scores[at]), region.counters)
