"""Pages and mails in other languages: known sentences, numbers and dates as the language writes them, no English left.

Where a page's text is read, runs of spaces are one space, no-break ones among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client, override_settings

from hailwhale_django import Whale
from hailwhale_django.alerts import alerting
from hailwhale_django.documents import load
from hailwhale_django.engine.decide.policies.book import POLICIES
from hailwhale_django.models import Alert, Annotation, Dashboard, Report, Segment, SharedLink, WriteKey
from tests.api import who_may
from tests.test_admin import Page
from tests.test_alerts import alert
from tests.test_alerts import count as earned
from tests.test_decision_pages import count, decision, events
from tests.test_movers_panel import events as events_of_weeks
from tests.test_translations import PLACEHOLDER, catalog, texts

ADMIN = "/admin/hailwhale_django/"
LANGUAGES = ("de", "fr")
NOW = "2099-05-15T12:00:00Z"

# What Django 6.1 has no German for, as yet.
DJANGOS = re.compile(r"Filter by ")
ENGLISH = re.compile(r"\b(the|of|with|has|have|nothing|not|by|and)\b", re.I)
SPOKEN = ("title", "aria-label", "placeholder")
UNREAD = ("script", "code", "datalist")

FORMS = ("alert", "annotation", "dashboard", "decision", "panel", "report", "segment", "sharedlink", "writekey")
LISTS = ("alert", "annotation", "counter", "dashboard", "deadletter", "decision", "health", "live", "report")
LISTS += ("segment", "sharedlink", "writekey")
CHANGES = (*(f"{name}/change/" for name in FORMS if name != "decision"), "alert/try/", "writekey/renew/")
PATHS = (
    "counter/shop/?m=revenue/guests,revenue&c=previous&p=7d",
    "counter/shop/?d=country/US&c=previous&m=hits,uv:visitor",
    "counter/shop/why?f=revenue/guests&p=7d",
    "counter/shop/why?f=revenue+as+Umsatz+[%23+€;+less+is+better]&d=country/US&p=7d",
    "dashboard/shop/",
    *(f"{name}/" for name in LISTS),
    *(f"{name}/add/" for name in FORMS),
)

LAST_WEEK = "2099-05-08..2099-05-14"
MOVED = (
    "dashboard/visits/",
    f"counter/visits/why?f=guests&p={LAST_WEEK}",
    f"counter/visits/why?f=revenue/guests&p={LAST_WEEK}",
    f"counter/visits/why?f=late/guests+[%25]&p={LAST_WEEK}",
)


def spoken(page: Page) -> Iterator[str]:
    """Whatever is read or heard of a page, piece by piece."""
    for one in [page.root, *page.root]:
        if one.tag not in UNREAD:
            yield from (text.strip() for text in one.inside if isinstance(text, str) and text.strip())
            yield from (value for name, value in one.attributes.items() if name in SPOKEN)
            yield from (value for name, value in one.attributes.items() if name.startswith("data-") and " " in value)


def left_in_english(page: Page, language: str) -> list[str]:
    """What the catalog has another text for, and what sounds English."""
    pieces = set(spoken(page))
    whole = catalog(language)
    known = {one.msgid for one in whole if not PLACEHOLDER.search(one.msgid)} - set(POLICIES)
    known -= {text for one in whole for text in texts(one)}
    return sorted(pieces & known) + sorted(one for one in pieces if ENGLISH.search(one) and not DJANGOS.match(one))


@pytest.fixture
def shop(redis_url: str, db: Any, no_decisions: None) -> Iterator[Client]:
    """Who may do all; two guests who brought 1,234.5, one who brought 617.25 the week before, and a dashboard."""
    table = {"counter": "shop", "dimension": "country", "formulas": ["revenue/guests", "revenue", "guests"]}
    number = {"kind": "number", "counter": "shop", "formulas": ["revenue"]}
    movers = {"kind": "movers", "counter": "shop", "formulas": ["revenue"]}
    panels = [number, *({"kind": kind, **table} for kind in ("table", "top", "graph")), movers]
    document = {"slug": "shop", "title": "Shop", "period": "7d", "compare": "previous", "panels": panels}
    boss, client = User.objects.create_superuser("boss", password="x"), Client()
    with (
        override_settings(HAILWHALE={"REDIS": redis_url}, SILENCED_SYSTEM_CHECKS=["hailwhale.H012"]),
        time_machine.travel(NOW, tick=False),
    ):
        Whale.count_now("shop", {"country": {"US": "CA"}}, {"revenue": 1234.5, "guests": 2}, "2099-05-13T10:00:00Z")
        Whale.count_now("shop", {"country": "US"}, {"revenue": 617.25, "guests": 1}, "2099-05-06T10:00:00Z")
        load(document, boss)
        client.force_login(boss)
        yield client


@pytest.fixture
def moved(shop: Client) -> Client:
    """Visits that moved in the last week (more from Germany, fewer on phones in the US), and a dashboard that says so.

    Who visits on a desktop brings more, and the Germans are late more often.
    """
    seen = []
    for _, values, metrics, at in events_of_weeks():
        visitors = metrics["visitors"]
        revenue = visitors * (1 if values["device"] == "phone" else 3)
        late = visitors / (4 if values["country"] == "DE" else 20)
        seen.append(("visits", values, {"guests": visitors, "revenue": revenue, "late": late}, at))
    Whale.count_many(seen)
    panels = [{"kind": "movers", "counter": "visits", "formulas": [one]} for one in ("guests", "late/guests [%]")]
    load({"slug": "visits", "title": "Visits", "period": LAST_WEEK, "panels": panels}, User.objects.get())
    return shop


def opened(client: Client, path: str, language: str) -> Page:
    with override_settings(LANGUAGE_CODE=language):
        answer = client.get(ADMIN + path)
    assert answer.status_code == 200, path
    page = Page(answer.content.decode())
    assert page.found("html")[0]["lang"] == language
    return page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PATHS)
def test_no_english_is_left(path: str, language: str, shop: Client) -> None:
    assert left_in_english(opened(shop, path, language), language) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", MOVED)
def test_no_english_is_left_of_what_moved(path: str, language: str, moved: Client) -> None:
    assert left_in_english(opened(moved, path, language), language) == []


@pytest.fixture
def things(shop: Client) -> dict[str, int]:
    """One row of each model."""
    boss, board = User.objects.get(), Dashboard.objects.get()
    key = WriteKey(name="Partner")
    key.renew()
    key.save()
    when = datetime.fromisoformat(NOW)
    made = (
        Alert(name="Poor", counter="shop", formula="revenue/guests", condition="below", threshold=2, owner=boss),
        Report(dashboard=board, recipients=["ada@shop.example"], every="week", hour=7, owner=boss),
        SharedLink(dashboard=board, note="Ada"),
        Segment(name="US", filters=["country/US"], owner=boss),
        Annotation(at=when, text="Sale", who="ada"),
    )
    for one in made:
        one.save()
    rows = {type(one).__name__.lower(): one.pk for one in (*made, key, board)}
    return rows | {"panel": board.panels.first().pk}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", CHANGES)
def test_no_english_is_left_of_what_is_there(path: str, language: str, shop: Client, things: dict[str, int]) -> None:
    name, _, rest = path.partition("/")
    assert left_in_english(opened(shop, f"{name}/{things[name]}/{rest}", language), language) == []


@pytest.mark.parametrize("language", ("he", "ar"))
@pytest.mark.parametrize("path", ("counter/shop/", "dashboard/shop/", "health/", "decision/", "live/", "alert/add/"))
def test_from_right_to_left(path: str, language: str, shop: Client) -> None:
    assert opened(shop, path, language).found("html")[0]["dir"] == "rtl"


def test_a_shared_link_from_right_to_left(shop: Client) -> None:
    link = SharedLink.objects.create(dashboard=Dashboard.objects.get(), note="x")
    with override_settings(LANGUAGE_CODE="he"):
        page = Page(Client().get(f"/hailwhale/shared/{link.token}/").content.decode())
    assert page.found("html")[0]["dir"] == "rtl"


class TestKnownSentences:
    def test_a_counter(self, shop: Client) -> None:
        path = "counter/shop/?m=revenue/guests,revenue&c=previous&p=7d"
        page = opened(shop, path, "de")
        assert "1–1 von 1, nach revenue/guests, höchste zuerst" in page.text
        assert "9. Mai 2099 – 15. Mai 2099 verglichen mit: 2. Mai 2099 – 8. Mai 2099" in page.text
        assert page.rows[1][4].startswith("1.234,50▲ +100,0 %, mehr als davor: 617,25 ")
        page = opened(shop, path, "fr")
        assert "1–1 sur 1, par revenue/guests, les plus élevés d’abord" in page.text
        assert "9 mai 2099 – 15 mai 2099 comparé avec : 2 mai 2099 – 8 mai 2099" in page.text
        assert page.rows[1][4].startswith("1 234,50▲ +100,0 %, plus qu’avant : 617,25 ")

    def test_a_dashboard(self, shop: Client) -> None:
        assert "Verglichen mit dem Zeitraum davor" in opened(shop, "dashboard/shop/", "de").text
        assert "Comparé avec la période précédente" in opened(shop, "dashboard/shop/", "fr").text

    def test_what_moved_most(self, moved: Client) -> None:
        page = opened(moved, "dashboard/visits/", "de")
        assert "Größte Änderungen: guests" in page.text
        assert "Verglichen mit dem Zeitraum davor: 1. Mai 2099 – 7. Mai 2099." in page.text
        headings = ["Name", "Davor", "Guests", "Änderung", "Wie ungewöhnlich", "Bewegt das Ganze um"]
        assert [one.text for one in page.found("table", class_="hw-movers")[0].found("th", scope="col")] == headings
        page = opened(moved, "dashboard/visits/", "fr")
        assert "Plus fortes variations : guests" in page.text
        headings = ["Nom", "Avant", "Guests", "Variation", "Écart à l’habitude", "Fait varier le total de"]
        assert [one.text for one in page.found("table", class_="hw-movers")[0].found("th", scope="col")] == headings

    def test_why_it_changed(self, moved: Client) -> None:
        path = f"counter/visits/why?f=guests&p={LAST_WEEK}"
        page = opened(moved, path, "de")
        assert page.found("h1")[-1].text == "Warum hat sich guests geändert?"
        assert "guests stieg von 4.200 auf 4.620 (+10,0 %)." in page.text
        assert "166,7 % davon liegen an DE: dort stieg der Wert von 1.400 auf 2.100." in page.text
        page = opened(moved, path, "fr")
        assert page.found("h1")[-1].text == "Pourquoi cette variation de guests ?"
        assert "guests a augmenté, de 4 200 à 4 620 (+10,0 %)." in page.text
        assert "166,7 % de la variation viennent de DE : la valeur y a augmenté, de 1 400 à 2 100." in page.text

    def test_health(self, shop: Client) -> None:
        assert "Alles in Ordnung" in opened(shop, "health/", "de").text
        assert "Tout va bien" in opened(shop, "health/", "fr").text

    def test_forms(self, shop: Client) -> None:
        assert "E-Mail-Adressen, eine je Zeile" in opened(shop, "alert/add/", "de").text
        assert "Adresses e-mail, une par ligne" in opened(shop, "alert/add/", "fr").text


class TestDecision:
    """Of 300 visitors of each option, 60 of a and 180 of b buy for 12: 2.4 and 7.2 each, and b is ahead for certain."""

    @pytest.fixture
    def banner(self, redis_url: str, no_decisions: None, db: Any) -> Iterator[str]:
        with override_settings(HAILWHALE={"REDIS": redis_url}):
            row = decision(guardrails=["refunds/revenue lower 2%"])
            count(events("a", 300, 60), events("b", 300, 180))
            yield f"decision/{row.pk}/"

    @pytest.mark.parametrize(
        ("language", "advice", "test", "split"),
        [
            (
                "de",
                "b kann zum Gewinner erklärt werden. b ist bei revenue pro visitor die beste; das gilt, so oft man",
                "Gibt es einen Gewinner? b ist bei revenue pro visitor die beste",
                "Der Verkehr ist so aufgeteilt, wie er sein soll.",
            ),
            (
                "fr",
                "Vous pouvez déclarer b gagnante. b est la meilleure en revenue par visitor ; cela vaut que vous",
                "Y a-t-il une gagnante ? b est la meilleure en revenue par visitor",
                "Le trafic est réparti comme prévu.",
            ),
        ],
    )
    def test_its_page(self, banner: str, language: str, advice: str, test: str, split: str) -> None:
        page = opened(who_may("view_decision", "change_decision"), banner, language)
        for sentence in (advice, test, split):
            assert sentence in page.text
        assert left_in_english(page, language) == []


@pytest.mark.parametrize(
    ("language", "subject", "body"),
    [
        (
            "de",
            "Poor: revenue/visitors ist 1,500, unter 2",
            ["Meldet, wenn: revenue/visitors liegt unter 2 innerhalb von 1h", "Zeiten gelten für die Zone UTC."],
        ),
        (
            "fr",
            "Poor: revenue/visitors vaut 1,500, au-dessous de 2",
            ["Signale quand : revenue/visitors est au-dessous de 2 en 1h", "Les heures sont celles de la zone UTC."],
        ),
    ],
)
def test_an_alert_s_mail(language: str, subject: str, body: list[str], redis_url: str, db: Any) -> None:
    with override_settings(HAILWHALE={"REDIS": redis_url}, LANGUAGE_CODE=language):
        alert()
        earned(150)
        list(alerting.watch())
    [sent] = mail.outbox
    html = Page(sent.alternatives[0][0].partition("\n")[2])
    assert sent.subject == subject
    for sentence in body:
        assert sentence in " ".join(sent.body.split()) and sentence in html.text
    assert left_in_english(html, language) == []
