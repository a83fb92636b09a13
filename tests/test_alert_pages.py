"""The admin's pages of alerts and reports without a browser: who may, what they say, and what they do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client, RequestFactory, override_settings

from hailwhale_django.alerts import alerting, claims
from hailwhale_django.engine.domain.plan import Schedule
from hailwhale_django.models import Alert, Dashboard, Report, WriteKey
from tests.api import who_may
from tests.test_alerts import Broken, alert, count, mailing

ALERTS = "/admin/hailwhale_django/alert/"
REPORTS = "/admin/hailwhale_django/report/"
OF_ALERTS = ("view_alert", "add_alert", "change_alert", "view_counter")
OF_REPORTS = ("view_report", "add_report", "change_report", "view_dashboard")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Coordinates]:
    monkeypatch.setattr(Schedule, "expires_at", lambda schedule, column: None)
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    with override_settings(HAILWHALE={"REDIS": redis_url}), time_machine.travel(noon, tick=False) as travelled:
        yield travelled


FORM = {
    **{"name": "Poor", "counter": "shop", "dimension": "", "formula": "revenue/visitors", "condition": "below"},
    **{"threshold": "2", "clear_at": "", "window": "1h", "versus": "previous", "least": "10", "store": "default"},
    **{"without_data": "keep", "channel": "email", "recipients": "ada@shop.example\nbob@shop.example", "url": ""},
    **{"most_a_day": "2", "active": "on"},
}


def text_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


class TestAlerts:
    def test_one_is_set_up(self) -> None:
        client = who_may(*OF_ALERTS)
        assert client.post(f"{ALERTS}add/", FORM).status_code == 302
        found = Alert.objects.get()
        assert found.recipients == ["ada@shop.example", "bob@shop.example"]
        assert found.owner is not None
        assert found.owner.username == "looker"
        assert (found.threshold, found.clear_at, found.each) == (2, None, False)

    @pytest.mark.parametrize(
        ("field", "given", "words"),
        [
            ("formula", "revenue/", "formula: "),
            ("threshold", "", "name the number at which it begins"),
            ("window", "soon", "use a length such as 1h"),
            ("recipients", "ada", "ada: Enter a valid email address."),
        ],
    )
    def test_what_will_not_do_is_told_at_its_field(self, field: str, given: str, words: str) -> None:
        answer = who_may(*OF_ALERTS).post(f"{ALERTS}add/", {**FORM, field: given})
        assert answer.status_code == 200
        errors = answer.context["adminform"].form.errors
        assert list(errors) == [field]
        assert words in errors[field][0]

    def test_who_may_not_see_counters_sets_none_up(self) -> None:
        client = who_may("view_alert", "add_alert", "change_alert")
        assert client.get(f"{ALERTS}add/").status_code == 403
        found = alert()
        assert client.post(f"{ALERTS}{found.pk}/change/", FORM).status_code == 403
        assert client.get(f"{ALERTS}{found.pk}/try/").status_code == 403
        assert client.get(f"{ALERTS}{found.pk}/change/").status_code == 200  # to read

    def test_the_list_says_how_they_are(self, clock: time_machine.Coordinates) -> None:
        alert(name="New", formula="hits", threshold=1, clear_at=None)
        watched = alert(dimension="country", each=True)
        count(185)
        count(150, country="DE")
        list(alerting.watch())
        Alert.objects.filter(name="New").update(checked_at=None, memory={})
        text = text_of(who_may(*OF_ALERTS), ALERTS)
        assert "DE: on since 11/22/2026 noon, at 1.500, and 1 more" in text
        assert "not looked at yet" in text
        assert "shop / country: revenue/visitors is below 2 within 1h" in text
        Alert.objects.filter(pk=watched.pk).update(formula="revenue/")
        assert "formula: " in text_of(who_sees(), ALERTS)

    def test_its_page_has_what_became_of_it(self, clock: time_machine.Coordinates) -> None:
        found = alert(most_a_day=1)
        count(150)
        list(alerting.watch())
        count(200)
        with mailing(Broken):
            list(alerting.watch())
        text = text_of(who_may(*OF_ALERTS), f"{ALERTS}{found.pk}/change/")
        assert "on since 11/22/2026 noon, at 1.750" in text
        assert "revenue/visitors is 1.500, below 2" in text
        count(500, visitors=0)
        clock.shift(60)
        list(alerting.watch())
        text = text_of(who_sees(), f"{ALERTS}{found.pk}/change/")
        assert "all right again after 1 min 0 s: revenue/visitors is 4.250" in text
        assert "not told: enough for that day" in text

    def test_trying_says_what_it_sees_and_does_nothing(self) -> None:
        found = alert(dimension="country", each=True)
        count(150, country="<b>US</b>")
        count(300, country="DE")
        text = text_of(who_may(*OF_ALERTS), f"{ALERTS}{found.pk}/try/")
        assert "revenue/visitors is below 2 within 1h</bdi> (Nov 22, 2026, 11:00 – 12:00, UTC)" in text
        assert "&lt;b&gt;US&lt;/b&gt;: revenue/visitors is 1.500, below 2" in text
        assert "<b>US" not in text
        assert text.index("<td>1.500 ") < text.index("<td>3 ")
        found.refresh_from_db()
        assert (found.memory, found.checked_at, found.events.count(), len(mail.outbox)) == ({}, None, 0, 0)

    def test_the_address_of_a_webhook_is_not_in_the_list(self) -> None:
        alert(channel="webhook", url="https://hooks.example/services/T0/secret")
        text = text_of(who_may(*OF_ALERTS), ALERTS)
        assert "hooks.example" in text
        assert "secret" not in text

    def test_trying_what_cannot_be_asked(self) -> None:
        found = alert()
        Alert.objects.filter(pk=found.pk).update(store="gone")
        text = text_of(who_may(*OF_ALERTS), f"{ALERTS}{found.pk}/try/")
        assert "store: &#x27;gone&#x27; will not do" in text

    def test_trying_several(self) -> None:
        ids = [alert(name="A").pk, alert(name="B", threshold=1, clear_at=None).pk]
        count(150)
        answer = who_may(*OF_ALERTS).post(ALERTS, {"action": "try_now", "_selected_action": ids}, follow=True)
        said = [str(one) for one in answer.context["messages"]]
        assert said == ["A: revenue/visitors is 1.500, below 2", "B: nothing to tell (1.500)"]
        assert not mail.outbox

    def test_another_question_begins_anew(self) -> None:
        found = alert()
        count(150)
        list(alerting.watch())
        client = who_may(*OF_ALERTS)
        assert client.post(f"{ALERTS}{found.pk}/change/", {**FORM, "name": "Renamed"}).status_code == 302
        assert Alert.objects.get().memory
        assert client.post(f"{ALERTS}{found.pk}/change/", {**FORM, "formula": "hits"}).status_code == 302
        assert Alert.objects.get().memory == {}


def saved(row: Any, given: dict[str, Any]) -> None:
    """What its form writes, of a row that was read a while ago."""
    pages, request = admin.site.get_model_admin(type(row)), RequestFactory().post("/")
    request.user = User.objects.get_or_create(username="root", is_superuser=True, is_staff=True)[0]
    form = pages.get_form(request, row, change=True)(given, instance=row)
    assert form.is_valid(), form.errors
    pages.save_model(request, form.save(commit=False), form, True)


class TestMeanwhile:
    """What workers wrote while a form was open stays."""

    WRITTEN: ClassVar = {"memory": {"": {"since": 1.0, "value": 1.0, "rung": ["began"]}}, "problem": "away"}

    def test_of_an_alert(self) -> None:
        stale = alert()
        Alert.objects.update(claimed_until=datetime(2026, 11, 22, 12, 5, tzinfo=UTC), **self.WRITTEN)
        saved(stale, {**FORM, "name": "Renamed"})
        found = Alert.objects.get()
        assert (found.name, found.problem, found.memory) == ("Renamed", "away", self.WRITTEN["memory"])
        assert found.claimed_until is not None

    def test_what_is_looked_at_is_dropped_where_the_question_is_another(self) -> None:
        stale = alert()
        count(150)
        with claims.claimed(Alert.objects.all(), stale.pk, datetime.now(UTC)) as looked_at:
            seen = alerting.look(looked_at, datetime.now(UTC))
            saved(stale, {**FORM, "formula": "visitors"})
            assert alerting._written(looked_at, seen, datetime.now(UTC)) is None
        assert Alert.objects.get().memory == {}

    def test_of_a_report(self) -> None:
        board = Dashboard.objects.create(slug="shop", title="Shop")
        stale = Report.objects.create(dashboard=board, recipients=["bob@shop.example"], every="day", hour=8)
        until = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)
        Report.objects.update(claimed_until=until, sent_at=until)
        given = {"dashboard": board.pk, "recipients": "bob@shop.example", "every": "week", "hour": 9, "active": "on"}
        saved(stale, given)
        found = Report.objects.get()
        assert (found.every, found.hour, found.claimed_until, found.sent_at) == ("week", 9, until, until)

    def test_of_a_write_key(self) -> None:
        stale = WriteKey(name="till")
        stale.renew()
        stale.save()
        renewed = WriteKey.objects.get()
        renewed.renew()
        renewed.save()
        saved(stale, {"name": "till 2", "counters": "", "active": "on"})
        found = WriteKey.objects.get()
        assert (found.name, found.digest) == ("till 2", renewed.digest)


def who_sees() -> Client:
    client = Client()
    client.force_login(User.objects.get_or_create(username="root", is_superuser=True, is_staff=True)[0])
    return client


@pytest.fixture
def dashboard() -> Dashboard:
    return Dashboard.objects.create(slug="shop", title="The shop")


@pytest.fixture
def secret() -> Dashboard:
    return Dashboard.objects.create(slug="secret", title="Salaries", everyone=False)


def form(board: Dashboard) -> dict[str, Any]:
    to = "ada@shop.example\nbob@shop.example"
    return {"dashboard": board.pk, "recipients": to, "every": "week", "hour": "8", "active": "on"}


class TestReports:
    def test_whoever_saves_one_owns_it(self, dashboard: Dashboard) -> None:
        root = User.objects.create_superuser("anna")
        found = Report.objects.create(dashboard=dashboard, recipients=["x@y.example"], owner=root)
        client = who_may(*OF_REPORTS)
        assert client.post(f"{REPORTS}{found.pk}/change/", form(dashboard)).status_code == 302
        found.refresh_from_db()
        assert found.owner is not None
        assert found.owner.username == "looker"
        assert found.recipients == ["ada@shop.example", "bob@shop.example"]

    def test_only_of_dashboards_that_may_be_seen(self, dashboard: Dashboard, secret: Dashboard) -> None:
        client = who_may(*OF_REPORTS)
        assert "Salaries" not in text_of(client, f"{REPORTS}add/")
        answer = client.post(f"{REPORTS}add/", form(secret))
        assert answer.status_code == 200
        assert "dashboard" in answer.context["adminform"].form.errors
        found = Report.objects.create(dashboard=secret, recipients=["x@y.example"], owner=None)
        assert "Salaries" not in text_of(client, REPORTS)
        assert client.get(f"{REPORTS}{found.pk}/change/").status_code == 302
        assert client.post(f"{REPORTS}{found.pk}/send/").status_code == 404
        assert not mail.outbox

    def test_who_may_see_no_dashboards_sets_none_up(self, dashboard: Dashboard) -> None:
        client = who_may("view_report", "add_report", "change_report")
        assert client.get(f"{REPORTS}add/").status_code == 403

    def test_sending_now(self, dashboard: Dashboard) -> None:
        client = who_may(*OF_REPORTS)
        client.post(f"{REPORTS}add/", form(dashboard))
        found = Report.objects.get()
        assert client.get(f"{REPORTS}{found.pk}/send/").status_code == 405
        answer = client.post(f"{REPORTS}{found.pk}/send/", follow=True)
        told = "The shop, every week: sent to ada@shop.example, bob@shop.example."
        assert [str(one) for one in answer.context["messages"]][-1] == told
        answer = client.post(REPORTS, {"action": "send_now", "_selected_action": [found.pk]}, follow=True)
        assert [str(one) for one in answer.context["messages"]] == [told]
        assert len(mail.outbox) == 2
        assert Report.objects.get().sent_at is None  # what is due is due all the same

    def test_sending_needs_the_right_to_change(self, dashboard: Dashboard) -> None:
        found = Report.objects.create(dashboard=dashboard, recipients=["x@y.example"], owner=None)
        assert who_may("view_report", "view_dashboard").post(f"{REPORTS}{found.pk}/send/").status_code == 403

    def test_it_says_why_it_was_not_sent(self, dashboard: Dashboard) -> None:
        found = Report.objects.create(dashboard=dashboard, recipients=["x@y.example"], owner=None)
        answer = who_may(*OF_REPORTS).post(f"{REPORTS}{found.pk}/send/", follow=True)
        assert "It has no owner" in answer.content.decode()
        assert not mail.outbox
