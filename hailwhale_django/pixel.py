"""The pixel: an image that counts when a browser loads it, with or without JavaScript.

    <img src="/hailwhale/pixel/WyJzaG9wIl0:1w….gif?plan=pro" width="1" height="1" alt="">

The address holds a signed ticket. Whatever happens, what is sent is the same transparent GIF, so that no page shows a
broken image; what went wrong is in the status and in the header `X-Hailwhale-Error`:

    400 what the ticket says cannot be counted    403 forged    410 expired    409 counted all but what is named
    503 the store does not answer, or the hail is full; `Retry-After`

A plain view, since this is asked on every page: it does no more than read the ticket and hand over the event.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from .capture import event_of
from .conf import get_settings
from .engine.errors import CounterOverflow, HailWhaleError, InvalidInput, StoreUnavailable, TooManyNames
from .hail import Hail
from .ticket import Expired, Forged, Ticket, joined

USE = "pixel"
ERROR_HEADER = "X-Hailwhale-Error"
RETRY_SECONDS = 1

MAX_ERROR_CHARACTERS = 1000
"""Of a message in a header; servers take some thousands."""

GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00"
    b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
"""One transparent point."""

_STATUS: dict[type[HailWhaleError], int] = {
    InvalidInput: 400,
    Forged: 403,
    Expired: 410,
    TooManyNames: 409,
    CounterOverflow: 409,
    StoreUnavailable: 503,
}


def address(ticket: Ticket, base: str = "") -> str:
    """The address of a ticket's pixel; `base` is put before it where a page is read elsewhere, as an e-mail is."""
    return base.rstrip("/") + reverse("hailwhale:pixel", args=[ticket.signed(USE)])


@require_GET
def pixel(request: HttpRequest, payload: str) -> HttpResponse:
    """Count what the ticket says, then what the page declared, then what the request tells by itself."""
    try:
        ticket = Ticket.read(payload, USE, get_settings().PIXEL_MAX_AGE)
        added = {name: value for name in ticket.declared if (value := request.GET.get(name))}
        dimensions = joined(ticket.dimensions, added)
        sketches = get_settings().PIXEL_SKETCHES
        Hail.count(**event_of(request, ticket.pk, dimensions, ticket.metrics, sketches=sketches))
    except tuple(_STATUS) as error:
        return _gif(error)
    return _gif()


def _gif(error: HailWhaleError | None = None) -> HttpResponse:
    response = HttpResponse(GIF, content_type="image/gif", headers={"Cache-Control": "no-store"})
    if error is not None:
        response.status_code = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
        response[ERROR_HEADER] = _in_header(str(error))
    if response.status_code == 503:
        response["Retry-After"] = str(RETRY_SECONDS)
    return response


def _in_header(text: str) -> str:
    """A message on one line, in the characters that every server sends."""
    return " ".join(text.encode("ascii", "backslashreplace").decode().split())[:MAX_ERROR_CHARACTERS]
