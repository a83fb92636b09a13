"""The buffer: nothing waits for the server, nothing is lost that need not be, and what is lost is said."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Event as Signal
from threading import Thread
from typing import Any

import pytest
from django.test import override_settings

from example_project.ports import free_port
from example_project.valkey import Valkey
from hailwhale_django import Hail, Whale, buffer, connection
from hailwhale_django.buffer import Buffer, Statistics
from hailwhale_django.engine.errors import StoreUnavailable

ROOT = Path(__file__).parent.parent
LONG = 3_600.0


@pytest.fixture
def counted(redis_url: str) -> Iterator[str]:
    with override_settings(HAILWHALE={"REDIS": redis_url, "BUFFER_SECONDS": LONG}):
        yield redis_url


def held(**options: Any) -> Buffer:
    """A buffer in front of the hail, whose thread waits for a batch alone."""
    return Buffer(Hail.count_many, Hail.note_dropped, **{"seconds": LONG, **options})


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A server that a test may stop and start again at the same address; the settings name it."""
    server = Valkey(tmp_path, free_port(), appendonly="yes")
    with server, override_settings(HAILWHALE={"REDIS": server.url, "BUFFER_SECONDS": LONG}):
        yield server
        connection.pod().store.server.close()


# --- counting


def test_nothing_is_counted_before_it_is_flushed_and_all_of_it_then(counted: str, drain: Callable[[], None]) -> None:
    held_back = held()
    for _ in range(3):
        assert held_back.add({"pk": "requests", "dimensions": {"route": "/"}, "metrics": {"hits": 1, "ms": 2.5}})
    drain()
    assert Whale.total("requests") == 0
    assert held_back.statistics == Statistics(buffered=3)
    assert held_back.flush()
    drain()
    assert (Whale.total("requests"), Whale.total("requests", "ms", ["route", "/"])) == (3, 7.5)
    assert held_back.statistics == Statistics(flushed=3)


def test_an_event_happened_when_it_was_added(counted: str, drain: Callable[[], None]) -> None:
    written: list[Any] = []
    clock = iter([1_000.0, 2_000.0, 3_000.0])
    held_back = Buffer(lambda events, on_error: written.extend(events) or 0, len, seconds=LONG, clock=clock.__next__)
    held_back.add({"pk": "shop"})
    held_back.add({"pk": "shop", "at": 5.0})
    held_back.flush()
    assert [event["at"] for event in written] == [1_000.0, 5.0]
    assert len({event["id"] for event in written}) == 2


def test_a_full_batch_is_written_without_being_asked_for() -> None:
    done = Signal()
    sizes: list[int] = []

    def write(events: Iterable[Any], on_error: Any) -> int:
        sizes.append(len(list(events)))
        if sum(sizes) == 4:
            done.set()
        return 0

    held_back = Buffer(write, len, batch=4, seconds=LONG)
    for _ in range(3):
        held_back.add({"pk": "shop"})
    assert sizes == []
    held_back.add({"pk": "shop"})
    assert done.wait(30)
    assert sizes == [4]
    held_back.discard()


def test_what_waits_long_enough_is_written_without_being_asked_for() -> None:
    done = Signal()
    held_back = Buffer(lambda events, on_error: done.set() or 0, len, seconds=0.01)
    held_back.add({"pk": "shop"})
    assert done.wait(30)
    held_back.discard()


