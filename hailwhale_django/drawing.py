"""A graph for a page elsewhere: what it shows, how it looks, and the signature that lets others see it.

    <script src="https://shop.example/hailwhale/graph.js?graph=WyJ7InBr…" async></script>

The parameters are those of the ancestor's `graph.js`. What is shown is inside the signature; how it looks may also
stand beside it, for that shows nothing more. A signature holds no secret: anybody who sees it can read what it says.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .conf import DEFAULT_STORE, get_settings, known_store
from .engine.domain.query import whole_number
from .engine.errors import InvalidInput
from .framing import LEAST_HEIGHT, MOST_HEIGHT
from .ticket import Expired, opened, sealed

USE = "graph"

SHOWN = ("pk", "dimension", "metric", "depth", "period", "tzoffset", "limit", "title", "store")
LOOKS = ("style", "area", "log", "table", "height", "live", "interval")
BESIDE = ("theme", "background")
"""What the frame is told, and not the graph."""

LEAST_SECONDS, MOST_SECONDS = 5, 3600
DEFAULT_SECONDS = 10
MILLISECONDS = 1000
"""From here on an interval is in milliseconds, as scripts take it; nobody waits that many seconds for a graph."""

_SWITCHES = {"true": True, "1": True, "on": True, "yes": True, "false": False, "0": False, "off": False, "no": False}


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn and how. `seconds` is how often it is drawn anew, 0: never; `height` 0 is the page's own."""

    pk: Any
    dimension: Any = None
    metric: Any = None
    depth: int = 1
    period: str = ""
    limit: Any = None
    title: str = ""
    store: str = DEFAULT_STORE
    style: str = "line"
    log: bool = False
    table: bool = False
    height: int = 0
    seconds: int = 0

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Drawing:
        """Parameters as an address has them. Raises `InvalidInput`."""
        if given.get("pk") in (None, ""):
            raise InvalidInput("pk", given.get("pk"), "name the counter that is drawn, e.g. pk=shop")
        return cls(
            given["pk"],
            given.get("dimension") or None,
            given.get("metric") or None,
            depth=whole_number("depth", _or(given.get("depth"), 1), 0, 1),
            period=_period(given.get("period"), given.get("tzoffset")),
            limit=given.get("limit") or None,
            title=str(given.get("title") or ""),
            store=known_store(str(given.get("store") or DEFAULT_STORE)),
            style=given.get("style") or ("area" if _switch(given, "area") else "line"),
            log=_switch(given, "log"),
            table=_switch(given, "table"),
            height=_within("height", given.get("height"), LEAST_HEIGHT, MOST_HEIGHT),
            seconds=_seconds(given) if _switch(given, "live") else 0,
        )


def signed(given: Mapping[str, Any], max_age_seconds: int | None = None) -> str:
    """Parameters as a text that others may use, for as long as that. Raises `InvalidInput`."""
    if unknown := [name for name in given if name not in (*SHOWN, *LOOKS)]:
        raise InvalidInput("parameters", unknown, f"known are {', '.join((*SHOWN, *LOOKS, *BESIDE))}")
    there = {name: value for name, value in given.items() if not (value is None or value is False or value == "")}
    Drawing.read(there)
    until = [] if max_age_seconds is None else [int(time.time()) + max_age_seconds]
    return sealed([there, *until], USE)


def unsigned(text: str) -> dict[str, Any]:
    """The inverse of `signed`. Raises `InvalidInput`, `Forged`, `Expired`."""
    given, *until = opened(text, USE, None)
    if until and until[0] <= time.time():
        raise Expired("this graph was to be seen for some time, which is over; load its page again")
    return dict(given)


def tag(given: Mapping[str, Any], base: str = "", max_age_seconds: int | None = None) -> SafeString:
    """The script tag that draws a graph where it stands. Raises `InvalidInput`."""
    beside = {name: given[name] for name in BESIDE if given.get(name)}
    shown = {name: value for name, value in given.items() if name not in BESIDE}
    query = urlencode({"graph": signed(shown, max_age_seconds), **beside})
    site = (base or get_settings().BASE_URL).rstrip("/")
    return format_html('<script src="{}{}?{}" async></script>', site, reverse("hailwhale:graph.js"), query)


def _or(given: Any, default: Any) -> Any:
    return default if given in (None, "") else given


def _switch(given: Mapping[str, Any], name: str) -> bool:
    text = str(given.get(name) or "false").lower()
    if text not in _SWITCHES:
        raise InvalidInput(name, given[name], "use true or false")
    return _SWITCHES[text]


def _within(name: str, given: Any, least: int, most: int) -> int:
    """A whole number, with px behind it or not; none is 0."""
    return whole_number(name, str(given).removesuffix("px"), least, most) if given not in (None, "") else 0


def _seconds(given: Mapping[str, Any]) -> int:
    found = whole_number("interval", _or(given.get("interval"), DEFAULT_SECONDS), 1, MOST_SECONDS * MILLISECONDS)
    seconds = found // MILLISECONDS if found >= MILLISECONDS else found
    return max(seconds, LEAST_SECONDS)


def _period(given: Any, tzoffset: Any) -> str:
    period = str(given or "")
    return f"{period}|{tzoffset}" if tzoffset not in (None, "") and "|" not in period else period
