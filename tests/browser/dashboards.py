"""A dashboard as a person uses it, for the tests of its gestures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selenium.webdriver import ActionChains

from tests.browser.test_counters import Browser

if TYPE_CHECKING:
    from collections.abc import Callable

    from selenium.webdriver.remote.webelement import WebElement

BASE = "/admin/hailwhale_django/dashboard/"

# What the page would do in ten seconds and more it does when the test says so, and how often it asks is counted.
PATIENCE = """
(() => {
    const [set, clear, ask] = [window.setTimeout, window.clearTimeout, window.fetch];
    window.later = null;
    window.asked = 0;
    window.setTimeout = (act, after, ...rest) => {
        if (after < 10000) { return set(act, after, ...rest); }
        window.later = { act, seconds: after / 1000 };
        return -1;
    };
    window.clearTimeout = (timer) => { timer === -1 ? (window.later = null) : clear(timer); };
    window.fetch = (...given) => { window.asked += 1; return ask(...given); };
})();
"""


class Board(Browser):
    """What is seen, and what can be done there."""

    def visit(self, query: str = "", slug: str = "shop") -> None:
        self.open(f"{BASE}{slug}/{query}")
        self.stay()

    def stay(self) -> None:
        """From here on another page would be noticed."""
        self.run("window.stayed = true")

    @property
    def stayed(self) -> bool:
        return bool(self.run("return window.stayed === true"))

    def settled(self, act: Callable[[], object]) -> None:
        """Do what asks the server, and be there when the answer is in place."""
        asked = self.run("return window.asked")
        act()
        self.until(lambda: self.run("return window.asked") > asked)
        self.until(lambda: self.one("#hw-board").get_attribute("aria-busy") is None and self.is_scheduled)

    @property
    def is_scheduled(self) -> bool:
        """Whether it asks again by itself, or need not."""
        return bool(
            self.run("return window.later !== null || !Number(document.getElementById('hw-board').dataset.live)")
        )

    def click(self, element: WebElement) -> None:
        self.settled(element.click)

    def press(self, *keys: str) -> None:
        ActionChains(self.chrome).send_keys(*keys).perform()

    def tick(self) -> None:
        """Time goes on by as much as the page waits."""
        self.fire()
        self.until(lambda: self.run("return window.later !== null"))

    def fire(self) -> None:
        self.run("const { act } = window.later; window.later = null; act()")

    @property
    def seconds(self) -> float | None:
        found: float | None = self.run("return window.later && window.later.seconds")
        return found

    # What is seen

    def panel(self, title: str) -> WebElement:
        return next(one for one in self.all(".hw-panel") if self.title_of(one) == title)

    @staticmethod
    def title_of(panel: WebElement) -> str:
        return str(panel.find_element("css selector", "h2").get_attribute("textContent")).strip()

    def within(self, title: str, selector: str) -> list[WebElement]:
        return self.panel(title).find_elements("css selector", selector)

    def names(self, title: str = "Countries") -> list[str]:  # type: ignore[override]
        return [one.text for one in self.within(title, "tbody:not(.hw-totals, .hw-other) th .hw-narrow")]

    def name(self, text: str, title: str = "Countries") -> WebElement:
        return next(one for one in self.within(title, ".hw-narrow") if one.text == text)

    def figure(self, title: str = "Revenue") -> str:
        return self.within(title, ".hw-figure-value")[0].text

    @property
    def chips(self) -> list[str]:
        return [words(one).removesuffix(" ×") for one in self.all(".hw-chip")]

    def menu(self, label: str) -> WebElement:
        return next(one for one in self.all("details.hw-menu") if words(one).startswith(label))

    def choose_in(self, label: str, text: str) -> None:
        menu = self.menu(label)
        menu.find_element("css selector", "summary").click()
        self.click(menu.find_element("partial link text", text))

    def chosen(self, label: str) -> str:
        """What the button of a menu says."""
        return words(self.menu(label).find_element("css selector", "summary")).removeprefix(label).strip()

    @property
    def open_menus(self) -> int:
        return len(self.all("details.hw-menu[open]"))

    @property
    def focus(self) -> str:
        text = self.run("return document.activeElement.textContent.trim() || document.activeElement.name")
        return " ".join(str(text).split())

    def chart(self, what: str, title: str = "Day by day") -> Any:  # type: ignore[override]
        script = f"const chart = window.Chart?.getChart(arguments[0]); return chart ? {what} : null"
        return self.run(script, self.within(title, "canvas")[0])


def words(element: WebElement) -> str:
    return " ".join(element.text.split())
