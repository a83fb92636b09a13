"""Annotations: what happened at a moment or in a span of time, and which of it concerns a counter.

One is on the graphs of its counter and of all that are below it; one without a counter is on all graphs of its store.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from .conf import DEFAULT_STORE, known_store
from .dashboard_models import Annotation, as_invalid
from .engine.domain.event import instant
from .engine.domain.paths import pk_of, pk_paths
from .engine.domain.period import Period
from .engine.errors import InvalidInput

MOST = 100
"""In one answer: more marks than that hide the graph which they are on."""

EVERY_COUNTER = ""


def annotations_of(store: str, pk: Any, period: Period, limit: int = MOST) -> list[Annotation]:
    """Those that touch a period and concern this counter; see `touching`."""
    return touching(store, pk, period.start, period.end, limit)


def touching(
    store: str, pk: Any, start: datetime | None = None, end: datetime | None = None, limit: int = MOST
) -> list[Annotation]:
    """Those of which something lies in [start, end), oldest first; of too many the latest.

    They are the counter's own, those of the counters above it, and those of all; without a pk any. A span does not
    include its end. Raises `InvalidInput`. One query, by the index of beginnings.
    """
    rows = Annotation.objects.filter(store=store)
    if start is not None:
        rows = rows.filter(Q(at__gte=start) | Q(until__gt=start))
    if end is not None:
        rows = rows.filter(at__lt=end)
    if pk is not None:
        rows = rows.filter(counter__in=[EVERY_COUNTER, *map(str, pk_paths(pk))])
    return list(rows.order_by("-at", "-id")[:limit])[::-1]


def annotate(
    text: Any,
    at: Any = None,
    until: Any = None,
    *,
    link: str = "",
    counter: Any = EVERY_COUNTER,
    store: str = DEFAULT_STORE,
    who: str = "",
) -> Annotation:
    """Write one down. `at` (default: now) and `until` are instants as of events: naive ones are UTC.

    Raises `InvalidInput` that names the field.
    """
    found = Annotation(
        at=instant_of("at", at) or timezone.now(),
        until=instant_of("until", until),
        text=_text("text", text),
        link=_text("link", link or ""),
        counter=_counter(counter),
        store=known_store(store),
        who=who[:200],
    )
    if not found.text:
        raise InvalidInput("text", text, "say what happened, e.g. Deployed 1.4")
    if found.until is not None and found.until < found.at:
        raise InvalidInput("until", until, "it ends before it begins")
    try:
        found.full_clean()
    except ValidationError as error:
        raise as_invalid(error, found) from error
    found.save()
    return found


def instant_of(field: str, given: Any) -> datetime | None:
    """When that is; `None` where nothing was given. Raises `InvalidInput` that names the field."""
    if given in (None, ""):
        return None
    try:
        return datetime.fromtimestamp(instant(given, timezone.now().timestamp()), UTC)
    except InvalidInput as error:
        raise InvalidInput(field, error.value, error.expected) from error


def _counter(given: Any) -> str:
    if given in (None, EVERY_COUNTER):
        return EVERY_COUNTER
    try:
        return str(pk_of(given))
    except InvalidInput as error:
        raise InvalidInput("counter", error.value, error.expected) from error


def _text(field: str, given: Any) -> str:
    """On one line."""
    if not isinstance(given, str) or "\0" in given:
        raise InvalidInput(field, given, "use text")
    return " ".join(given.split())
