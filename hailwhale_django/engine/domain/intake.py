"""Reading events as callers write them. Traffic repeats itself, so what was read once is remembered."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any

from ..errors import InvalidInput, TooLarge, shown
from .event import END_OF_TIME, HITS, REMEMBERED_SCALES, SAFE_UNITS, Event, Places, instant, metric_name
from .paths import MAX_DEPTH, Path, dimension_paths, pk_of
from .sketch import Sketch, Values, raw_values, sketch_of

EVENT_NAMES = ("pk", "dimensions", "metrics", "at")
EVENT_KEYS = frozenset({*EVENT_NAMES, "dimension", "metric"})

MAX_METRICS_PER_EVENT = 64
REMEMBERED_TEXTS = 65_536

# Of keys that are not known, in one message.
MOST_SHOWN = 5

Frozen = tuple[tuple[str, Any], ...]
Samples = tuple[tuple[str, Values], ...]


class Intake:
    """Turns what callers give into events. `places` is how exactly values are kept."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._one_hit = (HITS, places.scale(HITS))
        self._scales: dict[str, int] = {}  # of names that were found to be good

    def event(self, pk: Any, dimensions: Any, metrics: Any, at: Any, now: float) -> Event:
        """Read one event; `at` defaults to `now` (seconds since the epoch). Raises `InvalidInput`."""
        when = at if type(at) is float and 0 < at < END_OF_TIME else instant(at, now)
        units, samples = self.metrics(metrics, when)
        parts = (_cached_pk(pk), _cached_dimensions(dimensions), units, when, samples, None)
        return tuple.__new__(Event, parts)  # half the cost of Event(*parts)

    def read(self, given: Any, now: float, keys: AbstractSet[str] = EVENT_KEYS) -> Event:
        """Read an event given as a whole: a dict with some of these keys, a tuple in the order of `EVENT_NAMES`, or
        an `Event`. Raises `InvalidInput`.
        """
        if isinstance(given, dict):
            if not given.keys() <= keys:
                unknown = ", ".join(sorted(map(shown, given.keys() - keys))[:MOST_SHOWN])
                raise InvalidInput("event", given, f"it has the unknown {unknown}; use {', '.join(EVENT_NAMES)}")
            dimensions = given.get("dimensions") or given.get("dimension")
            metrics = given.get("metrics") or given.get("metric")
            return self.event(given.get("pk"), dimensions, metrics, given.get("at"), now)
        if isinstance(given, Event):
            return given
        if isinstance(given, list | tuple) and 1 <= len(given) <= len(EVENT_NAMES):
            pk, dimensions, metrics, at = [*given, None, None, None][: len(EVENT_NAMES)]
            return self.event(pk, dimensions, metrics, at, now)
        raise InvalidInput("event", given, 'use a dict, e.g. {"pk": "shop", "metrics": {"revenue": 9.5}}')

    def metrics(self, given: Any, at: float) -> tuple[tuple[tuple[str, int], ...], Samples]:
        """Names and units, and the raw values of sketches; `hits: 1` is added unless the event names `hits` itself."""
        if not given:
            return (self._one_hit,), ()
        if type(given) is not dict:
            given = metrics_dict(given)
        units, samples = self._read(given, at)
        if HITS not in given:
            units.append(self._one_hit)
        return tuple(units), tuple(samples.items()) if samples else ()

    def values(self, given: Any) -> list[tuple[str, int]]:
        """Names and units of just what is given: a dict of numbers, or names that each count 1."""
        units, samples = self._read(given if type(given) is dict else metrics_dict(given), 0.0)
        for name in samples:
            raise InvalidInput("metrics", name, "a sketch only grows; it cannot be set to a value")
        return units

    def _read(self, given: dict[Any, Any], at: float) -> tuple[list[tuple[str, int]], dict[str, Values]]:
        if len(given) > MAX_METRICS_PER_EVENT:
            raise TooLarge("metrics", list(given), f"one event has at most {MAX_METRICS_PER_EVENT} metrics")
        found = []
        samples: dict[str, Values] = {}
        scales = self._scales
        for name, value in given.items():
            scale = scales.get(name)
            # What nearly every value is, written out: reading events is a third of what it costs to count them.
            if scale and type(value) is float and -SAFE_UNITS < (product := value * scale) < SAFE_UNITS:
                units = round(product)
                if -0.25 < product - units < 0.25:
                    found.append((name, units))
                    continue
            elif scale and type(value) is int and -SAFE_UNITS < (units := value * scale) < SAFE_UNITS:
                found.append((name, units))
                continue
            sketch = sketch_of(metric_name(name))
            if sketch is None:
                found.append(self._pair(name, value))
            else:
                _sample(samples, name, sketch, value, at)
        return found, samples

    def _pair(self, name: str, value: Any) -> tuple[str, int]:
        if len(self._scales) < REMEMBERED_SCALES:
            self._scales[name] = self.places.scale(name)
        return name, self.places.units(name, value)


