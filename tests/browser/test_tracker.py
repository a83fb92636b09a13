"""Pixel, tracker and graphs in a real browser, under a Content-Security-Policy that allows nothing inline."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

from hailwhale_django import Whale, crediting
from tests.pages import OPTIONS

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WAIT_SECONDS = 20
KEY = "a key on a public page"

WATCH = """
document.addEventListener("securitypolicyviolation", (event) => {
    console.error("stopped by the policy", event.violatedDirective, event.blockedURI, event.sourceFile);
});
"""


class Visitor:
    """Somebody with a browser, and what was counted of them."""

    def __init__(self, chrome: Chrome, site: str, drain: Callable[[], None]) -> None:
        self.chrome = chrome
        self.site = site
        self.drain = drain

    def open(self, address: str) -> None:
        self.chrome.get(address if "://" in address else self.site + address)

    def run(self, script: str) -> Any:
        return self.chrome.execute_script(script)

    def until(self, wanted: Callable[[], Any]) -> Any:
        from selenium.webdriver.support.wait import WebDriverWait

        return WebDriverWait(self.chrome, WAIT_SECONDS, 0.02).until(lambda _: wanted())

    def counted(self, dimension: str, pk: str = "shop") -> dict[str, float]:
        """Hits by the children of a dimension."""
        self.drain()
        return {path[1]: Whale.total(pk, "hits", path) for path in Whale.get_subdimensions(pk, dimension)}

    def is_counted(self, dimension: str, pk: str = "shop", **children: float) -> None:
        """Wait until that many hits of these children, and of no others, are counted."""
        from selenium.common.exceptions import TimeoutException

        try:
            self.until(lambda: self.counted(dimension, pk) == children)
        except TimeoutException:
            assert self.counted(dimension, pk) == children

    @contextmanager
    def beforehand(self, source: str) -> Iterator[None]:
        """A script that runs before any other on each page."""
        script = self.chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
        yield
        self.chrome.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.chrome.get_log("browser")]


@pytest.fixture
def visitor(chromium: Chrome, redis_url: str, live_server: Any, drain: Callable[[], None]) -> Iterator[Visitor]:
    """Whatever is in the console at the end is an error, unless a test has read it."""
    settings = {"REDIS": redis_url, "WRITE_KEYS": [KEY], "CORS_ORIGINS": []}
    with override_settings(ROOT_URLCONF="tests.pages", HAILWHALE=settings):
        visitor = Visitor(chromium, live_server.url, drain)
        visitor.complaints()
        with visitor.beforehand(WATCH):
            yield visitor
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        chromium.get("about:blank")
        assert visitor.complaints() == []


@contextmanager
def another_site(html: str) -> Iterator[str]:
    """A page at another origin; gives that origin."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"<!doctype html><link rel=icon href=data:,>" + html.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# -- pixel


@pytest.mark.parametrize("with_scripts", [True, False])
def test_the_pixel(with_scripts: bool, visitor: Visitor) -> None:
    command = {"value": not with_scripts}
    visitor.chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", command)
    visitor.open("/page/pixel")
    visitor.is_counted("page", pixel=1)
    visitor.open("/page/pixel")
    visitor.is_counted("page", pixel=2)


# -- tracker


