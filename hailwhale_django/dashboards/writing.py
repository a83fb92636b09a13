"""Numbers, dates and changes as the reader's language writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import floor, isfinite, log10

from django.utils import dateformat
from django.utils.formats import number_format
from django.utils.translation import gettext, pgettext

from ..engine.domain.formula import Formula
from ..engine.domain.paths import OTHER
from ..engine.domain.period import PRESETS, Period
from ..engine.domain.timeline import Interval

SIGNIFICANT_DIGITS = 4
MOST_DECIMALS = 9
# Of a plain sum two decimals are shown, as money has them, and more only where there would be nothing to see.
DECIMALS_OF_SUMS = 2
LEAST_PRICE = 0.1
MOST_DECIMALS_OF_PERCENT = 3

NOTHING = "–"

MANY_TIMES = 9
"""A relative change from which on it is told how many times as much it is."""


def number(value: float | None, *, ratio: bool = False) -> str:
    """`336,776`, `1,234.5`; of a ratio four digits that say something: `21.92`, `0.3728`."""
    if value is None or not isfinite(value):
        return NOTHING
    return _with_decimals(value, decimals(value, ratio=ratio))


def short(value: float) -> str:
    """As few digits as say something, at most three of them and all before the point: `1.5`, `12.3`, `1,250`."""
    places = 0 if abs(value) >= 100 or not value else min(max(2 - floor(log10(abs(value))), 0), MOST_DECIMALS)
    text = f"{value:.{places}f}"
    rounded = Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
    return number_format(rounded, use_l10n=True, force_grouping=True)


def level(value: float | None) -> str:
    """A number without what a sketch may add to it: of numbers from 1 on that is seen from the fifth decimal on."""
    return number(value if value is None or abs(value) < 1 else round(value, 4))


def told(value: float | None, formula: Formula) -> str:
    """A number as a formula's are written."""
    return level(value) if formula.is_level else number(value, ratio=formula.is_ratio)


def price(value: float, formula: Formula) -> str:
    """As prices are written, with two decimals or none: `9.81`; of less than 0.1 what says something: `0.0412`."""
    has_cents = isfinite(value) and abs(value) >= LEAST_PRICE and decimals(value, ratio=formula.is_ratio) > 0
    return _with_decimals(value, DECIMALS_OF_SUMS) if has_cents else told(value, formula)


def decimals(value: float, *, ratio: bool) -> int:
    """How many decimals of a number are worth showing."""
    if value == int(value):
        return 0
    digits = SIGNIFICANT_DIGITS - 1 - floor(log10(abs(value)))
    least = 0 if ratio else DECIMALS_OF_SUMS
    return min(max(digits, least), MOST_DECIMALS)


def plus_minus(low: float, high: float) -> str:
    """Half an interval's width, to two digits: more would be sure of how unsure it is."""
    half = (high - low) / 2
    if half <= 0:
        return "0"
    return _with_decimals(half, min(max(1 - floor(log10(half)), 0), MOST_DECIMALS))


def percent(share: float | None, *, signed: bool = False, places: int = 1) -> str:
    """A part of one: `16.1%`; signed, a change: `+16.1%`."""
    if share is None or not isfinite(share):
        return NOTHING
    shown = share * 100
    if shown and abs(shown) < 10**-places:  # one digit of what is next to nothing
        places = min(-floor(log10(abs(shown))), MOST_DECIMALS_OF_PERCENT)
        shown = round(shown, places)
    text = _with_decimals(shown, 0 if shown == 0 or abs(shown) >= 1000 else places)
    sign = "+" if signed and share > 0 else ""
    return in_percent(sign + text)


def of_other(name: str) -> str:
    """What the row is called in which the store counts what had no room for a row of its own."""
    return gettext("(other)") if name == OTHER else name