def _sample(samples: dict[str, Values], name: str, sketch: Sketch, given: Any, at: float) -> None:
    """Add the raw values of a sketch, if there are any."""
    values = raw_values(name, sketch.aggregation, given, at)
    if samples.setdefault(sketch.kept, values) != values:
        raise InvalidInput(name, given, f"the event has other values of {sketch.kept}, which tells {name}, too")
    if not values:
        del samples[sketch.kept]


def metrics_dict(given: Any) -> dict[Any, Any]:
    """Metrics as a dict; names alone count 1 each, and are no sketches. Raises `InvalidInput`."""
    if isinstance(given, str):
        return {_countable(given): 1}
    if isinstance(given, list | tuple | set):
        return {_countable(name): 1 for name in given}
    if isinstance(given, Mapping):
        return dict(given)
    raise InvalidInput("metrics", given, 'use a dict of numbers or a list of names, e.g. {"revenue": 9.5}')


def _countable(name: Any) -> str:
    """The name of a metric of which 1 is counted where nothing else is said."""
    if sketch_of(metric_name(name)) is not None:
        raise InvalidInput("metrics", name, f'a sketch needs a value, e.g. {{"{name}": ...}}')
    return str(name)


def _cached_pk(given: Any) -> Path:
    if type(given) is str:
        return _known_pk(given)
    if type(given) in (list, tuple) and all(type(name) is str for name in given):
        return _known_pk(tuple(given))
    return pk_of(given)


def _cached_dimensions(given: Any) -> tuple[Path, ...]:
    """As `dimension_paths`; dicts of strings, by far the most, are read once each."""
    if not given:
        return ()
    if type(given) is dict:
        try:
            texts = (*given, *given.values())
            known = _known_texts.get(texts)
            return _flat(texts) if known is None else known
        except TypeError:  # a dict within, or something else that is not remembered
            frozen = _frozen(given, MAX_DEPTH)
            if frozen is not None:
                return _known_branches(frozen)
    return dimension_paths(given)


# Only of strings, which are equal to nothing else.
_known_texts: dict[tuple[str, ...], tuple[Path, ...]] = {}


def _flat(keys_and_names: tuple[Any, ...]) -> tuple[Path, ...]:
    paths = _known_flat(*keys_and_names)
    if all(type(one) is str for one in keys_and_names):
        if len(_known_texts) >= REMEMBERED_TEXTS:
            _known_texts.clear()
        _known_texts[keys_and_names] = paths
    return paths


# By type, for 1 and True are equal and are two names.
@lru_cache(maxsize=REMEMBERED_TEXTS, typed=True)
def _known_flat(*keys_and_names: Any) -> tuple[Path, ...]:
    if not {str, int, float, bool}.issuperset(map(type, keys_and_names)):
        raise TypeError("types within are not part of the cache's key")
    half = len(keys_and_names) // 2
    return dimension_paths(dict(zip(keys_and_names[:half], keys_and_names[half:], strict=True)))


def _frozen(given: dict[Any, Any], levels: int) -> Frozen | None:
    """A dict of strings or such dicts as a tuple; `None` if it holds anything else, for 1 and True are equal."""
    branches = []
    for key, name in given.items():
        if type(name) is dict:
            name = _frozen(name, levels - 1) if levels else None
            if name is None:
                return None
        elif type(name) is not str:
            return None
        if type(key) is not str:
            return None
        branches.append((key, name))
    return tuple(branches)


@lru_cache(maxsize=REMEMBERED_TEXTS)
def _known_branches(branches: Frozen) -> tuple[Path, ...]:
    return dimension_paths(_thawed(branches))


def _thawed(branches: Frozen) -> dict[str, Any]:
    return {key: name if isinstance(name, str) else _thawed(name) for key, name in branches}


@lru_cache(maxsize=REMEMBERED_TEXTS)
def _known_pk(given: str | tuple[str, ...]) -> Path:
    return pk_of(given)
