"""Celery tasks: the drain, events from anyone who can send a task, alerts and reports. Only calls; the work is done
elsewhere.

In the module of the project's Celery app:

    app.conf.beat_schedule |= hailwhale_django.tasks.BEAT_SCHEDULE
"""

from __future__ import annotations

import logging
from typing import Any

from celery import current_app, shared_task

from .conf import stores
from .engine.errors import HailWhaleError, StoreUnavailable
from .hail import Hail

logger = logging.getLogger("hailwhale")

DRAIN_SECONDS = 10.0
WATCH_SECONDS = 40.0

# What Celery calls the app that it makes up where a project has none, and beat that reads its schedule from settings.
NO_APP = "default"
OWN_SCHEDULER = "celery.beat:PersistentScheduler"

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "hailwhale-drain": {
        "task": "hailwhale_django.tasks.drain",
        "schedule": 1.0,
        # A worker that was away for an hour has one drain to do, not 3,600.
        "options": {"expires": 2.0, "ignore_result": True},
    },
    "hailwhale-watch": {
        "task": "hailwhale_django.tasks.watch",
        "schedule": 60.0,
        "options": {"expires": 60.0, "ignore_result": True},
    },
    "hailwhale-report": {
        "task": "hailwhale_django.tasks.report",
        "schedule": 300.0,
        "options": {"expires": 300.0, "ignore_result": True},
    },
}
"""To be merged into the project's own: drain every second, look at alerts every minute, send what reports are due."""

_OPTIONS: dict[str, Any] = {
    # A worker that is killed has its task done by another. Marks in the counters see to it that nothing counts twice.
    "acks_late": True,
    "reject_on_worker_lost": True,
    "ignore_result": True,
    "soft_time_limit": 60,
    "time_limit": 90,
}


@shared_task(name="hailwhale_django.tasks.drain", **_OPTIONS)
def drain() -> None:
    """Move what every store's hail holds into its counters."""
    for store in stores():
        try:
            Hail.using(store).drain(DRAIN_SECONDS)
        except StoreUnavailable as error:  # the next one comes within a second, and other stores may be there
            logger.warning("the hail of %r was not drained: %s", store, error)


@shared_task(
    name="hailwhale_django.tasks.count",
    bind=True,
    autoretry_for=(StoreUnavailable,),
    retry_backoff=True,
    retry_backoff_max=60,
    max_retries=None,
    **_OPTIONS,
)
def count(self: Any, events: list[Any], store: str = "default") -> None:
    """Append events that came over the broker, each a dict as `Hail.count_many` takes it.

    An event without an id gets one of the task and its place, so that a task that is done again counts once. What
    cannot be accepted is logged with its reason.
    """
    named = [_with_id(event, f"{self.request.id}:{at}") for at, event in enumerate(events)]
    Hail.using(store).count_many(named, _refused)


def _with_id(event: Any, known_as: str) -> Any:
    return {"id": known_as, **event} if isinstance(event, dict) else event


def _refused(error: HailWhaleError, event: Any) -> None:
    logger.error("an event from the broker was refused: %s", error)


@shared_task(name="hailwhale_django.tasks.watch", **_OPTIONS)
def watch() -> None:
    """Look at what alerts are about, and tell what is news."""
    from .alerts import alerting  # whose models are not there yet when the module of the Celery app is read

    for _ in alerting.watch(seconds=WATCH_SECONDS):
        pass


@shared_task(name="hailwhale_django.tasks.report", **_OPTIONS)
def report() -> None:
    """Mail the reports that are due."""
    from .alerts import reporting

    for _ in reporting.send_due():
        pass


def missing_in_beat() -> list[str] | None:
    """Of the tasks to be merged into beat's schedule those that are not there; None where that cannot be told."""
    if current_app.main == NO_APP or current_app.conf.beat_scheduler != OWN_SCHEDULER:
        return None
    there = {entry.get("task") for entry in current_app.conf.beat_schedule.values()}
    return [entry["task"] for entry in BEAT_SCHEDULE.values() if entry["task"] not in there]