def in_percent(number: str) -> str:
    """A number that is written already, with its sign."""
    return pgettext("a percentage", "%(number)s%%") % {"number": number}


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a value since the period compared with: for the eye, and in words that say what it was."""

    arrow: str
    text: str
    sentence: str
    was: str

    @property
    def words(self) -> str:
        return self.sentence % {"before": self.was}


def change(
    value: float | None, before: float | None, relative: float | None, *, ratio: bool, is_level: bool = False
) -> Change | None:
    """`before` is None where nothing was compared."""
    if before is None:
        return None
    was = level(before) if is_level else number(before, ratio=ratio)
    if value is None:
        return Change("", NOTHING, gettext("before: %(before)s"), was)
    if value == before:
        return Change("", "=", gettext("as before: %(before)s"), was)
    if relative is None:
        return Change("▲" if value > before else "▼", gettext("new"), gettext("before: %(before)s"), was)
    sentence = gettext("more than before: %(before)s") if value > before else gettext("less than before: %(before)s")
    text = percent(relative, signed=True)
    if relative >= MANY_TIMES and before > 0:  # a percentage of five digits says less
        text = f"×{short(value / before)}"
    return Change("▲" if value > before else "▼", text, sentence, was)


def span(period: Period) -> str:
    """The days of a period: `Nov 22, 2025 – Nov 21, 2026`; with the hours where it begins or ends within one."""
    start, last = period.start, period.end - timedelta(seconds=1)
    if period.interval.on_the_clock and not _is_whole_days(period):
        shape = pgettext("date format of a minute", "M j, Y, H:i")
        until = "H:i" if start.date() == period.end.date() else shape
        return f"{dateformat.format(start, shape)} – {dateformat.format(period.end, until)}"
    shape = pgettext("date format of a day", "M j, Y")
    first, final = dateformat.format(start, shape), dateformat.format(last, shape)
    return first if first == final else f"{first} – {final}"


def labels(period: Period) -> list[str]:
    """What each bucket of a period is called where there is room."""
    shape = {
        "d": pgettext("date format of a day", "M j, Y"),
        "w": pgettext("date format of a week, by its Monday", "\\W\\e\\e\\k \\o\\f M j, Y"),
        "mo": pgettext("date format of a month", "F Y"),
        "y": "Y",
    }.get(period.interval.unit, pgettext("date format of a minute", "M j, Y, H:i"))
    return [_bucket(start, shape) for start in _starts(period)]


def ticks(period: Period) -> list[str]:
    """What each bucket of a period is called under an axis."""
    if period.interval.on_the_clock:
        one_day = period.end - period.start <= timedelta(hours=25)
        shape = "H:i" if one_day else pgettext("date format of a minute on an axis", "M j, H:i")
    else:
        shape = {"mo": pgettext("date format of a month on an axis", "M Y"), "y": "Y"}.get(
            period.interval.unit, pgettext("date format of a day on an axis", "M j")
        )
    return [_bucket(start, shape) for start in _starts(period)]


def each(interval: Interval) -> str:
    """`by day`, `by 5 minutes`: how finely a graph is drawn."""
    if interval.count == 1:
        return {
            "s": gettext("by second"),
            "m": gettext("by minute"),
            "h": gettext("by hour"),
            "d": gettext("by day"),
            "w": gettext("by week"),
            "mo": gettext("by month"),
            "y": gettext("by year"),
        }[interval.unit]
    return {
        "s": gettext("by %(count)s seconds"),
        "m": gettext("by %(count)s minutes"),
        "h": gettext("by %(count)s hours"),
        "mo": gettext("by %(count)s months"),
    }[interval.unit] % {"count": interval.count}


def presets() -> list[tuple[str, str]]:
    """The periods that a picker offers, in the reader's language."""
    translated = {
        "Today": gettext("Today"),
        "Yesterday": gettext("Yesterday"),
        "Last 24 hours": gettext("Last 24 hours"),
        "Last 7 days": gettext("Last 7 days"),
        "Last 30 days": gettext("Last 30 days"),
        "Month to date": gettext("Month to date"),
        "Last month": gettext("Last month"),
        "Year to date": gettext("Year to date"),
        "Last 12 months": gettext("Last 12 months"),
        "A year, by day": gettext("A year"),
    }
    return [(text, translated.get(label, label)) for text, label in PRESETS]


def _with_decimals(value: float, places: int) -> str:
    rounded = Decimal(f"{value:.{places}f}")
    if not rounded:
        return f"{value:.1e}" if value else "0"
    return number_format(rounded, decimal_pos=places, use_l10n=True, force_grouping=True)


def _starts(period: Period) -> list[datetime]:
    line = period.timeline
    return [line.start(period.interval, bucket) for bucket in period.buckets]


def _bucket(start: datetime, shape: str) -> str:
    """An hour that clocks show twice has its offset added the second time."""
    text = dateformat.format(start, shape)
    return f"{text} {start:%z}" if start.fold else text


def _is_whole_days(period: Period) -> bool:
    return all(moment.time() == datetime.min.time() for moment in (period.start, period.end))
