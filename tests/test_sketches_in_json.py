"""Sketches over HTTP: every way in takes their values or says why not, and answers tell them in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from rest_framework.test import APIClient

from hailwhale_django import Whale, pixel
from hailwhale_django.engine.simmer.envelope import as_text
from hailwhale_django.engine.simmer.unique import Unique
from hailwhale_django.ticket import Ticket
from tests.api import KEY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url", "write_keys")]

EDGE = 2**-16  # values are told as the upper edge of their cell
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

GIVEN = {
    "uv:visitor": ["u42", "u43"],
    "pct95:ms": 87,
    "top10:sum:page": {"/pricing": 2, "/a:b": 1},
    "mh:visitor": "u42",
}

BAD: list[tuple[dict[str, Any], str]] = [
    ({"pct95:ms": "slow"}, "pct95:ms"),
    ({"pct95:ms": [1, None, [True]]}, "pct95:ms"),
    ({"pct101:ms": 1}, "recipe"),
    ({"top10:sum:page": "/pricing"}, "top10:sum:page"),
    ({"uv:visitor": {"u42": 1}}, "uv:visitor"),
    ({"uv:visitor": "%%%AAAA"}, "uv:visitor"),
    ({"pct50:ms": 1, "pct95:ms": 2}, "pct95:ms"),
    ({"top:page": "a:1"}, "key"),
]

Drain = Callable[[], None]


@pytest.fixture
def reader() -> APIClient:
    user = User.objects.create_user("reader")
    user.user_permissions.add(Permission.objects.get(codename="view_counter"))
    client = APIClient()
    client.force_login(user)
    return client


def post(client: APIClient, name: str, body: Any, **extra: Any) -> Any:
    return client.post(f"/hailwhale/{name}", json.dumps(body), content_type="application/json", **extra)


def keyed(client: APIClient, name: str, body: Any) -> Any:
    return post(client, name, body, headers={"X-Hailwhale-Key": KEY})


def assert_counted() -> None:
    """What `GIVEN` says, once."""
    told = Whale.totals("shop", None, ["uv:visitor", "pct50:ms", "top10:sum:page"], ["today"])["today"]["_"]
    assert told == {"uv:visitor": 2, "pct50:ms": 87 + EDGE, "top10:sum:page": [("/pricing", 2), ("/a:b", 1)]}
    assert Whale.metrics_of("shop") == ["hits", "mh:visitor", "pct:ms", "top:sum:page", "uv:visitor"]
    assert Whale.total("shop") == 1


# -- ways in


@pytest.mark.parametrize("name", ["count", "count_now"])
def test_count(name: str, anyone: APIClient) -> None:
    assert keyed(anyone, name, {"pk": "shop", "metrics": GIVEN}).status_code == 200
    assert_counted()


def test_count_by_url(anyone: APIClient) -> None:
    written = """{'uv:visitor': ["u42", u43], "pct95:ms": 87, 'mh:visitor': 'u42',
        "top10:sum:page": {"/pricing": 2, "/a:b": 1}}"""
    assert anyone.get("/hailwhale/count", {"pk": "shop", "metrics": written, "key": KEY}).status_code == 200
    assert_counted()


def test_events(anyone: APIClient, drain: Drain) -> None:
    response = keyed(anyone, "events", [{"pk": "shop", "metrics": GIVEN}])
    assert (response.status_code, response.json()["accepted"]) == (202, 1)
    drain()
    assert_counted()


def test_event_with_a_key(anyone: APIClient, drain: Drain) -> None:
    assert post(anyone, "event", {"key": KEY, "pk": "shop", "metrics": GIVEN}).status_code == 202
    drain()
    assert_counted()


def test_event_with_a_ticket(anyone: APIClient, drain: Drain) -> None:
    token = Ticket("shop", None, None, tuple(GIVEN)).signed("event")
    assert post(anyone, "event", {"token": token, "metrics": GIVEN}).status_code == 202
    drain()
    assert_counted()


def test_a_page_tells_values_and_no_states(anyone: APIClient) -> None:
    sealed = as_text(Unique(), Unique().prepare([f"u{n}" for n in range(2000)]))
    token = Ticket("shop", None, None, ("uv:visitor",)).signed("event")
    for value in (sealed, ["u1", [sealed]]):
        response = post(anyone, "event", {"token": token, "metrics": {"uv:visitor": value}})
        assert (response.status_code, response.json()["error"]["field"]) == (400, "uv:visitor")
    assert keyed(anyone, "count", {"pk": "shop", "metrics": {"uv:visitor": sealed}}).status_code == 200
    assert Whale.total("shop", "uv:visitor") == pytest.approx(2000, rel=0.05)


def test_pixel(client: Client, drain: Drain) -> None:
    assert client.get(pixel.address(Ticket("shop", None, GIVEN))).status_code == 200
    drain()
    assert_counted()


def test_a_bot_is_counted_apart(client: Client, drain: Drain) -> None:
    assert client.get(pixel.address(Ticket("shop", None, GIVEN)), headers={"User-Agent": BOT}).status_code == 200
    drain()
    assert Whale.total("shop", "uv:visitor") == 0
    assert Whale.total("shop", "uv:bot_visitor", "bot/Googlebot") == 2
    assert Whale.total("shop", "top10:sum:bot_page") == [("/pricing", 2), ("/a:b", 1)]


def test_collectd_sends_numbers_whatever_they_are_called(anyone: APIClient, drain: Drain) -> None:
    reading = {"host": "web-1", "plugin": "max:load", "type": "load", "values": [0.5], "dstypes": ["gauge"]}
    reading |= {"dsnames": ["short"], "interval": 10}
    assert keyed(anyone, "collectd", [reading]).status_code == 202
    drain()
    assert Whale.total("collectd", '"max:load.load.short"') == 0.5


@pytest.mark.parametrize(("metrics", "field"), BAD)
def test_what_will_not_do_is_named(metrics: Any, field: str, anyone: APIClient, client: Client) -> None:
    token = Ticket("shop", None, None, tuple(metrics)).signed("event")
    by_url = {"pk": "shop", "metrics": json.dumps(metrics), "key": KEY}
    for response in (
        keyed(anyone, "count", {"pk": "shop", "metrics": metrics}),
        anyone.get("/hailwhale/count", by_url),
        post(anyone, "event", {"key": KEY, "pk": "shop", "metrics": metrics}),
        post(anyone, "event", {"token": token, "metrics": metrics}),
    ):
        error = response.json()["error"]
        assert (response.status_code, error["field"]) == (400, field)
        assert error["expected"] and error["message"]
    response = keyed(anyone, "events", [{"pk": "shop", "metrics": metrics}])
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)
    response = client.get(pixel.address(Ticket("shop", None, metrics)))
    assert (response.status_code, response[pixel.ERROR_HEADER].startswith(field)) == (400, True)
    assert Whale.counters() == []


def test_too_many_values_are_too_large(anyone: APIClient) -> None:
    response = keyed(anyone, "count", {"pk": "shop", "metrics": {"uv:visitor": list(range(1001))}})
    assert (response.status_code, response.json()["error"]["field"]) == (413, "uv:visitor")


def test_a_sketch_cannot_be_set(anyone: APIClient) -> None:
    response = keyed(anyone, "update_count_to", {"pk": "shop", "metrics": {"uv:visitor": 5}})
    assert (response.status_code, response.json()["error"]["field"]) == (400, "metrics")


def test_a_sketch_is_removed_by_any_of_its_names(reader: APIClient) -> None:
    reader.force_login(User.objects.create_superuser("root"))
    for name in ("pct:ms", "pct50:ms", "hist:ms"):
        Whale.count_now("shop", None, {"pct95:ms": 5})
        assert post(reader, "reset", {"pk": "shop", "metric": name}).status_code == 200
        assert Whale.metrics_of("shop") == ["hits"]
    assert Whale.total("shop", "pct95:ms") == 0


# -- answers


@pytest.fixture
def shop() -> None:
    """US: visitors a, b; ms 10, 20; two pages. DE: visitor a, 30 ms. FR was hit, and that is all."""
    Whale.count_now(
        "shop", {"country": "US"}, {"uv:visitor": "a", "mh4:visitor": "a", "pct50:ms": 10, "top:sum:p": "/:3"}
    )
    Whale.count_now(
        "shop", {"country": "US"}, {"uv:visitor": "b", "mh4:visitor": "b", "pct50:ms": 20, "top:sum:p": "b:1"}
    )
    Whale.count_now("shop", {"country": "DE"}, {"uv:visitor": "a", "mh4:visitor": "a", "pct50:ms": 30})
    Whale.count_now("shop", {"country": "FR"}, {"revenue": 1})


ASKED = {"pk": "shop", "dimension": "country", "period": "1d:today", "order_by": [["uv:visitor", "desc"], "name"]}


def test_query(reader: APIClient, shop: None) -> None:
    metrics = ["uv:visitor", "pct50:ms", "top:sum:p", "hist5:ms", "mh4:visitor", "hits/uv:visitor"]
    found = post(reader, "query", ASKED | {"metrics": metrics, "points": True, "compare": "previous"}).json()
    assert [(column["kind"], column["ratio"]) for column in found["columns"]] == [
        ("number", False),
        ("level", False),
        ("list", False),
        ("histogram", False),
        ("text", False),
        ("number", True),
    ]
    assert [row["name"] for row in found["rows"]] == ["US", "DE", "FR"]
    us, _, fr = (row["cells"] for row in found["rows"])
    assert us[0]["value"] == 2 and us[0]["share"] == 1 and us[0]["points"] == [2]
    assert (us[1]["value"], us[1]["share"], us[1]["effect"], us[1]["points"]) == (10 + EDGE, None, None, [10 + EDGE])
    assert us[2] == {"value": None, "list": [["/", 3], ["b", 1]]}
    assert us[3] == {"value": None, "list": [[10, 1], [15, 0], [20, 1]]}
    assert us[4]["value"] is None and len(us[4]["text"].split(":")) == 4
    assert fr[2:5] == [{"value": None, "list": None}] * 2 + [{"value": None, "text": None}]
    assert fr[1]["points"] == [None]  # nothing was told there, and a line has a gap
    whole = found["totals"]["cells"]
    assert whole[0]["value"] == 2
    assert whole[3]["list"] == [[10, 1], [15, 0], [20, 1], [25, 0], [30, 1]]


def test_totals_and_plotpoints(reader: APIClient, shop: None) -> None:
    metrics = ["uv:visitor", "hits/uv:visitor", "top:sum:p", "hist5:ms", "mh4:visitor"]
    asked = {"pk": "shop", "dimensions": "country/US", "metrics": metrics}
    found = post(reader, "totals", asked | {"periods": "today"}).json()["today"]["country/US"]
    signature = found.pop("mh4:visitor")
    assert found == {
        "uv:visitor": 2,
        "hits/uv:visitor": 1,
        "top:sum:p": [["/", 3], ["b", 1]],
        "hist5:ms": [[10, 1], [15, 0], [20, 1]],
        "hits": 2,
    }
    told = {name: value for name, value in found.items() if name in metrics} | {"mh4:visitor": signature}
    lines = post(reader, "plotpoints", asked | {"period": "1d:today"}).json()["country/US"]
    assert {metric: points[0][1] for metric, points in lines.items()} == told


def test_rank(reader: APIClient, shop: None) -> None:
    asked = {"pk": "shop", "dimension": "country", "period": "today"}
    rows = post(reader, "rank", asked | {"metric": "pct50:ms"}).json()["rows"]
    assert [(row["path"][1], row["score"], row["share"]) for row in rows] == [
        ("DE", 30 + EDGE, None),
        ("US", 10 + EDGE, None),
        ("FR", None, None),
    ]
    response = post(reader, "rank", asked | {"metric": "top:sum:p"})
    assert (response.status_code, response.json()["error"]["field"]) == (400, "metric")


@pytest.mark.parametrize("changed", [{"order_by": "top:sum:p"}, {"filters": [[">", "hist:ms", 1]]}])
def test_lists_are_no_numbers_to_reckon_with(changed: Any, reader: APIClient) -> None:
    response = post(reader, "query", ASKED | {"metrics": "hits"} | changed)
    assert (response.status_code, response.json()["error"]["field"]) == (400, next(iter(changed)))
    response = post(reader, "query", ASKED | {"metrics": "hits/top:sum:p"})
    assert (response.status_code, response.json()["error"]["field"]) == (400, "formula")


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("query", {"metrics": "fh16:x"}),  # 65,536 numbers in each of 100 rows
        ("query", {"metrics": ["hits", "top1000:sum:p"], "limit": 2000}),
        ("plotpoints", {"metrics": "top1000:sum:p", "period": "1d:1y"}),
    ],
)
def test_answers_have_a_size(name: str, asked: Any, reader: APIClient) -> None:
    response = post(reader, name, {"pk": "shop"} | asked)
    assert (response.status_code, response.json()["error"]["field"]) == (413, "limit")


def test_what_is_beyond_a_double_is_null(reader: APIClient) -> None:
    Whale.count_now("shop", None, {"top:sum:p": ["a:1.7e308", "a:1.7e308"], "max:x": 1})
    found = reader.get("/hailwhale/query?pk=shop&metrics=top:sum:p&period=today")
    assert found.json()["totals"]["cells"] == [{"value": None, "list": [["a", None]]}]


# -- overlap


def test_overlap(reader: APIClient, shop: None) -> None:
    asked = {"pk": "shop", "metric": "mh4:visitor", "dimension": "country", "period": "today"}
    found = post(reader, "overlap", asked | {"names": ["DE", "FR", "DE"]}).json()
    assert found == {"names": ["DE", "FR"], "matrix": [[1, None], [None, None]], "standard_error": 0.25, "warnings": []}
    by_url = reader.get("/hailwhale/overlap?pk=shop&metric=mh4:visitor&dimension=country&period=today&limit=1")
    assert by_url.json()["names"] == ["US"]


def test_who_may_ask_for_an_overlap(anyone: APIClient, reader: APIClient) -> None:
    asked = {"pk": "shop", "metric": "mh:visitor"}
    assert post(reader, "overlap", asked).json()["names"] == []
    assert keyed(anyone, "overlap", asked).status_code in (401, 403)
    assert anyone.get("/hailwhale/overlap", asked).status_code in (401, 403)


@pytest.mark.parametrize(
    ("asked", "field", "status"),
    [
        ({}, "metric", 400),
        ({"metric": "uv:visitor"}, "metric", 400),
        ({"metric": 5}, "metric", 400),
        ({"metric": "mh:x", "limit": 101}, "limit", 400),
        ({"metric": "mh:x", "names": [["US"]]}, "names", 400),
        ({"metric": "mh:x", "names": ["US"] * 101}, "names", 413),
        ({"metric": "mh:x", "rows": 1}, "parameters", 400),
    ],
)
def test_overlaps_that_cannot_be_told(asked: Any, field: str, status: int, reader: APIClient) -> None:
    response = post(reader, "overlap", {"pk": "shop"} | asked)
    assert (response.status_code, response.json()["error"]["field"]) == (status, field)
