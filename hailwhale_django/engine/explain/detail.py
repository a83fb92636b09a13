"""What is looked into of candidates: buckets and the past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..domain.values import Floats
from .region import Region


class Detail(NamedTuple):
    """Of candidates: buckets [leaf, bucket, row] of both periods and of the whole [leaf, bucket]; and sums of earlier
    periods, the one compared with first, [leaf, period, row] and [leaf, period].
    """

    before: Floats
    now: Floats
    whole_before: Floats
    whole_now: Floats
    past: Floats
    whole_past: Floats

    def twins(self, regions: Sequence[Region]) -> list[list[Region]]:
        """Of each candidate all regions of the same events, counted under other names: alike in every bucket.

        The one with the shortest path comes first. Regions that cannot share events are two, whatever their numbers.
        """
        groups: dict[bytes, list[list[Region]]] = {}
        found: dict[Region, list[Region]] = {}
        for at in sorted(range(len(regions)), key=lambda at: len(regions[at].path)):
            alike = groups.setdefault(self.before[:, :, at].tobytes() + self.now[:, :, at].tobytes(), [])
            group = next((one for one in alike if not one[0].is_apart_from(regions[at])), None)
            if group is None:
                alike.append(group := [])
            group.append(regions[at])
            found[regions[at]] = group
        return [found[region] for region in regions]
