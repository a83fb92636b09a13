"""A small site for the browser tests: pages with tags of hailwhale's, and the scripts that they need."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template
from django.urls import URLPattern, URLResolver, path

from hailwhale_django.dashboards.graph import Graph, Line
from hailwhale_django.dashboards.marks import Mark
from hailwhale_django.engine.domain.formula import parse
from hailwhale_django.engine.domain.period import parse_period

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
    "marked": (
        '{% load static %}<link rel="stylesheet" href="{% static "hailwhale_django/css/graph.css" %}">'
        '<script src="{% static "hailwhale_django/js/figure.js" %}" type="module"></script>'
        '{% include "hailwhale_django/_graph.html" with graph=marked prefix="first" zoom="/?p=__FROM__..__TO__" only %}'
        '{% include "hailwhale_django/_graph.html" with graph=plain prefix="second" only %}'
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


def graphs() -> dict[str, Graph]:
    """One graph that has it all, of two days by the hour, and one that does not add up."""
    now = datetime(2026, 3, 3, 12, tzinfo=UTC)
    hours = parse_period("1h:2026-03-01..2026-03-02", now=now, zone=UTC)
    lines = [Line("=1+2", 1, [1] * 48), Line('"b", or not', 2, [None, 0, -1, *[2.5] * 45])]
    marks = [
        Mark(hours.first + 10, None, "=deploy", "/releases/2"),
        Mark(hours.first + 20, hours.first + 30, "A campaign that goes on and on", "javascript:alert(1)"),
    ]
    marked = Graph(parse("hits"), hours, [*lines, Line("(other)", 0, [0.5] * 48, other=True)], True, marks=marks)
    return {"marked": marked, "plain": Graph(parse("a/b"), hours, lines, unfinished=False)}


def page(request: HttpRequest, name: str) -> HttpResponse:
    context = {"options": OPTIONS, "decisions": {"banner": OPTIONS}, **graphs()}
    return HttpResponse(Template(HEAD + PAGES[name]).render(RequestContext(request, context)))


def script(request: HttpRequest) -> HttpResponse:
    return HttpResponse(STUB, content_type="text/javascript")


urlpatterns: list[URLPattern | URLResolver] = [
    *urls.urlpatterns,
    path("page/<name>", page),
    path("site.js", script),
]
