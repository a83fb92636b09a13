"""Graphs on other pages: the scripts by which these ask, and the pages that their frames show.

A script is the same for everybody: what it is told stands in its own address, of which it makes that of a frame. So
nothing that anybody writes is ever part of a script, and what a graph brings along (styles, Chart.js) stays in there.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from . import drawing, embedded, wire
from .access_models import SharedLink
from .connection import pod
from .dashboards.graph import Graph
from .drawing import LOOKS, SHOWN, Drawing
from .engine.errors import HailWhaleError, InvalidInput, StoreUnavailable
from .framing import framed, looks, unframed
from .ticket import Expired, Forged

SCRIPTS = Path(__file__).parent / "static/hailwhale_django/embed"
SOURCES = {"graph.js": "hailwhale.js"}
"""One script, which does by its name what it is there for."""

SCRIPT_SECONDS = 3600
VIEW_COUNTER = "hailwhale_django.view_counter"

_STATUS: dict[type[HailWhaleError], int] = {InvalidInput: 400, Forged: 403, Expired: 410, StoreUnavailable: 503}


class Refused(HailWhaleError):
    """Who asks may not see this."""


@require_safe
def script(request: HttpRequest, name: str) -> HttpResponse:
    """A script for pages of any site."""
    answer = HttpResponse(_source(name), content_type="text/javascript; charset=utf-8")
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer["X-Content-Type-Options"] = "nosniff"
    patch_cache_control(answer, public=True, max_age=SCRIPT_SECONDS)
    return answer


@lru_cache
def _source(name: str) -> str:
    return (SCRIPTS / SOURCES.get(name, name)).read_text(encoding="utf-8")


@require_safe
def graph(request: HttpRequest) -> HttpResponse:
    """What a frame shows: a shared link's panel, what is signed, or what this user may see."""
    try:
        if token := request.GET.get("link"):
            return framed(_linked(request, token))
        answer = _drawn(request)
    except Refused as error:
        answer = _page(request, {"problem": str(error)}, 403)
    except tuple(_STATUS) as error:
        status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
        answer = _page(request, {"problem": str(error)}, status)
    answer["X-Robots-Tag"] = "noindex"
    patch_cache_control(answer, private=True, no_cache=True)
    is_own = answer.status_code == 200 and "graph" not in request.GET
    return unframed(answer, "SAMEORIGIN") if is_own else framed(answer)


def _linked(request: HttpRequest, token: str) -> HttpResponse:
    link = SharedLink.objects.filter(token=token, embeddable=True).first()
    if link is None or link.is_over(timezone.now()):
        raise Refused(gettext("There is nothing to be seen here: the link is over, or may not be embedded."))
    query = request.GET.copy()
    query.pop("link")
    query["embed"] = "1"
    return HttpResponseRedirect(f"{reverse('hailwhale:shared', args=[token])}?{query.urlencode()}")


def _drawn(request: HttpRequest) -> HttpResponse:
    one = Drawing.read(_given(request))
    context: dict[str, Any] = {"title": one.title, "live": one.seconds or "", "drawing": one, "height": one.height}
    try:
        return _page(request, {**context, "graph": drawn(one)})
    except StoreUnavailable:
        problem = gettext("The counts cannot be read now. This page tries again by itself.")
        away = {"problem": problem, "live": one.seconds or drawing.DEFAULT_SECONDS, "away": True}
        return _page(request, {**context, **away}, 503)


def drawn(one: Drawing) -> Graph:
    """Raises `InvalidInput` or `StoreUnavailable`."""
    shown = (one.pk, one.dimension, one.metric, one.period or None, one.limit, one.style, one.log, one.title)
    return embedded.graph(*shown, depth=one.depth, pod=pod(one.store))


def _given(request: HttpRequest) -> dict[str, Any]:
    """What is to be drawn. Raises `Refused`, and what a signature may."""
    if ticket := request.GET.get("graph"):
        return drawing.unsigned(ticket) | _parameters(request, LOOKS)
    user: Any = getattr(request, "user", None)
    if user is None or not user.has_perm(VIEW_COUNTER):
        raise Refused(gettext("This graph is not signed: use a shared link, or the template tag."))
    return _parameters(request, (*SHOWN, *LOOKS))


def _parameters(request: HttpRequest, names: tuple[str, ...]) -> dict[str, Any]:
    given = request.GET
    chosen = {"style": given["s"]} if given.get("s") else {}  # above the graph, by whoever looks
    return {name: wire.read_parameter(name, [given[name]]) for name in names if name in given} | chosen


def _page(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    shown = {**looks(request), "embed": True, **context}
    return render(request, "hailwhale_django/shared/graph.html", shown, status=status)
