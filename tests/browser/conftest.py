"""A browser for the pages that watch: nothing in its console, and nothing that the policy stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from tests.browser.test_counters import Browser

WATCHING = ("view_counter", "view_live", "view_health", "view_deadletter", "change_deadletter", "delete_deadletter")
DECIDING = ("view_decision", "change_decision", "add_decision")


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
