"""Events of options as numbers, for tests that ask how often something is right."""

from __future__ import annotations

import numpy as np

from hailwhale_django.engine.decide.evidence import Floats


def sums_of(y: Floats, d: Floats) -> Floats:
    """The eight sums over the last axis, as anybody would write them down."""
    columns = [np.ones_like(y), y, d, y * y, d * d, y * d, y != 0, d != 0]
    return np.stack([column.sum(axis=-1) for column in columns], axis=-1).astype(float)


def by_day(rng: np.random.Generator, kind: str, years: int, per_day: float, days: int = 365) -> Floats:
    """Sums[year, day, 8] of one option from the first day on, in so many years of `per_day` visitors a day."""
    visitors = rng.poisson(per_day, (years, days))
    y, d = visits(rng, kind, int(visitors.sum()))
    day = np.repeat(np.arange(visitors.size), visitors.ravel())
    columns = (np.ones_like(y), y, d, y * y, d * d, y * d, y != 0, d != 0)
    sums = np.stack([np.bincount(day, column, visitors.size) for column in columns], axis=-1)
    return sums.reshape(years, days, 8).cumsum(axis=1)


def visits(rng: np.random.Generator, kind: str, count: int) -> tuple[Floats, Floats]:
    """Numerators and denominators of visitors; what the ratio truly is stands in `TRUTH`."""
    d = np.ones(count)
    if kind == "sales per visitor":
        return (rng.random(count) < 0.02).astype(float), d
    if kind == "revenue per visitor":  # one in twenty buys, for log-normal amounts
        return (rng.random(count) < 0.05) * rng.lognormal(0, 1.5, count), d
    if kind == "heavy tail":  # amounts whose variance is barely finite
        return (rng.random(count) < 0.05) * (rng.pareto(2.1, count) + 1), d
    if kind == "clicks per view":  # visitors look at several pages, and differ in how they like to click
        d = rng.geometric(0.2, count).astype(float)
        return rng.binomial(d.astype(int), rng.beta(2, 18, count)).astype(float), d
    if kind == "cost per sale":
        return rng.lognormal(0, 1, count), (rng.random(count) < 0.1).astype(float)
    raise AssertionError(kind)


TRUTH = {
    "sales per visitor": 0.02,
    "revenue per visitor": 0.05 * np.exp(1.5**2 / 2),
    "heavy tail": 0.05 * 2.1 / 1.1,
    "clicks per view": 0.1,
    "cost per sale": np.exp(0.5) / 0.1,
}
