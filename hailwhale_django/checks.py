"""System checks: what is misconfigured is said when the project starts.

hailwhale.E001  HAILWHALE has a key or a value that will not do
hailwhale.W001  HAILWHALE['REDIS'] names a cache whose clear() would delete all counts
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from .conf import NAME, get_settings, stores


@checks.register
def check_settings(**_: Any) -> list[checks.CheckMessage]:
    """Read every store's settings."""
    try:
        for store in stores():
            get_settings(store)
    except ImproperlyConfigured as error:
        hint = "See docs/settings.md for every key, its type and its default."
        return [checks.Error(str(error), hint=hint, id="hailwhale.E001")]
    return [message for store in stores() for message in _check_shared_cache(store)]


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
