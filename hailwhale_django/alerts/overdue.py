"""Alerts that nobody looks at, and reports that nobody sends: problems of health that the database tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from ..engine.problems import WARNING, Problem

# Alerts are looked at every minute, reports sent every five.
LATE_ALERTS = timedelta(minutes=10)
LATE_REPORTS = timedelta(hours=1)


def overdue(stores: Collection[str]) -> list[Problem]:
    """What is late of these stores; nothing where there is no database to ask, for then there are no alerts either."""
    now = timezone.now()
    try:
        return [*_alerts(now, stores), *_reports(now, stores)]
    except (DatabaseError, ImproperlyConfigured):
        return []


def _alerts(now: datetime, stores: Collection[str]) -> list[Problem]:
    from ..models import Alert  # there is no table of it when this module is read

    late = Alert.objects.filter(Q(checked_at=None) | Q(checked_at__lt=now - LATE_ALERTS), active=True)
    hint = "Is Celery's beat running with a worker, or manage.py hailwhale_watch by cron? Their list says more."
    return [
        Problem(
            WARNING, "hailwhale.H050", store, f"{_many(count, 'alert')} not looked at in the last 10 minutes.", hint
        )
        for store, count in Counter(late.filter(store__in=stores).values_list("store", flat=True)).items()
    ]


def _reports(now: datetime, stores: Collection[str]) -> list[Problem]:
    from ..models import Report

    late = Report.objects.filter(active=True, due_at__lt=now - LATE_REPORTS, dashboard__store__in=stores)
    hint = (
        "Is Celery's beat running with a worker, or manage.py hailwhale_report by cron? The list of reports says more."
    )
    words = "not sent for more than an hour."
    return [
        Problem(WARNING, "hailwhale.H051", store, f"{_many(count, 'report')} {words}", hint)
        for store, count in Counter(late.values_list("dashboard__store", flat=True)).items()
    ]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what} was" if count == 1 else f"{count:,} {what}s were"
