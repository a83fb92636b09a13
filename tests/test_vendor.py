"""Chart.js is what it says it is: one version and one hash, wherever they are told."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import tempfile
from pathlib import Path
from types import ModuleType

import pytest
from django.core.management import call_command
from django.test import override_settings

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "hailwhale_django/templates"
USING = ("admin/hailwhale_django/counter/counter.html", "hailwhale_django/graph.html")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vendor_chartjs", ROOT / "scripts/vendor_chartjs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def directory(script: ModuleType) -> Path:
    path: Path = script.DIRECTORY / script.VERSION
    return path


def test_one_version_is_vendored(script: ModuleType, directory: Path) -> None:
    assert [one.name for one in script.DIRECTORY.iterdir()] == [script.VERSION]
    assert sorted(one.name for one in directory.iterdir()) == ["LICENSE.md", "chart.umd.min.js"]


def test_files_are_those_that_the_script_fetches(script: ModuleType, directory: Path) -> None:
    assert hashlib.sha256((directory / script.NAME).read_bytes()).hexdigest() == script.SHA256
    assert hashlib.sha256((directory / "LICENSE.md").read_bytes()).hexdigest() == script.LICENSE_SHA256


def test_the_file_and_its_licence_say_what_they_are(script: ModuleType, directory: Path) -> None:
    head = (directory / script.NAME).read_text(encoding="utf-8")[:200]
    assert f"Chart.js v{script.VERSION}" in head
    assert "Released under the MIT License" in head
    assert "The MIT License (MIT)" in (directory / "LICENSE.md").read_text(encoding="utf-8")


def test_pages_and_docs_name_this_version(script: ModuleType) -> None:
    for template in USING:
        assert f"vendor/chart.js/{script.VERSION}/{script.NAME}" in (TEMPLATES / template).read_text(encoding="utf-8")
    docs = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    told = {version for page in docs for version in re.findall(r"Chart\.js v?(\d+\.\d+\.\d+)", page.read_text("utf-8"))}
    assert told == {script.VERSION}


def test_the_source_map_that_is_not_here_is_not_named(script: ModuleType, directory: Path) -> None:
    assert b"sourceMappingURL" not in (directory / script.NAME).read_bytes()
    assert script.without_source_map(b"a();\n//# sourceMappingURL=a.js.map\n") == b"a();\n"


def test_static_files_can_be_given_names_by_their_hash() -> None:
    """ManifestStaticFilesStorage fails on any reference to a file that is not there."""
    storages = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
    with tempfile.TemporaryDirectory() as target, override_settings(STATIC_ROOT=target, STORAGES=storages):
        call_command("collectstatic", interactive=False, verbosity=0)

        names = {one.name for one in Path(target, "hailwhale_django").rglob("*.*.*")}

    assert any(re.fullmatch(r"counters\.[0-9a-f]{12}\.css", name) for name in names)
    assert any(re.fullmatch(r"counter\.[0-9a-f]{12}\.js", name) for name in names)
