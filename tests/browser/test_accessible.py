"""Every page of ours by axe-core (WCAG 2.0 to 2.2, A and AA), light and dark, and on narrow screens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from hailwhale_django import Hail, Whale
from hailwhale_django.access_models import SharedLink
from hailwhale_django.annotations import annotate
from hailwhale_django.models import Alert, Dashboard, Panel, Report, Segment, WriteKey
from tests.browser.dashboards import Board
from tests.browser.test_counters import DESK, Browser
from tests.models import Ware
from tests.test_decision_pages import count, decision, events

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Fetched with `npm pack axe-core`; for tests alone, under the MPL 2.0.
AXE = Path(__file__).parents[1] / "vendor/axe-core/4.10.3"
HASHES = {
    "axe.min.js": "880970c081707360e64f34cea25ff91892f5bc95675b0776925b9709dd8a68bb",
    "LICENSE": "af175b9d96ee93c21a036152e1b905b0b95304d4ae8c2c921c7609100ba8df7e",
}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
# Django's own: the header; on forms and lists breadcrumbs (ours are a list), filters, widgets of dates and of many.
NOT_OURS = ["#header", "div.breadcrumbs", "#changelist-filter", ".vDateField", ".vTimeField", ".selector"]
UNFOLD = "for (const one of document.querySelectorAll('#content-main details:not(.hw-menu)')) one.open = true"
OPEN = "document.querySelectorAll('details.hw-menu').forEach((one, at) => { one.open = at === arguments[0] })"
FITS = "return document.documentElement.scrollWidth <= innerWidth"
# Without `preload` nothing is tried out with styles of its own, which the policy would stop.
RUN = """
const done = arguments[arguments.length - 1];
const [include, exclude, runOnly] = arguments;
axe.run({ include, exclude }, { runOnly, resultTypes: ["violations"], preload: false }).then(
    ({ violations }) => done(violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, html, failureSummary }) => `${id}: ${target}: ${html.slice(0, 160)}: ${failureSummary}`))),
    (error) => done([String(error)]),
);
"""
ADMIN = "/admin/hailwhale_django/"
LARGEST = (2**63 - 1) // 10**6


@pytest.fixture(autouse=True)
def known(no_decisions: None) -> Iterator[None]:
    yield


@pytest.fixture
def pages(board: Board) -> list[str]:
    """Each with something on it, and some with nothing."""
    user = User.objects.get(username="looker")
    User.objects.update(is_superuser=True)
    shop = Dashboard.objects.get()
    row = decision(policy="thompson", options=["a", "b"], guardrails=["revenue/visitors"])
    count(events("a", 100, 10, "US"), events("b", 100, 50, "US"))
    Panel.objects.create(dashboard=shop, kind="decision", counter="decisions/banner", title="Banner", place=900)
    Panel.objects.create(dashboard=shop, kind="number", counter="shop", formulas=["hits/"], place=910)
    Panel.objects.create(dashboard=shop, kind="movers", counter="shop", formulas=["revenue"], place=920)
    key = WriteKey(name="Partner", counters=["shop"])
    key.renew()
    key.save()
    note = annotate("Deployed", datetime.now(UTC) - timedelta(days=2), counter="shop", who="CI")
    segment = Segment.objects.create(name="Phones", filters=["device/phone"], owner=user)
    link = SharedLink.objects.create(dashboard=shop, interactive=True)
    secret = SharedLink(dashboard=shop)
    secret.set_password("wings")
    secret.save()
    alert = Alert.objects.create(
        name="Poor", counter="shop", formula="revenue/visitors", threshold=2, window="today", recipients=["a@b.example"]
    )
    report = Report.objects.create(dashboard=shop, recipients=["a@b.example"])
    Dashboard.objects.create(slug="empty", title="Empty")
    Whale.count_now("full", metrics={"cash": LARGEST, "hits": 0})
    Hail.count("full", {"country": "US"}, {"cash": 1})
    Hail.drain()
    Hail.count("shop", {"country": "DE"}, {"revenue": 1})
    return [
        *[ADMIN + one for one in (
            "dashboard/", "dashboard/shop/", "dashboard/shop/?f=country/US&c=nothing", "dashboard/empty/",
            "dashboard/add/", f"dashboard/{shop.pk}/change/", "panel/add/", f"panel/{shop.panels.all()[0].pk}/change/",
            "counter/", "counter/shop/", "counter/shop/?d=country&m=revenue/visitors,revenue", "counter/nothing/",
            "counter/shop/?d=country&m=revenue/visitors,revenue&p=7d&c=previous", "counter/shop/why?f=revenue&p=1d",
            "counter/shop/why?f=revenue/visitors+as+Each+[$%23]&p=7d", "counter/shop/why?f=revenue&p=7d&d=country/US",
            "decision/", f"decision/{row.pk}/", f"decision/{row.pk}/change/", "decision/add/",
            "live/", "health/", "deadletter/",
            "alert/", "alert/add/", f"alert/{alert.pk}/change/", f"alert/{alert.pk}/try/",
            "report/", "report/add/", f"report/{report.pk}/change/",
            "writekey/", "writekey/add/", f"writekey/{key.pk}/change/", f"writekey/{key.pk}/renew/",
            "annotation/", "annotation/add/", f"annotation/{note.pk}/change/",
            "segment/", "segment/add/", f"segment/{segment.pk}/change/",
            "sharedlink/", "sharedlink/add/", f"sharedlink/{link.pk}/change/",
        )],
        f"/hailwhale/shared/{link.token}/", f"/hailwhale/shared/{secret.token}/", "/hailwhale/shared/none/",
    ]  # fmt: skip


def violations(browser: Browser, within: str = "html") -> list[str]:
    browser.until(lambda: browser.run("return document.readyState") == "complete")
    browser.run((AXE / "axe.min.js").read_text("utf-8"))
    found: list[str] = browser.chrome.execute_async_script(RUN, [within], [[one] for one in NOT_OURS], TAGS)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_anybodys_way(board: Board, pages: list[str], scheme: str) -> None:
    board.look(DESK, scheme)
    found = []
    for page in pages:
        board.open(page)
        board.run(UNFOLD)
        found += [f"{page} {one}" for one in violations(board)]
    board.wait_for_complaint("404")  # the link that leads nowhere
    board.complaints()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_menus_stand_in_nobodys_way(board: Board, scheme: str) -> None:
    board.look(DESK, scheme)
    board.visit("?f=country/US")
    Segment.objects.create(name="Phones", filters=["device/phone"])
    for number in range(len(board.all("details.hw-menu"))):
        board.run(OPEN, number)
        assert not violations(board, "details.hw-menu[open]"), number


@pytest.mark.parametrize("width", [390, 320])
def test_pages_fit_narrow_screens(board: Board, pages: list[str], width: int) -> None:
    board.look((width, 800))
    wide = []
    for page in pages:
        board.open(page)
        if not board.run(FITS):
            wide.append(page)
    board.wait_for_complaint("404")
    board.complaints()
    assert wide == []


@pytest.mark.urls("tests.wares")
def test_counts_in_an_admin_of_ones_own(watcher: Browser) -> None:
    User.objects.update(is_superuser=True)
    ware = Ware.objects.create(name="anchor", kind="odd")
    Whale.count_now(["Ware", str(ware.pk)], {"country": {"US": "CA"}}, {"visitors": 3, "revenue": 9})
    for scheme in ("light", "dark"):
        watcher.look(DESK, scheme)
        for page in (
            "/admin/tests/ware/",
            f"/admin/tests/ware/{ware.pk}/change/",
            f"/admin/tests/ware/{ware.pk}/stats/",
        ):
            watcher.open(page)
            assert watcher.complaints() == []
            assert not violations(watcher), page
    watcher.complaints()  # axe tries things out with styles, which the policy stops


def test_what_looks_is_what_was_fetched() -> None:
    assert {one.name for one in AXE.iterdir()} == set(HASHES)
    for name, expected in HASHES.items():
        assert hashlib.sha256((AXE / name).read_bytes()).hexdigest() == expected
