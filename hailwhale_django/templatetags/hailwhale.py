"""Template tags: what a page counts, and what it shows of what was counted. `{% load hailwhale %}`

No tag breaks a page. What the store cannot answer is not shown, and said once in the log; so is what a tag was given
and cannot understand, unless `DEBUG` is on: then it is raised.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .. import embedded, pixel, tracker
from ..engine.errors import HailWhaleError, StoreUnavailable
from ..ticket import Ticket, declared_names

T = TypeVar("T")

TRACKER = "hailwhale_django/js/tracker.js"
REMEMBERED_MESSAGES = 256
MESSAGE = "A template tag shows nothing: %s"

register = template.Library()
logger = logging.getLogger("hailwhale_django")


@register.simple_tag
def hailwhale_pixel(
    pk: Any,
    dimensions: Any = None,
    metrics: Any = None,
    declared: Any = "",
    base: str = "",
    *,
    dimension: Any = None,
    metric: Any = None,
) -> SafeString | str:
    """An image that counts this event when a browser loads it; to the address values of `declared` may be added."""

    def image() -> SafeString:
        ticket = _ticket(pk, _either(dimensions, dimension), _either(metrics, metric), declared)
        return format_html(
            '<img src="{}" width="1" height="1" alt="" loading="eager" referrerpolicy="same-origin">',
            pixel.address(ticket, base),
        )

    return _unless_broken(image) or ""


@register.simple_tag
def hailwhale_script(
    pk: Any, dimensions: Any = None, declared: Any = "", outbound: bool = False, *, dimension: Any = None
) -> SafeString | str:
    """The tracker script: it counts this page's views, and what `hailwhale(...)` says in declared names."""

    def script() -> SafeString:
        ticket = _ticket(pk, _either(dimensions, dimension), None, declared)
        return format_html(
            '<script src="{}" data-url="{}" data-token="{}"{} defer></script>',
            static(TRACKER),
            reverse("hailwhale:event"),
            ticket.signed(tracker.USE),
            SafeString(" data-outbound" if outbound else ""),
        )

    return _unless_broken(script) or ""


@register.simple_tag
def hailwhale_total(
    pk: Any,
    metric: Any = None,
    dimension: Any = None,
    period: Any = None,
    *,
    metrics: Any = None,
    dimensions: Any = None,
) -> str:
    """One number: a metric or a formula over a period."""
    found = (_either(metric, metrics), _either(dimension, dimensions), period)
    return _unless_away(lambda: embedded.total(pk, *found)) or ""


@register.inclusion_tag("hailwhale_django/table.html")
def hailwhale_table(
    pk: Any,
    dimension: Any = None,
    metrics: Any = None,
    period: Any = None,
    limit: Any = 10,
    *,
    metric: Any = None,
    dimensions: Any = None,
) -> dict[str, Any]:
    """A table of a path's children, best first by the first formula."""
    found = (_either(dimension, dimensions), _either(metrics, metric), period, limit)
    return {"table": _unless_away(lambda: embedded.table(pk, *found))}


@register.inclusion_tag("hailwhale_django/graph.html")
def hailwhale_graph(
    pk: Any,
    dimension: Any = None,
    metric: Any = None,
    period: Any = None,
    limit: Any = None,
    *,
    metrics: Any = None,
    dimensions: Any = None,
) -> dict[str, Any]:
    """Lines over a period: of the whole, or of the best children of a path."""
    found = (_either(dimension, dimensions), _either(metric, metrics), period, limit)
    return {"graph": _unless_away(lambda: embedded.graph(pk, *found))}


def _ticket(pk: Any, dimensions: Any, metrics: Any, declared: Any) -> Ticket:
    read = embedded.given
    return Ticket(read("pk", pk), read("dimensions", dimensions), read("metrics", metrics), declared_names(declared))


def _either(first: Any, second: Any) -> Any:
    """Whichever of two spellings was used."""
    return second if first is None else first


def _unless_broken(make: Callable[[], T]) -> T | None:
    """What is made; nothing where the store does not answer, or what the tag was given cannot be understood."""
    try:
        found = make()
    except StoreUnavailable as error:
        _outage.begin(error)
    except HailWhaleError as error:
        if settings.DEBUG:
            raise
        _say_once(str(error))
    else:
        return found
    return None


def _unless_away(read: Callable[[], T]) -> T | None:
    """As `_unless_broken`, of what asks the store: an answer ends an outage."""
    found = _unless_broken(read)
    if found is not None:
        _outage.end()
    return found


@dataclass
class Outage:
    """Said when it begins, and not again until the store has answered."""

    goes_on: bool = False

    def begin(self, error: StoreUnavailable) -> None:
        if not self.goes_on:
            self.goes_on = True
            logger.error(MESSAGE, error)

    def end(self) -> None:
        self.goes_on = False


_outage = Outage()


@lru_cache(maxsize=REMEMBERED_MESSAGES)
def _say_once(message: str) -> None:
    logger.error(MESSAGE, message)
