"""Real data: February's flights beside January's, and the week of a snowstorm, worked out again from the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from example_project.flights.events import LAST_DAY, PK, carrier, events, wall_time
from example_project.flights.load import rows
from hailwhale_django.engine.explain.explanation import Explanation
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store.server import connect
from hailwhale_django.engine.store.store import Options, Store
from tests import servers

JANUARY, FEBRUARY = (date(2013, 1, 1), date(2013, 1, 31)), (date(2013, 2, 1), date(2013, 2, 28))
STORM, BEFORE = (date(2013, 2, 4), date(2013, 2, 10)), (date(2013, 1, 28), date(2013, 2, 3))
SNOW = (date(2013, 2, 8), date(2013, 2, 9))

Span = tuple[date, date]
Sums = dict[str, list[int]]

TODAY = datetime.now(UTC).date()
SHIFT = TODAY - LAST_DAY
"""Flights are moved in time, so that what is kept is not over."""


@pytest.fixture(scope="module")
def flights() -> list[dict[str, str]]:
    """Of January and February."""
    return [row for row in rows() if wall_time(row["time_hour"]).date() <= FEBRUARY[1]]


@pytest.fixture(scope="module")
def pod(flights: list[dict[str, str]]) -> Iterator[Pod]:
    """On a server of its own, since others are emptied for each test."""
    with servers.standalone() as url, closing(connect(url)) as server:
        pod = Pod(Store(server, Options(zone="America/New_York")))
        pod.count_many(events(flights, TODAY), None)
        yield pod


def explained(pod: Pod, formula: str, span: Span, versus: Span) -> Explanation:
    def text(one: Span) -> str:
        return f"{one[0] + SHIFT}..{one[1] + SHIFT}"

    return pod.explain(PK, formula, period=text(span), versus=text(versus), limit=30)


def sums(flights: list[dict[str, str]], span: Span, metric: str) -> Sums:
    """By carrier what of it there was, and flights; of the whole as `_`."""
    found: Sums = defaultdict(lambda: [0, 0])
    for row in flights:
        if span[0] <= wall_time(row["time_hour"]).date() <= span[1]:
            cancelled, delay = row["dep_delay"] == "NA", row["arr_delay"]
            top, bottom = (int(cancelled), 1) if metric == "cancelled" else (0, 0)
            if metric == "arr_delay" and delay != "NA":
                top, bottom = int(delay), 1
            for name in (carrier(row["carrier"]), "_"):
                found[name][0] += top
                found[name][1] += bottom
    return found


def part(before: Sums, now: Sums, name: str) -> Fraction:
    """Kitagawa's, as the guide writes it."""
    (a0, b0), (a1, b1) = before[name], now[name]
    (whole_a0, whole_b0), (whole_a1, whole_b1) = before["_"], now["_"]
    middle = (Fraction(whole_a0, whole_b0) + Fraction(whole_a1, whole_b1)) / 2
    grown = Fraction(a1, whole_b1) - Fraction(a0, whole_b0)
    return grown - middle * (Fraction(b1, whole_b1) - Fraction(b0, whole_b0))


@pytest.mark.parametrize(
    ("metric", "formula", "span", "versus"),
    [
        ("arr_delay", "arr_delay/arrived", FEBRUARY, JANUARY),
        ("cancelled", "cancelled/flights", FEBRUARY, JANUARY),
        ("cancelled", "cancelled/flights", STORM, BEFORE),
    ],
)
def test_parts_of_carriers(
    pod: Pod, flights: list[dict[str, str]], metric: str, formula: str, span: Span, versus: Span
) -> None:
    found = explained(pod, formula, span, versus)
    before, now = sums(flights, versus, metric), sums(flights, span, metric)
    change = Fraction(*now["_"]) - Fraction(*before["_"])
    assert found.change == pytest.approx(float(change))
    by_carrier = next(one for one in found.breakdowns if str(one.table) == "carrier")
    assert len(by_carrier.parts) == len(before) - 1
    for one in by_carrier.parts:
        assert one.part == pytest.approx(float(part(before, now, one.name)), abs=1e-12)
    assert sum(part(before, now, name) for name in before if name != "_") == change


def test_a_snowstorm(pod: Pod, flights: list[dict[str, str]]) -> None:
    """It snowed on the 8th and 9th; JetBlue, which had cancelled next to nothing, carries most."""
    found = explained(pod, "cancelled/flights", FEBRUARY, JANUARY)
    before, now = sums(flights, JANUARY, "cancelled"), sums(flights, FEBRUARY, "cancelled")
    assert (round(found.before, 4), round(found.now, 4)) == (0.0193, 0.0505)
    assert found.times is not None
    first, last = found.times
    days = FEBRUARY[0] + timedelta(days=first), FEBRUARY[0] + timedelta(days=last)
    assert days == SNOW
    of_all = sums(flights, SNOW, "cancelled")["_"][0]
    assert of_all > now["_"][0] / 2  # most cancelled flights of the month are of these two days
    (cause,) = found.causes
    assert (cause.path.name, cause.how, cause.times) == ("JetBlue (B6)", "rate", found.times)
    share = part(before, now, cause.path.name) / (Fraction(*now["_"]) - Fraction(*before["_"]))
    assert cause.share == pytest.approx(float(share)) == pytest.approx(0.185, abs=0.001)
