"""What a row carries of a change, with what it was and is: the values of a table of parts."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.values import Floats
from .attribution import Parts, Sides, attribute
from .explanation import Part
from .inquiry import Inquiry
from .measure import Measure
from .region import Region


class Telling:
    """Tells the rows of an inquiry. `weighs` is the denominator by which rows of a ratio weigh; `None` of a sum."""

    def __init__(self, inquiry: Inquiry) -> None:
        self.inquiry = inquiry
        self.measure = inquiry.measure
        denominator = self.measure.denominator
        self.weighs = None if denominator is None else Measure(denominator)

    def carried(self, before: Floats, now: Floats) -> Parts:
        """The parts of rows [leaf, row]."""
        return attribute(self.measure, self._sides(before, before=True), self._sides(now, before=False))

    def parts(self, regions: Sequence[Region], before: Floats, now: Floats) -> list[Part]:
        """Everything that is to be said of rows [leaf, row] but what is ordinary for them."""
        inquiry, carried = self.inquiry, self.carried(before, now)
        columns = [
            _known(self.measure.value(before, inquiry.shared_before), before),
            _known(self.measure.value(now, inquiry.shared_now), now),
            carried.part.tolist(),
            carried.rate.tolist(),
            carried.mix.tolist(),
            self._weights(before, inquiry.whole_before, inquiry.shared_before),
            self._weights(now, inquiry.whole_now, inquiry.shared_now),
        ]
        return [Part(region.path, *cells) for region, *cells in zip(regions, *columns, strict=True)]

    def _weights(self, rows: Floats, whole: Floats, shared: Floats) -> list[float | None]:
        """[row]: the share of a ratio's denominator; of anything else that of its value."""
        if self.weighs is None:
            own, all_of_it = self.measure.value(rows, shared), self.measure.value(whole[:, None], shared)[0]
        else:
            own, all_of_it = self._denominators(rows, shared), self._denominators(whole[:, None], shared)[0]
        return (own / all_of_it).tolist() if all_of_it else [None] * rows.shape[1]

    def _denominators(self, rows: Floats, shared: Floats) -> Floats:
        assert self.weighs is not None
        chosen = [self.measure.leaves.index(leaf) for leaf in self.weighs.leaves]
        common = [self.measure.shared.index(leaf) for leaf in self.weighs.shared]
        return self.weighs.value(rows[chosen], shared[common])

    def _sides(self, rows: Floats, *, before: bool) -> Sides:
        inquiry = self.inquiry
        if before:
            return Sides(rows, inquiry.whole_before, inquiry.shared_before)
        return Sides(rows, inquiry.whole_now, inquiry.shared_now)


def _known(values: Floats, rows: Floats) -> list[float | None]:
    """Values of rows [leaf, row]; of a row in which there is nothing, `None`."""
    there = (rows != 0).any(axis=0)
    return [value if known else None for value, known in zip(values.tolist(), there.tolist(), strict=True)]
