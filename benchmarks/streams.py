"""Rows for the pot, the same in every run: written to a file, and as arrays to work out what is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEYS = 1_000
VISITORS = 2_000_000
LARGEST = 1_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Keys by number, with the prefix of each row, and values."""

    prefixes: list[str]
    keys: NDArray[np.int64]
    values: NDArray[np.generic]

    def __iter__(self) -> Iterator[tuple[str, int, Any]]:
        return zip(self.prefixes, self.keys.tolist(), self.values.tolist(), strict=True)

    def write(self, path: Path) -> None:
        with path.open("w", encoding="ascii") as file:
            file.writelines(f"{prefix}:k{key}\t{value}\n" for prefix, key, value in self)


def sums(count: int, keys: int = KEYS) -> Rows:
    """Whole numbers from 0 to 999, of keys by Zipf's law."""
    rng = np.random.default_rng(1)
    return Rows(["sum"] * count, _zipf(rng, keys, count), rng.integers(0, LARGEST, count))


def sums_of_many_keys(count: int) -> Rows:
    """The same, of keys that are all equally frequent: there are a fifth as many as rows, nearly."""
    rng = np.random.default_rng(2)
    return Rows(["sum"] * count, rng.integers(0, count // 5, count), rng.integers(0, LARGEST, count))


def visits(count: int, keys: int = KEYS) -> Rows:
    """In turn a visitor, for how many there are, and some milliseconds, for the 95th percentile."""
    rng = np.random.default_rng(3)
    visitors = np.char.add("u", rng.integers(0, VISITORS, (count + 1) // 2).astype(str))
    took = np.round(rng.lognormal(4, 1, (count + 1) // 2), 2)
    values = np.empty(2 * len(took), object)
    values[::2], values[1::2] = visitors, took
    return Rows((["uv", "pct95"] * len(took))[:count], _zipf(rng, keys, count), values[:count])


def _zipf(rng: np.random.Generator, keys: int, count: int) -> NDArray[np.int64]:
    weights = 1 / np.arange(1, keys + 1)
    return rng.choice(keys, count, p=weights / weights.sum())
