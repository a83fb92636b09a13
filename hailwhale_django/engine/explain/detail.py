"""What is looked into of candidates: buckets and the past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..domain.timeline import Interval
from ..domain.values import Floats
from .ordinary import FEWEST_BUCKETS
from .region import Region

FEWEST_PAST = 3
"""Earlier changes that say what is ordinary; with fewer the buckets have to."""


class Detail(NamedTuple):
    """Of candidates: buckets [leaf, bucket, row] of both periods and of the whole [leaf, bucket]; and sums of earlier
    periods, the one compared with first, [leaf, period, row] and [leaf, period]. There are no buckets where no
    `interval` makes up both periods.
    """

    before: Floats
    now: Floats
    whole_before: Floats
    whole_now: Floats
    past: Floats
    whole_past: Floats
    interval: Interval | None = None

    @property
    def buckets(self) -> int:
        """Of both periods."""
        return int(self.before.shape[1] + self.now.shape[1])

    @property
    def is_little(self) -> bool:
        """Whether neither buckets nor earlier periods can tell what is usual."""
        buckets, periods = min(self.before.shape[1], self.now.shape[1]), (self.whole_past != 0).any(axis=0)
        return buckets < FEWEST_BUCKETS and int(periods.sum()) <= FEWEST_PAST

    def twins(self, regions: Sequence[Region]) -> list[list[Region]]:
        """Of each candidate all regions of the same events, counted under other names: alike in every bucket.

        The one with the shortest path comes first. Regions that cannot share events are two, whatever their numbers.
        """
        groups: dict[bytes, list[list[Region]]] = {}
        found: dict[Region, list[Region]] = {}
        for at in sorted(range(len(regions)), key=lambda at: len(regions[at].path)):
            alike = groups.setdefault(self.before[:, :, at].tobytes() + self.now[:, :, at].tobytes(), [])
            if not (self.before[:, :, at].any() and self.now[:, :, at].any()):  # of nothing all are alike
                alike = []
            group = next((one for one in alike if not one[0].is_apart_from(regions[at])), None)
            if group is None:
                alike.append(group := [])
            group.append(regions[at])
            found[regions[at]] = group
        return [found[region] for region in regions]
