"""An event as a line of text: how it is kept while it waits to be counted.

    1795328057.25<TAB>[["shop"],["country"],["country","US"]]<TAB>{"revenue":9500000,"hits":1000000}
    1795328057.25<TAB>[["shop"]]<TAB>{"hits":1000000}<TAB>{"uv:visitor":["u42"]}
    1795328057.25<TAB>[["shop","banner","b"]]<TAB>{"visitors":1000000}<TAB>{}<TAB>{"cells":["_"],"sums":{"n":1.0}}

When it happened, what it counts on, and units by metric; then, if it has any, raw values by sketch, and what a
decision learns from it. JSON escapes tabs and line ends, so lines can be joined. Traffic repeats what it counts on, and
often its metrics; each such text is read once.
"""

from __future__ import annotations

import json
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted

from ..errors import InvalidInput
from .event import MAX_UNITS, Event, instant, metric_name
from .lesson import Lesson, lesson_of
from .paths import Path, checked
from .sketch import Values, raw_values, sketch_of

REMEMBERED = 65_536

# Longer ones are read each time: what is remembered of hostile traffic must not fill the process.
REMEMBERED_BYTES = 512
REMEMBERED_PATHS = 16

Metrics = tuple[tuple[str, int], ...]
Shape = tuple[Path, tuple[Path, ...]]


def write_line(event: Event) -> str:
    """The line of an event, without its end."""
    metrics = ",".join([f"{quoted(name)}:{units}" for name, units in event.metrics])
    shape_text = _known_shape_text if len(event.dimensions) <= REMEMBERED_PATHS else _shape_text
    line = f"{event.at!r}\t{shape_text(event.pk, event.dimensions)}\t{{{metrics}}}"
    if not event.samples and event.lesson is None:
        return line
    samples = ",".join([f"{quoted(name)}:[{','.join(map(quoted, values))}]" for name, values in event.samples])
    line = f"{line}\t{{{samples}}}"
    return line if event.lesson is None else f"{line}\t{_lesson_text(event.lesson)}"


def read_line(line: bytes) -> Event:
    """The event of a line. Raises `InvalidInput` for anything that `write_line` would not have written."""
    try:
        at, shape, metrics, *more = line.split(b"\t")
        pk, dimensions = (_known_shape if len(shape) <= REMEMBERED_BYTES else _shape)(shape)
        units = (_known_metrics if len(metrics) <= REMEMBERED_BYTES else _metrics)(metrics)
        when = instant(float(at) or None, 0.0)
        return Event(pk, dimensions, units, when, *_more(pk, *more)) if more else Event(pk, dimensions, units, when)
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput("line", line, f"this is no event of the hail: {error}") from error


def _shape_text(pk: Path, dimensions: tuple[Path, ...]) -> str:
    return json.dumps([pk, *dimensions], separators=(",", ":"))


_known_shape_text = lru_cache(maxsize=REMEMBERED)(_shape_text)


def _shape(text: bytes) -> Shape:
    paths = json.loads(text)
    if not isinstance(paths, list) or not all(_is_path(path) for path in paths):
        raise ValueError("what it counts on are not lists of names")
    pk, *dimensions = map(checked, paths)
    return pk, tuple(dimensions)


_known_shape = lru_cache(maxsize=REMEMBERED)(_shape)


def _is_path(found: object) -> bool:
    return isinstance(found, list) and bool(found) and all(isinstance(name, str) for name in found)


def _metrics(text: bytes) -> Metrics:
    found = json.loads(text)
    if not isinstance(found, dict) or not all(_is_units(units) for units in found.values()):
        raise ValueError("its metrics are not whole numbers of 64 bits by name")
    return tuple((metric_name(name), units) for name, units in found.items())


_known_metrics = lru_cache(maxsize=REMEMBERED)(_metrics)


def _more(pk: Path, samples: bytes, lesson: bytes = b"") -> tuple[tuple[tuple[str, Values], ...], Lesson | None]:
    if lesson and len(pk) < 2:
        raise ValueError("its counter is not that of an option")
    return _samples(samples), lesson_of(json.loads(lesson)) if lesson else None


def _lesson_text(lesson: Lesson) -> str:
    return json.dumps({"cells": lesson.cells, "sums": dict(lesson.sums)}, separators=(",", ":"))


def _samples(text: bytes) -> tuple[tuple[str, Values], ...]:
    found = json.loads(text)
    if not isinstance(found, dict) or not all(_are_values(values) for values in found.values()):
        raise ValueError("its samples are not lists of texts by name")
    for name, values in found.items():
        sketch = sketch_of(metric_name(name))
        if sketch is None or sketch.kept != name:
            raise ValueError(f"{name!r} is not what a sketch is kept as")
        raw_values(name, sketch.aggregation, values, 0.0)
    return tuple((name, tuple(values)) for name, values in found.items())


def _are_values(found: object) -> bool:
    return isinstance(found, list) and bool(found) and all(isinstance(one, str) for one in found)


def _is_units(found: object) -> bool:
    return type(found) is int and abs(found) <= MAX_UNITS
