"""From rows of flights-2013.csv.gz to events: a pure function of the rows and of today's date.

Every flight moves by the same whole number of days, so that New Year's Eve of 2013 becomes today. It keeps
the hour on New York's clocks; where daylight saving time skips that hour, it is the hour after, and no flight
is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

PK = "flights"
LAST_DAY = date(2013, 12, 31)
NEW_YORK = ZoneInfo("America/New_York")

# What the data call late is any minute after the timetable; what passengers call late begins about here.
LATE_MINUTES = 15
UNKNOWN = "NA"

CARRIERS = {
    "9E": "Endeavor",
    "AA": "American",
    "AS": "Alaska",
    "B6": "JetBlue",
    "DL": "Delta",
    "EV": "ExpressJet",
    "F9": "Frontier",
    "FL": "AirTran",
    "HA": "Hawaiian",
    "MQ": "Envoy",
    "OO": "SkyWest",
    "UA": "United",
    "US": "US Airways",
    "VX": "Virgin America",
    "WN": "Southwest",
    "YV": "Mesa",
}


def events(rows: Iterable[Mapping[str, str]], today: date) -> Iterator[dict[str, Any]]:
    """One event for each row, in the order of the rows."""
    shift = today - LAST_DAY
    departures: dict[str, datetime] = {}
    for row in rows:
        time_hour = row["time_hour"]
        if time_hour not in departures:
            departures[time_hour] = wall_time(time_hour) + shift
        departure = departures[time_hour]
        yield {
            "pk": PK,
            "dimensions": dimensions(row, departure.hour),
            "metrics": metrics(row),
            "at": departure.replace(tzinfo=NEW_YORK).astimezone(UTC),
        }


def wall_time(time_hour: str) -> datetime:
    """What New York's clocks showed at this instant."""
    return datetime.fromisoformat(time_hour).astimezone(NEW_YORK).replace(tzinfo=None, fold=0)


def dimensions(row: Mapping[str, str], hour: int) -> dict[str, Any]:
    return {
        "carrier": carrier(row["carrier"]),
        "origin": {row["origin"]: row["dest"]},
        "route": f"{row['origin']}-{row['dest']}",
        "hour": f"{hour:02}",
    }


def carrier(code: str) -> str:
    return f"{CARRIERS[code]} ({code})" if code in CARRIERS else code


def metrics(row: Mapping[str, str]) -> dict[str, int]:
    """What is known of the flight: without a delay there is no departure or no arrival either."""
    known = {"flights": 1, "distance": int(row["distance"])}
    if row["dep_delay"] == UNKNOWN:
        known |= {"cancelled": 1}
    else:
        known |= {"departed": 1, "dep_delay": int(row["dep_delay"])}
    if row["arr_delay"] != UNKNOWN:
        known |= {"arrived": 1, "arr_delay": int(row["arr_delay"])}
        if known["arr_delay"] > LATE_MINUTES:
            known |= {"late": 1}
    return known
