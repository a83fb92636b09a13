"""The Celery tasks as Celery calls them, in this process, and the command in their place; workers: `test_broker`."""

from __future__ import annotations

import io
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from celery.schedules import maybe_schedule
from django.core.management import CommandError, call_command
from django.test import override_settings

from example_project.celery import app
from example_project.ports import free_port
from hailwhale_django import Hail, Whale, tasks

ROOT = Path(__file__).parents[1]
WAIT_SECONDS = 120
POLL_SECONDS = 0.02


@pytest.fixture(autouse=True)
def store(redis_url: str) -> str:
    return redis_url


def send(events: list[Any], task_id: str = "a-task", **options: Any) -> None:
    """Do a `count` task here and now, as a worker does when it has the message."""
    tasks.count.apply((events,), options, task_id=task_id, throw=True)


class TestDrain:
    def test_what_the_hail_holds_is_counted(self) -> None:
        Hail.count_many([{"pk": "shop", "metrics": {"sales": 2}}] * 3)
        tasks.drain.apply(throw=True)
        assert Whale.total("shop", "sales", period="today") == 6

    def test_every_store_is_drained_whichever_is_away(self, store: str, caplog: pytest.LogCaptureFixture) -> None:
        stores = {
            "away": {"REDIS": f"redis://127.0.0.1:{free_port()}", "PREFIX": "away"},
            "other": {"PREFIX": "other"},
        }
        with override_settings(HAILWHALE={"REDIS": store, "STORES": stores}):
            Hail.count("shop")
            Hail.using("other").count("shop")
            with caplog.at_level(logging.WARNING, "hailwhale"):
                tasks.drain.apply(throw=True)
            assert Whale.total("shop", period="today") == 1
            assert Whale.using("other").total("shop", period="today") == 1
        assert "the hail of 'away' was not drained" in caplog.text


class TestCount:
    def test_events_are_accepted(self) -> None:
        send(
            [{"pk": "shop", "dimensions": {"country": "NO"}, "metrics": {"revenue": 9.5}}, ["shop", {"country": "DE"}]]
        )
        Hail.drain()
        assert Whale.total("shop", period="today") == 2
        assert Whale.total("shop", "revenue", "country/NO", period="today") == 9.5

    def test_a_task_that_is_done_again_counts_once(self) -> None:
        for _ in range(2):
            send([{"pk": "shop"}, {"pk": "shop"}], "the-same")
        Hail.drain()
        assert Whale.total("shop", period="today") == 2

    def test_an_event_with_an_id_counts_once_in_whatever_tasks(self) -> None:
        send([{"pk": "shop", "id": "order-17"}], "one")
        send([{"pk": "shop", "id": "order-17"}, {"pk": "shop", "id": "order-18"}], "another")
        Hail.drain()
        assert Whale.total("shop", period="today") == 2

    def test_what_cannot_be_accepted_is_logged_with_its_reason(self, caplog: pytest.LogCaptureFixture) -> None:
        send([{"pk": "shop", "metrics": {"revenue": "much"}}, "no event", {"pk": "shop"}])
        Hail.drain()
        assert Whale.total("shop", period="today") == 1
        refused = [one.getMessage() for one in caplog.records if one.name == "hailwhale"]
        assert len(refused) == 2
        assert "'much'" in refused[0]
        assert "'no event'" in refused[1]

    def test_another_store(self, store: str) -> None:
        with override_settings(HAILWHALE={"REDIS": store, "STORES": {"other": {"PREFIX": "other"}}}):
            send([{"pk": "shop"}], store="other")
            Hail.using("other").drain()
            assert Whale.using("other").total("shop", period="today") == 1
            assert Whale.total("shop", period="today") == 0


class TestOptions:
    @pytest.mark.parametrize("task", [tasks.drain, tasks.count, tasks.watch, tasks.report], ids=lambda task: task.name)
    def test_a_killed_worker_loses_no_task(self, task: Any) -> None:
        assert task.acks_late
        assert task.reject_on_worker_lost
        assert task.ignore_result
        assert task.soft_time_limit < task.time_limit

    def test_the_schedule_is_merged_and_names_tasks(self) -> None:
        merged = {name: one for name, one in app.conf.beat_schedule.items() if name in tasks.BEAT_SCHEDULE}
        assert {entry["task"] for entry in merged.values()} <= set(app.tasks)
        seconds = {name: maybe_schedule(one["schedule"]).run_every.total_seconds() for name, one in merged.items()}
        # Drained every second, so that what is counted is seen within two; what is late is left to the next.
        assert seconds == {"hailwhale-drain": 1, "hailwhale-watch": 60, "hailwhale-report": 300}
        assert merged["hailwhale-drain"]["options"]["expires"] <= 2


class TestCommand:
    def test_once(self) -> None:
        Hail.count_many([{"pk": "shop"}] * 3)
        said = io.StringIO()
        call_command("hailwhale_drain", once=True, stdout=said)
        assert said.getvalue() == "3 events counted in all\n"
        assert Whale.total("shop", period="today") == 3

    def test_only_the_store_that_is_named(self, store: str) -> None:
        with override_settings(HAILWHALE={"REDIS": store, "STORES": {"other": {"PREFIX": "other"}}}):
            Hail.count("shop")
            Hail.using("other").count("shop")
            call_command("hailwhale_drain", once=True, store=["other"], stdout=io.StringIO())
            assert Whale.using("other").total("shop", period="today") == 1
            assert Whale.total("shop", period="today") == 0

    def test_a_store_that_is_away_is_named(self) -> None:
        with (
            override_settings(HAILWHALE={"REDIS": f"redis://127.0.0.1:{free_port()}"}),
            pytest.raises(CommandError, match="store 'default'"),
        ):
            call_command("hailwhale_drain", once=True)

    @pytest.mark.parametrize("interval", [0, -1])
    def test_an_interval_that_is_none(self, interval: float) -> None:
        with pytest.raises(CommandError, match=f"--interval is {interval}; use a number of seconds above 0"):
            call_command("hailwhale_drain", interval=interval)

    def test_signals_are_as_they_were(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        call_command("hailwhale_drain", once=True, stdout=io.StringIO())
        assert signal.getsignal(signal.SIGINT) is before

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
    def test_it_drains_until_it_is_told_to_end(self, number: signal.Signals, store: str) -> None:
        words = [sys.executable, "manage.py", "hailwhale_drain", "--interval=0.02"]
        own = {"DJANGO_SETTINGS_MODULE": "tests.settings", "HAILWHALE_REDIS_URL": store}
        process = subprocess.Popen(words, cwd=ROOT, env=os.environ | own, stdout=subprocess.PIPE, text=True)
        try:
            for hits in (1, 2):
                Hail.count("shop")
                deadline = time.monotonic() + WAIT_SECONDS
                while Whale.total("shop", period="today") < hits and time.monotonic() < deadline:
                    time.sleep(POLL_SECONDS)
            assert Whale.total("shop", period="today") == 2
            process.send_signal(number)
            assert process.communicate(timeout=WAIT_SECONDS)[0] == "2 events counted in all\n"
            assert process.returncode == 0
        finally:
            process.kill()
            process.wait()
