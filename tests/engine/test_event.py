"""Events: metrics kept to the last digit, and instants in every spelling that the ancestor read."""

from __future__ import annotations

import decimal
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal
from enum import IntEnum
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.event import MAX_PLACES, Event, Places, instant
from hailwhale_django.engine.domain.intake import MAX_METRICS_PER_EVENT, Intake
from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.errors import InvalidInput, TooLarge

SIX = Places()
INTAKE = Intake(SIX)
NOW = 4_098_555_720.0
LARGEST = 2**63 - 1


def units_of(given: Any) -> tuple[tuple[str, int], ...]:
    units, _ = INTAKE.metrics(given, NOW)
    return units


# --- values


@pytest.mark.parametrize(
    ("value", "units"),
    [
        (0, 0),
        (1, 1_000_000),
        (-2000, -2_000_000_000),
        (0.5, 500_000),
        (0.1, 100_000),
        (0.2, 200_000),
        (10.99, 10_990_000),
        (-0.01, -10_000),
        (1e-6, 1),
        (1e-7, 0),
        (-0.0, 0),
        ("7", 7_000_000),
        (" 10.99 ", 10_990_000),
        (".50", 500_000),
        ("-1e3", -1_000_000_000),
        (Decimal("0.1"), 100_000),
        (True, 1_000_000),
        (False, 0),
        # Half a unit goes to the even neighbour, as people who settle accounts expect.
        (Decimal("0.0000005"), 0),
        (Decimal("0.0000015"), 2),
        (Decimal("0.0000025"), 2),
        (Decimal("-0.0000015"), -2),
        (Decimal("-0.0000025"), -2),
        ("0.00000050000000000000000000000000000001", 1),
        # A float is worth what it is written as, although it lies a little above or below.
        (0.0000005, 0),
        (0.0000015, 2),
        (0.0000025, 2),
        (1.0000005, 1_000_000),
        (1.0000015, 1_000_002),
        (1.0000025, 1_000_002),
        (8_000_000.0000005, 8_000_000_000_000),
        # Beyond what a double holds to the unit, in all digits that were given.
        (9_223_372_036_854, 9_223_372_036_854_000_000),
        ("9223372036854.775807", LARGEST),
        ("-9223372036854.775807", -LARGEST),
        (Decimal("9007199254.740993"), 9_007_199_254_740_993),
    ],
)
def test_a_value_in_units_of_six_places(value: Any, units: int) -> None:
    assert SIX.units("m", value) == units


def test_sums_do_not_drift() -> None:
    assert SIX.units("m", 0.1) + SIX.units("m", 0.2) == SIX.units("m", 0.3)
    assert sum(SIX.units("m", 10.99) for _ in range(1000)) == SIX.units("m", 10_990)


