"""From a fold to parcels: which increments each counter gets, once every row has its place."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np

from .domain.event import MAX_UNITS
from .domain.paths import WHOLE, Path
from .domain.sketchbook import Sketchbook
from .fold import Folded, spread
from .gathering import Gathered, gather
from .placement import Placement
from .store.evidence import NOTHING, Additions, Evidences, decision_of
from .store.parcel import Append, Parcel, appends_of_many, parts_of_many
from .store.tiles import Slot, Tiles

OVERFLOW = "overflow"

Refused = dict[Path, dict[str, str]]
"""Refused metrics by pk, with the reason: `overflow`, or `many` where there would be too many metrics."""


def pack(
    folded: Folded,
    rows: Iterable[int],
    placement: Placement,
    tiles: Tiles,
    evidences: Evidences,
    sketchbook: Sketchbook,
    only: Collection[Path] = (),
) -> tuple[dict[Path, Parcel], Refused]:
    """One parcel for each counter (`only` of those pks) with what is added to these rows of the fold.

    And what is not in them, since it could not be added to anything.
    """
    counted_at = {}
    numbers: dict[Path, dict[int, None]] = defaultdict(dict)
    for row in rows:
        pk, path = placement.placed.get(folded.rows[row], (None, ""))
        if pk is not None and (not only or pk in only):
            counted_at[row] = (pk, placement.numbers[pk][path])
            numbers[pk][placement.numbers[pk][path]] = None
    # Places are numbered counter by counter, so that each counter's increments stand together.
    places = {(pk, number): at for at, (pk, number) in enumerate((pk, n) for pk in numbers for n in numbers[pk])}
    place_of = np.full(len(folded.rows), -1, dtype=np.int64)
    for row, place in counted_at.items():
        place_of[row] = places[place]
    increments = spread(folded, place_of)
    gathered = gather(folded, place_of, sketchbook)
    number_of = [number for _, number in places]
    metrics = _metrics_of(folded, counted_at)
    parcels: dict[Path, Parcel] = {}
    refused: Refused = defaultdict(dict)
    begin = first = 0
    for pk in numbers:
        before, first = first, first + len(numbers[pk])
        end = bisect_left(increments.places, first)
        units = {metric: increments.units[metric][begin:end] for metric in metrics[pk]}
        for metric in [metric for metric, amounts in units.items() if _too_large(amounts)]:
            refused[pk][metric] = OVERFLOW
            del units[metric]
        at = [number_of[place] for place in increments.places[begin:end]]
        slots = [tiles.slot(str(pk), column) for column in folded.columns]
        parts = parts_of_many(slots, at, increments.columns[begin:end], units)
        appends = [
            append
            for sketch, found in gathered.items()
            for append in _appends(sketch, found, before, first, number_of, slots)
        ]
        evidence = _evidence(folded, pk, evidences) if folded.lessons and _is_at_home(pk, placement) else NOTHING
        parcels[pk] = Parcel(str(pk), placement.numbers[pk], dict.fromkeys(units), parts, appends, evidence)
        begin = end
    return parcels, refused


def _is_at_home(pk: Path, placement: Placement) -> bool:
    """Whether a counter has a place of its own: what decisions learn is of no use on `(other)`."""
    return placement.placed.get((pk, WHOLE), (None, ""))[0] == pk


def _evidence(folded: Folded, pk: Path, evidences: Evidences) -> Additions:
    """What a decision learns, where this is its counter."""
    return evidences.additions(
        str(pk),
        [
            (option.name, cells, [folded.columns[column] for column in folded.moments[moment]], sums)
            for (option, cells, moment), sums in folded.lessons.items()
            if decision_of(option) == pk
        ],
    )


def _appends(
    sketch: str, gathered: Gathered, first: int, behind: int, number_of: Sequence[int], slots: Sequence[Slot]
) -> Iterator[Append]:
    """What is appended to the cells of the places from `first` on and before `behind`."""
    begin, end = bisect_left(gathered.places, first), bisect_left(gathered.places, behind)
    rows = [number_of[place] for place in gathered.places[begin:end]]
    return appends_of_many(sketch, slots, rows, gathered.columns[begin:end], gathered.parts[begin:end])


def _metrics_of(folded: Folded, counted_at: Mapping[int, tuple[Path, int]]) -> dict[Path, dict[str, None]]:
    """The metrics of each counter's events, also those that are 0."""
    pks = dict.fromkeys(pk for pk, _ in counted_at.values())
    if len(pks) == 1 and len(counted_at) == len(folded.rows):
        return {pk: dict.fromkeys(folded.amounts) for pk in pks}
    counters = [{counted_at[row][0] for row in shape if row in counted_at} for shape in folded.shapes]
    found: dict[Path, dict[str, None]] = defaultdict(dict)
    for metric, amounts in folded.amounts.items():
        for shape in {folded.groups[group][0] for group in amounts}:
            for pk in counters[shape]:
                found[pk][metric] = None
    return found


def _too_large(amounts: Sequence[int]) -> bool:
    return bool(amounts) and max(max(amounts), -min(amounts)) > MAX_UNITS
