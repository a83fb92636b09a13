"""Who may do what over HTTP: users by Django's permissions on `Counter`, and those who hold a write key.

A write key counts and sets; it neither reads nor resets. It needs no CSRF token, since no browser adds it by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.contrib.auth.models import AnonymousUser
from django.utils.crypto import constant_time_compare
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from .conf import get_settings
from .models import Counter

KEY_PARAMETER = "key"
KEY_HEADER = "X-Hailwhale-Key"


class WriteKey(BaseAuthentication):
    """A key of HAILWHALE["WRITE_KEYS"]: in the header, else in the URL, else in the body. A wrong one is refused."""

    def authenticate(self, request: Request) -> tuple[Any, WriteKey] | None:
        given = None if request.method == "OPTIONS" else _key_given(request)
        if given in (None, ""):
            return None
        # All are compared, and each in constant time: how long it takes tells nothing.
        fitting = [constant_time_compare(str(given), key) for key in get_settings().WRITE_KEYS]
        if not isinstance(given, str) or True not in fitting:
            raise AuthenticationFailed('this write key is not one of HAILWHALE["WRITE_KEYS"]')
        return AnonymousUser(), self


class CounterPermission(BasePermission):
    """A user's permission on counters. `codename` and `message` are for subclasses to say."""

    codename: ClassVar[str]

    @property
    def message(self) -> str:
        return f"this needs a user with the permission {self._permission}"

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = cast(Any, request.user)
        return user is not None and user.has_perm(self._permission)

    @property
    def _permission(self) -> str:
        return f"{Counter._meta.app_label}.{self.codename}"


class MayRead(CounterPermission):
    codename = "view_counter"


class MayReset(CounterPermission):
    codename = "delete_counter"


class WritePermission(CounterPermission):
    """A write key, or a user's permission unless another site asked in the user's name."""

    @property
    def message(self) -> str:
        return f"{super().message}, or a write key: key=... or the header {KEY_HEADER}"

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method == "OPTIONS" or isinstance(request.auth, WriteKey):
            return True
        return not _asked_by_another_site(request) and super().has_permission(request, view)


class MayCount(WritePermission):
    codename = "add_counter"


class MaySet(WritePermission):
    codename = "change_counter"


def _key_given(request: Request) -> Any:
    in_url = request.headers.get(KEY_HEADER) or request.query_params.get(KEY_PARAMETER)
    return in_url or (body_of(request).get(KEY_PARAMETER) if request.method == "POST" else None)


def body_of(request: Request) -> Mapping[str, Any]:
    """What was posted: an object, for the parser takes nothing else."""
    return cast(Mapping[str, Any], request.data)


def _asked_by_another_site(request: Request) -> bool:
    """Whether a browser says that another site made it GET. CSRF tokens guard POST; a GET, which may be an image, has
    only this: every browser since 2023 sends it, and nothing else need do so."""
    return request.method in SAFE_METHODS and request.headers.get("Sec-Fetch-Site", "") in ("cross-site", "same-site")
