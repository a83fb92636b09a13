"""Counters in Django's admin: a list of them, and a page for each. Reading only, for those who may view counters.

There is no table to change; these pages show what Redis holds, so a `ModelAdmin`'s own views are replaced by two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from .. import conf
from ..dashboards import pages
from ..dashboards.draft import completions, drafted
from ..dashboards.state import State
from ..dashboards.why import why_page
from ..dashboards.whystate import WhyState
from ..engine.domain.paths import Path, pk_of
from ..engine.errors import InvalidInput, StoreUnavailable
from ..engine.pod import Pod
from ..models import Dashboard, DeadLetter, Decision, Health, Live, Panel
from ..spreadsheet import spreadsheet
from ..whale import Whale
from .storepages import StorePages, chosen_store

WATCHING = (Dashboard, Decision, Live, Health, DeadLetter)
"""What the list of counters leads to."""


class CounterAdmin(StorePages):
    """Lists counters, and shows each as ranked tables and lines over time."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path("", self.page(self.list_view), name=self.url_name("changelist")),
            # Without a slash at the end, so that no counter has the same address.
            path("formula.json", self.page(self.formula_view), name=self.url_name("formula")),
            path("metrics.json", self.page(self.metrics_view), name=self.url_name("metrics")),
            path("<path:pk>/why", self.page(self.why_view), name=self.url_name("why")),
            path("<path:pk>/", self.page(self.counter_view), name=self.url_name("change")),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def list_view(self, request: HttpRequest) -> HttpResponseBase:
        """The counters of a store, by name."""
        whale, store = _whale(request)
        page = pages.list_page(whale.pod(), request.GET.get("q", ""), request.GET.get("after", ""), self.link_to, store)
        stores = conf.stores()
        context = {"page": page, "stores": stores if len(stores) > 1 else [], "store": store}
        context["watching"] = self._watching(request)
        return self.render(request, "list", context | {"title": self.opts.verbose_name_plural})

    def counter_view(self, request: HttpRequest, pk: str) -> HttpResponseBase:
        """A counter: its page, or with `format=csv` its table as a file."""
        whale, _ = _whale(request)
        try:
            key = pages.pk_of_text(pk)
        except InvalidInput:
            return self._missing(request, pk)
        if "apply" in request.GET:
            return HttpResponseRedirect(self.link_to(State.of_form(key, request.GET)))
        state = State.of_link(key, request.GET)
        if request.GET.get("format") == "csv":
            answer = pages.counter_sheet(state, whale.pod())
            return self._missing(request, pk) if answer is None else spreadsheet(answer)
        page = pages.counter_page(state, whale.pod(), self.link_to, self.why_link_to)
        if page is None:
            return self._missing(request, pk)
        return self.render(
            request, "counter", {"page": page, "title": page.title, "panel_link": self._panel_link(request, page)}
        )

    def why_view(self, request: HttpRequest, pk: str) -> HttpResponseBase:
        """Why a number of a counter changed."""
        whale, _ = _whale(request)
        try:
            key = pages.pk_of_text(pk)
        except InvalidInput:
            return self._missing(request, pk)
        if "apply" in request.GET:
            return HttpResponseRedirect(self.why_link_to(WhyState.of_form(key, request.GET)))
        page = why_page(WhyState.of_link(key, request.GET), whale.pod(), self.link_to, self.why_link_to)
        if page is None:
            return self._missing(request, pk)
        return self.render(request, "why", {"page": page, "title": page.title})

    def _panel_link(self, request: HttpRequest, page: pages.CounterPage) -> str:
        """The form that puts what the page shows on a dashboard, for those who may."""
        if not self.admin_site.is_registered(Panel):
            return ""
        may = self.admin_site.get_model_admin(Panel).has_add_permission(request)
        if not may or not Dashboard.objects.changeable_by(request.user).filter(store=page.state.store).exists():
            return ""
        query = urlencode({"place": 1000, **pages.as_panel(page)})
        return reverse("admin:hailwhale_django_panel_add", current_app=self.admin_site.name) + "?" + query

    def formula_view(self, request: HttpRequest) -> HttpResponseBase:
        """What is to be said of a formula that is being written."""
        text, kind = request.GET.get("text", ""), request.GET.get("kind", "formula")
        return _json(request, lambda pk, pod: drafted(text, kind, pk, pod))

    def metrics_view(self, request: HttpRequest) -> HttpResponseBase:
        """The words that can stand in a formula."""
        return _json(request, lambda pk, pod: completions(pod.metrics_of(pk)))

    def _watching(self, request: HttpRequest) -> list[tuple[str, str]]:
        """The other pages that this user may see, with their addresses."""
        allowed = (page for page in WATCHING if self.admin_site.get_model_admin(page).has_view_permission(request))
        return [(str(page._meta.verbose_name_plural), self.view_link(str(page._meta.model_name))) for page in allowed]

    def _missing(self, request: HttpRequest, name: str) -> HttpResponse:
        return self.render(request, "missing", {"name": name, "title": gettext("Nothing counted")}, status=404)


def _whale(request: HttpRequest) -> tuple[type[Whale], str]:
    """The store that the query string names, if it is one of those that are configured."""
    store = chosen_store(request)
    return (Whale if store == conf.DEFAULT_STORE else Whale.using(store)), store


def _json(request: HttpRequest, say: Callable[[Path, Pod], dict[str, Any]]) -> JsonResponse:
    """What a page's script asks about the counter `pk`."""
    whale, _ = _whale(request)
    try:
        return JsonResponse(say(pk_of(request.GET.get("pk") or None), whale.pod()))
    except InvalidInput as error:
        return JsonResponse({"problem": str(error)}, status=400)
    except StoreUnavailable as error:
        return JsonResponse({"problem": str(error)}, status=503)
