"""A strict Content-Security-Policy: nothing inline, nothing from elsewhere.

Django 6.0 brings its own middleware for it; for 5.2 there is one here.
"""

from __future__ import annotations

from collections.abc import Callable

import django
from django.http import HttpRequest, HttpResponse

View = Callable[[HttpRequest], HttpResponse]

POLICY = {"default-src": ["'self'"], "img-src": ["'self'", "data:"]}

MIDDLEWARE = (
    "django.middleware.csp.ContentSecurityPolicyMiddleware"
    if django.VERSION >= (6, 0)
    else "example_project.csp.content_security_policy"
)


def content_security_policy(get_response: View) -> View:
    """What Django's own middleware does with `SECURE_CSP`, as far as a policy without nonces needs it."""
    header = "; ".join(" ".join([directive, *sources]) for directive, sources in POLICY.items())

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", header)
        return response

    return middleware
