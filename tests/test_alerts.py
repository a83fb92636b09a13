"""Alerts against a real store, from what was counted to what was sent. Values are worked out by hand.

It is Sunday 22 November 2026, and minutes go by as a test says.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command
from django.test import override_settings

from example_project.ports import free_port
from hailwhale_django import Whale, tasks
from hailwhale_django.alerts import alerting, telling
from hailwhale_django.alerts.alerting import Watched
from hailwhale_django.alerts.claims import LEASE
from hailwhale_django.engine.domain.plan import Schedule
from hailwhale_django.engine.store.server import Server
from hailwhale_django.models import Alert, AlertEvent

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Coordinates]:
    """Noon; `clock.shift(60)` is a minute later."""
    # The server's own clock goes on: in some years it would drop what is counted here as soon as it is counted.
    monkeypatch.setattr(Schedule, "expires_at", lambda schedule, column: None)
    with override_settings(HAILWHALE={"REDIS": redis_url}), time_machine.travel(NOON, tick=False) as travelled:
        yield travelled


def alert(**given: Any) -> Alert:
    """Revenue per visitor of the last hour below 2, over at 2.5; of less than 10 visitors nothing is said."""
    settled = {
        **{"name": "Poor", "counter": "shop", "formula": "revenue/visitors", "condition": "below"},
        **{"threshold": 2, "clear_at": 2.5, "least": 10, "recipients": ["ada@shop.example"], "most_a_day": 9},
    }
    found = Alert(**{**settled, **given})
    found.full_clean()
    found.save()
    return found


def count(revenue: float, visitors: int = 100, country: str = "US", minutes: float = 10, **more: float) -> None:
    """So many minutes ago."""
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    metrics = {"revenue": revenue, "visitors": visitors, **more}
    Whale.count_now("shop", {"country": country}, metrics, at=at.timestamp())


def watch() -> list[Watched]:
    return list(alerting.watch())


def news() -> list[tuple[str, str]]:
    """What one look wrote down."""
    return [(event.child, event.state) for watched in watch() for event in watched.events]


class TestReading:
    def test_a_ratio_of_the_last_hour(self, clock: time_machine.Coordinates) -> None:
        found = alert()
        count(500, minutes=61)  # which is over
        count(150)
        assert news() == [("", "began")]
        event = found.events.get()
        assert (event.text, event.value, event.at) == ("revenue/visitors is 1.500, below 2", 1.5, NOON)
        assert event.told_at == NOON
        assert news() == []

    def test_the_minute_that_has_begun_is_not_looked_at(self, clock: time_machine.Coordinates) -> None:
        alert()
        clock.shift(30)
        count(150, minutes=0)
        assert news() == []
        clock.shift(30)
        assert news() == [("", "began")]

    def test_hysteresis(self, clock: time_machine.Coordinates) -> None:
        alert()
        found = []
        for revenue in (190, 10, 30, 30, -40):  # in all 190, 200, 230, 260, 220
            count(revenue, visitors=100 if revenue == 190 else 0)
            clock.shift(60)
            found.append(news())
        assert found == [[("", "began")], [], [], [("", "ended")], []]

    def test_little_does_not_ring(self) -> None:
        alert()
        count(1, visitors=9)
        assert news() == []
        count(1, visitors=1)
        assert news() == [("", "began")]

    def test_each_child_by_itself(self) -> None:
        found = alert(dimension="country", each=True)
        count(150, country="US")
        count(300, country="DE")
        count(100, country="NO")
        count(1, visitors=5, country="FI")
        count(0, country="FR", minutes=200)
        assert news() == [("NO", "began"), ("US", "began")]
        count(200, visitors=0, country="US")
        assert news() == [("US", "ended")]
        assert list(Alert.objects.get(pk=found.pk).memory) == ["NO"]

    def test_a_row_of_a_dimension(self) -> None:
        alert(dimension="country/US")
        count(150, country="DE")
        assert news() == []
        count(150, country="US")
        assert news() == [("", "began")]

    def test_a_sum_of_nothing_is_0(self) -> None:
        alert(formula="revenue", threshold=5, clear_at=None)
        assert news() == [("", "began")]

    def test_a_ratio_of_nothing_stays_as_it_was(self, clock: time_machine.Coordinates) -> None:
        alert(without_data="keep")
        count(150)
        assert news() == [("", "began")]
        clock.shift(7200)
        assert news() == []
        count(300)
        assert news() == [("", "ended")]

    def test_a_ratio_of_nothing_is_told(self, clock: time_machine.Coordinates) -> None:
        found = alert(without_data="tell")
        assert news() == [("", "silent")]
        count(300)
        clock.shift(120)
        assert news() == [("", "ended")]
        assert [event.text for event in found.events.order_by("id")] == [
            "revenue/visitors: no data within 1h",
            "all right again after 2 min 0 s: revenue/visitors is 3",
        ]

    def test_falls(self) -> None:
        found = alert(formula="revenue", condition="falls", threshold=0.2, clear_at=0.1)
        count(100, minutes=90)
        count(79)
        assert news() == [("", "began")]
        assert found.events.get().text == "revenue fell by 21.0% to 79 (before: 100)"
        count(10)
        assert news() == []  # 11% less
        count(1)
        assert news() == [("", "ended")]

    def test_a_child_that_is_gone_has_fallen(self) -> None:
        alert(formula="revenue", condition="falls", threshold=0.5, clear_at=None, dimension="country", each=True)
        count(100, country="US", minutes=90)
        count(100, country="DE", minutes=200)
        assert news() == [("US", "began")]

    def test_of_changes_both_sides_must_rest_on_enough(self) -> None:
        alert(condition="falls", threshold=0.2, clear_at=None)
        count(100, visitors=5, minutes=90)
        count(100, visitors=100)
        assert news() == []
        count(400, visitors=20, minutes=90)  # 500/25 = 20, and now it is 1
        assert news() == [("", "began")]

    def test_silence(self, clock: time_machine.Coordinates) -> None:
        alert(formula="hits", condition="silent", threshold=None, clear_at=None, window="15m")
        count(0)
        assert news() == []
        clock.shift(600)
        assert news() == [("", "silent")]

    def test_silence_of_children_that_were_heard_before(self, clock: time_machine.Coordinates) -> None:
        how = {"formula": "hits", "condition": "silent", "threshold": None, "clear_at": None, "window": "15m"}
        alert(**how, dimension="country", each=True)
        count(1, country="US", minutes=20)
        count(1, country="DE", minutes=40)
        count(1, country="FR", minutes=5)
        assert news() == [("US", "silent")]
        clock.shift(1800)
        assert news() == []  # US goes on to be silent; FR was heard 35 minutes ago, in neither window
        count(1, country="US", minutes=1)
        assert news() == [("US", "ended")]

    def test_a_percentile_rests_on_hits(self) -> None:
        alert(formula="pct95:ms as Slow [ms]", condition="above", threshold=1000, clear_at=None, least=3)
        for _ in range(2):
            count(1, **{"pct95:ms": 2000})
        assert news() == []
        count(1, **{"pct95:ms": 2000})
        [watched] = [one for one in watch() if one.events]
        assert watched.events[0].text == "Slow is 2 s, above 1 s"

    def test_what_is_removed_is_over(self) -> None:
        alert(dimension="country", each=True)
        count(150)
        assert news() == [("US", "began")]
        Whale.reset("shop")
        assert news() == [("US", "ended")]


class TestTelling:
    def test_a_mail_says_what_when_and_of_what(self) -> None:
        with override_settings(DEFAULT_FROM_EMAIL="whale@shop.example"):
            found = alert(recipients=["ada@shop.example", "bob@shop.example"])
            count(150)
            watch()
        [sent] = mail.outbox
        assert sent.subject == "Poor: revenue/visitors is 1.500, below 2"
        assert sent.to == ["ada@shop.example", "bob@shop.example"]
        assert "revenue/visitors is below 2 within 1h" in sent.body
        assert "2026-11-22 12:00  revenue/visitors is 1.500, below 2" in sent.body
        [(html, kind)] = sent.alternatives
        assert kind == "text/html"
        assert "revenue/visitors is 1.500, below 2" in html
        event = found.events.get()
        assert sent.extra_headers["Message-ID"] == f"<hailwhale-alert-{found.pk}-{event.pk}-{event.pk}@shop.example>"

    def test_times_are_the_store_s(self, redis_url: str) -> None:
        with override_settings(HAILWHALE={"REDIS": redis_url, "TIME_ZONE": "Asia/Kolkata", "PREFIX": "in"}):
            alert()
            count(150)
            watch()
        assert "2026-11-22 17:30  revenue/visitors is 1.500" in mail.outbox[0].body
        assert "Times are of the zone Asia/Kolkata." in mail.outbox[0].body

    def test_who_took_too_long_writes_and_tells_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = alert()
        count(150)
        looking = alerting.look

        def slowly(*given: Any) -> Any:
            seen = looking(*given)
            Alert.objects.filter(pk=found.pk).update(claimed_until=NOON + 3 * LEASE)  # another has it by now
            return seen

        monkeypatch.setattr(alerting, "look", slowly)
        [watched] = watch()
        found.refresh_from_db()
        assert (watched.events, found.memory, len(mail.outbox)) == ([], {}, 0)
        assert found.claimed_until == NOON + 3 * LEASE

    def test_links_begin_with_the_address_of_the_site(self, redis_url: str) -> None:
        found = alert()
        count(150)
        with override_settings(HAILWHALE={"REDIS": redis_url, "BASE_URL": "https://shop.example/"}):
            watch()
        assert f"https://shop.example/admin/hailwhale_django/alert/{found.pk}/change/" in mail.outbox[0].body

    def test_children_of_one_look_are_one_mail(self) -> None:
        alert(dimension="country", each=True)
        for number in range(25):
            count(150, country=f"land {number:02}")
        watch()
        [sent] = mail.outbox
        assert sent.subject == "Poor: 25 messages"
        assert sent.body.count("below 2\n") == telling.MOST_LINES
        assert "and 5 more" in sent.body

    def test_names_of_children_are_text(self) -> None:
        alert(name="Poor\nBcc: eve@evil.example", dimension="country", each=True)
        count(150, country="<script>alert(1)</script>")
        watch()
        [sent] = mail.outbox
        html = sent.alternatives[0][0]
        assert "<script>" not in html
        assert "&lt;script&gt;" in html
        assert sent.subject.startswith("Poor Bcc: eve@evil.example: <script>")
        assert sent.recipients() == ["ada@shop.example"]

    def test_at_most_so_many_a_day(self, clock: time_machine.Coordinates) -> None:
        found = alert(clear_at=None, most_a_day=2)
        for revenue in (150, 150, -200):  # 150 begins, 300 ends, 100 begins again
            count(revenue, visitors=100 if revenue == 150 and not found.events.exists() else 0)
            clock.shift(60)
            watch()
        assert len(mail.outbox) == 2
        assert "last message" not in mail.outbox[0].body
        assert "This is the last message of this alert today." in mail.outbox[1].body
        states = [(event.state, event.told_at is not None, event.withheld) for event in found.events.order_by("id")]
        assert states == [("began", True, False), ("ended", True, False), ("began", False, True)]
        watch()
        assert len(mail.outbox) == 2

    def test_what_is_still_so_is_told_the_next_day(self, clock: time_machine.Coordinates) -> None:
        alert(most_a_day=1, dimension="country", each=True)
        count(150, country="US")
        watch()
        count(150, country="DE")
        count(150, country="FR")
        watch()
        count(200, visitors=0, country="FR")
        watch()
        count(200, visitors=0, country="DE")
        watch()
        count(-200, visitors=0, country="DE")
        clock.shift(60)
        watch()  # DE begins a second time, and only that is still so
        assert len(mail.outbox) == 1
        clock.move_to(NOON + timedelta(hours=12))
        watch()
        [_, sent] = mail.outbox
        assert sent.subject == "Poor: DE: revenue/visitors is 1.500, below 2"

    def test_the_day_is_the_store_s(self, redis_url: str, clock: time_machine.Coordinates) -> None:
        with override_settings(HAILWHALE={"REDIS": redis_url, "TIME_ZONE": "Pacific/Auckland", "PREFIX": "nz"}):
            # There it is 01:00 on the 23rd.
            alert(most_a_day=1, clear_at=None)
            count(150)
            watch()
            clock.move_to(NOON + timedelta(hours=22, minutes=59))
            count(300)
            watch()
            assert len(mail.outbox) == 1
            clock.move_to(NOON + timedelta(hours=23))
            count(150, visitors=200)
            watch()
        assert len(mail.outbox) == 2


class Broken(EmailBackend):
    def send_messages(self, messages: Any) -> int:
        raise OSError("no route to host")


def mailing(backend: type) -> override_settings:
    """Settings that send mail by this backend: until Django 6.0 `EMAIL_BACKEND`, then `MAILERS`."""
    path = f"{backend.__module__}.{backend.__name__}"
    if hasattr(settings, "MAILERS"):
        return override_settings(MAILERS={"default": {"BACKEND": path}})
    return override_settings(EMAIL_BACKEND=path)


class TestFailing:
    def test_what_could_not_be_sent_is_written_down_once_and_tried_again(self, clock: time_machine.Coordinates) -> None:
        found = alert()
        count(150)
        for _ in range(3):
            with mailing(Broken):
                [watched] = watch()
            assert watched.problem == "It could not be told: no route to host"
            clock.shift(60)
        failed = found.events.get(state="failed")
        assert failed.text == "It could not be told: no route to host"
        assert Alert.objects.get(pk=found.pk).problem == failed.text
        watch()
        assert [sent.subject for sent in mail.outbox] == ["Poor: revenue/visitors is 1.500, below 2"]
        assert Alert.objects.get(pk=found.pk).problem == ""

    def test_a_failure_is_no_message_of_the_day(self) -> None:
        alert(most_a_day=1)
        count(150)
        with mailing(Broken):
            watch()
        watch()
        assert len(mail.outbox) == 1

    def test_the_others_are_told(self) -> None:
        alert(name="A", channel="webhook", url=f"http://127.0.0.1:{free_port()}/")
        alert(name="B")
        count(150)
        first, second = watch()
        assert "refused" in first.problem
        assert second.problem == ""
        assert len(mail.outbox) == 1

    def test_a_store_that_is_away(self, redis_url: str) -> None:
        stores = {"away": {"REDIS": f"redis://127.0.0.1:{free_port()}", "PREFIX": "away"}}
        with override_settings(HAILWHALE={"REDIS": redis_url, "STORES": stores}):
            for name in ("A", "B"):
                alert(name=name, store="away")
            alert(name="C")
            count(150)
            found = watch()
        assert [bool(one.problem) for one in found] == [True, True, False]
        assert Alert.objects.get(name="B").checked_at is None
        assert len(mail.outbox) == 1

    def test_what_can_no_longer_be_asked(self) -> None:
        found = alert()
        Alert.objects.filter(pk=found.pk).update(formula="revenue/")
        [watched] = watch()
        assert "formula: " in watched.problem


class Killed(BaseException):
    """What nothing catches, as if the process were gone."""


class Dying(EmailBackend):
    def send_messages(self, messages: Any) -> int:
        raise Killed


class DyingLater(EmailBackend):
    def send_messages(self, messages: Any) -> int:
        super().send_messages(messages)
        raise Killed


class TestKilled:
    @pytest.mark.parametrize(("backend", "mails"), [(Dying, 1), (DyingLater, 2)])
    def test_it_is_told_at_least_once(
        self, backend: type, mails: int, clock: time_machine.Coordinates, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Killed before it was sent: told by the next one. Killed between that and the note of it: told twice."""
        found = alert()
        count(150)
        # A process that is gone releases nothing.
        with monkeypatch.context() as gone, mailing(backend):
            gone.setattr("hailwhale_django.alerts.claims.release", lambda *_: None)
            with pytest.raises(Killed):
                watch()
        assert found.events.get().told_at is None
        clock.shift(60)
        assert watch() == []  # it is held
        clock.shift(LEASE)
        watch()
        assert len(mail.outbox) == mails
        assert len({sent.extra_headers["Message-ID"] for sent in mail.outbox}) == 1
        assert found.events.get().told_at is not None


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_once() -> None:
    """Both look at ten alerts at the same moment, again and again."""
    for number in range(10):
        alert(name=f"{number}")
    count(150)
    together = threading.Barrier(2)

    def worker() -> None:
        from django.db import connections

        try:
            together.wait()
            for _ in range(3):
                watch()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sent.subject[0] for sent in mail.outbox) == list("0123456789")
    assert AlertEvent.objects.count() == 10


