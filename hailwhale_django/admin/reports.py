"""Reports in Django's admin: a form to set them up, and a button to send one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..alerts import reporting
from ..models import Dashboard, Report
from .alert_form import ReportForm
from .alerts import TRIED_AT_ONCE, WatchfulAdmin
from .saving import save_shown


class ReportAdmin(WatchfulAdmin):
    """Reports. Who saves one is its owner from then on, and it shows what they may see."""

    form = ReportForm
    tells_of = reporting.VIEW_DASHBOARD
    deed = "send"
    deed_needs_post = True
    change_form_template = "admin/hailwhale_django/report/change_form.html"
    list_display = ("dashboard", "every", "hour", "sent_to", "owner", "sent_at", "due_at", "problem", "active")
    list_select_related = ("dashboard", "owner")
    list_filter = ("active", "every")
    actions = ("send_now",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"user": request.user})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        """Those of dashboards that may be seen."""
        seen = Dashboard.objects.visible_to(request.user)
        return super().get_queryset(request).filter(dashboard__in=seen)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.owner, obj.due_at, obj.problem = request.user, None, ""
        if change:
            save_shown(obj, form, "owner", "due_at", "problem")
        else:
            super().save_model(request, obj, form, change)

    @admin.display(description=_("recipients"))
    def sent_to(self, report: Report) -> str:
        return ", ".join(report.recipients)

    @admin.action(description=_("Send now"), permissions=["change"])
    def send_now(self, request: HttpRequest, chosen: QuerySet[Report]) -> None:
        for report in chosen[:TRIED_AT_ONCE]:
            self._send(request, report)

    def do(self, request: HttpRequest, row: Any) -> HttpResponseRedirect:
        self._send(request, row)
        return HttpResponseRedirect(self._link("change", row.pk))

    def _send(self, request: HttpRequest, report: Report) -> None:
        if problem := reporting.send_now(report, timezone.now()):
            self.message_user(request, f"{report}: {problem}", messages.ERROR)
        else:
            to = ", ".join(report.recipients)
            told = gettext("%(report)s: sent to %(recipients)s.") % {"report": report, "recipients": to}
            self.message_user(request, told, messages.SUCCESS)
