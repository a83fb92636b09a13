"""Dead letters in the admin and in the terminal: who may decide, and that each counts once."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from hailwhale_django import Hail, Whale
from hailwhale_django.engine.store.dead import Letter
from tests.api import who_may

LETTERS = "/admin/hailwhale_django/deadletter/"
LIVE = "/admin/hailwhale_django/live/"
LARGEST = (2**63 - 1) // 10**6
HOSTILE = b"\xff\x00\x1b[31m\xe2\x80\xae<script>alert(1)</script>"
POSITION = "00017953317652" + "0" * 16

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store(redis_url: str) -> Iterator[None]:
    with override_settings(HAILWHALE={"REDIS": redis_url}):
        yield


def overflow() -> Letter:
    """A letter that can be counted again once there is room."""
    Whale.count_now("shop", metrics={"cash": LARGEST, "hits": 0})
    Hail.count("shop", {"country": "US"}, {"cash": 1})
    Hail.drain()
    (letter,) = letters()
    return letter


def letters() -> list[Letter]:
    return Hail.pod().drain.dead.letters(0)


def make_room() -> None:
    Whale.count_now("shop", metrics={"cash": -LARGEST, "hits": 0})


def bury(line: bytes) -> Letter:
    letter = Letter(0, POSITION, "", line, "line: no <b>event</b>")
    Hail.pod().drain.dead.add([letter])
    return letter


def decide(client: Client, **data: str | list[str]) -> str:
    return client.post(LETTERS, data, follow=True).content.decode()


class TestPage:
    def test_bytes_are_shown_safely(self) -> None:
        bury(HOSTILE)
        text = who_may("view_deadletter").get(LETTERS).content.decode()
        assert r"\xff\x00\x1b[31m\u202e&lt;script&gt;alert(1)&lt;/script&gt;" in text
        assert "no &lt;b&gt;event&lt;/b&gt;" in text

    def test_those_who_may_only_look_have_nothing_to_press(self) -> None:
        letter = bury(HOSTILE)
        client = who_may("view_deadletter")
        assert 'name="action"' not in client.get(LETTERS).content.decode()
        for action in ("replay", "discard"):
            assert client.post(LETTERS, {"action": action, "letter": letter.id, "sure": "1"}).status_code == 403
        assert letters() == [letter]

    def test_others_see_nothing(self) -> None:
        assert who_may("view_counter").get(LETTERS).status_code == 403

    def test_a_letter_is_counted_again_once(self) -> None:
        letter = overflow()
        client = who_may("view_deadletter", "change_deadletter")
        assert "Still not counted" in decide(client, action="replay", letter=letter.id)
        make_room()
        assert "1 is counted." in decide(client, action="replay", letter=letter.id)
        assert "1 was gone." in decide(client, action="replay", letter=letter.id)
        assert Whale.total("shop", "cash", period="today") == 1
        assert Whale.total("shop", "hits", period="today") == 1

    def test_discarding_asks_first(self) -> None:
        letter = bury(HOSTILE)
        client = who_may("view_deadletter", "delete_deadletter")
        assert "Yes, discard" in decide(client, action="discard", letter=letter.id)
        assert letters() == [letter]
        assert "1 is discarded." in decide(client, action="discard", letter=letter.id, sure="1")
        assert letters() == []

    def test_all_are_those_of_the_page(self) -> None:
        letter, other = bury(b"x"), Letter(0, "1" + POSITION[1:], "", b"y", "why")
        Hail.pod().drain.dead.add([other])
        decide(who_may("view_deadletter", "delete_deadletter"), action="discard", all="1", shown=[letter.id], sure="1")
        assert letters() == [other]

    def test_nothing_was_chosen(self) -> None:
        assert "No letter was chosen." in decide(who_may("view_deadletter", "change_deadletter"), action="replay")

    def test_another_site_cannot_press(self) -> None:
        letter = bury(HOSTILE)
        User.objects.create_superuser("root", password="x")
        client = Client(enforce_csrf_checks=True)
        client.login(username="root", password="x")
        answer = client.post(LETTERS, {"action": "discard", "letter": letter.id, "sure": "1"})
        assert answer.status_code == 403
        assert letters() == [letter]

    def test_fifty_are_on_a_page(self) -> None:
        Hail.pod().drain.dead.add([Letter(0, f"{n:030d}", "", b"x", "why") for n in range(60)])
        client = who_may("view_deadletter")
        pages = [client.get(LETTERS, {"page": page}).content.decode() for page in ("1", "2", "3", "x", "0")]
        assert [page.count("hw-age") for page in pages] == [50, 10, 0, 50, 50]


class TestCommand:
    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("hailwhale_dead", *arguments, stdout=out, stderr=out)
        return out.getvalue()

    def test_a_letter_is_listed_counted_and_gone(self) -> None:
        letter = overflow()
        assert f"{letter.id}  " in self.run("--list")
        with pytest.raises(CommandError):
            self.run("--replay", letter.id)
        make_room()
        assert self.run("--replay", "all") == "1 counted, 0 not there, 0 still not counted\n"
        assert self.run("--replay", letter.id) == "0 counted, 1 not there, 0 still not counted\n"
        assert self.run("--list") == "0 in all\n"
        assert Whale.total("shop", "cash", period="today") == 1

    def test_nothing_in_a_line_reaches_the_terminal(self) -> None:
        bury(HOSTILE)
        assert self.run("--list").replace("\n", "").isprintable()

    def test_discarding(self) -> None:
        letter = bury(HOSTILE)
        assert self.run("--discard", letter.id, "0-none") == "1 discarded\n"
        assert letters() == []

    def test_what_to_do_must_be_said(self) -> None:
        with pytest.raises(CommandError, match="required"):
            self.run()


class TestLive:
    def test_events_of_a_counter_and_its_children_newest_first(self) -> None:
        Hail.count_many([("shop", {"c": {"a": "b"}}, {"m": 0.5}), (["shop", "p/1"],), ("shopping",)])
        said = who_may("view_live", "view_counter").get(LIVE, {"format": "json", "counter": "shop"}).json()
        assert [(event["counter"], event["dimensions"]) for event in said["events"]] == [
            ("shop/p%2F1", []),
            ("shop", ["c › a › b"]),
        ]
        assert said["events"][1]["metrics"] == [["m", "0.5"], ["hits", "1"]]
        assert said["events"][1]["link"] == "/admin/hailwhale_django/counter/shop/"

    def test_values_of_sketches_are_shown_as_far_as_there_is_room(self) -> None:
        Hail.count("shop", None, {"uv:visitor": ["a", "b"], "pct95:ms": list(range(11)), "mh:x": "y" * 101})
        (event,) = who_may("view_live").get(LIVE, {"format": "json"}).json()["events"]
        assert event["metrics"] == [
            ["hits", "1"],
            ["uv:visitor", "a, b"],
            ["pct:ms", "0, 1, 2, 3, 4, 5, 6, 7, 8, 9…"],
            ["mh:x", "y" * 100 + "…"],
        ]

    def test_a_hundred_at_most(self) -> None:
        Hail.count_many([("shop", None, {"n": n}) for n in range(150)])
        events = who_may("view_live").get(LIVE, {"format": "json"}).json()["events"]
        assert [event["metrics"][0] for event in events] == [["n", str(n)] for n in range(149, 49, -1)]

    def test_what_a_visitor_does_is_escaped(self) -> None:
        Hail.spy_log("ada", "<script>alert(1)</script>")
        client = who_may("view_live")
        assert "<script>alert" not in client.get(LIVE, {"visitor": "ada"}).content.decode()
        assert client.get(LIVE, {"format": "json", "visitor": "bob"}).json()["spied"] == []

    def test_what_is_no_counter_is_said_beside_its_field(self) -> None:
        answer = who_may("view_live").get(LIVE, {"counter": "x" * 256})
        assert answer.status_code == 200
        assert "errorlist" in answer.content.decode()

    def test_it_needs_a_permission_of_its_own(self) -> None:
        assert who_may("view_counter").get(LIVE).status_code == 403

    def test_who_may_not_see_counters_is_not_led_to_them(self) -> None:
        Hail.count("shop")
        client = who_may("view_live")
        assert client.get(LIVE, {"format": "json"}).json()["events"][0]["link"] == ""
        assert "<bdi>shop</bdi></th>" in client.get(LIVE).content.decode()
