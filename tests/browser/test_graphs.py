"""What a person does with a graph: looks at a part of it, draws it otherwise, keeps it as a file.

The fixtures fail on anything in the browser's console, and on what the Content-Security-Policy stopped.
"""

from __future__ import annotations

import csv
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from hailwhale_django import Whale
from tests.browser.test_counters import Browser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What each counts on every day; of six rows the upper five are drawn.
VISITORS = {"=SUM(A1)": 9, "b": 5, "c": 4, "d": 3, "e": 2, "f": 1}
DAYS = 10
PLACED = "window['chartjs-plugin-annotation'].getAnnotations(chart)"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def last() -> date:
    """The last of the days that are looked at, long over."""
    return datetime.now(UTC).date() - timedelta(days=20)


@pytest.fixture
def looker(watcher: Browser, last: date) -> Browser:
    """Looks at ten days of six countries; `b` was not there on the first."""
    for back in range(DAYS):
        at = f"{last - timedelta(days=back)}T12:00:00Z"
        counted = {name: number for name, number in VISITORS.items() if name != "b" or back < DAYS - 1}
        Whale.count_many([("shop", {"country": name}, {"visitors": n}, at) for name, n in counted.items()])
    watcher.open(f"/admin/hailwhale_django/counter/shop/?m=visitors&p={day(last, 9)}..{last}")
    drawn(watcher)
    return watcher


@pytest.fixture
def downloads(looker: Browser, tmp_path: Path) -> Path:
    looker.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    return tmp_path


@pytest.fixture
def stranger(watcher: Browser) -> Iterator[Browser]:
    """On pages of a project."""
    with override_settings(ROOT_URLCONF="tests.pages"):
        yield watcher


def day(last: date, back: int) -> str:
    return str(last - timedelta(days=back))


def chart(browser: Browser, what: str, at: int = 0) -> Any:
    found = f"window.Chart?.getChart(document.querySelectorAll('.hw-graph canvas')[{at}])"
    return browser.run(f"const chart = {found}; return chart ? {what} : null")


def drawn(browser: Browser, at: int = 0) -> list[dict[str, Any]]:
    """What is drawn, when it is: type, name and points of each."""
    what = "chart.data.datasets.map(({type, label, data, stack}) => ({type, label, data, stack}))"
    found: list[dict[str, Any]] = browser.until(lambda: chart(browser, what, at))
    return found


def seen(browser: Browser, at: int = 0) -> list[int]:
    found: list[int] = chart(browser, "[chart.scales.x.min, chart.scales.x.max]", at)
    return found


def pixel(browser: Browser, point: int) -> int:
    """Where a point is, from the middle of the canvas, as the driver counts."""
    return round(chart(browser, f"chart.scales.x.getPixelForValue({point}) - chart.canvas.clientWidth / 2"))


def drag(browser: Browser, begin: int, end: int) -> None:
    canvas = browser.one(".hw-graph canvas")
    browser.run("arguments[0].scrollIntoView({block: 'center'})", canvas)
    x, to = pixel(browser, begin), pixel(browser, end)
    there = ActionChains(browser.chrome, duration=0).move_to_element_with_offset(canvas, x, 0)
    there.click_and_hold().move_by_offset((to - x) // 2, 5).move_by_offset(
        to - x - (to - x) // 2, -5
    ).release().perform()


def press(browser: Browser, *keys: str, shift: bool = False) -> None:
    actions = ActionChains(browser.chrome)
    (actions.key_down(Keys.SHIFT) if shift else actions).send_keys(*keys)
    (actions.key_up(Keys.SHIFT) if shift else actions).perform()


def told(browser: Browser) -> str:
    return str(browser.one(".hw-graph [role=status]").get_attribute("textContent"))


def tool(browser: Browser, text: str) -> Any:
    return browser.chrome.find_element("xpath", f"//*[@class='hw-tools']//*[normalize-space()='{text}']")


