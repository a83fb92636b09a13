"""`manage.py hailwhale_drain`: what the Celery task does, for those without Celery."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hailwhale_django.conf import stores
from hailwhale_django.engine.errors import HailWhaleError, StoreUnavailable
from hailwhale_django.hail import Hail

AWAY_SECONDS = 5.0
ENDS = (signal.SIGTERM, signal.SIGINT)


class Command(BaseCommand):
    help = "Move events from the hail into the counters, until it is stopped (Ctrl-C or SIGTERM)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop when the hail is empty")
        parser.add_argument("--store", action="append", choices=stores(), help="only this store (repeatable)")
        parser.add_argument("--interval", type=float, default=0.5, help="seconds between looks (default 0.5)")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = options["store"] or stores()
        if options["interval"] <= 0:
            raise CommandError(f"--interval is {options['interval']}; use a number of seconds above 0")
        stopped = Event()
        before = {number: signal.signal(number, lambda *_: stopped.set()) for number in ENDS}
        try:
            self._run(chosen, stopped, options)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _run(self, chosen: list[str], stopped: Event, options: dict[str, Any]) -> None:
        total = 0
        while not stopped.is_set():
            drained, away = self._drain(chosen, once=options["once"])
            total += drained
            if drained and options["verbosity"] > 1:
                self.stdout.write(f"{drained:,} events counted")
            if options["once"] and not drained:
                break
            if not drained:
                stopped.wait(AWAY_SECONDS if away else options["interval"])
        self.stdout.write(f"{total:,} events counted in all")

    def _drain(self, chosen: list[str], *, once: bool) -> tuple[int, bool]:
        """How many events were counted, and whether a store was away."""
        drained, away = 0, False
        for store in chosen:
            try:
                drained += Hail.using(store).drain()
            except StoreUnavailable as error:
                if once:
                    raise CommandError(f"store {store!r}: {error}") from error
                away = True
                self.stderr.write(f"store {store!r}: {error}; trying again in {AWAY_SECONDS:g} seconds")
            except HailWhaleError as error:
                raise CommandError(f"store {store!r}: {error}") from error
        return drained, away
