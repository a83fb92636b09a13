"""Graphs as values: what is stacked, what (other) is, where marks and edges lie, which children matter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.dashboards.column import Column
from hailwhale_django.dashboards.graph import Graph, Line, Points, style_of, with_other
from hailwhale_django.dashboards.marks import Mark
from hailwhale_django.engine.domain.formula import parse
from hailwhale_django.engine.domain.period import Period, parse_period
from hailwhale_django.engine.domain.timeline import Interval
from hailwhale_django.engine.errors import InvalidInput

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAYS = "2026-11-01..2026-11-04"
NEW_YORK = "America/New_York"


def period(text: str = DAYS, zone: str = "UTC") -> Period:
    return parse_period(text, now=NOW, zone=ZoneInfo(zone))


def graph(formula: str = "hits", *points: Points, **more: Any) -> Graph:
    lines = [Line(f"row {at}", at, one) for at, one in enumerate(points, 1)]
    return Graph(parse(formula), more.pop("period", period()), lines, unfinished=False, **more)


def drawn(found: Graph) -> list[tuple[str, list[float | None]]]:
    return [(line.name, list(line.points)) for line in found.lines]


class TestOther:
    def test_it_is_what_the_lines_lack_to_the_whole(self) -> None:
        found = with_other(graph("hits", [1, 2, 0, 4], [0, 1, 0, 1]), [1, 5, 0, 5.5])
        assert drawn(found)[2:] == [("(other)", [0, 2, 0, 0.5])]
        assert [(line.other, line.number) for line in found.lines] == [(False, 1), (False, 2), (True, 0)]
        assert found.stacks

    def test_there_is_none_of_nothing(self) -> None:
        # As floats, 0.1 + 0.2 is more than 0.3.
        found = with_other(graph("revenue", [0.1, 1, 0, 0], [0.2, 0, 0, 0]), [0.3, 1, 0, 0])
        assert len(found.lines) == 2 and found.stacks

    def test_children_that_make_more_than_the_whole_are_no_parts(self) -> None:
        found = with_other(graph("hits", [1, 2, 0, 0], [1, 2, 0, 0]), [2, 3, 0, 9])
        assert len(found.lines) == 2 and not found.stacks

    @pytest.mark.parametrize("formula", ["revenue/visitors", "uv:visitor", "pct95:ms", "hits:last"])
    def test_what_does_not_add_up_has_none(self, formula: str) -> None:
        found = with_other(graph(formula, [1, 1, 1, 1], [2, 2, 2, 2]), [9, 9, 9, 9])
        assert len(found.lines) == 2 and not found.stacks

    def test_one_line_has_none(self) -> None:
        assert len(with_other(graph("hits", [1, 1, 1, 1]), [2, 2, 2, 2]).lines) == 1

    def test_neither_the_whole_nor_what_was_before_is_taken_off(self) -> None:
        lines = [
            Line("a", 1, [1, 1, 1, 1]),
            Line("b", 2, [1, 1, 1, 1]),
            Line("total", 3, [5, 5, 5, 5], whole=True),
        ]
        found = with_other(Graph(parse("hits"), period(), lines, unfinished=False), [5, 5, 5, 5])
        assert drawn(found)[-1] == ("(other)", [3, 3, 3, 3])

    def test_a_row_of_this_name_keeps_it(self) -> None:
        lines = [Line("(other)", 1, [1, 1, 1, 1]), Line("b", 2, [1, 1, 1, 1])]
        found = with_other(Graph(parse("hits"), period(), lines, unfinished=False), [3, 3, 3, 3])
        assert drawn(found)[-1] == ("(all others)", [1, 1, 1, 1])

    @given(st.lists(st.lists(st.integers(0, 10**9), min_size=4, max_size=4), min_size=3, max_size=9))
    def test_the_stack_is_as_high_as_the_whole(self, rows: list[list[int]]) -> None:
        cents = [[value / 100 for value in row] for row in rows]
        whole = [sum(column) / 100 for column in zip(*rows, strict=True)]
        found = with_other(graph("revenue", *cents[:2]), whole)
        heights = [sum(point or 0 for point in column) for column in zip(*(p for _, p in drawn(found)), strict=True)]
        assert heights == pytest.approx(whole)


class TestNote:
    def note(self, formula: str, **more: Any) -> str:
        return graph(formula, [1, 1, 1, 1], [2, 2, 2, 2], **more).note

    def test_what_adds_up_needs_none(self) -> None:
        assert [self.note("revenue - cost", style=style) for style in ("line", "area", "bar")] == [""] * 3

    def test_what_does_not_is_not_stacked(self) -> None:
        assert self.note("a/b") == ""
        assert self.note("a/b", style="area").endswith("areas are drawn as lines.")
        assert self.note("a/b", style="bar").endswith("bars stand side by side.")
        assert self.note("hits", style="area", parts=False).endswith("areas are drawn as lines.")

    def test_one_line_stands_beside_nothing(self) -> None:
        assert graph("a/b", [1, 1, 1, 1], style="bar").note == ""

    def test_a_log_scale_has_gaps(self) -> None:
        assert "there is no 0" in self.note("hits", log=True)
        assert not graph("hits", [1, 1, 1, 1], style="area", log=True).is_stacked

    def test_points_of_uniques(self) -> None:
        assert self.note("uv:visitor", style="bar").count(".") == 3  # two sentences of uniques, one of bars


@pytest.mark.parametrize("given", ["pie", "", None, "LINE"])
def test_another_style_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput, match="use line, area or bar"):
        style_of(given)


class TestEdges:
    def edges(self, text: str, zone: str = "UTC", interval: str = "") -> list[tuple[str, str]]:
        data = graph("hits", period=period(f"{interval}:{text}" if interval else text, zone)).data()
        return list(zip(data["edges"], data["ends"], strict=True))

    def test_of_days_a_date(self) -> None:
        assert self.edges(DAYS)[::3] == [("2026-11-01", "2026-11-01"), ("2026-11-04", "2026-11-04")]

    def test_of_hours_the_offset_too_as_a_clock_can_show_one_twice(self) -> None:
        found = self.edges("2026-11-01", NEW_YORK)
        assert len(found) == 25
        assert [begin for begin, _ in found[:3]] == [
            "2026-11-01T00:00:00-04:00",
            "2026-11-01T01:00:00-04:00",
            "2026-11-01T01:00:00-05:00",
        ]
        assert {end for _, end in found} == {"2026-11-01"}

    def test_of_weeks_and_months_no_more_than_was_asked_for(self) -> None:
        days = period("2026-11-04..2026-11-12")  # a Wednesday to the Thursday of the week after
        data = graph("hits", period=days.with_interval(Interval.parse("1w"))).data()
        weeks = list(zip(data["edges"], data["ends"], strict=True))
        assert weeks == [("2026-11-04", "2026-11-08"), ("2026-11-09", "2026-11-12")]
        months = self.edges("2026-01-01..2026-03-31", interval="1mo")
        assert months[1] == ("2026-02-01", "2026-02-28")

    @pytest.mark.parametrize("interval", ["1h", "1d", "1w", "1mo"])
    def test_a_period_of_edges_begins_and_ends_there(self, interval: str) -> None:
        asked = period(f"{interval}:2026-09-09..2026-11-19", NEW_YORK)
        data = graph("hits", period=asked).data()
        again = period(f"{data['edges'][0][:10]}..{data['ends'][-1]}", NEW_YORK)
        assert again.span == asked.span


class TestMarks:
    FIRST = period().first

    def marked(self, *marks: Mark, text: str = DAYS) -> Graph:
        return graph("hits", [1, 1, 1, 1], marks=marks, period=period(text))

    def test_they_are_placed_by_points_and_cut_to_the_period(self) -> None:
        first = self.FIRST
        found = self.marked(
            Mark(first + 1, first + 9, "late"),
            Mark(first + 1, None, "deploy"),
            Mark(first - 3, first, "early"),
            Mark(first - 1, None, "gone"),
            Mark(first + 4, None, "to come"),
        )
        assert found.data()["marks"] == [
            {"begin": 0, "end": 0, "text": "early"},
            {"begin": 1, "end": None, "text": "deploy"},
            {"begin": 1, "end": 3, "text": "late"},
        ]
        assert [(note.when, note.text) for note in found.notes] == [
            ("Nov 1, 2026", "early"),
            ("Nov 2, 2026", "deploy"),
            ("Nov 2, 2026 – Nov 4, 2026", "late"),
        ]

    @pytest.mark.parametrize(
        ("link", "address"),
        [
            ("https://shop.example/x?y", "https://shop.example/x?y"),
            ("/releases/2", "/releases/2"),
            ("javascript:alert(1)", ""),
            (" javascript:alert(1)", ""),
            ("data:text/html,x", ""),
            ("", ""),
        ],
    )
    def test_a_link_runs_nothing(self, link: str, address: str) -> None:
        (note,) = self.marked(Mark(self.FIRST, None, "deploy", link)).notes
        assert note.address == address

    def test_one_that_ends_before_it_begins_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="ends there or later"):
            Mark(5, 4, "x")


def test_numbers_are_written_as_the_column_says() -> None:
    found = graph("revenue", [1234.5, None, 0, 2], column=Column.parse("revenue as Revenue [$#]"))
    assert [texts for _, texts in found.numbers()] == [["$1,234.50"], ["–"], ["$0"], ["$2"]]
    assert found.data()["axis"] == ("$", 1, "")
    assert graph("revenue", [1]).data()["axis"] is None