class Hook(HTTPServer):
    """Keeps what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.got: list[tuple[str, dict[str, str], Any]] = []
        self.status, self.location = 200, ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class Receiver(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), json.loads(body)))
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class TestWebhook:
    def test_it_gets_json_with_a_text_for_chats(self, hook: Hook) -> None:
        found = alert(channel="webhook", url=hook.url, recipients=[], dimension="country", each=True)
        count(150)
        watch()
        [(path, headers, body)] = hook.got
        event = found.events.get()
        assert path == "/hook"
        assert headers["Content-Type"] == "application/json; charset=utf-8"
        assert body == {
            "text": "Poor\nUS: revenue/visitors is 1.500, below 2",
            "alert": "Poor",
            "condition": "revenue/visitors is below 2 within 1h",
            "store": "default",
            "counter": "shop",
            "dimension": "country",
            "formula": "revenue/visitors",
            "window": "1h",
            "at": "2026-11-22T12:00:00+00:00",
            "link": "",
            "last_today": False,
            "events": [
                {
                    "id": event.pk,
                    "at": "2026-11-22T12:00:00+00:00",
                    "state": "began",
                    "child": "US",
                    "value": 1.5,
                    "text": "US: revenue/visitors is 1.500, below 2",
                    "explanation": [],
                    "why": "",
                }
            ],
        }
        assert event.told_at == NOON

    def test_names_of_children_are_no_markup(self, hook: Hook) -> None:
        alert(channel="webhook", url=hook.url, dimension="country", each=True)
        count(150, country="<!everyone> & <http://evil.example|all>\nis well")
        watch()
        [(_, _, body)] = hook.got
        said = "&lt;!everyone&gt; &amp; &lt;http://evil.example|all&gt; is well: revenue/visitors is 1.500, below 2"
        assert body["text"] == f"Poor\n{said}"
        assert body["events"][0]["child"] == "<!everyone> & <http://evil.example|all>\nis well"

    @pytest.mark.parametrize("status", [301, 302, 307, 308, 404, 500])
    def test_what_is_not_taken_is_sent_again(self, hook: Hook, status: int) -> None:
        alert(channel="webhook", url=hook.url)
        count(150)
        hook.status, hook.location = status, hook.url + "/elsewhere" if status < 400 else ""
        [watched] = watch()
        assert str(status) in watched.problem
        hook.status, hook.location = 204, ""
        [watched] = watch()
        assert (watched.problem, watched.told) == ("", 1)
        assert [path for path, *_ in hook.got] == ["/hook", "/hook"]

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "gopher://x"])
    def test_only_the_web(self, url: str) -> None:
        with pytest.raises(ValidationError):
            alert(channel="webhook", url=url)
        with pytest.raises(ValueError, match="no address of the web"):
            telling.post(url, {})


class TestSettingUp:
    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("formula", {"formula": "revenue/"}),
            ("formula", {"formula": "top10:sum:page"}),
            ("formula", {"formula": "revenue [$#; %]"}),
            ("counter", {"counter": "a/b/c/d/e/f/g/h/i"}),
            ("dimension", {"dimension": "a/b/c/d/e/f/g/h/i"}),
            ("dimension", {"each": True}),
            ("window", {"window": "soon"}),
            ("versus", {"condition": "falls", "threshold": 0.2, "clear_at": None, "versus": "then"}),
            ("threshold", {"threshold": None}),
            ("clear_at", {"clear_at": 1}),
            ("least", {"least": -1}),
            ("store", {"store": "elsewhere"}),
            ("recipients", {"recipients": []}),
            ("recipients", {"recipients": ["ada@shop.example", "bob"]}),
            ("url", {"channel": "webhook"}),
            ("most_a_day", {"most_a_day": 0}),
        ],
    )
    def test_what_will_not_do_is_told_at_its_field(self, field: str, given: dict[str, Any]) -> None:
        with pytest.raises(ValidationError) as caught:
            alert(**given)
        assert list(caught.value.message_dict) == [field]

    def test_one_that_is_off_does_not_look(self) -> None:
        alert(active=False)
        count(150)
        assert watch() == []


class TestRunning:
    def test_the_task(self) -> None:
        alert()
        count(150)
        tasks.watch.apply(throw=True)
        assert len(mail.outbox) == 1

    def test_the_command(self) -> None:
        alert(dimension="country", each=True)
        count(150)
        count(300, country="DE")
        said = StringIO()
        call_command("hailwhale_watch", "--try", stdout=said)
        assert said.getvalue().splitlines() == [
            "Poor: revenue/visitors is below 2 within 1h",
            "    US: 1.500",
            "    DE: 3",
            "    would say: US: revenue/visitors is 1.500, below 2",
        ]
        assert not mail.outbox
        said = StringIO()
        call_command("hailwhale_watch", stdout=said)
        assert said.getvalue() == "Poor: on for 1, 1 told\n    US: revenue/visitors is 1.500, below 2\n"

    def test_the_command_says_what_failed(self) -> None:
        alert()
        count(150)
        said = StringIO()
        with mailing(Broken), pytest.raises(CommandError, match="1 could not look"):
            call_command("hailwhale_watch", stdout=said)
        assert "Poor: It could not be told: no route to host" in said.getvalue()

    def test_old_events_go(self, clock: time_machine.Coordinates) -> None:
        found = alert(clear_at=None)
        count(150)
        watch()
        clock.shift(timedelta(days=91))
        count(300)
        watch()
        assert [event.state for event in found.events.all()] == ["ended"]

    def test_an_alert_is_looked_at_in_few_statements(self, django_assert_num_queries: Any) -> None:
        alert()
        count(300)
        watch()
        with django_assert_num_queries(8):  # the last is the list of them
            watch()

    @pytest.mark.parametrize(
        ("given", "trips"),
        [
            ({}, 2),
            ({"dimension": "country", "each": True}, 3),
            ({"condition": "falls", "threshold": 0.5, "clear_at": None}, 4),
        ],
        ids=["row", "each", "compared"],
    )
    def test_an_alert_is_looked_at_in_few_round_trips(
        self, given: dict[str, Any], trips: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alert(**given)
        count(300)
        watch()
        asked: list[Any] = []
        run = Server.run
        monkeypatch.setattr(Server, "run", lambda server, calls: asked.append(calls) or run(server, calls))
        watch()
        assert len(asked) == trips
