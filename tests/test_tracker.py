"""Hits as the tracker script sends them, and how little the script is. In a browser: browser/test_tracker.py."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from hailwhale_django import Whale, tracker
from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.hail import Hail
from hailwhale_django.ticket import Ticket
from tests.api import KEY, configured

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url", "write_keys")]

ADDRESS = "/hailwhale/event"
MAX_SCRIPT_BYTES = 1024

Drain = Callable[[], None]


def token(*declared: str, dimensions: Any = None) -> str:
    return Ticket("shop", dimensions, None, declared).signed("event")


def hit(client: APIClient, body: Any, kind: str = "text/plain;charset=UTF-8", **extra: Any) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.generic("POST", ADDRESS, text, content_type=kind, **extra)


def error_of(response: Any) -> str:
    return str(response.json()["error"]["message"])


# -- the script


def test_the_script_is_small() -> None:
    source = Path(finders.find("hailwhale_django/js/tracker.js")).read_bytes()
    assert len(gzip.compress(source, 9)) < MAX_SCRIPT_BYTES


def test_the_script_keeps_nothing() -> None:
    source = Path(finders.find("hailwhale_django/js/tracker.js")).read_text("utf-8")
    for word in ("cookie", "localStorage", "sessionStorage", "indexedDB", "userAgent", "screen", "title", "import"):
        assert word not in source.split("(() =>")[1]


# -- with a ticket


def test_a_page_view(anyone: APIClient, drain: Drain) -> None:
    sent = {"token": token(), "name": "pageview", "page": "/pricing/eu", "referrer": "search.example"}
    response = hit(anyone, sent)

    assert (response.status_code, response.json()) == (202, {"ok": True})
    assert response["Cache-Control"] == "no-store"
    drain()
    counted = [["event", "pageview"], ["page", "/pricing/eu"], ["referrer", "search.example"]]
    assert [Whale.total("shop", "hits", path) for path in counted] == [1, 1, 1]
    assert Whale.get_subdimensions("shop") == ["event", "page", "referrer"]


def test_an_event_of_ones_own(anyone: APIClient, drain: Drain) -> None:
    sent = {
        "token": token("plan", "revenue", "new", dimensions={"site": "eu"}),
        "name": "signup",
        "props": {"plan": "pro", "new": True},
        "metrics": {"revenue": 9.5},
    }
    assert hit(anyone, sent, "application/json").status_code == 202

    drain()
    assert Whale.get_subdimensions("shop") == ["site", "event", "plan", "new"]
    for path in ("event/signup", "plan/pro", "new/true", "site/eu"):
        assert Whale.total("shop", "revenue", path) == 9.5


@pytest.mark.parametrize(
    ("page", "counted"),
    [
        ("/a?email=ada@example.com", "/a"),
        ("/a#b", "/a"),
        ("https://shop.example/a?b", "/a"),
        ("/caf%C3%A9", "/café"),
        ("/%FF", "/\ufffd"),
        ("/" + "x" * 1000, "/" + "x" * 254),
        ("/" + "é" * 1000, "/" + "é" * 127),
        ("http://[", None),
        ("", None),
    ],
)
def test_of_an_address_only_the_path_is_kept(page: str, counted: str | None, anyone: APIClient, drain: Drain) -> None:
    assert hit(anyone, {"token": token(), "page": page}).status_code == 202
    drain()
    assert Whale.get_subdimensions("shop", "page") == ([["page", counted]] if counted else [])
    assert Whale.total("shop") == 1


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("search.example", "search.example"),
        ("search.example:8000", "search.example"),
        ("https://ada:secret@Search.Example/?q=illness", "search.example"),
        ("http://[::1]:80/", "::1"),
        ("http://[", ""),
        ("android-app://com.example/", "com.example"),
        ("", ""),
    ],
)
def test_of_a_referrer_only_the_host_is_kept(given: str, host: str) -> None:
    assert tracker.host_of(given) == host


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"props": {"colour": "red"}}, "this page declared plan"),
        ({"metrics": {"hits": 1000}}, "this page declared plan"),
        ({"props": {"plan": {"a": "b"}}}, "a prop is text, a number, true or false"),
        ({"props": {"plan": ["a"]}}, "a prop is text"),
        ({"props": {"plan": None}}, "a prop is text"),
        ({"props": ["plan"]}, "use an object"),
        ({"props": {"page": "/x"}}, "use other names"),
        ({"metrics": {"plan": "9"}}, "a metric's value is a number"),
        ({"metrics": {"plan": True}}, "a metric's value is a number"),
        ({"metrics": {"plan": None}}, "a metric's value is a number"),
        ({"metrics": ["plan"]}, "use an object"),
        ({"metrics": {"plan": 1e300}}, "a finite number within 64 bits"),
        ({"name": 5}, "use text"),
        ({"page": ["a"]}, "use text"),
        ({"pk": "bank"}, "the ticket says on which counter"),
        ({"colour": "red"}, "known are token, pk"),
    ],
)
def test_what_the_page_did_not_declare(sent: Any, said: str, anyone: APIClient, drain: Drain) -> None:
    response = hit(anyone, {"token": token("plan"), **sent})
    assert response.status_code == 400
    assert said in error_of(response)
    drain()
    assert Whale.counters() == []


@pytest.mark.parametrize("sent", [{"props": {"plan": "x" * 256}}, {"name": "x" * 256}, {"metrics": {"plan": 1e15}}])
def test_too_large(sent: Any, anyone: APIClient, drain: Drain) -> None:
    assert hit(anyone, {"token": token("plan"), **sent}).status_code == 413
    drain()
    assert Whale.counters() == []


def test_a_page_does_not_say_when_a_value_was(anyone: APIClient, drain: Drain) -> None:
    names = ("last:x", "dcy:x", "top:last:x")
    for metrics in ({"last:x": "9e99:5"}, {"dcy:x": [1, "9e99:5"]}, {"top:last:x": "a:9e99:5"}):
        response = hit(anyone, {"token": token(*names), "metrics": metrics})
        assert (response.status_code, "number" in error_of(response)) == (400, True)
    assert hit(anyone, {"token": token(*names), "metrics": {"last:x": 5, "top:last:x": {"a": 7}}}).status_code == 202
    drain()
    assert Whale.total("shop", "last:x") == 5
    assert Whale.total("shop", "top:last:x") == [("a", 7)]


def test_forged_and_expired(anyone: APIClient, drain: Drain) -> None:
    with time_machine.travel(datetime.now(UTC) - timedelta(seconds=100)):
        old = token()
    body, stamp, signature = old.split(":")
    for forged in (f"{body}x:{stamp}:{signature}", Ticket("shop").signed("pixel")):
        response = hit(anyone, {"token": forged})
        assert (response.status_code, "not signed by this site" in error_of(response)) == (403, True)
    with configured(PIXEL_MAX_AGE=60):
        response = hit(anyone, {"token": old})
        assert (response.status_code, "older than 60 seconds" in error_of(response)) == (403, True)
    for malformed in ("x", 5, ["a"], {"a": 1}):
        assert hit(anyone, {"token": malformed}).status_code == 400
    drain()
    assert Whale.counters() == []


def test_a_visitor_who_is_logged_in_is_counted_too(anyone: APIClient, drain: Drain) -> None:
    """A beacon brings the session's cookie, and can bring no CSRF token."""
    anyone.force_login(User.objects.create_user("ada"))
    assert hit(anyone, {"token": token()}).status_code == 202
    drain()
    assert Whale.total("shop") == 1


