"""The docs say what is so: their examples run, and what there is to know is told.

Each page's `python` blocks run in order in one namespace, against a real and empty server, on Saturday 21 November 2026
at 23:42 UTC. Blocks with `>>>` are doctests. Of other blocks `HAILWHALE` is checked and used from there on. An `http`
block is a request, an empty line, and the status and body that must answer it. A `django` block is a template. Of a
`console` block each `$` line is run by a shell, in one directory per page, and must say on stdout and stderr, together,
what follows it; `localhost:6379` is that server.
"""

from __future__ import annotations

import ast
import doctest
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import Client, override_settings
from django.test.utils import isolate_apps

from hailwhale_django import HailWhaleModel, Whale, checks, conf, health, permissions, serializers, urls
from hailwhale_django.alerts import overdue
from hailwhale_django.dashboards.state import PARAMETERS as ADMIN_PARAMETERS
from hailwhale_django.engine import errors, problems
from hailwhale_django.engine.domain import formula, period_grammar, query
from hailwhale_django.engine.domain.period import PRESETS
from hailwhale_django.engine.domain.plan import Schedule
from hailwhale_django.models import DeadLetter, Health, Live
from hailwhale_django.templatetags import hailwhale

ROOT = Path(__file__).parent.parent
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [page for page in (ROOT / "README.md", *DOCS) if page.exists()]
EVERY_TEXT = [*PAGES, ROOT / "CHANGELOG.md"]

NOW = datetime(2026, 11, 21, 23, 42, tzinfo=UTC)
LONGEST_LINE = 120

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; `line` is the line number of its first line, from 0."""

    page: Path
    language: str
    text: str
    line: int

    @property
    def name(self) -> str:
        return f"{self.page.name}, line {self.line + 1}"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in FENCED.finditer(text):
        yield Block(page, found[1], found[2], text.count("\n", 0, found.start(2)))


def named(page: str) -> str:
    return (ROOT / "docs" / page).read_text(encoding="utf-8")


# --- examples run


@pytest.fixture
def asked(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty server, and the clock at `NOW`."""
    # The server's own clock goes on: in some years it would drop what is counted here as soon as it is counted.
    monkeypatch.setattr(Schedule, "expires_at", lambda schedule, column: None)
    with time_machine.travel(NOW, tick=False):
        yield redis_url


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples(page: Path, asked: str, tmp_path: Path) -> None:
    with ExitStack() as settings, isolate_apps("tests"):
        settings.enter_context(override_settings(HAILWHALE={"REDIS": asked}))
        namespace: dict[str, Any] = {"__name__": f"tests.docs.{page.stem}"}
        for block in blocks(page):
            if block.language == "http":
                run_http(block)
            elif block.language == "console":
                run_console(block, asked, tmp_path)
            elif block.language == "django":
                with override_settings(DEBUG=True):  # where tags raise
                    Template("{% load hailwhale %}" + block.text).render(Context(namespace))
            elif block.language == "python" and ">>>" in block.text:
                run_doctest(block, namespace)
            elif block.language == "python":
                exec(compile(block.text, block.name, "exec"), namespace)
                if "CACHES" in namespace:
                    settings.enter_context(override_settings(CACHES=namespace.pop("CACHES")))
                if "HAILWHALE" in namespace:
                    use(namespace.pop("HAILWHALE"), asked, settings)


def run_doctest(block: Block, namespace: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(block.text, namespace, block.name, str(block.page), block.line)
    said: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append, clear_globs=False)
    assert not said, "".join(said)
    namespace.update(test.globs)


def use(written: Mapping[str, Any], url: str, settings: ExitStack) -> None:
    """Check settings as they are written; then let them hold, on the server of this test."""
    with override_settings(HAILWHALE=written):
        for store in conf.stores():
            conf.get_settings(store)
    stores = {name: {"PREFIX": name} | store | {"REDIS": url} for name, store in written.get("STORES", {}).items()}
    settings.enter_context(override_settings(HAILWHALE={**written, "REDIS": url, "STORES": stores}))


