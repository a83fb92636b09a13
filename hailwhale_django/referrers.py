"""Where a visitor came from: the host of the page with the link, under the kind of site that it is.

    https://www.google.de/search?q=whales  ->  {"search": "google.com"}
    https://blog.example.org/whales        ->  {"site": "blog.example.org"}

Only the host is kept, never the path or the query; a site's own pages, numeric addresses and what is no web address
are no referrers.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from django.http import HttpRequest

from .visitors import site_of

REMEMBERED = 4_096
REFERRER_CHARACTERS = 2_048
HOST_CHARACTERS = 100

# A host with a dot whose last label is no number, in the letters that are sent: other scripts come as xn--.
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")

# Sites that have a host in every country.
_IN_ALL_COUNTRIES = re.compile(
    r"(?:[a-z0-9-]+\.)*(google|yandex|yahoo|bing|ecosia|qwant|seznam|naver|pinterest|amazon)"
    r"\.(?:com|co|org)?\.?[a-z]{2,3}"
)
_BY_NAME = {
    **dict.fromkeys(["google", "yandex", "yahoo", "bing", "ecosia", "qwant", "seznam", "naver"], "search"),
    "pinterest": "social",
}
_BY_HOST = {
    "search": ["duckduckgo.com", "baidu.com", "startpage.com", "search.brave.com", "kagi.com", "ask.com", "mojeek.com"],
    "assistant": [
        "chatgpt.com",
        "chat.openai.com",
        "perplexity.ai",
        "claude.ai",
        "gemini.google.com",
        "copilot.microsoft.com",
    ],
    "social": [
        "facebook.com",
        "instagram.com",
        "threads.net",
        "threads.com",
        "linkedin.com",
        "reddit.com",
        "youtube.com",
        "tiktok.com",
        "news.ycombinator.com",
        "bsky.app",
        "mastodon.social",
        "vk.com",
        "x.com",
    ],
}
_KIND_OF = {host: kind for kind, hosts in _BY_HOST.items() for host in hosts}
# Hosts of links that belong to another.
_SAME_AS = {
    "t.co": "x.com",
    "twitter.com": "x.com",
    "lnkd.in": "linkedin.com",
    "youtu.be": "youtube.com",
    "fb.com": "facebook.com",
}


def referrer_of(request: HttpRequest) -> dict[str, str] | None:
    """The kind of site and its host, as one dimension; None where there is none to tell."""
    given = request.META.get("HTTP_REFERER")
    host = _host(given[:REFERRER_CHARACTERS]) if given else None
    if host is None or host == site_of(request).removeprefix("www."):
        return None
    return source(host)


@lru_cache(maxsize=REMEMBERED)
def source(host: str) -> dict[str, str]:
    """A known host under its kind and main name, any other as a site."""
    labels = host.split(".")
    for at in range(len(labels) - 1):
        known = ".".join(labels[at:])
        known = _SAME_AS.get(known, known)
        if known in _KIND_OF:
            return {_KIND_OF[known]: known}
    national = _IN_ALL_COUNTRIES.fullmatch(host)
    if national and national[1] in _BY_NAME:
        return {_BY_NAME[national[1]]: f"{national[1]}.com"}
    return {"site": host}


@lru_cache(maxsize=REMEMBERED)
def _host(address: str) -> str | None:
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    is_web = parts.scheme in ("http", "https", "android-app")
    return host if is_web and len(host) <= HOST_CHARACTERS and _HOST.fullmatch(host) else None
