"""`manage.py hailwhale_annotate`: write down what happened, so that graphs show it; for deploy scripts."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hailwhale_django.annotations import EVERY_COUNTER, annotate
from hailwhale_django.conf import DEFAULT_STORE, stores
from hailwhale_django.engine.errors import InvalidInput


class Command(BaseCommand):
    help = "Write down what happened at a moment or in a span of time, so that graphs show it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("text", help='what happened, e.g. "Deployed 1.4"')
        parser.add_argument("--at", help="when: ISO 8601, UTC unless it says otherwise (default: now)")
        parser.add_argument("--until", help="of a span: its end")
        parser.add_argument("--counter", default=EVERY_COUNTER, help="on whose graphs (default: on all)")
        parser.add_argument("--link", default="", help="an address that says more")
        parser.add_argument("--store", default=DEFAULT_STORE, choices=stores(), help="of which (default: default)")
        parser.add_argument("--who", default="", help="who says so")

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("text", "at", "until", "counter", "link", "store", "who")
        try:
            found = annotate(**{name: options[name] for name in names})
        except InvalidInput as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(found))
