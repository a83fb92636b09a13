"""Filters, periods and comparisons of a dashboard, by mouse and by keys, without leaving the page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from selenium.webdriver.common.keys import Keys

from hailwhale_django.dashboards.board import SHORTCUTS
from hailwhale_django.models import Segment
from tests.browser.dashboards import Board

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def day(back: int) -> str:
    return str(datetime.now(UTC).date() - timedelta(days=back))


class TestFilters:
    def test_a_click_on_a_value_filters_all_and_history_goes_back_and_forward(self, board: Board) -> None:
        assert (board.figure(), board.chips) == ("$180", [])
        board.click(board.name("US"))
        assert (board.figure(), board.chips, board.names()) == ("$120", ["country US"], ["US"])
        assert board.query == {"f": ["country/US"]}
        assert board.focus == "US"  # and not lost
        board.click(board.name("phone", "Devices"))
        assert board.figure() == "$50" and board.query == {"f": ["country/US", "device/phone"]}

        board.settled(board.chrome.back)
        assert (board.figure(), board.chips) == ("$120", ["country US"])
        board.settled(board.chrome.back)
        assert (board.figure(), board.chips) == ("$180", [])
        board.settled(board.chrome.forward)
        assert board.figure() == "$120"
        assert board.stayed

    def test_a_chip_takes_its_filter_away_and_escape_all(self, board: Board) -> None:
        board.visit("?f=country/US&f=device/phone")
        board.click(board.one(".hw-chip-x"))
        assert (board.figure(), board.chips) == ("$100", ["device phone"])
        board.click(board.name("DE"))
        assert (board.figure(), len(board.chips)) == ("$50", 2)
        board.settled(lambda: board.press(Keys.ESCAPE))
        assert (board.figure(), board.chips) == ("$180", [])
        assert board.stayed

    def test_escape_closes_a_menu_first(self, board: Board) -> None:
        board.visit("?f=country/US")
        board.menu("Period").click()
        assert board.open_menus == 1
        board.press(Keys.ESCAPE)
        assert (board.open_menus, board.chips) == (0, ["country US"])
        assert board.focus.startswith("Period")

    def test_a_click_elsewhere_and_the_focus_elsewhere_close_menus(self, board: Board) -> None:
        board.menu("Period").click()
        board.one("h1").click()
        assert board.open_menus == 0
        board.menu("Period").click()
        board.run("arguments[0].focus()", board.name("US"))
        assert board.open_menus == 0

    def test_a_click_with_a_key_is_the_browser_s(self, board: Board) -> None:
        link = board.name("US")
        prevented = board.run(
            "const event = new MouseEvent('click', {bubbles: true, cancelable: true, ctrlKey: true});"
            "addEventListener('click', (one) => { window.was = one.defaultPrevented; one.preventDefault(); });"
            "arguments[0].dispatchEvent(event); return window.was",
            link,
        )
        assert prevented is False and board.chips == []

    def test_filters_are_saved_as_a_segment_and_chosen_again(self, board: Board) -> None:
        board.visit("?f=country/US&f=device/phone")
        board.one("[name=name]").send_keys("US phones")
        board.leave(lambda: board.press(Keys.ENTER))
        assert board.one(".messagelist").text == "The segment US phones is saved."
        assert Segment.objects.get().filters == ["country/US", "device/phone"]
        board.stay()
        board.settled(lambda: board.press(Keys.ESCAPE))
        assert board.figure() == "$180"
        board.choose_in("Segment", "US phones")
        assert (board.figure(), len(board.chips), board.stayed) == ("$50", 2, True)

    def test_letters_are_letters_where_one_types(self, board: Board) -> None:
        board.visit("?f=country/US")
        board.one("[name=name]").send_keys("dxc")
        assert board.query == {"f": ["country/US"]}
        assert board.one("[name=name]").get_attribute("value") == "dxc"


class TestPeriods:
    def test_by_the_menu(self, board: Board) -> None:
        board.choose_in("Period", "Yesterday")
        assert board.query == {"p": ["yesterday"]}
        assert board.chosen("Period") == "Yesterday"
        assert (board.figure(), board.open_menus, board.stayed) == ("$50", 0, True)
        assert board.focus.startswith("Period")

    @pytest.mark.parametrize(("period", "key"), SHORTCUTS.items())
    def test_by_a_letter(self, board: Board, period: str, key: str) -> None:
        board.settled(lambda: board.press(key.lower()))
        assert board.query.get("p", ["7d"]) == [period]  # which is the dashboard's own
        assert board.stayed

    def test_x_turns_the_comparison_off_and_on(self, board: Board) -> None:
        assert board.within("Revenue", ".hw-change")[0].text.startswith("▲ +500.0%")
        board.settled(lambda: board.press("x"))
        assert board.within("Revenue", ".hw-change") == [] and board.query == {"c": ["nothing"]}
        board.settled(lambda: board.press("X".lower()))
        assert board.within("Revenue", ".hw-change") and board.query == {}

    def test_c_asks_for_dates(self, board: Board) -> None:
        board.press("c")
        assert (board.open_menus, board.focus) == (1, "from")
        board.run(
            "for (const name of ['from', 'to']) document.querySelector(`[name=${name}]`).value = arguments[0]", day(2)
        )
        board.settled(lambda: board.press(Keys.ENTER))
        assert board.query["p" if "p" in board.query else "from"] == [day(2)]
        assert (board.figure(), board.open_menus, board.stayed) == ("$120", 0, True)

    @pytest.mark.parametrize("text", ["the same weekdays before", "the same days a month before", "a year before"])
    def test_what_it_is_compared_with(self, board: Board, text: str) -> None:
        board.choose_in("Compared with", text)
        assert board.chosen("Compared with") == text
        assert board.stayed

    def test_compared_with_dates_of_ones_own(self, board: Board) -> None:
        menu = board.menu("Compared")
        menu.click()
        for name, value in (("cfrom", day(12)), ("cto", day(8))):
            board.run("document.querySelector(`[name=${arguments[0]}]`).value = arguments[1]", name, value)
        board.click(menu.find_element("css selector", "[type=submit]"))
        assert board.within("Revenue", ".hw-change")[0].get_attribute("title") == "more than before: $30"
        assert board.stayed

    def test_letters_can_be_turned_off(self, board: Board) -> None:
        board.menu("Period").click()
        button = board.one("[data-keys-button]")
        assert button.get_attribute("aria-pressed") == "true"
        button.click()
        assert button.get_attribute("aria-pressed") == "false"
        board.press(Keys.ESCAPE, "d")
        assert board.run("return window.asked") == 0
        board.visit()  # and they stay so
        board.press("c")
        assert board.open_menus == 0
        board.menu("Period").click()
        board.one("[data-keys-button]").click()
        board.press(Keys.ESCAPE)
        board.settled(lambda: board.press("d"))
        assert board.query == {"p": ["today"]}
