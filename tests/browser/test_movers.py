"""What moved most on a dashboard, at a desk and on a phone, by day and by night."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from hailwhale_django import Whale
from hailwhale_django.documents import load
from tests.browser.dashboards import Board
from tests.browser.test_accessible import FITS, violations
from tests.browser.test_counters import DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOVED = {
    "slug": "moved",
    "title": "What moved",
    "period": "yesterday",
    "compare": "previous",
    "panels": [
        {"kind": "movers", "title": "Moved", "counter": "news", "formulas": ["visitors as Visitors"], "width": 8},
        {"kind": "movers", "title": "Complained", "counter": "news", "width": 4,
         "formulas": ["complaints/visitors as Complaints [%; less is better]"]},
        {"kind": "movers", "title": "Calm", "counter": "news", "dimension": "country/FR", "formulas": ["visitors"]},
    ],
}  # fmt: skip
SCROLLS = "return arguments[0].scrollWidth > arguments[0].clientWidth"
SCATTER = (2, -2, 1, -1, 3, -3, 0, 1)


@pytest.fixture
def moved(board: Board) -> Iterator[Board]:
    """Of eight days; on the last one phones in the US are a third, and those in Germany complain a third as often.

    |           | visitors | yesterday | complaints | yesterday |
    |-----------|----------|-----------|------------|-----------|
    | US, phone | 3,000    | 1,000     | 300        | 100       |
    | DE, phone | 3,000    | 3,000     | 300        | 100       |
    """
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    events = []
    for day in range(1, 9):
        for hour in range(24):
            for place, (country, device) in enumerate((c, d) for c in ("US", "DE", "FR") for d in ("phone", "desktop")):
                visitors = 125 + SCATTER[(day + hour + place) % 8]
                complaints = 12 + SCATTER[(day + 2 * hour + place) % 8] / 10
                if day == 1 and (country, device) == ("US", "phone"):
                    visitors, complaints = visitors // 3, complaints / 3
                if day == 1 and (country, device) == ("DE", "phone"):
                    complaints /= 3
                metrics = {"visitors": visitors, "complaints": complaints}
                at = today - timedelta(days=day) + timedelta(hours=hour)
                events.append(("news", {"country": country, "device": device}, metrics, at.timestamp()))
    with override_settings(HAILWHALE=crossed()):
        Whale.count_many(events)
        load(MOVED, User.objects.get(username="looker"))
        board.visit(slug="moved")
        yield board


def crossed() -> dict[str, object]:
    from django.conf import settings

    return settings.HAILWHALE | {"CROSSINGS": {"news": [["country", "device"]]}}


def rows(board: Board, title: str = "Moved") -> list[str]:
    return [one.text for one in board.within(title, "tbody th bdi")]


def seen(board: Board, name: str) -> None:
    """Keep what is seen, where somebody wants to look at it."""
    if folder := os.environ.get("HAILWHALE_SEEN"):
        board.run("document.documentElement.style.scrollBehavior = 'auto'")
        height = board.run("return document.documentElement.scrollHeight")
        width = board.run("return innerWidth")
        board.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        Path(folder, f"{name}.png").write_bytes(board.chrome.get_screenshot_as_png())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_is_read_anywhere(moved: Board, size: tuple[int, int], scheme: str) -> None:
    moved.look(size, scheme)
    moved.visit(slug="moved")
    assert rows(moved)[:1] == ["country US, device phone"]
    assert "country DE, device phone" in rows(moved, "Complained")
    assert "Nothing moved by more than is usual for it." in moved.panel("Calm").text
    assert moved.run(FITS)
    assert moved.run(SCROLLS, moved.within("Moved", ".hw-scroll")[0]) is False
    assert not violations(moved, ".hw-grid")
    seen(moved, f"movers-{size[0]}-{scheme}")
    moved.complaints()  # axe tries things out with styles, which the policy stops


def test_from_right_to_left(moved: Board) -> None:
    for size in (DESK, PHONE):
        moved.look(size)
        moved.visit(slug="moved")
        moved.run("document.documentElement.dir = 'rtl'")
        assert moved.run(FITS)
        seen(moved, f"movers-{size[0]}-rtl")
        name, before = moved.within("Moved", "tbody tr:first-child th, tbody tr:first-child td")[:2]
        assert name.rect["x"] > before.rect["x"]


def test_a_click_filters_by_all_that_a_row_is(moved: Board) -> None:
    moved.click(moved.name("country US, device phone", "Moved"))
    assert moved.chips == ["country US", "device phone"]
    assert moved.stayed and moved.query == {"f": ["country/US", "device/phone"]}
    assert "There is nothing here to tell apart." in moved.panel("Moved").text
    moved.settled(moved.chrome.back)
    assert rows(moved)[:1] == ["country US, device phone"]


def test_it_is_renewed_where_one_is(moved: Board) -> None:
    """While the page is open the first come from Italy: there is more to look at."""
    moved.visit("?p=today", slug="moved")
    moved.run("window.calm = arguments[0]", moved.panel("Calm"))
    before = looked_at(moved)
    Whale.count_now("news", {"country": "IT", "device": "phone"}, {"visitors": 60})
    moved.tick()
    moved.until(lambda: looked_at(moved) > before)
    assert moved.run("return window.calm.isConnected") and moved.stayed


def looked_at(board: Board) -> int:
    (count,) = re.findall(r"(\d+) children were looked at", board.panel("Moved").text)
    return int(count)


def test_without_scripts(moved: Board) -> None:
    moved.command("Emulation.setScriptExecutionDisabled", value=True)
    moved.chrome.refresh()
    assert rows(moved)[:1] == ["country US, device phone"]
    moved.name("country US, device phone", "Moved").click()
    assert moved.chips == ["country US", "device phone"]
