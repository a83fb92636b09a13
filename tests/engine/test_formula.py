"""Formulas against values worked out by hand, and against Python's own floats."""

from __future__ import annotations

import math
import operator
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.formula import (
    MAX_CHARACTERS,
    MAX_NESTING,
    Binary,
    Constant,
    Formula,
    Metric,
    Negative,
    Number,
    evaluate,
    parse,
)
from hailwhale_django.engine.errors import InvalidInput

A, B, C = Metric("a"), Metric("b"), Metric("c")


def worth(text: str, undefined: float = 0.0, /, **values: Any) -> Any:
    """What the formula comes to, its metrics and constants being worth the values of their names."""
    return evaluate(parse(text), lambda leaf: values[leaf.name], undefined=undefined)


def reason(text: Any) -> str:
    with pytest.raises(InvalidInput) as refusal:
        parse(text)
    assert refusal.value.field == "formula"
    return refusal.value.expected


# --- what is read


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("revenue", Metric("revenue")),
        ("  revenue\t", Metric("revenue")),
        ("((revenue))", Metric("revenue")),
        ("a+b", Binary("+", A, B)),
        ("a-b-c", Binary("-", Binary("-", A, B), C)),
        ("a/b/c", Binary("/", Binary("/", A, B), C)),
        ("a/(b/c)", Binary("/", A, Binary("/", B, C))),
        ("a+b*c", Binary("+", A, Binary("*", B, C))),
        ("(a+b)*c", Binary("*", Binary("+", A, B), C)),
        ("-a*b", Binary("*", Negative(A), B)),
        ("a - -b", Binary("-", A, Negative(B))),
        ("a*-b", Binary("*", A, Negative(B))),
        ("a-b", Binary("-", A, B)),
        ("5", Number(5.0)),
        ("2.5", Number(2.5)),
        (".5", Number(0.5)),
        ("1e3", Number(1000.0)),
        ("1.5E-1", Number(0.15)),
        ("-5", Negative(Number(5.0))),
        ("_private.total_2", Metric("_private.total_2")),
        ("größe", Metric("größe")),
        ("売上", Metric("売上")),
    ],
)
def test_the_tree_follows_the_usual_precedence(text: str, root: Any) -> None:
    assert parse(text).root == root


@pytest.mark.parametrize(
    ("text", "name", "carry"),
    [
        ("visits:cumulative", "visits", "cumulative"),
        ("visits:+", "visits", "cumulative"),
        ("visits:sum", "visits", "cumulative"),
        ("visits:add", "visits", "cumulative"),
        ("price:last", "price", "last"),
        ("price:set", "price", "last"),
        ("price:level", "price", "last"),
        ("price:_", "price", "last"),
        ("visits:count", "visits", ""),
        ("visits:mobile", "visits:mobile", ""),
        ("visits:mobile:+", "visits:mobile", "cumulative"),
        ("visits:last:mobile", "visits:last:mobile", ""),
        ("uv", "uv", ""),
        ("uv:visitor", "uv:visitor", ""),
        ("uv:last", "uv:last", ""),
        ("uv12:last", "uv12:last", ""),
        ("last:price", "last:price", ""),
        ("sum:count", "sum:count", ""),
        ("uvula:last", "uvula", "last"),
        ("uv:visitor:cumulative", "uv:visitor", "cumulative"),
        ("uv:visitor:count", "uv:visitor", ""),
        ("pct95:ms", "pct95:ms", ""),
        ("pct95:ms:last", "pct95:ms", "last"),
        ("top10:sum:page", "top10:sum:page", ""),
        ("top10:sum:last", "top10:sum:last", ""),
    ],
)
def test_a_suffix_is_taken_unless_it_is_what_a_recipe_counts(text: str, name: str, carry: str) -> None:
    assert parse(text).root == Metric(name, carry)


def test_a_plus_after_a_name_adds() -> None:
    assert parse("uv:visitor+1").root == Binary("+", Metric("uv:visitor"), Number(1.0))
    assert parse("a:++b").root == Binary("+", Metric("a", "cumulative"), B)


