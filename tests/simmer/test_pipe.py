"""simmer as a filter in a pipe: real processes, real pipes, real signals."""

from __future__ import annotations

import math
import os
import pty
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from hailwhale_django.engine.simmer.lines import MOST_LINE_BYTES
from hailwhale_django.engine.simmer.recipe import PARAMETERIZED, PLAIN, RANKINGS
from hailwhale_django.simmer.pipe import HELD_BYTES
from tests.simmer.kitchen import COMMAND, environment, running, simmer, tsv

MH_OF_THE_README = (
    "0FCC:2E1F:0DD7:0049:3BF3:10D4:6460:75D4:392B:07AF:2064:27F0:6931:6717:3A0A:16D9:122E:51C6:8632:64BD:"
    "0CAE:0D15:8357:39A5:2008:4ED7:5733:44F8:1F70:02F7:23D5:59AE:0ECB:8EE0:4E1C:0249:9804:610B:0DBD:0316"
)

EVERY_RECIPE = {
    "sum": "0.1 0.2 -7 1e16 1",
    "min": "3 4 -3",
    "max": "3 4 -3",
    "count": "a b a",
    "avg": "0.1 0.2 0.4",
    "var": "1 2 4",
    "std": "1 2 4",
    "first": "5:1 4:2 9:3",
    "last": "5:1 4:2 9:3",
    "uv": "a b a",
    "pct": "2 4 4 100",
    "hist": "1 2 3 4 5",
    "dcy": "1365187171:100 1365100771:100",
    "mh": "a b c",
    "fh4": "hello world temp:32",
    "top3:sum": "a:1 b:2 a:2 c:1 d:3",
    "bot3:sum": "a:1 b:2 a:2 c:1 d:3",
    "top2:uv": "a:x b:x b:y",
    "top2:pct95": "a:1 b:9",
}


# --- what the ancestor's README shows


def test_combines_the_values_of_each_key() -> None:
    rows = tsv("sum:x 1", "min:y 3", "min:y 4", "sum:x 2", "min:y 3")
    assert simmer(rows=rows).lines == [b"sum:x\t3\t3", b"min:y\t3\t3"]


@pytest.mark.parametrize(
    ("rows", "human"),
    [
        ("sum:x 1,sum:x 2,sum:x 3", "6"),
        ("min:x 1,min:x 2,min:x 1", "1"),
        ("max:x 1,max:x 2,max:x 2", "2"),
        ("uv:x a,uv:x b,uv:x a", "2"),
        ("pct50:x  2,pct50:x 4,pct50:x 4,pct50:x 100", "4.0000152587890625"),
        ("top3:sum:x a:1,top3:sum:x b:2,top3:sum:x a:2,top3:sum:x c:1,top3:sum:x d:3", "a:3,d:3,b:2"),
        ("bot3:sum:x a:1,bot3:sum:x b:2,bot3:sum:x a:2,bot3:sum:x c:1,bot3:sum:x d:3", "c:1,b:2,d:3"),
        ("mh40:x a,mh40:x b,mh40:x c", MH_OF_THE_README),
        (
            "fh4:x hello,fh4:x world,fh4:x temp:32",
            "0.0,0.0,-1.0,0.0,0.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,-32.0,0.0",
        ),
    ],
)
def test_samples_of_the_readme(rows: str, human: str) -> None:
    assert list(simmer(rows=tsv(*rows.split(","))).human.values()) == [human]


def test_signatures_have_64_hashes_by_default_and_begin_as_in_the_readme() -> None:
    human = simmer(rows=tsv("mh:x a", "mh:x b", "mh:x c")).human["mh:x"]
    assert human.startswith(MH_OF_THE_README)
    assert len(human.split(":")) == 64


