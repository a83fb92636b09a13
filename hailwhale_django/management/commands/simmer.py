"""`manage.py simmer`: the command `simmer` with Django's settings at hand, for `--hail` and `-r` without an address."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hailwhale_django.simmer import options
from hailwhale_django.simmer.command import run


class Command(BaseCommand):
    help = "Combine the values of each key: simmer, with the servers of these settings."
    requires_system_checks: list[Any] = []  # a filter in a pipe says nothing else

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """-h is a port here, as it is for simmer elsewhere."""
        return super().create_parser(prog_name, subcommand, add_help=False, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        options.add_to(parser)
        parser.add_argument("--help", action="help", help="show this and end")

    def handle(self, *args: Any, **given: Any) -> None:
        try:
            chosen = options.Options.of(given)
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        if status := run(chosen):
            sys.exit(status)
