"""Reports: dashboards by mail, of the day or the week that is over, as far as their owners may see them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext

from .. import connection
from ..boards import spec_of
from ..dashboards.mailed import mailed_board
from ..engine.domain.timeline import Timeline
from ..engine.errors import HailWhaleError
from ..models import Dashboard, Report
from . import telling
from .claims import claimed
from .links import absolute

logger = logging.getLogger("hailwhale")

VIEW_DASHBOARD = "hailwhale_django.view_dashboard"
MONDAY = 0


@dataclass(frozen=True, slots=True)
class Reported:
    """What became of a report that was due."""

    report: Report
    problem: str = ""


class NotAllowed(Exception):
    """Whoever the report belongs to may not see its dashboard."""


def send_due(clock: Callable[[], datetime] = timezone.now) -> Iterator[Reported]:
    """Send what is due. Each is sent by one worker, and by the next one where that was killed before it was sent."""
    now = clock()
    for report in Report.objects.filter(active=True, due_at=None).select_related("dashboard"):
        _plan(report, now)
    due = Report.objects.filter(active=True, due_at__lte=now)
    for pk in list(due.order_by(F("due_at").asc(), "pk").values_list("pk", flat=True)):
        with claimed(due, pk, clock()) as report:
            if isinstance(report, Report):
                yield _sent(report, clock())


def _plan(report: Report, now: datetime) -> None:
    """When a new report, or one that was changed, is sent next."""
    try:
        due = next_due(report.every, report.hour, now, _line(report))
    except (HailWhaleError, ImproperlyConfigured) as error:
        _told_problem(report, str(error))
        return
    Report.objects.filter(pk=report.pk, due_at=None).update(due_at=due)


def _sent(report: Report, now: datetime) -> Reported:
    """What may not be seen waits for its next time; what could not be sent is tried again by the next run."""
    problem, is_over = _problem(report, now)
    changed: dict[str, Any] = {"problem": problem}
    if is_over:
        changed["due_at"] = next_due(report.every, report.hour, now, _line(report))
    if not problem:
        changed["sent_at"] = now
    Report.objects.filter(pk=report.pk).update(**changed)
    return Reported(report, problem)


def send_now(report: Report, now: datetime) -> str:
    """Send it once more, whenever it is due; what goes wrong is answered."""
    problem, _ = _problem(report, now)
    return problem


def _problem(report: Report, now: datetime) -> tuple[str, bool]:
    """Why it could not be sent ("": it was), and whether that is all for this time."""
    try:
        send(report, now)
    except NotAllowed as error:
        problem, is_over = str(error), True
    except Exception as error:  # whatever a backend of mail raises, the others are sent, and this one again
        words = gettext("It could not be sent: %(error)s")
        problem, is_over = words % {"error": str(error) or type(error).__name__}, False
    else:
        return "", True
    logger.warning("the report %s was not sent: %s", report, problem)
    return problem, is_over


def send(report: Report, now: datetime) -> None:
    """Send it as it is now. Raises `NotAllowed`, `HailWhaleError`, and whatever the backend of mail does."""
    check_owner(report)
    with translation.override(settings.LANGUAGE_CODE):
        spec = spec_of(report.dashboard)
        pod = connection.pod(spec.store)
        board = mailed_board(spec, report.every, pod, now.timestamp())
        context = {"board": board, "link": absolute("dashboard_page", spec.slug), "every": report.get_every_display()}
        day = now.astimezone(pod.store.timeline.zone).date()
        key = f"report-{report.pk}-{day}"
        telling.send(report.recipients, f"{board.title}: {board.span}", "report", context, key)


def check_owner(report: Report) -> None:
    """Raises `NotAllowed` where its owner may not see the dashboard."""
    owner: Any = report.owner
    if owner is None:
        raise NotAllowed(gettext("It has no owner; save it, and it is yours."))
    seen = Dashboard.objects.visible_to(owner).filter(pk=report.dashboard_id)
    if not owner.is_active or not owner.has_perm(VIEW_DASHBOARD) or not seen.exists():
        raise NotAllowed(gettext("%(owner)s may not see this dashboard.") % {"owner": owner.get_username()})


def next_due(every: str, hour: int, now: datetime, line: Timeline) -> datetime:
    """The next time that clocks show this hour, of a weekly one on a Monday."""
    today = now.astimezone(line.zone).date()
    for days in range(9):
        day = today + timedelta(days=days)
        due = datetime.combine(day, time(hour), line.zone).astimezone(UTC)
        if due > now and (every == "day" or day.weekday() == MONDAY):
            return due
    raise AssertionError("every week has a Monday")


def _line(report: Report) -> Timeline:
    return connection.pod(report.dashboard.store).store.timeline


def _told_problem(report: Report, problem: str) -> None:
    logger.warning("the report %s cannot be sent: %s", report, problem)
    Report.objects.filter(pk=report.pk).update(problem=problem)