class TestZoom:
    def test_drawing_over_a_span_shows_it_alone(self, looker: Browser, last: date) -> None:
        assert seen(looker) == [0, 9]
        assert not looker.one(".hw-zoomed").is_displayed()
        drag(looker, 7, 3)  # from right to left, as some do

        assert seen(looker) == [3, 7]
        labels = [one.get_attribute("textContent") for one in looker.all(".hw-graph tbody th")]
        assert told(looker).startswith(f"Shown: {labels[3]} – {labels[7]}.")
        looker.leave(tool(looker, "Show only this").click)
        assert looker.query["p"] == [f"{day(last, 6)}..{day(last, 2)}"]
        assert len(drawn(looker)[0]["data"]) == 5

    def test_a_button_leads_back(self, looker: Browser) -> None:
        drag(looker, 2, 5)
        drag(looker, 3, 4)  # again, within
        assert seen(looker) == [3, 4]
        button = tool(looker, "Whole period")
        button.click()
        assert seen(looker) == [0, 9]
        assert told(looker) == "The whole period is shown."
        assert not button.is_displayed()
        assert looker.run("return document.activeElement.localName") == "canvas"  # and not nowhere

    def test_a_click_is_no_span(self, looker: Browser) -> None:
        looker.one(".hw-graph canvas").click()
        assert seen(looker) == [0, 9]

    def test_a_finger_does_it_too(self, looker: Browser) -> None:
        box = looker.one(".hw-graph canvas")
        looker.run("arguments[0].scrollIntoView({block: 'center'})", box)
        where = looker.run("const at = arguments[0].getBoundingClientRect(); return [at.left, at.top]", box)
        places = [
            [where[0] + chart(looker, f"chart.scales.x.getPixelForValue({point})"), where[1] + 80]
            for point in (2, 4, 6)
        ]
        for kind, points in [
            ("touchStart", places[:1]),
            ("touchMove", places[1:2]),
            ("touchMove", places[2:]),
            ("touchEnd", []),
        ]:
            touched = [{"x": x, "y": y} for x, y in points]
            looker.command("Input.dispatchTouchEvent", type=kind, touchPoints=touched)
        looker.until(lambda: seen(looker) == [2, 6])

    def test_by_the_keyboard(self, looker: Browser) -> None:
        labels = [one.get_attribute("textContent") for one in looker.all(".hw-graph tbody th")]
        looker.run("arguments[0].focus()", looker.one(".hw-graph canvas"))
        press(looker, *[Keys.ARROW_RIGHT] * 3)
        press(looker, *[Keys.ARROW_RIGHT] * 4, shift=True)
        assert told(looker).startswith(f"Selected: {labels[2]} – {labels[6]}.")
        press(looker, Keys.ARROW_LEFT, shift=True)
        assert told(looker).startswith(f"Selected: {labels[2]} – {labels[5]}.")
        press(looker, Keys.ENTER)
        assert seen(looker) == [2, 5]
        press(looker, Keys.END)
        assert told(looker).startswith(f"{labels[5]}: ")  # of what is shown
        press(looker, Keys.ESCAPE)
        assert seen(looker) == [0, 9]

    def test_escape_lets_go_before_it_goes_back(self, looker: Browser) -> None:
        drag(looker, 2, 7)
        looker.run("arguments[0].focus()", looker.one(".hw-graph canvas"))
        press(looker, *[Keys.ARROW_LEFT] * 2, shift=True)
        assert told(looker).startswith("Selected: ")
        press(looker, Keys.ESCAPE)
        assert (told(looker), seen(looker)) == ("", [2, 7])
        press(looker, Keys.ENTER)  # of nothing that is selected
        assert seen(looker) == [2, 7]
        press(looker, Keys.ESCAPE)
        assert seen(looker) == [0, 9]

    def test_it_stays_when_rows_are_ticked(self, looker: Browser) -> None:
        drag(looker, 2, 7)
        looker.one("#hw-row-6").click()
        looker.until(lambda: len(drawn(looker)) == 6)
        assert seen(looker) == [2, 7]
        assert tool(looker, "Whole period").is_displayed()

    def test_hours_are_left_to_pages_of_days(self, stranger: Browser) -> None:
        stranger.open("/page/marked")
        drawn(stranger)
        drag(stranger, 5, 20)
        assert tool(stranger, "Show only this").get_attribute("href").endswith("/?p=2026-03-01")
        drag(stranger, 6, 8)
        assert tool(stranger, "Show only this").get_attribute("href").endswith("/?p=2026-03-01")
        tool(stranger, "Whole period").click()
        drag(stranger, 20, 30)
        assert not stranger.one(".hw-zoomed a").is_displayed()  # both days are what is shown already


