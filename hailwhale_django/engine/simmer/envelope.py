"""The machine value: the state of one aggregation in an envelope that says what it is.

    version   one byte
    kind      its length in one byte, then ASCII: what may be merged with it
    body      what the aggregation dumps
    checksum  CRC-32 of all before, four bytes, little-endian

As text it is `%%%` and base64, as in a line. 6 bytes and the kind come on top of the body.

Guarantee: loading never trusts. Bytes that were cut, changed or made up raise `InvalidInput`; nothing else happens, and
nothing larger than a small multiple of the bytes given is made. The checksum finds accidents, not malice: who may write
here may make up any state, but only such as some values would have given, and so none that crashes what reads it.
"""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar
from zlib import crc32

from ..errors import InvalidInput, TooLarge
from .aggregation import Aggregation
from .wire import malformed

VERSION = 1
MARK = "%%%"
# The largest state is that of 2^21 registers.
MOST_BYTES = 4 << 20

CHECKSUM_BYTES = 4

State = TypeVar("State")


def seal(aggregation: Aggregation[State], state: State) -> bytes:
    """Raises `TooLarge` for a state that could not be read again; none is, but `fh` of absurd numbers may be."""
    kind = aggregation.kind.encode("ascii")
    sealed = bytes([VERSION, len(kind)]) + kind + aggregation.dump(state)
    return _bounded(sealed + _checksum(sealed))


def unseal(aggregation: Aggregation[State], envelope: bytes) -> State:
    """The state in an envelope of the aggregation's kind. Raises `InvalidInput`."""
    _bounded(envelope)
    sealed, checksum = envelope[:-CHECKSUM_BYTES], envelope[-CHECKSUM_BYTES:]
    if len(sealed) < 2 or _checksum(sealed) != checksum:
        raise malformed(envelope, "its checksum is another")
    if sealed[0] != VERSION:
        raise InvalidInput("machine value", envelope, f"it is of version {sealed[0]}, and this reads {VERSION}")
    body_at = 2 + sealed[1]
    kind = sealed[2:body_at].decode("ascii", "replace")
    if kind != aggregation.kind:
        raise InvalidInput("machine value", envelope, f"it is of {kind!r}, and the key asks for {aggregation.kind!r}")
    return aggregation.load(sealed[body_at:])


def is_machine_value(text: str) -> bool:
    return text.startswith(MARK)


def as_text(aggregation: Aggregation[State], state: State) -> str:
    return MARK + base64.b64encode(seal(aggregation, state)).decode("ascii")


def from_text(aggregation: Aggregation[State], text: str) -> State:
    """The state of `%%%` and base64. Raises `InvalidInput`."""
    try:
        envelope = base64.b64decode(text.removeprefix(MARK), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("machine value", text, f"after {MARK} comes base64: {error}") from error
    return unseal(aggregation, envelope)


def _bounded(envelope: bytes) -> bytes:
    if len(envelope) > MOST_BYTES:
        raise TooLarge("machine value", envelope[:80], f"it has at most {MOST_BYTES:,} bytes, not {len(envelope):,}")
    return envelope


def _checksum(sealed: bytes) -> bytes:
    return crc32(sealed).to_bytes(CHECKSUM_BYTES, "little")
