"""System checks: what is misconfigured is said when the project starts.

hailwhale.E001  HAILWHALE has a key or a value that will not do
hailwhale.E002  HAILWHALE['CAPTURE'] names what only the extra [agents] can tell, and it is not installed
hailwhale.E003  HAILWHALE['COUNTRY_DATABASE'] cannot be read
hailwhale.E004  HAILWHALE['CAPTURE'] has country, and nothing is configured that could tell it
hailwhale.W001  HAILWHALE['REDIS'] names a cache whose clear() would delete all counts
hailwhale.W002  requests are counted, and only bots that call themselves so can be told from people
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from .conf import NAME, Settings, get_settings, stores
from .countries import opened

MIDDLEWARE = "hailwhale_django.middleware.HailWhaleMiddleware"
OF_AGENTS = ("device", "browser", "os")


@checks.register
def check_settings(**_: Any) -> list[checks.CheckMessage]:
    """Read every store's settings."""
    try:
        for store in stores():
            get_settings(store)
    except ImproperlyConfigured as error:
        hint = "See docs/settings.md for every key, its type and its default."
        return [checks.Error(str(error), hint=hint, id="hailwhale.E001")]
    shared = [message for store in stores() for message in _check_shared_cache(store)]
    return [*shared, *_check_capture(get_settings()), *_check_database(get_settings())]


def _check_capture(configured: Settings) -> list[checks.CheckMessage]:
    """What is to be captured can be."""
    found: list[checks.CheckMessage] = []
    of_agents = [name for name in OF_AGENTS if name in configured.CAPTURE]
    if of_agents and find_spec("ua_parser") is None:
        message = f"{NAME}['CAPTURE'] has {', '.join(of_agents)}, which needs ua-parser, and that is not installed."
        hint = 'Install it: pip install "hailwhale_django[agents]"; or leave them out.'
        found.append(checks.Error(message, hint=hint, id="hailwhale.E002"))
    if "country" in configured.CAPTURE and not (configured.COUNTRY_HEADER or configured.COUNTRY_DATABASE):
        message = f"{NAME}['CAPTURE'] has country, and nothing tells it."
        hint = "Set COUNTRY_HEADER to a header of your proxy, or COUNTRY_DATABASE to an mmdb file."
        found.append(checks.Error(message, hint=hint, id="hailwhale.E004"))
    if "bot" in configured.CAPTURE and MIDDLEWARE in settings.MIDDLEWARE and find_spec("crawleruseragents") is None:
        message = "Requests are counted, and only bots that call themselves so can be told from people."
        hint = 'Install the list of bots: pip install "hailwhale_django[agents]"; or leave bot out of CAPTURE.'
        found.append(checks.Warning(message, hint=hint, id="hailwhale.W002"))
    return found


def _check_database(configured: Settings) -> list[checks.CheckMessage]:
    """The file can be read, and there is a library to read it."""
    path = str(configured.COUNTRY_DATABASE)
    if "country" not in configured.CAPTURE or not path:
        return []
    try:
        opened(path).close()
    except ImportError:
        wrong, hint = "needs maxminddb, and that is not installed", 'pip install "hailwhale_django[geo]".'
    except (OSError, ValueError) as error:
        wrong, hint = f"is {path!r}, which cannot be read: {error}", "Name an mmdb file that this process may read."
    else:
        return []
    return [checks.Error(f"{NAME}['COUNTRY_DATABASE'] {wrong}.", hint=hint, id="hailwhale.E003")]


def _check_shared_cache(store: str) -> list[checks.CheckMessage]:
    """`cache.clear()` of django-redis flushes the whole database, with all counts in it."""
    alias = get_settings(store).REDIS
    if not isinstance(alias, str) or "django_redis" not in settings.CACHES.get(alias, {}).get("BACKEND", ""):
        return []
    location = settings.CACHES[alias].get("LOCATION")
    sharing = [name for name, cache in settings.CACHES.items() if name != alias and cache.get("LOCATION") == location]
    if alias != "default" and not sharing:
        return []
    return [
        checks.Warning(
            f"{NAME}['REDIS'] of the store {store!r} is the cache {alias!r}, and clearing "
            f"{' or '.join(repr(name) for name in sharing or [alias])} would delete all counts.",
            hint="Give hailwhale a cache alias with a database of its own, e.g. redis://host:6379/1.",
            id="hailwhale.W001",
        )
    ]