class TestStyle:
    def test_bars_are_stacked_to_the_whole(self, looker: Browser) -> None:
        assert [(one["type"], one["label"]) for one in drawn(looker)] == [("line", name) for name in list(VISITORS)[:5]]
        looker.run("window.stayed = true")
        tool(looker, "Bars").click()

        found = drawn(looker)
        assert {(one["type"], one["stack"]) for one in found} == {("bar", "parts")}
        assert looker.legend == [*list(VISITORS)[:5], "(other)"]
        heights = [sum(column) for column in zip(*(one["data"] for one in found), strict=True)]
        assert heights == [19] + [24] * 9
        assert tool(looker, "Bars").get_attribute("aria-pressed") == "true"
        assert tool(looker, "Line").get_attribute("aria-pressed") == "false"
        assert looker.query["s"] == ["bar"] and looker.run("return window.stayed")

        looker.leave(looker.link("Name").click)  # what leads from here keeps it
        assert looker.query["s"] == ["bar"] and {one["type"] for one in drawn(looker)} == {"bar"}
        looker.one("#hw-row-6").click()
        looker.until(lambda: looker.legend == sorted(VISITORS))  # and nothing is left for (other)
        tool(looker, "Line").click()
        assert "s" not in looker.query
        assert {one["type"] for one in drawn(looker)} == {"line"}

    def test_areas_stand_on_each_other(self, looker: Browser) -> None:
        tool(looker, "Area").click()
        assert {(one["type"], one["stack"]) for one in drawn(looker)} == {("line", "parts")}
        assert chart(looker, "chart.data.datasets.map((one) => one.fill)") == ["origin", 0, 1, 2, 3, 4]
        assert chart(looker, "chart.scales.y.max") > 24

    def test_a_log_scale_has_gaps_and_no_stacks(self, looker: Browser) -> None:
        tool(looker, "Area").click()
        tool(looker, "Log scale").click()

        b = drawn(looker)[1]
        assert (b["label"], b["data"], b["stack"]) == ("b", [None] + [5] * 9, None)
        assert chart(looker, "chart.scales.y.type") == "logarithmic"
        assert "(other)" not in looker.legend
        note = looker.one("[data-when=log]")
        assert note.is_displayed() and "gaps" in note.text
        assert looker.query["log"] == ["1"]
        looker.leave(looker.chrome.refresh)
        assert [one["data"][0] for one in drawn(looker)] == [9, None, 4, 3, 2]
        tool(looker, "Log scale").click()
        assert not looker.one("[data-when=log]").is_displayed()
        assert "log" not in looker.query and looker.query["s"] == ["area"]

    def test_what_does_not_add_up_stands_side_by_side(self, looker: Browser, last: date) -> None:
        looker.open(f"/admin/hailwhale_django/counter/shop/?m=visitors/hits&p={day(last, 9)}..{last}")
        drawn(looker)
        tool(looker, "Bars").click()
        assert {(one["type"], one["stack"]) for one in drawn(looker)} == {("bar", None)}
        assert looker.one("[data-when=bar]").is_displayed()
        tool(looker, "Area").click()
        assert not looker.one("[data-when=bar]").is_displayed()
        assert looker.one("[data-when=area]").is_displayed()

    def test_a_bar_that_is_not_over_is_hatched(self, looker: Browser) -> None:
        Whale.count_now("shop", {"country": "b"}, {"visitors": 3})
        looker.open("/admin/hailwhale_django/counter/shop/?m=visitors&p=7d&s=bar&rows=b")
        drawn(looker)
        fills = chart(looker, "chart.data.datasets[0].backgroundColor.map((one) => one instanceof CanvasPattern)")
        assert fills == [False] * 6 + [True]

    @pytest.mark.parametrize("style", ["line", "area", "bar"])
    @pytest.mark.parametrize("asked", ["m=nothing", "m=a/nothing", "m=visitors&i=1mo&p=mtd", "m=0 - visitors"])
    def test_of_nothing_of_one_point_and_below_zero(self, looker: Browser, style: str, asked: str) -> None:
        for log in ("", "&log=1"):
            looker.open(f"/admin/hailwhale_django/counter/shop/?{asked}&s={style}{log}")
            assert {len(one["data"]) for one in drawn(looker)} <= {1, 30}
            drag(looker, 0, seen(looker)[1])

    def test_without_scripts_the_tools_send_the_form(self, looker: Browser) -> None:
        looker.command("Emulation.setScriptExecutionDisabled", value=True)
        looker.chrome.refresh()
        tool(looker, "Bars").click()
        looker.until(lambda: looker.query.get("s") == ["bar"])
        tool(looker, "Log scale").click()
        looker.until(lambda: looker.query.get("log") == ["1"])
        assert looker.query["s"] == ["bar"]
        tool(looker, "Log scale").click()
        looker.until(lambda: "log" not in looker.query)
        assert not looker.one(".hw-files").is_displayed()


