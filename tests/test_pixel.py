"""The pixel, loaded as browsers load images; and the tickets in its address."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core import signing
from django.test import Client, override_settings
from django.utils.translation import gettext_lazy

from hailwhale_django import Whale, pixel
from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.ticket import Expired, Forged, Ticket, declared_names, joined

pytestmark = pytest.mark.usefixtures("redis_url")

Drain = Callable[[], None]


def configured(**changed: Any) -> override_settings:
    return override_settings(HAILWHALE={**settings.HAILWHALE, **changed})


def load(client: Client, ticket: Ticket, query: str = "", **extra: Any) -> Any:
    return client.get(pixel.address(ticket) + query, **extra)


# -- the image


def test_it_is_the_smallest_image(client: Client) -> None:
    response = load(client, Ticket("shop"))

    assert (response.status_code, response["Content-Type"]) == (200, "image/gif")
    assert response["Cache-Control"] == "no-store"
    assert pixel.ERROR_HEADER not in response
    gif = response.content
    assert (len(gif), gif[:6], gif[-1:]) == (43, b"GIF89a", b";")
    assert struct.unpack("<HH", gif[6:10]) == (1, 1)
    # A graphic control extension with the transparency flag, for colour 0; and a point of that colour.
    assert gif[19:27] == bytes([0x21, 0xF9, 4, 1, 0, 0, 0, 0])


def test_it_counts_what_its_ticket_says(client: Client, drain: Drain) -> None:
    load(client, Ticket(["shop", "eu"], {"country": {"DE": "BE"}}, {"revenue": 9.5}))
    load(client, Ticket(["shop", "eu"]))

    drain()
    assert Whale.total("shop", "hits") == 2
    assert Whale.total("shop/eu", "revenue", ["country", "DE", "BE"]) == 9.5


def test_it_counts_once_each_time_it_is_loaded(client: Client, drain: Drain) -> None:
    for _ in range(3):
        load(client, Ticket("shop"))

    drain()
    assert Whale.total("shop") == 3


@pytest.mark.parametrize("method", ["head", "post", "put", "options"])
def test_nothing_but_looking_counts(method: str, client: Client, drain: Drain) -> None:
    assert getattr(client, method)(pixel.address(Ticket("shop"))).status_code == 405

    drain()
    assert Whale.total("shop") == 0


# -- what the browser adds


@pytest.mark.parametrize(
    ("dimensions", "counted"),
    [
        (None, ["plan", "plan/pro"]),
        ({"page": "home"}, ["page", "page/home", "plan", "plan/pro"]),
        ("page/home", ["page", "page/home", "plan", "plan/pro"]),
        (["page", "home"], ["page", "page/home", "plan", "plan/pro"]),
        ([["page", "home"]], ["page/home", "plan", "plan/pro"]),
        ({"plan": "free"}, ["plan", "plan/free"]),
    ],
)
def test_declared_names_come_along(dimensions: Any, counted: list[str], client: Client, drain: Drain) -> None:
    load(client, Ticket("shop", dimensions, None, ("plan", "ab")), "?plan=pro&ab=&colour=red&metrics={'hits':9}")

    drain()
    assert {path: Whale.total("shop", "hits", path) for path in counted} == dict.fromkeys(counted, 1)
    assert Whale.total("shop") == 1
    top = [name for name in Whale.get_subdimensions("shop") if isinstance(name, str)]
    assert set(top) <= {"page", "plan"}


def test_a_slash_in_what_is_added_is_no_path(client: Client, drain: Drain) -> None:
    load(client, Ticket("shop", declared=("plan",)), "?plan=a/b%00%1B")

    drain()
    assert Whale.get_subdimensions("shop", "plan") == [["plan", "a/b\x00\x1b"]]


def test_huge_names_are_refused(client: Client, drain: Drain) -> None:
    response = load(client, Ticket("shop", declared=("plan",)), "?plan=" + "x" * 256)

    assert response.status_code == 400
    assert response.content == pixel.GIF
    assert "at most 255 bytes" in response[pixel.ERROR_HEADER]
    drain()
    assert Whale.total("shop") == 0


def test_declared_names_are_few() -> None:
    assert declared_names(" plan, ab,,plan") == ("plan", "ab")
    assert declared_names(["plan"]) == ("plan",)
    assert declared_names(None) == ()
    with pytest.raises(InvalidInput, match="at most 20"):
        declared_names(",".join(map(str, range(21))))


def test_joined_leaves_alone_what_nothing_is_added_to() -> None:
    assert joined("a/b", {}) == "a/b"
    assert joined({"b": "1", "a": "2"}, {"a": "3", "c": "4"}) == {"b": "1", "a": "2", "c": "4"}


# -- forged, expired, malformed


def payload_of(ticket: Ticket) -> str:
    return pixel.address(ticket).rsplit("/", 1)[1].removesuffix(".gif")


def refused(client: Client, payload: str) -> tuple[int, str]:
    response = client.get(f"/hailwhale/pixel/{payload}.gif")
    assert response.content == pixel.GIF
    assert response["Cache-Control"] == "no-store"
    return response.status_code, response[pixel.ERROR_HEADER]


def test_forged(client: Client, drain: Drain) -> None:
    body, stamp, signature = payload_of(Ticket("shop")).split(":")
    other = base64.urlsafe_b64encode(b'["bank"]').decode().rstrip("=")
    forgeries = [
        f"{other}:{stamp}:{signature}",
        f"{body}:{stamp}0:{signature}",
        f"{body}:{stamp}:{signature[:-2]}",
        signing.dumps(["shop"], key="another", salt="hailwhale_django.pixel"),
        signing.dumps(["shop"]),
        Ticket("shop").signed("event"),
    ]
    for forgery in forgeries:
        status, message = refused(client, forgery)
        assert (status, "not signed by this site" in message) == (403, True)

    drain()
    assert Whale.counters() == []


@pytest.mark.parametrize("payload", ["x", "a:b", "a:b:c:d", "....", "a b:c:d", "%00:a:b", "ü:a:b", "x" * 5000])
def test_malformed(payload: str, client: Client) -> None:
    status, message = refused(client, payload)
    assert status == 400
    assert message.startswith("ticket: ")
    assert message.isascii() and len(message) <= pixel.MAX_ERROR_CHARACTERS


def test_expired(client: Client, drain: Drain) -> None:
    ticket = Ticket("shop")
    with time_machine.travel(datetime.now(UTC) - timedelta(seconds=100)):
        payload = payload_of(ticket)

    assert client.get(f"/hailwhale/pixel/{payload}.gif").status_code == 200  # for ever, unless it is said
    with configured(PIXEL_MAX_AGE=1000):
        assert client.get(f"/hailwhale/pixel/{payload}.gif").status_code == 200
    with configured(PIXEL_MAX_AGE=60):
        assert refused(client, payload) == (410, "this ticket is older than 60 seconds; load its page again")
    drain()
    assert Whale.total("shop") == 2


def test_a_key_that_was_changed_is_still_read(client: Client) -> None:
    payload = payload_of(Ticket("shop"))
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert client.get(f"/hailwhale/pixel/{payload}.gif").status_code == 200
    with override_settings(SECRET_KEY="new"):
        assert refused(client, payload)[0] == 403


@pytest.mark.parametrize(
    "ticket",
    [
        Ticket(""),
        Ticket(None),
        Ticket("shop", 5),
        Ticket("shop", None, {"x": "much\r\nEvil: 1"}),
        Ticket("shop", ["é" * 200]),
    ],
)
def test_signed_and_yet_not_countable(ticket: Ticket, client: Client) -> None:
    status, message = refused(client, payload_of(ticket))
    assert status == 400
    assert "will not do" in message
    assert message.isascii() and message.isprintable()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"x", {1}, "\ud800"])
def test_what_cannot_be_written_is_not_signed(value: Any) -> None:
    with pytest.raises(InvalidInput):
        Ticket("shop", None, {"x": value}).signed("pixel")


# -- the store is away


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0"])
def test_the_store_is_away(url: str, client: Client) -> None:
    with configured(REDIS=url):
        response = load(client, Ticket("shop"))

    assert (response.status_code, response["Retry-After"], response.content) == (503, "1", pixel.GIF)
    assert response[pixel.ERROR_HEADER]


def test_the_hail_is_full(client: Client) -> None:
    with configured(HAIL_LIMIT=1):
        assert load(client, Ticket("shop")).status_code == 200
        response = load(client, Ticket("shop"))
    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert "the hail is full" in response[pixel.ERROR_HEADER]


# -- tickets


@pytest.mark.parametrize(
    "ticket",
    [
        Ticket("shop"),
        Ticket(["Product", "7"], {"a": {"b": "ü/<&'\""}}, {"x": 1.5}, ("plan",)),
        Ticket("shop", "a/b", ["x", "y"]),
        Ticket("shop", None, None, ("plan",)),
        Ticket("shop", {"text": "long " * 40}),
    ],
)
def test_a_ticket_is_what_it_was(ticket: Ticket) -> None:
    text = ticket.signed("pixel")
    assert Ticket.read(text, "pixel", None) == ticket
    assert len(text) < 260


def test_what_templates_have_can_be_signed() -> None:
    ticket = Ticket("shop", {"name": gettext_lazy("Yes"), "on": datetime(2026, 11, 21).date()}, {"x": Decimal("0.1")})
    found = Ticket.read(ticket.signed("pixel"), "pixel", None)
    assert (found.dimensions, found.metrics) == ({"name": "Yes", "on": "2026-11-21"}, {"x": "0.1"})


def test_a_ticket_is_for_one_use() -> None:
    text = Ticket("shop").signed("pixel")
    with pytest.raises(Forged):
        Ticket.read(text, "event", None)


def test_a_ticket_that_comes_from_the_future_has_not_expired() -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
        text = Ticket("shop").signed("pixel")
    assert Ticket.read(text, "pixel", 60).pk == "shop"
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=3)), pytest.raises(Expired):
        Ticket.read(text, "pixel", 60)


# -- visitors


def test_who_loads_it_is_a_visitor(client: Client, drain: Drain) -> None:
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
        load(client, Ticket("shop"), REMOTE_ADDR=address)
    load(client, Ticket("shop", metrics={"uv:visitor": "user 7"}), REMOTE_ADDR="192.0.2.3")
    load(client, Ticket("shop", metrics="signups"), REMOTE_ADDR="192.0.2.4", HTTP_SEC_GPC="1")
    with configured(PIXEL_SKETCHES=()):
        load(client, Ticket("shop"), REMOTE_ADDR="192.0.2.5")
    drain()
    assert (Whale.total("shop", "uv:visitor"), Whale.total("shop", "hits")) == (3, 6)


def test_a_sketch_without_a_value_is_no_visitor_called_1(client: Client, drain: Drain) -> None:
    for headers in ({}, {"HTTP_USER_AGENT": "Googlebot/2.1 (+http://www.google.com/bot.html)"}):
        response = load(client, Ticket("shop", metrics="uv:visitor"), REMOTE_ADDR="192.0.2.1", **headers)
        assert (response.status_code, "needs a value" in response[pixel.ERROR_HEADER]) == (400, True)
    drain()
    assert Whale.total("shop", "hits") == 0
