"""What a browser's agent string tells: kind of device, browser, system, and whether it is a bot. Extra `[agents]`.

Matching costs some 0.2 ms for bots and 0.6 ms for the rest, so what was found is remembered for the last
`REMEMBERED` agents; the first one takes a tenth of a second, to read the patterns. Nothing is sent anywhere.

Bots are those of the list `crawler-user-agents`, which has libraries and monitors too (curl, feed readers), and all
that call themselves bot, crawler or spider. Without the extra it is only the latter. A bot that calls itself a browser
is not found by any agent string.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any, NamedTuple

REMEMBERED = 4_096
# Beyond this nothing tells anything, and matching time grows with it.
AGENT_CHARACTERS = 512
NAME_CHARACTERS = 60

UNLISTED = "(unlisted)"
_CALLS_ITSELF_SO = re.compile(r"bot\b|crawl|spider", re.IGNORECASE)
# Python's alternation tries every branch at every character: small ones fail sooner.
_BRANCHES = 25

_VERSION = re.compile(r"[0-9]{1,4}")
_PHONES = {"iOS", "Windows Phone", "BlackBerry OS", "KaiOS", "Firefox OS"}
_DESKTOPS = {"Windows", "Mac OS X", "Linux", "Chrome OS", "Ubuntu", "Fedora", "Debian", "FreeBSD", "OpenBSD"}
_TELEVISIONS = re.compile(r"\bTV\b|SmartTV|SMART-TV|AppleTV|BRAVIA|\bAFT[A-Z]|Roku", re.IGNORECASE)


class Traits(NamedTuple):
    """What is told of a browser; None where nothing is. `browser` and `os` are names, or a name and a version."""

    device: str | None = None
    browser: str | dict[str, str] | None = None
    os: str | dict[str, str] | None = None


@lru_cache(maxsize=REMEMBERED)
def traits_of(agent: str) -> Traits:
    """Device (`phone`, `tablet`, `desktop` or `tv`), browser and system of an agent string."""
    try:
        import ua_parser
    except ImportError:
        return Traits()
    agent = agent[:AGENT_CHARACTERS]
    told = ua_parser.parse(agent)
    family = told.os.family if told.os else ""
    return Traits(_device(agent, family), _named(told.user_agent), _named(told.os))


@lru_cache(maxsize=REMEMBERED)
def bot_of(agent: str) -> str | None:
    """The name of a bot, as its list or `(unlisted)` has it; None of a browser, or of what says nothing."""
    agent = agent[:AGENT_CHARACTERS]
    for pattern in _listed():
        if (found := pattern.search(agent)) and found.lastgroup:
            return _name(int(found.lastgroup[1:]))
    return UNLISTED if _CALLS_ITSELF_SO.search(agent) else None


def _device(agent: str, family: str) -> str | None:
    if _TELEVISIONS.search(agent):
        return "tv"
    if "iPad" in agent or (family == "Android" and "Mobile" not in agent):
        return "tablet"
    if family in _PHONES or family == "Android":
        return "phone"
    return "desktop" if family in _DESKTOPS else None


def _named(found: Any) -> str | dict[str, str] | None:
    """A family and, where it is a plain number, its version."""
    if found is None or not found.family.isprintable() or len(found.family) > NAME_CHARACTERS:
        return None
    version = found.major or ""
    return {found.family: version} if _VERSION.fullmatch(version) else str(found.family)


@cache
def _listed() -> tuple[re.Pattern[str], ...]:
    """The patterns of all listed bots, each in a group that has its number."""
    patterns = [f"(?P<n{number}>{entry['pattern']})" for number, entry in enumerate(_entries())]
    return tuple(re.compile("|".join(patterns[at : at + _BRANCHES])) for at in range(0, len(patterns), _BRANCHES))


@cache
def _entries() -> list[dict[str, Any]]:
    try:
        from crawleruseragents import CRAWLER_USER_AGENTS_DATA
    except ImportError:
        return []
    return list(CRAWLER_USER_AGENTS_DATA)


@cache
def _name(number: int) -> str:
    """What the pattern finds in the agent that the list shows for it: never anything of an agent that was sent."""
    entry = _entries()[number]
    shown = next((re.search(entry["pattern"], agent) for agent in entry["instances"]), None)
    text = shown[0] if shown else entry["pattern"].replace("\\", "")
    return text.strip(" /;:^$")[:NAME_CHARACTERS] or UNLISTED
