"""What comes over HTTP, as it is read before anything of it is understood."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django import wire
from hailwhale_django.engine.errors import InvalidInput


def read(text: str) -> Any:
    return wire.read_parameter("dimensions", [text])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # As HailWhale's README writes them.
        ("services", "services"),
        ('{"dollars": 200}', {"dollars": 200}),
        ('{"dollars": -2000}', {"dollars": -2000}),
        ('{"sales": $product_id}', {"sales": "$product_id"}),
        ('{"spent": .50}', {"spent": 0.5}),
        ("['a', 'b', 'c']", ["a", "b", "c"]),
        # Real JSON is left alone.
        ('{"name": "O\'Brien", "said": "it\'s {\'x\': .5}"}', {"name": "O'Brien", "said": "it's {'x': .5}"}),
        ('["tab\\t", "\\u00e9", "\\ud83d\\udc0b"]', ["tab\t", "é", "🐋"]),
        ("[[]]", [[]]),
        # Quotes.
        ("{'a': 'b'}", {"a": "b"}),
        ("{'name': \"O'Brien\", 'x': .5}", {"name": "O'Brien", "x": 0.5}),
        ("{'name': 'O'Brien'}", {"name": "O'Brien"}),
        (r"{'name': 'O\'Brien'}", {"name": "O'Brien"}),
        ("{'a': 'say \"hi\"'}", {"a": 'say "hi"'}),
        ("{'a': ''}", {"a": ""}),
        ("['a,b', 'c:d', '{', ']']", ["a,b", "c:d", "{", "]"]),
        (r"['back\\slash']", ["back\\slash"]),
        # Numbers.
        ("[.5, -.5, +.5, 5., +5, -5., 1.25e3, .5e-1]", [0.5, -0.5, 0.5, 5, 5, -5, 1250, 0.05]),
        ("{'zip': 02139}", {"zip": "02139"}),
        ("[1.2.3, 1-2, 0x10, ., -, 1_000]", ["1.2.3", "1-2", "0x10", ".", "-", "1_000"]),
        # Words.
        ("{country: US, city: {name: Zürich}}", {"country": "US", "city": {"name": "Zürich"}}),
        ("{5: 1, 2.5 : 2, None: 3}", {"5": 1, "2.5": 2, "None": 3}),
        ("[true, True, false, False, null, None]", [True, True, False, False, None, None]),
        ("{x: NaN}", {"x": "NaN"}),
        # Quoted text, and text that only begins like it.
        ('"dollars/hits"', "dollars/hits"),
        ("'dollars/hits'", "dollars/hits"),
        ('"add-to-cart"/visitors', '"add-to-cart"/visitors'),
        ("'tis", "'tis"),
        ('"', '"'),
        # Everything else is text, as it stands.
        ("5", "5"),
        ("true", "true"),
        (" padded ", " padded "),
        ("", ""),
        ("null", None),
        ("a{b", "a{b"),
    ],
)
def test_parameters(text: str, value: Any) -> None:
    found = read(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    ["{", "[", "[[[", '{"a": 1', "['a", '["a', "{'a' 1}", "[1 2]", "[1,]", "{a}", "[1]]", "{'a': }", "{\\", "['a\\"],
)
def test_what_should_have_been_json(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    assert (caught.value.field, caught.value.value) == ("dimensions", text)
    assert "read as JSON" in caught.value.expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[" * 21 + "]" * 21, "nest at most 20 levels"),
        ("[" * 100_000, "nest at most 20 levels"),
        ('{"a":' * 100_000, "nest at most 20 levels"),
        ("[1e999]", "less than 1e308"),
        ("[-1e999]", "less than 1e308"),
        (f"[{10**400}]", "less than 1e308"),
        ('["\\ud800"]', "surrogate"),
        ('{"\\udfff": 1}', "surrogate"),
    ],
)
def test_json_that_nobody_can_carry(text: str, expected: str) -> None:
    with pytest.raises(InvalidInput, match=expected):
        read(text)
    with pytest.raises(InvalidInput, match=expected):
        wire.read_body(f'{{"pk": {text}}}'.encode())


def test_nesting_up_to_the_limit() -> None:
    text = "[" * 20 + "]" * 20
    assert read(text) == json.loads(text)


def test_repeated_parameters_are_a_list() -> None:
    assert wire.read_parameter("metrics", ["hits", "revenue/hits"]) == ["hits", "revenue/hits"]
    assert wire.read_parameter("metrics", ["hits"]) == "hits"


def test_body() -> None:
    assert wire.read_body('{"pk": ["Product", 5], "metrics": {"größe": 0.5}}'.encode()) == {
        "pk": ["Product", 5],
        "metrics": {"größe": 0.5},
    }


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b'"pk"', b"5", b"null", b"{'pk': 'shop'}", b'{"x": .5}', b'{"x": NaN}', b'{"x": -Infinity}']
    + [b"\xff", b'{"pk": "\xff"}', '{"pk": 1}'.encode("utf-16"), b"\xef\xbb\xbf{}", b'{"a": ' + b"9" * 5000 + b"}"],
)
def test_bodies_that_will_not_do(raw: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        wire.read_body(raw)
    assert caught.value.field == "body"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("5x", "5x"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
        ({"a": [1, None]}, {"a": [1, None]}),
        (list(range(1000)), str(list(range(1000)))[:79] + "…"),
        (b"x", "b'x'"),
        (None, None),
    ],
)
def test_values_in_answers(value: Any, shown: Any) -> None:
    assert wire.shortened(value) == shown


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_real_json_reads_as_itself(value: dict[str, Any]) -> None:
    assert read(json.dumps(value)) == value
    assert wire.read_body(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.dictionaries(st.text("abc'\"\\ ,:{}[]é\n"), st.text("abc'\"\\ ,:{}[]é\n"), max_size=4))
def test_json_in_single_quotes_with_escapes_reads_as_itself(value: dict[str, str]) -> None:
    def quoted(text: str) -> str:
        return "'" + json.dumps(text)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"

    assert read("{" + ", ".join(f"{quoted(key)}: {quoted(text)}" for key, text in value.items()) + "}") == value


@given(st.text("{}[]'\",:.+-\\e5a \x00é\ud800", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read(text)
    except InvalidInput as error:
        json.dumps(wire.shortened(error.value))
    else:
        json.dumps(found, allow_nan=False)
