"""Formulas are written in a real browser: completed by keyboard and mouse, told to be wrong at once, and applied."""

from __future__ import annotations

import os

import pytest
from django.contrib.auth.models import Permission, User
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from hailwhale_django import Whale
from hailwhale_django.models import Alert, Dashboard, Panel
from tests.browser.test_counters import DESK, PHONE, Browser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHOP = "/admin/hailwhale_django/counter/shop/?d=country"
BOARD = "/admin/hailwhale_django/dashboard/shop/"
RIGHTS = ("view_dashboard", "change_dashboard", "view_counter", "view_alert", "add_alert", "change_alert")
FITS = "return document.documentElement.scrollWidth <= innerWidth"

# Every field, button and list has a name; what a field refers to is there.
NAMELESS = """
return [...document.querySelectorAll('.hw-formulas :is(input, button), .hw-chooser :is(textarea, button), .hw-words')]
    .filter((one) => !one.labels?.length && !one.getAttribute('aria-label') && !one.textContent.trim())
    .concat([...document.querySelectorAll('[data-formula]')].filter((field) =>
        ['aria-describedby', 'aria-controls', 'aria-activedescendant'].some((name) =>
            (field.getAttribute(name) ?? '').split(' ').some((id) => id && !document.getElementById(id)))))
    .map((one) => one.outerHTML)
"""
TWICE = "const ids = [...document.querySelectorAll('[id]')].map((one) => one.id); return ids.length - new Set(ids).size"


@pytest.fixture
def writer(watcher: Browser) -> Browser:
    """One who may see counters and change dashboards; US has 100 visitors and 150 of revenue, DE 100 and 300."""
    user = User.objects.get(username="looker")
    user.user_permissions.add(*Permission.objects.filter(codename__in=RIGHTS))
    Whale.count_now("shop", {"country": "US"}, {"revenue": 150, "visitors": 100, "add-to-cart": 7})
    Whale.count_now("shop", {"country": "DE"}, {"revenue": 300, "visitors": 100, "uv:visitor": ["ada", "bob"]})
    return watcher


@pytest.fixture
def panel() -> Panel:
    board = Dashboard.objects.create(slug="shop", title="The shop")
    return Panel.objects.create(
        dashboard=board,
        title="Countries",
        counter="shop",
        dimension="country",
        formulas=["revenue as Revenue [$#]", "visitors"],
    )


def words(browser: Browser) -> list[str]:
    """What the open list says."""
    return [one.text for one in browser.all(".hw-words:not([hidden]) bdi")]


def told(browser: Browser, field: WebElement) -> list[str]:
    around = field.find_element("xpath", "..")
    return [one.text for one in around.find_elements("css selector", ".hw-drafted p")]


def value(field: WebElement) -> str:
    return str(field.get_property("value"))


def columns(browser: Browser) -> list[WebElement]:
    browser.one(".hw-columns summary").click()
    return browser.all("[name=m]")


def headings(browser: Browser) -> list[str]:
    found = browser.all(".hw-ranked thead th:not(.hw-name)")
    return [str(one.get_property("textContent")).strip(" \n\xa0▼▲").lower() for one in found]


