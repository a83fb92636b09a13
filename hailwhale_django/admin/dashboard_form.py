"""The forms by which dashboards, their panels and their links are put together in the admin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .. import conf
from ..access_models import SharedLink
from ..dashboard_models import Dashboard, Panel
from ..formula_fields import ColumnLines
from .decision_form import LinesField

HELP_OF_DASHBOARDS: Mapping[str, Any] = {
    "slug": _("Its address: letters, digits, - and _"),
    "period": _("What it begins with, e.g. mtd, 7d, today; empty: 30d"),
    "compare": _("previous, weekdays, month, year, or a period; empty: nothing"),
    "filters": _("Values that it begins with, one on each line, e.g. country/US"),
    "place": _("Those with small numbers come first; the first is the one to begin with"),
    "everyone": _("Else only its owner and these groups"),
}

HELP_OF_PANELS: Mapping[str, Any] = {
    "counter": _("e.g. shop, or of a decision its counter, e.g. shop/banner"),
    "dimension": _(
        "Whose children are shown, e.g. country; of a number the row itself, e.g. country/US; of what moved most all "
        "that is beneath it, or empty: everything"
    ),
    "counters": _("The rows are the child counters"),
    "formulas": _(
        "One on each line, e.g. revenue/uv:visitor as Revenue per visitor [$#]. In brackets stands the format: text "
        "with a # for the number, %, s, ms or bytes, and after a semicolon: less is better"
    ),
    "order": _("e.g. -revenue, +name, -low:revenue/visitors, -change:revenue; empty: by the first formula"),
    "limit": _("Of a graph at most 8; 0 draws the children that matter"),
    "period": _("Where it should not be the dashboard's, e.g. today"),
    "place": _("Panels stand in this order, from left to right and down"),
}

HELP_OF_LINKS: Mapping[str, Any] = {
    "filters": _("Nothing else can be seen: one value on each line, e.g. country/US"),
    "expires_at": _("Empty: until it is deleted"),
}


class DashboardForm(forms.ModelForm):  # type: ignore[type-arg]
    filters = LinesField(label=_("Filters"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    store = forms.ChoiceField(
        label=pgettext_lazy("of counts", "Store"), choices=lambda: [(name, name) for name in conf.stores()]
    )

    class Meta:
        model = Dashboard
        fields = (
            *("title", "slug", "description", "period", "compare", "filters", "place", "store"),
            *("owner", "everyone", "viewers", "editors"),
        )
        help_texts = HELP_OF_DASHBOARDS
        widgets: ClassVar = {"description": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "filters" in self.fields:
            self.fields["filters"].help_text = HELP_OF_DASHBOARDS["filters"]


class PanelForm(forms.ModelForm):  # type: ignore[type-arg]
    formulas = LinesField(label=_("Formulas"), required=False, widget=ColumnLines(attrs={"rows": 5, "cols": 80}))

    class Meta:
        model = Panel
        fields = (
            *("dashboard", "kind", "title", "counter", "dimension", "counters", "formulas", "order", "limit"),
            *("style", "period", "text", "width", "place"),
        )
        help_texts = HELP_OF_PANELS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "dashboard" in self.fields and (self.instance.pk or self.initial.get("dashboard")):
            self.fields["dashboard"].widget = forms.HiddenInput()
        if "formulas" in self.fields:
            self.fields["formulas"].help_text = HELP_OF_PANELS["formulas"]
            self.fields["formulas"].widget.store = self._store()  # type: ignore[attr-defined]

    def _store(self) -> str:
        """That of the dashboard."""
        number = self.instance.dashboard_id or self.initial.get("dashboard")
        board = Dashboard.objects.filter(pk=number).first() if str(number).isdecimal() else None
        return board.store if board else conf.DEFAULT_STORE


class SharedLinkForm(forms.ModelForm):  # type: ignore[type-arg]
    filters = LinesField(label=_("Only of"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    no_password = forms.BooleanField(label=_("No password"), required=False)

    class Meta:
        model = SharedLink
        fields = ("dashboard", "panel", "note", "filters", "interactive", "embeddable", "expires_at")
        help_texts = HELP_OF_LINKS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "filters" in self.fields:
            self.fields["filters"].help_text = HELP_OF_LINKS["filters"]
        if not self.instance.has_password:
            self.fields.pop("no_password", None)
        elif "password" in self.fields:
            self.fields["password"].help_text = _("It has one; write another to change it.")

    def save(self, commit: bool = True) -> Any:
        if self.cleaned_data.get("no_password"):
            self.instance.set_password("")
        elif password := self.cleaned_data.get("password"):
            self.instance.set_password(password)
        return super().save(commit)
