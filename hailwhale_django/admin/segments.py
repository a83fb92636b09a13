"""Segments in Django's admin: saved filters, one's own and those of everybody."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .. import conf
from ..dashboard_models import Segment
from .decision_form import LinesField


class SegmentForm(forms.ModelForm):  # type: ignore[type-arg]
    filters = LinesField(
        label=_("Filters"),
        widget=AdminTextareaWidget(attrs={"rows": 4}),
        help_text=_("A value on each line, e.g. country/US; each of a dimension of its own"),
    )
    store = forms.ChoiceField(
        label=pgettext_lazy("of counts", "Store"), choices=lambda: [(name, name) for name in conf.stores()]
    )

    class Meta:
        model = Segment
        fields = ("name", "filters", "everyone", "store")


class SegmentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Whoever makes one owns it; others see it where it is for everybody."""

    form = SegmentForm
    list_display = ("name", "told_filters", "everyone", "owner")
    list_filter = ("everyone",)
    list_select_related = ("owner",)
    search_fields = ("name",)

    @admin.display(description=_("filters"))
    def told_filters(self, segment: Segment) -> str:
        return ", ".join(segment.filters)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        return super().get_queryset(request).visible_to(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _is_changeable(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_changeable(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.owner = request.user
        super().save_model(request, obj, form, change)


def _is_changeable(request: HttpRequest, segment: Segment | None) -> bool:
    return segment is None or segment.is_changeable_by(request.user)
