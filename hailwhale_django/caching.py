"""Answers kept in Django's cache: by store, method and arguments as they were written."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from django.core.cache import caches

from .conf import get_settings

if TYPE_CHECKING:
    from .whale import Whale

_ABSENT = object()


def cached(whale: type[Whale], method: str, args: tuple[Any, ...], kwargs: dict[str, Any], unmemoize: bool) -> Any:
    """What `whale.method(*args, **kwargs)` answered within the last `CACHE_SECONDS`, or answers now."""
    settings = get_settings(whale.store)
    cache = caches[settings.CACHE]
    asked = repr((whale.store, settings.PREFIX, method, args, sorted(kwargs.items())))
    key = f"hailwhale:{method}:{hashlib.sha256(asked.encode()).hexdigest()}"
    found = _ABSENT if unmemoize else cache.get(key, _ABSENT)
    if found is _ABSENT:
        found = getattr(whale, method)(*args, **kwargs)
        cache.set(key, found, settings.CACHE_SECONDS)
    return found
