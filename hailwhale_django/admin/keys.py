"""Write keys in Django's admin. A key is shown once, when it is made or renewed: what is kept is its hash."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from ..access_models import WriteKey
from .decision_form import LinesField
from .saving import save_shown

TEMPLATES = "admin/hailwhale_django/writekey"


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]
    counters = LinesField(
        label=_("Counters"),
        required=False,
        widget=AdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("On which it counts, one on each line, with all that is below them. Empty: on every counter"),
    )

    class Meta:
        model = WriteKey
        fields = ("name", "counters", "annotates", "active")


class KeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Makes keys, says when each was last used, and renews them."""

    form = KeyForm
    list_display = ("name", "told_beginning", "told_counters", "annotates", "active", "last_used_on")
    list_filter = ("active",)
    search_fields = ("name", "beginning")
    readonly_fields = ("told_beginning", "created_at", "last_used_on")

    class Media:
        js: ClassVar = [forms.Script("hailwhale_django/js/copy.js", type="module")]

    @admin.display(description=_("begins with"), ordering="beginning")
    def told_beginning(self, row: WriteKey) -> str:
        return f"{row.beginning}…"

    @admin.display(description=_("counters"))
    def told_counters(self, row: WriteKey) -> str:
        return ", ".join(row.counters) or pgettext("counters", "all")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*KeyForm.Meta.fields, *self.readonly_fields) if obj else KeyForm.Meta.fields

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.renew_view))
        return [path("<int:number>/renew/", view, name=self._url_name("renew")), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:  # and not the key, which somebody may have renewed meanwhile
            save_shown(obj, form)
            return
        key = obj.renew()
        super().save_model(request, obj, form, change)
        _show(request, key)

    def renew_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """Ask, and when that is posted, make a new key in place of the one before."""
        row = self.get_object(request, str(number))
        if row is None:
            raise Http404
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        if request.method != "POST":
            request.current_app = self.admin_site.name
            context = {"title": gettext("Renew the key"), "opts": self.opts, "row": row}
            return TemplateResponse(request, f"{TEMPLATES}/renew.html", self.admin_site.each_context(request) | context)
        key = row.renew()
        row.save(update_fields=["beginning", "digest"])
        self.log_change(request, row, gettext("Renewed."))
        _show(request, key)
        link = reverse(f"admin:{self._url_name('change')}", args=[row.pk], current_app=self.admin_site.name)
        return HttpResponseRedirect(link)

    def _url_name(self, view: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{view}"


def _show(request: HttpRequest, key: str) -> None:
    text = (
        '{} <code id="hw-key">{}</code> <button type="button" data-copies="hw-key" data-copied="{}" hidden>{}</button>'
    )
    told = gettext("Copy the key now. It is not shown again:")
    messages.warning(request, format_html(text, told, key, gettext("Copied"), gettext("Copy")))
