"""Settings: each wrong one is an error that names it, when the project starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
import redis
from django.core.checks import Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from hailwhale_django import Whale, conf, connection
from hailwhale_django.checks import check_settings
from hailwhale_django.conf import get_settings, stores


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    for pod in connection._pods.values():
        pod.store.server.close()


def configured(**given: Any) -> Any:
    return override_settings(HAILWHALE=given)


# --- defaults


def test_without_any_setting_there_are_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HAILWHALE_REDIS_URL", raising=False)
    with configured():
        found = get_settings()
        assert found.REDIS == "redis://127.0.0.1:6379/0"
        assert (found.PREFIX, found.TIME_ZONE, found.PLACES) == ("hw", "UTC", 6)
        assert found.INTERVALS == {"1m": "2d", "1h": "90d", "1d": "5y", "1w": "5y", "1mo": None}
        assert (found.MAX_CHILDREN, found.MAX_ROWS, found.MAX_METRICS, found.MAX_COUNTERS) == (
            10_000,
            100_000,
            100,
            100_000,
        )
        assert (found.WRITE_KEYS, found.CACHE, found.CACHE_SECONDS) == ((), "default", 60)
        assert (found.REQUESTS_PK, found.REQUESTS_EXCLUDE, found.REQUESTS_STAFF) == (
            "requests",
            ("/static/", "/media/"),
            False,
        )
        assert found.DECISIONS_PK == "decisions"
        assert (found.CAPTURE, found.RESPECT_DNT) == (("language", "referrer", "utm", "bot"), True)
        assert (found.COUNTRY_HEADER, found.COUNTRY_DATABASE, found.ADDRESS_HEADER) == ("", "", "")
        assert (found.BUFFER_BATCH, found.BUFFER_SECONDS, found.BUFFER_EVENTS) == (500, 0.5, 10_000)
        assert check_settings() == []


def test_the_setting_itself_may_be_left_out(settings: Any) -> None:
    del settings.HAILWHALE
    assert get_settings().PREFIX == "hw"


def test_the_environment_names_a_server_where_the_settings_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAILWHALE_REDIS_URL", "redis://elsewhere:7000/3")
    with configured():
        assert get_settings().REDIS == "redis://elsewhere:7000/3"
    with configured(REDIS="redis://here"):
        assert get_settings().REDIS == "redis://here"


def test_the_zone_is_the_project_s_unless_it_has_one_of_its_own() -> None:
    with override_settings(TIME_ZONE="Asia/Kolkata", HAILWHALE={}):
        assert get_settings().TIME_ZONE == "Asia/Kolkata"
    with override_settings(TIME_ZONE="Asia/Kolkata", HAILWHALE={"TIME_ZONE": "Europe/Paris"}):
        assert get_settings().TIME_ZONE == "Europe/Paris"


def test_what_the_engine_is_told() -> None:
    with configured(
        PREFIX="shop", TIME_ZONE="Europe/Paris", INTERVALS={"1d": "1y"}, PLACES={"": 2, "ms": 0}, MAX_CHILDREN=5,
        MAX_ROWS=6, MAX_METRICS=7, MAX_COUNTERS=8,
    ):  # fmt: skip
        options = get_settings().options()
    assert (options.prefix, options.zone, options.intervals) == ("shop", "Europe/Paris", {"1d": "1y"})
    assert (options.places.of("euros"), options.places.of("ms")) == (2, 0)
    limits = options.limits
    assert (limits.children, limits.rows, limits.metrics, limits.counters) == (5, 6, 7, 8)


# --- what will not do

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"SKETCHES": []}, "SKETCHES"),
    ({"SKETCHES": {"uv:visitor": ["country"]}}, "SKETCHES"),
    ({"SKETCHES": {"uv:visitor": {"dimension": ["country"]}}}, "dimensions and intervals"),
    ({"SKETCHES": {"uv:visitor": {"dimensions": "country"}}}, "use a list"),
    ({"SKETCHES": {"*": {"intervals": ["2h"]}}}, "names none of INTERVALS"),
    ({"REQUESTS_SKETCHES": ["visitor"]}, "REQUESTS_SKETCHES"),
    ({"DECISIONS_PK": ""}, "DECISIONS_PK"),
    ({"DECISIONS_PK": ["shop", ""]}, "DECISIONS_PK"),
    ({"DECISIONS_PK": None}, "DECISIONS_PK"),
    ({"REQUESTS_SKETCHES": ["uv:user"]}, "REQUESTS_SKETCHES"),
    ({"REQUESTS_SKETCHES": ["pct101:ms"]}, "REQUESTS_SKETCHES"),
    ({"PIXEL_SKETCHES": ["pct95:ms"]}, "PIXEL_SKETCHES"),
    ({"REDIS": 5}, "REDIS"),
    ({"REDIS": ""}, "REDIS"),
    ({"REDIS": "http://localhost"}, "REDIS"),
    ({"REDIS": "no cache"}, "REDIS"),
    ({"REDIS": None}, "REDIS"),
    ({"PREFIX": ""}, "PREFIX"),
    ({"PREFIX": 5}, "PREFIX"),
    ({"PREFIX": "{hw}"}, "PREFIX"),
    ({"TIME_ZONE": "Mars/Olympus"}, "TIME_ZONE"),
    ({"TIME_ZONE": "../../etc/passwd"}, "TIME_ZONE"),
    ({"TIME_ZONE": 5}, "TIME_ZONE"),
    ({"TIME_ZONE": ""}, "TIME_ZONE"),
    ({"TIME_ZONE": "America"}, "TIME_ZONE"),
    ({"INTERVALS": None}, "INTERVALS"),
    ({"INTERVALS": {}}, "INTERVALS"),
    ({"INTERVALS": ["1d"]}, "INTERVALS"),
    ({"INTERVALS": {"5x": None}}, "INTERVALS"),
    ({"INTERVALS": {"7m": "2d"}}, "INTERVALS"),
    ({"INTERVALS": {5: "2d"}}, "INTERVALS"),
    ({"INTERVALS": {"1d": "long"}}, "INTERVALS"),
    ({"INTERVALS": {"1d": 90}}, "INTERVALS"),
    ({"INTERVALS": {"1d": ["2d"]}}, "INTERVALS"),
    ({"PLACES": "6"}, "PLACES"),
    ({"PLACES": -1}, "PLACES"),
    ({"PLACES": 13}, "PLACES"),
    ({"PLACES": True}, "PLACES"),
    ({"PLACES": 2.5}, "PLACES"),
    ({"PLACES": {"ms": "0"}}, "PLACES"),
    ({"PLACES": {"ms": 99}}, "PLACES"),
    ({"PLACES": {5: 0}}, "PLACES"),
    ({"MAX_CHILDREN": 0}, "MAX_CHILDREN"),
    ({"MAX_CHILDREN": "many"}, "MAX_CHILDREN"),
    ({"MAX_ROWS": -5}, "MAX_ROWS"),
    ({"MAX_METRICS": 2.5}, "MAX_METRICS"),
    ({"MAX_COUNTERS": True}, "MAX_COUNTERS"),
    ({"MAX_BODY_BYTES": None}, "MAX_BODY_BYTES"),
    ({"STORES": None}, "STORES"),
    ({"STORES": []}, "STORES"),
    ({"STORES": {"other": "redis://other"}}, "STORES"),
    ({"STORES": {"other": {"PREFX": "x"}}}, "PREFX"),
    ({"STORES": {"other": {"WRITE_KEYS": []}}}, "WRITE_KEYS"),
    ({"STORES": {"other": {"TIME_ZONE": "Mars"}}}, "TIME_ZONE"),
    ({"STORES": {"default": {}}}, "STORES"),
    ({"WRITE_KEYS": "secret"}, "WRITE_KEYS"),
    ({"WRITE_KEYS": [5]}, "WRITE_KEYS"),
    ({"WRITE_KEYS": [""]}, "WRITE_KEYS"),
    ({"WRITE_KEYS": None}, "WRITE_KEYS"),
    ({"CORS_ORIGINS": "*"}, "CORS_ORIGINS"),
    ({"CORS_ORIGINS": 5}, "CORS_ORIGINS"),
    ({"CACHE": "nothing"}, "CACHE"),
    ({"CACHE": None}, "CACHE"),
    ({"CACHE_SECONDS": 0}, "CACHE_SECONDS"),
    ({"CACHE_SECONDS": "60"}, "CACHE_SECONDS"),
    ({"REQUESTS_PK": ""}, "REQUESTS_PK"),
    ({"REQUESTS_PK": None}, "REQUESTS_PK"),
    ({"REQUESTS_PK": [""]}, "REQUESTS_PK"),
    ({"REQUESTS_PK": ["a"] * 9}, "REQUESTS_PK"),
    ({"REQUESTS_EXCLUDE": "/static/"}, "REQUESTS_EXCLUDE"),
    ({"REQUESTS_EXCLUDE": [""]}, "REQUESTS_EXCLUDE"),
    ({"REQUESTS_STAFF": "no"}, "REQUESTS_STAFF"),
    ({"CAPTURE": "bot"}, "CAPTURE"),
    ({"CAPTURE": ["shoe size"]}, "CAPTURE"),
    ({"COUNTRY_HEADER": None}, "COUNTRY_HEADER"),
    ({"COUNTRY_HEADER": "CF IPCountry"}, "COUNTRY_HEADER"),
    ({"COUNTRY_DATABASE": None}, "COUNTRY_DATABASE"),
    ({"ADDRESS_HEADER": "HTTP_X_FORWARDED_FOR"}, "ADDRESS_HEADER"),
    ({"RESPECT_DNT": 1}, "RESPECT_DNT"),
    ({"BUFFER_BATCH": 0}, "BUFFER_BATCH"),
    ({"BUFFER_SECONDS": 0}, "BUFFER_SECONDS"),
    ({"BUFFER_SECONDS": float("inf")}, "BUFFER_SECONDS"),
    ({"BUFFER_SECONDS": True}, "BUFFER_SECONDS"),
    ({"BUFFER_EVENTS": -1}, "BUFFER_EVENTS"),
    ({"REDISS": "redis://localhost"}, "REDISS"),
]


@pytest.mark.parametrize(("given", "named"), WRONG, ids=[str(given) for given, _ in WRONG])
def test_a_wrong_setting_is_an_error_that_names_it(given: dict[str, Any], named: str) -> None:
    with configured(**given):
        (message,) = check_settings()
        assert isinstance(message, Error)
        assert message.id == "hailwhale.E001"
        assert "HAILWHALE" in message.msg and named in message.msg
        assert "docs/settings.md" in (message.hint or "")
        with pytest.raises(ImproperlyConfigured, match=named):
            for store in stores():
                get_settings(store)


@pytest.mark.parametrize("given", [None, 5, "redis://localhost", ["REDIS"]])
def test_the_setting_must_be_a_dict(given: Any) -> None:
    with override_settings(HAILWHALE=given):
        (message,) = check_settings()
        assert "HAILWHALE" in message.msg and "use a dict" in message.msg


def test_a_key_that_is_nearly_right_is_guessed() -> None:
    with configured(MAX_CHILDRN=5):
        assert "did you mean 'MAX_CHILDREN'?" in check_settings()[0].msg
    with configured(nonsense=5):
        assert "known are REDIS, PREFIX" in check_settings()[0].msg


# --- stores


def test_a_store_has_what_it_overrides_and_for_the_rest_the_project_s() -> None:
    with configured(PREFIX="hw", MAX_ROWS=7, STORES={"a": {"PREFIX": "a"}, "b": {"MAX_ROWS": 9}}):
        assert stores() == ["default", "a", "b"]
        assert [(get_settings(name).PREFIX, get_settings(name).MAX_ROWS) for name in stores()] == [
            ("hw", 7),
            ("a", 7),
            ("hw", 9),
        ]


def test_stores_may_override_what_concerns_a_store_alone() -> None:
    names = [one.name for one in fields(conf.Settings)]
    assert names[: names.index("STORES")] == list(conf.OF_A_STORE)
    assert not set(conf.OF_A_STORE) & {
        "STORES",
        "WRITE_KEYS",
        "CORS_ORIGINS",
        "MAX_BODY_BYTES",
        "CACHE",
        "CACHE_SECONDS",
    }


# --- servers


def test_settings_may_change_in_tests(redis_url: str) -> None:
    with configured(REDIS=redis_url, PREFIX="one"):
        Whale.count_now("shop")
        with configured(REDIS=redis_url, PREFIX="two"):
            assert Whale.counters() == []
        assert Whale.counters() == ["shop"]


def test_the_server_may_be_a_cache_of_django_redis(redis_url: str) -> None:
    caches = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        "counts": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": f"{redis_url}/0"},
    }
    with override_settings(CACHES=caches, HAILWHALE={"REDIS": "counts"}):
        assert check_settings() == []
        Whale.count_now("shop", {"country": "US"}, {"revenue": 2.5})
        assert Whale.total("shop", "revenue") == 2.5
    with configured(REDIS=redis_url):
        assert Whale.total("shop", "revenue") == 2.5


@pytest.mark.parametrize("kind", ["url", "client", "alias"])
def test_the_server_may_be_whatever_a_callable_returns(redis_url: str, kind: str) -> None:
    calls = []
    caches = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        "counts": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": f"{redis_url}/0"},
    }

    def given() -> Any:
        calls.append(1)
        return {"url": redis_url, "client": redis.Redis.from_url(redis_url), "alias": "counts"}[kind]

    with override_settings(CACHES=caches, HAILWHALE={"REDIS": given}):
        assert check_settings() == []
        assert calls == [], "nothing is connected before the first call"
        for _ in range(3):
            Whale.count_now("shop")
        assert (Whale.total("shop"), len(calls)) == (3, 1)


@pytest.mark.parametrize("given", [lambda: 5, lambda: None, lambda: "no cache"])
def test_a_callable_that_returns_none_of_these_is_named(given: Any) -> None:
    with configured(REDIS=given), pytest.raises(ImproperlyConfigured, match="REDIS"):
        Whale.count_now("shop")


def test_a_cache_of_another_kind_is_refused() -> None:
    with (
        configured(REDIS="default"),
        pytest.raises(ImproperlyConfigured, match="REDIS.*'default'.*not a cache of django-redis"),
    ):
        Whale.count_now("shop")


def test_a_client_that_decodes_is_refused(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    with configured(REDIS=lambda: client), pytest.raises(ImproperlyConfigured, match="decode_responses"):
        Whale.count_now("shop")
    client.close()


def test_on_a_cluster(cluster_url: str) -> None:
    with configured(REDIS=cluster_url, PREFIX="settings"):
        assert check_settings() == []
        Whale.count_now(["Product", "1"], {"country": "US"})
        assert Whale.total("Product") == 1
        Whale.reset("Product")


# --- a cache that would take the counts along


def redis_cache(location: str) -> dict[str, str]:
    return {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": location}


LOCAL = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}


@pytest.mark.parametrize(
    ("caches", "named"),
    [
        ({"default": redis_cache("redis://localhost/0")}, "'default'"),
        ({"default": LOCAL, "counts": redis_cache("redis://h/1"), "pages": redis_cache("redis://h/1")}, "'pages'"),
    ],
)
def test_a_cache_whose_clearing_deletes_all_counts_is_warned_of(caches: dict[str, Any], named: str) -> None:
    alias = "counts" if "counts" in caches else "default"
    with override_settings(CACHES=caches, HAILWHALE={"REDIS": alias}):
        (message,) = check_settings()
        assert isinstance(message, Warning)
        assert message.id == "hailwhale.W001"
        assert named in message.msg and "delete all counts" in message.msg
        assert "a database of its own" in (message.hint or "")


def test_a_cache_with_a_database_of_its_own_is_not_warned_of() -> None:
    caches = {"default": redis_cache("redis://h/0"), "counts": redis_cache("redis://h/1")}
    with override_settings(CACHES=caches, HAILWHALE={"REDIS": "counts"}):
        assert check_settings() == []
    with override_settings(CACHES=caches, HAILWHALE={"REDIS": "redis://h/1", "STORES": {"a": {"REDIS": "default"}}}):
        assert [message.id for message in check_settings()] == ["hailwhale.W001"]
