"""Shared links: a dashboard, or one panel of it, for whoever has the address.

What may be seen is settled by the link alone. Its filters cannot be taken away, only columns of its panels order them,
and what cannot be filtered as the link says is not shown; so editing the address shows nothing more.
"""

from __future__ import annotations

import logging
from typing import Any

from django.core import signing
from django.core.cache import caches
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from . import boards
from .access_models import SharedLink
from .conf import get_settings
from .connection import pod
from .dashboards.asking import Rights
from .dashboards.board import board_page, board_sheet
from .dashboards.boardstate import BoardState
from .dashboards.spec import BoardSpec, read_filters
from .engine.errors import InvalidInput, StoreUnavailable
from .framing import framed, looks, unframed
from .spreadsheet import spreadsheet

logger = logging.getLogger("hailwhale")

SALT = "hailwhale.shared"
VIEW_DECISION = "hailwhale_django.view_decision"
SEALED_SECONDS = 12 * 3600
MOST_TRIES = 10
TRY_SECONDS = 60


# A password is all that is posted, and there is no harm in knowing it; in a frame on another site there is no cookie.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def shared(request: HttpRequest, token: str) -> HttpResponseBase:
    """What a link shows, once its password is known."""
    link = SharedLink.objects.select_related("dashboard", "panel", "created_by").filter(token=token).first()
    if link is None or link.is_over(timezone.now()):
        raise Http404(gettext("There is nothing behind this link, or no longer."))
    response = _opened(request, link)
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "same-origin"
    patch_cache_control(response, private=True, no_cache=True)
    return framed(response) if link.embeddable else unframed(response)


def _opened(request: HttpRequest, link: SharedLink) -> HttpResponseBase:
    if link.has_password and not _is_sealed(request, link):
        return _asked(request, link)
    if request.method == "POST":
        return HttpResponseRedirect(request.get_full_path())
    return _shown(request, link)


def _shown(request: HttpRequest, link: SharedLink) -> HttpResponseBase:
    board, spec = link.dashboard, seen_of(link)
    state = BoardState.of_link(request.GET) if link.interactive else BoardState()
    rights, fixed = Rights(chooses=link.interactive), read_filters(link.filters)
    sources = boards.sources_of(board, lambda _: "", (lambda _: "") if _shows_decisions(link) else None)
    store = pod(board.store)
    status = 200
    try:
        if link.interactive and (sheet := request.GET.get("sheet")):
            answer = board_sheet(spec, state, store, rights, sources, sheet, fixed)
            if answer is None:
                raise Http404
            return spreadsheet(answer)
        page = board_page(spec, state, store, rights, sources, fixed=fixed)
    except StoreUnavailable:  # where the store is, is nobody's business here
        away = gettext("The store does not answer.")
        page, status = boards.page_without(board, spec, state, rights, away, fixed), 503
    except InvalidInput as error:
        return _page(request, "problem", {"problem": str(error), "title": spec.title}, 400)
    only = link.panel is not None
    return _page(request, "dashboard", {"page": page, "title": page.title, "only": only}, status)


def _shows_decisions(link: SharedLink) -> bool:
    """Nobody gives away by a link what they may not see themselves."""
    maker: Any = link.created_by
    return maker is not None and maker.has_perm(VIEW_DECISION)


def seen_of(link: SharedLink) -> BoardSpec:
    """The dashboard as far as a link shows it. Where it has filters, those that it begins with are no further ones."""
    spec = boards.spec_of(link.dashboard)
    if link.panel is None:
        return spec
    panels = tuple(panel for panel in spec.panels if panel.key == str(link.panel.pk))
    return boards.only(spec, panels)


# -- passwords


def _asked(request: HttpRequest, link: SharedLink) -> HttpResponse:
    """A form for the password; what was sent is tried, but not as often as anybody likes."""
    context: dict[str, Any] = {"title": gettext("A password is needed")}
    if request.method != "POST":
        return _page(request, "password", context)
    tries = _tries_of(link)
    if tries is None:
        return _later(request, gettext("The store does not answer."), 503)
    if tries > MOST_TRIES:
        return _later(request, gettext("Too many tries. Wait a minute."), 429)
    if not link.opens_with(request.POST.get("password", "")):
        context["problem"] = gettext("That is not the password.")
        return _page(request, "password", context, 403)
    found = HttpResponseRedirect(request.get_full_path())
    elsewhere = link.embeddable and request.is_secure()
    found.set_cookie(
        _cookie(link),
        signing.dumps(link.seal(), salt=SALT),
        max_age=SEALED_SECONDS,
        path=request.path,
        secure=request.is_secure(),
        httponly=True,
        samesite="None" if elsewhere else "Lax",
    )
    return found


def _later(request: HttpRequest, problem: str, status: int) -> HttpResponse:
    context = {"title": gettext("A password is needed"), "problem": problem}
    response = _page(request, "password", context, status)
    response["Retry-After"] = str(TRY_SECONDS)
    return response


def _is_sealed(request: HttpRequest, link: SharedLink) -> bool:
    try:
        seal = signing.loads(request.COOKIES.get(_cookie(link), ""), salt=SALT, max_age=SEALED_SECONDS)
    except signing.BadSignature:
        return False
    return isinstance(seal, str) and constant_time_compare(seal, link.seal())


def _cookie(link: SharedLink) -> str:
    return f"hailwhale_shared_{link.pk}"


def _tries_of(link: SharedLink) -> int | None:
    """How often a password was tried within a minute, this time among them; `None` while the cache cannot tell."""
    cache, key = caches[get_settings().CACHE], f"hailwhale:shared:{link.pk}"
    try:
        cache.add(key, 0, TRY_SECONDS)
        return int(cache.incr(key))
    except ValueError:  # it ran out between the two
        return 1
    except Exception:  # whatever a backend raises: guesses that nobody counts are not taken
        logger.warning("passwords of shared links are not taken, for the cache does not answer", exc_info=True)
        return None


def _page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(request, f"hailwhale_django/shared/{name}.html", {**looks(request), **context}, status=status)
