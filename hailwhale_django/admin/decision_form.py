"""The form by which decisions are registered in the admin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .. import conf
from ..engine.decide.policies.book import POLICIES
from ..models import Decision

HELP: Mapping[str, Any] = {
    "counter": _("The counter that the decision belongs to, e.g. shop"),
    "name": _("What is decided, e.g. banner: it counts on shop/banner"),
    "options": _("One on each line, in the order in which they are to be listed"),
    "control": _("The option that everybody gets before the start and after a stop; empty: the first"),
    "formula": _("What is to be large, e.g. revenue/visitors"),
    "settings": _("As JSON; see the documentation of each policy"),
    "floor": _("The least share of the visitors that every option gets, e.g. 0.01"),
    "uniform": _(
        "The share of visitors who are decided for by chance alone; empty: 0.05 if the policy adapts, else none"
    ),
    "burn_in": _("Until every option has so many events, all visitors are decided for by chance"),
    "dimensions": _("Those that matter, one on each line; empty: all"),
    "pairs": _("Also learn of every two dimensions together"),
    "period": _("Of the evidence, e.g. 30d; empty: 90d"),
    "since": _("Evidence from before that day does not count"),
    "hold": _("Seconds for which the same visitor gets the same option"),
    "window": _("Seconds within which what a visitor earns is credited to the decision"),
    "guardrails": _("What must not get worse, one on each line, e.g. refunds/orders lower 2%"),
}


class LinesField(forms.CharField):
    """A list of texts, one on each line."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = value if isinstance(value, list) else str(value or "").splitlines()
        return [line.strip() for line in lines if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial or []) != self.to_python(data)


class DecisionForm(forms.ModelForm):  # type: ignore[type-arg]
    """Lists are lines, and what is not understood is told at its field."""

    options = LinesField(label=_("Options"), widget=forms.Textarea(attrs={"rows": 5}))
    dimensions = LinesField(label=_("Dimensions"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    guardrails = LinesField(label=_("Guardrails"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    policy = forms.ChoiceField(label=_("Policy"), choices=[(name, name) for name in POLICIES])
    store = forms.ChoiceField(
        label=pgettext_lazy("of counts", "Store"), choices=lambda: [(name, name) for name in conf.stores()]
    )

    class Meta:
        model = Decision
        fields = tuple(dict.fromkeys(["title", "minimize", "policy", "store", *HELP]))
        help_texts = HELP
        widgets: ClassVar = {"settings": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in (
            "options",
            "dimensions",
            "guardrails",
        ):  # which are declared here, and so have no help of the model
            if name in self.fields:
                self.fields[name].help_text = HELP[name]
