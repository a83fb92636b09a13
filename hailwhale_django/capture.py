"""Dimensions that a request brings along by itself, those of `CAPTURE`.

Each is a short printable text of few kinds, or is not there. None is an address or an agent string, and who asks for
privacy (DNT, Sec-GPC) brings none.

A bot is counted as a bot and as nothing else: its event has the one dimension `{"bot": NAME}`, and its metrics are
called `bot_hits`, `pct95:bot_ms` and so on. So totals and tables are of people, and the table `bot` is of bots.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpRequest

from .agents import bot_of, traits_of
from .conf import get_settings
from .countries import country_of
from .engine.domain.event import HITS
from .engine.domain.intake import metrics_dict
from .engine.domain.sketch import prefixed
from .referrers import referrer_of
from .ticket import joined
from .visitors import Visit, agent_of, visitor_of, wants_privacy

BOT = "bot"
BOT_PREFIX = "bot_"
UTM_PARAMETERS = ("source", "medium", "campaign", "term", "content")
VALUE_CHARACTERS = 60
# More than any link that was written for people.
QUERY_CHARACTERS = 4_096
QUERY_FIELDS = 100

_LANGUAGE = re.compile(r"\s*([A-Za-z]{2,3})(?=[-_;,\s]|\Z)")
_NUMERIC_ADDRESS = re.compile(r"[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")


def captured(request: HttpRequest) -> dict[str, Any]:
    """The dimensions of a request; only `bot` of a bot."""
    settings = get_settings()
    if BOT in settings.CAPTURE and (bot := bot_of(agent_of(request))):
        return {BOT: bot}
    if wants_privacy(request):
        return {}
    found = {name: CAPTURES[name](request) for name in settings.CAPTURE if name != BOT}
    return {name: value for name, value in found.items() if value}


def event_of(
    request: HttpRequest,
    pk: Any,
    dimensions: Any = None,
    metrics: Any = None,
    *,
    without: Collection[str] = (),
    sketches: Collection[str] = (),
) -> dict[str, Any]:
    """An event with what is captured, but for some names, and the visitor in some sketches; where both say something,
    what was given holds.

    Of a bot all other dimensions are left out, and its metrics have names of their own.
    """
    found = captured(request)
    if BOT in found:
        given = {HITS: 1} | by_name(metrics)
        as_bot = {prefixed(name, BOT_PREFIX): value for name, value in given.items() if not isinstance(value, Visit)}
        return {"pk": pk, "dimensions": found, "metrics": {**as_bot, HITS: 0}}
    added = {name: value for name, value in found.items() if name not in without}
    if sketches:
        metrics = dict.fromkeys(sketches, visitor_of(request)) | by_name(metrics)
    return {"pk": pk, "dimensions": joined(dimensions, added), "metrics": metrics}


def by_name(metrics: Any) -> dict[str, Any]:
    """Metrics as a dict; names alone count 1 each."""
    return metrics_dict(metrics) if metrics else {}


def language_of(request: HttpRequest) -> str | None:
    """The language that the browser names first, without its country: `pt` of `pt-BR`."""
    found = _LANGUAGE.match(request.META.get("HTTP_ACCEPT_LANGUAGE") or "")
    return found[1].lower() if found else None


def utm_of(request: HttpRequest) -> dict[str, str] | None:
    """The campaign parameters of the address: `{"source": "newsletter", "medium": "email"}`."""
    query = request.META.get("QUERY_STRING") or ""
    if "utm_" not in query:
        return None
    try:
        given = dict(parse_qsl(query[:QUERY_CHARACTERS], max_num_fields=QUERY_FIELDS))
    except ValueError:
        return None
    found = {name: _presentable(given.get(f"utm_{name}", "")) for name in UTM_PARAMETERS}
    return {name: value for name, value in found.items() if value} or None


def _presentable(text: str) -> str:
    """A value as it may be counted: short, printable, and neither a person's address nor a machine's."""
    bare = " ".join(text.split())[:VALUE_CHARACTERS].strip()
    return bare if bare.isprintable() and "@" not in bare and not _NUMERIC_ADDRESS.fullmatch(bare) else ""


CAPTURES: dict[str, Callable[[HttpRequest], Any]] = {
    "language": language_of,
    "referrer": referrer_of,
    "utm": utm_of,
    BOT: lambda request: bot_of(agent_of(request)),
    "device": lambda request: traits_of(agent_of(request)).device,
    "browser": lambda request: traits_of(agent_of(request)).browser,
    "os": lambda request: traits_of(agent_of(request)).os,
    "country": country_of,
}
