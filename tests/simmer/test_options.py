"""What the command line may say, what it costs to ask, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hailwhale_django
from hailwhale_django.simmer.options import Address, Options, address, parse, redis_url
from tests.simmer.kitchen import environment, simmer

HEAVY = ("numpy", "django", "redis", "rest_framework", "asyncio", "socket", "http", "urllib.request", "email")


def loaded(code: str, rows: bytes = b"") -> set[str]:
    """The modules that a process has loaded in the end."""
    told = f"import sys\ntry:\n {code}\nexcept SystemExit: pass\nprint('loaded', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], input=rows, capture_output=True, env=environment(), check=True)
    return set(done.stdout.decode().rpartition("loaded")[2].split())


MAIN = "from hailwhale_django.simmer.command import main; main({})"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["--nonsense"]])
def test_answers_about_itself_before_anything_heavy_is_loaded(arguments: list[str]) -> None:
    modules = loaded(MAIN.format(arguments))
    assert not modules & set(HEAVY)
    assert not any(name.startswith("hailwhale_django.engine") for name in modules)


def test_numpy_waits_for_the_first_row() -> None:
    assert not loaded(MAIN.format([])) & {"numpy", "django", "redis"}
    assert loaded(MAIN.format([]), b"sum:x\t1\n") & {"numpy", "django", "redis"} == {"numpy"}


def test_help_and_version() -> None:
    done = simmer("--help")
    assert done.out.startswith(b"usage: simmer ")
    assert b"exit status: 0" in done.out
    assert simmer("--version").out.decode() == f"simmer {hailwhale_django.__version__}\n"


def test_every_option_is_in_the_guide() -> None:
    page = (Path(__file__).parents[2] / "docs/simmer.md").read_text()
    for name in Options.__dataclass_fields__:
        assert name == "files" or f"`--{name}" in page, name


def test_the_defaults_are_the_ancestors() -> None:
    assert parse([]) == Options() == parse(["-c", "5000", "-f", "0"])


def test_short_and_long_forms() -> None:
    short = parse(["-c", "7", "-f", "2", "-u", "8125", "-r", "localhost:6379", "-h", "8080"])
    long = parse(["--capacity", "7", "--flush", "2", "--udp", "8125", "--redis", "localhost:6379", "--http", "8080"])
    assert short == long
    assert (short.udp, short.http) == (Address(None, 8125), Address(None, 8080))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["-c", "0"], "'0' will not do; give a whole number from 1 on"),
        (["-c", "many"], "'many' will not do"),
        (["-c", "9" * 5000], "will not do"),
        (["-f", "-1"], "'-1' will not do"),
        (["-f", "1.5"], "'1.5' will not do; give a whole number from 0 on"),
        (["--every", "nan"], "'nan' will not do; give a number of seconds"),
        (["-u", "http"], "'http' will not do; give a port or host:port"),
        (["-u", "65536"], "'65536' will not do"),
        (["-h", "²"], "'²' will not do"),
        (["--timers", "mean"], "unknown aggregation 'mean'"),
        (["--timers", "dcy"], "give timestamp:number"),
        (["--timers", "top3:sum"], "give item:value"),
        (["--strict", "--lenient"], "not allowed with"),
        (["-u", "0", "rows.tsv"], "give either files or --udp"),
        (["--hail", "shop", "-r", "localhost:1"], "--redis does not go with --hail"),
        (["--hail", "shop", "--http", "1"], "--http does not go with --hail"),
        (["--hail", "shop", "-f", "1"], "--flush does not go with --hail"),
        (["--cap", "5"], "unrecognized arguments"),
    ],
)
def test_what_will_not_do_is_refused_with_status_2(given: list[str], why: str) -> None:
    done = simmer(*given, status=2)
    assert why in done.err
    assert done.out == b""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8125", Address(None, 8125)),
        ("0.0.0.0:8125", Address("0.0.0.0", 8125)),
        ("[::1]:8125", Address("::1", 8125)),
        (":8125", Address(None, 8125)),
    ],
)
def test_address(text: str, found: Address) -> None:
    assert address(text) == found


def test_a_host_is_for_all_that_name_none() -> None:
    options = parse(["--host", "::1", "-u", "1", "-h", "0.0.0.0:2"])
    assert options.udp and options.http
    assert (options.at(options.udp), options.at(options.http)) == (("::1", 1), ("0.0.0.0", 2))


def test_redis_is_host_and_port_or_an_address() -> None:
    assert redis_url("localhost:6379") == "redis://localhost:6379/0"
    assert redis_url("[::1]:6379") == "redis://[::1]:6379/0"
    assert redis_url("redis+cluster://a:1,b:2") == "redis+cluster://a:1,b:2"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["-r", "localhost"], "give host:port"),
        (["-r", "localhost:port"], "Port could not be cast"),
        (["-r", "gopher://localhost"], "is not an address"),
        (["-r", "127.0.0.1:1"], "the store did not answer"),
        (["-r"], "needs Django's settings: use `manage.py simmer`"),
        (["--hail", "shop"], "needs Django's settings: use `manage.py simmer`"),
        (["-u", "192.0.2.1:0"], "cannot listen there"),
        (["-h", "192.0.2.1:0"], "cannot listen there"),
    ],
)
def test_what_is_not_to_be_had_is_told_before_anything_is_read(given: list[str], why: str) -> None:
    done = simmer(*given, rows="sum:x\t1\n", status=1)
    assert why in done.err
    assert done.out == b""


def test_settings_that_cannot_be_read_are_told() -> None:
    done = simmer("--hail", "shop", status=1, DJANGO_SETTINGS_MODULE="no_such_settings")
    assert "No module named 'no_such_settings'" in done.err
    assert "Traceback" not in done.err
