"""The hashes of `hashing`, of values where they stand in a block."""

from __future__ import annotations

import numpy as np

from ..arrays import Words
from ..blocks import WORD, Span
from ..hashing import BLOCK_BYTES, MOST_BYTES, finished, mixed
from ..unique import SEED

NOTHING = np.zeros(1, np.uint64)
BEGUN = np.full(1, SEED, np.uint64)


def hashes_of(values: Span) -> tuple[Words, Words]:
    """Both halves of the hash of each value that is not longer than what is hashed; of others, of its beginning."""
    longest = int(values.length.max(initial=0))
    if longest < BLOCK_BYTES:
        return finished(BEGUN, BEGUN, *_tails(values, longest), values.length)
    lengths = np.minimum(values.length, MOST_BYTES)
    blocks = lengths // BLOCK_BYTES
    h1, h2 = (np.full(len(values), SEED, np.uint64) for _ in range(2))
    left = np.flatnonzero(blocks)
    for block in range(int(blocks.max())):
        left = left[blocks[left] > block]
        runs = values.text.runs(values.begin[left] + block * BLOCK_BYTES)
        h1[left], h2[left] = mixed(h1[left], h2[left], next(runs), next(runs))
    tails = Span(values.text, values.begin + blocks * BLOCK_BYTES, lengths - blocks * BLOCK_BYTES)
    return finished(h1, h2, *_tails(tails, longest), lengths)


def _tails(values: Span, longest: int) -> tuple[Words, Words]:
    """Up to two words of each, if none is longer."""
    lower, *more = values.first_words(2 if longest > WORD else 1)
    return lower, more[0] if more else NOTHING
