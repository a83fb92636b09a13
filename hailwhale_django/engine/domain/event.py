"""Events: what happened, in the one form that travels inward.

A value is kept as a whole number of *units* of 10^-places (6 places unless a metric is configured otherwise), so that
0.1 + 0.2 is 0.3 and sums of money never drift. More digits than that are rounded half to even.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from fractions import Fraction
from functools import lru_cache
from numbers import Rational, Real
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import InvalidInput, TooLarge
from .paths import MAX_NAME_BYTES, Path

if TYPE_CHECKING:
    from .lesson import Lesson

HITS = "hits"
DEFAULT_PLACES = 6
MAX_PLACES = 12
MAX_UNITS = 2**63 - 1

REMEMBERED_SCALES = 10_000

# The first instant of the year 9999, the last one that a calendar can name.
END_OF_TIME = 253_370_764_800

# Up to here a product with 10^places is off by less than a tenth of a unit, so rounding it is exact.
SAFE_UNITS = 2.0**49

# Whatever the application has set for its own decimals, and room for any number that is written out.
_EXACT = Context(prec=1000, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[InvalidOperation])


class Event(NamedTuple):
    """One thing that happened, at `at` (seconds since the epoch), worth so many units of each metric.

    `samples` are raw values of sketches, by the names under which these are kept (see `sketch`). Where it came of a
    decision, its counter is that of the option, and `lesson` is what the decision learns from it.

    A tuple, since making one is a good part of what it costs to count.
    """

    pk: Path
    dimensions: tuple[Path, ...]
    metrics: tuple[tuple[str, int], ...]
    at: float
    samples: tuple[tuple[str, tuple[str, ...]], ...] = ()
    lesson: Lesson | None = None

    def only(self, names: Collection[str]) -> Event:
        """The same event, worth nothing but these metrics and sketches; what it teaches is left out."""
        return self._replace(
            metrics=tuple(pair for pair in self.metrics if pair[0] in names),
            samples=tuple(pair for pair in self.samples if pair[0] in names),
            lesson=None,
        )

    def names(self) -> list[str]:
        """Of its metrics and sketches, as they are kept."""
        return [name for name, _ in (*self.metrics, *self.samples)]


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
        elif type(value) is float and -SAFE_UNITS < (product := value * scale) < SAFE_UNITS:
            units = round(product)
            if abs(product - units) > 0.25:  # near a half the product's own error could tip the rounding
                units = _exact_units(metric, value, scale)
        else:
            units = _exact_units(metric, value, scale)
        if not -MAX_UNITS <= units <= MAX_UNITS:
            raise TooLarge(metric, value, f"at {self.of(metric)} places a value is at most {MAX_UNITS // scale:,}")
        return units


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
