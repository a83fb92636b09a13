"""The line format: TSV in (key and value), TSV out (key, machine value, human value).

    in    sum:x<TAB>1
    out   sum:x<TAB>3<TAB>3
          avg:x<TAB>%%%AQNhdmcA...<TAB>2.5

What goes out may come in again, mixed with raw values: only the first two columns are read, and a machine value is
known by its `%%%`. It is the plain value where one stands for the whole state, as with a sum.

Guarantee: whatever bytes a line is made of, reading it gives a key and a state, or `InvalidInput`, in time proportional
to its length. Bytes that are no UTF-8 come out as they came in.
Fails: a raw value cannot begin with `%%%`; it is refused rather than mistaken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInput, TooLarge
from .aggregation import AS_IT_STANDS, Aggregation
from .envelope import MOST_BYTES, as_text, from_text, is_machine_value
from .recipe import parse

# The longest machine value in base64, with as much again for its key and its human value, which nobody reads.
MOST_LINE_BYTES = 3 * MOST_BYTES

# What would end a column or a line, in an item that did not come from one.
ENDS = str.maketrans("\t\n\r", "   ")


@dataclass(frozen=True, slots=True)
class Row:
    """What a line says: a key, and a raw or machine value."""

    key: str
    value: str


def read_row(line: bytes) -> Row:
    """The first two columns of a line. Raises `InvalidInput`."""
    if len(line) > MOST_LINE_BYTES:
        raise TooLarge("line", line[:80], f"it has at most {MOST_LINE_BYTES:,} bytes")
    key, *rest = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape").split("\t", 2)
    if not rest:
        raise InvalidInput("line", line, "give a key and a value, with a tab between them")
    return Row(key, rest[0])


def read_state(row: Row) -> tuple[Aggregation[Any], Any]:
    """How the values of a row's key are combined, and the state that its value is. Raises `InvalidInput`."""
    aggregation = parse(row.key).aggregation
    if is_machine_value(row.value):
        return aggregation, from_text(aggregation, row.value)
    return aggregation, aggregation.prepare([row.value])


def write_line(key: str, aggregation: Aggregation[Any], state: Any, as_of: float = AS_IT_STANDS) -> bytes:
    """The three columns, with the line's end."""
    return f"{key}\t".encode("utf-8", "surrogateescape") + write_state(aggregation, state, as_of)


def write_state(aggregation: Aggregation[Any], state: Any, as_of: float = AS_IT_STANDS) -> bytes:
    """The columns behind the key, with the line's end."""
    plain = aggregation.plain(state)
    machine = as_text(aggregation, state) if plain is None else plain
    human = aggregation.present(state, as_of).translate(ENDS)
    return f"{machine}\t{human}\n".encode("utf-8", "surrogateescape")