def run_http(block: Block) -> None:
    asked, _, answered = re.split(r"^(?=(\d{3}) )", block.text, maxsplit=1, flags=re.MULTILINE)
    head, _, body = asked.strip().partition("\n\n")
    (method, url), *headers = [line.split(maxsplit=1) for line in head.split("\n")]
    sent = {f"HTTP_{name.rstrip(':').upper().replace('-', '_')}": value for name, value in headers}
    kind = sent.pop("HTTP_CONTENT_TYPE", "application/json")
    client = Client()
    if "key=" not in url and not sent:
        client.force_login(User.objects.get_or_create(username="ada", is_staff=True, is_superuser=True)[0])
    found = client.generic(method, url, body, content_type=kind, **sent)
    is_json = found["Content-Type"].startswith("application/json")
    text = json.dumps(found.json(), ensure_ascii=False) if is_json else found.getvalue().decode("utf-8-sig")
    got = f"{found.status_code} {found.reason_phrase}\n{text}"
    without_space = (re.sub(r"\s", "", one) + "\n" for one in (answered, got))
    assert doctest.OutputChecker().check_output(*without_space, FLAGS), f"{block.name} answers\n{got}"


COMMANDS = {"simmer": "-m hailwhale_django.simmer", "manage.py": shlex.quote(str(ROOT / "manage.py"))}
PROMPT = re.compile(r"^\$ ", re.MULTILINE)
HERE_DOCUMENT = re.compile(r"<<(\w+)\n.*?^\1\n", re.MULTILINE | re.DOTALL)


