"""Paths: every row of the ancestor's tables of dimensions and keys, and the names that people really have."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.paths import (
    MAX_DEPTH,
    MAX_NAME_BYTES,
    MAX_PATHS,
    ROOT,
    Path,
    dimension_paths,
    path_of,
    pk_of,
    pk_paths,
)
from hailwhale_django.engine.errors import InvalidInput, TooLarge

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
PATHS = st.lists(NAMES, max_size=MAX_DEPTH).map(Path)


def texts(given: Any) -> list[str]:
    return [str(path) for path in dimension_paths(given)]


# --- what an event with these dimensions counts on


@pytest.mark.parametrize("nothing", [None, "", "_", {}, [], ()])
def test_no_dimensions_count_on_the_whole_alone(nothing: Any) -> None:
    assert dimension_paths(nothing) == ()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("services", ["services"]),
        (
            {"country": "US", "device": "Mac OS X"},
            ["country", "country/US", "device", "device/Mac OS X"],
        ),
        (
            {"a": 5, "b": {"x": 1, "y": 2}},
            ["a", "a/5", "b", "b/x", "b/x/1", "b/y", "b/y/2"],
        ),
        (["a", "b", "c"], ["a", "a/b", "a/b/c"]),
        (("a", "b", "c"), ["a", "a/b", "a/b/c"]),
        ([["a", "b"], ["c"]], ["a/b", "c"]),
        ({"a": ["x", "y"]}, ["a", 'a/["x", "y"]']),
        ('["a","b"]', ["a/b"]),
        ({"a": 5}, ["a", "a/5"]),
        ({"a": 2.5}, ["a", "a/2.5"]),
        ({"a": True}, ["a", "a/true"]),
        ({"a": None}, ["a", "a/null"]),
        ({5: True}, ["5", "5/true"]),
        ({"country": {"US": "CA"}}, ["country", "country/US", "country/US/CA"]),
        ({"country": {"US": {}}}, ["country", "country/US"]),
        ("country/US", ["country", "country/US"]),
        ([1, 2], ["1", "1/2"]),
    ],
)
def test_paths_that_dimensions_count_on(given: Any, expected: list[str]) -> None:
    assert texts(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"_": "country"}, ["country"]),
        ({"_": {"country": "US"}}, ["country", "country/US"]),
        ({"": {"country": "US"}}, ["country", "country/US"]),
        (["_", "country"], ["country"]),
        ([["_", "country", "US"]], ["country/US"]),
        ([["_"], ["a"]], ["a"]),
        ([""], []),
        (["_"], []),
        ({"_": "_"}, []),
        ({"_": {"_": "US"}}, ["US"]),
        ([["_", "_"]], []),
        ({"_": {}}, []),
        ("_/country", ["country"]),
        ({"": ""}, []),
        ({"country": "_"}, ["country", "country/_"]),
    ],
)
def test_the_whole_may_be_spelt_and_counts_once(given: Any, expected: list[str]) -> None:
    assert texts(given) == expected


def test_a_path_counts_once_however_often_it_is_named() -> None:
    assert texts([["a"], ["a"], ["b"]]) == ["a", "b"]
    assert texts({"a": {"b": "c"}, "_": {"a": "b"}}) == ["a", "a/b", "a/b/c"]


def test_what_the_caller_gave_stays_as_it_was() -> None:
    several = [["a", "b"], ["c"]]
    dimension_paths(several)
    assert several == [["a", "b"], ["c"]]


@pytest.mark.parametrize(
    ("given", "value"), [(5, 5), (2.5, 2.5), (True, True), (object, object), ({"a": {1, 2}}, {1, 2}), (b"a", b"a")]
)
def test_what_is_no_dimension_is_refused_with_its_value(given: Any, value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        dimension_paths(given)
    assert caught.value.field.startswith("dimension")
    assert caught.value.value == value


@pytest.mark.parametrize("given", [{"a": ""}, {"a": {"": "b"}}, ["a", ""], {"a": "\ud800"}, {"a": float("nan")}])
def test_names_that_are_none_are_refused(given: Any) -> None:
    with pytest.raises(InvalidInput):
        dimension_paths(given)


def test_sizes_are_bounded() -> None:
    at_most = ["x"] * MAX_DEPTH
    assert len(dimension_paths(at_most)) == MAX_DEPTH
    with pytest.raises(TooLarge, match="8 names, this one has 9"):
        dimension_paths([*at_most, "x"])
    longest = "ä" * (MAX_NAME_BYTES // 2)
    assert texts(longest) == [longest]
    with pytest.raises(TooLarge, match="255 bytes, this one has 256"):
        dimension_paths(longest + "ä")

    assert len(dimension_paths([[str(n)] for n in range(MAX_PATHS)])) == MAX_PATHS
    with pytest.raises(TooLarge, match="256 paths, not 257"):
        dimension_paths([[str(n)] for n in range(MAX_PATHS + 1)])


def nested(levels: int, wrap: Any) -> Any:
    given: Any = "leaf"
    for _ in range(levels):
        given = wrap(given)
    return given


@pytest.mark.parametrize("key", ["x", "_", ""])
def test_nesting_is_bounded(key: str) -> None:
    with pytest.raises(TooLarge) as caught:
        dimension_paths(nested(5000, lambda given: {key: given}))
    assert len(str(caught.value)) < 500
    with pytest.raises(InvalidInput):
        dimension_paths(nested(5000, lambda given: [given]))
    with pytest.raises(TooLarge):
        pk_of(nested(5000, lambda given: [given]))
    with pytest.raises(TooLarge):
        path_of(nested(5000, lambda given: {"x": given}))


# --- the levels of a counter's key


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("shop", ["shop"]),
        (["Product", "123"], ["Product", "Product/123"]),
        (("Product", 5), ["Product", "Product/5"]),
        ({"a": "b"}, ["a", "a/b"]),
        ('["Product","123"]', ["Product", "Product/123"]),
        ("Product/123", ["Product", "Product/123"]),
        ([["Product", "123"], "lang", "EN"], ["Product", "Product/123", "Product/123/lang", "Product/123/lang/EN"]),
        ("_", ["_"]),
        (["_", "x"], ["_", "_/x"]),
        ("/x", ["%2Fx"]),
        (["a/b"], ["a%2Fb"]),
    ],
)
def test_a_key_counts_on_each_of_its_prefixes(given: Any, expected: list[str]) -> None:
    assert [str(path) for path in pk_paths(given)] == expected


@pytest.mark.parametrize("given", [None, "", [], (), {}, 5, [""], ["a", ""], {"a": "b", "c": "d"}, [[]]])
def test_what_is_no_key_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        pk_of(given)
    assert caught.value.field == "pk"


# --- the one path that a reader means


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, []),
        ("", []),
        ("_", []),
        ([], []),
        ({}, []),
        (["_"], []),
        ([""], []),
        ("country", ["country"]),
        ("country/US", ["country", "US"]),
        (["country", "US"], ["country", "US"]),
        (["_", "country"], ["country"]),
        ('["country", "US"]', ["country", "US"]),
        ({"country": "US"}, ["country", "US"]),
        ({"country": {"US": "CA"}}, ["country", "US", "CA"]),
        ({"Vendor": {"7": {}}}, ["Vendor", "7"]),
        ({"_": {"country": "US"}}, ["country", "US"]),
        ("_/country", ["country"]),
        (["a/b"], ["a/b"]),
        ("/pricing", ["/pricing"]),
        ("a//b", ["a//b"]),
        ("a%2Fb", ["a/b"]),
        ("[a", ["[a"]),
        ("100%", ["100%"]),
        (["country", 5], ["country", "5"]),
    ],
)
def test_one_path(given: Any, expected: list[str]) -> None:
    assert list(path_of(given)) == expected


@pytest.mark.parametrize("given", [{"a": "b", "c": "d"}, 5, ["a", ""], "x/" * 8 + "x"])
def test_what_is_not_one_path_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput):
        path_of(given)


# --- texts


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], "_"),
        (["country", "US"], "country/US"),
        (["50% off"], "50%25 off"),
        (["a/b"], "a%2Fb"),
        (["{tag}"], "%7Btag%7D"),
        (["two\nlines"], "two%0Alines"),
        (["日本", "東京"], "日本/東京"),
        (["(other)"], "(other)"),
    ],
)
def test_text_of_a_path(names: list[str], text: str) -> None:
    assert str(Path(names)) == text
    assert list(Path.parse(text)) == names


@given(PATHS.filter(lambda path: path != ("_",)))
def test_text_reads_back(path: Path) -> None:
    assert Path.parse(str(path)) == path


@given(PATHS, PATHS)
def test_different_paths_have_different_texts(one: Path, other: Path) -> None:
    if {one, other} != {ROOT, Path(("_",))}:
        assert (str(one) == str(other)) == (one == other)


@given(PATHS)
def test_a_text_is_safe_in_a_key(path: Path) -> None:
    assert not set(str(path)) & {"{", "}", "\n", "\r", "\0"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
        max_leaves=12,
    )
)
def test_whatever_is_given_is_read_or_refused(given: Any) -> None:
    """And what is read never names the whole, nor a path twice."""
    try:
        paths = dimension_paths(given)
    except InvalidInput:
        return
    found = [str(path) for path in paths]
    assert "_" not in found
    assert len(set(found)) == len(found)


def test_parent_name_and_child() -> None:
    path = Path(("country", "US"))
    assert (path.parent, path.name, path.child("CA")) == (("country",), "US", ("country", "US", "CA"))
    assert (ROOT.parent, ROOT.name) == (ROOT, "_")
    assert repr(path) == "Path('country/US')"
