"""Watching in the admin: how hailwhale is, events as they arrive, and those that cannot be counted."""

from __future__ import annotations

import time
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext, ngettext

from .. import conf, connection
from ..dashboards import letters
from ..dashboards.live import SPIED, live_page
from ..dashboards.sheets import health_page
from ..dashboards.state import State
from ..hail import Hail
from ..health import health
from .storepages import StorePages, chosen_store

SHOWN_REASONS = 3
VIEW_COUNTER = "hailwhale_django.view_counter"


def _no_link(state: State) -> str:
    return ""


class WatchingPages(StorePages):
    """A page that is a model's whole admin."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        return [path("", self.page(self.view), name=self.url_name("changelist"))]

    def view(self, request: HttpRequest) -> HttpResponseBase:
        raise NotImplementedError

    def titled(self, **context: Any) -> dict[str, Any]:
        return {"title": self.opts.verbose_name_plural, **context}

    def of_stores(self, store: str) -> dict[str, Any]:
        """What the tabs of stores need."""
        stores = conf.stores()
        return {"store": store, "stores": stores if len(stores) > 1 else []}


class HealthAdmin(WatchingPages):
    """How hailwhale is. A store that is away is a problem among others."""

    def view(self, request: HttpRequest) -> HttpResponseBase:
        return self.render(request, "health", self.titled(page=health_page(health(), time.time())))


class LiveAdmin(WatchingPages):
    """Events as they arrive; with `format=json` what the page asks for every second."""

    def view(self, request: HttpRequest) -> HttpResponseBase:
        store = chosen_store(request)
        hail = Hail.using(store) if store != conf.DEFAULT_STORE else Hail
        counter, uid = (request.GET.get(name, "").strip() for name in ("counter", "visitor"))
        spied = hail.get_spy(uid, SPIED)
        user: Any = request.user
        link = self.link_to if user.has_perm(VIEW_COUNTER) else _no_link
        page = live_page(hail.pod(), store, counter, uid, spied, link)
        if request.GET.get("format") == "json":
            response = JsonResponse(page.to_wire())
            response["Cache-Control"] = "no-store"
            return response
        return self.render(request, "live", self.titled(page=page, **self.of_stores(store)))


class DeadLetterAdmin(WatchingPages):
    """Events that cannot be counted: those who may change them count them again, those who may delete, discard them."""

    def get_urls(self) -> list[URLPattern]:
        return [path("", self.page(self.view, "POST"), name=self.url_name("changelist"))]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super(StorePages, self).has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super(StorePages, self).has_delete_permission(request, obj)

    def view(self, request: HttpRequest) -> HttpResponseBase:
        if request.method == "POST":
            return self._decided(request)
        store = chosen_store(request)
        number = request.GET.get("page", "")
        page = letters.letters_page(connection.pod(store), int(number) if number.isdecimal() and int(number) else 1)
        may = {"replay": self.has_change_permission(request), "discard": self.has_delete_permission(request)}
        context = self.titled(page=page, may=may, may_decide=any(may.values()), **self.of_stores(store))
        return self.render(request, "letters", context)

    def _decided(self, request: HttpRequest) -> HttpResponse:
        """Do what was chosen with the letters that are ticked, then show the others."""
        store, ids = chosen_store(request), request.POST.getlist("shown" if "all" in request.POST else "letter")
        action = request.POST.get("action")
        if action == "replay" and ids:
            self._replay(request, store, ids)
        elif action == "discard" and ids:
            if not self.has_delete_permission(request):
                raise PermissionDenied
            if "sure" not in request.POST:
                return self.render(request, "discard", self.titled(ids=ids, **self.of_stores(store)))
            self._discard(request, store, ids)
        else:
            messages.warning(request, gettext("No letter was chosen."))
        return HttpResponseRedirect(request.get_full_path())

    def _replay(self, request: HttpRequest, store: str, ids: list[str]) -> None:
        if not self.has_change_permission(request):
            raise PermissionDenied
        done = letters.replay(connection.pod(store), ids)
        told = (
            (messages.SUCCESS, done.counted, ngettext("%(count)s is counted.", "%(count)s are counted.", done.counted)),
            (messages.INFO, done.gone, ngettext("%(count)s was gone.", "%(count)s were gone.", done.gone)),
        )
        for level, count, text in told:
            if count:
                messages.add_message(request, level, text % {"count": count})
        for _, reason in done.refused[:SHOWN_REASONS]:
            messages.error(request, gettext("Still not counted: %(reason)s") % {"reason": reason})
        if more := len(done.refused[SHOWN_REASONS:]):
            text = ngettext("%(count)s more is not counted.", "%(count)s more are not counted.", more)
            messages.error(request, text % {"count": more})

    def _discard(self, request: HttpRequest, store: str, ids: list[str]) -> None:
        gone = letters.discard(connection.pod(store), ids)
        text = ngettext("%(count)s is discarded.", "%(count)s are discarded.", gone)
        messages.success(request, text % {"count": gone})
