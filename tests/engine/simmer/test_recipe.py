"""Keys: what they mean, and what of them is refused with what words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.engine.simmer.decay import Decay
from hailwhale_django.engine.simmer.features import FeatureHash
from hailwhale_django.engine.simmer.heavy import Bottom, Top
from hailwhale_django.engine.simmer.minhash import MinHash
from hailwhale_django.engine.simmer.numbers import Count, Min, Sum
from hailwhale_django.engine.simmer.quantiles import Percentile
from hailwhale_django.engine.simmer.recipe import PARAMETERIZED, RANKINGS, parse
from hailwhale_django.engine.simmer.unique import Unique


@pytest.mark.parametrize(
    ("key", "aggregation", "name"),
    [
        ("sum:x", Sum(), "x"),
        ("min:y", Min(), "y"),
        ("sum:a:b", Sum(), "a:b"),
        ("count:日本 x", Count(), "日本 x"),
        ("sum::", Sum(), ":"),
        ("uv:x", Unique(12), "x"),
        ("uv14:x", Unique(14), "x"),
        ("pct:x", Percentile(50), "x"),
        ("pct95:x", Percentile(95), "x"),
        ("dcy:x", Decay(86400), "x"),
        ("mh16:x", MinHash(16), "x"),
        ("fh4:x", FeatureHash(4), "x"),
        ("top3:sum:x", Top(3, Sum()), "x"),
        ("top:sum:x:y", Top(10, Sum()), "x:y"),
        ("bot5:pct95:x", Bottom(5, Percentile(95)), "x"),
        ("top10:uv:x", Top(10, Unique(12)), "x"),
    ],
)
def test_what_keys_mean(key: str, aggregation: Any, name: str) -> None:
    found = parse(key)
    assert (found.aggregation, found.name) == (aggregation, name)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "a key is a recipe, a colon and a name"),
        ("sum", "a key is a recipe, a colon and a name"),
        ("sum:", "a key is a recipe, a colon and a name"),
        (":x", "a key is a recipe, a colon and a name"),
        ("s-m:x", "a key is a recipe, a colon and a name"),
        ("SUM:x", "a key is a recipe, a colon and a name"),
        ("sum٣:x", "a key is a recipe, a colon and a name"),
        ("sum:a\tb", "a key is a recipe, a colon and a name"),
        ("sum:a\n", "a key is a recipe, a colon and a name"),
        ("som:x", "unknown aggregation 'som'; use one of sum, min"),
        ("sum3:x", "sum has no parameter; write sum:name"),
        ("top3:x", "say what number to rank by and a name, as in top10:sum:path"),
        ("top3:sum", "say what number to rank by and a name, as in top10:sum:path"),
        ("top3:sum:", "a key is a recipe, a colon and a name"),
        ("top3:mh:x", "say what number to rank by"),
        ("top3:som:x", "say what number to rank by"),
        ("top3:top3:sum:x", "say what number to rank by"),
        ("top3:uv99:x", "its hash bits are from 4 to 21"),
        ("x" * 1025, "at most 1,024 characters"),
    ],
)
def test_what_is_refused(key: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(key)
    assert message in str(caught.value)


@pytest.mark.parametrize("prefix", PARAMETERIZED | RANKINGS)
def test_parameters_have_a_range(prefix: str) -> None:
    _, parameter = (PARAMETERIZED | RANKINGS)[prefix]
    rest = ":sum:x" if prefix in RANKINGS else ":x"
    plain, written = parse(prefix + rest), parse(f"{prefix}00{parameter.default}{rest}")
    assert plain == written
    for allowed in (parameter.least, parameter.most):
        parse(f"{prefix}{allowed}{rest}")
    for refused in (parameter.least - 1, parameter.most + 1, "9" * 21, "9" * 1000):
        if refused != -1:
            with pytest.raises(InvalidInput, match="are from"):
                parse(f"{prefix}{refused}{rest}")


@given(key=st.text(max_size=30) | st.text("sumtopbcd0159:x", max_size=30))
def test_any_text_is_a_key_or_refused(key: str) -> None:
    try:
        found = parse(key)
    except InvalidInput:
        return
    assert key.endswith(":" + found.name)
