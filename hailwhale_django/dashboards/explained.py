"""An explanation in the reader's language: sentences whose numbers lead to the tables they are from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from ..engine.explain.explanation import Explanation
from ..engine.explain.region import COUNTERS, Region
from ..engine.explain.words import Sentence, Value, sentences
from . import writing
from .column import Column

Link = Callable[[Region], str]
"""The address of where a child's numbers are; "" where the reader may not go there."""

TableLink = Callable[[Region | None], str]
"""The address of the table in which a child's numbers stand; of `None` that of the whole's."""

IN_TABLES = ("value", "change", "percent")


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes an explanation's sentences; `column` says what its formula is called and how its values are written."""

    explanation: Explanation
    column: Column

    @classmethod
    def of(cls, explanation: Explanation, column: Column | None = None) -> Writer:
        return cls(explanation, column or Column(explanation.formula))

    def plain(self) -> list[str]:
        """As text."""
        return [one.written(self._text, gettext) for one in sentences(self.explanation)]

    def linked(self, link: Link, table: TableLink) -> list[SafeString]:
        """As HTML, where children are links, and so are numbers, to the tables in which they stand."""
        # The texts are ours and their translators', their values are escaped.
        return [mark_safe(one.written(self._linked(one, link, table), gettext)) for one in sentences(self.explanation)]

    def _linked(self, sentence: Sentence, link: Link, table: TableLink) -> Callable[[Value], SafeString]:
        child = sentence.values.get("child")
        within = table(cast(Region, child.of) if child else None)

        def write(value: Value) -> SafeString:
            text = self._text(value)
            if value.kind == "times":
                return conditional_escape(text)
            address, shape = "", "<bdi>{}</bdi>"
            if isinstance(value.of, Region):
                address = link(value.of)
            elif value.kind in IN_TABLES and value.of is not None:
                address, shape = within, '<bdi dir="ltr">{}</bdi>'
            inside = format_html(shape, text)
            return format_html('<a href="{}">{}</a>', address, inside) if address else inside

        return write

    def times(self, first_and_last: tuple[int, int] | None) -> str:
        """` (on Nov 5)`, ` (from Nov 5 to Nov 7)`, ` (from Nov 5 on)`; nothing of what came about all the time."""
        found = self.explanation
        if first_and_last is None or found.interval is None:
            return ""
        labels = writing.labels(found.period.with_interval(found.interval))
        first, last = first_and_last
        if first == last:
            return gettext(" (on %(when)s)") % {"when": labels[first]}
        if last == len(labels) - 1:
            return gettext(" (from %(first)s on)") % {"first": labels[first]}
        return gettext(" (from %(first)s to %(last)s)") % {"first": labels[first], "last": labels[last]}

    def _text(self, value: Value) -> str:
        if value.kind == "region":
            return region_name(cast(Region, value.of))
        if value.kind == "times":
            return self.times(cast("tuple[int, int] | None", value.of))
        if value.kind == "formula":
            return self.column.title
        number = cast("float | None", value.of)
        if value.kind in ("value", "supposed"):
            return self.column.text(number)
        return writing.percent(number, signed=value.kind == "change")


def region_name(region: Region) -> str:
    """`US / CA`, and where there are several dimensions `country DE, device mobile`."""
    values = region.values
    if len(values) == 1:
        return " / ".join(map(writing.of_other, next(iter(values.values())))) or str(region.path)
    return ", ".join(f"{dimension} {' / '.join(names)}" for dimension, names in values.items() if dimension != COUNTERS)
