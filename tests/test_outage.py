"""The server goes away under load and comes back: pages are served, writers are told, nothing accepted is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path

from example_project.ports import free_port
from example_project.valkey import Valkey
from hailwhale_django import Hail, Whale, buffer, choosing, crediting, pixel
from hailwhale_django.engine.errors import StoreUnavailable
from hailwhale_django.ticket import Ticket
from tests import servers
from tests import settings as test_settings

# A server that hangs is waited for so long, here.
ANSWER_SECONDS = 0.3
WRITERS = 3
OPTIONS = [str(number) for number in range(50)]
SOME = 20
LONG = 3_600.0


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def banner(request: HttpRequest) -> HttpResponse:
    return HttpResponse(choosing.decide(request, "banner", OPTIONS).option)


def thanks(request: HttpRequest) -> HttpResponse:
    choosing.decide(request, "banner", OPTIONS)
    return HttpResponse(crediting.credit(request, "banner", {"revenue": 25}, id="order"))


urlpatterns = [
    path("", page),
    path("banner", banner),
    path("thanks", thanks),
    path("hailwhale/", include("hailwhale_django.urls")),
]

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A server that has everything on disk before it answers."""
    with Valkey(tmp_path, free_port(), appendonly="yes", appendfsync="always") as server:
        settings = {"REDIS": f"{server.url}?socket_timeout={ANSWER_SECONDS}", "BUFFER_SECONDS": LONG}
        middleware = ["hailwhale_django.middleware.HailWhaleMiddleware", *test_settings.MIDDLEWARE]
        with override_settings(HAILWHALE=settings, MIDDLEWARE=middleware):
            yield server


class Writer(Thread):
    """Writes events that it sends again until they are accepted."""

    def __init__(self, name: str, stopped: Event) -> None:
        super().__init__()
        self.name = name
        self.stopped = stopped
        self.accepted = 0
        self.refused: list[str] = []
        self.others: list[BaseException] = []

    def run(self) -> None:
        try:
            while not self.stopped.is_set():
                while not self._is_accepted():
                    pass
                self.accepted += 1
        except BaseException as error:
            self.others.append(error)

    def _is_accepted(self) -> bool:
        try:
            Hail.count("shop", {"writer": self.name}, {"revenue": 2}, id=f"{self.name}-{self.accepted}")
        except StoreUnavailable as error:
            self.refused.append(str(error))
            return False
        return True


def end(server: Valkey) -> Callable[[], None]:
    server.stop()
    return server.start


def crash(server: Valkey) -> Callable[[], None]:
    server.kill()
    return server.start


def hang(server: Valkey) -> Callable[[], None]:
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    return lambda: os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("take_away", [end, crash, hang])
def test_a_server_goes_and_comes_back(valkey: Valkey, take_away: Callable[[Valkey], Callable[[], None]]) -> None:
    stopped = Event()
    writers = [Writer(f"w{n}", stopped) for n in range(WRITERS)]
    served = 0
    for writer in writers:
        writer.start()
    try:
        until(writers, accepted=SOME)
        served += ask_for_pages()
        give_back = take_away(valkey)
        try:
            until(writers, refused=2)
            served += ask_for_pages()
            shown = Client().get(pixel.address(Ticket("shop")))
            assert (shown.status_code, shown["Content-Type"], "Retry-After" in shown) == (503, "image/gif", True)
            with pytest.raises(StoreUnavailable, match="the store did not answer"):
                Hail.drain()
        finally:
            give_back()
        until(writers, accepted=max(writer.accepted for writer in writers) + SOME)
        served += ask_for_pages()
    finally:
        stopped.set()
        for writer in writers:
            writer.join()
    assert not any(writer.others for writer in writers)
    assert all("the store did not answer" in reason for writer in writers for reason in writer.refused)
    assert again(buffer.flush)
    again(Hail.drain)
    assert Whale.total("requests", period="1d:2d") == served
    found = {writer.name: Whale.total("shop", "hits", ["writer", writer.name], period="1d:2d") for writer in writers}
    assert found == {writer.name: writer.accepted for writer in writers}


@pytest.mark.parametrize("take_away", [end, crash, hang])
def test_pages_are_decided_for(valkey: Valkey, take_away: Callable[[Valkey], Callable[[], None]]) -> None:
    client = Client()
    option = client.get("/banner").content.decode()
    assert option in OPTIONS
    give_back = take_away(valkey)
    try:
        for _ in range(SOME):
            assert client.get("/banner").content == b"0"
        assert client.get("/thanks").content == b"True"
        found = choosing.statistics()
        assert (found.made, found.missed) == (1, SOME + 1)
        assert found.last_error
    finally:
        give_back()
    servers.wait_until(lambda: client.get("/banner").content and choosing.statistics().last_error is None)
    assert client.get("/banner").content.decode() == option
    assert client.get("/thanks").content == b"True"
    assert again(crediting.flush)
    again(Hail.drain)
    counted = [
        Whale.total(["decisions", "banner", option], metric, period="1d:2d") for metric in ("visitors", "revenue")
    ]
    assert counted == [1, 25]


def ask_for_pages() -> int:
    """How many were served: all, whatever the server does."""
    client = Client()
    for _ in range(SOME):
        assert client.get("/").content == b"ok"
    return SOME


def until(writers: list[Writer], accepted: int = 0, refused: int = 0) -> None:
    servers.wait_until(
        lambda: all(
            writer.others or (writer.accepted >= accepted and len(writer.refused) >= refused) for writer in writers
        )
    )


def again(call: Callable[[], Any]) -> Any:
    """Connections that were cut are found one by one."""
    for _ in range(WRITERS + 1):
        try:
            if done := call():
                return done
        except StoreUnavailable:
            continue
    return call()
