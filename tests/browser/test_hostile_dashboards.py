"""Names that others have chosen, wherever a dashboard shows them: they are read, and never run."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from hailwhale_django import Whale
from hailwhale_django.access_models import SharedLink
from hailwhale_django.annotations import annotate
from hailwhale_django.engine.domain.paths import Path as Names
from hailwhale_django.models import Annotation, Dashboard, Panel, Segment
from tests.browser.dashboards import BASE, Board
from tests.browser.test_graphs import arrived
from tests.test_decision_pages import count, decision, events

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NAMES = [
    "</script><img src=x onerror=window.hacked=1>",
    "\"'><svg onload=window.hacked=1>",
    "javascript:window.hacked=1",
    "=HYPERLINK(1)",
    "{{ 7*7 }}{% now 'Y' %}",
    "%s %(x)s",
    "\u202eevil/..",
]
# Where a name may be too long, or is split at its slashes.
SHORT = "<img src=x onerror=window.hacked=1>"
LINKS = "return [...document.querySelectorAll('#content-main a[href], main a[href]')].map((one) => one.protocol)"
HACKED = "return Boolean(window.hacked || document.querySelector('[onerror], [onload]'))"


@pytest.fixture
def hostile(board: Board, no_decisions: None) -> Board:
    """The same names in all places."""
    User.objects.update(is_superuser=True)
    for number, name in enumerate(NAMES, 1):
        Whale.count_now(["evil", name], {NAMES[0]: {name: SHORT}}, {"visitors": number, "revenue": 2 * number})
    at = datetime.now(UTC) - timedelta(days=2)
    annotate(NAMES[0], at, counter="evil", who=NAMES[1])
    Annotation.objects.bulk_create([Annotation(at=at, text=SHORT, link="javascript:window.hacked=1", counter="evil")])
    decision(counter="evil", name="banner", title=NAMES[1], options=NAMES[:3])
    count(events("a", 1, 1))
    shown = Dashboard.objects.create(slug="evil", title=NAMES[0], description=NAMES[1], period="7d", compare="previous")
    dimension = str(Names((NAMES[0],)))
    common = {"dashboard": shown, "counter": "evil", "dimension": dimension, "limit": 20}
    formulas = [f"revenue/visitors as {SHORT}", f"visitors as {NAMES[0]}"]
    for kind in ("table", "top", "graph", "number"):
        given = common | ({"dimension": ""} if kind == "number" else {})
        Panel.objects.create(kind=kind, title=NAMES[1], formulas=formulas, **given)
    Panel.objects.create(
        dashboard=shown, kind="table", counter="evil", counters=True, formulas=formulas, title="Counters"
    )
    text = "\n".join([*NAMES, 'http://x.example/"onclick=1'])
    Panel.objects.create(dashboard=shown, kind="text", title=NAMES[0], text=text)
    Panel.objects.create(dashboard=shown, kind="decision", counter="decisions/banner", title=SHORT)
    Panel.objects.create(dashboard=shown, kind="number", counter=SHORT, formulas=["hits/"], title="")
    Segment.objects.create(name=NAMES[0], filters=[f"{dimension}/x"])
    board.visit(slug="evil")
    return board


def harmless(board: Board) -> None:
    assert not board.run(HACKED)
    assert set(board.run(LINKS)) <= {"http:", "https:"}


def test_what_is_shown_is_what_was_named(hostile: Board) -> None:
    hostile.until(lambda: hostile.run("return window.Chart?.getChart(document.querySelector('canvas')) !== undefined"))
    harmless(hostile)
    assert hostile.one("h1").text == NAMES[0]
    assert set(hostile.names(NAMES[1])) == set(NAMES)
    assert NAMES[0] in [one.text for one in hostile.within("Counters", "tbody th")]
    hostile.tick()  # what is fetched is as harmless
    harmless(hostile)
    for page in (f"{BASE}", f"{BASE}{Dashboard.objects.get(slug='evil').pk}/change/"):
        hostile.open(page)
        harmless(hostile)


def test_a_filter_by_such_a_name(hostile: Board) -> None:
    for name in NAMES:
        hostile.visit(slug="evil")
        hostile.click(hostile.name(name, NAMES[1]))
        assert hostile.chips == [" ".join(f"{NAMES[0]} {name}".split())]
        harmless(hostile)


def test_an_address_that_somebody_made_up(hostile: Board) -> None:
    evil = "%3C/script%3E%3Cimg%20src=x%20onerror=window.hacked=1%3E"
    for query in ("?p=", "?c=", "?f=", "?f=x/", "?o1=1&d1=", "?s1=1&m1="):
        hostile.visit(query + evil, slug="evil")
        harmless(hostile)
    hostile.open(f"{BASE}{evil}/")
    assert NAMES[0] in hostile.one(".messagelist").text
    harmless(hostile)


def test_a_sheet_of_such_names(hostile: Board, tmp_path: Path) -> None:
    hostile.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    hostile.within(NAMES[1], ".hw-sheet")[0].click()
    hostile.until(lambda: list(tmp_path.glob("*.csv")))
    (file,) = tmp_path.glob("*.csv")
    head, *rows = csv.reader(arrived(hostile, file).decode("utf-8-sig").splitlines())
    assert "'=HYPERLINK(1)" in {row[0] for row in rows}
    assert not [cell for row in [head, *rows] for cell in row if cell[:1] in "=+@" and cell]


def test_behind_a_shared_link(hostile: Board) -> None:
    link = SharedLink.objects.create(dashboard=Dashboard.objects.get(slug="evil"), interactive=True)
    hostile.open(f"/hailwhale/shared/{link.token}/")
    assert hostile.one("h1").text == NAMES[0]
    harmless(hostile)
