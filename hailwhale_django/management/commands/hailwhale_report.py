"""`manage.py hailwhale_report`: mail the dashboards that are due, for those without Celery; or some now."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from hailwhale_django.alerts import reporting
from hailwhale_django.models import Report


class Command(BaseCommand):
    help = "Mail the reports that are due. The exit status is 1 if one could not be sent."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--now", metavar="SLUG", help="send the reports of this dashboard now, due or not")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["now"]
        failed = self._due() if slug is None else self._now(slug)
        if failed:
            raise CommandError(f"{failed} could not be sent", returncode=1)

    def _due(self) -> int:
        failed = 0
        for one in reporting.send_due():
            self._said(one.report, one.problem)
            failed += bool(one.problem)
        return failed

    def _now(self, slug: str) -> int:
        reports = list(Report.objects.filter(dashboard__slug=slug, active=True))
        if not reports:
            raise CommandError(f"there is no active report of a dashboard {slug!r}", returncode=2)
        problems = [reporting.send_now(report, timezone.now()) for report in reports]
        for report, problem in zip(reports, problems, strict=True):
            self._said(report, problem)
        return sum(map(bool, problems))

    def _said(self, report: Report, problem: str) -> None:
        self.stdout.write(f"{report}: {problem or 'sent to ' + ', '.join(report.recipients)}")
