"""What the laws are tried on: recipes, and values that suit each."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hailwhale_django.engine.simmer.aggregation import Aggregation, Numeric
from hailwhale_django.engine.simmer.features import FeatureHash
from hailwhale_django.engine.simmer.heavy import Top
from hailwhale_django.engine.simmer.histogram import Histogram
from hailwhale_django.engine.simmer.minhash import MinHash
from hailwhale_django.engine.simmer.recipe import parse

# Undecodable bytes of the input are kept as lone surrogates.
TEXTS = st.text(max_size=8) | st.sampled_from(["", "a", "b", "日本", "%%%", "x:1", "\udcff\udc80", "a" * 40])
NUMBERS = st.floats(-1e300, 1e300).map(repr) | st.integers(-5, 200).map(str)
STAMPED = st.builds("{}:{}".format, st.integers(0, 10**9), st.integers(-100, 100))

OF_COLUMNS = {0: TEXTS, 1: NUMBERS, 2: STAMPED}

OF_NUMBERS = "sum min max count avg var std first last uv uv4 pct pct95 hist hist2 dcy dcy60"
OF_ITEMS = "mh mh9 fh fh2 top3:sum bot3:sum top2:dcy top:uv4 bot2:pct95 top2:last bot3:avg"
RECIPES = f"{OF_NUMBERS} {OF_ITEMS}".split()

ITEMS = st.sampled_from(["a", "b", "c", "x:y", "日本", "\udcff", ""])
ITEMS_OF_WORDS = ITEMS.filter(lambda item: ":" not in item)

# What decays is rounded as it is merged; test_decay.py says how much.
EXACT = [recipe for recipe in RECIPES if "dcy" not in recipe]

KEYS = st.sampled_from(RECIPES)
EXACT_KEYS = st.sampled_from(EXACT)


def aggregation(recipe: str) -> Aggregation[Any]:
    return parse(f"{recipe}:x").aggregation


def values_of(recipe: str) -> st.SearchStrategy[str]:
    found = aggregation(recipe)
    if isinstance(found, Top):
        # A first colon ends an item whose values may be any text.
        items = ITEMS if found.inner.columns else ITEMS_OF_WORDS
        return st.builds("{}:{}".format, items, OF_COLUMNS[found.inner.columns])
    if isinstance(found, MinHash):
        return TEXTS
    if isinstance(found, Histogram):
        return NUMBERS
    if isinstance(found, FeatureHash):
        return TEXTS.filter(lambda text: ":" not in text) | st.builds("{}:{}".format, ITEMS_OF_WORDS, NUMBERS)
    assert isinstance(found, Numeric)
    return OF_COLUMNS[found.columns]
