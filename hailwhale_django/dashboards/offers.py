"""Which columns the metrics of a counter make: those that a page begins with, and those that it offers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from ..engine.domain.formula import Formula, Metric, parse
from ..engine.domain.sketch import RECIPE
from ..engine.errors import InvalidInput

DEFAULT_METRIC = "hits"
DEFAULT_METRICS = 4
DEFAULT_SKETCHES = 2

TOLD_AS = {"pct": ("pct50", "pct95", "hist"), "var": ("std", "var")}
"""What is kept under one name tells several things; the first is what a page begins with."""

# Codes for other programs: an overlap is asked for by its column, and not shown before.
NOT_AT_FIRST = ("mh", "fh")


def default_columns(metrics: Sequence[str]) -> tuple[Formula, ...]:
    """Hits, a few metrics, the first of them for each hit, and a few sketches."""
    some = [quoted(metric) for metric in metrics if metric != DEFAULT_METRIC and not RECIPE.match(metric)]
    ratio = [f"{some[0]}/{DEFAULT_METRIC}"] if some else []
    sketches = [_told(kept)[:1] for kept in metrics if RECIPE.match(kept) and not kept.startswith(NOT_AT_FIRST)]
    numbers_first = sorted(map(parse, chain(*sketches)), key=lambda formula: not formula.is_number)
    begin = tuple(parse(text) for text in (DEFAULT_METRIC, *some[:DEFAULT_METRICS], *ratio))
    return (*begin, *numbers_first[:DEFAULT_SKETCHES])


def offered(metrics: Sequence[str]) -> list[str]:
    """Formulas to choose from: every metric as formulas spell it, and what sketches are good for."""
    found: list[str] = []
    for metric in metrics:
        is_sketch = RECIPE.match(metric) is not None
        told = _told(metric) if is_sketch else [quoted(metric)]
        found += told
        if is_sketch and metric.startswith("uv"):
            found += [f"{DEFAULT_METRIC}/{one}" for one in told]
    return found


def quoted(metric: str) -> str:
    """A metric as a formula spells it, whatever its name."""
    return str(Metric(metric))


def _told(kept: str) -> list[str]:
    """What a sketch tells; nothing of a metric that was named like one before there were any, and is none."""
    prefix, _, name = kept.partition(":")
    try:
        return [str(parse(quoted(f"{one}:{name}"))) for one in TOLD_AS.get(prefix, (prefix,))]
    except InvalidInput:
        return []
