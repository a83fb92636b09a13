"""What happened: made up, the same in every run, and as uneven as real traffic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

PK = "shop"
DAY_SECONDS = 86_400
METRICS = ("impressions", "clicks", "visitors", "sales", "revenue")
SEED = 20_140_214

Event = dict[str, Any]


def daily(days: int, children: int, metrics: int, seed: int = SEED) -> NDArray[np.int64]:
    """[day, child, metric]: a whole number above 0 for each; the last day is today."""
    return np.random.default_rng(seed).integers(1, 10_000, size=(days, children, metrics))


def child_names(count: int) -> list[str]:
    return [f"c{number:05d}" for number in range(count)]


def daily_events(
    cells: NDArray[np.int64], metrics: Sequence[str], dimension: str, now: float, names: Sequence[Any] = ()
) -> Iterator[Event]:
    """One event for each day and child, oldest first. `names` may hold nested dimensions in place of names."""
    names = names or child_names(cells.shape[1])
    for age, day in zip(range(len(cells) - 1, -1, -1), cells, strict=True):
        at = now - age * DAY_SECONDS
        for name, amounts in zip(names, day.tolist(), strict=True):
            yield {
                "pk": PK,
                "dimensions": {dimension: name},
                "metrics": dict(zip(metrics, amounts, strict=True)),
                "at": at,
            }


def visits(count: int, dimensions: Mapping[str, int], begin: float, end: float, seed: int = SEED) -> list[Event]:
    """Visits in order of time, evenly over the period; of each dimension's values the n-th is met 1/n as often as the
    first (Zipf).
    """
    rng = np.random.default_rng(seed)
    names = list(dimensions)
    values = [
        [f"{name}{number}" for number in rng.choice(size, count, p=_zipf(size))] for name, size in dimensions.items()
    ]
    prices = (rng.integers(100, 20_000, count) / 100).tolist()
    instants = np.sort(rng.uniform(begin, end, count)).tolist()
    return [
        {
            "pk": PK,
            "dimensions": dict(zip(names, chosen, strict=True)),
            "metrics": {"revenue": price, "visitors": 1},
            "at": at,
        }
        for at, price, *chosen in zip(instants, prices, *values, strict=True)
    ]


def _zipf(size: int) -> NDArray[np.float64]:
    weights = 1 / np.arange(1, size + 1)
    return weights / weights.sum()
