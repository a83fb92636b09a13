"""Which place in the pot each key has while rows come in, and which keys leave it.

Where every key finds room, a few array operations tell it for all rows together. Else rows are walked through one by
one, with whole numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import NOBODY, Flags, Numbers, Places, distinct, grown
from .recency import Queue, walked

# A key and a row's place share 64 bits.
ROW_BITS = 32
ROW = (1 << ROW_BITS) - 1
FEWEST_QUEUED = 1 << 17


@dataclass(frozen=True, slots=True)
class Leaving:
    """Keys that leave, in order, and the places that they had. A key may leave more than once."""

    keys: Numbers
    places: Places


NOT_ONE = Leaving(np.zeros(0, np.int64), np.zeros(0, np.int64))


class Turnover:
    """Keys and places are both numbers; those of places are used again."""

    __slots__ = ("_capacity", "_clock", "_counts", "_flush", "_free", "_places", "_queue", "_used", "size")

    def __init__(self, capacity: int, flush: int) -> None:
        self._capacity = capacity
        self._flush = flush
        self._places = np.zeros(0, np.int64)  # by key, from 1; 0 is none
        self._used = np.zeros(0, np.int64)  # by key, when last
        self._counts = np.zeros(0, np.int64)  # by key, values since it came in
        self._clock = 0
        self._free = Free()
        self._queue: Queue | None = None
        self.size = 0

    def place(self, key: int) -> int:
        """The place of a key, or `NOBODY`."""
        return int(self._places[key]) - 1 if 0 <= key < len(self._places) else NOBODY

    def keys(self) -> Numbers:
        """All keys in the pot, the one that was used least recently first."""
        there = np.flatnonzero(self._places)
        return there[np.argsort(self._used[there])]

    def use(self, keys: Numbers) -> tuple[Places, Leaving]:
        """The place of each row's value, and who leaves meanwhile."""
        self._reserve(int(keys.max(initial=-1)) + 1)
        places = self._places[keys]
        fresh = distinct(keys[places == 0]) if places.min(initial=1) == 0 else keys[:0]
        if self._flush == 0 and self.size + len(fresh) <= self._capacity:
            return self._calm(keys, places, fresh), NOT_ONE
        return self._busy(keys)

    def leave(self) -> Leaving:
        """All keys leave."""
        keys = self.keys()
        leaving = Leaving(keys, self._places[keys] - 1)
        self._places[keys] = 0
        self.size = 0
        return leaving

    def release(self, places: Places) -> None:
        """Places that nobody is at any more."""
        self._free.give(places)

    def renumber(self, keys: Numbers) -> None:
        """The keys in the pot, in order of use, get numbers from 0 on."""
        self._places, self._used, self._counts = self._places[keys], self._used[keys], self._counts[keys]
        self._queue = None if self._queue is None else Queue(np.arange(len(keys)), self._used)

    def _reserve(self, count: int) -> None:
        self._places = grown(self._places, count)
        self._used = grown(self._used, count)
        self._counts = grown(self._counts, count)

    def _calm(self, keys: Numbers, places: Places, fresh: Numbers) -> Places:
        """Where every key finds room; `places` is from 1, as they were."""
        if len(fresh):
            self._places[fresh] = self._free.take(len(fresh)) + 1
            self.size += len(fresh)
            places = self._places[keys]
        times = self._times(len(keys))
        # Of several values for one key, the last one stays.
        self._used[keys] = times
        if self._queue is not None:
            last = self._used[keys] == times
            self._queue.push(keys[last], times[last])
        places -= 1
        return places

    def _times(self, count: int) -> Numbers:
        self._clock += count
        return np.arange(self._clock - count, self._clock)

    def _busy(self, keys: Numbers) -> tuple[Places, Leaving]:
        heads = self._heads(keys)
        uses, count = np.concatenate((heads, keys)), len(heads)
        order = np.sort(uses << ROW_BITS | np.arange(len(uses))) & ROW
        before = _before(uses, order).tolist()
        walk = walked(before, self._counts[heads].tolist(), self.size, self._capacity, self._flush)
        place = self._places_of_uses(uses, order, count, np.frombuffer(walk.is_new, np.bool_))
        there = np.flatnonzero(np.frombuffer(walk.is_there, np.bool_)[:-1])
        self._places[uses] = 0
        self._places[uses[there]] = place[there] + 1
        self._counts[uses[there]] = np.array(walk.counts, np.int64)[there]
        self.size += len(there) - count
        self._note(uses[there[there >= count]], self._times(len(keys))[there[there >= count] - count])
        leaving = np.array(walk.leaving, np.int64)
        return place[count:], Leaving(uses[leaving], place[leaving])

    def _places_of_uses(self, uses: Numbers, order: Numbers, heads: int, is_new: Flags) -> Places:
        """Uses of one key, from that by which it comes in to its last, are at one place."""
        begins = is_new[order] | (order < heads)
        first = order[begins]
        places = self._places[uses[first]] - 1
        places[first >= heads] = self._free.take(int((first >= heads).sum()))
        found = np.empty(len(uses), np.int64)
        found[order] = places[np.cumsum(begins) - 1]
        return found

    def _note(self, keys: Numbers, times: Numbers) -> None:
        self._used[keys] = times
        if self._queue is not None:
            self._queue.push(keys, times)

    def _heads(self, keys: Numbers) -> Numbers:
        """The pot's keys that matter to so many rows, in order of use: those that may have to leave, and the rows' own.

        Each row sends off one key, or uses one again, or neither.
        """
        if self._queue is None or len(self._queue) > 2 * self.size + FEWEST_QUEUED:
            there = self.keys()
            self._queue = Queue(there, self._used[there])
        heads = self._queue.oldest(len(keys), self._used, self._places)
        own = distinct(keys[self._places[keys] > 0])
        own = own[self._used[own] > self._used[heads].max(initial=-1)]
        return np.concatenate((heads, own[np.argsort(self._used[own])]))


def _before(uses: Numbers, order: Numbers) -> Numbers:
    """The use of the same key before each; their number where there is none."""
    of_key = uses[order]
    again = np.flatnonzero(of_key[1:] == of_key[:-1])
    before = np.full(len(uses), len(uses))
    before[order[again + 1]] = order[again]
    return before


class Free:
    """Places that are free; there are always more."""

    __slots__ = ("_free", "_next")

    def __init__(self) -> None:
        self._free = np.zeros(0, np.int64)
        self._next = 0

    def take(self, count: int) -> Places:
        used, self._free = self._free[:count], self._free[count:]
        more = count - len(used)
        self._next += more
        return np.concatenate((used, np.arange(self._next - more, self._next)))

    def give(self, places: Places) -> None:
        self._free = np.concatenate((self._free, places))