def test_numbers_of_numpy_and_enumerations_are_numbers() -> None:
    class Stars(IntEnum):
        FIVE = 5

    assert SIX.units("m", Stars.FIVE) == 5_000_000
    assert SIX.units("m", np.float64(0.1)) == 100_000
    assert SIX.units("m", np.float32(0.5)) == 500_000
    assert SIX.units("m", np.int64(7)) == 7_000_000
    assert SIX.units("m", Fraction(1, 3)) == 333_333
    assert SIX.units("m", Fraction(1, 2_000_000)) == 0


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        "nan",
        "sNaN",
        "inf",
        "-Infinity",
        Decimal("NaN"),
        Decimal("Infinity"),
        "1e50",
        "1e999999999999",
        "seven",
        "",
        "1,5",
        "0x10",
        None,
        [],
        [0, [1, 5], -1],
        (0, (1, 5), -1),
        {},
        b"7",
        1j,
        object,
        datetime(2026, 1, 1),
        timedelta(1),
    ],
)
def test_what_is_no_finite_number_is_refused_by_the_metric_s_name(value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        SIX.units("price", value)
    assert caught.value.field == "price"
    assert str(caught.value).startswith("price: ")


@pytest.mark.parametrize(
    "value",
    [9_223_372_036_855, -9_223_372_036_855, 1e13, "9223372036854.775808", pytest.param(10**5000, id="long number")],
)
def test_what_does_not_fit_is_too_large(value: Any) -> None:
    with pytest.raises(TooLarge, match="at 6 places a value is at most 9,223,372,036,854"):
        SIX.units("price", value)


def test_places_by_metric() -> None:
    places = Places(2, {"btc": 8, "seats": 0})
    assert [places.of(metric) for metric in ("euros", "btc", "seats")] == [2, 8, 0]
    assert [places.scale(metric) for metric in ("euros", "btc", "seats")] == [100, 10**8, 1]
    assert places.units("euros", 10.999) == 1100
    assert places.units("btc", "0.00000001") == 1
    assert places.units("seats", 2.5) == 2
    assert places.units("seats", LARGEST) == LARGEST


@pytest.fixture
def hostile_context() -> Iterator[None]:
    """What an application may have done to Python's decimals."""
    with decimal.localcontext() as context:
        context.prec = 3
        context.rounding = decimal.ROUND_UP
        context.traps[decimal.Inexact] = True
        context.traps[decimal.Rounded] = True
        yield


def test_the_application_s_decimal_context_does_not_matter(hostile_context: None) -> None:
    assert SIX.units("m", Decimal("1234567.8912345")) == 1_234_567_891_234
    assert SIX.units("m", "9223372036854.775807") == LARGEST
    assert SIX.units("m", 1.0000005) == 1_000_000


def exact_units(value: Decimal, places: int) -> int:
    """Rounded half to even, by whole numbers alone."""
    numerator, denominator = value.as_integer_ratio()
    return round(Fraction(numerator * 10**places, denominator))


@given(st.decimals(-(10**6), 10**6, allow_nan=False, allow_infinity=False), st.integers(0, MAX_PLACES))
def test_any_decimal_is_rounded_half_to_even(value: Decimal, places: int) -> None:
    assert Places(places).units("m", value) == exact_units(value, places)
    assert Places(places).units("m", str(value)) == exact_units(value, places)


@given(st.floats(-(10**6), 10**6), st.integers(0, MAX_PLACES))
def test_any_float_is_worth_what_it_is_written_as(value: float, places: int) -> None:
    assert Places(places).units("m", value) == exact_units(Decimal(repr(value)), places)


@given(st.integers(-(10**13), 10**13), st.integers(0, 6), st.integers(0, 6))
def test_floats_near_a_half_unit(number: int, digits: int, places: int) -> None:
    value = float(Decimal(number).scaleb(-digits - 1))
    expected = Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN).scaleb(places)
    assert Places(places).units("m", value) == int(expected)


# --- metrics


@pytest.mark.parametrize("nothing", [None, {}, [], (), ""])
def test_without_metrics_an_event_is_a_hit(nothing: Any) -> None:
    assert dict(units_of(nothing)) == {"hits": 1_000_000}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"sales": 1, "revenue": 5}, {"sales": 1, "revenue": 5, "hits": 1}),
        ({"hits": 3}, {"hits": 3}),
        ({"hits": 0, "revenue": 5}, {"hits": 0, "revenue": 5}),
        ({"hits": -1}, {"hits": -1}),
        ({"revenue": 0}, {"revenue": 0, "hits": 1}),
        ({"dollars": "7"}, {"dollars": 7, "hits": 1}),
        (["sales", "signups"], {"sales": 1, "signups": 1, "hits": 1}),
        (("sales", "sales"), {"sales": 1, "hits": 1}),
        ({"sales"}, {"sales": 1, "hits": 1}),
        ("sales", {"sales": 1, "hits": 1}),
        ("hits", {"hits": 1}),
        ({"visitor count": 2, "Umsätze": 1}, {"visitor count": 2, "Umsätze": 1, "hits": 1}),
    ],
)
def test_hits_come_with_every_event_that_does_not_name_them(given: Any, expected: dict[str, int]) -> None:
    assert dict(units_of(given)) == {name: value * 1_000_000 for name, value in expected.items()}


@pytest.mark.parametrize(
    "given", [5, 2.5, True, {5: 1}, {"": 1}, {" ": 1}, {"a\nb": 1}, {"\ud800": 1}, [5], [["a"]], {None: 1}, object]
)
def test_what_are_no_metrics_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        units_of(given)
    assert caught.value.field == "metrics"


