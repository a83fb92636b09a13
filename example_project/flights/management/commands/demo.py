"""`manage.py demo`: everything up, filled and open to look at; and one Ctrl-C ends it all."""

from __future__ import annotations

import os
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler, get_internal_wsgi_application
from redis.exceptions import RedisClusterException, RedisError

from example_project import home
from example_project.children import Child, ChildFailed
from example_project.entrance import USER
from example_project.flights.events import NEW_YORK
from example_project.flights.load import FLIGHTS, Incomplete, connect, earlier, load
from example_project.lock import AlreadyHeld, held
from example_project.ports import HIGHEST, HOST, is_free, next_free_port
from example_project.shop import past
from example_project.shop.history import DAYS
from example_project.valkey import Valkey, ValkeyFailed, end_orphan
from hailwhale_django import buffer
from hailwhale_django.engine.errors import HailWhaleError
from hailwhale_django.models import Dashboard

DEFAULT_PORT = 8000
DASHBOARDS = Path(__file__).parents[3] / "dashboards"
FEWEST_DAYS = 3
# One process does one task at a time, and starts in a second. Beat remembers nothing: what is due every second is due.
CELERY = ["celery", "--app", "example_project", "--quiet"]
CHILDREN = {
    "worker": [*CELERY, "worker", "--pool=solo", "--loglevel=WARNING", "--without-gossip", "--without-mingle"],
    "beat": [*CELERY, "beat", "--scheduler=celery.beat:Scheduler", "--loglevel=WARNING"],
}


class Command(BaseCommand):
    help = "Start a Redis server and a Celery worker, load 336,776 flights, and serve them and a shop at one URL."
    # The checks may ask the server, so they run in `prepare`, when it is there.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reload", action="store_true", help="load the flights again, to end today")

    def handle(self, *args: Any, reload: bool, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
                signal.signal(number, interrupt)
        if problem := home.unwritable(home.DIRECTORY):
            raise CommandError(problem)
        try:
            with held(home.DIRECTORY / "demo.lock") as tell, self.web() as web, self.redis():
                url = f"http://{HOST}:{web.server_port}/"
                tell(f"at {url}")
                self.prepare()
                with self.celery() as children:
                    self.fill(reload)
                    self.serve(web, url, children)
        except KeyboardInterrupt:
            self.say("\nEnded. What was counted is kept for the next time.")
        except AlreadyHeld as other:
            raise CommandError(
                f"A demo is already running in {home.DIRECTORY}, {other.about}. "
                f"Look at that one, or end it first: Ctrl-C in its terminal, or kill {other.pid}"
            ) from None
        except (ChildFailed, HailWhaleError, Incomplete, ValkeyFailed) as failure:
            raise CommandError(str(failure)) from None
        except (RedisError, RedisClusterException) as failure:
            raise CommandError(f"The server at {settings.REDIS_URL} does not do: {failure}") from None

    @contextmanager
    def web(self) -> Iterator[ThreadedWSGIServer]:
        """Take the port now, so that a taken one is known before the long work and not after it."""
        server = ThreadedWSGIServer((HOST, self.port()), WSGIRequestHandler)
        try:
            yield server
        finally:
            server.server_close()

    def port(self) -> int:
        wanted = os.environ.get("PORT")
        port = int(wanted) if wanted and wanted.isdecimal() else DEFAULT_PORT
        if wanted and not (wanted.isdecimal() and 0 < port <= HIGHEST):
            raise CommandError(f"PORT={wanted} is no port: choose a number from 1 to {HIGHEST}, e.g. PORT=8123")
        if is_free(port):
            return port
        free = next_free_port(port)
        if wanted:
            raise CommandError(f"Port {port} is taken. The next free one: PORT={free} make demo")
        self.say(f"Port {port} is taken, so this will be on port {free}. To choose one: PORT=8123 make demo")
        return free

    @contextmanager
    def redis(self) -> Iterator[None]:
        """The server that the settings name: somebody's own, which is left alone, or else one of ours."""
        if os.environ.get("HAILWHALE_REDIS_URL"):
            yield
            return
        directory, port = home.valkey_directory(), home.valkey_port()
        if not end_orphan(directory, port):
            home.move_valkey_port()
            # The settings name the old port. The same command line reads them anew, in this same process.
            os.execv(sys.executable, sys.orig_argv)
        server = Valkey(directory, port, appendonly="yes", appendfsync="everysec")
        try:
            server.start()
            yield
        finally:
            self.ignore_signals()
            server.stop()

    @contextmanager
    def celery(self) -> Iterator[list[Child]]:
        """A worker that drains the hail, and the beat that tells it to, every second."""
        children = [Child(name, words, home.DIRECTORY / f"{name}.log") for name, words in CHILDREN.items()]
        try:
            for child in children:
                child.start()
            yield children
        finally:
            self.ignore_signals()
            buffer.flush()
            for child in children:
                child.tell_to_end()
            for child in children:
                child.stop()

    def ignore_signals(self) -> None:
        """Who presses Ctrl-C twice still gets the counts written out."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)

    def prepare(self) -> None:
        self.check()
        call_command("migrate", verbosity=0, interactive=False)
        user, _ = get_user_model().objects.get_or_create(
            username=USER, defaults={"is_staff": True, "is_superuser": True}
        )
        if not user.check_password(home.password()):
            user.set_password(home.password())
            user.save()
        for file in sorted(DASHBOARDS.glob("*.yaml")):
            if not Dashboard.objects.filter(slug=file.stem).exists():  # what somebody has changed stays so
                call_command("hailwhale_dashboards", load=[str(file)], owner=None, stdout=StringIO())

    def fill(self, reload: bool) -> None:
        wanted = int(os.environ.get("HAILWHALE_DEMO_ROWS") or FLIGHTS)
        today = datetime.now(NEW_YORK).date()
        with connect(settings.REDIS_URL) as client:
            loaded = earlier(client)
            if reload or not loaded or not loaded.serves(wanted):
                self.say(f"Loading {wanted:,} flights of 2013, moved in time so that the year ends today")
                loaded = load(client, wanted, today, sys.stderr)
            self.say(f"{loaded.flights:,} flights, of the year that ends on {loaded.ends}")
            if loaded.ends != today.isoformat():
                self.say("To move them up to today: make demo RELOAD=1")
            self.fill_shop(client, reload, wanted)

    def fill_shop(self, client: Any, reload: bool, wanted: int) -> None:
        """The shop's past, shorter where fewer flights are asked for."""
        days = max(DAYS * wanted // FLIGHTS, FEWEST_DAYS)
        if past.is_there(client) and not reload:
            return
        self.say(f"Making up {days} days of the shop, so that there is something to look at")
        self.say(f"{past.load(client, days, datetime.now(NEW_YORK), sys.stderr):,} events of the shop")

    def serve(self, web: ThreadedWSGIServer, url: str, children: list[Child]) -> None:
        web.set_app(StaticFilesHandler(get_internal_wsgi_application()))
        # Called between requests, and every half second when there are none.
        web.service_actions = lambda: [child.watch(self.say) for child in children]
        entrance, password = f"{url}enter/{home.entrance()}/", home.password()
        self.say(f"\n  Open      {entrance}\n  User      {USER}\n  Password  {password}\n  Mails     {settings.MAILS}")
        self.say("\nCtrl-C ends it all.")
        web.serve_forever()

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def interrupt(*_: object) -> None:
    """To be told to end is the same as Ctrl-C."""
    raise KeyboardInterrupt
