"""Annotations in Django's admin: a list by date, and a form."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .. import conf
from ..dashboard_models import Annotation


class AnnotationForm(forms.ModelForm):  # type: ignore[type-arg]
    store = forms.ChoiceField(
        label=pgettext_lazy("of counts", "Store"), choices=lambda: [(name, name) for name in conf.stores()]
    )

    class Meta:
        model = Annotation
        fields = ("text", "at", "until", "counter", "link", "store")
        field_classes: ClassVar = {"link": partial(forms.URLField, assume_scheme="https")}


class AnnotationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What happened when. Who wrote it down is known by itself."""

    form = AnnotationForm
    list_display = ("text", "at", "until", "counter", "who")
    date_hierarchy = "at"
    search_fields = ("text", "counter", "who")
    fieldsets = (
        (None, {"fields": ["text", ("at", "until"), "counter", "link"]}),
        (_("Where"), {"classes": ["collapse"], "fields": ["store"]}),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.who = request.user.get_username()[:200]
        super().save_model(request, obj, form, change)
