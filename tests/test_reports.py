"""Dashboards by mail: what is in them, when they go out, and who may have them. Values are worked out by hand.

It is Monday 23 November 2026, 12:00 UTC.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import override_settings

from hailwhale_django import Whale, tasks
from hailwhale_django.alerts import reporting
from hailwhale_django.alerts.claims import LEASE
from hailwhale_django.alerts.reporting import next_due
from hailwhale_django.engine.domain.plan import Schedule
from hailwhale_django.engine.domain.timeline import timeline
from hailwhale_django.models import Dashboard, Panel, Report
from tests.test_alerts import Broken, Dying, DyingLater, Killed, mailing

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Coordinates]:
    monkeypatch.setattr(Schedule, "expires_at", lambda schedule, column: None)
    with override_settings(HAILWHALE={"REDIS": redis_url}), time_machine.travel(NOON, tick=False) as travelled:
        yield travelled


@pytest.fixture
def ada() -> User:
    user = User.objects.create_user("ada", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_dashboard"))
    return user


def board(*panels: dict[str, Any], **given: Any) -> Dashboard:
    found = Dashboard.objects.create(**{"slug": "shop", "title": "The shop", **given})
    for place, panel in enumerate(panels):
        one = Panel(**{"dashboard": found, "place": place, "counter": "shop", **panel})
        one.full_clean()
        one.save()
    return found


NUMBER = {"kind": "number", "title": "Sales", "formulas": ["revenue as Revenue [$#]", "revenue/visitors"]}
TABLE = {"kind": "table", "dimension": "country", "formulas": ["revenue", "visitors"], "title": "Countries"}


def report(owner: User | None, dashboard: Dashboard | None = None, **given: Any) -> Report:
    settled = {"recipients": ["bob@shop.example"], "every": "week", "hour": 8, "due_at": NOON - timedelta(minutes=1)}
    found = Report(dashboard=dashboard or board(NUMBER, TABLE), owner=owner, **{**settled, **given})
    found.full_clean()
    found.save()
    return found


def count(day: int, revenue: float, country: str = "US", month: int = 11) -> None:
    at = datetime(2026, month, day, 15, tzinfo=UTC).timestamp()
    Whale.count_now("shop", {"country": country}, {"revenue": revenue, "visitors": 10}, at=at)


def send() -> list[str]:
    """What went wrong, of each that was due."""
    return [one.problem for one in reporting.send_due()]


def lines(body: str) -> list[str]:
    return [line.strip() for line in body.splitlines() if line.strip()]


class TestContent:
    def test_last_week_compared_with_the_one_before(self, ada: User) -> None:
        """From 16 to 22 November 30 of the US on Wednesday and 50 of Germany on Sunday; before that 40 of the US."""
        count(18, 30)
        count(22, 50, "DE")
        count(11, 40)
        count(23, 999)  # which is this week
        report(ada)
        assert send() == [""]
        [sent] = mail.outbox
        assert sent.subject == "The shop: Nov 16, 2026 – Nov 22, 2026"
        assert sent.to == ["bob@shop.example"]
        assert lines(sent.body) == [
            "The shop",
            "Nov 16, 2026 – Nov 22, 2026",
            "compared with Nov 9, 2026 – Nov 15, 2026",
            "* Sales",
            "Revenue",
            "$80  ▲ +100.0% (more than before: $40)",
            "▁▁▅▁▁▁█  from $0 to $50",
            "revenue/visitors",
            "4  = (as before: 4)",
            "▁▁▅▁▁▁█  from 0 to 5",
            "* Countries",
            "DE",
            "revenue: 50  ▲ new (before: 0)",
            "visitors: 10  ▲ new (before: 0)",
            "▁▁▁▁▁▁█  from 0 to 50",
            "US",
            "revenue: 30  ▼ -25.0% (less than before: 40)",
            "visitors: 10  = (as before: 10)",
            "▁▁█▁▁▁▁  from 0 to 30",
            "total",
            "revenue: 80  ▲ +100.0% (more than before: 40)",
            "visitors: 20  ▲ +100.0% (more than before: 10)",
            "▁▁▅▁▁▁█  from 0 to 50",
        ]

    def test_a_lone_number_needs_no_heading(self, ada: User) -> None:
        count(18, 30)
        report(ada, board({"kind": "number", "formulas": ["revenue as Revenue [$#]"]}))
        assert send() == [""]
        assert lines(mail.outbox[0].body)[3:5] == ["Revenue", "$30  ▲ new (before: $0)"]

    def test_a_daily_one_compares_a_sunday_with_a_sunday(self, ada: User) -> None:
        count(22, 30)
        count(21, 99)
        count(15, 60)
        report(ada, board(NUMBER), every="day")
        send()
        body = mail.outbox[0].body
        assert "Nov 22, 2026\ncompared with Nov 15, 2026" in body
        assert "$30  ▼ -50.0% (less than before: $60)" in body

    def test_the_html_needs_nothing_but_itself(self, ada: User) -> None:
        count(18, 30)
        report(ada)
        send()
        [(html, kind)] = mail.outbox[0].alternatives
        assert kind == "text/html"
        for outside in ("<link", "<script", "<style", "<img", "src=", "class=", "http"):
            assert outside not in html
        assert "<bdi>US</bdi>" in html
        assert "▁▁█▁▁▁▁" in html

    def test_names_are_text(self, ada: User) -> None:
        count(18, 30, "<img src=x onerror=alert(1)>")
        report(ada, board(TABLE, {"kind": "text", "text": "<b>bold</b>"}, title="</title><script>"))
        send()
        html = mail.outbox[0].alternatives[0][0]
        assert "<img" not in html
        assert "<script" not in html
        assert "<b>" not in html
        assert "&lt;img src=x onerror=alert(1)&gt;" in html

    def test_other_panels(self, ada: User, redis_url: str) -> None:
        count(18, 30)
        count(19, 10, "DE")
        count(2, 5, month=10)
        panels = [
            {"kind": "text", "title": "Mind", "text": "Prices rose."},
            {"kind": "graph", "formulas": ["revenue"], "title": "Over time"},
            {"kind": "graph", "formulas": ["revenue"], "dimension": "country", "title": "By country", "limit": 0},
            {"kind": "top", "formulas": ["revenue"], "dimension": "country", "title": "Best", "limit": 1},
            {"kind": "decision", "counter": "shop/banner", "title": "Banner"},
            {"kind": "number", "formulas": ["revenue"], "period": "last month", "title": "October"},
            {"kind": "number", "formulas": ["hits"], "dimension": "country/DE", "title": "Germans"},
            {"kind": "number", "formulas": ["top3:sum:page"], "title": "Pages"} | {"kind": "table"},
        ]
        with override_settings(HAILWHALE={"REDIS": redis_url, "BASE_URL": "https://shop.example"}):
            report(ada, board(*panels, description="All of it."))
            send()
        said = lines(mail.outbox[0].body)
        assert said[3] == "All of it."
        assert said[4:6] == ["* Mind", "Prices rose."]
        assert said[said.index("* Over time") + 2].startswith("40  ▲ new")
        assert said[said.index("* By country") + 1] == "US"
        assert said[said.index("* Best") + 1] == "US"
        assert "DE" not in said[said.index("* Best") : said.index("* Banner")]
        assert said[said.index("* Banner") + 1] == "See it on the dashboard."
        october = said.index("* October (Oct 1, 2026 – Oct 31, 2026)")
        assert said[october + 2].startswith("5  ▲ new")
        assert said[said.index("* Germans") + 2].startswith("1  ▲ new")
        assert said[-1] == "https://shop.example/admin/hailwhale_django/dashboard/shop/"

    def test_filters_hold_or_nothing_is_shown(self, ada: User, redis_url: str) -> None:
        count(18, 30)
        count(19, 10, "DE")
        report(ada, board(NUMBER, TABLE, {**TABLE, "dimension": "device", "title": "Devices"}, filters=["country/DE"]))
        send()
        said = lines(mail.outbox[0].body)
        assert said[said.index("Revenue") + 1].startswith("$10")
        assert "US" not in said
        devices = said[said.index("* Devices") + 1]
        why = "Not filtered by country: DE: it was not counted together with this"
        assert devices == f"{why}; see it on the dashboard"
        assert "30" not in mail.outbox[0].body

    def test_a_period_that_has_become_too_long_fails_its_panel_alone(self, ada: User) -> None:
        """By the minute, from the first of January on: that was no long period in January."""
        count(18, 30)
        panels = [NUMBER, {"kind": "number", "title": "Ever", "formulas": ["hits"], "period": "1m:ytd"}]
        report(ada, board(*panels))
        assert send() == [""]
        said = lines(mail.outbox[0].body)
        assert said[said.index("Revenue") + 1].startswith("$30")
        assert "points of 1m" in said[said.index("* Ever") + 1]

    def test_child_counters_are_no_part_of_a_value(self, ada: User) -> None:
        Whale.count_now(["shop", "blog"], {"country": "US"}, {"revenue": 70}, "2026-11-18")
        counters = {"kind": "table", "counters": True, "formulas": ["revenue"], "title": "Counters"}
        report(ada, board(counters, filters=["country/DE"]))
        send()
        said = lines(mail.outbox[0].body)
        assert "it was not counted together with this" in said[said.index("* Counters") + 1]
        assert "70" not in mail.outbox[0].body

    def test_a_panel_that_will_not_do_says_so(self, ada: User) -> None:
        found = board(NUMBER)
        Panel.objects.filter(dashboard=found).update(formulas=["revenue/"])
        report(ada, found)
        assert send() == [""]
        assert "formulas" in mail.outbox[0].body or "formula:" in mail.outbox[0].body


class TestWhen:
    @pytest.mark.parametrize(
        ("every", "hour", "zone", "now", "expected"),
        [
            ("day", 8, "UTC", "2026-11-23 07:59", "2026-11-23 08:00"),
            ("day", 8, "UTC", "2026-11-23 08:00", "2026-11-24 08:00"),
            ("week", 8, "UTC", "2026-11-22 12:00", "2026-11-23 08:00"),
            ("week", 8, "UTC", "2026-11-23 08:00", "2026-11-30 08:00"),
            # In Auckland it is Monday already, 13 hours ahead.
            ("week", 8, "Pacific/Auckland", "2026-11-22 18:59", "2026-11-22 19:00"),
            ("week", 0, "Pacific/Auckland", "2026-11-22 11:00", "2026-11-29 11:00"),
            # Clocks of Paris go from 2 to 3 on 29 March: at half past there is nothing, and the mail goes out at 3.
            ("day", 2, "Europe/Paris", "2026-03-28 12:00", "2026-03-29 01:00"),
        ],
    )
    def test_the_next_time(self, every: str, hour: int, zone: str, now: str, expected: str) -> None:
        moment = datetime.fromisoformat(f"{now}+00:00")
        found = next_due(every, hour, moment, timeline(ZoneInfo(zone)))
        assert found == datetime.fromisoformat(f"{expected}+00:00")

    def test_a_new_one_waits_for_its_time(self, ada: User, clock: time_machine.Coordinates) -> None:
        found = report(ada, due_at=None, every="day")
        assert send() == []
        found.refresh_from_db()
        assert found.due_at == datetime(2026, 11, 24, 8, tzinfo=UTC)
        clock.move_to(found.due_at)
        assert send() == [""]
        assert send() == []
        found.refresh_from_db()
        assert found.sent_at == datetime(2026, 11, 24, 8, tzinfo=UTC)
        assert found.due_at == datetime(2026, 11, 25, 8, tzinfo=UTC)

    def test_a_worker_that_was_away_sends_one_for_all(self, ada: User, clock: time_machine.Coordinates) -> None:
        report(ada, every="day")
        clock.shift(timedelta(days=5))
        assert send() == [""]
        assert send() == []

    def test_one_that_is_off_is_not_sent(self, ada: User) -> None:
        report(ada, active=False)
        assert send() == []


class TestWho:
    def test_nobody_s(self) -> None:
        assert send_one(None) == "It has no owner; save it, and it is yours."

    def test_one_who_may_view_none(self) -> None:
        assert send_one(User.objects.create_user("eve")) == "eve may not see this dashboard."

    def test_one_who_may_not_view_this(self, ada: User) -> None:
        assert send_one(ada, everyone=False) == "ada may not see this dashboard."

    def test_one_who_is_inactive(self, ada: User) -> None:
        ada.is_active = False
        ada.save()
        assert send_one(ada) == "ada may not see this dashboard."

    def test_one_s_own(self, ada: User) -> None:
        assert send_one(ada, everyone=False, owner=ada) == ""


def send_one(whose: User | None, **given: Any) -> str:
    found = report(whose, board(NUMBER, **given))
    [problem] = send()
    assert len(mail.outbox) == (not problem)
    found.refresh_from_db()
    assert found.problem == problem
    # It is over for this time either way.
    assert found.due_at == datetime(2026, 11, 30, 8, tzinfo=UTC)
    return problem


class TestFailing:
    def test_it_is_tried_again(self, ada: User) -> None:
        found = report(ada)
        with mailing(Broken):
            assert send() == ["It could not be sent: no route to host"]
        found.refresh_from_db()
        assert found.problem == "It could not be sent: no route to host"
        assert found.sent_at is None
        assert send() == [""]
        found.refresh_from_db()
        assert (found.problem, found.sent_at) == ("", NOON)

    @pytest.mark.parametrize(("backend", "mails"), [(Dying, 1), (DyingLater, 2)])
    def test_a_killed_worker_s_is_sent_by_the_next(
        self, ada: User, backend: type, mails: int, clock: time_machine.Coordinates, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        report(ada)
        with monkeypatch.context() as gone, mailing(backend):
            gone.setattr("hailwhale_django.alerts.claims.release", lambda *_: None)
            with pytest.raises(Killed):
                send()
        clock.shift(60)
        assert send() == []
        clock.shift(LEASE)
        assert send() == [""]
        assert len(mail.outbox) == mails
        assert len({sent.extra_headers["Message-ID"] for sent in mail.outbox}) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_once(ada: User) -> None:
    found = board(NUMBER)
    for _ in range(10):
        report(ada, found)
    together = threading.Barrier(2)

    def worker() -> None:
        from django.db import connections

        try:
            together.wait()
            for _ in range(3):
                send()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mail.outbox) == 10


class TestRunning:
    def test_the_task(self, ada: User) -> None:
        report(ada)
        tasks.report.apply(throw=True)
        assert len(mail.outbox) == 1

    def test_the_command(self, ada: User) -> None:
        report(ada)
        said = StringIO()
        call_command("hailwhale_report", stdout=said)
        assert said.getvalue() == "The shop, every week: sent to bob@shop.example\n"
        said = StringIO()
        call_command("hailwhale_report", "--now", "shop", stdout=said)
        assert said.getvalue() == "The shop, every week: sent to bob@shop.example\n"
        assert len(mail.outbox) == 2

    def test_what_failed_is_its_status(self) -> None:
        report(None)
        with pytest.raises(CommandError, match="1 could not be sent"):
            call_command("hailwhale_report", stdout=StringIO())
        with pytest.raises(CommandError, match="no active report of a dashboard 'shoe'"):
            call_command("hailwhale_report", "--now", "shoe")
