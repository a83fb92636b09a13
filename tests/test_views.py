"""The JSON API, asked as browsers and scripts ask it."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import override_settings
from django.urls import reverse
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from hailwhale_django import Whale, views
from hailwhale_django.engine.domain.answer import Cell
from tests.api import KEY, configured

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url", "write_keys")]

ENDPOINTS = ("count", "count_now", "update_count_to", "totals", "plotpoints", "rank", "reset", "query")
WRITING = ("count", "count_now", "update_count_to")
READING = ("totals", "plotpoints", "rank", "query")


@pytest.fixture
def login() -> Callable[..., APIClient]:
    def log_in(*codenames: str, **kwargs: Any) -> APIClient:
        user = User.objects.create_user("-".join(codenames) or "nobody")
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client = APIClient(**kwargs)
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def reader(login: Callable[..., APIClient]) -> APIClient:
    return login("view_counter")


@pytest.fixture
def admin() -> APIClient:
    client = APIClient()
    client.force_login(User.objects.create_superuser("root"))
    return client


def url(name: str) -> str:
    return reverse(f"hailwhale:{name}")


def post(client: APIClient, name: str, body: Any, **extra: Any) -> Any:
    return client.post(url(name), json.dumps(body), content_type="application/json", **extra)


def error_of(response: Any) -> dict[str, Any]:
    assert response["Content-Type"] == "application/json"
    error: dict[str, Any] = response.json()["error"]
    assert error["message"]
    return error


# -- addresses and methods


@pytest.mark.parametrize("name", ENDPOINTS)
def test_addresses(name: str, admin: APIClient) -> None:
    assert url(name) == f"/hailwhale/{name}"
    body = {"pk": "shop", "metrics": {"x": 1}} if name == "update_count_to" else {"pk": "shop"}
    for address in (f"/hailwhale/{name}", f"/hailwhale/{name}/"):
        assert admin.post(address, body, format="json").status_code == 200


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize("method", ["put", "patch", "delete", "head", "options", "trace"])
def test_other_methods(name: str, method: str, anyone: APIClient) -> None:
    if (method, name in READING) == ("head", True) or (method, "count" in name[:5]) == ("options", True):
        return
    response = anyone.generic(method.upper(), url(name))
    assert response.status_code == 405
    allowed = {"reset": "POST", "update_count_to": "GET, POST"}
    if name in READING:
        assert response["Allow"] == "GET, HEAD, POST"
    else:
        assert response["Allow"] == allowed.get(name, "GET, POST, OPTIONS")
    if method != "head":
        assert method.upper() in error_of(response)["message"]


def test_head_reads_and_does_not_count(admin: APIClient) -> None:
    assert admin.head(url("totals"), {"pk": "shop"}).status_code == 200
    assert admin.head(url("count"), {"pk": "shop"}).status_code == 405
    assert Whale.total("shop") == 0


def test_reset_is_no_link(admin: APIClient) -> None:
    Whale.count_now("shop")
    response = admin.get(url("reset"), {"pk": "shop"})
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert Whale.total("shop") == 1


# -- counting


def test_the_three_urls_of_the_readme(anyone: APIClient, reader: APIClient) -> None:
    product_id = 17
    for address in (
        '/hailwhale/count?pk=test&dimensions=services&metrics={"dollars": 200}',
        '/hailwhale/count?pk=test&dimensions=advertising&metrics={"dollars": -2000}',
        f'/hailwhale/count?pk=test&dimensions={{"sales": {product_id}}}&metric={{"dollars": 500}}',
    ):
        response = anyone.get(f"{address}&key={KEY}")
        assert (response.status_code, response.json()) == (200, {"ok": True})
    assert Whale.total("test", "dollars", period="today") == -1300
    assert Whale.total("test", "dollars/hits", period="today") == pytest.approx(-1300 / 3)
    rows = reader.get('/hailwhale/rank?pk=test&metric="dollars"&period=today').json()["rows"]
    assert [(row["path"], row["score"]) for row in rows] == [
        (["sales"], 500),
        (["services"], 200),
        (["advertising"], -2000),
    ]
    assert Whale.total("test", "dollars", ["sales", "17"]) == 500


def test_the_readme_with_its_placeholder(anyone: APIClient) -> None:
    address = '/hailwhale/count?pk=test&dimensions={"sales": $product_id}&metric={"dollars": 500}'
    assert anyone.get(address, headers={"X-Hailwhale-Key": KEY}).status_code == 200
    assert Whale.get_subdimensions("test", "sales") == [["sales", "$product_id"]]


@pytest.mark.parametrize(
    ("parameters", "dimension", "metric", "total"),
    [
        ({}, None, "hits", 1),
        ({"metrics": "{'spent': .50}"}, None, "spent", 0.5),
        ({"metric": "{'spent': 5.}"}, None, "spent", 5),
        ({"metrics": '["spent"]'}, None, "spent", 1),
        ({"metric": "spent"}, None, "spent", 1),
        ({"dimension": "{'name': 'O'Brien'}"}, ["name", "O'Brien"], "hits", 1),
        ({"dimensions": '{"country": {"US": "CA"}}'}, "country/US/CA", "hits", 1),
        ({"dimensions": "country/US"}, "country", "hits", 1),
        ({"dimensions": "['country', 'US']"}, "country", "hits", 1),
        ({"dimensions": "5"}, "5", "hits", 1),
        ({"dimensions": "null", "metrics": "null", "at": "null"}, None, "hits", 1),
        ({"at": str(int(datetime.now(UTC).timestamp()))}, None, "hits", 1),
        ({"_": "1732233600000"}, None, "hits", 1),
    ],
)
@pytest.mark.parametrize("name", ["count", "count_now"])
def test_count_by_url(
    name: str, parameters: dict[str, str], dimension: Any, metric: str, total: float, anyone: APIClient
) -> None:
    response = anyone.get(url(name), {"pk": "shop", "key": KEY, **parameters})
    assert (response.status_code, response.json()) == (200, {"ok": True})
    assert response["Cache-Control"] == "no-store"
    assert Whale.total("shop", metric, dimension) == total


def test_count_by_body(anyone: APIClient) -> None:
    body = {"pk": ["Product", 123], "dimensions": {"country": "US"}, "metrics": {"revenue": 0.1}, "key": KEY}
    for _ in range(3):
        assert post(anyone, "count", body).status_code == 200
    assert Whale.total(["Product", "123"], "revenue", "country/US") == 0.3
    assert Whale.total("Product", "revenue") == 0.3


def test_body_goes_before_url(anyone: APIClient) -> None:
    address = f"{url('count')}?pk=shop&metrics=a&key={KEY}"
    assert anyone.post(address, {"metrics": {"b": 2}}, format="json").status_code == 200
    assert anyone.post(address).status_code == 200
    assert [Whale.total("shop", metric) for metric in ("a", "b", "hits")] == [1, 2, 2]


def test_a_counter_need_not_be_named(anyone: APIClient) -> None:
    assert anyone.get(url("count"), {"key": KEY}).status_code == 200
    assert Whale.total("_") == 1


def test_at(anyone: APIClient) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert post(anyone, "count", {"pk": "shop", "at": yesterday.isoformat(), "key": KEY}).status_code == 200
    assert (Whale.yesterday("shop"), Whale.today("shop")) == (1, 0)


def test_whatever_is_accepted_is_answered(anyone: APIClient) -> None:
    for accepted in ("image/avif,image/webp", "text/html", "application/xml", "nonsense", "application/json; indent=9"):
        response = anyone.get(url("count"), {"pk": "shop", "key": KEY}, headers={"Accept": accepted})
        assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert Whale.total("shop") == 5


def test_update_count_to(anyone: APIClient) -> None:
    Whale.count_now("shop", "shelf", {"stock": 5})
    response = anyone.get(
        url("update_count_to"), {"pk": "shop", "dimension": "shelf", "metric": "{'stock': 3}", "key": KEY}
    )
    assert (response.status_code, response.json()) == (200, {"ok": True})
    assert (Whale.today("shop", "stock", "shelf"), Whale.today("shop", "stock")) == (3, 5)
    body = {"pk": "shop", "dimensions": "shelf", "metrics": {"stock": 4}, "period": "1h", "rank": True, "key": KEY}
    assert post(anyone, "update_count_to", body).status_code == 200
    assert Whale.today("shop", "stock", "shelf") == 4


def test_reset(admin: APIClient) -> None:
    Whale.count_now("shop", {"country": "US", "device": "Mac"}, {"revenue": 5})
    assert post(admin, "reset", {"pk": "shop", "dimension": "country"}).json() == {"ok": True}
    assert Whale.get_subdimensions("shop") == ["device"]
    assert post(admin, "reset", {"pk": "shop", "metric": "revenue"}).status_code == 200
    assert (Whale.total("shop", "revenue"), Whale.total("shop")) == (0, 1)
    assert admin.post(f"{url('reset')}?pk=shop").status_code == 200
    assert Whale.total("shop") == 0


@pytest.mark.parametrize(
    "body",
    [{}, {"pk": None}, {"pk": ""}, {"pk": "shop", "dimension": ""}, {"pk": "shop", "dimension": []}]
    + [
        {"pk": "shop", "metric": ""},
        {"pk": "shop", "metric": ["hits"]},
        {"pk": "shop", "dimension": "a", "metric": "b"},
    ],
)
def test_reset_of_nothing_in_particular(body: Any, admin: APIClient) -> None:
    Whale.count_now("shop", "a")
    Whale.count_now("_")
    assert post(admin, "reset", body).status_code == 400
    assert (Whale.total("shop"), Whale.total("_")) == (1, 1)


def test_what_did_not_fit(anyone: APIClient) -> None:
    with configured(MAX_METRICS=2):
        response = anyone.get(url("count"), {"pk": "shop", "metrics": '["a", "b"]', "key": KEY})
    assert response.status_code == 409
    assert "['hits'] not counted: the limit is 2 metrics" in error_of(response)["message"]
    assert Whale.total("shop", "a") == 1
    for status in (200, 409):
        response = post(anyone, "count", {"pk": "rich", "metrics": {"money": 9e12}, "key": KEY})
        assert response.status_code == status
    assert "'money' of 'rich' was not counted" in error_of(response)["message"]
    assert (Whale.total("rich", "money"), Whale.total("rich")) == (9e12, 2)


# -- reading


def test_totals(reader: APIClient) -> None:
    Whale.count_now("shop", "services", {"dollars": 200})
    Whale.count_now("shop", "services", {"dollars": 300})
    found = reader.get(
        url("totals"), {"pk": "shop", "dimensions": "services", "metrics": "dollars/hits", "period": "today"}
    )
    assert found.json() == {"today": {"services": {"dollars/hits": 250, "dollars": 500, "hits": 2}}}
    found = reader.get(url("totals"), {"pk": "shop", "metric": "dollars", "periods": '["today", "yesterday"]'})
    assert found.json() == {"today": {"_": {"dollars": 500}}, "yesterday": {"_": {"dollars": 0}}}
    assert list(reader.get(url("totals"), {"pk": "shop"}).json()) == ["1d:1y", "1d:1mo", "1d:1w", "1h:1d", "1m:1h"]
    assert post(reader, "totals", {"pk": "shop", "period": 86400}).json() == {"86400": {"_": {"hits": 2}}}


def test_plotpoints(reader: APIClient) -> None:
    for name, dollars in (("services", 200), ("sales", 500)):
        Whale.count_now("shop", name, {"dollars": dollars})
    found = reader.get(
        url("plotpoints"), {"pk": "shop", "metrics": '["dollars", "dollars/hits"]', "period": "2d", "depth": 1}
    )
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [int((midnight - timedelta(days=ago)).timestamp() * 1000) for ago in (1, 0)]
    assert found.json() == {
        "_": {"dollars": [[days[0], 0], [days[1], 700]], "dollars/hits": [[days[0], 0], [days[1], 350]]},
        "sales": {"dollars": [[days[0], 0], [days[1], 500]], "dollars/hits": [[days[0], 0], [days[1], 500]]},
        "services": {"dollars": [[days[0], 0], [days[1], 200]], "dollars/hits": [[days[0], 0], [days[1], 200]]},
    }
    found = reader.get(
        url("plotpoints"),
        {
            "pk": "shop",
            "metric": "dollars",
            "period": "today",
            "depth": 1,
            "sort": "+dollars",
            "limit": 2,
            "tzoffset": -700,
        },
    )
    assert list(found.json()) == ["services", "_"]


def test_plotpoints_keep_ten_rows(reader: APIClient) -> None:
    for number in range(20):
        Whale.count_now("shop", {"n": number})
    assert len(reader.get(url("plotpoints"), {"pk": "shop", "dimensions": "n", "depth": 1}).json()) == 10


def test_rank(reader: APIClient) -> None:
    Whale.count_now("shop", {"country": "US"}, {"revenue": 30, "visitors": 10})
    Whale.count_now("shop", {"country": "DE/AT"}, {"revenue": 20, "visitors": 4})
    found = reader.get(url("rank"), {"pk": "shop", "dimension": "country", "metric": "revenue/visitors", "limit": "1"})
    assert found.json()["count"] == 2
    (row,) = found.json()["rows"]
    assert row["path"] == ["country", "DE/AT"]
    assert (row["dimension"], row["score"], row["value"], row["count"]) == ("country/DE%2FAT", 5, 20, 4)
    assert not row["important"]
    asked = {"pk": "shop", "metrics": ["revenue"], "recursive": True, "points": True, "period": "today", "by": "value"}
    rows = post(reader, "rank", asked).json()["rows"]
    assert [row["dimension"] for row in rows] == ["_", "country", "country/US", "country/DE%2FAT"]
    assert rows[0]["path"] == []
    assert sum(value or 0 for _, value in rows[2]["points"]) == 30


def test_rank_child_counters(reader: APIClient) -> None:
    Whale.count_now(["Product", 1], metrics={"revenue": 5})
    Whale.count_now(["Product", 2], metrics={"revenue": 7})
    found = reader.get(url("rank"), {"pk": "Product", "metric": "revenue", "counters": "true"}).json()
    assert [row["path"] for row in found["rows"]] == [["2"], ["1"]]


def test_query(reader: APIClient) -> None:
    noon = datetime.now(UTC).replace(hour=12) - timedelta(days=1)
    yesterday, today, before = noon.date(), noon.date() + timedelta(days=1), noon.date() - timedelta(days=1)
    for country, revenue, visitors in (("US", 30, 10), ("DE", 20, 4), ("FR", 1, 1)):
        Whale.count_now("shop", {"country": country}, {"revenue": revenue, "visitors": visitors}, at=noon)
    Whale.count_now("shop", {"country": "US"}, {"revenue": 15, "visitors": 10}, at=noon - timedelta(days=1))
    asked = {
        "pk": "shop",
        "dimension": "country",
        "metrics": ["revenue / visitors", "hits"],
        "period": f"{yesterday}..{yesterday}",
        "filters": [[">", "visitors", 1]],
        "order_by": ["-revenue / visitors"],
        "limit": 1,
        "compare": "previous",
        "points": True,
    }
    found = post(reader, "query", asked).json()
    assert list(found) == ["query", "columns", "rows", "other", "totals", "meta"]
    assert found["query"] == {
        "pk": ["shop"],
        "dimension": ["country"],
        "metrics": ["revenue / visitors", "hits"],
        "period": {
            "text": f"{yesterday}..{yesterday}",
            "start": f"{yesterday}T00:00:00+00:00",
            "end": f"{today}T00:00:00+00:00",
            "interval": "1d",
            "zone": "UTC",
        },
        "compare": {
            "text": f"{yesterday}..{yesterday} (previous)",
            "start": f"{before}T00:00:00+00:00",
            "end": f"{yesterday}T00:00:00+00:00",
            "interval": "1d",
            "zone": "UTC",
        },
        "order_by": [["revenue / visitors", "desc"]],
        "filters": [[">", "visitors", 1]],
        "limit": 1,
        "offset": 0,
        "depth": 1,
        "counters": False,
        "bounds": False,
        "points": True,
    }
    assert found["columns"] == [
        {"formula": "revenue / visitors", "ratio": True, "kind": "number"},
        {"formula": "hits", "ratio": False, "kind": "number"},
    ]
    (row,) = found["rows"]
    assert (row["path"], row["name"]) == (["country", "DE"], "DE")
    ratio, hits = row["cells"]
    assert ratio == {
        "value": 5,
        "share": ratio["share"],
        "difference": pytest.approx((5 - 51 / 15) / (51 / 15)),
        "effect": pytest.approx((5 - 51 / 15) * 4),
        "important": False,
        "numerator": 20,
        "denominator": 4,
        "before": 0,
        "change": None,
        "points": [5],
    }
    assert (hits["value"], hits["share"], "numerator" in hits) == (1, pytest.approx(1 / 3), False)
    assert found["totals"]["path"] == ["country"]
    assert found["totals"]["cells"][0] | {"value": 3.4, "before": 1.5, "numerator": 51} == found["totals"]["cells"][0]
    assert found["other"] is None
    assert found["meta"]["count"] == 2
    assert found["meta"]["warnings"] == []
    assert len(found["meta"]["labels"]) == 1
    assert datetime.fromisoformat(found["meta"]["generated_at"]).date() >= today
    assert found["meta"]["took_ms"] > 0


def test_query_by_url_is_the_same(reader: APIClient) -> None:
    Whale.count_now("shop", {"country": "US"}, {"revenue": 30})
    body = {"pk": "shop", "dimension": ["country"], "metrics": ["revenue/hits"], "filters": [["is", "name", "us"]]}
    asked = {
        "pk": "shop",
        "dimension": "country",
        "metric": "revenue/hits",
        "filters": '[["is", "name", "us"]]',
        "bounds": "1",
    }
    by_body, by_url = post(reader, "query", body | {"bounds": True}).json(), reader.get(url("query"), asked).json()
    for found in (by_body, by_url):
        del found["meta"]
    assert by_body == by_url
    cell = by_url["rows"][0]["cells"][0]
    assert (cell["value"], set(cell) >= {"low", "high"}) == (30, True)


def test_query_by_another_interval(reader: APIClient) -> None:
    asked = {"pk": "shop", "period": "2026-03-01..2026-03-31", "interval": "1w", "points": True}
    found = post(reader, "query", asked).json()
    assert found["query"]["period"]["interval"] == "1w"
    assert len(found["meta"]["labels"]) == len(found["totals"]["cells"][0]["points"]) == 6


def test_query_of_nothing(reader: APIClient) -> None:
    found = post(reader, "query", {"pk": "nobody"}).json()
    assert (found["rows"], found["meta"]["count"], found["meta"]["labels"]) == ([], 0, None)
    assert found["query"]["order_by"] == [["hits", "desc"]]
    assert found["query"]["limit"] == 100
    assert found["totals"]["cells"][0]["value"] == 0


def test_query_in_a_zone(reader: APIClient) -> None:
    found = post(reader, "query", {"pk": "shop", "period": "2026-03-01..2026-03-31", "zone": "Europe/Paris"}).json()
    assert found["query"]["period"] == {
        "text": "2026-03-01..2026-03-31",
        "start": "2026-03-01T00:00:00+01:00",
        "end": "2026-04-01T00:00:00+02:00",
        "interval": "1d",
        "zone": "Europe/Paris",
    }


def test_query_of_child_counters_and_other(reader: APIClient) -> None:
    with configured(MAX_CHILDREN=2):
        for number in range(4):
            Whale.count_now(["Product", number])
        found = post(reader, "query", {"pk": "Product", "counters": True}).json()
    assert [(row["path"], row["cells"][0]["value"]) for row in found["rows"]] == [(["0"], 1), (["1"], 1)]
    assert (found["other"]["name"], found["other"]["cells"][0]["value"]) == ("(other)", 2)
    assert "full" in found["meta"]["warnings"][0]


def test_what_is_no_number_is_null(reader: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    Whale.count_now("shop", "a")
    monkeypatch.setattr(views.Whale, "totals", lambda **_: {"today": {"\ud800": [float("nan"), float("inf"), 1.5]}})
    assert reader.get(url("totals"), {"pk": "shop"}).json() == {"today": {"?": [None, None, 1.5]}}


def test_tiny_and_huge_values(reader: APIClient) -> None:
    Whale.count_now("shop", "a", {"x": 9e12, "y": 0.000001})
    formulas = [
        "x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x",
        "x/1e300/1e20",
        "(x*1e295)/(y/1e300)",
        "y/1e300/1e20",
    ]
    response = post(reader, "query", {"pk": "shop", "metrics": formulas, "bounds": True, "compare": "previous"})
    assert response.status_code == 200
    assert "NaN" not in response.content.decode()
    assert "Infinity" not in response.content.decode()


# -- who may do what


@pytest.mark.parametrize("name", ENDPOINTS)
def test_nobody_may_do_anything(name: str, anyone: APIClient, login: Callable[..., APIClient]) -> None:
    without_permission = login()
    for client in (anyone, without_permission):
        response = post(client, name, {"pk": "shop"})
        assert response.status_code == 403
        codename = {"reset": "delete", "update_count_to": "change", "count": "add", "count_now": "add"}.get(
            name, "view"
        )
        assert f"hailwhale_django.{codename}_counter" in error_of(response)["message"]
        assert ("write key" in error_of(response)["message"]) == (name in WRITING)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_each_permission_does_one_thing(name: str, login: Callable[..., APIClient]) -> None:
    needed = {"reset": "delete", "update_count_to": "change", "count": "add", "count_now": "add"}.get(name, "view")
    body = {"pk": "shop", "metrics": {"x": 1}} if name == "update_count_to" else {"pk": "shop"}
    for verb in ("view", "add", "change", "delete"):
        response = post(login(f"{verb}_counter"), name, body)
        assert response.status_code == (200 if verb == needed else 403)


def test_a_write_key_neither_reads_nor_resets(anyone: APIClient) -> None:
    for name in (*READING, "reset"):
        assert post(anyone, name, {"pk": "shop"}, headers={"X-Hailwhale-Key": KEY}).status_code == 403
        assert post(anyone, name, {"pk": "shop", "key": KEY}).status_code == 403


@pytest.mark.parametrize("name", WRITING)
def test_write_keys(name: str, anyone: APIClient) -> None:
    body = {"pk": "shop", "metrics": {"x": 1}}
    for key in (KEY, "another"):
        assert post(anyone, name, body, headers={"X-Hailwhale-Key": key}).status_code == 200
        assert post(anyone, name, {**body, "key": key}).status_code == 200
        assert anyone.get(url(name), {"pk": "shop", "metrics": "{x: 1}", "key": key}).status_code == 200
    for wrong in ("wrong", "a ke", "a key ", "ключ", 5, [KEY], {"a": 1}, True):
        response = post(anyone, name, {**body, "key": wrong})
        assert response.status_code == 403
        assert "WRITE_KEYS" in error_of(response)["message"]
    assert anyone.get(url(name), {"pk": "shop", "key": "wrong"}).status_code == 403
    assert post(anyone, name, body, headers={"X-Hailwhale-Key": "wrong"}).status_code == 403
    for nothing in ("", None):
        assert post(anyone, name, {**body, "key": nothing}).status_code == 403


def test_without_keys_none_fits(anyone: APIClient) -> None:
    with configured(WRITE_KEYS=[]):
        for key in ("", KEY, "None"):
            assert anyone.get(url("count"), {"pk": "shop", "key": key}).status_code == 403


def test_a_session_needs_its_csrf_token_and_a_key_does_not(login: Callable[..., APIClient]) -> None:
    client = login("add_counter", "view_counter", enforce_csrf_checks=True)
    response = post(client, "count", {"pk": "shop"})
    assert (response.status_code, "CSRF" in error_of(response)["message"]) == (403, True)
    assert "CSRF" in error_of(post(client, "query", {"pk": "shop"}))["message"]
    assert post(client, "count", {"pk": "shop", "key": KEY}).status_code == 200
    assert post(client, "count", {"pk": "shop"}, headers={"X-Hailwhale-Key": KEY}).status_code == 200
    client.cookies["csrftoken"] = token = "x" * 32
    assert post(client, "count", {"pk": "shop"}, headers={"X-CSRFToken": token}).status_code == 200
    assert Whale.total("shop") == 3


def test_another_site_cannot_count_in_a_users_name(login: Callable[..., APIClient]) -> None:
    client = login("add_counter")
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
        response = client.get(url("count"), {"pk": "shop"}, headers={"Sec-Fetch-Site": site})
        assert response.status_code == status
        with_key = client.get(url("count"), {"pk": "shop", "key": KEY}, headers={"Sec-Fetch-Site": site})
        assert with_key.status_code == 200


@pytest.fixture
def basic_authentication() -> Iterator[None]:
    """A project with a way of its own to tell who asks."""
    chosen = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"]}
    with override_settings(REST_FRAMEWORK=chosen):
        yield


@pytest.mark.usefixtures("basic_authentication")
def test_the_projects_authentication(anyone: APIClient, reader: APIClient) -> None:
    User.objects.create_superuser("basic", password="secret")
    for client in (anyone, reader):  # whose session is no longer asked for
        response = client.get(url("totals"))
        assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Basic realm="api"')
        assert "view_counter" in error_of(response)["message"]
    credentials = base64.b64encode(b"basic:secret").decode()
    assert anyone.get(url("totals"), headers={"Authorization": f"Basic {credentials}"}).status_code == 200
    assert anyone.get(url("count"), headers={"Authorization": f"Basic {credentials}"}).status_code == 200
    assert anyone.get(url("totals"), headers={"Authorization": "Basic nonsense"}).status_code == 401
    assert anyone.get(url("count"), {"key": KEY}).status_code == 200


def test_tokens_where_they_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def names(view: views.WhaleView) -> list[str]:
        return [type(one).__name__ for one in view.get_authenticators()]

    assert names(views.TotalsView()) == ["SessionAuthentication"]
    assert names(views.CountView()) == ["WriteKey", "SessionAuthentication"]
    assert names(views.ResetView()) == ["SessionAuthentication"]
    monkeypatch.setattr(views.apps, "is_installed", lambda name: name == "rest_framework.authtoken")
    assert names(views.TotalsView()) == ["TokenAuthentication", "SessionAuthentication"]


# -- other sites


@pytest.mark.parametrize("name", ["count", "count_now"])
def test_any_site_may_have_counted(name: str, anyone: APIClient) -> None:
    response = anyone.options(
        url(name),
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type, x-hailwhale-key",
        },
    )
    assert (response.status_code, response.content) == (204, b"")
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Access-Control-Allow-Methods"] == "GET, POST"
    assert response["Access-Control-Allow-Headers"] == "Content-Type, X-Hailwhale-Key"
    assert "Access-Control-Allow-Credentials" not in response
    for key, status in ((KEY, 200), ("wrong", 403)):
        response = post(
            anyone, name, {"pk": "shop"}, headers={"Origin": "https://shop.example", "X-Hailwhale-Key": key}
        )
        assert (response.status_code, response["Access-Control-Allow-Origin"]) == (status, "*")
        assert "Origin" not in response.get("Vary", "")


def test_only_some_sites_may_have_counted(anyone: APIClient) -> None:
    with configured(CORS_ORIGINS=["https://shop.example", "https://other.example"]):
        for origin, allowed in (("https://shop.example", True), ("https://evil.example", False), ("null", False)):
            for response in (
                anyone.options(url("count"), headers={"Origin": origin}),
                anyone.get(url("count"), {"pk": "shop", "key": KEY}, headers={"Origin": origin}),
            ):
                assert response.get("Access-Control-Allow-Origin") == (origin if allowed else None)
                assert "Origin" in response["Vary"]
        assert "Origin" in anyone.get(url("count"), {"key": KEY})["Vary"]


def test_nothing_else_is_for_other_sites(admin: APIClient) -> None:
    for name in (*READING, "reset", "update_count_to"):
        for response in (
            admin.options(url(name), headers={"Origin": "https://shop.example"}),
            post(admin, name, {"pk": "shop"}, headers={"Origin": "https://shop.example"}),
        ):
            assert not [header for header in response.headers if header.startswith("Access-Control")]


# -- what will not do


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("count", {"pk": None}, "pk"),
        ("count", {"pk": 5}, "pk"),
        ("count", {"pk": []}, "pk"),
        ("count", {"pk": {"a": 1, "b": 2}}, "pk"),
        ("count", {"pk": "a", "metrics": {"x": "many"}}, "x"),
        ("count", {"pk": "a", "metrics": {"x": None}}, "x"),
        ("count", {"pk": "a", "metrics": {"x": []}}, "x"),
        ("count", {"pk": "a", "metrics": 5}, "metrics"),
        ("count", {"pk": "a", "metrics": {" ": 5}}, "metrics"),
        ("count", {"pk": "a", "dimensions": 5}, "dimensions"),
        ("count", {"pk": "a", "at": "noon"}, "at"),
        ("count", {"pk": "a", "at": [1]}, "at"),
        ("count", {"pk": "a", "at": "9000-01-01"}, "at"),
        ("count", {"pk": "a", "metric": "x", "metrics": "y"}, "metrics"),
        ("update_count_to", {"pk": "a"}, "metrics"),
        ("update_count_to", {"pk": "a", "metrics": {"x": 1}, "period": "7x"}, "interval"),
        ("update_count_to", {"pk": "a", "metrics": {"x": 1}, "period": [1]}, "interval"),
        ("totals", {"pk": "a", "periods": {"a": 1}}, "periods"),
        ("totals", {"pk": "a", "periods": [["today"]]}, "periods"),
        ("totals", {"pk": "a", "period": "noonish"}, "period"),
        ("totals", {"pk": "a", "tzoffset": "Moon/Base"}, "tzoffset"),
        ("plotpoints", {"pk": "a", "depth": "deep"}, "depth"),
        ("plotpoints", {"pk": "a", "depth": 1.5}, "depth"),
        ("plotpoints", {"pk": "a", "depth": -1}, "depth"),
        ("plotpoints", {"pk": "a", "limit": 0}, "limit"),
        ("plotpoints", {"pk": "a", "limit": True}, "limit"),
        ("plotpoints", {"pk": "a", "sort": ["hits"]}, "sort"),
        ("plotpoints", {"pk": "a", "metrics": ["hits"], "sort": "misses"}, "sort"),
        ("plotpoints", {"pk": "a", "metrics": "hits//2"}, "formula"),
        ("rank", {"pk": "a", "metrics": ["a", "b"]}, "metric"),
        ("rank", {"pk": "a", "by": "luck"}, "by"),
        ("rank", {"pk": "a", "recursive": "perhaps"}, "recursive"),
        ("rank", {"pk": "a", "points": [1]}, "points"),
        ("query", {}, "pk"),
        ("query", {"pk": "a", "interval": 5}, "interval"),
        ("query", {"pk": "a", "interval": "7x"}, "interval"),
        ("query", {"pk": "a", "filters": "all"}, "filters"),
        ("query", {"pk": "a", "filters": [[">", "hits", "many"]]}, "filters"),
        ("query", {"pk": "a", "order_by": {"a": 1}}, "order_by"),
        ("query", {"pk": "a", "order_by": [5]}, "order_by"),
        ("query", {"pk": "a", "depth": 0}, "depth"),
        ("query", {"pk": "a", "offset": -1}, "offset"),
        ("query", {"pk": "a", "metrics": [["a"]]}, "formula"),
    ],
)
def test_what_will_not_do_is_named(name: str, body: Any, field: str, admin: APIClient) -> None:
    response = post(admin, name, body)
    assert response.status_code == 400
    error = error_of(response)
    assert list(error) == ["field", "value", "expected", "message"]
    assert error["expected"]
    assert error["field"] == field


def test_values_are_shortened(admin: APIClient) -> None:
    error = error_of(post(admin, "query", {"pk": "shop", "period": "x" * 90}))
    assert error["value"] == "x" * 79 + "…"
    assert len(error["message"]) < 300
    error = error_of(post(admin, "query", {"pk": "shop", "limit": "5x"}))
    assert error == {
        "field": "limit",
        "value": "5x",
        "expected": "use a whole number from 1 to 10000",
        "message": "limit: '5x' will not do; use a whole number from 1 to 10000",
    }


@pytest.mark.parametrize("name", ENDPOINTS)
def test_unknown_parameters_are_named_with_the_known(name: str, admin: APIClient) -> None:
    response = post(admin, name, {"pk": "shop", "metrix": "hits", "colour": "red"})
    error = error_of(response)
    assert (response.status_code, error["value"]) == (400, ["metrix", "colour"])
    assert error["expected"].startswith("known are pk, ")
    if name != "reset":
        assert admin.get(url(name), {"pk": "shop", "metrix": "hits"}).status_code == 400


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("count", {"pk": "x" * 256}),
        ("count", {"pk": list("abcdefghi")}),
        ("count", {"pk": "a", "dimensions": {str(n): n for n in range(300)}}),
        ("count", {"pk": "a", "dimensions": [["a", str(n)] for n in range(1001)]}),
        ("count", {"pk": "a", "metrics": {str(n): n for n in range(100)}}),
        ("count", {"pk": "a", "metrics": {"x": 1e15}}),
        ("count", {"pk": "a", "metrics": {"x": 10**300}}),
        ("totals", {"pk": "a", "periods": ["today"] * 21}),
        ("query", {"pk": "a", "metrics": [f"m{n}" for n in range(51)]}),
        ("query", {"pk": "a", "filters": [[">", "hits", n] for n in range(21)]}),
        ("query", {"pk": "a", "order_by": [f"m{n}" for n in range(21)]}),
        ("query", {"pk": "a", "limit": 10_000, "points": True, "period": "year"}),
        ("query", {"pk": "a", "period": "1m:5y"}),
        ("rank", {"pk": "a", "limit": 10_000, "points": True, "period": "year"}),
        ("plotpoints", {"pk": "a", "limit": 10_000, "period": "year"}),
    ],
)
def test_what_is_too_large(name: str, body: Any, admin: APIClient) -> None:
    response = post(admin, name, body)
    assert response.status_code == 413
    assert error_of(response)["expected"]


def test_bodies_and_urls_have_a_size(anyone: APIClient) -> None:
    with configured(MAX_BODY_BYTES=100):
        fitting = json.dumps({"pk": "shop", "key": KEY}).ljust(100)
        for body, status in ((fitting, 200), (fitting + " ", 413), (fitting * 1000, 413)):
            response = anyone.post(url("count"), body, content_type="application/json")
            assert response.status_code == status
        assert error_of(response) == {
            "field": "body",
            "value": "100,000 bytes",
            "expected": "at most 100 bytes",
            "message": "body: '100,000 bytes' will not do; at most 100 bytes",
        }
        response = anyone.get(url("count"), {"pk": "x" * 101, "key": KEY})
        assert (response.status_code, error_of(response)["field"]) == (413, "URL")
    assert Whale.total("shop") == 1


def test_a_body_longer_than_it_says(anyone: APIClient) -> None:
    with configured(MAX_BODY_BYTES=100):
        body = json.dumps({"pk": "shop", "key": KEY}).ljust(200)
        response = anyone.post(url("count"), body, content_type="application/json", CONTENT_LENGTH="90")
        assert response.status_code < 500


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[]",
        b"null",
        b"NaN",
        b'{"pk": NaN}',
        b'{"pk": "a", "metrics": {"x": Infinity}}',
        b'{"pk": "\xff"}',
        b'{"pk": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"pk": ' + b"[" * 100_000,
        b'{"pk": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"pk": 1e999}',
    ],
)
@pytest.mark.parametrize("name", ENDPOINTS)
def test_bodies_that_will_not_do(name: str, raw: bytes, admin: APIClient) -> None:
    response = admin.post(url(name), raw, content_type="application/json")
    assert response.status_code == 400
    assert error_of(response)["field"] == "body"


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "x"]
)
def test_bodies_of_another_kind(kind: str, admin: APIClient, login: Callable[..., APIClient]) -> None:
    for client in (admin, login("add_counter", enforce_csrf_checks=True)):
        response = client.generic("POST", url("count"), b"pk=shop", content_type=kind)
        assert response.status_code in (400, 403, 415)
        error_of(response)


NASTY = [
    "[" * 900 + "]" * 900,
    "[" * 990 + "]" * 990,
    "[" * 5000,
    '{"a":' * 900 + "1" + "}" * 900,
    "\x00",
    "a\nb",
    "{pk}",
    "%00/%2F/%",
    "//",
    "/",
    "_",
    "['_']",
    "(other)",
    "/pks/1",
    "🐋" * 60,
    "9" * 5000,
    "1e999",
    "-0",
    "NaN",
    "inf",
    "Mon, 01 Jan 99999999999999999999 00:00:00 +0000",
    "0001-01-01T00:00:00+23:59",
    "9998-12-31",
    "9999-12-31T23:59:59",
    "9998-12-31..9998-12-31",
    "1970-01-01",
    "1s:1h",
    "1y",
    "999999y",
    "1d:today|Asia/Kathmandu",
    "today|../../etc/passwd",
    "today|" + "x" * 300,
    "low:hits/hits",
    "low:low:hits",
    "name",
    "-",
    "+",
    "(((((((",
    "-" * 60 + "1",
    "1" + "+1" * 240,
    "x@parent/x@_",
    '"\\""',
    "x:last",
    "_count/days",
    "1/0",
    "0/0",
    "hits/(hits-hits)",
    "hits/1e-300/1e-300",
    {"a": {"b": {}}},
    {"": ""},
    {"_": {"_": "_"}},
    [[], [[]]],
    [None],
    [[["a"], "b"], "c"],
    [{"a": 1}],
    [["hits", "desc"], ["name", "asc"]],
    [["is", "name", ["a"] * 2000]],
    [["is", "name", []]],
    [[">", "hits", 10**307]],
    [["=", "hits/0", 0]],
    [[{}, [], {}]],
    {"hits": 0, "x": -0.0},
    {"x": "1e-999999"},
    {"x": "1" * 1000},
    {"x": "sNaN"},
    {"revenue": "visitors", "x": 1, "y": None, "z": [1]},
    0,
    -1,
    10**300,
    0.5,
    1e300,
    True,
    False,
]
PARAMETERS = {
    name: [*view.serializer_class().fields]
    for name, view in (
        ("count", views.CountView),
        ("count_now", views.CountView),
        ("update_count_to", views.UpdateCountToView),
        ("totals", views.TotalsView),
        ("plotpoints", views.PlotpointsView),
        ("rank", views.RankView),
        ("reset", views.ResetView),
        ("query", views.QueryView),
    )
}
GOOD = {"pk": "shop", "metrics": "hits", "period": "today"}


@pytest.mark.parametrize("name", ENDPOINTS)
def test_nasty_values_in_every_parameter(name: str, admin: APIClient) -> None:
    Whale.count_now("shop", {"a": "b"}, {"hits": 1, "x": 2.5})
    for parameter in PARAMETERS[name]:
        for value in NASTY:
            good = {key: given for key, given in GOOD.items() if key in PARAMETERS[name]}
            for response in (
                post(admin, name, {**good, parameter: value}),
                admin.get(url(name), {**good, parameter: value if isinstance(value, str) else json.dumps(value)}),
            ):
                assert response.status_code < 500, (parameter, value)
                response.json()


def test_a_bodys_charset_is_not_the_urls(anyone: APIClient) -> None:
    address = f"{url('count')}?pk=caf%C3%A9&key={KEY}"
    assert anyone.generic("POST", address, b"{}", content_type="application/json; charset=latin-1").status_code == 200
    assert Whale.total("café") == 1


def test_nasty_requests(admin: APIClient) -> None:
    address = url("count")
    for query in (
        "pk=%ff",
        "pk=%00",
        "=",
        "&&&",
        "pk",
        "pk=a&pk=b&pk=c",
        "%5B%5D=1",
        "&".join(["a=1"] * 2000),
        "format=xml",
    ):
        assert admin.get(f"{address}?{query}").status_code < 500
    for kind in (
        "application/json; charset=utf-16",
        "application/json; charset=nonsense",
        "application/json;" * 200,
        "/",
    ):
        for body in (b'{"pk": "a"}', b""):
            response = admin.generic("POST", f"{address}?at=now", body, content_type=kind)
            assert response.status_code < 500
        assert admin.generic("GET", f"{address}?pk=a", content_type=kind).status_code == 200
    for length in ("-1", "x", "1e9", "99999999999"):
        response = admin.generic("POST", address, b"{}", content_type="application/json", CONTENT_LENGTH=length)
        assert response.status_code < 500


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([value for value in NASTY if len(str(value)) < 100]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_any_body(name: str, admin: APIClient) -> None:
    @hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(
        st.fixed_dictionaries({}, optional=dict.fromkeys(PARAMETERS[name], JSON))
        | st.dictionaries(st.text(max_size=8), JSON, max_size=3)
        | JSON
    )
    @example({"pk": "shop", "metrics": {"hits": 1}})
    def check(body: Any) -> None:
        response = post(admin, name, body)
        assert response.status_code < 500
        response.json()

    check()


TEXT = (
    st.text(max_size=30)
    | st.text("{}[]'\",:.+-/()@_e5ah \\", max_size=20)
    | JSON.map(json.dumps)
    | JSON.map(repr)
    | st.sampled_from([value for value in NASTY if isinstance(value, str)])
)


@pytest.mark.parametrize("name", [name for name in ENDPOINTS if name != "reset"])
def test_any_url(name: str, admin: APIClient) -> None:
    @hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(
        st.fixed_dictionaries({}, optional=dict.fromkeys(PARAMETERS[name], TEXT))
        | st.dictionaries(st.text(max_size=8), TEXT, max_size=3)
    )
    def check(parameters: dict[str, str]) -> None:
        encodable = {key: text.encode("utf-8", "replace").decode() for key, text in parameters.items() if key.isascii()}
        response = admin.get(url(name), encodable)
        assert response.status_code < 500
        response.json()

    check()


# -- when the store is away


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]  # bound, and nobody listens


@pytest.mark.parametrize("name", ENDPOINTS)
def test_the_store_is_away(name: str, closed_port: int, admin: APIClient) -> None:
    body = {"pk": "shop", "metrics": {"x": 1}} if name == "update_count_to" else {"pk": "shop"}
    with configured(REDIS=f"redis://127.0.0.1:{closed_port}/0"):
        response = post(admin, name, body)
    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert "did not answer" in error_of(response)["message"]
    assert post(admin, name, body).status_code == 200


def test_cells_have_the_names_that_the_engine_gives() -> None:
    every = {"value", "share", "difference", "effect", "important", "numerator", "denominator"}
    every |= {"low", "high", "before", "change", "points"}
    every |= {"told"}  # which JSON calls list or text
    assert set(Cell._fields) == every
