"""Columns of formulas in a change list. Each stands in `list_display` as a callable that is given an object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext

from ..dashboards import writing
from ..engine.domain.formula import Formula, parse
from ..engine.errors import InvalidInput
from .ranking import Value

# Of a number that stands out by more than chance.
SURE = "◆"

TOLD = "admin/hailwhale_django/counter/_told.html"


@dataclass(frozen=True)
class Column:
    """A formula under a title. Columns are equal that show the same, whatever of it is filled in.

    `texts` has what is shown of each object of the page by its primary key; `about` is said when pointing at the title.
    """

    formula: Formula
    title: str
    is_ranked: bool
    about: str = field(default="", compare=False)
    texts: Mapping[Any, SafeString] = field(default_factory=dict, compare=False)

    def __call__(self, obj: Model) -> SafeString | str:
        return self.texts.get(obj.pk, writing.NOTHING)

    # What the admin asks of a callable in `list_display`.

    @property
    def __name__(self) -> str:
        return f"hailwhale_{slugify(str(self.formula).replace('/', '_')) or 'formula'}"

    @property
    def short_description(self) -> SafeString | str:
        if has_unfold():  # which writes headings into attributes, too
            return self.title
        kind = "hw-formula" if self.title == str(self.formula) else "hw-title"
        return format_html('<bdi class="{}" title="{}">{}</bdi>', kind, self.about or self.formula, self.title)

    @property
    def admin_order_field(self) -> str | None:
        """That it has one makes the heading a link; no query is ordered by it."""
        return str(self.formula) if self.is_ranked else None


def has_unfold() -> bool:
    return apps.is_installed("unfold")


def columns_of(given: Iterable[Any], *, can_be_ranked: bool) -> list[Column]:
    """Read formulas, or pairs of a formula and a title. Raises `InvalidInput`."""
    found = dict(_titled(one) for one in given)
    return [
        Column(formula, title or str(formula), can_be_ranked and formula.is_number) for formula, title in found.items()
    ]


def _titled(given: Any) -> tuple[Formula, Any]:
    if isinstance(given, str):
        return parse(given), ""
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise InvalidInput("hailwhale_columns", given, "use a formula, or a pair of a formula and a title")
    return parse(given[0]), given[1]


def html(value: Value) -> SafeString:
    """A value as the counters' pages write it, and a mark where there is too little to tell."""
    cell = value.shown
    if not cell.is_number:
        return SafeString(render_to_string(TOLD, {"told": cell.told})) if cell.told else format_html("{}", cell.text)
    title, mark = _mark(value)
    marked = format_html(
        '<span class="hw-mark" title="{}"><span aria-hidden="true">{}</span>'
        '<span class="visually-hidden">{}: </span></span> ',
        title,
        mark,
        title,
    )
    width = format_html(' <span class="hw-width" title="{}">±&nbsp;{}</span>', cell.width_title, cell.width)
    shown = format_html('<span class="{}">{}</span>', "hw-value hw-vague" if value.is_vague else "hw-value", cell.text)
    return (marked if mark else SafeString()) + shown + (width if cell.width else SafeString())


def _mark(value: Value) -> tuple[str, str]:
    """What is to be said of a number, and a sign for it: how it stands out, unless that may be chance."""
    if value.is_vague and value.shown.mark != SURE:
        return gettext("Too few to tell: the interval is as wide as the number"), "◌"
    return value.shown.mark_title, value.shown.mark
