"""`manage.py hailwhale_doctor`: how hailwhale is, in words."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.checks import ERROR as CHECK_ERROR
from django.core.checks import CheckMessage
from django.core.management.base import BaseCommand, CommandError

from hailwhale_django import checks
from hailwhale_django.conf import stores
from hailwhale_django.dashboards.sheets import Sheet, StoreSheets, health_page, level_words, verdict
from hailwhale_django.engine.problems import ERROR, WARNING, Problem, ordered
from hailwhale_django.health import Health, health

UNREADABLE = "hailwhale.E001"
HINT_INDENT = " " * 4


class Command(BaseCommand):
    help = "Say how hailwhale is: settings, servers, hail, and what to do. The exit status is 1 if there is an error."
    requires_system_checks: list[Any] = []  # the doctor says what they say, too

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--store", action="append", help="only this store (repeatable)")
        parser.add_argument("--json", action="store_true", help="as JSON, as the address health answers")

    def handle(self, *args: Any, **options: Any) -> None:
        messages = [one for one in checks.check_settings() if not one.is_silenced()]
        found = health(_chosen(options["store"] or [], messages))
        problems = ordered([*(_problem(one) for one in messages), *found.problems])
        is_well = all(problem.level != ERROR for problem in problems)
        if options["json"]:
            whole = Health(found.stores, found.buffer, tuple(problems))
            self.stdout.write(json.dumps(whole.to_wire(), indent=2))
        else:
            self.stdout.write("\n".join(_report(found, problems)))
        if not is_well:
            raise CommandError(verdict(problems), returncode=1)


def _chosen(given: list[str], messages: list[CheckMessage]) -> list[str]:
    """The stores to look at. Where the settings cannot be read, there are none to be known."""
    if any(message.id == UNREADABLE for message in messages):
        raise CommandError("\n".join(str(message) for message in messages), returncode=1)
    if unknown := set(given) - set(stores()):
        raise CommandError(f"there is no store {min(unknown)!r}; there are {', '.join(stores())}", returncode=2)
    return given


def _problem(message: CheckMessage) -> Problem:
    level = ERROR if message.level >= CHECK_ERROR else WARNING
    return Problem(level, str(message.id), "", str(message.msg), message.hint or "")


def _report(found: Health, problems: list[Problem]) -> Iterator[str]:
    page = health_page(found, time.time())
    words = level_words()
    for store in page.stores:
        yield f"Store {store.name}"
        yield from _store(store)
        yield ""
    for problem in problems:
        whose = f" [{problem.store}]" if problem.store and len(page.stores) > 1 else ""
        yield f"{words[problem.level]} {problem.id}{whose}: {problem.message}"
        yield from ([f"{HINT_INDENT}{problem.hint}"] if problem.hint else [])
    yield verdict(problems) if not problems else f"\n{verdict(problems)}"


def _store(store: StoreSheets) -> Iterator[str]:
    for sheet in store.sheets:
        yield from _table(sheet)
    yield from (f"  {note}" for note in store.notes)


def _table(sheet: Sheet) -> Iterator[str]:
    """A table in columns that stand below each other."""
    rows = [(sheet.title, sheet.columns), *sheet.rows]
    first = max(len(name) for name, _ in rows)
    widths = [max(len(cells[at]) for _, cells in rows) for at in range(len(sheet.columns))]
    for name, cells in rows:
        shown = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        yield f"  {name.ljust(first)}  {'  '.join(shown)}".rstrip()
    yield ""
