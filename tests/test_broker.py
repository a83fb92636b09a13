"""Events over a real broker, RabbitMQ and Redis, to a real worker that is killed where it hurts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import amqp
import pytest
from celery import Celery
from django.test import override_settings
from redis import Redis

from example_project.valkey import Valkey
from hailwhale_django import Hail, Whale
from tests import servers

ROOT = Path(__file__).parents[1]
WAIT_SECONDS = 120.0
POLL_SECONDS = 0.01
TASK = "hailwhale_django.tasks.count"
QUEUE = "celery"


def until(wanted: Callable[[], Any], why: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not wanted():
        assert time.monotonic() < deadline, why()
        time.sleep(POLL_SECONDS)


class Process:
    """`celery -A example_project ...` as its own process, with the settings of these tests."""

    def __init__(self, directory: Path, broker: str, store: str, *words: str) -> None:
        self.log = directory / f"{words[0]}-{time.monotonic_ns()}.log"
        own = {"DJANGO_SETTINGS_MODULE": "tests.settings", "HAILWHALE_REDIS_URL": store, "PYTHONPATH": str(ROOT)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "example_project", "-b", broker, *words, "--loglevel=INFO"],
                cwd=directory,
                env=os.environ | own,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def said(self, text: str) -> bool:
        assert self.process.poll() is None, self.output()
        return text in self.output()

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(WAIT_SECONDS)
        finally:
            self.kill()


@pytest.fixture(scope="module")
def server() -> Iterator[Valkey]:
    """A store that may be stopped without harm to other tests; another database of it is a broker."""
    with servers.running() as server:
        yield server


@pytest.fixture(params=["rabbitmq", "redis"])
def broker(request: pytest.FixtureRequest, server: Valkey) -> str:
    return request.getfixturevalue("rabbit_url") if request.param == "rabbitmq" else f"{server.url}/1"


@pytest.fixture(autouse=True)
def store(server: Valkey) -> Iterator[str]:
    with closing(Redis.from_url(server.url)) as client:
        client.flushall()
    with override_settings(HAILWHALE={"REDIS": server.url}):
        yield server.url


@pytest.fixture(autouse=True)
def _empty_queue(request: pytest.FixtureRequest) -> None:
    """What an earlier test left with the broker is not this one's."""
    if "rabbit_url" in request.fixturenames or "rabbitmq" in request.node.name:
        with rabbit_channel(request.getfixturevalue("rabbit_url")) as channel:
            channel.queue_declare(QUEUE, durable=True, auto_delete=False)
            channel.queue_purge(QUEUE)


@pytest.fixture
def start(tmp_path: Path, store: str) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def start(broker: str, *words: str) -> Process:
        started.append(Process(tmp_path, broker, store, *words))
        return started[-1]

    yield start
    for process in reversed(started):
        process.stop()


@pytest.fixture
def worker(start: Callable[..., Process]) -> Callable[[str], Process]:
    def worker(broker: str) -> Process:
        found = start(broker, "worker", "--pool=solo", "--without-gossip", "--without-mingle")
        until(lambda: found.said(" ready."), found.output)
        return found

    return worker


@contextmanager
def producer(broker: str) -> Iterator[Callable[..., None]]:
    """Sends tasks as any program with Celery does; it knows their name and nothing of hailwhale."""
    with Celery("elsewhere", broker=broker, set_as_current=False) as elsewhere:

        def send(*events: Any, **options: Any) -> None:
            elsewhere.send_task(TASK, [list(events)], **options)

        yield send


@contextmanager
def rabbit_channel(url: str) -> Iterator[amqp.Channel]:
    address = url.removeprefix("amqp://guest:guest@").rstrip("/")
    with amqp.Connection(address) as connection, connection.channel() as channel:
        yield channel


def is_counted(hits: float, pk: str = "shop") -> Callable[[], bool]:
    def counted() -> bool:
        Hail.drain()
        return Whale.total(pk, period="today") == hits

    return counted


def all_done(send: Callable[..., None]) -> None:
    """Wait until every task that was sent before is done: they are done in turn."""
    send({"pk": "sentinel"})
    until(is_counted(1, "sentinel"))


def test_a_program_with_celery(broker: str, worker: Callable[[str], Process]) -> None:
    running = worker(broker)
    with producer(broker) as send:
        send({"pk": "shop", "dimensions": {"country": "NO"}, "metrics": {"revenue": 9.5}}, {"pk": "shop"})
        send({"pk": "shop", "metrics": {"revenue": "much"}}, {"pk": "shop", "metrics": {"revenue": 0.5}})
        all_done(send)
    assert Whale.total("shop", period="today") == 3
    assert Whale.total("shop", "revenue", period="today") == 10
    assert Whale.total("shop", "revenue", "country/NO", period="today") == 9.5
    assert "an event from the broker was refused" in running.output()