def test_threads_add_at_once(counted: str, drain: Callable[[], None]) -> None:
    held_back = held(batch=100)

    def many() -> None:
        for _ in range(500):
            held_back.add({"pk": "requests"})

    threads = [Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held_back.close()
    drain()
    assert Whale.total("requests") == 4_000
    assert held_back.statistics == Statistics(flushed=4_000)


# --- what cannot be counted


def test_a_bad_event_is_refused_with_its_reason_and_the_others_count(
    counted: str, drain: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    held_back = held()
    held_back.add({"pk": "requests"})
    held_back.add({"pk": "requests", "metrics": {"ms": "slow"}})
    held_back.add({"pk": "requests"})
    assert held_back.flush()
    drain()
    assert Whale.total("requests") == 2
    assert held_back.statistics == Statistics(flushed=2, refused=1)
    assert "1 events refused: ms: 'slow' will not do" in caplog.text


def test_an_event_beyond_all_expectation_takes_no_other_along(
    counted: str, drain: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    class Unreadable(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            raise RuntimeError("no")

        items = keys = values = get = __iter__ = __getitem__  # type: ignore[assignment]

    held_back = held()
    held_back.add({"pk": "requests"})
    held_back.add({"pk": "requests", "metrics": Unreadable(ms=1)})
    held_back.add({"pk": "requests"})
    assert held_back.flush()
    assert held_back.statistics.refused == 1
    assert held_back.statistics.buffered == 0
    drain()
    assert Whale.total("requests") == 2


def test_what_finds_no_room_is_dropped_and_said(
    counted: str, drain: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    held_back = held(limit=3)
    assert [held_back.add({"pk": "requests"}) for _ in range(5)] == [True, True, True, False, False]
    held_back.close()
    drain()
    assert Whale.total("requests") == 3
    assert Hail.pod().log.dropped() == 2
    assert held_back.statistics == Statistics(flushed=3, dropped=2)
    assert caplog.text.count("events are dropped, 2 so far") == 1


# --- outages


def test_events_wait_out_an_outage_and_count_once(
    valkey: Valkey, drain: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    held_back = held(limit=6)
    for _ in range(2):
        held_back.add({"pk": "requests"})
    assert held_back.flush()
    valkey.stop()
    for _ in range(8):
        held_back.add({"pk": "requests"})
    assert [held_back.flush() for _ in range(3)] == [False] * 3
    away = held_back.statistics
    assert (away.buffered, away.flushed, away.dropped) == (6, 2, 2)
    assert away.last_error is not None and "the store did not answer" in away.last_error
    assert caplog.text.count("events wait in the process") == 1
    assert caplog.text.count("events are dropped") == 1
    valkey.start()
    assert held_back.flush()
    drain()
    assert Whale.total("requests") == 8
    assert Hail.pod().log.dropped() == 2
    assert held_back.statistics == Statistics(flushed=8, dropped=2)
    assert "the store takes events again; 2 of this process were dropped so far" in caplog.text
    assert caplog.text.count("events are dropped") == 1


def test_the_thread_tries_again_until_the_store_is_back() -> None:
    done = Signal()
    ids: list[list[str]] = []

    def write(events: Iterable[Any], on_error: Any) -> int:
        ids.append([event["id"] for event in events])
        if len(ids) < 4:
            raise StoreUnavailable("away")
        done.set()
        return 1

    held_back = Buffer(write, len, seconds=0.001, first_pause=0.001)
    held_back.add({"pk": "requests"})
    assert done.wait(30)
    held_back.close()
    assert len(ids) == 4 and all(one == ids[0] for one in ids), "each attempt has the same ids"
    assert held_back.statistics == Statistics(flushed=1)


def test_what_a_process_cannot_write_at_its_end_is_said(caplog: pytest.LogCaptureFixture) -> None:
    def away(events: Iterable[Any], on_error: Any) -> int:
        raise StoreUnavailable("away")

    held_back = Buffer(away, len, seconds=LONG)
    held_back.add({"pk": "requests"})
    held_back.close()
    assert "1 events are lost with their process: away" in caplog.text
    assert not held_back.add({"pk": "requests"})


# --- processes


PROCESS = """
import os
import django
django.setup()
from hailwhale_django import buffer
buffer.add({"pk": "requests", "dimensions": {"process": "parent"}})
"""


def run(code: str, url: str) -> None:
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "HAILWHALE_REDIS_URL": url}
    done = subprocess.run(
        # Newer Pythons warn of forks beside threads; here the thread is in the middle of nothing.
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PROCESS + code],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_process_that_ends_writes_what_it_has(redis_url: str, drain: Callable[[], None]) -> None:
    run("", redis_url)
    drain()
    assert Whale.total("requests") == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_writes_its_own_events_alone(redis_url: str, drain: Callable[[], None]) -> None:
    run(
        """
child = os.fork()
if not child:
    assert buffer.statistics() == buffer.Statistics()
    for _ in range(10):
        buffer.add({"pk": "requests", "dimensions": {"process": "child"}})
else:
    assert os.waitpid(child, 0)[1] == 0
""",
        redis_url,
    )
    drain()
    assert (
        Whale.total("requests", dimension="process/parent"),
        Whale.total("requests", dimension="process/child"),
    ) == (
        1,
        10,
    )


def test_the_buffer_of_this_process(counted: str, drain: Callable[[], None]) -> None:
    assert buffer.statistics() == Statistics()
    assert buffer.flush()
    assert buffer.add({"pk": "requests"})
    assert buffer.statistics() == Statistics(buffered=1)
    assert buffer.flush()
    drain()
    assert Whale.total("requests") == 1
    with override_settings(HAILWHALE={"REDIS": counted, "BUFFER_BATCH": 7, "BUFFER_EVENTS": 9, "BUFFER_SECONDS": 0.5}):
        made = buffer.buffer()
        assert (made.batch, made.limit, made.seconds) == (7, 9, 0.5)
    assert buffer.statistics() == Statistics()
