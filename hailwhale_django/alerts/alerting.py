"""Alerts: look at what each looks at, write down what is news, and have it told.

What is news is written to the database in the same transaction as what an alert remembers, before anybody is told; it
is marked as told when it was sent. So a worker that is killed loses nothing: what it had not marked is told by the next
one, and at worst twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from .. import connection
from ..engine.domain.alarm import Bout, Reading, State, judge
from ..engine.domain.timeline import Interval
from ..engine.errors import HailWhaleError, StoreUnavailable
from ..models import Alert, AlertEvent
from . import telling, wording
from .claims import claimed
from .lookout import Lookout

logger = logging.getLogger("hailwhale")

Clock = Callable[[], datetime]

DAY = Interval(1, "d")

KEPT_EVENTS = timedelta(days=90)
"""How long what became of an alert is kept."""


@dataclass(frozen=True, slots=True)
class News:
    """What became of a child. `bout` is the one that began or goes on, or was over."""

    child: str
    state: State
    reading: Reading
    bout: Bout
    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """What an alert saw: every reading, the bouts from now on, and what is news."""

    readings: dict[str, Reading]
    bouts: dict[str, Bout]
    news: list[News]


def look(alert: Alert, now: datetime) -> Look:
    """What an alert sees now. Writes nothing. Raises `HailWhaleError`."""
    lookout, at = Lookout.of(alert), now.timestamp()
    before = remembered(alert)
    readings = lookout.readings(connection.pod(lookout.store), at, before)
    bouts: dict[str, Bout] = {}
    news: list[News] = []
    for child, reading in readings.items():
        bout, state = judge(lookout.rule, before.get(child), reading, at)
        if bout is not None:
            bouts[child] = bout
        if state is not None:
            found = bout or before[child]
            news.append(News(child, state, reading, found, wording.news(lookout, child, state, reading, found, at)))
    for child in before.keys() - readings.keys():
        news.append(News(child, "ended", Reading(None), before[child], wording.gone(child)))
    return Look(readings, bouts, sorted(news, key=lambda one: one.child))


def remembered(alert: Alert) -> dict[str, Bout]:
    """The bouts that go on, by child."""
    return {child: Bout.of_wire(one) for child, one in alert.memory.items()}


@dataclass(frozen=True, slots=True)
class Watched:
    """What came of looking at an alert: the events, whether they could be told, or why nothing could be seen."""

    alert: Alert
    events: list[AlertEvent]
    told: int = 0
    problem: str = ""


def watch(clock: Clock = timezone.now, seconds: float = float("inf")) -> Iterator[Watched]:
    """Look at all that are active, those first that were not looked at for longest, for so many seconds at most.

    What another worker is looking at is left to it.
    """
    away: dict[str, str] = {}
    end = time.monotonic() + seconds
    active = Alert.objects.filter(active=True).order_by(F("checked_at").asc(nulls_first=True), "pk")
    for pk in list(active.values_list("pk", flat=True)):
        if time.monotonic() >= end:
            logger.warning("not all alerts were looked at within %s seconds; the others are next", seconds)
            return
        with claimed(Alert.objects.filter(active=True), pk, clock()) as alert:
            if isinstance(alert, Alert):
                yield _watched(alert, clock(), away)


def _watched(alert: Alert, now: datetime, away: dict[str, str]) -> Watched:
    """`away` are the stores that do not answer, which are not asked again."""
    try:
        if alert.store in away:
            raise StoreUnavailable(away[alert.store])
        seen = look(alert, now)
    except StoreUnavailable as error:
        away[alert.store] = str(error)
        return _unseen(alert, error)
    except (HailWhaleError, ImproperlyConfigured) as error:
        return _unseen(alert, error)
    had = alert.problem
    events = _written(alert, seen, now)
    if events is None:
        return Watched(alert, [])
    told, problem = _told(alert, had, now)
    return Watched(alert, events, told, problem)


def _unseen(alert: Alert, error: Exception) -> Watched:
    """It stays as it was; that it was not looked at is seen by `checked_at`."""
    logger.warning("the alert %r could not look: %s", alert.name, error)
    Alert.objects.filter(pk=alert.pk).update(problem=str(error))
    return Watched(alert, [], problem=str(error))


def _written(alert: Alert, seen: Look, now: datetime) -> list[AlertEvent] | None:
    """What is remembered and what is news, both or nothing; `None` where the claim ran out meanwhile."""
    alert.memory = {child: bout.to_wire() for child, bout in seen.bouts.items()}
    alert.checked_at, alert.problem = now, ""
    events = [
        AlertEvent(alert=alert, at=now, child=one.child, state=one.state, value=one.reading.value, text=one.text)
        for one in seen.news
    ]
    with transaction.atomic():
        changed = {"memory": alert.memory, "checked_at": now, "problem": ""}
        if not Alert.objects.filter(pk=alert.pk, claimed_until=alert.claimed_until).update(**changed):
            return None
        if events:
            alert.events.filter(at__lt=now - KEPT_EVENTS).delete()
            AlertEvent.objects.bulk_create(events)
    return events


# What is told


def _told(alert: Alert, had: str, now: datetime) -> tuple[int, str]:
    """How many events were told, and why they could not be. `had` is the problem before."""
    today = _midnight(alert, now)
    news = alert.events.exclude(state="failed").filter(told_at=None)
    _take_up(alert, news, today)
    waiting = list(news.filter(withheld=False).order_by("at", "id"))
    if not waiting:
        return 0, ""
    messages = alert.events.filter(told_at__gte=today).values("told_at").distinct().count()
    ids = [event.pk for event in waiting]
    if messages >= alert.most_a_day:
        AlertEvent.objects.filter(pk__in=ids).update(withheld=True)
        return 0, ""
    try:
        telling.tell(alert, waiting, is_last=messages + 1 == alert.most_a_day, now=now)
    except Exception as error:  # whatever a backend of mail raises, the others are told, and this one again
        return 0, _failed(alert, error, had, now)
    AlertEvent.objects.filter(pk__in=ids).update(told_at=now)
    return len(ids), ""


def _take_up(alert: Alert, news: Any, today: datetime) -> None:
    """What was withheld on another day and is still so is told after all."""
    bouts = remembered(alert)
    if not bouts:
        return
    withheld = news.filter(withheld=True, at__lt=today).exclude(state="ended")
    since = {child: datetime.fromtimestamp(bout.since, UTC) for child, bout in bouts.items()}
    still = [event.pk for event in withheld if event.child in since and event.at >= since[event.child]]
    AlertEvent.objects.filter(pk__in=still).update(withheld=False)


def _failed(alert: Alert, error: Exception, had: str, now: datetime) -> str:
    """Written down once for as long as it is the same, and tried again by the next run."""
    problem = wording.failed(error)
    logger.warning("the alert %r could not be told: %s", alert.name, error)
    Alert.objects.filter(pk=alert.pk).update(problem=problem)
    if problem != had:
        AlertEvent.objects.create(alert=alert, at=now, state="failed", text=problem)
    return problem


def _midnight(alert: Alert, now: datetime) -> datetime:
    """When the store's day began."""
    line = connection.pod(alert.store).store.timeline
    return datetime.fromtimestamp(line.starts_at(DAY, line.bucket(DAY, now.timestamp())), UTC)
