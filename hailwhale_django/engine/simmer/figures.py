"""How numbers are read from raw values, and written for people: whole ones without `.0`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ..errors import InvalidInput

# From here on doubles have no fraction anyway, and a row of digits says less than an exponent.
LARGEST_WRITTEN_OUT = 1e16

Stamped = tuple[float, float]
"""An instant, in seconds since 1970, and a number."""


def number(text: str) -> float:
    """A finite number. Raises `InvalidInput` for anything else."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        raise InvalidInput("value", text, "give a finite number, e.g. 3, -0.5 or 1e6")
    return value


def numbers(texts: Iterable[str]) -> list[float]:
    return [number(text) for text in texts]


def stamped(texts: Sequence[str]) -> list[Stamped]:
    """Instants and numbers of `timestamp:number`."""
    return [_stamped(text) for text in texts]


def _stamped(text: str) -> Stamped:
    at, colon, value = text.partition(":")
    if not colon:
        raise InvalidInput("value", text, "give timestamp:number, the timestamp in seconds since 1970")
    return number(at), number(value)


def written(value: float) -> str:
    if value.is_integer() and abs(value) < LARGEST_WRITTEN_OUT:
        return str(int(value))
    return repr(value)