@pytest.mark.parametrize(
    ("text", "metric"),
    [
        ('"add-to-cart"', Metric("add-to-cart")),
        ('"add-to-cart":+', Metric("add-to-cart", "cumulative")),
        ('"add-to-cart":last@parent', Metric("add-to-cart", "last", "parent")),
        ('"add-to-cart":count', Metric("add-to-cart")),
        ('"days"', Metric("days")),
        ('"days":last', Metric("days", "last")),
        ('"visits:cumulative"', Metric("visits:cumulative")),
        ('"uv":last', Metric("uv", "last")),
        (r'"say \"hi\" \\o/"', Metric(r'say "hi" \o/')),
        ('" (a+b) "', Metric(" (a+b) ")),
    ],
)
def test_a_quoted_name_is_the_whole_name(text: str, metric: Metric) -> None:
    assert parse(text).root == metric


def test_a_level_stands_directly_after_its_metric() -> None:
    assert parse("hits@parent").root == Metric("hits", level="parent")
    assert parse("hits@_").root == Metric("hits", level="_")
    assert parse("uv:visitor:+@_").root == Metric("uv:visitor", "cumulative", "_")
    assert parse("hits/hits@parent").root == Binary("/", Metric("hits"), Metric("hits", level="parent"))


@pytest.mark.parametrize("name", ["seconds", "minutes", "hours", "days", "weeks", "years", "_count", "_days_in_month"])
def test_an_unquoted_constant_is_no_metric(name: str) -> None:
    formula = parse(f"visits/{name}")
    assert formula.root == Binary("/", Metric("visits"), Constant(name))
    assert formula.metrics == ("visits",)
    assert worth(f"visits/{name}", visits=12, **{name: 4}) == 3.0


# --- what is refused


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", 'it ends where a metric, a number or "(" should follow'),
        ("  ", 'it ends where a metric, a number or "(" should follow'),
        ("revenue/", 'it ends where a metric, a number or "(" should follow'),
        ("-", 'it ends where a metric, a number or "(" should follow'),
        ("/a", """'/' at character 1 stands where a metric, a number or "(" should follow"""),
        ("+a", """'+' at character 1 stands where a metric, a number or "(" should follow"""),
        ("a*/b", """'/' at character 3 stands where a metric, a number or "(" should follow"""),
        ("a**b", """'*' at character 3 stands where a metric, a number or "(" should follow"""),
        ("()", """')' at character 2 stands where a metric, a number or "(" should follow"""),
        ("a/'b'", """"'" at character 3 stands where a metric, a number or "(" should follow"""),
        ("a  b", "'b' at character 4 stands where an operator should follow"),
        ("a$", "'$' at character 2 stands where an operator should follow"),
        ("a×b", "'×' at character 2 stands where an operator should follow"),
        ("5days", "'d' at character 2 stands where an operator should follow"),
        ("5.", "'.' at character 2 stands where an operator should follow"),
        ("a:", "':' at character 2 stands where an operator should follow"),
        ("a::b", "':' at character 2 stands where an operator should follow"),
        ("a:+b", "'b' at character 4 stands where an operator should follow"),
        ("f(a)", "'(' at character 2 stands where an operator should follow"),
        ("a)", "')' at character 2 stands where an operator should follow"),
        ("(a", 'it ends where an operator or ")" should follow'),
        ("((a)+b c)", """'c' at character 8 stands where an operator or ")" should follow"""),
        ("a@", "at character 2 should stand @parent for the parent's row or @_ for the whole"),
        ("a@parents", "at character 2 should stand @parent for the parent's row or @_ for the whole"),
        ("a @parent", "'@' at character 3 stands where an operator should follow"),
        ("(a)@parent", "'@' at character 4 stands where an operator should follow"),
        ("5@parent", "'@' at character 2 stands where an operator should follow"),
        ("a@parent:+", "':' at character 9 stands where an operator should follow"),
        ("a/days@parent", 'days is a constant, with no suffix or level; the metric is "days"'),
        ("a/days:last", 'days is a constant, with no suffix or level; the metric is "days"'),
        ('a/""', "the quote at character 3 needs a name and a closing quote"),
        ('a/"b', "the quote at character 3 needs a name and a closing quote"),
        (r'"a\n"', "the quote at character 1 needs a name and a closing quote"),
        ('"a":b', "':' at character 4 stands where an operator should follow"),
        ('"a":lasting', "':' at character 4 stands where an operator should follow"),
        ("a + 1e999", "the number at character 5 should be less than 1e308"),
    ],
)
def test_a_refusal_names_the_place_and_what_belongs_there(text: str, why: str) -> None:
    assert reason(text) == why


