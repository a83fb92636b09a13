"""A dashboard while time goes on: new numbers come in beside whoever reads, points or types; and what goes wrong.

Time is the test's: what the page would do in ten seconds, it does at `tick`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.test import override_settings
from selenium.webdriver.common.keys import Keys

from example_project.valkey import Valkey
from hailwhale_django import Whale
from hailwhale_django.models import Panel
from tests import servers
from tests.browser.conftest import sell
from tests.browser.dashboards import BASE, Board
from tests.browser.test_graphs import drag, press, seen

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AWAY = "The counts cannot be read now. This page tries again by itself."
HIDE = "Object.defineProperty(document, 'hidden', {get: () => arguments[0], configurable: true})"
SHOW = "document.dispatchEvent(new Event('visibilitychange'))"


@pytest.fixture
def own(board: Board) -> Iterator[Valkey]:
    """The same dashboard over a server of its own, which can go away."""
    with servers.running() as server, override_settings(HAILWHALE=settings.HAILWHALE | {"REDIS": server.url}):
        sell("DE", "phone", days=1, visitors=5, revenue=50)
        board.visit()
        yield server


def buy(revenue: float = 20) -> None:
    sell("DE", "phone", visitors=1, revenue=revenue)


class TestNewNumbers:
    def test_they_come_in_by_themselves(self, board: Board) -> None:
        assert (board.figure(), board.seconds) == ("$180", 10)
        buy()
        board.tick()
        assert (board.figure(), board.stayed) == ("$200", True)

    def test_nobody_loses_their_place(self, board: Board) -> None:
        board.look((800, 600))
        board.within("Day by day", ".hw-numbers summary")[0].click()
        board.run("scrollTo(0, 300)")
        name = board.name("US")
        board.run("arguments[0].focus({preventScroll: true})", name)
        scrolled = board.run("return scrollY")
        buy()
        board.tick()
        assert board.figure() == "$200"
        assert board.run("return scrollY") == scrolled > 0
        assert board.focus == "US"
        assert board.within("Day by day", ".hw-numbers")[0].get_attribute("open") is not None

    def test_what_is_the_same_stays_untouched(self, board: Board) -> None:
        board.run("for (const one of document.querySelectorAll('.hw-panel, [data-part]')) one.same = true")
        board.tick()
        assert board.run("return [...document.querySelectorAll('.hw-panel, [data-part]')].every((one) => one.same)")
        buy()
        board.tick()
        same = board.run("return [...document.querySelectorAll('.hw-panel')].map((one) => one.same === true)")
        assert same == [False, False, False, False, True]  # the text

    def test_an_open_menu_stays_open_while_numbers_come_in(self, board: Board) -> None:
        board.menu("Period").click()
        buy()
        board.tick()
        assert (board.figure(), board.open_menus) == ("$200", 1)

    def test_what_somebody_selects_or_types_waits(self, board: Board) -> None:
        board.visit("?f=country/DE")
        field = board.one("[name=name]")
        field.send_keys("Ger")
        board.run("getSelection().selectAllChildren(document.querySelector('.hw-panel-number .hw-figure-value'))")
        board.run("arguments[0].focus()", field)
        Panel.objects.create(dashboard=Panel.objects.all()[0].dashboard, kind="text", text="More", place=900)
        buy()
        board.tick()
        assert field.get_attribute("value") == "Ger"

    def test_a_graph_is_drawn_without_a_movement_and_keeps_its_part(self, board: Board) -> None:
        board.until(lambda: board.chart("true"))
        drag(board, 2, 5)
        assert seen(board) == [2, 5]
        canvas = board.one(".hw-graph canvas")
        buy()
        board.tick()
        assert board.figure() == "$200"
        assert board.one(".hw-graph canvas") != canvas
        assert seen(board) == [2, 5]
        assert board.chart("chart.options.animation") is False
        board.press(Keys.ESCAPE)  # leads back, wherever the focus is
        assert seen(board) == [0, 6]

    def test_the_point_that_is_told_stays(self, board: Board) -> None:
        board.until(lambda: board.chart("true"))
        board.run("arguments[0].focus()", board.one(".hw-graph canvas"))
        press(board, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
        buy()
        board.tick()
        assert board.chart("chart.getActiveElements()[0].index") == 1
        assert board.run("return document.activeElement.localName") == "canvas"

    def test_style_and_scale_are_kept_in_the_address(self, board: Board) -> None:
        key = board.panel("Day by day").get_attribute("data-panel")
        board.until(lambda: board.chart("true"))
        board.settled(board.within("Day by day", "[value=bar]")[0].click)
        board.settled(board.within("Day by day", "[data-does=log]")[0].click)
        assert board.query == {f"s{key}": ["bar"], f"log{key}": ["1"]}
        buy()
        board.tick()
        assert board.chart("[chart.config.type, chart.options.scales.y.type]") == ["bar", "logarithmic"]
        board.click(board.name("US"))
        assert board.query[f"s{key}"] == ["bar"]
        assert board.chart("chart.config.type") == "bar" and board.stayed

    def test_a_part_of_a_graph_becomes_the_period_of_all(self, board: Board) -> None:
        board.until(lambda: board.chart("true"))
        drag(board, 4, 5)
        board.settled(board.chrome.find_element("link text", "Show only this").click)
        assert ".." in board.query["p"][0]
        assert (board.figure(), board.stayed) == ("$170", True)  # of yesterday and the day before

    def test_new_panels_are_put_in_place(self, board: Board) -> None:
        board.until(lambda: board.chart("true"))
        dashboard = Panel.objects.all()[0].dashboard
        Panel.objects.create(dashboard=dashboard, kind="text", title="Breaking", text="News", place=1)
        board.tick()
        assert board.title_of(board.all(".hw-panel")[0]) == "Breaking"
        board.until(lambda: board.chart("true"))


class TestPausing:
    def test_a_button_stops_it_and_lets_it_go_on(self, board: Board) -> None:
        button = board.one("[data-live-button]")
        button.click()
        assert button.get_attribute("aria-pressed") == "false" and board.seconds is None
        board.visit()  # and it stays so, in this window
        assert board.seconds is None
        buy()
        board.settled(board.one("[data-live-button]").click)
        assert (board.figure(), board.seconds) == ("$200", 10)

    def test_who_does_not_look_is_not_served(self, board: Board) -> None:
        board.run(HIDE, True)
        buy()
        board.tick()
        assert board.run("return window.asked") == 0
        board.run(HIDE, False)
        board.settled(lambda: board.run(SHOW))
        assert board.figure() == "$200"

    def test_what_is_over_is_not_asked_for_again(self, board: Board) -> None:
        board.visit("?p=yesterday")
        assert board.all("[data-live-button]") == [] and board.seconds is None


class TestTrouble:
    def test_redis_goes_away_and_comes_back(self, board: Board, own: Valkey) -> None:
        assert board.figure() == "$50"
        own.stop()
        board.tick()
        assert board.one("#hw-board .errornote").text.startswith(AWAY)
        assert (board.figure(), board.seconds) == ("$50", 20)  # what was last read is still there
        board.tick()
        assert board.seconds == 40
        own.start()
        sell("DE", "phone", days=1, visitors=5, revenue=7)
        board.tick()
        assert (board.figure(), board.seconds, board.all("#hw-board .errornote")) == ("$7", 10, [])
        board.wait_for_complaint("503")
        board.complaints()

    def test_redis_is_away_at_first(self, board: Board, own: Valkey) -> None:
        own.stop()
        board.visit("?p=yesterday")
        assert board.one("#hw-board .errornote").text.startswith(AWAY) and board.all(".hw-panel") == []
        own.start()
        sell("DE", "phone", days=1, visitors=5, revenue=7)
        board.fire()
        board.until(lambda: board.all(".hw-panel"))
        board.until(lambda: (board.figure(), board.seconds) == ("$7", None))
        board.wait_for_complaint("503")
        board.complaints()

    def test_the_server_fails(self, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise RuntimeError("on purpose")

        with monkeypatch.context() as broken:
            broken.setattr("hailwhale_django.admin.dashboards.board_page", fail)
            board.tick()
            assert board.one("[data-status]").text == AWAY
            board.settled(board.name("US").click)
            assert (board.figure(), board.stayed) == ("$180", True)
        board.tick()
        assert (board.figure(), board.one("[data-status]").text, board.stayed) == ("$120", "", True)
        board.wait_for_complaint("500")
        board.complaints()

    def test_who_is_no_longer_logged_in_is_asked_to(self, board: Board) -> None:
        board.chrome.delete_all_cookies()
        board.leave(lambda: board.run("window.later.act()"))
        assert board.all("[name=password]") and board.query["next"] == [f"{BASE}shop/"]
        board.log_in()
        assert board.figure() == "$180"

    def test_who_may_no_longer_see_it_is_told(self, board: Board) -> None:
        User.objects.get(username="looker").user_permissions.set(Permission.objects.none())
        board.leave(lambda: board.run("window.later.act()"))
        assert board.all("#hw-board") == []
        board.wait_for_complaint("403")
        board.complaints()


def test_a_counter_that_is_reset_is_an_empty_dashboard(board: Board) -> None:
    Whale.reset("shop")
    board.tick()
    assert "Nothing was counted here in this period." in board.panel("Countries").text
