"""Graphs on a page of another site: by frame, by script tag, by the shim, and from a table.

That site has a strict policy: scripts and frames of hailwhale's host, and nothing inline. The fixtures fail on anything
in the browser's console, and on what a policy stopped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from hailwhale_django import Whale
from hailwhale_django.models import Dashboard, Panel, SharedLink
from tests.browser.test_counters import Browser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HEAD = "<!doctype html><html lang=en><meta charset=utf-8><link rel=icon href=data:,><title>host</title><body>"
POLICY = "default-src 'none'; img-src data:; script-src {site} 'self'; frame-src {site}"

TABLE = """<table {attributes}><caption>Sold</caption>
<thead><tr><th>Day</th><th>Shirts</th><th>Share</th><th>Note</th></tr></thead>
<tbody><tr><th>Mon</th><td>1,200</td><td>12.5 %</td><td>rain</td></tr>
<tr><th>Tue</th><td>$ 900</td><td>−3</td><td></td></tr>
<tr><th>Wed</th><td>–</td><td data-value="7">seven</td><td></td></tr></tbody></table>"""


class Host:
    """A site with the pages that a test writes; `{site}` in them is where hailwhale is."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.pages: dict[str, tuple[str, str]] = {}
        self.policy = POLICY
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))

    def page(self, body: str, script: str = "") -> str:
        """The address of a page; its own script is a file beside it."""
        own = '<script src="/own.js"></script>' if script else ""
        self.pages = {"/": ("text/html", HEAD + body.replace("{site}", self.site) + own)}
        self.pages["/own.js"] = ("text/javascript", script.replace("{site}", self.site))
        return f"http://127.0.0.1:{self.server.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, host: Host, *given: Any) -> None:
        self.host = host
        super().__init__(*given)

    def do_GET(self) -> None:
        kind, text = self.host.pages.get(self.path, ("text/plain", ""))
        body = text.encode()
        self.send_response(200 if text else 404)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", self.host.policy.format(site=self.host.site))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Not here."""


@pytest.fixture
def host(live_server: Any) -> Iterator[Host]:
    one = Host(live_server.url)
    thread = Thread(target=one.server.serve_forever, args=(0.05,))
    thread.start()
    yield one
    one.server.shutdown()
    thread.join()
    one.server.server_close()


@pytest.fixture
def link(watcher: Browser) -> SharedLink:
    """A link to a graph, embeddable."""
    for country, revenue in (("US", 60), ("DE", 41)):
        Whale.count_now("shop", {"country": country}, {"revenue": revenue})
    board = Dashboard.objects.create(title="Shop", slug="shop", period="7d")
    fields = {"counter": "shop", "dimension": "country", "formulas": ["revenue"], "title": "Revenue"}
    panel = Panel.objects.create(dashboard=board, kind="graph", **fields)
    return SharedLink.objects.create(dashboard=board, panel=panel, embeddable=True)


def within(browser: Browser, act: Callable[[], Any], at: int = 0) -> Any:
    """What is done in a frame."""
    browser.chrome.switch_to.frame(browser.all("iframe")[at])
    try:
        return act()
    finally:
        browser.chrome.switch_to.default_content()


def drawn(browser: Browser, at: int = 0) -> list[str]:
    """The lines that a frame draws, when it does."""
    lines = "window.Chart?.getChart('canvas')?.data.datasets.map((line) => line.label)"
    canvas = "document.querySelector('.hw-graph canvas')"
    script = f"return {canvas} && ({lines.replace(repr('canvas'), canvas)} ?? null)"
    found: list[str] = browser.until(lambda: within(browser, lambda: browser.run(script), at))
    return found


def fits(browser: Browser, at: int = 0) -> int:
    """The height of a frame, when it is that of what it shows, and nothing need be scrolled."""

    def asked() -> int | None:
        main = "Math.ceil(document.querySelector('main').getBoundingClientRect().height)"
        inside = within(browser, lambda: browser.run(f"return [{main}, document.documentElement.scrollHeight]"), at)
        outside = browser.run(f"return document.querySelectorAll('iframe')[{at}].clientHeight")
        return outside if inside == [outside, outside] else None

    return int(browser.until(asked))


