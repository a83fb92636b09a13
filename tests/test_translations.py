"""The catalogs of all languages: whole, compiled, fit for the sources, and set as each language is set."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import polib
import pytest

import hailwhale_django

PACKAGE = Path(hailwhale_django.__file__).parent
LANGUAGES = sorted(path.name for path in (PACKAGE / "locale").iterdir())

CALLS = frozenset(("gettext", "ngettext", "pgettext", "gettext_lazy", "ngettext_lazy", "pgettext_lazy", "_"))
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")
TAG = re.compile(r"<[^<>]+>")


def catalog(language: str, kind: str = "po") -> polib.POFile | polib.MOFile:
    path = PACKAGE / "locale" / language / "LC_MESSAGES" / f"django.{kind}"
    return polib.pofile(str(path)) if kind == "po" else polib.mofile(str(path))


def texts(entry: Any) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def as_dict(found: polib.POFile | polib.MOFile) -> dict[Any, list[str]]:
    return {(one.msgctxt, one.msgid, one.msgid_plural): texts(one) for one in found}


def test_there_is_more_than_english() -> None:
    assert {"de", "fr"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
class TestCatalog:
    def test_all_is_translated(self, language: str) -> None:
        found = catalog(language)
        assert len(found) > 700
        assert [one.msgid for one in found if not all(texts(one)) or one.fuzzy or one.obsolete] == []
        forms = int(re.search(r"nplurals=(\d)", found.metadata["Plural-Forms"])[1])
        assert [one.msgid for one in found if one.msgid_plural and len(one.msgstr_plural) != forms] == []

    def test_what_is_compiled_is_what_was_written(self, language: str) -> None:
        assert as_dict(catalog(language, "mo")) == as_dict(catalog(language))

    def test_placeholders_and_tags_are_the_same(self, language: str) -> None:
        for one in catalog(language):
            for text in texts(one):
                for what in (PLACEHOLDER, TAG):
                    assert sorted(what.findall(text)) == sorted(what.findall(one.msgid_plural or one.msgid)), text
                if "python-format" in one.flags:
                    assert text % defaultdict(str) is not None

    def test_edges_are_the_same(self, language: str) -> None:
        """What is put together of parts has spaces, dots and colons where it should."""
        for one in catalog(language):
            for text in texts(one):
                assert (text[0].isspace(), text[-1].isspace()) == (one.msgid[0].isspace(), one.msgid[-1].isspace())
                assert (text[-1] in ".?") == (one.msgid[-1] in ".?"), text
                assert (text[-1] == ":") == (one.msgid[-1] == ":"), text


def test_french_is_set_as_the_french_set_it() -> None:
    for one in catalog("fr"):
        for text in texts(one):
            assert not re.search(r"[ \u00a0][:;?!»]|« |\d %|'", text), text


def test_the_catalogs_have_just_what_the_sources_say(tmp_path: Path) -> None:
    if shutil.which("xgettext") is None:
        assert not os.environ.get("CI"), "CI installs gettext"
        pytest.skip("needs xgettext")
    copy = tmp_path / "hailwhale_django"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("static", "__pycache__"))
    made = [sys.executable, "-m", "django", "makemessages", *(f"--locale={one}" for one in LANGUAGES), "--keep-pot"]
    subprocess.run(made, cwd=copy, check=True, capture_output=True)
    wanted = set(as_dict(polib.pofile(str(copy / "locale" / "django.pot"))))
    for language in LANGUAGES:
        there = set(as_dict(catalog(language)))
        assert (there - wanted, wanted - there) == (set(), set()), "make messages, and translate what is new"


def test_nothing_is_translated_where_xgettext_does_not_look() -> None:
    hidden = [
        f"{path.name}:{call.lineno}"
        for path in PACKAGE.rglob("*.py")
        for text in ast.walk(ast.parse(path.read_text()))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in CALLS
    ]
    assert hidden == []
