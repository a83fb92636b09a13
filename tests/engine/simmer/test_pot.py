from __future__ import annotations

import math

import numpy as np
import pytest

from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.engine.simmer.envelope import as_text
from hailwhale_django.engine.simmer.heavy import Ranked
from hailwhale_django.engine.simmer.lines import MOST_LINE_BYTES
from hailwhale_django.engine.simmer.pot import Batch, Flushed, Pot
from hailwhale_django.engine.simmer.recipe import parse
from hailwhale_django.engine.simmer.tally import AS_THEY_ARE, Tally


class Table:
    """Where a pot's contents are laid out."""

    def __init__(self) -> None:
        self.flushed: list[Flushed] = []
        self.text = b""
        self.bad: list[tuple[int, bytes]] = []

    def pot(self, capacity: int = 5000, flush: int = 0, sorted: bool = False) -> Pot:
        return Pot(self.spill, self.refuse, capacity, flush, sorted)

    def spill(self, batch: Batch) -> None:
        assert len(batch) == len(list(batch)) > 0
        self.flushed += batch
        self.text += batch.lines(as_of=-math.inf)

    def refuse(self, number: int, line: bytes, error: InvalidInput) -> None:
        self.bad.append((number, line))

    @property
    def human(self) -> list[str]:
        columns = (line.split("\t") for line in self.text.decode("utf-8", "surrogateescape").splitlines())
        return [f"{key} {human}" for key, _, human in columns]


@pytest.fixture
def table() -> Table:
    return Table()


def simmered(table: Table, block: bytes, **options: int) -> list[str]:
    pot = table.pot(**options)
    pot.add(block)
    pot.finish()
    assert pot.keys == 0
    return table.human


def test_the_values_of_a_key_are_combined(table: Table) -> None:
    assert simmered(table, b"sum:x\t1\nmin:y\t3\nmin:y\t4\nsum:x\t2\nmin:y\t3\n") == ["sum:x 3", "min:y 3"]
    assert table.text == b"sum:x\t3\t3\nmin:y\t3\t3\n"


def test_at_the_end_what_was_used_least_recently_leaves_first(table: Table) -> None:
    assert simmered(table, b"sum:a\t1\nsum:b\t1\nsum:c\t1\nsum:a\t1\n") == ["sum:b 1", "sum:c 1", "sum:a 2"]


def test_a_key_too_many_sends_off_the_one_used_least_recently(table: Table) -> None:
    pot = table.pot(capacity=2)
    pot.add(b"sum:a\t1\nsum:b\t1\nsum:a\t1\nsum:c\t1\n")
    assert table.human == ["sum:b 1"]
    assert pot.keys == 2
    pot.add(b"sum:b\t5")
    assert table.human == ["sum:b 1", "sum:a 2"]


def test_a_pot_of_one(table: Table) -> None:
    assert simmered(table, b"sum:a\t1\nsum:a\t1\nsum:b\t1\nsum:a\t1\n", capacity=1) == ["sum:a 2", "sum:b 1", "sum:a 1"]


def test_a_key_is_flushed_with_so_many_values(table: Table) -> None:
    pot = table.pot(flush=2)
    pot.add(b"sum:a\t1\nsum:b\t1\nsum:a\t2\nsum:a\t4\n")
    assert table.human == ["sum:a 3"]
    pot.finish()
    assert table.human == ["sum:a 3", "sum:b 1", "sum:a 4"]


def test_with_one_value_at_a_time_everything_comes_through(table: Table) -> None:
    assert simmered(table, b"sum:a\t1\nsum:a\t2\n", flush=1) == ["sum:a 1", "sum:a 2"]


def test_a_key_that_was_flushed_leaves_room(table: Table) -> None:
    assert simmered(table, b"sum:a\t1\nsum:b\t1\nsum:b\t1\nsum:c\t1\n", capacity=2, flush=2) == [
        "sum:b 2",
        "sum:a 1",
        "sum:c 1",
    ]


def test_sorted_keys_leave_as_soon_as_another_follows(table: Table) -> None:
    pot = table.pot(sorted=True)
    pot.add(b"sum:a\t1\nsum:a\t1\nsum:b\t1\n")
    assert (table.human, pot.keys) == (["sum:a 2"], 1)


