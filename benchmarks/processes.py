"""Whole processes, from start to end: what they took of the processors, of time and of memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.effort import Effort

MOST_ROUNDS = 3
# The system tells memory in these.
KILOBYTE = 1024
MEGABYTE = 1_000_000


class Program(NamedTuple):
    """What is run with the rows as its stdin."""

    name: str
    command: Sequence[str]


@dataclass(slots=True)
class Usage:
    """Of each run; what counts is the least."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)


def run(program: Program, rows: Path, answers: Path, usage: Usage) -> None:
    """Raises `CalledProcessError` if it fails."""
    with rows.open("rb") as stdin, answers.open("wb") as stdout:
        begin = time.perf_counter()
        process = subprocess.Popen(program.command, stdin=stdin, stdout=stdout)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        usage.wall.append(time.perf_counter() - begin)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(program.command))
    usage.cpu.append(used.ru_utime + used.ru_stime)
    usage.megabytes.append(used.ru_maxrss * KILOBYTE / MEGABYTE)


def race(programs: Sequence[Program], rows: Path, directory: Path, effort: Effort) -> dict[str, Usage]:
    """Each in turn, round by round. Their last answers are in the directory, by name."""
    usages = {program.name: Usage() for program in programs}
    for _ in range(min(effort.rounds, MOST_ROUNDS)):
        for program in programs:
            run(program, rows, answers_of(directory, program.name), usages[program.name])
    return usages


def answers_of(directory: Path, name: str) -> Path:
    return directory / f"{name}.answers".replace("/", " ")
