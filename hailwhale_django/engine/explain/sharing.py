"""How many events regions share: from their paths, from what was counted on both, or else as a guess."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..domain.values import Floats
from .region import Key, Region

Amount = Callable[[Key], Floats | None]
"""[leaf]: what a region has over both periods; `None` of what was not seen. The key of nothing is the whole."""


class Shared(NamedTuple):
    """Of one region's events, how much is also in each other: `share` [leaf, row].

    `is_known` [row] where that follows from the paths or was counted. Elsewhere as much as of all events of which the
    one is known as well as of the other; `is_within` [row] where these are not all.
    """

    share: Floats
    is_known: NDArray[np.bool_]
    is_within: NDArray[np.bool_]


def shared(regions: Sequence[Region], at: int, amount: Amount) -> Shared:
    """What the region with a number shares with all of them."""
    one = regions[at]
    own, whole = amount(one.key), amount(frozenset())
    assert own is not None and whole is not None
    parts, wholes = [np.zeros_like(own)] * len(regions), [own] * len(regions)
    known, within = np.ones(len(regions), dtype=bool), np.zeros(len(regions), dtype=bool)
    for number, other in enumerate(regions):
        if other.holds(one):
            parts[number] = own
        elif not other.is_apart_from(one):
            both = amount(one.both(other))
            if both is not None:
                parts[number] = both
                continue
            common = other.common(one)
            parts[number], wholes[number] = _or(amount(other.key), own), _or(amount(common), whole)
            known[number], within[number] = False, bool(common)
    top, bottom = np.stack(parts, axis=1), np.stack(wholes, axis=1)
    share = np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0)
    return Shared(np.clip(share, 0.0, 1.0), known, within)


def _or(found: Floats | None, otherwise: Floats) -> Floats:
    return otherwise if found is None else found
