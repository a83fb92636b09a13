"""The admin's pages of decisions without a browser: what they say, who may look and press, and hostile names.

The numbers of `shop` are worked out by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client, override_settings

from example_project.ports import HOST, free_port
from hailwhale_django import Hail, Whale
from hailwhale_django.decisions import register, unregister
from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.models import Decision
from tests.api import who_may
from tests.test_admin import HOSTILE

DECISIONS = "/admin/hailwhale_django/decision/"
VIEW, CHANGE = "view_decision", "change_decision"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store(redis_url: str, no_decisions: None) -> Iterator[None]:
    with override_settings(HAILWHALE={"REDIS": redis_url}):
        yield


class Tables(HTMLParser):
    """The texts of a page's rows, by the first of them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "tr":
            self.rows.append([])
        self.inside = self.inside or tag in ("td", "th")
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.inside and self.rows and self.rows[-1]:
            self.rows[-1][-1] = f"{self.rows[-1][-1]} {data}".strip()


def rows_of(text: str, name: str) -> list[list[str]]:
    tables = Tables()
    tables.feed(text)
    return [
        [" ".join(cell.split()) for cell in row] for row in tables.rows if row and row[0].split(" control")[0] == name
    ]


def decision(state: str = "running", **given: Any) -> Decision:
    settled = {"counter": "shop", "name": "banner", "title": "Banner", "options": ["a", "b"], "policy": "split"}
    found = Decision(**{**settled, **given})
    found.full_clean()
    found.save()
    if state != "draft":
        found.start("anna")
    return found


def page_of(row: Decision, client: Client | None = None, **asked: str) -> str:
    answer = (client or who_may(VIEW)).get(f"{DECISIONS}{row.pk}/", asked)
    assert answer.status_code == 200
    return answer.content.decode()


def events(option: str, count: int, buying: int, country: str = "US", name: str = "banner", **more: float) -> list[Any]:
    """So many visitors, the first of whom buy for 12 each."""
    return [
        {
            "pk": "shop",
            "decided": {name: option},
            "metrics": {"visitors": 1, **({"revenue": 12} if at < buying else {}), **more},
            "dimensions": {"country": country},
        }
        for at in range(count)
    ]


def count(*given: Iterable[Any]) -> None:
    Hail.count_decisions([event for some in given for event in some])
    Hail.drain()


@pytest.fixture
def shop() -> Decision:
    """100 visitors of each option; 20 of a and 40 of b buy for 12.

    | option | revenue/visitors | squares around it             | with two events of all, 30.24 | 90%, 1.6449 errors |
    |--------|------------------|-------------------------------|-------------------------------|--------------------|
    | a      | 240/100 = 2.4    | 20 9.6^2 + 80 2.4^2 = 2304    | 2364.5 100/102 = 2318.1       | ± 0.7920           |
    | b      | 480/100 = 4.8    | 40 7.2^2 + 60 4.8^2 = 3456    | 3516.5 100/102 = 3447.5       | ± 0.9658           |

    Around what both have in common, 3.6, the squares are 20 8.4^2 + 80 3.6^2 + 40 8.4^2 + 60 3.6^2 = 200 30.24.
    """
    found = decision()
    count(events("a", 100, 20), events("b", 100, 40))
    return found


