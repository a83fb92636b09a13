"""Formulas while they are written: what is said of them, their words, and columns chosen for a table of a dashboard.

Today is a Thursday; `shop` has in the last 30 days 30 visitors and a revenue of 120, of these 20 and 100 from the US.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client, override_settings

from example_project.ports import HOST, free_port
from hailwhale_django import Whale
from hailwhale_django.dashboards.column import Column
from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.engine.store.server import Server
from hailwhale_django.models import Dashboard, Panel, SharedLink
from tests.api import who_may
from tests.test_admin import HOSTILE

NOW = datetime(2099, 5, 14, 12, tzinfo=UTC)
CHECK = "/admin/hailwhale_django/counter/formula.json"
WORDS = "/admin/hailwhale_django/counter/metrics.json"
BOARD = "/admin/hailwhale_django/dashboard/shop/"
LONG = ["a" + " " * 20_000 + "b]", "a" + " as" * 7_000 + "]", "(" * 5_000, "1+" * 5_000, '"' + "x" * 5_000]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop(redis_url: str) -> Iterator[None]:
    with override_settings(HAILWHALE={"REDIS": redis_url}), time_machine.travel(NOW, tick=False):
        count("US", visitors=20, revenue=100)
        count("DE", visitors=10, revenue=20)
        yield


@pytest.fixture
def looker() -> Client:
    return who_may("view_counter")


def count(country: str, **metrics: Any) -> None:
    Whale.count_now("shop", {"country": country}, metrics, "2099-05-12T10:00:00Z")


def said(client: Client, text: str, status: int = 200, **given: str) -> Any:
    answer = client.get(CHECK, {"pk": "shop", "text": text, **given})
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/json"
    return answer.json()


class TestChecking:
    def test_a_formula_that_will_do(self, looker: Client) -> None:
        assert said(looker, " revenue / (visitors) ") == {
            "ok": True,
            "formula": "revenue/visitors",
            "is_number": True,
            "kind": "number",
            "unknown": [],
            "value": "4",
            "said": "4 in the last 30 days",
        }

    def test_a_column_is_written_in_its_format(self, looker: Client) -> None:
        column = said(looker, "revenue/visitors as Per visitor [$#; less is better]", kind="column")
        assert (column["formula"], column["value"]) == ("revenue/visitors", "$4")
        assert said(looker, "revenue as Revenue")["ok"] is False  # a formula has no title

    def test_metrics_that_were_never_counted(self, looker: Client) -> None:
        found = said(looker, "revenue/orders")
        assert (found["ok"], found["unknown"]) == (True, ["orders"])
        assert found["said"] == "Nothing was ever counted as orders on this counter."
        assert said(looker, "hits", pk="no such counter")["unknown"] == ["hits"]

    def test_what_tells_a_list_has_no_value(self, looker: Client) -> None:
        count("US", **{"top10:sum:page": {"/a": 3}})
        found = said(looker, "top10:sum:page")
        assert (found["is_number"], found["kind"], found["value"], found["said"]) == (False, "list", "", "")

    @pytest.mark.parametrize(
        ("text", "problem", "at"),
        [
            ("revenue/", 'It ends where a metric, a number or "(" should follow', 8),
            ("  revenue/*2", "'*' at character 9 stands where a metric, a number or \"(\" should follow", 10),
            ("", 'It ends where a metric, a number or "(" should follow', 0),
            ("revenue@above", "At character 8 should stand @parent for the parent's row or @_ for the whole", None),
        ],
    )
    def test_what_will_not_do_and_where(self, looker: Client, text: str, problem: str, at: int | None) -> None:
        assert said(looker, text) == {"ok": False, "problem": problem, "at": at}

    def test_a_format_that_will_not_do(self, looker: Client) -> None:
        found = said(looker, "revenue [dollars]", kind="column")
        assert found["problem"] == "Use %, s, ms, bytes, or a text with one # in it, e.g. $#"

    @pytest.mark.parametrize("text", [*HOSTILE, *LONG, "\0", "\ud83d", "a[", "a[]]", "[%]", " as b"])
    @pytest.mark.parametrize("kind", ["formula", "column"])
    def test_hostile_texts_are_answered(self, looker: Client, text: str, kind: str) -> None:
        found = said(looker, text.encode("utf-8", "replace").decode(), kind=kind)
        assert found["said"] if found["ok"] else found["problem"]

    @pytest.mark.parametrize("given", [{"pk": ""}, {"pk": "x" * 300}, {"kind": "table"}])
    def test_what_is_asked_wrongly(self, looker: Client, given: dict[str, str]) -> None:
        assert said(looker, "hits", 400, **given)["problem"]

    def test_only_for_those_who_may_see_counters(self, client: Client) -> None:
        other = who_may("view_dashboard", "change_dashboard")
        for address in (CHECK, WORDS):
            assert other.get(address, {"pk": "shop"}).status_code == 403
            assert client.get(address, {"pk": "shop"}).status_code == 302
            assert other.post(address).status_code in (403, 405)

    def test_a_server_that_is_away(self, looker: Client) -> None:
        with override_settings(HAILWHALE={"REDIS": f"redis://{HOST}:{free_port()}"}):
            assert said(looker, "hits", 503)["problem"]
            assert said(looker, "hits/")["problem"].startswith("It ends")  # which needs none

    @pytest.mark.parametrize("text", ["revenue/visitors + hits", "uv:visitor", "revenue:last"])
    def test_two_round_trips(self, looker: Client, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        count("US", **{"uv:visitor": "ada"})
        said(looker, text)
        sent: list[int] = []
        send = Server._send
        monkeypatch.setattr(Server, "_send", lambda server, calls: sent.append(len(calls)) or send(server, calls))
        said(looker, text)
        assert 1 <= len(sent) <= 2
        sent.clear()
        looker.get(WORDS, {"pk": "shop"})
        assert len(sent) == 1

    def test_a_counter_may_have_such_a_name(self, looker: Client) -> None:
        Whale.count_now("formula.json", {"country": "US"})
        text = looker.get("/admin/hailwhale_django/counter/formula.json/").content.decode()
        assert "<bdi>formula.json</bdi>" in text


class TestWords:
    def test_metrics_and_what_they_tell(self, looker: Client) -> None:
        count("US", **{"add-to-cart": 1, "uv:visitor": "ada", "pct:ms": 7, "top10:sum:page": {"/a": 3}})
        found = looker.get(WORDS, {"pk": "shop"}).json()
        assert {one["text"]: one["means"] for one in found["metrics"]} == {
            '"add-to-cart"': "sum",
            "hits": "sum",
            "hits/uv:visitor": "ratio",
            "hist:ms": "histogram",
            "pct50:ms": "percentile",
            "pct95:ms": "percentile",
            "revenue": "sum",
            "top:sum:page": "the largest",
            "uv:visitor": "how many different",
            "visitors": "sum",
        }
        assert "@parent" in [one["text"] for one in found["suffixes"]]
        assert "days" in [one["text"] for one in found["constants"]]
        assert [one["text"] for one in found["formats"]] == ["$#", "%", "s", "ms", "bytes", "less is better"]

    def test_every_word_is_understood(self, looker: Client) -> None:
        count("US", **{"add-to-cart": 1, "uv:visitor": "ada"})
        found = looker.get(WORDS, {"pk": "shop"}).json()
        for one in (*found["metrics"], *found["constants"]):
            assert said(looker, one["text"])["unknown"] == []
        for one in found["suffixes"]:
            assert said(looker, "revenue" + one["text"])["ok"]
        for one in found["formats"]:
            assert said(looker, f"revenue [{one['text']}]", kind="column")["ok"]

    def test_a_counter_without_any(self, looker: Client) -> None:
        assert looker.get(WORDS, {"pk": "nothing"}).json()["metrics"] == []
        assert looker.get(WORDS, {"pk": "x" * 300}).status_code == 400


def test_the_place_in_a_text_is_known() -> None:
    with pytest.raises(InvalidInput) as caught:
        Column.parse("(revenue")
    assert caught.value.at == 8


# -- tables of dashboards


@pytest.fixture
def panel() -> Panel:
    board = Dashboard.objects.create(slug="shop", title="The shop")
    Panel.objects.create(dashboard=board, kind="top", counter="shop", dimension="country", formulas=["hits"])
    return Panel.objects.create(
        dashboard=board, kind="table", title="Countries", counter="shop", dimension="country", formulas=["revenue"]
    )


def table_of(client: Client, panel: Panel, columns: str, address: str = BOARD, **given: str) -> Any:
    answer = client.get(address, {f"m{panel.pk}": columns, **given})
    assert answer.status_code == 200
    found = next(one for one in answer.context["page"].panels if one.key == str(panel.pk))
    return found, answer.content.decode()


def titles(found: Any) -> list[str]:
    return [one.title for one in found.headings]


def headings_of_sheet(client: Client, panel: Panel, columns: str, address: str = BOARD) -> list[str]:
    answer = client.get(address, {f"m{panel.pk}": columns, "sheet": str(panel.pk)})
    first, *_ = b"".join(answer).decode("utf-8-sig").splitlines()
    return first.split(",")


class TestChoosing:
    def test_who_may_see_counters_chooses_columns(self, panel: Panel) -> None:
        client = who_may("view_dashboard", "view_counter")
        found, text = table_of(client, panel, "visitors\r\nrevenue/visitors as Each [$#]")
        assert titles(found) == ["visitors", "Each"]
        assert [cell.text for cell in found.rows[0].cells] == ["20", "$5"]
        assert found.chooser.reset == "?"
        assert "m=visitors" in found.open
        assert "As the dashboard has it" in text
        assert "Keep" not in text
        assert titles(table_of(client, panel, "")[0]) == ["revenue"]

    def test_they_are_ordered_by_and_downloaded(self, panel: Panel) -> None:
        client = who_may("view_dashboard", "view_counter")
        found, _ = table_of(client, panel, "visitors\nhits", **{f"o{panel.pk}": "+visitors"})
        assert [row.name for row in found.rows] == ["DE", "US"]
        assert headings_of_sheet(client, panel, "visitors\nhits") == ["name", "visitors", "hits"]

    def test_a_wrong_line_is_told_and_the_others_are_shown(self, panel: Panel) -> None:
        client = who_may("view_dashboard", "view_counter", "change_dashboard")
        found, text = table_of(client, panel, "visitors\n<b>/\nhits")
        assert titles(found) == ["visitors", "hits"]
        assert [line for line, _ in found.chooser.problems] == ["<b>/"]
        assert "<b>/" not in text
        assert 'aria-invalid="true"' in text
        assert "Keep" not in text
        assert titles(table_of(client, panel, "<b>/")[0]) == ["revenue"]

    def test_at_most_twelve(self, panel: Panel) -> None:
        client = who_may("view_dashboard", "view_counter")
        found, _ = table_of(client, panel, "\n".join(f"revenue*{number}" for number in range(14)))
        assert len(found.headings) == 12
        assert [line for line, _ in found.chooser.problems] == ["revenue*12", "revenue*13"]

    def test_who_may_not_see_counters_sees_what_the_panel_shows(self, panel: Panel) -> None:
        client = who_may("view_dashboard", "change_dashboard")
        found, text = table_of(client, panel, "visitors")
        assert (titles(found), found.chooser) == (["revenue"], None)
        assert "hw-chooser" not in text
        assert headings_of_sheet(client, panel, "visitors") == ["name", "revenue"]

    @pytest.mark.parametrize("interactive", [True, False])
    def test_a_shared_link_is_not_widened(self, panel: Panel, interactive: bool) -> None:
        link = SharedLink.objects.create(dashboard=panel.dashboard, interactive=interactive)
        address = f"/hailwhale/shared/{link.token}/"
        boss = User.objects.create_superuser("boss", password="x")
        mighty = Client()
        mighty.force_login(boss)
        for client in (Client(), mighty):
            found, _ = table_of(client, panel, "visitors", address)
            assert (titles(found), found.chooser) == (["revenue"], None)
            if interactive:  # others have no sheets
                assert headings_of_sheet(client, panel, "visitors", address) == ["name", "revenue"]

    def test_only_of_tables(self, panel: Panel) -> None:
        top = panel.dashboard.panels.get(kind="top")
        found, _ = table_of(who_may("view_dashboard", "view_counter"), top, "visitors")
        assert (titles(found), found.chooser) == (["hits"], None)


class TestKeeping:
    def keep(self, client: Client, panel: Panel, columns: str, status: int = 302) -> Any:
        address = f"/admin/hailwhale_django/panel/{panel.pk}/columns/"
        answer = client.post(address, {"columns": columns, "next": "?p=7d"})
        assert answer.status_code == status
        panel.refresh_from_db()
        return answer

    def test_the_panel_has_them_from_then_on(self, panel: Panel) -> None:
        client = who_may("view_dashboard", "view_counter", "change_dashboard")
        _, text = table_of(client, panel, "visitors\nhits as Hits [# x]")
        assert 'value="visitors\nhits as Hits [# x]"' in text
        answer = self.keep(client, panel, "visitors\r\nhits as Hits [# x]\r\n")
        assert answer["Location"] == f"{BOARD}?p=7d"
        assert panel.formulas == ["visitors", "hits as Hits [# x]"]

    def test_what_will_not_do_is_not_kept(self, panel: Panel) -> None:
        client = who_may("view_dashboard", "view_counter", "change_dashboard")
        self.keep(client, panel, "visitors\nhits/")
        assert panel.formulas == ["revenue"]
        assert "it ends where" in client.get(BOARD).content.decode()

    @pytest.mark.parametrize("rights", [("view_dashboard", "view_counter"), ("view_dashboard", "change_dashboard"), ()])
    def test_only_by_those_who_may_change_it(self, panel: Panel, rights: tuple[str, ...]) -> None:
        self.keep(who_may(*rights), panel, "visitors", 403)
        assert panel.formulas == ["revenue"]

    def test_not_of_a_dashboard_of_somebody_else(self, panel: Panel) -> None:
        owner = User.objects.create_user("owner")
        Dashboard.objects.update(owner=owner)
        self.keep(who_may("view_dashboard", "view_counter", "change_dashboard"), panel, "visitors", 404)
        assert panel.formulas == ["revenue"]

    def test_an_address_does_nothing(self, panel: Panel) -> None:
        client = who_may("view_dashboard", "view_counter", "change_dashboard")
        assert client.get(f"/admin/hailwhale_django/panel/{panel.pk}/columns/").status_code == 404
        hostile = client.post(
            f"/admin/hailwhale_django/panel/{panel.pk}/columns/", {"columns": "hits", "next": "//evil.example"}
        )
        assert hostile["Location"] == BOARD


class TestForms:
    def test_fields_say_what_the_script_needs(self, panel: Panel) -> None:
        client = who_may("view_dashboard", "view_counter", "change_dashboard", "view_alert", "add_alert")
        for address in (f"/admin/hailwhale_django/panel/{panel.pk}/change/", "/admin/hailwhale_django/alert/add/"):
            text = client.get(address).content.decode()
            assert f'data-check="{CHECK}"' in text
            assert 'data-pk-field="counter"' in text
            assert "hailwhale_django/js/formula.js" in text

    def test_the_store_is_that_of_the_dashboard(self, panel: Panel, redis_url: str) -> None:
        stores = {"other": {"REDIS": redis_url, "PREFIX": "other"}}
        with override_settings(HAILWHALE={"REDIS": redis_url, "STORES": stores}):
            Dashboard.objects.update(store="other")
            client = who_may("view_dashboard", "view_counter", "change_dashboard")
            for address in (f"{panel.pk}/change/", f"add/?dashboard={panel.dashboard_id}", "add/?dashboard=x"):
                text = client.get(f"/admin/hailwhale_django/panel/{address}").content.decode()
                assert f'data-store="{"default" if address.endswith("x") else "other"}"' in text
