r"""Reading what comes over HTTP, before anything of it is understood: parameters of a URL, and JSON bodies.

A body is strict JSON. A parameter is text, unless it begins with `{`, `[` or a quote: then it is JSON as people type it
into a URL, where `{'dollars': .50}` and `{"sales": $id}` are meant too. It is rewritten token by token into real JSON
and never into code:

    'it's' "x"      strings in either quotes; an apostrophe that ends no value is part of its string
    .5  5.  +5      numbers
    True None       Python's constants
    US  $id  007    any other word is text, and so is a number that is a key

Costs one pass over the text. What is returned is finite: no NaN, nothing nested deeper than `MAX_NESTING`, no text that
UTF-8 cannot write, no number beyond a double. All else is `InvalidInput`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from math import isfinite
from typing import Any, NoReturn

from .engine.errors import SHOWN_CHARACTERS, InvalidInput, shown

MAX_NESTING = 20  # a path has 8 names, and a list of paths is the deepest thing anybody means

_QUOTES = ("'", '"')

# Every string ends, with its quote or with the text, and nothing that stands behind a loop can fail: so no character is
# looked at again and again, whatever is written. Possessive loops would say so, but Python 3.11.2 gets them wrong.
_TOKEN = re.compile(
    r"""
      "(?:[^"\\]+|\\.?)*(?:"|\Z)
    | '(?P<inside>(?:[^'\\]+|\\.?|'(?!\s*(?:[,:}\]]|\Z)))*)(?P<closing>'?)
    | (?P<word>[^\s"',:{}\[\]]+)(?P<key>(?=\s*:))?
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_QUOTES = re.compile(r'\\.|"', re.DOTALL)
_NUMBER = re.compile(r"([-+]?)(?=\.?[0-9])(0|[1-9][0-9]*)?(?:\.([0-9]*))?((?:[eE][-+]?[0-9]+)?)")
_CONSTANTS = {"true": "true", "false": "false", "null": "null", "True": "true", "False": "false", "None": "null"}


def read_parameter(name: str, texts: Sequence[str]) -> Any:
    """The value of a parameter; a list of them where it was given several times."""
    values = [_read_text(name, text) for text in texts]
    return values[0] if len(values) == 1 else values


def read_body(raw: bytes) -> dict[str, Any]:
    """The object that a body is. Raises `InvalidInput` about "body"."""
    found = _read_json("body", raw, "one JSON object")
    if not isinstance(found, dict):
        raise InvalidInput("body", _shown_text(raw), 'send a JSON object, e.g. {"pk": "shop"}')
    return dict(checked("body", found, raw))


def read_line(raw: bytes) -> dict[str, Any]:
    """The event that a line is. Raises `InvalidInput` about "event"."""
    return read_event(_read_json("event", raw, "one JSON object a line"), raw)


def read_event(found: Any, raw: bytes | None = None) -> dict[str, Any]:
    """What was read as JSON, if it is an object that can be carried on. Raises `InvalidInput` about "event"."""
    if not isinstance(found, dict):
        raise InvalidInput("event", found, 'use an object, e.g. {"pk": "shop", "metrics": {"revenue": 9.5}}')
    return dict(checked("event", found, raw))


def read_list(raw: bytes) -> list[Any]:
    """The list that a body is; its items are not `checked` yet. Raises `InvalidInput` about "body"."""
    found = _read_json("body", raw, "one JSON list")
    if not isinstance(found, list):
        raise InvalidInput("body", _shown_text(raw), 'send a JSON list, e.g. [{"pk": "shop"}, {"pk": "shop"}]')
    return found


def shortened(value: Any) -> Any:
    """A value as an answer may repeat it: itself, or the beginning of its text."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if len(text) > SHOWN_CHARACTERS:
        return text[: SHOWN_CHARACTERS - 1] + "…"
    return json.loads(json.dumps(value, default=str))


def _read_text(name: str, text: str) -> Any:
    bare = text.strip()
    if bare == "null":
        return None
    if not bare.startswith(("{", "[", *_QUOTES)):
        return text
    try:
        found = _loads_leniently(bare)
    except RecursionError:
        raise _too_deep(name, text) from None
    except ValueError:
        if bare.startswith(_QUOTES):
            return text
        expected = 'what begins with { or [ is read as JSON, e.g. {"dollars": 200}; put text in quotes'
        raise InvalidInput(name, text, expected) from None
    return checked(name, found, text)


def _read_json(name: str, raw: bytes, what: str) -> Any:
    try:
        return _loads(raw.decode())
    except RecursionError:
        raise _too_deep(name, _shown_text(raw)) from None
    except ValueError as error:
        raise InvalidInput(name, _shown_text(raw), f"send {what} in UTF-8 ({error})") from None


def _shown_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _loads(text: str) -> Any:
    return _DECODER.decode(text)


def _loads_leniently(text: str) -> Any:
    try:
        return _loads(text)
    except ValueError:
        return _loads(_TOKEN.sub(_in_json, text))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


# Made once: `json.loads` with an option makes one at each call, which takes longer than reading a line.
_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _in_json(token: re.Match[str]) -> str:
    if token["word"] is not None:
        return json.dumps(token["word"]) if token["key"] is not None else _word_in_json(token["word"])
    if token["closing"]:
        return '"' + _IN_QUOTES.sub(_character_in_json, token["inside"]) + '"'
    return token[0]


def _word_in_json(word: str) -> str:
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    if number := _NUMBER.fullmatch(word):
        sign, whole, fraction, exponent = number.groups()
        return sign.replace("+", "") + (whole or "0") + (f".{fraction}" if fraction else "") + exponent
    return json.dumps(word)


def _character_in_json(found: re.Match[str]) -> str:
    return {"\\'": "'", '"': '\\"'}.get(found[0], found[0])


def checked(name: str, found: Any, raw: Any = None) -> Any:
    """What was read, if the engine, the store and an answer can all carry it; `raw` is what it was read from."""
    waiting = [(found, 0)]
    while waiting:
        value, depth = waiting.pop()
        kind = type(value)
        if kind is str:
            if not value.isascii() and not _is_text(value):
                raise InvalidInput(name, _given(found, raw), "half of a surrogate pair is no character")
        elif kind is dict or kind is list:
            if depth == MAX_NESTING:
                raise _too_deep(name, _given(found, raw))
            if kind is dict:
                waiting += [(key, depth) for key in value]
                value = value.values()
            waiting += [(one, depth + 1) for one in value]
        elif (kind is float or kind is int) and not _is_double(value):
            raise InvalidInput(name, _given(found, raw), "a number is less than 1e308")
    return found


def _given(found: Any, raw: Any) -> Any:
    """What an error shows: the text as it came, else the beginning of what was read, for it may be too deep."""
    if isinstance(raw, bytes):
        return _shown_text(raw)
    return shown(found) if raw is None else raw


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_double(value: float) -> bool:
    try:
        return isfinite(value)
    except OverflowError:
        return False


def _too_deep(name: str, text: Any) -> InvalidInput:
    return InvalidInput(name, text, f"nest at most {MAX_NESTING} levels")
