"""A dashboard where no script runs: all of it is links, forms and tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.dashboards import Board, words
from tests.browser.test_dashboards import day

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def plain(board: Board) -> Iterator[Board]:
    board.command("Emulation.setScriptExecutionDisabled", value=True)
    board.visit()
    yield board
    board.command("Emulation.setScriptExecutionDisabled", value=False)


def follow(board: Board, link: object) -> None:
    """A click, and the page that it leads to: the address says that it is another."""
    before = board.chrome.current_url
    link.click()  # type: ignore[attr-defined]
    board.until(lambda: board.chrome.current_url != before and board.all(".hw-panel"))


def chosen(board: Board, label: str, text: str) -> None:
    menu = board.menu(label)
    menu.find_element("css selector", "summary").click()
    follow(board, menu.find_element("partial link text", text))


def test_filters_and_chips(plain: Board) -> None:
    follow(plain, plain.name("US"))
    assert (plain.figure(), plain.chips) == ("$120", ["country US"])
    follow(plain, plain.name("phone", "Devices"))
    assert (plain.figure(), len(plain.chips)) == ("$50", 2)
    follow(plain, plain.one(".hw-chip-x"))
    assert (plain.figure(), plain.chips) == ("$100", ["device phone"])
    follow(plain, plain.one("[data-escape]"))
    assert (plain.figure(), plain.chips) == ("$180", [])


def test_periods_dates_and_comparisons(plain: Board) -> None:
    chosen(plain, "Period", "Yesterday")
    assert (plain.figure(), plain.chosen("Period")) == ("$50", "Yesterday")
    chosen(plain, "Compared with", "nothing")
    assert plain.within("Revenue", ".hw-change") == []
    menu = plain.menu("Period")
    menu.find_element("css selector", "summary").click()
    for name in ("from", "to"):
        field = menu.find_element("css selector", f"[name={name}]")
        year, month, date = day(2).split("-")
        field.send_keys(month + date + year)
    follow(plain, menu.find_element("css selector", "[type=submit]"))
    assert plain.figure() == "$120"
    assert plain.query["c"] == ["nothing"]


def test_tables(plain: Board) -> None:
    follow(plain, next(one for one in plain.within("Countries", "thead a") if one.text == "Visitors"))
    assert plain.names() == ["US", "DE"]
    follow(plain, plain.panel("Countries").find_element("link text", "change"))
    follow(plain, plain.panel("Countries").find_element("link text", "Next"))
    follow(plain, plain.panel("Countries").find_element("link text", "Previous"))
    follow(plain, plain.within("Countries", ".hw-children")[0])
    assert sorted(plain.names()) == ["CA", "NY"]
    follow(plain, plain.within("Countries", ".hw-crumbs a")[0])
    assert "US" in plain.names()


def test_a_graph_is_its_numbers_and_links(plain: Board) -> None:
    panel = plain.panel("Day by day")
    assert not panel.find_element("css selector", "canvas").is_displayed()
    panel.find_element("css selector", ".hw-numbers summary").click()
    head, *rows = [words(one) for one in panel.find_elements("css selector", ".hw-numbers tr")]
    assert head == "Time US DE FR" and len(rows) == 7
    assert sum(float(row.split()[-3]) for row in rows) == 120
    assert not plain.one("[data-live-button]").is_displayed()
    follow(plain, panel.find_element("link text", "bars"))
    current = plain.panel("Day by day").find_elements("css selector", ".hw-styles [aria-current]")
    assert [one.text for one in current] == ["bars"]