class TestColumnsOfACounter:
    def test_a_metric_is_completed_by_keyboard(self, writer: Browser) -> None:
        writer.open(SHOP)
        field = columns(writer)[-1]
        field.send_keys("(reve")
        writer.until(lambda: words(writer) == ["revenue"])
        assert field.get_attribute("aria-expanded") == "true"
        field.send_keys(Keys.ARROW_DOWN)
        active = writer.one(f"#{field.get_attribute('aria-activedescendant')}")
        assert active.get_attribute("aria-selected") == "true"
        field.send_keys(Keys.ENTER)
        assert value(field) == "(revenue"
        assert field.get_attribute("aria-expanded") == "false"
        field.send_keys(" - cost)/vis")
        writer.until(lambda: "visitors" in words(writer))
        field.send_keys(Keys.ARROW_DOWN, Keys.TAB)
        assert value(field) == "(revenue - cost)/visitors"
        writer.until(lambda: told(writer, field) == ["Nothing was ever counted as cost on this counter."])
        assert field.get_attribute("aria-invalid") is None

    def test_by_mouse_with_quotes_where_they_are_needed(self, writer: Browser) -> None:
        writer.open(SHOP)
        field = columns(writer)[-1]
        field.send_keys("cart")
        writer.until(lambda: words(writer) == ['"add-to-cart"'])
        writer.one(".hw-words:not([hidden]) li").click()
        assert value(field) == '"add-to-cart"'
        field.send_keys("/visitors@")
        writer.until(lambda: words(writer) == ["@parent", "@_"])
        field.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
        assert value(field) == '"add-to-cart"/visitors@_'
        writer.until(lambda: told(writer, field) == ["0.03500 in the last 30 days"])

    def test_within_quotes_and_in_the_middle(self, writer: Browser) -> None:
        writer.open(SHOP)
        field = columns(writer)[-1]
        field.send_keys('"add')
        writer.until(lambda: words(writer) == ['"add-to-cart"'])
        field.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
        assert value(field) == '"add-to-cart"'
        field.clear()
        field.send_keys("hits/revue", Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.BACK_SPACE, "v")
        writer.until(lambda: words(writer) == ["revenue"])
        field.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
        assert value(field) == "hits/revenue"

    def test_escape_closes_and_the_next_key_goes_on(self, writer: Browser) -> None:
        writer.open(SHOP)
        field = columns(writer)[-1]
        field.send_keys(Keys.ARROW_DOWN)
        writer.until(lambda: "hits" in words(writer))
        field.send_keys(Keys.ESCAPE)
        assert words(writer) == []
        field.send_keys("v")
        writer.until(lambda: words(writer))
        field.send_keys(Keys.ARROW_DOWN, Keys.ARROW_UP)
        assert field.get_attribute("aria-activedescendant") is None

    def test_what_is_wrong_is_told_and_then_right(self, writer: Browser) -> None:
        writer.open(SHOP)
        field = columns(writer)[-1]
        field.send_keys("revenue/")
        writer.until(lambda: told(writer, field) == ['It ends where a metric, a number or "(" should follow'])
        assert field.get_attribute("aria-invalid") == "true"
        writer.leave(field.submit)
        wrong = writer.one("[name=m][aria-invalid=true]")
        assert writer.one(".hw-formulas .errorlist").is_displayed()
        wrong.send_keys("visitors")
        writer.until(lambda: told(writer, wrong) == ["2.250 in the last 30 days"])
        assert wrong.get_attribute("aria-invalid") is None
        assert not writer.all(".hw-formulas .errors")
        wrong.send_keys(Keys.ESCAPE)
        writer.leave(wrong.submit)
        assert "revenue/visitors" in headings(writer)

    def test_columns_are_added_and_taken_away(self, writer: Browser) -> None:
        writer.open(SHOP)
        before = len(columns(writer))
        writer.one(".hw-add").click()
        field = writer.chrome.switch_to.active_element
        assert len(writer.all("[name=m]")) == before + 1
        assert field.accessible_name == f"Column {before + 1}"
        field.send_keys("visitors*2")
        first = writer.all(".hw-remove-column")[0]
        assert first.accessible_name == "Remove column 1"
        first.click()
        assert field.accessible_name == f"Column {before}"
        writer.leave(field.submit)
        assert "visitors*2" in headings(writer)
        assert "hits" not in headings(writer)

    def test_twelve_are_enough(self, writer: Browser) -> None:
        writer.open(SHOP)
        columns(writer)
        while (button := writer.one(".hw-add")).is_displayed():
            button.click()
        assert len(writer.all("[name=m]")) == 12
        assert writer.run(TWICE) == 0
        assert writer.run(NAMELESS) == []


