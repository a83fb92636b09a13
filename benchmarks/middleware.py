"""What counting adds to a request: a view that does nothing, through Django's WSGI handler, with and without it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from itertools import cycle
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

from benchmarks import servers
from benchmarks.effort import Effort
from benchmarks.report import Column, Result, Table, Target
from benchmarks.timing import Contestant, Timing, race

REQUESTS = 2_000
MIDDLEWARE = "hailwhale_django.middleware.HailWhaleMiddleware"
EVERYTHING = ("language", "referrer", "utm", "bot", "device", "browser", "os", "country")

BARE, COUNTED, PLAIN, CAPTURED = (
    "a bare view",
    "counted, default settings",
    "counted, without sketches",
    "counted, everything captured",
)
HIGHEST_MICROSECONDS = 100

AGENTS = [
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    for system in ("Windows NT 10.0; Win64; x64", "X11; Linux x86_64", "Linux; Android 14; Pixel 8", "Macintosh")
    for version in range(120, 130)
]


def read(request: HttpRequest, year: int) -> HttpResponse:
    return HttpResponse("whale")


urlpatterns = [path("articles/<int:year>/", read)]


def run(effort: Effort) -> Result:
    """Each contestant answers the same requests; events are written in the background meanwhile."""
    configure()
    from django.test import override_settings

    table = Table(
        "A request through the WSGI handler, microseconds",
        [
            Column("what"),
            Column("us/request", ",.1f"),
            Column("added us", ",.1f"),
            Column("times bare", ".2f"),
            Column("rounds"),
        ],
        notes=[
            f"Rounds of {REQUESTS} requests of 40 different agents, one after the other, without any other middleware.",
            "Three quarters of the events are written within a round, by a thread that takes turns with the requests.",
        ],
    )
    requests = effort.size(REQUESTS)
    with servers.running() as url, override_settings(ROOT_URLCONF=__name__):
        article = "/articles/2026/"
        found = _raced(url, {}, {BARE: ([], article), COUNTED: ([MIDDLEWARE], article)}, requests, effort)
        others = {
            PLAIN: {"REQUESTS_SKETCHES": ()},
            CAPTURED: {"CAPTURE": EVERYTHING, "COUNTRY_HEADER": "CF-IPCountry"},
        }
        for name, given in others.items():
            found |= _raced(url, given, {name: ([MIDDLEWARE], article)}, requests, effort)
    _add(table, found, requests)
    added = (found[COUNTED].median - found[BARE].median) / requests * 1e6
    return Result([table], [Target("added microseconds a request", added, HIGHEST_MICROSECONDS, at_most=True)])


def _raced(
    url: str, given: dict[str, Any], asked: dict[str, tuple[list[str], str]], requests: int, effort: Effort
) -> dict[str, Timing]:
    """Times by name, each of a list of middleware and an address, under some settings."""
    from django.test import override_settings

    with override_settings(HAILWHALE={"REDIS": url, **given}):
        from hailwhale_django import buffer, connection

        contestants = [
            Contestant(name, _asking(_handler(middleware), address, requests), buffer.flush)
            for name, (middleware, address) in asked.items()
        ]
        found = race(contestants, effort)
        counted = buffer.statistics()
        # What is dropped is written by nobody, and quick.
        assert not counted.dropped and not counted.refused and counted.last_error is None, counted
        buffer.flush()
        connection.pod().store.server.close()
        return found


def configure() -> None:
    """A project with this file's addresses, unless there is one already."""
    if not settings.configured:
        apps = ["django.contrib.auth", "django.contrib.contenttypes", "hailwhale_django"]
        settings.configure(INSTALLED_APPS=apps, ALLOWED_HOSTS=["*"], USE_TZ=True, TIME_ZONE="UTC")
        django.setup()


def _handler(middleware: list[str]) -> Any:
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import override_settings

    with override_settings(MIDDLEWARE=middleware):
        return WSGIHandler()


def _asking(handler: Any, address: str, requests: int) -> Callable[[], None]:
    agents = cycle(AGENTS)

    def ask() -> None:
        for _ in range(requests):
            response = handler(_environ(address, next(agents)), _begin)
            response.close()

    return ask


def _begin(status: str, headers: Any) -> None:
    assert status == "200 OK", status


def _environ(address: str, agent: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": address,
        "QUERY_STRING": "utm_source=letter&utm_medium=email",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_HOST": "localhost",
        "HTTP_USER_AGENT": agent,
        "HTTP_REFERER": "https://www.google.com/",
        "HTTP_ACCEPT_LANGUAGE": "en-GB,en;q=0.9",
        "HTTP_CF_IPCOUNTRY": "NO",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def _add(table: Table, found: Mapping[str, Timing], requests: int) -> None:
    bare = found[BARE].median
    for name, timing in found.items():
        each, added = (seconds / requests * 1e6 for seconds in (timing.median, timing.median - bare))
        table.rows.append([name, each, added, timing.median / bare, len(timing.wall)])
