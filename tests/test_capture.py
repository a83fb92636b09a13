"""What a request tells by itself: bounded, printable, and nothing of who sent it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA, matching_crawlers
from django.http import HttpRequest
from django.test import RequestFactory, override_settings
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from hailwhale_django import agents, conf, countries
from hailwhale_django.agents import UNLISTED, Traits, bot_of, traits_of
from hailwhale_django.capture import CAPTURES, captured, event_of
from hailwhale_django.checks import check_settings
from hailwhale_django.referrers import source


def webkit(system: str, browser: str, version: str = "537.36") -> str:
    return f"Mozilla/5.0 ({system}) AppleWebKit/{version} (KHTML, like Gecko) {browser}"


CHROME = webkit("Windows NT 10.0; Win64; x64", "Chrome/126.0.0.0 Safari/537.36")
IPHONE = webkit("iPhone; CPU iPhone OS 17_5 like Mac OS X", "Version/17.5 Mobile/15E148 Safari/604.1", "605.1.15")
IPAD = webkit("iPad; CPU OS 17_5 like Mac OS X", "Version/17.5 Mobile/15E148 Safari/604.1", "605.1.15")
PIXEL = webkit("Linux; Android 14; Pixel 8", "Chrome/126.0.0.0 Mobile Safari/537.36")
GALAXY_TAB = webkit("Linux; Android 13; SM-X906C", "Chrome/126.0.0.0 Safari/537.36")
TELEVISION = webkit("SMART-TV; LINUX; Tizen 6.0", "76.0.3809.146/6.0 TV Safari/537.36")
FIREFOX = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
MAC = webkit("Macintosh; Intel Mac OS X 10_15_7", "Version/17.5 Safari/605.1.15", "605.1.15")
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def asked(path: str = "/", **meta: Any) -> HttpRequest:
    return RequestFactory().get(path, **meta)


def capturing(*names: str, **others: Any) -> Any:
    return override_settings(HAILWHALE={"CAPTURE": names, **others})


def told(name: str, *, path: str = "/", **meta: Any) -> Any:
    with capturing(name):
        return captured(asked(path, **meta)).get(name)


def test_everything_that_may_be_named_can_be_captured() -> None:
    assert set(CAPTURES) == set(conf.CAPTURABLE)
    assert set(conf.Settings().CAPTURE) <= set(CAPTURES)


def test_nothing_is_told_of_a_request_that_tells_nothing() -> None:
    with capturing(*conf.CAPTURABLE, COUNTRY_HEADER="CF-IPCountry"):
        assert captured(asked()) == {}


def test_only_what_is_named_is_captured() -> None:
    request = asked("/?utm_source=letter", HTTP_ACCEPT_LANGUAGE="en", HTTP_REFERER="https://bing.com/")
    with capturing("language"):
        assert captured(request) == {"language": "en"}
    with capturing():
        assert captured(request) == {}
    with capturing("language", "utm", "referrer"):
        assert captured(request) == {
            "language": "en",
            "utm": {"source": "letter"},
            "referrer": {"search": "bing.com"},
        }


# --- language


@pytest.mark.parametrize(
    ("sent", "language"),
    [
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("EN", "en"),
        (" gsw-CH", "gsw"),
        ("de;q=0.3", "de"),
        ("zh_TW", "zh"),
        ("*", None),
        ("", None),
        ("e", None),
        ("english", None),
        ("<script>", None),
        ("12-en", None),
        ("дэ", None),
    ],
)
def test_language(sent: str, language: str | None) -> None:
    assert told("language", HTTP_ACCEPT_LANGUAGE=sent) == language


# --- referrer


@pytest.mark.parametrize(
    ("sent", "referrer"),
    [
        ("https://www.google.com/", {"search": "google.com"}),
        ("https://www.google.co.uk/search?q=whales", {"search": "google.com"}),
        ("https://www.google.com.br/", {"search": "google.com"}),
        ("https://yandex.ru/", {"search": "yandex.com"}),
        ("https://de.search.yahoo.com/", {"search": "yahoo.com"}),
        ("https://gemini.google.com/app", {"assistant": "gemini.google.com"}),
        ("https://t.co/abc", {"social": "x.com"}),
        ("https://l.facebook.com/l.php?u=1", {"social": "facebook.com"}),
        ("https://old.reddit.com/r/whales", {"social": "reddit.com"}),
        ("https://www.pinterest.de/pin/1", {"social": "pinterest.com"}),
        ("https://Blog.Example.ORG:8080/2024?secret=1#part", {"site": "blog.example.org"}),
        ("https://xn--mller-kva.example/", {"site": "xn--mller-kva.example"}),
        ("android-app://com.slack.android/", {"site": "com.slack.android"}),
        # not what they look like
        ("https://google.evil.example/", {"site": "google.evil.example"}),
        ("https://notfacebook.com/", {"site": "notfacebook.com"}),
        # no referrers
        ("https://testserver/other", None),
        ("https://192.0.2.7/", None),
        ("https://[2001:db8::7]/", None),
        ("https://[broken/", None),
        ("https://localhost/", None),
        ("javascript:alert(1)", None),
        ("ftp://files.example.org/", None),
        ("https://user:secret@/", None),
        ("https://exa mple.org/", None),
        ("https://" + "a" * 60 + "." + "b" * 60 + ".org/", None),
        ("about:blank", None),
        ("", None),
    ],
)
def test_referrer(sent: str, referrer: dict[str, str] | None) -> None:
    assert told("referrer", HTTP_REFERER=sent) == referrer


def test_a_site_is_its_own_with_and_without_www() -> None:
    for host in ("shop.example", "www.shop.example"):
        with override_settings(ALLOWED_HOSTS=[host]):
            assert told("referrer", HTTP_HOST=host, HTTP_REFERER="https://www.shop.example/whales") is None
            assert told("referrer", HTTP_HOST=host, HTTP_REFERER="https://other.shop.example/") == {
                "site": "other.shop.example"
            }


def test_a_host_that_is_not_ours_has_referrers_all_the_same() -> None:
    assert told("referrer", HTTP_HOST="evil.example", HTTP_REFERER="https://bing.com/") == {"search": "bing.com"}


def test_a_source_has_a_kind_and_a_host() -> None:
    assert source("bing.com") == {"search": "bing.com"}


# --- campaigns


@pytest.mark.parametrize(
    ("query", "utm"),
    [
        ("utm_source=letter&utm_medium=email&other=1", {"source": "letter", "medium": "email"}),
        (
            "utm_campaign=Caf%C3%A9+%26+Whale&utm_term=a&utm_content=b",
            {"campaign": "Café & Whale", "term": "a", "content": "b"},
        ),
        ("utm_source=%20%20two%20%20words%20", {"source": "two words"}),
        ("utm_source=" + "x" * 500, {"source": "x" * 60}),
        ("utm_source=", None),
        ("utm_id=7", None),
        ("utm_source=ada@example.org", None),
        ("utm_source=192.0.2.7&utm_medium=2001:db8::7", None),
        ("utm_source=a%00b", None),
        ("&".join(f"a{n}=1" for n in range(200)) + "&utm_source=letter", None),
        ("", None),
    ],
)
def test_utm(query: str, utm: dict[str, str] | None) -> None:
    assert told("utm", path=f"/?{query}") == utm


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_whatever_is_sent_is_short_and_printable_or_not_there(sent: str) -> None:
    request = asked()
    request.META |= {
        "QUERY_STRING": f"utm_source={sent}&utm_medium=%0a{sent}",
        "HTTP_ACCEPT_LANGUAGE": sent,
        "HTTP_REFERER": f"https://{sent}/",
        "HTTP_USER_AGENT": sent,
        "HTTP_CF_IPCOUNTRY": sent,
    }
    with capturing(*conf.CAPTURABLE, COUNTRY_HEADER="CF-IPCountry"):
        waiting: list[Any] = [captured(request)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        else:
            assert value.isprintable() and 1 <= len(value.encode()) <= 255


# --- agents


@pytest.mark.parametrize(
    ("agent", "traits"),
    [
        (CHROME, Traits("desktop", {"Chrome": "126"}, {"Windows": "10"})),
        (IPHONE, Traits("phone", {"Mobile Safari": "17"}, {"iOS": "17"})),
        (IPAD, Traits("tablet", {"Mobile Safari": "17"}, {"iOS": "17"})),
        (PIXEL, Traits("phone", {"Chrome Mobile": "126"}, {"Android": "14"})),
        (GALAXY_TAB, Traits("tablet", {"Chrome": "126"}, {"Android": "13"})),
        (FIREFOX, Traits("desktop", {"Firefox": "127"}, "Ubuntu")),
        (MAC, Traits("desktop", {"Safari": "17"}, {"Mac OS X": "10"})),
        ("nonsense", Traits()),
        ("", Traits()),
    ],
)
def test_agents(agent: str, traits: Traits) -> None:
    assert traits_of(agent) == traits
    found = {name: value for name, value in traits._asdict().items() if value}
    with capturing("device", "browser", "os"):
        assert captured(asked(HTTP_USER_AGENT=agent)) == found


def test_a_television() -> None:
    assert traits_of(TELEVISION).device == "tv"


@pytest.mark.parametrize("agent", [CHROME, IPHONE, IPAD, PIXEL, GALAXY_TAB, TELEVISION, FIREFOX, MAC, "", "nonsense"])
def test_browsers_are_no_bots(agent: str) -> None:
    assert bot_of(agent) is None


def test_bots_are_those_of_the_list() -> None:
    """What the list shows of a bot is found, by a pattern that fits it as the list's own library says."""
    for entry in CRAWLER_USER_AGENTS_DATA[::40]:
        for agent in entry["instances"]:
            fitting = {agents._name(number) for number in matching_crawlers(agent)}
            assert bot_of(agent) in fitting, agent


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (GOOGLE, "Googlebot"),
        ("curl/8.5.0", "curl"),
        ("python-requests/2.32", "python-requests"),
        ("My private crawler of 192.0.2.7", UNLISTED),
        ("somebot/1.0", UNLISTED),
        ("Mozilla/5.0 (compatible; Evil-" + "x" * 400 + "-Spider)", UNLISTED),
    ],
)
def test_names_of_bots(agent: str, name: str) -> None:
    assert bot_of(agent) == name
    assert told("bot", HTTP_USER_AGENT=agent) == name


