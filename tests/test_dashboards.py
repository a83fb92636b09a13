"""Dashboards in the admin: what a page says, who sees it, and what can be done there."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from html import unescape
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from hailwhale_django import Whale
from hailwhale_django.dashboards.spec import BoardSpec
from hailwhale_django.documents import load
from hailwhale_django.engine import measures
from hailwhale_django.models import Annotation, Dashboard, Panel, Segment, SharedLink
from tests import servers
from tests.test_admin import Page

NOW = "2099-05-15T12:00:00Z"
BASE = "/admin/hailwhale_django/dashboard/"
ALL = ("view_dashboard", "change_dashboard", "add_dashboard", "delete_dashboard", "view_counter", "add_segment")

SHOP = {
    "slug": "shop",
    "title": "The shop",
    "period": "7d",
    "compare": "previous",
    "panels": [
        {"kind": "number", "counter": "shop", "formulas": ["revenue as Revenue [$#]", "revenue/visitors as Each"]},
        {"kind": "table", "title": "Countries", "counter": "shop", "dimension": "country", "limit": 2,
         "formulas": ["revenue/visitors as Per visitor [$#]", "revenue", "visitors"]},
        {"kind": "top", "title": "Devices", "counter": "shop", "dimension": "device", "formulas": ["visitors"]},
        {"kind": "graph", "title": "Day by day", "counter": "shop", "dimension": "country", "formulas": ["revenue"]},
        {"kind": "text", "title": "Read me", "text": "See https://example.com <b>now</b>"},
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def shop(redis_url: str) -> Any:
    """Revenue and visitors of countries and devices, in this week and (only in the US) the one before.

    |              | visitors | revenue | each   | before |
    |--------------|----------|---------|--------|--------|
    | US           | 20       | 120     | 6      | 3      |
    | of it phone  | 10       | 50      | 5      |        |
    | DE           | 5        | 50      | 10     |        |
    | FR           | 4        | 10      | 2.5    |        |
    | total        | 29       | 180     | 6.2069 | 3      |
    """
    with override_settings(HAILWHALE={"REDIS": redis_url, "CROSSINGS": {"shop": [["country", "device"]]}}):
        count({"US": "CA"}, "phone", "2099-05-12", visitors=10, revenue=50)
        count({"US": "NY"}, "desktop", "2099-05-13", visitors=10, revenue=70)
        count("DE", "phone", "2099-05-13", visitors=5, revenue=50)
        count("FR", "desktop", "2099-05-12", visitors=4, revenue=10)
        count({"US": "CA"}, "phone", "2099-05-06", visitors=10, revenue=30)
        yield


def count(country: Any, device: str, day: str, **metrics: float) -> None:
    Whale.count_now("shop", {"country": country, "device": device}, metrics, f"{day}T10:00:00Z")


@pytest.fixture
def user(db: Any) -> Callable[..., User]:
    def made(name: str, *permissions: str, **fields: Any) -> User:
        found = User.objects.create_user(name, password="x", is_staff=True, **fields)
        found.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        return found

    return made


@pytest.fixture
def ada(user: Callable[..., User]) -> User:
    """One who may do all."""
    return user("ada", *ALL)


@pytest.fixture
def board(ada: User) -> Dashboard:
    return load(SHOP, ada)[0]


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def look(client: Client, query: str = "", slug: str = "shop", status: int = 200) -> Page:
    response = client.get(f"{BASE}{slug}/{query}")
    assert response.status_code == status, response.content.decode()[:2000]
    return Page(response.content.decode())


def key(board: Dashboard, title: str) -> str:
    return str(next(panel.pk for panel in board.panels.all() if panel.title == title))


def test_a_panel_whose_intervals_would_read_too_many_cells_says_that_it_has_none(
    shop: None, board: Dashboard, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "No intervals are shown" not in look(logged_in(ada)).text
    monkeypatch.setattr(measures, "MAX_CELLS", 40)

    page = look(logged_in(ada))

    assert page.text.count("No intervals are shown") == 1
    assert "DE" in page.text


def html(client: Client, query: str = "") -> str:
    return client.get(f"{BASE}shop/{query}").content.decode()


def rows(page: Page, board: Dashboard, title: str) -> list[list[str]]:
    """The texts of a panel's table, row by row."""
    (panel,) = page.found("section", id=f"hw-p{key(board, title)}")
    return [[" ".join(cell.text.split()) for cell in row if cell.tag in ("th", "td")] for row in panel.found("tr")]


