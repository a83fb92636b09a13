"""The JSON API's `explain` and `movers`: what they answer, in which words, and what they refuse.

It is Sunday 22 November 2026, noon. For eight weeks each day each country has had 100 visitors, half of them on phones,
and somewhat more or less, such that every week has 700; in the last three days Germany has had 20.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import translation

from hailwhale_django import Whale, explanation_views
from hailwhale_django.engine.domain.plan import Schedule
from tests.api import who_may

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TREMBLING = (3, -2, 5, -4, 1, -3, 0)
"""What a day has more than usual; the sum is 0."""

URL = "/hailwhale/explain"
MOVERS = "/hailwhale/movers"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # The server's own clock goes on: in some years it would drop what is counted here as soon as it is counted.
    monkeypatch.setattr(Schedule, "expires_at", lambda schedule, column: None)
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def reader() -> Client:
    return who_may("view_counter")


@pytest.fixture
def shop() -> None:
    for day in range(56):
        at = NOON - timedelta(days=day)
        for turn, (country, device) in enumerate((c, d) for c in ("US", "DE") for d in ("phone", "desk")):
            usual = 10 if country == "DE" and day < 3 else 50
            visitors = usual + TREMBLING[(day + 2 * turn) % 7]
            metrics = {"visitors": visitors, "orders": visitors / 10 + TREMBLING[(day + turn) % 7] / 10}
            Whale.count_now("shop", {"country": country, "device": device}, metrics, at=at)


@pytest.fixture
def hats() -> None:
    """Child counters of 700 a week, of which one has 140 in the last."""
    for day in range(56):
        for number, name in enumerate(("hats", "shoes")):
            visitors = (20 if name == "hats" and day < 7 else 100) + TREMBLING[(day + 2 * number) % 7]
            Whale.count_now(["shop", name], metrics={"visitors": visitors}, at=NOON - timedelta(days=day))


def post(client: Client, body: dict[str, Any], url: str = URL) -> Any:
    return client.post(url, json.dumps(body), content_type="application/json")


ASKED = {"pk": "shop", "formula": "visitors", "period": "7d"}


def part(found: list[dict[str, Any]], *path: str) -> dict[str, Any]:
    [one] = [one for one in found if one["path"] == list(path)]
    return one


@pytest.mark.usefixtures("shop")
def test_a_fall_and_its_cause(reader: Client) -> None:
    answer = post(reader, ASKED)
    assert answer.status_code == 200
    found = answer.json()
    # Germany had 700 a week. In the last it had 4 days of 100, 3 of 20.
    assert (found["before"], found["now"], found["change"]) == (1400, 1160, -240)
    assert found["relative"] == pytest.approx(-240 / 1400)
    assert (found["verdict"], found["interval"]) == ("causes", "1d")
    assert found["times"] == {"first": "2026-11-20T00:00:00+00:00", "last": "2026-11-22T00:00:00+00:00"}
    [cause] = found["causes"]
    assert (cause["path"], cause["counters"], cause["how"]) == (["country", "DE"], False, "less")
    assert (cause["before"], cause["now"], cause["part"], cause["share"]) == (700, 460, -240, 1)
    assert (cause["weight_before"], cause["weight"]) == (0.5, pytest.approx(460 / 1160))
    # The rest, which is the US, did not change.
    assert (cause["effect"], cause["without"]) == (pytest.approx(-240), pytest.approx(1400))
    assert cause["score"] < -3
    assert cause["times"] == found["times"]
    assert found["sentences"] == [
        "visitors fell from 1,400 to 1,160 (-17.1%).",
        "Most of it came about in a part of the period (from Nov 20, 2026 on).",
        "100.0% of that is DE, where it fell from 700 to 460 (from Nov 20, 2026 on).",
        "Had it changed as the rest did, visitors would be 1,400.",
    ]
    assert found["meta"]["warnings"] == []
    assert found["meta"]["generated_at"] == "2026-11-22T12:00:00+00:00"


@pytest.mark.usefixtures("shop")
def test_parts_add_up(reader: Client) -> None:
    country, device = post(reader, ASKED).json()["breakdowns"][:2]
    assert (country["table"], device["table"]) == (["country"], ["device"])
    assert [(one["path"][-1], one["part"]) for one in country["parts"]] == [("DE", -240), ("US", 0)]
    assert [one["part"] for one in device["parts"]] == [-120, -120]
    for table in (country, device):
        assert (table["others"], table["count"], table["other"], table["rest"]) == (0, 0, 0, 0)
    [table] = post(reader, {**ASKED, "limit": 1, "dimensions": "device"}).json()["breakdowns"]
    assert ([one["part"] for one in table["parts"]], table["others"], table["count"]) == ([-120], -120, 1)


@pytest.mark.usefixtures("shop")
def test_a_ratio(reader: Client) -> None:
    for day in range(7):  # 40 visitors more a day from the US, who order nothing
        Whale.count_now("shop", {"country": "US"}, {"visitors": 40}, at=NOON - timedelta(days=day))
    found = post(reader, {**ASKED, "metric": "orders/visitors", "formula": None} | {"dimensions": ["country"]})
    assert found.status_code == 400  # which is spelt twice
    found = post(reader, {"pk": "shop", "metric": "orders/visitors", "period": "7d", "dimensions": ["country"]}).json()
    # 140 of 1,400 before; now 116 of 1,440.
    assert (found["before"], found["now"]) == (pytest.approx(0.1), pytest.approx(116 / 1440))
    [table] = found["breakdowns"]
    us = part(table["parts"], "country", "US")
    assert (us["before"], us["now"]) == (pytest.approx(0.1), pytest.approx(70 / 980))
    assert (us["weight_before"], us["weight"]) == (pytest.approx(0.5), pytest.approx(980 / 1440))
    # By its own rate, at the mean of its weights; by its weight, at the mean of its rates less that of the whole's.
    rate = (70 / 980 - 0.1) * (0.5 + 980 / 1440) / 2
    mix = (980 / 1440 - 0.5) * ((0.1 + 70 / 980) / 2 - (0.1 + 116 / 1440) / 2)
    assert (us["rate"], us["mix"]) == (pytest.approx(rate), pytest.approx(mix))
    assert us["part"] == pytest.approx(rate + mix)
    assert sum(one["part"] for one in table["parts"]) == pytest.approx(116 / 1440 - 0.1)
    assert [(one["path"], one["how"]) for one in found["causes"]] == [(["country", "US"], "rate")]


@pytest.mark.usefixtures("shop")
def test_what_was_understood(reader: Client) -> None:
    asked = {
        "pk": "shop",
        "metric": "orders / visitors",
        "period": "2d",
        "compare": "2026-11-01..2026-11-02",
        "dimension": "country/DE",
        "dimensions": ["device", "device"],
        "depth": "2",
        "limit": 5,
        "zone": "UTC",
    }
    found = post(reader, asked).json()["query"]
    assert {**found, "period": 0, "compare": 0} == {
        "pk": ["shop"],
        "dimension": ["country", "DE"],
        "formula": "orders / visitors",
        "period": 0,
        "compare": 0,
        "dimensions": ["device"],
        "depth": 2,
        "limit": 5,
    }
    assert found["period"]["start"] == "2026-11-21T00:00:00+00:00"
    assert found["compare"] == {
        "text": "2026-11-01..2026-11-02",
        "start": "2026-11-01T00:00:00+00:00",
        "end": "2026-11-03T00:00:00+00:00",
        "interval": "1d",
        "zone": "UTC",
    }


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("url", [URL, MOVERS])
def test_by_url_it_is_the_same(url: str, reader: Client) -> None:
    by_url = reader.get(url, {"pk": "shop", "metric": "visitors", "period": "7d", "dimensions": ["country", "device"]})
    by_body = post(reader, {**ASKED, "versus": "previous", "dimensions": ["country", "device"]}, url).json()
    assert {**by_url.json(), "meta": 0} == {**by_body, "meta": 0}
    assert by_url["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("shop")
def test_sentences_are_in_the_language_of_the_request(reader: Client) -> None:
    with translation.override("de"):
        found = post(reader, ASKED).json()["sentences"]
    assert "1.400" in found[0]


@pytest.mark.usefixtures("hats")
def test_child_counters(reader: Client) -> None:
    found = post(reader, ASKED).json()
    [cause] = found["causes"]
    assert (cause["path"], cause["counters"], cause["part"]) == (["hats"], True, -560)
    [table] = found["breakdowns"]
    assert (table["table"], table["counters"]) == ([], True)
    assert found["times"] is None  # all the time


@pytest.mark.usefixtures("hats")
def test_movers(reader: Client) -> None:
    found = post(reader, ASKED, MOVERS).json()
    assert list(found) == ["query", "movers", "meta"]
    [mover] = found["movers"]
    assert (mover["path"], mover["counters"]) == (["hats"], True)
    assert (mover["before"], mover["now"], mover["change"], mover["part"]) == (700, 140, -560, -560)
    assert (mover["weight_before"], mover["weight"]) == (0.5, 140 / 840)
    assert mover["score"] < -3
    assert (found["meta"]["count"], found["meta"]["warnings"]) == (2, [])


@pytest.mark.usefixtures("shop")
def test_as_many_movers_as_are_asked_for(reader: Client) -> None:
    for day in range(28):
        for country, usual in (("FR", 100), ("NO", 200)):
            visitors = (usual if day >= 7 else 10) + TREMBLING[day % 7]
            Whale.count_now("shop", {"country": country}, {"visitors": visitors}, at=NOON - timedelta(days=day))
    found = post(reader, ASKED, MOVERS).json()["movers"]
    # Germany fell, and so did the devices that its visitors have; of the others nobody knows the device.
    assert [(one["path"], one["change"]) for one in sorted(found, key=lambda one: one["change"])] == [
        (["country", "NO"], 70 - 1400),
        (["country", "FR"], 70 - 700),
        (["country", "DE"], -240),
        (["device", "desk"], -120),
        (["device", "phone"], -120),
    ]
    assert post(reader, {**ASKED, "limit": 1}, MOVERS).json()["movers"] == found[:1]


@pytest.mark.parametrize("asked", [{}, {"dimension": "country"}, {"dimensions": ["country"]}, {"formula": "a/0"}])
def test_of_what_was_never_counted_nothing_is_said(asked: dict[str, Any], reader: Client) -> None:
    """As tables of it are empty, and its totals 0."""
    found = post(reader, {**ASKED, **asked}).json()
    assert (found["verdict"], found["before"], found["now"], found["relative"]) == ("nothing", 0, 0, None)
    assert (found["causes"], found["breakdowns"], found["times"]) == ([], [], None)
    assert len(found["sentences"]) == 2
    found = post(reader, {**ASKED, **asked}, MOVERS).json()
    assert (found["movers"], found["meta"]["count"]) == ([], 0)


@pytest.mark.usefixtures("shop")
def test_dimensions_that_are_not_there(reader: Client) -> None:
    found = post(reader, {**ASKED, "dimensions": ["colour"]}).json()
    assert (found["verdict"], found["breakdowns"], found["change"]) == ("alike", [], -240)
    assert post(reader, {**ASKED, "dimension": "colour/red"}).json()["verdict"] == "nothing"


DEEP: Any = "x"
for _ in range(500):
    DEEP = [DEEP]


@pytest.mark.parametrize("url", [URL, MOVERS])
@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"pk": None}, "pk"),
        ({"pk": ""}, "pk"),
        ({"pk": DEEP}, "body"),
        ({"formula": "1"}, "formula"),
        ({"formula": "a@_"}, "formula"),
        ({"formula": "a@parent/2"}, "formula"),
        ({"formula": "top10:sum:page"}, "formula"),
        ({"formula": "pct95:ms"}, "formula"),
        ({"formula": "hits + pct95:ms"}, "formula"),
        ({"formula": "visitors/"}, "formula"),
        ({"formula": ["visitors", "hits"]}, "formula"),
        ({"formula": 5}, "formula"),
        ({"formula": "(" * 900 + "a" + ")" * 900}, "formula"),
        ({"formula": "+".join(f"a{n}" for n in range(5000))}, "formula"),
        ({"period": "soon"}, "period"),
        ({"period": ["7d"]}, "period"),
        ({"period": "1s:10y"}, "period"),
        ({"versus": "then"}, "versus"),
        ({"compare": {"a": 1}}, "versus"),
        ({"period": "1mo:12mo", "versus": "weekdays"}, "versus"),
        ({"dimension": "a/b/c/d/e/f/g/h/i"}, "dimension"),
        ({"dimension": {"a": 1, "b": 2}}, "dimension"),
        ({"dimensions": {"country": "US"}}, "dimensions"),
        ({"dimensions": [["country"]]}, "dimensions"),
        ({"dimensions": [str(n) for n in range(101)]}, "dimensions"),
        ({"dimensions": ["a"] * 1001}, "dimensions"),
        ({"depth": 0}, "depth"),
        ({"depth": 10**18}, "depth"),
        ({"depth": 10**400}, "body"),
        ({"depth": "deep"}, "depth"),
        ({"limit": 0}, "limit"),
        ({"limit": 10_001}, "limit"),
        ({"tzoffset": "Mars/Olympus"}, "tzoffset"),
        ({"store": "other"}, "parameters"),
        ({"metric": "hits"}, "metric"),
    ],
)
def test_what_will_not_do_is_told_by_its_field(url: str, asked: dict[str, Any], field: str, reader: Client) -> None:
    answer = post(reader, {**ASKED, **asked}, url)
    assert answer.status_code in (400, 413)
    assert answer.json()["error"]["field"] == field


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("url", [URL, MOVERS])
@pytest.mark.parametrize(
    "asked",
    [
        {"formula": "visitors/0"},
        {"formula": "0/visitors"},
        {"formula": "visitors/visitors@_"},
        {"formula": "visitors*visitors*visitors*visitors"},
        {"formula": "1/(visitors-visitors)"},
        {"formula": "-visitors"},
        {"formula": "uv:visitor"},
        {"formula": ["visitors"]},
        {"formula": {"orders": "visitors"}},
        {"formula": None},
        {"depth": 8, "limit": 10_000},
        {"period": "1d:5y", "versus": "year"},
        {"period": "1m:2d"},
        {"period": "1s:1h"},
        {"period": "today", "versus": "today"},
        {"versus": ""},
        {"tzoffset": "Pacific/Apia"},
        {"dimension": "_"},
        {"dimension": "country/(other)"},
        {"dimension": "country/×device"},
        {"dimensions": ["×device", "", "a/b"][:1]},
        {"dimensions": []},
        {"pk": "_"},
        {"pk": ["shop", "hats"]},
        {"pk": "<script>"},
    ],
)
def test_whatever_can_be_asked_is_answered(url: str, asked: dict[str, Any], reader: Client) -> None:
    assert post(reader, {**ASKED, **asked}, url).status_code == 200


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numpy, about what is infinite
def test_numbers_that_overflow_are_null(reader: Client) -> None:
    for day in (0, 1, 7, 8):
        Whale.count_now("rich", {"country": "US"}, {"money": 9e12 / 8}, at=NOON - timedelta(days=day))
    formula = "*".join(["money"] * 30)
    answer = post(reader, {"pk": "rich", "formula": formula, "period": "7d"})
    assert answer.status_code == 200
    assert post(reader, {"pk": "rich", "formula": formula, "period": "7d"}, MOVERS).status_code == 200


@pytest.mark.usefixtures("shop")
def test_an_answer_is_bounded(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # Two tables of two rows of nine numbers each.
    monkeypatch.setattr(explanation_views, "MAX_POINTS", 36)
    assert post(reader, {**ASKED, "depth": 1}).status_code == 200
    monkeypatch.setattr(explanation_views, "MAX_POINTS", 35)
    answer = post(reader, {**ASKED, "depth": 1, "limit": 1000})
    assert answer.status_code == 413
    error = answer.json()["error"]
    assert (error["field"], error["value"]) == ("limit", 1000)
    assert "2 tables have 36 numbers; at most 35" in error["expected"]


@pytest.mark.parametrize("url", [URL, MOVERS])
def test_who_may(url: str) -> None:
    assert Client().get(url, ASKED).status_code in (401, 403)
    assert who_may("add_counter").get(url, ASKED).status_code == 403


@pytest.mark.parametrize("url", [URL, MOVERS])
def test_methods(url: str, reader: Client) -> None:
    assert reader.head(url, ASKED).status_code == 200
    assert reader.get(url + "/", ASKED).status_code == 200
    answer = reader.put(url)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST")
