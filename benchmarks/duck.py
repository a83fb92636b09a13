"""DuckDB in process, over the rows of a daily rollup: day, child and one whole number for each metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

Rows = Callable[[], list[tuple[Any, ...]]]


def database(
    cells: NDArray[np.int64], names: Sequence[str], metrics: Sequence[str], now: float, threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """A database in memory with one table, in the order in which a rollup grows. `threads`: else all there are."""
    connection = duckdb.connect(config={"threads": threads} if threads else {})
    days, children, _ = cells.shape
    today = np.datetime64(_date(now).isoformat(), "s")
    given: dict[str, Any] = {
        "day": np.repeat(today - np.arange(days)[::-1] * np.timedelta64(86_400, "s"), children),
        "child": np.tile(np.array(names, dtype=object), days),
    }
    given |= {metric: np.ascontiguousarray(cells[:, :, at]).ravel() for at, metric in enumerate(metrics)}
    connection.register("given", given)
    columns = ", ".join(f"{metric} BIGINT" for metric in metrics)
    connection.execute(f"CREATE TABLE rollup (day DATE, child VARCHAR, {columns})")
    connection.execute("INSERT INTO rollup SELECT * FROM given")
    connection.unregister("given")
    return connection


def ratio_table(
    connection: duckdb.DuckDBPyConnection,
    metrics: Sequence[str],
    ratio: tuple[str, str],
    days: int,
    now: float,
    limit: int,
) -> Rows:
    """A prepared query: child, sums and ratio, best first."""
    sums = ", ".join(f"sum({metric})" for metric in metrics)
    numerator, denominator = ratio
    first, last = _dates(days, now)
    connection.execute(
        f"PREPARE ratio_table AS SELECT child, {sums}, sum({numerator}) / sum({denominator}) AS ratio FROM rollup "
        f"WHERE day BETWEEN $1 AND $2 GROUP BY child ORDER BY ratio DESC, child LIMIT {limit}"
    )
    return lambda: connection.execute(f"EXECUTE ratio_table(DATE '{first}', DATE '{last}')").fetchall()


def plot(connection: duckdb.DuckDBPyConnection, metric: str, child: str | None, days: int, now: float) -> Rows:
    """A prepared query: child, day and value, of one child or of all."""
    name = f"plot_{days}_{child or 'all'}"
    first, last = _dates(days, now)
    which = f"child = '{child}' AND" if child else ""
    connection.execute(
        f"PREPARE {name} AS SELECT child, day, {metric} FROM rollup WHERE {which} day BETWEEN $1 AND $2 "
        "ORDER BY child, day"
    )
    return lambda: connection.execute(f"EXECUTE {name}(DATE '{first}', DATE '{last}')").fetchall()


def _date(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def _dates(days: int, now: float) -> tuple[date, date]:
    return _date(now) - timedelta(days=days - 1), _date(now)
