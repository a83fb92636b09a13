"""What makes a row worth looking at: its share, its difference from the rest, and what that difference is worth.

`important`, `effect` and `difference` are HailWhale's: for a metric, the rest of the parent; for a ratio, the relative
difference from the parent's ratio and how much of the numerator it makes up for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .values import Floats

# HailWhale's thresholds: a child matters that makes up a tenth, and of which there are more than a handful.
IMPORTANT_SHARE = 0.1
IMPORTANT_SUM = 10
IMPORTANT_COUNT = 5
IMPORTANT_DIFFERENCE = 0.1

# As many lines as can be told apart.
MOST_THAT_MATTER = 8


@dataclass(frozen=True, slots=True)
class Standing:
    """Where rows stand against their parent; all arrays are [row], or [metric, row].

    For a metric `value` and `count` are the sum; for a ratio the numerator and the denominator.
    """

    score: Floats
    value: Floats
    count: Floats
    share: Floats
    difference: Floats
    effect: Floats
    important: NDArray[np.bool_]

    def of_each(self) -> list[Standing]:
        """Where these are [metric, row], those of each metric."""
        all_of_them = (self.score, self.value, self.count, self.share, self.difference, self.effect, self.important)
        return [Standing(*one) for one in zip(*all_of_them, strict=True)]


def metric_standing(sums: Floats, parent: float | Floats) -> Standing:
    """Rows by a plain sum. `share` is the part of the parent; `difference` and `effect` are the parent's rest."""
    rest = parent - sums
    important = (sums > IMPORTANT_SUM) & (sums > parent * IMPORTANT_SHARE)
    return Standing(sums, sums, sums, share_of(sums, parent), rest, rest, important)


def level_standing(levels: Floats, parent: float) -> Standing:
    """Rows by what does not add up, as a percentile. `difference` is relative to the parent's; nothing has a share."""
    difference = share_of(levels - parent, parent)
    important = np.abs(difference) > IMPORTANT_DIFFERENCE
    zeros = np.zeros_like(levels)
    return Standing(levels, levels, levels, zeros, difference, zeros, important)


def ratio_standing(
    ratio: Floats, numerators: Floats, denominators: Floats, parent_ratio: float, parent_denominator: float
) -> Standing:
    """Rows by a ratio. `share` is the part of the parent's denominator; `difference` is relative to its ratio."""
    difference = share_of(ratio - parent_ratio, parent_ratio)
    important = (denominators > IMPORTANT_COUNT) & (np.abs(difference) > IMPORTANT_DIFFERENCE)
    return Standing(
        score=ratio,
        value=numerators,
        count=denominators,
        share=share_of(denominators, parent_denominator),
        difference=difference,
        effect=difference * denominators * parent_ratio,
        important=important,
    )


def matter(
    values: Sequence[float],
    whole: float,
    share: float = IMPORTANT_SHARE,
    least: float = IMPORTANT_SUM,
    most: int = MOST_THAT_MATTER,
) -> list[int]:
    """The numbers of the rows that are worth drawing, highest first, at most `most`.

    HailWhale's rule: of a row that matters there are more than `least`, and it is more than `share` of the whole. Where
    none does, the highest is drawn. Of a ratio give the denominators: a child of a handful of visitors has the highest
    ratios, and the lowest, by chance alone, and what it earns does not show in the whole.
    """
    weights = np.asarray(values, dtype=np.float64)
    order = best_first(weights, None)
    matters = (weights > least) & (weights > share * whole)
    chosen: list[int] = order[matters[order]][:most].tolist()
    return chosen or [int(at) for at in order[:1]]


def share_of(part: Floats, whole: float | Floats) -> Floats:
    """`part / whole`; 0 of nothing."""
    return np.divide(part, whole, out=np.zeros_like(part), where=np.not_equal(whole, 0))


def sort_keys(values: Floats, descending: bool = True) -> Floats:
    """Numbers of which the least is the best; what has no value is the worst."""
    return np.where(np.isnan(values), np.inf, -values if descending else values)


def best_first(values: Floats, name_of: Callable[[int], Any] | None, descending: bool = True) -> NDArray[np.int64]:
    """Row numbers in order; equal values by name, or as they stand without names; what has no value comes last."""
    keys = sort_keys(values, descending)
    order = np.argsort(keys, kind="stable")
    if name_of is None or len(order) < 2:
        return order
    # Only runs of equal values need their names looked at; most tables have none.
    ordered = keys[order]
    edges = np.concatenate(([0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, [len(order)]))
    for run in np.flatnonzero(np.diff(edges) > 1):
        begin, end = edges[run : run + 2]
        order[begin:end] = sorted(order[begin:end], key=name_of)
    return order
