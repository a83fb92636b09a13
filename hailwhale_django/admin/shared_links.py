"""Links to dashboards in the admin: a list with their addresses, a form, and what to put on other pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from django.contrib import messages
from django.contrib.admin import RelatedFieldListFilter
from django.contrib.auth import get_permission_codename
from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..access_models import SharedLink
from ..dashboard_models import Dashboard
from .dashboard_form import SharedLinkForm
from .dashboard_rights import VIEW_COUNTER, OfDashboard, may_change, user_of


class ChangeableDashboards(RelatedFieldListFilter):
    """Offers no dashboard that a user may not change, which the list has nothing of."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return [(one.pk, str(one)) for one in Dashboard.objects.changeable_by(request.user)]


class SharedLinkAdmin(OfDashboard):
    """Links to dashboards: a list with their addresses, and a form."""

    form = SharedLinkForm
    list_display = ("__str__", "dashboard", "panel", "address", "password", "expires_at")
    list_filter = (("dashboard", ChangeableDashboards),)
    fieldsets = (
        (None, {"fields": ["dashboard", "panel", "note"]}),
        (_("What it shows"), {"fields": ["filters", "interactive", "embeddable"]}),
        (_("Who may use it"), {"fields": ["password", "no_password", "expires_at"]}),
    )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """One more of the dashboard whose links were listed, as **Share** lists them."""
        listed = QueryDict(request.GET.get("_changelist_filters", "")).get("dashboard__id__exact")
        return {"dashboard": listed, **super().get_changeform_initial_data(request)}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._allowed(request, "view")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self._allowed(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        user = user_of(request)
        may = user.has_perm("hailwhale_django.change_dashboard") and user.has_perm(VIEW_COUNTER)
        return may and self._allowed(request, "change") and (obj is None or may_change(user, obj.dashboard))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        user = user_of(request)
        return self._allowed(request, "delete") and (obj is None or may_change(user, obj.dashboard))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allowed(request, "view") or self.has_change_permission(request, obj)

    def _allowed(self, request: HttpRequest, action: str) -> bool:
        codename = get_permission_codename(action, self.opts)
        return bool(user_of(request).has_perm(f"{self.opts.app_label}.{codename}"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None and obj.has_password:
            return fieldsets
        return [
            (name, {**options, "fields": [one for one in options["fields"] if one != "no_password"]})
            for name, options in fieldsets
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = user_of(request)
        super().save_model(request, obj, form, change)
        address = request.build_absolute_uri(shared_address(obj))
        said = gettext("Whoever has this address sees it: %(address)s")
        if obj.has_password:
            said = gettext("Whoever has this address and the password sees it: %(address)s")
        messages.success(request, said % {"address": address})

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        """To where its address can be copied."""
        name = "admin:hailwhale_django_sharedlink_change"
        return HttpResponseRedirect(reverse(name, args=[obj.pk], current_app=self.admin_site.name))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        link = SharedLink.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        shown = snippets(link, request.build_absolute_uri("/")) if link else []
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "snippets": shown})

    @staticmethod
    def address(link: SharedLink) -> str:
        return shared_address(link)

    @staticmethod
    def password(link: SharedLink) -> bool:
        return link.has_password


SharedLinkAdmin.address.short_description = _("address")  # type: ignore[attr-defined]
SharedLinkAdmin.password.short_description = _("password")  # type: ignore[attr-defined]
SharedLinkAdmin.password.boolean = True  # type: ignore[attr-defined]


def shared_address(link: SharedLink) -> str:
    """Where a link leads; it takes the project's addresses of hailwhale."""
    return reverse("hailwhale:shared", args=[link.token])


FRAME = '<iframe src="{}?embed=1" title="{}" width="100%" height="360" loading="lazy"></iframe>'
SCRIPT = '<script src="{}?link={}" async></script>'


def snippets(link: SharedLink, site: str) -> list[tuple[str, str]]:
    """What can be copied of a link, as text: its address and, if it may be embedded, a frame and a script."""
    address = urljoin(site, shared_address(link))
    if not link.embeddable:
        return [(gettext("Address"), address)]
    script = format_html(SCRIPT, urljoin(site, reverse("hailwhale:graph.js")), link.token)
    frame = format_html(FRAME, address, link.panel or link.dashboard)
    return [(gettext("Address"), address), (gettext("Frame"), "" + frame), (gettext("Script"), "" + script)]
