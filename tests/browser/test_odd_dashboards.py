"""Dashboards of what is long, large, empty, single, written from right to left, or not for everybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from hailwhale_django import Whale
from hailwhale_django.documents import load
from tests.browser.conftest import sell
from tests.browser.dashboards import Board
from tests.browser.test_accessible import FITS, violations
from tests.browser.test_counters import DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SMALLEST = (320, 640)
LONG = "A name that goes on and on without any end in sight " * 3
UNBROKEN = "x" * 150
SHALOM, CAIRO = "שלום", "القاهرة"
CHILDREN = 10_001
ODD = {
    "slug": "odd",
    "title": LONG,
    "description": f"{LONG} {UNBROKEN}",
    "period": "7d",
    "compare": "previous",
    "panels": [
        {"kind": "number", "title": LONG, "counter": "one", "formulas": ["hits", "big as Big"], "width": 3},
        {"kind": "graph", "title": "One point", "counter": "one", "formulas": ["hits"]},
        {"kind": "graph", "title": "No point", "counter": "none", "formulas": ["hits"]},
        {"kind": "table", "title": "None", "counter": "none", "dimension": "x", "formulas": ["hits"]},
        {"kind": "table", "title": "Many", "counter": "many", "dimension": "child", "formulas": ["visitors as V"]},
        {"kind": "table", "title": "Long", "counter": "long", "dimension": "name",
         "formulas": [f"visitors as {LONG[:90]}", "hits"]},
        {"kind": "top", "title": UNBROKEN, "counter": "long", "dimension": "name", "formulas": ["visitors"]},
        {"kind": "table", "title": SHALOM, "counter": "rtl", "dimension": SHALOM, "formulas": ["visitors", "hits"]},
        {"kind": "graph", "title": CAIRO, "counter": "rtl", "dimension": SHALOM, "formulas": ["visitors"]},
        {"kind": "decision", "title": "No decision", "counter": "decisions/none"},
        {"kind": "text", "text": f"https://example.com/{UNBROKEN}"},
    ],
}  # fmt: skip


@pytest.fixture
def odd(board: Board) -> Board:
    at = datetime.now(UTC) - timedelta(days=1)
    Whale.count_now("one", metrics={"big": 123_456_789_012.5})
    Whale.count_many([("many", {"child": f"child {n}"}, {"visitors": n}, at) for n in range(CHILDREN)])
    for number, name in enumerate([f"{LONG}1", f"{UNBROKEN}2"], 1):
        Whale.count_now("long", {"name": name}, {"visitors": number}, at)
    for number, name in enumerate([SHALOM, CAIRO, f"{SHALOM} 12 (b)", "plain"], 1):
        Whale.count_now("rtl", {SHALOM: name}, {"visitors": number}, at)
    load(ODD, User.objects.get(username="looker"))
    return board


@pytest.mark.parametrize("language", ["en", "he"])
@pytest.mark.parametrize("size", [DESK, PHONE, SMALLEST])
def test_it_fits_and_can_be_read(odd: Board, size: tuple[int, int], language: str, settings: Any) -> None:
    settings.LANGUAGE_CODE = language
    odd.look(size)
    odd.visit(slug="odd")
    odd.until(lambda: odd.chart("true", "One point") and odd.chart("true", CAIRO))
    assert odd.one("html").get_attribute("dir") == ("rtl" if language == "he" else "ltr")
    assert odd.run(FITS)
    found = violations(odd)
    assert not found, "\n".join(found)
    assert odd.names("Many")[0] == f"child {CHILDREN - 2}"  # the last one has no row
    assert "of 10,000" in odd.within("Many", ".hw-count")[0].text or language == "he"
    assert odd.names(SHALOM) == ["plain", f"{SHALOM} 12 (b)", CAIRO, SHALOM]


def test_from_right_to_left_names_begin_on_the_right(odd: Board, settings: Any) -> None:
    settings.LANGUAGE_CODE = "he"
    odd.visit()
    name, number = odd.within("Countries", "tbody th")[0], odd.within("Countries", "tbody .hw-number")[0]
    assert number.rect["x"] < name.rect["x"]
    odd.click(odd.name("US"))
    assert odd.figure() == "$120"


def test_without_movement(board: Board) -> None:
    board.look(motion="reduce")
    board.visit()
    board.until(lambda: board.chart("true"))
    assert board.chart("chart.options.animation") is False
    board.run("document.getElementById('hw-board').setAttribute('aria-busy', 'true')")
    grid = "getComputedStyle(document.querySelector('.hw-grid')).transitionDuration"
    assert board.run(f"return {grid}") == "0s"


def test_the_focus_is_seen_and_not_hidden(board: Board) -> None:
    board.look((1280, 500))
    board.visit()
    link = board.name("DE")
    board.run("arguments[0].focus()", link)
    board.press("\ue004")  # Tab: it was the keyboard
    shown = board.run(
        "const [one, box] = [document.activeElement, document.activeElement.getBoundingClientRect()];"
        "const there = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);"
        "return [getComputedStyle(one).outlineStyle, one.contains(there)]"
    )
    assert shown == ["solid", True]


def test_one_who_may_only_look(board: Board) -> None:
    user = User.objects.get(username="looker")
    user.user_permissions.set(Permission.objects.filter(codename="view_dashboard"))
    board.visit("?f=country/US")
    assert (board.figure(), board.names()) == ("$120", ["US"])
    for selector in (".hw-panel-tools", ".hw-save", "h2 a"):
        assert board.all(selector) == [], selector
    assert [one.text for one in board.all(".hw-board-tools a")] == []
    board.settled(lambda: board.press("\ue00c"))
    assert board.figure() == "$180"
    sell("DE", "phone", visitors=1, revenue=20)
    board.tick()
    assert board.figure() == "$200"
