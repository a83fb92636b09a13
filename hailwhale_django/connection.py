"""From settings to pods: one for each configured store, made when first asked for."""

from __future__ import annotations

from threading import Lock
from typing import Any

import redis
from django.conf import settings
from django.core.cache import InvalidCacheBackendError
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.encoding import force_bytes
from redis.cluster import RedisCluster

from .conf import DEFAULT_STORE, NAME, get_settings
from .engine.pod import Pod
from .engine.store.log import Log
from .engine.store.server import NO_RETRY, Server, connect
from .engine.store.store import Store

_pods: dict[str, Pod] = {}
_making = Lock()


def pod(store: str = DEFAULT_STORE) -> Pod:
    """Everything that can be done with a store. Nothing is sent to its server before the first call."""
    found = _pods.get(store)
    if found is None:
        with _making:
            found = _pods.get(store) or _pods.setdefault(store, _make(store))
    return found


def _make(store: str) -> Pod:
    configured = get_settings(store)
    counters = Store(_server(configured.REDIS, "REDIS"), configured.options())
    hail = configured.HAIL_REDIS
    server = counters.server if hail is None else _server(hail, "HAIL_REDIS")
    log = Log(server, counters.keys, configured.HAIL_STREAMS, configured.HAIL_LIMIT)
    return Pod(counters, log=log, secret=_secret())


def _secret() -> bytes:
    """What keys visitors' hashes; nothing in a project that has no secret key, and so no sessions or forms either."""
    try:
        return force_bytes(settings.SECRET_KEY)
    except ImproperlyConfigured:
        return b""


def _server(given: Any, key: str) -> Server:
    """A server from an address, the name of a cache, or a callable that gives either or a client."""
    if callable(given):
        given = given()
    if isinstance(given, str):
        return connect(given) if "://" in given else Server(_client_of_cache(given, key))
    if isinstance(given, redis.Redis | RedisCluster):
        given.set_retry(NO_RETRY)  # an increment that is sent again may be counted again
        return Server(_raw(given, key))
    raise ImproperlyConfigured(
        f"{NAME}[{key!r}] is {given!r}; use an address (redis://host:port/0), the name of a django-redis cache, "
        "or a callable that returns one of these or a client of redis-py"
    )


def _client_of_cache(alias: str, key: str) -> redis.Redis:
    from django_redis import get_redis_connection  # only who names a cache needs it

    try:
        return _raw(get_redis_connection(alias), key)
    except (NotImplementedError, AttributeError, KeyError, InvalidCacheBackendError) as error:
        raise ImproperlyConfigured(
            f"{NAME}[{key!r}] is {alias!r}, which is not a cache of django-redis in CACHES"
        ) from error


def _raw(client: Any, key: str) -> Any:
    if client.get_encoder().decode_responses:
        raise ImproperlyConfigured(f"{NAME}[{key!r}]: the client must not decode responses (decode_responses=True)")
    return client


@receiver(setting_changed)
def _forget(*, setting: str, **_: Any) -> None:
    if setting in (NAME, "TIME_ZONE", "CACHES"):
        _pods.clear()
