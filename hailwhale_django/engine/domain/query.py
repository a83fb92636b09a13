"""Questions about one table: what a reader wants to see of the children of a path, in which order, over which time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import InvalidInput, TooLarge
from .formula import Formula, parse
from .paths import ROOT, Path
from .period import Period

Aspect = Literal["value", "low", "high", "share", "difference", "effect", "change", "name"]

ASPECTS: tuple[Aspect, ...] = ("value", "low", "high", "share", "difference", "effect", "change", "name")
"""What of a column rows can be ordered by: its value, the bounds of its interval, its share of the parent, HailWhale's
`difference` and `effect`, its change against the period it is compared with. `name` is the row's name."""

MAX_FORMULAS = 50
LARGEST_NUMBER = 1e300  # to compare with; no sum comes near it
MAX_LIMIT = 10_000
DEFAULT_LIMIT = 100

NAME_TESTS = ("is", "is_not", "contains", "contains_not", "exactly")
VALUE_TESTS = (">", ">=", "<", "<=", "=", "!=")


@dataclass(frozen=True, slots=True)
class Order:
    """By which aspect of which formula rows are ordered."""

    formula: Formula | None
    aspect: Aspect = "value"
    descending: bool = True

    @classmethod
    def parse(cls, given: Any) -> Order:
        """Read `"-revenue/visitors"`, `"low:revenue/visitors"`, `"name"` or `["revenue/visitors", "desc"]`.

        Values go best (largest) first unless `asc` or a leading `+` says otherwise, names from A to Z.
        """
        if isinstance(given, Order):
            return given
        text, direction = _text_and_direction(given)
        if text == "name":
            return cls(None, "name", direction == "desc")
        aspect, separator, formula = text.partition(":")
        if separator and aspect in ASPECTS[1:-1]:
            return cls(_number(parse(formula), "order_by"), aspect, direction != "asc")
        return cls(_number(parse(text), "order_by"), "value", direction != "asc")

    def __str__(self) -> str:
        text = "name" if self.formula is None else str(self.formula)
        return text if self.aspect in ("value", "name") else f"{self.aspect}:{text}"

    def to_wire(self) -> list[str]:
        return [str(self), "desc" if self.descending else "asc"]


@dataclass(frozen=True, slots=True)
class Filter:
    """A test that rows must pass: of their name, or of a formula's value."""

    test: str
    formula: Formula | None
    values: tuple[Any, ...]

    @classmethod
    def parse(cls, given: Any) -> Filter:
        """Read `["contains", "name", ["new"]]` or `[">", "visitors", 100]`."""
        if isinstance(given, Filter):
            return given
        if not isinstance(given, list | tuple) or len(given) != 3:
            raise InvalidInput("filters", given, 'a filter is [test, "name" or formula, value], e.g. [">", "hits", 10]')
        test, what, values = given
        values = tuple(values) if isinstance(values, list | tuple) else (values,)
        if what == "name" and test in NAME_TESTS:
            if not values or not all(isinstance(value, str) for value in values):
                raise InvalidInput("filters", given, "names are compared with one or more strings")
            return cls(test, None, values)
        if what == "name" or test not in VALUE_TESTS:
            tests = NAME_TESTS if what == "name" else VALUE_TESTS
            raise InvalidInput("filters", test, f"use one of {', '.join(tests)}")
        if len(values) != 1 or not _is_number(values[0]):
            raise InvalidInput("filters", given, "a formula's value is compared with one number")
        return cls(test, _number(parse(what), "filters"), values)

    def to_wire(self) -> list[Any]:
        if self.formula is None:
            return [self.test, "name", list(self.values)]
        return [self.test, str(self.formula), self.values[0]]


@dataclass(frozen=True, slots=True)
class Query:
    """The children of `dimension`, down to `depth` levels; with `counters` the counter's child counters.

    `bounds` asks for intervals, `plotted` for each bucket, `drillable` for how many children each row has. With a
    `limit` of 0 no children are looked at: only the path itself is told.
    """

    pk: Path
    formulas: tuple[Formula, ...]
    period: Period
    dimension: Path = ROOT
    counters: bool = False
    depth: int = 1
    order: tuple[Order, ...] = ()
    filters: tuple[Filter, ...] = ()
    limit: int | None = DEFAULT_LIMIT
    offset: int = 0
    compare: Period | None = None
    bounds: bool = False
    plotted: bool = False
    drillable: bool = False

    def all_formulas(self) -> list[Formula]:
        """Every formula that must be worked out, those to show first."""
        orders = (order.formula for order in self.order)
        filters = (test.formula for test in self.filters)
        return list(dict.fromkeys([*self.formulas, *filter(None, orders), *filter(None, filters)]))

    def orders(self) -> tuple[Order, ...]:
        """What rows are ordered by: unless it is said, the first column that is a number, or else their names."""
        first = next((formula for formula in self.formulas if formula.is_number), None)
        return self.order or (Order(first, "value") if first else Order(None, "name", descending=False),)

    def needs_bounds(self) -> bool:
        return self.bounds or any(order.aspect in ("low", "high") for order in self.order)


def parse_formulas(given: Any, field: str = "metrics") -> tuple[Formula, ...]:
    """One formula, a list of them, or HailWhale's dict of numerators to denominators; `hits` when there is none."""
    if given in (None, "", [], (), {}):
        given = ["hits"]
    if isinstance(given, str | Formula):
        given = [given]
    if isinstance(given, Mapping):
        given = [top if bottom in (1, None) else f"{top}/{bottom}" for top, bottom in given.items()]
    if not isinstance(given, Sequence):
        raise InvalidInput(field, given, 'use a formula or a list of them, e.g. ["hits", "revenue/hits"]')
    if len(given) > MAX_FORMULAS:
        raise TooLarge(field, given, f"at most {MAX_FORMULAS} formulas at once, not {len(given)}")
    return tuple(dict.fromkeys(one if isinstance(one, Formula) else parse(one) for one in given))


def _number(formula: Formula, field: str) -> Formula:
    if not formula.is_number:
        raise InvalidInput(field, str(formula), "it tells a list; use something that tells a number")
    return formula


def _is_number(given: Any) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and abs(given) < LARGEST_NUMBER


def whole_number(field: str, given: Any, lowest: int, highest: int) -> int:
    """A bounded whole number, also from text."""
    try:
        number = int(given)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(field, given, f"use a whole number from {lowest} to {highest}") from error
    if isinstance(given, bool) or number != (float(given) if isinstance(given, float) else number):
        raise InvalidInput(field, given, f"use a whole number from {lowest} to {highest}")
    if not lowest <= number <= highest:
        raise InvalidInput(field, given, f"use a whole number from {lowest} to {highest}")
    return number


def _text_and_direction(given: Any) -> tuple[str, str]:
    if isinstance(given, str) and given:
        if given[0] in "+-":
            return given[1:], "asc" if given[0] == "+" else "desc"
        return given, ""
    pair = isinstance(given, list | tuple) and len(given) == 2 and given[1] in ("asc", "desc")
    if pair and isinstance(given[0], str):
        return given[0], given[1]
    raise InvalidInput("order_by", given, 'use "-revenue/visitors" or ["revenue/visitors", "desc"]')
