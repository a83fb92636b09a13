"""Who comes to the shop, and what they do there: pure chance, from a generator that is passed in.

Few products and few countries make up most of it, as in real life: the n-th of a list is wanted 1/n as often as the
first (Zipf). Who has come for umbrellas buys more often than who has come for tea.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from example_project.shop.goods import CATEGORIES, PRODUCTS, Product

T = TypeVar("T")

COUNTRIES_BY_SIZE = ("US", "DE", "GB", "FR", "NO", "JP", "BR", "IN")
LANGUAGES = {"US": "en", "DE": "de", "GB": "en", "FR": "fr", "NO": "nb", "JP": "ja", "BR": "pt-BR", "IN": "en-IN"}
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile "
    "Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
)
REFERRERS = ("", "https://www.google.com/", "https://duckduckgo.com/", "https://weather.example/tomorrow")
CONVERSION = {"Umbrellas": 0.24, "Boots": 0.15, "Tea": 0.09}
"""How many of those who look at a product put it into their cart."""
STAYS_FOR_ANOTHER = 0.55
BUYS = 0.65
MOST_LOOKS = 8

LIKES = {
    "US": "boots",
    "DE": "umbrellas",
    "GB": "tea",
    "FR": "umbrellas",
    "NO": "boots",
    "JP": "tea",
    "BR": "umbrellas",
    "IN": "tea",
}
"""The banner that a country likes, which nobody tells the shop."""

FOLLOWS, FOLLOWS_ANOTHER = 0.5, 0.08
"""How many follow the banner that they like, and any other."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """One who comes, what they will look at, and which of that they will put into their cart."""

    address: str
    agent: str
    country: str
    referrer: str
    looks: tuple[Product, ...]
    wants: frozenset[Product]
    buys: bool
    resolve: float

    def follows(self, banner: str) -> bool:
        """Whether they follow this banner, and put what is there into their cart."""
        return not self.is_bot and self.resolve < (FOLLOWS if LIKES[self.country] == banner else FOLLOWS_ANOTHER)

    @property
    def is_bot(self) -> bool:
        return "bot" in self.agent

    @property
    def headers(self) -> dict[str, str]:
        """What their browser sends, and the proxy before this shop."""
        return {
            "User-Agent": self.agent,
            "Accept-Language": LANGUAGES[self.country],
            "X-Forwarded-For": self.address,
            "X-Visitor-Country": self.country,
        }


def visitor(rng: Random) -> Visitor:
    """Somebody."""
    looks = tuple(_looks(rng, rng.choice(CATEGORIES)))
    agent = zipf(rng, AGENTS)
    wants = frozenset(one for one in looks if "bot" not in agent and rng.random() < CONVERSION[one.category])
    return Visitor(
        address=f"198.51.{rng.randrange(100, 200)}.{rng.randrange(1, 255)}",
        agent=agent,
        country=zipf(rng, COUNTRIES_BY_SIZE),
        referrer=zipf(rng, REFERRERS),
        looks=looks,
        wants=wants,
        buys=rng.random() < BUYS,
        resolve=rng.random(),
    )


def _looks(rng: Random, category: str) -> list[Product]:
    """Mostly at what they have come for, and at least at one product."""
    found = [zipf(rng, [one for one in PRODUCTS if one.category == category])]
    while len(found) < MOST_LOOKS and rng.random() < STAYS_FOR_ANOTHER:
        found.append(zipf(rng, PRODUCTS))
    return found


def zipf(rng: Random, items: Sequence[T]) -> T:
    """One of the items: the n-th is 1/n as likely as the first."""
    return rng.choices(items, [1 / place for place in range(1, len(items) + 1)])[0]
