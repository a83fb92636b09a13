"""Events as they arrive, and dead letters, in a real browser."""

from __future__ import annotations

import pytest

from hailwhale_django import Hail, Whale
from tests.browser.test_counters import DESK, PHONE, Browser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LARGEST = (2**63 - 1) // 10**6
FITS = "return document.documentElement.scrollWidth <= innerWidth"


def rows(browser: Browser) -> list[list[str]]:
    return [
        [cell.text for cell in row.find_elements("css selector", "th, td")][1:]
        for row in browser.all("#content-main tbody tr")
    ]


def test_an_event_is_seen_when_it_arrives_and_when_it_is_counted(watcher: Browser) -> None:
    Hail.count("shop", {"country": {"US": "CA"}}, {"revenue": 9.5})
    watcher.leave(watcher.link("Live").click)
    assert rows(watcher) == [["shop", "country › US › CA", "revenue 9.5 hits 1", "not yet"]]
    watcher.run("window.first = document.querySelector('#hw-events tbody tr')")
    Hail.count(["shop", "p1"], {"country": "DE"}, {"revenue": 7})
    watcher.until(lambda: len(rows(watcher)) == 2)
    assert [row[0] for row in rows(watcher)] == ["shop/p1", "shop"]
    assert watcher.run("return window.first === document.querySelectorAll('#hw-events tbody tr')[1]")
    Hail.drain()
    watcher.until(lambda: [row[-1] for row in rows(watcher)] == ["yes", "yes"])


def test_what_visitors_do_is_seen_of_all_and_of_one(watcher: Browser) -> None:
    watcher.leave(watcher.link("Live").click)
    assert "Nothing was logged" in watcher.one("#hw-unspied").text
    Hail.spy_log("ada", {"page": "<b>/</b>"})
    watcher.until(lambda: [one.text for one in watcher.all("#hw-spied li")] == ['{"page": "<b>/</b>"}'])
    Hail.spy_log("bob", "in")
    watcher.one("[name=visitor]").send_keys("ada")
    watcher.leave(watcher.one(".hw-controls .button").click)
    assert [one.text for one in watcher.all("#hw-spied li")] == ['{"page": "<b>/</b>"}']


def test_a_pause_lasts_until_its_end_and_a_filter_leaves_other_counters_out(watcher: Browser) -> None:
    Hail.count_many([("shop",), (["shop", "p1"],), ("shopping",)])
    watcher.leave(watcher.link("Live").click)
    watcher.one("[name=counter]").send_keys("shop")
    watcher.leave(watcher.one(".hw-controls .button").click)
    assert [row[0] for row in rows(watcher)] == ["shop/p1", "shop"]
    watcher.one("#hw-pause").send_keys(" ")
    assert watcher.one("#hw-pause").get_attribute("aria-pressed") == "true"
    Hail.count("shop")
    watcher.run("document.dispatchEvent(new Event('visibilitychange'))")  # which asks, unless there is a pause
    assert len(rows(watcher)) == 2
    watcher.one("#hw-pause").click()
    watcher.until(lambda: len(rows(watcher)) == 3)


def test_without_javascript_a_link_looks_again(watcher: Browser) -> None:
    watcher.command("Emulation.setScriptExecutionDisabled", value=True)
    watcher.open("/admin/hailwhale_django/live/")
    Hail.count("shop")
    assert not watcher.one("#hw-pause").is_displayed()
    watcher.one("#hw-again").click()
    watcher.until(lambda: [row[0] for row in rows(watcher)] == ["shop"])


def test_a_dead_letter_is_counted_again_and_another_discarded(watcher: Browser) -> None:
    Whale.count_now("shop", metrics={"cash": LARGEST, "coins": LARGEST, "hits": 0})
    Hail.count("shop", {"country": "US"}, {"cash": 1, "coins": 2})
    Hail.drain()
    Whale.count_now("shop", metrics={"cash": -LARGEST, "hits": 0})
    watcher.leave(watcher.link("Dead letters").click)
    assert [row[1:3] for row in rows(watcher)] == [["shop", "coins"], ["shop", "cash"]]
    watcher.one("[name=all]").click()
    watcher.leave(watcher.one("[value=replay]").click)
    assert watcher.one(".messagelist .success").text == "1 is counted."
    assert "coins" in watcher.one(".messagelist .error").text
    assert Whale.total("shop", "cash", period="today") == 1
    watcher.one("[name=letter]").click()
    watcher.leave(watcher.one("[value=discard]").click)
    watcher.leave(watcher.one("[value=discard]").click)
    assert "All events could be counted" in watcher.one(".hw-empty").text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_pages_fit_their_screen(watcher: Browser, size: tuple[int, int], scheme: str) -> None:
    watcher.look(size, scheme)
    Hail.count("a" * 200, {"x" * 200: "y" * 200}, {"m" * 100: 1})
    for page in ("live", "deadletter", "counter"):
        watcher.open(f"/admin/hailwhale_django/{page}/")
        assert watcher.run(FITS)
