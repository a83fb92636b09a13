"""What the shop sold before it was opened: visits of the last months, made up, so that there is something to look at.

A pure function of the last day: the same visits of a day whenever it is asked for. They look and buy as the crowd does
(`visitors`): more of them on weekends and from month to month, and some countries and some devices buy more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from random import Random
from typing import Any

from django.test import RequestFactory

from example_project.shop.goods import BANNER, BANNERS, Product
from example_project.shop.visitors import BUYS, Visitor, visitor
from hailwhale_django.capture import captured

DAYS = 100
VISITORS = 80
GROWTH = 0.5
"""How many more come at the end than at the beginning."""

WEEK = (0.85, 0.85, 0.9, 0.95, 1.1, 1.35, 1.25)
HOURS = (1, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 8, 9, 9, 8, 8, 9, 11, 13, 14, 13, 10, 6, 0)
BUYS_MORE = {"NO": 1.5, "JP": 1.3, "DE": 1.1, "IN": 0.5, "BR": 0.6}
BUYS_ON = {"desktop": 1.2, "mobile": 0.8}
COMES_AGAIN, GUESTS = 0.3, 400
LOOK_SECONDS = 45
DAYS_OF_BANNERS = 4


def events(now: datetime, days: int = DAYS) -> Iterator[dict[str, Any]]:
    """Every event of so many days before that of `now` (aware: the shop's own days); today is left to happen."""
    first = now.date() - timedelta(days=DAYS)
    for number in range(DAYS - days, DAYS):
        day = first + timedelta(days=number)
        rng = Random(day.isoformat())
        expected = VISITORS * (1 + GROWTH * number / DAYS) * WEEK[day.weekday()]
        for _ in range(round(rng.gauss(expected, expected**0.5))):
            hour = rng.choices(range(24), HOURS)[0]
            at = datetime.combine(day, time(hour, rng.randrange(60), rng.randrange(60)), now.tzinfo)
            who, uid = guest(rng) if rng.random() < COMES_AGAIN else (visitor(rng), f"{day} {rng.random()}")
            yield from of_visit(who, uid, rng, at)


def guest(rng: Random) -> tuple[Visitor, str]:
    """One who comes again: for something else each time, from where and with what they came before."""
    uid = f"guest {rng.randrange(GUESTS)}"
    before = visitor(Random(uid))
    return replace(visitor(rng), address=before.address, agent=before.agent, country=before.country), uid


def decided(now: datetime) -> Iterator[dict[str, Any]]:
    """Which banner each visitor of the last days saw, by chance, and whether they bought: enough to have a hunch."""
    for ago in range(DAYS_OF_BANNERS, 0, -1):
        day = now.date() - timedelta(days=ago)
        rng = Random(f"banners of {day}")
        for _ in range(VISITORS):
            who, banner = visitor(rng), rng.choice(list(BANNERS))
            if not who.is_bot:
                told = captured(RequestFactory().get("/shop/", headers=who.headers))
                yield {
                    "pk": "decisions",
                    "decided": {BANNER: banner},
                    "dimensions": {name: told[name] for name in ("country", "device") if name in told},
                    "metrics": {"visitors": 1, "orders": int(who.follows(banner) and who.buys)},
                    "at": datetime.combine(day, time(rng.randrange(7, 23)), now.tzinfo),
                }


def of_visit(who: Visitor, uid: str, rng: Random, at: datetime) -> Iterator[dict[str, Any]]:
    """What is counted of somebody: each product that they look at, and what they buy of these."""
    told = captured(RequestFactory().get("/shop/", headers=who.headers | {"Referer": who.referrer}))
    if who.is_bot:
        return
    likely = BUYS_MORE.get(who.country, 1.0) * BUYS_ON.get(str(told.get("device")), 1.0)
    bought = []
    for number, product in enumerate(who.looks):
        when = at + timedelta(seconds=LOOK_SECONDS * number)
        seen = {"views": 1, "uv:visitor": uid, "mh:visitor": uid}
        if product in who.wants and rng.random() < likely:
            seen["carts"] = 1
            bought.append(product)
        yield event_of(product, told, seen, when)
    if bought and rng.random() < BUYS:
        when = at + timedelta(seconds=LOOK_SECONDS * len(who.looks))
        for product in bought:
            yield event_of(product, told, sale(product), when)


def sale(product: Product) -> dict[str, Any]:
    """As the shop counts one."""
    price = product.price
    return {"sales": 1, "items": 1, "revenue": price, "pct50:price": price, "top10:sum:product": {product.name: price}}


def event_of(product: Product, told: dict[str, Any], metrics: dict[str, Any], at: datetime) -> dict[str, Any]:
    return {"pk": product.counter, "dimensions": {**told, **product.dimensions}, "metrics": metrics, "at": at}
