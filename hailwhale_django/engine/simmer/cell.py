"""A cell: the states of one key, one behind the other, as they came. To add to it is to append to it.

    cell      one or more parts
    part      version (1), the body's length (3, little-endian), the body, a checksum (4, little-endian)

Whoever writes needs not know what is there, so nobody waits for anybody; whoever reads merges the parts, which any
order and any tree of merges does alike. When there are many, they are merged into one (`store/sketches.py`).

The checksum is the CRC-32 of the aggregation's kind and of all before it. 8 bytes come on top of each body. As with
envelopes, damaged bytes are found, and nothing larger than a small multiple of what is there is made of any.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar
from zlib import crc32

from ..errors import InvalidInput, TooLarge
from .aggregation import Aggregation
from .wire import malformed

VERSION = 1
HEAD_BYTES = CHECKSUM_BYTES = 4
MOST_BODY_BYTES = (1 << 24) - 1

State = TypeVar("State")


def part(aggregation: Aggregation[State], state: State) -> bytes:
    """A state as it is appended to a cell."""
    body = aggregation.dump(state)
    if len(body) > MOST_BODY_BYTES:
        raise TooLarge("machine value", body[:80], f"it has at most {MOST_BODY_BYTES:,} bytes, not {len(body):,}")
    framed = bytes([VERSION]) + len(body).to_bytes(3, "little") + body
    return framed + crc32(framed, _seed(aggregation.kind)).to_bytes(CHECKSUM_BYTES, "little")


def readable_part(aggregation: Aggregation[State], state: State) -> bytes:
    """The same, once it is known that it can be read again. Raises `InvalidInput` for a state beyond what is read.

    No values come to one; machine values that somebody made up may.
    """
    made = part(aggregation, state)
    aggregation.load(made[HEAD_BYTES:-CHECKSUM_BYTES])
    return made


def bodies(aggregation: Aggregation[State], cell: bytes) -> list[bytes]:
    """The bodies of a cell's parts. Raises `InvalidInput` for damaged ones."""
    found = []
    seed = _seed(aggregation.kind)
    begin = 0
    while begin < len(cell):
        body = begin + HEAD_BYTES
        end = body + int.from_bytes(cell[begin + 1 : body], "little")
        checksum = cell[end : end + CHECKSUM_BYTES]
        if cell[begin] != VERSION:
            raise InvalidInput("sketch", cell, f"it is of version {cell[begin]}, and this reads {VERSION}")
        if len(checksum) < CHECKSUM_BYTES or crc32(cell[begin:end], seed) != int.from_bytes(checksum, "little"):
            raise malformed(cell, "its checksum is another")
        found.append(cell[body:end])
        begin = end + CHECKSUM_BYTES
    return found


def part_begins(cell: bytes) -> list[int]:
    """Where the parts of a cell begin, as far as their lengths can be believed."""
    found = []
    begin = 0
    while begin < len(cell):
        found.append(begin)
        begin += HEAD_BYTES + int.from_bytes(cell[begin + 1 : begin + HEAD_BYTES], "little") + CHECKSUM_BYTES
    return found


@lru_cache(maxsize=1024)
def _seed(kind: str) -> int:
    return crc32(kind.encode("ascii"))
