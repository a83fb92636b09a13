"""What people write for orders, filters and formulas, and how they are told what would be right."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.query import (
    MAX_FORMULAS,
    Filter,
    Order,
    parse_formulas,
    whole_number,
)
from hailwhale_django.engine.errors import InvalidInput, TooLarge

# --- orders


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ("revenue", ["revenue", "desc"]),
        ("-revenue/visitors", ["revenue/visitors", "desc"]),
        ("+revenue/visitors", ["revenue/visitors", "asc"]),
        (["revenue/visitors", "desc"], ["revenue/visitors", "desc"]),
        (("revenue/visitors", "asc"), ["revenue/visitors", "asc"]),
        ("low:revenue/visitors", ["low:revenue/visitors", "desc"]),
        ("+high:revenue/visitors", ["high:revenue/visitors", "asc"]),
        ("-share:revenue", ["share:revenue", "desc"]),
        (["effect:revenue", "asc"], ["effect:revenue", "asc"]),
        ("difference:revenue", ["difference:revenue", "desc"]),
        ("change:revenue", ["change:revenue", "desc"]),
        ("name", ["name", "asc"]),
        ("+name", ["name", "asc"]),
        ("-name", ["name", "desc"]),
        (["name", "desc"], ["name", "desc"]),
        ("visits:cumulative", ["visits:cumulative", "desc"]),
        ("--revenue", ["-revenue", "desc"]),
    ],
)
def test_orders(given: Any, wire: list[str]) -> None:
    order = Order.parse(given)
    assert order.to_wire() == wire
    assert Order.parse(wire) == order
    assert Order.parse(order) is order


@pytest.mark.parametrize(
    "given", ["", None, 5, [], ["revenue"], ["revenue", "up"], ["revenue", "desc", "asc"], [5, "asc"], {}, "low:", "-"]
)
def test_what_is_no_order_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput):
        Order.parse(given)


# --- filters


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ([">", "hits", 10], [">", "hits", 10]),
        (("!=", "revenue/visitors", -0.5), ["!=", "revenue/visitors", -0.5]),
        (["<=", "hits", [3]], ["<=", "hits", 3]),
        (["contains", "name", "new"], ["contains", "name", ["new"]]),
        (["is_not", "name", ["US", "DE"]], ["is_not", "name", ["US", "DE"]]),
        (["=", '"name"', 3], ["=", '"name"', 3]),
    ],
)
def test_filters(given: Any, wire: list[Any]) -> None:
    test = Filter.parse(given)
    assert test.to_wire() == wire
    assert Filter.parse(wire) == test
    assert Filter.parse(test) is test


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, "a filter is"),
        ("hits > 10", "a filter is"),
        ([">", "hits"], "a filter is"),
        ([">", "hits", 10, 11], "a filter is"),
        (["~", "hits", 10], "use one of >, >=, <, <=, =, !="),
        (["is", "hits", 10], "use one of >, >=, <, <=, =, !="),
        ([">", "name", "A"], "use one of is, is_not, contains, contains_not"),
        ([["is"], "name", "A"], "use one of is, is_not, contains, contains_not"),
        (["is", "name", []], "one or more strings"),
        (["is", "name", [5]], "one or more strings"),
        (["is", "name", None], "one or more strings"),
        ([">", "hits", "10"], "one number"),
        ([">", "hits", True], "one number"),
        ([">", "hits", None], "one number"),
        ([">", "hits", [1, 2]], "one number"),
        ([">", "hits", []], "one number"),
        ([">", "hits", 10**400], "one number"),
        ([">", "hits", math.inf], "one number"),
        ([">", "hits", math.nan], "one number"),
    ],
)
def test_what_is_no_filter_is_refused_with_what_would_be_right(given: Any, expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Filter.parse(given)
    assert caught.value.field == "filters"
    assert expected in caught.value.expected


@pytest.mark.parametrize("formula", ["revenue/", 5, None, ["hits"], ""])
def test_a_filter_by_no_formula_is_refused(formula: Any) -> None:
    with pytest.raises(InvalidInput):
        Filter.parse([">", formula, 5])


# --- formulas


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, ["hits"]),
        ("", ["hits"]),
        ([], ["hits"]),
        ((), ["hits"]),
        ({}, ["hits"]),
        ("revenue/visitors", ["revenue/visitors"]),
        (["hits", "sales"], ["hits", "sales"]),
        (("hits", "sales"), ["hits", "sales"]),
        (["hits", "hits"], ["hits"]),
        ({"revenue": "visitors"}, ["revenue/visitors"]),
        ({"revenue": 1}, ["revenue"]),
        ({"revenue": None, "cost": "hits"}, ["revenue", "cost/hits"]),
        ({"revenue": 2}, ["revenue/2"]),
    ],
)
def test_formulas(given: Any, expected: list[str]) -> None:
    assert [str(formula) for formula in parse_formulas(given)] == expected
    assert parse_formulas(parse_formulas(given)) == parse_formulas(given)


@pytest.mark.parametrize("given", [5, True, {"a": {}}, {"a"}, [5], [None], {"a": ""}, [["hits"]], b"hits", ["a", ""]])
def test_what_are_no_formulas_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput):
        parse_formulas(given)


def test_formulas_are_bounded() -> None:
    assert len(parse_formulas([f"m{n}" for n in range(MAX_FORMULAS)])) == MAX_FORMULAS
    with pytest.raises(TooLarge, match="at most 50 formulas at once, not 51"):
        parse_formulas([f"m{n}" for n in range(MAX_FORMULAS + 1)])


# --- whole numbers


@pytest.mark.parametrize("given", [5, "5", " 5 ", 5.0, "05"])
def test_whole_numbers(given: Any) -> None:
    assert whole_number("limit", given, 1, 10) == 5


@pytest.mark.parametrize("given", [0, 11, -1, 5.5, "5.5", "five", "", None, True, [], math.nan, math.inf, object])
def test_what_is_no_whole_number_is_refused_by_the_field_s_name(given: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        whole_number("limit", given, 1, 10)
    assert str(caught.value).startswith("limit: ")
    assert caught.value.expected == "use a whole number from 1 to 10"


# --- laws

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("name"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=8,
)


@given(json_values)
def test_whatever_json_says_is_read_or_refused(value: Any) -> None:
    for read in (Order.parse, Filter.parse, parse_formulas, lambda given: whole_number("limit", given, 0, 9)):
        try:
            read(value)
        except InvalidInput as refusal:
            assert len(str(refusal)) < 1000
