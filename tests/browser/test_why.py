"""Why a number changed, in a browser: from the change to what made it, at a desk and on a phone, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.conftest import sell
from tests.browser.dashboards import Board
from tests.browser.test_accessible import FITS
from tests.browser.test_counters import COUNTERS, DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WHY = f"{COUNTERS}shop/why?f=revenue+as+Revenue+[$%23]&p=7d"
CHART = "const chart = window.Chart?.getChart(arguments[0]); return chart ? {} : null"


class Asker:
    """Who looks at an explanation."""

    def __init__(self, board: Board) -> None:
        self.board = board

    def open(self, address: str = WHY) -> None:
        self.board.open(address)

    def section(self, title: str) -> WebElement:
        """A dimension, opened: which one is open at first is the engine's to say."""
        found = self.closed_or_not(title)
        if not found.get_attribute("open"):
            found.find_element("css selector", "summary").click()
        return found

    def closed_or_not(self, title: str) -> WebElement:
        return next(
            one for one in self.board.all(".hw-by") if one.find_element("css selector", "h2").text.strip() == title
        )

    def chart(self, title: str, what: str) -> Any:
        canvas = self.section(title).find_element("css selector", "canvas")
        return self.board.until(lambda: self.board.run(CHART.format(f"[{what}]"), canvas))[0]

    def is_drawn(self, section: WebElement) -> bool:
        return bool(self.board.run(CHART.format("true"), section.find_element("css selector", "canvas")))

    def bars(self, title: str) -> list[list[float]]:
        found: list[list[float]] = self.chart(title, "chart.data.datasets[0].data")
        return found

    def click(self, title: str, bar: int) -> None:
        """On the middle of a bar's line, wherever the bar is."""
        canvas = self.section(title).find_element("css selector", "canvas")
        self.board.run("arguments[0].scrollIntoView({block: 'center'})", canvas)
        x, y = self.chart(title, f"[chart.chartArea.left + 20, chart.scales.name.getPixelForValue({bar})]")
        width, height = canvas.size["width"], canvas.size["height"]
        pointer = ActionChains(self.board.chrome)
        pointer.move_to_element_with_offset(canvas, round(x - width / 2), round(y - height / 2)).click().perform()

    def child(self, title: str, name: str) -> WebElement:
        """The link of a row; sentences have links of the same name."""
        return self.section(title).find_element("css selector", "table").find_element("link text", name)

    @property
    def heading(self) -> str:
        return self.board.one("h1").text

    def rows(self, title: str) -> list[list[str]]:
        table = self.section(title).find_element("css selector", "table")
        return [
            [cell.text for cell in row.find_elements("css selector", "th, td")]
            for row in table.find_elements("css selector", "tbody tr")
        ]


@pytest.fixture
def asker(board: Board) -> Iterator[Asker]:
    yield Asker(board)


class TestTheWayThere:
    def test_from_a_counters_page_to_a_child_and_back(self, asker: Asker) -> None:
        board = asker.board
        board.open(f"{COUNTERS}shop/?d=country&m=revenue&p=7d&c=previous")

        board.leave(board.one(".hw-tiles .hw-why").click)
        assert asker.heading == "Why did revenue change?"
        assert "revenue rose from 30 to 180 (+500.0%)." in board.one(".hw-answer").text
        # Of 150 the US, where it was 30, are 90.
        assert asker.rows("country")[0][:5] == ["US", "30", "120", "▲ +90", "60.0%"]

        board.leave(asker.child("country", "US").click)
        assert asker.heading == "Why did revenue of US change?"
        board.leave(board.one(".breadcrumbs").find_element("link text", "country").click)
        assert board.query["c"] == ["previous"]
        assert [one.text for one in board.all(".hw-ranked tbody:not(.hw-totals) .hw-name")] == ["US 2 ›", "DE", "FR"]

    def test_the_link_on_a_tile_is_beside_what_it_explains(self, asker: Asker) -> None:
        board = asker.board
        for size in (DESK, PHONE):
            board.look(size)
            board.open(f"{COUNTERS}shop/?d=country&m=revenue/visitors,revenue&p=7d&c=previous")
            for tile in board.all(".hw-doubted"):
                why = tile.find_element("css selector", ".hw-why").rect
                change = tile.find_element("css selector", ".hw-change").rect
                beside = why["x"] >= change["x"] + change["width"]
                assert beside or why["y"] >= change["y"] + change["height"] - 6
                assert why["width"] >= 24 and why["height"] >= 22

    def test_from_a_dashboard_with_its_filter(self, asker: Asker) -> None:
        board = asker.board
        board.visit("?f=device/phone")

        (link,) = board.within("Countries", "[aria-label='Why did Revenue of US change?']")
        board.leave(link.click)

        assert asker.heading == "Why did Revenue of device phone, country US change?"
        assert "Revenue rose from 30 to 50 (+66.7%)." in board.one(".hw-answer").text
        assert board.query["p"] == ["7d"]

    def test_by_keyboard(self, asker: Asker) -> None:
        board = asker.board
        board.visit()
        (link,) = board.within("Revenue", ".hw-why")

        board.run("arguments[0].focus()", link)
        assert board.run("return document.activeElement.getAttribute('aria-label')") == "Why did revenue change?"
        board.leave(lambda: link.send_keys(Keys.ENTER))

        first, *others = board.all(".hw-by")
        board.until(lambda: asker.is_drawn(first))
        for section in others:
            assert not asker.is_drawn(section)
            section.find_element("css selector", "summary").send_keys(Keys.ENTER)
        board.until(lambda: all(map(asker.is_drawn, others)))
        board.leave(lambda: asker.child("device", "phone").send_keys(Keys.ENTER))
        assert asker.heading == "Why did revenue of phone change?"


