"""`manage.py hailwhale_watch`: what the Celery task does every minute, for those without Celery."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from hailwhale_django.alerts import alerting, wording
from hailwhale_django.alerts.alerting import Watched
from hailwhale_django.alerts.lookout import Lookout
from hailwhale_django.engine.errors import HailWhaleError
from hailwhale_django.models import Alert


class Command(BaseCommand):
    help = "Look at all alerts once, and tell what is news. The exit status is 1 if one could not look or tell."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--try", action="store_true", dest="only", help="write down nothing, and tell nobody")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = self._try() if options["only"] else self._watch()
        if failed:
            raise CommandError(f"{failed} could not look, or not tell", returncode=1)

    def _watch(self) -> int:
        failed = 0
        for watched in alerting.watch():
            self.stdout.write(f"{watched.alert.name}: {_result(watched)}")
            self._lines([event.text for event in watched.events])
            failed += bool(watched.problem)
        return failed

    def _try(self) -> int:
        failed = 0
        for alert in Alert.objects.filter(active=True):
            try:
                seen, lookout = alerting.look(alert, timezone.now()), Lookout.of(alert)
            except HailWhaleError as error:
                self.stdout.write(f"{alert.name}: {error}")
                failed += 1
                continue
            self.stdout.write(f"{alert.name}: {wording.condition(lookout)}")
            self._lines([wording.named(child, wording.now(lookout, one)) for child, one in seen.readings.items()])
            self._lines([f"would say: {one.text}" for one in seen.news])
        return failed

    def _lines(self, lines: list[str]) -> None:
        for line in lines:
            self.stdout.write(f"    {line}")


def _result(watched: Watched) -> str:
    if watched.problem:
        return watched.problem
    on = len(watched.alert.memory)
    told = f", {watched.told} told" if watched.told else ""
    return (f"on for {on}" if on else "all right") + told
