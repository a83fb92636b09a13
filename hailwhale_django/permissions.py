"""Who may do what over HTTP: users by Django's permissions on `Counter`, and those who hold a write key.

A write key counts and sets; it neither reads nor resets. It needs no CSRF token, since no browser adds it by itself. A
page's ticket counts what it says, or decides, for whoever reads the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from . import tracker
from .conf import get_settings
from .engine.errors import InvalidInput
from .models import Counter
from .offer import Offer
from .ticket import Expired, Forged, Ticket
from .write_keys import Holder, holder_of

KEY_PARAMETER = "key"
KEY_HEADER = "X-Hailwhale-Key"
TICKET_PARAMETER = "token"


class WriteKey(BaseAuthentication):
    """A key of HAILWHALE["WRITE_KEYS"] or of the admin: in the header, else in the URL, else in the body.

    A wrong one is refused. `holder` says on which counters a right one may count.
    """

    in_body: ClassVar[bool] = True
    holder: Holder

    def authenticate(self, request: Request) -> tuple[Any, WriteKey] | None:
        given = None if request.method == "OPTIONS" else self._given(request)
        if given in (None, ""):
            return None
        holder = holder_of(given) if isinstance(given, str) else None
        if holder is None:
            raise AuthenticationFailed(
                'this write key is neither in HAILWHALE["WRITE_KEYS"] nor an active one of the admin'
            )
        self.holder = holder
        return AnonymousUser(), self

    def _given(self, request: Request) -> Any:
        in_url = request.headers.get(KEY_HEADER) or request.query_params.get(KEY_PARAMETER)
        if in_url or not self.in_body or request.method != "POST":
            return in_url
        return body_of(request).get(KEY_PARAMETER)


class WriteKeyBeforeBody(WriteKey):
    """A key in the header or the URL: nothing of a body is read for those who have none."""

    in_body = False


class PageTicket(BaseAuthentication):
    """A ticket in the body, as the template tag gave it to the page. One that will not do is refused."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        given = body_of(request).get(TICKET_PARAMETER) if request.method == "POST" else None
        if given in (None, ""):
            return None
        if not isinstance(given, str):
            raise InvalidInput(TICKET_PARAMETER, given, "use a ticket as the template tag writes it")
        try:
            return AnonymousUser(), self.read(given, get_settings().PIXEL_MAX_AGE)
        except (Forged, Expired) as error:
            raise AuthenticationFailed(str(error)) from error

    def read(self, text: str, max_age_seconds: int | None) -> Any:
        """What a ticket says."""
        return Ticket.read(text, tracker.USE, max_age_seconds)


class PageOffer(PageTicket):
    """A ticket that says which decisions may be asked for."""

    def read(self, text: str, max_age_seconds: int | None) -> Any:
        return Offer.read(text, max_age_seconds)


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


class MayAnnotate(WritePermission):
    codename = "add_annotation"

    def has_permission(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, WriteKey) and not request.auth.holder.annotates:
            raise PermissionDenied("this write key writes no annotations; in the admin it is said which do")
        return super().has_permission(request, view)


class MayDecide(WritePermission):
    """Deciding may keep something for a visitor, so that another site does not do it in a user's name."""

    codename = "view_counter"


class FromPage(BasePermission):
    """A ticket or a write key, on a page of this site or of one in HAILWHALE["CORS_ORIGINS"].

    Text needs no preflight, so it is here that another site is refused.
    """

    message = f"this needs a ticket or a write key: {TICKET_PARAMETER} or {KEY_PARAMETER}"

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method == "OPTIONS":
            return True
        if not isinstance(request.auth, Ticket | Offer | WriteKey):
            return False
        if not _is_allowed_origin(request):
            raise PermissionDenied('this site may not count here; HAILWHALE["CORS_ORIGINS"] names those that may')
        return True


class MaySet(WritePermission):
    codename = "change_counter"


def body_of(request: Request) -> Mapping[str, Any]:
    """What was posted: an object, for the parser takes nothing else."""
    return cast(Mapping[str, Any], request.data)


def _asked_by_another_site(request: Request) -> bool:
    """Whether a browser says that another site made it GET. CSRF tokens guard POST; a GET, which may be an image, has
    only this: every browser since 2023 sends it, and nothing else need do so."""
    return request.method in SAFE_METHODS and request.headers.get("Sec-Fetch-Site", "") in ("cross-site", "same-site")


def _is_allowed_origin(request: Request) -> bool:
    """Whether a page of this site, of an allowed one, or no page at all, asks."""
    origin = request.headers.get("Origin")
    allowed = get_settings().CORS_ORIGINS
    if origin is None or "*" in allowed or origin in allowed:
        return True
    return request.headers.get("Sec-Fetch-Site") == "same-origin" or urlsplit(origin).netloc == request.get_host()
