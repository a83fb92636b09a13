"""What the tracker script tells, as an event.

    {"token": "WyJz…", "name": "signup", "page": "/pricing", "props": {"plan": "pro"}, "metrics": {"revenue": 9}}

It is counted by `event/signup` and `page//pricing`, by `referrer` and `link` (hosts, where there are any), and by its
props. With a ticket, props and metrics are those that the page declared, props are single values, and the counter is
the ticket's. With a write key they are what the script says.

Nothing of an address but its path and its host is kept: what stands behind `?` and `#` may be about a person.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from .engine.domain.paths import MAX_NAME_BYTES
from .engine.domain.sketch import sketch_of
from .engine.errors import InvalidInput
from .engine.simmer.envelope import is_machine_value
from .ticket import Ticket, joined

USE = "event"
"""What its tickets are signed for."""

PAGE_VIEW = "pageview"
MAX_HIT_BYTES = 8_192
"""A hit is some hundred bytes; a browser sends at most 64 KB while it leaves a page."""

RESERVED = ("event", "page", "referrer", "link")


def event(hit: Mapping[str, Any], ticket: Ticket | None) -> dict[str, Any]:
    """The arguments of `Hail.count`. Raises `InvalidInput`."""
    props, metrics = _props(hit.get("props"), ticket), _metrics(hit.get("metrics"), ticket)
    if ticket is None:
        return {"pk": hit.get("pk"), "dimensions": {**_told(hit), **props}, "metrics": metrics}
    if hit.get("pk") is not None:
        raise InvalidInput("pk", hit["pk"], "the ticket says on which counter this counts; leave it out")
    return {"pk": ticket.pk, "dimensions": joined(ticket.dimensions, {**_told(hit), **props}), "metrics": metrics}


def _told(hit: Mapping[str, Any]) -> dict[str, str]:
    """What every hit tells; of it only what there is."""
    found = {
        "event": hit.get("name") or PAGE_VIEW,
        "page": _cut(path_of_page(hit.get("page", ""))),
        "referrer": _cut(host_of(hit.get("referrer", ""))),
        "link": _cut(host_of(hit.get("link", ""))),
    }
    return {name: value for name, value in found.items() if value}


def path_of_page(given: str) -> str:
    """The path of an address, or of a path with a query behind it, as people read it."""
    try:
        return unquote(urlsplit(given).path)
    except ValueError:
        return ""


def host_of(given: str) -> str:
    """The host of an address, or of what is a host already."""
    try:
        return urlsplit(given if "//" in given else f"//{given}").hostname or ""
    except ValueError:
        return ""


def _cut(name: str) -> str:
    """As much of a name as can be counted: a page with a long address is a page, too."""
    return name.encode("utf-8", "replace")[:MAX_NAME_BYTES].decode("utf-8", "ignore")


def _props(given: Any, ticket: Ticket | None) -> dict[str, Any]:
    found = _object("props", given)
    if reserved := [name for name in found if name in RESERVED]:
        raise InvalidInput("props", reserved, f"{', '.join(RESERVED)} are told by the script itself; use other names")
    if ticket is not None:
        _check_declared("props", found, ticket.declared)
        for name, value in found.items():
            if not isinstance(value, str | int | float):
                raise InvalidInput(name, value, "a prop is text, a number, true or false")
    return {name: value for name, value in found.items() if value != ""}


def _metrics(given: Any, ticket: Ticket | None) -> dict[str, Any]:
    found = _object("metrics", given)
    if ticket is not None:
        _check_declared("metrics", found, ticket.declared)
    for name, value in found.items():
        sketch = sketch_of(name)
        if sketch is None:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InvalidInput(name, value, "a metric's value is a number")
        elif ticket is not None and _has_machine_value(value):
            raise InvalidInput(name, value, "a page tells values, and no state of many of them")
        elif ticket is not None and sketch.is_dated and _has_text(value):
            raise InvalidInput(name, value, "a page tells a number, or numbers by item; when it was is known")
    return found


def _has_machine_value(given: Any) -> bool:
    """Whether a state is among the values: one could stand for more than a visitor may say in a year."""
    if isinstance(given, list):
        return any(map(_has_machine_value, given))
    return isinstance(given, str) and is_machine_value(given)


def _has_text(given: Any) -> bool:
    """Whether a text is among the values: of a dated sketch it says when, and the far future would outweigh all."""
    if isinstance(given, list | dict):
        return any(map(_has_text, given.values() if isinstance(given, dict) else given))
    return isinstance(given, str)


def _object(name: str, given: Any) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InvalidInput(name, given, f'use an object, e.g. {{"{name}": {{"plan": "pro"}}}}')
    return given


def _check_declared(field: str, given: Collection[str], declared: Collection[str]) -> None:
    if unknown := [name for name in given if name not in declared]:
        known = f"this page declared {', '.join(declared)}" if declared else "this page declared none"
        raise InvalidInput(field, unknown, known)
