"""The Celery tasks, called as Celery calls them, in this process; `test_broker` has real workers."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from celery.schedules import maybe_schedule
from django.test import override_settings

from example_project.celery import app
from example_project.ports import free_port
from hailwhale_django import Hail, Whale, tasks


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
    @pytest.mark.parametrize("task", [tasks.drain, tasks.count], ids=lambda task: task.name)
    def test_a_killed_worker_loses_no_task(self, task: Any) -> None:
        assert task.acks_late
        assert task.reject_on_worker_lost
        assert task.ignore_result
        assert task.soft_time_limit < task.time_limit

    def test_the_schedule_is_merged_and_names_a_task(self) -> None:
        [entry] = [one for name, one in app.conf.beat_schedule.items() if name in tasks.BEAT_SCHEDULE]
        assert entry["task"] == tasks.drain.name
        assert entry["task"] in app.tasks
        # Drained every second, so that what is counted is seen within two; what is late is left to the next.
        assert maybe_schedule(entry["schedule"]).run_every.total_seconds() == 1
        assert entry["options"]["expires"] <= 2