# -- with a key


def test_with_a_key_the_script_says_all(anyone: APIClient, drain: Drain) -> None:
    sent = {"key": KEY, "pk": ["Site", "blog"], "name": "read", "props": {"a": {"b": "c"}}, "metrics": {"words": 300}}
    assert hit(anyone, sent).status_code == 202
    drain()
    assert Whale.total("Site/blog", "words", "a/b/c") == 300
    assert Whale.total("Site", "words", "event/read") == 300


def test_who_may(anyone: APIClient, admin_client: Any) -> None:
    for sent in ({}, {"key": ""}, {"token": ""}, {"key": "wrong", "pk": "shop"}):
        assert hit(anyone, {"pk": "shop", **sent}).status_code in (401, 403)
    # Not even those who may count: another site could have asked in their name.
    assert hit(admin_client, {"pk": "shop"}).status_code in (401, 403)
    assert hit(anyone, {"key": KEY}).status_code == 400  # and a counter
    assert Whale.counters() == []


def test_other_sites(anyone: APIClient, drain: Drain) -> None:
    sent = {"key": KEY, "pk": "shop"}
    assert hit(anyone, sent, headers={"Origin": "https://any.example"}).status_code == 202
    with configured(CORS_ORIGINS=["https://blog.example"]):
        allowed = hit(anyone, sent, headers={"Origin": "https://blog.example"})
        assert (allowed.status_code, allowed["Access-Control-Allow-Origin"]) == (202, "https://blog.example")
        for origin in ("https://evil.example", "null", "https://blog.example.evil"):
            refused = hit(anyone, sent, headers={"Origin": origin})
            assert refused.status_code == 403
            assert "CORS_ORIGINS" in error_of(refused)
            assert "Access-Control-Allow-Origin" not in refused
        assert hit(anyone, {"token": token()}, headers={"Origin": "https://evil.example"}).status_code == 403
        assert hit(anyone, {"token": token()}, headers={"Origin": "http://testserver"}).status_code == 202
        behind = {"Origin": "https://public.example", "Sec-Fetch-Site": "same-origin"}
        assert hit(anyone, {"token": token()}, headers=behind).status_code == 202
    with configured(CORS_ORIGINS=[]):
        assert hit(anyone, sent, headers={"Origin": "https://blog.example"}).status_code == 403
        assert hit(anyone, sent).status_code == 202  # no page at all
    drain()
    assert Whale.total("shop") == 5


