"""Visitors: the same one all day, another tomorrow, and no trace of who it was."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.http import HttpRequest
from django.test import Client, RequestFactory, override_settings

from hailwhale_django import Whale, buffer, visitors
from hailwhale_django.visitors import address_of, visitor_of, wants_privacy
from tests import servers
from tests import settings as test_settings

ROOT = Path(__file__).parent.parent
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
SAFARI = "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15"
NOON = datetime.fromisoformat("2026-11-21T12:00:00+00:00")


def asked(address: str = "192.0.2.7", agent: str = FIREFOX, **meta: Any) -> HttpRequest:
    return RequestFactory().get("/", REMOTE_ADDR=address, HTTP_USER_AGENT=agent, **meta)


def configured(url: str, **given: Any) -> Any:
    return override_settings(HAILWHALE={"REDIS": url, "BUFFER_SECONDS": 3_600.0, **given})


@pytest.fixture
def store(redis_url: str) -> Iterator[str]:
    with configured(redis_url):
        yield redis_url


def texts(url: str) -> Iterator[bytes]:
    """Every key of a server, and everything in it."""
    with closing(servers.client(url)) as client:
        for key in client.scan_iter():
            yield key
            kind = client.type(key)
            if kind == b"string":
                yield client.get(key)
            elif kind == b"hash":
                yield from (one for pair in client.hgetall(key).items() for one in pair)
            elif kind == b"set":
                yield from client.smembers(key)
            elif kind == b"zset":
                yield from client.zrange(key, 0, -1)
            elif kind == b"list":
                yield from client.lrange(key, 0, -1)
            elif kind == b"stream":
                yield from (one for _, entry in client.xrange(key) for pair in entry.items() for one in pair)
            else:
                raise AssertionError(f"{key!r} is a {kind!r}")


# --- who is the same


def test_a_visitor_is_the_same_all_day_and_nobody_else(store: str) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        first = visitor_of(asked())
        assert first is not None and len(first) == 16 and int(first, 16) >= 0
        clock.shift(11 * 3_600)
        assert visitor_of(asked()) == first
        others = [
            visitor_of(asked(address="192.0.2.8")),
            visitor_of(asked(agent=SAFARI)),
            visitor_of(asked(HTTP_HOST="localhost:8000")),
        ]
        assert len({first, *others}) == 4
        clock.shift(2 * 3_600)
        assert visitor_of(asked()) not in (first, None)


def test_the_id_is_a_keyed_hash_of_site_address_and_agent(store: str) -> None:
    with time_machine.travel(NOON, tick=False):
        found = visitor_of(asked())
    with closing(servers.client(store)) as client:
        salt = client.get("hw:salt:2026-11-21")
        assert len(salt) == 32
        assert 12 * 3_600 < client.ttl("hw:salt:2026-11-21") <= 13 * 3_600
    told = b"testserver\x00192.0.2.7\x00" + FIREFOX.encode()
    assert found == blake2b(told, key=salt, digest_size=8).hexdigest()


def test_the_day_is_that_of_the_store(redis_url: str) -> None:
    """Noon in London is 1 in the morning in Auckland, of the day that follows."""
    with configured(redis_url, TIME_ZONE="Pacific/Auckland"), time_machine.travel(NOON, tick=False):
        visitor_of(asked())
    with closing(servers.client(redis_url)) as client:
        assert client.keys("hw:salt:*") == [b"hw:salt:2026-11-22"]
        assert 23 * 3_600 < client.ttl("hw:salt:2026-11-22") <= 24 * 3_600


def test_all_processes_have_one_salt(store: str) -> None:
    code = """
