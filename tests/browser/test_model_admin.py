"""Counts in an admin of one's own, in a real browser: sorting, periods, and from an object to its numbers and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User

from hailwhale_django import Whale
from tests.models import Ware

if TYPE_CHECKING:
    from tests.browser.test_counters import Browser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.wares")]

LIST = "/admin/tests/ware/"
DESK, PHONE = (1280, 900), (390, 844)


@pytest.fixture
def clerk(watcher: Browser) -> Browser:
    """May also change wares. Eight of them, of which the n-th had n visitors today and n² of revenue, the first none;
    a month ago the second had 100 of revenue.
    """
    (user,) = User.objects.all()
    user.user_permissions.add(*Permission.objects.filter(codename__in=("view_ware", "change_ware", "delete_ware")))
    for number, name in enumerate(["anchor", "buoy", "שלום <b>", "dinghy", "ebb", "flag", "gull", "hull"]):
        ware = Ware.objects.create(name=name, kind="odd" if number % 2 else "even")
        if number:
            count = {"visitors": number, "revenue": number**2}
            Whale.count_now(["Ware", str(ware.pk)], {"country": {"US": "CA"}}, count)
        if number == 1:
            Whale.count_now(["Ware", str(ware.pk)], None, {"revenue": 100}, datetime.now(UTC) - timedelta(days=25))
    watcher.open(LIST)
    return watcher


def names(browser: Browser) -> list[str]:
    return [one.text for one in browser.all(".field-name")]


def fits(browser: Browser) -> bool:
    """Whether nothing is wider than the window."""
    return bool(browser.run("return document.documentElement.scrollWidth <= window.innerWidth"))


def test_from_the_list_to_an_object_s_numbers_and_back(clerk: Browser) -> None:
    assert names(clerk) == ["anchor", "buoy", "dinghy"]

    clerk.leave(clerk.one(".column-hailwhale_revenue_visitors .text a").click)
    assert names(clerk) == ["buoy", "שלום <b>", "dinghy"]
    clerk.leave(clerk.one(".column-hailwhale_revenue_visitors .text a").click)
    assert names(clerk) == ["hull", "gull", "flag"]
    clerk.leave(clerk.link("3").click)
    assert names(clerk) == ["buoy", "anchor"]
    assert clerk.one("tr:last-child .field-hailwhale_visitors").text == "–"

    clerk.leave(clerk.link("Last 30 days").click)
    assert names(clerk) == ["buoy", "hull", "gull"]
    clerk.leave(clerk.link("odd").click)
    assert names(clerk) == ["buoy", "hull", "flag"]
    assert clerk.one(".hw-periods [aria-current]").text == "Last 30 days"

    clerk.leave(clerk.link("flag").click)
    clerk.leave(clerk.link("STATS").click)
    assert clerk.one("h1").text == "flag › country"
    assert [one.text for one in clerk.all(".hw-tile-value")] == ["5", "5"]
    assert clerk.lines == [[None] * 6 + [5.0], [None] * 7]  # and the week before
    clerk.leave(clerk.one(".hw-tiles a").click)
    clerk.leave(clerk.link("US").click)
    clerk.choose("#hw-p", "30d")
    assert clerk.one("h1").text == "flag › country › US" and clerk.names == ["CA"]
    clerk.leave(clerk.one(".breadcrumbs").find_element("link text", "flag").click)
    assert clerk.one("#id_name").get_attribute("value") == "flag"


@pytest.mark.parametrize("size", [DESK, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits(size: tuple[int, int], scheme: str, clerk: Browser) -> None:
    clerk.look(size, scheme)
    stats = f"{LIST}{Ware.objects.get(name='flag').pk}/stats/"
    never = f"{LIST}{Ware.objects.get(name='anchor').pk}/stats/"

    for address in (f"{LIST}?o=-4", stats, never):
        clerk.open(address)
        assert fits(clerk), address
    current = clerk.run("return getComputedStyle(document.body).backgroundColor")
    assert (current == "rgb(255, 255, 255)") == (scheme == "light")


def test_from_right_to_left(clerk: Browser, settings: Any) -> None:
    settings.LANGUAGE_CODE = "he"
    clerk.open(f"{LIST}?o=-4&p=2")

    assert clerk.one("html").get_attribute("dir") == "rtl"
    assert names(clerk) == ["ebb", "dinghy", "שלום <b>"]
    number, width = (
        clerk.one(f".field-hailwhale_revenue_visitors .hw-{name}").rect["x"] for name in ("value", "width")
    )
    assert width < number
