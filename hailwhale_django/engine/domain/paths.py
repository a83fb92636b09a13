"""Paths: the names of counters and of what they are counted by.

A `Path` is a tuple of names, `("country", "US")`. Its text is `country/US`, with `%2F` for a slash inside a name; the
empty path is the whole and its text is `_`. A path of one name and that name alone are the same thing.

What callers may give (dicts, lists, strings) is turned into paths here and nowhere else:

- a dict's keys and values and a list's items are names, taken literally;
- a string is path text: `"country/US"` is two names. Text with an empty part, such as `"/pricing"`, is one name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import dropwhile
from typing import Any

from ..errors import InvalidInput, TooLarge

MAX_DEPTH = 8
MAX_NAME_BYTES = 255  # as in most file systems: room for any word, none for a document
MAX_NESTING = 32  # of what callers give; more than a path can use, and no trouble for the stack
MAX_PATHS = 256  # that one event may count on; each is a row in some table, at every interval

WHOLE = "_"
OTHER = "(other)"

# "/" separates names, "{}" is Redis Cluster's hash tag, and control characters have no business on a page.
_ESCAPED = re.compile(r"[%/{}\x00-\x1f\x7f]")
_ESCAPE = re.compile(r"%([0-9A-F]{2})")


class Path(tuple[str, ...]):
    """A tuple of names with a canonical text."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Path:
        """The inverse of `str`. Raises `InvalidInput`."""
        if text in ("", WHOLE):
            return ROOT
        parts = text.split("/")
        return checked(map(unescaped, parts)) if all(parts) else checked([text])

    def __str__(self) -> str:
        return "/".join(map(escaped, self)) or WHOLE

    def __repr__(self) -> str:
        return f"Path({str(self)!r})"

    @property
    def parent(self) -> Path:
        return Path(self[:-1])

    @property
    def name(self) -> str:
        """The last name; `_` for the whole."""
        return self[-1] if self else WHOLE

    def child(self, name: str) -> Path:
        return Path((*self, name))


ROOT = Path()


@lru_cache(maxsize=65_536)
def escaped(name: str) -> str:
    """A name as it stands in a path's text."""
    return _ESCAPED.sub(lambda match: f"%{ord(match[0]):02X}", name)


def unescaped(text: str) -> str:
    if "%" not in text:
        return text
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


def checked(names: Iterable[str], field: str = "dimension") -> Path:
    """The path of these names, within the bounds on depth and length."""
    path = Path(names)
    if len(path) > MAX_DEPTH:
        raise TooLarge(field, str(path), f"a path has at most {MAX_DEPTH} names, this one has {len(path)}")
    for name in path:
        if not name:
            raise InvalidInput(field, list(path), "a name may not be empty")
        try:
            size = len(name.encode())
        except UnicodeEncodeError as error:
            raise InvalidInput(field, name, "a name must be valid Unicode text") from error
        if size > MAX_NAME_BYTES:
            raise TooLarge(field, name, f"a name has at most {MAX_NAME_BYTES} bytes, this one has {size}")
    return path


def name_of(value: Any, field: str = "dimension") -> str:
    """A name as text: strings as they are, everything else as JSON (`5` is `"5"`, `True` is `"true"`)."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(field, value, "a name is a string or something that JSON can write") from error


def path_of(given: Any, field: str = "dimension") -> Path:
    """The one path that a reader means: path text, a list of names, or a dict with one branch."""
    if isinstance(given, Path):
        return given
    if given is None or given in ("", WHOLE):
        return ROOT
    if isinstance(given, str):
        listed = _json_list(given)
        return _below_whole(Path.parse(given), field) if listed is None else path_of(listed, field)
    if isinstance(given, Mapping):
        return _below_whole(_single_branch(given, field), field)
    if isinstance(given, list | tuple):
        return _below_whole((name_of(item, field) for item in given), field)
    raise InvalidInput(field, given, 'use a name, a list of names or "a/b"')


def dimension_paths(given: Any) -> tuple[Path, ...]:
    """Every path below the whole that an event with these dimensions counts on, each once, parents first.

    `{"country": {"US": "CA"}}` and `["country", "US", "CA"]` give country, country/US and country/US/CA; a list of
    lists gives exactly those paths and no prefixes; `None`, `""`, `"_"`, `{}` and `[]` give none.
    """
    paths = tuple(dict.fromkeys(_written(given)))
    if len(paths) > MAX_PATHS:
        raise TooLarge("dimensions", given, f"one event counts on at most {MAX_PATHS} paths, not {len(paths)}")
    return paths


def pk_paths(given: Any) -> tuple[Path, ...]:
    """The levels a counter's key counts on, shortest first: `["Product", 123]` gives Product and Product/123."""
    path = pk_of(given)
    return tuple(Path(path[:depth]) for depth in range(1, len(path) + 1))


