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


def shared(twins: Sequence[Sequence[Region]], at: int, amount: Amount) -> Shared:
    """What the region with a number shares with all of them. Each is given with all names it goes by, itself first."""
    own, whole = amount(twins[at][0].key), amount(frozenset())
    assert own is not None and whole is not None
    parts, wholes = [np.zeros_like(own)] * len(twins), [own] * len(twins)
    known, within = np.ones(len(twins), dtype=bool), np.zeros(len(twins), dtype=bool)
    for number, others in enumerate(twins):
        counted = next(
            (
                found
                for one in twins[at]
                for other in others
                if (found := _counted(one, other, own, amount)) is not None
            ),
            None,
        )
        if counted is not None:
            parts[number] = counted
            continue
        one, other = twins[at][0], others[0]
        common = other.common(one)
        parts[number], wholes[number] = _or(amount(other.key), own), _or(amount(common), whole)
        known[number], within[number] = False, bool(common)
    top, bottom = np.stack(parts, axis=1), np.stack(wholes, axis=1)
    share = np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0)
    return Shared(np.clip(share, 0.0, 1.0), known, within)


def _counted(one: Region, other: Region, own: Floats, amount: Amount) -> Floats | None:
    """[leaf]: what is in both regions, where their paths say it or it was counted; `own` is all of the first."""
    if other.holds(one):
        return own
    if other.is_apart_from(one):
        return np.zeros_like(own)
    return amount(one.both(other))


def _or(found: Floats | None, otherwise: Floats) -> Floats:
    return otherwise if found is None else found