def test_a_script_tag_draws_where_it_stands(watcher: Browser, host: Host, link: SharedLink) -> None:
    tag = f'<script src="{{site}}/hailwhale/graph.js?link={link.token}&title=Sold" async></script>'
    watcher.chrome.get(host.page(f"<p id=before>before</p>{tag}<p id=after>after</p>"))
    assert drawn(watcher) == ["US", "DE"]
    assert fits(watcher) > 240
    order = "return [...document.body.children].map((one) => one.localName)"
    assert watcher.run(order) == ["p", "script", "iframe", "p"]
    frame = watcher.one("iframe")
    assert (frame.get_attribute("title"), frame.get_attribute("loading")) == ("Sold", "lazy")


def test_a_frame(watcher: Browser, host: Host, link: SharedLink) -> None:
    address = f"{{site}}/hailwhale/shared/{link.token}/?embed=1&theme=dark&background=transparent"
    watcher.chrome.get(host.page(f'<iframe src="{address}" width="600" height="400" title="Sold"></iframe>'))
    assert drawn(watcher) == ["US", "DE"]
    colours = "return [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    assert within(watcher, lambda: watcher.run(colours)) == ["rgba(0, 0, 0, 0)", "rgb(232, 232, 232)"]


def test_a_page_can_fit_a_frame_as_the_docs_say(watcher: Browser, host: Host, link: SharedLink) -> None:
    text = (Path(__file__).parents[2] / "docs/embedding.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"^```js\n(addEventListener.*?)^```", text, re.MULTILINE | re.DOTALL)
    frame = f'<iframe src="{{site}}/hailwhale/shared/{link.token}/" width="600" height="100" title="Sold"></iframe>'
    watcher.chrome.get(host.page(frame, snippet.replace("https://shop.example", host.site)))
    assert drawn(watcher) == ["US", "DE"]
    height = "return document.querySelector('main').getBoundingClientRect().height"
    watcher.until(
        lambda: (
            240
            < within(watcher, lambda: watcher.run(height))
            <= int(watcher.one("iframe").get_attribute("height") or 0)
        )
    )


def test_what_is_signed(watcher: Browser, host: Host, link: SharedLink) -> None:
    given = {"dimension": "country", "metric": "revenue", "title": "Sold", "height": 150, "table": True, "area": True}
    tag = Whale.graph_tag("shop", base=host.site, **given)
    watcher.chrome.get(host.page(tag))
    assert drawn(watcher)[:2] == ["US", "DE"]
    height = "return [document.querySelector('.hw-canvas').clientHeight, document.querySelector('.hw-numbers').open]"
    assert within(watcher, lambda: watcher.run(height)) == [150, True]
    assert fits(watcher) > 200


def test_what_may_not_be_seen_is_a_small_text(watcher: Browser, host: Host, link: SharedLink) -> None:
    tag = '<script src="{{site}}/hailwhale/graph.js?{}"></script>'
    watcher.chrome.get(host.page(tag.format("pk=shop") + tag.format("link=x")))
    texts = [watcher.until(lambda at=at: within(watcher, lambda: watcher.one(".hw-refused").text, at)) for at in (0, 1)]
    assert texts[0] == "This graph is not signed: use a shared link, or the template tag."
    assert texts[1] == "There is nothing to be seen here: the link is over, or may not be embedded."
    assert fits(watcher) < 60
    watcher.complaints()  # that these were refused


def test_a_page_without_frames_says_so(watcher: Browser, host: Host, link: SharedLink) -> None:
    host.policy = "default-src 'none'; img-src data:; script-src {site}"
    watcher.chrome.get(host.page(f'<script src="{{site}}/hailwhale/graph.js?link={link.token}"></script>'))
    assert watcher.until(lambda: watcher.one("small").text) == f"A graph needs frame-src {host.site}"
    assert watcher.all("iframe") == []
    watcher.complaints()  # that it was stopped


@pytest.mark.parametrize("jquery", [False, True])
def test_the_shim(watcher: Browser, host: Host, link: SharedLink, jquery: bool) -> None:
    script = f"""
        window.made = {"$.hailwhale" if jquery else "hailwhale"}("{{site}}");
        window.made.add_graph("#one", {{link: "{link.token}", height: 120}});
        window.made.add_graph([document.getElementById("two")], {{pk: ["shop"], dimension: {{country: "US"}}}});
        window.none = window.made.add_graph("#missing", {{}});
    """
    before = "<script src=/jquery.js></script>" if jquery else ""
    body = f'<div id=one>old</div><div id=two></div>{before}<script src="{{site}}/hailwhale/hailwhale.js"></script>'
    address = host.page(body, script)
    host.pages["/jquery.js"] = ("text/javascript", "window.jQuery = window.$ = {};")
    watcher.chrome.get(address)
    assert drawn(watcher) == ["US", "DE"]
    assert watcher.run("return [one.textContent, window.none]") == ["", None]
    second = "return new URL(document.querySelector('#two iframe').src).searchParams.toString()"
    assert watcher.run(second) == "pk=%5B%22shop%22%5D&dimension=%7B%22country%22%3A%22US%22%7D"
    watcher.until(lambda: within(watcher, lambda: watcher.one(".hw-refused").text, 1))
    watcher.complaints()  # that the second was refused


def test_the_shim_leaves_the_tracker_its_name(watcher: Browser, host: Host, link: SharedLink) -> None:
    script = f"""hailwhale.graphs().add_graph("#one", {{link: "{link.token}"}}); window.told = hailwhale("signup");"""
    body = '<div id=one></div><script src="/tracker.js"></script><script src="{site}/hailwhale/hailwhale.js"></script>'
    address = host.page(body, script)
    host.pages["/tracker.js"] = ("text/javascript", "window.hailwhale = () => 'counted';")
    watcher.chrome.get(address)
    assert drawn(watcher) == ["US", "DE"]
    assert watcher.run("return window.told") == "counted"


def test_live(watcher: Browser, host: Host, link: SharedLink) -> None:
    """What is counted meanwhile is drawn without anybody's doing."""
    tag = Whale.graph_tag("shop", base=host.site, metric="revenue", period="7d", live=True, interval=5, table=True)
    watcher.chrome.get(host.page(tag))
    drawn(watcher)
    Whale.count_now("shop", None, {"revenue": 7000})
    numbers = "return document.querySelector('.hw-numbers tbody').textContent"
    watcher.until(lambda: "7,101" in within(watcher, lambda: watcher.run(numbers)))
    assert within(watcher, lambda: watcher.run("return document.querySelector('.hw-numbers').open")) is True


@pytest.mark.parametrize(
    ("attributes", "query"), [("data-hailwhale", ""), ("data-hw-pk=shop", "?delay=1"), ("id=sold", "?table=%23sold")]
)
def test_a_table_becomes_a_graph(watcher: Browser, host: Host, attributes: str, query: str) -> None:
    script = f'<script src="{{site}}/hailwhale/table_graph.js{query}" async></script>'
    other = "<table class=other><tr><td>1</td><td>2</td></tr></table>"
    watcher.chrome.get(host.page(TABLE.replace("{attributes}", attributes) + other + script))
    figure = watcher.until(lambda: watcher.one("figure.hailwhale-table"))
    titles = "return [...document.querySelectorAll('circle title')].map((one) => one.textContent)"
    assert watcher.run(titles) == [
        "Mon: Shirts 1200",
        "Tue: Shirts 900",
        "Mon: Share 12.5",
        "Tue: Share -3",
        "Wed: Share 7",
    ]
    assert watcher.one("figure svg[role=img]").get_attribute("aria-label") == "Sold"
    assert len(watcher.all("figure")) == 1 and watcher.one("table.other").is_displayed()
    table = figure.find_element("css selector", "details table")
    assert not table.is_displayed()
    watcher.one("details summary").click()
    assert table.is_displayed()


def test_what_is_no_selector_changes_nothing(watcher: Browser, host: Host) -> None:
    script = '<script src="{site}/hailwhale/table_graph.js?table=%3Cimg%20src=x%20onerror=alert(1)%3E"></script>'
    watcher.chrome.get(host.page(TABLE.replace("{attributes}", "data-hailwhale") + script))
    assert watcher.one("table").is_displayed() and watcher.all("figure") == []