class TestPage:
    def test_numbers_say_what_they_were(self, shop: None, ada: User, board: Dashboard) -> None:
        text = html(logged_in(ada))
        assert ">$180</bdi>" in text and ">6.207</bdi>" in text
        assert 'title="more than before: $30"' in text and "+500.0%" in text
        assert 'title="more than before: 3"' in text

    def test_a_table_is_sorted_by_its_first_formula(self, shop: None, ada: User, board: Dashboard) -> None:
        names = [row[0] for row in rows(look(logged_in(ada)), board, "Countries")]
        assert names == ["Country", "DE", "US 2 ›", "total"] or names[1].startswith("DE")

    def test_text_is_text(self, shop: None, ada: User, board: Dashboard) -> None:
        text = html(logged_in(ada))
        assert "&lt;b&gt;now&lt;/b&gt;" in text and "<b>now" not in text
        assert '<a href="https://example.com"' in text

    def test_three_round_trips_and_one_more_for_a_new_process(
        self, shop: None, ada: User, board: Dashboard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Twelve panels are no more of them than five."""
        for number in range(7):
            Panel.objects.create(
                dashboard=board, place=100 + number, counter="shop", dimension="device", formulas=["hits"]
            )
        client = logged_in(ada)
        html(client)
        from hailwhale_django.engine.store.server import Server

        trips, run = [], Server.run
        monkeypatch.setattr(Server, "run", lambda self, calls: trips.append(calls) or run(self, calls))
        html(client)
        assert 1 <= len(trips) <= 5

    def test_annotations_are_on_the_graphs_of_their_counter(self, shop: None, ada: User, board: Dashboard) -> None:
        Annotation.objects.create(at="2099-05-13T09:00:00Z", text="Deployed <1.4>", counter="shop")
        Annotation.objects.create(at="2099-05-13T09:00:00Z", text="Elsewhere", counter="else")
        text = html(logged_in(ada))
        assert "Deployed &lt;1.4&gt;" in text and "Elsewhere" not in text

    def test_a_panel_that_will_not_do_leaves_the_others_standing(self, shop: None, ada: User, board: Dashboard) -> None:
        Panel.objects.filter(title="Devices").update(formulas=["visitors/"])
        Panel.objects.filter(title="Countries").update(dimension="country", formulas=["uv:nobody/hits"])
        text = html(logged_in(ada))
        assert "visitors/" in text and ">$180</bdi>" in text

    def test_a_period_that_will_not_do_is_told_and_the_usual_one_shown(
        self, shop: None, ada: User, board: Dashboard
    ) -> None:
        text = html(logged_in(ada), "?p=nonsense&c=nonsense&f=nonsense")
        assert text.count('class="errornote"') == 3
        assert ">$180</bdi>" in text

    def test_a_period_that_has_become_too_long_is_told_and_the_usual_one_shown(
        self, shop: None, ada: User, board: Dashboard
    ) -> None:
        """By the minute, from the first of January on: that was no long period in January."""
        Dashboard.objects.update(period="1m:ytd")
        text = look(logged_in(ada)).text
        assert "points of 1m" in text
        assert "Apr 16, 2099" in text

    def test_graphs_are_drawn_by_another_interval(self, shop: None, ada: User, board: Dashboard) -> None:
        client = logged_in(ada)
        assert "May 13, 2099, 10:00" in html(client, "?i=1h")
        assert "by week" in html(client, "?p=30d&i=1w")
        # One that will not do for this period is not minded.
        assert ">$180</bdi>" in html(client, "?i=1y") and ">$180</bdi>" in html(client, "?i=nonsense")


class TestFilters:
    def test_a_value_filters_all_panels(self, shop: None, ada: User, board: Dashboard) -> None:
        client = logged_in(ada)
        text = html(client, "?f=country/US")
        assert ">$120</bdi>" in text
        page = look(client, "?f=country/US")
        assert [row[0] for row in rows(page, board, "Countries")][1:] == [rows(page, board, "Countries")[1][0]]
        assert [row[:1] for row in rows(page, board, "Devices")][1:] == [["desktop"], ["phone"]]

    def test_two_values_are_both_filters(self, shop: None, ada: User, board: Dashboard) -> None:
        assert ">$50</bdi>" in html(logged_in(ada), "?f=country/US&f=device/phone")

    def test_what_was_not_counted_together_is_told(self, shop: None, ada: User, board: Dashboard) -> None:
        Whale.count_now("shop", {"page": "home"}, {"visitors": 1})
        assert "Not filtered by page: home" in html(logged_in(ada), "?f=page/home")

    def test_every_name_is_a_link_that_filters(self, shop: None, ada: User, board: Dashboard) -> None:
        text = html(logged_in(ada))
        assert 'href="?f=country%2FDE"' in text
        assert 'href="?f=device%2Fphone"' in text
        # One that holds is taken away by the same link, by its chip, and by all of them together.
        assert html(logged_in(ada), "?f=country/DE").count('href="?f=-"') == 3

    def test_one_filter_too_many_takes_the_place_of_the_oldest(self, shop: None, ada: User, board: Dashboard) -> None:
        five = "&".join(f"f={name}%2F1" for name in "abcde")
        text = html(logged_in(ada), f"?{five}")
        assert f'href="?{five.partition("&")[2]}&f=country%2FDE"'.replace("&", "&amp;") in text

    def test_filters_of_the_dashboard_can_be_taken_away(self, shop: None, ada: User, board: Dashboard) -> None:
        Dashboard.objects.update(filters=["country/US"])
        assert ">$120</bdi>" in html(logged_in(ada))
        assert ">$180</bdi>" in html(logged_in(ada), "?f=-")

    def test_a_segment_is_a_saved_filter(self, shop: None, ada: User, board: Dashboard) -> None:
        client = logged_in(ada)
        given = {"name": "US phones", "filters": ["country/US", "device/phone"], "next": "?p=7d"}
        response = client.post(f"{BASE}shop/segment/", given)
        assert response["Location"] == f"{BASE}shop/?p=7d"
        assert Segment.objects.get().filters == ["country/US", "device/phone"]
        assert "US phones" in html(client)
        elsewhere = client.post(f"{BASE}shop/segment/", given | {"next": "//evil.example"})
        assert elsewhere["Location"] == f"{BASE}shop/"

    def test_segments_of_others_take_no_place_from_ones_own(
        self, shop: None, ada: User, user: Callable[..., User], board: Dashboard
    ) -> None:
        bob = user("bob")
        for number in range(60):
            Segment.objects.create(name=f"a{number:02}", filters=["country/DE"], owner=bob, everyone=False)
        Segment.objects.create(name="my own", filters=["country/US"], owner=ada, everyone=False)
        assert "my own" in html(logged_in(ada))

    def test_a_segment_without_a_value_is_refused(self, shop: None, ada: User, board: Dashboard) -> None:
        logged_in(ada).post(f"{BASE}shop/segment/", {"name": "x", "filters": ["country"]})
        assert not Segment.objects.exists()


class TestTables:
    def test_sorting_by_any_column_and_by_change(self, shop: None, ada: User, board: Dashboard) -> None:
        client, number = logged_in(ada), key(board, "Countries")

        def first(order: str) -> str:
            found = rows(look(client, f"?o{number}={order}"), board, "Countries")
            return found[1][0][:2]

        assert first("%2Brevenue") == "FR"
        assert first("-visitors") == "US"
        assert first("%2Bname") == "DE"
        assert first("-change:revenue") == "US"
        assert first("-low:revenue/visitors") in ("US", "DE", "FR")
        # What is no column, or no order, changes nothing.
        assert first("-hits") == first("nonsense(") == "DE"

    def test_down_the_path_and_back(self, shop: None, ada: User, board: Dashboard) -> None:
        client, number = logged_in(ada), key(board, "Countries")
        assert f'href="?d{number}=country%2FUS"' in html(client)
        page = look(client, f"?d{number}=country/US")
        assert [row[0] for row in rows(page, board, "Countries")][1:3] == ["NY", "CA"]
        assert 'href="?"' in html(client, f"?d{number}=country/US")

    def test_nothing_beside_its_own_path_is_shown(self, shop: None, ada: User, board: Dashboard) -> None:
        number = key(board, "Countries")
        found = rows(look(logged_in(ada), f"?d{number}=device"), board, "Countries")
        assert found[1][0].startswith("DE")

    def test_pages(self, shop: None, ada: User, board: Dashboard) -> None:
        client, number = logged_in(ada), key(board, "Countries")
        assert f"page{number}=2" in html(client)
        found = rows(look(client, f"?page{number}=2"), board, "Countries")
        assert found[1][0] == "FR"

    def test_a_panel_as_a_spreadsheet(self, shop: None, ada: User, board: Dashboard) -> None:
        Whale.count_now("shop", {"country": "=cmd()"}, {"visitors": 1})
        response = logged_in(ada).get(f"{BASE}shop/?sheet={key(board, 'Countries')}")
        text = b"".join(response.streaming_content).decode()
        assert "'=cmd()" in text and "\n=cmd" not in text
        assert "DE," in text and "FR," in text  # all rows, not a page
        assert logged_in(ada).get(f"{BASE}shop/?sheet=999").status_code == 404


class TestWho:
    def test_without_the_permission_there_is_nothing(
        self, shop: None, user: Callable[..., User], board: Dashboard
    ) -> None:
        client = logged_in(user("nobody", "view_counter"))
        assert client.get(BASE).status_code == 403
        assert client.get(f"{BASE}shop/").status_code == 403
        assert Client().get(f"{BASE}shop/").status_code == 302

    def test_one_who_sees_only_dashboards_changes_no_columns_and_leads_nowhere(
        self, shop: None, user: Callable[..., User], board: Dashboard
    ) -> None:
        client = logged_in(user("viewer", "view_dashboard"))
        text = html(client)
        assert ">$180</bdi>" in text
        assert "/counter/" not in text.split('id="hw-board"')[1]
        assert "/panel/" not in text and "/change/" not in text.split('id="hw-board"')[1]
        assert client.get(f"/admin/hailwhale_django/panel/{key(board, 'Countries')}/change/").status_code == 403
        assert client.post(f"/admin/hailwhale_django/panel/{key(board, 'Countries')}/move/").status_code == 403
        assert client.post(f"/admin/hailwhale_django/dashboard/{board.pk}/change/").status_code == 403

    def test_a_dashboard_of_ones_own_is_not_for_others(
        self, shop: None, user: Callable[..., User], ada: User, board: Dashboard
    ) -> None:
        Dashboard.objects.update(everyone=False)
        bob = user("bob", *ALL)
        assert logged_in(ada).get(f"{BASE}shop/").status_code == 200
        assert logged_in(bob).get(f"{BASE}shop/").status_code == 404
        assert "The shop" not in logged_in(bob).get(BASE).content.decode()
        group = Group.objects.create(name="sales")
        bob.groups.add(group)
        board.viewers.add(group)
        assert logged_in(bob).get(f"{BASE}shop/").status_code == 200
        assert logged_in(bob).post(f"{BASE}{board.pk}/change/").status_code == 403
        board.editors.add(group)
        assert logged_in(bob).get(f"{BASE}{board.pk}/change/").status_code == 200

    def test_nothing_of_it_is_named_where_links_are_made(
        self, shop: None, user: Callable[..., User], board: Dashboard
    ) -> None:
        bob = user("bob", *ALL, "view_sharedlink", "add_sharedlink", "change_sharedlink")
        Dashboard.objects.update(everyone=False, title="Hidden board")
        Panel.objects.filter(title="Countries").update(title="Hidden panel")
        mine = load({**SHOP, "slug": "mine", "title": "Of my own"}, bob)[0]
        other = load({"slug": "other", "title": "And another"}, bob)[0]
        for one in (mine, other):
            SharedLink.objects.create(dashboard=one)
        client = logged_in(bob)
        for page in ("", "add/", f"{mine.links.get().pk}/change/", f"?dashboard__id__exact={mine.pk}"):
            text = client.get(f"/admin/hailwhale_django/sharedlink/{page}").content.decode()
            assert "Of my own" in text and "And another" in text
            assert "Hidden" not in text

    def test_what_is_for_everybody_is_changed_by_its_owner(
        self, shop: None, user: Callable[..., User], board: Dashboard
    ) -> None:
        assert logged_in(user("bob", *ALL)).post(f"{BASE}{board.pk}/change/").status_code == 403
        Dashboard.objects.update(owner=None)
        assert logged_in(User.objects.get(username="bob")).post(f"{BASE}{board.pk}/change/").status_code == 200

    def test_changing_takes_the_right_to_see_counters(
        self, shop: None, user: Callable[..., User], board: Dashboard
    ) -> None:
        Dashboard.objects.update(owner=None)
        client = logged_in(user("bob", "view_dashboard", "change_dashboard", "add_dashboard"))
        assert client.get(f"{BASE}add/").status_code == 403
        assert client.get("/admin/hailwhale_django/panel/add/").status_code == 403


class TestChanging:
    def test_a_dashboard_is_made_and_a_panel_put_on_it(self, shop: None, ada: User) -> None:
        client = logged_in(ada)
        given = {"title": "New", "slug": "new", "place": 5, "store": "default", "everyone": "on"}
        response = client.post(f"{BASE}add/", given)
        assert response["Location"] == f"{BASE}new/", response.content.decode()
        made = Dashboard.objects.get(slug="new")
        assert made.owner == ada
        assert "There is nothing on this dashboard yet" in client.get(f"{BASE}new/").content.decode()
        panel = {
            "dashboard": made.pk, "kind": "table", "counter": "shop", "dimension": "country", "limit": 10,
            "formulas": "revenue/visitors as Each\r\nrevenue\r\n", "style": "line", "width": 12, "place": 10,
        }  # fmt: skip
        response = client.post("/admin/hailwhale_django/panel/add/", panel)
        assert response["Location"] == f"{BASE}new/#hw-p{made.panels.get().pk}", response.content.decode()
        assert made.panels.get().formulas == ["revenue/visitors as Each", "revenue"]
        assert "DE" in client.get(f"{BASE}new/").content.decode()

    def test_what_is_wrong_is_told_at_its_field(self, shop: None, ada: User, board: Dashboard) -> None:
        panel = {
            "dashboard": board.pk, "kind": "table", "counter": "", "limit": 10,
            "formulas": "revenue/", "style": "line", "width": 12, "place": 10,
        }  # fmt: skip
        text = logged_in(ada).post("/admin/hailwhale_django/panel/add/", panel).content.decode()
        assert "errorlist" in text and "name the counter" in text

    def test_what_a_counters_page_shows_is_put_on_a_dashboard(
        self, shop: None, ada: User, board: Dashboard, user: Callable[..., User]
    ) -> None:
        address = "/admin/hailwhale_django/counter/shop/?d=country&m=revenue/visitors,revenue&o=-revenue"
        client = logged_in(ada)
        found = re.search(r'href="([^"]*/panel/add/[^"]*)"', client.get(address).content.decode())
        assert found
        form = client.get(unescape(found[1])).content.decode()
        assert "revenue/visitors\nrevenue</textarea>" in form and 'value="-revenue"' in form
        assert f'<option value="{board.pk}">The shop</option>' in form
        viewer = logged_in(user("viewer", "view_counter"))
        assert "/panel/add/" not in viewer.get(address).content.decode()

    def test_a_dashboard_goes_into_a_file_and_comes_out_of_it(self, shop: None, ada: User, board: Dashboard) -> None:
        client = logged_in(ada)
        response = client.get(f"{BASE}shop/file/")
        assert response["Content-Disposition"] == 'attachment; filename="shop.json"'
        text = response.content.decode()
        Dashboard.objects.all().delete()
        client.post(f"{BASE}import/", {"file": SimpleUploadedFile("shop.json", text.encode())})
        assert [panel.title for panel in Dashboard.objects.get(slug="shop").panels.all()][1:3] == [
            "Countries",
            "Devices",
        ]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"\xff\xfe", "UTF-8"),
            (b"{", "JSON"),
            (b'[{"slug": "new"}, {"slug": "add"}]', "no number, add"),
            (b'{"slug": "new", "panels": [{"kind": "table"}]}', "name the counter"),
            (b'{"slug": "theirs"}', "you may not change it"),
            (b'{"slug": " theirs "}', "you may not change it"),
        ],
    )
    def test_a_file_that_will_not_do_changes_nothing(
        self, shop: None, ada: User, user: Callable[..., User], content: bytes, said: str
    ) -> None:
        Dashboard.objects.create(slug="theirs", title="Theirs", owner=user("bob"))
        response = logged_in(ada).post(
            f"{BASE}import/", {"file": SimpleUploadedFile("boards.json", content)}, follow=True
        )
        assert said in unescape(response.content.decode())
        assert list(Dashboard.objects.values_list("slug", "title")) == [("theirs", "Theirs")]

    def test_what_is_not_kept_of_a_file_is_not_said_to_be_made(self, shop: None, ada: User) -> None:
        content = b'[{"slug": "new", "title": "The new one"}, {"slug": "add"}]'
        answer = logged_in(ada).post(f"{BASE}import/", {"file": SimpleUploadedFile("a.json", content)}, follow=True)
        assert "The new one" not in answer.content.decode()

    def test_files_are_for_those_who_may(self, shop: None, user: Callable[..., User], board: Dashboard) -> None:
        client = logged_in(user("viewer", "view_dashboard"))
        assert client.get(f"{BASE}shop/file/").status_code == 403
        assert client.post(f"{BASE}import/", {}).status_code == 403
        assert client.get(f"{BASE}import/").status_code == 403

    @pytest.mark.parametrize(
        ("does", "titles"),
        [
            ("later", ["", "Devices", "Countries", "Day by day", "Read me"]),
            ("earlier", ["Countries", "", "Devices", "Day by day", "Read me"]),
            ("copy", ["", "Countries", "Countries", "Devices", "Day by day", "Read me"]),
            ("remove", ["", "Devices", "Day by day", "Read me"]),
            ("nothing", ["", "Countries", "Devices", "Day by day", "Read me"]),
        ],
    )
    def test_panels_move(self, shop: None, ada: User, board: Dashboard, does: str, titles: list[str]) -> None:
        address = f"/admin/hailwhale_django/panel/{key(board, 'Countries')}/move/"
        response = logged_in(ada).post(address, {"do": does})
        assert response["Location"].partition("#")[0] == f"{BASE}shop/"
        assert [panel.title for panel in board.panels.all()] == titles

    def test_a_full_dashboard_takes_no_more(self, shop: None, ada: User, board: Dashboard) -> None:
        """What is exported can be imported again."""
        panels = [{"kind": "text", "text": str(number)} for number in range(50)]
        full = load({**SHOP, "panels": panels}, ada)[0]
        client, first = logged_in(ada), full.panels.first()
        moved = client.post(f"/admin/hailwhale_django/panel/{first.pk}/move/", {"do": "copy"}, follow=True)
        assert "A dashboard has at most 50 panels." in moved.content.decode()
        given = {"dashboard": full.pk, "kind": "text", "text": "51", "limit": 10, "style": "line"}
        given |= {"width": 6, "place": 1}
        added = client.post("/admin/hailwhale_django/panel/add/", given)
        assert "A dashboard has at most 50 panels." in added.content.decode()
        assert full.panels.count() == 50

    def test_panels_of_others_do_not_move(self, shop: None, user: Callable[..., User], board: Dashboard) -> None:
        address = f"/admin/hailwhale_django/panel/{key(board, 'Countries')}/move/"
        assert logged_in(user("bob", *ALL)).post(address, {"do": "remove"}).status_code == 404
        assert Panel.objects.filter(title="Countries").exists()

    def test_a_slug_that_is_an_address_of_the_admin_is_refused(self, ada: User) -> None:
        for slug in ("add", "first", "12"):
            with pytest.raises(Exception, match="slug"):
                BoardSpec.parse({"slug": slug})

    def test_the_first_dashboard_is_where_one_begins(self, shop: None, ada: User, board: Dashboard) -> None:
        assert logged_in(ada).get(f"{BASE}first/")["Location"] == f"{BASE}shop/"
        Dashboard.objects.all().delete()
        assert logged_in(ada).get(f"{BASE}first/")["Location"] == BASE


def test_while_the_store_is_away_the_page_says_so_and_comes_back(redis_url: str, ada: User, board: Dashboard) -> None:
    client = logged_in(ada)
    with servers.standalone() as own, override_settings(HAILWHALE={"REDIS": own}):
        count("US", "phone", "2099-05-12", visitors=1, revenue=7)
        assert ">$7</bdi>" in html(client)
        with closing(servers.client(own)) as server:
            server.execute_command("CLIENT", "PAUSE", "1", "ALL")
    with override_settings(HAILWHALE={"REDIS": "redis://127.0.0.1:1"}):
        response = client.get(f"{BASE}shop/")
        assert response.status_code == 503
        text = response.content.decode()
        assert "The counts cannot be read now" in text and "The shop" in text and "Period" in text


class TestBounded:
    """What only some values may be seen of tells nothing of the others."""

    @pytest.fixture
    def text(self, shop: None, ada: User, board: Dashboard) -> Callable[..., str]:
        Panel.objects.filter(title="Day by day").update(dimension="country")
        link = SharedLink.objects.create(dashboard=board, filters=["country/FR"])

        def seen(query: str = "") -> str:
            response = Client().get(f"/hailwhale/shared/{link.token}/{query}")
            assert response.status_code == 200
            streamed = b"".join(response.streaming_content) if response.streaming else response.content
            return streamed.decode()

        return seen

    @pytest.mark.parametrize(
        "query",
        ["", "?f=-", "?f=country/DE", "?f=country/US&f=device/phone", "?p=2099-05-01..2099-05-15", "?c=nothing"],
    )
    def test_nothing_of_the_whole_or_of_others(self, text: Callable[..., str], query: str) -> None:
        seen = text(query)
        assert "<bdi>DE<" not in seen and ">$180<" not in seen
        assert "of the whole" not in seen and "the whole's" not in seen and "180" not in seen and "6.207" not in seen

    def test_nor_by_panels(self, text: Callable[..., str], board: Dashboard) -> None:
        number = key(board, "Countries")
        for query in (f"?d{number}=country/US", f"?d{number}=country/DE", f"?o{number}=-hits", f"?page{number}=2"):
            seen = text(query)
            assert "<bdi>DE<" not in seen and "<bdi>NY<" not in seen and "180" not in seen

    def test_nor_in_a_spreadsheet(self, text: Callable[..., str], board: Dashboard) -> None:
        sheet = text(f"?sheet={key(board, 'Countries')}")
        assert [line.split(",")[0] for line in sheet.splitlines()[1:]] == ["FR"]

    def test_nor_where_there_is_nothing_of_it(self, text: Callable[..., str]) -> None:
        SharedLink.objects.update(filters=["country/XX"])
        seen = text()
        assert "180" not in seen and "120" not in seen and "<bdi>DE<" not in seen
