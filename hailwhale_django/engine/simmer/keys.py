"""Keys as numbers: which of the known keys each line has, found for all lines at once.

A table of open addressing by a hash of 64 bits; what the hash finds is compared byte by byte, so keys that share a hash
are only slower to find. Keys of more than `LONGEST_WORDS` words are looked up in a dictionary, one by one.

Memory: some 60 bytes a key besides its own, of which it has 16 at least. Keys are remembered until `keep` says which
are still in use.
Fails: the hash has no secret, so that keys can be made up that all share it; to find one of n takes n steps, then.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .aggregation import Aggregation
from .arrays import EVERY, NOBODY, Flags, Index, Numbers, Places, Words, grown
from .blocks import WORD, Block, Span
from .cookbook import Cookbook
from .recipe import MOST_CHARACTERS

Sizes = NDArray[np.int64] | NDArray[np.int32]

# A key's spelling has at least so many, which are compared without a look at how long the key is.
FEWEST_WORDS = 2
LONGEST_WORDS = 16
# A key has at most so many characters, and a character at most four bytes.
MOST_KEY_BYTES = 4 * MOST_CHARACTERS
FIRST_ROOM = 1024
SLOTS_PER_KEY = 2

# 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, vol. 3, 6.4), and other odd numbers.
SPREAD = np.uint64(0x9E3779B97F4A7C15)
STEPS = [np.uint64(pow(0xBF58476D1CE4E5B9, number, 2**64)) for number in range(1, LONGEST_WORDS + 1)]


class Spelled:
    """The words of many short keys, [number, key], zero behind a key's end; and a hash of each."""

    __slots__ = ("hashes", "lengths", "words")

    def __init__(self, texts: Span) -> None:
        self.lengths = texts.length
        count = max(1, -(-int(self.lengths.max(initial=0)) // WORD))
        self.words = texts.first_words(count)
        # What other keys there are must not matter: a word of zeros adds nothing.
        self.hashes = self.lengths.view(np.uint64) * SPREAD
        for word, step in zip(self.words, STEPS, strict=False):
            mixed = word * step
            mixed ^= mixed >> np.uint64(32)
            self.hashes += mixed
        self.hashes *= SPREAD


class Keys:
    """Keys by number, from 0 on, as they were first seen."""

    __slots__ = ("_count", "_hashes", "_lengths", "_long", "_offsets", "_recipes", "_spelling", "_table", "recipes")

    def __init__(self) -> None:
        self.recipes = Cookbook()
        self._forget()

    def _forget(self) -> None:
        self._count = 0
        self._table = np.full(SLOTS_PER_KEY * FIRST_ROOM, NOBODY, np.int32)
        self._hashes = np.zeros(FIRST_ROOM, np.uint64)
        self._offsets = np.zeros(FIRST_ROOM + 1, np.int64)  # of words in the spelling; ends with the first free one
        self._lengths = np.zeros(FIRST_ROOM, np.int32)
        self._recipes = np.zeros(FIRST_ROOM, np.int32)
        self._spelling = np.zeros(2 * FIRST_ROOM + LONGEST_WORDS, np.uint64)
        self._long: dict[bytes, int] = {}

    def __len__(self) -> int:
        return self._count

    def recipe_of(self, keys: Numbers) -> Numbers:
        """The number of each key's recipe; `NOBODY` where the key has none."""
        return self._recipes[keys].astype(np.int64)

    def aggregation(self, key: int) -> Aggregation[Any]:
        return self.recipes.aggregations[int(self._recipes[key])]

    def find(self, texts: Span) -> Numbers:
        """The number of each key, new ones included; `NOBODY` for those that are too long for a key."""
        short = texts.length <= LONGEST_WORDS * WORD
        if short.all():
            return self._find(texts)
        found = np.full(len(texts), NOBODY)
        found[short] = self._find(texts[short])
        long = np.flatnonzero(~short & (texts.length <= MOST_KEY_BYTES))
        found[long] = [self._find_long(text) for text in texts[long].texts()]
        return found

    def get(self, key: bytes) -> int:
        """The number of a key, or `NOBODY`."""
        if len(key) > LONGEST_WORDS * WORD:
            return self._long.get(key, NOBODY)
        if b"\t" in key or b"\n" in key:
            return NOBODY
        texts = Block(key + b"\t\n").keys
        spelled = Spelled(texts)
        slot = int(self._slots(spelled.hashes)[0])
        while (found := int(self._table[slot])) != NOBODY:
            if self._same(np.array([found]), spelled, np.array([0]))[0]:
                return found
            slot = (slot + 1) & (len(self._table) - 1)
        return NOBODY

    def texts(self, keys: Numbers) -> list[bytes]:
        """How keys are spelled."""
        lengths = self._lengths[keys]
        count = max(1, -(-int(lengths.max(initial=0)) // WORD))
        if count > LONGEST_WORDS:
            return [self._text(key) for key in keys.tolist()]
        places = self._offsets[keys][:, np.newaxis] + np.arange(count)
        words = np.where(lengths[:, np.newaxis] > np.arange(count) * WORD, self._spelling[places], np.uint64(0))
        found: list[bytes] = words.view(f"S{count * WORD}").ravel().tolist()
        # Of bytes in an array, zeros at the end are not told.
        if sum(map(len, found)) != lengths.sum():
            return [text.ljust(length, b"\0") for text, length in zip(found, lengths.tolist(), strict=True)]
        return found

    def _text(self, key: int) -> bytes:
        begin, end = self._offsets[key : key + 2].tolist()
        return self._spelling[begin:end].tobytes()[: self._lengths[key]]

    def keep(self, keys: Numbers) -> None:
        """Forget all others; those kept are numbered anew, in the order given."""
        hashes, lengths, recipes = self._hashes[keys], self._lengths[keys], self.recipe_of(keys)
        counts = self._offsets[keys + 1] - self._offsets[keys]
        offsets = np.cumsum(counts) - counts
        places = np.repeat(self._offsets[keys] - offsets, counts) + np.arange(counts.sum())
        spelling = self._spelling[places]
        renumbered = dict(zip(keys.tolist(), range(len(keys)), strict=True)) if self._long else {}
        long = {text: renumbered[key] for text, key in self._long.items() if key in renumbered}
        recipes = self.recipes.keep(recipes)
        self._forget()
        self._add(hashes, lengths, counts, recipes)
        self._spelling[: len(spelling)] = spelling
        self._long = long
        self._settle(np.flatnonzero(self._lengths[: len(keys)] <= LONGEST_WORDS * WORD))

    def _find(self, texts: Span) -> Numbers:
        self._reserve(self._count + len(texts))
        spelled = Spelled(texts)
        slots = self._slots(spelled.hashes)
        found = self._table.take(slots).astype(np.int64)
        same = self._same(found, spelled, EVERY)
        if not same.all():
            left = np.flatnonzero(~same)
            self._look_further(texts, spelled, found, left, slots[left])
        return found

    def _look_further(self, texts: Span, spelled: Spelled, found: Numbers, left: Places, slots: Numbers) -> None:
        """For those keys that are left: in the next slots, or in the same, where it was nobody's."""
        mask = len(self._table) - 1
        while len(left):
            slots = (slots + (found[left] != NOBODY)) & mask
            numbers = self._table.take(slots).astype(np.int64)
            if (numbers == NOBODY).any():
                self._claim(texts, spelled, left, slots)
                numbers = self._table.take(slots).astype(np.int64)
            found[left] = numbers
            others = np.flatnonzero(~self._same(numbers, spelled, left))
            left, slots = left[others], slots[others]

    def _slots(self, hashes: Words) -> Numbers:
        """Where to begin to look: by the uppermost bits of a hash, which depend on all of what is hashed."""
        return (hashes >> np.uint64(65 - len(self._table).bit_length())).view(np.int64)

    def _same(self, keys: Numbers, spelled: Spelled, which: Index) -> Flags:
        """Whether each known key is spelled as what was looked up."""
        lengths, offsets = spelled.lengths[which], self._offsets.take(keys)
        same: Flags = self._lengths.take(keys) == lengths
        same &= keys != NOBODY
        for number, words in enumerate(spelled.words):
            equal = self._spelling[number:].take(offsets) == words[which]
            same &= equal if number < FEWEST_WORDS else equal | (lengths <= number * WORD)
        return same

    def _claim(self, texts: Span, spelled: Spelled, left: Places, slots: Numbers) -> None:
        """Give free slots to new keys. Of several that want the same, one gets it, and the others will look again."""
        wanted = np.flatnonzero(self._table[slots] == NOBODY)
        self._table[slots[wanted]] = wanted
        won = wanted[self._table[slots[wanted]] == wanted]
        winners = left[won]
        lengths = spelled.lengths[winners]
        counts = np.maximum(FEWEST_WORDS, -(-lengths // WORD))
        self._table[slots[won]] = self._count + np.arange(len(won))
        offsets = self._offsets[self._count] + np.cumsum(counts) - counts
        self._add(spelled.hashes[winners], lengths, counts, self.recipes.of(texts[winners], spelled.words[0][winners]))
        for number, words in enumerate(spelled.words):
            has = lengths > number * WORD if number else slice(None)
            self._spelling[offsets[has] + number] = words[winners[has]]

    def _add(self, hashes: Words, lengths: Sizes, counts: Sizes, recipes: Sizes) -> None:
        begin, end = self._count, self._count + len(hashes)
        self._reserve(end)
        self._hashes[begin:end] = hashes
        self._lengths[begin:end] = lengths
        self._recipes[begin:end] = recipes
        self._offsets[begin + 1 : end + 1] = self._offsets[begin] + np.cumsum(counts)
        self._spelling = grown(self._spelling, int(self._offsets[end]) + LONGEST_WORDS)
        self._count = end

    def _find_long(self, text: bytes) -> int:
        if text not in self._long:
            words = np.frombuffer(text.ljust(-(-len(text) // WORD) * WORD, b"\0"), "<u8")
            begin, self._long[text] = self._offsets[self._count], self._count
            recipe = self.recipes.of_text(text)
            self._add(np.zeros(1, np.uint64), np.array([len(text)]), np.array([len(words)]), np.array([recipe]))
            self._spelling[begin : begin + len(words)] = words
        return self._long[text]

    def _reserve(self, count: int) -> None:
        """Room for so many keys."""
        self._hashes = grown(self._hashes, count)
        self._lengths = grown(self._lengths, count)
        self._recipes = grown(self._recipes, count)
        self._offsets = grown(self._offsets, count + 1)
        if len(self._table) < SLOTS_PER_KEY * count:
            self._table = np.full(1 << (SLOTS_PER_KEY * count - 1).bit_length(), NOBODY, np.int32)
            self._settle(np.flatnonzero(self._lengths[: self._count] <= LONGEST_WORDS * WORD))

    def _settle(self, keys: Numbers) -> None:
        """Find each key a slot in a table that has none of them."""
        mask = len(self._table) - 1
        slots = self._slots(self._hashes[keys])
        while len(keys):
            free = self._table[slots] == NOBODY
            self._table[slots[free]] = keys[free]
            left = self._table[slots] != keys
            keys, slots = keys[left], (slots[left] + 1) & mask
