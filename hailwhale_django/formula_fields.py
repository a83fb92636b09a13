"""Fields of forms in which columns are written: text fields that a script checks and completes (`js/formula.js`)."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext

from .conf import DEFAULT_STORE


class _Drafting(forms.Widget):
    """Says what the script needs: addresses, texts, and which fields name the counter and the store."""

    class Media:
        css: ClassVar = {"all": ["hailwhale_django/css/formula.css"]}
        js: ClassVar = [forms.Script("hailwhale_django/js/formula.js", type="module")]

    store = DEFAULT_STORE
    """The store of the counter, where no field of the form names it."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, value, {**(attrs or {}), **self._drafting(), "spellcheck": "false"})

    def _drafting(self) -> dict[str, str]:
        """Nothing where the site has no pages of counters, which are what answers."""
        try:
            check, words = (reverse(f"admin:hailwhale_django_counter_{name}") for name in ("formula", "metrics"))
        except NoReverseMatch:
            return {}
        return {
            "data-formula": "column",
            "data-check": check,
            "data-words": words,
            "data-pk-field": "counter",
            "data-store-field": "store",
            "data-store": self.store,
            "data-label": gettext("Suggestions"),
            "data-line": gettext("Line %(number)s: %(text)s") % {"number": "__N__", "text": "__TEXT__"},
        }


class ColumnInput(_Drafting, forms.TextInput):
    """One column."""


class ColumnLines(_Drafting, forms.Textarea):
    """Columns, one on each line."""
