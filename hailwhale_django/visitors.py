"""Who asks, as far as counting may know: an address for the moment, a wish for privacy, and an id without a cookie.

The id of a visitor is a keyed hash of site, address and agent. The key is a random salt that lives for a day of the
store's time zone and is deleted an hour after it, so the same visitor has another id tomorrow, and once the salt is
gone nobody can tell whose id it was. Nothing here stores an address, an agent or an id.

Costs a hash, 2 microseconds; once a day each process asks the store for the salt, in two round trips. When the store
does not answer there is no visitor, and it is not asked again for half a minute, so that pages do not wait for it.
"""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from functools import lru_cache
from hashlib import blake2b
from threading import Lock
from typing import Any

from django.core.exceptions import DisallowedHost
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.request import split_domain_port

from .conf import NAME, get_settings
from .connection import pod
from .engine.errors import HailWhaleError
from .engine.store.store import Store

logger = logging.getLogger("hailwhale")

SALT_BYTES = 32
ID_BYTES = 8  # two of a million visitors of a day share an id once in 37 million days
# Processes whose clocks differ may ask for yesterday's a little longer.
GRACE_SECONDS = 3_600
AWAY_SECONDS = 30.0
# A page waits no longer than this for another thread that asks for the salt.
PATIENCE_SECONDS = 2.0

# What a request's host is told from.
HOSTS = ("HTTP_HOST", "HTTP_X_FORWARDED_HOST", "SERVER_NAME", "SERVER_PORT", "HTTP_X_FORWARDED_PORT")


@dataclass(frozen=True, slots=True)
class Salt:
    """The salt of a day, which ends at `until` (seconds since the epoch); None when the store did not say."""

    value: bytes | None
    since: float
    until: float

    def holds(self, now: float) -> bool:
        return self.since <= now < self.until


_salt = Salt(None, 0.0, 0.0)
_asking = Lock()


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks, before anybody waited for the salt. It holds what must not be kept: ask for its `visitor` soon."""

    told: str = field(repr=False)

    def visitor(self) -> str | None:
        """16 hexadecimal digits that are the same for a visitor all day; None where the store does not answer."""
        salt = _salt_of_today()
        if salt is None:
            return None
        return blake2b(self.told.encode("utf-8", "surrogateescape"), key=salt, digest_size=ID_BYTES).hexdigest()


def visit_of(request: HttpRequest) -> Visit | None:
    """None of who wants privacy, or has no address."""
    address = address_of(request)
    if not address or wants_privacy(request):
        return None
    return Visit("\0".join((site_of(request), address, agent_of(request))))


def visitor_of(request: HttpRequest) -> str | None:
    """The visitor's id of today; None where there shall be or can be none."""
    visit = visit_of(request)
    return None if visit is None else visit.visitor()


def wants_privacy(request: HttpRequest) -> bool:
    """Whether the browser says Do Not Track or Sec-GPC, and the settings respect it."""
    meta = request.META
    asked = meta.get("HTTP_DNT") == "1" or meta.get("HTTP_SEC_GPC") == "1"
    return asked and get_settings().RESPECT_DNT


def address_of(request: HttpRequest) -> str:
    """The client's address: as the server saw it, or the last one in `ADDRESS_HEADER`.

    A proxy appends the address that it saw; what stands before may be invented by the client.
    """
    name = get_settings().ADDRESS_HEADER
    given = header(request, name).rpartition(",")[2].strip() if name else ""
    return given or request.META.get("REMOTE_ADDR") or ""


def agent_of(request: HttpRequest) -> str:
    return request.META.get("HTTP_USER_AGENT") or ""


def site_of(request: HttpRequest) -> str:
    """The host that was asked for, without its port; "" if it is not one of ours."""
    return _known_site(*map(request.META.get, HOSTS))


@lru_cache(maxsize=1024)
def _known_site(*told: str | None) -> str:
    request = HttpRequest()
    request.META = {name: text for name, text in zip(HOSTS, told, strict=True) if text is not None}
    try:
        return split_domain_port(request.get_host())[0]
    except DisallowedHost:
        return ""


def header(request: HttpRequest, name: str) -> str:
    """A header's text, "" if it was not sent. Faster than `request.headers`, which reads all."""
    return request.META.get(f"HTTP_{name.upper().replace('-', '_')}") or ""


def _salt_of_today() -> bytes | None:
    now = time.time()
    if not _salt.holds(now) and _asking.acquire(timeout=PATIENCE_SECONDS):
        try:
            if not _salt.holds(now):
                _remember(_asked(now))
        finally:
            _asking.release()
    return _salt.value if _salt.holds(now) else None


def _asked(now: float) -> Salt:
    try:
        store = pod().store
        zone = store.timeline.zone
        day = datetime.fromtimestamp(now, zone).date()
        midnights = (datetime.combine(day + timedelta(days=n), time_of_day.min, zone) for n in (0, 1))
        begin, end = (midnight.timestamp() for midnight in midnights)
        return Salt(_stored(store, day, int(end - now) + GRACE_SECONDS), begin, end)
    except HailWhaleError as error:
        logger.warning("no visitors for %.0f seconds: %s", AWAY_SECONDS, error)
        return Salt(None, now, now + AWAY_SECONDS)


def _stored(store: Store, day: date, seconds: int) -> bytes:
    """The salt of a day: the first process to ask makes it. It is gone after so many seconds."""
    key = store.keys.salt(day.isoformat())
    store.server.call("SET", [key], [secrets.token_bytes(SALT_BYTES), "EX", seconds, "NX"])
    return bytes(store.server.call("GET", [key]))


def _remember(salt: Salt) -> None:
    global _salt
    _salt = salt


@receiver(setting_changed)
def _forget(*, setting: str, **_: Any) -> None:
    _known_site.cache_clear()
    if setting in (NAME, "TIME_ZONE"):
        _remember(Salt(None, 0.0, 0.0))
