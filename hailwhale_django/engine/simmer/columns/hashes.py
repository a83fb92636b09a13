"""The hashes of `hashing`, of values where they stand in a block."""

from __future__ import annotations

import numpy as np

from ..arrays import Words
from ..blocks import WORD, Span
from ..hashing import BLOCK_BYTES, MOST_BYTES, finished, mixed
from ..unique import SEED


def hashes_of(values: Span) -> tuple[Words, Words]:
    """Both halves of the hash of each value that is not longer than what is hashed; of others, of its beginning."""
    lengths = np.minimum(values.length, MOST_BYTES)
    blocks = lengths // BLOCK_BYTES
    h1 = np.full(len(values), SEED, np.uint64)
    h2 = h1.copy()
    most = int(blocks.max(initial=0))
    left = np.flatnonzero(blocks)
    for block in range(most):
        left = left[blocks[left] > block]
        at = values.begin[left] + block * BLOCK_BYTES
        h1[left], h2[left] = mixed(h1[left], h2[left], values.text.words(at), values.text.words(at + WORD))
    tails = Span(values.text, values.begin + blocks * BLOCK_BYTES, lengths - blocks * BLOCK_BYTES)
    upper = tails.words(1) if tails.length.max(initial=0) > WORD else np.zeros(len(values), np.uint64)
    return finished(h1, h2, tails.words(0), upper, lengths)
