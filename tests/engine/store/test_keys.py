"""The schema: keys that share a slot where they must, and never mean two things."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.store.keys import Keys

KEYS = Keys("hw")

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
paths = st.lists(names, min_size=1, max_size=3).map(Path)


def keys_of(pk: Path, dimension: Path, metric: str) -> list[str]:
    counter, table = str(pk), str(dimension)
    return [
        KEYS.rows(counter),
        KEYS.tables(counter),
        KEYS.names(counter, table),
        KEYS.numbers(counter, table),
        KEYS.metrics(counter),
        KEYS.spans(counter),
        KEYS.tile(counter, "1d", 3, 0) + metric,
        KEYS.tile(counter, "1d", 3, 12) + metric,
    ]


def test_the_schema() -> None:
    assert keys_of(Path(("Product", "7")), Path(("country", "US")), "revenue") == [
        "hw:{Product/7}rows",
        "hw:{Product/7}tables",
        "hw:{Product/7}names:country/US",
        "hw:{Product/7}numbers:country/US",
        "hw:{Product/7}metrics",
        "hw:{Product/7}spans",
        "hw:{Product/7}tile:1d:3:0:revenue",
        "hw:{Product/7}tile:1d:3:12:revenue",
    ]
    assert (KEYS.counters, KEYS.store) == ("hw:counters", "hw:store")
    assert KEYS.salt("2026-11-21") == "hw:salt:2026-11-21"


@given(paths, paths, st.text(max_size=8))
def test_all_keys_of_a_counter_lie_in_one_slot(pk: Path, dimension: Path, metric: str) -> None:
    """Whatever its name: braces inside it would decide on the slot."""
    found = keys_of(pk, dimension, metric)
    assert len({key_slot(key.encode("utf-8", "surrogatepass")) for key in found}) == 1
    assert len(set(found)) == len(found)


@given(paths, paths, paths, paths, st.text(max_size=8), st.text(max_size=8))
def test_different_things_have_different_keys(
    pk: Path, other_pk: Path, dimension: Path, other_dimension: Path, metric: str, other_metric: str
) -> None:
    if (pk, dimension, metric) != (other_pk, other_dimension, other_metric):
        for one, other in zip(
            keys_of(pk, dimension, metric), keys_of(other_pk, other_dimension, other_metric), strict=True
        ):
            same = pk == other_pk
            if "names:" in one or "numbers:" in one:
                same = same and dimension == other_dimension
            if "tile:" in one:
                same = same and metric == other_metric
            assert (one == other) == same


def test_prefixes_keep_apart() -> None:
    assert not set(keys_of(Path("a"), Path("b"), "m")) & {
        key.replace("hw:", "hw2:") for key in keys_of(Path("a"), Path("b"), "m")
    }
    assert Keys("hw2").rows("a") == "hw2:{a}rows"