def test_a_page_view(visitor: Visitor) -> None:
    visitor.open("/page/tracked?email=ada@example.com#part")
    visitor.is_counted("event", pageview=1)
    visitor.is_counted("page", **{"/page/tracked": 1})
    assert Whale.get_subdimensions("shop") == ["event", "page", "language"]
    assert visitor.run("return [document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]


def test_where_a_visitor_comes_from(visitor: Visitor) -> None:
    with another_site(f'<a href="{visitor.site}/page/tracked">there</a>') as origin:
        visitor.open(f"{origin}/secret?query")
        visitor.chrome.find_element("css selector", "a").click()
        visitor.is_counted("referrer", **{"127.0.0.1": 1})


def test_an_event_of_ones_own(visitor: Visitor) -> None:
    visitor.open("/page/tracked")
    visitor.run('hailwhale("signup", {plan: "pro"}, {revenue: 9})')
    visitor.is_counted("event", pageview=1, signup=1)
    assert Whale.total("shop", "revenue", "plan/pro") == 9
    visitor.run('hailwhale("signup")')
    visitor.is_counted("event", pageview=1, signup=2)


def test_what_was_said_before_the_script_was_there(visitor: Visitor) -> None:
    visitor.open("/page/tracked?early")
    visitor.is_counted("event", pageview=1, early=1)


def test_pages_that_are_no_documents(visitor: Visitor) -> None:
    visitor.open("/page/tracked")
    visitor.run('history.pushState(null, "", "/second")')
    visitor.run('history.pushState(null, "", "/second?same#page")')
    visitor.run('history.replaceState(null, "", "/second?still")')
    visitor.run('location.hash = "there"')
    visitor.run('history.pushState(null, "", "/third")')
    visitor.is_counted("page", **{"/page/tracked": 1, "/second": 1, "/third": 1})
    visitor.run("history.back()")
    visitor.is_counted("page", **{"/page/tracked": 1, "/second": 2, "/third": 1})
    assert visitor.counted("event") == {"pageview": 4}


def test_links_that_lead_away(visitor: Visitor) -> None:
    visitor.open("/page/tracked")
    visitor.is_counted("event", pageview=1)
    visitor.chrome.find_element("link text", "there").click()
    # The visitor stays, so that the browser has no page to complain about that it cannot find.
    visitor.run('addEventListener("click", (event) => event.preventDefault())')
    visitor.chrome.find_element("link text", "away").click()
    visitor.is_counted("event", pageview=1, outbound=1)
    visitor.is_counted("link", **{"elsewhere.invalid": 1})


def test_without_beacons(visitor: Visitor) -> None:
    with visitor.beforehand("navigator.sendBeacon = () => false"):
        visitor.open("/page/tracked")
        visitor.is_counted("event", pageview=1)


def test_a_page_that_is_made_ready_is_not_looked_at(visitor: Visitor) -> None:
    with visitor.beforehand("Object.defineProperty(document, 'prerendering', {value: true})"):
        visitor.open("/page/tracked")
        visitor.run('hailwhale("ready")')
        visitor.is_counted("event", ready=1)
        visitor.run('document.dispatchEvent(new Event("prerenderingchange"))')
        visitor.is_counted("event", ready=1, pageview=1)


def test_what_the_page_did_not_declare(visitor: Visitor) -> None:
    visitor.open("/page/tracked")
    visitor.is_counted("event", pageview=1)
    visitor.run('hailwhale("signup", {colour: "red"})')
    (complaint,) = visitor.until(visitor.complaints)
    assert "/hailwhale/event" in complaint and "400" in complaint
    assert visitor.counted("event") == {"pageview": 1}


# -- another origin


def keyed(site: str) -> str:
    attributes = {"data-url": f"{site}/hailwhale/event", "data-key": KEY, "data-pk": "blog"}
    written = " ".join(f"{name}={json.dumps(value)}" for name, value in attributes.items())
    return f'<script src="{site}/static/hailwhale_django/js/tracker.js" {written}></script>'


@pytest.mark.parametrize("beacons", [True, False])
def test_another_origin_that_is_allowed(beacons: bool, visitor: Visitor, redis_url: str) -> None:
    without = "" if beacons else "<script>navigator.sendBeacon = () => false</script>"
    with another_site(without + keyed(visitor.site)) as origin:
        settings = {"REDIS": redis_url, "WRITE_KEYS": [KEY], "CORS_ORIGINS": [origin]}
        with override_settings(HAILWHALE=settings):
            visitor.open(f"{origin}/about?me")
            visitor.is_counted("page", "blog", **{"/about": 1})
            visitor.run('hailwhale("read", {topic: {science: "whales"}}, {words: 300})')
            visitor.is_counted("event", "blog", pageview=1, read=1)
            assert Whale.total("blog", "words", "topic/science/whales") == 300


def test_another_origin_that_is_not(visitor: Visitor) -> None:
    with another_site(keyed(visitor.site)) as origin:
        visitor.open(f"{origin}/about")
        (complaint,) = visitor.until(visitor.complaints)
        assert "/hailwhale/event" in complaint and "403" in complaint
    visitor.drain()
    assert Whale.counters() == []


# -- decisions


ASK = "return await hailwhale.decide('banner')"


def asked(visitor: Visitor, script: str = ASK) -> Any:
    """What a promise comes to, once the page's scripts are there."""
    visitor.until(lambda: visitor.run("return Boolean(window.hailwhale?.decide)"))
    return visitor.run(f"return (async () => {{ {script} }})()")


@pytest.mark.parametrize("page", ["decided", "undecided"])
def test_a_script_is_given_what_the_server_gives(page: str, visitor: Visitor) -> None:
    visitor.open(f"/page/{page}")
    option = asked(visitor)
    assert option in OPTIONS
    assert asked(visitor, "return new Promise((show) => hailwhale.decide('banner', show))") == option
    visitor.open("/page/decided")
    assert visitor.run("return document.getElementById('server').textContent") == option
    assert asked(visitor) == option
    assert visitor.run("return [document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]
    assert visitor.run("return typeof hailwhale") == "function"
    assert crediting.flush()
    visitor.drain()
    assert Whale.total(["decisions", "banner"], "visitors", period="today") == 1


def test_two_tabs_at_once(visitor: Visitor) -> None:
    visitor.open("/page/undecided")
    ask = "fetch(choose, {method: 'POST', body: JSON.stringify({token, decision: 'banner'})})"
    together = f"""
        const {{ choose, token }} = document.querySelector("[data-choose]").dataset;
        const tabs = await Promise.all([1, 2, 3, 4, 5, 6].map(() => {ask}));
        return (await Promise.all(tabs.map((one) => one.json()))).map((one) => one.option);
    """
    assert len(set(asked(visitor, together))) == 1


@pytest.mark.parametrize("beacons", [True, False])
def test_what_is_earned_is_credited_once(beacons: bool, visitor: Visitor) -> None:
    with visitor.beforehand("" if beacons else "navigator.sendBeacon = () => false"):
        visitor.open("/page/decided")
        option = asked(visitor)
        for _ in range(2):
            visitor.run("hailwhale.credit('banner', {revenue: 25}, 'order-17')")
        visitor.run("hailwhale.credit('banner', {revenue: 5})")

    def revenue() -> float:
        crediting.flush()
        visitor.drain()
        return Whale.total(["decisions", "banner", option], "revenue", period="today")

    visitor.until(lambda: revenue() == 30)
    assert revenue() == 30


def test_what_a_page_does_not_offer(visitor: Visitor) -> None:
    visitor.open("/page/decided")
    assert asked(visitor, "return await hailwhale.decide('secret') === undefined")
    (complaint,) = visitor.until(visitor.complaints)
    assert "/hailwhale/choose" in complaint and "400" in complaint


def test_staff_force_an_option(visitor: Visitor, client: Client) -> None:
    visitor.open("/page/decided?hailwhale_banner=option%207")
    shown = "return document.getElementById('server').textContent"
    assert [visitor.run(shown), asked(visitor)] != ["option 7"] * 2
    client.force_login(User.objects.create_user("staff", is_staff=True))
    visitor.chrome.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})
    try:
        visitor.open("/page/decided?hailwhale_banner=option%207&x=y")
        assert [visitor.run(shown), asked(visitor)] == ["option 7"] * 2
    finally:
        visitor.chrome.delete_all_cookies()


