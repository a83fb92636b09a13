"""Panels of dashboards in the admin: a form for one, and how it moves among the others."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..dashboard_models import NEW_PLACE, Panel, told_full
from ..dashboards.chooser import lines_of
from .dashboard_form import PanelForm
from .dashboard_rights import OfDashboard


class PanelAdmin(OfDashboard):
    """Panels: a form for one, and how it moves among the others."""

    form = PanelForm
    fieldsets = (
        (None, {"fields": ["dashboard", "kind", "title", "width"]}),
        (_("What it shows"), {"fields": ["counter", "dimension", "counters", "formulas", "order", "limit"]}),
        (_("How"), {"fields": ["style", "period", "text", "place"]}),
    )

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("", self.page(self.nowhere_view), name=self.url_name("changelist")),
            path("<int:number>/move/", self.page(self.move_view, "POST"), name=self.url_name("move")),
            path("<int:number>/columns/", self.page(self.columns_view, "POST"), name=self.url_name("columns")),
        ]
        return own + super().get_urls()

    def nowhere_view(self, request: HttpRequest) -> HttpResponseBase:
        """Panels are listed on their dashboards."""
        return HttpResponseRedirect(self.view_link("dashboard"))

    def move_view(self, request: HttpRequest, number: int) -> HttpResponseBase:
        """Move, copy or remove a panel, and show its dashboard."""
        panel = self._changed(request, number)
        does = request.POST.get("do")
        if does in ("earlier", "later"):
            move(panel, 1 if does == "later" else -1)
        elif does == "copy" and panel.dashboard.is_full:
            messages.error(request, told_full())
        elif does == "copy":
            copied(panel)
        elif does == "remove":
            panel.delete()
            messages.success(request, gettext("The panel %(title)s is removed.") % {"title": panel})
        return self._to_board(panel.dashboard, panel=panel)

    def columns_view(self, request: HttpRequest, number: int) -> HttpResponseBase:
        """Keep the columns that were chosen for a table, and show its dashboard as it was."""
        panel = self._changed(request, number)
        panel.formulas = lines_of(request.POST.get("columns", ""))
        try:
            panel.full_clean()
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            panel.save(update_fields=["formulas"])
            messages.success(request, gettext("The columns of %(title)s are kept.") % {"title": panel})
        return self._to_board(panel.dashboard, request.POST.get("next", ""))

    def _changed(self, request: HttpRequest, number: int) -> Panel:
        """The panel that a button is pressed of, for those who may change it."""
        panel: Panel | None = self.get_queryset(request).filter(pk=number).first()
        if panel is None or request.method != "POST":
            raise Http404
        if not self.has_change_permission(request, panel):
            raise PermissionDenied
        return panel

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return self._to_board(obj.dashboard, panel=obj)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._to_board(obj.dashboard, panel=obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        return HttpResponseRedirect(self.view_link("dashboard"))


def move(panel: Panel, by: int) -> None:
    """One place further on (1) or back (-1), if there is one; places are numbered anew."""
    rows = list(panel.dashboard.panels.all())
    at = rows.index(panel)
    to = min(max(at + by, 0), len(rows) - 1)
    rows.insert(to, rows.pop(at))
    _number(rows)


def copied(panel: Panel) -> Panel:
    """The same once more, right behind it."""
    with transaction.atomic():
        later = panel.dashboard.panels.filter(place__gt=panel.place)
        later.update(place=F("place") + NEW_PLACE)
        values = {one.name: getattr(panel, one.name) for one in panel._meta.fields if one.name != "id"}
        return Panel.objects.create(**values | {"place": panel.place + 1})


def _number(rows: list[Panel]) -> None:
    with transaction.atomic():
        for number, row in enumerate(rows, 1):
            if row.place != number * NEW_PLACE:
                row.place = number * NEW_PLACE
                row.save(update_fields=["place"])