def test_a_bot_has_no_other_dimension_and_metrics_of_its_own() -> None:
    request = asked("/?utm_source=letter", HTTP_USER_AGENT=GOOGLE, HTTP_ACCEPT_LANGUAGE="en", HTTP_DNT="1")
    with capturing(*conf.CAPTURABLE, COUNTRY_HEADER="CF-IPCountry"):
        assert captured(request) == {"bot": "Googlebot"}
        assert event_of(request, "shop", {"plan": "pro"}, {"revenue": 2}) == {
            "pk": "shop",
            "dimensions": {"bot": "Googlebot"},
            "metrics": {"bot_hits": 1, "bot_revenue": 2, "hits": 0},
        }
    with capturing("language"):
        assert event_of(request, "shop", {"plan": "pro"}, {"hits": 1})["dimensions"] == {"plan": "pro"}


# --- countries


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    """A small database of documentation addresses, in the shape of MaxMind's."""
    writer = MMDBWriter(4, "Test-Country", languages=["en"])
    writer.insert_network(IPSet(["192.0.2.0/24"]), {"country": {"iso_code": "NO", "names": {"en": "Norway"}}})
    writer.insert_network(IPSet(["198.51.100.0/24"]), {"country_code": "IS"})
    writer.insert_network(IPSet(["203.0.113.0/25"]), {"country": "FO"})
    writer.insert_network(IPSet(["203.0.113.128/25"]), {"country": {"names": {"en": "nowhere"}}})
    path = tmp_path / "countries.mmdb"
    writer.to_db_file(str(path))
    yield path
    if reader := countries._reader(str(path)):
        reader.close()
    countries._reader.cache_clear()


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("192.0.2.7", "NO"),
        ("198.51.100.7", "IS"),
        ("203.0.113.7", "FO"),
        ("203.0.113.200", None),
        ("127.0.0.1", None),
        ("2001:db8::7", None),
        ("unix:", None),
        ("", None),
    ],
)
def test_country_of_an_address(database: Path, address: str, country: str | None) -> None:
    with capturing("country", COUNTRY_DATABASE=database):
        assert check_settings() == []
        assert captured(asked(REMOTE_ADDR=address)).get("country") == country


