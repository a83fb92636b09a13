"""Many visitors at once, over real HTTP: pages, pixels, the script's beacons, carts and orders.

`python manage.py visit` sends them from a process of its own, the button in the shop from a thread of the web server.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Container
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from http.cookies import SimpleCookie
from random import Random
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlencode, urlsplit

from example_project.shop.goods import BANNERS, Product
from example_project.shop.visitors import Visitor, visitor

# Visitors who are in the shop at once; who comes when it is full waits.
AT_ONCE = 16
TIMEOUT_SECONDS = 30

_PIXEL = re.compile(r'<img src="([^"]+/pixel/[^"]+)"')
_SCRIPT = re.compile(r'data-url="([^"]+)" data-token="([^"]+)"')
_BANNER = re.compile(r'data-banner="(\w+)"')
_FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


class Browser:
    """As much of one as a shop needs: cookies, headers, one connection, redirects after a form."""

    def __init__(self, site: str, headers: dict[str, str], done: Counter[str]) -> None:
        address = urlsplit(site)
        kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
        self.connection = kind(address.netloc, timeout=TIMEOUT_SECONDS)
        self.origin = f"{address.scheme}://{address.netloc}"
        self.headers = headers
        self.cookies: SimpleCookie = SimpleCookie()
        self.done = done

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def get(self, path: str, **headers: str) -> str:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, form: dict[str, str]) -> str:
        """The page that answers a form, or the one that it leads to."""
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin}
        return self._ask("POST", path, urlencode(form), kind)

    def beacon(self, path: str, told: dict[str, Any]) -> None:
        self._ask("POST", path, json.dumps(told), {"Content-Type": "text/plain", "Origin": self.origin})

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> str:
        cookies = "; ".join(f"{name}={one.coded_value}" for name, one in self.cookies.items())
        sent = {**self.headers, **headers} | ({"Cookie": cookies} if cookies else {})
        self.connection.request(method, path, body, sent)
        response = self.connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        self.done["requests"] += 1
        self._remember(response)
        if response.status in (302, 303):
            return self.get(response.headers["Location"])
        if response.status >= 400:
            raise HTTPException(f"{method} {path} was answered {response.status}")
        return text

    def _remember(self, response: HTTPResponse) -> None:
        for line in response.headers.get_all("Set-Cookie", []):
            self.cookies.load(line)


class Visit:
    """One visitor in the shop, from the first page to the last."""

    def __init__(self, browser: Browser, who: Visitor) -> None:
        self.browser = browser
        self.who = who
        self.done = browser.done

    def run(self) -> None:
        page = self.open("/shop/", Referer=self.who.referrer)
        wants = set(self.who.wants)
        if (found := _BANNER.search(page)) and self.who.follows(found[1]):
            offered, _ = BANNERS[found[1]]
            wants.add(offered)
            self.look_at(offered, wants)
        for product in self.who.looks:
            self.look_at(product, wants)
        if wants and self.who.buys:
            page = self.open("/shop/cart/")
            self.browser.post("/shop/cart/buy/", {**_token(page), "country": self.who.country})
            self.done["orders"] += 1

    def look_at(self, product: Product, wants: Container[Product]) -> None:
        page = self.open(f"/shop/{product.slug}/", Referer=f"{self.browser.origin}/shop/")
        if product in wants:
            self.tell(page, "cart", {"category": product.category, "product": product.name}, {"carts": 1})
            self.browser.post(f"/shop/cart/{product.slug}/add/", _token(page))
            self.done["carts"] += 1

    def open(self, path: str, **headers: str) -> str:
        """A page with what a browser makes of it: its pixel, and its script where there is JavaScript."""
        page = self.browser.get(path, **{name: value for name, value in headers.items() if value})
        self.done["pages"] += 1
        if found := _PIXEL.search(page):
            self.browser.get(unescape(found[1]))
            self.done["pixels"] += 1
        self.page = path
        if not self.who.is_bot:
            self.tell(page, "pageview")
        return page

    def tell(self, page: str, name: str, props: Any = None, metrics: Any = None) -> None:
        if found := _SCRIPT.search(page):
            hit = {"token": found[2], "name": name, "page": self.page, "props": props, "metrics": metrics}
            self.browser.beacon(found[1], hit)
            self.done["beacons"] += 1


def _token(page: str) -> dict[str, str]:
    found = _FORM_TOKEN.search(page)
    return {"csrfmiddlewaretoken": found[1]} if found else {}


class Crowd:
    """Visitors of one site. `done` says what they did; `problems` why some could not go on."""

    def __init__(self, site: str, rng: Random) -> None:
        self.site = site
        self.rng = rng
        self.done: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()

    def come(self, rate: float, visitors: int) -> float:
        """So many a second, until all have been; returns how many seconds it took."""
        began = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="visitor") as shop:
            for number in range(visitors):
                time.sleep(max(0.0, began + number / rate - time.monotonic()))
                shop.submit(self._visit, visitor(self.rng))
        return time.monotonic() - began

    def _visit(self, who: Visitor) -> None:
        done: Counter[str] = Counter()
        try:
            with Browser(self.site, who.headers, done) as browser:
                Visit(browser, who).run()
            done["visitors"] += 1
        except (HTTPException, OSError) as problem:
            self.problems[str(problem) or type(problem).__name__] += 1
        with _adding:
            self.done.update(done)


_adding = Lock()
_coming = Lock()


def is_coming() -> bool:
    """Whether visitors that were sent from this process are still on their way or in the shop."""
    return _coming.locked()


def start(site: str, rate: float, visitors: int) -> bool:
    """Send visitors from a thread in the background; False if those of before are still there."""
    if not _coming.acquire(blocking=False):
        return False

    def come() -> None:
        try:
            Crowd(site, Random()).come(rate, visitors)
        finally:
            _coming.release()

    Thread(target=come, name="crowd", daemon=True).start()
    return True
