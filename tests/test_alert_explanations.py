"""What alerts say about why: from what was counted to what was sent. Values are worked out by hand.

It is Sunday 22 November 2026, noon. For ten weeks the shop has taken 100 an hour in each country, somewhat more or less
by the hour, such that every day has 2400. Within the last 24 hours that are over, the 22nd at noon, Germany took half.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client, override_settings

from hailwhale_django import Whale
from hailwhale_django.alerts import explaining, links
from hailwhale_django.engine.domain.plan import Schedule
from hailwhale_django.engine.errors import InvalidInput, StoreUnavailable
from hailwhale_django.engine.explainer import Explainer
from hailwhale_django.models import Alert
from tests.api import who_may
from tests.test_alerts import Hook, alert, hook, watch

__all__ = ["hook"]

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TREMBLING = (3, -2, 5, -4, 1, -3, 0, 2, -2, 0, 4, -4)
"""What an hour has more than usual; the sum is 0."""

PAGE = "https://shop.example/admin/hailwhale_django/counter/shop/why?"

FALLS = {
    **{"name": "Poor", "formula": "revenue as Revenue [$#]", "condition": "falls", "threshold": 0.1, "clear_at": None},
    **{"window": "24h", "least": 0},
}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Coordinates]:
    # The server's own clock goes on: in some years it would drop what is counted here as soon as it is counted.
    monkeypatch.setattr(Schedule, "expires_at", lambda schedule, column: None)
    settled = {"REDIS": redis_url, "CROSSINGS": {"shop": [["country", "device"]]}}
    with override_settings(HAILWHALE=settled), time_machine.travel(NOON, tick=False) as travelled:
        yield travelled


@pytest.fixture(autouse=True)
def shop() -> None:
    events = []
    for hour in range(1, 24 * 10):
        at = (NOON - timedelta(hours=hour)).timestamp()
        for turn, (country, device) in enumerate((c, d) for c in ("US", "DE") for d in ("phone", "desk")):
            usual = 25 if country == "DE" and hour <= 24 else 50
            revenue = usual + TREMBLING[(hour + 3 * turn) % 12]
            where = {"country": country, "device": device}
            events.append(
                {"pk": "shop", "dimensions": where, "metrics": {"revenue": revenue, "visitors": 10}, "at": at}
            )
    Whale.count_many(events)


def body() -> str:
    [sent] = mail.outbox
    return str(sent.body)


class TestMail:
    def test_a_fall_is_explained(self) -> None:
        alert(**FALLS)
        watch()
        # Of 2 x 2400 before, Germany had half; it lost 1200.
        assert body().split("\n\n")[1] == (
            "2026-11-22 12:00  Revenue fell by 25.0% to $3,600 (before: $4,800)\n"
            "    100.0% of that is DE, where it fell from $2,400 to $1,200.\n"
            "    Had it changed as the rest did, Revenue would be $4,800."
        )
        html = unescape(mail.outbox[0].alternatives[0][0])
        assert "<li>100.0% of that is DE, where it fell from $2,400 to $1,200.</li>" in html

    def test_what_is_below_is_explained_against_the_window_before(self) -> None:
        alert(**{**FALLS, "condition": "below", "threshold": 4000})
        watch()
        assert body().split("\n\n")[1] == (
            "2026-11-22 12:00  Revenue is $3,600, below $4,000\n"
            "    Revenue fell from $4,800 to $3,600 (-25.0%).\n"
            "    100.0% of that is DE, where it fell from $2,400 to $1,200.\n"
            "    Had it changed as the rest did, Revenue would be $4,800."
        )

    def test_a_rise_is_explained_against_what_the_alert_compares_with(self) -> None:
        """By the hour the window of 12 hours is all in the worse day, as is that before; two days before it was not."""
        alert(**{**FALLS, "window": "12h", "threshold": 0.1})
        alert(**{**FALLS, "window": "12h", "threshold": 0.1, "versus": "2026-11-20"})
        watch()
        found = [one.body for one in mail.outbox]
        assert len(found) == 1
        # A day of 24 hours, half of it Germany's; and 12 hours of $150, of which Germany's are 50.
        assert "Revenue fell by 62.5% to $1,800 (before: $4,800)" in found[0]
        assert "DE, where it fell from $2,400 to $600" in found[0]

    def test_a_child_is_explained_by_what_is_within_it(self) -> None:
        for hour in range(1, 25):
            at = (NOON - timedelta(hours=hour)).timestamp()
            Whale.count_now("shop", {"country": "US", "device": "desk"}, {"revenue": -40}, at=at)
        alert(**FALLS, dimension="country", each=True)
        watch()
        said = body()
        assert "DE: Revenue fell by 50.0% to $1,200 (before: $2,400)\n    Nothing in particular: " in said
        # On desks it took 1200, less 960.
        assert "US: Revenue fell by 40.0% to $1,440 (before: $2,400)\n    100.0% of that is" in said
        assert "device desk, where it fell from $1,200 to $240." in said

    def test_a_ratio(self) -> None:
        alert(**{**FALLS, "formula": "revenue/visitors as Worth [$#]"})
        watch()
        # 4800 of 960 visitors; now 3600 of as many.
        assert "Worth fell by 25.0% to $3.75 (before: $5)" in body()
        assert "100.0% of that is DE, where it fell from $5 to $2.50." in body()

    def test_at_most_three_of_a_message(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = spied(monkeypatch)
        for country in ("FR", "NO", "SE"):
            for hour in range(1, 49):
                at = (NOON - timedelta(hours=hour)).timestamp()
                where = {"country": country, "device": "desk"}
                Whale.count_now("shop", where, {"revenue": 1 if hour <= 24 else 9}, at=at)
        alert(**FALLS, dimension="country", each=True)
        watch()
        assert body().count("Revenue fell by") == 4
        assert asked == ["country/DE", "country/FR", "country/NO"]

    def test_neither_silence_nor_an_end(self, clock: time_machine.Coordinates, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = spied(monkeypatch)
        alert(name="A", formula="hits", condition="silent", threshold=None, clear_at=None, window="15m")
        alert(**{**FALLS, "condition": "below", "threshold": 4000, "clear_at": 4000}, dimension="country/DE")
        watch()
        assert len(mail.outbox) == 2
        assert asked == ["country/DE"]
        clock.shift(3600)
        Whale.count_now("shop", {"country": "DE", "device": "desk"}, {"revenue": 9000}, at=NOON.timestamp() + 3000)
        watch()
        assert len(mail.outbox) == 4
        assert asked == ["country/DE"]

    def test_what_no_child_has_a_part_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = spied(monkeypatch)
        Whale.count_now("shop", "country/US", {"pct95:ms": 2000}, at=NOON.timestamp() - 7200)
        alert(formula="pct95:ms", condition="above", threshold=1000, clear_at=None, window="24h", least=0)
        watch()
        assert "pct95:ms is 2,000, above 1,000" in body()
        assert asked == []

    def test_where_there_are_no_parts_nothing_is_said(self) -> None:
        Whale.count_now("plain", metrics={"revenue": 100}, at=NOON.timestamp() - 36 * 3600)
        Whale.count_now("plain", metrics={"revenue": 50}, at=NOON.timestamp() - 2 * 3600)
        alert(**FALLS, counter="plain")
        watch()
        assert "(before: $100)\n\n" in body()

    def test_names_of_children_are_text(self) -> None:
        name = "<b>\nDE"
        for hour in range(1, 49):
            at = (NOON - timedelta(hours=hour)).timestamp()
            for shift, page in enumerate((name, "x")):
                revenue = (10 if page == name and hour <= 24 else 90) + TREMBLING[(hour + 5 * shift) % 12]
                Whale.count_now("pages", {"page": page}, {"revenue": revenue}, at=at)
        alert(**FALLS, counter="pages")
        watch()
        assert "    100.0% of that is <b> DE, where it fell from $2,160 to $240.\n" in body()
        html = mail.outbox[0].alternatives[0][0]
        assert "<b>" not in html
        assert "&lt;b&gt; DE, where" in html

    def test_it_is_said_in_the_language_of_the_site(self) -> None:
        with override_settings(LANGUAGE_CODE="de"):
            alert(**FALLS)
            watch()
        assert "2.400" in body()


def spied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are explained from now on."""
    asked: list[str] = []
    explain = Explainer.explain

    def spy(explainer: Explainer, why: Any, now: float) -> Any:
        asked.append(str(why.dimension))
        return explain(explainer, why, now)

    monkeypatch.setattr(Explainer, "explain", spy)
    return asked


