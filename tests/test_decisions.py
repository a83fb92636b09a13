"""Registered decisions: what of them is refused, what holds in which state, and that no page fails for them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test import RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext

from hailwhale_django import Whale, choosing, decisions
from hailwhale_django.decisions import register, registered, settled, unregister
from hailwhale_django.engine.decide.guardrails import Guardrail
from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.models import Decision
from hailwhale_django.registration import UNIFORM, guardrail_of, line_of, registration

pytestmark = pytest.mark.django_db

BANNER = Path(("shop", "banner"))


@pytest.fixture(autouse=True)
def store(redis_url: str, no_decisions: None) -> Iterator[None]:
    with override_settings(HAILWHALE={"REDIS": redis_url}):
        yield


@pytest.fixture
def in_code() -> Iterator[None]:
    register("shop", "banner", options=["x", "y"], formula="clicks/views", dimensions=["country"])
    yield
    unregister(BANNER, "default")


def decision(**given: Any) -> Decision:
    found = Decision(**{"counter": "shop", "name": "banner", "options": ["a", "b", "c"], **given})
    found.full_clean()
    found.save()
    return found


def asked() -> int:
    """How often deciding asks the database for decisions."""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        settled(BANNER, "default")
        settled(Path(("shop", "another")), "default")
    return sum("hailwhale_django_decision" in one["sql"] for one in queries)


class TestRefused:
    @pytest.mark.parametrize(
        ("given", "field", "why"),
        [
            ({"options": []}, "options", "at least one option"),
            ({"options": ["a", "a"]}, "options", "each option once"),
            ({"options": "abc"}, "options", "use a list of options"),
            ({"formula": "revenue/"}, "formula", ""),
            ({"formula": "uv:visitor/hits"}, "formula", "a ratio of sums"),
            ({"control": "d"}, "control", "use one of the options, a, b, c"),
            ({"policy": "tarot"}, "policy", "use thompson"),
            ({"floor": 2.0}, "floor", "from 0 to 1"),
            ({"uniform": -0.1}, "uniform", "from 0 to 1"),
            ({"period": "soon"}, "period", ""),
            ({"guardrails": ["refunds/"]}, "guardrails", ""),
            ({"store": "elsewhere"}, "store", "use one of default"),
            ({"settings": ["a"]}, "settings", "use a dict"),
            ({"settings": {"zest": 1}}, "settings", "thompson has"),
            ({"policy": "split", "settings": {"shares": {"d": 1}}}, "settings", "name one of the options"),
            ({"policy": "winner", "settings": {"option": "d"}}, "settings", "a winner is one of the options"),
            ({"policy": "epsilon", "settings": {"epsilon": 3}}, "settings", "from 0 to 1"),
            ({"counter": ""}, "counter", "name the counter"),
            ({"winner": "d"}, "__all__", "use one of the options"),
        ],
    )
    def test_what_will_not_do_is_told_at_its_field(self, given: dict[str, Any], field: str, why: str) -> None:
        with pytest.raises(ValidationError) as refused:
            decision(**given)
        assert why in " ".join(refused.value.message_dict[field])

    def test_a_counter_has_one_decision_however_it_is_written(self) -> None:
        decision()
        with pytest.raises(ValidationError, match="There is a decision with this counter already"):
            decision(counter="shop/banner", name="")

    def test_the_migration_is_all_there_is_to_migrate(self) -> None:
        call_command("makemigrations", "hailwhale_django", check=True, verbosity=0)


class TestGuardrails:
    @pytest.mark.parametrize(
        ("text", "meant"),
        [
            ("refunds/orders lower 2%", Guardrail("refunds/orders", True, 0.02)),
            ("revenue/visitors", Guardrail("revenue/visitors", False, 0.0)),
            ("(revenue - cost)/visitors higher 0.5%", Guardrail("(revenue - cost)/visitors", False, 0.005)),
            ("errors/views lower", Guardrail("errors/views", True, 0.0)),
        ],
    )
    def test_a_line_says_formula_direction_and_what_is_tolerated(self, text: str, meant: Guardrail) -> None:
        assert guardrail_of(text) == meant
        assert guardrail_of(line_of(meant)) == meant


class TestSettled:
    def test_what_is_registered_holds(self) -> None:
        decision(state="running", formula="clicks/views", dimensions=["country"], period="30d", hold=60)
        found = settled(BANNER, "default")
        assert found is not None
        assert (found.options, found.terms.aim.formula, found.period) == (("a", "b", "c"), "clicks/views", "30d")
        assert (found.hold_seconds, found.terms.outlook.dimensions, found.only) == (60, ("country",), None)
        assert settled(Path(("shop", "another")), "default") is None
        assert settled(BANNER, "other") is None

    def test_policies_that_adapt_leave_a_share_to_chance(self) -> None:
        assert registration("shop", "banner", options=["a"]).terms.uniform == UNIFORM
        assert registration("shop", "banner", options=["a"], policy="split").terms.uniform == 0
        assert registration("shop", "banner", options=["a"], uniform=0.2).terms.uniform == 0.2

    def test_the_database_is_asked_once_for_all_decisions(self) -> None:
        assert asked() == 1
        assert asked() == 0
        decision()
        assert asked() == 1
        decisions.forget()
        assert asked() == 1

    def test_nobody_waits_for_another_who_asks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        decision()
        assert settled(BANNER, "default") is not None
        monkeypatch.setattr(decisions, "_known_until", time.monotonic())  # what is known is old now
        with decisions._reading:  # and somebody asks a database that hangs
            assert settled(BANNER, "default") is not None

    def test_in_code_holds_until_the_database_says_otherwise(self, in_code: None) -> None:
        found = settled(BANNER, "default")
        assert found is not None and found.options == ("x", "y")
        assert [str(one.counter) for one in registered()] == ["shop/banner"]
        decision(state="running")
        found = settled(BANNER, "default")
        assert found is not None and found.options == ("a", "b", "c")

    def test_what_is_registered_in_code_is_checked_at_once(self) -> None:
        with pytest.raises(InvalidInput, match="formula"):
            register("shop", "banner", options=["a"], formula="1 +")
        assert registered() == []

    def test_a_database_that_is_away_leaves_what_was_known(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        decision(state="running")
        assert settled(BANNER, "default") is not None
        decisions.forget()
        monkeypatch.setattr(Decision._meta, "db_table", "no_such_table")
        with caplog.at_level(logging.WARNING, "hailwhale"):
            assert settled(BANNER, "default") is not None
            assert asked() == 0
            decisions.forget()
            assert settled(BANNER, "default") is not None
        assert caplog.text.count("no_such_table") == 1
        monkeypatch.undo()
        assert Decision.objects.count() == 1  # the transaction goes on

    def test_inside_an_event_loop_a_thread_asks(self) -> None:
        async def ask() -> object:
            return settled(BANNER, "default")

        assert asyncio.run(ask()) is None


class TestStates:
    def test_of_a_draft_all_get_the_control_and_nothing_is_counted(self) -> None:
        decision(control="b")
        made = Whale.decide("shop", "banner", visitor="anna", choice=True)
        assert (made.option, made.probability, made.id) == ("b", 1.0, "")
        assert made.reasons == ("This decision is a draft: everybody gets b.",)
        Whale.count_decision("shop", {"banner": "b"}, {"visitors": 1})
        Whale.count_decision("shop", decision="banner", metrics={"visitors": 1}, visitor="anna")
        Whale.count_decision("shop", decision="banner", metrics={"visitors": 1}, decision_id=made.id)
        assert Whale.total("shop", "hits") == 0
        assert Whale.pod().store.choices.latest("shop/banner", 10) == []

    def test_of_a_draft_the_staff_can_look_at_any_option(self) -> None:
        decision()
        assert Whale.decide("shop", "banner", forced="c") == "c"
        with pytest.raises(InvalidInput, match="forced"):
            Whale.decide("shop", "banner", forced="d")

    def test_a_draft_needs_no_redis(self) -> None:
        decision()
        with override_settings(HAILWHALE={"REDIS": "redis://127.0.0.1:1"}):
            assert Whale.decide("shop", "banner", known_data={"country": "US"}) == "a"

    def test_running_decides_and_a_stop_gives_the_control_again(self) -> None:
        one = decision(policy="split", control="a")
        one.start("anna")
        given = {Whale.decide("shop", "banner", visitor=f"v{number}") for number in range(60)}
        assert given == {"a", "b", "c"}
        one.stop("anna")
        assert {Whale.decide("shop", "banner", visitor=f"v{number}") for number in range(60)} == {"a"}

    def test_what_was_decided_before_the_stop_is_still_credited(self) -> None:
        one = decision(policy="split", window=3600)
        one.start("anna")
        made = Whale.decide("shop", "banner", visitor="bob", choice=True)
        one.declare("c", "anna")
        Whale.count_decision("shop", decision="banner", metrics={"revenue": 25}, visitor="bob")
        assert Whale.total(["shop", "banner", made.option], "revenue", period="today") == 25
        Whale.count_decision("shop", decision="banner", metrics={"revenue": 7}, visitor="a stranger")
        assert Whale.total(["shop", "banner"], "revenue", period="today") == 32
        assert Whale.decide("shop", "banner", visitor="bob") == "c"

    def test_since_leaves_out_what_was_before(self) -> None:
        decision(state="running", since=datetime(2026, 11, 20, 15, tzinfo=UTC))
        question = Whale.question("shop", "banner", None, {}, at="2026-11-22T12:00Z")
        first, last = question.period.span
        assert datetime.fromtimestamp(first, UTC) == datetime(2026, 11, 20, tzinfo=UTC)
        assert datetime.fromtimestamp(last, UTC) == datetime(2026, 11, 23, tzinfo=UTC)

    def test_what_runs_is_in_sight(self) -> None:
        one = decision()
        one.archive("anna")
        one.start("anna")
        one.refresh_from_db()
        assert (one.state, one.archived) == ("running", False)

    def test_every_change_is_written_down(self) -> None:
        one = decision()
        one.start("anna")
        with pytest.raises(InvalidInput, match="stop it first"):
            one.archive("anna")
        one.stop("bob")
        one.declare("b", "anna")
        one.archive("carl")
        assert [(change.who, change.what) for change in one.changes.all()] == [
            ("carl", "archived"),
            ("anna", "stopped → won, winner b"),
            ("bob", "running → stopped"),
            ("anna", "draft → running"),
        ]
        with pytest.raises(InvalidInput, match="winner"):
            one.declare("d", "anna")
        assert settled(BANNER, "default").only == "b"  # type: ignore[union-attr]


class TestRequests:
    def test_a_bot_gets_what_everybody_gets(self) -> None:
        decision(state="won", winner="c", control="b")
        asking = RequestFactory().get("/", headers={"user-agent": "Googlebot/2.1"})
        assert str(choosing.decide(asking, "banner", ["a", "b", "c"], pk="shop")) == "c"

    def test_a_winner_stays_while_the_store_is_away(self) -> None:
        decision(state="won", winner="c")
        with override_settings(HAILWHALE={"REDIS": "redis://127.0.0.1:1"}):
            assert str(choosing.decide(RequestFactory().get("/"), "banner", pk="shop")) == "c"


def test_a_forked_process_reads_for_itself() -> None:
    """Also where another thread was reading when it was forked."""
    with decisions._reading:
        decisions._begin_in_child()
        assert decisions._reading.acquire(blocking=False)
        decisions._reading.release()


@pytest.mark.django_db(transaction=True)
def test_a_thread_that_reads_leaves_no_connection_open() -> None:
    left: list[object] = []

    def read() -> None:
        decisions.forget()
        settled(Path(("shop",)), "default")
        left.append(connection.connection)

    thread = Thread(target=read)
    thread.start()
    thread.join()
    assert left == [None]
