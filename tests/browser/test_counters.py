"""The admin's pages in a real browser: what a person does there, at a desk and on a phone, by day and by night.

Every test fails on anything in the browser's console: errors, warnings, and what the Content-Security-Policy stopped.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.test import override_settings

from example_project.flights.events import NEW_YORK, events
from example_project.flights.load import rows
from example_project.flights.page import START_PATH
from hailwhale_django import Whale

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FLIGHTS = 2000
COUNTERS = "/admin/hailwhale_django/counter/"
WAIT_SECONDS = 20
DESK, PHONE = (1280, 900), (390, 844)

WATCH = """
document.addEventListener("securitypolicyviolation", (event) => {
    console.error("stopped by the policy", event.violatedDirective, event.blockedURI, event.sourceFile);
});
"""
# Every browser asks for the first, and the admin has none; the second is said of its page to log in, now and then.
IGNORED = ("/favicon.ico", "Autofocus processing was blocked")


class Browser:
    """A browser at one site: what a person does there, and what the tests look at."""

    def __init__(self, chrome: Chrome, site: str) -> None:
        self.chrome = chrome
        self.site = site

    def command(self, name: str, **parameters: Any) -> Any:
        return self.chrome.execute_cdp_cmd(name, parameters)

    def look(self, size: tuple[int, int] = DESK, scheme: str = "light", motion: str = "no-preference") -> None:
        width, height = size
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
        self.command(
            "Emulation.setEmulatedMedia", features=[{"name": name, "value": features[name]} for name in features]
        )

    def open(self, address: str) -> None:
        self.chrome.get(self.site + address)

    def log_in(self) -> None:
        self.one("[name=username]").send_keys("looker")
        self.one("[name=password]").send_keys("wings")
        self.leave(lambda: self.one("[type=submit]").click())

    def one(self, selector: str) -> WebElement:
        return self.chrome.find_element("css selector", selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.chrome.find_elements("css selector", selector)

    def link(self, text: str) -> WebElement:
        return self.chrome.find_element("link text", text)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.chrome.execute_script(script, *arguments)

    def until(self, wanted: Callable[[], Any]) -> Any:
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.wait import WebDriverWait

        waiting = WebDriverWait(self.chrome, WAIT_SECONDS, 0.02, [StaleElementReferenceException])
        return waiting.until(lambda _: wanted())

    def leave(self, act: Callable[[], object]) -> None:
        """Do what leads to another page, and be there when it is loaded."""
        self.run("window.left = true")
        act()
        self.until(lambda: self.run("return !window.left && document.readyState === 'complete'"))

    def choose(self, selector: str, value: str) -> None:
        from selenium.webdriver.support.select import Select

        self.leave(lambda: Select(self.one(selector)).select_by_value(value))

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.chrome.current_url).query)

    @property
    def names(self) -> list[str]:
        return [one.text for one in self.all(".hw-ranked tbody:not(.hw-totals) .hw-name bdi")]

    @property
    def values(self) -> list[str]:
        """What stands in the column by which the table is ordered."""
        return [one.text for one in self.all(".hw-ranked tbody:not(.hw-totals) .hw-sorted .hw-value")]

    @property
    def legend(self) -> list[str]:
        return [one.text for one in self.all(".hw-legend li:not([hidden])")]

    def chart(self, what: str) -> Any:
        return self.run(f"const chart = Chart.getChart('hw-graph'); return chart && {what}")

    @property
    def lines(self) -> list[list[float | None]]:
        return self.until(lambda: self.chart("chart.data.datasets.map((line) => line.data)"))

    @property
    def colours(self) -> list[str]:
        return self.until(lambda: self.chart("chart.data.datasets.map((line) => line.borderColor)"))

    def wait_for_complaint(self, text: str) -> None:
        """The browser's log arrives when it likes."""
        from selenium.webdriver.support.wait import WebDriverWait

        WebDriverWait(self.chrome, WAIT_SECONDS).until(lambda _: any(text in one for one in self.complaints()))

    def complaints(self) -> list[str]:
        messages = [entry["message"] for entry in self.chrome.get_log("browser")]
        return [message for message in messages if not any(one in message for one in IGNORED)]