# -- what tags show


def test_graphs_on_a_page_of_the_project(visitor: Visitor) -> None:
    from selenium.webdriver.common.keys import Keys

    Whale.count_now("sales", {"country": "US"}, {"revenue": 20})
    Whale.count_now("sales", {"country": "DE"}, {"revenue": 30})
    visitor.open("/page/shown")

    assert visitor.run("return document.getElementById('total').textContent") == "50"
    lines = "return [...document.querySelectorAll('canvas')].map((one) => window.Chart?.getChart(one)?.data.datasets"
    data = visitor.until(
        lambda: all(visitor.run(f"{lines}.length)")) and visitor.run(f"{lines}.map((one) => one.data))")
    )
    assert data == [[[0, 30], [0, 20]], [[0, 2]]]
    colours = visitor.run(f"{lines}.map((one) => one.borderColor))")
    assert len(set(colours[0])) == 2 and all(colour.startswith("rgb") for colour in colours[0])
    assert visitor.chrome.find_element("css selector", ".hw-canvas").size["height"] > 100

    canvas = visitor.chrome.find_element("css selector", "canvas")
    canvas.send_keys(Keys.END)
    told = visitor.run("return [...document.querySelectorAll('[role=status]')].map((one) => one.textContent)")
    assert told[0].endswith("DE 30, US 20") and told[1] == ""


def test_graphs_without_scripts(visitor: Visitor) -> None:
    Whale.count_now("sales", {"country": "US"}, {"revenue": 20})
    visitor.chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    visitor.open("/page/shown")
    assert not visitor.chrome.find_element("css selector", "canvas").is_displayed()
    visitor.chrome.find_element("css selector", ".hw-numbers summary").click()
    assert visitor.chrome.find_element("css selector", ".hw-numbers tbody tr:last-child td").text == "20"