def test_country_of_the_address_that_a_proxy_saw(database: Path) -> None:
    with capturing("country", COUNTRY_DATABASE=str(database), ADDRESS_HEADER="X-Forwarded-For"):
        request = asked(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.7, 192.0.2.7")
        assert captured(request) == {"country": "NO"}


@pytest.mark.parametrize(("sent", "country"), [("no", "NO"), ("XX", None), ("T1", None), ("NOR", None), ("", None)])
def test_country_of_a_header(sent: str, country: str | None) -> None:
    with capturing("country", COUNTRY_HEADER="CF-IPCountry"):
        assert captured(asked(HTTP_CF_IPCOUNTRY=sent)).get("country") == country


def test_the_header_comes_first(database: Path) -> None:
    with capturing("country", COUNTRY_HEADER="CF-IPCountry", COUNTRY_DATABASE=database):
        assert captured(asked(REMOTE_ADDR="192.0.2.7", HTTP_CF_IPCOUNTRY="SE")) == {"country": "SE"}
        assert captured(asked(REMOTE_ADDR="192.0.2.7")) == {"country": "NO"}


# --- what is missing is said at start, and no error at a request


def test_no_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    nothing, nonsense = tmp_path / "nothing.mmdb", tmp_path / "nonsense.mmdb"
    nonsense.write_text("nonsense")
    for path in (nothing, nonsense):
        with capturing("country", COUNTRY_DATABASE=path):
            (message,) = check_settings()
            assert message.id == "hailwhale.E003" and str(path) in message.msg and message.hint
            assert [captured(asked(REMOTE_ADDR="192.0.2.7")) for _ in range(3)] == [{}] * 3
    assert caplog.text.count("no countries") == 2
    with capturing("language", COUNTRY_DATABASE=nothing):
        assert check_settings() == []


@pytest.mark.parametrize(
    ("library", "names", "id"),
    [
        ("ua_parser", ("device", "os", "browser"), "hailwhale.E002"),
        ("maxminddb", ("country",), "hailwhale.E003"),
        ("crawleruseragents", ("bot",), "hailwhale.W002"),
    ],
)
def test_a_missing_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, library: str, names: tuple[str, ...], id: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    caches = (agents.traits_of, agents.bot_of, agents._entries, agents._listed, countries._reader)
    for one in caches:
        one.cache_clear()
    middleware = ["hailwhale_django.middleware.HailWhaleMiddleware"]
    with capturing(*names, COUNTRY_DATABASE=tmp_path / "some.mmdb"), override_settings(MIDDLEWARE=middleware):
        (message,) = check_settings()
        assert message.id == id
        assert "pip install" in (message.hint or "")
        assert captured(asked(HTTP_USER_AGENT=CHROME, REMOTE_ADDR="192.0.2.7")) == {}
        assert bot_of("some crawler") == UNLISTED
    for one in caches:
        one.cache_clear()


def test_a_country_that_nothing_tells() -> None:
    with capturing("country"):
        (message,) = check_settings()
        assert message.id == "hailwhale.E004" and "COUNTRY_HEADER" in (message.hint or "")
        assert captured(asked()) == {}