def pk_of(given: Any) -> Path:
    """A counter's key. Nested lists are one long path, as in `[["Product", 123], "language", "EN"]`."""
    if given is None:
        raise InvalidInput("pk", given, 'name the counter, e.g. "shop" or ["Product", "123"]')
    if isinstance(given, list | tuple) and not isinstance(given, Path):
        given = list(_flat(given, MAX_NESTING))
    path = Path((WHOLE,)) if given == WHOLE else path_of(given, "pk")
    if not path:
        raise InvalidInput("pk", given, 'name the counter, e.g. "shop" or ["Product", "123"]')
    return path


def _written(given: Any) -> Iterator[Path]:
    if given is None or given in ("", WHOLE):
        return
    if isinstance(given, str):
        listed = _json_list(given)
        if listed is None:
            yield from _prefixes(path_of(given))
        else:
            yield from filter(None, (path_of(listed),))
    elif isinstance(given, Mapping):
        yield from _branches(given, ROOT, MAX_NESTING)
    elif isinstance(given, list | tuple) and any(isinstance(item, list | tuple) for item in given):
        yield from filter(None, (path_of(item) for item in given))
    elif isinstance(given, list | tuple):
        yield from _prefixes(path_of(given))
    else:
        raise InvalidInput("dimensions", given, 'use a dict, a list of names or a name, e.g. {"country": "US"}')


def _branches(given: Mapping[Any, Any], parent: Path, levels: int) -> Iterator[Path]:
    if not levels:
        raise _too_deep("dimensions", given)
    for key, value in given.items():
        path = _child_of(parent, name_of(key))
        yield from filter(None, (path,))
        if isinstance(value, Mapping):
            yield from _branches(value, path, levels - 1)
        else:
            yield from filter(None, (_child_of(path, name_of(value)),))


# New combinations are mostly of names that were met before.
@lru_cache(maxsize=16_384)
def _child_of(parent: Path, name: str) -> Path:
    return _below_whole((*parent, name), "dimensions")


def _prefixes(path: Path) -> Iterator[Path]:
    return (Path(path[:depth]) for depth in range(1, len(path) + 1))


def _single_branch(given: Mapping[Any, Any], field: str) -> Iterator[str]:
    node: Any = given
    while isinstance(node, Mapping):
        if not node:
            return
        if len(node) > 1:
            raise InvalidInput(field, given, "name one path; this dict has several branches")
        ((key, node),) = node.items()
        yield name_of(key, field)
    yield name_of(node, field)


def _below_whole(names: Iterable[str], field: str) -> Path:
    """A dimension's path may be spelled from the whole down: `["_", "country"]`. No dimension is called like it."""
    return checked(names if field == "pk" else dropwhile(("", WHOLE).__contains__, names), field)


def _flat(items: Iterable[Any], levels: int) -> Iterator[Any]:
    if not levels:
        raise _too_deep("pk", items)
    for item in items:
        if isinstance(item, list | tuple):
            yield from _flat(item, levels - 1)
        else:
            yield item


def _too_deep(field: str, given: Any) -> TooLarge:
    return TooLarge(field, given, f"it nests deeper than {MAX_NESTING} levels")


def _json_list(text: str) -> list[Any] | None:
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None
