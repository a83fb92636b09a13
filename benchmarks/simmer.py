"""simmer as a filter, beside what else one would reach for: whole processes, from start to end."""

from __future__ import annotations

import shutil
import sys
import tempfile
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from benchmarks import processes, streams
from benchmarks.effort import Effort
from benchmarks.processes import Program, Usage
from benchmarks.report import Column, Result, Table, Target
from benchmarks.streams import Rows

ROWS = 5_000_000
FEWEST_ROWS = 2_000
ALL_KEYS = 2_000_000
MOST_MEGABYTES = 120

OURS, ALL_AT_ONCE = "simmer", f"simmer -c {ALL_KEYS}"
MAWK, DATASKETCHES = "mawk", "datasketches, row by row"

AWK = '{ sums[$1] += $2 } END { for (key in sums) printf "%s\\t%d\\n", key, sums[key] }'
SUMMING = {"DuckDB": "duckdb_sum", "polars": "polars_sum", "Python's dict": "dict_sum"}
SKETCHING = {DATASKETCHES: "datasketches", "DuckDB": "duckdb_sketches", "polars": "polars_sketches"}
LIBRARIES = {"DuckDB": "duckdb", "polars": "polars", DATASKETCHES: "datasketches"}

# Of how many different values, 1.04/sqrt(2^12) is one standard error; nobody here has a worse one.
UNIQUE_ERROR = 6 * 0.0163
# KLL's own bound for its 200 is 1.65 % of the ranks, 99 times in 100.
RANK_ERROR = 0.05

Answers = dict[str, float]


class Case(NamedTuple):
    """Rows, the programs that take them, what is right, and how many times as fast as a peer ours have to be."""

    what: str
    rows: Rows
    programs: Sequence[Program]
    check: Callable[[Rows, Answers], None]
    peer: str
    needed: dict[str, float]


def run(effort: Effort) -> Result:
    count = effort.size(ROWS, FEWEST_ROWS)
    cases = (
        Case("sum, 1,000 keys", streams.sums(count), [_ours(), *_summing()], _check_sums, MAWK, {OURS: 1.0}),
        Case(
            "sum, keys by the million",
            streams.sums_of_many_keys(count),
            [_ours(), _ours(ALL_KEYS), *_summing()],
            _check_sums,
            MAWK,
            {OURS: 0.7, ALL_AT_ONCE: 1.5},
        ),
        Case("uv and pct", streams.visits(count), [_ours(), *_sketching()], _check_sketches, DATASKETCHES, {OURS: 3.0}),
    )
    result = Result()
    for case in cases:
        _measure(case, effort, result)
    return result


def _measure(case: Case, effort: Effort, result: Result) -> None:
    there = [program for program in case.programs if _is_there(program)]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        case.rows.write(directory / "rows")
        found = processes.race(there, directory / "rows", directory, effort)
        for program in there:
            case.check(case.rows, _read(processes.answers_of(directory, program.name)))
    result.tables.append(_table(case, found))
    result.targets += _targets(case, found)


def _table(case: Case, found: dict[str, Usage]) -> Table:
    times = f"x {case.peer.partition(',')[0]}"
    table = Table(
        f"{case.what}: {len(case.rows.keys):,} rows",
        [
            Column("program"),
            *(Column(name, ".2f") for name in ("cpu s", "wall s")),
            Column("MB", ".0f"),
            Column(times, ".2f"),
        ],
        notes=["The best of each; MB is the most memory at any time, and how many times the peer goes by cpu."],
    )
    for program in case.programs:
        usage = found.get(program.name)
        if usage is None:
            table.rows.append([f"{program.name} (missing)", None, None, None, None])
            continue
        times_peer = min(found[case.peer].cpu) / min(usage.cpu) if case.peer in found else None
        table.rows.append([program.name, min(usage.cpu), min(usage.wall), max(usage.megabytes), times_peer])
    return table


def _targets(case: Case, found: dict[str, Usage]) -> list[Target]:
    targets = [Target(f"MB for {case.what}", max(found[OURS].megabytes), MOST_MEGABYTES, at_most=True)]
    for name, times in case.needed.items() if case.peer in found else ():
        ratio = min(found[case.peer].cpu) / min(found[name].cpu)
        targets.append(Target(f"times {case.peer} by cpu, {case.what}: {name}", ratio, times))
    return targets


# -- programs ----------------------------------------------------------------------------------------------------------


def _ours(capacity: int | None = None) -> Program:
    options = ["-c", str(capacity)] if capacity else []
    return Program(" ".join([OURS, *options]), [sys.executable, "-m", "hailwhale_django.simmer", *options])


def _summing() -> list[Program]:
    awks = [Program(name, [name, "-F", "\t", AWK]) for name in (MAWK, "gawk")]
    datamash = Program("datamash -s", ["datamash", "-s", "-g", "1", "sum", "2"])
    return [*awks, datamash, *_rivals(SUMMING)]


def _sketching() -> list[Program]:
    return _rivals(SKETCHING)


def _rivals(names: dict[str, str]) -> list[Program]:
    return [Program(name, [sys.executable, "-m", "benchmarks.rivals", rival]) for name, rival in names.items()]


def _is_there(program: Program) -> bool:
    library = LIBRARIES.get(program.name)
    return shutil.which(program.command[0]) is not None and (library is None or find_spec(library) is not None)


# -- answers -----------------------------------------------------------------------------------------------------------


def _read(path: Path) -> Answers:
    """The last column of each key. What simmer lets go early comes in parts, which only sums do here."""
    answers: Answers = defaultdict(float)
    with path.open(encoding="ascii") as lines:
        for line in lines:
            key, *_, value = line.rstrip("\n").split("\t")
            answers[key] += float(value)
    return answers


def _check_sums(rows: Rows, answers: Answers) -> None:
    expected: Answers = defaultdict(float)
    for prefix, key, value in rows:
        expected[f"{prefix}:k{key}"] += value
    assert answers == expected


def _check_sketches(rows: Rows, answers: Answers) -> None:
    values: dict[str, list[float]] = defaultdict(list)
    visitors: dict[str, set[str]] = defaultdict(set)
    for prefix, key, value in rows:
        name = f"{prefix}:k{key}"
        if prefix == "uv":
            visitors[name].add(value)
        else:
            values[name].append(value)
    assert answers.keys() == values.keys() | visitors.keys()
    for name, found in visitors.items():
        assert abs(answers[name] - len(found)) <= max(1, UNIQUE_ERROR * len(found)), name
    for name, took in values.items():
        _check_rank(name, sorted(took), answers[name])


def _check_rank(name: str, ordered: list[float], answer: float) -> None:
    """Near the 95th percentile by rank, or by value within the 1 % that simmer tells."""
    allowed = RANK_ERROR * len(ordered) + 1
    rank = 0.95 * len(ordered)
    assert bisect_left(ordered, answer / 1.01) - allowed <= rank <= bisect_right(ordered, answer) + allowed, name
