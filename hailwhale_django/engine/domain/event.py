"""Events: what happened, in the one form that travels inward.

A value is kept as a whole number of *units* of 10^-places (6 places unless a metric is configured otherwise), so that
0.1 + 0.2 is 0.3 and sums of money never drift. More digits than that are rounded half to even.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from fractions import Fraction
from functools import lru_cache
from numbers import Rational, Real
from typing import Any, NamedTuple

from ..errors import InvalidInput, TooLarge
from .paths import MAX_DEPTH, MAX_NAME_BYTES, Path, dimension_paths, pk_of

HITS = "hits"
DEFAULT_PLACES = 6
MAX_PLACES = 12
MAX_METRICS_PER_EVENT = 64
MAX_UNITS = 2**63 - 1

REMEMBERED_SCALES = 10_000
REMEMBERED_TEXTS = 65_536

# The first instant of the year 9999, the last one that a calendar can name.
END_OF_TIME = 253_370_764_800

# Up to here a product with 10^places is off by less than a tenth of a unit, so rounding it is exact.
_SAFE_UNITS = 2.0**49

# Whatever the application has set for its own decimals, and room for any number that is written out.
_EXACT = Context(prec=1000, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[InvalidOperation])


Frozen = tuple[tuple[str, Any], ...]


class Event(NamedTuple):
    """One thing that happened, at `at` (seconds since the epoch), worth so many units of each metric.

    A tuple, since making one is a good part of what it costs to count.
    """

    pk: Path
    dimensions: tuple[Path, ...]
    metrics: tuple[tuple[str, int], ...]
    at: float


class Places:
    """How many decimal places each metric keeps."""

    def __init__(self, default: int = DEFAULT_PLACES, by_metric: Mapping[str, int] | None = None) -> None:
        self.default = default
        self.by_metric = dict(by_metric or {})
        self._scales: dict[str, int] = {}

    def of(self, metric: str) -> int:
        return self.by_metric.get(metric, self.default)

    def scale(self, metric: str) -> int:
        """Units in one whole."""
        scale = self._scales.get(metric)
        if scale is None:
            scale = int(10 ** self.of(metric))
            if len(self._scales) < REMEMBERED_SCALES:
                self._scales[metric] = scale
        return scale

    def units(self, metric: str, value: Any) -> int:
        """`value` in units. Raises `InvalidInput` for what is not a finite number, `TooLarge` beyond 64 bits."""
        scale = self.scale(metric)
        if type(value) is int:
            units = value * scale
        elif type(value) is float and -_SAFE_UNITS < (product := value * scale) < _SAFE_UNITS:
            units = round(product)
            if abs(product - units) > 0.25:  # near a half the product's own error could tip the rounding
                units = _exact_units(metric, value, scale)
        else:
            units = _exact_units(metric, value, scale)
        if not -MAX_UNITS <= units <= MAX_UNITS:
            raise TooLarge(metric, value, f"at {self.of(metric)} places a value is at most {MAX_UNITS // scale:,}")
        return units


class Intake:
    """Turns what callers give into events. `places` is how exactly values are kept."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._one_hit = (HITS, places.scale(HITS))
        self._scales: dict[str, int] = {}  # of names that were found to be good

    def event(self, pk: Any, dimensions: Any, metrics: Any, at: Any, now: float) -> Event:
        """Read one event; `at` defaults to `now` (seconds since the epoch). Raises `InvalidInput`."""
        when = at if type(at) is float and 0 < at < END_OF_TIME else instant(at, now)
        parts = (_cached_pk(pk), _cached_dimensions(dimensions), self.metrics(metrics), when)
        return tuple.__new__(Event, parts)  # half the cost of Event(*parts)

    def metrics(self, given: Any) -> tuple[tuple[str, int], ...]:
        """Names and units; `hits: 1` is added unless the event names `hits` itself."""
        if not given:
            return (self._one_hit,)
        if type(given) is not dict:
            given = _metrics_dict(given)
        units = self.values(given)
        if HITS not in given:
            units.append(self._one_hit)
        return tuple(units)

    def values(self, given: Any) -> list[tuple[str, int]]:
        """Names and units of just what is given: a dict of numbers, or names that each count 1."""
        if type(given) is not dict:
            given = _metrics_dict(given)
        if len(given) > MAX_METRICS_PER_EVENT:
            raise TooLarge("metrics", list(given), f"one event has at most {MAX_METRICS_PER_EVENT} metrics")
        found = []
        scales = self._scales
        for name, value in given.items():
            scale = scales.get(name)
            # What nearly every value is, written out: reading events is a third of what it costs to count them.
            if scale and type(value) is float and -_SAFE_UNITS < (product := value * scale) < _SAFE_UNITS:
                units = round(product)
                if -0.25 < product - units < 0.25:
                    found.append((name, units))
                    continue
            elif scale and type(value) is int and -_SAFE_UNITS < (units := value * scale) < _SAFE_UNITS:
                found.append((name, units))
                continue
            found.append(self._pair(name, value))
        return found

    def _pair(self, name: Any, value: Any) -> tuple[str, int]:
        name = metric_name(name)
        if len(self._scales) < REMEMBERED_SCALES:
            self._scales[name] = self.places.scale(name)
        return name, self.places.units(name, value)


