"""However the input is cut into blocks, a pot does what it would have done row by row."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.engine.simmer import blocks, pot
from hailwhale_django.engine.simmer.columns import others, pending
from hailwhale_django.engine.simmer.lines import write_line
from hailwhale_django.engine.simmer.pot import Batch, Pot
from hailwhale_django.engine.simmer.recipe import parse
from tests.engine.simmer.one_by_one import Plainly
from tests.engine.simmer.samples import EXACT, RECIPES, values_of

AS_OF = 1_000_086_400.0

NAMES = st.sampled_from(
    ["x", "y", "z:1", "a longer name than one word or two", "long" * 40, "longer" * 200, "日本", "\udcff", "nul\0"]
)
WRONG = st.sampled_from(
    ["", "sum:x", "sum:x\t", "sum:x\tone", "zum:x\t1", "sum5:x\t1", ":\t1", "\t", "uv:\t1", "sum:x\tnan", "uv:x\t%%%"]
    + [
        "pct101:x\t1",
        "sum:a\rb\t1",
        "top:x\ta:1",
        "top:sum:x\ta",
        "max:x\t1_0",
        "dcy:x\t1",
        "uv:x\t%%%AAAA",
        "x" * 1100,
    ]
)
ENDS = st.sampled_from(["", "\r", "\r\r", "\tthree", "\tthree\tfour\r"])


def clean(text: str) -> str:
    return text.translate(str.maketrans("\t\n\r", "   "))


@st.composite
def rows(draw: st.DrawFn, recipes: Sequence[str]) -> str:
    recipe = draw(st.sampled_from(recipes))
    values = values_of(recipe).map(clean)
    key, value = f"{recipe}:{draw(NAMES)}", draw(values)
    if draw(st.integers(0, 5)) == 0:
        # Its own output is input, too.
        aggregation = parse(f"{recipe}:x").aggregation
        state = aggregation.prepare([*draw(st.lists(values, max_size=4)), value.replace("%%%", "")])
        return write_line(key, aggregation, state).decode("utf-8", "surrogateescape").rstrip("\n")
    return f"{key}\t{value}{draw(ENDS)}"


def lines(recipes: Sequence[str], most: int = 40) -> st.SearchStrategy[list[bytes]]:
    one = (
        rows(recipes)
        | rows(recipes)
        | rows(recipes)
        | WRONG
        | st.binary(max_size=20).map(lambda raw: raw.decode("latin-1"))
    )
    encoded = one.map(lambda row: row.replace("\n", " ").encode("utf-8", "surrogateescape") + b"\n")
    return st.lists(encoded, max_size=most)


def simmered(text: Sequence[bytes], capacity: int, flush: int, sorted: bool) -> tuple[bytes, list[int]]:
    out, bad = [], []

    def refuse(number: int, line: bytes, error: InvalidInput) -> None:
        bad.append(number)

    def spill(batch: Batch) -> None:
        assert len(batch) > 0
        one_by_one = b"".join(write_line(*flushed, AS_OF) for flushed in batch)
        assert batch.lines(AS_OF) == one_by_one
        out.append(one_by_one)

    simmering = Pot(spill, refuse, capacity, flush, sorted)
    for block in text:
        simmering.add(block)
        assert simmering.keys <= capacity
    simmering.finish()
    assert simmering.refused == len(bad)
    return b"".join(out), bad


def cut(text: list[bytes], lengths: list[int]) -> list[bytes]:
    blocks, at = [], 0
    for length in lengths:
        blocks.append(b"".join(text[at : at + length]))
        at += length
    return [*blocks, b"".join(text[at:])]


OPTIONS = {
    "capacity": st.integers(1, 8) | st.just(5000),
    "flush": st.sampled_from([0, 0, 1, 2, 3]),
    "sorted": st.booleans(),
    "lengths": st.lists(st.integers(0, 20), max_size=8),
}


@settings(max_examples=400)
@given(text=lines(RECIPES), **OPTIONS)
def test_blocks_do_not_show(text: list[bytes], capacity: int, flush: int, sorted: bool, lengths: list[int]) -> None:
    plainly = Plainly(capacity, flush, sorted, AS_OF)
    expected = plainly.simmer(b"".join(text))
    assert simmered(cut(text, lengths), capacity, flush, sorted) == (expected, plainly.bad)


@settings(max_examples=300)
@given(keys=st.lists(st.integers(0, 12), max_size=400), **OPTIONS)
def test_keys_come_and_go_as_row_by_row(
    keys: list[int], capacity: int, flush: int, sorted: bool, lengths: list[int]
) -> None:
    text = [b"sum:%d\t%d\n" % (key, row) for row, key in enumerate(keys)]
    lengths = [length * 8 for length in lengths]
    plainly = Plainly(capacity, flush, sorted, AS_OF)
    assert simmered(cut(text, lengths), capacity, flush, sorted)[0] == plainly.simmer(b"".join(text))


@settings(max_examples=200)
@given(text=lines(EXACT), **OPTIONS)
def test_yesterdays_output_and_todays_input_are_one_pass(
    text: list[bytes], capacity: int, flush: int, sorted: bool, lengths: list[int]
) -> None:
    yesterday, today = text[: len(text) // 2], text[len(text) // 2 :]
    kept = simmered([b"".join(yesterday)], capacity, flush, sorted)[0]
    assert humans(simmered([kept + b"".join(today)], 5000, 0, False)[0]) == humans(simmered(text, 5000, 0, False)[0])


def humans(text: bytes) -> set[tuple[bytes, bytes]]:
    columns = (line.split(b"\t") for line in text.splitlines())
    return {(key, human) for key, _, human in columns}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that what is done once in many rows is done with few."""
    monkeypatch.setattr(blocks, "SLICE_BYTES", 200)
    monkeypatch.setattr(pot, "MOST_STRANGERS", 3)
    monkeypatch.setattr(pending, "ENOUGH", 7)
    monkeypatch.setattr(pending, "MANY", 3)
    monkeypatch.setattr(others, "ENOUGH", 5)


@pytest.mark.usefixtures("small")
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=lines(RECIPES, most=80), **OPTIONS)
def test_what_is_done_now_and_then_does_not_show(
    text: list[bytes], capacity: int, flush: int, sorted: bool, lengths: list[int]
) -> None:
    plainly = Plainly(capacity, flush, sorted, AS_OF)
    assert simmered(cut(text, lengths), capacity, flush, sorted)[0] == plainly.simmer(b"".join(text))
