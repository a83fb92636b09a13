"""A browser for the pages that watch: nothing in its console, and nothing that the policy stopped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from tests.browser.dashboards import Board
    from tests.browser.test_counters import Browser

WATCHING = ("view_counter", "view_live", "view_health", "view_deadletter", "change_deadletter", "delete_deadletter")
DECIDING = ("view_decision", "change_decision", "add_decision")
BOARDING = ("view_dashboard", "change_dashboard", "add_dashboard", "delete_dashboard", "add_segment")

SHOP = {
    "slug": "shop",
    "title": "The shop",
    "period": "7d",
    "compare": "previous",
    "panels": [
        {"kind": "number", "title": "Revenue", "counter": "shop", "formulas": ["revenue [$#]"], "width": 4},
        {"kind": "top", "title": "Devices", "counter": "shop", "dimension": "device", "formulas": ["visitors"]},
        {"kind": "table", "title": "Countries", "counter": "shop", "dimension": "country", "limit": 2,
         "formulas": ["revenue/visitors as Each [$#]", "revenue as Revenue", "visitors as Visitors"], "width": 12},
        {"kind": "graph", "title": "Day by day", "counter": "shop", "dimension": "country", "formulas": ["revenue"]},
        {"kind": "text", "title": "Read me", "text": "What this is"},
    ],
}  # fmt: skip


@pytest.fixture
def watcher(chromium: Chrome, redis_url: str, live_server: Any) -> Iterator[Browser]:
    """Logged in as one who may see and do all that there is; lands in the list of counters."""
    # Not before Django has its settings.
    from django.contrib.auth.models import Permission, User
    from django.test import override_settings

    from tests.browser.test_counters import WATCH, Browser

    with override_settings(HAILWHALE={"REDIS": redis_url}):
        user = User.objects.create_user("looker", password="wings", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=WATCHING + DECIDING))
        browser = Browser(chromium, live_server.url)
        browser.look()
        script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        browser.complaints()
        browser.open("/admin/hailwhale_django/counter/")
        browser.log_in()
        yield browser
        complaints = browser.complaints()
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])
        browser.command("Emulation.setScriptExecutionDisabled", value=False)
        chromium.get("about:blank")
        browser.command("Storage.clearDataForOrigin", origin=live_server.url, storageTypes="all")
        assert complaints == []


@pytest.fixture
def board(watcher: Browser) -> Iterator[Board]:
    """A dashboard of a shop, and one who may do all with it. Of seven days, and the seven before:

    |               | visitors | revenue | before |
    |---------------|----------|---------|--------|
    | US            | 20       | 120     | 30     |
    | of it CA      | 10       | 50      | 30     |
    | of it phone   | 10       | 50      | 30     |
    | DE, phone     | 5        | 50      |        |
    | FR, desktop   | 4        | 10      |        |
    | total         | 29       | 180     | 30     |
    """
    from django.contrib.auth.models import Permission, User
    from django.test import override_settings

    from hailwhale_django.documents import load
    from tests.browser.dashboards import PATIENCE, Board

    user = User.objects.get(username="looker")
    user.user_permissions.add(*Permission.objects.filter(codename__in=BOARDING))
    with override_settings(HAILWHALE=settings.HAILWHALE | {"CROSSINGS": {"shop": [["country", "device"]]}}):
        sell({"US": "CA"}, "phone", days=1, visitors=10, revenue=50)
        sell({"US": "NY"}, "desktop", days=2, visitors=10, revenue=70)
        sell("DE", "phone", days=2, visitors=5, revenue=50)
        sell("FR", "desktop", days=3, visitors=4, revenue=10)
        sell({"US": "CA"}, "phone", days=10, visitors=10, revenue=30)
        load(SHOP, user)
        found = Board(watcher.chrome, watcher.site)
        script = found.command("Page.addScriptToEvaluateOnNewDocument", source=PATIENCE)
        found.visit()
        yield found
        found.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])


def sell(country: Any, device: str, days: int = 0, **metrics: float) -> None:
    """Count so many days ago."""
    from hailwhale_django import Whale

    Whale.count_now("shop", {"country": country, "device": device}, metrics, datetime.now(UTC) - timedelta(days=days))
