"""The grammar of keys: how their values are combined, and a name.

    key       = recipe ":" name
    recipe    = prefix [digits] | ranking [digits] ":" recipe of a number
    ranking   = "top" | "bot"
    name      = one or more characters, colons among them, but no tab and no line end

So `sum:x`, `pct95:latency`, `top10:sum:path`, `bot5:pct95:page`, `sum:a:b` (the sum of `a:b`). The recipe is an
integral part of the key: `min:x` and `max:x` have nothing to do with each other.

Guarantee: a key is read in time proportional to its length, and a parameter outside its range is refused before
anything is made of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..errors import InvalidInput, TooLarge
from .aggregation import Aggregation, Numeric
from .decay import Decay
from .features import FeatureHash
from .heavy import Bottom, Top
from .histogram import Histogram
from .minhash import MinHash
from .numbers import Avg, Count, First, Last, Max, Min, Std, Sum, Var
from .quantiles import Percentile
from .unique import Unique

MOST_CHARACTERS = 1024
REMEMBERED = 16_384

PREFIX = re.compile(r"([a-z]+)([0-9]*)", re.ASCII)
ENDS = re.compile(r"[\t\r\n]")


@dataclass(frozen=True, slots=True)
class Parameter:
    """The whole number that may follow a prefix."""

    meaning: str
    default: int
    least: int
    most: int

    def parse(self, prefix: str, digits: str) -> int:
        # Longer than any that will do; Python would take its time to read a million digits.
        value = int(digits) if 0 < len(digits) <= 20 else self.default
        if len(digits) > 20 or not self.least <= value <= self.most:
            raise InvalidInput(
                "recipe", prefix + digits, f"its {self.meaning} are from {self.least:,} to {self.most:,}"
            )
        return value


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the values of a key are combined, and the name that is left."""

    aggregation: Aggregation[Any]
    name: str


PLAIN: dict[str, Callable[[], Aggregation[Any]]] = {
    "sum": Sum,
    "min": Min,
    "max": Max,
    "count": Count,
    "avg": Avg,
    "var": Var,
    "std": Std,
    "first": First,
    "last": Last,
}
"""Aggregations without a parameter."""

PARAMETERIZED: dict[str, tuple[Callable[[int], Aggregation[Any]], Parameter]] = {
    "uv": (Unique, Parameter("hash bits", 12, 4, 21)),
    "pct": (Percentile, Parameter("percentages", 50, 0, 100)),
    "hist": (Histogram, Parameter("bars", 10, 2, 100)),
    "dcy": (Decay, Parameter("seconds of half-life", 86_400, 1, 10**10)),
    "mh": (MinHash, Parameter("hashes", 64, 1, 1024)),
    "fh": (FeatureHash, Parameter("hash bits", 10, 1, 16)),
}

RANKINGS: dict[str, tuple[Callable[[int, Numeric[Any]], Aggregation[Any]], Parameter]] = {
    "top": (Top, Parameter("ranks", 10, 1, 1000)),
    "bot": (Bottom, Parameter("ranks", 10, 1, 1000)),
}
"""Aggregations of items by a number, which another recipe tells."""


@lru_cache(maxsize=REMEMBERED)
def parse(key: str) -> Recipe:
    """The recipe of a key. Raises `InvalidInput`."""
    if len(key) > MOST_CHARACTERS:
        raise TooLarge("key", key, f"it has at most {MOST_CHARACTERS:,} characters")
    prefix, digits, rest = _split(key)
    if prefix in RANKINGS:
        make, parameter = RANKINGS[prefix]
        inner, name = _number_of(key, rest)
        return Recipe(make(parameter.parse(prefix, digits), inner), name)
    return Recipe(_single(prefix, digits), rest)


def _number_of(key: str, rest: str) -> tuple[Numeric[Any], str]:
    """What items are ranked by: the recipe of a number."""
    prefix, digits, name = _split(rest) if ":" in rest else ("", "", "")
    aggregation = _single(prefix, digits) if prefix in PLAIN | PARAMETERIZED else None
    if not isinstance(aggregation, Numeric):
        raise InvalidInput("key", key, "say what number to rank by and a name, as in top10:sum:path")
    return aggregation, name


def _split(key: str) -> tuple[str, str, str]:
    recipe, _, name = key.partition(":")
    found = PREFIX.fullmatch(recipe)
    if not found or not name or ENDS.search(name):
        raise InvalidInput("key", key, "a key is a recipe, a colon and a name, e.g. sum:x or pct95:latency")
    return found[1], found[2], name


def _single(prefix: str, digits: str) -> Aggregation[Any]:
    if prefix in PARAMETERIZED:
        make, parameter = PARAMETERIZED[prefix]
        return make(parameter.parse(prefix, digits))
    if prefix not in PLAIN:
        known = ", ".join((*PLAIN, *PARAMETERIZED, *RANKINGS))
        raise InvalidInput("recipe", prefix + digits, f"unknown aggregation {prefix!r}; use one of {known}")
    if digits:
        raise InvalidInput("recipe", prefix + digits, f"{prefix} has no parameter; write {prefix}:name")
    return PLAIN[prefix]()
