"""Tables of a dashboard: sorting, paging, going down and back, files; and panels moved, copied, removed and added."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from selenium.webdriver.support.select import Select

from hailwhale_django.models import Panel
from tests.browser.conftest import sell
from tests.browser.dashboards import Board
from tests.browser.test_graphs import arrived

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def key(board: Board, title: str = "Countries") -> str:
    return str(board.panel(title).get_attribute("data-panel"))


def heading(board: Board, text: str) -> None:
    board.click(next(one for one in board.within("Countries", "thead a") if one.text.startswith(text)))


def sorted_by(board: Board) -> tuple[str, str]:
    (found,) = board.within("Countries", "[aria-sort]")
    return found.text.rstrip(" ▲▼\xa0"), str(found.get_attribute("aria-sort"))


class TestTables:
    def test_a_heading_sorts_and_turns_around(self, board: Board) -> None:
        assert (sorted_by(board), board.names()) == (("Each", "descending"), ["DE", "US"])
        heading(board, "Visitors")
        assert (sorted_by(board), board.names()) == (("Visitors", "descending"), ["US", "DE"])
        heading(board, "Visitors")
        assert (sorted_by(board), board.names()) == (("Visitors", "ascending"), ["FR", "DE"])
        heading(board, "Country")
        assert (sorted_by(board), board.names()) == (("Country", "ascending"), ["DE", "FR"])
        assert board.focus.startswith("Country")
        assert board.query == {f"o{key(board)}": ["+name"]} and board.stayed

    def test_by_change_and_by_what_is_certain(self, board: Board) -> None:
        sell("DE", "phone", days=10, visitors=5, revenue=100)
        sell("US", "phone", days=10, visitors=5, revenue=270)
        board.visit(f"?o{key(board)}=-revenue")
        for text, names in (("change", ["DE", "US"]), ("value", ["US", "DE"])):
            board.click(board.panel("Countries").find_element("link text", text))
            assert board.names() == names, text  # from 100 to 50, and from 300 to 120
        heading(board, "Each")
        board.click(board.panel("Countries").find_element("link text", "what is certain"))
        assert board.query == {f"o{key(board)}": ["-low:revenue/visitors"]}
        assert (
            board.panel("Countries").find_element("css selector", ".hw-orders [aria-current]").text == "what is certain"
        )

    def test_pages_go_on_and_back(self, board: Board) -> None:
        board.click(board.panel("Countries").find_element("link text", "Next"))
        assert (board.names(), board.query) == (["FR"], {f"page{key(board)}": ["2"]})
        board.click(board.panel("Countries").find_element("link text", "Previous"))
        assert board.names() == ["DE", "US"] and board.stayed

    def test_down_and_back_by_the_crumbs(self, board: Board) -> None:
        board.click(board.within("Countries", ".hw-children")[0])
        assert board.names() == ["NY", "CA"]
        assert [one.text for one in board.within("Countries", ".hw-crumbs bdi")] == ["country", "US"]
        board.click(board.name("CA"))
        assert (board.chips, board.figure()) == (["country US / CA"], "$50")
        board.click(board.one(".hw-chip-x"))
        board.click(board.within("Countries", ".hw-crumbs a")[0])
        assert board.names() == ["DE", "US"] and board.stayed

    def test_a_table_is_saved_whole(self, board: Board, tmp_path: Path) -> None:
        sell("=1+1", "phone", days=1, visitors=1, revenue=1)
        board.visit()
        board.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
        board.panel("Countries").find_element("link text", "CSV").click()
        board.until(lambda: list(tmp_path.glob("*.csv")))
        (file,) = tmp_path.glob("*.csv")
        rows = list(csv.reader(arrived(board, file).decode("utf-8-sig").splitlines()))
        assert {"DE", "US", "FR", "'=1+1"} <= {row[0] for row in rows}
        assert board.stayed


class TestPanels:
    def does(self, board: Board, what: str, title: str = "Countries") -> None:
        board.within(title, ".hw-panel-tools summary")[0].click()
        button = next(one for one in board.within(title, ".hw-panel-tools button") if one.text == what)
        board.leave(button.click)

    def titles(self, board: Board) -> list[str]:
        return [board.title_of(one) for one in board.all(".hw-panel")]

    def test_they_are_moved_copied_and_removed(self, board: Board) -> None:
        first = ["Revenue", "Devices", "Countries", "Day by day", "Read me"]
        assert self.titles(board) == first
        self.does(board, "Move up")
        assert self.titles(board) == ["Revenue", "Countries", "Devices", "Day by day", "Read me"]
        self.does(board, "Move down")
        assert self.titles(board) == first
        self.does(board, "Duplicate")
        assert self.titles(board) == [*first[:3], "Countries", *first[3:]]
        self.does(board, "Remove")
        assert self.titles(board) == first
        assert "is removed" in board.one(".messagelist").text

    def test_one_is_added_and_changed(self, board: Board) -> None:
        board.leave(board.link("Add a panel").click)
        Select(board.one("[name=kind]")).select_by_value("number")
        for name, text in (("title", "Heads"), ("counter", "shop"), ("formulas", "visitors as Heads")):
            board.one(f"[name={name}]").clear()
            board.one(f"[name={name}]").send_keys(text)
        board.leave(board.one("[name=_save]").click)
        assert board.figure("Heads") == "29"
        board.within("Heads", ".hw-panel-tools summary")[0].click()
        board.leave(board.within("Heads", ".hw-panel-tools a")[0].click)
        board.one("[name=formulas]").clear()
        board.one("[name=formulas]").send_keys("visitors/")
        board.leave(board.one("[name=_save]").click)
        assert board.all(".field-formulas .errorlist")
        board.one("[name=formulas]").send_keys("visitors [%]")
        board.leave(board.one("[name=_save]").click)
        assert board.figure("Heads") == "100.0%"
        assert Panel.objects.filter(title="Heads").count() == 1