class TestFiles:
    def test_a_picture_that_is_understood_alone(self, looker: Browser, downloads: Path) -> None:
        looker.look(motion="reduce")  # which is drawn at once
        tool(looker, "Bars").click()
        tool(looker, "PNG").click()

        file = arrived(looker, downloads / "visitors-by-day.png")
        width, height, colours = pixels(file)
        shown = chart(looker, "[chart.canvas.clientWidth, chart.canvas.clientHeight]")
        assert width == 2 * (shown[0] + 32)  # sharp, with a margin
        assert height > 2 * (shown[1] + 50)
        assert chart(looker, "chart.canvas.width") == shown[0]  # on the page it is as it was
        background, *_ = sorted(colours, key=lambda colour: -colours[colour])
        assert background == rgb(
            looker.run("return getComputedStyle(document.querySelector('canvas')).backgroundColor")
        )
        for name in ("hw-line-1", "hw-line-5", "hw-line-0"):
            line = looker.run(f"return getComputedStyle(document.querySelector('.{name}')).color")
            assert colours[rgb(line)] > 100, name

    def test_a_sheet_of_its_numbers(self, looker: Browser, downloads: Path, last: date) -> None:
        drag(looker, 2, 5)  # what is shown does not matter
        tool(looker, "CSV").click()

        text = arrived(looker, downloads / "visitors-by-day.csv").decode("utf-8-sig")
        head, *rows = csv.reader(text.splitlines())
        assert head == ["Time", "'=SUM(A1)", "b", "c", "d", "e", "(other)"]
        assert rows == [[day(last, 9 - at), "9", "5" if at else "0", "4", "3", "2", "1"] for at in range(DAYS)]

    def test_notes_and_gaps_are_in_the_sheet(self, stranger: Browser, tmp_path: Path) -> None:
        stranger.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
        stranger.open("/page/marked")
        drawn(stranger)
        tool(stranger, "CSV").click()

        text = arrived(stranger, tmp_path / "hits-by-hour.csv").decode("utf-8-sig")
        rows = list(csv.reader(text.splitlines()))
        assert rows[:4] == [
            ["Time", "'=1+2", '"b", or not', "(other)", "Notes"],
            ["2026-03-01T00:00:00+00:00", "1", "", "0.5", ""],
            ["2026-03-01T01:00:00+00:00", "1", "0", "0.5", ""],
            ["2026-03-01T02:00:00+00:00", "1", "-1", "0.5", ""],
        ]
        assert [row[4] for row in rows if row[4]] == ["Notes", "'=deploy", "A campaign that goes on and on"]


