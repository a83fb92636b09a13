"""Programs that do what simmer does, each in its own library's best way: `python -m benchmarks.rivals NAME < rows`.

They write a key and its value in each line. Nothing is imported but what a program needs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable


def dict_sum() -> None:
    sums: dict[bytes, int] = {}
    for line in sys.stdin.buffer:
        key, value = line.split(b"\t")
        sums[key] = sums.get(key, 0) + int(value)
    sys.stdout.buffer.writelines(b"%b\t%d\n" % pair for pair in sums.items())


def duckdb_sum() -> None:
    import duckdb

    query = f"SELECT key, sum(value) FROM {DUCKDB_ROWS.format(kind='BIGINT')} GROUP BY key"
    duckdb.sql(f"COPY ({query}) TO '/dev/stdout' (DELIMITER '\t', HEADER false)")


def polars_sum() -> None:
    import polars

    rows = polars.read_csv(sys.stdin.buffer, separator="\t", has_header=False, new_columns=["key", "value"])
    found = rows.group_by("key").agg(polars.col("value").sum())
    found.write_csv(sys.stdout.buffer, separator="\t", include_header=False)


def datasketches() -> None:
    """Row by row, since its HLL has no way to take many values at once."""
    from datasketches import hll_sketch, kll_doubles_sketch, tgt_hll_type

    unique: dict[str, hll_sketch] = {}
    percentile: dict[str, kll_doubles_sketch] = {}
    for line in sys.stdin:
        key, value = line.rstrip("\n").split("\t")
        if key.startswith("uv:"):
            seen = unique.get(key)
            if seen is None:
                seen = unique[key] = hll_sketch(12, tgt_hll_type.HLL_8)
            seen.update(value)
        else:
            values = percentile.get(key)
            if values is None:
                values = percentile[key] = kll_doubles_sketch(200)
            values.update(float(value))
    for key, seen in unique.items():
        print(key, seen.get_estimate(), sep="\t")
    for key, values in percentile.items():
        print(key, values.get_quantile(0.95), sep="\t")


def duckdb_sketches() -> None:
    import duckdb

    rows = DUCKDB_ROWS.format(kind="VARCHAR")
    unique = f"SELECT key, approx_count_distinct(value) FROM {rows} WHERE key LIKE 'uv:%' GROUP BY key"
    quantile = "approx_quantile(value::DOUBLE, 0.95)"
    percentile = f"SELECT key, {quantile} FROM {rows} WHERE key LIKE 'pct95:%' GROUP BY key"
    # Stdin can be read once.
    duckdb.sql(f"CREATE TABLE rows AS SELECT * FROM {rows}")
    for query in (unique, percentile):
        for key, value in duckdb.sql(query.replace(rows, "rows")).fetchall():
            print(key, value, sep="\t")


def polars_sketches() -> None:
    import polars

    columns = {"key": polars.String, "value": polars.String}
    rows = polars.read_csv(sys.stdin.buffer, separator="\t", has_header=False, schema=columns)
    is_unique = polars.col("key").str.starts_with("uv:")
    value = polars.col("value")
    unique = rows.filter(is_unique).group_by("key").agg(value.approx_n_unique().cast(polars.Float64))
    percentile = rows.filter(~is_unique).group_by("key").agg(value.cast(polars.Float64).quantile(0.95))
    for found in (unique, percentile):
        found.write_csv(sys.stdout.buffer, separator="\t", include_header=False)


DUCKDB_ROWS = (
    "read_csv('/dev/stdin', delim='\t', header=false, quote='', escape='', "
    "columns={{'key': 'VARCHAR', 'value': '{kind}'}})"
)

RIVALS: dict[str, Callable[[], None]] = {
    "dict_sum": dict_sum,
    "duckdb_sum": duckdb_sum,
    "polars_sum": polars_sum,
    "datasketches": datasketches,
    "duckdb_sketches": duckdb_sketches,
    "polars_sketches": polars_sketches,
}

if __name__ == "__main__":
    RIVALS[sys.argv[1]]()