import django
django.setup()
from django.test import RequestFactory
from hailwhale_django.visitors import visitor_of
print(visitor_of(RequestFactory().get("/", REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT="whale")))
"""
    command = [sys.executable, "-c", code]
    ids = {
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip() for _ in range(2)
    }
    assert len(ids) == 1 and "None" not in ids


def test_a_process_asks_once_a_day(store: str) -> None:
    with closing(servers.client(store)) as client, time_machine.travel(NOON, tick=False) as clock:
        first = visitor_of(asked())
        client.delete("hw:salt:2026-11-21")
        assert visitor_of(asked()) == first
        assert client.keys("hw:salt:*") == []
        clock.shift(24 * 3_600)
        visitor_of(asked())
        assert client.keys("hw:salt:*") == [b"hw:salt:2026-11-22"]


# --- who is nobody


def test_who_wants_privacy_is_nobody(store: str) -> None:
    for name in ("HTTP_DNT", "HTTP_SEC_GPC"):
        assert wants_privacy(asked(**{name: "1"}))
        assert visitor_of(asked(**{name: "1"})) is None
        assert not wants_privacy(asked(**{name: "0"}))
    with configured(store, RESPECT_DNT=False):
        assert visitor_of(asked(HTTP_DNT="1")) is not None


def test_without_an_address_there_is_nobody(store: str) -> None:
    assert visitor_of(asked(address="")) is None


@pytest.mark.parametrize("away", ["redis://127.0.0.1:1", "redis+cluster://127.0.0.1:1"])
def test_without_a_store_there_is_nobody_and_it_is_not_asked_each_time(
    away: str, caplog: pytest.LogCaptureFixture
) -> None:
    with configured(away), time_machine.travel(NOON, tick=False) as clock:
        assert [visitor_of(asked()) for _ in range(3)] == [None] * 3
        assert caplog.text.count("no visitors for 30 seconds") == 1
        clock.shift(31)
        assert visitor_of(asked()) is None
        assert caplog.text.count("no visitors for 30 seconds") == 2


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("198.51.100.9, 203.0.113.5", "203.0.113.5"),
        ("invented,203.0.113.5 ", "203.0.113.5"),
        ("", "10.0.0.1"),
        (None, "10.0.0.1"),
    ],
)
def test_the_address_that_the_proxy_saw(store: str, sent: str | None, address: str) -> None:
    headers = {} if sent is None else {"HTTP_X_FORWARDED_FOR": sent}
    request = asked(address="10.0.0.1", **headers)
    assert address_of(request) == "10.0.0.1", "a header that nobody vouches for"
    with configured(store, ADDRESS_HEADER="X-Forwarded-For"):
        assert address_of(request) == address


def test_a_host_that_is_not_ours_and_odd_agents(store: str) -> None:
    assert visitor_of(asked(HTTP_HOST="evil.example")) is not None
    assert visitor_of(asked(agent="\udcff")) != visitor_of(asked(agent="")) is not None


# --- nothing is kept


@pytest.mark.urls("tests.test_middleware")
def test_no_address_and_no_agent_is_stored_and_a_visitor_no_longer_than_the_log(
    store: str, drain: Callable[[], None]
) -> None:
    ids = []
    secrets = ["192.0.2.", "198.51.100.", "secret", "mozilla", "rv:127", "applewebkit", "ada@"]
    secret = {
        "HTTP_X_FORWARDED_FOR": "198.51.100.77",
        "HTTP_REFERER": "https://198.51.100.78/secret-page",
        "HTTP_ACCEPT_LANGUAGE": "en",
    }
    agents = [FIREFOX, SAFARI, "curl/8.5.0 Secret-Agent", "crawler Secret-Agent", "Googlebot/2.1 Secret-Agent"]
    everything = ["language", "referrer", "utm", "bot", "device", "browser", "os", "country"]
    middleware = ["hailwhale_django.middleware.HailWhaleMiddleware", *test_settings.MIDDLEWARE]
    given = {"CAPTURE": everything, "COUNTRY_HEADER": "X-Country", "ADDRESS_HEADER": "X-Forwarded-For"}
    with configured(store, **given), override_settings(MIDDLEWARE=middleware):
        for number in range(200):
            meta = {"REMOTE_ADDR": f"192.0.2.{number}", "HTTP_USER_AGENT": agents[number % len(agents)], **secret}
            response = Client().get(f"/?utm_source=192.0.2.{number}&utm_medium=ada@example.org", **meta)
            ids.append(response.wsgi_request.hailwhale.visitor)
        assert buffer.flush()
        drain()
        assert Whale.total("requests") == 80
        assert Whale.total("requests", "bot_hits") == 120
        assert Whale.total("requests", "uv:visitor") == 2, "of 80 requests through one proxy, with two browsers"
    for one in texts(store):
        assert not any(secret.encode() in one.lower() for secret in secrets), one
    with closing(servers.client(store)) as client:
        client.delete("hw:hail:{0}log")  # as it is a minute or two later
    stored = [one.lower() for one in texts(store)]
    assert None not in ids and len(set(ids)) == len(agents), "one address, which the proxy saw, and five agents"
    assert any(b"language" in one for one in stored), "something is stored"
    hidden = [bytes.fromhex(one) for one in ids]
    for one in stored:
        assert not any(secret.encode() in one for secret in [*secrets, *ids]), one
        assert not any(raw in one for raw in hidden), one


def test_what_a_process_knows_ends_with_its_day(store: str) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        visitor_of(asked())
        yesterday = visitors._salt.value
        clock.shift(24 * 3_600)
        visitor_of(asked())
        assert yesterday not in (None, visitors._salt.value)
