"""Health over HTTP, in the admin, and at deployment: who may see it, and what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client, override_settings
from django.utils import timezone

from example_project.ports import HOST, free_port
from hailwhale_django import Hail, buffer, checks
from hailwhale_django.health import health
from hailwhale_django.models import Alert, Dashboard, Report
from tests import servers
from tests.api import who_may

ADMIN = "/admin/hailwhale_django/health/"
JSON = "/hailwhale/health"


@pytest.fixture
def store(redis_url: str) -> Iterator[None]:
    with override_settings(HAILWHALE={"REDIS": redis_url}, SILENCED_SYSTEM_CHECKS=["hailwhale.H012"]):
        yield


@pytest.fixture
def away() -> Iterator[None]:
    with override_settings(HAILWHALE={"REDIS": f"redis://{HOST}:{free_port()}"}):
        yield


@pytest.mark.django_db
class TestMonitor:
    def test_it_is_200_when_all_is_well(self, store: None) -> None:
        Hail.count("shop")
        answer = who_may("view_health").get(JSON)
        assert answer.status_code == 200
        said = answer.json()
        assert (said["well"], said["problems"]) == (True, [])
        assert said["stores"][0]["streams"][0]["waiting"] == 1
        assert said["buffer"] == {"buffered": 0, "flushed": 0, "refused": 0, "dropped": 0, "last_error": None}

    def test_it_is_503_with_the_same_body_when_there_is_an_error(self, away: None) -> None:
        answer = who_may("view_health").get(JSON)
        assert answer.status_code == 503
        assert [problem["id"] for problem in answer.json()["problems"]] == ["hailwhale.H001"]
        assert answer.json()["stores"][0]["away"]

    def test_neither_strangers_nor_write_keys_may_ask(self, store: None) -> None:
        assert Client().get(JSON).status_code in (401, 403)
        assert Client().get(JSON, headers={"X-Hailwhale-Key": "k"}).status_code in (401, 403)
        assert who_may("view_counter").get(JSON).status_code == 403


@pytest.mark.django_db
class TestPage:
    def test_it_shows_what_is_and_what_is_wrong(self, redis_url: str) -> None:
        with override_settings(HAILWHALE={"REDIS": redis_url}):
            text = who_may("view_health").get(ADMIN).content.decode()
        assert "1 error" in text
        assert "hailwhale.H012" in text
        assert "Stream 0" in text

    def test_a_store_that_is_away_is_a_page_like_any_other(self, away: None) -> None:
        answer = who_may("view_health").get(ADMIN)
        assert answer.status_code == 200
        assert "hailwhale.H001" in answer.content.decode()

    def test_it_needs_a_permission_of_its_own(self, store: None) -> None:
        client = who_may("view_counter")
        assert client.get(ADMIN).status_code == 403
        assert ADMIN not in client.get("/admin/hailwhale_django/counter/").content.decode()

    def test_the_list_of_counters_leads_there(self, store: None) -> None:
        text = who_may("view_counter", "view_health").get("/admin/hailwhale_django/counter/").content.decode()
        assert f'href="{ADMIN}"' in text
        assert "/live/" not in text

    def test_every_store_is_told_apart(self, redis_url: str) -> None:
        stores = {"other<b>": {"PREFIX": "other"}}
        with override_settings(HAILWHALE={"REDIS": redis_url, "STORES": stores}):
            text = who_may("view_health").get(ADMIN).content.decode()
        assert "<h2><bdi>other&lt;b&gt;</bdi></h2>" in text


@pytest.mark.django_db
def test_a_buffer_that_cannot_write_is_a_warning(away: None) -> None:
    buffer.add({"pk": "shop"})
    assert not buffer.flush()
    found = health()
    assert [problem.id for problem in found.problems] == ["hailwhale.H001", "hailwhale.H032"]
    assert found.buffer.buffered == 1


@pytest.mark.django_db
def test_what_is_silenced_is_not_told(store: None) -> None:
    assert health().is_well
    assert health().problems == ()


@pytest.mark.django_db
def test_alerts_and_reports_that_are_late(store: None) -> None:
    """Of the alerts the first was never looked at, of the reports one is not due."""
    now = timezone.now()
    asked = {"counter": "shop", "formula": "hits", "threshold": 1}
    for minutes in (None, 9, 11):
        at = None if minutes is None else now - timedelta(minutes=minutes)
        Alert.objects.create(name="late", checked_at=at, **asked)
    Alert.objects.create(name="off", active=False, **asked)
    board = Dashboard.objects.create(slug="shop", title="The shop")
    for minutes in (-5, 59, 61):
        Report.objects.create(dashboard=board, due_at=now - timedelta(minutes=minutes))
    assert [(problem.id, problem.message) for problem in health().problems] == [
        ("hailwhale.H050", "2 alerts were not looked at in the last 10 minutes."),
        ("hailwhale.H051", "1 report was not sent for more than an hour."),
    ]


@pytest.mark.django_db
def test_it_is_json_through_and_through(redis_url: str) -> None:
    with override_settings(HAILWHALE={"REDIS": redis_url}):
        assert json.loads(json.dumps(health().to_wire()))["well"] is False


@pytest.mark.django_db  # Django asks the database, too, what its fields can do
class TestDeployment:
    def ids(self, **options: Any) -> list[str | None]:
        return [message.id for message in run_checks(**options) if str(message.id).startswith("hailwhale")]

    def test_a_check_at_deployment_asks_the_server(self, redis_url: str) -> None:
        with override_settings(HAILWHALE={"REDIS": redis_url}):
            assert self.ids(include_deployment_checks=True) == ["hailwhale.H012"]
            assert self.ids(include_deployment_checks=True, tags=["hailwhale"]) == ["hailwhale.H012"]
            assert self.ids() == []

    def test_eviction_is_an_error(self) -> None:
        with (
            servers.running(maxmemory="100mb", maxmemory_policy="allkeys-lru", appendonly="yes") as server,
            override_settings(HAILWHALE={"REDIS": server.url}),
        ):
            (found,) = checks.check_servers()
        assert (found.id, found.level) == ("hailwhale.H010", 40)
        assert "noeviction" in str(found.hint)

    def test_a_server_that_is_away_is_a_warning_there_and_nothing_elsewhere(self, away: None) -> None:
        (found,) = checks.check_servers()
        assert (found.id, found.level) == ("hailwhale.H001", 30)
        assert self.ids() == []
