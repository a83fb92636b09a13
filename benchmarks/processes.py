"""Whole processes, from start to end: what they took of the processors, of time and of memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.effort import Effort

MOST_ROUNDS = 3
WEIGH = Path(__file__).with_name("weigh.py")


class Program(NamedTuple):
    """What is run with the rows as its stdin."""

    name: str
    command: Sequence[str]


@dataclass(slots=True)
class Usage:
    """Seconds and megabytes of each run."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)


def race(programs: Sequence[Program], rows: Path, directory: Path, effort: Effort) -> dict[str, Usage]:
    """Each in turn, round by round, until it took its time. Their last answers are in the directory, by name."""
    usages = {program.name: Usage() for program in programs}
    for _ in range(min(effort.rounds, MOST_ROUNDS)):
        for program in programs:
            usage = usages[program.name]
            if not usage.wall or sum(usage.wall) < 2 * effort.seconds:
                _run(program, rows, directory, usage)
    return usages


def answers_of(directory: Path, program: str) -> Path:
    return directory / f"{program}.answers"


def _run(program: Program, rows: Path, directory: Path, usage: Usage) -> None:
    """Raises `CalledProcessError` if it fails."""
    figures = directory / "figures"
    with rows.open("rb") as stdin, answers_of(directory, program.name).open("wb") as stdout:
        subprocess.run(
            [sys.executable, "-IS", WEIGH, figures, *program.command], stdin=stdin, stdout=stdout, check=True
        )
    cpu, wall, megabytes = map(float, figures.read_text(encoding="ascii").split())
    usage.cpu.append(cpu)
    usage.wall.append(wall)
    usage.megabytes.append(megabytes)
