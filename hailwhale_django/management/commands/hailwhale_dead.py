"""`manage.py hailwhale_dead`: events that cannot be counted: what they are, and what becomes of them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hailwhale_django import connection
from hailwhale_django.conf import DEFAULT_STORE, stores
from hailwhale_django.dashboards import letters
from hailwhale_django.engine.errors import HailWhaleError
from hailwhale_django.engine.pod import Pod

ALL = "all"


class Command(BaseCommand):
    help = "List events that cannot be counted (dead letters), count them again, or discard them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--store", default=DEFAULT_STORE, choices=stores(), help="whose (default: default)")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--list", action="store_true", help="show all, newest first, each with its id")
        what.add_argument("--replay", nargs="+", metavar="ID", help="count these again, each once; or all")
        what.add_argument("--discard", nargs="+", metavar="ID", help="forget these for ever; or all")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            pod = connection.pod(options["store"])
            if options["list"]:
                self._list(pod)
            elif options["replay"]:
                self._replay(pod, _ids(pod, options["replay"]))
            else:
                self.stdout.write(f"{letters.discard(pod, _ids(pod, options['discard'])):,} discarded")
        except HailWhaleError as error:
            raise CommandError(str(error)) from error

    def _list(self, pod: Pod) -> None:
        page = letters.letters_page(pod, 1)
        for number in range(1, page.pages + 1):
            for letter in (page if number == 1 else letters.letters_page(pod, number)).letters:
                what = letter.metrics or "all of it"
                self.stdout.write(f"{letter.id}  {letter.age}  {letter.counter or '(no counter)'}  {what}")
                self.stdout.write(f"    {letter.reason}\n    {letter.line}")
        self.stdout.write(f"{page.count:,} in all")

    def _replay(self, pod: Pod, ids: list[str]) -> None:
        done = letters.replay(pod, ids)
        for letter, reason in done.refused:
            self.stderr.write(f"{letter.id}  {reason}")
        self.stdout.write(f"{done.counted:,} counted, {done.gone:,} not there, {len(done.refused):,} still not counted")
        if done.refused:
            raise CommandError("what was not counted is still there", returncode=1)


def _ids(pod: Pod, given: list[str]) -> list[str]:
    if given != [ALL]:
        return given
    return [letter.id for stream in pod.log.streams() for letter in pod.drain.dead.letters(stream)]
