"""A small site for the browser tests: pages with tags of hailwhale's, and the scripts that they need."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template
from django.urls import URLPattern, URLResolver, path

from . import urls

HEAD = (
    "{% load hailwhale %}<!doctype html><html lang=en><meta charset=utf-8><link rel=icon href=data:,><title>x</title>"
)

# So many that two visitors hardly see the same by chance.
OPTIONS = [f"option {number}" for number in range(200)]

PAGES = {
    "pixel": '{% hailwhale_pixel "shop" "page/pixel" %}',
    "tracked": (
        '<script src="/site.js"></script>'
        '{% hailwhale_script "shop" declared="plan,revenue" outbound=True %}'
        '<a href="http://elsewhere.invalid:1/x?y">away</a> <a href="#there">there</a>'
    ),
    "decided": (
        '<p id="server">{% hailwhale_decide "banner" options %}</p>'
        '<script src="/site.js"></script>'
        '{% hailwhale_script "shop" %}{% hailwhale_decisions decisions declared="revenue" %}'
    ),
    "undecided": '{% hailwhale_decisions decisions declared="revenue" %}{% hailwhale_script "shop" %}',
    "shown": (
        '<p id="total">{% hailwhale_total "sales" "revenue" %}</p>'
        '{% hailwhale_table "sales" "country" "revenue" %}'
        '{% hailwhale_graph "sales" "country" "revenue" "2d" %}{% hailwhale_graph "sales" metric="hits" period="2d" %}'
    ),
}

# What a site has in a file of its own, so that its pages may call before the tracker is there.
STUB = """
window.hailwhale = window.hailwhale || function () {
    (window.hailwhale.q = window.hailwhale.q || []).push(arguments);
};
if (location.search === "?early") {
    hailwhale("early");
}
"""


def page(request: HttpRequest, name: str) -> HttpResponse:
    context = {"options": OPTIONS, "decisions": {"banner": OPTIONS}}
    return HttpResponse(Template(HEAD + PAGES[name]).render(RequestContext(request, context)))


def script(request: HttpRequest) -> HttpResponse:
    return HttpResponse(STUB, content_type="text/javascript")


urlpatterns: list[URLPattern | URLResolver] = [
    *urls.urlpatterns,
    path("page/<name>", page),
    path("site.js", script),
]
