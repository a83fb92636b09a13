"""What the laws are tried on: recipes, and values that suit each."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hailwhale_django.engine.simmer.aggregation import Aggregation, Numeric
from hailwhale_django.engine.simmer.recipe import parse

# Undecodable bytes of the input are kept as lone surrogates.
TEXTS = st.text(max_size=8) | st.sampled_from(["", "a", "b", "日本", "%%%", "x:1", "\udcff\udc80", "a" * 40])
NUMBERS = st.floats(-1e300, 1e300).map(repr) | st.integers(-5, 200).map(str)
STAMPED = st.builds("{}:{}".format, st.integers(0, 10**9), st.integers(-100, 100))

OF_COLUMNS = {0: TEXTS, 1: NUMBERS, 2: STAMPED}

RECIPES = ["sum", "min", "max", "count", "avg", "var", "std", "first", "last", "uv", "uv4", "pct", "pct95"]

KEYS = st.sampled_from(RECIPES)


def aggregation(recipe: str) -> Aggregation[Any]:
    return parse(f"{recipe}:x").aggregation


def values_of(recipe: str) -> st.SearchStrategy[str]:
    found = aggregation(recipe)
    assert isinstance(found, Numeric)
    return OF_COLUMNS[found.columns]
