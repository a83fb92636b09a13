"""A column as somebody wrote it down: a formula, what it is called, how its numbers are written, and which way is good.

    revenue/uv:visitor as Revenue per visitor [$#]
    late/arrived as Late [%; less is better]
    hits

In brackets stands a format: text with a `#` where the number goes, `%` for parts of one, `s` or `ms` for durations,
`bytes`. Nothing of it is needed but the formula.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext, gettext_noop, ngettext

from ..engine.domain.formula import Formula, parse
from ..engine.errors import InvalidInput
from . import writing

LESS_IS_BETTER = "less is better"
FORMATS = ("%", "s", "ms", "bytes")

MAX_TITLE = 100
MAX_FORMAT = 20

# Space is taken as a whole (`++`): a text of little else would take long otherwise.
_WRITTEN = re.compile(
    r"(?P<formula>.+?)(?:(?<!\s)\s++as\s++(?P<title>[^\[\]]+?))?\s*+(?:\[(?P<options>[^\[\]]*)\])?\s*+", re.S
)

BYTES = (
    gettext_noop("%(count)s kB"),
    gettext_noop("%(count)s MB"),
    gettext_noop("%(count)s GB"),
    gettext_noop("%(count)s TB"),
    gettext_noop("%(count)s PB"),
)


@dataclass(frozen=True, slots=True)
class Column:
    """A formula and how it is shown."""

    formula: Formula
    given_title: str = ""
    format: str = ""
    lower_is_better: bool = False

    @classmethod
    def parse(cls, text: str) -> Column:
        """Raises `InvalidInput`."""
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise InvalidInput("formulas", text, "use a formula, e.g. revenue/visitors as Revenue per visitor [$#]")
        options = [one.strip() for one in (found["options"] or "").split(";") if one.strip()]
        title = (found["title"] or "").strip()
        if len(title) > MAX_TITLE:
            raise InvalidInput("formulas", title, f"a title has at most {MAX_TITLE} characters")
        formats = [_format(one) for one in options if one != LESS_IS_BETTER]
        if len(formats) > 1:
            raise InvalidInput("formulas", text, "a column has one format")
        return cls(parse(found["formula"].strip()), title, "".join(formats), LESS_IS_BETTER in options)

    @property
    def title(self) -> str:
        return self.given_title or str(self.formula)

    def __str__(self) -> str:
        options = "; ".join(filter(None, [self.format, LESS_IS_BETTER if self.lower_is_better else ""]))
        parts = [str(self.formula), f"as {self.given_title}" if self.given_title else ""]
        return " ".join(filter(None, [*parts, f"[{options}]" if options else ""]))

    @property
    def axis(self) -> tuple[str, int, str]:
        """How numbers are written where there is little room: what is before them, how many times they are, what is
        behind them.
        """
        if self.format == "%":
            return "", 100, "%"
        before, mark, after = self.format.partition("#")
        return (before, 1, after) if mark else ("", 1, f" {self.format}" if self.format else "")

    def text(self, value: float | None) -> str:
        """A value of this column as the page writes it."""
        if value is None:
            return writing.NOTHING
        told = writing.price if self.is_money else writing.told
        return self.dressed(value, told(value, self.formula))

    @property
    def is_money(self) -> bool:
        """Whether its format has the sign of a currency."""
        return any(unicodedata.category(sign) == "Sc" for sign in self.format)

    def dressed(self, value: float, plain: str) -> str:
        """A number that is written already, in this column's format."""
        match self.format:
            case "":
                return plain
            case "%":
                return writing.percent(value)
            case "s" | "ms":
                return duration(value / (1000 if self.format == "ms" else 1))
            case "bytes":
                return size(value)
        sign, digits = ("-", plain[1:]) if plain.startswith("-") else ("", plain)
        return sign + self.format.replace("#", digits, 1)


def columns_of(texts: list[str]) -> list[Column]:
    """Columns as they were written down. Raises `InvalidInput` that names the first that will not do."""
    return [Column.parse(text) for text in texts]


def duration(seconds: float) -> str:
    """`340 ms`, `12.3 s`, `4 min 5 s`, `2 h 3 min`, `3 days`."""
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    if rest < 1:
        return f"{sign}{writing.short(rest * 1000)} ms"
    if rest < 60:
        return f"{sign}{writing.short(rest)} s"
    whole = timedelta(seconds=round(rest))
    minutes, odd = divmod(whole.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if whole.days:
        days = ngettext("%(count)s day", "%(count)s days", whole.days) % {"count": writing.number(whole.days)}
        return sign + (f"{days} {hours} h" if hours else days)
    return sign + (f"{hours} h {minutes} min" if hours else f"{minutes} min {odd} s")


def size(count: float) -> str:
    """`512 bytes`, `1.5 MB`: by thousands."""
    if abs(count) < 1000:
        return gettext("%(count)s bytes") % {"count": writing.number(count)}
    unit = 0
    count /= 1000
    while abs(count) >= 999.95 and unit + 1 < len(BYTES):
        count, unit = count / 1000, unit + 1
    return gettext(BYTES[unit]) % {"count": writing.short(count)}


def _format(text: str) -> str:
    if text in FORMATS or (text.count("#") == 1 and len(text) <= MAX_FORMAT):
        return text
    expected = f"use {', '.join(FORMATS)}, or a text with one # in it, e.g. $#"
    raise InvalidInput("formulas", text, expected)
