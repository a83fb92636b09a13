"""Who was used least recently: the walk through uses of keys, and the queue of those that could leave."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from .arrays import Numbers, Places

CHUNK = 1 << 14


@dataclass(frozen=True, slots=True)
class Walk:
    """What became of uses of keys: first each of the pot's own keys once, in order of use, and then the rows."""

    is_new: bytearray
    """By use: whether the key comes in by it."""
    is_there: bytearray
    """By use: whether the key is still there at the end, and was not used again."""
    counts: list[int]
    """By use: how many values of the key there were with it, since it came in."""
    leaving: list[int]
    """The last uses of keys that leave, in the order in which they do."""


def walked(before: list[int], counts: list[int], size: int, capacity: int, flush: int) -> Walk:
    """`before` is each use's last one of the same key, or the number of uses; `counts` is of the pot's own keys."""
    heads = len(counts)
    is_there = bytearray(b"\1" * heads + bytes(len(before) - heads + 1))
    is_new = bytearray(len(before))
    counts = counts + [1] * (len(before) - heads)
    leaving: list[int] = []
    oldest = 0
    for use in range(heads, len(before)):
        earlier = before[use]
        if is_there[earlier]:
            is_there[earlier] = 0
            counts[use] = counts[earlier] + 1
        else:
            if size == capacity:
                oldest = is_there.index(1, oldest)
                is_there[oldest] = 0
                leaving.append(oldest)
            else:
                size += 1
            is_new[use] = 1
        if counts[use] == flush:
            leaving.append(use)
            size -= 1
        else:
            is_there[use] = 1
    return Walk(is_new, is_there, counts, leaving)


class Queue:
    """Keys in order of use. Those that were used again or left are passed over."""

    __slots__ = ("_chunks", "_count")

    def __init__(self, keys: Numbers, times: Numbers) -> None:
        self._chunks: deque[tuple[Numbers, Numbers]] = deque()
        self._count = 0
        for at in range(0, len(keys), CHUNK):
            self.push(keys[at : at + CHUNK], times[at : at + CHUNK])

    def __len__(self) -> int:
        return self._count

    def push(self, keys: Numbers, times: Numbers) -> None:
        self._chunks.append((keys, times))
        self._count += len(keys)

    def oldest(self, count: int, used: Numbers, places: Places) -> Numbers:
        """So many keys that are in the pot, if there are as many; by key, when it was last used, and its place."""
        found: list[tuple[Numbers, Numbers]] = []
        still = 0
        while self._chunks and still < count:
            keys, times = self._chunks.popleft()
            self._count -= len(keys)
            valid = (used[keys] == times) & (places[keys] > 0)
            found.append((keys[valid], times[valid]))
            still += len(found[-1][0])
        if not found:
            return np.zeros(0, np.int64)
        keys, times = map(np.concatenate, zip(*found, strict=True))
        self._chunks.appendleft((keys, times))
        self._count += len(keys)
        return keys[:count]
