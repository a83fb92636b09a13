"""Many events in one request: the good ones count, each bad one is told by its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from hailwhale_django import Whale, batch
from hailwhale_django.engine.errors import HailWhaleError, TooLarge
from tests.api import KEY, configured

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url", "write_keys")]

ADDRESS = "/hailwhale/events"
NDJSON, JSON = "application/x-ndjson", "application/json"

Drain = Callable[[], None]


def send(client: APIClient, body: str | bytes, kind: str = NDJSON, key: str = KEY, **extra: Any) -> Any:
    return client.generic("POST", ADDRESS, body, content_type=kind, headers={"X-Hailwhale-Key": key}, **extra)


def lines(*events: Any) -> str:
    return "\n".join(map(json.dumps, events))


GOOD = {"pk": "shop", "dimensions": {"country": "DE"}, "metrics": {"revenue": 2}}


# -- good ones


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (NDJSON, lines(GOOD, GOOD)),
        (NDJSON, lines(GOOD, GOOD) + "\n"),
        (NDJSON, "\r\n\n" + lines(GOOD, GOOD).replace("\n", "\r\n") + "\r\n  \n"),
        (f"{NDJSON}; charset=utf-8", lines(GOOD, GOOD)),
        (JSON, json.dumps([GOOD, GOOD])),
        (JSON, json.dumps([GOOD, GOOD], indent=4)),
    ],
)
def test_lines_and_lists(kind: str, body: str, anyone: APIClient, drain: Drain) -> None:
    response = send(anyone, body, kind)

    assert (response.status_code, response.json()) == (202, {"accepted": 2, "refused": 0, "errors": []})
    assert response["Cache-Control"] == "no-store"
    drain()
    assert Whale.total("shop", "revenue", "country/DE") == 4


def test_every_key_of_an_event(anyone: APIClient, drain: Drain) -> None:
    event = {"pk": ["Product", "7"], "dimension": "a/b", "metric": ["x"], "at": "2026-11-20T10:00Z", "id": "e-1"}
    event["at"] = None
    assert send(anyone, lines(event)).json()["accepted"] == 1
    drain()
    assert Whale.total("Product", "x", "a/b") == 1


def test_a_slash_at_the_end_and_the_key_in_the_url(anyone: APIClient) -> None:
    assert anyone.post(f"{ADDRESS}/?key={KEY}", [GOOD], format="json").status_code == 202


# -- bad ones


BAD: list[tuple[str, str | None]] = [
    ("{", "event"),
    ("5", "event"),
    ("null", "event"),
    ('["shop"]', "event"),
    ('{"pk": "a"} {"pk": "b"}', "event"),
    ('{"pk": "a", "metrics": {"x": NaN}}', "event"),
    ('{"pk": "a", "metrics": {"x": -Infinity}}', "event"),
    ('{"pk": "a", "metrics": {"x": 1e999}}', "event"),
    ('{"pk": "a", "metrics": {"x": 1%s}}' % ("0" * 400), "event"),
    ('{"pk": "\\ud800"}', "event"),
    ('{"pk": "a\tb"}', "event"),  # control characters are escaped in JSON
    ('{"pk": "a", "dimensions": ' + '{"b":' * 25 + "1" + "}" * 26, "event"),
    ("[" * 100_000, "event"),
    ("{'pk': 'a'}", "event"),
    ("{}", "pk"),
    ('{"pk": 5}', "pk"),
    ('{"pk": ""}', "pk"),
    ('{"pk": ["%s"]}' % ("x" * 300), "pk"),
    ('{"pk": "a", "metrics": {"x": "many"}}', "x"),
    ('{"pk": "a", "metrics": 5}', "metrics"),
    ('{"pk": "a", "dimensions": {"b": "%s"}}' % ("x" * 300), "dimensions"),
    ('{"pk": "a", "at": "noon"}', "at"),
    ('{"pk": "a", "at": "2000-01-01", "colour": 1}', "event"),
]


@pytest.mark.parametrize(("line", "field"), BAD)
def test_a_bad_line_costs_no_other(line: str, field: str, anyone: APIClient, drain: Drain) -> None:
    response = send(anyone, "\n".join([json.dumps(GOOD), "", line, json.dumps(GOOD)]))

    found = response.json()
    assert (response.status_code, found["accepted"], found["refused"]) == (202, 2, 1)
    (error,) = found["errors"]
    assert list(error) == ["index", "field", "value", "expected", "message"]
    assert (error["index"], error["field"]) == (2, field)
    assert error["expected"] and error["message"]
    assert len(json.dumps(error)) < 1000
    drain()
    assert Whale.total("shop") == 2


def test_bytes_that_are_no_text(anyone: APIClient) -> None:
    found = send(anyone, b'{"pk": "\xff"}\n' + lines(GOOD).encode()).json()
    assert (found["accepted"], found["errors"][0]["index"]) == (1, 0)


def test_bad_items_of_a_list(anyone: APIClient, drain: Drain) -> None:
    body = json.dumps([GOOD, 5, ["shop"], {"pk": None}, {"pk": "a", "metrics": {"x": 1e300}}, GOOD])
    found = send(anyone, body, JSON).json()
    assert found["accepted"] == 2
    assert [(error["index"], error["field"]) for error in found["errors"]] == [
        (1, "event"),
        (2, "event"),
        (3, "pk"),
        (4, "x"),
    ]
    drain()
    assert Whale.total("shop") == 2


def test_what_is_no_list_at_all(anyone: APIClient) -> None:
    for body in ("{", '{"pk": "shop"}', "5", "NaN", "[" * 100_000, b"\xff"):
        response = send(anyone, body, JSON)
        assert (response.status_code, response.json()["error"]["field"]) == (400, "body")


def test_none_could_be_read(anyone: APIClient) -> None:
    response = send(anyone, "a\nb\n")
    found = response.json()
    assert response.status_code == 400
    assert found["error"]["message"] == "none of the 2 events could be accepted"
    assert (found["accepted"], found["refused"], [error["index"] for error in found["errors"]]) == (0, 2, [0, 1])
    for body, kind in (("", NDJSON), ("\n \n", NDJSON), ("[]", JSON)):
        response = send(anyone, body, kind)
        assert (response.status_code, response.json()["error"]["message"]) == (400, "there is no event in this body")


def test_a_hundred_errors_are_told(anyone: APIClient) -> None:
    found = send(anyone, "x\n" * 150 + lines(GOOD)).json()
    assert (found["accepted"], found["refused"], len(found["errors"])) == (1, 150, 100)
    assert [error["index"] for error in found["errors"]] == list(range(100))


# -- too much


def test_too_many_bytes(anyone: APIClient, drain: Drain) -> None:
    body = lines(*[GOOD] * 50)
    with configured(MAX_BATCH_BYTES=len(body) - 1):
        response = send(anyone, body)
        assert (response.status_code, response.json()["error"]["field"]) == (413, "body")
    with configured(MAX_BATCH_BYTES=len(body), MAX_BODY_BYTES=100):
        assert send(anyone, body).status_code == 202
    drain()
    assert Whale.total("shop") == 50


@pytest.mark.parametrize("kind", [NDJSON, JSON])
def test_too_many_events(kind: str, anyone: APIClient, drain: Drain) -> None:
    body = lines(*[GOOD] * 3) if kind == NDJSON else json.dumps([GOOD] * 3)
    with configured(MAX_BATCH_EVENTS=2):
        response = send(anyone, body, kind)
    assert response.status_code == 413
    assert response.json()["error"]["message"] == "body: '3 events' will not do; at most 2 events in one batch"
    drain()
    assert Whale.total("shop") == 0


def test_a_body_larger_than_django_keeps_in_memory(anyone: APIClient, drain: Drain) -> None:
    event = {**GOOD, "dimensions": {"text": "x" * 250}}
    body = lines(*[event] * 9_000)
    assert len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert send(anyone, body).json()["accepted"] == 9_000
    drain()
    assert Whale.total("shop") == 9_000


def test_other_kinds_of_bodies(anyone: APIClient) -> None:
    for kind in ("text/plain", "text/csv", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert send(anyone, lines(GOOD), kind).status_code == 415


def test_what_is_asked_in_the_url(anyone: APIClient) -> None:
    response = anyone.post(f"{ADDRESS}?pk=shop&key={KEY}", [GOOD], format="json")
    assert (response.status_code, response.json()["error"]["expected"]) == (400, "known are none")


def test_other_methods(anyone: APIClient) -> None:
    for method in ("get", "head", "put", "delete"):
        assert getattr(anyone, method)(ADDRESS).status_code == 405


# -- who may


def test_who_may(anyone: APIClient, drain: Drain) -> None:
    assert send(anyone, lines(GOOD), key="wrong").status_code == 403
    assert send(anyone, lines(GOOD), key="").status_code in (401, 403)
    # A key in the body would mean to read the body of those who have none.
    assert send(anyone, lines({**GOOD, "key": KEY}), key="").status_code in (401, 403)
    user = User.objects.create_user("ada")
    client = APIClient()
    client.force_login(user)
    assert client.post(ADDRESS, [GOOD], format="json").status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="add_counter"))
    client.force_login(User.objects.get(pk=user.pk))
    assert client.post(ADDRESS, [GOOD], format="json").status_code == 202
    strict = APIClient(enforce_csrf_checks=True)
    strict.force_login(user)
    assert strict.post(ADDRESS, [GOOD], format="json").status_code == 403
    drain()
    assert Whale.total("shop") == 1


def test_other_sites(anyone: APIClient) -> None:
    asked = anyone.options(ADDRESS, headers={"Origin": "https://shop.example"})
    assert (asked.status_code, asked["Access-Control-Allow-Methods"]) == (204, "POST")
    with configured(CORS_ORIGINS=["https://shop.example"]):
        for origin, allowed in (("https://shop.example", True), ("https://evil.example", False)):
            response = anyone.options(ADDRESS, headers={"Origin": origin})
            assert response.get("Access-Control-Allow-Origin") == (origin if allowed else None)
            assert "Origin" in response["Vary"]


# -- the hail's own refusals


def test_the_store_is_away(anyone: APIClient) -> None:
    with configured(REDIS="redis://127.0.0.1:1/0"):
        response = send(anyone, lines(GOOD))
    assert (response.status_code, response["Retry-After"]) == (503, "1")


def test_the_hail_is_full(anyone: APIClient) -> None:
    with configured(HAIL_LIMIT=1):
        assert send(anyone, lines(GOOD)).status_code == 202
        response = send(anyone, lines(GOOD))
    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert "the hail is full: no room for 1 event among 1 entries" in response.json()["error"]["message"]


def test_what_concerns_several_events_has_no_place() -> None:
    found = batch.read_lines(lines(GOOD, GOOD).encode(), 10)

    def count_many(events: list[Any], on_error: Callable[[HailWhaleError, Any], None]) -> int:
        on_error(HailWhaleError("some"), None)
        on_error(HailWhaleError("one"), events[1])
        return 1

    assert batch.hand_over(found, count_many).to_wire() == {
        "accepted": 1,
        "refused": 1,
        "errors": [{"index": None, "message": "some"}, {"index": 1, "message": "one"}],
    }


# -- a fuzzer over the reader


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
def test_whatever_is_sent_is_read_or_told(raw: bytes) -> None:
    found = batch.read_lines(raw, 1000)
    assert len(found.events) + len(found.errors) == sum(bool(line.strip()) for line in raw.split(b"\n"))
    batch.Report(0, found.errors).to_wire()
    try:
        batch.read_list(raw, 1000)
    except HailWhaleError as error:
        assert str(error)


def test_limits_are_of_the_errors_family() -> None:
    with pytest.raises(TooLarge):
        batch.read_lines(b"{}\n{}", 1)
