"""The JSON API's part about what made a number move: the change, its causes, and tables of parts that add up to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, TypeVar

from . import serializers
from .dashboards.explained import Writer
from .engine.domain.period import Period
from .engine.errors import TooLarge
from .engine.explain.explanation import Breakdown, Cause, Explanation, Mover, Movers, Part
from .engine.explain.why import Why
from .engine.explainer import Explainer
from .views import MAX_POINTS, WhaleView

NUMBERS_OF_A_PART = len(Part._fields) - 1

NEVER_OF_A_MOVER = ("effect", "ordinary")
"""What is found out only where causes are looked for."""

Times = tuple[int, int] | None
Found = TypeVar("Found", Explanation, Movers)


class ExplainView(WhaleView):
    """`{query, before, now, change, verdict, sentences, causes, breakdowns, ..., meta}`: what made a number move."""

    serializer_class = serializers.ExplainSerializer

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        why, found, meta = self.ask(asked, Explainer.explain)
        check_parts(found, why.limit)
        return explanation(why, found) | {"meta": meta}

    def ask(
        self, asked: dict[str, Any], method: Callable[[Explainer, Why, float], Found]
    ) -> tuple[Why, Found, dict[str, Any]]:
        """What was understood, what was found, and what is to be said about the answer."""
        began = perf_counter()
        pod = self.whale.pod()
        why = pod.parse_why(**asked)
        now = pod.clock()
        found = method(pod.explainer, why, now)
        meta = {
            "warnings": found.warnings,
            "generated_at": datetime.fromtimestamp(now, UTC).isoformat(),
            "took_ms": round((perf_counter() - began) * 1000, 3),
        }
        return why, found, meta


class MoversView(ExplainView):
    """`{query, movers, meta}`: the children that moved most against their own past, the furthest first."""

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        why, found, meta = self.ask(asked, Explainer.movers)
        return {
            "query": understood(why),
            "movers": list(map(_mover, found.movers)),
            "meta": {"count": found.count, **meta},
        }


def check_parts(found: Explanation, limit: int) -> None:
    """Raise `TooLarge` for an answer of more numbers than anybody reads."""
    numbers = NUMBERS_OF_A_PART * sum(len(one.parts) for one in found.breakdowns)
    if numbers > MAX_POINTS:
        tables = len(found.breakdowns)
        expected = f"{tables:,} tables have {numbers:,} numbers; at most {MAX_POINTS:,} in all"
        raise TooLarge("limit", limit, f"{expected}: ask a lower limit, less depth or fewer dimensions")


def understood(why: Why) -> dict[str, Any]:
    """A question in the one spelling in which it was understood."""
    return {
        "pk": list(why.pk),
        "dimension": list(why.dimension),
        "formula": str(why.formula),
        "period": serializers.period(why.period),
        "compare": serializers.period(why.compare),
        "dimensions": None if why.dimensions is None else list(why.dimensions),
        "depth": why.depth,
        "limit": why.limit,
    }


def explanation(why: Why, found: Explanation) -> dict[str, Any]:
    """An explanation, with its sentences in the language of the request."""
    span = None if found.interval is None else found.period.with_interval(found.interval)
    return {
        "query": understood(why),
        "before": found.before,
        "now": found.now,
        "change": found.change,
        "relative": found.relative,
        "ordinary": found.ordinary,
        "verdict": found.verdict,
        "sentences": Writer.of(found).plain(),
        "interval": None if found.interval is None else str(found.interval),
        "times": _times(span, found.times),
        "causes": [_cause(one, span) for one in found.causes],
        "breakdowns": list(map(_breakdown, found.breakdowns)),
    }


def _cause(cause: Cause, span: Period | None) -> dict[str, Any]:
    return {
        "path": list(cause.path),
        "counters": cause.counters,
        "how": cause.how,
        "share": cause.share,
        "score": cause.score,
        **_part(cause.part),
        "without": cause.without,
        "times": _times(span, cause.times),
    }


def _breakdown(table: Breakdown) -> dict[str, Any]:
    return {
        "table": list(table.table),
        "counters": table.counters,
        "parts": list(map(_part, table.parts)),
        "others": table.others,
        "count": table.count,
        "other": table.other,
        "rest": table.rest,
    }


def _mover(mover: Mover) -> dict[str, Any]:
    part = {name: value for name, value in _part(mover.part).items() if name not in NEVER_OF_A_MOVER}
    return {
        "path": list(mover.path),
        "counters": mover.counters,
        "score": mover.score,
        "change": mover.change,
        **part,
    }


def _part(part: Part) -> dict[str, Any]:
    return {**part._asdict(), "path": list(part.path)}


def _times(span: Period | None, found: Times) -> dict[str, str] | None:
    """When the first and the last of some buckets begin."""
    if span is None or found is None:
        return None
    first, last = (datetime.fromtimestamp(span.starts()[at], UTC).astimezone(span.zone) for at in found)
    return {"first": first.isoformat(), "last": last.isoformat()}
