"""States of many values, as if these had come one by one.

For most aggregations it does not matter how values come together. It does, in the last digits, for sums that decay, and
for rankings once they are cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from ..aggregation import Aggregation
from ..decay import Decay
from ..heavy import ITEM_BYTES, Ranked, Top
from ..tally import AS_THEY_ARE, MOST_CELLS, MOST_VALUES, Tally

KEY_AND_COUNT_BYTES = 16


def folded(aggregation: Aggregation[Any], before: Any, values: Sequence[str]) -> Any:
    """The state of what was before, unless that is None, and of raw values."""
    if isinstance(aggregation, Top):
        return _ranked(aggregation, before, values)
    parts = [[value] for value in values] if isinstance(aggregation, Decay) else [values]
    states = [aggregation.prepare(part) for part in parts]
    return reduce(aggregation.merge, states if before is None else [before, *states])


def _ranked(top: Top, before: Ranked | None, values: Sequence[str]) -> Ranked:
    """All at once, if nothing was cut on the way; else half by half."""
    if len(values) == 1:
        found = top.prepare(values)
        return found if before is None else top.merge(before, found)
    together = _uncut(top, before, values)
    sizes = (ITEM_BYTES + len(item) + _most_bytes(top, state) for item, state in together.items.items())
    if top.has_room(len(together.items), sum(sizes)):
        return together
    half = len(values) // 2
    return _ranked(top, _ranked(top, before, values[:half]), values[half:])


def _uncut(top: Top, before: Ranked | None, values: Sequence[str]) -> Ranked:
    by_item: dict[str, list[str]] = {}
    for value in values:
        item, inner = top.split(value)
        by_item.setdefault(item, []).append(inner)
    items = dict(before.items) if before else {}
    for item, found in by_item.items():
        items[item] = folded(top.inner, items.get(item), found)
    return Ranked(items, before.missed if before else None)


def _most_bytes(top: Top, state: Any) -> int:
    """What a state took at most, ever: a tally becomes smaller when it becomes coarser, and no other does."""
    size = top.inner.size(state)
    if not isinstance(state, Tally) or state.level == AS_THEY_ARE:
        return size
    return size + KEY_AND_COUNT_BYTES * (MOST_CELLS if state.level else MOST_VALUES)
