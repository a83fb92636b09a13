"""Who may import whom: each library has one door, and inside the engine imports point inward."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "hailwhale_django"
ENGINE = PACKAGE / "engine"
PURE = [path for part in ("domain", "simmer", "decide", "explain") for path in sorted((ENGINE / part).rglob("*.py"))]

# What each may import of the engine, besides itself: from the heart outward.
RINGS = {
    "errors": set(),
    "simmer": {"errors"},
    "domain": {"simmer", "errors"},
    "decide": {"domain", "errors"},
    "explain": {"domain", "errors"},
    "fold": {"domain", "errors"},
    "gathering": {"fold", "simmer", "domain"},
    "store": {"fold", "simmer", "domain", "errors"},
    "placement": {"store", "fold", "domain", "errors"},
    "packing": {"gathering", "placement", "store", "fold", "domain", "errors"},
    "recorder": {"gathering", "packing", "placement", "store", "fold", "domain", "errors"},
    "unions": {"store", "domain", "errors"},
    "measures": {"unions", "store", "domain", "errors"},
    "reader": {"measures", "store", "fold", "domain", "errors"},
    "acceptor": {"store", "domain", "errors"},
    "marked": {"packing", "placement", "recorder", "store", "fold", "domain", "errors"},
    "drain": {"marked", "store", "errors"},
    "replay": {"packing", "placement", "recorder", "store", "fold", "domain", "errors"},
    "health": {"store", "errors"},
    "problems": {"health", "store"},
    "fits": {"decide", "store", "domain"},
    "chooser": {"fits", "decide", "store", "domain", "errors"},
    "experiment": {"chooser", "fits", "decide", "store", "domain"},
    "findings": {"experiment", "chooser", "decide", "store", "errors"},
    "hindsight": {"experiment", "chooser", "decide", "store", "domain", "errors"},
    "decider": {"chooser", "decide", "store", "domain", "errors"},
    "tabling": {"explain", "measures", "store", "fold", "domain"},
    "explainer": {"tabling", "explain", "measures", "store", "fold", "domain", "errors"},
    "pod": {
        "explainer",
        "explain",
        "chooser",
        "decider",
        "experiment",
        "acceptor",
        "drain",
        "reader",
        "recorder",
        "store",
        "domain",
        "errors",
    },
    "shapes": {"pod", "domain", "errors"},
}

# Which files may import a library.
DOORS = {
    "redis": {"engine/store", "connection.py"},
    "django_redis": {"connection.py"},
    "rest_framework": {
        "serializers.py",
        "views.py",
        "inlets.py",
        "decision_views.py",
        "annotation_views.py",
        "monitor.py",
        "permissions.py",
    },
    "celery": {"tasks.py"},
    "numpy": {"engine"},
    "ua_parser": {"agents.py"},
    "yaml": {"yaml_documents.py"},
    "crawleruseragents": {"agents.py"},
    "maxminddb": {"countries.py"},
}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, by its full name; of `from x import y` both x and x.y."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    package = parts if path.name == "__init__.py" else parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join((*(part for part in base if part != "__init__"), *filter(None, [node.module])))
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


def of_the_engine(name: str) -> str | None:
    """Which part of the engine a module belongs to."""
    begin = "hailwhale_django.engine."
    return name.removeprefix(begin).split(".")[0] if name.startswith(begin) else None


@pytest.mark.parametrize("path", sorted(ENGINE.rglob("*.py")), ids=lambda path: str(path.relative_to(ENGINE)))
def test_the_engine_is_plain_python(path: Path) -> None:
    for name in imports(path):
        top = name.split(".")[0]
        assert top not in ("django", "rest_framework", "celery", "django_redis"), name
        if top == "hailwhale_django":
            assert name.startswith("hailwhale_django.engine"), name


@pytest.mark.parametrize("path", sorted(ENGINE.rglob("*.py")), ids=lambda path: str(path.relative_to(ENGINE)))
def test_inside_the_engine_imports_point_inward(path: Path) -> None:
    part = path.relative_to(ENGINE).parts[0].removesuffix(".py")
    if part == "__init__":
        assert not list(imports(path))
        return
    for name in imports(path):
        imported = of_the_engine(name)
        assert imported in (None, part) or imported in RINGS[part], f"{part} imports {name}"


def test_every_part_of_the_engine_is_in_a_ring() -> None:
    parts = {path.stem for path in ENGINE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert parts - {"__init__"} == set(RINGS)


def test_pure_code_reads_no_clock_and_throws_no_dice() -> None:
    for path in (*PURE, ENGINE / "fold.py", ENGINE / "errors.py"):
        names = {name.split(".")[0] for name in imports(path)}
        assert not names & {"time", "random", "secrets", "uuid", "redis", "socket", "threading"}, path
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("utcnow", "today"), f"{path}: {node.attr}"
                is_now = node.attr == "now" and isinstance(node.value, ast.Name) and node.value.id == "datetime"
                assert not is_now, f"{path}: datetime.now"


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_one_door(library: str) -> None:
    for path in modules():
        if any(name.split(".")[0] == library for name in imports(path)):
            where = path.relative_to(PACKAGE).as_posix()
            assert any(where == door or where.startswith(f"{door}/") for door in DOORS[library]), where


def test_nothing_is_called_by_what_it_is_for_lack_of_a_name() -> None:
    for path in (*PACKAGE.rglob("*"), *(ROOT / "tests").rglob("*"), *(ROOT / "example_project").rglob("*")):
        assert path.stem not in ("utils", "util", "helpers", "helper", "common", "misc"), path


def test_there_is_no_eval() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile", "__import__"), path


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "HAILWHALE"))}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, env=clean | environment, capture_output=True, text=True
    )


NO_CONNECTIONS = """
import socket
def refuse(*_):
    raise AssertionError("a connection was opened")
socket.socket.connect = socket.socket.connect_ex = refuse
"""


def test_importing_needs_no_settings_and_opens_no_connection() -> None:
    done = run(
        NO_CONNECTIONS
        + """
import hailwhale_django
from hailwhale_django import Whale
import hailwhale_django.engine.pod, hailwhale_django.engine.shapes
print(hailwhale_django.__version__, Whale.store)
"""
    )
    assert done.stderr == ""
    assert done.stdout.split()[1] == "default"


def test_starting_django_opens_no_connection() -> None:
    done = run(
        NO_CONNECTIONS
        + """
import django
django.setup()
from hailwhale_django import HailWhaleModel, Whale
from django.core.checks import run_checks
print([message.id for message in run_checks()])
""",
        DJANGO_SETTINGS_MODULE="tests.settings",
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "[]"


def test_the_engine_does_without_django() -> None:
    done = run(
        """
import sys
sys.modules["django"] = None
import hailwhale_django.engine.pod, hailwhale_django.engine.shapes
"""
    )
    assert done.stderr == ""


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    import hailwhale_django

    with pytest.raises(AttributeError, match="no attribute 'Wale'"):
        _ = hailwhale_django.Wale
    assert set(hailwhale_django.__all__) >= {"HailWhaleModel", "Whale"}
