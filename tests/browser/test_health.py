"""The health page in a real browser: it renews itself in place."""

from __future__ import annotations

import pytest

from hailwhale_django import Hail
from tests.browser.test_counters import DESK, PHONE, Browser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FITS = "return document.documentElement.scrollWidth <= innerWidth"


def told(browser: Browser) -> dict[str, str]:
    """The first column of the hail's table."""
    rows = browser.all("#hw-health section .hw-sheets > div:first-child tbody tr")
    return {row.find_element("css selector", "th").text: row.find_element("css selector", "td").text for row in rows}


def test_problems_come_first_and_in_words(watcher: Browser) -> None:
    watcher.leave(watcher.link("Health").click)
    assert watcher.one(".hw-verdict").text == "✗ 1 error"
    problem = watcher.one(".hw-problem")
    assert "Error:" in problem.text
    assert "hailwhale.H012" in problem.text
    assert problem.location["y"] < watcher.one("#content-main table").location["y"]


def test_numbers_are_renewed_in_place(watcher: Browser) -> None:
    Hail.count("shop")
    watcher.leave(watcher.link("Health").click)
    assert told(watcher)["Events waiting"] == "1"
    watcher.run(
        "window.table = document.querySelector('#content-main table'); document.querySelector('.hw-scroll').focus()"
    )
    Hail.drain()
    # The pause and its end ask at once.
    watcher.one("#hw-pause").click()
    watcher.one("#hw-pause").click()
    watcher.until(lambda: told(watcher)["Events waiting"] == "0")
    assert told(watcher)["Counted"] == "1"
    assert watcher.run("return window.table === document.querySelector('#content-main table')")


def test_without_javascript_a_link_looks_again(watcher: Browser) -> None:
    watcher.command("Emulation.setScriptExecutionDisabled", value=True)
    watcher.open("/admin/hailwhale_django/health/")
    Hail.count("shop")
    watcher.one("#hw-again").click()
    watcher.until(lambda: told(watcher)["Events waiting"] == "1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_page_fits_its_screen(watcher: Browser, size: tuple[int, int], scheme: str) -> None:
    watcher.look(size, scheme)
    Hail.count("shop")
    watcher.open("/admin/hailwhale_django/health/")
    assert watcher.run(FITS)
