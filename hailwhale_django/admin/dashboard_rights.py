"""Who may see and change dashboards, and what belongs to them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from ..dashboard_models import Dashboard, Panel
from .storepages import StorePages

VIEW_COUNTER = "hailwhale_django.view_counter"


def may_see(user: Any, board: Dashboard) -> bool:
    """Whether a user who may view dashboards may view this one."""
    return Dashboard.objects.visible_to(user).filter(pk=board.pk).exists()


def may_change(user: Any, board: Dashboard) -> bool:
    """Whether a user may change this one. Its panels can show any counter, so that takes the right to see these."""
    allowed = user.has_perm("hailwhale_django.change_dashboard") and user.has_perm(VIEW_COUNTER)
    return allowed and Dashboard.objects.changeable_by(user).filter(pk=board.pk).exists()


class OfDashboard(StorePages):
    """What belongs to a dashboard: whoever may change that, may change this. It is no entry of its own."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return user_of(request).has_perm("hailwhale_django.change_dashboard") and user_of(request).has_perm(
            VIEW_COUNTER
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request) and (obj is None or may_change(request.user, obj.dashboard))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> Any:
        boards_of_user = Dashboard.objects.changeable_by(request.user)
        return super().get_queryset(request).filter(dashboard__in=boards_of_user).select_related("dashboard")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        changeable = Dashboard.objects.changeable_by(request.user)
        if db_field.name == "dashboard":
            kwargs["queryset"] = changeable
        elif db_field.name == "panel":
            kwargs["queryset"] = Panel.objects.filter(dashboard__in=changeable)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _to_board(self, board: Dashboard, query: str = "", panel: Panel | None = None) -> HttpResponseRedirect:
        name = "admin:hailwhale_django_dashboard_page"
        address = reverse(name, args=[board.slug], current_app=self.admin_site.name)
        place = f"#hw-p{panel.pk}" if panel is not None and panel.pk else ""
        return HttpResponseRedirect(address + (query if query.startswith("?") else "") + place)


def user_of(request: HttpRequest) -> Any:
    return request.user
