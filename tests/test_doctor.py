"""`hailwhale_doctor`, and the checks that it tells."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from hailwhale_django import Hail, checks

ROOT = Path(__file__).parent.parent
OURS = "hailwhale_django.middleware.HailWhaleMiddleware"
CACHE = "django.middleware.cache.FetchFromCacheMiddleware"
QUIET = {"SILENCED_SYSTEM_CHECKS": ["hailwhale.H012", "hailwhale.W002"]}


pytestmark = pytest.mark.django_db


def doctor(*arguments: str) -> str:
    out = StringIO()
    call_command("hailwhale_doctor", *arguments, stdout=out)
    return out.getvalue()


def test_it_is_well(redis_url: str) -> None:
    with override_settings(HAILWHALE={"REDIS": redis_url}, **QUIET):
        Hail.count("shop")
        Hail.drain()
        said = doctor()
    lines = [line.split() for line in said.splitlines()]
    assert ["Events", "waiting", "0"] in lines
    assert ["Counted", "1"] in lines
    assert said.splitlines()[-1] == "All is well"


def test_an_error_is_its_exit_status(redis_url: str) -> None:
    out = StringIO()
    with override_settings(HAILWHALE={"REDIS": redis_url}), pytest.raises(CommandError) as raised:
        call_command("hailwhale_doctor", stdout=out)
    assert raised.value.returncode == 1
    assert "Error hailwhale.H012: The server of the counters and hail writes nothing to disk" in out.getvalue()
    assert "    Set appendonly yes." in out.getvalue()


def test_it_tells_what_is_wrong_with_the_settings(redis_url: str) -> None:
    with override_settings(HAILWHALE={"REDIS": redis_url}, MIDDLEWARE=[OURS, OURS], **QUIET):
        assert "Warning hailwhale.W004" in doctor()


def test_settings_that_cannot_be_read_are_told_and_not_a_traceback() -> None:
    with override_settings(HAILWHALE={"REDDIS": "x"}), pytest.raises(CommandError, match="did you mean 'REDIS'"):
        doctor()


def test_a_store_that_is_not_there(redis_url: str) -> None:
    with (
        override_settings(HAILWHALE={"REDIS": redis_url}),
        pytest.raises(CommandError, match="no store 'x'; .*default"),
    ):
        doctor("--store", "x")


def test_as_json(redis_url: str) -> None:
    stores = {"other": {"PREFIX": "other"}}
    with override_settings(HAILWHALE={"REDIS": redis_url, "STORES": stores}, **QUIET):
        said = json.loads(doctor("--json"))
        assert [store["store"] for store in said["stores"]] == ["default", "other"]
        assert [store["store"] for store in json.loads(doctor("--json", "--store", "other"))["stores"]] == ["other"]
    assert said["well"]


@pytest.mark.parametrize(
    ("listed", "ids"),
    [([OURS], []), ([OURS, CACHE], []), ([CACHE, OURS], ["hailwhale.W004"]), ([OURS, OURS], ["hailwhale.W004"])],
)
def test_the_middleware_counts_each_request_once(listed: list[str], ids: list[str]) -> None:
    with override_settings(MIDDLEWARE=listed):
        assert [one.id for one in checks.check_settings() if one.id != "hailwhale.W002"] == ids


@pytest.mark.parametrize("key", ["REDIS", "HAIL_REDIS"])
def test_a_cache_whose_clear_deletes_all_is_told_by_its_setting(key: str) -> None:
    shared: dict[str, Any] = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    with override_settings(CACHES={"default": shared, "hail": shared}, HAILWHALE={key: "hail"}):
        (found,) = checks.check_settings()
    assert found.id == "hailwhale.W001"
    assert key in found.msg


BEAT = """
import celery, django
django.setup()
from django.core.checks import run_checks
{app}
print([message.id for message in run_checks()])
"""
APP = "app = celery.Celery('shop'); app.set_default()"
MERGED = "; from hailwhale_django import tasks; app.conf.beat_schedule |= tasks.BEAT_SCHEDULE"
DRAINED = MERGED + "; del app.conf.beat_schedule['hailwhale-watch']"
ELSEWHERE = "; app.conf.beat_scheduler = 'django_celery_beat.schedulers:DatabaseScheduler'"


@pytest.mark.parametrize(
    ("app", "ids"),
    [
        ("", []),
        (APP, ["hailwhale.W003"]),
        (APP + MERGED, []),
        (APP + DRAINED, ["hailwhale.W005"]),
        (APP + ELSEWHERE, []),
    ],
    ids=["no app", "without", "merged", "without alerts", "kept elsewhere"],
)
def test_a_beat_that_lacks_tasks_is_told(app: str, ids: list[str]) -> None:
    pytest.importorskip("celery")
    code = BEAT.format(app=app)
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == str(ids), done.stderr
