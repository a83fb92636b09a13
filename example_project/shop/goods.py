"""What The Hail & Whale sells: everything for bad weather."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

COUNTER = "shop"


@dataclass(frozen=True, slots=True)
class Product:
    """`price` is in whole euros; `tint` the number of the colour it is painted in."""

    slug: str
    name: str
    category: str
    price: int
    tint: int
    blurb: str

    @property
    def counter(self) -> list[str]:
        """Counting on this counts on the whole shop, too."""
        return [COUNTER, self.slug]

    @property
    def dimensions(self) -> dict[str, Any]:
        return {"category": {self.category: self.name}, "product": self.name}

    @property
    def picture(self) -> str:
        return f"shop/pictures/{PICTURES[self.category]}.svg"


PICTURES = {"Umbrellas": "umbrella", "Boots": "boot", "Tea": "cup"}

PRODUCTS = (
    Product("squall", "Squall", "Umbrellas", 39, 1, "Turns inside out only when you want it to."),
    Product("gale", "Gale", "Umbrellas", 59, 2, "Eight ribs of fibreglass, one firm opinion about wind."),
    Product("drizzle", "Drizzle", "Umbrellas", 24, 3, "Small enough to be forgotten on two trains a day."),
    Product("cathedral", "Cathedral", "Umbrellas", 89, 4, "Room for three people who like each other."),
    Product("puddle", "Puddle", "Boots", 45, 5, "For those who go through, and not around."),
    Product("fen", "Fen", "Boots", 79, 3, "Knee-high, lined, and on good terms with mud."),
    Product("pier", "Pier", "Boots", 65, 1, "Grips wet planks, ramps and the occasional whale."),
    Product("skerry", "Skerry", "Boots", 119, 6, "Made for rocks that are under water half the day."),
    Product("first-flush", "First flush", "Tea", 14, 2, "Light, like a morning on which it has stopped raining."),
    Product("smoke", "Smoke", "Tea", 12, 6, "Pine and tar: a fishing boat in a cup."),
    Product("mint", "Mint", "Tea", 8, 5, "Grown by someone who cannot make it stop."),
    Product("lifeboat", "Lifeboat", "Tea", 10, 4, "Black and strong, for when the sofa is far."),
)
BY_SLUG = {product.slug: product for product in PRODUCTS}
CATEGORIES = tuple(PICTURES)

BANNER = "banner"
"""What the first page decides: which of `BANNERS` this visitor sees."""

BANNERS = {
    "umbrellas": (BY_SLUG["gale"], "It will rain. It always does."),
    "boots": (BY_SLUG["pier"], "The ground is wet. You need not be."),
    "tea": (BY_SLUG["lifeboat"], "Stay in. Put the kettle on."),
}

COUNTRIES = {
    "BR": "Brazil",
    "DE": "Germany",
    "FR": "France",
    "GB": "United Kingdom",
    "IN": "India",
    "JP": "Japan",
    "NO": "Norway",
    "US": "United States",
}


def shelves() -> dict[str, list[Product]]:
    """The products of each category."""
    return {category: [one for one in PRODUCTS if one.category == category] for category in CATEGORIES}
