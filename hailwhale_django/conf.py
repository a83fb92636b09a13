"""The setting `HAILWHALE`, read once: a dict whose every key has a default, and may be left out.

    HAILWHALE = {"REDIS": "redis://localhost:6379/0", "TIME_ZONE": "Europe/Paris"}

A key that is not known, or a value that will not do, is an `ImproperlyConfigured` that names it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from math import isfinite
from pathlib import Path as FilePath
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver

from .engine.domain.crossing import Crossings
from .engine.domain.event import DEFAULT_PLACES, MAX_PLACES, Places
from .engine.domain.paths import pk_of
from .engine.domain.plan import parse_schedule
from .engine.domain.sketch import RECIPES, sketch_of
from .engine.domain.sketchbook import Sketchbook
from .engine.domain.timeline import timeline
from .engine.errors import HailWhaleError, InvalidInput
from .engine.store.catalog import Limits
from .engine.store.log import DEFAULT_LIMIT
from .engine.store.store import DEFAULT_INTERVALS, Options

NAME = "HAILWHALE"
ENVIRONMENT_URL = "HAILWHALE_REDIS_URL"
DEFAULT_STORE = "default"
DEFAULT_LIMITS = Limits()

# What can be told from a request, each a dimension of this name; `capture` knows how.
CAPTURABLE = ("language", "referrer", "utm", "bot", "device", "browser", "os", "country")


@dataclass(frozen=True, slots=True)
class Settings:
    """Every key, its type and its default. In `STORES` each further store may override any of those above it."""

    REDIS: str | Callable[[], Any] = "redis://127.0.0.1:6379/0"
    PREFIX: str = "hw"
    TIME_ZONE: str = "UTC"
    INTERVALS: Mapping[str, str | None] = field(default_factory=lambda: dict(DEFAULT_INTERVALS))
    PLACES: int | Mapping[str, int] = DEFAULT_PLACES
    SKETCHES: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    CROSSINGS: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    MAX_CHILDREN: int = DEFAULT_LIMITS.children
    MAX_ROWS: int = DEFAULT_LIMITS.rows
    MAX_METRICS: int = DEFAULT_LIMITS.metrics
    MAX_COUNTERS: int = DEFAULT_LIMITS.counters
    HAIL_REDIS: str | Callable[[], Any] | None = None
    HAIL_STREAMS: int = 1
    HAIL_LIMIT: int = DEFAULT_LIMIT
    STORES: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    WRITE_KEYS: tuple[str, ...] = ()
    CORS_ORIGINS: tuple[str, ...] = ("*",)
    MAX_BODY_BYTES: int = 1_048_576
    MAX_BATCH_BYTES: int = 5_242_880
    MAX_BATCH_EVENTS: int = 10_000
    PIXEL_MAX_AGE: int | None = None
    CACHE: str = "default"
    CACHE_SECONDS: int = 60
    REQUESTS_PK: str | Sequence[str] = "requests"
    REQUESTS_EXCLUDE: tuple[str, ...] = ("/static/", "/media/")
    REQUESTS_STAFF: bool = False
    REQUESTS_SKETCHES: tuple[str, ...] = ("uv:visitor", "pct95:ms")
    PIXEL_SKETCHES: tuple[str, ...] = ("uv:visitor",)
    CAPTURE: tuple[str, ...] = ("language", "referrer", "utm", "bot")
    COUNTRY_HEADER: str = ""
    COUNTRY_DATABASE: str | FilePath = ""
    ADDRESS_HEADER: str = ""
    RESPECT_DNT: bool = True
    DECISIONS_PK: str | Sequence[str] = "decisions"
    BUFFER_BATCH: int = 500
    BUFFER_SECONDS: float = 0.5
    BUFFER_EVENTS: int = 10_000
    BASE_URL: str = ""

    def options(self) -> Options:
        """What the engine needs to know. Raises `HailWhaleError` for intervals or sketches that cannot be kept."""
        schedule = parse_schedule(self.INTERVALS, timeline(ZoneInfo(self.TIME_ZONE)))
        sketchbook = Sketchbook.parse(self.SKETCHES)
        sketchbook.check(schedule)
        return Options(
            prefix=self.PREFIX,
            zone=self.TIME_ZONE,
            intervals=self.INTERVALS,
            places=_places(self.PLACES),
            limits=Limits(self.MAX_CHILDREN, self.MAX_ROWS, self.MAX_METRICS, self.MAX_COUNTERS),
            sketchbook=sketchbook,
            crossings=Crossings.parse(self.CROSSINGS),
        )


NAMES = tuple(one.name for one in fields(Settings))
OF_A_STORE = NAMES[: NAMES.index("STORES")]

_read: dict[str, Settings] = {}


def get_settings(store: str = DEFAULT_STORE) -> Settings:
    """The settings of a store, checked."""
    if store not in _read:
        _read[store] = _read_settings(store)
    return _read[store]


def stores() -> list[str]:
    """The names of all configured stores, the default one first."""
    return [DEFAULT_STORE, *get_settings().STORES]


def known_store(name: str) -> str:
    """Raises `InvalidInput` of a store that is not configured."""
    if name not in stores():
        raise InvalidInput("store", name, f"use one of {', '.join(stores())}")
    return name


def _read_settings(store: str) -> Settings:
    given = _dict(NAME, getattr(settings, NAME, {}))
    _check_names(given, NAMES, NAME)
    others = _dict(f"{NAME}['STORES']", given.get("STORES", {}))
    if DEFAULT_STORE in others:
        raise ImproperlyConfigured(f"{NAME}['STORES'] may not have {DEFAULT_STORE!r}: {NAME} itself is that store")
    if store != DEFAULT_STORE:
        if store not in others:
            raise ImproperlyConfigured(f"{NAME}['STORES'] has no store {store!r}; it has {sorted(others)}")
        own = _dict(f"{NAME}['STORES'][{store!r}]", others[store])
        _check_names(own, OF_A_STORE, f"{NAME}['STORES'][{store!r}]")
        given |= own
    if url := os.environ.get(ENVIRONMENT_URL):
        given.setdefault("REDIS", url)
    given.setdefault("TIME_ZONE", settings.TIME_ZONE)
    for name in given:
        given[name] = _checked(name, given[name])
    found = Settings(**given)
    try:
        found.options()
    except HailWhaleError as error:
        where = error.field if isinstance(error, InvalidInput) and error.field in NAMES else "INTERVALS"
        raise ImproperlyConfigured(f"{NAME}[{where!r}]: {error}") from error
    return found


def _check_names(given: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in given:
        if name not in known:
            close = get_close_matches(str(name), known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
            raise ImproperlyConfigured(f"{where} has no key {name!r}; {hint}")


def _dict(where: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"{where} is {given!r}; use a dict")
    return dict(given)


def _checked(name: str, value: Any) -> Any:
    """The value of a key, or an error that says what would be right."""
    expected = EXPECTED.get(name, "a whole number above 0")
    if not _FITS.get(name, _is_positive)(value):
        raise ImproperlyConfigured(f"{NAME}[{name!r}] is {value!r}; use {expected}")
    return tuple(value) if name in _LISTS else value


def _is_positive(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_redis(value: Any) -> bool:
    if isinstance(value, str):
        return value.partition("://")[0] in SCHEMES if "://" in value else value in settings.CACHES
    return callable(value)


def _is_zone(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(ZoneInfo(value))
    except (LookupError, ValueError, OSError):
        return False


def _is_list_of_strings(value: Any) -> bool:
    return isinstance(value, list | tuple | set) and all(isinstance(one, str) and one for one in value)


def _are_sketches(value: Any, of: tuple[str, ...]) -> bool:
    try:
        return _is_list_of_strings(value) and all(sketch_of(one) and RECIPES.sub("", one, 1) in of for one in value)
    except HailWhaleError:
        return False


def _is_pk(value: Any) -> bool:
    try:
        return isinstance(value, str | list | tuple) and bool(pk_of(value))
    except HailWhaleError:
        return False


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0 and isfinite(value)


def _is_header(value: Any) -> bool:
    return isinstance(value, str) and _HEADER.fullmatch(value) is not None


_HEADER = re.compile(r"[A-Za-z0-9-]*")
_BASE_URL = re.compile(r"https?://[^/?#\s]+(/[^?#\s]*)?")

# "redis" in any spelling that `engine.store.server.connect` reads.
SCHEMES = ("redis", "rediss", "unix", "redis+cluster")

_FITS: dict[str, Callable[[Any], bool]] = {
    "REDIS": _is_redis,
    "HAIL_REDIS": lambda value: value is None or _is_redis(value),
    # Braces would decide on a cluster's slots.
    "PREFIX": lambda value: isinstance(value, str) and bool(value) and not set("{}") & set(value),
    "TIME_ZONE": _is_zone,
    "INTERVALS": lambda value: isinstance(value, Mapping),
    "PLACES": lambda value: isinstance(value, int | Mapping),
    "SKETCHES": lambda value: isinstance(value, Mapping),
    "CROSSINGS": lambda value: isinstance(value, Mapping),
    "STORES": lambda value: isinstance(value, Mapping),
    "WRITE_KEYS": _is_list_of_strings,
    "CORS_ORIGINS": _is_list_of_strings,
    "PIXEL_MAX_AGE": lambda value: value is None or _is_positive(value),
    "CACHE": lambda value: isinstance(value, str) and value in settings.CACHES,
    "REQUESTS_PK": _is_pk,
    "REQUESTS_EXCLUDE": _is_list_of_strings,
    "REQUESTS_STAFF": _is_bool,
    "REQUESTS_SKETCHES": lambda value: _are_sketches(value, ("visitor", "ms")),
    "PIXEL_SKETCHES": lambda value: _are_sketches(value, ("visitor",)),
    "CAPTURE": lambda value: _is_list_of_strings(value) and set(value) <= set(CAPTURABLE),
    "COUNTRY_HEADER": _is_header,
    "COUNTRY_DATABASE": lambda value: isinstance(value, str | FilePath),
    "ADDRESS_HEADER": _is_header,
    "RESPECT_DNT": _is_bool,
    "DECISIONS_PK": _is_pk,
    "BUFFER_SECONDS": _is_seconds,
    "BASE_URL": lambda value: isinstance(value, str) and (not value or _BASE_URL.fullmatch(value) is not None),
}
_LISTS = ("WRITE_KEYS", "CORS_ORIGINS", "REQUESTS_EXCLUDE", "REQUESTS_SKETCHES", "PIXEL_SKETCHES", "CAPTURE")
EXPECTED = {
    "REDIS": f"an address ({'://, '.join(SCHEMES)}://), the name of a django-redis cache in CACHES, or a callable",
    "HAIL_REDIS": "None (where the counters are), or what REDIS takes",
    "PREFIX": "a string without braces",
    "TIME_ZONE": "the name of a time zone, e.g. Europe/Paris",
    "INTERVALS": 'a dict, e.g. {"1h": "90d", "1d": None}',
    "PLACES": 'a whole number or a dict, e.g. {"": 6, "ms": 0}',
    "SKETCHES": 'a dict of rules, e.g. {"uv:visitor": {"dimensions": ["country"], "intervals": ["1d"]}}',
    "CROSSINGS": 'a dict of what is counted together, e.g. {"shop": [["country", "device"]]}',
    "STORES": "a dict of stores",
    "WRITE_KEYS": "a list of strings",
    "CORS_ORIGINS": "a list of strings",
    "PIXEL_MAX_AGE": "a whole number of seconds above 0, or None",
    "CACHE": "the name of a cache in CACHES",
    "REQUESTS_PK": 'the name of a counter or a list of names, e.g. "requests"',
    "REQUESTS_EXCLUDE": 'a list of the beginnings of paths, e.g. ["/static/"]',
    "REQUESTS_STAFF": "True or False",
    "REQUESTS_SKETCHES": 'a list of sketches of visitor and ms, e.g. ["uv:visitor", "pct95:ms"]',
    "PIXEL_SKETCHES": 'a list of sketches of visitor, e.g. ["uv:visitor", "mh:visitor"]',
    "CAPTURE": f"a list of some of {', '.join(CAPTURABLE)}",
    "COUNTRY_HEADER": 'the name of a header, e.g. "CF-IPCountry"',
    "COUNTRY_DATABASE": "the path of an mmdb file",
    "ADDRESS_HEADER": 'the name of a header, e.g. "X-Forwarded-For"',
    "RESPECT_DNT": "True or False",
    "DECISIONS_PK": 'the name of a counter or a list of names, e.g. "decisions"',
    "BUFFER_SECONDS": "a number of seconds above 0",
    "BASE_URL": 'the address at which people open the site, e.g. "https://shop.example"; or ""',
}


def _places(given: int | Mapping[Any, Any]) -> Places:
    by_metric = dict(given) if isinstance(given, Mapping) else {"": given}
    for metric, places in by_metric.items():
        if not isinstance(metric, str):
            raise ImproperlyConfigured(f"{NAME}['PLACES'] has the key {metric!r}; use the names of metrics")
        if not isinstance(places, int) or isinstance(places, bool) or not 0 <= places <= MAX_PLACES:
            raise ImproperlyConfigured(
                f"{NAME}['PLACES'] is {places!r} for {metric or 'all metrics'}; use 0 to {MAX_PLACES}"
            )
    return Places(by_metric.pop("", DEFAULT_PLACES), by_metric)


@receiver(setting_changed)
def _forget(*, setting: str, **_: Any) -> None:
    if setting in (NAME, "TIME_ZONE", "CACHES"):
        _read.clear()
