"""The way into the demo: an address that logs its user in and opens the first dashboard. For a demo on one machine."""

from __future__ import annotations

from django.contrib.auth import get_user_model, login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_GET

from example_project import home

USER = "demo"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@require_GET
def enter(request: HttpRequest, key: str) -> HttpResponse:
    """As if the demo's user and password were typed in, for whoever was given this address."""
    user = get_user_model().objects.filter(username=USER).first()
    if user is None or not constant_time_compare(key, home.entrance()):
        raise Http404
    login(request, user, BACKEND)
    return redirect("admin:hailwhale_django_dashboard_first")