@pytest.fixture
def site(redis_url: str, live_server: Any) -> Iterator[str]:
    """A site whose days are New York's, as those of the flights are, and one who may look at its counters."""
    with override_settings(HAILWHALE={"REDIS": redis_url, "TIME_ZONE": str(NEW_YORK)}):
        user = User.objects.create_user("looker", password="wings", is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_counter"))
        yield live_server.url


@cache
def some_rows() -> list[dict[str, str]]:
    return list(rows(FLIGHTS))


@pytest.fixture
def flights(site: str) -> list[dict[str, Any]]:
    """Two thousand of them, spread over the year that ends today, are counted; these are their events."""
    counted = list(events(some_rows(), datetime.now(NEW_YORK).date()))
    Whale.count_many(counted)
    return counted


@pytest.fixture
def browser(chromium: Chrome, site: str) -> Iterator[Browser]:
    browser = Browser(chromium, site)
    browser.look()
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
    browser.complaints()
    yield browser
    complaints = browser.complaints()
    browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])
    browser.command("Emulation.setScriptExecutionDisabled", value=False)
    chromium.get(site)
    chromium.execute_script("localStorage.clear()")
    chromium.delete_all_cookies()
    chromium.get("about:blank")
    assert complaints == []


@pytest.fixture
def reader(browser: Browser, flights: list[dict[str, Any]]) -> Browser:
    """Logged in, and looking at what the demo shows first."""
    browser.open(START_PATH)
    browser.log_in()
    return browser


