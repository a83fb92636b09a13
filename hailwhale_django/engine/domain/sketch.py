"""Metrics that are sketches: those whose name begins with a recipe, as `uv:visitor`, `pct95:ms`, `top10:sum:page`.

What is kept of one is the state of a kind, and several recipes may tell it: of `pct95:ms` the distribution is kept,
which tells every percentile and the histogram. So a sketch is stored under its *kept* name, the shortest that says what
is kept: `pct:ms`, `uv:visitor`.

An event gives it raw values, one or several: texts, or numbers where the recipe wants these. Where it wants
`item:value`, a dict may say it, and where it wants `timestamp:number`, the event knows the time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from ..errors import InvalidInput, TooLarge
from ..simmer import envelope
from ..simmer.aggregation import Aggregation, Numeric
from ..simmer.heavy import Top
from ..simmer.recipe import PARAMETERIZED, PLAIN, PREFIX, RANKINGS, parse

RECIPE = re.compile(rf"(?:{'|'.join([*PLAIN, *PARAMETERIZED, *RANKINGS])})[0-9]*:", re.ASCII)

RECIPES = re.compile(rf"(?:{RECIPE.pattern})+")
"""A recipe, or a ranking and what it ranks by."""

MOST_VALUES = 1000
"""Of one sketch in one event."""

MOST_BYTES = 20_480
"""Of one value: an item of 4,096 characters and its own value. What is hashed has less."""

DATED = 2
"""Columns of a raw value that says when it was: timestamp and number."""

Values = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sketch:
    """`kept` is the name under which its states are stored, `aggregation` how they are told."""

    kept: str
    aggregation: Aggregation[Any]

    @property
    def is_number(self) -> bool:
        return isinstance(self.aggregation, Numeric)

    @property
    def is_dated(self) -> bool:
        """Whether its raw values say when they were, or those of its items."""
        told = self.aggregation.inner if isinstance(self.aggregation, Top) else self.aggregation
        return told.columns == DATED


@lru_cache(maxsize=16_384)
def sketch_of(metric: str) -> Sketch | None:
    """The sketch that a metric's name asks for; `None` for a plain metric.

    Raises `InvalidInput` for a name that begins as a recipe does and is none.
    """
    if not RECIPE.match(metric):
        return None
    recipe = parse(metric)
    return Sketch(f"{_shortest(recipe.aggregation.kind)}:{recipe.name}", recipe.aggregation)


def aggregation_of(kept: str) -> Aggregation[Any]:
    """How the states of a sketch's kept name are merged. Raises `InvalidInput` for a plain metric."""
    sketch = sketch_of(kept)
    if sketch is None:
        raise InvalidInput("sketch", kept, "this is a plain metric; a sketch begins with a recipe, e.g. uv:visitor")
    return sketch.aggregation


def prefixed(metric: str, prefix: str) -> str:
    """A metric under another name that begins with `prefix`; a sketch's recipe stays."""
    found = RECIPES.match(metric)
    recipe = found[0] if found else ""
    return recipe + prefix + metric[len(recipe) :]


def kept_name(metric: str) -> str:
    """The name under which a metric is stored."""
    sketch = sketch_of(metric)
    return metric if sketch is None else sketch.kept


def _shortest(kind: str) -> str:
    """A kind without the numbers that go without saying."""
    parts = []
    for part in kind.split(":"):
        found = PREFIX.fullmatch(part)
        prefix, digits = (found[1], found[2]) if found else (part, "")
        known = PARAMETERIZED.get(prefix) or RANKINGS.get(prefix)
        parts.append(prefix if known and digits == str(known[1].default) else part)
    return ":".join(parts)


def raw_values(metric: str, aggregation: Aggregation[Any], given: Any, at: float) -> Values:
    """The raw values, at an instant, that a caller gives for a sketch; none for `None`. Raises `InvalidInput`."""
    try:
        values = (given,) if type(given) is str else tuple(_texts(metric, aggregation, given, at))
    except RecursionError as error:
        raise InvalidInput(metric, "[[[...]]]", "give a list of values, and no lists within lists") from error
    if len(values) > MOST_VALUES:
        raise TooLarge(metric, given, f"one event has at most {MOST_VALUES:,} values of a sketch")
    try:
        for value in values:
            if envelope.is_machine_value(value):
                envelope.from_text(aggregation, value)
            else:
                _check_text(metric, value)
                aggregation.check(value)
        if len(values) > 1 and any(map(envelope.is_machine_value, values)):
            aggregation.load(aggregation.dump(state_of(aggregation, values)))
    except InvalidInput as error:
        raise type(error)(metric, error.value, error.expected) from error
    return values


def _check_text(metric: str, value: str) -> None:
    """Raises `InvalidInput` for half of a surrogate pair, which JSON may hold: it could be accepted and never counted.

    Bytes of the input that were no UTF-8 are another matter: they are written as they came. `TooLarge` if it is long.
    """
    try:
        size = len(value.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError as error:
        raise InvalidInput(metric, value, "give text of whole characters, without halves of surrogate pairs") from error
    if size > MOST_BYTES:
        raise TooLarge(metric, value, f"one value has at most {MOST_BYTES:,} bytes, not {size:,}")


def _texts(metric: str, aggregation: Aggregation[Any], given: Any, at: float) -> Iterator[str]:
    if isinstance(given, list | tuple | set | frozenset):
        for one in given:
            yield from _texts(metric, aggregation, one, at)
    elif isinstance(given, dict) and isinstance(aggregation, Top):
        for item, value in given.items():
            if not aggregation.inner.columns and ":" in str(item):
                raise InvalidInput(metric, item, "an item's name ends at its first colon here, so it has none")
            yield from (f"{item}:{text}" for text in _texts(metric, aggregation.inner, value, at))
    elif isinstance(given, str):
        yield given
    elif isinstance(given, int | float | Decimal) and not isinstance(given, bool) and _is_finite(given):
        yield f"{at!r}:{given}" if aggregation.columns == DATED else str(given)
    elif given is not None:
        raise InvalidInput(metric, given, "give a text or a finite number, or a list of them")


def _is_finite(given: float | Decimal) -> bool:
    try:
        return math.isfinite(given)
    except (OverflowError, ValueError):  # no double is that large; or it is a signaling NaN
        return False


def state_of(aggregation: Aggregation[Any], values: Values) -> Any:
    """The state of raw values and machine values, of which there is at least one."""
    raw, states = told_apart(aggregation, values)
    if raw:
        states.append(aggregation.prepare(raw))
    return aggregation.merge_all(states)


def told_apart(aggregation: Aggregation[Any], values: Iterable[str]) -> tuple[list[str], list[Any]]:
    """The raw values, and the states that machine values are of."""
    raw, states = [], []
    for value in values:
        if envelope.is_machine_value(value):
            states.append(envelope.from_text(aggregation, value))
        else:
            raw.append(value)
    return raw, states
