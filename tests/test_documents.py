"""Dashboards as documents: what is written out reads in as the same, and what will not do is told where it stands."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hailwhale_django import documents
from hailwhale_django.dashboards.spec import BoardSpec, PanelSpec
from hailwhale_django.engine.errors import InvalidInput, TooLarge
from hailwhale_django.models import Dashboard, Panel, SharedLink

pytestmark = pytest.mark.django_db

SHOP: dict[str, Any] = {
    "slug": "shop",
    "title": "Shop",
    "period": "mtd",
    "compare": "previous",
    "filters": ["country/US"],
    "panels": [
        {"kind": "number", "counter": "shop", "formulas": ["revenue as Revenue [$#]"], "width": 4},
        {"kind": "table", "counter": "shop", "dimension": "country", "formulas": ["revenue/uv:visitor", "revenue"]},
        {"kind": "text", "text": "# Hello\n\nThis is the shop."},
    ],
}

SHOP_YAML = """\
slug: shop
title: Shop
period: mtd
compare: previous
filters:
- country/US
panels:
- kind: number
  counter: shop
  formulas:
  - revenue as Revenue [$#]
  width: 4
- kind: table
  counter: shop
  dimension: country
  formulas:
  - revenue/uv:visitor
  - revenue
- kind: text
  text: |-
    # Hello

    This is the shop.
"""


def changed(**given: Any) -> dict[str, Any]:
    return {**SHOP, **given}


def rows(board: Dashboard) -> list[int]:
    return [panel.pk for panel in board.panels.all()]


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("hailwhale_dashboards", *arguments, stdout=out)
    return out.getvalue()


def wrong(*arguments: str) -> str:
    with pytest.raises(CommandError) as raised:
        command(*arguments)
    assert raised.value.returncode == 1
    return str(raised.value)


class TestLoad:
    def test_created_changed_unchanged(self) -> None:
        board, outcome = documents.load(SHOP)
        assert (outcome, board.title, board.filters, board.owner) == ("created", "Shop", ["country/US"], None)
        assert [(panel.place, panel.kind) for panel in board.panels.all()] == [
            (10, "number"),
            (20, "table"),
            (30, "text"),
        ]
        assert board.panels.first().formulas == ["revenue as Revenue [$#]"]
        assert documents.load(SHOP)[1] == "unchanged"
        same, outcome = documents.load(changed(title="The shop"))
        assert (outcome, same.pk, Dashboard.objects.get().title) == ("changed", board.pk, "The shop")

    def test_what_is_not_said_is_the_default_again(self) -> None:
        documents.load(SHOP)
        board, _ = documents.load({"slug": "shop", "title": "Shop"})
        assert (board.period, board.compare, board.filters, board.panels.count()) == ("", "", [], 0)

    def test_the_owner_is_that_of_a_new_one(self) -> None:
        ada, bob = (User.objects.create_user(name) for name in ("ada", "bob"))
        assert documents.load(SHOP, ada)[0].owner == ada
        assert documents.load(changed(title="x"), bob)[0].owner == ada

    def test_who_sees_it_stays(self) -> None:
        board, _ = documents.load(SHOP)
        board.viewers.add(Group.objects.create(name="Sales"))
        Dashboard.objects.update(everyone=False)
        board, _ = documents.load(changed(title="x"))
        assert (board.everyone, [group.name for group in board.viewers.all()]) == (False, ["Sales"])

    def test_what_will_not_do_changes_nothing(self) -> None:
        documents.load(SHOP)
        with pytest.raises(InvalidInput, match=r"panels\[4\].formulas"):
            documents.load(changed(title="x", panels=[*SHOP["panels"], {"counter": "shop", "formulas": ["a/"]}]))
        assert Dashboard.objects.get().title == "Shop"

    def test_one_that_cannot_be_understood_is_replaced(self) -> None:
        board, _ = documents.load(SHOP)
        Panel.objects.filter(kind="number").update(formulas=["a/"])
        assert documents.load(SHOP)[1] == "changed"
        assert documents.dump(board)["panels"][0]["formulas"] == ["revenue as Revenue [$#]"]


class TestPanelsKeepTheirRows:
    """A shared link to a panel survives as long as the panel tells the same."""

    @pytest.fixture
    def board(self) -> Dashboard:
        return documents.load(SHOP)[0]

    def test_where_all_else_changes(self, board: Dashboard) -> None:
        number, table, text = SHOP["panels"]
        before = rows(board)
        documents.load(
            changed(panels=[{**number, "title": "Revenue", "width": 12}, {**table, "limit": 3}, {**text, "text": "x"}])
        )
        assert rows(board) == before
        assert [panel.title for panel in board.panels.all()] == ["Revenue", "", ""]

    def test_in_another_order(self, board: Dashboard) -> None:
        before = rows(board)
        documents.load(changed(panels=list(reversed(SHOP["panels"]))))
        assert rows(board) == list(reversed(before))

    def test_one_comes_between(self, board: Dashboard) -> None:
        first, *others = rows(board)
        number, *panels = SHOP["panels"]
        documents.load(changed(panels=[number, {"kind": "text", "text": "new"}, *panels]))
        found = rows(board)
        assert (found[0], found[2:]) == (first, others)
        assert found[1] not in (first, *others)

    def test_the_same_twice(self, board: Dashboard) -> None:
        before = rows(board)
        number, *others = SHOP["panels"]
        documents.load(changed(panels=[number, number, *others]))
        found = rows(board)
        assert (found[0], found[2:]) == (before[0], before[1:])
        assert len(set(found)) == 4

    def test_a_link_never_tells_something_else(self, board: Dashboard) -> None:
        panels = list(board.panels.all())
        for panel in panels:
            SharedLink.objects.create(dashboard=board, panel=panel)
        number, table, text = SHOP["panels"]
        secret = {**number, "formulas": ["salaries"]}
        documents.load(changed(panels=[secret, {**table, "counter": "blog"}, text]))
        assert [link.panel for link in SharedLink.objects.all()] == [panels[2]]


class TestRoundTrip:
    def test_by_hand(self) -> None:
        board, _ = documents.load(SHOP)
        told = documents.dump(board)
        assert told["panels"][1]["formulas"] == ["revenue/uv:visitor", "revenue"]
        assert documents.write([told], "yaml") == SHOP_YAML
        assert documents.read(SHOP_YAML.encode(), "x.yaml")[0].given == told
        assert documents.load(told)[1] == "unchanged"

    TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
    # What begins with a bracket is read as a list of names.
    NAME = st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="["),
        min_size=1,
        max_size=10,
    )
    COLUMN = st.sampled_from(
        [
            "hits",
            "revenue/visitors",
            "revenue as Revenue [$#]",
            "late/arrived as Late [%; less is better]",
            "uv:visitor",
        ]
    )
    PERIOD = st.sampled_from(["", "mtd", "7d", "2026-03-01..2026-03-31", "1h:1w"])
    PANEL = st.fixed_dictionaries(
        {"kind": st.sampled_from(["number", "graph", "table", "top", "decision", "text"]), "counter": NAME},
        optional={
            "title": TEXT,
            "dimension": st.lists(NAME, max_size=3),
            "counters": st.booleans(),
            "formulas": st.lists(COLUMN, max_size=4),
            "order": st.sampled_from(["", "-low:revenue/visitors", "name"]),
            "limit": st.integers(1, 100),
            "style": st.sampled_from(["line", "area", "bar"]),
            "period": PERIOD,
            "text": TEXT,
            "width": st.sampled_from([3, 4, 6, 8, 12]),
        },
    )
    MOVERS = st.fixed_dictionaries(
        {"kind": st.just("movers"), "counter": NAME},
        optional={
            "title": TEXT,
            "dimension": st.lists(NAME, max_size=3),
            "formulas": COLUMN.map(lambda one: [one]),
            "limit": st.integers(1, 100),
            "period": PERIOD,
        },
    )
    BOARD = st.fixed_dictionaries(
        {
            "slug": st.from_regex(r"[a-zA-Z_][-a-zA-Z0-9_]{0,19}", fullmatch=True).filter(
                lambda one: one not in ("add", "first")
            )
        },
        optional={
            "title": TEXT,
            "description": TEXT,
            "period": PERIOD,
            "compare": st.sampled_from(["", "previous", "weekdays", "month", "year", "2026-01-01..2026-01-31"]),
            "filters": st.lists(NAME.map(lambda name: f"country/{name.replace('/', '')}x"), max_size=2),
            "place": st.integers(0, 1_000_000),
            "panels": st.lists(PANEL | MOVERS, max_size=5),
        },
    )

    @given(st.lists(BOARD, min_size=1, max_size=3, unique_by=lambda one: one["slug"]))
    @example([{"slug": "null", "title": "1:30"}, {"slug": "no", "title": "2026-01-01", "description": "a\r\nb \n\x1b"}])
    @example([{"slug": "a", "title": "b\x85c", "description": " a\n  b\u2028c\n\n- d: #e\t\n"}])
    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_load_of_dump(self, boards: list[dict[str, Any]]) -> None:
        Dashboard.objects.all().delete()
        told = []
        for one in boards:
            board, outcome = documents.load(one)
            assert outcome == "created"
            assert board.spec() == BoardSpec.parse(one)
            told.append(documents.dump(board))
        for form in ("yaml", "json"):
            text = documents.write(told, form)  # type: ignore[arg-type]
            found = [document.given for document in documents.read(text.encode(), f"x.{form}")]
            assert found == told
            assert [documents.load(one)[1] for one in found] == ["unchanged"] * len(boards)


class TestFields:
    """What the engine says of a formula, a period or a path is told at the field in which it stands."""

    @pytest.mark.parametrize(
        ("panel", "field"),
        [
            ({"counter": "/".join("abcdefghi")}, "counter"),
            ({}, "counter"),
            ({"counter": "a", "formulas": ["a/"]}, "formulas"),
            ({"counter": "a", "order": "low:a/"}, "order"),
            ({"counter": "a", "period": "whenever"}, "period"),
            ({"counter": "a", "dimension": "/".join("abcdefghi")}, "dimension"),
            ({"counter": "a", "counters": "yes"}, "counters"),
            ({"counter": "a", "limit": 101}, "limit"),
            ({"counter": "a", "kind": "movers", "limit": 0}, "limit"),
            ({"counter": "a", "kind": "movers", "formulas": ["a", "b"]}, "formulas"),
            ({"counter": "a", "kind": "movers", "formulas": ["pct95:a"]}, "formulas"),
            ({"counter": "a", "width": 5}, "width"),
        ],
    )
    def test_of_a_panel(self, panel: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidInput) as raised:
            BoardSpec.parse({"slug": "x", "panels": [{"kind": "text"}, panel]})
        assert raised.value.field == f"panels[2].{field}"

    @pytest.mark.parametrize("field", ["period", "compare"])
    def test_of_a_dashboard(self, field: str) -> None:
        with pytest.raises(InvalidInput) as raised:
            BoardSpec.parse({"slug": "x", field: "whenever"})
        assert raised.value.field == field


class TestReading:
    def refused(self, text: str, name: str = "x.yaml") -> str:
        with pytest.raises(InvalidInput) as raised:
            documents.read(text.encode(), name)
        return str(raised.value)

    def test_several(self) -> None:
        texts = {
            "a.json": '[{"slug": "a"}, {"slug": "b"}]',
            "b.yaml": "slug: a\n---\n---\nslug: b\n",
            "c.yml": "- slug: a\n- slug: b\n",
            "standard input": ' [{"slug": "a"}, {"slug": "b"}]',
            "another": "slug: a\n---\nslug: b\n",
            "d.json": '\ufeff[{"slug": "a"}, {"slug": "b"}]',
        }
        for name, text in texts.items():
            found = documents.read(text.encode(), name)
            assert [(one.place, one.given) for one in found] == [
                (f"{name}, dashboard 1", {"slug": "a"}),
                (f"{name}, dashboard 2", {"slug": "b"}),
            ]

    @pytest.mark.parametrize(
        ("name", "text", "told"),
        [
            ("x.json", '{"slug": "a", "slug": "b"}', "x.json, key: 'slug' will not do; it is there twice"),
            ("x.yaml", "slug: a\nslug: b", "'slug' is there twice"),
            ("x.yaml", "panels:\n- {kind: text, kind: text}", "'kind' is there twice"),
            ("x.yaml", "a: &a {slug: x}\nb: *a", "write out what *a means"),
            ("x.yaml", "<<: {slug: x}", "write out what << means"),
            ("x.yaml", "slug: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
            ("x.yaml", "slug: [", "write it in YAML"),
            ("x.yaml", "slug: 2026-99-99", "write it in YAML"),
            ("x.json", "{", "write it in JSON"),
            ("x.json", "", "write it in JSON"),
            ("x.yaml", "---\n", "there is no dashboard in it"),
            ("x.json", "[]", "there is no dashboard in it"),
            ("x.json", "[" * 100_000, "it nests too deeply"),
            ("x.yaml", "[" * 10_000, "it nests too deeply"),
            ("x.json", "[" * 30 + "]" * 30, "nest at most 20 levels"),
            ("x.json", '{"slug": "\\ud800"}', "half of a surrogate pair"),
            ("x.json", '{"place": 1e999}', "a number is less than 1e308"),
        ],
    )
    def test_what_will_not_do(self, name: str, text: str, told: str) -> None:
        assert told in self.refused(text, name)

    def test_what_is_too_large(self) -> None:
        for raw in (b" " * 1_000_001, b'[{"slug": "a"}' + b',{"slug": "a"}' * 200 + b"]"):
            with pytest.raises(TooLarge):
                documents.read(raw, "x.json")

    def test_what_is_no_text(self) -> None:
        with pytest.raises(InvalidInput, match="write it in UTF-8"):
            documents.read(b"\xff\xfe", "x.yaml")

    def test_without_pyyaml(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setitem(sys.modules, "yaml", None)
        monkeypatch.delitem(sys.modules, "hailwhale_django.yaml_documents", raising=False)
        monkeypatch.delattr("hailwhale_django.yaml_documents", raising=False)
        line = "pip install 'hailwhale_django[yaml]'"
        assert line in self.refused("slug: a")
        assert documents.read(b'{"slug": "a"}', "x.json")
        documents.load(SHOP)
        assert line in wrong("--dump")
        assert json.loads(command("--dump", "--format", "json"))["slug"] == "shop"


class TestCommand:
    @pytest.fixture
    def files(self, tmp_path: Path) -> Path:
        (tmp_path / "shop.yaml").write_text(SHOP_YAML)
        (tmp_path / "more.json").write_text('[{"slug": "blog", "title": "Blog"}, {"slug": "mail"}]')
        return tmp_path

    def test_load_says_what_it_did(self, files: Path) -> None:
        User.objects.create_user("ada")
        names = [str(files / "shop.yaml"), str(files / "more.json")]
        assert command("--load", *names, "--owner", "ada") == "created    shop\ncreated    blog\ncreated    mail\n"
        assert {board.owner.username for board in Dashboard.objects.all() if board.owner} == {"ada"}
        (files / "more.json").write_text('[{"slug": "blog", "title": "The blog"}, {"slug": "new"}]')
        assert command("--load", *names) == "unchanged  shop\nchanged    blog\ncreated    new\n"
        assert command("--list") == (
            "blog  The blog  0 panels  ada\nmail  mail  0 panels  ada\n"
            "new  new  0 panels  nobody\nshop  Shop  3 panels  ada\n"
        )

    def test_dump_is_what_load_reads(self, files: Path) -> None:
        command("--load", str(files / "shop.yaml"), str(files / "more.json"))
        assert command("--dump", "shop") == SHOP_YAML
        whole = command("--dump")
        assert whole == (
            "---\nslug: blog\ntitle: Blog\npanels: []\n---\nslug: mail\ntitle: mail\npanels: []\n---\n" + SHOP_YAML
        )
        (files / "all.yaml").write_text(whole)
        assert set(command("--load", str(files / "all.yaml")).split()[::2]) == {"unchanged"}
        assert [one["slug"] for one in json.loads(command("--dump", "shop", "blog", "--format", "json"))] == [
            "shop",
            "blog",
        ]

    def test_all_or_nothing_and_all_that_is_wrong(self, files: Path) -> None:
        bad = files / "bad.json"
        bad.write_text(
            json.dumps(
                [
                    {"slug": "fine"},
                    {"slug": "one", "panels": [{"kind": "text"}, {"counter": "shop", "formulas": ["a/"]}]},
                    {"slug": "two", "panells": []},
                    {"slug": "three", "panels": [{"kind": "text", "colour": "red"}]},
                    {"slug": "four", "panels": [{"counter": "shop", "counters": "no"}]},
                    {"slug": "fine"},
                    {"slug": "a b"},
                    {"slug": "five", "store": "elsewhere"},
                    {"slug": "six", "panels": [{"counter": ["a" * 200, "b" * 200]}]},
                    {"slug": "seven", "title": "a\0b"},
                    5,
                ]
            )
        )
        for what in ("--load", "--check"):
            lines = wrong(what, str(files / "shop.yaml"), str(bad)).splitlines()
            assert [line.removeprefix(str(bad) + ", dashboard ").split(" will not do")[0] for line in lines] == [
                "2 (one): panels[2].formulas: 'a/'",
                "3 (two): dashboard: 'panells'",
                "4 (three): panels[1].panels: 'colour'",
                "5 (four): panels[1].counters: 'no'",
                "6 (fine): slug: 'fine'",
                "7 (a b): slug: 'a b'",
                "8 (five): store: 'elsewhere'",
                f"9 (six): panels[1].counter: '{'a' * 78}…",
                "10 (seven): title: 'a\\x00b'",
                "11: dashboard: 5",
            ]
            assert "it is that of" in lines[4] and "bad.json, dashboard 1, too" in lines[4]
            assert not Dashboard.objects.exists()

    def test_check(self, files: Path) -> None:
        assert command("--check", str(files / "shop.yaml")) == "1 dashboard, nothing is wrong\n"
        assert (
            command("--check", str(files / "shop.yaml"), str(files / "more.json")) == "3 dashboards, nothing is wrong\n"
        )
        assert not Dashboard.objects.exists()

    def test_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(SHOP_YAML.encode())))
        assert command("--load", "-") == "created    shop\n"
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"slug: a b")))
        assert wrong("--load", "-").startswith("standard input, dashboard 1 (a b): slug: 'a b' will not do")

    def test_what_is_not_there(self, tmp_path: Path) -> None:
        assert "nowhere.yaml cannot be read: No such file" in wrong("--load", str(tmp_path / "nowhere.yaml"))
        assert wrong("--dump", "shop") == "there is no dashboard shop; known are none"
        (tmp_path / "shop.yaml").write_text(SHOP_YAML)
        assert wrong("--load", str(tmp_path / "shop.yaml"), "--owner", "ada") == "there is no user ada"
        assert command("--dump") == "" == command("--list")


class TestDocs:
    PAGE = (Path(__file__).parent.parent / "docs/dashboards-as-files.md").read_text(encoding="utf-8")

    def test_the_example_can_be_loaded(self) -> None:
        (text,) = re.findall(r"^```yaml\n(.*?)^```$", self.PAGE, re.MULTILINE | re.DOTALL)
        (document,) = documents.read(text.encode(), "shop.yaml")
        assert documents.load(document.given)[1] == "created"
        assert documents.write([documents.dump(Dashboard.objects.get())], "yaml") == text

    @pytest.mark.parametrize("name", [*BoardSpec.NAMES, "panels", *PanelSpec.NAMES])
    def test_key_is_told(self, name: str) -> None:
        assert re.search(rf"^\| `{name}` \|", self.PAGE, re.MULTILINE)
