"""Differences of a column's values, as they stand below each other: signed, with as many decimals in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import floor, log10

from django.utils.formats import number_format

from . import writing
from .column import Column

DIGITS = 3
"""Of the largest, so many digits say something."""

UNITS = ("s", "ms", "bytes")
"""Formats that choose a unit, and decimals, for each number."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One, for the eye: `tone` is "good" or "bad", by what the column says is good."""

    text: str
    arrow: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Differences:
    """Writes the differences of a column, all with as many `places`."""

    column: Column
    places: int

    @classmethod
    def of(cls, column: Column, values: Sequence[float], further: Sequence[float] = ()) -> Differences:
        """For some values, of which the largest says how exactly to write, and `further` ones."""
        scaled = [abs(value) * _times(column) for value in (*values, *further)]
        if all(value == int(value) for value in scaled):
            return cls(column, 0)
        top = max(scaled[: len(values)], default=0.0) or max(scaled)
        needed = min(max(DIGITS - 1 - floor(log10(top)), 0), writing.MOST_DECIMALS)
        if needed and column.is_money and top >= writing.LEAST_PRICE:
            needed = writing.DECIMALS_OF_SUMS
        return cls(column, needed)

    @property
    def in_points(self) -> bool:
        """Whether they are of percentages, of which the difference is no percentage of anything."""
        return self.column.format == "%"

    def shown(self, value: float) -> Difference:
        text = self.plain(value)
        if not self._rounded(value):
            return Difference(text)
        tone = "good" if (value > 0) != self.column.lower_is_better else "bad"
        return Difference(("+" if value > 0 else "-") + text, "▲" if value > 0 else "▼", tone)

    def signed(self, value: float) -> str:
        return self.shown(value).text

    def plain(self, value: float) -> str:
        """Without its sign."""
        size = abs(value)
        text = number_format(self._rounded(value), decimal_pos=self.places, use_l10n=True, force_grouping=True)
        return text if self.in_points else self.column.dressed(size, text)

    def _rounded(self, value: float) -> Decimal:
        places = writing.MOST_DECIMALS if self.column.format in UNITS else self.places
        return Decimal(f"{abs(value) * _times(self.column):.{places}f}")


def _times(column: Column) -> int:
    return 100 if column.format == "%" else 1
