"""The forms by which alerts and reports are set up in the admin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .. import conf
from ..alert_models import WEB_SCHEMES
from ..formula_fields import ColumnInput
from ..models import Alert, Dashboard, Report
from .decision_form import LinesField

HELP: Mapping[str, Any] = {
    "store": "",
    "counter": _("What it looks at, e.g. shop or Product/123"),
    "dimension": _(
        "Empty: the whole of the counter; else a dimension or one of its values, e.g. country or country/US"
    ),
    "each": _("Every child of the dimension has its own alarm: each country by itself"),
    "formula": _("E.g. revenue/visitors, or late/arrived as Late [%]"),
    "threshold": _("It begins beyond this. Of a rise or fall a part of one: 0.2 is 20%"),
    "clear_at": _(
        "It is over only when it is back here, so that what trembles at the threshold tells once; empty: there"
    ),
    "window": _("15m, 1h, 24h, 7d: so much time that is over. Or a period such as today, up to now"),
    "versus": _("What a rise or fall is from: previous, weekdays, month, year, or a period"),
    "least": _("What rests on less does not ring: of a ratio its denominator, of percentiles and the like the hits"),
    "without_data": _(
        "A ratio of nothing has no value, and a child on which nothing was counted; a sum of nothing is 0"
    ),
    "recipients": _("Addresses of mail, one on each line"),
    "url": _("It gets JSON by POST, of which chats such as Slack show the text"),
    "most_a_day": _(
        "A message tells all that is new. The last of a day says so; what is still so is told the next day"
    ),
}

OF_REPORTS: Mapping[str, Any] = {
    "recipients": HELP["recipients"],
    "every": _("Of every day the one before; of every week, on Mondays, the last one"),
    "hour": _("By the clocks of the store of the dashboard, 0 to 23"),
}


class AlertForm(forms.ModelForm):  # type: ignore[type-arg]
    """Lists are lines, and what is not understood is told at its field."""

    store = forms.ChoiceField(
        label=pgettext_lazy("of counts", "Store"), choices=lambda: [(name, name) for name in conf.stores()]
    )
    recipients = LinesField(
        label=_("Recipients"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=HELP["recipients"],
    )
    url = forms.CharField(
        label=_("Address of the webhook"),
        required=False,
        max_length=500,
        validators=[URLValidator(schemes=WEB_SCHEMES)],
        widget=forms.URLInput(attrs={"class": "vURLField"}),
        help_text=HELP["url"],
    )

    class Meta:
        model = Alert
        fields = ("name", "condition", "channel", "active", *HELP)
        help_texts = HELP
        widgets: ClassVar = {"formula": ColumnInput(attrs={"class": "vTextField"})}


class ReportForm(forms.ModelForm):  # type: ignore[type-arg]
    """Dashboards to choose from are those that `user` may see."""

    user: ClassVar[Any] = None

    recipients = LinesField(
        label=_("Recipients"), widget=forms.Textarea(attrs={"rows": 3}), help_text=OF_REPORTS["recipients"]
    )

    class Meta:
        model = Report
        fields = ("dashboard", "recipients", "every", "hour", "active")
        help_texts = OF_REPORTS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "dashboard" in self.fields:
            seen = Dashboard.objects.visible_to(self.user)
            self.fields["dashboard"].queryset = seen  # type: ignore[attr-defined]
