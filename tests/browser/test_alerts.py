"""Alerts and reports in a real browser: set one up, try it, send one."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.core import mail
from selenium.webdriver.support.select import Select

from hailwhale_django import Whale
from hailwhale_django.alerts import alerting
from hailwhale_django.models import Alert, Dashboard, Panel, Report
from tests.browser.test_counters import DESK, PHONE, Browser
from tests.test_alert_pages import ALERTS, OF_ALERTS, OF_REPORTS, REPORTS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FITS = "return document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture
def keeper(watcher: Browser) -> Browser:
    """One who may set up alerts and reports besides."""
    user = User.objects.get(username="looker")
    user.user_permissions.add(*Permission.objects.filter(codename__in=OF_ALERTS + OF_REPORTS))
    Whale.count_now("shop", {"country": "US"}, {"revenue": 150, "visitors": 100})
    return watcher


def poor(name: str = "Poor", **given: object) -> Alert:
    """Of all that was counted today, the minute that has begun too."""
    settled = {"counter": "shop", "formula": "revenue/visitors", "threshold": 2, "window": "today"}
    return Alert.objects.create(name=name, **{**settled, "recipients": ["ada@shop.example"], **given})


def test_an_alert_is_set_up_and_tried(keeper: Browser) -> None:
    keeper.open(f"{ALERTS}add/")
    for name, value in {"name": "Poor", "counter": "shop", "formula": "revenue/visitors", "threshold": "2"}.items():
        keeper.one(f"[name={name}]").send_keys(value)
    Select(keeper.one("[name=condition]")).select_by_value("below")
    keeper.run("document.querySelector('[name=window]').value = 'today'")
    keeper.leave(keeper.one("[name=_continue]").click)
    assert "Name at least one address." in keeper.one(".field-recipients .errorlist").text
    keeper.one("[name=recipients]").send_keys("ada@shop.example")
    keeper.leave(keeper.one("[name=_continue]").click)
    assert "not looked at yet" in keeper.one("[aria-labelledby=hw-events]").text
    keeper.leave(keeper.one(".object-tools a[href$='try/']").click)
    content = keeper.one("#content-main").text
    assert "revenue/visitors is 1.500, below 2" in content
    assert "Nobody was told" in content
    keeper.leave(keeper.link("Back to the alert").click)
    assert not mail.outbox


def test_a_report_is_sent_from_its_page(keeper: Browser) -> None:
    board = Dashboard.objects.create(slug="shop", title="The shop")
    Panel.objects.create(dashboard=board, kind="number", counter="shop", formulas=["revenue"])
    keeper.open(f"{REPORTS}add/")
    Select(keeper.one("[name=dashboard]")).select_by_visible_text("The shop")
    keeper.one("[name=recipients]").send_keys("ada@shop.example")
    keeper.leave(keeper.one("[name=_continue]").click)
    keeper.leave(keeper.one("button[form=hw-send]").click)
    assert "sent to ada@shop.example" in keeper.one(".messagelist").text
    assert Report.objects.get().owner is not None
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_pages_fit_their_screen(keeper: Browser, size: tuple[int, int], scheme: str) -> None:
    long = poor("Revenue per visitor of every country, hour by hour", dimension="country", each=True)
    poor(channel="webhook", url="https://hooks.example/services/" + "a" * 60)
    for country in ("DE", "NO", "a country with a name that is longer than one would think " * 2):
        Whale.count_now("shop", {"country": country}, {"revenue": 1, "visitors": 100})
    list(alerting.watch())
    board = Dashboard.objects.create(slug="shop", title="The shop")
    report = Report.objects.create(dashboard=board, recipients=["ada@shop.example"])
    keeper.look(size, scheme)
    pages = [f"{ALERTS}{long.pk}/change/", f"{ALERTS}{long.pk}/try/", f"{REPORTS}{report.pk}/change/", ALERTS, REPORTS]
    for page in pages:
        keeper.open(page)
        assert keeper.run(FITS), page