class TestMarks:
    def test_they_are_drawn_told_and_listed(self, stranger: Browser) -> None:
        stranger.open("/page/marked")
        drawn(stranger)

        what = "chart.options.plugins.annotation.annotations.map((one) => [one.type, one.label.content])"
        assert chart(stranger, what) == [["line", "=deploy"], ["box", "A campaign that goes on…"]]
        # The plugin has placed them: the line is where its hour is, the box is eleven hours wide.
        (left, right), *box = chart(stranger, f"{PLACED}.map(({{x, x2}}) => [x, x2])")
        hour = chart(stranger, "chart.scales.x.getPixelForValue(1) - chart.scales.x.getPixelForValue(0)")
        assert left == right == pytest.approx(chart(stranger, "chart.scales.x.getPixelForValue(10)"))
        assert box[0][1] - box[0][0] == pytest.approx(11 * hour)
        stranger.run("arguments[0].focus()", stranger.one(".hw-graph canvas"))
        press(stranger, *[Keys.ARROW_RIGHT] * 11)
        assert told(stranger).endswith("; =deploy")
        assert chart(stranger, "chart.tooltip.footer") == ["=deploy"]

        stranger.one(".hw-numbers summary").click()
        notes = [one.text for one in stranger.all(".hw-marks tr")]
        assert notes[0] == "Notes"
        assert notes[1].endswith("10:00 =deploy") and notes[2].endswith("A campaign that goes on and on")
        assert [one.text for one in stranger.all(".hw-marks a")] == ["=deploy"]  # no link runs a script

    def test_each_of_several_graphs_is_by_itself(self, stranger: Browser) -> None:
        stranger.open("/page/marked")
        drawn(stranger, 0), drawn(stranger, 1)
        second = stranger.all(".hw-graph")[1]
        second.find_element("css selector", "[value=bar]").click()

        assert {one["type"] for one in drawn(stranger, 1)} == {"bar"}
        assert {one["type"] for one in drawn(stranger, 0)} == {"line"}
        drag(stranger, 5, 20)
        assert (seen(stranger, 0), seen(stranger, 1)) == ([5, 20], [0, 47])
        ids = stranger.run("return [...document.querySelectorAll('[id]')].map((one) => one.id)")
        assert sorted(ids) == ["first", "first-title", "second", "second-title"]


def arrived(browser: Browser, file: Path) -> bytes:
    """What was saved; the browser gives it its name when all of it is there."""
    browser.until(file.exists)
    return file.read_bytes()


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(map(int, colour.removeprefix("rgb(").removesuffix(")").split(", ")))


def pixels(png: bytes) -> tuple[int, int, dict[tuple[int, ...], int]]:
    """Width, height, and how often each colour is there; of pictures as browsers write them, eight bits a channel."""
    assert png.startswith(PNG)
    at, data, width, height, depth = len(PNG), b"", 0, 0, 0
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, bits, colour = struct.unpack_from(">IIBB", body)
            assert bits == 8
            depth = {2: 3, 6: 4}[colour]
        data += body if kind == b"IDAT" else b""
        at += length + 12
    return width, height, counted(zlib.decompress(data), width * depth, depth)


def counted(raw: bytes, stride: int, depth: int) -> dict[tuple[int, ...], int]:
    colours: dict[tuple[int, ...], int] = {}
    above = bytearray(stride)
    for begin in range(0, len(raw), stride + 1):
        row = unfiltered(raw[begin], bytearray(raw[begin + 1 : begin + 1 + stride]), above, depth)
        for at in range(0, stride, depth):
            colour = tuple(row[at : at + 3])
            colours[colour] = colours.get(colour, 0) + 1
        above = row
    return colours


def unfiltered(kind: int, row: bytearray, above: bytearray, depth: int) -> bytearray:
    """A row of a PNG as it was before it was filtered (PNG specification, 9.2)."""
    for at in range(len(row)):
        left = row[at - depth] if at >= depth else 0
        corner = above[at - depth] if at >= depth else 0
        guess = (0, left, above[at], (left + above[at]) // 2, paeth(left, above[at], corner))[kind]
        row[at] = (row[at] + guess) & 255
    return row


def paeth(left: int, above: int, corner: int) -> int:
    estimate = left + above - corner
    return min((left, above, corner), key=lambda one: abs(estimate - one))
