"""What is vendored is what it says it is: one version and one hash, wherever they are told."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "hailwhale_django/templates"
NAMES = {"chart.js": "Chart.js", "chartjs-plugin-annotation": "chartjs-plugin-annotation"}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vendor_chartjs", ROOT / "scripts/vendor_chartjs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=NAMES)
def package(request: pytest.FixtureRequest, script: ModuleType) -> Any:
    (found,) = [one for one in script.PACKAGES if one.name == request.param]
    return found


def test_nothing_else_is_vendored(script: ModuleType) -> None:
    assert sorted(one.name for one in script.ROOT.iterdir()) == sorted(NAMES)


def test_one_version_is_vendored(package: Any) -> None:
    assert [one.name for one in package.directory.parent.iterdir()] == [package.version]
    assert sorted(one.name for one in package.directory.iterdir()) == ["LICENSE.md", package.script]


def test_files_are_those_that_the_script_fetches(package: Any) -> None:
    for name, expected in package.hashes.items():
        assert hashlib.sha256((package.directory / name).read_bytes()).hexdigest() == expected


def test_the_file_and_its_licence_say_what_they_are(package: Any) -> None:
    head = (package.directory / package.script).read_text(encoding="utf-8")[:300]
    assert f"{NAMES[package.name]} v{package.version}" in head
    assert "Released under the MIT License" in head
    assert "The MIT License (MIT)" in (package.directory / "LICENSE.md").read_text(encoding="utf-8")


def test_pages_and_docs_name_this_version(package: Any) -> None:
    pages = {page: page.read_text("utf-8") for page in TEMPLATES.rglob("*.html")}
    named = f"vendor/{package.name}/{package.version}/{package.script}"
    naming = [text for text in pages.values() if f"vendor/{package.name}/" in text]
    assert naming
    assert all(text.count(f"vendor/{package.name}/") == text.count(named) == 1 for text in naming)
    docs = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    pattern = rf"{re.escape(NAMES[package.name])} v?(\d+\.\d+\.\d+)"
    told = {version for page in docs for version in re.findall(pattern, page.read_text("utf-8"))}
    assert told == {package.version}


def test_the_source_map_that_is_not_here_is_not_named(script: ModuleType, package: Any) -> None:
    assert b"sourceMappingURL" not in (package.directory / package.script).read_bytes()
    assert script.without_source_map(b"a();\n//# sourceMappingURL=a.js.map\n") == b"a();\n"


def test_static_files_can_be_given_names_by_their_hash() -> None:
    """ManifestStaticFilesStorage fails on any reference to a file that is not there."""
    storages = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
    with tempfile.TemporaryDirectory() as target, override_settings(STATIC_ROOT=target, STORAGES=storages):
        call_command("collectstatic", interactive=False, verbosity=0)

        names = {one.name for one in Path(target, "hailwhale_django").rglob("*.*.*")}

    assert any(re.fullmatch(r"counters\.[0-9a-f]{12}\.css", name) for name in names)
    assert any(re.fullmatch(r"counter\.[0-9a-f]{12}\.js", name) for name in names)
