"""Lines of statsd as rows."""

from __future__ import annotations

import random

import pytest

from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.simmer.statsd import Gauges, Metric, Translator, parse


def translated(*lines: bytes, timers: tuple[str, ...] = ("pct95",), capacity: int = 5) -> tuple[list[str], list[str]]:
    """The rows of lines, with tabs as they are written in a README; and what was refused."""
    refused: list[str] = []
    translator = Translator(timers, lambda line, why: refused.append(str(why)), capacity)
    rows = translator.rows(b"\n".join(lines) + b"\n")
    return [row for row in rows.decode("utf-8", "surrogateescape").replace("\t", " ").split("\n") if row], refused


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        (b"hits:1|c", ["sum:hits 1"]),
        (b"hits:-2.5|c", ["sum:hits -2.5"]),
        (b"hits:3|c|@0.1", ["sum:hits 30"]),
        (b"hits:1|m", ["sum:hits 1"]),
        (b"rt:320|ms", ["pct95:rt 320"]),
        (b"rt:320|ms|@0.1", ["pct95:rt 320"]),
        (b"rt:320|h", ["pct95:rt 320"]),
        (b"rt:320|d", ["pct95:rt 320"]),
        (b"rt:1:2:3|ms", ["pct95:rt 1", "pct95:rt 2", "pct95:rt 3"]),
        (b"users:a:b c|s", ["uv:users a:b c"]),
        (b"hits:1|c|#country:DE", ["sum:hits 1", "sum:hits,country=DE 1"]),
        (b"hits:1|c|@0.5|#urgent,a:b:c", ["sum:hits 2", "sum:hits,urgent 2", "sum:hits,a=b:c 2"]),
        (b"hits:1|c|#a:b,a:b,,", ["sum:hits 1", "sum:hits,a=b 1"]),
        (b"hits:1|c|#", ["sum:hits 1"]),
        (b"hits:1|c|c:container|T1700000000", ["sum:hits 1"]),
        (b"caf\xe9:1|c", ["sum:caf\udce9 1"]),
        (b"sum:x\t1|2", ["sum:x 1|2"]),
        (b" hits:1|c \r", ["sum:hits 1"]),
    ],
)
def test_line(line: bytes, rows: list[str]) -> None:
    assert translated(line) == (rows, [])
    assert translated(line, line) == (rows * 2, [])  # from memory


def test_a_timer_is_kept_as_all_that_was_asked_for() -> None:
    assert translated(b"rt:5|ms", timers=("count", "avg"))[0] == ["count:rt 5", "avg:rt 5"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"hello", "send key<tab>value"),
        (b"hits:1", "send key<tab>value"),
        (b":1|ms", "send key<tab>value"),
        (b"a|b:1|c", "send key<tab>value"),
        (b"hits:1|x", "statsd's types are"),
        (b"hits:1|", "statsd's types are"),
        (b"_e{5,4}:title|text", "statsd's types are"),
        (b"_sc|db|0", "send key<tab>value"),
        (b"hits:1|c|@0", "a sample rate"),
        (b"hits:1|c|@-1", "a sample rate"),
        (b"hits:1|c|@2", "a sample rate"),
        (b"hits:1|c|@nan", "give a finite number"),
        (b"hits:1|c|@", "give a finite number"),
        (b"hits:1e308|c|@0.1", "too large for a double"),
        (b"hits:one|c|@0.1", "give a finite number"),
        (b"load:much|g", "give a finite number"),
        (b"hits:1|c|#" + b",".join(b"t%d" % number for number in range(33)), "at most 32"),
        (b"hits:1|c|#" + b"x" * 10_000, "at most 8,192 bytes"),
    ],
)
def test_refused(line: bytes, why: str) -> None:
    rows, refused = translated(line, b"hits:1|c")
    assert rows == ["sum:hits 1"]
    assert len(refused) == 1
    assert why in refused[0]


def test_lines_and_rows_may_be_mixed_and_empty_lines_are_none() -> None:
    assert translated(b"hits:1|c", b"", b"uv:x\ta|b", b"  ", b"hits:2|c")[0] == ["sum:hits 1", "uv:x a|b", "sum:hits 2"]


def test_a_block_of_plain_counters_is_as_its_lines() -> None:
    rng = random.Random(4)
    lines = [f"page{rng.randrange(9)}.{rng.choice('aé')}:{rng.randrange(-5, 5)}|c".encode() for _ in range(100)]
    alone = [row for line in lines for row in translated(line, b"load:1|g")[0] if not row.startswith("last:")]
    assert translated(*lines) == (alone, [])


def test_a_name_that_is_a_recipe_makes_no_row_of_statsd() -> None:
    assert translated(b"sum:1|c|#a:b", b"sum:x\t1|c|#a:b")[0] == ["sum:sum 1", "sum:sum,a=b 1", "sum:x 1|c|#a:b"]


def test_gauges_are_the_last_value_and_a_sign_adds_to_it() -> None:
    gauges, load = Gauges(10), Metric("load", ["0"], "g")
    told = [gauges.stamped(load, given, 1700000000.0) for given in ("5", "+3", "-10", "2")]
    assert told == ["1700000000.000000:5", "1700000000.000001:8", "1700000000.000002:-2", "1700000000.000003:2"]
    assert gauges.stamped(load, "1", 1700000009.5) == "1700000009.500000:1"


def test_gauges_differ_by_name_and_tags_and_begin_at_0() -> None:
    gauges = Gauges(10)
    gauges.stamped(Metric("load", [], "g"), "5", 1.0)
    assert gauges.stamped(Metric("load", [], "g", tags=[("host", "a")]), "+1", 2.0).endswith(":1")
    assert gauges.stamped(Metric("idle", [], "g"), "-1", 2.0).endswith(":-1")


def test_as_many_gauges_are_known_as_there_is_room_for() -> None:
    gauges = Gauges(2)
    for name in ("a", "b", "a", "c"):
        gauges.stamped(Metric(name, [], "g"), "5", 1.0)
    assert gauges.stamped(Metric("a", [], "g"), "+1", 1.0).endswith(":6")
    assert gauges.stamped(Metric("b", [], "g"), "+1", 1.0).endswith(":1")


def test_anything_may_come() -> None:
    rng = random.Random(1)
    parts = [
        b":",
        b"|",
        b"@",
        b"#",
        b",",
        b"c",
        b"ms",
        b"g",
        b"s",
        b"1",
        b"-",
        b"\xff",
        b"\0",
        b"e9",
        b"\r",
        b" ",
        b"a",
    ]
    lines = [b"".join(rng.choices(parts, k=rng.randrange(1, 15))) for _ in range(20_000)]
    rows, refused = translated(*lines)
    assert refused
    assert all(row.partition(" ")[0].partition(":")[0] in ("sum", "pct95", "last", "uv") for row in rows)
    for line in lines:
        try:
            parse(line)
        except InvalidInput:
            continue