def _metrics_dict(given: Any) -> dict[Any, Any]:
    if isinstance(given, str):
        return {given: 1}
    if isinstance(given, list | tuple | set):
        return {metric_name(name): 1 for name in given}
    if isinstance(given, Mapping):
        return dict(given)
    raise InvalidInput("metrics", given, 'use a dict of numbers or a list of names, e.g. {"revenue": 9.5}')


def metric_name(name: Any) -> str:
    """A metric's name as given, or `InvalidInput`."""
    if not isinstance(name, str):
        raise InvalidInput("metrics", name, "a metric's name is text")
    return _checked_name(name)


@lru_cache(maxsize=4096)
def _checked_name(name: str) -> str:
    if not name.strip() or not name.isprintable():
        raise InvalidInput("metrics", name, "a metric's name is printable text")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise TooLarge("metrics", name, f"a metric's name has at most {MAX_NAME_BYTES} bytes")
    return name


def instant(given: Any, now: float) -> float:
    """Seconds since the epoch of a datetime (naive means UTC), number, or ISO 8601, ctime or e-mail date string."""
    if given is None or given is False or given == 0:
        return now
    if isinstance(given, datetime):
        return _seconds(given, given)
    if isinstance(given, int | float) and not isinstance(given, bool):
        return _bounded(given, given)
    if isinstance(given, str):
        return _instant_of_text(given.strip())
    raise InvalidInput("at", given, "use a datetime, seconds since the epoch, or an ISO 8601 string")


def _instant_of_text(text: str) -> float:
    try:
        return _bounded(float(text), text)
    except InvalidInput:
        raise
    except ValueError:
        pass
    for read in (datetime.fromisoformat, _ctime, parsedate_to_datetime):
        try:
            when = read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return _seconds(when, text)
    raise InvalidInput("at", text, "use seconds since the epoch or ISO 8601, e.g. 2026-11-22T09:30:00Z")


def _ctime(text: str) -> datetime:
    return datetime.strptime(text, "%a %b %d %H:%M:%S %Y")


def _seconds(when: datetime, given: Any) -> float:
    return _bounded((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp(), given)


def _bounded(seconds: float, given: Any) -> float:
    if not 0 <= seconds < END_OF_TIME:  # false for nan, too
        raise InvalidInput("at", given, "use an instant from 1970 on and before the year 9999")
    return float(seconds)


def _exact_units(metric: str, value: Any, scale: int) -> int:
    """Any kind of number, rounded half to even; a float is worth what it is written as."""
    if isinstance(value, Rational):
        return round(Fraction(value) * scale)
    try:
        exact = Decimal(value if isinstance(value, str | Decimal) else _written(value))
    except (InvalidOperation, TypeError, ValueError) as error:
        raise InvalidInput(metric, value, "a metric's value is a number") from error
    if not exact.is_finite() or exact.adjusted() > 40:
        raise InvalidInput(metric, value, "a metric's value is a finite number within 64 bits")
    return int(_EXACT.to_integral_value(_EXACT.multiply(exact, scale)))


def _written(value: Any) -> str:
    if isinstance(value, Real):
        return str(value)
    raise TypeError(value)


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
