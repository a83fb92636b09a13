"""Pages that may stand in a frame of another site, those that may not, and how they look there."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

ANCESTORS = "frame-ancestors"
EVERYBODY = {ANCESTORS: ["*"]}

THEMES = ("light", "dark")
LEAST_HEIGHT, MOST_HEIGHT = 60, 2000


def _height(given: str) -> int:
    """Of the graphs, in pixels; 0 is what they have by themselves."""
    digits = given.removesuffix("px")
    number = int(digits) if digits.isdecimal() and len(digits) < 5 else 0
    return number if LEAST_HEIGHT <= number <= MOST_HEIGHT else 0


def framed(response: HttpResponseBase) -> Any:
    """May be framed by whoever likes: the project's own policies do not hold here."""
    answer: Any = response
    answer.xframe_options_exempt = True
    answer._csp_replace = EVERYBODY  # as `csp.decorators.csp_replace` of django-csp
    policy = getattr(settings, "SECURE_CSP", None) or {}
    if ANCESTORS in policy:
        answer._csp_config = {**policy, **EVERYBODY}  # as Django's own `csp_override`
    return answer


def unframed(response: HttpResponseBase, by: str = "DENY") -> Any:
    """May not, whether the project has a policy or none; with SAMEORIGIN by pages of this site."""
    response["X-Frame-Options"] = by
    return response


def looks(request: HttpRequest) -> dict[str, Any]:
    """What templates need to know: whether the page stands in a frame, its theme, and whether the host shows through.

    A browser says that it fills a frame, so that links within one need not.
    """
    theme = request.GET.get("theme", "")
    return {
        "embed": "embed" in request.GET or request.headers.get("Sec-Fetch-Dest") == "iframe",
        "theme": theme if theme in THEMES else "",
        "clear": request.GET.get("background") == "transparent",
        "height": _height(request.GET.get("height", "")),
    }
