"""Signatures: Algebird's, and what two of them say of their sets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.engine.simmer.minhash import MinHash, seeds, similarity

README = (
    "0FCC:2E1F:0DD7:0049:3BF3:10D4:6460:75D4:392B:07AF:2064:27F0:6931:6717:3A0A:16D9:122E:51C6:8632:64BD:"
    "0CAE:0D15:8357:39A5:2008:4ED7:5733:44F8:1F70:02F7:23D5:59AE:0ECB:8EE0:4E1C:0249:9804:610B:0DBD:0316"
)


def test_the_readme() -> None:
    """Its line has 40 hashes; with 64 they come first."""
    assert MinHash(40).present(MinHash(40).prepare(["a", "b", "c"])) == README
    told = MinHash(64).present(MinHash(64).prepare(["c", "a", "b", "a"]))
    assert told.startswith(README + ":")
    assert len(told.split(":")) == 64


def test_seeds_are_those_of_the_generator() -> None:
    assert [f"{seed:x}" for seed in seeds(5)] == [
        "a9fe66aac368b501", "74facac7413f22b0", "63f83ba43772df24", "e4b2019a6cece98f", "bfe884c36e563e2f",
    ]  # fmt: skip


def test_many_values_are_the_union_of_their_parts() -> None:
    found, values = MinHash(), [f"visitor {n} 日本 \udcff" for n in range(3000)]
    parts = [found.prepare([value]) for value in values]
    assert (np.minimum.reduce(parts) == found.prepare(values)).all()


@pytest.mark.parametrize(("shared", "apart"), [(0, 50), (50, 0), (100, 100), (300, 50), (20, 200), (1, 1)])
def test_the_share_of_equal_hashes_is_the_similarity(shared: int, apart: int) -> None:
    """Over 1,024 hashes, within four standard errors; two sets of a few hundred values agree by chance in 0.3 %."""
    found, true = MinHash(1024), shared / (shared + 2 * apart)
    left = found.prepare([f"{n}" for n in range(shared + apart)])
    right = found.prepare([f"{n}" for n in range(shared)] + [f"r{n}" for n in range(apart)])
    allowed = 4 * math.sqrt(true * (1 - true) / 1024) + 0.005
    assert similarity(left, right) == pytest.approx(true, abs=allowed)


@pytest.mark.parametrize(("values", "by_chance"), [(1300, 0.01), (10_000, 0.07)])
def test_large_sets_agree_by_chance_as_often_as_stated(values: int, by_chance: float) -> None:
    found = MinHash(1024)
    left, right = (found.prepare([f"{side}{n}" for n in range(values)]) for side in "lr")
    assert similarity(left, right) == pytest.approx(by_chance, abs=4 * math.sqrt(by_chance / 1024))


def test_what_it_takes() -> None:
    assert len(MinHash().dump(MinHash().prepare(["a"]))) == 128


def test_signatures_of_different_lengths_cannot_be_compared() -> None:
    with pytest.raises(InvalidInput, match="equally many hashes, here 64"):
        similarity(MinHash(64).prepare(["a"]), MinHash(16).prepare(["a"]))