def ratios(counted: list[dict[str, Any]], dimension: str, top: str, bottom: str) -> dict[str, float]:
    """The ratio of sums by a dimension's children, highest first, equal ones by name; 0 of nothing."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0, 0])
    for event in counted:
        name = event["dimensions"][dimension]
        sums[name][0] += event["metrics"].get(top, 0)
        sums[name][1] += event["metrics"].get(bottom, 0)
    found = {name: above / below if below else 0.0 for name, (above, below) in sums.items()}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


class TestLooking:
    def test_from_the_login_to_the_worst_carrier_and_the_worst_route(
        self, reader: Browser, flights: list[dict[str, Any]]
    ) -> None:
        worst = ratios(flights, "carrier", "arr_delay", "arrived")
        assert reader.names == list(worst)
        assert float(reader.values[0]) == pytest.approx(next(iter(worst.values())), rel=1e-3)
        assert reader.legend == list(worst)[:5]

        reader.leave(reader.link("route").click)
        worst = ratios(flights, "route", "arr_delay", "arrived")
        assert reader.names == list(worst)[:50]
        reader.leave(reader.link("Next page").click)
        assert reader.names == list(worst)[50:100]

    def test_the_list_leads_to_the_counter(self, reader: Browser) -> None:
        reader.open(COUNTERS)
        assert [one.text for one in reader.all(".hw-list tbody th")] == ["flights"]
        assert reader.one(".hw-spark").size["width"] > 50
        reader.one("[name=q]").send_keys("no such counter")
        reader.leave(reader.one(".hw-controls .button").click)
        assert "No counter begins with" in reader.one(".hw-empty").text
        reader.leave(reader.link("Show all").click)
        reader.leave(reader.link("flights").click)
        assert reader.one("h1").text == "flights › carrier"

    def test_a_click_on_a_heading_orders_and_another_turns_it_around(
        self, reader: Browser, flights: list[dict[str, Any]]
    ) -> None:
        from selenium.webdriver.common.keys import Keys

        late = list(ratios(flights, "carrier", "late", "arrived"))

        reader.leave(reader.link("late/arrived").click)
        assert reader.names == late
        assert reader.one("[aria-sort]").get_attribute("aria-sort") == "descending"
        heading = reader.one("[aria-sort] a")
        reader.leave(lambda: heading.send_keys(Keys.ENTER))
        assert reader.one("[aria-sort]").get_attribute("aria-sort") == "ascending"
        assert [float(value) for value in reader.values] == sorted(float(value) for value in reader.values)
        reader.leave(reader.link("Name").click)
        assert reader.names == sorted(late)

    def test_going_down_and_back_by_the_path(self, reader: Browser, flights: list[dict[str, Any]]) -> None:
        reader.leave(reader.link("origin").click)
        assert sorted(reader.names) == ["EWR", "JFK", "LGA"]
        reader.leave(reader.link("EWR").click)
        assert reader.one("h1").text == "flights › origin › EWR"
        assert len(reader.names) == min(len(set(destinations(flights, "EWR"))), 50)
        assert reader.query["p"] == ["year"]  # the view stays
        reader.leave(reader.one(".breadcrumbs").find_element("link text", "origin").click)
        assert sorted(reader.names) == ["EWR", "JFK", "LGA"]
        reader.leave(reader.one(".breadcrumbs").find_element("link text", "Counters").click)
        assert urlsplit(reader.chrome.current_url).path == COUNTERS

    def test_another_period_and_what_it_is_compared_with(self, reader: Browser) -> None:
        before = reader.one(".hw-span").text

        reader.choose("#hw-p", "30d")
        assert reader.one(".hw-span").text != before
        assert "p" not in reader.query  # thirty days are what an address without a period means
        reader.choose("#hw-c", "previous")
        assert "compared with" in reader.one(".hw-span").text
        assert reader.query["c"] == ["previous"]
        change = reader.one(".hw-tiles .hw-change")
        assert change.text[0] in "▲▼" and "before" in change.get_attribute("title")

        field = reader.one("#hw-pt")
        field.send_keys("2d")
        reader.leave(field.submit)
        assert reader.query["p"] == ["2d"]
        assert reader.one("#hw-pt").get_attribute("value") == "2d"
        reader.one("#hw-pt").clear()
        reader.one("#hw-pt").send_keys("no period")
        reader.leave(reader.one("#hw-controls > .button").click)
        assert "will not do" in reader.one("#hw-problem-period").text
        assert reader.names  # and all else is there
        reader.choose("#hw-p", "12mo")
        assert reader.query["p"] == ["12mo"]

    def test_columns_are_formulas(self, reader: Browser) -> None:
        reader.one(".hw-columns summary").click()
        fields = reader.all("[name=m]")
        assert [one.get_attribute("value") for one in fields][-2:] == ["dep_delay/departed", ""]
        fields[-1].send_keys("distance/")
        reader.leave(fields[-1].submit)
        wrong = reader.one("[aria-invalid=true]")
        assert wrong.get_attribute("value") == "distance/"
        assert wrong.is_displayed()  # what is wrong is not folded away
        wrong.send_keys("flights")
        reader.leave(wrong.submit)
        reader.leave(reader.link("distance/flights").click)
        assert reader.one("[aria-sort] a").text.startswith("distance/flights")
        assert all(400 < float(value.replace(",", "")) < 5000 for value in reader.values[:1])

    def test_the_sheet_has_what_the_page_shows(self, reader: Browser) -> None:
        address = reader.link("CSV").get_attribute("href")

        text = reader.chrome.execute_async_script(
            "const [address, done] = arguments; fetch(address).then((answer) => answer.text()).then(done)", address
        )

        sheet = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
        assert [row[0] for row in sheet[1:-1]] == reader.names
        assert sheet[0][1] == "arr_delay/arrived"


class TestGraph:
    def test_ticked_rows_are_drawn_where_the_reader_is(self, reader: Browser) -> None:
        reader.run("window.stayed = true")
        third, sixth = reader.names[2], reader.names[5]
        colours = reader.run(COLOURS_OF_LEGEND)
        assert len(reader.lines) == 5

        box = reader.one("#hw-row-6")
        reader.run("arguments[0].scrollIntoView({block: 'center'})", box)
        where = reader.run("return scrollY")
        box.click()
        reader.until(lambda: len(reader.legend) == 6)

        assert reader.legend[-1] == sixth
        assert len(reader.lines) == 6
        assert reader.run(COLOURS_OF_LEGEND)[:5] == colours  # a line keeps its colour
        assert reader.colours[5] == reader.run(COLOURS_OF_LEGEND)[5]
        assert reader.colours[0] != colours[0]  # and stands back while the pointer is on another
        assert reader.run("return window.stayed && document.activeElement.id") == "hw-row-6"
        assert abs(reader.run("return scrollY") - where) < 30
        assert sixth in reader.query["rows"]

        reader.one("#hw-row-3").click()
        reader.until(lambda: third not in reader.legend)
        reader.leave(reader.chrome.refresh)
        assert len(reader.lines) == 5 and third not in reader.legend

    def test_a_total_above_draws_its_column(self, reader: Browser, flights: list[dict[str, Any]]) -> None:
        reader.leave(reader.one(".hw-tiles li:nth-child(2) a").click)

        assert reader.one("#hw-graph-title bdi").text == "flights"
        assert reader.one(".hw-tiles [aria-current] .hw-tile-name").text == "flights"
        by_name = {name: sum(line) for name, line in zip(reader.legend, reader.lines, strict=True)}
        counted: dict[str, int] = defaultdict(int)
        for event in flights:
            counted[event["dimensions"]["carrier"]] += 1
        assert by_name == {name: counted[name] for name in reader.legend}

    def test_its_numbers_are_a_table(self, reader: Browser) -> None:
        lines = reader.lines
        assert not reader.one(".hw-numbers table").is_displayed()
        reader.one(".hw-numbers summary").click()
        assert reader.one(".hw-numbers table").is_displayed()
        cells = [one.text for one in reader.all(".hw-numbers table tbody td:nth-child(2)")]
        assert len(cells) == len(lines[0])
        for cell, value in zip(cells, lines[0], strict=True):
            if value is None:
                assert cell == "–"
            else:
                assert float(cell) == pytest.approx(value, rel=1e-3)

    def test_by_the_keyboard(self, reader: Browser) -> None:
        from selenium.webdriver.common.keys import Keys

        assert reader.lines
        canvas = reader.one("#hw-graph")
        canvas.send_keys(Keys.ARROW_RIGHT)
        canvas.send_keys(Keys.ARROW_RIGHT)
        told = reader.one(".hw-graph [role=status]").get_attribute("textContent")
        second = reader.all(".hw-numbers table tbody th")[1].get_attribute("textContent")
        assert told.startswith(f"{second}: {reader.legend[0]} ")
        assert reader.chart("chart.tooltip.title") == [second]
        canvas.send_keys(Keys.ESCAPE)
        assert reader.one(".hw-graph [role=status]").get_attribute("textContent") == ""

    def test_colours_follow_the_theme(self, reader: Browser) -> None:
        light = reader.colours
        assert len(set(light)) == 5

        reader.one(".theme-toggle").click()  # light as the system is, then dark
        reader.until(lambda: reader.colours != light)
        dark = reader.colours
        assert reader.run("return document.documentElement.dataset.theme") == "dark"
        reader.one(".theme-toggle").click()
        reader.until(lambda: reader.colours == light)
        reader.one(".theme-toggle").click()
        reader.look(scheme="dark")
        reader.until(lambda: reader.colours == dark)

    @pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
    def test_it_moves_only_for_those_who_like_that(self, motion: str, moves: bool, reader: Browser) -> None:
        reader.look(motion=motion)
        reader.leave(reader.chrome.refresh)

        assert reader.lines
        assert bool(reader.chart("chart.options.animation && chart.options.animation.duration")) is moves

    def test_of_one_row_with_what_it_was(self, reader: Browser) -> None:
        reader.open(f"{COUNTERS}flights/?m=flights&p=30d&c=previous&rows=/")

        assert reader.legend == ["total", "total before"]
        assert len(reader.lines) == 2


VIEWS = {
    "list": COUNTERS,
    "counter": START_PATH,
    "compared": f"{START_PATH}&c=previous&p=30d",
    "below": f"{START_PATH}&d=origin/EWR",
    "errors": f"{COUNTERS}flights/?m=flights/,hits&p=x&c=x&i=x&o=x&g=(",
    "hostile": f"{COUNTERS}hostile/",
    "sketches": f"{COUNTERS}sketches/?m=uv:visitor,hits/uv:visitor,pct95:ms,hist:ms,top:sum:page,mh:visitor,fh:visitor",
    "missing": f"{COUNTERS}{'x' * 200}/",
}
HOSTILE = ["<img src=x onerror=alert(1)>", "x" * 255, "\u202ertl", "\u05e9\u05dc\u05d5\u05dd " * 20, "a/b%2F", "&amp;"]
SKETCHES = {
    "uv:visitor": HOSTILE,
    "mh:visitor": HOSTILE,
    "fh:visitor": HOSTILE,
    "pct:ms": [2**n for n in range(20)],
    "top:sum:page": {name: number for number, name in enumerate(HOSTILE, 1)},
}

OPEN_CELLS = "document.querySelectorAll('td details, .hw-tiles details').forEach((one) => { one.open = true; })"


class TestEveryView:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
    def test_fits_and_can_be_read(self, size: tuple[int, int], scheme: str, reader: Browser) -> None:
        Whale.count_many([("hostile", {"name": {name: {name: "x"}}}, {"long " * 40: 1}) for name in HOSTILE])
        Whale.count_many([("sketches", {"name": name}, SKETCHES) for name in HOSTILE])
        reader.look(size, scheme)
        for name, address in VIEWS.items():
            reader.open(address)
            reader.run(OPEN_CELLS)
            if name == "missing":
                reader.wait_for_complaint("404")
            wide = reader.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, (name, wide)
            contrast = reader.run(CONTRAST)
            assert not contrast, (name, contrast)

    def test_can_be_used_without_scripts(self, reader: Browser, flights: list[dict[str, Any]]) -> None:
        from selenium.webdriver.support.select import Select

        reader.command("Emulation.setScriptExecutionDisabled", value=True)
        reader.open(START_PATH)
        worst = list(ratios(flights, "carrier", "arr_delay", "arrived"))
        assert reader.names == worst

        Select(reader.one("#hw-p")).select_by_value("12mo")
        reader.one("#hw-row-7").click()
        reader.one("#hw-controls > .button").click()
        reader.until(lambda: "12mo" in reader.query.get("p", ()))
        assert reader.query["rows"] == [*worst[:5], worst[6]]
        reader.one(".hw-ranked").find_element("link text", "late/arrived").click()
        reader.until(lambda: "late/arrived" in reader.one("[aria-sort]").text)
        reader.one(".hw-numbers summary").click()
        assert reader.one(".hw-numbers table").is_displayed()

    def test_a_list_opens_without_scripts(self, reader: Browser) -> None:
        Whale.count_many([("sketches", {"name": name}, SKETCHES) for name in HOSTILE])
        reader.command("Emulation.setScriptExecutionDisabled", value=True)
        reader.open(VIEWS["sketches"])

        (last, *_) = reader.all(".hw-ranked tbody:not(.hw-totals) ol[start='4'] li:last-child")
        assert not last.is_displayed()
        reader.one(".hw-ranked tbody:not(.hw-totals) details:has(ol) summary").click()
        assert last.is_displayed()
        assert last.text == f"{HOSTILE[0]} 1"

    def test_a_first_counter_can_be_copied(self, browser: Browser) -> None:
        browser.open(COUNTERS)
        browser.log_in()
        assert "Nothing is counted yet" in browser.one("h2").text
        browser.command("Browser.grantPermissions", permissions=["clipboardReadWrite"], origin=browser.site)
        button = browser.one("[data-copies]")
        button.click()
        browser.until(lambda: button.text == "Copied" or browser.run("return String(getSelection())"))


COLOURS_OF_LEGEND = "return [...document.querySelectorAll('.hw-legend li')].map((one) => getComputedStyle(one).color)"

# Text whose colour is too near to what is behind it (WCAG 2.2, 1.4.3: 4.5 to 1); large or hidden text is left out.
CONTRAST = """
function channels(colour) {
    const parts = colour.match(/[\\d.]+/g).map(Number);
    const found = colour.startsWith("color(srgb") ? parts.map((part, at) => (at < 3 ? part * 255 : part)) : parts;
    return found.length === 3 ? [...found, 1] : found;
}
function light([r, g, b]) {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}
function behind(element) {
    for (let one = element; one; one = one.parentElement) {
        const colour = channels(getComputedStyle(one).backgroundColor);
        if (colour[3] === 1) return colour;
    }
    return [255, 255, 255, 1];
}
const found = [];
for (const element of document.querySelectorAll(".hw-page *")) {
    const words = [...element.childNodes].some((one) => one.nodeType === 3 && one.textContent.trim());
    if (!words || !element.checkVisibility() || element.closest(".visually-hidden, svg, option")) continue;
    const [a, b] = [light(channels(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${element.tagName}.${element.className} ${element.textContent.trim()} ${ratio}`);
}
return found;
"""


def destinations(counted: list[dict[str, Any]], origin: str) -> list[str]:
    return [event["dimensions"]["origin"][origin] for event in counted if origin in event["dimensions"]["origin"]]