def test_the_message_shows_the_formula() -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse("revenue/")
    assert str(refusal.value) == (
        "formula: 'revenue/' will not do; it ends where a metric, a number or \"(\" should follow"
    )


@pytest.mark.parametrize("value", [None, 5, b"a", ["a"], {"a": "b"}, A])
def test_only_text_is_read(value: Any) -> None:
    assert reason(value) == "a formula is text, e.g. 'revenue/visitors'"


def test_length_is_bounded() -> None:
    assert parse("a" * MAX_CHARACTERS).metrics == ("a" * MAX_CHARACTERS,)
    assert reason("a" * (MAX_CHARACTERS + 1)) == "a formula has at most 500 characters"
    assert reason(" " * MAX_CHARACTERS + "a") == "a formula has at most 500 characters"


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("-", ""), ("(-", ")")])
def test_nesting_is_bounded(opening: str, closing: str) -> None:
    levels = MAX_NESTING // len(opening)
    assert parse(opening * levels + "a" + closing * levels).metrics == ("a",)
    levels += 1
    assert reason(opening * levels + "a" + closing * levels).endswith("at character 51 it nests deeper than 50 levels")


def test_brackets_side_by_side_do_not_nest() -> None:
    assert worth("+".join(["(-(a))"] * 60), a=1) == -60.0


def test_a_long_chain_needs_no_deep_stack() -> None:
    chain = "+".join(["1"] * 250)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(_frames_in_use() + 60)
    try:
        assert worth(chain) == 250.0
        assert len(parse(f"({chain[:-4]})/a").numerator.text) == 248 + 247 * 3  # type: ignore[union-attr]
        assert not parse(chain).is_linear
    finally:
        sys.setrecursionlimit(limit)


def _frames_in_use() -> int:
    frame, count = sys._getframe(), 0
    while frame.f_back:
        frame, count = frame.f_back, count + 1
    return count


@given(st.text() | st.text(alphabet='ab1.5e:+-*/()@_"\\ ', max_size=40))
def test_any_text_is_a_formula_or_invalid_input(text: str) -> None:
    try:
        formula = parse(text)
    except InvalidInput:
        return
    assert formula.text == text.strip()
    assert isinstance(evaluate(formula, lambda leaf: 2.0), float)
    assert parse(str(Formula.of(formula.root))).root == formula.root


# --- what a formula knows of itself


def test_a_formula_is_its_text() -> None:
    assert str(parse(" revenue / visitors ")) == "revenue / visitors"
    assert parse("a/b") == parse("a/b ")
    assert parse("a/b") != parse("b/a")
    assert len({parse("a/b"), parse("a/b"), parse("b/a")}) == 2


def test_a_formula_is_read_once() -> None:
    assert parse("revenue/visitors") is parse(" revenue/visitors")


def test_metrics_are_distinct_and_in_order() -> None:
    assert parse("(z - cost)/uv:visitor + z:last*hours - 5*z@_").metrics == ("z", "cost", "uv:visitor")
    assert parse("5*hours").metrics == ()


@pytest.mark.parametrize(
    ("text", "numerator", "denominator"),
    [
        ("revenue/visitors", "revenue", "visitors"),
        ("(revenue/visitors)", "revenue", "visitors"),
        ("(revenue-cost) / (a/b)", "revenue - cost", "a/b"),
        ("a/b/c", "a/b", "c"),
        ("a*b/-c", "a*b", "-c"),
        ("(a - (b-c))/5", "a - (b - c)", "5"),
        ("-(a+b)/2.5", "-(a + b)", "2.5"),
        ('"add-to-cart"/uv:visitor:+@parent', '"add-to-cart"', "uv:visitor:cumulative@parent"),
        ('"days"/days', '"days"', "days"),
        (r'"\"\\"/"uv":last', r'"\"\\"', '"uv":last'),
        ('"visits:last"/"visits":last', '"visits:last"', "visits:last"),
    ],
)
def test_a_ratio_has_two_sides(text: str, numerator: str, denominator: str) -> None:
    formula = parse(text)
    assert formula.is_ratio
    assert str(formula.numerator) == numerator
    assert str(formula.denominator) == denominator
    assert parse(numerator).root == formula.root.left  # type: ignore[union-attr]
    assert parse(denominator).root == formula.root.right  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["a", "5", "a*b", "a/b + c", "-(a/b)", "100*(a/b)"])
