"""The site that `http` measures: hailwhale's addresses, and a view that does nothing."""

from __future__ import annotations

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "hailwhale_django"],
    MIDDLEWARE=["benchmarks.http_site.count_some", "django.middleware.common.CommonMiddleware"],
    USE_TZ=True,
    SECRET_KEY="benchmark",
    HAILWHALE={"WRITE_KEYS": ["benchmark"]},
)
django.setup()

from hailwhale_django import Hail, Whale, buffer, crediting, pixel  # noqa: E402
from hailwhale_django.choosing import decide  # noqa: E402
from hailwhale_django.middleware import HailWhaleMiddleware  # noqa: E402
from hailwhale_django.offer import Offer  # noqa: E402
from hailwhale_django.ticket import Ticket  # noqa: E402

OPTIONS = ["a", "b", "c"]


def count_some(get_response):  # type: ignore[no-untyped-def]
    """The middleware, for one address."""
    counted = HailWhaleMiddleware(get_response)
    return lambda request: (counted if request.path == "/counted" else get_response)(request)


def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse("whale")


def drain(request: HttpRequest) -> HttpResponse:
    buffer.flush()
    crediting.flush()
    return HttpResponse(str(Hail.drain(3_600)))


def pixel_address(request: HttpRequest) -> HttpResponse:
    return HttpResponse(pixel.address(Ticket("shop", {"page": "/"}, {"revenue": 9.5})))


def offer(request: HttpRequest) -> HttpResponse:
    """A page's ticket, once there is evidence for its decision."""
    for option in OPTIONS:
        for country in ("US", "DE"):
            said = {"visitors": 1, "revenue": 10}
            for pk in ("shop", "decisions"):
                Whale.count_decision(pk, {"banner": option}, said, {"country": country})
    return HttpResponse(Offer({"banner": OPTIONS}).signed())


def decided(request: HttpRequest) -> HttpResponse:
    return HttpResponse(decide(request, "banner", OPTIONS).option)


urlpatterns = [
    path("bare", bare),
    path("counted", bare),
    path("decided", decided),
    path("offer", offer),
    path("drain", drain),
    path("pixel", pixel_address),
    path("hailwhale/", include("hailwhale_django.urls")),
]
application = get_wsgi_application()
