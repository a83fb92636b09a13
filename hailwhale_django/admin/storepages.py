"""What the admin's pages of hailwhale have in common: they show what Redis holds, so there is no table to change."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from .. import conf
from ..dashboards.state import State
from ..dashboards.whystate import WhyState
from ..engine.domain.paths import Path
from ..engine.errors import HailWhaleError, InvalidInput, StoreUnavailable

TEMPLATES = "admin/hailwhale_django/counter"

View = Callable[..., HttpResponseBase]


def has_unfold() -> bool:
    return apps.is_installed("unfold")


# Under django-unfold its own, for the sake of its forms.
ModelAdmin: Any = import_string("unfold.admin.ModelAdmin") if has_unfold() else admin.ModelAdmin


class StorePages(ModelAdmin):  # type: ignore[misc]
    """Pages over a store in place of a `ModelAdmin`'s own."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def _unavailable(self, request: HttpRequest, error: HailWhaleError) -> HttpResponse:
        if isinstance(error, InvalidInput):
            title, status = gettext("This cannot be answered"), 400
        else:
            title, status = (
                gettext("The counts cannot be read now"),
                503 if isinstance(error, StoreUnavailable) else 500,
            )
        return self.render(request, "unavailable", {"error": error, "title": title, "away": status == 503}, status)

    def view_link(self, model: str) -> str:
        """The address of another list of these pages."""
        return reverse(f"admin:{self.opts.app_label}_{model}_changelist", current_app=self.admin_site.name)

    def render(
        self, request: HttpRequest, name: str, context: dict[str, Any], status: int = 200, folder: str = TEMPLATES
    ) -> HttpResponse:
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "opts": self.opts, "has_unfold": has_unfold(), **context}
        # Rendered here, so that what goes wrong while reading is still answered by `page`.
        return TemplateResponse(request, f"{folder}/{name}.html", context, status=status).render()

    def page(self, view: View, *methods: str) -> View:
        """A view for those who may look; a store that does not answer is a page that says so."""

        @wraps(view)
        def shown(request: HttpRequest, **arguments: str) -> HttpResponseBase:
            if not self.has_view_permission(request):
                raise PermissionDenied
            try:
                return view(request, **arguments)
            except HailWhaleError as error:
                return self._unavailable(request, error)

        return self.admin_site.admin_view(require_http_methods(["GET", "HEAD", *methods])(shown))

    def link_to(self, state: State) -> str:
        """The address of a counter's page."""
        return counter_link(state, self.admin_site)

    def why_link_to(self, state: WhyState) -> str:
        """The address of the page that explains a change."""
        return why_link(state, self.admin_site)

    def url_name(self, view: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{view}"


def counter_link(state: State, site: AdminSite) -> str:
    """The address of a counter's page. Raises `NoReverseMatch` where this site has none."""
    address = _address("change", state.pk, site)
    query = state.link(page=state.page)
    return address + query if len(query) > 1 else address


def why_link(state: WhyState, site: AdminSite) -> str:
    """The address of the page that explains a change. Raises `NoReverseMatch` where this site has none."""
    return _address("why", state.pk, site) + state.query()


def chosen_store(request: HttpRequest) -> str:
    """The store that the query string names, if it is one of those that are configured."""
    store = request.GET.get("store", "")
    return store if store in conf.stores() else conf.DEFAULT_STORE


def _address(view: str, pk: Path, site: AdminSite) -> str:
    names = (_without_dots(str(Path((name,)))) for name in pk)
    return reverse(f"admin:hailwhale_django_counter_{view}", args=["/".join(names)], current_app=site.name)


def _without_dots(name: str) -> str:
    """A name as a part of an address: browsers take "." and ".." for steps, however they are escaped once."""
    return name.replace(".", "%2E") if name in (".", "..") else name