def test_what_is_no_ratio_has_no_sides(text: str) -> None:
    formula = parse(text)
    assert (formula.is_ratio, formula.numerator, formula.denominator) == (False, None, None)


@pytest.mark.parametrize(
    "text", ["a", "-a", "a+b-c", "2*a", "a*2/3", "(a-b)/100", "(2+3)*a", "a:count", "-(a - 2*b)/7", '"days"']
)
def test_linear(text: str) -> None:
    assert parse(text).is_linear


@pytest.mark.parametrize(
    "text",
    ["5", "2*3", "a+1", "1-a", "(a+1)*2", "a*b", "a/b", "2/a", "a*b/c", "a - b*c", "a*b/c + d"]
    + ["a:+", "a:last + b", "a@parent", "a@_", "a*hours", "a/_count", "hours", "uv:visitor", "a + pct95:ms"],
)
def test_not_linear(text: str) -> None:
    assert not parse(text).is_linear


# --- what it is worth


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a - b - c", 6.0),
        ("a - (b - c)", 10.0),
        ("a/b/c", 1.5),
        ("a/(b/c)", 6.0),
        ("a*b/c", 24.0),
        ("a + b*c", 20.0),
        ("(a + b)*c", 32.0),
        ("-a + b", -8.0),
        ("-(a + b)", -16.0),
        ("a - -b", 16.0),
        ("a*-c", -24.0),
        ("2.5*b", 10.0),
        (".5 + 1e1", 10.5),
        ("a", 12.0),
        ("7", 7.0),
    ],
)
def test_arithmetic(text: str, expected: float) -> None:
    assert worth(text, a=12, b=4, c=2) == expected


def test_arrays_broadcast() -> None:
    children = np.array([[10.0, 20.0], [30.0, 60.0]])
    whole = np.array([40.0, 80.0])
    assert worth("a/b", a=children, b=whole).tolist() == [[0.25, 0.25], [0.75, 0.75]]
    assert worth("a/2", a=np.array([1, 2, 3])).tolist() == [0.5, 1.0, 1.5]


def test_the_answer_is_never_the_callers_own_array() -> None:
    tile = np.array([1.0, 2.0])
    answer = worth("a", a=tile)
    answer[0] = 99.0
    assert tile.tolist() == [1.0, 2.0]


def test_a_node_is_as_good_as_a_formula() -> None:
    assert evaluate(Binary("*", Number(3.0), A), lambda leaf: 4.0) == 12.0


def test_floats_give_a_float() -> None:
    assert isinstance(worth("a/b", a=1, b=4), float)
    assert isinstance(worth("5"), float)


def test_resolve_is_asked_once_for_each_name_carry_and_level() -> None:
    asked = []

    def resolve(leaf: Metric | Constant) -> float:
        asked.append(leaf)
        return 1.0

    evaluate(parse("a/a + a:last - a@_ + hours*hours"), resolve)
    assert asked == [A, Metric("a", "last"), Metric("a", level="_"), Constant("hours")]


def test_a_division_by_zero_is_undefined_in_its_place() -> None:
    top, bottom = np.array([6.0, 6.0, 0.0, -6.0]), np.array([3.0, 0.0, 0.0, 0.0])
    assert worth("a/b", a=top, b=bottom).tolist() == [2.0, 0.0, 0.0, 0.0]
    assert worth("a/b", -1.0, a=top, b=bottom).tolist() == [2.0, -1.0, -1.0, -1.0]
    assert worth("a/0", a=5) == 0.0
    assert worth("1 + a/0", a=5) == 1.0
    assert worth("a/(b - b)", a=5, b=0.1) == 0.0


def test_nan_leaves_a_gap_in_all_built_on_it() -> None:
    line = worth("1 - 2*(a/b)", math.nan, a=np.array([6.0, 6.0]), b=np.array([3.0, 0.0]))
    assert line[0] == -3.0
    assert math.isnan(line[1])
    assert math.isnan(worth("1/(a/0)", math.nan, a=1))