def test_a_message_that_is_delivered_twice_counts_once(broker: str, worker: Callable[[str], Process]) -> None:
    worker(broker)
    with producer(broker) as send:
        for _ in range(2):
            send({"pk": "shop"}, {"pk": "shop"}, task_id="the-same")
        for _ in range(2):
            send({"pk": "shop", "id": "order-17"})
        all_done(send)
    assert Whale.total("shop", period="today") == 3


# What the docs tell a program without Celery to send: headers and body for RabbitMQ, the whole for Redis.
DOCUMENTED = re.findall(r"^```json\n(.*?)^```$", (ROOT / "docs" / "celery.md").read_text(), re.MULTILINE | re.DOTALL)
HEADERS, BODY, ENVELOPE = DOCUMENTED


def test_a_program_that_speaks_amqp(rabbit_url: str, worker: Callable[[str], Process]) -> None:
    worker(rabbit_url)
    with rabbit_channel(rabbit_url) as channel:
        message = amqp.Message(
            BODY.strip(),
            content_type="application/json",
            content_encoding="utf-8",
            application_headers=json.loads(HEADERS),
            delivery_mode=2,
        )
        for _ in range(2):
            channel.basic_publish(message, exchange="", routing_key=QUEUE)
    with producer(rabbit_url) as send:
        all_done(send)
    assert Whale.total("shop", "sales", period="today") == 1


def test_a_program_that_speaks_redis(server: Valkey, worker: Callable[[str], Process]) -> None:
    broker = f"{server.url}/1"
    worker(broker)
    with closing(Redis.from_url(broker)) as client:
        client.lpush(QUEUE, ENVELOPE)
    with producer(broker) as send:
        all_done(send)
    assert Whale.total("shop", "sales", period="today") == 1


def test_a_worker_that_is_killed_after_it_has_accepted(
    rabbit_url: str, server: Valkey, worker: Callable[[str], Process]
) -> None:
    """Accepted, but not told to the broker: the broker delivers it again, and it counts once."""
    killed = worker(rabbit_url)
    with producer(rabbit_url) as send:
        all_done(send)  # the worker knows the store; all that it will send is the event
        with pause(server):
            send({"pk": "shop"}, task_id="the-event")
            until(lambda: waiting_bytes(server.port) > 0)
            killed.kill()
        until(lambda: length_of_log(server) == 2)  # the sentinel and the event
        until(lambda: messages_ready(rabbit_url) > 0)
        again = worker(rabbit_url)
        until(lambda: again.said("[the-event] succeeded"), again.output)
    assert length_of_log(server) == 2
    Hail.drain()
    assert Whale.total("shop", period="today") == 1


def test_workers_that_are_killed_on_the_way(rabbit_url: str, worker: Callable[[str], Process]) -> None:
    tasks, events = 2_000, 3
    with producer(rabbit_url) as send:
        for number in range(tasks):
            send(*({"pk": "shop", "metrics": {"sum": number}} for _ in range(events)))
        for _ in range(2):
            killed = worker(rabbit_url)
            until(lambda: killed.said("succeeded"))  # noqa: B023
            killed.kill()
            until(lambda: messages_ready(rabbit_url) > 0)
        worker(rabbit_url)
        all_done(send)
    assert Whale.total("shop", period="today") == tasks * events
    assert Whale.total("shop", "sum", period="today") == events * sum(range(tasks))


def test_a_store_that_is_away_makes_tasks_wait(
    rabbit_url: str, server: Valkey, worker: Callable[[str], Process]
) -> None:
    waiting = worker(rabbit_url)
    with producer(rabbit_url) as send:
        server.stop()
        try:
            send({"pk": "shop"})
            until(lambda: waiting.said("Retry in"), waiting.output)
        finally:
            server.start()
        until(is_counted(1))


def test_beat_has_the_hail_drained(
    broker: str, worker: Callable[[str], Process], start: Callable[..., Process]
) -> None:
    worker(broker)
    start(broker, "beat", "--scheduler=celery.beat:Scheduler")
    for hits in (1, 2):
        Hail.count("shop")
        until(lambda: Whale.total("shop", period="today") == hits)  # noqa: B023


@contextmanager
def pause(server: Valkey) -> Iterator[None]:
    """The server does nothing, and its sockets take what is sent to it."""
    assert server.pid
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def waiting_bytes(port: int) -> int:
    """How much was sent to a port of this machine that the server there has not read yet."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established = "01"
    mine = [line for line in lines if line[3] == established and int(line[1].split(":")[1], 16) == port]
    return sum(int(line[4].split(":")[1], 16) for line in mine)


def length_of_log(server: Valkey) -> int:
    with closing(Redis.from_url(server.url)) as client:
        return client.xlen("hw:hail:{0}log")


def messages_ready(url: str) -> int:
    """How many messages wait in the queue for whoever comes next."""
    with rabbit_channel(url) as channel:
        return channel.queue_declare(QUEUE, passive=True).message_count
