"""Template tags: what a page counts and decides, and what it shows of what was counted. `{% load hailwhale %}`

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

from .. import choosing, crediting, drawing, embedded, pixel, tracker
from ..asker import identity_of
from ..capture import by_name
from ..engine.errors import HailWhaleError, StoreUnavailable
from ..offer import Offer, decisions_of
from ..ticket import Ticket, declared_names, joined

T = TypeVar("T")

TRACKER = "hailwhale_django/js/tracker.js"
DECIDER = "hailwhale_django/js/decide.js"
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


@register.simple_tag(takes_context=True)
def hailwhale_decide(
    context: template.Context,
    decision: Any,
    options: Any = None,
    pk: Any = None,
    formula: Any = None,
    minimize: Any = None,
    policy: Any = None,
    visitor: Any = None,
    dimensions: Any = None,
    *,
    dimension: Any = None,
    **known: Any,
) -> str:
    """The option for who asks: `{% hailwhale_decide "banner" "a,b,c" as banner %}`. Further names say what is known."""

    def option() -> str:
        read = embedded.given
        asked = {
            "pk": read("pk", pk),
            "known": joined(read("dimensions", _either(dimensions, dimension)), _there(known)),
            "visitor": visitor,
            **_there({"formula": formula, "minimize": minimize, "policy": policy}),
        }
        return choosing.decide(context.get("request"), decision, _options(options), **asked).option

    return _unless_broken(option) or ""


@register.simple_tag(takes_context=True)
def hailwhale_credit(
    context: template.Context,
    decision: Any,
    metrics: Any = None,
    pk: Any = None,
    id: Any = None,
    visitor: Any = None,
    *,
    metric: Any = None,
    **values: Any,
) -> str:
    """Credit what was earned to what this visitor saw: `{% hailwhale_credit "banner" revenue=25 id=order.pk %}`."""

    def earned() -> bool:
        found = by_name(embedded.given("metrics", _either(metrics, metric))) | values
        key = embedded.given("pk", pk)
        return crediting.credit(context.get("request"), decision, found, pk=key, id=id, visitor=visitor)

    _unless_broken(earned)
    return ""


@register.simple_tag
def hailwhale_decisions(
    decisions: Any,
    pk: Any = None,
    formula: Any = None,
    minimize: Any = None,
    policy: Any = None,
    visitor: Any = None,
    dimensions: Any = None,
    declared: Any = "",
    *,
    dimension: Any = None,
) -> SafeString | str:
    """The script by which a page asks for these decisions, and credits them with declared metrics."""

    def script() -> SafeString:
        read = embedded.given
        asked = {"formula": formula, "minimize": minimize, "policy": policy}
        offer = Offer(
            decisions_of(read("decisions", decisions)),
            read("pk", pk),
            read("dimensions", _either(dimensions, dimension)),
            identity_of(visitor),
            declared_names(declared),
            _there(asked),
        )
        return format_html(
            '<script src="{}" data-choose="{}" data-credit="{}" data-token="{}" defer></script>',
            static(DECIDER),
            reverse("hailwhale:choose"),
            reverse("hailwhale:credit"),
            offer.signed(),
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
    style: Any = None,
    log: Any = False,
    title: Any = "",
    *,
    metrics: Any = None,
    dimensions: Any = None,
) -> dict[str, Any]:
    """A graph over a period: of the whole, or of the best children of a path."""
    found = (_either(dimension, dimensions), _either(metric, metrics), period, limit, style, log, title)
    return {"graph": _unless_away(lambda: embedded.graph(pk, *found))}


@register.simple_tag
def hailwhale_graph_tag(
    pk: Any,
    dimension: Any = None,
    metric: Any = None,
    period: Any = None,
    limit: Any = None,
    base: str = "",
    max_age: int | None = None,
    *,
    dimensions: Any = None,
    metrics: Any = None,
    **given: Any,
) -> SafeString | str:
    """A script tag that draws a graph on any page; it is signed, so that it draws nothing else."""

    def script() -> SafeString:
        shown = {"dimension": _either(dimension, dimensions), "metric": _either(metric, metrics), "period": period}
        read = {name: embedded.given(name, value) for name, value in {"pk": pk, **shown, "limit": limit}.items()}
        return drawing.tag({**read, **{name: _plain(value) for name, value in given.items()}}, base, max_age)

    return _unless_broken(script) or ""


def _plain(value: Any) -> Any:
    """Text of a template, which is marked as safe HTML, as plain text."""
    return "" + value if isinstance(value, str) else value


def _ticket(pk: Any, dimensions: Any, metrics: Any, declared: Any) -> Ticket:
    read = embedded.given
    return Ticket(read("pk", pk), read("dimensions", dimensions), read("metrics", metrics), declared_names(declared))


def _options(given: Any) -> Any:
    """Options: a list, or a text with commas, or one as an address has it."""
    if isinstance(given, str) and not given.startswith("["):
        return [name.strip() for name in given.split(",")]
    return embedded.given("options", given)


def _there(given: dict[str, Any]) -> dict[str, Any]:
    """What was given a value: names that a template does not know are "" there."""
    return {name: value for name, value in given.items() if value not in (None, "")}


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
