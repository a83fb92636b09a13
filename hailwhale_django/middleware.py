"""Every request counted, by what became of it: route, method, status, and what `capture` finds.

    MIDDLEWARE = ["hailwhale_django.middleware.HailWhaleMiddleware", ...]

The first in the list measures all the others. A request is counted when its response object is there; what a streaming
response takes to be sent is not in its `ms`. The event goes into a buffer (see `buffer`), so a request waits for no
server, and whatever goes wrong in counting is logged and never breaks a page.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import cached_property
from time import perf_counter
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponseBase

from . import buffer
from .capture import by_name, event_of
from .conf import get_settings
from .engine.domain.paths import Path, dimension_paths
from .engine.domain.sketch import kept_name, sketch_of
from .visitors import visit_of, visitor_of

logger = logging.getLogger("hailwhale")

NO_ROUTE = "(no route)"
UNKNOWN_METHOD = "(unknown)"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# `urls.app_name`, which is not imported: counting requests needs none of what those addresses need.
OWN_ADDRESSES = "hailwhale"
# A name of a dimension has 255 bytes.
ROUTE_CHARACTERS = 120


class RequestEvent:
    """`request.hailwhale`: what a view may say about the request that it answers."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.is_skipped = False
        self._added: list[tuple[Any, Any]] = []
        self._is_counted = False

    def add(self, dimensions: Any = None, metrics: Any = None) -> None:
        """Count the request by these, too. Both are as `Hail.count` takes them; values of one metric add up."""
        if self._is_counted:
            logger.warning("%r came after its request was counted, and is not", dimensions or metrics)
        self._added.append((dimensions, metrics))

    def skip(self) -> None:
        """Do not count this request."""
        self.is_skipped = True

    @cached_property
    def visitor(self) -> str | None:
        """The visitor's id of today; see `visitors`."""
        return visitor_of(self.request)

    def count(self, dimensions: dict[str, Any], metrics: dict[str, Any]) -> None:
        """Put the event into the buffer, with all that was added."""
        self._is_counted = True
        for _, added in self._added:
            metrics = _sum(metrics, added)
        if paths := [path for added, _ in self._added for path in dimension_paths(added)]:
            dimensions = _joined(dimensions, paths)
        buffer.add(event_of(self.request, get_settings().REQUESTS_PK, dimensions, metrics))


class HailWhaleMiddleware:
    """Counts each request under `REQUESTS_PK`, with the metrics `hits` and `ms` and those of `REQUESTS_SKETCHES`."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self.is_async:
            return self.__acall__(request)
        began = perf_counter()
        event = request.hailwhale = RequestEvent(request)  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
        except Exception:  # Django answers exceptions, unless DEBUG_PROPAGATE_EXCEPTIONS
            _count(event, 500, began)
            raise
        _count(event, response.status_code, began)
        return response

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        began = perf_counter()
        event = request.hailwhale = RequestEvent(request)  # type: ignore[attr-defined]
        try:
            response: HttpResponseBase = await self.get_response(request)
        except Exception:
            await _acount(event, 500, began)
            raise
        await _acount(event, response.status_code, began)
        return response


def _count(event: RequestEvent, status: int, began: float) -> None:
    took = perf_counter() - began
    try:
        request: Any = event.request
        if _is_to_count(event) and not (_may_be_staff(request) and _is_staff(getattr(request, "user", None))):
            event.count(_dimensions(request, status), _metrics(request, took))
    except Exception:
        logger.exception("a request was not counted")


async def _acount(event: RequestEvent, status: int, began: float) -> None:
    took = perf_counter() - began
    try:
        request: Any = event.request
        if _is_to_count(event) and not (_may_be_staff(request) and _is_staff(await _auser(request))):
            event.count(_dimensions(request, status), _metrics(request, took))
    except Exception:
        logger.exception("a request was not counted")


def _is_to_count(event: RequestEvent) -> bool:
    """Whether a request is one to count, whoever asked: no excluded path, and none of hailwhale's own."""
    match = event.request.resolver_match
    return not (
        event.is_skipped
        or event.request.path_info.startswith(get_settings().REQUESTS_EXCLUDE)
        or (match is not None and OWN_ADDRESSES in match.app_names)
    )


def _may_be_staff(request: HttpRequest) -> bool:
    """Without a session nobody is logged in, and none is looked for."""
    return not get_settings().REQUESTS_STAFF and django_settings.SESSION_COOKIE_NAME in request.COOKIES


async def _auser(request: Any) -> Any:
    """The user, read without blocking other requests if it was not read yet."""
    return await request.auser() if hasattr(request, "auser") else getattr(request, "user", None)


def _is_staff(user: Any) -> bool:
    return bool(getattr(user, "is_staff", False))


def _dimensions(request: HttpRequest, status: int) -> dict[str, Any]:
    return {
        "route": _route(request),
        "method": request.method if request.method in METHODS else UNKNOWN_METHOD,
        "status": {f"{status // 100}xx": str(status)},
    }


def _route(request: HttpRequest) -> str:
    """The pattern that matched, not the path: `/articles/<int:year>/`."""
    match = request.resolver_match
    return NO_ROUTE if match is None else f"/{match.route}"[:ROUTE_CHARACTERS]


def _metrics(request: HttpRequest, took: float) -> dict[str, Any]:
    ms = round(took * 1000, 3)
    sketches = {name: ms if name.endswith(":ms") else visit_of(request) for name in get_settings().REQUESTS_SKETCHES}
    return {"hits": 1, "ms": ms, **sketches}


def _sum(metrics: Mapping[str, Any], added: Any) -> dict[str, Any]:
    """Both, where names alone count 1 each and values of one name add up; those of a sketch stay apart."""
    found = dict(metrics)
    for name, value in by_name(added).items():
        same = name if name in found else next((one for one in found if kept_name(one) == kept_name(name)), name)
        found[same] = _both(name, found[same], value) if same in found else value
    return found


def _both(name: str, one: Any, other: Any) -> Any:
    if sketch_of(name) is None:
        return one + other
    return [*(one if isinstance(one, list) else [one]), other]


def _joined(dimensions: Mapping[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
    """A dict that counts on all of these paths, too."""
    tree: dict[str, Any] = {}
    for path in (*dimension_paths(dimensions), *paths):
        below = tree
        for name in path:
            below = below.setdefault(name, {})
    return tree
