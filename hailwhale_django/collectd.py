"""collectd's `write_http` JSON as events.

A *value list* is one reading of one thing: `{"values": [1.7, 0.7], "dsnames": ["shortterm", "midterm"], ...}`. It
becomes one event on the counter `collectd`:

- dimensions `plugin/interface/eth0` and the same below its host, `host/web-1/interface/eth0`; instances that are empty
  are left out;
- metrics `plugin.type.dsname`, such as `interface.if_octets.rx`.

What is counted must add up. A *gauge* is added, and each reading of one adds 1 to `plugin.type.samples`: the mean is
`load.load.shortterm/load.load.samples`. A *derive* or *counter* is a running total, of which readings do not add up.
With `StoreRates true` collectd sends how fast it runs, and rate x interval is what came to it since the last reading:
`interface.if_octets.rx` are octets. Both look alike in JSON, so whoever configures it says which it is (`rates`).
An *absolute* is what came since the last reading, or with rates its rate.

A value is left out if it is null, as the first rate is, and so is a running total without rates. A value list of which
nothing is left is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import wire
from .batch import Batch, read_each
from .engine.errors import InvalidInput

PK = "collectd"
SAMPLES = "samples"

GAUGE, ABSOLUTE = "gauge", "absolute"
TYPES = (GAUGE, "derive", "counter", ABSOLUTE)


def read(raw: bytes, most: int, *, rates: bool) -> Batch:
    """The events of a body. Raises `InvalidInput`, `TooLarge`."""
    lists = list(enumerate(wire.read_list(raw)))
    return read_each(lists, lambda found: event(wire.read_event(found), rates=rates), most)


def event(found: Mapping[str, Any], *, rates: bool) -> dict[str, Any] | None:
    """The event of a value list; `None` where there is nothing to count. Raises `InvalidInput`."""
    host, plugin, kind = (_text(found, name) for name in ("host", "plugin", "type"))
    metrics = dict(_metrics(found, f"{plugin}.{kind}", rates))
    if not metrics:
        return None
    branch = _branch([plugin, _text(found, "plugin_instance", ""), _text(found, "type_instance", "")])
    return {
        "pk": PK,
        "dimensions": {"plugin": branch, "host": {host: branch}},
        "metrics": metrics,
        "at": found.get("time"),
    }


def _metrics(found: Mapping[str, Any], prefix: str, rates: bool) -> Iterator[tuple[str, float]]:
    for name, kind, value in _readings(found):
        if kind not in TYPES:
            raise InvalidInput("dstypes", kind, f"known are {', '.join(TYPES)}")
        if value is None:
            continue
        if kind == GAUGE:
            yield f"{prefix}.{SAMPLES}", 1
            yield f"{prefix}.{name}", value
        elif rates:
            yield f"{prefix}.{name}", value * _interval(found)
        elif kind == ABSOLUTE:
            yield f"{prefix}.{name}", value


def _readings(found: Mapping[str, Any]) -> list[tuple[str, str, float | None]]:
    columns = [found.get(name) for name in ("dsnames", "dstypes", "values")]
    if not all(isinstance(column, list) for column in columns):
        raise InvalidInput("values", found.get("values"), "values, dstypes and dsnames are lists, as write_http sends")
    if len({len(column) for column in columns if column is not None}) != 1:
        raise InvalidInput("values", found.get("values"), "there is one of dsnames and dstypes for each value")
    for name in columns[0] or ():
        if not isinstance(name, str):
            raise InvalidInput("dsnames", name, "a name is text")
    for value in columns[2] or ():
        if not _is_number(value) and value is not None:
            raise InvalidInput("values", value, "a value is a number or null")
    return list(zip(*columns, strict=True))  # type: ignore[arg-type]


def _interval(found: Mapping[str, Any]) -> float:
    interval = found.get("interval")
    if not _is_number(interval) or interval <= 0:
        raise InvalidInput("interval", interval, "an interval is a number of seconds above 0")
    return float(interval)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(found: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = found.get(name, default)
    if not isinstance(value, str) or (not value and default is None):
        raise InvalidInput(name, value, "use text, as write_http sends it")
    return value


def _branch(names: list[str]) -> dict[str, Any] | str:
    """Names as nested dimensions, the empty ones left out."""
    first, *rest = filter(None, names)
    return {first: _branch(rest)} if rest else first
