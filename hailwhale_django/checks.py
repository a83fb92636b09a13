"""System checks: what is misconfigured is said when the project starts.

hailwhale.E001  HAILWHALE has a key or a value that will not do
hailwhale.E002  HAILWHALE['CAPTURE'] names what only the extra [agents] can tell, and it is not installed
hailwhale.E003  HAILWHALE['COUNTRY_DATABASE'] cannot be read
hailwhale.E004  HAILWHALE['CAPTURE'] has country, and nothing is configured that could tell it
hailwhale.W001  HAILWHALE['REDIS'] or ['HAIL_REDIS'] names a cache whose clear() would delete all counts or events
hailwhale.W002  requests are counted, and only bots that call themselves so can be told from people
hailwhale.W003  Celery has an app, and its beat does not drain the hail
hailwhale.W004  the middleware is in the list twice, or where it misses requests
hailwhale.W005  Celery's beat drains the hail, and does not look at alerts or send reports

Those of a server's settings, hailwhale.H001 and H010 to H014, are in `engine.problems`. They need a server that
answers, so only `check --deploy` and `hailwhale_doctor` ask for them.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from . import connection
from .conf import NAME, Settings, get_settings, stores
from .countries import opened
from .engine import health
from .engine.errors import HailWhaleError
from .engine.problems import ERROR, WARNING, server_problems

MIDDLEWARE = "hailwhale_django.middleware.HailWhaleMiddleware"
CACHING = "django.middleware.cache.FetchFromCacheMiddleware"
KEYS = ("REDIS", "HAIL_REDIS")
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
    shared = [message for store in stores() for key in KEYS for message in _check_shared_cache(store, key)]
    of_settings = [*shared, *_check_capture(get_settings()), *_check_database(get_settings())]
    return [*of_settings, *_check_beat(), *_check_middleware()]


@checks.register("hailwhale", deploy=True)
def check_servers(**_: Any) -> list[checks.CheckMessage]:
    """Ask every store's servers how they are set up. One that does not answer is a warning: it may be elsewhere."""
    try:
        return [message for store in stores() for message in _check_servers(store)]
    except ImproperlyConfigured:  # which `check_settings` says
        return []


def _check_servers(store: str) -> list[checks.CheckMessage]:
    try:
        pod = connection.pod(store)
        found = server_problems(store, health.servers(pod.store, pod.log))
    except HailWhaleError as error:
        hint = "hailwhale_doctor and check --deploy look at the server's settings; start it to have them checked."
        return [checks.Warning(f"The store {store!r} is not checked: {error}", hint=hint, id="hailwhale.H001")]
    made = {ERROR: checks.Error, WARNING: checks.Warning}
    return [made[one.level](one.message, hint=one.hint, id=one.id) for one in found]


def _check_beat() -> list[checks.CheckMessage]:
    """Only where the project has imported Celery: it does so at its start, if it has an app."""
    if "celery" not in sys.modules:
        return []
    from . import tasks

    missing, merge = tasks.missing_in_beat(), "app.conf.beat_schedule |= hailwhale_django.tasks.BEAT_SCHEDULE"
    if not missing:
        return []
    if tasks.drain.name in missing:
        message = "Celery has an app, and its beat does not drain the hail: accepted events wait until something does."
        return [checks.Warning(message, hint=f"{merge}; or run manage.py hailwhale_drain.", id="hailwhale.W003")]
    message = f"Celery's beat does not run {', '.join(missing)}: alerts or reports wait until something does."
    hint = f"{merge}; or run manage.py hailwhale_watch and hailwhale_report by cron, and silence this."
    return [checks.Warning(message, hint=hint, id="hailwhale.W005")]


def _check_middleware() -> list[checks.CheckMessage]:
    """Each request is counted once, also one that a cache answers."""
    listed = list(settings.MIDDLEWARE)
    if listed.count(MIDDLEWARE) > 1:
        wrong, hint = "is in MIDDLEWARE more than once: each request counts as often.", "Leave the first."
    elif MIDDLEWARE in listed and CACHING in listed[: listed.index(MIDDLEWARE)]:
        wrong = f"comes behind {CACHING}: pages from the cache are not counted."
        hint = "Put it first in MIDDLEWARE; then it measures all others, too."
    else:
        return []
    return [checks.Warning(f"{MIDDLEWARE} {wrong}", hint=hint, id="hailwhale.W004")]


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


def _check_shared_cache(store: str, key: str) -> list[checks.CheckMessage]:
    """`cache.clear()` of django-redis flushes the whole database, with all counts or waiting events in it."""
    alias = getattr(get_settings(store), key)
    if not isinstance(alias, str) or "django_redis" not in settings.CACHES.get(alias, {}).get("BACKEND", ""):
        return []
    location = settings.CACHES[alias].get("LOCATION")
    sharing = [name for name, cache in settings.CACHES.items() if name != alias and cache.get("LOCATION") == location]
    if alias != "default" and not sharing:
        return []
    cleared = " or ".join(repr(name) for name in sharing or [alias])
    lost = "counts" if key == "REDIS" else "events that wait to be counted"
    which = f"{NAME}[{key!r}] of the store {store!r} is the cache {alias!r}"
    message = f"{which}, and clearing {cleared} would delete all {lost}."
    hint = "Give hailwhale a cache alias with a database of its own, e.g. redis://host:6379/1."
    return [checks.Warning(message, hint=hint, id="hailwhale.W001")]