def test_a_bad_line_is_refused_by_its_number_and_no_other(table: Table) -> None:
    block = b"sum:x\t1\nsum:x\tone\n\nsum:x\t2\r\nsum:x\nzum:x\t1\nuv:x\t%%%AAAA\nsum:x\tnan\r\nsum:x\t4"
    pot = table.pot()
    pot.add(block)
    pot.finish()
    assert table.human == ["sum:x 7"]
    numbers = [number for number, _ in table.bad]
    assert numbers == [2, 3, 5, 6, 7, 8]
    assert table.bad[-1] == (8, b"sum:x\tnan")
    assert (pot.rows, pot.refused) == (9, 6)


def test_lines_are_numbered_over_all_blocks(table: Table) -> None:
    pot = table.pot()
    pot.add(b"sum:x\t1\nsum:x\t1\n")
    pot.add(b"")
    pot.add(b"sum:x\t?\n")
    assert table.bad == [(3, b"sum:x\t?")]


def test_a_bad_line_is_no_use_of_a_key(table: Table) -> None:
    assert simmered(table, b"sum:a\t1\nsum:b\t1\nsum:a\t?\nsum:c\t1\n", capacity=2) == ["sum:a 1", "sum:b 1", "sum:c 1"]


def test_asking_is_no_use_of_a_key(table: Table) -> None:
    pot = table.pot(capacity=2)
    pot.add(b"sum:a\t1\nsum:b\t1\nsum:a\t1\nsum:b\t1\n")
    found = pot.state("sum:a")
    assert found is not None
    aggregation, state = found
    assert aggregation.present(state) == "2"
    assert pot.state("sum:c") is None
    pot.add(b"sum:c\t1\n")
    assert table.human == ["sum:a 2"]


def test_only_two_columns_are_read(table: Table) -> None:
    assert simmered(table, b"sum:x\t1\t100\nsum:x\t2\t?\t?\n") == ["sum:x 3"]


def test_what_comes_out_may_go_in_again(table: Table) -> None:
    simmered(table, b"uv:x\ta\navg:x\t1\nuv:x\tb\navg:x\t2\n")
    again = Table()
    assert simmered(again, table.text + b"uv:x\tc\navg:x\t6\n") == ["uv:x 3", "avg:x 3"]


def test_bytes_that_are_no_text_come_out_as_they_came(table: Table) -> None:
    simmered(table, b"sum:\xff\t1\ntop:sum:x\t\xc3\x28:3\n")
    assert table.text.startswith(b"sum:\xff\t1\t1\n")
    assert table.text.endswith(b"\t\xc3\x28:3\n")
    assert table.flushed[0].key == "sum:\udcff"


def test_a_line_that_is_too_long_is_refused(table: Table) -> None:
    """Even where all of it that is too long is a human value, which nobody reads."""
    line = b"sum:x\t1\t" + b"9" * MOST_LINE_BYTES
    assert simmered(table, b"sum:x\t2\n" + line + b"\nsum:x\t3\n") == ["sum:x 5"]
    assert [number for number, _ in table.bad] == [2]


def test_who_raises_at_a_bad_line_stops_there() -> None:
    table = Table()

    def refuse(number: int, line: bytes, error: InvalidInput) -> None:
        raise error

    pot = Pot(table.spill, refuse)
    with pytest.raises(InvalidInput, match="'two'"):
        pot.add(b"sum:x\t1\nsum:y\t1\nsum:x\ttwo\nsum:x\t3\n")
    pot.finish()
    assert table.human == ["sum:x 1", "sum:y 1"]
    assert (pot.rows, pot.refused) == (3, 1)


def test_tallies_of_absurdly_many_values_are_refused_and_harm_nothing(table: Table) -> None:
    """A made-up machine value of 3 x 2^59 times the number 1, twice; and again inside a ranking."""
    aggregation = parse("pct50:x").aggregation
    tally = Tally(AS_THEY_ARE, np.array([1.0]), np.array([3 << 59]))
    ranking, items = parse("top:pct50:x").aggregation, Ranked({"a": tally})
    lines = [b"pct50:x\t1\n", b"pct50:x\t" + as_text(aggregation, tally).encode() + b"\n"]
    lines += [b"top:pct50:x\ta:1\n", b"top:pct50:x\t" + as_text(ranking, items).encode() + b"\n"]
    assert simmered(table, b"".join(lines + lines)) == [
        "pct50:x 1.0000152587890625",
        "top:pct50:x a:1.0000152587890625",
    ]
    assert [number for number, _ in table.bad] == [6, 8]