def test_metrics_are_bounded() -> None:
    most = {f"m{n}": 1 for n in range(MAX_METRICS_PER_EVENT)}
    assert len(units_of(most)) == MAX_METRICS_PER_EVENT + 1
    with pytest.raises(TooLarge):
        units_of(most | {"one more": 1})
    assert units_of({"m" * 255: 1})
    with pytest.raises(TooLarge, match="255 bytes"):
        units_of({"m" * 256: 1})


# --- instants


HALF_PAST_NINE = datetime(2026, 11, 22, 9, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "given",
    [
        datetime(2026, 11, 22, 9, 30),
        datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
        datetime(2026, 11, 22, 1, 30, tzinfo=ZoneInfo("America/Los_Angeles")),
        datetime(2026, 11, 22, 15, 0, tzinfo=timezone(timedelta(hours=5.5))),
        HALF_PAST_NINE,
        int(HALF_PAST_NINE),
        str(int(HALF_PAST_NINE)),
        f" {HALF_PAST_NINE} ",
        "2026-11-22T09:30:00Z",
        "2026-11-22 09:30",
        "20261122T0930",
        "2026-11-22T10:30:00+01:00",
        "Sun Nov 22 09:30:00 2026",
        "Sun, 22 Nov 2026 09:30:00 GMT",
        "Sun, 22 Nov 2026 01:30:00 -0800",
    ],
)
def test_an_instant_in_any_spelling(given: Any) -> None:
    assert instant(given, NOW) == HALF_PAST_NINE


def test_a_date_is_its_midnight_in_utc() -> None:
    assert instant("2026-11-22", NOW) == datetime(2026, 11, 22, tzinfo=UTC).timestamp()


def test_fractions_of_a_second_stay() -> None:
    assert instant("1000.25", NOW) == instant(1000.25, NOW) == 1000.25


@pytest.mark.parametrize("now", [None, False, 0, 0.0])
def test_without_an_instant_it_is_now(now: Any) -> None:
    assert instant(now, NOW) == NOW


@pytest.mark.parametrize(
    "given",
    [
        "yesterday",
        "",
        "2026-13-01",
        "Sun Nov 31 09:30:00 2026",
        "nan",
        "inf",
        "1e400",
        math.nan,
        math.inf,
        -1,
        "-1",
        10**15,
        10**400,
        True,
        [],
        {},
        b"2026-11-22",
        date(2026, 11, 22),
        datetime(1969, 12, 31),
        datetime(1, 1, 1),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14))),
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "x" * 10_000,
    ],
)
def test_what_is_no_instant_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        instant(given, NOW)
    assert caught.value.field == "at"
    assert len(str(caught.value)) < 300


# --- events


def test_an_event() -> None:
    found = INTAKE.event(["Product", 123], {"country": "US"}, {"sales": 1}, None, NOW)
    assert found == Event(
        Path(("Product", "123")),
        (Path(("country",)), Path(("country", "US"))),
        (("sales", 1_000_000), ("hits", 1_000_000)),
        NOW,
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [({"a": 1}, {"a": True}), ({"a": {"b": 1}}, {"a": {"b": 1.0}}), ({"a": {1: "x"}}, {"a": {True: "x"}})],
)
def test_what_is_equal_in_python_is_not_mistaken_for_one_another(one: Any, other: Any) -> None:
    """Remembered readings must not confuse 1, 1.0 and True."""
    read = [INTAKE.event("shop", given, None, None, NOW).dimensions for given in (one, other)]
    assert read[0] != read[1]
    assert read == [INTAKE.event("shop", given, None, None, NOW).dimensions for given in (one, other)]


def test_dimensions_that_nest_too_deep_are_refused() -> None:
    deep: Any = "leaf"
    for _ in range(5000):
        deep = {"x": deep}
    with pytest.raises(TooLarge):
        INTAKE.event("shop", deep, None, None, NOW)


def test_a_list_may_be_changed_after_it_was_counted() -> None:
    pk = ["Product", "1"]
    INTAKE.event(pk, None, None, None, NOW)
    pk[1] = "2"
    assert INTAKE.event(pk, None, None, None, NOW).pk == ("Product", "2")