def test_what_decays_is_told_as_of_the_next_midnight() -> None:
    begin = time.time()
    values = [1365187171, 1365100771, 1365014371]
    human = float(simmer(rows=tsv(*(f"dcy:x {at}:100" for at in values))).human["dcy:x"])
    told = [
        sum(100 * 2 ** (-(midnight - at) / 86_400) for at in values)
        for now in (begin, time.time())
        for midnight in [86_400 * (now // 86_400 + 1)]
    ]
    assert any(math.isclose(human, one, rel_tol=1e-9) for one in told)


def test_midnight_is_that_of_the_place() -> None:
    now = time.time()
    rows = tsv(f"dcy3600:x {now:.0f}:1")
    told = {float(simmer(rows=rows, TZ=zone).human["dcy3600:x"]) for zone in ("UTC", "Asia/Tokyo", "Asia/Kolkata")}
    assert len(told) == 3


def test_the_table_of_the_guide_names_every_recipe_and_its_samples_are_true() -> None:
    page = (Path(__file__).parents[2] / "docs/simmer.md").read_text()
    table = page.partition("| gives |\n")[2].partition("\n\n")[0].splitlines()[1:]
    rows = [[column.strip().strip("`") for column in line.split("|")[1:-1]] for line in table]
    assert {prefix for prefix, *_ in rows} == {*PLAIN, *PARAMETERIZED, *RANKINGS}
    keys = {prefix: f"{prefix}:sum:x" if prefix in RANKINGS else f"{prefix}:x" for prefix, *_ in rows}
    samples = [(keys[prefix], sample.split("` `"), gives) for prefix, _, _, sample, gives in rows if sample]
    human = simmer(rows="".join(f"{key}\t{value}\n" for key, values, _ in samples for value in values)).human
    for key, _, gives in samples:
        assert human[key] == gives or (gives.endswith("...") and human[key].startswith(gives[:-3]))


# --- its own output as input


@pytest.mark.parametrize(("recipe", "values"), EVERY_RECIPE.items())
def test_yesterdays_output_and_todays_rows_are_one_pass_over_both(recipe: str, values: str) -> None:
    rows = [f"{recipe}:x\t{value}\n" for value in values.split()]
    whole = simmer(rows="".join(rows)).out
    yesterday = simmer(rows="".join(rows[:2])).out
    assert simmer(rows=yesterday + "".join(rows[2:]).encode()).out == whole
    assert simmer(rows="".join(rows[2:]).encode() + yesterday).out == whole


def test_keys_are_separate_by_recipe_and_may_have_colons() -> None:
    rows = tsv("min:x 1", "max:x 1", "min:x 5", "max:x 5", "sum:a:b 2")
    assert simmer(rows=rows).human == {"min:x": "1", "max:x": "5", "sum:a:b": "2"}


# --- capacity and flush


def test_the_least_recently_used_key_makes_room() -> None:
    rows = tsv("sum:a 1", "sum:b 1", "sum:a 1", "sum:c 1", "sum:b 1")
    out = simmer("-c", "2", rows=rows).lines
    assert out == [b"sum:b\t1\t1", b"sum:a\t2\t2", b"sum:c\t1\t1", b"sum:b\t1\t1"]


def test_a_key_is_written_after_so_many_values() -> None:
    out = simmer("--flush", "2", rows=tsv("sum:a 1", "sum:b 5", "sum:a 2", "sum:a 4")).lines
    assert out == [b"sum:a\t3\t3", b"sum:b\t5\t5", b"sum:a\t4\t4"]


def test_flush_0_is_never() -> None:
    assert simmer("-f", "0", rows="sum:a\t1\n" * 1000).lines == [b"sum:a\t1000\t1000"]


def test_sorted_keys_are_written_as_they_end() -> None:
    with running("--sorted") as cooking:
        cooking.write(tsv("sum:a 1", "sum:a 2", "sum:b 5"))
        assert cooking.read_line() == b"sum:a\t3\t3\n"
        assert cooking.end().out == b"sum:b\t5\t5\n"


# --- as a combiner and reducer


def test_hadoop_streaming() -> None:
    rng = random.Random(1)
    splits = [[f"page{rng.randrange(40)}" for _ in range(500)] for _ in range(4)]
    mapped = [
        "".join(f"sum:{page}\t1\nuv:{page}\t{number % 7}\n" for number, page in enumerate(split)) for split in splits
    ]
    combined = b"".join(simmer("-c", "10", rows=rows).out for rows in mapped)
    shuffled = b"".join(sorted(combined.splitlines(keepends=True), key=lambda line: line.split(b"\t")[0]))
    reduced = simmer("--sorted", rows=shuffled)
    sums = Counter(page for split in splits for page in split)
    uniques = {page: {n % 7 for split in splits for n, one in enumerate(split) if one == page} for page in sums}
    expected = {f"sum:{page}": str(count) for page, count in sums.items()}
    assert reduced.human == expected | {f"uv:{page}": str(len(seen)) for page, seen in uniques.items()}
    assert [line.split(b"\t")[0] for line in reduced.lines] == sorted(key.encode() for key in reduced.human)


# --- files


def test_files_are_read_one_after_the_other(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("sum:x\t1\nsum:x\t2")  # the last line has no end
    second.write_text("sum:x\t4\n")
    assert simmer(str(first), "-", str(second), rows="sum:x\t8\n").human == {"sum:x": "15"}


def test_a_file_that_is_not_there_is_told_and_the_others_count(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("sum:x\t1\n")
    done = simmer(str(tmp_path / "gone"), str(tmp_path), str(there), status=1)
    assert done.human == {"sum:x": "1"}
    assert "gone: cannot be read: No such file or directory" in done.err
    assert f"{tmp_path}: cannot be read: Is a directory" in done.err


def test_bad_lines_are_told_by_file_and_line(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("sum:x\t1\nsum:x\t2")
    second.write_text("sum:x\t4\nsum:x\tfour\n")
    assert f"{second}:2: value: 'four' will not do" in simmer(str(first), str(second), status=1).err


# --- bad lines


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"no tab", "a tab between them"),
        (b"", "a tab between them"),
        (b"sum:x\t", "give a finite number"),
        (b"sum:x\tNaN", "give a finite number"),
        (b"sum:x\t-inf", "give a finite number"),
        (b"sum:x\t1_000", "give a finite number"),
        (b"sum:x\t\xff", "give a finite number"),
        (b"sum:x\t" + b"9" * 1_000_000, "give a finite number"),
        (b"zum:x\t1", "unknown aggregation 'zum'"),
        (b"sum\t1", "a key is a recipe, a colon and a name"),
        (b"sum:\t1", "a key is a recipe, a colon and a name"),
        (b"sum5:x\t1", "sum has no parameter"),
        (b"uv99:x\t1", "from 4 to 21"),
        (b"pct101:x\t1", "from 0 to 100"),
        (b"uv" + b"9" * 5000 + b":x\t1", "at most 1,024 characters"),
        (b"top5:mh:x\ta:1", "say what number to rank by"),
        (b"top5:sum:x\t1", "give item:value"),
        (b"dcy:x\t1", "give timestamp:number"),
        (b"uv:x\t%%%notours", "machine value"),
        (b"uv:x\t%%%AQR1djEyAIr+gyQAAXox5aQ=", "checksum"),
        (b"sum:" + b"x" * 2000 + b"\t1", "at most 1,024 characters"),
        (b"uv:x\t" + b"a" * 5000, "at most 4,096 bytes"),
    ],
)
def test_bad_line_is_told_by_number_and_skipped(line: bytes, why: str) -> None:
    done = simmer(rows=b"sum:x\t1\n" + line + b"\nsum:x\t2\n", status=1)
    assert done.lines == [b"sum:x\t3\t3"]
    first, total = done.err.splitlines()
    assert first.startswith("simmer: line 2: ")
    assert why in first
    assert len(first) < 500
    assert total == "simmer: bad lines: 1 of 3"


def test_many_bad_lines_are_not_all_told() -> None:
    done = simmer(rows=b"bad\n" * 100_000 + b"sum:x\t1\n", status=1)
    assert done.human == {"sum:x": "1"}
    assert "simmer: bad lines: 100,000 of 100,001; 99," in done.err
    assert len(done.err.splitlines()) < 1000


def test_strict_stops_at_the_first_and_writes_what_came_before() -> None:
    done = simmer("--strict", rows=b"sum:x\t1\nsum:x\t2\nbad\nsum:x\t4\n" * 1000, status=1)
    assert done.lines == [b"sum:x\t3\t3"]
    assert "line 3:" in done.err
    assert "--strict" in done.err


def test_strict_with_nothing_to_find_is_as_always() -> None:
    assert simmer("--strict", rows=b"sum:x\t1\n" * 1000).lines == [b"sum:x\t1000\t1000"]


def test_lenient_is_the_default() -> None:
    rows = b"sum:x\t1\nbad\n"
    assert simmer("--lenient", rows=rows, status=1) == simmer(rows=rows, status=1)


def test_a_line_longer_than_any_may_be_is_told_and_no_other_is_lost() -> None:
    done = simmer(rows=b"sum:x\t1\nuv:x\t" + b"a" * 40_000_000 + b"\nsum:x\t2\n", status=1)
    assert done.human == {"sum:x": "3"}
    assert "line 2: line: b'uv:x" in done.err
    assert "bad lines: 1 of 3" in done.err


def test_what_is_held_of_a_line_is_more_than_a_line_may_have() -> None:
    assert HELD_BYTES > MOST_LINE_BYTES


def test_long_lines_count() -> None:
    rows = (b"count:x\t" + b"a" * 5_000_000 + b"\n") * 2
    assert simmer(rows=rows).human == {"count:x": "2"}


def test_bytes_that_are_no_text_come_out_as_they_came() -> None:
    done = simmer(rows=b"sum:caf\xe9\t1\nsum:caf\xe9\t2\ntop:sum:x\t\xff\xfe:3\n")
    assert done.lines[0] == b"sum:caf\xe9\t3\t3"
    assert done.lines[1].endswith(b"\t\xff\xfe:3")


def test_lines_may_end_as_on_windows_and_have_more_columns() -> None:
    assert simmer(rows=b"sum:x\t1\r\nsum:x\t2\tignored\tas well\r\n").human == {"sum:x": "3"}


def test_no_rows_are_no_output() -> None:
    done = simmer()
    assert (done.out, done.err) == (b"", "")


def test_an_aggregate_too_large_for_a_line_is_told_and_harms_no_other() -> None:
    rows = b"".join(b"fh16:x\tt%d:1e308\nfh16:x\tt%d:1e-308\n" % (number, number) for number in range(22_000))
    done = simmer(rows=b"sum:a\t1\n" + rows + b"sum:b\t1\n", status=1)
    assert done.human == {"sum:a": "1", "sum:b": "1"}
    assert "simmer: 'fh16:x' is lost: machine value: " in done.err


# --- as it goes


def test_slow_rows_are_answered_as_they_come() -> None:
    with running("-f", "1") as cooking:
        for number in range(3):
            cooking.write(f"sum:x\t{number}\n")
            assert cooking.read_line() == b"sum:x\t%d\t%d\n" % (number, number)
        done = cooking.end()
        assert (done.out, done.status) == (b"", 0)


def test_a_terminal_is_answered_and_ends_at_its_end() -> None:
    ours, theirs = pty.openpty()
    try:
        with running("-f", "2", stdin=theirs) as cooking:
            os.write(ours, b"sum:x\t1\nsum:x\t2\n")
            assert cooking.read_line() == b"sum:x\t3\t3\n"
            os.write(ours, b"sum:y\t1\n\x04")
            assert cooking.read_line() == b"sum:y\t1\t1\n"
            assert cooking.process.wait() == 0
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_writes_what_there_is_and_ends_by_that_signal(number: signal.Signals) -> None:
    with running("-f", "2") as cooking:
        cooking.write("sum:go\t1\nsum:go\t1\n")
        assert cooking.read_line() == b"sum:go\t2\t2\n"  # it is up, and all of these are read
        cooking.write("sum:x\t1\nsum:half\t1")
        done = cooking.end(number)
    assert done.status == -number
    assert done.lines in ([b"sum:x\t1\t1"], [])  # it may have come before the row; of half a row nothing is known


def test_a_signal_in_the_midst_of_a_flood_loses_no_row_that_was_read() -> None:
    with running("-f", "1000", "--stats") as cooking:
        writer = subprocess.Popen(["yes", "sum:x\t1"], stdout=cooking.process.stdin)
        try:
            first = cooking.read_line()
            done = cooking.end(signal.SIGTERM)
        finally:
            writer.kill()
            writer.wait()
    lines = [line.split(b"\t") for line in (first + done.out).splitlines()]
    assert {key for key, _, _ in lines} == {b"sum:x"}
    total = sum(int(human) for _, _, human in lines)
    assert f"simmer: lines: {total:,}\n" in done.err
    assert done.status == -signal.SIGTERM


def test_bad_lines_before_a_signal_are_told_by_the_status() -> None:
    with running("-f", "1") as cooking:
        cooking.write("bad\nsum:x\t1\n")
        cooking.read_line()
        assert cooking.end(signal.SIGTERM).status == 1


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    with running("-f", "1") as cooking:
        writer = subprocess.Popen(["yes", "sum:x\t1"], stdout=cooking.process.stdin, stderr=subprocess.DEVNULL)
        try:
            assert cooking.read_line() == b"sum:x\t1\t1\n"
            assert cooking.process.stdout
            cooking.process.stdout.close()
            assert cooking.process.wait() == -signal.SIGPIPE
        finally:
            writer.kill()
            writer.wait()
        cooking._listener.join()
        assert cooking.said == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_is_told() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            COMMAND, input=b"sum:x\t1\n", stdout=full, stderr=subprocess.PIPE, env=environment(), check=False
        )
    assert (done.returncode, done.stderr) == (1, b"simmer: cannot write: No space left on device\n")


def test_every_so_often_all_is_written() -> None:
    with running("--every", "0.01") as cooking:
        cooking.write("sum:x\t1\n")
        assert cooking.read_line() == b"sum:x\t1\t1\n"
        cooking.write("sum:x\t2\n")
        assert cooking.read_line() == b"sum:x\t2\t2\n"
        assert cooking.end().out == b""


def test_progress_is_told_while_rows_come() -> None:
    with running("--progress") as cooking:
        cooking.write("sum:x\t1\n" * 3)
        assert cooking.heard(r"simmer: (3 lines), [0-9,]+ a second")
        assert cooking.end().human == {"sum:x": "3"}


def test_statistics_are_told_at_the_end() -> None:
    done = simmer("--stats", "-c", "1", rows="sum:x\t1\nsum:y\t1\nbad\n", status=1)
    said = dict(line.removeprefix("simmer: ").split(": ") for line in done.err.splitlines() if line.count(": ") == 2)
    assert said.pop("seconds")
    assert said == {"lines": "3", "bad lines": "1 of 3", "keys in memory": "0", "keys written out": "2"}
