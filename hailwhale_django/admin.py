"""Counters in Django's admin: a list of them, and a page for each. Reading only, for those who may view counters.

There is no table to change; these pages show what Redis holds, so a `ModelAdmin`'s own views are replaced by two.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import slugify
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from . import conf
from .dashboards import pages, table
from .dashboards.state import State
from .engine.domain.paths import Path
from .engine.errors import HailWhaleError, InvalidInput, StoreUnavailable
from .models import Counter
from .whale import Whale

TEMPLATES = "admin/hailwhale_django/counter"

# The mark by which spreadsheets know that a text is UTF-8.
BYTE_ORDER_MARK = "\ufeff"

View = Callable[..., HttpResponseBase]


@admin.register(Counter)
class CounterAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Lists counters, and shows each as ranked tables and lines over time."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path("", self._page(self.list_view), name=self._url_name("changelist")),
            path("<path:pk>/", self._page(self.counter_view), name=self._url_name("change")),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def list_view(self, request: HttpRequest) -> HttpResponseBase:
        """The counters of a store, by name."""
        whale, store = _whale(request)
        page = pages.list_page(
            whale.pod(), request.GET.get("q", ""), request.GET.get("after", ""), self._link_to, store
        )
        stores = conf.stores()
        context = {"page": page, "stores": stores if len(stores) > 1 else [], "store": store}
        return self._render(request, "list", context | {"title": self.opts.verbose_name_plural})

    def counter_view(self, request: HttpRequest, pk: str) -> HttpResponseBase:
        """A counter: its page, or with `format=csv` its table as a file."""
        whale, _ = _whale(request)
        try:
            key = pages.pk_of_text(pk)
        except InvalidInput:
            return self._missing(request, pk)
        if "apply" in request.GET:
            return HttpResponseRedirect(self._link_to(State.of_form(key, request.GET)))
        state = State.of_link(key, request.GET)
        if request.GET.get("format") == "csv":
            answer = pages.counter_sheet(state, whale.pod())
            return self._missing(request, pk) if answer is None else _spreadsheet(answer)
        page = pages.counter_page(state, whale.pod(), self._link_to)
        if page is None:
            return self._missing(request, pk)
        return self._render(request, "counter", {"page": page, "title": page.title})

    def _missing(self, request: HttpRequest, name: str) -> HttpResponse:
        return self._render(request, "missing", {"name": name, "title": gettext("Nothing counted")}, status=404)

    def _unavailable(self, request: HttpRequest, error: HailWhaleError) -> HttpResponse:
        if isinstance(error, InvalidInput):
            title, status = gettext("This cannot be answered"), 400
        else:
            title, status = (
                gettext("The counts cannot be read now"),
                503 if isinstance(error, StoreUnavailable) else 500,
            )
        return self._render(request, "unavailable", {"error": error, "title": title, "away": status == 503}, status)

    def _render(self, request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        # Rendered here, so that what goes wrong while reading is still answered by `_page`.
        return TemplateResponse(request, f"{TEMPLATES}/{name}.html", context, status=status).render()

    def _page(self, view: View) -> View:
        """A view for those who may look; a store that does not answer is a page that says so."""

        @wraps(view)
        def page(request: HttpRequest, **arguments: str) -> HttpResponseBase:
            if not self.has_view_permission(request):
                raise PermissionDenied
            try:
                return view(request, **arguments)
            except HailWhaleError as error:
                return self._unavailable(request, error)

        return self.admin_site.admin_view(require_safe(page))

    def _link_to(self, state: State) -> str:
        """The address of a counter's page."""
        names = (_without_dots(str(Path((name,)))) for name in state.pk)
        address = reverse(f"admin:{self._url_name('change')}", args=["/".join(names)], current_app=self.admin_site.name)
        query = state.link(page=state.page)
        return address + query if len(query) > 1 else address

    def _url_name(self, view: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{view}"


def _whale(request: HttpRequest) -> tuple[type[Whale], str]:
    """The store that the query string names, if it is one of those that are configured."""
    store = request.GET.get("store", "")
    if store not in conf.stores():
        store = conf.DEFAULT_STORE
    return (Whale if store == conf.DEFAULT_STORE else Whale.using(store)), store


def _without_dots(name: str) -> str:
    """A name as a part of an address: browsers take "." and ".." for steps, however they are escaped once."""
    return name.replace(".", "%2E") if name in (".", "..") else name


def _spreadsheet(answer: Any) -> StreamingHttpResponse:
    query = answer.query
    words = [*query.pk, *query.dimension, query.period.text]
    name = "-".join(filter(None, map(slugify, words))) or "counter"
    response = StreamingHttpResponse(_lines(table.spreadsheet(answer)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


class _Echo:
    """A file that keeps nothing: what is written comes back."""

    def write(self, text: str) -> str:
        return text


def _lines(rows: Iterable[list[Any]]) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    writer = csv.writer(_Echo())
    for row in rows:
        yield writer.writerow(row)