class TestFailing:
    @pytest.mark.parametrize(
        "error", [StoreUnavailable("gone"), InvalidInput("formula", "x", "better"), ZeroDivisionError("oh")], ids=repr
    )
    def test_it_is_told_all_the_same(
        self, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        asked: list[Any] = []

        def fail(*given: Any) -> Any:
            asked.append(given)
            raise error

        monkeypatch.setattr(Explainer, "explain", fail)
        found = alert(**FALLS, dimension="device", each=True)
        [watched] = watch()
        assert (watched.told, watched.problem) == (2, "")
        assert "$1,800 (before: $2,400)\n" in body()
        assert "the alert 'Poor' tells could not be explained" in caplog.text
        assert len(asked) == 1  # the other is not tried
        assert found.events.exclude(told_at=None).count() == 2

    def test_of_what_is_no_longer_kept_nothing_is_said(self, clock: time_machine.Coordinates) -> None:
        """Mail that could not be sent for days is of minutes that are gone by now."""
        half_past = NOON - timedelta(minutes=30)
        clock.move_to(half_past)
        found = alert(**{**FALLS, "window": "1h", "condition": "below", "threshold": 200})
        watch()
        event = found.events.get()
        assert explaining.explained(found, [event], half_past)
        later = half_past + timedelta(days=3)
        clock.move_to(later)
        assert explaining.explained(found, [event], later) == {}

    def test_of_another_question_nothing_is_said(self) -> None:
        found = alert(**FALLS)
        watch()
        event = found.events.get()
        for changed in ({"formula": "visitors"}, {"dimension": "country", "each": True}):
            assert explaining.explained(Alert(**{**FALLS, "counter": "shop", **changed}), [event], NOON) == {}


class TestWebhook:
    def test_it_gets_the_sentences(self, hook: Hook) -> None:
        alert(**FALLS, channel="webhook", url=hook.url, recipients=[])
        watch()
        [(_, _, sent)] = hook.got
        sentences = [
            "100.0% of that is DE, where it fell from $2,400 to $1,200.",
            "Had it changed as the rest did, Revenue would be $4,800.",
        ]
        text = "Revenue fell by 25.0% to $3,600 (before: $4,800)"
        assert sent["text"] == f"Poor\n{text}\n• {sentences[0]}\n• {sentences[1]}"
        [event] = sent["events"]
        assert (event["text"], event["explanation"], event["why"]) == (text, sentences, "")


class TestLinks:
    """They ask for just what the alert looked at, whenever somebody follows them."""

    @pytest.fixture(autouse=True)
    def at_home(self, clock: Any) -> Iterator[None]:
        from django.conf import settings

        with override_settings(HAILWHALE={**settings.HAILWHALE, "BASE_URL": "https://shop.example"}):
            yield

    ASKED = "f=revenue+as+Revenue+%5B%24%23%5D"
    WINDOW = "p=1h%3A2026-11-21T12%3A00..2026-11-22T12%3A00"

    def test_of_the_whole(self) -> None:
        alert(**FALLS)
        watch()
        assert f"    {PAGE}{self.ASKED}&{self.WINDOW}\n" in body()
        assert f'href="{PAGE}{self.ASKED}&{self.WINDOW}"' in unescape(mail.outbox[0].alternatives[0][0])

    def test_of_a_child_against_a_week_before(self) -> None:
        alert(**{**FALLS, "versus": "weekdays"}, dimension="country", each=True)
        watch()
        week = "c=1h%3A2026-11-14T12%3A00..2026-11-15T12%3A00"
        assert f"    {PAGE}{self.ASKED}&d=country%2FDE&{self.WINDOW}&{week}\n" in body()

    def test_where_there_is_no_such_page(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(links, "absolute", lambda view, *_: "" if view == "counter_why" else "https://x.example")
        alert(**FALLS)
        watch()
        assert "why?" not in body()
        assert "Had it changed as the rest did" in body()

    def test_the_page_says_the_same_later(self, clock: time_machine.Coordinates) -> None:
        alert(**FALLS)
        watch()
        [address] = [line.strip() for line in body().split("\n") if line.strip().startswith(PAGE)]
        clock.shift(timedelta(days=2))
        answer = who_may("view_counter").get(address.removeprefix("https://shop.example"))
        assert answer.status_code == 200
        text = answer.content.decode()
        assert "$3,600" in text
        assert "$4,800" in text


class TestAdmin:
    OF_ALERTS = ("view_alert", "change_alert", "view_counter")

    def page(self, client: Client, found: Alert, view: str) -> str:
        answer = client.get(f"/admin/hailwhale_django/alert/{found.pk}/{view}/")
        assert answer.status_code == 200
        return unescape(answer.content.decode())

    LINK = "/admin/hailwhale_django/counter/shop/why?f=revenue+as+Revenue+%5B%24%23%5D&p=1h%3A2026-11-21T12%3A00.."

    def test_events_lead_to_why(self, clock: time_machine.Coordinates) -> None:
        found = alert(**FALLS)
        watch()
        Whale.count_now("shop", {"country": "DE", "device": "desk"}, {"revenue": 1200}, at=NOON.timestamp() - 7200)
        clock.shift(60)
        watch()
        text = self.page(who_may(*self.OF_ALERTS), found, "change")
        assert found.events.count() == 2  # it began, and ended
        assert text.count("why?</a>") == 1
        assert self.LINK + "2026-11-22T12%3A00" in text
        assert 'aria-label="Why did Revenue change?"' in text

    def test_of_another_question_they_do_not(self) -> None:
        found = alert(**FALLS)
        watch()
        Alert.objects.update(formula="visitors")
        assert "why?</a>" not in self.page(who_may(*self.OF_ALERTS), found, "change")

    def test_only_for_those_who_may_see_counters(self) -> None:
        found = alert(**FALLS)
        watch()
        assert "why?</a>" not in self.page(who_may("view_alert"), found, "change")

    def test_trying_leads_to_why(self) -> None:
        found = alert(**FALLS, dimension="country", each=True)
        text = self.page(who_may(*self.OF_ALERTS), found, "try")
        assert text.count("why?</a>") == 2
        assert "&d=country%2FDE&p=1h%3A2026-11-21T12" in text
        assert 'aria-label="Why did Revenue of DE change?"' in text

    def test_trying_what_cannot_be_explained(self) -> None:
        found = alert(formula="pct95:ms", condition="above", threshold=1000, clear_at=None, least=0)
        assert "why?</a>" not in self.page(who_may(*self.OF_ALERTS), found, "try")