class TestPage:
    def test_options_stand_by_what_they_are_worth(self, shop: Decision) -> None:
        text = page_of(shop)
        (b,), (a,) = rows_of(text, "b")[:1], rows_of(text, "a")[:1]
        assert [a[at] for at in (0, 2, 3, 6, 7, 8)] == ["a control", "2.400", "1.608 – 3.192", "50.0%", "100", "2.400"]
        assert [b[at] for at in (0, 2, 3, 6, 7, 8)] == ["b", "4.800", "3.834 – 5.766", "50.0%", "100", "4.800"]
        assert text.index("4.800") < text.index("2.400")

    def test_the_graph_has_its_twin(self, shop: Decision) -> None:
        text = page_of(shop)
        assert text.count("<canvas") == 1
        assert "4.800 (3.834 – 5.766)" in text
        assert '"low": [' in text

    def test_it_says_what_to_do(self, shop: Decision) -> None:
        assert "b is ahead in revenue per visitor, but a may still be as good." in page_of(shop)
        count(events("a", 400, 80), events("b", 400, 160))
        text = page_of(shop, again())
        assert "You can declare b the winner. b is the best in revenue per visitor; this holds" in text
        assert "If everybody got b from now on, " in text

    def test_a_split_that_is_none_comes_before_any_winner(self) -> None:
        row = decision()
        count(events("a", 500, 100), events("b", 400, 300))
        text = page_of(row)
        assert "Do not decide anything yet. The traffic is not split as it should be" in text
        assert "b was assigned 400 times, where 450 were expected" in text or "a was assigned 500 times" in text

    def test_a_leader_that_breaks_a_guardrail_is_not_declared(self) -> None:
        row = decision(guardrails=["refunds/visitors lower 2%"])
        count(
            events("a", 500, 100),
            events("a", 50, 10, refunds=1),
            events("b", 350, 200),
            events("b", 200, 150, refunds=1),
        )
        text = page_of(row)
        assert "Do not declare b: it leads, but breaks a guardrail." in text
        assert "more than the 2.0% tolerated" in text

    @pytest.mark.parametrize(
        ("policy", "told"),
        [
            ("thompson", "Let it run: no option is the best for all."),
            ("split", "Choose a policy that adapts: no option is the best for all."),
        ],
    )
    def test_groups_that_prefer_another_option_are_marked(self, policy: str, told: str) -> None:
        row = decision(policy=policy, dimensions=["country"])
        count(
            events("a", 300, 30, "US"),
            events("b", 300, 150, "US"),
            events("a", 150, 75, "DE"),
            events("b", 150, 15, "DE"),
        )
        text = page_of(row)
        (us,), (de,) = rows_of(text, "US"), rows_of(text, "DE")
        assert (us[1], us[5]) == ("b", "600")
        assert (de[1].split()[0], de[5]) == ("a", "300")
        assert "another one than for all together" in de[1]
        assert f"{told} b is ahead, but visitors with country DE do better with a" in text

    def test_the_log_says_what_something_else_would_have_earned(self) -> None:
        row = decision(name="page")
        earned = {"a": 10.0, "b": 20.0}
        given = []
        for number in range(300):
            made = Whale.decide("shop", "page", visitor=f"v{number}", known_data={"country": "US"}, choice=True)
            given.append(made.option)
            metrics = {"visitors": 1, "revenue": earned[made.option]}
            Whale.count_decision("shop", decision="page", visitor=f"v{number}", metrics=metrics)
        text = page_of(row)
        (always_a,), (always_b,) = rows_of(text, "Always a"), rows_of(text, "Always b")
        assert (float(always_a[1]), always_a[7]) == (10, str(given.count("a")))
        assert (float(always_b[1]), always_b[7]) == (20, str(given.count("b")))
        (decided,) = rows_of(text, "As it was decided")
        assert float(decided[1]) == pytest.approx(sum(map(earned.get, given)) / 300, rel=1e-3)
        assert rows_of(text, "An equal split")[0][1] == decided[1]
        assert text.count("visitors 1, revenue 20") + text.count("visitors 1, revenue 10") == 20
        assert "by chance alone" in text

    def test_another_policy_can_be_asked(self) -> None:
        row = decision(name="page", policy="thompson", uniform=0.5)
        for number in range(200):
            made = Whale.decide("shop", "page", visitor=f"v{number}", choice=True)
            metrics = {"visitors": 1, "revenue": 10 + 10 * (made.option == "b") + number % 3}
            Whale.count_decision("shop", decision="page", visitor=f"v{number}", metrics=metrics)
        text = page_of(row, policy="ucb")
        assert "Policy ucb, by what is known now" in text
        assert "which flatters it a little" in text
        assert "Policy" not in page_of(row, again(), policy="no such").split("Way to decide")[1].split("</table>")[0]

    def test_nothing_counted_yet(self) -> None:
        text = page_of(decision())
        assert "Nothing was counted yet." in text
        assert "The log has no decisions yet." in text
        assert "nan" not in text
        assert "<canvas" not in text

    def test_one_option(self) -> None:
        row = decision(options=["a"])
        count(events("a", 10, 2))
        assert "There is only one option, so there is nothing to decide." in page_of(row)

    def test_a_hundred_options(self) -> None:
        row = decision(options=[f"option {number}" for number in range(120)], policy="thompson")
        count(*(events(f"option {number}", 3, number % 3) for number in range(120)))
        text = page_of(row)
        assert "80 more" in text
        assert "20 more options are not shown." in text

    @pytest.mark.parametrize("policy", ["thompson", "reasons", "epsilon", "ucb", "split"])
    @pytest.mark.parametrize("counted", [0, 1, 30])
    def test_every_policy_has_a_page(self, policy: str, counted: int) -> None:
        row = decision(policy=policy, options=["a", "b", "c"])
        count(events("a", counted, counted // 3), events("b", counted // 2, 0))
        assert "nan" not in page_of(row)

    def test_names_that_mean_harm_are_shown_as_they_are(self) -> None:
        named = [name.strip() for name in HOSTILE if name.strip() and "\n" not in name]
        row = decision(options=named, title=HOSTILE[0], guardrails=["revenue/visitors"], dimensions=["country"])
        count(*(events(name, 30, 10, country=name) for name in named))
        text = page_of(row)
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text

    def test_a_store_that_is_away_leaves_the_buttons(self) -> None:
        row = decision()
        with override_settings(HAILWHALE={"REDIS": f"redis://{HOST}:{free_port()}"}):
            client = who_may(VIEW, CHANGE)
            text = page_of(row, client)
            assert "The counts cannot be read now." in text
            assert 'value="stop"' in text
            assert client.get(DECISIONS).status_code == 200

    def test_what_is_over_is_shown_as_it_was(self, shop: Decision) -> None:
        shop.declare("b", "anna")
        text = page_of(shop)
        assert "b has won: everybody gets it." in text
        assert rows_of(text, "b winner")[0][7] == "100"


def again() -> Client:
    """The one of `who_may`, again."""
    from django.contrib.auth.models import User

    client = Client()
    client.force_login(User.objects.get(username="looker"))
    return client


class TestList:
    def test_decisions_of_the_database_and_of_the_code(self, shop: Decision) -> None:
        register("shop", "coded", options=["x", "y"])
        register("shop", "banner", options=["x", "y"])
        try:
            client = who_may(VIEW)
            text = client.get(DECISIONS).content.decode()
            (listed,) = rows_of(text, "Banner")
            assert [listed[at] for at in (1, 2, 4)] == ["running", "b", "200"]
            (coded,) = rows_of(text, "shop / coded in code")
            assert coded[1:5] == ["running", "–", "–", "0"]
            page = client.get(f"{DECISIONS}in-code/default/shop/coded/").content.decode()
            assert "It is registered in code" in page
            assert 'name="action"' not in page
            assert client.get(f"{DECISIONS}in-code/default/shop/none/").status_code == 404
        finally:
            unregister(Path(("shop", "coded")), "default")
            unregister(Path(("shop", "banner")), "default")

    def test_none(self) -> None:
        assert "No decision is registered yet" in who_may(VIEW).get(DECISIONS).content.decode()

    def test_archived_ones_are_elsewhere(self) -> None:
        row = decision(state="draft")
        row.archive("anna")
        client = who_may(VIEW)
        assert "Banner" not in client.get(DECISIONS).content.decode()
        assert "Banner" in client.get(DECISIONS, {"archived": 1}).content.decode()

    def test_one_that_is_broken_is_told(self) -> None:
        row = decision()
        Decision.objects.filter(pk=row.pk).update(formula="1 +")
        client = who_may(VIEW)
        text = client.get(DECISIONS).content.decode()
        assert f"{DECISIONS}{row.pk}/change/" in text
        assert client.get(f"{DECISIONS}{row.pk}/").status_code == 400


def act(client: Client, row: Decision, action: str, **data: str) -> str:
    return client.post(f"{DECISIONS}{row.pk}/", {"action": action, **data}, follow=True).content.decode()


class TestPressing:
    def test_it_is_asked_for_once_more(self) -> None:
        row = decision(state="draft")
        client = who_may(VIEW, CHANGE)
        assert "Start it? Visitors are decided for from now on." in act(client, row, "start")
        row.refresh_from_db()
        assert row.state == "draft"
        assert "Done." in act(client, row, "start", sure="1")
        row.refresh_from_db()
        assert row.state == "running"
        assert row.started_at is not None

    def test_from_start_to_archive_all_is_written_down(self) -> None:
        row = decision(state="draft")
        client = who_may(VIEW, CHANGE)
        act(client, row, "start", sure="1")
        act(client, row, "stop", sure="1")
        act(client, row, "declare", winner="b", sure="1")
        text = act(client, row, "archive", sure="1")
        assert [(change.who, change.what) for change in row.changes.all()] == [
            ("looker", "archived"),
            ("looker", "stopped → won, winner b"),
            ("looker", "running → stopped"),
            ("looker", "draft → running"),
        ]
        assert "stopped → won, winner b" in text

    @pytest.mark.parametrize(
        "data",
        [
            {"action": "declare"},
            {"action": "declare", "winner": "d", "sure": "1"},
            {"action": "start", "sure": "1"},
            {"action": "archive", "sure": "1"},
            {"action": "unarchive", "sure": "1"},
            {"action": "dance", "sure": "1"},
            {},
        ],
    )
    def test_what_cannot_be_done_now_is_not_done(self, data: dict[str, str]) -> None:
        row = decision()
        text = who_may(VIEW, CHANGE).post(f"{DECISIONS}{row.pk}/", data, follow=True).content.decode()
        assert "Nothing was done" in text
        row.refresh_from_db()
        assert (row.state, row.archived) == ("running", False)

    def test_those_who_may_only_look_have_nothing_to_press(self) -> None:
        row = decision()
        client = who_may(VIEW)
        assert 'name="action"' not in page_of(row, client)
        assert client.post(f"{DECISIONS}{row.pk}/", {"action": "stop", "sure": "1"}).status_code == 403
        row.refresh_from_db()
        assert row.state == "running"

    def test_others_see_nothing(self) -> None:
        row = decision()
        client = who_may("view_counter")
        for address in (DECISIONS, f"{DECISIONS}{row.pk}/", f"{DECISIONS}{row.pk}/change/"):
            assert client.get(address).status_code == 403
        assert Client().get(DECISIONS).status_code == 302

    def test_there_is_no_deleting(self) -> None:
        row = decision()
        client = who_may(VIEW, CHANGE, "delete_decision")
        assert client.post(f"{DECISIONS}{row.pk}/delete/", {"post": "yes"}).status_code == 403

    def test_one_that_is_not_there(self) -> None:
        assert who_may(VIEW).get(f"{DECISIONS}77/").status_code == 404


FORM = {
    "title": "Price",
    "counter": "shop",
    "name": "price",
    "options": "low\r\nhigh\r\n",
    "control": "",
    "formula": "revenue/visitors",
    "guardrails": "refunds/visitors lower 2%",
    "policy": "thompson",
    "settings": "{}",
    "dimensions": "",
    "uniform": "",
    "floor": "0",
    "burn_in": "0",
    "hold": "60",
    "window": "60",
    "period": "",
    "since_0": "",
    "since_1": "",
    "store": "default",
}


class TestForm:
    def test_a_decision_is_registered_and_changed(self) -> None:
        client = who_may(VIEW, CHANGE, "add_decision")
        text = client.post(f"{DECISIONS}add/", FORM, follow=True).content.decode()
        assert "This is a draft: everybody gets low, and nothing is counted." in text
        row = Decision.objects.get()
        assert (row.options, row.guardrails, row.path) == (["low", "high"], ["refunds/visitors lower 2%"], "shop/price")
        client.post(f"{DECISIONS}{row.pk}/change/", {**FORM, "options": "low\nhigh\nfree", "floor": "0.1"})
        client.post(f"{DECISIONS}{row.pk}/change/", {**FORM, "options": "low\nhigh\nfree", "floor": "0.1"})
        assert [change.what for change in row.changes.all()] == [
            "options: low, high → low, high, free\nfloor: 0.0 → 0.1",
            "registered",
        ]

    @pytest.mark.parametrize(
        ("changed", "told"),
        [
            ({"formula": "1 +"}, "formula"),
            ({"options": ""}, "This field is required."),
            ({"options": "a\na"}, "name each option once"),
            ({"settings": '{"zest": 1}'}, "thompson has"),
            ({"guardrails": "refunds/"}, "guardrails"),
            ({"floor": "2"}, "use a share from 0 to 1"),
            ({"period": "soon"}, "period"),
        ],
    )
    def test_what_will_not_do_is_told(self, changed: dict[str, str], told: str) -> None:
        client = who_may(VIEW, CHANGE, "add_decision")
        text = client.post(f"{DECISIONS}add/", {**FORM, **changed}).content.decode()
        assert "errorlist" in text
        assert told in text
        assert not Decision.objects.exists()

    def test_a_counter_twice_is_told(self) -> None:
        decision(name="price")
        text = who_may(VIEW, "add_decision").post(f"{DECISIONS}add/", FORM).content.decode()
        assert "There is a decision with this counter already." in text

    def test_the_form_of_a_won_decision_still_needs_its_winner(self) -> None:
        row = decision(name="price", options=["low", "high"])
        row.declare("high", "anna")
        client = who_may(VIEW, CHANGE)
        text = client.post(f"{DECISIONS}{row.pk}/change/", {**FORM, "options": "low\nfree"}).content.decode()
        assert "use one of the options, low, free" in text