class TestWaterfall:
    def test_bars_are_those_of_the_table(self, asker: Asker) -> None:
        asker.open()

        # Before 30; US 90, DE 50, FR 10; now 180. That is far more than before, so from zero.
        assert asker.bars("country") == [[0, 30], [30, 120], [120, 170], [170, 180], [0, 180]]
        assert asker.chart("country", "chart.data.labels") == ["before", "US", "DE", "FR", "now"]
        texts = [text.strip("\u2066\u2069") for text in asker.chart("country", "chart.scales.worth.getLabels()")]
        assert texts == ["$30", "+$90", "+$50", "+$10", "$180"]
        assert [row[3] for row in asker.rows("country")] == ["▲ +$90", "▲ +$50", "▲ +$10", "▲ +$150"]

    @pytest.mark.parametrize("size", [DESK, PHONE])
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_a_click_goes_to_the_child(self, asker: Asker, size: tuple[int, int], scheme: str) -> None:
        board = asker.board
        board.look(size, scheme, motion="reduce")
        asker.open()
        assert board.run(FITS)
        assert asker.chart("country", "chart.options.animation") is False
        left, right, width = asker.chart("country", "[chart.chartArea.left, chart.chartArea.right, chart.width]")
        assert right - left > 0.4 * width

        asker.click("country", 0)  # before is nobody
        board.leave(lambda: asker.click("country", 2))

        assert asker.heading == "Why did Revenue of DE change?"

    def test_an_axis_that_begins_elsewhere_says_so(self, asker: Asker) -> None:
        asker.open()
        assert not asker.section("country").find_elements("css selector", ".hw-note")

        sell("US", "phone", days=1, visitors=1000)
        sell("US", "phone", days=9, visitors=1000)
        asker.open(f"{COUNTERS}shop/why?f=visitors&p=7d")

        # From 1,010 to 1,029, most of it on desktops: ten below.
        assert asker.chart("device", "chart.scales.value.min") == 1000
        assert "begins at 1,000 and not at zero" in asker.section("device").text

    def test_the_theme_is_followed(self, asker: Asker) -> None:
        board = asker.board
        board.look(DESK, "light", motion="reduce")
        asker.open()
        colour = "chart.getDatasetMeta(0).data[1].options.backgroundColor"
        light = asker.chart("country", colour)

        board.look(DESK, "dark", motion="reduce")

        board.until(lambda: asker.chart("country", colour) != light)
        board.look(DESK, "light", motion="reduce")
        board.until(lambda: asker.chart("country", colour) == light)

    def test_from_right_to_left(self, asker: Asker) -> None:
        board = asker.board
        board.look(PHONE, motion="reduce")
        with override_settings(LANGUAGE_CODE="he"):
            asker.open()
            assert board.run(FITS)
            assert asker.chart("country", "chart.scales.name.position") == "right"
            zero, more = asker.chart("country", "[0, 100].map((value) => chart.scales.value.getPixelForValue(value))")
            assert zero > more

    def test_a_picker_applies_at_once(self, asker: Asker) -> None:
        board = asker.board
        asker.open()

        board.choose("#hw-c", "weekdays")

        assert board.query == {"f": ["revenue as Revenue [$#]"], "p": ["7d"], "c": ["weekdays"]}
        assert board.one("#hw-c").get_attribute("value") == "weekdays"
        assert asker.bars("country")


class TestWithoutScripts:
    @pytest.fixture
    def plain(self, asker: Asker) -> Iterator[Asker]:
        asker.board.command("Emulation.setScriptExecutionDisabled", value=True)
        yield asker
        asker.board.command("Emulation.setScriptExecutionDisabled", value=False)

    def test_sentences_and_tables_are_there(self, plain: Asker) -> None:
        board = plain.board
        plain.open()

        assert not board.one(".hw-canvas").is_displayed()
        assert plain.rows("country")[0][:4] == ["US", "$30", "$120", "▲ +$90"]
        assert plain.rows("device")[-1][0] == "total"
        field = board.one("#hw-pt")
        field.send_keys("2d")
        before = board.chrome.current_url
        board.one("#hw-controls .button").click()
        board.until(lambda: board.chrome.current_url != before and board.all(".hw-answer"))
        assert board.query["p"] == ["2d"]
