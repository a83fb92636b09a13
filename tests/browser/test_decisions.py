"""The pages of decisions in a real browser: from the form to a winner, the graph, and screens of any size."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hailwhale_django import Whale
from hailwhale_django.models import Decision
from tests.browser.test_counters import DESK, PHONE, Browser
from tests.test_decision_pages import count, decision, events

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DECISIONS = "/admin/hailwhale_django/decision/"
FITS = "return document.documentElement.scrollWidth <= innerWidth"
CHART = "const chart = window.Chart && Chart.getChart(document.querySelector('canvas')); return chart && "


@pytest.fixture(autouse=True)
def known(no_decisions: None) -> Iterator[None]:
    yield


@pytest.fixture
def shop(watcher: Browser) -> Decision:
    """Two options, of which b is better for all but those of DE, with decisions in the log."""
    row = decision(policy="thompson", options=["a", "b", "a name that is long " * 5], guardrails=["revenue/visitors"])
    count(
        events("a", 100, 10, "US"),
        events("b", 100, 50, "US"),
        events("a", 60, 30, "DE"),
        events("b", 60, 6, "DE"),
    )
    for number in range(30):
        Whale.decide("shop", "banner", visitor=f"v{number}", known_data={"country": "US"})
        Whale.count_decision("shop", decision="banner", visitor=f"v{number}", metrics={"visitors": 1, "revenue": 2})
    return row


def test_from_the_form_to_a_winner(watcher: Browser) -> None:
    watcher.open(DECISIONS)
    watcher.leave(watcher.link("Register a decision").click)
    for name, text in (("title", "Price"), ("counter", "shop"), ("name", "price"), ("options", "low\nhigh")):
        watcher.one(f"[name={name}]").send_keys(text)
    watcher.leave(watcher.one("[name=_save]").click)
    assert "This is a draft: everybody gets low" in watcher.one(".hw-advice").text
    for button, question in (
        ("start", "Start it? Visitors are decided for from now on."),
        ("stop", "Stop it? Everybody gets low from now on."),
    ):
        watcher.leave(watcher.one(f"button[value={button}]").click)
        assert question in watcher.one("#content-main").text
        watcher.leave(watcher.one(f"#content-main button[value={button}]").click)
    assert "It is stopped: everybody gets low." in watcher.one(".hw-advice").text
    from selenium.webdriver.support.select import Select

    Select(watcher.one("#hw-winner")).select_by_value("high")
    watcher.leave(watcher.one("button[value=declare]").click)
    watcher.leave(watcher.one("#content-main button[value=declare]").click)
    assert "high has won: everybody gets it." in watcher.one(".hw-advice").text
    assert [row.text.split("looker ")[1] for row in watcher.all(".hw-changes tbody tr")] == [
        "stopped → won, winner high",
        "running → stopped",
        "draft → running",
        "registered",
    ]
    assert Whale.decide("shop", "price") == "high"


def test_a_no_changes_nothing(watcher: Browser) -> None:
    row = decision()
    watcher.open(f"{DECISIONS}{row.pk}/")
    watcher.leave(watcher.one("button[value=stop]").click)
    watcher.leave(watcher.link("No, leave it").click)
    row.refresh_from_db()
    assert row.state == "running"


def test_the_graph_has_a_line_and_a_band_for_each_option(watcher: Browser, shop: Decision) -> None:
    watcher.open(f"{DECISIONS}{shop.pk}/")
    assert watcher.until(lambda: watcher.run(f"{CHART} chart.data.datasets.length")) == 9
    watcher.one("canvas").send_keys("\ue010")  # End
    told = watcher.one("figure [role=status]").get_attribute("textContent")
    assert told.count("(") == 3 and "b " in told
    watcher.one(".hw-numbers summary").click()
    cells = watcher.all(".hw-numbers tbody td")
    assert len(cells) == 3 and all(" – " in cell.text for cell in cells)


def test_without_javascript_all_but_the_graph_is_there(watcher: Browser, shop: Decision) -> None:
    watcher.command("Emulation.setScriptExecutionDisabled", value=True)
    watcher.open(f"{DECISIONS}{shop.pk}/")
    assert "What to do now" in watcher.one(".hw-advice").text
    assert watcher.one("#hw-options").is_displayed()
    watcher.one(".hw-numbers summary").click()
    assert watcher.one(".hw-numbers table").is_displayed()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_pages_fit_their_screen(watcher: Browser, shop: Decision, size: tuple[int, int], scheme: str) -> None:
    watcher.look(size, scheme)
    for address in ("", f"{shop.pk}/", f"{shop.pk}/?policy=ucb", f"{shop.pk}/change/"):
        watcher.open(DECISIONS + address)
        assert watcher.run(FITS), address
        for closed in watcher.all("#content-main details:not([open]) > summary"):
            closed.click()
        assert watcher.run(FITS), address