class TestColumnsOfADashboard:
    def chosen(self, browser: Browser, panel: Panel) -> WebElement:
        browser.one(".hw-chooser summary").click()
        return browser.one(f"textarea[name=m{panel.pk}]")

    def test_they_are_chosen_told_and_taken_back(self, writer: Browser, panel: Panel) -> None:
        writer.open(BOARD)
        field = self.chosen(writer, panel)
        field.send_keys(Keys.END, Keys.ENTER, "revenue/vis")
        writer.until(lambda: "visitors" in words(writer))
        field.send_keys(Keys.ARROW_DOWN, Keys.ENTER, " as Each [")
        writer.until(lambda: "less is better" in words(writer))
        field.send_keys("€#", Keys.ESCAPE, "]")
        assert value(field).splitlines()[-1] == "revenue/visitors as Each [€#]"
        writer.until(lambda: told(writer, field) == ["Line 3: €2.25 in the last 30 days"])
        field.send_keys(Keys.ENTER, "hits/")
        writer.until(lambda: told(writer, field) == ['Line 4: It ends where a metric, a number or "(" should follow'])
        assert field.get_attribute("aria-invalid") == "true"
        field.send_keys(Keys.ESCAPE)
        writer.one(".hw-shows button").click()
        writer.until(lambda: headings(writer) == ["revenue", "visitors", "each"])
        assert "hits/" in writer.one(".hw-chooser .errorlist").text
        field = writer.one(f"textarea[name=m{panel.pk}]")
        field.send_keys("visitors", Keys.ESCAPE)
        writer.one(".hw-shows button").click()
        writer.until(lambda: headings(writer) == ["revenue", "visitors", "each", "hits/visitors"])
        assert writer.names == ["DE", "US"]
        assert writer.query[f"m{panel.pk}"][0].splitlines()[-1] == "hits/visitors"
        writer.link("As the dashboard has it").click()
        writer.until(lambda: headings(writer) == ["revenue", "visitors"])
        assert writer.query == {}

    def test_they_are_kept(self, writer: Browser, panel: Panel) -> None:
        writer.open(f"{BOARD}?p=7d&m{panel.pk}=visitors%0Ahits")
        writer.one(".hw-chooser summary").click()
        writer.leave(writer.one(".hw-keeps button").click)
        panel.refresh_from_db()
        assert panel.formulas == ["visitors", "hits"]
        assert headings(writer) == ["visitors", "hits"]
        assert writer.query == {"p": ["7d"]}

    def test_without_scripts(self, writer: Browser, panel: Panel) -> None:
        writer.command("Emulation.setScriptExecutionDisabled", value=True)
        writer.open(f"{BOARD}?p=7d&m{panel.pk}=visitors%0Ahits%2F")
        field = writer.one(f"textarea[name=m{panel.pk}]")
        assert field.is_displayed()
        assert "hits/" in writer.one(".hw-chooser .errorlist").text
        field.send_keys("visitors")
        old = writer.one("body")
        field.submit()
        writer.until(lambda: writer.one("body") != old and headings(writer) == ["visitors", "hits/visitors"])
        assert writer.query["p"] == ["7d"]


class TestForms:
    def test_an_alert(self, writer: Browser) -> None:
        writer.open("/admin/hailwhale_django/alert/add/")
        writer.one("[name=counter]").send_keys("shop")
        field = writer.one("[name=formula]")
        field.send_keys("revenue/vis")
        writer.until(lambda: "visitors" in words(writer))
        field.send_keys(Keys.ARROW_DOWN, Keys.ENTER, " as Each [$#]")
        writer.until(lambda: told(writer, field) == ["$2.25 in the last 30 days"])

    def test_a_panel(self, writer: Browser, panel: Panel) -> None:
        writer.open(f"/admin/hailwhale_django/panel/{panel.pk}/change/")
        field = writer.one("[name=formulas]")
        field.send_keys(Keys.ENTER, "revenue/")
        writer.until(lambda: field.get_attribute("aria-invalid") == "true")
        field.send_keys("vis")
        writer.until(lambda: "visitors" in words(writer))
        field.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
        writer.until(lambda: told(writer, field) == ["Line 3: 2.250 in the last 30 days"])
        writer.leave(writer.one("[name=_save]").click)
        panel.refresh_from_db()
        assert panel.formulas[-1] == "revenue/visitors"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_pages_fit_their_screen(writer: Browser, panel: Panel, size: tuple[int, int], scheme: str) -> None:
    Whale.count_now("shop", {"country": "US"}, {"a metric with a name that is longer than one would think " * 2: 1})
    alert = Alert.objects.create(name="Poor", counter="shop", formula="hits", threshold=2, recipients=["a@b.example"])
    writer.look(size, scheme)
    pages = {
        SHOP: (".hw-columns summary", "[name=m]:placeholder-shown"),
        f"{BOARD}?m{panel.pk}=hits%0Ahits%2F": ("", ".hw-chooser textarea"),
        f"/admin/hailwhale_django/panel/{panel.pk}/change/": ("", "[name=formulas]"),
        f"/admin/hailwhale_django/alert/{alert.pk}/change/": ("", "[name=formula]"),
    }
    for number, (page, (opener, selector)) in enumerate(pages.items()):
        writer.open(page)
        if opener:
            writer.one(opener).click()
        field = writer.one(selector)
        field.send_keys(" + revenue/(")
        writer.until(lambda: words(writer))
        field.send_keys(Keys.ARROW_DOWN)
        writer.until(lambda field=field: told(writer, field))
        if folder := os.environ.get("SHOTS"):
            writer.chrome.save_screenshot(f"{folder}/{number}-{size[0]}-{scheme}.png")
        assert writer.run(FITS), page
        assert writer.run(NAMELESS) == []
        assert writer.run(TWICE) == 0, page
