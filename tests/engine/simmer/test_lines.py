"""Lines: the README's, output as input, and what of any bytes is refused."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.errors import InvalidInput, TooLarge
from hailwhale_django.engine.simmer.lines import MOST_LINE_BYTES, Row, read_row, read_state, write_line
from hailwhale_django.engine.simmer.recipe import parse
from tests.engine.simmer.samples import EXACT_KEYS, values_of

AS_OF = 1_000_086_400.0


def simmered(lines: Iterable[bytes]) -> list[bytes]:
    """What one line per key says of all."""
    states = {}
    for line in lines:
        row = read_row(line)
        aggregation, state = read_state(row)
        states[row.key] = aggregation.merge(states[row.key], state) if row.key in states else state
    return [write_line(key, parse(key).aggregation, state, AS_OF) for key, state in states.items()]


def test_the_readme() -> None:
    lines = [b"sum:x\t1\n", b"min:y\t3\n", b"min:y\t4\n", b"sum:x\t2\n", b"min:y\t3\n"]
    assert simmered(lines) == [b"sum:x\t3\t3\n", b"min:y\t3\t3\n"]


def test_output_is_input() -> None:
    assert simmered([b"sum:x\t3\t3\n", b"sum:x\t4\tand a human value that nobody reads\tand more\r\n"]) == [
        b"sum:x\t7\t7\n"
    ]


@given(
    rows=st.lists(EXACT_KEYS.flatmap(lambda recipe: st.tuples(st.just(f"{recipe}:x"), values_of(recipe))), max_size=30),
    cut=st.integers(0, 30),
)
def test_yesterdays_output_and_todays_input_are_one_pass(rows: list[tuple[str, str]], cut: int) -> None:
    rows = [(key, value.replace("\t", "").replace("\n", "").replace("\r", "")) for key, value in rows]
    rows = [(key, value) for key, value in rows if not value.startswith("%%%")]
    lines = [f"{key}\t{value}\n".encode("utf-8", "surrogateescape") for key, value in rows]
    human = [line.split(b"\t")[::2] for line in simmered(lines)]
    split = [line.split(b"\t")[::2] for line in simmered([*simmered(lines[:cut]), *lines[cut:]])]
    assert human == split


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (b"sum:x\t1", Row("sum:x", "1")),
        (b"sum:x\t1\r\n", Row("sum:x", "1")),
        (b"uv:x\t\t", Row("uv:x", "")),
        (b"uv:\xff\t\xc3\x28\t3", Row("uv:\udcff", "\udcc3(")),
    ],
)
def test_what_a_line_says(line: bytes, row: Row) -> None:
    assert read_row(line) == row


def test_bytes_that_are_no_text_come_out_as_they_came() -> None:
    assert simmered([b"top:sum:\xff\t\xc3\x28:3\n"])[0].split(b"\t")[::2] == [b"top:sum:\xff", b"\xc3\x28:3\n"]


@pytest.mark.parametrize("line", [b"", b"\n", b"sum:x", b"sum:x 1", b"sum:x\t", b"sum:x\tone", b"\t1", b"zum:x\t1"])
def test_a_bad_line_is_refused(line: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_state(read_row(line))


def test_a_line_that_is_too_long_is_refused() -> None:
    with pytest.raises(TooLarge, match="at most 12,582,912 bytes"):
        read_row(b"sum:x\t" + b"1" * MOST_LINE_BYTES)


@pytest.mark.parametrize("value", ["%%%", "%%%x", "%%%AAAA", "%%%AQVjb3VudAUAAAAA"])
def test_a_machine_value_that_is_none_is_no_raw_value(value: str) -> None:
    with pytest.raises(InvalidInput):
        read_state(Row("uv:x", value))


@given(line=st.binary(max_size=60) | st.binary(max_size=30).map(lambda value: b"top3:sum:x\t" + value))
def test_any_bytes_are_a_state_or_refused(line: bytes) -> None:
    try:
        aggregation, state = read_state(read_row(line))
    except InvalidInput:
        return
    assert write_line("x", aggregation, state)


def test_columns_and_lines_are_not_torn_by_what_is_in_them() -> None:
    aggregation = parse("top3:sum:x").aggregation
    line = write_line("top3:sum:x", aggregation, aggregation.prepare(["a\tb\nc:1"]))
    assert line.count(b"\t") == 2
    assert line.endswith(b"\ta b c:1\n")
