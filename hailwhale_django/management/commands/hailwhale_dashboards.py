"""`manage.py hailwhale_dashboards`: dashboards as files, to be kept in a repository."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from hailwhale_django import documents
from hailwhale_django.dashboard_models import Dashboard
from hailwhale_django.documents import Document
from hailwhale_django.engine.errors import InvalidInput

STDIN = "-"


class Command(BaseCommand):
    help = "Load dashboards from files (YAML or JSON), write them out, check files, or list what there is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--load", nargs="+", metavar="FILE", help="create or replace, all or none; -: standard input")
        what.add_argument("--dump", nargs="*", metavar="SLUG", help="write these out, or all")
        what.add_argument("--check", nargs="+", metavar="FILE", help="say what is wrong with files, and load nothing")
        what.add_argument("--list", action="store_true", help="show all, with their numbers of panels and owners")
        parser.add_argument("--format", choices=("yaml", "json"), default="yaml", help="of --dump (default: yaml)")
        parser.add_argument("--owner", metavar="USERNAME", help="with --load, whose those are that it creates")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["load"]:
            self._load(_checked(options["load"]), _owner(options["owner"]))
        elif options["check"]:
            found = _checked(options["check"])
            self.stdout.write(f"{len(found):,} dashboard{'' if len(found) == 1 else 's'}, nothing is wrong")
        elif options["list"]:
            self._list()
        else:
            self._dump(options["dump"], options["format"])

    def _load(self, found: list[Document], owner: Any) -> None:
        with transaction.atomic():
            done = [documents.load(one.given, owner) for one in found]
        for board, outcome in done:
            self.stdout.write(f"{outcome:9}  {board.slug}")

    def _dump(self, slugs: list[str], form: documents.Format) -> None:
        rows = {board.slug: board for board in Dashboard.objects.order_by("slug")}
        if unknown := [slug for slug in slugs if slug not in rows]:
            raise CommandError(f"there is no dashboard {', '.join(unknown)}; known are {', '.join(rows) or 'none'}")
        found = []
        for slug in slugs or rows:
            try:
                found.append(documents.dump(rows[slug]))
            except InvalidInput as error:
                raise CommandError(f"{slug}: {error}") from error
        self.stdout.write(_written(found, form), ending="")

    def _list(self) -> None:
        for board in Dashboard.objects.select_related("owner").prefetch_related("panels").order_by("slug"):
            owner = board.owner.get_username() if board.owner else "nobody"
            self.stdout.write(f"{board.slug}  {board.title}  {len(board.panels.all())} panels  {owner}")


def _checked(files: list[str]) -> list[Document]:
    """The documents of these files, if all of them are fine."""
    found: list[Document] = []
    complaints: list[str] = []
    for file in files:
        try:
            found += documents.read(_raw(file), "standard input" if file == STDIN else file)
        except InvalidInput as error:
            complaints.append(str(error))
    complaints += documents.complaints(found)
    if complaints:
        raise CommandError("\n".join(complaints))
    return found


def _raw(file: str) -> bytes:
    """As much of a file as is read at all."""
    most = documents.MAX_BYTES + 1
    if file == STDIN:
        return sys.stdin.buffer.read(most)
    try:
        with Path(file).open("rb") as opened:
            return opened.read(most)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from error


def _owner(name: str | None) -> Any:
    if name is None:
        return None
    users: Any = get_user_model()
    try:
        return users._default_manager.get_by_natural_key(name)
    except users.DoesNotExist as error:
        raise CommandError(f"there is no user {name}") from error


def _written(found: list[dict[str, Any]], form: documents.Format) -> str:
    try:
        return documents.write(found, form)
    except InvalidInput as error:
        raise CommandError(str(error)) from error
