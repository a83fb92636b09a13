"""The shop's pages. What they count: `purchases` here, the rest by tags in their templates."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from example_project.shop import crowd
from example_project.shop.cart import COOKIE, Cart
from example_project.shop.goods import BANNER, BANNERS, BY_SLUG, COUNTRIES, Product, shelves
from hailwhale_django import Hail
from hailwhale_django.capture import captured
from hailwhale_django.crediting import credit
from hailwhale_django.engine.errors import HailWhaleError

logger = logging.getLogger(__name__)

CROWDS = (500, 5_000)
RATES = (5, 20, 50)


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    context = {
        "shelves": shelves(),
        "banners": BANNERS,
        "crowds": CROWDS,
        "rates": RATES,
        "may_send": _may_send(request),
    }
    return _page(request, "shop/index.html", context)


@require_GET
def numbers(request: HttpRequest) -> HttpResponse:
    """The numbers of the index alone, which its script asks for again and again: not a visit of anybody."""
    if event := getattr(request, "hailwhale", None):  # where the middleware is
        event.skip()
    return render(request, "shop/_numbers.html")


@require_GET
def product(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, "shop/product.html", {"product": _product(slug)})


@require_GET
def cart(request: HttpRequest) -> HttpResponse:
    return _page(request, "shop/cart.html", {"countries": COUNTRIES})


@require_POST
def add(request: HttpRequest, slug: str) -> HttpResponse:
    return Cart.read(request).plus(_product(slug)).write(redirect("shop:cart"))


@require_POST
def remove(request: HttpRequest, slug: str) -> HttpResponse:
    return Cart.read(request).without(_product(slug)).write(redirect("shop:cart"))


@require_POST
def buy(request: HttpRequest) -> HttpResponse:
    """Everything in the cart, for nothing. A shop that cannot count sells all the same."""
    bought = Cart.read(request)
    country = request.POST.get("country", "")
    if not bought.pieces or country not in COUNTRIES:
        return redirect("shop:cart")
    try:
        Hail.count_many(purchases(bought, country, captured(request)))
    except HailWhaleError:
        logger.exception("an order was not counted")
    credit(request, BANNER, {"orders": 1}, id=bought.order)
    response = render(request, "shop/thanks.html", {"bought": bought, "cart": None})
    response.delete_cookie(COOKIE)
    return response


def purchases(bought: Cart, country: str, told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """An event for each line of an order, known by an id: an order that is sent again is counted once."""
    for line in bought.lines:
        yield {
            "pk": line.product.counter,
            "dimensions": {**told, **line.product.dimensions, "country": country},
            "metrics": {
                "sales": 1,
                "items": line.pieces,
                "revenue": line.price,
                "pct50:price": line.price,
                "top10:sum:product": {line.product.name: line.price},
            },
            "id": f"{bought.order}-{line.product.slug}",
        }


@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Visitors by the hundred, from this process and to it."""
    if not _may_send(request):
        raise PermissionDenied
    rate, visitors = request.POST.get("rate", ""), request.POST.get("visitors", "")
    if rate not in map(str, RATES) or visitors not in map(str, CROWDS):
        return redirect("shop:index")
    if crowd.start(request.build_absolute_uri("/"), float(rate), int(visitors)):
        messages.success(request, f"{int(visitors):,} visitors are on their way, {rate} a second.")
    else:
        messages.warning(request, "The visitors of before are still here.")
    return redirect("shop:index")


def _may_send(request: HttpRequest) -> bool:
    """A demo is anybody's to play with; elsewhere only staff may."""
    return settings.DEBUG or request.user.is_staff


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, template, {"cart": Cart.read(request), **context})


def _product(slug: str) -> Product:
    if slug not in BY_SLUG:
        raise Http404(f"There is no product {slug!r}")
    return BY_SLUG[slug]
