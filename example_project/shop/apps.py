from __future__ import annotations

from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "example_project.shop"
    label = "shop"

    def ready(self) -> None:
        from example_project.shop.goods import BANNER, BANNERS
        from hailwhale_django.decisions import register

        register(
            "decisions",
            BANNER,
            title="The banner of the first page",
            options=list(BANNERS),
            formula="orders/visitors",
            dimensions=["country", "device"],
        )
