"""Events as lines: what is written is read as it was, and nothing else makes more than an error."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.event import END_OF_TIME, MAX_UNITS, Event
from hailwhale_django.engine.domain.line import REMEMBERED_BYTES, read_line, write_line
from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.errors import HailWhaleError, InvalidInput

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=63)
paths = st.lists(names, min_size=1, max_size=8).map(Path)
metric_names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=63)
events = st.builds(
    Event,
    pk=paths,
    dimensions=st.lists(paths, max_size=5, unique=True).map(tuple),
    metrics=st.dictionaries(metric_names, st.integers(-MAX_UNITS, MAX_UNITS), max_size=5).map(
        lambda units: tuple(units.items())
    ),
    at=st.floats(0, END_OF_TIME, exclude_min=True, exclude_max=True, allow_subnormal=False),
    samples=st.dictionaries(
        st.sampled_from(["uv:visitor", "uv14:visitor", "count:\u00e9 \t".strip(), "mh:set"]),
        st.lists(st.text(max_size=63), min_size=1, max_size=3).map(tuple),
        max_size=3,
    ).map(lambda values: tuple(values.items())),
)
GOOD = Event(Path(("shop",)), (Path(("a\n\t", "b")),), (("hits", 1_000_000),), 1795328057.25)


@given(events)
def test_what_is_written_is_read_as_it_was(event: Event) -> None:
    line = write_line(event)
    assert line.isascii() and "\n" not in line
    assert read_line(line.encode()) == event


def test_long_lines_are_read_as_short_ones_are() -> None:
    long = GOOD._replace(
        dimensions=tuple(Path((f"{n:0200d}",)) for n in range(5)), metrics=tuple((f"{n:0200d}", n) for n in range(5))
    )
    line = write_line(long)
    assert len(line) > 3 * REMEMBERED_BYTES
    assert read_line(line.encode()) == long


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\t\t",
        '1\t[["shop"]]',
        '1\t[["shop"]]\t{}\t',
        '-1\t[["shop"]]\t{}',
        'nan\t[["shop"]]\t{}',
        'inf\t[["shop"]]\t{}',
        '1e400\t[["shop"]]\t{}',
        f'{END_OF_TIME}\t[["shop"]]\t{{}}',
        "1\t[]\t{}",
        "1\t[[]]\t{}",
        '1\t[[""]]\t{}',
        '1\t["shop"]\t{}',
        "1\t[[5]]\t{}",
        '1\t[["\\ud800"]]\t{}',
        '1\t[["' + "x" * 256 + '"]]\t{}',
        "1\t" + "[" * 100_000 + "\t{}",
        '1\t[["a","b","c","d","e","f","g","h","i"]]\t{}',
        '1\t[["shop"]]\t[]',
        '1\t[["shop"]]\t{"a":1.0}',
        '1\t[["shop"]]\t{"a":true}',
        '1\t[["shop"]]\t{"a":NaN}',
        '1\t[["shop"]]\t{"\\n":1}',
        '1\t[["shop"]]\t{"":1}',
        '1\t[["shop"]]\t{"a":9223372036854775808}',
        '1\t[["shop"]]\t{"a":' + "9" * 5000 + "}",
    ],
)
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(InvalidInput, match="this is no event of the hail|line|at|dimension|metrics"):
        read_line(line.encode())


@given(st.binary(max_size=200))
@example(b"1\t\xff\xfe[\x00\t{}")
def test_any_bytes_are_an_event_or_an_error(line: bytes) -> None:
    read_or_refused(line)


@given(st.integers(0, 200), st.binary(max_size=3), st.integers(0, 3))
def test_any_damage_to_an_event_is_an_event_or_an_error(at: int, put: bytes, left_out: int) -> None:
    line = write_line(GOOD).encode()
    read_or_refused(line[:at] + put + line[at + left_out :])


def read_or_refused(line: bytes) -> None:
    try:
        event = read_line(line)
    except HailWhaleError as error:
        assert str(error)
    else:
        assert read_line(write_line(event).encode()) == event
