"""`simmer`: from options to an exit status."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NoReturn

from .complaints import Complaints, say
from .options import CONFIGURED, Options, parse, redis_url
from .progress import Progress
from .signals import Signals, end_by

if TYPE_CHECKING:
    from .stove import Stove

SETTINGS = "DJANGO_SETTINGS_MODULE"
FEWEST_NEW = 50_000
"""Objects, before garbage is looked for among them."""


class CannotBegin(Exception):
    """Something that was asked for is not to be had."""


class Reports:
    """All that may go wrong without ending the run at once."""

    def __init__(self) -> None:
        self.bad = Complaints("bad lines")
        self.unreadable = Complaints("files that cannot be read")
        self.unwritten = Complaints("not written where it belongs")
        self.lost = Complaints("lost")

    @property
    def all(self) -> tuple[Complaints, ...]:
        return self.bad, self.unreadable, self.unwritten, self.lost

    def conclude(self, rows: int) -> int:
        """The exit status."""
        self.bad.conclude(of=rows)
        self.unreadable.conclude()
        self.unwritten.conclude()
        return int(any(one.total for one in self.all))


def program() -> NoReturn:
    """What the shell starts: quickly, and ended without taking apart what the system takes back at once anyway."""
    # What numpy loads is no garbage, and looking for some in it takes a while.
    gc.set_threshold(FEWEST_NEW)
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    # Nobody needs numpy's algebra here; its threads would take longer to start than a short run does.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    return run(parse(arguments))


def run(options: Options) -> int:
    """The exit status; a signal that ended the input ends the process, too, where nothing else is to be told."""
    with Signals() as signals:
        try:
            status = _run(options, signals)
        except BrokenPipeError:  # who read our output has had enough, as head has
            end_by(signal.SIGPIPE)
        except OSError as error:
            say(f"cannot write: {error.strerror}")
            os._exit(1)  # what is buffered cannot be written either, and Python would try to
        except CannotBegin as error:
            say(str(error))
            return 1
        caught = signals.caught
    if caught and not status:
        end_by(caught)
    return status


def _run(options: Options, signals: Signals) -> int:
    reports, began = Reports(), time.monotonic()
    with ExitStack() as opened:
        stove = _stove(options, reports, signals, opened)
        statistics = _cook(options, stove, reports, signals)
    if options.stats:
        seconds = {"seconds": round(time.monotonic() - began, 3)}
        for name, figure in (statistics | seconds).items():
            say(f"{name}: {figure:,}")
    return reports.conclude(stove.rows)


def _cook(options: Options, stove: Stove, reports: Reports, signals: Signals) -> dict[str, int]:
    """Everything from the first row to the last; returns what there is to tell of it."""
    from .stove import StrictlyBad

    source: Any
    progress = Progress(options.progress)
    packets: dict[str, int] = {}
    if options.udp:
        from .udp import Udp

        address = options.at(options.udp)
        source = _listening(lambda: Udp(address, stove, signals, reports.lost, progress))
    else:
        from .pipe import Pipe

        source = Pipe(options.files, stove, signals, reports.unreadable, progress)
    try:
        source.run()
    except StrictlyBad:
        say("stopped at the first bad line, as --strict asks")
    stove.finish()
    if options.udp:
        packets = source.statistics()
        source.close()
    return packets | stove.statistics()


def _listening(listen: Callable[[], Any]) -> Any:
    try:
        return listen()
    except OSError as error:
        raise CannotBegin(f"cannot listen there: {error.strerror}") from error


# -- stoves ------------------------------------------------------------------------------------------------------------


def _stove(options: Options, reports: Reports, signals: Signals, opened: ExitStack) -> Stove:
    if options.hail is not None:
        return _hailing(options, reports, signals)
    from .stove import Kettle

    kettle = Kettle(options, _output(options, reports, opened), reports.bad)
    if options.http:
        from .http import Http

        address = options.at(options.http)
        opened.callback(_listening(lambda: Http(address, kettle)).close)
    return kettle


def _output(options: Options, reports: Reports, opened: ExitStack) -> Any:
    from .stdout import Stdout

    stdout = Stdout(reports.unwritten)
    if options.redis is None:
        return stdout
    from ..engine.errors import HailWhaleError
    from ..engine.store.server import connect
    from ..engine.store.shelf import Shelf
    from .shelving import Shelving

    try:
        if options.redis == CONFIGURED:
            server = _pod("--redis without an address").store.server
        else:
            server = connect(redis_url(options.redis))
            opened.callback(server.close)
        Shelf(server).look(["sum:simmer"])  # better now than after an hour of rows
    except (HailWhaleError, ValueError) as error:
        raise CannotBegin(str(error)) from error
    return Shelving(Shelf(server), stdout, reports.unwritten)


def _hailing(options: Options, reports: Reports, signals: Signals) -> Stove:
    from ..engine.errors import HailWhaleError
    from .hailing import Hailing

    pod = _pod("--hail")
    try:
        pod.log.server.identity()  # whether it is there
    except HailWhaleError as error:
        raise CannotBegin(str(error)) from error
    return Hailing(
        pod.acceptor.accept_many,
        options.hail or "",
        options.timers,
        reports.bad,
        reports.lost,
        strict=options.strict,
        capacity=options.capacity,
        stopped=lambda: signals.caught,
    )


def _pod(what: str) -> Any:
    """The store that Django's settings name."""
    if SETTINGS not in os.environ:
        raise CannotBegin(f"{what} needs Django's settings: use `manage.py simmer`, or set {SETTINGS}")
    import django
    from django.apps import apps
    from django.core.exceptions import ImproperlyConfigured

    try:
        if not apps.ready:
            django.setup()
        from ..connection import pod

        return pod()
    except (ImproperlyConfigured, ImportError) as error:
        raise CannotBegin(f"{what} needs Django's settings, but {error}") from error
