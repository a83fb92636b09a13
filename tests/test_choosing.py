"""Deciding for a request: sticky, counted once, and no page breaks for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest
from django.test import RequestFactory, override_settings
from rest_framework.request import Request

from hailwhale_django import Hail, Whale, buffer, choosing, connection, crediting, decisions
from hailwhale_django.choosing import decide
from hailwhale_django.crediting import credit
from hailwhale_django.engine.errors import InvalidInput, StoreUnavailable
from tests import servers

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
AWAY = "redis://127.0.0.1:1/0"
LONG = 3_600.0
OPTIONS = ["a", "b", "c"]


def configured(url: str, **given: Any) -> Any:
    return override_settings(HAILWHALE={"REDIS": url, "BUFFER_SECONDS": LONG, **given})


@pytest.fixture(autouse=True)
def store(redis_url: str) -> Iterator[str]:
    with configured(redis_url):
        yield redis_url


def asked(address: str = "192.0.2.7", path: str = "/", agent: str = FIREFOX, **meta: Any) -> HttpRequest:
    return RequestFactory().get(path, REMOTE_ADDR=address, HTTP_USER_AGENT=agent, **meta)


def settle() -> None:
    """Count all that waits."""
    assert crediting.flush()
    Hail.drain()


def counted(metric: str, *path: str, pk: Any = ("decisions", "banner"), by: str | None = None) -> float:
    return float(Whale.total([*pk, *path], metric, by, period="1d:3d"))


def kept() -> list[Any]:
    """The decisions in the log, newest first."""
    log = connection.pod().store.choices.latest("decisions/banner", 100)
    return [one.kept for one in log]


def keys(url: str) -> list[bytes]:
    with closing(servers.client(url)) as client:
        return [key for key in client.scan_iter() if b"salt" not in key]


# -- sticky, and counted once


def test_a_decision_holds_for_its_visitor() -> None:
    options = [str(number) for number in range(50)]
    first = decide(asked(), "banner", options)
    assert first.option in options
    assert (first.decision, first.sticky, bool(first.id)) == ("decisions/banner", False, True)
    for _ in range(5):
        again = decide(asked(), "banner", options)
        assert (again.option, again.sticky, again.id) == (first.option, True, first.id)
    others = {decide(asked(f"192.0.2.{number}"), "banner", options).option for number in range(20)}
    assert len(others) > 1


def test_an_exposure_is_counted_once() -> None:
    option = decide(asked(), "banner", OPTIONS).option
    decide(asked(), "banner", OPTIONS)
    settle()
    decide(asked(), "banner", OPTIONS)
    settle()
    assert counted("visitors") == counted("visitors", option) == 1


def test_several_calls_of_a_request_are_one() -> None:
    request = asked()
    first = decide(request, "banner", OPTIONS)
    assert decide(request, "banner", ("a", "b", "c")) is first
    assert decide(Request(request), "banner", OPTIONS) is first
    assert decide(request, "banner", OPTIONS, visitor="somebody else") is not first
    assert decide(request, "colour", OPTIONS).decision == "decisions/colour"


def test_two_tabs_at_once_see_the_same() -> None:
    options = [str(number) for number in range(200)]
    tabs = 8
    together = Barrier(tabs)

    def look() -> str:
        together.wait()
        return decide(asked(), "banner", options).option

    decide(asked("192.0.2.8"), "banner", options)  # and the salt is there
    with ThreadPoolExecutor(tabs) as pool:
        seen = {one.result() for one in [pool.submit(look) for _ in range(tabs)]}
    assert len(seen) == 1
    settle()
    assert counted("visitors") == 2


def test_the_visitor_is_another_tomorrow() -> None:
    with time_machine.travel("2026-11-21T12:00:00Z", tick=False) as clock:
        first = decide(asked(), "banner", OPTIONS)
        clock.shift(timedelta(hours=6))
        assert decide(asked(), "banner", OPTIONS).id == first.id
        clock.shift(timedelta(hours=12))
        assert decide(asked(), "banner", OPTIONS).id != first.id


def test_what_nobody_can_ask_for_tomorrow_is_not_kept_for_longer(store: str) -> None:
    decide(asked(), "banner", OPTIONS, window=60)
    decide(asked(), "colour", OPTIONS, window=60, hold=30)
    decide(asked(), "layout", OPTIONS, window=60, visitor="ada")
    days = 86_400
    with closing(servers.client(store)) as client:
        lives = sorted(seconds for key in client.scan_iter("*v*") if (seconds := client.ttl(key)) > 0 and b":v" in key)
    assert len(lives) == 3
    assert lives[0] <= 61 and days - 60 < lives[1] <= days + 1 and 29 * days < lives[2]


def test_a_visitor_that_the_page_names_is_the_same_for_longer() -> None:
    ada = User(pk=7)
    with time_machine.travel("2026-11-21T12:00:00Z", tick=False) as clock:
        first = decide(asked(), "banner", OPTIONS, visitor=ada)
        clock.shift(timedelta(days=3))
        assert decide(asked("198.51.100.1"), "banner", OPTIONS, visitor="7").id == first.id
        assert decide(asked(), "banner", OPTIONS, visitor=User(pk=8)).id != first.id


@pytest.mark.parametrize("nobody", [None, "", AnonymousUser()])
def test_who_is_not_logged_in_is_the_visitor_of_today(nobody: Any) -> None:
    first = decide(asked(), "banner", OPTIONS, visitor=nobody)
    assert decide(asked(), "banner", OPTIONS).id == first.id
    assert decide(asked("192.0.2.8"), "banner", OPTIONS, visitor=nobody).id != first.id


# -- what is known


def test_what_is_captured_is_known_and_what_the_page_says_holds() -> None:
    with configured(connection_url(), CAPTURE=["language", "bot", "country"], COUNTRY_HEADER="CF-IPCountry"):
        request = asked(HTTP_ACCEPT_LANGUAGE="pt-BR", HTTP_CF_IPCOUNTRY="NO")
        decide(request, "banner", OPTIONS, known={"plan": {"pro": "yearly"}, "country": "DE"})
        paths = ("plan", "plan/pro", "plan/pro/yearly", "country", "country/DE", "language", "language/pt")
        assert kept()[0].paths == paths
        settle()
        assert counted("visitors", by="country/DE") == counted("visitors", by="plan/pro/yearly") == 1
        decide(asked("192.0.2.8", HTTP_ACCEPT_LANGUAGE="pt"), "banner", OPTIONS, without=["language"])
        assert kept()[0].paths == ()


def connection_url() -> str:
    from hailwhale_django.conf import get_settings

    return str(get_settings().REDIS)


def test_terms_are_those_of_whale() -> None:
    terms: dict[str, Any] = {"formula": "cost/visitors", "minimize": True, "period": "30d", "hold": 60, "window": 60}
    made = decide(asked(), "banner", OPTIONS, pk=["shop", "eu"], **terms)
    assert made.decision == "shop/eu/banner"
    (logged,) = connection.pod().store.choices.latest("shop/eu/banner", 10)
    assert logged.kept.formula == "cost/visitors"


# -- crediting


def test_a_reward_is_credited_once_to_what_was_seen() -> None:
    request = asked(HTTP_ACCEPT_LANGUAGE="de")
    option = decide(request, "banner", OPTIONS).option
    for _ in range(3):
        assert credit(asked(), "banner", {"revenue": 25}, id=17)
    assert credit(asked(), "banner", {"revenue": 5})
    settle()
    assert credit(asked(), "banner", {"revenue": 25}, id="17")
    settle()
    assert counted("revenue") == counted("revenue", option) == counted("revenue", by="language/de") == 30
    assert counted("visitors") == 1
    assert choosing.statistics().unmatched == 0


def test_a_page_that_is_loaded_again_days_later_credits_nothing_more() -> None:
    with time_machine.travel("2026-11-19T12:00:00Z", tick=False) as clock:
        decide(asked(), "banner", OPTIONS, visitor="ada")
        for _ in range(4):
            assert credit(asked(), "banner", {"revenue": 25}, id=17, visitor="ada")
            settle()
            clock.shift(timedelta(days=1))
        credit(asked(), "banner", {"revenue": 5}, id=18, visitor="ada")
        settle()
        assert Whale.total("decisions", "revenue", period="30d") == 30


def test_nobody_credits_without_end() -> None:
    decide(asked(), "banner", OPTIONS)
    for number in range(1_010):
        credit(asked(), "banner", {"clicks": 1}, id=number)
    settle()
    found = choosing.statistics().credited
    assert found.flushed + found.refused == 1_011
    assert counted("clicks") == found.flushed - 1 < 1_000


def test_a_reward_may_come_before_its_exposure_is_written() -> None:
    request = asked()
    decide(request, "banner", ["only"])
    assert credit(request, "banner", "sales")
    settle()
    standing = Whale.decide("decisions", "banner", ["only"], "sales/visitors", choice=True).standing("only")
    assert (standing.events, standing.value) == (1, 1)


def test_who_never_saw_a_decision_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "hailwhale"):
        assert credit(asked(), "banner", {"revenue": 25})
        settle()
    assert caplog.records == []
    found = choosing.statistics()
    assert (found.unmatched, found.credited.refused, counted("revenue")) == (1, 0, 0)


def test_a_visitor_that_the_page_names_is_credited() -> None:
    decide(asked(), "banner", OPTIONS, visitor=User(pk=7))
    credit(asked("198.51.100.1"), "banner", {"revenue": 9}, visitor=User(pk=7))
    credit(asked(), "banner", {"revenue": 100}, visitor=AnonymousUser())
    settle()
    assert counted("revenue") == 9
    Whale.count_decision("decisions", decision="banner", visitor=7, metrics={"revenue": 1})
    assert counted("revenue") == 10


@pytest.mark.parametrize(
    ("metrics", "given", "field"),
    [
        ({"revenue": "much"}, {}, "revenue"),
        ({"revenue": float("nan")}, {}, "revenue"),
        ({}, {}, "metrics"),
        (5, {}, "metrics"),
        ("sales", {"id": "x" * 101}, "id"),
        ("sales", {"pk": {}}, "pk"),
    ],
)
def test_what_cannot_be_credited(metrics: Any, given: Any, field: str, caplog: pytest.LogCaptureFixture) -> None:
    decide(asked(), "banner", OPTIONS)
    with override_settings(DEBUG=True), pytest.raises(InvalidInput) as error:
        credit(asked(), "banner", metrics, **given)
    assert error.value.field == field
    with caplog.at_level(logging.WARNING, "hailwhale"):
        credit(asked(), "banner", metrics, **given)
        settle()
    assert len(caplog.records) == 1
    assert counted("visitors") == 1


# -- who is left alone


def test_bots_get_the_first_option_and_leave_no_trace(store: str) -> None:
    for number in range(5):
        made = decide(asked(f"192.0.2.{number}", agent=GOOGLE), "banner", ["z", "y"])
        assert (made.option, made.id, made.reasons) == ("z", "", ("Bots all get the same option.",))
    assert not credit(asked(agent=GOOGLE), "banner", {"revenue": 1})
    assert crediting.flush()
    assert keys(store) == []
    with configured(store, CAPTURE=["language"]):  # where nobody looks for bots, there are none
        assert decide(asked(agent=GOOGLE), "banner", ["z", "y"]).id


@pytest.mark.parametrize("header", ["HTTP_DNT", "HTTP_SEC_GPC"])
def test_of_who_wants_privacy_nothing_is_kept(header: str, store: str) -> None:
    private = {header: "1", "HTTP_ACCEPT_LANGUAGE": "de"}
    for visitor in (None, "ada"):
        made = decide(asked(**private), "banner", OPTIONS, known={"plan": "pro"}, visitor=visitor)
        assert made.option in OPTIONS and made.id == ""
        assert not credit(asked(**private), "banner", {"revenue": 1}, visitor=visitor)
    settle()
    assert not any(b"ada" in key or b"visitor" in key for key in keys(store))
    assert counted("visitors") == 0
    with configured(store, RESPECT_DNT=False):
        assert decide(asked(**private), "banner", OPTIONS).id


# -- staff force an option


class Looked:
    """A user who is not to be looked at."""

    @property
    def is_staff(self) -> bool:
        raise AssertionError("the user was looked up")


def test_staff_see_the_option_that_they_ask_for(store: str) -> None:
    request: Any = asked(path="/?hailwhale_banner=c&hailwhale_colour=red")
    request.user = User(is_staff=True)
    made = decide(request, "banner", OPTIONS)
    assert (made.option, made.forced, made.id) == ("c", True, "")
    assert not credit(request, "banner", {"revenue": 1})
    assert decide(request, "colour", ["green", "blue"]).forced is False
    settle()
    assert counted("visitors") == 0


def test_nobody_else_can_force_an_option() -> None:
    options = [str(number) for number in range(100)]
    for user in (None, AnonymousUser(), User()):
        request: Any = asked(path="/?hailwhale_banner=7")
        if user:
            request.user = user
        assert decide(request, "banner", options).forced is False


def test_a_user_is_not_looked_up_unless_an_option_is_asked_for() -> None:
    request: Any = asked(path="/?hailwhale_colour=b")
    request.user = Looked()
    assert decide(request, "banner", OPTIONS).id


class Lazy:
    """A user as an asynchronous view has it, who is not looked up yet."""

    @property
    def is_staff(self) -> bool:
        raise SynchronousOnlyOperation("You cannot call this from an async context")


def test_in_a_coroutine_nobody_is_staff() -> None:
    request: Any = asked(path="/?hailwhale_banner=b")
    request.user = Lazy()
    made = decide(request, "banner", OPTIONS)
    assert made.id and not made.forced


# -- no page breaks


def test_the_store_is_away(store: str, caplog: pytest.LogCaptureFixture) -> None:
    with configured(AWAY), caplog.at_level(logging.ERROR, "hailwhale"), override_settings(DEBUG=True):
        for _ in range(3):
            made = decide(asked(), "banner", OPTIONS)
            assert (made.option, made.id) == ("a", "")
        found = choosing.statistics()
        assert (found.made, found.missed) == (0, 3)
        assert "did not answer" in str(found.last_error)
        (record,) = [one for one in caplog.records if "first option" in one.getMessage()]
        assert credit(asked(), "banner", {"revenue": 1})  # which waits
        assert not crediting.flush()
        assert choosing.statistics().credited.buffered == 1


def test_a_store_that_comes_back_is_asked_again(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = decide(asked(), "banner", OPTIONS)
    monkeypatch.setattr(choosing._breaker, "clock", clock := Clock())
    with monkeypatch.context() as patched:
        patched.setattr(Whale, "decide", unavailable)
        assert decide(asked(), "banner", OPTIONS).option == "a"
    assert decide(asked(), "banner", OPTIONS).id == ""
    clock.now += 1
    assert decide(asked(), "banner", OPTIONS).id == made.id
    assert choosing.statistics().last_error is None


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def unavailable(*_: Any, **__: Any) -> None:
    raise StoreUnavailable("away")


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (("banner", []), ""),
        (("banner", "a,b"), ""),
        (("banner", 5), ""),
        (("banner",), ""),
        (("banner", ["a", "a"]), "a"),
        (("banner", ["a", ""]), "a"),
        (("banner", ["x" * 300]), "x" * 300),
        (("x" * 300, ["a"]), "a"),
        ((object(), ["a"]), "a"),
        ((["a", {}], ["a"]), "a"),
        (("banner", {"a": ["b"]}), "a"),
    ],
)
def test_what_cannot_be_understood(arguments: Any, first: str, caplog: pytest.LogCaptureFixture) -> None:
    if arguments[0] == ["a", {}]:  # JSON can say it, so it is a name
        assert decide(asked(), *arguments).option == first
        return
    with override_settings(DEBUG=True), pytest.raises(InvalidInput):
        decide(asked(), *arguments)
    caplog.clear()  # of the database, which may not be asked here
    with caplog.at_level(logging.ERROR, "hailwhale"):
        assert [decide(asked(), *arguments).option for _ in range(2)] == [first] * 2
    assert len(caplog.records) == 1
    assert choosing.statistics().missed == 2


@pytest.mark.parametrize(
    "given",
    [
        {"formula": "revenue/"},
        {"formula": ["revenue"]},
        {"known": 5},
        {"period": "noon"},
        {"visitor": "x" * 2_000},
        {"hold": "long"},
        {"colour": "red"},
        {"pk": {}},
    ],
)
def test_terms_that_cannot_be_understood(given: Any) -> None:
    assert decide(asked(), "banner", OPTIONS, **given).option == "a"
    with override_settings(DEBUG=True), pytest.raises((InvalidInput, TypeError)):
        decide(asked(), "banner", OPTIONS, **given)


def test_without_a_request() -> None:
    assert decide(None, "banner", OPTIONS).option == "a"
    assert not credit(None, "banner", {"revenue": 1})
    with override_settings(DEBUG=True), pytest.raises(InvalidInput, match="context processor"):
        decide(None, "banner", OPTIONS)


def test_a_request_without_an_address_is_decided_for() -> None:
    made = decide(asked(address=""), "banner", OPTIONS)
    assert (made.option in OPTIONS, made.id) == (True, "")
    assert not credit(asked(address=""), "banner", {"revenue": 1})


def test_a_full_buffer_breaks_nothing(store: str) -> None:
    with configured(store, BUFFER_EVENTS=1):
        options = {decide(asked(f"192.0.2.{number}"), "banner", OPTIONS).option for number in range(3)}
        assert options <= set(OPTIONS)
        waits = choosing.statistics().credited
        assert waits.dropped + waits.flushed + waits.buffered == 3  # the thread may have written some


def test_the_buffer_of_requests_is_another() -> None:
    decide(asked(), "banner", OPTIONS)
    assert buffer.statistics().buffered == 0
    assert choosing.statistics().credited.buffered == 1


def test_nobody_says_that_a_decision_was_seen(settings: Any) -> None:
    """A script that is quick could else take an exposure's id before it."""
    settings.DEBUG = True
    with pytest.raises(InvalidInput, match="printable text"):
        crediting.credit(RequestFactory().get("/"), "banner", {"visitors": 1}, id=crediting.SEEN)


@pytest.mark.django_db
def test_bots_get_the_control_of_a_registered_decision(store: str) -> None:
    one = decisions.register("decisions", "banner", options=["a", "b"], control="b")
    try:
        assert str(decide(asked(agent=GOOGLE), "banner")) == "b"
        assert str(decide(asked(agent=GOOGLE), "banner", ["c", "a"])) == "c"
    finally:
        decisions.unregister(one.counter, "default")
