"""Columns as people write them down, and the numbers that they make."""

from __future__ import annotations

import pytest

from hailwhale_django.dashboards.cells import panel_cell
from hailwhale_django.dashboards.column import Column, duration, size
from hailwhale_django.engine.domain.answer import Cell
from hailwhale_django.engine.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "formula", "title", "form", "lower"),
    [
        ("hits", "hits", "hits", "", False),
        ("revenue / visitors", "revenue / visitors", "revenue / visitors", "", False),
        ("revenue/uv:visitor as Per visitor [$#]", "revenue/uv:visitor", "Per visitor", "$#", False),
        ("late/arrived as Late [%; less is better]", "late/arrived", "Late", "%", True),
        ("late [less is better]", "late", "late", "", True),
        ("pct95:ms as 95% are faster [ms]", "pct95:ms", "95% are faster", "ms", False),
        ("  hits   as   Times seen  ", "hits", "Times seen", "", False),
    ],
)
def test_what_is_written_down_is_read(text: str, formula: str, title: str, form: str, lower: bool) -> None:
    column = Column.parse(text)
    assert (str(column.formula), column.title, column.format, column.lower_is_better) == (formula, title, form, lower)
    assert Column.parse(str(column)) == column


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("revenue/", "formula"),
        ("hits [##]", "one # in it"),
        ("hits [dollars]", "one # in it"),
        ("hits [%; s]", "one format"),
        ("hits as " + "x" * 101, "at most 100"),
        ("", "use a formula"),
    ],
)
def test_what_cannot_be_read_says_what_would_be_right(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        Column.parse(text)


@pytest.mark.parametrize(
    ("written", "value", "text"),
    [
        ("revenue [$#]", 1234.5, "$1,234.50"),
        ("revenue [# €]", -1234.5, "-1,234.50 €"),
        ("late/arrived [%]", 0.3128, "31.3%"),
        ("ms [ms]", 1500, "1.5 s"),
        ("ms [s]", 3725, "1 h 2 min"),
        ("size [bytes]", 1_500_000, "1.5 MB"),
        ("revenue/visitors", 2.5, "2.500"),
        ("revenue [$#]", None, "–"),
        ("revenue/visitors [€#]", 9.8081, "€9.81"),
        ("revenue/visitors [€#]", -126.3, "-€126.30"),
        ("revenue/visitors [€#]", 1234.567, "€1,235"),
        ("revenue/visitors [€#]", 12.0, "€12"),
        ("revenue/views [€#]", 0.04123, "€0.04123"),
        ("revenue/visitors [# points]", 9.8081, "9.808 points"),
    ],
)
def test_a_number_is_written_in_its_columns_format(written: str, value: float | None, text: str) -> None:
    assert Column.parse(written).text(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.34, "340 ms"),
        (12.3, "12.3 s"),
        (60, "1 min 0 s"),
        (245, "4 min 5 s"),
        (7380, "2 h 3 min"),
        (86400 * 3, "3 days"),
        (86400 + 7200, "1 day 2 h"),
        (-0.5, "-500 ms"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (999_960, "1 MB"), (2.5e12, "2.5 TB")]
)
def test_sizes(count: float, text: str) -> None:
    assert size(count) == text


def cell(value: float | None, before: float | None = None, **others: float) -> Cell:
    change = (value - before) / abs(before) if before and value is not None else None
    return Cell(value, before=before, change=change, **others)


@pytest.mark.parametrize(
    ("written", "value", "before", "tone"),
    [
        ("revenue", 2, 1, "good"),
        ("revenue", 1, 2, "bad"),
        ("late [less is better]", 2, 1, "bad"),
        ("late [less is better]", 1, 2, "good"),
        ("revenue", 2, 2, ""),
        ("revenue", 2, None, ""),
    ],
)
def test_whether_a_change_is_good(written: str, value: float, before: float | None, tone: str) -> None:
    found = cell(value, before)
    assert panel_cell(found, Column.parse(written), found).tone == tone


def test_a_change_is_told_in_words_in_the_columns_format() -> None:
    found = panel_cell(cell(3, 2), Column.parse("revenue [$#]"), cell(10))
    assert found.change is not None
    assert (found.change.arrow, found.change.text, found.change.words) == ("▲", "+50.0%", "more than before: $2")


def test_an_interval_is_half_its_width_in_the_columns_format() -> None:
    column = Column.parse("late/arrived [%]")
    found = panel_cell(cell(0.2, numerator=20, denominator=100, low=0.15, high=0.25), column, cell(0.2))
    assert (found.width, found.width_title) == ("5.0%", "95% sure to be between 15.0% and 25.0%")


@pytest.mark.parametrize(
    ("written", "axis"),
    [
        ("revenue [$#]", ("$", 1, "")),
        ("delay [# min]", ("", 1, " min")),
        ("late/arrived [%]", ("", 100, "%")),
        ("ms [ms]", ("", 1, " ms")),
        ("hits", ("", 1, "")),
    ],
)
def test_what_stands_at_an_axis(written: str, axis: tuple[str, int, str]) -> None:
    assert Column.parse(written).axis == axis