def run_console(block: Block, url: str, directory: Path) -> None:
    """In one shell, so that `$?` is the status of the command before."""
    commands, expected = zip(*map(console_step, PROMPT.split(block.text)[1:]), strict=True)
    ended = "--- end of step ---\n"
    script = "\n".join(
        f"{command}\n_status=$?; printf %s {shlex.quote(ended)}; (exit $_status)" for command in commands
    )
    script = script.replace("localhost:6379", url.removeprefix("redis://"))
    functions = "".join(
        f'{name}() {{ {shlex.quote(sys.executable)} {call} "$@"; }}\n' for name, call in COMMANDS.items()
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HAILWHALE_REDIS_URL": url}
    done = subprocess.run(
        ["bash", "-c", functions + script],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    for command, wanted, got in zip(commands, expected, done.stdout.split(ended), strict=False):
        assert doctest.OutputChecker().check_output(wanted, got, FLAGS), f"{block.name}: {command}says\n{got}"


def console_step(step: str) -> tuple[str, str]:
    """A command, with the document that it reads, and what it says."""
    document = HERE_DOCUMENT.search(step)
    end = document.end() if document else step.index("\n") + 1
    return step[:end], step[end:]


# --- everything is told


@pytest.mark.parametrize("name", conf.NAMES)
def test_setting_is_told_with_its_default(name: str) -> None:
    row = re.search(rf"^\| \[`{name}`\]\(#[^)]+\) \| [^|]+ \| `(.+)` \|$", named("settings.md"), re.MULTILINE)
    assert row, f"no row for {name} in the table of docs/settings.md"
    assert ast.literal_eval(row[1]) == getattr(conf.Settings(), name)
    assert re.search(rf"^### {name}$", named("settings.md"), re.MULTILINE), "it has no section"


def test_environment_variable_is_told() -> None:
    assert conf.ENVIRONMENT_URL in named("settings.md")


def test_checks_are_told() -> None:
    ids = set(re.findall(r"hailwhale\.[EW]\d{3}", inspect.getsource(checks)))
    assert ids
    assert ids == set(re.findall(r"hailwhale\.[EW]\d{3}", named("settings.md")))


def test_problems_of_health_are_told() -> None:
    sources = inspect.getsource(problems) + inspect.getsource(health) + inspect.getsource(overdue)
    ids = set(re.findall(r"hailwhale\.H\d{3}", sources))
    assert ids
    assert ids == set(re.findall(r"hailwhale\.H\d{3}", named("health.md")))


def test_permissions_are_told() -> None:
    for model in (Health, Live, DeadLetter):
        for action in model._meta.default_permissions:
            assert f"hailwhale_django.{action}_{model._meta.model_name}" in named("health.md")


def test_commands_are_told() -> None:
    for command in (ROOT / "hailwhale_django/management/commands").glob("hailwhale_*.py"):
        assert f"manage.py {command.stem}" in "".join(map(Path.read_text, DOCS))


@pytest.mark.parametrize("name", [pattern.name for pattern in urls.urlpatterns])
def test_endpoint_is_told(name: str) -> None:
    assert re.search(rf"^### {name}$", named("json.md"), re.MULTILINE)


@pytest.mark.parametrize(
    ("endpoint", "parameter"),
    [
        (pattern.name, parameter)
        for pattern in urls.urlpatterns
        if hasattr(pattern.callback, "view_class")
        for parameter in pattern.callback.view_class.serializer_class().fields
    ],
)
def test_parameter_is_told(endpoint: str, parameter: str) -> None:
    section = re.search(rf"^### {endpoint}$(.*?)^##", named("json.md") + "\n##", re.MULTILINE | re.DOTALL)
    assert section
    same = "### count" if endpoint == "count_now" else section[1]
    assert f"`{parameter}`" in (named("json.md") if endpoint == "count_now" else same)


def test_spellings_and_headers_are_told() -> None:
    text = named("json.md")
    for first, second in serializers.TWINS:
        assert f"`{first}`" in text
        assert f"`{second}`" in text
    assert permissions.KEY_HEADER in text


@pytest.mark.parametrize("name", hailwhale.register.tags)
def test_tag_is_told_with_its_arguments(name: str) -> None:
    section = re.search(rf"^### {name}$(.*?)^##", named("tags.md") + "\n##", re.MULTILINE | re.DOTALL)
    assert section
    for argument in inspect.signature(getattr(hailwhale, name)).parameters.values():
        if argument.name == "context":
            continue  # which Django gives
        # What follows are other spellings.
        assert argument.kind is argument.KEYWORD_ONLY or f"`{argument.name}`" in section[1]


@pytest.mark.parametrize("script", ["tracker", "decide"])
def test_what_a_script_reads_is_told(script: str) -> None:
    source = (ROOT / f"hailwhale_django/static/hailwhale_django/js/{script}.js").read_text(encoding="utf-8")
    names = re.search(r"const \{ (.+) \} = document.currentScript.dataset", source)
    assert names
    for name in names[1].split(", "):
        assert f"`data-{name}`" in named("pixel.md")


def public(of: type) -> list[str]:
    kinds = (classmethod, staticmethod, property)
    members = vars(of).items()
    return [name for name, it in members if name[0] != "_" and (isinstance(it, kinds) or inspect.isfunction(it))]


@pytest.mark.parametrize("name", public(Whale))
def test_method_of_whale_is_told(name: str) -> None:
    assert f"Whale.{name}" in "".join(map(Path.read_text, DOCS))


@pytest.mark.parametrize("name", public(HailWhaleModel))
def test_method_of_models_is_told(name: str) -> None:
    assert re.search(rf"[.`]{name}\b", named("counting.md") + named("reading.md") + named("ranking.md"))


def words(*several: Any) -> list[str]:
    return sorted({word for some in several for word in some if word})


@pytest.mark.parametrize("word", words((text for text, _ in PRESETS), period_grammar._WORDS, period_grammar._CALENDAR))
def test_period_is_told(word: str) -> None:
    assert f"`{word}`" in named("reading.md")


@pytest.mark.parametrize("word", words(formula.CONSTANTS))
def test_constant_is_told(word: str) -> None:
    assert f"`{word}`" in named("reading.md")


@pytest.mark.parametrize("word", words(formula.CARRIES))
def test_suffix_is_told(word: str) -> None:
    assert f"`:{word}`" in named("reading.md")


@pytest.mark.parametrize("word", words(formula.LEVELS))
def test_level_is_told(word: str) -> None:
    assert f"@{word}`" in named("reading.md")


@pytest.mark.parametrize("word", words(query.ASPECTS, query.NAME_TESTS, query.VALUE_TESTS))
def test_orders_and_filters_are_told(word: str) -> None:
    assert f"`{word}`" in named("ranking.md")


@pytest.mark.parametrize("parameter", ADMIN_PARAMETERS.values())
def test_parameter_of_the_admin_is_told(parameter: str) -> None:
    assert f"`{parameter}`" in named("admin.md")


@pytest.mark.parametrize(
    "name", [name for name, it in vars(errors).items() if inspect.isclass(it) and issubclass(it, Exception)]
)
def test_error_is_told(name: str) -> None:
    assert f"`{name}`" in named("counting.md")


# --- and holds together


@pytest.mark.parametrize("page", EVERY_TEXT, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {link}"


def anchors(page: Path) -> set[str]:
    """What headings are called in addresses, as GitHub makes it of their text."""
    headings = HEADING.findall(FENCED.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", EVERY_TEXT, ids=lambda page: page.name)
def test_lines_fit(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").split("\n")
    assert [line for line in lines if len(line) > LONGEST_LINE and "](http" not in line] == []


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_index_lists_page(page: Path) -> None:
    assert page.name == "index.md" or f"]({page.name})" in named("index.md")