@pytest.mark.parametrize("text", ["a*a", "a*a - a*a", "-a*a", "a + a + a", "a/1e-300", "1 + a*a"])
def test_an_overflow_is_undefined(text: str) -> None:
    assert worth(text, a=1.7e308) == 0.0
    assert math.isnan(worth(text, math.nan, a=1.7e308))


def test_what_is_not_finite_to_begin_with_is_undefined() -> None:
    given_values = np.array([1.0, math.nan, math.inf, -math.inf])
    assert worth("a", a=given_values).tolist() == [1.0, 0.0, 0.0, 0.0]


def test_no_warning_is_given() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        worth("a/b + a*a*a - b/b", a=np.array([1e300, 1.0]), b=np.array([0.0, 1e-320]))


def test_zero_is_never_shown_as_minus_zero() -> None:
    assert str(worth("-a", a=0.0)) == "0.0"
    assert str(worth("a*-5", a=np.zeros(2))) == "[0. 0.]"


# --- laws

ORACLE: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda top, bottom: top / bottom if bottom else 0.0,
}
NAMES = {"a": "a", "b": "b", "uv:visitor": "uv:visitor", "add-to-cart": '"add-to-cart"'}

# A tree is a number, a name, ("-", tree) or (operator, tree, tree): no node of the code under test.
quarters = st.integers(0, 400).map(lambda n: n / 4)
trees = st.recursive(
    quarters | st.sampled_from(sorted(NAMES)),
    lambda inner: st.tuples(st.just("-"), inner) | st.tuples(st.sampled_from("+-*/"), inner, inner),
    max_leaves=15,
)
values = st.lists(st.integers(-1000, 1000).map(lambda n: n / 8), min_size=3, max_size=3)
worths = st.fixed_dictionaries(dict.fromkeys(NAMES, values))


def printed(tree: Any) -> str:
    if isinstance(tree, float):
        return repr(tree)
    if isinstance(tree, str):
        return NAMES[tree]
    if len(tree) == 2:
        return f"(-{printed(tree[1])})"
    return f"({printed(tree[1])}{tree[0]}{printed(tree[2])})"


def by_hand(tree: Any, values: dict[str, float]) -> float:
    if isinstance(tree, float):
        return tree
    if isinstance(tree, str):
        return values[tree]
    if len(tree) == 2:
        return -by_hand(tree[1], values)
    result = ORACLE[tree[0]](by_hand(tree[1], values), by_hand(tree[2], values))
    return result if math.isfinite(result) else 0.0


@given(trees.filter(lambda tree: len(printed(tree)) <= MAX_CHARACTERS), worths)
def test_a_formula_is_worth_what_python_says(tree: Any, worths: dict[str, list[float]]) -> None:
    expected = [by_hand(tree, {name: worths[name][place] for name in NAMES}) for place in range(3)]
    answer = worth(printed(tree), 0.0, **{name: np.array(worths[name]) for name in NAMES})
    assert np.broadcast_to(answer, 3).tolist() == expected


@given(trees.filter(lambda tree: len(printed(tree)) <= MAX_CHARACTERS), worths)
def test_a_linear_formula_of_a_sum_is_the_sum(tree: Any, worths: dict[str, list[float]]) -> None:
    formula = parse(printed(tree))
    if formula.is_linear:
        of_the_sum = by_hand(tree, {name: sum(worths[name]) for name in NAMES})
        each = [by_hand(tree, {name: worths[name][place] for name in NAMES}) for place in range(3)]
        assert of_the_sum == pytest.approx(math.fsum(each), rel=1e-9, abs=1e-6 * max(map(abs, each)))


@given(trees.filter(lambda tree: len(printed(tree)) <= MAX_CHARACTERS // 2))
def test_a_formula_written_from_its_tree_reads_back(tree: Any) -> None:
    root = parse(printed(tree)).root
    assert parse(str(Formula.of(root))).root == root


carries, levels = st.sampled_from(["", "last", "cumulative"]), st.sampled_from(["", "parent", "_"])


@given(st.builds(Metric, st.text(min_size=1, max_size=40), carries, levels))
def test_a_metric_of_any_name_can_be_written(metric: Metric) -> None:
    assert parse(str(metric)).root == metric
