"""A cart without an account: a signed cookie, and nothing on the server."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from example_project.shop.goods import BY_SLUG, Product

COOKIE = "cart"
MOST_PIECES = 9
MAX_AGE_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Line:
    product: Product
    pieces: int

    @property
    def price(self) -> int:
        return self.pieces * self.product.price


@dataclass(frozen=True, slots=True)
class Cart:
    """`order` is the id of the order that this cart becomes: one that is sent twice is bought once."""

    order: str
    pieces: Mapping[str, int]

    @classmethod
    def read(cls, request: HttpRequest) -> Cart:
        """The visitor's cart; a new one where there is none, or none of ours."""
        text = request.get_signed_cookie(COOKIE, default="", max_age=MAX_AGE_SECONDS)
        if not text:
            return cls(secrets.token_hex(8), {})
        order, pieces = json.loads(text)
        return cls(order, {slug: number for slug, number in pieces.items() if slug in BY_SLUG})

    def plus(self, product: Product) -> Cart:
        number = min(self.pieces.get(product.slug, 0) + 1, MOST_PIECES)
        return Cart(self.order, {**self.pieces, product.slug: number})

    def without(self, product: Product) -> Cart:
        return Cart(self.order, {slug: number for slug, number in self.pieces.items() if slug != product.slug})

    @property
    def lines(self) -> list[Line]:
        return [Line(BY_SLUG[slug], number) for slug, number in self.pieces.items()]

    @property
    def price(self) -> int:
        return sum(line.price for line in self.lines)

    def __len__(self) -> int:
        return sum(self.pieces.values())

    def write(self, response: HttpResponse) -> HttpResponse:
        text = json.dumps([self.order, dict(self.pieces)], separators=(",", ":"))
        response.set_signed_cookie(COOKIE, text, max_age=MAX_AGE_SECONDS, httponly=True, samesite="Lax")
        return response
