"""`python -m benchmarks [names] [--quick]`: run benchmarks, print their tables, write their JSON."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    counting,
    dashboard,
    decide,
    deciding,
    explain,
    explaining,
    geometry,
    growth,
    hail,
    http,
    memory,
    middleware,
    open_bandit,
    plot,
    ratio_table,
    report,
    servers,
    simmer,
    simmer_udp,
    sketches,
)
from benchmarks.effort import FULL, QUICK, Effort

BENCHMARKS: dict[str, Callable[[Effort], report.Result]] = {
    "ratio_table": ratio_table.run,
    "plot": plot.run,
    "counting": counting.run,
    "hail": hail.run,
    "http": http.run,
    "memory": memory.run,
    "growth": growth.run,
    "geometry": geometry.run,
    "middleware": middleware.run,
    "sketches": sketches.run,
    "dashboard": dashboard.run,
    "decide": decide.run,
    "simmer": simmer.run,
    "simmer_udp": simmer_udp.run,
    "open_bandit": open_bandit.run,
    "deciding": deciding.run,
    "explain": explain.run,
    "explaining": explaining.run,
}
RESULTS = Path(__file__).parent / "results"
LATEST = "latest.json"


def main(arguments: list[str] | None = None) -> None:
    """Run what is asked for, or everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"which to run: {', '.join(BENCHMARKS)} (default all)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size; to try things out, not to quote")
    parser.add_argument(
        "--json",
        type=Path,
        metavar="DIR",
        help=f"where to write {LATEST} (default {RESULTS.parent.name}/{RESULTS.name} after a full run, else nowhere)",
    )
    given = parser.parse_args(arguments)
    for name in given.names:
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark {name!r}; use {', '.join(BENCHMARKS)}")
    names = [name for name in BENCHMARKS if name in given.names or not given.names]
    directory = given.json or (None if given.quick or given.names else RESULTS)
    with servers.running_client() as client:
        facts = report.machine(client)
    print("\n".join(f"{name}: {fact}" for name, fact in facts.items()), flush=True)
    results = {}
    for name in names:
        begin = time.monotonic()
        results[name] = BENCHMARKS[name](QUICK if given.quick else FULL)
        print(f"\n=== {name} ({time.monotonic() - begin:.0f} s)\n\n{results[name]}", flush=True)
    if directory is not None:
        report.write(directory / LATEST, facts, results)
        print(f"\nWritten: {LATEST}")


if __name__ == "__main__":
    main()
