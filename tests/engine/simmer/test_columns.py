"""Many values of few keys: what the columns make of them, against each aggregation's own way with all at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.engine.simmer import blocks
from hailwhale_django.engine.simmer.columns import bins, pending, totals
from hailwhale_django.engine.simmer.lines import write_line
from hailwhale_django.engine.simmer.pot import Batch, Pot
from hailwhale_django.engine.simmer.recipe import parse
from tests.engine.simmer.one_by_one import Plainly

COUNT = 5_000
RNG = np.random.default_rng(5)

NUMBERS = {
    "whole": RNG.integers(-1000, 1000, COUNT).tolist(),
    "milliseconds": np.round(RNG.lognormal(4, 1, COUNT), 2).tolist(),
    "doubles": RNG.normal(0, 1e3, COUNT).tolist(),
    "large": RNG.integers(-(2**62), 2**62, COUNT).tolist(),
    "tiny": (RNG.random(COUNT) * 1e-20).tolist(),
    "wide": (10 ** RNG.uniform(-30, 30, COUNT)).tolist(),
    "few": RNG.choice([0.1, 0.2, -0.0, 7.0], COUNT).tolist(),
    "first near, then far": [*RNG.uniform(1, 9, COUNT // 2).tolist(), *RNG.uniform(-1e9, 1e9, COUNT // 2).tolist()],
}
RECIPES = ["sum", "avg", "min", "max", "count", "var", "pct95", "hist", "uv", "uv4", "uv14", "mh9", "fh"]


def simmered(text: bytes, capacity: int = 5000) -> bytes:
    out: list[bytes] = []

    def spill(batch: Batch) -> None:
        out.append(batch.lines(-math.inf))

    def refuse(number: int, line: bytes, error: InvalidInput) -> None:
        raise error

    pot = Pot(spill, refuse, capacity)
    pot.add(text)
    pot.finish()
    return b"".join(out)


def at_once(recipe: str, values: Sequence[str]) -> bytes:
    aggregation = parse(f"{recipe}:x").aggregation
    return write_line(f"{recipe}:x", aggregation, aggregation.prepare(values))


@pytest.fixture(params=[10**6, 700], ids=["seldom", "often"])
def settled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How often what waits is put where it belongs, and what could overflow is carried."""
    monkeypatch.setattr(pending, "ENOUGH", request.param)
    monkeypatch.setattr(pending, "MANY", request.param)
    monkeypatch.setattr(bins, "MOST", 2 * request.param)
    monkeypatch.setattr(totals, "MOST_FINE", request.param)
    monkeypatch.setattr(totals, "MOST", request.param << 40)
    monkeypatch.setattr(blocks, "SLICE_BYTES", 4096)


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("numbers", NUMBERS)
def test_many_values_are_combined_as_at_once(recipe: str, numbers: str) -> None:
    values = list(map(str, NUMBERS[numbers]))
    text = "".join(f"{recipe}:x\t{value}\n" for value in values)
    assert simmered(text.encode()) == at_once(recipe, values)


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("recipe", ["sum", "pct95", "uv8"])
def test_places_are_used_again(recipe: str) -> None:
    """Two keys take turns in a pot for one; each finds its place as empty as if nobody had been there."""
    values = list(map(str, NUMBERS["milliseconds"]))
    runs = [(f"{recipe}:{at % 3}", values[at * 800 : at * 800 + 800]) for at in range(5)]
    text = "".join(f"{key}\t{value}\n" for key, part in runs for value in part)
    aggregation = parse(f"{recipe}:x").aggregation
    expected = [write_line(key, aggregation, aggregation.prepare(part)) for key, part in runs]
    assert simmered(text.encode(), capacity=1) == b"".join(expected)


@pytest.mark.parametrize("recipe", ["top2:sum", "bot2:sum", "top2:max", "top1:pct50", "top3:uv4", "top2:dcy"])
def test_rankings_are_cut_where_row_by_row_they_would_be(recipe: str) -> None:
    rng = np.random.default_rng(8)
    items = rng.zipf(1.3, 3_000) % 2_000
    stamp = "9:" if recipe.endswith("dcy") else ""
    rows = [
        f"{recipe}:x\t{item}:{stamp}{value}\n" for item, value in zip(items, rng.integers(0, 99, 3_000), strict=True)
    ]
    text = "".join(rows).encode()
    assert simmered(text) == Plainly(5000, 0, False, -math.inf).simmer(text)
