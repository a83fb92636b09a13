"""`manage.py visit --rate 20 --seconds 60`: visitors for the shop that `manage.py demo` serves."""

from __future__ import annotations

import http.client
from argparse import ArgumentParser
from random import Random
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError

from example_project.shop.crowd import Browser, Crowd

DEFAULT_SITE = "http://127.0.0.1:8000"


class Command(BaseCommand):
    help = "Send visitors to the running shop: pages, pixels, beacons, carts and orders, over HTTP."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rate", type=float, default=20, help="visitors a second (default 20)")
        parser.add_argument("--seconds", type=float, default=60, help="for how long they come (default 60)")
        parser.add_argument("--site", default=DEFAULT_SITE, help=f"where the shop is (default {DEFAULT_SITE})")
        parser.add_argument("--seed", type=int, help="the same visitors each time")

    def handle(self, *args: Any, rate: float, seconds: float, site: str, seed: int | None, **options: Any) -> None:
        for name, value in (("rate", rate), ("seconds", seconds)):
            if not 0 < value < float("inf"):
                raise CommandError(f"--{name} is {value:g}; use a number above 0")
        if urlsplit(site).scheme not in ("http", "https"):
            raise CommandError(f"--site is {site!r}; use an address such as {DEFAULT_SITE}")
        crowd = Crowd(site, Random(seed))
        self.knock(crowd)
        self.tell(crowd, rate, crowd.come(rate, max(1, round(rate * seconds))))

    def knock(self, crowd: Crowd) -> None:
        try:
            with Browser(crowd.site, {}, crowd.done) as browser:
                browser.get("/shop/")
        except (OSError, http.client.HTTPException) as problem:
            raise CommandError(
                f"No shop at {crowd.site}: {problem}. Start one: make demo, or name it with --site"
            ) from None
        crowd.done.clear()

    def tell(self, crowd: Crowd, rate: float, took: float) -> None:
        done = crowd.done
        parts = [f"{done[name]:,} {name}" for name in ("pages", "pixels", "beacons", "carts", "orders")]
        self.stdout.write(f"{done['visitors']:,} visitors in {took:.1f} s: {', '.join(parts)}")
        self.stdout.write(
            f"{done['visitors'] / took:.1f} visitors a second (wanted {rate:g}), {done['requests'] / took:.0f} requests"
        )
        for problem, times in crowd.problems.most_common():
            self.stderr.write(f"{times:,} times: {problem}")