def test_before_json_from_another_site(anyone: APIClient) -> None:
    asked = anyone.options(ADDRESS, headers={"Origin": "https://blog.example"})
    assert (asked.status_code, asked["Access-Control-Allow-Methods"]) == (204, "POST")


# -- what will not do


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "5", "null", b"\xff", '{"token": NaN}', '{"metrics": {"x": 1e999}}', '{"name": "\\ud800"}']
    + ['{"props": ' * 25 + "1" + "}" * 25, "[" * 8000],
)
def test_what_is_no_hit(body: str | bytes, anyone: APIClient) -> None:
    assert hit(anyone, body).status_code in (400, 403)


def test_control_characters_are_counted_as_they_are(anyone: APIClient, drain: Drain) -> None:
    assert hit(anyone, {"token": token(), "name": "a\u0000\u001b\n"}).status_code == 202
    drain()
    assert Whale.get_subdimensions("shop", "event") == [["event", "a\x00\x1b\n"]]


def test_large_hits(anyone: APIClient) -> None:
    sent = {"token": token(), "page": "/"}
    fitting = json.dumps({**sent, "page": "/" + "x" * (8192 - len(json.dumps(sent)))})
    assert len(fitting) == 8192
    assert hit(anyone, fitting).status_code == 202
    response = hit(anyone, fitting.replace("/", "/x", 1))
    assert (response.status_code, response.json()["error"]["field"]) == (413, "body")


def test_other_kinds_and_methods(anyone: APIClient) -> None:
    assert hit(anyone, "{}", "application/x-www-form-urlencoded").status_code == 415
    for method in ("get", "head", "put"):
        assert getattr(anyone, method)(ADDRESS).status_code == 405


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)
WORDS = st.text(max_size=20) | st.sampled_from(["http://[", "//[::1", "//a@b:c/d", "/%zz%e9", "\u2100.example"])


@given(
    hit=st.fixed_dictionaries({}, optional=dict.fromkeys(("name", "page", "referrer", "link"), WORDS)),
    props=JSON,
    metrics=JSON,
    ticket=st.sampled_from([None, Ticket("shop", "a/b", None, ("plan",))]),
)
def test_whatever_is_told_is_an_event_or_refused(hit: Any, props: Any, metrics: Any, ticket: Ticket | None) -> None:
    try:
        found = tracker.event({**hit, "props": props, "metrics": metrics}, ticket)
        Whale.pod().store.intake.event("shop", found["dimensions"], found["metrics"], None, 0.0)
    except InvalidInput as error:
        assert str(error)


def test_the_store_is_away_or_full(anyone: APIClient) -> None:
    with configured(REDIS="redis://127.0.0.1:1/0"):
        response = hit(anyone, {"token": token()})
        assert (response.status_code, response["Retry-After"]) == (503, "1")

    with configured(HAIL_LIMIT=1):
        assert hit(anyone, {"token": token()}).status_code == 202
        response = hit(anyone, {"token": token()})
    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert "the hail is full" in error_of(response)


def test_the_clients_id_goes_along(anyone: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(Hail, "count", lambda *_, id=None, **__: seen.append(id))
    hit(anyone, {"token": token(), "id": "e-1"})
    hit(anyone, {"token": token()})
    assert seen == ["e-1", None]
