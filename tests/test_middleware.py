"""The middleware: each request counts once by its route, and no page notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.handlers.asgi import ASGIHandler
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import AsyncClient, AsyncRequestFactory, Client, RequestFactory, override_settings
from django.urls import include, path, re_path

from hailwhale_django import Whale, buffer, connection, urls
from hailwhale_django.middleware import OWN_ADDRESSES, HailWhaleMiddleware
from tests import settings as test_settings

MIDDLEWARE = ["hailwhale_django.middleware.HailWhaleMiddleware", *test_settings.MIDDLEWARE]
LONG = 3_600.0
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def page(request: HttpRequest, **arguments: Any) -> HttpResponse:
    return HttpResponse("ok")


async def async_page(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0)
    return HttpResponse("ok")


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("broken")


def gone(request: HttpRequest) -> HttpResponse:
    raise Http404


def streamed(request: HttpRequest) -> HttpResponseBase:
    return StreamingHttpResponse(iter(["a", "b"]))


async def async_streamed(request: HttpRequest) -> HttpResponseBase:
    async def parts() -> AsyncIterator[str]:
        yield "a"
        yield "b"

    return StreamingHttpResponse(parts())


def adding(request: Any) -> HttpResponse:
    request.hailwhale.add(dimensions={"plan": {"pro": "yearly"}}, metrics={"revenue": 9.5})
    request.hailwhale.add(dimensions=["plan", "team"], metrics={"revenue": 0.5})
    request.hailwhale.add(metrics="signups")
    return HttpResponse("ok")


def selling(request: Any) -> HttpResponse:
    request.hailwhale.add(metrics={"uv:visitor": "somebody else", "pct95:ms": 0, "top:sum:item": {"book": 9.5}})
    return HttpResponse("ok")


def timing_much(request: Any) -> HttpResponse:
    for ms in range(500):
        request.hailwhale.add(metrics={"pct50:ms": ms})
    return HttpResponse("ok")


def adding_nonsense(request: Any) -> HttpResponse:
    request.hailwhale.add(dimensions=5, metrics={"revenue": "much"})
    return HttpResponse("ok")


def adding_late(request: Any) -> HttpResponseBase:
    def parts() -> Iterator[str]:
        request.hailwhale.add(metrics={"parts": 1})
        yield "a"

    return StreamingHttpResponse(parts())


def skipping(request: Any) -> HttpResponse:
    request.hailwhale.skip()
    return HttpResponse("ok")


urlpatterns = [
    path("", page),
    path("articles/<int:year>/", page),
    re_path(r"^old/(?P<name>\w+)$", page),
    path("async/", async_page),
    path("broken/", broken),
    path("gone/", gone),
    path("streamed/", streamed),
    path("async_streamed/", async_streamed),
    path("adding/", adding),
    path("selling/", selling),
    path("timing_much/", timing_much),
    path("adding_nonsense/", adding_nonsense),
    path("adding_late/", adding_late),
    path("skipping/", skipping),
    path("static/<path:name>", page),
    path("counts/", include("hailwhale_django.urls")),
]

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def configured(redis_url: str) -> Iterator[Callable[..., Any]]:
    """Settings of a test, with an empty store and a buffer that only `read` flushes."""

    def using(**given: Any) -> Any:
        return override_settings(MIDDLEWARE=MIDDLEWARE, HAILWHALE={"REDIS": redis_url, "BUFFER_SECONDS": LONG, **given})

    with using():
        yield using


@pytest.fixture
def read(configured: Any, drain: Callable[[], None]) -> Callable[..., dict[str, float]]:
    """Hits by the children of a dimension, when all is counted."""

    def children(dimension: str, metric: str = "hits") -> dict[str, float]:
        assert buffer.flush()
        drain()
        rows = Whale.query("requests", dimension=dimension, metrics=metric).rows
        return {row.path.name: row.cells[0].value for row in rows if row.cells[0].value}

    return children


@pytest.fixture
def total(configured: Any, drain: Callable[[], None]) -> Callable[..., float]:
    def of(metric: str = "hits", dimension: Any = None) -> float:
        assert buffer.flush()
        drain()
        return Whale.total("requests", metric, dimension)

    return of


@pytest.fixture
def client(configured: Any) -> Client:
    return Client(headers={"user-agent": CHROME}, raise_request_exception=False)


@pytest.fixture
def async_client(configured: Any) -> AsyncClient:
    return AsyncClient(headers={"user-agent": CHROME}, raise_request_exception=False)


# --- what is counted


def test_a_request_is_counted_by_route_method_and_status(client: Client, read: Any, total: Any) -> None:
    for address in ("/articles/2024/", "/articles/2025/", "/", "/old/whales", "/nowhere/", "/another/nowhere/"):
        client.get(address)
    client.post("/")
    client.get("/gone/")
    assert read("route") == {
        "/articles/<int:year>/": 2,
        "/": 2,
        r"/^old/(?P<name>\w+)$": 1,
        "(no route)": 2,
        "/gone/": 1,
    }
    assert read("method") == {"GET": 7, "POST": 1}
    assert read("status") == {"2xx": 5, "4xx": 3}
    assert read("status/4xx") == {"404": 3}
    assert 0 < total("ms") < 8 * 60_000
    assert total() == 8


def test_a_method_that_nobody_knows_has_no_name_of_its_own(client: Client, read: Any) -> None:
    client.generic("BREW", "/")
    assert read("method") == {"(unknown)": 1}


def test_an_exception_is_counted_as_the_error_that_it_becomes(client: Client, read: Any) -> None:
    assert client.get("/broken/").status_code == 500
    assert read("status/5xx") == {"500": 1}
    assert read("route") == {"/broken/": 1}


def test_an_exception_that_django_lets_pass_is_counted_too(configured: Any, read: Any) -> None:
    with override_settings(DEBUG_PROPAGATE_EXCEPTIONS=True), pytest.raises(RuntimeError, match="broken"):
        Client().get("/broken/")
    assert read("status/5xx") == {"500": 1}


def test_a_streaming_response_is_counted_when_it_is_returned(client: Client, read: Any, total: Any) -> None:
    response = client.get("/streamed/")
    assert total() == 1
    assert response.getvalue() == b"ab"
    assert read("route") == {"/streamed/": 1}
    assert total() == 1


def test_what_is_captured_is_counted(client: Client, read: Any) -> None:
    headers = {"accept-language": "pt-BR,en;q=0.5", "referer": "https://www.google.de/search?q=whales"}
    client.get("/?utm_source=letter&utm_medium=email", headers=headers)
    assert read("language") == {"pt": 1}
    assert read("referrer/search") == {"google.com": 1}
    assert read("utm/source") == {"letter": 1}
    assert read("route") == {"/": 1}


def test_another_counter(configured: Any, client: Client, drain: Callable[[], None]) -> None:
    with configured(REQUESTS_PK=["site", "shop"]):
        client.get("/")
        buffer.flush()
        drain()
        assert (Whale.total(["site", "shop"]), Whale.total("site"), Whale.counters()) == (1, 1, ["site"])


# --- bots and privacy


def test_a_bot_is_counted_apart(configured: Any, read: Any, total: Any) -> None:
    Client(headers={"user-agent": CHROME}).get("/")
    Client(headers={"user-agent": GOOGLE, "accept-language": "en"}).get("/adding/")
    assert total() == 1
    assert read("route") == {"/": 1}
    assert read("bot", "bot_hits") == {"Googlebot": 1}
    assert (total("bot_hits"), total("bot_revenue"), total("revenue"), total("hits", "bot")) == (1, 10, 0, 0)
    assert total("bot_ms") > 0
    assert read("language") == {}


def test_who_wants_privacy_is_counted_without_what_is_captured(configured: Any, client: Client, read: Any) -> None:
    for name in ("dnt", "sec-gpc"):
        client.get("/?utm_source=letter", headers={name: "1", "accept-language": "en"})
    assert read("route") == {"/": 2}
    assert read("language") == read("utm") == {}
    with configured(RESPECT_DNT=False):
        client.get("/", headers={"dnt": "1", "accept-language": "en"})
        assert read("language") == {"en": 1}


# --- what views say


def test_a_view_adds_to_its_request(client: Client, read: Any, total: Any) -> None:
    client.get("/adding/", headers={"accept-language": "en"})
    assert (total("revenue"), total("signups"), total()) == (10, 1, 1)
    assert read("plan") == {"pro": 1, "team": 1}
    assert read("plan/pro") == {"yearly": 1}
    assert read("route") == {"/adding/": 1}
    assert read("status/2xx") == {"200": 1}
    assert read("language") == {"en": 1}


def test_a_view_skips_its_request(client: Client, total: Any) -> None:
    assert client.get("/skipping/").status_code == 200
    assert total() == 0


def test_what_a_view_adds_in_error_is_logged_and_breaks_no_page(
    client: Client, total: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/adding_nonsense/").content == b"ok"
    assert total() == 0
    (record,) = [one for one in caplog.records if one.name == "hailwhale"]
    assert record.levelname == "ERROR" and "a request was not counted" in caplog.text
    assert "dimensions: 5 will not do" in caplog.text


def test_what_comes_after_the_count_is_said(client: Client, total: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert client.get("/adding_late/").getvalue() == b"a"
    assert (total(), total("parts")) == (1, 0)
    assert "{'parts': 1} came after its request was counted" in caplog.text


def test_counting_that_fails_breaks_no_page(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(event: Any) -> bool:
        raise MemoryError("no room")

    monkeypatch.setattr(buffer, "add", full)
    assert client.get("/").content == b"ok"
    assert "a request was not counted" in caplog.text and "no room" in caplog.text


def test_a_store_that_is_away_breaks_no_page(configured: Any, client: Client) -> None:
    with configured(REDIS="redis://127.0.0.1:1"):
        assert client.get("/").content == b"ok"
        assert not buffer.flush()
        assert buffer.statistics().buffered == 1
        connection.pod().store.server.close()


# --- who and what is not counted


def test_own_addresses_are_known_by_their_name() -> None:
    assert urls.app_name == OWN_ADDRESSES


def test_excluded_paths_and_hailwhales_own_endpoints(configured: Any, client: Client, read: Any) -> None:
    client.get("/static/whale.css")
    client.get("/counts/rank?pk=shop")
    client.get("/articles/2024/")
    assert read("route") == {"/articles/<int:year>/": 1}
    with configured(REQUESTS_EXCLUDE=["/articles/"]):
        client.get("/static/whale.css")
        client.get("/articles/2024/")
        assert read("route") == {"/articles/<int:year>/": 1, "/static/<path:name>": 1}


@pytest.mark.django_db
def test_staff_are_not_counted_unless_asked_for(configured: Any, client: Client, total: Any) -> None:
    client.force_login(User.objects.create_user("ada", is_staff=True))
    client.get("/")
    assert total() == 0
    with configured(REQUESTS_STAFF=True):
        client.get("/")
        assert total() == 1
    client.logout()
    client.get("/")
    client.force_login(User.objects.create_user("bob"))
    client.get("/")
    assert total() == 3


@pytest.mark.django_db
def test_looking_for_staff_costs_two_queries_with_a_session_and_none_without(
    configured: Any, client: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        client.get("/")
    client.force_login(User.objects.create_user("bob"))
    with django_assert_num_queries(2):  # the session, the user
        client.get("/")
    with configured(REQUESTS_STAFF=True), django_assert_num_queries(0):
        client.get("/")


def test_a_project_without_users_has_no_staff(configured: Any, total: Any) -> None:
    client = Client()
    client.cookies = SimpleCookie({"sessionid": "something"})
    with override_settings(MIDDLEWARE=MIDDLEWARE[:1]):
        client.get("/")
    assert total() == 1


# --- asynchronous


def test_asynchronous_requests(async_client: AsyncClient, read: Any, total: Any) -> None:
    async def ask() -> None:
        for address in ("/async/", "/", "/nowhere/", "/broken/", "/adding/", "/skipping/"):
            await async_client.get(address, headers={"accept-language": "en"})
        response: Any = await async_client.get("/async_streamed/")
        assert [part async for part in response] == [b"a", b"b"]

    asyncio.run(ask())
    assert read("route") == {"/async/": 1, "/": 1, "(no route)": 1, "/broken/": 1, "/adding/": 1, "/async_streamed/": 1}
    assert read("status") == {"2xx": 4, "4xx": 1, "5xx": 1}
    assert read("language") == {"en": 5}
    assert total("revenue") == 10


@pytest.mark.django_db(transaction=True)
def test_asynchronous_staff(async_client: AsyncClient, total: Any) -> None:
    async def ask(user: User) -> None:
        await async_client.aforce_login(user)
        await async_client.get("/async/")

    asyncio.run(ask(User.objects.create_user("ada", is_staff=True)))
    assert total() == 0
    asyncio.run(ask(User.objects.create_user("bob")))
    assert total() == 1


def test_through_the_asgi_handler(configured: Any, read: Any) -> None:
    sent: list[Any] = []

    async def ask() -> None:
        scope = AsyncRequestFactory()._base_scope(path="/async/")
        messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> Any:
            for message in messages:
                return message
            await asyncio.Event().wait()  # the client stays

        async def send(message: Any) -> None:
            sent.append(message)

        await ASGIHandler()(scope, receive, send)

    asyncio.run(ask())
    assert sent[0]["status"] == 200
    assert read("route") == {"/async/": 1}


def test_it_is_as_asynchronous_as_what_it_wraps(configured: Any) -> None:
    async def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok")

    assert asyncio.iscoroutinefunction(answer)
    request = RequestFactory().get("/")
    coroutine = HailWhaleMiddleware(answer)(request)
    assert asyncio.iscoroutine(coroutine)
    assert asyncio.run(coroutine).content == b"ok"
    assert HailWhaleMiddleware(page)(request).content == b"ok"


# --- sketches


def test_visitors_and_percentiles_come_with_each_request(configured: Any, read: Callable[..., Any]) -> None:
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
        Client().get("/", REMOTE_ADDR=address, HTTP_USER_AGENT=CHROME)
    Client().get("/", REMOTE_ADDR="192.0.2.3", HTTP_USER_AGENT=CHROME, HTTP_DNT="1")
    read("route")
    assert Whale.total("requests", "uv:visitor", ["route", "/"]) == 2
    assert Whale.total("requests", "hist2:ms", ["route", "/"]) and Whale.total("requests", "pct0:ms") > 0
    assert sum(count for _, count in Whale.total("requests", "hist2:ms")) == 4


def test_what_a_view_says_of_a_sketch_comes_to_the_rest(configured: Any, read: Callable[..., Any]) -> None:
    Client().get("/selling/", REMOTE_ADDR="192.0.2.1", HTTP_USER_AGENT=CHROME)
    read("route")
    assert Whale.total("requests", "uv:visitor") == 2
    assert Whale.total("requests", "pct0:ms") == 2**-16
    assert Whale.total("requests", "top:sum:item") == [("book", 9.5)]


def test_a_view_may_add_many_values_under_any_name_of_a_sketch(configured: Any, read: Callable[..., Any]) -> None:
    Client().get("/timing_much/")
    assert read("route") == {"/timing_much/": 1}
    assert Whale.total("requests", "pct100:ms") >= 499


def test_bots_are_no_visitors(configured: Any, read: Callable[..., Any]) -> None:
    Client().get("/", REMOTE_ADDR="192.0.2.1", HTTP_USER_AGENT=GOOGLE)
    read("route")
    assert Whale.metrics_of("requests") == ["bot_hits", "bot_ms", "hits", "pct:bot_ms"]
    assert Whale.total("requests", "pct95:bot_ms") > 0


def test_sketches_of_requests_may_be_others_or_none(configured: Any, read: Callable[..., Any]) -> None:
    with configured(REQUESTS_SKETCHES=["mh:visitor", "max:ms"]):
        Client().get("/", REMOTE_ADDR="192.0.2.1", HTTP_USER_AGENT=CHROME)
        read("route")
        assert Whale.metrics_of("requests") == ["hits", "max:ms", "mh:visitor", "ms"]
    with configured(REQUESTS_SKETCHES=[], REQUESTS_PK="plain"):
        Client().get("/", REMOTE_ADDR="192.0.2.1", HTTP_USER_AGENT=CHROME)
        read("route")
        assert Whale.metrics_of("plain") == ["hits", "ms"]
