"""What the command line says. Nothing is imported here that takes time: `simmer --help` answers at once."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from .. import __version__

LOOPBACK = "127.0.0.1"
CONFIGURED = "configured"
"""`-r` without a value: the server in Django's settings."""

DESCRIPTION = """\
Combine the values of each key: rows in (key, tab, value), aggregates out (key, machine value, human value).
The beginning of a key says how: sum:x, uv:visitor, pct95:latency, top10:sum:path.
What comes out may go in again, mixed with raw values."""

EPILOG = """\
exit status: 0 all went well; 1 a line was bad, or something could not be read or written (stderr says what);
2 the command line is wrong. Stopped by SIGINT or SIGTERM, simmer writes what it has and ends by that signal."""


class Address(NamedTuple):
    """Where to listen; without a host, where `--host` says."""

    host: str | None
    port: int


@dataclass(frozen=True, slots=True)
class Options:
    capacity: int = 5000
    flush: int = 0
    every: float = 0.0
    udp: Address | None = None
    redis: str | None = None
    http: Address | None = None
    host: str = LOOPBACK
    hail: str | None = None
    timers: tuple[str, ...] = ("pct50", "pct95")
    sorted: bool = False
    strict: bool = False
    progress: bool = False
    stats: bool = False
    files: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """From what argparse has read, which may hold more. Raises `ValueError` for what contradicts itself."""
        chosen = {field.name: given[field.name] for field in fields(cls) if field.name in given}
        return cls(**chosen | {"files": tuple(chosen.get("files", ()))})._checked()

    def _checked(self) -> Options:
        if self.udp and self.files:
            raise ValueError("give either files or --udp: rows come from one of them")
        if self.hail is not None:
            for name in ("redis", "http", "flush", "every", "sorted"):
                if getattr(self, name):
                    raise ValueError(f"--{name} does not go with --hail: rows that are events are not aggregated here")
        return self

    def at(self, address: Address) -> tuple[str, int]:
        return address.host or self.host, address.port


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Ends the process for what will not do, with status 2, and for --help and --version."""
    parser = argparse.ArgumentParser(
        "simmer",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    add_to(parser)
    parser.add_argument("--help", action="help", help="show this and end")
    parser.add_argument("--version", action="version", version=f"simmer {__version__}")
    try:
        return Options.of(vars(parser.parse_args(arguments)))
    except ValueError as error:
        parser.error(str(error))


def add_to(parser: argparse.ArgumentParser) -> None:
    """All options, but for --help and --version, which Django's commands have of their own."""
    default = Options()
    add = parser.add_argument
    add(
        "-c",
        "--capacity",
        type=_at_least(1),
        default=default.capacity,
        metavar="KEYS",
        help="how many keys it holds: one more, and the least recently used one is written out (default 5000)",
    )
    add(
        "-f",
        "--flush",
        type=_at_least(0),
        default=default.flush,
        metavar="VALUES",
        help="write a key out after so many values (default 0: at the end)",
    )
    add(
        "--every",
        type=_seconds,
        default=default.every,
        metavar="SECONDS",
        help="write all keys out every so often (default 0: at the end)",
    )
    add(
        "-u",
        "--udp",
        type=address,
        metavar="[HOST:]PORT",
        help="take rows and statsd lines from UDP packets, not from stdin",
    )
    add(
        "-r",
        "--redis",
        nargs="?",
        const=CONFIGURED,
        metavar="HOST:PORT",
        help="merge into Redis instead of writing to stdout; also redis://, rediss://, unix:// or "
        "redis+cluster://host:port,host:port",
    )
    add(
        "-h",
        "--http",
        type=address,
        metavar="[HOST:]PORT",
        help="answer GET /KEY with the human value, of Redis and memory together",
    )
    add("--host", default=default.host, help="where to listen, unless --udp or --http says (default 127.0.0.1)")
    add(
        "--hail",
        metavar="PK",
        help="make events of rows, for the hail of Django's settings; on this counter, unless a row names one",
    )
    add(
        "--timers",
        type=_recipes,
        default=default.timers,
        metavar="RECIPES",
        help="what statsd's timers are kept as (default pct50,pct95)",
    )
    add(
        "--sorted",
        action="store_true",
        help="the same keys follow each other, as in a reducer: write each out as it ends",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--strict", action="store_true", help="stop at the first bad line, and write what came before it")
    how.add_argument("--lenient", dest="strict", action="store_false", help="report bad lines and skip them (default)")
    add("--progress", action="store_true", help="say on stderr, every second, how many rows there were")
    add("--stats", action="store_true", help="say on stderr, in the end, what was done")
    add("files", nargs="*", metavar="FILE", help="what to read, - for stdin (default: stdin)")


def address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port[:6]) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} will not do; give a port or host:port, e.g. 8125 or 0.0.0.0:8125")
    return Address(host.strip("[]") or None, int(port))


def redis_url(text: str) -> str:
    """The address of a server: as it is, or of host:port. Raises `ValueError`."""
    if "://" in text:
        return text
    from urllib.parse import urlsplit

    found = urlsplit(f"//{text}")
    if not found.hostname or found.port is None:
        raise ValueError(f"--redis {text!r} will not do; give host:port or an address, e.g. redis://localhost:6379/0")
    return f"redis://{text}/0"


def _at_least(least: int) -> Any:
    def whole(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) >= least):
            raise argparse.ArgumentTypeError(f"{text!r} will not do; give a whole number from {least} on")
        return int(text)

    return whole


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} will not do; give a number of seconds, 0 for never")
    return seconds


def _recipes(text: str) -> tuple[str, ...]:
    from ..engine.errors import InvalidInput
    from ..engine.simmer.recipe import parse as parse_key

    recipes = tuple(text.split(","))
    try:
        for recipe in recipes:
            parse_key(f"{recipe}:name").aggregation.prepare(["1"])
    except InvalidInput as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return recipes
