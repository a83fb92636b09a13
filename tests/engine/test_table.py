"""Which rows a table shows, against plain sorting."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.paths import OTHER, Path
from hailwhale_django.engine.domain.period import parse_period
from hailwhale_django.engine.domain.query import Filter, Order, Query
from hailwhale_django.engine.domain.table import Table
from hailwhale_django.engine.domain.values import Values

COUNTRY = Path(["country"])
TODAY = parse_period("today", now=datetime(2026, 1, 1, tzinfo=UTC), zone=UTC)

Figures = dict[str, tuple[int, int]]

# Few different numbers, for it is equal ones that are easily put in the wrong place.
figures = st.dictionaries(
    st.text("abcd", min_size=1, max_size=3) | st.just(OTHER),
    st.tuples(st.integers(-2, 2), st.integers(0, 2)),
    max_size=40,
)
orders = st.lists(
    st.sampled_from(["sales", "+sales", "hits", "sales/hits", "+sales/hits", "name", "-name"]), max_size=3
)


def table(given: Figures, **asked: Any) -> Table:
    sales, hits = (np.array([*(pair[side] for pair in given.values()), 0, 0]) for side in (0, 1))
    size = len(given)
    values = Values(TODAY, {"sales": 1, "hits": 1}, {"sales": sales, "hits": hits}, {}, size + 2, size, size + 1)
    first = Order.parse("sales").formula
    assert first is not None
    query = Query(Path(["shop"]), (first,), TODAY, COUNTRY, **asked)
    return Table(query, list(given), [COUNTRY] * size, values)


def sorted_plainly(given: Figures, order: list[str]) -> list[str]:
    """Names, sorted by the last key first, and before all by name."""
    names = sorted(name for name in given if name != OTHER)
    for text in reversed(order or ["sales"]):
        column = text.lstrip("+-")
        if column == "name":
            names.sort(reverse=text.startswith("-"))
        else:
            sign = 1 if text.startswith("+") else -1
            names.sort(key=lambda name: sign * value(given[name], column))
    return names


def value(pair: tuple[int, int], column: str) -> float:
    sales, hits = pair
    return {"sales": sales, "hits": hits, "sales/hits": sales / hits if hits else 0.0}[column]


@given(figures, orders, st.none() | st.integers(1, 12), st.integers(0, 12))
def test_the_rows_shown_are_those_of_the_whole_order(
    given: Figures, order: list[str], limit: int | None, offset: int
) -> None:
    found = table(given, order=tuple(map(Order.parse, order)), limit=limit, offset=offset)
    expected = sorted_plainly(given, order)
    assert [found.names[row] for row in found.shown] == expected[offset : None if limit is None else offset + limit]
    assert len(found.passing) == len(expected)


@given(figures, st.integers(1, 5))
def test_rows_are_counted_before_they_are_cut_off(given: Figures, limit: int) -> None:
    found = table(given, filters=(Filter.parse([">", "sales", 0]),), limit=limit)
    passing = [name for name in sorted_plainly(given, []) if given[name][0] > 0]
    assert [found.names[row] for row in found.shown] == passing[:limit]
    assert len(found.passing) == len(passing)


def test_what_has_no_value_comes_last_wherever_the_cut_is() -> None:
    """Without a period to compare with no row has a change: all are equal, and go by name."""
    given = {"b": (1, 1), "c": (2, 1), "a": (3, 1)}
    order = (Order.parse("change:sales"),)
    for limit in (1, 2, 3):
        found = table(given, order=order, limit=limit)
        assert [found.names[row] for row in found.shown] == ["a", "b", "c"][:limit]
